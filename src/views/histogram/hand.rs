//! Pointer and keys over a histogram.

use egui::{Pos2, Rect, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::Picture;
use super::caps::Cap;
use crate::data::group_digits;
use crate::session::{Brushed, FilterSpec};
use crate::views::bin_menu::{self, Bar};
use crate::views::brushing::{self, Own};
use crate::views::paint::axis;
use crate::views::paint::brush::{self, Part};
use crate::views::paint::readout;
use crate::views::paint::ticks::Unit;
use crate::views::zoom::{self, Which};
use crate::views::{ViewContext, ViewState, axes, estimate};

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
    let over = |at: Pos2| brushing::part_at(map, &brushed, at.x, grab);
    if let Some((nth, part)) = brushing::begin(ui, &response, map, own.as_ref(), state, cx) {
        let id = brushing::edge_id(ui, &edge_name(&column, nth), part);
        ui.memory_mut(|memory| memory.request_focus(id));
    }
    let moved = brushing::follow(ui, &response, map, state);
    if let Some((brushed, _)) = &moved {
        wanted = Some(brushed.clone());
    }
    let wanted = wanted.zip(view.x.as_ref()).map(|(brushed, axis)| brushed.predicate(&axis.expr));
    brushing::take(ui, &response, view, wanted, state, cx);
    let on_bar = |at: Pos2| map.bin_at(at.x).filter(|&bin| plot.contains(at) && at.y >= picture.tops[bin]);
    if brushing::wants_clear(ui, &response, view, cx) {
        state.brushing.end();
        brushing::clear(view, cx);
    } else if response.clicked()
        && let Some(bin) = response.interact_pointer_pos().and_then(on_bar)
    {
        let edges = map.bins.edges();
        brushing::choose(ui, view, own.as_ref(), &Brushed::interval(edges[bin], edges[bin + 1]), cx);
    }
    let menu_bar = || {
        let bin = response.interact_pointer_pos().and_then(|at| map.bin_at(at.x))?;
        bar_of(picture, bin, own.as_ref())
    };
    bin_menu::show(&response, view, &mut state.menu, menu_bar, cx);
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
            brushing::choose(ui, view, own.as_ref(), &cap.end.values(&map.bins), cx);
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
        (Some((_, (lo, hi))), _) => {
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

/// What the menu of a bin is about.
fn bar_of(picture: &Picture<'_>, bin: usize, own: Option<&Own>) -> Option<Bar> {
    let &Picture { view, grid, resolved, map, .. } = picture;
    let expr = &view.x.as_ref()?.expr;
    let (lo, hi) = (map.bins.edges()[bin], map.bins.edges()[bin + 1]);
    let values = Brushed::interval(lo, hi);
    let passing = own.filter(|own| own.enabled).map_or_else(Brushed::all, Own::passing);
    let text = |value| readout::value(value, resolved.unit);
    let mut copied = format!("{}\t{}\t{}", text(lo), text(hi), grid.counts[bin]);
    if view.measure != "count" {
        copied = format!("{copied}\t{}", grid.measure(0)[bin]);
    }
    Some(Bar {
        name: format!("{} {}", axes::bare(expr), readout::interval(lo, hi, resolved.unit)),
        copied,
        keep: FilterSpec::new(values.predicate(expr)),
        exclude: FilterSpec::new(passing.difference(&values).predicate(expr)),
        has_bounds: true,
    })
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
            format!("{} of {}", group_digits(count), readout::rows(ghost.counts[bin]))
        }
        _ => readout::rows(count),
    };
    let share = readout::share(count, grid.total());
    let value = grid.measure(0)[bin];
    if let Some(estimate) = picture.estimate {
        return Some(format!("{range}   {}", estimate::count_text(estimate, bin)));
    }
    Some(if view.measure == "count" {
        format!("{range}   {counted} ({share})")
    } else if value.is_nan() {
        format!("{range}   {} missing   {counted}", view.measure)
    } else {
        format!("{range}   {} {}   {counted}", view.measure, readout::brief(value, Unit::Number))
    })
}
