//! Bars over one binned axis: all rows as a ghost, the selected before it, a brush over both.

use std::sync::Arc;

use egui::{
    Align2, Color32, CornerRadius, Mesh, Painter, PointerButton, Rect, Sense, Shape, Ui, WidgetInfo, pos2,
};

use super::axes::{self, Resolved};
use super::brushing::{self, Held};
use super::frame::{Outcome, strength};
use super::paint::axis::{self, AxisMap};
use super::paint::brush::{self, Drag, Interval, Part};
use super::paint::readout;
use super::paint::ticks::{Ticks, ValueAxis, horizontal_target, vertical_target};
use super::state::Shown;
use super::zoom::{self, Which};
use super::{Theme, ViewContext, ViewState, slot};
use crate::aggregate::Grid;
use crate::data::group_digits;
use crate::engine::Freshness;
use crate::query::Answer;
use crate::select::Selection;
use crate::session::{PredicateSpec, ViewSpec, questions};

/// Room left of the picture for the labels of the value axis.
const LEFT: f32 = 48.0;
/// Room right of the picture.
const RIGHT: f32 = 16.0;
/// Width of an end cap and the gap before it.
const CAP: f32 = 7.0;
const CAP_GAP: f32 = 5.0;

/// Asks and paints a histogram.
pub fn show(
    ui: &mut Ui,
    body: Rect,
    view: &ViewSpec,
    state: &mut ViewState,
    cx: &mut ViewContext<'_>,
) -> Outcome {
    let resolved = match axes::resolve(view, view.x.as_ref(), 0, questions::HISTOGRAM_BINS, cx) {
        Ok(resolved) => resolved,
        Err(outcome) => return outcome,
    };
    state.axes = vec![resolved.axis.clone()];
    let Some(dataset) = cx.session.dataset().cloned() else { return Outcome::wrong("No file is open.") };
    let ask = |selection: Selection| questions::question(&dataset, view, &state.axes, selection);
    let (all, selected) = match (ask(Selection::all()), ask(cx.session.selection_for(view))) {
        (Ok(all), Ok(selected)) => (all, selected),
        (Err(message), _) | (_, Err(message)) => return Outcome::wrong(message),
    };
    let ghost = cx.answers.answer(slot(view.id, 2), &all);
    let reply = cx.answers.answer(slot(view.id, 3), &selected);
    if let Freshness::Failed(error) = &reply.freshness {
        return Outcome::unanswered(error);
    }
    let stale = reply.freshness != Freshness::Final;
    // An answer over other bins belongs to another axis; over the old one it is only late.
    let fits = |answer: &Arc<Answer>| answer.grid().is_some_and(|grid| grid.axes.len() == 1);
    let Some(answer) = reply.answer.filter(fits) else {
        let progress = match reply.freshness {
            Freshness::Stale(progress) => progress,
            _ => Default::default(),
        };
        return Outcome::Waiting(progress);
    };
    let all = ghost.answer.filter(fits);
    if !stale {
        state.is_filtered = !cx.session.selection().is_all();
        state.shown = Some(Shown { selected: answer.clone(), all: all.clone() });
    }
    let Some(grid) = answer.grid() else { return Outcome::Waiting(Default::default()) };
    let ghost = all.as_ref().and_then(|answer| answer.grid()).filter(|ghost| ghost.axes == grid.axes);
    paint(ui, body, view, grid, ghost, &resolved, stale, state, cx);
    Outcome::Painted
}

#[expect(clippy::too_many_arguments, reason = "one call, from the function above")]
fn paint(
    ui: &mut Ui,
    body: Rect,
    view: &ViewSpec,
    grid: &Grid,
    ghost: Option<&Grid>,
    resolved: &Resolved,
    stale: bool,
    state: &mut ViewState,
    cx: &mut ViewContext<'_>,
) {
    let theme = cx.theme;
    let caps = Caps::of(grid, ghost);
    let plot = axes::plot_rect(body, LEFT + caps.left(), RIGHT + caps.right());
    if plot.width() < 24.0 || plot.height() < 16.0 {
        return;
    }
    state.plot = Some(plot);
    let map = AxisMap::horizontal(grid.axes[0].clone(), plot);
    let values = grid.measure(0);
    let ghosts = ghost.map(|grid| grid.measure(0));
    let is_count = view.measure == "count";
    let range = value_range(&values, ghosts.as_deref(), map.bins.count());
    if !cx.brushing || state.values.is_none() {
        state.values = Some(range);
    }
    let (least, greatest) = state.values.unwrap_or(range);
    let target = vertical_target(plot.height());
    let value_axis = ValueAxis::of(least, greatest, view.log_count && is_count, target);
    let y = |value: f64| plot.bottom() - plot.height() * value_axis.position(value);

    let painter = ui.painter_at(body);
    let marks: Vec<(f32, String)> = value_axis
        .marks(target)
        .into_iter()
        .map(|(position, label)| (plot.bottom() - plot.height() * position, label))
        .collect();
    axis::beside(&painter, theme, plot, &marks, true);
    let mut faded = painter.clone();
    faded.multiply_opacity(strength(ui, state, stale));

    let own = own_brush(view, cx);
    let is_on = own.is_some_and(|(_, enabled)| enabled);
    let inside = |bin: usize| match own {
        Some((interval, true)) => {
            let centre = map.bins.centre(bin);
            (centre >= interval.0 && centre < interval.1) != is_inverted(view, cx)
        }
        _ => true,
    };
    if let Some(ghosts) = &ghosts {
        bars(&faded, &map, plot, |bin| y(ghosts[bin]), y(0.0), |_| theme.ghost);
    }
    let full = if state.is_filtered { theme.accent } else { theme.all };
    let color = |bin: usize| if inside(bin) { full } else { theme.accent_pale };
    bars(&faded, &map, plot, |bin| y(values[bin]), y(0.0), color);
    caps.paint(&faded, theme, plot, &value_axis, full, is_on);

    let ticks = Ticks::of(&map.bins, resolved.unit, horizontal_target(plot.width()));
    axis::below(&painter, theme, plot, &map, &ticks);
    let title = match &ticks.context {
        Some(context) => format!("{} · {context}", resolved.title),
        None => resolved.title.clone(),
    };
    let at = pos2(plot.center().x, body.bottom() - 4.0);
    axis::title(&painter, theme, at, Align2::CENTER_BOTTOM, &title, plot.width());
    if let Some((interval, enabled)) = own {
        brush::paint_interval(&painter, theme, plot, map.span(interval.0, interval.1), enabled);
    }
    hand(ui, body, plot, view, grid, ghost, resolved, &map, &caps, state, cx);
}

/// Pointer and keys over the picture.
#[expect(clippy::too_many_arguments, reason = "one call, from the function above")]
fn hand(
    ui: &mut Ui,
    body: Rect,
    plot: Rect,
    view: &ViewSpec,
    grid: &Grid,
    ghost: Option<&Grid>,
    resolved: &Resolved,
    map: &AxisMap,
    caps: &Caps,
    state: &mut ViewState,
    cx: &mut ViewContext<'_>,
) {
    let theme = cx.theme;
    let column = view.x.as_ref().map(|axis| axes::bare(&axis.expr)).unwrap_or_default();
    let strip = Rect::from_min_max(pos2(plot.left(), plot.bottom() + 1.0), pos2(plot.right(), body.bottom()));
    zoom::strip(ui, strip, view, (Which::X, map), state, cx);

    let response = ui.interact(plot, ui.scope_id().with("plot"), Sense::click_and_drag());
    let title = view.title();
    response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Canvas, true, &title));
    zoom::by_wheel_and_hand(ui, &response, view, &[(Which::X, map)], state, cx);

    let own = own_brush(view, cx).map(|(interval, _)| interval);
    let mut moved = None;
    let mut edge_ids = [None; 2];
    if let Some(interval) = own {
        for (i, part) in [Part::Lower, Part::Upper].into_iter().enumerate() {
            let value = if part == Part::Lower { interval.0 } else { interval.1 };
            let x = map.place(value);
            let rect = Rect::from_x_y_ranges(x - theme.size.grab..=x + theme.size.grab, plot.y_range());
            let text = readout::value(value, resolved.unit);
            let (id, nudged) =
                brushing::edge(ui, rect, map, interval, part, &format!("brush {column}"), &text);
            edge_ids[i] = Some(id);
            if ui.memory(|memory| memory.has_focus(id)) {
                ui.painter_at(body).rect_stroke(
                    rect.shrink2(egui::vec2(2.0, 1.0)),
                    2,
                    egui::Stroke::new(1.0, theme.accent),
                    egui::StrokeKind::Inside,
                );
            }
            moved = moved.or(nudged);
        }
    }
    let part = |at: f32| brush::part_at(map, own, at, theme.size.grab);
    if response.drag_started_by(PointerButton::Primary)
        && let Some(origin) = ui.input(|input| input.pointer.press_origin())
    {
        let part = part(origin.x);
        state.brushing.begin(Held { x: Drag::begin(part, origin.x, own), y: None });
        let id = match part {
            Part::Lower => edge_ids[0],
            Part::Upper => edge_ids[1],
            _ => None,
        };
        id.into_iter().for_each(|id| ui.memory_mut(|memory| memory.request_focus(id)));
    }
    if let (Some(held), Some(pointer)) = (state.brushing.held(), brushing::hand(ui, &response)) {
        let snap = !ui.input(|input| input.modifiers.ctrl);
        moved = Some(held.x.interval(map, pointer.x, snap));
        ui.ctx().request_repaint();
    }
    if let Some((lo, hi)) = moved
        && let Some(axis) = &view.x
    {
        let predicate = PredicateSpec::Interval { expr: axis.expr.clone(), lo, hi };
        state.brushing.set(view, predicate, cx);
    }
    let let_go = response.drag_stopped() || !ui.input(|input| input.pointer.any_down());
    if state.brushing.is_active() && let_go {
        state.brushing.end();
    }
    if brushing::wants_clear(ui, &response, view, cx) {
        state.brushing.end();
        brushing::clear(view, cx);
    }
    if let Some(pointer) = response.hover_pos() {
        ui.ctx().set_cursor_icon(brush::cursor(part(pointer.x)));
        *cx.hint =
            "drag: brush · edges: resize · Esc or double click: clear · wheel: zoom · Ctrl: no snapping"
                .to_owned();
    }
    let over = ui
        .input(|input| input.pointer.hover_pos())
        .filter(|at| ui.rect_contains_pointer(body) && body.contains(*at));
    let text = match (moved, over) {
        (Some((lo, hi)), _) if state.brushing.is_active() => {
            Some(format!("{column}  {}", readout::interval(lo, hi, resolved.unit)))
        }
        (_, Some(at)) => caps
            .under(at, plot)
            .map(|cap| cap.text(grid, ghost))
            .or_else(|| bin_text(at, plot, view, grid, ghost, resolved, map)),
        _ => None,
    };
    if let Some(text) = text {
        note(&ui.painter_at(body), cx, plot, &text);
    }
}

/// A read-out in the upper right corner of a picture.
pub(super) fn note(painter: &Painter, cx: &ViewContext<'_>, plot: Rect, text: &str) {
    note_at(painter, cx, plot, plot.right_top() + egui::vec2(-2.0, -4.0), text);
}

/// A read-out whose upper right corner is `corner`.
pub(super) fn note_at(painter: &Painter, cx: &ViewContext<'_>, plot: Rect, corner: egui::Pos2, text: &str) {
    let theme = cx.theme;
    let galley = axis::one_line(painter, text, theme.small(), theme.text, plot.width() - 8.0);
    let rect = Align2::RIGHT_TOP.anchor_size(corner, galley.size());
    painter.rect_filled(rect.expand2(egui::vec2(6.0, 3.0)), 3, theme.canvas.gamma_multiply(0.88));
    painter.galley(rect.min, galley, theme.text);
}

fn bin_text(
    at: egui::Pos2,
    plot: Rect,
    view: &ViewSpec,
    grid: &Grid,
    ghost: Option<&Grid>,
    resolved: &Resolved,
    map: &AxisMap,
) -> Option<String> {
    if !plot.contains(at) {
        return None;
    }
    let bin = map.bin_at(at.x)?;
    let edges = map.bins.edges();
    let range = readout::interval(edges[bin], edges[bin + 1], resolved.unit);
    let count = grid.counts[bin];
    let counted = match ghost {
        Some(ghost) if ghost.counts[bin] != count => {
            format!("{} of {} rows", group_digits(count), group_digits(ghost.counts[bin]))
        }
        _ => format!("{} rows", group_digits(count)),
    };
    let share = readout::share(count, grid.total());
    let value = grid.measure(0)[bin];
    Some(if view.measure == "count" {
        format!("{range}   {counted} ({share})")
    } else if value.is_nan() {
        format!("{range}   {} missing   {counted}", view.measure)
    } else {
        let value = readout::brief(value, super::paint::ticks::Unit::Number);
        format!("{range}   {} {value}   {counted}", view.measure)
    })
}

/// The view's own interval, and whether it counts.
fn own_brush(view: &ViewSpec, cx: &ViewContext<'_>) -> Option<(Interval, bool)> {
    let (_, spec) = cx.session.filter_of(view)?;
    match &spec.predicate {
        PredicateSpec::Interval { lo, hi, .. } => Some(((*lo, *hi), spec.enabled)),
        _ => None,
    }
}

fn is_inverted(view: &ViewSpec, cx: &ViewContext<'_>) -> bool {
    cx.session.filter_of(view).is_some_and(|(_, spec)| spec.inverted)
}

/// Least and greatest finite value of the bins, ghosts included.
fn value_range(values: &[f64], ghosts: Option<&[f64]>, bins: usize) -> (f64, f64) {
    let all = values[..bins].iter().chain(ghosts.map(|ghosts| &ghosts[..bins]).unwrap_or_default());
    let finite = all.copied().filter(|value| value.is_finite());
    finite.fold((0.0, 0.0), |(least, greatest), value| (value.min(least), value.max(greatest)))
}

/// Paints one bar per bin as a single mesh. Bars wide enough are set apart by a gap.
fn bars(
    painter: &Painter,
    map: &AxisMap,
    plot: Rect,
    top: impl Fn(usize) -> f32,
    base: f32,
    color: impl Fn(usize) -> Color32,
) {
    let mut mesh = Mesh::default();
    let gap = if plot.width() / map.bins.count() as f32 >= 5.0 { 1.0 } else { 0.0 };
    for bin in 0..map.bins.count() {
        let (left, right) = (map.edge(bin).round(), map.edge(bin + 1).round());
        let edge = top(bin);
        if (edge - base).abs() < 0.01 || right < plot.left() || left > plot.right() {
            continue;
        }
        // A bar that is there must be seen, however small.
        let edge = if base - edge > 0.0 && base - edge < 1.0 { base - 1.0 } else { edge };
        let rect = Rect::from_min_max(
            pos2(left, edge.min(base)),
            pos2((right - gap).max(left + 1.0), edge.max(base)),
        );
        mesh.add_colored_rect(rect, color(bin));
    }
    painter.add(Shape::mesh(mesh));
}

/// What lies on no bin, as small bars beside the picture.
struct Caps {
    under: Option<Cap>,
    over: Option<Cap>,
    missing: Option<Cap>,
}

#[derive(Clone, Copy)]
struct Cap {
    slot: usize,
    what: &'static str,
    selected: f64,
    all: f64,
}

impl Caps {
    fn of(grid: &Grid, ghost: Option<&Grid>) -> Caps {
        let bins = &grid.axes[0];
        let cap = |slot: usize, what| {
            let selected = grid.counts[slot];
            let all = ghost.map_or(selected, |ghost| ghost.counts[slot]);
            (all.max(selected) > 0).then_some(Cap { slot, what, selected: selected as f64, all: all as f64 })
        };
        Caps {
            under: cap(bins.under(), "below the axis"),
            over: cap(bins.over(), "above the axis"),
            missing: cap(bins.missing(), "missing"),
        }
    }

    /// Room needed left of the picture.
    fn left(&self) -> f32 {
        if self.under.is_some() { CAP + CAP_GAP } else { 0.0 }
    }

    /// Room needed right of it.
    fn right(&self) -> f32 {
        (CAP + CAP_GAP) * [self.over, self.missing].into_iter().flatten().count() as f32
    }

    fn places(&self, plot: Rect) -> Vec<(Cap, Rect)> {
        let column = |left: f32| Rect::from_min_max(pos2(left, plot.top()), pos2(left + CAP, plot.bottom()));
        let mut places = Vec::new();
        if let Some(cap) = self.under {
            places.push((cap, column(plot.left() - CAP_GAP - CAP)));
        }
        let mut right = plot.right() + CAP_GAP;
        for cap in [self.over, self.missing].into_iter().flatten() {
            places.push((cap, column(right)));
            right += CAP + CAP_GAP;
        }
        places
    }

    fn paint(
        &self,
        painter: &Painter,
        theme: &Theme,
        plot: Rect,
        values: &ValueAxis,
        full: Color32,
        brushed: bool,
    ) {
        for (cap, column) in self.places(plot) {
            let bar = |value: f64| {
                let height =
                    (plot.height() * values.position(value)).max(if value > 0.0 { 2.0 } else { 0.0 });
                Rect::from_min_max(pos2(column.left(), column.bottom() - height), column.max)
            };
            let color = if cap.what == "missing" { theme.missing } else { full };
            let color = if brushed && cap.what != "missing" { theme.accent_pale } else { color };
            painter.rect_filled(bar(cap.all), CornerRadius::ZERO, theme.ghost);
            painter.rect_filled(bar(cap.selected), CornerRadius::ZERO, color);
            if values.is_exceeded_by(cap.all) {
                // A broken bar: more than the axis shows.
                let y = column.top() + 14.0;
                let cut = [pos2(column.left() - 2.0, y + 3.0), pos2(column.right() + 2.0, y - 3.0)];
                painter.line_segment(cut, egui::Stroke::new(3.0, theme.canvas));
            }
            let label = match cap.what {
                "missing" => "?",
                "below the axis" => "<",
                _ => ">",
            };
            let at = pos2(column.center().x, plot.bottom() + 5.0);
            painter.text(at, Align2::CENTER_TOP, label, theme.small(), theme.faint);
        }
    }

    fn under(&self, at: egui::Pos2, plot: Rect) -> Option<Cap> {
        let places = self.places(plot);
        let near = |rect: &Rect| rect.expand2(egui::vec2(2.0, 16.0)).contains(at);
        places.into_iter().find(|(_, rect)| near(rect)).map(|(cap, _)| cap)
    }
}

impl Cap {
    fn text(&self, grid: &Grid, ghost: Option<&Grid>) -> String {
        let count = grid.counts[self.slot];
        let all = ghost.map_or(count, |ghost| ghost.counts[self.slot]);
        if all == count {
            format!("{}   {} rows", self.what, group_digits(count))
        } else {
            format!("{}   {} of {} rows", self.what, group_digits(count), group_digits(all))
        }
    }
}
