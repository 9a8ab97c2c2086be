//! Pointer and keys over a histogram.

use egui::{PointerButton, Pos2, Rect, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::caps::Cap;
use super::{Own, Picture};
use crate::data::group_digits;
use crate::session::Brushed;
use crate::views::brushing::{self, Held};
use crate::views::paint::axis;
use crate::views::paint::brush::{self, Drag, Interval, Part};
use crate::views::paint::readout;
use crate::views::paint::ticks::Unit;
use crate::views::zoom::{self, Which};
use crate::views::{ViewContext, ViewState, axes};

const HINT: &str = "drag: brush · Shift: add · Alt: take out · Ctrl: no snapping · click a bar: filter · \
                    Esc or double click: clear · wheel: zoom";

/// Acts on pointer and keys, and says what lies under them.
pub(super) fn take(
    ui: &mut Ui,
    picture: &Picture<'_>,
    own: Option<Own>,
    state: &mut ViewState,
    cx: &mut ViewContext<'_>,
) {
    let &Picture { body, plot, view, map, .. } = picture;
    let column = view.x.as_ref().map(|axis| axes::bare(&axis.expr)).unwrap_or_default();
    let strip = Rect::from_min_max(pos2(plot.left(), plot.bottom() + 1.0), pos2(plot.right(), body.bottom()));
    zoom::strip(ui, strip, view, (Which::X, map), state, cx);
    let response = ui.interact(plot, ui.scope_id().with("plot"), Sense::click_and_drag());
    let title = view.title();
    response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Canvas, true, &title));
    zoom::by_wheel_and_hand(ui, &response, view, &[(Which::X, map)], state, cx);

    let grab = cx.theme.size.grab;
    let brushed = own.as_ref().map(|own| own.brushed.clone()).unwrap_or_default();
    let mut wanted = edges(ui, picture, &column, &brushed, cx);
    let over = |at: Pos2| part_at(picture, &brushed, at.x, grab);
    if response.drag_started_by(PointerButton::Primary)
        && let Some(origin) = ui.input(|input| input.pointer.press_origin())
    {
        begin(ui, picture, own.as_ref(), origin, &column, state, cx);
    }
    let mut moved = None;
    if let (Some(Held::Interval { drag, rest, takes_out }), Some(pointer)) =
        (state.brushing.held(), brushing::hand(ui, &response))
    {
        let snap = !ui.input(|input| input.modifiers.ctrl);
        let interval = drag.interval(map, pointer.x, snap);
        let rest = rest.clone();
        wanted = Some(if *takes_out { rest.without(interval) } else { rest.with(interval) });
        moved = Some(interval);
        ui.ctx().request_repaint();
    }
    if let (Some(brushed), Some(axis)) = (wanted, &view.x) {
        state.brushing.set(view, brushed.predicate(&axis.expr), cx);
    }
    let let_go = response.drag_stopped() || !ui.input(|input| input.pointer.any_down());
    if state.brushing.is_active() && let_go {
        state.brushing.end();
    }
    let on_bar = |at: Pos2| map.bin_at(at.x).filter(|&bin| plot.contains(at) && at.y >= picture.tops[bin]);
    if brushing::wants_clear(ui, &response, view, cx) {
        state.brushing.end();
        brushing::clear(view, cx);
    } else if response.clicked()
        && let Some(bin) = response.interact_pointer_pos().and_then(on_bar)
    {
        let edges = map.bins.edges();
        choose(ui, picture, own.as_ref(), &Brushed::interval(edges[bin], edges[bin + 1]), cx);
    }
    for (cap, place) in picture.caps.places(plot) {
        let id = ui.scope_id().with(("cap", cap.end.what()));
        let response = ui.interact(Cap::sensitive(place), id, Sense::click());
        let name = format!("{column} {}", cap.text().replace("   ", ", "));
        response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Button, true, &name));
        if response.has_focus() {
            focus_ring(ui, body, place.expand(2.0), cx);
        }
        if response.hovered() {
            ui.ctx().set_cursor_icon(egui::CursorIcon::PointingHand);
            *cx.hint = format!("{} · click: filter to these · Shift: add", cap.end.what());
        }
        if response.clicked() {
            choose(ui, picture, own.as_ref(), &cap.end.values(&map.bins), cx);
        }
    }
    if let Some(pointer) = response.hover_pos() {
        let (part, _) = over(pointer);
        let icon = match part {
            Part::Outside if on_bar(pointer).is_some() => egui::CursorIcon::PointingHand,
            part => brush::cursor(part),
        };
        ui.ctx().set_cursor_icon(icon);
        *cx.hint = HINT.to_owned();
    }
    let pointer = ui
        .input(|input| input.pointer.hover_pos())
        .filter(|at| ui.rect_contains_pointer(body) && body.contains(*at));
    let text = match (moved, pointer) {
        (Some((lo, hi)), _) => {
            Some(format!("{column}  {}", readout::interval(lo, hi, picture.resolved.unit)))
        }
        (_, Some(at)) => picture.caps.under(at, plot).map(|cap| cap.text()).or_else(|| bin_text(picture, at)),
        _ => None,
    };
    if let Some(text) = text {
        let corner = plot.right_top() + vec2(-2.0, -4.0);
        axis::note(&ui.painter_at(body), cx.theme, plot, corner, &text);
    }
}

/// Which part of which interval lies under a place; an edge goes before an inside.
fn part_at(picture: &Picture<'_>, brushed: &Brushed, at: f32, grab: f32) -> (Part, Option<Interval>) {
    let rank = |part| match part {
        Part::Lower | Part::Upper => 0,
        Part::Inside => 1,
        Part::Outside => 2,
    };
    let parts = brushed
        .intervals
        .iter()
        .map(|&interval| (brush::part_at(picture.map, Some(interval), at, grab), Some(interval)));
    parts.min_by_key(|(part, _)| rank(*part)).unwrap_or((Part::Outside, None))
}

/// Takes hold: of an edge or the inside of an interval, or, with Shift or Alt or beside all of them, of a
/// new one.
fn begin(
    ui: &Ui,
    picture: &Picture<'_>,
    own: Option<&Own>,
    origin: Pos2,
    column: &str,
    state: &mut ViewState,
    cx: &ViewContext<'_>,
) {
    let modifiers = ui.input(|input| input.modifiers);
    let new = Drag::New { origin: origin.x };
    if modifiers.shift || modifiers.alt {
        // Of no brush at all everything passes; something can be taken out of that.
        let passing = match own.filter(|own| own.enabled) {
            Some(own) => own.passing(),
            None if modifiers.alt => Brushed::all(),
            None => Brushed::default(),
        };
        let held = Held::Interval { drag: new, rest: passing, takes_out: modifiers.alt };
        state.brushing.begin(held, false);
        return;
    }
    let Some(own) = own else {
        let held = Held::Interval { drag: new, rest: Brushed::default(), takes_out: false };
        state.brushing.begin(held, false);
        return;
    };
    let (part, interval) = part_at(picture, &own.brushed, origin.x, cx.theme.size.grab);
    let (rest, inverted) = match interval {
        Some(interval) if part != Part::Outside => (own.brushed.clone().without(interval), own.inverted),
        _ => (Brushed::default(), false),
    };
    let drag = Drag::begin(part, origin.x, interval);
    state.brushing.begin(Held::Interval { drag, rest, takes_out: false }, inverted);
    if let (Part::Lower | Part::Upper, Some(interval)) = (part, interval) {
        let nth = own.brushed.intervals.iter().position(|other| *other == interval).unwrap_or(0);
        let id = brushing::edge_id(ui, &edge_name(column, nth), part);
        ui.memory_mut(|memory| memory.request_focus(id));
    }
}

fn edge_name(column: &str, nth: usize) -> String {
    if nth == 0 { format!("brush {column}") } else { format!("brush {} of {column}", nth + 1) }
}

/// The edges of all intervals, to be found by name and moved by keys.
fn edges(
    ui: &Ui,
    picture: &Picture<'_>,
    column: &str,
    brushed: &Brushed,
    cx: &ViewContext<'_>,
) -> Option<Brushed> {
    let &Picture { body, plot, map, .. } = picture;
    let grab = cx.theme.size.grab;
    let mut wanted = None;
    for (nth, &interval) in brushed.intervals.iter().enumerate() {
        for (part, value) in [(Part::Lower, interval.0), (Part::Upper, interval.1)] {
            if !value.is_finite() {
                continue;
            }
            let x = map.place(value);
            let rect = Rect::from_x_y_ranges(x - grab..=x + grab, plot.y_range());
            let text = readout::value(value, picture.resolved.unit);
            let (id, nudged) = brushing::edge(ui, rect, map, interval, part, &edge_name(column, nth), &text);
            if ui.memory(|memory| memory.has_focus(id)) {
                focus_ring(ui, body, rect.shrink2(vec2(2.0, 1.0)), cx);
            }
            if let Some(nudged) = nudged {
                wanted = Some(brushed.clone().without(interval).with(nudged));
            }
        }
    }
    wanted
}

fn focus_ring(ui: &Ui, body: Rect, rect: Rect, cx: &ViewContext<'_>) {
    let stroke = Stroke::new(1.0, cx.theme.accent);
    ui.painter_at(body).rect_stroke(rect, 2, stroke, StrokeKind::Inside);
}

/// Filters to some values; with Shift puts them in or takes them out. Choosing what is chosen clears.
fn choose(ui: &Ui, picture: &Picture<'_>, own: Option<&Own>, values: &Brushed, cx: &mut ViewContext<'_>) {
    let Some(axis) = &picture.view.x else { return };
    let passing = own.filter(|own| own.enabled).map(Own::passing);
    let wanted = match passing {
        Some(passing) if ui.input(|input| input.modifiers.shift) => {
            if passing.holds(values) {
                passing.difference(values)
            } else {
                passing.union(values)
            }
        }
        Some(passing) if passing == *values => Brushed::default(),
        _ => values.clone(),
    };
    if wanted.is_empty() {
        brushing::clear(picture.view, cx);
    } else {
        brushing::replace(wanted.predicate(&axis.expr), cx);
    }
}

fn bin_text(picture: &Picture<'_>, at: Pos2) -> Option<String> {
    let &Picture { plot, view, grid, ghost, resolved, map, .. } = picture;
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
        format!("{range}   {} {}   {counted}", view.measure, readout::brief(value, Unit::Number))
    })
}
