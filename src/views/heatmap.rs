//! Colours over a plane of two binned axes: one texture, a colour bar, a rectangular brush.

use std::sync::Arc;

use egui::{
    Align2, Color32, ColorImage, CornerRadius, PointerButton, Pos2, Rect, Sense, Stroke, StrokeKind,
    TextureHandle, TextureOptions, Ui, WidgetInfo, pos2,
};

use super::axes::{self, Resolved};
use super::brushing::{self, Held};
use super::frame::{Outcome, strength};
use super::histogram::note_at;
use super::paint::axis::{self, AxisMap};
use super::paint::brush::{self, Drag, Interval, Part};
use super::paint::color_map;
use super::paint::readout;
use super::paint::ticks::{Ticks, Unit, horizontal_target, vertical_target};
use super::state::Shown;
use super::zoom::{self, Which};
use super::{ViewContext, ViewState, slot};
use crate::aggregate::{Bins, Grid};
use crate::data::{group_digits, ticks};
use crate::engine::Freshness;
use crate::query::Answer;
use crate::select::Selection;
use crate::session::{ColorMap, ColorScale, PredicateSpec, ViewSpec, questions};

/// Room left of the picture for the labels and the name of the vertical axis.
const LEFT: f32 = 62.0;
/// Room right of it for the colour bar and its labels.
const RIGHT: f32 = 76.0;
/// Width of the colour bar.
const BAR: f32 = 10.0;

/// The texture of a heatmap and what it shows.
pub struct Picture {
    texture: TextureHandle,
    key: Key,
}

/// What the colours of a picture depend on.
#[derive(PartialEq)]
struct Key {
    selected: *const Answer,
    all: Option<*const Answer>,
    range: (f64, f64),
    scale: ColorScale,
    map: ColorMap,
    dark: bool,
}

/// Asks and paints a heatmap.
pub fn show(
    ui: &mut Ui,
    body: Rect,
    view: &ViewSpec,
    state: &mut ViewState,
    cx: &mut ViewContext<'_>,
) -> Outcome {
    let mut resolve = |spec, n| axes::resolve(view, spec, n, questions::HEATMAP_BINS, cx);
    // Both are asked for, so that both extents are found in one pass.
    let (x, y) = match (resolve(view.x.as_ref(), 0), resolve(view.y.as_ref(), 1)) {
        (Ok(x), Ok(y)) => (x, y),
        (Err(outcome), _) | (_, Err(outcome)) => return outcome,
    };
    state.axes = vec![x.axis.clone(), y.axis.clone()];
    let Some(dataset) = cx.session.dataset().cloned() else { return Outcome::wrong("No file is open.") };
    let selection = cx.session.selection_for(view);
    let filtered = !selection.is_all();
    let ask = |selection: Selection| questions::question(&dataset, view, &state.axes, selection);
    let (all, selected) = match (ask(Selection::all()), ask(selection)) {
        (Ok(all), Ok(selected)) => (all, selected),
        (Err(message), _) | (_, Err(message)) => return Outcome::wrong(message),
    };
    let ghost = cx.answers.answer(slot(view.id, 2), &all);
    let reply = cx.answers.answer(slot(view.id, 3), &selected);
    if let Freshness::Failed(error) = &reply.freshness {
        return Outcome::unanswered(error);
    }
    let stale = reply.freshness != Freshness::Final;
    let fits = |answer: &Arc<Answer>| answer.grid().is_some_and(|grid| grid.axes.len() == 2);
    let Some(answer) = reply.answer.filter(fits) else {
        let progress = match reply.freshness {
            Freshness::Stale(progress) => progress,
            _ => Default::default(),
        };
        return Outcome::Waiting(progress);
    };
    let same_axes = |ghost: &Arc<Answer>| matches!((ghost.grid(), answer.grid()), (Some(ghost), Some(grid)) if ghost.axes == grid.axes);
    let all = ghost.answer.filter(|answer| filtered && fits(answer)).filter(same_axes);
    if !stale {
        state.shown = Some(Shown { selected: answer.clone(), all: all.clone() });
    }
    paint(ui, body, view, &answer, all.as_ref(), (&x, &y), stale, state, cx);
    Outcome::Painted
}

#[expect(clippy::too_many_arguments, reason = "one call, from the function above")]
fn paint(
    ui: &mut Ui,
    body: Rect,
    view: &ViewSpec,
    answer: &Arc<Answer>,
    all: Option<&Arc<Answer>>,
    (x, y): (&Resolved, &Resolved),
    stale: bool,
    state: &mut ViewState,
    cx: &mut ViewContext<'_>,
) {
    let Some(grid) = answer.grid() else { return };
    let theme = cx.theme;
    let plot = axes::plot_rect(body, LEFT, RIGHT);
    if plot.width() < 24.0 || plot.height() < 24.0 {
        return;
    }
    state.plot = Some(plot);
    let map_x = AxisMap::horizontal(grid.axes[0].clone(), plot);
    let map_y = AxisMap::vertical(grid.axes[1].clone(), plot);
    if !cx.brushing || state.values.is_none() {
        state.values = value_range(grid, view.color_scale).or(Some((0.0, 1.0)));
    }
    let range = state.values.unwrap_or((0.0, 1.0));
    let key = Key {
        selected: Arc::as_ptr(answer),
        all: all.map(Arc::as_ptr),
        range,
        scale: view.color_scale,
        map: view.color_map,
        dark: theme.dark,
    };
    if state.picture.as_ref().is_none_or(|picture| picture.key != key) {
        let image = image(grid, all.and_then(|all| all.grid()), view, range, cx);
        match &mut state.picture {
            Some(picture) => {
                picture.texture.set(image, TextureOptions::NEAREST);
                picture.key = key;
            }
            None => {
                let texture = ui.ctx().load_texture(view.title(), image, TextureOptions::NEAREST);
                state.picture = Some(Picture { texture, key });
            }
        }
    }
    let painter = ui.painter_at(body);
    let mut faded = painter.clone();
    faded.multiply_opacity(strength(ui, state, stale));
    let whole = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
    if let Some(picture) = &state.picture {
        faded.image(picture.texture.id(), plot, whole, Color32::WHITE);
    }
    let line = Stroke::new(theme.size.hairline, theme.outline);
    painter.rect_stroke(plot, CornerRadius::ZERO, line, StrokeKind::Outside);

    let ticks_x = Ticks::of(&map_x.bins, x.unit, horizontal_target(plot.width()));
    axis::below(&painter, theme, plot, &map_x, &ticks_x);
    let ticks_y = Ticks::of(&map_y.bins, y.unit, vertical_target(plot.height()));
    let marks: Vec<(f32, String)> =
        ticks_y.marks.into_iter().map(|(value, label)| (map_y.place(value), label)).collect();
    axis::beside(&painter, theme, plot, &marks, false);
    let with_context = |title: &str, context: &Option<String>| match context {
        Some(context) => format!("{title} · {context}"),
        None => title.to_owned(),
    };
    let at = pos2(plot.center().x, body.bottom() - 4.0);
    let title = with_context(&x.title, &ticks_x.context);
    axis::title(&painter, theme, at, Align2::CENTER_BOTTOM, &title, plot.width() * 0.7);
    let title = with_context(&y.title, &ticks_y.context);
    let galley = axis::one_line(&painter, &title, theme.small(), theme.weak, plot.height());
    let at = pos2(body.left() + 6.0, plot.center().y + galley.size().x / 2.0);
    painter
        .add(egui::epaint::TextShape::new(at, galley, theme.weak).with_angle(-std::f32::consts::FRAC_PI_2));
    color_bar(&painter, cx, view, plot, range);
    off_axis(&painter, cx, body, plot, grid);
    if let Some((rect, enabled)) = own_brush(view, cx) {
        brush::paint_rect(&painter, theme, plot, screen_rect(&map_x, &map_y, rect), enabled);
    }
    hand(ui, body, plot, view, grid, (x, y), (&map_x, &map_y), state, cx);
}

/// Least and greatest value a colour is given to.
fn value_range(grid: &Grid, scale: ColorScale) -> Option<(f64, f64)> {
    let values = grid.measure(0);
    let mut range: Option<(f64, f64)> = None;
    for (i, j) in cells(&grid.axes) {
        let cell = grid.cell(i, j);
        let value = values[cell];
        if grid.counts[cell] > 0 && value.is_finite() && (scale != ColorScale::Log || value > 0.0) {
            let (least, greatest) = range.unwrap_or((value, value));
            range = Some((least.min(value), greatest.max(value)));
        }
    }
    let (least, greatest) = range?;
    // Counts begin at zero on a straight scale, so that twice the colour is twice the rows.
    let least = if scale != ColorScale::Log && least > 0.0 { 0.0 } else { least };
    Some((least, greatest))
}

fn cells(axes: &[Bins]) -> impl Iterator<Item = (usize, usize)> {
    let (columns, rows) = (axes[0].count(), axes[1].count());
    (0..columns).flat_map(move |i| (0..rows).map(move |j| (i, j)))
}

/// One pixel per cell, the lowest row at the bottom. Empty cells are transparent; cells that hold rows
/// but none selected are a pale ghost.
fn image(
    grid: &Grid,
    all: Option<&Grid>,
    view: &ViewSpec,
    range: (f64, f64),
    cx: &ViewContext<'_>,
) -> ColorImage {
    let (columns, rows) = (grid.axes[0].count(), grid.axes[1].count());
    let values = grid.measure(0);
    let mut image = ColorImage::filled([columns, rows], Color32::TRANSPARENT);
    for (i, j) in cells(&grid.axes) {
        let cell = grid.cell(i, j);
        let color = if grid.counts[cell] > 0 && values[cell].is_finite() {
            let position = color_map::position(values[cell], range.0, range.1, view.color_scale);
            color_map::color(view.color_map, cx.theme, position)
        } else if all.is_some_and(|all| all.counts[cell] > 0) {
            cx.theme.ghost_pale
        } else {
            continue;
        };
        image.pixels[(rows - 1 - j) * columns + i] = color;
    }
    image
}

fn color_bar(painter: &egui::Painter, cx: &ViewContext<'_>, view: &ViewSpec, plot: Rect, range: (f64, f64)) {
    let theme = cx.theme;
    let height = plot.height().min(220.0);
    let bar =
        Rect::from_min_size(pos2(plot.right() + 14.0, plot.top() + 14.0), egui::vec2(BAR, height - 14.0));
    let mut mesh = egui::Mesh::default();
    const STEPS: usize = 64;
    for step in 0..STEPS {
        let at = |i: usize| bar.bottom() - bar.height() * i as f32 / STEPS as f32;
        let rect = Rect::from_min_max(pos2(bar.left(), at(step + 1)), pos2(bar.right(), at(step)));
        let position = (step as f64 + 0.5) / STEPS as f64;
        mesh.add_colored_rect(rect, color_map::color(view.color_map, theme, position));
    }
    painter.add(egui::Shape::mesh(mesh));
    let (least, greatest) = range;
    let target = vertical_target(bar.height());
    let log = view.color_scale == ColorScale::Log && least > 0.0;
    let (places, labels) = if log {
        let places = ticks::log_ticks(least, greatest, target);
        let labels = ticks::log_labels(&places);
        (places, labels)
    } else {
        let places = ticks::ticks(least, greatest, target);
        let labels = ticks::labels(&places);
        (places, labels)
    };
    let mut last = f32::INFINITY;
    for (value, label) in places.into_iter().zip(labels) {
        let position = color_map::position(value, least, greatest, view.color_scale) as f32;
        let y = bar.bottom() - bar.height() * position;
        if last - y < 12.0 {
            continue;
        }
        last = y;
        painter.hline(bar.right()..=bar.right() + 3.0, y, Stroke::new(theme.size.hairline, theme.outline));
        painter.text(pos2(bar.right() + 6.0, y), Align2::LEFT_CENTER, label, theme.small(), theme.faint);
    }
    let measure = if view.measure == "count" { "rows" } else { &view.measure };
    let at = pos2(bar.left(), plot.top() - 6.0);
    axis::title(painter, theme, at, Align2::LEFT_TOP, measure, RIGHT - 18.0);
}

/// Rows that no cell shows, in words at the lower right.
fn off_axis(painter: &egui::Painter, cx: &ViewContext<'_>, body: Rect, plot: Rect, grid: &Grid) {
    let (bx, by) = (&grid.axes[0], &grid.axes[1]);
    let shown: u64 = cells(&grid.axes).map(|(i, j)| grid.counts[grid.cell(i, j)]).sum();
    let missing: u64 = (0..bx.slots())
        .flat_map(|i| (0..by.slots()).map(move |j| (i, j)))
        .filter(|&(i, j)| i == bx.missing() || j == by.missing())
        .map(|(i, j)| grid.counts[grid.cell(i, j)])
        .sum();
    let outside = grid.total() - shown - missing;
    let mut parts = Vec::new();
    if outside > 0 {
        parts.push(format!("{} outside", group_digits(outside)));
    }
    if missing > 0 {
        parts.push(format!("{} missing", group_digits(missing)));
    }
    if !parts.is_empty() {
        let at = pos2(body.right() - 12.0, body.bottom() - 4.0);
        let room = body.right() - plot.center().x - plot.width() * 0.2;
        axis::title(painter, cx.theme, at, Align2::RIGHT_BOTTOM, &parts.join(" · "), room);
    }
}

type Rectangle = (Interval, Interval);

/// The view's own rectangle, and whether it counts.
fn own_brush(view: &ViewSpec, cx: &ViewContext<'_>) -> Option<(Rectangle, bool)> {
    let (_, spec) = cx.session.filter_of(view)?;
    match &spec.predicate {
        PredicateSpec::Rect { x_range, y_range, .. } => {
            Some((((x_range[0], x_range[1]), (y_range[0], y_range[1])), spec.enabled))
        }
        _ => None,
    }
}

fn screen_rect(map_x: &AxisMap, map_y: &AxisMap, (x, y): Rectangle) -> Rect {
    Rect::from_x_y_ranges(map_x.span(x.0, x.1), map_y.span(y.0, y.1))
}

/// The drags of both axes that begin on these parts of a rectangle.
fn held_at(x: Part, y: Part, origin: Pos2, own: Option<Rectangle>) -> Held {
    let outside = x == Part::Outside || y == Part::Outside;
    let Some((brush_x, brush_y)) = own.filter(|_| !outside) else {
        return Held { x: Drag::New { origin: origin.x }, y: Some(Drag::New { origin: origin.y }) };
    };
    let both_inside = x == Part::Inside && y == Part::Inside;
    let one = |part, origin, brush: Interval| match part {
        Part::Inside if !both_inside => Drag::Keep { start: brush },
        part => Drag::begin(part, origin, Some(brush)),
    };
    Held { x: one(x, origin.x, brush_x), y: Some(one(y, origin.y, brush_y)) }
}

/// Pointer and keys over the picture.
#[expect(clippy::too_many_arguments, reason = "one call, from the function above")]
fn hand(
    ui: &mut Ui,
    body: Rect,
    plot: Rect,
    view: &ViewSpec,
    grid: &Grid,
    (x, y): (&Resolved, &Resolved),
    (map_x, map_y): (&AxisMap, &AxisMap),
    state: &mut ViewState,
    cx: &mut ViewContext<'_>,
) {
    let theme = cx.theme;
    let below = Rect::from_min_max(pos2(plot.left(), plot.bottom() + 1.0), pos2(plot.right(), body.bottom()));
    zoom::strip(ui, below, view, (Which::X, map_x), state, cx);
    let beside = Rect::from_min_max(pos2(body.left(), plot.top()), pos2(plot.left() - 1.0, plot.bottom()));
    zoom::strip(ui, beside, view, (Which::Y, map_y), state, cx);
    let response = ui.interact(plot, ui.scope_id().with("plot"), Sense::click_and_drag());
    let title = view.title();
    response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Canvas, true, &title));
    zoom::by_wheel_and_hand(ui, &response, view, &[(Which::X, map_x), (Which::Y, map_y)], state, cx);

    let own = own_brush(view, cx).map(|(rect, _)| rect);
    let name = |axis: &Option<crate::session::AxisSpec>| {
        axis.as_ref().map(|axis| axes::bare(&axis.expr)).unwrap_or_default()
    };
    let (name_x, name_y) = (name(&view.x), name(&view.y));
    let mut moved: Option<Rectangle> = None;
    if let Some((brush_x, brush_y)) = own {
        let rect = screen_rect(map_x, map_y, (brush_x, brush_y));
        for part in [Part::Lower, Part::Upper] {
            let (value, side) =
                if part == Part::Lower { (brush_x.0, rect.left()) } else { (brush_x.1, rect.right()) };
            let strip =
                Rect::from_x_y_ranges(side - theme.size.grab..=side + theme.size.grab, rect.y_range());
            let text = readout::value(value, x.unit);
            let (_, nudged) =
                brushing::edge(ui, strip, map_x, brush_x, part, &format!("rectangle {name_x}"), &text);
            moved = moved.or(nudged.map(|nudged| (nudged, brush_y)));
            let (value, side) =
                if part == Part::Lower { (brush_y.0, rect.bottom()) } else { (brush_y.1, rect.top()) };
            let strip =
                Rect::from_x_y_ranges(rect.x_range(), side - theme.size.grab..=side + theme.size.grab);
            let text = readout::value(value, y.unit);
            let (_, nudged) =
                brushing::edge(ui, strip, map_y, brush_y, part, &format!("rectangle {name_y}"), &text);
            moved = moved.or(nudged.map(|nudged| (brush_x, nudged)));
        }
    }
    let part_x = |at: Pos2| brush::part_at(map_x, own.map(|own| own.0), at.x, theme.size.grab);
    let part_y = |at: Pos2| brush::part_at(map_y, own.map(|own| own.1), at.y, theme.size.grab);
    if response.drag_started_by(PointerButton::Primary)
        && let Some(origin) = ui.input(|input| input.pointer.press_origin())
    {
        state.brushing.begin(held_at(part_x(origin), part_y(origin), origin, own));
    }
    if let (Some(held), Some(pointer)) = (state.brushing.held(), brushing::hand(ui, &response)) {
        let snap = !ui.input(|input| input.modifiers.ctrl);
        let along_y = held.y.unwrap_or(Drag::New { origin: pointer.y });
        moved = Some((held.x.interval(map_x, pointer.x, snap), along_y.interval(map_y, pointer.y, snap)));
        ui.ctx().request_repaint();
    }
    if let (Some((rx, ry)), Some(axis_x), Some(axis_y)) = (moved, &view.x, &view.y) {
        let predicate = PredicateSpec::Rect {
            x: axis_x.expr.clone(),
            x_range: [rx.0, rx.1],
            y: axis_y.expr.clone(),
            y_range: [ry.0, ry.1],
        };
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
    let mut text = None;
    if let Some(pointer) = response.hover_pos() {
        ui.ctx().set_cursor_icon(brush::cursor_of_two(part_x(pointer), part_y(pointer)));
        *cx.hint = "drag: rectangle · edges: resize · Esc or double click: clear · wheel: zoom".to_owned();
        text = cell_text(pointer, view, grid, (x, y), (map_x, map_y));
    }
    if let (true, Some((rx, ry))) = (state.brushing.is_active(), moved) {
        let (rx, ry) = (readout::interval(rx.0, rx.1, x.unit), readout::interval(ry.0, ry.1, y.unit));
        text = Some(format!("{name_x} {rx}   {name_y} {ry}"));
    }
    if let Some(text) = text {
        let corner = plot.right_top() + egui::vec2(-10.0, 8.0);
        note_at(&ui.painter_at(body), cx, plot, corner, &text);
    }
}

fn cell_text(
    at: Pos2,
    view: &ViewSpec,
    grid: &Grid,
    (x, y): (&Resolved, &Resolved),
    (map_x, map_y): (&AxisMap, &AxisMap),
) -> Option<String> {
    let (i, j) = (map_x.bin_at(at.x)?, map_y.bin_at(at.y)?);
    let range = |bins: &Bins, bin: usize, unit: Unit| {
        readout::interval(bins.edges()[bin], bins.edges()[bin + 1], unit)
    };
    let cell = grid.cell(i, j);
    let count = grid.counts[cell];
    let mut text = format!(
        "{}   {}   {} rows ({})",
        range(&map_x.bins, i, x.unit),
        range(&map_y.bins, j, y.unit),
        group_digits(count),
        readout::share(count, grid.total())
    );
    let value = grid.measure(0)[cell];
    if view.measure != "count" && value.is_finite() {
        text = format!("{text}   {} {}", view.measure, readout::brief(value, Unit::Number));
    }
    Some(text)
}
