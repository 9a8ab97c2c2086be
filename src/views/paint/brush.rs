//! Brushes: where the hand takes hold of them, and what a drag makes of them.
//!
//! A brush is an interval `[lo, hi)` of values. Drags snap to the edges of the axis's bins, and the
//! snapped interval is the filter itself. A rectangle is two intervals.

use egui::{CornerRadius, CursorIcon, Painter, Pos2, Rangef, Rect, Stroke, vec2};

use super::axis::AxisMap;
use crate::views::theme::Theme;

/// An interval of values, the lower end inside, the upper outside.
pub type Interval = (f64, f64);

/// What of a brush lies under the hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Its lower edge.
    Lower,
    /// Its upper edge.
    Upper,
    /// Between its edges.
    Inside,
    /// None of it.
    Outside,
}

/// What lies under the hand at a place: edges reach `grab` points to either side.
pub fn part_at(map: &AxisMap, brush: Option<Interval>, at: f32, grab: f32) -> Part {
    let Some((lo, hi)) = brush else { return Part::Outside };
    let (lower, upper) = (map.place(lo), map.place(hi));
    let (to_lower, to_upper) = ((at - lower).abs(), (at - upper).abs());
    let between = (at - lower) * (at - upper) <= 0.0;
    // A narrow brush keeps a middle by which it can be moved.
    let grab = if between { grab.min((upper - lower).abs() / 3.0) } else { grab };
    match (to_lower <= grab, to_upper <= grab) {
        (true, true) if to_upper < to_lower => Part::Upper,
        (true, _) => Part::Lower,
        (_, true) => Part::Upper,
        _ if between => Part::Inside,
        _ => Part::Outside,
    }
}

/// What a drag does to one interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Drag {
    /// Draws a new one from where the button went down.
    New {
        /// Where that was.
        origin: f32,
    },
    /// Moves it as it is.
    Move {
        /// Where the button went down.
        origin: f32,
        /// The interval then.
        start: Interval,
    },
    /// Moves one edge; the other stays. Dragging past it turns the brush over.
    Edge {
        /// The edge that stays.
        fixed: f64,
    },
    /// Leaves it alone: the drag is about the other axis.
    Keep {
        /// The interval.
        start: Interval,
    },
}

impl Drag {
    /// The drag that begins at `origin` on `part` of a brush.
    pub fn begin(part: Part, origin: f32, brush: Option<Interval>) -> Drag {
        match (part, brush) {
            (Part::Lower, Some((_, hi))) => Drag::Edge { fixed: hi },
            (Part::Upper, Some((lo, _))) => Drag::Edge { fixed: lo },
            (Part::Inside, Some(start)) => Drag::Move { origin, start },
            _ => Drag::New { origin },
        }
    }

    /// The interval with the hand at `at`.
    pub fn interval(&self, map: &AxisMap, at: f32, snap: bool) -> Interval {
        match *self {
            Drag::New { origin } => between(map, map.value(origin), origin, at, snap),
            Drag::Edge { fixed } => between(map, fixed, map.place(fixed), at, snap),
            Drag::Move { origin, start } => moved(map, start, at - origin, snap),
            Drag::Keep { start } => start,
        }
    }
}

/// The interval from a place that stays, of value `value`, to the hand.
fn between(map: &AxisMap, value: f64, origin: f32, at: f32, snap: bool) -> Interval {
    let bins = &map.bins;
    let hand = map.value(at).clamp(bins.lo(), bins.hi());
    if !snap {
        let value = value.clamp(bins.lo(), bins.hi());
        return if value <= hand { (value, hand) } else { (hand, value) };
    }
    let (from, to) = (map.nearest_edge(origin), bins.nearest_edge(hand));
    if from == to {
        // Less than half a bin: the bin the hand is in.
        let bin = bins.bin_of(hand).unwrap_or(bins.count() - 1);
        return (bins.edges()[bin], bins.edges()[bin + 1]);
    }
    (bins.edges()[from.min(to)], bins.edges()[from.max(to)])
}

/// The interval moved by `by` points, as wide as before, still on the axis.
fn moved(map: &AxisMap, start: Interval, by: f32, snap: bool) -> Interval {
    let bins = &map.bins;
    let (lower, upper) = (map.place(start.0), map.place(start.1));
    if snap {
        let from = bins.nearest_edge(start.0);
        let width = bins.nearest_edge(start.1).saturating_sub(from).max(1);
        let to = map.nearest_edge(lower + by).min(bins.count().saturating_sub(width));
        return (bins.edges()[to], bins.edges()[(to + width).min(bins.count())]);
    }
    let (low, high) = (map.from.min(map.to), map.from.max(map.to));
    let (least, most) = (lower.min(upper), lower.max(upper));
    let by = by.clamp((low - least).min(0.0), (high - most).max(0.0));
    (map.value(lower + by), map.value(upper + by))
}

/// One edge of an interval moved by `steps` bins; it stops before the other edge and at the axis's end.
pub fn nudged(map: &AxisMap, brush: Interval, part: Part, steps: i64) -> Interval {
    let bins = &map.bins;
    let step = |value: f64| {
        let edges = bins.edges();
        let at_or_above = edges.partition_point(|&edge| edge < value) as i64;
        let on_edge = edges.get(at_or_above as usize) == Some(&value);
        let base = if steps < 0 || on_edge { at_or_above } else { at_or_above - 1 };
        (base + steps).clamp(0, bins.count() as i64) as usize
    };
    let edges = bins.edges();
    match part {
        Part::Lower => {
            let last = edges.partition_point(|&edge| edge < brush.1).saturating_sub(1);
            (edges[step(brush.0).min(last)].min(brush.1), brush.1)
        }
        Part::Upper => {
            let first = edges.partition_point(|&edge| edge <= brush.0).min(bins.count());
            (brush.0, edges[step(brush.1).max(first)].max(brush.0))
        }
        _ => brush,
    }
}

/// The pointer's shape over a part of a horizontal brush.
pub fn cursor(part: Part) -> CursorIcon {
    match part {
        Part::Lower | Part::Upper => CursorIcon::ResizeHorizontal,
        Part::Inside => CursorIcon::Grab,
        Part::Outside => CursorIcon::Crosshair,
    }
}

/// The pointer's shape over the parts of a rectangle.
pub fn cursor_of_two(x: Part, y: Part) -> CursorIcon {
    let is_edge = |part| matches!(part, Part::Lower | Part::Upper);
    match (x, y) {
        (Part::Outside, _) | (_, Part::Outside) => CursorIcon::Crosshair,
        (Part::Inside, Part::Inside) => CursorIcon::Grab,
        (x, Part::Inside) if is_edge(x) => CursorIcon::ResizeHorizontal,
        (Part::Inside, _) => CursorIcon::ResizeVertical,
        (x, y) if (x == Part::Lower) == (y == Part::Lower) => CursorIcon::ResizeNeSw,
        _ => CursorIcon::ResizeNwSe,
    }
}

/// Paints an interval over a picture: its inside, its edges, and a grip on each.
pub fn paint_interval(painter: &Painter, theme: &Theme, plot: Rect, span: Rangef, on: bool) {
    let accent = if on { theme.accent } else { theme.faint };
    let visible = Rangef::new(span.min.max(plot.left()), span.max.min(plot.right()));
    if visible.min > visible.max {
        return;
    }
    if on {
        painter.rect_filled(Rect::from_x_y_ranges(visible, plot.y_range()), CornerRadius::ZERO, theme.brush);
    }
    for x in [span.min, span.max] {
        if plot.x_range().expand(0.5).contains(x) {
            painter.vline(x, plot.y_range(), Stroke::new(1.0, accent));
            grip(painter, theme, Pos2::new(x, plot.center().y), vec2(5.0, 20.0), accent);
        }
    }
}

/// Paints a rectangle over a picture: what lies outside recedes.
pub fn paint_rect(painter: &Painter, theme: &Theme, plot: Rect, brush: Rect, on: bool) {
    let inside = brush.intersect(plot);
    if on {
        let veil = theme.canvas.gamma_multiply(0.62);
        let bands = [
            Rect::from_min_max(plot.min, Pos2::new(plot.right(), inside.top())),
            Rect::from_min_max(Pos2::new(plot.left(), inside.bottom()), plot.max),
            Rect::from_min_max(
                Pos2::new(plot.left(), inside.top()),
                Pos2::new(inside.left(), inside.bottom()),
            ),
            Rect::from_min_max(
                Pos2::new(inside.right(), inside.top()),
                Pos2::new(plot.right(), inside.bottom()),
            ),
        ];
        for band in bands.into_iter().filter(|band| band.is_positive()) {
            painter.rect_filled(band, CornerRadius::ZERO, veil);
        }
    }
    let accent = if on { theme.accent } else { theme.faint };
    if !inside.is_positive() {
        return;
    }
    painter.rect_stroke(inside, CornerRadius::ZERO, Stroke::new(1.5, accent), egui::StrokeKind::Middle);
    for (at, size) in [
        (inside.left_center(), vec2(5.0, 16.0)),
        (inside.right_center(), vec2(5.0, 16.0)),
        (inside.center_top(), vec2(16.0, 5.0)),
        (inside.center_bottom(), vec2(16.0, 5.0)),
    ] {
        if inside.width().min(inside.height()) > 24.0 {
            grip(painter, theme, at, size, accent);
        }
    }
}

fn grip(painter: &Painter, theme: &Theme, at: Pos2, size: egui::Vec2, color: egui::Color32) {
    let rect = Rect::from_center_size(at, size);
    painter.rect(
        rect,
        CornerRadius::same(2),
        color,
        Stroke::new(1.0, theme.canvas),
        egui::StrokeKind::Outside,
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::{Bins, Scale};

    /// Ten bins of width 1, 20 points each.
    fn map() -> AxisMap {
        AxisMap { bins: Bins::new(0.0, 10.0, 10, Scale::Linear).unwrap(), from: 100.0, to: 300.0 }
    }

    #[test]
    fn edges_are_taken_six_points_around() {
        let brush = Some((2.0, 5.0));
        let at = |x| part_at(&map(), brush, x, 6.0);
        assert_eq!(at(140.0), Part::Lower);
        assert_eq!(at(134.0), Part::Lower);
        assert_eq!(at(133.0), Part::Outside);
        assert_eq!(at(147.0), Part::Inside);
        assert_eq!(at(206.0), Part::Upper);
        assert_eq!(at(207.0), Part::Outside);
        assert_eq!(part_at(&map(), None, 150.0, 6.0), Part::Outside);
    }

    #[test]
    fn a_narrow_brush_can_still_be_moved() {
        assert_eq!(part_at(&map(), Some((2.0, 2.25)), 142.5, 6.0), Part::Inside);
        assert_eq!(part_at(&map(), Some((2.0, 2.25)), 138.0, 6.0), Part::Lower);
    }

    #[test]
    fn a_new_brush_snaps_to_bin_edges_in_either_direction() {
        let drag = Drag::New { origin: 141.0 };
        assert_eq!(drag.interval(&map(), 205.0, true), (2.0, 5.0));
        assert_eq!(drag.interval(&map(), 104.0, true), (0.0, 2.0));
        assert_eq!(drag.interval(&map(), 900.0, true), (2.0, 10.0));
        assert_eq!(drag.interval(&map(), 146.0, true), (2.0, 3.0), "a short drag takes the bin");
        let (lo, hi) = drag.interval(&map(), 205.0, false);
        assert!((lo - 2.05).abs() < 1e-6 && (hi - 5.25).abs() < 1e-6);
    }

    #[test]
    fn an_edge_dragged_past_the_other_turns_the_brush_over() {
        let drag = Drag::begin(Part::Upper, 200.0, Some((2.0, 5.0)));
        assert_eq!(drag.interval(&map(), 222.0, true), (2.0, 6.0));
        assert_eq!(drag.interval(&map(), 101.0, true), (0.0, 2.0));
    }

    #[test]
    fn a_moved_brush_keeps_its_width_and_stays_on_the_axis() {
        let drag = Drag::begin(Part::Inside, 170.0, Some((2.0, 5.0)));
        assert_eq!(drag.interval(&map(), 211.0, true), (4.0, 7.0));
        assert_eq!(drag.interval(&map(), 999.0, true), (7.0, 10.0));
        assert_eq!(drag.interval(&map(), -999.0, true), (0.0, 3.0));
        let (lo, hi) = drag.interval(&map(), 999.0, false);
        assert!((hi - 10.0).abs() < 1e-4 && (hi - lo - 3.0).abs() < 1e-4);
    }

    #[test]
    fn arrows_move_an_edge_by_bins_and_stop_at_the_other() {
        let brush = (2.0, 5.0);
        assert_eq!(nudged(&map(), brush, Part::Lower, 1), (3.0, 5.0));
        assert_eq!(nudged(&map(), brush, Part::Lower, 10), (4.0, 5.0));
        assert_eq!(nudged(&map(), brush, Part::Lower, -10), (0.0, 5.0));
        assert_eq!(nudged(&map(), brush, Part::Upper, 10), (2.0, 10.0));
        assert_eq!(nudged(&map(), brush, Part::Upper, -9), (2.0, 3.0));
        assert_eq!(nudged(&map(), (2.5, 5.0), Part::Lower, 1), (3.0, 5.0));
        assert_eq!(nudged(&map(), (2.5, 5.0), Part::Lower, -1), (2.0, 5.0));
    }
}
