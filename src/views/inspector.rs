//! The settings of a view: its axes, what it measures, its colours.

use egui::{DragValue, RichText, Ui, vec2};

use super::paint::readout;
use super::paint::ticks::Unit;
use super::{Theme, ViewContext, ViewState, axes, groups, header, text_field};
use crate::aggregate::{Bins, Scale};
use crate::export::{ColorMap, ColorScale};
use crate::session::{AxisSpec, Command, Fit, Gesture, ViewKind, ViewSpec};

/// What is being typed: the two ends of each axis and of the colours, while a field has the keys.
#[derive(Default)]
pub(super) struct Typed {
    /// Which field, and its text.
    field: Option<(String, String)>,
}

/// Shows the settings of `view` and asks for the changes made.
pub fn show(ui: &mut Ui, view: &ViewSpec, state: &mut ViewState, cx: &mut ViewContext<'_>) {
    let theme = cx.theme;
    let mut changed = view.clone();
    let title = view.title();
    let label = ui.add(egui::Label::new(RichText::new(&title).font(theme.strong())).truncate());
    label.accessible_name(format!("settings of {title}"));
    let bins: Vec<Bins> = state.axes.iter().map(|axis| axis.bins.clone()).collect();
    let is_middle = state.is_middle;
    if matches!(view.kind, ViewKind::Histogram | ViewKind::Heatmap) {
        let axes = [(&mut changed.x, "Horizontal"), (&mut changed.y, "Vertical")];
        let count = if view.kind == ViewKind::Heatmap { 2 } else { 1 };
        for (i, (axis, name)) in axes.into_iter().take(count).enumerate() {
            let Some(axis) = axis else { continue };
            heading(ui, theme, &format!("{name}: {}", axes::bare(&axis.expr)));
            axis_settings(ui, axis, bins.get(i), is_middle[i], &mut state.settings, cx);
        }
    }
    if view.kind == ViewKind::Groups {
        groups::settings(ui, &mut changed, state, cx);
    } else if view.kind != ViewKind::Rows {
        heading(ui, theme, "Measure");
        header::measure_button(ui, &mut changed, state, cx);
    }
    if matches!(view.kind, ViewKind::Histogram | ViewKind::Bars) {
        ui.checkbox(&mut changed.log_count, "logarithmic counts");
    }
    if view.kind == ViewKind::Heatmap {
        color_settings(ui, &mut changed, state, cx);
    }
    if changed != *view {
        cx.commands.push(Command::ChangeView(changed, Gesture::Begin));
    }
}

fn heading(ui: &mut Ui, theme: &Theme, text: &str) {
    ui.add_space(theme.size.unit);
    ui.add(egui::Label::new(RichText::new(text).font(theme.small()).color(theme.weak)).truncate());
}

/// A row of choices, one of which is on.
fn choices<T: PartialEq + Copy>(
    ui: &mut Ui,
    of: &str,
    current: Option<T>,
    all: &[(&str, T)],
    mut choose: impl FnMut(T),
) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(2.0, 2.0);
        for &(text, value) in all {
            let label = ui.selectable_label(current == Some(value), text);
            if label.accessible_name(format!("{text} {of}")).clicked() {
                choose(value);
            }
        }
    });
}

fn axis_settings(
    ui: &mut Ui,
    axis: &mut AxisSpec,
    bins: Option<&Bins>,
    is_middle: bool,
    typed: &mut Typed,
    cx: &ViewContext<'_>,
) {
    let name = axes::bare(&axis.expr);
    let unit = cx.session.expr(&axis.expr).map_or(Unit::Number, |expr| Unit::of(expr.data_type()));
    let ranges = [("automatic", Fit::Telling), ("full", Fit::Full), ("middle 99\u{2009}%", Fit::Middle)];
    let current = axis.range.is_none().then_some(axis.fit);
    choices(ui, &format!("range of {name}"), current, &ranges, |fit| {
        (axis.fit, axis.range) = (fit, None);
    });
    if let Some(bins) = bins {
        let [lo, hi] = axis.range.unwrap_or([bins.lo(), bins.hi()]);
        if let Some(range) = ends(ui, &name, [lo, hi], unit, typed, cx.theme) {
            axis.range = Some(range);
        }
    }
    if is_middle && axis.range.is_none() {
        let text = "Half a per cent of the rows lies beyond either end.";
        ui.add(egui::Label::new(RichText::new(text).font(cx.theme.small()).color(cx.theme.faint)).wrap());
    }
    let lock = ui.checkbox(&mut axis.locked, "locked");
    lock.on_hover_text("Wheel and hand leave the range alone.")
        .accessible_name(format!("lock range of {name}"));
    if axis.locked && axis.range.is_none() {
        axis.range = bins.map(|bins| [bins.lo(), bins.hi()]);
    }
    let scales = [("linear", Scale::Linear), ("logarithmic", Scale::Log)];
    choices(ui, &name, Some(axis.scale()), &scales, |scale| {
        let log = scale == Scale::Log;
        if log != axis.log {
            (axis.log, axis.range, axis.locked) = (log, None, false);
        }
    });
    let Some(bins) = bins else { return };
    ui.horizontal(|ui| {
        let mut count = bins.count();
        let drag = ui.add(DragValue::new(&mut count).range(2..=2000).speed(0.5).suffix(" bins"));
        if drag.accessible_name(format!("number of bins of {name}")).changed() {
            (axis.bins, axis.width) = (Some(count), None);
        }
        if bins.is_uniform() && unit == Unit::Number && !axis.log {
            let mut width = axis.width.unwrap_or((bins.hi() - bins.lo()) / bins.count() as f64);
            let speed = width * 0.01;
            let drag = DragValue::new(&mut width).range(f64::MIN_POSITIVE..=f64::MAX).speed(speed);
            let drag = ui.add(drag.prefix("of "));
            if drag.accessible_name(format!("width of bins of {name}")).changed() && width.is_finite() {
                (axis.width, axis.bins) = (Some(width), None);
            }
        }
        let is_set = axis.bins.is_some() || axis.width.is_some();
        if is_set && ui.small_button("reset").accessible_name(format!("usual bins of {name}")).clicked() {
            (axis.bins, axis.width) = (None, None);
        }
    });
}

/// Two fields for the ends of a range; the range once one is entered that makes sense.
fn ends(
    ui: &mut Ui,
    name: &str,
    range: [f64; 2],
    unit: Unit,
    typed: &mut Typed,
    theme: &Theme,
) -> Option<[f64; 2]> {
    let mut entered = None;
    let mut wrong = None;
    for (i, end) in ["from", "to"].into_iter().enumerate() {
        ui.horizontal(|ui| {
            ui.add_sized([28.0, theme.size.row], egui::Label::new(RichText::new(end).color(theme.weak)));
            let field = format!("{name} {end}");
            let own = typed.field.as_ref().filter(|(of, _)| *of == field).map(|(_, text)| text.clone());
            let mut text = own.clone().unwrap_or_else(|| readout::brief(range[i], unit));
            let width = (ui.available_width() - 8.0).max(40.0);
            let response = text_field::line(ui, &mut text, &field, "", width);
            let parsed = readout::parse(&text, unit);
            if response.has_focus() {
                if own.is_some() && parsed.is_none() {
                    wrong = Some(format!("`{text}` cannot be an end of this axis"));
                }
                typed.field = Some((field, text));
            } else if response.lost_focus() && own.is_some() {
                typed.field = None;
                let mut range = range;
                // A shortened number that was not edited is no new number.
                if let Some(value) = parsed.filter(|_| text != readout::brief(range[i], unit)) {
                    range[i] = value;
                    entered = (range[0] < range[1]).then_some(range);
                }
            }
        });
    }
    if let Some(wrong) = wrong {
        text_field::message(ui, Err(&wrong));
    }
    entered
}

fn color_settings(ui: &mut Ui, view: &mut ViewSpec, state: &mut ViewState, cx: &ViewContext<'_>) {
    heading(ui, cx.theme, "Colours");
    choices(ui, "colours", Some(view.color_map), &ColorMap::ALL, |map| view.color_map = map);
    ui.checkbox(&mut view.reversed, "reversed");
    choices(ui, "colour scale", Some(view.color_scale), &ColorScale::ALL, |scale| view.color_scale = scale);
    let shown = view.color_range.or(state.values.map(|(least, greatest)| [least, greatest]));
    let Some(shown) = shown else { return };
    let mut frozen = view.color_range.is_some();
    let hint = "The colours stay put when the rows change.";
    if ui.checkbox(&mut frozen, "keep this range").on_hover_text(hint).changed() {
        view.color_range = frozen.then_some(shown);
    }
    if let Some(range) = ends(ui, "colours", shown, Unit::Number, &mut state.settings, cx.theme) {
        view.color_range = Some(range);
    }
}
