//! What lies on no bin, as small bars beside the picture: below the axis, above it, missing.

use egui::{Align2, Color32, CornerRadius, Painter, Pos2, Rect, Stroke, pos2, vec2};

use crate::aggregate::{Bins, Grid};
use crate::data::group_digits;
use crate::session::Brushed;
use crate::views::Theme;
use crate::views::brushing::Own;
use crate::views::paint::readout;
use crate::views::paint::ticks::ValueAxis;

/// Width of an end cap and the gap before it.
const WIDTH: f32 = 7.0;
const GAP: f32 = 5.0;

/// The ends of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Under,
    Over,
    Missing,
}

impl End {
    /// In words.
    pub(super) fn what(self) -> &'static str {
        match self {
            End::Under => "below the axis",
            End::Over => "above the axis",
            End::Missing => "missing",
        }
    }

    fn label(self) -> &'static str {
        match self {
            End::Under => "<",
            End::Over => ">",
            End::Missing => "?",
        }
    }

    /// The values of it.
    pub(super) fn values(self, bins: &Bins) -> Brushed {
        match self {
            End::Under => Brushed::interval(f64::NEG_INFINITY, bins.lo()),
            End::Over => Brushed::interval(bins.hi(), f64::INFINITY),
            End::Missing => Brushed::missing(),
        }
    }
}

/// One end that has rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cap {
    /// Which.
    pub end: End,
    selected: u64,
    all: u64,
}

impl Cap {
    /// How many rows it has.
    pub(super) fn text(&self) -> String {
        let of = match self.all == self.selected {
            true => String::new(),
            false => format!("{} of ", group_digits(self.selected)),
        };
        format!("{}   {of}{}", self.end.what(), readout::rows(self.all))
    }

    /// Its bar takes the click, and the label below it.
    pub(super) fn sensitive(column: Rect) -> Rect {
        Rect::from_min_max(column.min - vec2(2.0, 0.0), column.max + vec2(2.0, 18.0))
    }
}

/// The ends of an axis that have rows.
pub(super) struct Caps {
    caps: Vec<Cap>,
    bins: Bins,
}

impl Caps {
    pub(super) fn of(grid: &Grid, ghost: Option<&Grid>) -> Caps {
        let bins = grid.axes[0].clone();
        let ends = [(End::Under, bins.under()), (End::Over, bins.over()), (End::Missing, bins.missing())];
        let cap = |(end, slot): (End, usize)| {
            let selected = grid.counts[slot];
            let all = ghost.map_or(selected, |ghost| ghost.counts[slot]).max(selected);
            (all > 0).then_some(Cap { end, selected, all })
        };
        Caps { caps: ends.into_iter().filter_map(cap).collect(), bins }
    }

    fn on_the_left(&self) -> usize {
        self.caps.iter().filter(|cap| cap.end == End::Under).count()
    }

    /// Room needed left of the picture.
    pub(super) fn left(&self) -> f32 {
        (WIDTH + GAP) * self.on_the_left() as f32
    }

    /// Room needed right of it.
    pub(super) fn right(&self) -> f32 {
        (WIDTH + GAP) * (self.caps.len() - self.on_the_left()) as f32
    }

    /// Each with its column beside `plot`.
    pub(super) fn places(&self, plot: Rect) -> Vec<(Cap, Rect)> {
        let column =
            |left: f32| Rect::from_min_max(pos2(left, plot.top()), pos2(left + WIDTH, plot.bottom()));
        let mut right = plot.right() + GAP;
        let mut place = |cap: &Cap| {
            if cap.end == End::Under {
                return (*cap, column(plot.left() - GAP - WIDTH));
            }
            right += WIDTH + GAP;
            (*cap, column(right - WIDTH - GAP))
        };
        self.caps.iter().map(&mut place).collect()
    }

    pub(super) fn paint(
        &self,
        painter: &Painter,
        theme: &Theme,
        plot: Rect,
        values: &ValueAxis,
        full: Color32,
        own: Option<&Own>,
    ) {
        for (cap, column) in self.places(plot) {
            let bar = |rows: u64| {
                let least = if rows > 0 { 2.0 } else { 0.0 };
                let height = (plot.height() * values.position(rows as f64)).max(least);
                Rect::from_min_max(pos2(column.left(), column.bottom() - height), column.max)
            };
            let passes = own.is_none_or(|own| own.passing().holds(&cap.end.values(&self.bins)));
            let color = match (passes, cap.end) {
                (false, _) => theme.accent_pale,
                (true, End::Missing) if own.is_none() => theme.missing,
                (true, _) => full,
            };
            painter.rect_filled(bar(cap.all), CornerRadius::ZERO, theme.ghost);
            painter.rect_filled(bar(cap.selected), CornerRadius::ZERO, color);
            if values.is_exceeded_by(cap.all as f64) {
                // A broken bar: more than the axis shows.
                let y = column.top() + 14.0;
                let cut = [pos2(column.left() - 2.0, y + 3.0), pos2(column.right() + 2.0, y - 3.0)];
                painter.line_segment(cut, Stroke::new(3.0, theme.canvas));
            }
            let at = pos2(column.center().x, plot.bottom() + 5.0);
            painter.text(at, Align2::CENTER_TOP, cap.end.label(), theme.small(), theme.faint);
        }
    }

    /// The end under the pointer.
    pub(super) fn under(&self, at: Pos2, plot: Rect) -> Option<Cap> {
        let near = |(_, column): &(Cap, Rect)| Cap::sensitive(*column).contains(at);
        self.places(plot).into_iter().find(near).map(|(cap, _)| cap)
    }
}
