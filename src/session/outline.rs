//! Where an axis begins and ends so that its picture tells something.
//!
//! One value far from all others squashes a histogram into a single bar. An axis that is to be telling
//! therefore covers the middle 99 % of the rows where the full extent would leave nine tenths of them less
//! than a quarter of its length; what lies outside is counted beside it. The quantiles are read off a fine
//! histogram, cut again inside where outliers make even that too coarse.

use std::sync::Arc;

use super::questions::{self, edge_above};
use super::{AxisSpec, Fit};
use crate::aggregate::{Bins, Grid, Scale};
use crate::dataset::Dataset;
use crate::expr::Expr;
use crate::query::{Answer, Ask, Axis, Question};
use crate::select::Selection;

/// Bins of one look.
const FINE: usize = 1 << 12;
/// Most looks; each sees 4096 times as finely as the one before.
const LOOKS: usize = 3;
/// Least share of a telling axis that holds nine tenths of the rows.
const LEAST_SHARE: f64 = 0.25;
/// Fewer rows than this have no quantiles worth the name.
const LEAST_ROWS: u64 = 200;

/// Where an axis begins and ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ends {
    /// Its first and its last value.
    pub range: [f64; 2],
    /// Whether it leaves out half a per cent of the rows at either end.
    pub is_middle: bool,
}

/// The ends of an axis without a range of its own. `ask` answers questions of all rows, or says why not;
/// the answer is `None` where there is no finite value.
///
/// # Errors
/// What `ask` says.
pub fn ends<E>(
    dataset: &Arc<Dataset>,
    spec: &AxisSpec,
    expr: &Expr,
    mut ask: impl FnMut(&Question) -> Result<Arc<Answer>, E>,
) -> Result<Option<Ends>, E> {
    let Some(question) = questions::extent(dataset, expr, spec.scale()) else { return Ok(None) };
    let Some(extent) = questions::extent_of(ask(&question)?.as_ref()) else { return Ok(None) };
    let full = Ends { range: extent, is_middle: false };
    if spec.fit == Fit::Full {
        return Ok(Some(full));
    }
    let mut around = [extent[0], edge_above(extent[1], expr.data_type())];
    for _ in 0..LOOKS {
        let Ok(bins) = Bins::new(around[0], around[1], FINE, spec.scale()) else { break };
        let axes = vec![Axis { expr: expr.clone(), bins: bins.clone() }];
        let ask_grid = Ask::Grid { axes, measures: Vec::new() };
        let answer = ask(&Question::new(dataset.clone(), Selection::all(), ask_grid))?;
        let Some(grid) = answer.grid() else { break };
        let Some([bulk, middle]) = quantiles(grid) else { break };
        if middle[1] - middle[0] <= 1 {
            around = edges(&bins, middle);
            continue;
        }
        let whole = length(extent, spec.scale());
        let is_squashed = length(edges(&bins, bulk), spec.scale()) < LEAST_SHARE * whole;
        let is_wanted = spec.fit == Fit::Middle || is_squashed;
        // The last edge of a look lies beyond the values; the extent does not.
        let [lo, hi] = edges(&bins, middle);
        let range = [lo.max(extent[0]), hi.min(extent[1])];
        let is_middle = is_wanted && range[0] < range[1];
        return Ok(Some(if is_middle { Ends { range, is_middle } } else { full }));
    }
    Ok(Some(full))
}

/// The bins that hold the middle 90 % of the rows on an axis or beyond it, and the middle 99 %, each from a
/// first to a bin after the last.
fn quantiles(grid: &Grid) -> Option<[[usize; 2]; 2]> {
    let bins = &grid.axes[0];
    let (under, over) = (grid.counts[bins.under()], grid.counts[bins.over()]);
    let counts = &grid.counts[..bins.count()];
    let total = under + over + counts.iter().sum::<u64>();
    if total < LEAST_ROWS {
        return None;
    }
    let without = |left_out: u64| {
        let (mut below, mut first, mut last) = (under, 0, bins.count());
        for (bin, count) in counts.iter().enumerate() {
            if below <= left_out {
                first = bin;
            }
            below += count;
            if below >= total - left_out {
                last = bin + 1;
                break;
            }
        }
        [first, last]
    };
    Some([without(total / 20), without(total / 200)])
}

fn edges(bins: &Bins, [first, last]: [usize; 2]) -> [f64; 2] {
    [bins.edges()[first], bins.edges()[last]]
}

fn length([lo, hi]: [f64; 2], scale: Scale) -> f64 {
    match scale {
        Scale::Linear => hi - lo,
        Scale::Log => (hi / lo).ln(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::MemorySource;
    use crate::query::{ScanOptions, Workers, scan};
    use crate::task::Task;
    use arrow::array::{ArrayRef, Float64Array};

    fn ends_of(values: Vec<f64>, fit: Fit, log: bool) -> Option<Ends> {
        let column: ArrayRef = Arc::new(Float64Array::from(values));
        let dataset = Arc::new(Dataset::new(Arc::new(MemorySource::of(vec![("x", column)]))));
        let expr = Expr::parse("x", dataset.schema()).unwrap();
        let spec = AxisSpec { fit, log, ..AxisSpec::of("x") };
        let workers = Workers::new(1).unwrap();
        let ask = |question: &Question| {
            let questions = std::slice::from_ref(question);
            scan(questions, &workers, ScanOptions::default(), &Task::detached())
                .map(|mut answers| Arc::new(answers.remove(0)))
        };
        ends(&dataset, &spec, &expr, ask).unwrap()
    }

    fn spread(n: usize) -> Vec<f64> {
        (0..n).map(|i| i as f64 / n as f64 * 30.0).collect()
    }

    #[test]
    fn values_all_over_the_axis_keep_their_full_extent() {
        let found = ends_of(spread(1000), Fit::Telling, false).unwrap();
        assert_eq!(found, Ends { range: [0.0, 29.97], is_middle: false });
        let middle = ends_of(spread(1000), Fit::Middle, false).unwrap();
        assert!(middle.is_middle && middle.range[0] > 0.1 && middle.range[1] < 29.9, "{middle:?}");
    }

    #[test]
    fn one_value_far_away_is_left_outside_however_far() {
        for far in [1e3, 1e6, 1e9, -1e9] {
            let mut values = spread(1000);
            values.push(far);
            let found = ends_of(values.clone(), Fit::Telling, false).unwrap();
            assert!(found.is_middle, "{far}");
            assert!(found.range[0] >= -1.0 && found.range[1] <= 31.0, "{far}: {found:?}");
            assert!(found.range[1] - found.range[0] > 25.0, "{far}: {found:?}");
            let inside = values.iter().filter(|x| (found.range[0]..=found.range[1]).contains(x)).count();
            assert!(inside as f64 >= 0.985 * values.len() as f64, "{inside}");
            assert!(!ends_of(values, Fit::Full, false).unwrap().is_middle);
        }
    }

    #[test]
    fn one_value_nearly_always_is_no_axis() {
        let mut values = vec![0.0; 10_000];
        values.extend([1.0, 2.0, 5.0]);
        assert_eq!(ends_of(values, Fit::Telling, false).unwrap().range, [0.0, 5.0]);
    }

    #[test]
    fn a_few_rows_none_and_a_logarithm_have_ends_too() {
        assert_eq!(ends_of(vec![3.0, 1.0, 1e9], Fit::Telling, false).unwrap().range, [1.0, 1e9]);
        assert_eq!(ends_of(vec![f64::NAN], Fit::Telling, false), None);
        let powers: Vec<f64> = (0..1000).map(|i| 10f64.powf(f64::from(i) / 100.0)).collect();
        let found = ends_of(powers, Fit::Telling, true).unwrap();
        assert!(!found.is_middle, "even on a logarithmic axis: {found:?}");
    }
}
