//! One bar per value of a column: all rows as a ghost, the selected before it, a click filters.

use std::collections::HashMap;

use egui::{Align2, CornerRadius, Rect, ScrollArea, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2};

use super::ask::{Asked, ask};
use super::frame::{Blank, strength};
use super::paint::axis;
use super::paint::readout;
use super::paint::ticks::ValueAxis;
use super::{ViewContext, ViewState, Wish, axes, bin_menu, brushing};
use crate::data::{format_value, group_digits, shorten};
use crate::query::{GroupKey, Groups};
use crate::session::{Command, FilterSpec, Gesture, PredicateSpec, ViewSpec};

/// One bar.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bar {
    /// The value; `None` for missing.
    pub(super) key: Option<String>,
    /// Rows of it selected, or the measure of them.
    pub(super) selected: f64,
    /// Of all rows.
    pub(super) all: f64,
    /// Rows of it selected.
    pub(super) rows: u64,
    /// Rows of it.
    pub(super) all_rows: u64,
}

/// Asks and paints bars.
pub fn show(
    ui: &mut Ui,
    body: Rect,
    view: &ViewSpec,
    state: &mut ViewState,
    cx: &mut ViewContext<'_>,
) -> Result<(), Blank> {
    state.key = view.x.as_ref().and_then(|axis| cx.session.expr(&axis.expr).ok());
    let Asked { selected, all, stale, .. } = ask(view, state, cx)?;
    let all = all.as_ref().and_then(|answer| answer.groups());
    let (Some(groups), Some(all)) = (selected.groups(), all) else {
        return Err(Blank::Waiting(Default::default()));
    };
    paint(ui, body, view, &bars(groups, all), stale, state, cx);
    Ok(())
}

/// The bars of an answer, those of most rows first; missing comes last.
pub(super) fn bars(selected: &Groups, all: &Groups) -> Vec<Bar> {
    let mut found: HashMap<Option<String>, (f64, u64)> = HashMap::new();
    for (key, value, rows) in entries(selected) {
        found.insert(key, (value, rows));
    }
    let mut bars: Vec<Bar> = entries(all)
        .map(|(key, value, rows)| {
            let (selected, selected_rows) = found.remove(&key).unwrap_or((0.0, 0));
            Bar { key, selected, all: value, rows: selected_rows, all_rows: rows }
        })
        .collect();
    bars.sort_by(|a, b| {
        a.key.is_none().cmp(&b.key.is_none()).then(b.all.total_cmp(&a.all)).then(a.key.cmp(&b.key))
    });
    bars
}

fn entries(groups: &Groups) -> impl Iterator<Item = (Option<String>, f64, u64)> {
    let key = match groups.keys.first() {
        Some(GroupKey::Values(values)) => Some(values.clone()),
        _ => None,
    };
    let values: Vec<f64> = match groups.measures.first() {
        Some(measure) => arrow::compute::cast(measure, &arrow::datatypes::DataType::Float64)
            .map(|array| {
                use arrow::array::{Array, AsArray};
                let array = array.as_primitive::<arrow::datatypes::Float64Type>();
                (0..array.len()).map(|i| if array.is_valid(i) { array.value(i) } else { 0.0 }).collect()
            })
            .unwrap_or_default(),
        None => groups.counts.iter().map(|&count| count as f64).collect(),
    };
    let counts = groups.counts.clone();
    (0..counts.len()).map(move |i| {
        let text = key.as_ref().and_then(|key| format_value(key, i));
        (text, values.get(i).copied().unwrap_or(0.0), counts[i])
    })
}

fn paint(
    ui: &mut Ui,
    body: Rect,
    view: &ViewSpec,
    bars: &[Bar],
    stale: bool,
    state: &mut ViewState,
    cx: &mut ViewContext<'_>,
) {
    let theme = cx.theme;
    let unit = theme.size.unit;
    let area = Rect::from_min_max(
        pos2(body.left() + unit, body.top() + unit),
        pos2(body.right() - 4.0, body.bottom() - 20.0),
    );
    state.plot = Some(area);
    let greatest = bars.iter().map(|bar| bar.all.max(bar.selected)).fold(0.0, f64::max);
    if !cx.brushing || state.values.is_none() {
        state.values = Some((0.0, greatest));
    }
    let (_, greatest) = state.values.unwrap_or((0.0, greatest));
    let values = ValueAxis::of(0.0, greatest, view.log_count, 4);
    let opacity = strength(ui, state, stale);
    let full = if state.is_filtered { theme.accent } else { theme.all };
    let chosen = own_values(view, cx);
    let painter = ui.painter_at(body);
    let label_width = labels_width(&painter, bars, cx).min(area.width() * 0.4);
    let count_width = 64.0;
    let line = theme.size.bar;

    let name = view.title();
    let background = ui.interact(area, ui.scope_id().with("plot"), Sense::click());
    background.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Canvas, true, &name));
    if brushing::wants_clear(ui, &background, view, cx) {
        brushing::clear(view, cx);
    }
    let mut visible_until = 0;
    ui.scope_builder(UiBuilder::new().max_rect(area), |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        let scroll = ScrollArea::vertical().id_salt("bars").auto_shrink(false);
        scroll.show_rows(ui, line, bars.len(), |ui, range| {
            visible_until = range.end;
            for bar in &bars[range] {
                let width = ui.available_width();
                let (rect, response) = ui.allocate_exact_size(vec2(width, line), Sense::click());
                one(
                    ui,
                    rect,
                    bar,
                    &response,
                    (label_width, count_width),
                    &values,
                    (opacity, full),
                    &chosen,
                    cx,
                );
                let menu_bar = || menu_bar(view, bar, &chosen);
                bin_menu::show(&response, view, &mut state.menu, menu_bar, cx);
                if response.clicked() {
                    let add = ui.input(|input| input.modifiers.shift);
                    choose(view, bar, &chosen, add, cx);
                    cx.wishes.push(Wish::Focus(view.id));
                }
            }
        });
    });
    let more = bars.len().saturating_sub(visible_until);
    let title = view.x.as_ref().map(|axis| axes::bare(&axis.expr)).unwrap_or_default();
    let title = match more {
        0 if bars.len() == 1 => format!("{title} · 1 value"),
        0 => format!("{title} · {} values", group_digits(bars.len() as u64)),
        more => format!("{title} · {} more below", group_digits(more as u64)),
    };
    let at = pos2(area.center().x, body.bottom() - 4.0);
    axis::title(&painter, theme, at, Align2::CENTER_BOTTOM, &title, area.width());
}

/// Width of the longest label among the first.
fn labels_width(painter: &egui::Painter, bars: &[Bar], cx: &ViewContext<'_>) -> f32 {
    let width =
        |bar: &Bar| axis::one_line(painter, &label(bar), cx.theme.small(), cx.theme.text, 240.0).size().x;
    bars.iter().take(40).map(width).fold(24.0, f32::max) + 8.0
}

fn label(bar: &Bar) -> String {
    match &bar.key {
        Some(key) if key.is_empty() => "(empty)".to_owned(),
        Some(key) => shorten(key),
        None => "missing".to_owned(),
    }
}

#[expect(clippy::too_many_arguments, reason = "one call, from the function above")]
fn one(
    ui: &Ui,
    rect: Rect,
    bar: &Bar,
    response: &egui::Response,
    (label_width, count_width): (f32, f32),
    values: &ValueAxis,
    (opacity, full): (f32, egui::Color32),
    chosen: &Option<Chosen>,
    cx: &mut ViewContext<'_>,
) {
    let theme = cx.theme;
    let is_chosen = chosen.as_ref().is_none_or(|chosen| chosen.contains(bar) != chosen.inverted);
    let mut painter = ui.painter_at(rect);
    let label = label(bar);
    let name = format!("{label}, {}", readout::rows(bar.rows));
    response.widget_info(|| {
        WidgetInfo::selected(egui::accesskit::Role::ListBoxOption, true, chosen.is_some() && is_chosen, &name)
    });
    if response.hovered() || response.has_focus() {
        painter.rect_filled(rect, 2, theme.hover);
        let share = readout::share(bar.rows, bar.all_rows);
        *cx.hint = format!(
            "{label}: {} of {} ({share}) · click: filter · Shift: add",
            group_digits(bar.rows),
            readout::rows(bar.all_rows)
        );
    }
    let color = if bar.key.is_none() { theme.faint } else { theme.text };
    let galley = axis::one_line(&painter, &label, theme.small(), color, label_width - 6.0);
    let at = Align2::RIGHT_CENTER
        .anchor_size(pos2(rect.left() + label_width - 6.0, rect.center().y), galley.size());
    painter.galley(at.min, galley, color);
    painter.multiply_opacity(opacity);
    let track = Rect::from_min_max(
        pos2(rect.left() + label_width, rect.top() + 2.0),
        pos2(rect.right() - count_width, rect.bottom() - 2.0),
    );
    let length = |value: f64| {
        let length = track.width() * values.position(value);
        Rect::from_min_size(track.min, vec2(if value > 0.0 { length.max(1.0) } else { 0.0 }, track.height()))
    };
    painter.rect_filled(length(bar.all), CornerRadius::ZERO, theme.ghost);
    let accent = match (&bar.key, is_chosen) {
        (None, true) => theme.missing,
        (_, true) => full,
        (_, false) => theme.accent_pale,
    };
    painter.rect_filled(length(bar.selected), CornerRadius::ZERO, accent);
    let at = pos2(rect.right() - 8.0, rect.center().y);
    let text = crate::data::si(bar.selected);
    painter.text(at, Align2::RIGHT_CENTER, text, theme.small(), theme.weak);
}

/// The values the view's own filter lets pass.
pub(super) struct Chosen {
    values: Vec<String>,
    missing: bool,
    /// Whether the others pass.
    pub(super) inverted: bool,
}

impl Chosen {
    /// Whether it names the value of a bar.
    pub(super) fn contains(&self, bar: &Bar) -> bool {
        match &bar.key {
            Some(key) => self.values.contains(key),
            None => self.missing,
        }
    }
}

/// The values the view's own filter names, if it counts.
pub(super) fn own_values(view: &ViewSpec, cx: &ViewContext<'_>) -> Option<Chosen> {
    let (_, spec) = cx.session.filter_of(view)?;
    match &spec.predicate {
        PredicateSpec::Categories { values, missing, .. } if spec.enabled => {
            Some(Chosen { values: values.clone(), missing: *missing, inverted: spec.inverted })
        }
        _ => None,
    }
}

/// What the menu of a bar is about.
fn menu_bar(view: &ViewSpec, bar: &Bar, chosen: &Option<Chosen>) -> Option<bin_menu::Bar> {
    let expr = view.x.as_ref()?.expr.clone();
    let filter = |values: Vec<String>, missing: bool, inverted: bool| {
        let predicate = PredicateSpec::Categories { expr: expr.clone(), values, missing };
        FilterSpec { predicate, inverted, enabled: true }
    };
    let own = || (bar.key.iter().cloned().collect::<Vec<_>>(), bar.key.is_none());
    let exclude = match chosen {
        // Of listed values one less passes, of all but the listed one more does not.
        Some(Chosen { values, missing, inverted: false }) => {
            let left = values.iter().filter(|value| Some(*value) != bar.key.as_ref()).cloned().collect();
            filter(left, *missing && bar.key.is_some(), false)
        }
        Some(Chosen { values, missing, inverted: true }) => {
            let (more, is_missing) = own();
            let new = more.into_iter().filter(|value| !values.contains(value));
            filter(values.iter().cloned().chain(new).collect(), *missing || is_missing, true)
        }
        None => filter(own().0, own().1, true),
    };
    let mut copied = format!("{}\t{}", bar.key.as_deref().unwrap_or_default(), bar.rows);
    if view.measure != "count" {
        copied = format!("{copied}\t{}", bar.selected);
    }
    let keep = filter(own().0, own().1, false);
    Some(bin_menu::Bar { name: label(bar), copied, keep, exclude, has_bounds: false })
}

/// Filters to a bar's value; with `add` puts it in or takes it out. Choosing the only one again clears.
pub(super) fn choose(
    view: &ViewSpec,
    bar: &Bar,
    chosen: &Option<Chosen>,
    add: bool,
    cx: &mut ViewContext<'_>,
) {
    let Some(axis) = &view.x else { return };
    let (mut values, mut missing) = match chosen {
        Some(chosen) if add => (chosen.values.clone(), chosen.missing),
        _ => (Vec::new(), false),
    };
    let alone = chosen
        .as_ref()
        .is_some_and(|chosen| chosen.contains(bar) && chosen.values.len() + usize::from(chosen.missing) == 1);
    match &bar.key {
        _ if alone => {}
        Some(key) if values.contains(key) => values.retain(|value| value != key),
        Some(key) => values.push(key.clone()),
        None => missing = !missing,
    }
    if alone || (values.is_empty() && !missing) {
        brushing::clear(view, cx);
        return;
    }
    let inverted = cx.session.filter_of(view).is_some_and(|(_, spec)| spec.inverted);
    let predicate = PredicateSpec::Categories { expr: axis.expr.clone(), values, missing };
    let filter = FilterSpec { predicate, inverted, enabled: true };
    cx.commands.push(Command::SetFilter(filter, Gesture::Begin));
}
