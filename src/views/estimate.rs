//! What comes from a sample: said so, with the share read and the error drawn.

use egui::{Painter, Stroke};

use super::Theme;
use super::paint::axis::AxisMap;
use super::paint::readout;
use crate::data::si;
use crate::query::{Accuracy, Answer, Estimate, TWO_SIDED_95};

/// Where the value of a cell lies in 95 of 100 cases; `None` where the sample does not tell.
pub(super) fn bounds(estimate: &Estimate, cell: usize, is_count: bool, value: f64) -> Option<(f64, f64)> {
    if is_count {
        return Some(estimate.count_range(cell)).filter(|(_, most)| most.is_finite());
    }
    match estimate.measures.first()? {
        Accuracy::Errors(errors) => {
            let error = *errors.get(cell)? * TWO_SIDED_95;
            error.is_finite().then_some((value - error, value + error))
        }
        Accuracy::Bound => None,
    }
}

/// An upright line over each bar that shows where it ends in 95 of 100 cases.
pub(super) fn whiskers(
    painter: &Painter,
    theme: &Theme,
    map: &AxisMap,
    bounds: impl Fn(usize) -> Option<(f64, f64)>,
    y: impl Fn(f64) -> f32,
) {
    let stroke = Stroke::new(1.0, theme.text);
    for bin in 0..map.bins.count() {
        let Some((low, high)) = bounds(bin) else { continue };
        let (top, bottom) = (y(high), y(low));
        if bottom - top > 1.0 {
            let x = ((map.edge(bin) + map.edge(bin + 1)) / 2.0).round() - 0.5;
            painter.vline(x, top..=bottom, stroke);
        }
    }
}

/// `≈ 1.0 % of the rows read`.
pub(super) fn text(estimate: &Estimate) -> String {
    format!("≈ {} of the rows read", readout::share(estimate.rows_read, estimate.rows))
}

/// A count and where it lies: `≈ 12 345 rows (12.1 k … 12.6 k)`.
pub(super) fn count_text(estimate: &Estimate, cell: usize) -> String {
    let count = match estimate.answer.as_ref() {
        Answer::Grid(grid) => grid.counts.get(cell).copied(),
        Answer::Groups(groups) => groups.counts.get(cell).copied(),
        _ => None,
    };
    let (low, high) = estimate.count_range(cell);
    match count.unwrap_or(0) {
        0 => format!("no row in the sample: at most {} rows", si(high.round())),
        count => {
            format!("≈ {} ({} … {})", readout::rows(count), si(low.round()), si(high.round()))
        }
    }
}
