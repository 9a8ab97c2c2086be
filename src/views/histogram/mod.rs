//! Bars over one binned axis: all rows as a ghost, the selected before it, a brush over both.

mod caps;
mod hand;

use egui::{Align2, Color32, Mesh, Painter, Rect, Shape, Ui, pos2};

use super::ask::{Asked, ask};
use super::axes::{self, Resolved};
use super::brushing::Own;
use super::estimate;
use super::frame::{Blank, strength};
use super::paint::axis::{self, AxisMap};
use super::paint::brush;
use super::paint::ticks::{Ticks, ValueAxis, horizontal_target, vertical_target};
use super::{ViewContext, ViewState};
use crate::aggregate::Grid;
use crate::query::Estimate;
use crate::session::{ViewSpec, questions};

use caps::Caps;

/// Room left of the picture for the labels of the value axis.
const LEFT: f32 = 48.0;
/// Room right of the picture.
const RIGHT: f32 = 16.0;

/// A histogram as painted.
struct Picture<'a> {
    body: Rect,
    plot: Rect,
    view: &'a ViewSpec,
    grid: &'a Grid,
    ghost: Option<&'a Grid>,
    /// What `grid` is known to, if it comes from a sample.
    estimate: Option<&'a Estimate>,
    resolved: &'a Resolved,
    map: &'a AxisMap,
    caps: &'a Caps,
    /// Where each bar ends.
    tops: &'a [f32],
}

/// Asks and paints a histogram.
pub fn show(
    ui: &mut Ui,
    body: Rect,
    view: &ViewSpec,
    state: &mut ViewState,
    cx: &mut ViewContext<'_>,
) -> Result<(), Blank> {
    let resolved = axes::resolve(view, view.x.as_ref(), 0, questions::HISTOGRAM_BINS, &mut state.known, cx)?;
    state.axes = vec![resolved.axis.clone()];
    state.is_middle = [resolved.is_middle, false];
    let Asked { selected, all, stale, estimate } = ask(view, state, cx)?;
    let Some(grid) = selected.grid() else { return Err(Blank::Waiting(Default::default())) };
    let ghost = all.as_ref().and_then(|answer| answer.grid());
    paint(ui, body, view, (grid, ghost, estimate.as_deref()), &resolved, stale, state, cx);
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "one call, from the function above")]
fn paint(
    ui: &mut Ui,
    body: Rect,
    view: &ViewSpec,
    (grid, ghost, estimate): (&Grid, Option<&Grid>, Option<&Estimate>),
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
    // Below the axis lies the left end's bar, which the labels stand beside.
    let with_ends = Rect::from_min_max(plot.min - egui::vec2(caps.left(), 0.0), plot.max);
    axis::beside(&painter, theme, with_ends, &marks, true);
    let mut faded = painter.clone();
    faded.multiply_opacity(strength(ui, state, stale));

    let own = Own::of(view, cx);
    let chosen = own.as_ref().filter(|own| own.enabled);
    let inside = |bin: usize| chosen.is_none_or(|own| own.passes(map.bins.centre(bin)));
    if let Some(ghosts) = &ghosts {
        bars(&faded, &map, plot, |bin| y(ghosts[bin]), y(0.0), |_| theme.ghost);
    }
    let full = if state.is_filtered { theme.accent } else { theme.all };
    let color = |bin: usize| if inside(bin) { full } else { theme.accent_pale };
    bars(&faded, &map, plot, |bin| y(values[bin]), y(0.0), color);
    if let Some(estimate) = estimate {
        let bounds = |bin: usize| estimate::bounds(estimate, bin, is_count, values[bin]);
        estimate::whiskers(&faded, theme, &map, bounds, y);
    }
    caps.paint(&faded, theme, plot, &value_axis, full, chosen);

    let ticks = Ticks::of(&map.bins, resolved.unit, horizontal_target(plot.width()));
    // The signs below the caps stand close beside the axis.
    let room = [
        if caps.left() > 0.0 { 4.0 } else { axis::FREE[0] },
        if caps.right() > 0.0 { 2.0 } else { axis::FREE[1] },
    ];
    axis::below(&painter, theme, plot, &map, &ticks, room);
    let title = match &ticks.context {
        Some(context) => format!("{} · {context}", resolved.title),
        None => resolved.title.clone(),
    };
    let at = pos2(plot.center().x, body.bottom() - 4.0);
    axis::title(&painter, theme, at, Align2::CENTER_BOTTOM, &title, plot.width());
    for &interval in own.iter().flat_map(|own| &own.brushed.intervals) {
        let enabled = own.as_ref().is_some_and(|own| own.enabled);
        brush::paint_interval(&painter, theme, plot, map.stretch(interval), enabled);
    }
    let tops: Vec<f32> = (0..map.bins.count())
        .map(|bin| y(ghosts.as_ref().map_or(values[bin], |ghosts| ghosts[bin].max(values[bin]))))
        .collect();
    let picture =
        Picture { body, plot, view, grid, ghost, estimate, resolved, map: &map, caps: &caps, tops: &tops };
    hand::take(ui, &picture, own, state, cx);
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
