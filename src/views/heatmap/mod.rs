//! Colours over a plane of two binned axes: one texture, a colour bar, a rectangular brush.

mod hand;
mod lasso;

use std::sync::Arc;

use egui::{
    Align2, Color32, ColorImage, CornerRadius, Pos2, Rect, Stroke, StrokeKind, TextureHandle, TextureOptions,
    Ui, pos2,
};

use super::ask::{Asked, ask};
use super::axes::{self, Resolved};
use super::frame::{Blank, strength};
use super::paint::axis::{self, AxisMap};
use super::paint::color_map;
use super::paint::ticks::{Ticks, horizontal_target, vertical_target};
use super::{ViewContext, ViewState};
use crate::aggregate::{Bins, Grid};
use crate::data::group_digits;
use crate::export::{ColorMap, ColorScale, Spread};
use crate::query::Answer;
use crate::session::{ViewSpec, questions};

/// Room left of the picture for the labels and the name of the vertical axis.
const LEFT: f32 = 62.0;
/// Room right of it for the colour bar and its labels.
const RIGHT: f32 = 76.0;
/// Width of the colour bar.
const BAR: f32 = 10.0;

/// A heatmap as painted.
struct Drawn<'a> {
    body: Rect,
    plot: Rect,
    view: &'a ViewSpec,
    grid: &'a Grid,
    x: &'a Resolved,
    y: &'a Resolved,
    map_x: &'a AxisMap,
    map_y: &'a AxisMap,
}

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
    spread: Spread,
    map: ColorMap,
    reversed: bool,
    dark: bool,
}

/// Asks and paints a heatmap.
pub fn show(
    ui: &mut Ui,
    body: Rect,
    view: &ViewSpec,
    state: &mut ViewState,
    cx: &mut ViewContext<'_>,
) -> Result<(), Blank> {
    let mut resolve = |spec, n| axes::resolve(view, spec, n, questions::HEATMAP_BINS, &mut state.known, cx);
    // Both are asked for, so that both extents are found in one pass.
    let (x, y) = (resolve(view.x.as_ref(), 0), resolve(view.y.as_ref(), 1));
    let (x, y) = (x?, y?);
    state.axes = vec![x.axis.clone(), y.axis.clone()];
    state.is_middle = [x.is_middle, y.is_middle];
    let Asked { selected, all, stale, .. } = ask(view, state, cx)?;
    paint(ui, body, view, &selected, all.as_ref(), (&x, &y), stale, state, cx);
    Ok(())
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
        state.spread = None;
    }
    let range = view.color_range.map(|[least, greatest]| (least, greatest));
    let range = range.or(state.values).unwrap_or((0.0, 1.0));
    let spread = state.spread.take().unwrap_or_else(|| spread(grid, view.color_scale, range));
    let key = Key {
        selected: Arc::as_ptr(answer),
        all: all.map(Arc::as_ptr),
        spread: spread.clone(),
        map: view.color_map,
        reversed: view.reversed,
        dark: theme.dark,
    };
    if state.picture.as_ref().is_none_or(|picture| picture.key != key) {
        let image = image(grid, all.and_then(|all| all.grid()), view, &spread, cx);
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
    axis::below(&painter, theme, plot, &map_x, &ticks_x, axis::FREE);
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
    color_bar(&painter, cx, view, plot, &spread);
    state.spread = Some(spread);
    off_axis(&painter, cx, body, plot, grid);
    let drawn = Drawn { body, plot, view, grid, x, y, map_x: &map_x, map_y: &map_y };
    lasso::paint(&painter, &drawn, cx);
    hand::take(ui, &drawn, state, cx);
}

/// How the values of the cells that have rows are spread over the colours.
fn spread(grid: &Grid, scale: ColorScale, (least, greatest): (f64, f64)) -> Spread {
    let values = grid.measure(0);
    let filled = cells(&grid.axes).map(|(i, j)| grid.cell(i, j)).filter(|&cell| grid.counts[cell] > 0);
    Spread::new(scale, least, greatest, filled.map(|cell| values[cell]))
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
    let from_zero = !matches!(scale, ColorScale::Log | ColorScale::Equalised);
    let least = if from_zero && least > 0.0 { 0.0 } else { least };
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
    spread: &Spread,
    cx: &ViewContext<'_>,
) -> ColorImage {
    let (columns, rows) = (grid.axes[0].count(), grid.axes[1].count());
    let values = grid.measure(0);
    let mut image = ColorImage::filled([columns, rows], Color32::TRANSPARENT);
    for (i, j) in cells(&grid.axes) {
        let cell = grid.cell(i, j);
        let color = if grid.counts[cell] > 0 && values[cell].is_finite() {
            color_map::color(view, cx.theme, spread.position(values[cell]))
        } else if all.is_some_and(|all| all.counts[cell] > 0) {
            cx.theme.ghost_pale
        } else {
            continue;
        };
        image.pixels[(rows - 1 - j) * columns + i] = color;
    }
    image
}

fn color_bar(painter: &egui::Painter, cx: &ViewContext<'_>, view: &ViewSpec, plot: Rect, spread: &Spread) {
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
        mesh.add_colored_rect(rect, color_map::color(view, theme, position));
    }
    painter.add(egui::Shape::mesh(mesh));
    let mut last = f32::INFINITY;
    for (value, label) in spread.marks(vertical_target(bar.height())) {
        let y = bar.bottom() - bar.height() * spread.position(value) as f32;
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
