//! Pointer and keys over a heatmap.

use egui::{PointerButton, Pos2, Rect, Sense, Ui, WidgetInfo, pos2, vec2};

use super::Drawn;
use super::lasso::{self, Rectangle};
use crate::aggregate::Bins;
use crate::views::brushing::{self, Held, Others};
use crate::views::paint::axis;
use crate::views::paint::brush::{self, Drag, Interval, Part};
use crate::views::paint::readout;
use crate::views::paint::ticks::Unit;
use crate::views::zoom::{self, Which};
use crate::views::{ViewContext, ViewState, axes};

/// Least distance between the corners of a lasso, in points.
const STRIDE: f32 = 4.0;

/// Acts on pointer and keys, and says what lies under them.
pub(super) fn take(ui: &mut Ui, drawn: &Drawn<'_>, state: &mut ViewState, cx: &mut ViewContext<'_>) {
    let &Drawn { body, plot, view, map_x, map_y, .. } = drawn;
    let below = Rect::from_min_max(pos2(plot.left(), plot.bottom() + 1.0), pos2(plot.right(), body.bottom()));
    zoom::strip(ui, below, view, (Which::X, map_x), state, cx);
    let beside = Rect::from_min_max(pos2(body.left(), plot.top()), pos2(plot.left() - 1.0, plot.bottom()));
    zoom::strip(ui, beside, view, (Which::Y, map_y), state, cx);
    let response = ui.interact(plot, ui.scope_id().with("plot"), Sense::click_and_drag());
    let title = view.title();
    response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Canvas, true, &title));
    zoom::by_wheel_and_hand(ui, &response, view, &[(Which::X, map_x), (Which::Y, map_y)], state, cx);

    let own = lasso::rectangle(drawn, cx).map(|(rect, _)| rect);
    let filter = cx.session.filter_of(view).map(|(_, spec)| spec.clone());
    let name = |axis: &Option<crate::session::AxisSpec>| {
        axis.as_ref().map(|axis| axes::bare(&axis.expr)).unwrap_or_default()
    };
    let names = (name(&view.x), name(&view.y));
    let mut moved = own.and_then(|own| edges(ui, drawn, own, &names, cx));
    let grab = cx.theme.size.grab;
    let part_x = |at: Pos2| brush::part_at(map_x, own.map(|own| own.0), at.x, grab);
    let part_y = |at: Pos2| brush::part_at(map_y, own.map(|own| own.1), at.y, grab);
    if response.drag_started_by(PointerButton::Primary)
        && let Some(origin) = ui.input(|input| input.pointer.press_origin())
    {
        let modifiers = ui.input(|input| input.modifiers);
        let joins = modifiers.shift || modifiers.alt;
        let filter = filter.filter(|filter| filter.enabled || !joins);
        let inverted = filter.as_ref().is_some_and(|filter| filter.inverted);
        let others = filter.as_ref().filter(|_| joins);
        let others = others.and_then(|filter| lasso::others(drawn, filter, modifiers.alt));
        let (x, y) = match joins {
            true => (Part::Outside, Part::Outside),
            false => (part_x(origin), part_y(origin)),
        };
        let is_new = state.lasso || x == Part::Outside || y == Part::Outside;
        // Of no brush at all everything passes; something can be taken out of that.
        let inverted = match &others {
            Some(_) => inverted,
            None => (inverted && !is_new) || modifiers.alt,
        };
        let held = match state.lasso {
            true => Held::Lasso { corners: Vec::new(), others },
            false => held_at((x, y), origin, own, others),
        };
        state.brushing.begin(held, inverted);
    }
    let mut around = None;
    if let (Some(held), Some(pointer)) = (state.brushing.held_mut(), brushing::hand(ui, &response)) {
        let snap = !ui.input(|input| input.modifiers.ctrl);
        match held {
            Held::Rectangle { x, y, others } => {
                let rectangle = (x.interval(map_x, pointer.x, snap), y.interval(map_y, pointer.y, snap));
                around = others.as_ref().map(|others| lasso::joined(others, lasso::corners_of(rectangle)));
                moved = Some(rectangle);
            }
            Held::Lasso { corners, others } => {
                extend(drawn, corners, pointer);
                around = match others {
                    Some(others) => (corners.len() > 2).then(|| lasso::joined(others, corners.clone())),
                    None => lasso::predicate(drawn, corners),
                };
            }
            Held::Interval { .. } => {}
        }
        ui.ctx().request_repaint();
    }
    let wanted = around.or_else(|| lasso::within(view, moved?));
    brushing::take(ui, &response, view, wanted, state, cx);
    if brushing::wants_clear(ui, &response, view, cx) {
        state.brushing.end();
        brushing::clear(view, cx);
    }
    let is_key = |key| !ui.ctx().text_edit_focused() && ui.input(|input| input.key_pressed(key));
    if cx.focused == Some(view.id) && is_key(egui::Key::L) {
        state.lasso = !state.lasso;
    }
    let mut text = None;
    if let Some(pointer) = response.hover_pos() {
        let icon = match state.lasso {
            true => egui::CursorIcon::Crosshair,
            false => brush::cursor_of_two(part_x(pointer), part_y(pointer)),
        };
        ui.ctx().set_cursor_icon(icon);
        let shape = if state.lasso { "lasso" } else { "rectangle" };
        *cx.hint = format!("drag: {shape} · Shift: add · Alt: take out · L: lasso or rectangle · Esc: clear");
        text = cell_text(drawn, pointer);
    }
    if let (true, Some((rx, ry))) = (state.brushing.is_active(), moved) {
        let (rx, ry) =
            (readout::interval(rx.0, rx.1, drawn.x.unit), readout::interval(ry.0, ry.1, drawn.y.unit));
        text = Some(format!("{} {rx}   {} {ry}", names.0, names.1));
    }
    if let Some(text) = text {
        let corner = plot.right_top() + vec2(-10.0, 8.0);
        axis::note(&ui.painter_at(body), cx.theme, plot, corner, &text);
    }
}

/// The edges of the rectangle, to be found by name and moved by keys.
fn edges(
    ui: &Ui,
    drawn: &Drawn<'_>,
    own: Rectangle,
    names: &(String, String),
    cx: &ViewContext<'_>,
) -> Option<Rectangle> {
    let grab = cx.theme.size.grab;
    let rect = lasso::screen_rect(drawn, own);
    let mut moved = None;
    for part in [Part::Lower, Part::Upper] {
        let is_lower = part == Part::Lower;
        let (value, side) = if is_lower { (own.0.0, rect.left()) } else { (own.0.1, rect.right()) };
        let strip = Rect::from_x_y_ranges(side - grab..=side + grab, rect.y_range());
        let (name, text) = (format!("rectangle {}", names.0), readout::value(value, drawn.x.unit));
        let (_, nudged) = brushing::edge(ui, strip, drawn.map_x, own.0, part, &name, &text);
        moved = moved.or(nudged.map(|nudged| (nudged, own.1)));
        let (value, side) = if is_lower { (own.1.0, rect.bottom()) } else { (own.1.1, rect.top()) };
        let strip = Rect::from_x_y_ranges(rect.x_range(), side - grab..=side + grab);
        let (name, text) = (format!("rectangle {}", names.1), readout::value(value, drawn.y.unit));
        let (_, nudged) = brushing::edge(ui, strip, drawn.map_y, own.1, part, &name, &text);
        moved = moved.or(nudged.map(|nudged| (own.0, nudged)));
    }
    moved
}

/// The drags of both axes that begin on these parts of a rectangle.
fn held_at((x, y): (Part, Part), origin: Pos2, own: Option<Rectangle>, others: Option<Others>) -> Held {
    let outside = x == Part::Outside || y == Part::Outside;
    let Some((brush_x, brush_y)) = own.filter(|_| !outside) else {
        let (x, y) = (Drag::New { origin: origin.x }, Drag::New { origin: origin.y });
        return Held::Rectangle { x, y, others };
    };
    let both_inside = x == Part::Inside && y == Part::Inside;
    let one = |part, origin, brush: Interval| match part {
        Part::Inside if !both_inside => Drag::Keep { start: brush },
        part => Drag::begin(part, origin, Some(brush)),
    };
    Held::Rectangle { x: one(x, origin.x, brush_x), y: one(y, origin.y, brush_y), others }
}

/// Leads a lasso on to the pointer, on the picture.
fn extend(drawn: &Drawn<'_>, corners: &mut Vec<[f64; 2]>, pointer: Pos2) {
    let at = drawn.plot.clamp(pointer);
    let place = |&[x, y]: &[f64; 2]| pos2(drawn.map_x.place(x), drawn.map_y.place(y));
    if corners.last().is_none_or(|last| place(last).distance(at) >= STRIDE) {
        corners.push([drawn.map_x.value(at.x), drawn.map_y.value(at.y)]);
    }
}

fn cell_text(drawn: &Drawn<'_>, at: Pos2) -> Option<String> {
    let (i, j) = (drawn.map_x.bin_at(at.x)?, drawn.map_y.bin_at(at.y)?);
    let range = |bins: &Bins, bin: usize, unit: Unit| {
        readout::interval(bins.edges()[bin], bins.edges()[bin + 1], unit)
    };
    let cell = drawn.grid.cell(i, j);
    let count = drawn.grid.counts[cell];
    let mut text = format!(
        "{}   {}   {} ({})",
        range(&drawn.map_x.bins, i, drawn.x.unit),
        range(&drawn.map_y.bins, j, drawn.y.unit),
        readout::rows(count),
        readout::share(count, drawn.grid.total())
    );
    let value = drawn.grid.measure(0)[cell];
    if drawn.view.measure != "count" && value.is_finite() {
        text = format!("{text}   {} {}", drawn.view.measure, readout::brief(value, Unit::Number));
    }
    Some(text)
}
