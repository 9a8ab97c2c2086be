//! A column at a glance: a small distribution that can be brushed, the share that is missing, and a card of
//! numbers about it.

use std::sync::Arc;

use arrow::array::Array;
use egui::{Align2, Color32, CornerRadius, Mesh, Rect, Sense, Shape, Ui, WidgetInfo, pos2, vec2};

use super::brushing::{self, Own};
use super::paint::axis::{AxisMap, one_line};
use super::paint::brush;
use super::paint::readout;
use super::paint::ticks::Unit;
use super::{ViewContext, ViewState, axes, bars, slot};
use crate::aggregate::Grid;
use crate::data::{Field, Kind, format_value, group_digits, kind, shorten};
use crate::engine::Freshness;
use crate::expr::quote_name;
use crate::query::{Answer, Ask, Measure, Question};
use crate::select::Selection;
use crate::session::{AxisSpec, Brushed, ViewId, ViewKind, ViewSpec};

/// Bins of a small distribution.
const BINS: usize = 32;
/// Values of a text column shown by themselves.
const TOP: usize = 6;

/// Names of columns' lines as views: past those of all views, which count from one.
const COLUMNS: u64 = 1 << 40;

/// Whether a view is a column's line.
pub fn is_column(view: ViewId) -> bool {
    view.0 >= COLUMNS
}

/// The view a column's line stands for: what is brushed in it filters as a view of the column does.
pub fn view_of(field: &Field, position: usize) -> ViewSpec {
    let kind = if field.kind().is_ordinal() { ViewKind::Histogram } else { ViewKind::Bars };
    let id = ViewId(COLUMNS + position as u64);
    ViewSpec::new(id, kind, Some(AxisSpec::telling(quote_name(&field.name))), None)
}

/// Asks and paints the small distribution of a column in `rect`. Returns the share of missing values, once
/// it is known.
pub fn show(
    ui: &mut Ui,
    rect: Rect,
    view: &ViewSpec,
    state: &mut ViewState,
    cx: &mut ViewContext<'_>,
) -> Option<f64> {
    match view.kind {
        ViewKind::Histogram => numbers(ui, rect, view, state, cx),
        _ => values(ui, rect, view, state, cx),
    }
}

fn numbers(
    ui: &mut Ui,
    rect: Rect,
    view: &ViewSpec,
    state: &mut ViewState,
    cx: &mut ViewContext<'_>,
) -> Option<f64> {
    let resolved = axes::resolve(view, view.x.as_ref(), 0, BINS, &mut state.known, cx).ok()?;
    let dataset = cx.session.dataset()?.clone();
    state.axes = vec![resolved.axis.clone()];
    let ask = Ask::Grid { axes: state.axes.clone(), measures: Vec::new() };
    let question = Question::new(dataset, Selection::all(), ask);
    let answer = cx.answers.glance(slot(view.id, 3), &question).answer?;
    let grid = answer.grid().filter(|grid| grid.axes.len() == 1)?;
    state.plot = Some(rect);
    let map = AxisMap::horizontal(grid.axes[0].clone(), rect);
    let own = Own::of(view, cx);
    distribution(ui, rect, grid, &map, own.as_ref(), cx);

    let response = ui.interact(rect, ui.scope_id().with("distribution"), Sense::click_and_drag());
    let name = axes::bare(&view.x.as_ref()?.expr);
    let label = format!("distribution of {name}");
    response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Canvas, true, &label));
    brushing::begin(ui, &response, &map, own.as_ref(), state, cx);
    let moved = brushing::follow(ui, &response, &map, state);
    let wanted = moved.as_ref().zip(view.x.as_ref());
    let wanted = wanted.map(|((brushed, _), axis)| brushed.predicate(&axis.expr));
    brushing::take(ui, &response, view, wanted, state, cx);
    let bin = response.interact_pointer_pos().and_then(|at| map.bin_at(at.x));
    if response.double_clicked() {
        brushing::clear(view, cx);
    } else if let (true, Some(bin)) = (response.clicked(), bin) {
        let edges = map.bins.edges();
        brushing::choose(ui, view, own.as_ref(), &Brushed::interval(edges[bin], edges[bin + 1]), cx);
    }
    if let Some(at) = response.hover_pos() {
        // Once the pointer rests here, the views are prepared for the brush.
        ui.ctx().request_repaint_after_secs(0.25);
        let under = own.as_ref().map(|own| &own.brushed).cloned().unwrap_or_default();
        ui.ctx().set_cursor_icon(brush::cursor(brushing::part_at(&map, &under, at.x, cx.theme.size.grab).0));
        let interval = match (&moved, map.bin_at(at.x)) {
            (Some((_, interval)), _) => Some(*interval),
            (None, Some(bin)) => Some((map.bins.edges()[bin], map.bins.edges()[bin + 1])),
            _ => None,
        };
        let range = interval.map(|(lo, hi)| readout::interval(lo, hi, resolved.unit)).unwrap_or_default();
        *cx.hint =
            format!("{name}  {range} · drag: brush · Shift: add · Alt: take out · double click: clear");
    }
    let missing = grid.counts[grid.axes[0].missing()];
    Some(missing as f64 / grid.total().max(1) as f64)
}

/// Bars of all rows; those the column's own filter lets pass are lit.
fn distribution(ui: &Ui, rect: Rect, grid: &Grid, map: &AxisMap, own: Option<&Own>, cx: &ViewContext<'_>) {
    let theme = cx.theme;
    let painter = ui.painter_at(rect);
    let counts = &grid.counts[..map.bins.count()];
    let greatest = counts.iter().copied().max().unwrap_or(0).max(1) as f32;
    let own = own.filter(|own| own.enabled);
    let mut mesh = Mesh::default();
    for (bin, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let (left, right) = (map.edge(bin).round(), map.edge(bin + 1).round());
        // A bar that is there must be seen, beside the line below.
        let height = (rect.height() * count as f32 / greatest).max(2.0);
        let bar = Rect::from_min_max(
            pos2(left, rect.bottom() - height),
            pos2((right - 1.0).max(left + 1.0), rect.bottom()),
        );
        let color = match own {
            Some(own) if own.passes(map.bins.centre(bin)) => theme.accent,
            Some(_) => theme.ghost,
            None => theme.all,
        };
        mesh.add_colored_rect(bar, color);
    }
    painter.hline(rect.x_range(), rect.bottom() - 0.5, theme.hairline());
    painter.add(Shape::mesh(mesh));
}

/// The most frequent values of a column as parts of one bar; a click filters.
fn values(
    ui: &mut Ui,
    rect: Rect,
    view: &ViewSpec,
    state: &mut ViewState,
    cx: &mut ViewContext<'_>,
) -> Option<f64> {
    let dataset = cx.session.dataset()?.clone();
    let ask = crate::session::questions::question(&dataset, view, &[], Selection::all()).ok()?;
    let answer = cx.answers.glance(slot(view.id, 3), &ask).answer?;
    let groups = answer.groups()?;
    let all = bars::bars(groups, groups);
    let rows: u64 = all.iter().map(|bar| bar.all_rows).sum();
    let missing: u64 = all.iter().filter(|bar| bar.key.is_none()).map(|bar| bar.all_rows).sum();
    state.plot = None;
    let theme = cx.theme;
    let chosen = bars::own_values(view, cx);
    let mut left = rect.left();
    let width = |rows_of: u64| rect.width() * rows_of as f32 / rows.max(1) as f32;
    for (i, bar) in all.iter().filter(|bar| bar.key.is_some()).take(TOP).enumerate() {
        let right = left + width(bar.all_rows);
        let part =
            Rect::from_min_max(pos2(left, rect.top()), pos2((right - 1.0).max(left + 1.0), rect.bottom()));
        left = right;
        let text = shorten(bar.key.as_deref().unwrap_or_default());
        let response = ui.interact(part, ui.scope_id().with(("value", i)), Sense::click());
        let name = format!("{text} in the list of columns, {}", readout::rows(bar.all_rows));
        response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Button, true, &name));
        let passes = chosen.as_ref().is_none_or(|chosen| chosen.contains(bar) != chosen.inverted);
        let color = match (&chosen, passes) {
            (None, _) => theme.ghost,
            (Some(_), true) => theme.accent,
            (Some(_), false) => theme.ghost_pale,
        };
        let ink = if chosen.is_some() && passes { theme.on_accent } else { theme.text };
        part_of_values(ui, part, &text, color, ink, response.hovered() || response.has_focus(), cx);
        if response.hovered() {
            let share = readout::share(bar.all_rows, rows);
            *cx.hint = format!("{text}: {share} of the rows · click: filter · Shift: add");
        }
        if response.clicked() {
            let add = ui.input(|input| input.modifiers.shift);
            bars::choose(view, bar, &chosen, add, cx);
        }
    }
    if left < rect.right() - 1.0 {
        let rest = Rect::from_min_max(pos2(left, rect.top()), rect.max);
        let more = all.len().saturating_sub(TOP);
        let text = if more > 0 { format!("{} more", group_digits(more as u64)) } else { String::new() };
        part_of_values(ui, rest, &text, theme.ghost_pale, theme.weak, false, cx);
    }
    Some(missing as f64 / rows.max(1) as f64)
}

fn part_of_values(
    ui: &Ui,
    part: Rect,
    text: &str,
    fill: Color32,
    ink: Color32,
    hovered: bool,
    cx: &ViewContext<'_>,
) {
    let painter = ui.painter_at(part);
    painter.rect_filled(part, CornerRadius::same(1), fill);
    if hovered {
        let stroke = egui::Stroke::new(1.0, cx.theme.outline);
        painter.rect_stroke(part, CornerRadius::same(1), stroke, egui::StrokeKind::Inside);
    }
    if part.width() > 20.0 {
        let galley = one_line(&painter, text, cx.theme.small(), ink, part.width() - 6.0);
        let at = Align2::LEFT_CENTER.anchor_size(part.left_center() + vec2(4.0, 0.0), galley.size());
        painter.galley(at.min, galley, ink);
    }
}

/// What the card says of a column, in this order.
const NUMBERS: [&str; 5] = ["count", "min", "max", "mean", "sd"];

/// The numbers of a column over all rows: shown while the pointer rests on its name.
pub fn card(ui: &mut Ui, field: &Field, view: &ViewSpec, cx: &mut ViewContext<'_>) {
    let Some(dataset) = cx.session.dataset().cloned() else { return };
    let expr = quote_name(&field.name);
    let known = NUMBERS.iter().filter_map(|name| {
        let measure = Measure::parse(&format!("{name}({expr})"), &dataset).ok()?;
        Some((*name, measure))
    });
    let (names, measures): (Vec<&str>, Vec<Measure>) = known.unzip();
    let question = Question::new(dataset.clone(), Selection::all(), Ask::Grid { axes: Vec::new(), measures });
    let reply = cx.answers.unbrushed(slot(view.id, 4), &question);
    let answer: Option<Arc<Answer>> = match reply.freshness {
        Freshness::Failed(error) => {
            ui.colored_label(cx.theme.error, error.to_string());
            return;
        }
        _ => reply.answer,
    };
    let Some(grid) = answer.as_ref().and_then(|answer| answer.grid()) else {
        ui.weak("counting …");
        ui.ctx().request_repaint_after_secs(0.05);
        return;
    };
    let approximately = if reply.freshness == Freshness::Final { "" } else { "≈ " };
    egui::Grid::new("card").num_columns(2).spacing([16.0, 2.0]).show(ui, |ui| {
        let mut line = |name: &str, text: String| {
            ui.weak(name);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| ui.label(text));
            ui.end_row();
        };
        for (name, values) in names.iter().zip(&grid.measures) {
            let text = match *name {
                "count" => {
                    let present = crate::aggregate::to_f64(values)[0] as u64;
                    let missing = grid.total().saturating_sub(present);
                    line("rows", format!("{approximately}{}", group_digits(grid.total())));
                    let share = readout::share(missing, grid.total());
                    line("missing", format!("{approximately}{} ({share})", group_digits(missing)));
                    continue;
                }
                _ if values.is_null(0) => "missing".to_owned(),
                _ if kind(values.data_type()) == Kind::Float => {
                    readout::brief(crate::aggregate::to_f64(values)[0], Unit::Number)
                }
                _ => format_value(values, 0).unwrap_or_default(),
            };
            line(name, format!("{approximately}{text}"));
        }
    });
}
