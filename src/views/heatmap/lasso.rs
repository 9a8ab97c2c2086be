//! The filter of a heatmap's plane as painted: a rectangle, or the cells of a lasso.

use egui::{Mesh, Painter, Pos2, Rect, Stroke, pos2};

use super::Drawn;
use crate::aggregate::Bins;
use crate::select::Predicate;
use crate::session::{CutAxis, FilterSpec, PredicateSpec, Shape, ViewSpec};
use crate::views::ViewContext;
use crate::views::brushing::Others;
use crate::views::paint::brush::{self, Interval};

/// Both intervals of a rectangle.
pub(super) type Rectangle = (Interval, Interval);

/// The view's own rectangle, and whether it counts.
pub(super) fn rectangle(drawn: &Drawn<'_>, cx: &ViewContext<'_>) -> Option<(Rectangle, bool)> {
    let (_, spec) = cx.session.filter_of(drawn.view)?;
    match &spec.predicate {
        PredicateSpec::Rect { x_range, y_range, .. } => {
            Some((((x_range[0], x_range[1]), (y_range[0], y_range[1])), spec.enabled))
        }
        _ => None,
    }
}

/// Where a rectangle lies on the screen.
pub(super) fn screen_rect(drawn: &Drawn<'_>, (x, y): Rectangle) -> Rect {
    Rect::from_x_y_ranges(drawn.map_x.span(x.0, x.1), drawn.map_y.span(y.0, y.1))
}

/// The filter by a rectangle.
pub(super) fn within(view: &ViewSpec, (x, y): Rectangle) -> Option<PredicateSpec> {
    Some(PredicateSpec::Rect {
        x: view.x.as_ref()?.expr.clone(),
        x_range: [x.0, x.1],
        y: view.y.as_ref()?.expr.clone(),
        y_range: [y.0, y.1],
    })
}

/// The filter by the cells inside a polygon; `None` without an area.
pub(super) fn predicate(drawn: &Drawn<'_>, corners: &[[f64; 2]]) -> Option<PredicateSpec> {
    let [x, y] = axes(drawn)?;
    let corners = corners.to_vec();
    (corners.len() > 2).then_some(PredicateSpec::Lasso { x, y, corners, more: Vec::new() })
}

/// The axes of a heatmap, cut as it is.
fn axes(drawn: &Drawn<'_>) -> Option<[CutAxis; 2]> {
    let cut = |expr: &str, bins: &Bins| CutAxis {
        expr: expr.to_owned(),
        edges: bins.edges().to_vec(),
        log: bins.scale() == crate::aggregate::Scale::Log,
    };
    let (x, y) = (drawn.view.x.as_ref()?, drawn.view.y.as_ref()?);
    Some([cut(&x.expr, &drawn.map_x.bins), cut(&y.expr, &drawn.map_y.bins)])
}

/// The corners of a rectangle.
pub(super) fn corners_of((x, y): Rectangle) -> Vec<[f64; 2]> {
    vec![[x.0, y.0], [x.1, y.0], [x.1, y.1], [x.0, y.1]]
}

/// The shapes of a filter of the plane, to which another is put so that its cells pass too, or with `alt` no
/// more.
pub(super) fn others(drawn: &Drawn<'_>, filter: &FilterSpec, alt: bool) -> Option<Others> {
    let takes_out = alt != filter.inverted;
    let (axes, shapes) = match &filter.predicate {
        PredicateSpec::Rect { x_range, y_range, .. } => {
            let [mut x, mut y] = axes(drawn)?;
            // A rectangle that ends between edges ends there still.
            for (axis, range) in [(&mut x, x_range), (&mut y, y_range)] {
                axis.edges.extend(range);
                axis.edges.sort_by(f64::total_cmp);
                axis.edges.dedup();
            }
            let corners = corners_of(((x_range[0], x_range[1]), (y_range[0], y_range[1])));
            ([x, y], vec![Shape { corners, takes_out: false }])
        }
        PredicateSpec::Lasso { x, y, corners, more } => {
            let first = Shape { corners: corners.clone(), takes_out: false };
            ([x.clone(), y.clone()], std::iter::once(first).chain(more.iter().cloned()).collect())
        }
        _ => return None,
    };
    Some(Others { axes, shapes, takes_out })
}

/// The filter by shapes and one more.
pub(super) fn joined(others: &Others, corners: Vec<[f64; 2]>) -> PredicateSpec {
    let [x, y] = others.axes.clone();
    let last = Shape { corners, takes_out: others.takes_out };
    let mut more = others.shapes.clone();
    more.push(last);
    let first = more.remove(0);
    PredicateSpec::Lasso { x, y, corners: first.corners, more }
}

/// Paints the filter of the plane: what does not pass recedes.
pub(super) fn paint(painter: &Painter, drawn: &Drawn<'_>, cx: &ViewContext<'_>) {
    if let Some((rect, enabled)) = rectangle(drawn, cx) {
        brush::paint_rect(painter, cx.theme, drawn.plot, screen_rect(drawn, rect), enabled);
        return;
    }
    let Some((at, spec)) = cx.session.filter_of(drawn.view) else { return };
    let PredicateSpec::Lasso { corners, more, .. } = &spec.predicate else { return };
    let theme = cx.theme;
    let line = Stroke::new(1.5, if spec.enabled { theme.accent } else { theme.faint });
    let Ok(clause) = &cx.session.filters()[at].clause else { return };
    let Predicate::Cells { x_bins, y_bins, inside, .. } = &clause.predicate else { return };
    if spec.enabled {
        let color = theme.canvas.gamma_multiply(0.7);
        let passes = |i: usize, j: usize| inside[i * y_bins.slots() + j] != spec.inverted;
        let (map_x, map_y) = (|edge| drawn.map_x.place(edge), |edge| drawn.map_y.place(edge));
        let mut veil = Mesh::default();
        for j in 0..y_bins.count() {
            let (low, high) = (map_y(y_bins.edges()[j]), map_y(y_bins.edges()[j + 1]));
            let mut i = 0;
            while i < x_bins.count() {
                let from = i;
                while i < x_bins.count() && !passes(i, j) {
                    i += 1;
                }
                if from < i {
                    let (left, right) = (map_x(x_bins.edges()[from]), map_x(x_bins.edges()[i]));
                    let run = Rect::from_two_pos(pos2(left, low), pos2(right, high));
                    veil.add_colored_rect(run.intersect(drawn.plot), color);
                }
                i += 1;
            }
        }
        painter.add(egui::Shape::mesh(veil));
    }
    let painter = painter.with_clip_rect(drawn.plot);
    if more.is_empty() {
        let corner = |&[x, y]: &[f64; 2]| -> Pos2 { pos2(drawn.map_x.place(x), drawn.map_y.place(y)) };
        painter.add(egui::Shape::closed_line(corners.iter().map(corner).collect(), line));
        return;
    }
    // Of several shapes only the border of what they make together.
    let is_inside = |i: Option<usize>, j: Option<usize>| match (i, j) {
        (Some(i), Some(j)) if i < x_bins.count() && j < y_bins.count() => inside[i * y_bins.slots() + j],
        _ => false,
    };
    let place =
        |i: usize, j: usize| pos2(drawn.map_x.place(x_bins.edges()[i]), drawn.map_y.place(y_bins.edges()[j]));
    for i in 0..=x_bins.count() {
        for j in 0..=y_bins.count() {
            let here = is_inside(Some(i), Some(j));
            if i < x_bins.count() && here != is_inside(Some(i), j.checked_sub(1)) {
                painter.line_segment([place(i, j), place(i + 1, j)], line);
            }
            if j < y_bins.count() && here != is_inside(i.checked_sub(1), Some(j)) {
                painter.line_segment([place(i, j), place(i, j + 1)], line);
            }
        }
    }
}
