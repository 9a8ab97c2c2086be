//! Where values lie on the screen.

use egui::{Align2, FontId, Painter, Pos2, Rangef, Rect, Stroke, pos2, vec2};

use super::ticks::Ticks;
use crate::aggregate::Bins;
use crate::views::theme::Theme;

/// Length of a tick mark.
const MARK: f32 = 4.0;

/// A binned axis laid along a stretch of the screen, in either direction.
#[derive(Debug, Clone)]
pub struct AxisMap {
    /// The bins.
    pub bins: Bins,
    /// Where the first edge lies.
    pub from: f32,
    /// Where the last edge lies; less than `from` on an upward axis.
    pub to: f32,
}

impl AxisMap {
    /// An axis from left to right over `rect`.
    pub fn horizontal(bins: Bins, rect: Rect) -> AxisMap {
        AxisMap { bins, from: rect.left(), to: rect.right() }
    }

    /// An axis from the bottom up over `rect`.
    pub fn vertical(bins: Bins, rect: Rect) -> AxisMap {
        AxisMap { bins, from: rect.bottom(), to: rect.top() }
    }

    /// Where `value` lies; it may be outside.
    pub fn place(&self, value: f64) -> f32 {
        // Far outside values must stay numbers a painter can take.
        let position = self.bins.position(value).clamp(-100.0, 100.0) as f32;
        self.from + (self.to - self.from) * position
    }

    /// The value at a place.
    pub fn value(&self, at: f32) -> f64 {
        self.bins.value_at(f64::from((at - self.from) / (self.to - self.from)))
    }

    /// Where edge `i` lies.
    pub fn edge(&self, i: usize) -> f32 {
        self.place(self.bins.edges()[i])
    }

    /// The edge nearest to a place.
    pub fn nearest_edge(&self, at: f32) -> usize {
        self.bins.nearest_edge(self.value(at))
    }

    /// The bin at a place, if it is on the axis.
    pub fn bin_at(&self, at: f32) -> Option<usize> {
        let low = self.from.min(self.to);
        let high = self.from.max(self.to);
        if at < low || at > high {
            return None;
        }
        // Rounding at either end must not fall off the axis.
        let value = self.value(at).clamp(self.bins.lo(), self.bins.hi());
        Some(self.bins.bin_of(value).unwrap_or(self.bins.count() - 1))
    }

    /// The stretch of screen between two values, the lower place first.
    pub fn span(&self, lo: f64, hi: f64) -> Rangef {
        let (a, b) = (self.place(lo), self.place(hi));
        Rangef::new(a.min(b), a.max(b))
    }

    /// The stretch of screen of an interval of which an end may be infinite.
    pub fn stretch(&self, (lo, hi): (f64, f64)) -> Rangef {
        let beyond = (self.to - self.from) * 100.0;
        let a = if lo.is_finite() { self.place(lo) } else { self.from - beyond };
        let b = if hi.is_finite() { self.place(hi) } else { self.to + beyond };
        Rangef::new(a.min(b), a.max(b))
    }
}

/// How far labels may reach beyond an axis with nothing beside it.
pub const FREE: [f32; 2] = [24.0, 8.0];

/// A read-out whose upper right corner is `corner`.
pub fn note(painter: &Painter, theme: &Theme, plot: Rect, corner: Pos2, text: &str) {
    let galley = one_line(painter, text, theme.small(), theme.text, plot.width() - 8.0);
    let rect = Align2::RIGHT_TOP.anchor_size(corner, galley.size());
    painter.rect_filled(rect.expand2(vec2(6.0, 3.0)), 3, theme.canvas.gamma_multiply(0.88));
    painter.galley(rect.min, galley, theme.text);
}

/// Paints a horizontal axis below `plot`: line, marks, and labels, which reach beyond it by at most `room` on
/// the left and on the right.
pub fn below(painter: &Painter, theme: &Theme, plot: Rect, map: &AxisMap, ticks: &Ticks, room: [f32; 2]) {
    painter.hline(plot.x_range(), plot.bottom(), Stroke::new(theme.size.hairline, theme.outline));
    let mut free_from = f32::NEG_INFINITY;
    for (value, label) in &ticks.marks {
        let x = map.place(*value);
        if x < plot.left() - 0.5 || x > plot.right() + 0.5 {
            continue;
        }
        painter.vline(
            x,
            plot.bottom()..=plot.bottom() + MARK,
            Stroke::new(theme.size.hairline, theme.outline),
        );
        let galley = painter.layout_no_wrap(label.clone(), theme.small(), theme.faint);
        let half = galley.size().x / 2.0;
        let left = (x - half).min(plot.right() + room[1] - 2.0 * half).max(plot.left() - room[0]);
        if left > free_from {
            free_from = left + 2.0 * half + 6.0;
            painter.galley(pos2(left, plot.bottom() + MARK + 1.0), galley, theme.faint);
        }
    }
}

/// Paints a vertical axis left of `plot`: marks, labels, and the lines across the picture.
pub fn beside(painter: &Painter, theme: &Theme, plot: Rect, ticks: &[(f32, String)], lines: bool) {
    for (y, label) in ticks {
        if *y < plot.top() - 0.5 || *y > plot.bottom() + 0.5 {
            continue;
        }
        if lines && *y < plot.bottom() - 1.0 {
            painter.hline(plot.x_range(), *y, Stroke::new(theme.size.hairline, theme.grid));
        }
        painter.text(
            Pos2::new(plot.left() - 6.0, *y),
            Align2::RIGHT_CENTER,
            label,
            theme.small(),
            theme.faint,
        );
    }
}

/// Paints the name of an axis, cut to the room there is.
pub fn title(painter: &Painter, theme: &Theme, at: Pos2, align: Align2, text: &str, room: f32) {
    let galley = one_line(painter, text, theme.small(), theme.weak, room);
    let rect = align.anchor_size(at, galley.size());
    painter.galley(rect.min, galley, theme.weak);
}

/// One line of text, ended by `…` where the room ends.
pub fn one_line(
    painter: &Painter,
    text: &str,
    font: FontId,
    color: egui::Color32,
    room: f32,
) -> std::sync::Arc<egui::Galley> {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, color);
    job.wrap = egui::text::TextWrapping::truncate_at_width(room.max(0.0));
    painter.layout_job(job)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::Scale;

    fn map() -> AxisMap {
        let bins = Bins::new(-10.0, 10.0, 4, Scale::Linear).unwrap();
        AxisMap { bins, from: 100.0, to: 300.0 }
    }

    #[test]
    fn places_and_values_are_each_others_inverse() {
        let map = map();
        for value in [-10.0, -7.25, 0.0, 3.5, 10.0] {
            assert!((map.value(map.place(value)) - value).abs() < 1e-4);
        }
        assert_eq!(map.edge(2), 200.0);
        assert_eq!(map.span(5.0, -5.0), Rangef::new(150.0, 250.0));
    }

    #[test]
    fn both_ends_of_an_axis_are_in_its_outermost_bins() {
        let map = map();
        assert_eq!(map.bin_at(100.0), Some(0));
        assert_eq!(map.bin_at(300.0), Some(3));
        assert_eq!(map.bin_at(99.0), None);
        assert_eq!(map.bin_at(200.0), Some(2));
    }

    #[test]
    fn an_upward_axis_counts_from_the_bottom() {
        let rect = Rect::from_min_max(pos2(0.0, 50.0), pos2(10.0, 250.0));
        let map = AxisMap::vertical(Bins::new(0.0, 4.0, 4, Scale::Linear).unwrap(), rect);
        assert_eq!(map.place(0.0), 250.0);
        assert_eq!(map.place(4.0), 50.0);
        assert_eq!(map.bin_at(240.0), Some(0));
        assert_eq!(map.nearest_edge(60.0), 4);
    }
}
