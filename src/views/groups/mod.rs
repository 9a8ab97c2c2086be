//! A table of groups: a line per group, its keys and measures; a click on a line filters.

mod hand;
mod settings;
mod shelf;

use std::sync::Arc;

use egui::{Align2, Rect, ScrollArea, Sense, Shape, Ui, UiBuilder, WidgetInfo, pos2, vec2};

use super::axes;
use super::frame::{Blank, strength};
use super::paint::axis::one_line;
use super::{ViewContext, ViewState, Wish, bin_menu, brushing, estimate, slot};
use crate::aggregate::to_f64;
use crate::data::{Kind, format_value, group_digits, kind, shorten};
use crate::engine::Freshness;
use crate::expr::Expr;
use crate::query::{Estimate, Groups, Question};
use crate::select::Selection;
use crate::session::{Command, Gesture, GroupOrder, Grouping, KEY_BINS, ViewSpec, key_text, key_value};
use crate::session::{is_cut, questions};

use super::paint::readout;
use super::paint::ticks::Unit;
use super::state::Shown;
pub(super) use settings::settings;
pub(super) use shelf::shelf;

/// Lines whose texts say how wide a column is.
const MEASURED: usize = 60;
/// Room on either side of a cell's text.
const PADDING: f32 = 8.0;

/// A table as painted.
struct Table<'a> {
    view: &'a ViewSpec,
    grouping: &'a Grouping,
    exprs: &'a [Expr],
    groups: &'a Groups,
    /// Positions of the groups, in the order of the lines.
    order: &'a [usize],
    estimate: Option<&'a Estimate>,
    /// The measure sorted by: its position, its values and the largest listed.
    scale: (usize, Vec<f64>, f64),
}

impl Table<'_> {
    /// What a key of a group is called; `None` for missing.
    fn key(&self, key: usize, group: usize) -> Option<String> {
        let value = key_value(self.groups.keys.get(key)?, group);
        key_text(self.exprs.get(key)?, &value).map(|text| shorten(&text))
    }

    /// A measure of a group; `None` for missing.
    fn measure(&self, measure: usize, group: usize) -> Option<String> {
        number_text(self.groups.measures.get(measure)?, group)
    }

    /// The text of a cell; `None` for missing.
    fn cell(&self, column: usize, group: usize) -> Option<String> {
        match column.checked_sub(self.exprs.len()) {
            None => self.key(column, group),
            Some(measure) => self.measure(measure, group),
        }
    }

    fn columns(&self) -> usize {
        self.exprs.len() + self.groups.measures.len()
    }

    fn title(&self, column: usize) -> String {
        match column.checked_sub(self.exprs.len()) {
            None => axes::bare(&self.grouping.keys[column].expr),
            Some(measure) => {
                let mark = if self.groups.approximate.get(measure) == Some(&true) { "≈ " } else { "" };
                format!("{mark}{}", self.grouping.measures[measure])
            }
        }
    }

    fn name(&self, group: usize) -> String {
        let keys = (0..self.exprs.len()).map(|key| self.key(key, group).unwrap_or("missing".to_owned()));
        keys.collect::<Vec<_>>().join(", ")
    }
}

/// A value of an aggregate as a person reads it.
fn number_text(values: &arrow::array::ArrayRef, at: usize) -> Option<String> {
    let text = format_value(values, at)?;
    Some(match kind(values.data_type()) {
        Kind::Float => readout::brief(to_f64(&values.slice(at, 1))[0], Unit::Number),
        Kind::Integer => text.parse::<u64>().map_or(text, group_digits),
        _ => shorten(&text),
    })
}

/// Asks and paints a table of groups.
pub fn show(
    ui: &mut Ui,
    body: Rect,
    view: &ViewSpec,
    state: &mut ViewState,
    cx: &mut ViewContext<'_>,
) -> Result<(), Blank> {
    let grouping = questions::grouping(view).map_err(Blank::wrong)?;
    let (groups, stale, found) = ask(view, grouping, state, cx)?;
    let Some(groups) = groups.groups() else { return Err(Blank::Waiting(Default::default())) };
    let exprs: Result<Vec<Expr>, _> = grouping.keys.iter().map(|key| cx.session.expr(&key.expr)).collect();
    let exprs = exprs.map_err(Blank::wrong)?;
    if exprs.len() != groups.keys.len() || grouping.measures.len() != groups.measures.len() {
        // The answer to an earlier question; the next is on its way.
        return Err(Blank::Waiting(Default::default()));
    }
    let mut order = grouping.ordered(groups);
    order.truncate(grouping.limit);
    let by = grouping.order.map_or(0, |order| order.measure);
    let values = groups.measures.get(by).map(to_f64).unwrap_or_default();
    let most = order.iter().filter_map(|&group| values.get(group)).copied().fold(0.0, f64::max);
    let table = Table {
        view,
        grouping,
        exprs: &exprs,
        groups,
        order: &order,
        estimate: found.as_deref(),
        scale: (by, values, most),
    };
    paint(ui, body, &table, stale, state, cx);
    Ok(())
}

/// The groups under all filters but the table's own, whether they are of an earlier question, and what they
/// are known to.
#[expect(clippy::type_complexity, reason = "three parts of one answer, taken apart at once")]
fn ask(
    view: &ViewSpec,
    grouping: &Grouping,
    state: &mut ViewState,
    cx: &mut ViewContext<'_>,
) -> Result<(Arc<crate::query::Answer>, bool, Option<Arc<Estimate>>), Blank> {
    let dataset = cx.session.dataset().cloned().ok_or_else(|| Blank::wrong("No file is open."))?;
    let cut = grouping.cut_keys().enumerate();
    // All are asked for, so that all extents are found in one pass.
    let resolved: Vec<_> = cut
        .map(|(i, key)| axes::resolve(view, Some(key), 4 + i as u64, KEY_BINS, &mut state.known, cx))
        .collect();
    let resolved = resolved.into_iter().collect::<Result<Vec<_>, _>>()?;
    state.axes = resolved.into_iter().map(|resolved| resolved.axis).collect();
    state.has_tuples = grouping.keys.len() > 1;
    state.key = match grouping.keys.as_slice() {
        [key] if !is_cut(key) => cx.session.expr(&key.expr).ok(),
        _ => None,
    };
    let listed = grouping.ask(&dataset, &state.axes).map_err(Blank::wrong)?;
    let everything = Question::new(dataset.clone(), Selection::all(), listed.clone());
    let all = cx.answers.unbrushed(slot(view.id, 2), &everything);
    let found = all.answer.as_ref().and_then(|all| all.groups());
    // Of few groups all are asked for: brushes elsewhere are prepared for these.
    let asked = match found.is_some_and(|groups| grouping.lists_all(groups)) {
        true => grouping.ask_all(&dataset, &state.axes).map_err(Blank::wrong)?,
        false => listed,
    };
    let question = Question::new(dataset, cx.session.selection_for(view), asked);
    let reply = cx.answers.answer(slot(view.id, 3), &question);
    state.overflowed.clone_from(&reply.overflowed);
    let stale = matches!(reply.freshness, Freshness::Stale(_));
    if let Freshness::Failed(error) = &reply.freshness {
        return Err(Blank::unanswered(error));
    }
    let Some(answer) = reply.answer else {
        return Err(Blank::Waiting(match reply.freshness {
            Freshness::Stale(progress) => progress,
            _ => Default::default(),
        }));
    };
    let estimate = reply.estimate.filter(|_| !stale);
    if !stale {
        state.is_filtered = !cx.session.selection().is_all();
    }
    state.estimate = estimate.clone();
    let is_exact = reply.freshness == Freshness::Final;
    state.shown = is_exact.then(|| Shown { selected: answer.clone(), all: None });
    Ok((answer, stale, estimate))
}

fn paint(
    ui: &mut Ui,
    body: Rect,
    table: &Table<'_>,
    stale: bool,
    state: &mut ViewState,
    cx: &mut ViewContext<'_>,
) {
    let theme = cx.theme;
    let unit = theme.size.unit;
    let area = Rect::from_min_max(
        pos2(body.left() + unit, body.top()),
        pos2(body.right() - 4.0, body.bottom() - 20.0),
    );
    state.plot = Some(area);
    let opacity = strength(ui, state, stale);
    let background = ui.interact(area, ui.scope_id().with("plot"), Sense::click());
    let title = table.view.title();
    background.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Table, true, &title));
    if brushing::wants_clear(ui, &background, table.view, cx) {
        brushing::clear(table.view, cx);
    }
    let widths = widths(ui, table, area.width() - 12.0, cx);
    let whole = widths.iter().sum::<f32>().max(area.width() - 12.0);
    ui.scope_builder(UiBuilder::new().max_rect(area), |ui| {
        ScrollArea::horizontal().id_salt("columns").auto_shrink(false).show(ui, |ui| {
            ui.set_width(whole);
            ui.spacing_mut().item_spacing.y = 0.0;
            heads(ui, whole, table, &widths, cx);
            let chosen = hand::Chosen::of(table.view, cx);
            let scroll = ScrollArea::vertical().id_salt("groups").auto_shrink(false);
            let lines = table.order.len() + usize::from(table.groups.other.is_some());
            scroll.show_rows(ui, theme.size.bar, lines, |ui, range| {
                for at in range {
                    let (rect, response) =
                        ui.allocate_exact_size(vec2(whole, theme.size.bar), Sense::click());
                    match table.order.get(at) {
                        Some(&group) => {
                            line(ui, rect, (at, group), &response, table, &widths, opacity, &chosen, cx);
                            let bar = || hand::menu(table, group, &chosen, cx.session);
                            bin_menu::show(&response, table.view, &mut state.menu, bar, cx);
                            if response.clicked() {
                                hand::choose(ui, table, group, &chosen, cx);
                                cx.wishes.push(Wish::Focus(table.view.id));
                            }
                        }
                        None => other(ui, rect, table, &widths, cx),
                    }
                }
            });
        });
    });
    let painter = ui.painter_at(body);
    let found = table.groups.found;
    let text = match found.saturating_sub(table.order.len() as u64) {
        0 if found == 1 => "1 group".to_owned(),
        0 => format!("{} groups", group_digits(found)),
        _ => format!("{} of {} groups", group_digits(table.order.len() as u64), group_digits(found)),
    };
    let at = pos2(area.center().x, body.bottom() - 4.0);
    super::paint::axis::title(&painter, theme, at, Align2::CENTER_BOTTOM, &text, area.width());
}

/// Widths of the columns: of their longest text, and the measures share what is left.
fn widths(ui: &Ui, table: &Table<'_>, room: f32, cx: &ViewContext<'_>) -> Vec<f32> {
    let theme = cx.theme;
    let keys = table.exprs.len();
    let wide = |text: &str, font| ui.painter().layout_no_wrap(text.to_owned(), font, theme.text).size().x;
    let width = |column: usize| {
        let head = wide(&table.title(column), theme.strong()) + 16.0;
        let cells = table.order.iter().take(MEASURED).filter_map(|&group| table.cell(column, group));
        let most = cells.map(|text| wide(&text, theme.small())).fold(head, f32::max);
        let most = most.min(if column < keys { 240.0 } else { 200.0 }) + 2.0 * PADDING;
        if column < keys { most } else { most.max(96.0) }
    };
    let mut widths: Vec<f32> = (0..table.columns()).map(width).collect();
    let left = (room - widths.iter().sum::<f32>()).max(0.0);
    let measures = (widths.len() - keys).max(1) as f32;
    widths.iter_mut().skip(keys).for_each(|width| *width += (left / measures).min(160.0));
    widths
}

/// The heads of the columns: a click sorts.
fn heads(ui: &mut Ui, whole: f32, table: &Table<'_>, widths: &[f32], cx: &mut ViewContext<'_>) {
    let theme = cx.theme;
    let (rect, _) = ui.allocate_exact_size(vec2(whole, theme.size.row), Sense::hover());
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, theme.hairline());
    let mut left = rect.left();
    for (column, &width) in widths.iter().enumerate() {
        let cell = Rect::from_min_size(pos2(left, rect.top()), vec2(width, rect.height() - 1.0));
        left += width;
        let measure = column.checked_sub(table.exprs.len());
        let response = ui.interact(cell, ui.scope_id().with(("head", column)), Sense::click());
        let title = table.title(column);
        let name = format!("sort by {title}");
        response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::ColumnHeader, true, &name));
        if response.hovered() || response.has_focus() {
            ui.painter().rect_filled(cell, 4, theme.hover);
            *cx.hint = "click: sort · right click: more".to_owned();
        }
        let order = table.grouping.order;
        let sorted = match measure {
            Some(measure) => order.filter(|order| order.measure == measure).map(|order| order.descending),
            None => (order.is_none() && column == 0).then_some(false),
        };
        let painter = ui.painter_at(cell);
        let room = width - 2.0 * PADDING - if sorted.is_some() { 12.0 } else { 0.0 };
        let galley = one_line(&painter, &title, theme.strong(), theme.text, room);
        let x =
            if measure.is_some() { cell.right() - PADDING - galley.size().x } else { cell.left() + PADDING };
        let arrow = if measure.is_some() { x - 9.0 } else { x + galley.size().x + 9.0 };
        painter.galley(pos2(x, cell.center().y - galley.size().y / 2.0), galley, theme.text);
        if let Some(descending) = sorted {
            let tip = if descending { 3.0 } else { -3.0 };
            let at = |dx: f32, dy: f32| pos2(arrow + dx, cell.center().y + dy);
            let corners = vec![at(-3.5, -tip / 1.5), at(3.5, -tip / 1.5), at(0.0, tip)];
            painter.add(Shape::convex_polygon(corners, theme.weak, egui::Stroke::NONE));
        }
        let mut changed = table.grouping.clone();
        if response.clicked() {
            changed.order = match (measure, sorted) {
                // From the largest, from the smallest, in the order of the keys.
                (Some(measure), None) => Some(GroupOrder { measure, descending: true }),
                (Some(measure), Some(true)) => Some(GroupOrder { measure, descending: false }),
                _ => None,
            };
        }
        response.context_menu(|ui| shelf::column_menu(ui, column, &mut changed));
        if changed != *table.grouping {
            let view = ViewSpec { grouping: Some(changed), ..table.view.clone() };
            cx.commands.push(Command::ChangeView(view, Gesture::Begin));
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "one call, from the function above")]
fn line(
    ui: &Ui,
    rect: Rect,
    (at, group): (usize, usize),
    response: &egui::Response,
    table: &Table<'_>,
    widths: &[f32],
    opacity: f32,
    chosen: &Option<hand::Chosen>,
    cx: &mut ViewContext<'_>,
) {
    let theme = cx.theme;
    let passes = chosen.as_ref().is_none_or(|chosen| chosen.passes(table, group, cx.session));
    let rows = readout::rows(table.groups.counts[group]);
    let name = format!("group {}, {rows}", table.name(group));
    response.widget_info(|| {
        WidgetInfo::selected(egui::accesskit::Role::ListBoxOption, true, chosen.is_some() && passes, &name)
    });
    let mut painter = ui.painter_at(rect);
    if response.hovered() || response.has_focus() {
        painter.rect_filled(rect, 2, theme.hover);
        let about = match table.estimate {
            Some(estimate) => estimate::count_text(estimate, group),
            None => rows,
        };
        *cx.hint = format!("{}: {about} · click: filter · Shift: add", table.name(group));
    } else if at % 2 == 1 {
        painter.rect_filled(rect, 0, theme.panel);
    }
    if chosen.is_some() && passes {
        let mark = Rect::from_min_size(rect.min, vec2(2.0, rect.height()));
        painter.rect_filled(mark, 0, theme.accent);
    }
    painter.multiply_opacity(opacity);
    let keys = table.exprs.len();
    let mut left = rect.left();
    for (column, &width) in widths.iter().enumerate() {
        let cell = Rect::from_min_size(pos2(left, rect.top()), vec2(width, rect.height()));
        left += width;
        if column == keys + table.scale.0 {
            data_bar(&painter, cell, table, group, passes, cx);
        }
        let text = table.cell(column, group);
        let color = match (&text, passes) {
            (None, _) => theme.missing,
            (_, false) => theme.faint,
            (_, true) => theme.text,
        };
        let mut text = text.unwrap_or_else(|| "missing".to_owned());
        if column >= keys && table.estimate.is_some() {
            text.insert_str(0, "≈ ");
        }
        let galley = one_line(&painter, &text, theme.small(), color, width - 2.0 * PADDING);
        let x = match column >= keys {
            true => cell.right() - PADDING - galley.size().x,
            false => cell.left() + PADDING,
        };
        painter.galley(pos2(x, cell.center().y - galley.size().y / 2.0), galley, color);
    }
}

/// How large the measure sorted by is beside the largest listed, as a bar behind its number.
fn data_bar(
    painter: &egui::Painter,
    cell: Rect,
    table: &Table<'_>,
    group: usize,
    passes: bool,
    cx: &ViewContext<'_>,
) {
    let (_, values, most) = &table.scale;
    let share = values.get(group).map_or(f64::NAN, |value| (value / most).clamp(0.0, 1.0));
    if share.is_finite() && share > 0.0 {
        let width = ((cell.width() - 4.0) * share as f32).max(1.0);
        let bar = Rect::from_min_size(
            pos2(cell.right() - 2.0 - width, cell.top() + 2.0),
            vec2(width, cell.height() - 4.0),
        );
        painter.rect_filled(bar, 1, if passes { cx.theme.ghost } else { cx.theme.ghost_pale });
    }
}

/// The groups that are not listed, told together.
fn other(ui: &Ui, rect: Rect, table: &Table<'_>, widths: &[f32], cx: &ViewContext<'_>) {
    let Some(other) = &table.groups.other else { return };
    let theme = cx.theme;
    let painter = ui.painter_at(rect);
    painter.hline(rect.x_range(), rect.top() + 0.5, theme.hairline());
    let keys = table.exprs.len();
    let title = format!("{} other groups", group_digits(other.groups));
    let room = widths[..keys].iter().sum::<f32>();
    let galley = one_line(&painter, &title, theme.small(), theme.weak, room - PADDING);
    painter.galley(pos2(rect.left() + PADDING, rect.center().y - galley.size().y / 2.0), galley, theme.weak);
    let mut right = rect.left() + room;
    for (values, width) in other.measures.iter().zip(&widths[keys..]) {
        right += width;
        let text = number_text(values, 0).unwrap_or_else(|| "missing".to_owned());
        let at = pos2(right - PADDING, rect.center().y);
        painter.text(at, Align2::RIGHT_CENTER, text, theme.small(), theme.weak);
    }
}
