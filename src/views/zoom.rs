//! Zooming and panning an axis by wheel and hand.

use egui::{Id, PointerButton, Rect, Response, Sense, Ui, WidgetInfo};

use super::paint::axis::AxisMap;
use super::{ViewContext, ViewState};
use crate::session::{AxisSpec, Command, Gesture, ViewSpec};

/// Wheel events closer than this belong to one zoom, and so to one step of undo.
const ONE_ZOOM: f64 = 0.6;
/// How much a point of scrolling zooms.
const PACE: f64 = 0.004;

/// Which axis of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// Horizontal.
    X,
    /// Vertical.
    Y,
}

/// Zooms by wheel over `response`, pans by its middle button; `axes` are those it acts on.
pub(super) fn by_wheel_and_hand(
    ui: &Ui,
    response: &Response,
    view: &ViewSpec,
    axes: &[(Which, &AxisMap)],
    state: &mut ViewState,
    cx: &mut ViewContext<'_>,
) {
    let mut changed = view.clone();
    if let Some(pointer) = response.hover_pos() {
        let scroll = ui.input(|input| f64::from(input.smooth_scroll_delta().y));
        if scroll != 0.0 {
            let factor = (-scroll * PACE).exp();
            for (which, map) in axes {
                let at = if *which == Which::X { pointer.x } else { pointer.y };
                let fixed = f64::from((at - map.from) / (map.to - map.from));
                set_range(&mut changed, *which, map, |position| fixed + (position - fixed) * factor);
            }
        }
    }
    if response.dragged_by(PointerButton::Middle) {
        pan(&mut changed, response.drag_delta(), axes);
    }
    commit(ui, view, changed, state, cx);
}

/// A strip along an axis: dragging pans, the wheel zooms, a double click shows the full extent.
pub(super) fn strip(
    ui: &Ui,
    rect: Rect,
    view: &ViewSpec,
    axis: (Which, &AxisMap),
    state: &mut ViewState,
    cx: &mut ViewContext<'_>,
) {
    let id: Id = ui.scope_id().with(("strip", axis.0 == Which::X));
    let response = ui.interact(rect, id, Sense::click_and_drag());
    let column = spec_of(view, axis.0).map(|spec| spec.expr.as_str()).unwrap_or_default();
    let name = format!("axis {column}");
    response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::ScrollBar, true, &name));
    if response.hovered() {
        *cx.hint = "drag: pan this axis · wheel: zoom · double click: full extent".to_owned();
        let icon = if axis.0 == Which::X {
            egui::CursorIcon::ResizeHorizontal
        } else {
            egui::CursorIcon::ResizeVertical
        };
        ui.ctx().set_cursor_icon(icon);
    }
    let mut changed = view.clone();
    if response.dragged_by(PointerButton::Primary) {
        pan(&mut changed, response.drag_delta(), &[axis]);
    }
    if response.double_clicked()
        && let Some(spec) = spec_mut(&mut changed, axis.0).filter(|spec| !spec.locked)
    {
        spec.range = None;
    }
    commit(ui, view, changed, state, cx);
    by_wheel_and_hand(ui, &response, view, &[axis], state, cx);
}

fn pan(view: &mut ViewSpec, delta: egui::Vec2, axes: &[(Which, &AxisMap)]) {
    for (which, map) in axes {
        let by = if *which == Which::X { delta.x } else { delta.y };
        let shift = f64::from(by / (map.to - map.from));
        set_range(view, *which, map, |position| position - shift);
    }
}

fn spec_of(view: &ViewSpec, which: Which) -> Option<&AxisSpec> {
    if which == Which::X { view.x.as_ref() } else { view.y.as_ref() }
}

fn spec_mut(view: &mut ViewSpec, which: Which) -> Option<&mut AxisSpec> {
    if which == Which::X { view.x.as_mut() } else { view.y.as_mut() }
}

/// Moves both ends of an axis's range as `change` moves positions along the axis.
fn set_range(view: &mut ViewSpec, which: Which, map: &AxisMap, change: impl Fn(f64) -> f64) {
    let Some(spec) = spec_mut(view, which).filter(|spec| !spec.locked) else { return };
    // Bins are round and reach a little beyond the range; zooming goes by the range, or it would drift.
    let [lo, hi] = spec.range.unwrap_or([map.bins.lo(), map.bins.hi()]);
    let moved = |value: f64| map.bins.value_at(change(map.bins.position(value)));
    let (lo, hi) = (moved(lo), moved(hi));
    let wide_enough = hi - lo > lo.abs().max(hi.abs()) * 1e-9;
    if lo.is_finite() && hi.is_finite() && wide_enough && (hi - lo).is_finite() {
        spec.range = Some([lo, hi]);
    }
}

fn commit(ui: &Ui, view: &ViewSpec, changed: ViewSpec, state: &mut ViewState, cx: &mut ViewContext<'_>) {
    if changed == *view {
        return;
    }
    let now = ui.input(|input| input.time);
    let continues = state.zoomed.is_some_and(|last| now - last < ONE_ZOOM);
    state.zoomed = Some(now);
    let gesture = if continues { Gesture::Continue } else { Gesture::Begin };
    cx.commands.push(Command::ChangeView(changed, gesture));
}
