//! From lanes to the numbers a person reads.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int64Array, UInt64Array, new_null_array,
};
use arrow::compute::cast;
use arrow::datatypes::DataType;

use super::codes::{decoded, real, text_array};
use super::lanes::{Lane, Lanes};
use super::search::ranks;
use super::store::Store;
use super::tally::{Entry, Tally};
use super::values::{NumericKind, numeric_kind, whole_as};
use crate::kernel::fold::Shifted;
use crate::kernel::order;

/// Digits of the decimal that holds integer sums beyond 64 bits.
const SUM_DIGITS: u8 = 38;

/// The cells of one measure.
pub(super) struct Cells<'a> {
    pub(super) lanes: &'a Lanes,
    /// `None` counts rows.
    pub(super) input: Option<usize>,
    /// Elements `0..cells` are finished.
    pub(super) cells: usize,
    /// The quantile, 0 to 1.
    pub(super) quantile: f64,
}

impl<'a> Cells<'a> {
    /// Rows of cell `i` that count.
    fn count(&self, i: usize) -> u64 {
        self.input.map_or_else(|| self.lanes.rows_at(i), |input| self.lanes.counted_at(input, i))
    }

    fn store(&self, lane: Lane) -> Option<&'a Store> {
        self.lanes.store(self.input?, lane)
    }

    /// Type of the first value.
    fn value_type(&self) -> Option<&'a DataType> {
        self.lanes.types(self.input?).first()
    }

    fn absent(&self) -> ArrayRef {
        new_null_array(&DataType::Float64, self.cells)
    }
}

pub(super) fn count(cells: &Cells<'_>) -> ArrayRef {
    Arc::new(UInt64Array::from_iter_values((0..cells.cells).map(|i| cells.count(i))))
}

/// Integer sums as `Int64` when all fit, else as `Decimal128(38, 0)`; durations stay durations.
pub(super) fn sum(cells: &Cells<'_>) -> ArrayRef {
    match cells.store(Lane::Sum) {
        Some(Store::Floats(sums)) => {
            Arc::new(Float64Array::from_iter_values(sums[..cells.cells].iter().map(|sum| sum.value())))
        }
        Some(Store::Integers(sums)) => {
            let sums = &sums[..cells.cells];
            if sums.iter().all(|&sum| i64::try_from(sum).is_ok()) {
                let whole: ArrayRef =
                    Arc::new(Int64Array::from_iter_values(sums.iter().map(|&sum| sum as i64)));
                match cells.value_type() {
                    Some(duration @ DataType::Duration(_)) => cast(&whole, duration).unwrap_or(whole),
                    _ => whole,
                }
            } else {
                let decimals = Decimal128Array::from_iter_values(sums.iter().copied());
                match decimals.with_precision_and_scale(SUM_DIGITS, 0) {
                    Ok(decimals) => Arc::new(decimals),
                    Err(_) => Arc::new(Float64Array::from_iter_values(sums.iter().map(|&sum| sum as f64))),
                }
            }
        }
        _ => cells.absent(),
    }
}

/// Means are `f64`; of times and durations they are rounded down to the column's own unit.
pub(super) fn mean(cells: &Cells<'_>) -> ArrayRef {
    let count = |i: usize| cells.count(i);
    let each = 0..cells.cells;
    match (cells.store(Lane::Sum), cells.value_type()) {
        (Some(Store::Floats(sums)), _) => {
            let means = each.map(|i| (count(i) > 0).then(|| sums[i].value() / count(i) as f64));
            Arc::new(means.collect::<Float64Array>())
        }
        (Some(Store::Integers(sums)), Some(data_type)) if data_type.is_temporal() => {
            let means = each.map(|i| (count(i) > 0).then(|| sums[i].div_euclid(i128::from(count(i))) as i64));
            whole_as(means.collect(), data_type)
        }
        (Some(Store::Integers(sums)), _) => {
            let means = each.map(|i| (count(i) > 0).then(|| divide(sums[i], count(i))));
            Arc::new(means.collect::<Float64Array>())
        }
        _ => cells.absent(),
    }
}

/// Smallest and largest in the value's own type; missing where a cell has no value.
pub(super) fn extreme(cells: &Cells<'_>, lane: Lane) -> ArrayRef {
    let Some(value_type) = cells.value_type() else { return cells.absent() };
    let has = |i: usize| cells.count(i) > 0;
    let each = 0..cells.cells;
    let target = match value_type {
        DataType::Dictionary(_, values) => values.as_ref(),
        other => other,
    };
    match cells.store(lane) {
        Some(Store::Signed(best)) => whole_as(each.map(|i| has(i).then(|| best[i])).collect(), target),
        Some(Store::Unsigned(best)) => {
            let array: ArrayRef = Arc::new(each.map(|i| has(i).then(|| best[i])).collect::<UInt64Array>());
            cast(&array, target).unwrap_or(array)
        }
        Some(Store::Real(best)) => {
            // Of -0.0 and 0.0, which are equal, neither may depend on the order of rows: both become 0.0.
            // Among the finite, an untouched cell still holds the infinity it began with.
            let found = |i: usize| has(i) && (matches!(lane, Lane::Min | Lane::Max) || best[i].is_finite());
            let array: ArrayRef =
                Arc::new(each.map(|i| found(i).then(|| best[i] + 0.0)).collect::<Float64Array>());
            match target {
                DataType::Float32 | DataType::Float16 => cast(&array, target).unwrap_or(array),
                _ => array,
            }
        }
        Some(Store::Texts(best)) => text_array(best[..cells.cells].iter().map(Option::as_deref), target),
        _ => cells.absent(),
    }
}

/// Whether the greatest (or the least) truth of a cell is true; of no value what `of_none` says.
pub(super) fn truth(cells: &Cells<'_>, lane: Lane, of_none: bool) -> ArrayRef {
    let Some(Store::Signed(best)) = cells.store(lane) else {
        return new_null_array(&DataType::Boolean, cells.cells);
    };
    let truths = (0..cells.cells).map(|i| Some(if cells.count(i) > 0 { best[i] != 0 } else { of_none }));
    Arc::new(truths.collect::<BooleanArray>())
}

/// The value of the row picked, in its own type.
pub(super) fn picked(cells: &Cells<'_>, lane: Lane) -> ArrayRef {
    let Some(value_type) = cells.value_type() else { return cells.absent() };
    match cells.store(lane) {
        Some(Store::Picks(picks)) => {
            decoded(picks[..cells.cells].iter().map(|pick| pick.as_ref().map(|(.., code)| *code)), value_type)
        }
        Some(Store::TextPicks(picks)) => {
            let texts = picks[..cells.cells].iter().map(|pick| pick.as_ref().map(|(.., text)| text.as_ref()));
            text_array(texts, value_type)
        }
        _ => cells.absent(),
    }
}

/// Variance with divisor `count - ddof`, finished by `finish`; missing where the divisor is not positive.
pub(super) fn spread(cells: &Cells<'_>, ddof: u64, finish: fn(f64) -> f64) -> ArrayRef {
    let Some(Store::Moments(moments)) = cells.store(Lane::Moments) else { return cells.absent() };
    let spreads = moments[..cells.cells].iter().map(|m| variance(m, ddof).map(finish));
    Arc::new(spreads.collect::<Float64Array>())
}

fn variance(m: &Shifted, ddof: u64) -> Option<f64> {
    if m.count <= ddof {
        return None;
    }
    let squared = m.second - m.first * m.first / m.count as f64;
    // Rounding may leave a tiny negative; the NaN of infinite values must stay.
    let squared = if squared < 0.0 { 0.0 } else { squared };
    Some(squared / (m.count - ddof) as f64)
}

/// A moment of the standardised values, from their number and the sums of the second to fourth powers of
/// their deviations; missing where they do not vary.
pub(super) fn shape(cells: &Cells<'_>, finish: fn(f64, [f64; 3]) -> f64) -> ArrayRef {
    let Some(Store::Powers(powers)) = cells.store(Lane::Powers) else { return cells.absent() };
    let shapes = powers[..cells.cells].iter().map(|powers| {
        let central = powers.central();
        // Not `== 0.0`: the NaN of infinite values must stay, and rounding may leave a tiny negative.
        let is_constant = central[0] <= 0.0;
        (powers.count > 0 && !is_constant).then(|| finish(powers.count as f64, central))
    });
    Arc::new(shapes.collect::<Float64Array>())
}

/// Covariance with divisor `count - ddof`; missing where the divisor is not positive.
pub(super) fn covariance(cells: &Cells<'_>, ddof: u64) -> ArrayRef {
    let Some(Store::Products(products)) = cells.store(Lane::Products) else { return cells.absent() };
    let covariances = products[..cells.cells].iter().map(|products| {
        (products.count > ddof).then(|| products.central()[1] / (products.count - ddof) as f64)
    });
    Arc::new(covariances.collect::<Float64Array>())
}

/// Pearson's correlation; missing where one of the values does not vary.
pub(super) fn correlation(cells: &Cells<'_>) -> ArrayRef {
    let Some(Store::Products(products)) = cells.store(Lane::Products) else { return cells.absent() };
    let correlations = products[..cells.cells].iter().map(|products| {
        let [xx, xy, yy] = products.central();
        let is_constant = xx <= 0.0 || yy <= 0.0;
        // Two roots: the product of the sums may overflow or vanish.
        let r = xy / xx.sqrt() / yy.sqrt();
        (products.count > 0 && !is_constant).then(|| r.clamp(-1.0, 1.0))
    });
    Arc::new(correlations.collect::<Float64Array>())
}

fn tally<'a>(cells: &Cells<'a>, lane: Lane) -> Option<&'a Tally> {
    match cells.store(lane) {
        Some(Store::Tally(tally)) => Some(tally),
        _ => None,
    }
}

pub(super) fn distinct(cells: &Cells<'_>) -> ArrayRef {
    match cells.store(Lane::Distinct) {
        Some(Store::Tally(tally)) => Arc::new(UInt64Array::from(tally.distinct(cells.cells))),
        Some(Store::Distincts(found)) => Arc::new(UInt64Array::from(found[..cells.cells].to_vec())),
        _ => cells.absent(),
    }
}

/// The value met most often, in its own type; of several the least.
pub(super) fn mode(cells: &Cells<'_>) -> ArrayRef {
    let (Some(tally), Some(value_type)) = (tally(cells, Lane::Counts), cells.value_type()) else {
        return cells.absent();
    };
    let mut best: Vec<Option<Entry>> = vec![None; cells.cells];
    for entry in tally.sorted(cells.cells) {
        let best = &mut best[entry.cell as usize];
        if best.is_none_or(|best| entry.count > best.count) {
            *best = Some(entry);
        }
    }
    let codes = best.iter().map(|best| best.map(|entry| entry.code));
    if numeric_kind(value_type).is_some() {
        decoded(codes, value_type)
    } else {
        text_array(codes.map(|code| code.map(|code| tally.text(code))), value_type)
    }
}

/// The quantile `q`, interpolated linearly between neighbours as by numpy; of times and durations rounded
/// down to the column's own unit.
pub(super) fn quantile(cells: &Cells<'_>) -> ArrayRef {
    let (Some(store), Some(value_type)) = (cells.store(Lane::Ranks), cells.value_type()) else {
        return cells.absent();
    };
    let mut found: Vec<Option<(u64, u64, f64)>> = vec![None; cells.cells];
    let tally = match store {
        Store::Tally(tally) => tally,
        Store::Ranked(ranked) => {
            for (cell, found) in found.iter_mut().enumerate() {
                *found = ranked.at(cell as u32, cells.quantile);
            }
            return between(&found, value_type);
        }
        _ => return cells.absent(),
    };
    for entries in tally.sorted(cells.cells).chunk_by(|a, b| a.cell == b.cell) {
        let total: u64 = entries.iter().map(|entry| entry.count).sum();
        let at = |rank| value_at(tally, entries, rank, total);
        let (below, above, fraction) = ranks(cells.quantile, total);
        found[entries[0].cell as usize] = Some((at(below), at(above), fraction));
    }
    between(&found, value_type)
}

/// The code at a rank among the entries of one cell; within its bucket where digits were dropped.
fn value_at(tally: &Tally, entries: &[Entry], rank: u64, total: u64) -> u64 {
    let (least, greatest) = tally.extremes(entries[0].cell);
    if rank == 0 {
        return least;
    }
    if rank + 1 == total {
        return greatest;
    }
    let mut before = 0;
    let entry = entries.iter().find(|entry| {
        before += entry.count;
        rank < before
    });
    let half = (1u64 << tally.dropped) >> 1;
    entry.map_or(greatest, |entry| (entry.code | half).clamp(least, greatest))
}

/// Values between two codes: a fraction of the way from the lower to the upper.
fn between(found: &[Option<(u64, u64, f64)>], value_type: &DataType) -> ArrayRef {
    let kind = numeric_kind(value_type);
    // Unsigned bytes have the codes of booleans.
    let is_unsigned = kind == Some(NumericKind::Unsigned) && value_type != &DataType::UInt8;
    if value_type.is_temporal() {
        let whole = found.iter().map(|found| {
            found.map(|(low, high, fraction)| {
                let (low, high) = (order::signed(low), order::signed(high));
                low + ((i128::from(high) - i128::from(low)) as f64 * fraction).floor() as i64
            })
        });
        return whole_as(whole.collect(), value_type);
    }
    let number = |code| match kind {
        Some(NumericKind::Float) => real(code, value_type),
        _ if is_unsigned => code as f64,
        _ => order::signed(code) as f64,
    };
    let values = found
        .iter()
        .map(|found| found.map(|(low, high, fraction)| interpolated(number(low), number(high), fraction)));
    Arc::new(values.collect::<Float64Array>())
}

/// Between two neighbours, from the nearer one as numpy does; of equal ones, infinite perhaps, either.
pub(super) fn interpolated(low: f64, high: f64, fraction: f64) -> f64 {
    let step = high - low;
    match fraction {
        _ if low == high || fraction == 0.0 => low,
        near if near < 0.5 => low + step * fraction,
        _ => high - step * (1.0 - fraction),
    }
}

/// Mutual information in nats; missing where no row has both values.
pub(super) fn information(cells: &Cells<'_>) -> ArrayRef {
    match cells.store(Lane::Joint) {
        Some(Store::Joint(joint)) => Arc::new(Float64Array::from(joint.information(cells.cells))),
        _ => cells.absent(),
    }
}

/// `sum / count` with the whole part and the rest divided apart, so that large sums keep their digits.
fn divide(sum: i128, count: u64) -> f64 {
    let count_wide = i128::from(count);
    let whole = sum.div_euclid(count_wide);
    let rest = sum.rem_euclid(count_wide);
    whole as f64 + rest as f64 / count as f64
}
