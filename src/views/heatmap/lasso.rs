//! The filter of a heatmap's plane as painted: a rectangle, or the cells of a lasso.

use egui::{Mesh, Painter, Pos2, Rect, Shape, Stroke, pos2};

use super::Drawn;
use crate::aggregate::Bins;
use crate::select::Predicate;
use crate::session::{CutAxis, PredicateSpec, ViewSpec};
use crate::views::ViewContext;
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
    let cut = |expr: &str, bins: &Bins| CutAxis {
        expr: expr.to_owned(),
        edges: bins.edges().to_vec(),
        log: bins.scale() == crate::aggregate::Scale::Log,
    };
    let (x, y) = (drawn.view.x.as_ref()?, drawn.view.y.as_ref()?);
    (corners.len() > 2).then(|| PredicateSpec::Lasso {
        x: cut(&x.expr, &drawn.map_x.bins),
        y: cut(&y.expr, &drawn.map_y.bins),
        corners: corners.to_vec(),
    })
}

/// Paints the filter of the plane: what does not pass recedes.
pub(super) fn paint(painter: &Painter, drawn: &Drawn<'_>, cx: &ViewContext<'_>) {
    if let Some((rect, enabled)) = rectangle(drawn, cx) {
        brush::paint_rect(painter, cx.theme, drawn.plot, screen_rect(drawn, rect), enabled);
        return;
    }
    let Some((at, spec)) = cx.session.filter_of(drawn.view) else { return };
    let PredicateSpec::Lasso { corners, .. } = &spec.predicate else { return };
    let theme = cx.theme;
    if let (true, Ok(clause)) = (spec.enabled, &cx.session.filters()[at].clause)
        && let Predicate::Cells { x_bins, y_bins, inside, .. } = &clause.predicate
    {
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
        painter.add(Shape::mesh(veil));
    }
    let color = if spec.enabled { theme.accent } else { theme.faint };
    let corner = |&[x, y]: &[f64; 2]| -> Pos2 { pos2(drawn.map_x.place(x), drawn.map_y.place(y)) };
    let line = Shape::closed_line(corners.iter().map(corner).collect(), Stroke::new(1.5, color));
    painter.with_clip_rect(drawn.plot).add(line);
}
