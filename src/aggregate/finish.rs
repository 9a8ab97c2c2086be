//! From lanes to the numbers a person reads.

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Float64Array, Int64Array, UInt64Array, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::DataType;

use super::lanes::{Lane, Lanes, Store};
use crate::kernel::fold::Shifted;

/// Digits of the decimal that holds integer sums beyond 64 bits.
const SUM_DIGITS: u8 = 38;

type Value<'a> = Option<&'a DataType>;

pub(super) fn count(lanes: &Lanes, value: Option<usize>, _: Value<'_>, cells: usize) -> ArrayRef {
    let at = |i: usize| value.map_or_else(|| lanes.rows_at(i), |v| lanes.present_at(v, i));
    Arc::new(UInt64Array::from_iter_values((0..cells).map(at)))
}

/// Integer sums as `Int64` when all fit, else as `Decimal128(38, 0)`; durations stay durations.
pub(super) fn sum(lanes: &Lanes, value: Option<usize>, value_type: Value<'_>, cells: usize) -> ArrayRef {
    let Some(value) = value else { return absent(cells) };
    match lanes.store(value, Lane::Sum) {
        Some(Store::Floats(sums)) => {
            Arc::new(Float64Array::from_iter_values(sums[..cells].iter().map(|sum| sum.value())))
        }
        Some(Store::Integers(sums)) => {
            let sums = &sums[..cells];
            if sums.iter().all(|&sum| i64::try_from(sum).is_ok()) {
                let whole: ArrayRef =
                    Arc::new(Int64Array::from_iter_values(sums.iter().map(|&sum| sum as i64)));
                match value_type {
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
        _ => absent(cells),
    }
}

/// Means are `f64`; of times and durations they are rounded down to the column's own unit.
pub(super) fn mean(lanes: &Lanes, value: Option<usize>, value_type: Value<'_>, cells: usize) -> ArrayRef {
    let Some(value) = value else { return absent(cells) };
    let count = |i: usize| lanes.present_at(value, i);
    match (lanes.store(value, Lane::Sum), value_type) {
        (Some(Store::Floats(sums)), _) => {
            let means = (0..cells).map(|i| (count(i) > 0).then(|| sums[i].value() / count(i) as f64));
            Arc::new(means.collect::<Float64Array>())
        }
        (Some(Store::Integers(sums)), Some(data_type)) if data_type.is_temporal() => {
            let means =
                (0..cells).map(|i| (count(i) > 0).then(|| sums[i].div_euclid(i128::from(count(i))) as i64));
            whole_as(means.collect(), data_type)
        }
        (Some(Store::Integers(sums)), _) => {
            let means = (0..cells).map(|i| (count(i) > 0).then(|| divide(sums[i], count(i))));
            Arc::new(means.collect::<Float64Array>())
        }
        _ => absent(cells),
    }
}

/// Smallest and largest in the value's own type; missing where a cell has no value.
pub(super) fn extreme(
    lanes: &Lanes,
    value: Option<usize>,
    value_type: Value<'_>,
    cells: usize,
    lane: Lane,
) -> ArrayRef {
    let (Some(value), Some(value_type)) = (value, value_type) else { return absent(cells) };
    let count = |i: usize| lanes.present_at(value, i);
    let target = match value_type {
        DataType::Dictionary(_, values) => values.as_ref(),
        other => other,
    };
    match lanes.store(value, lane) {
        Some(Store::Signed(best)) => {
            whole_as((0..cells).map(|i| (count(i) > 0).then(|| best[i])).collect(), target)
        }
        Some(Store::Unsigned(best)) => {
            let array: ArrayRef =
                Arc::new((0..cells).map(|i| (count(i) > 0).then(|| best[i])).collect::<UInt64Array>());
            cast(&array, target).unwrap_or(array)
        }
        Some(Store::Real(best)) => {
            // Of -0.0 and 0.0, which are equal, neither may depend on the order of rows: both become 0.0.
            // Among the finite, an untouched cell still holds the infinity it began with.
            let found =
                |i: usize| count(i) > 0 && (matches!(lane, Lane::Min | Lane::Max) || best[i].is_finite());
            let array: ArrayRef =
                Arc::new((0..cells).map(|i| found(i).then(|| best[i] + 0.0)).collect::<Float64Array>());
            match target {
                DataType::Float32 | DataType::Float16 => cast(&array, target).unwrap_or(array),
                _ => array,
            }
        }
        _ => absent(cells),
    }
}

/// Variance with divisor `count - ddof`, finished by `finish`; missing where the divisor is not positive.
pub(super) fn spread(
    lanes: &Lanes,
    value: Option<usize>,
    cells: usize,
    ddof: u64,
    finish: fn(f64) -> f64,
) -> ArrayRef {
    let Some(Store::Moments(moments)) = value.and_then(|v| lanes.store(v, Lane::Moments)) else {
        return absent(cells);
    };
    let spreads = moments[..cells].iter().map(|m| variance(m, ddof).map(finish));
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

/// `sum / count` with the whole part and the rest divided apart, so that large sums keep their digits.
fn divide(sum: i128, count: u64) -> f64 {
    let count_wide = i128::from(count);
    let whole = sum.div_euclid(count_wide);
    let rest = sum.rem_euclid(count_wide);
    whole as f64 + rest as f64 / count as f64
}

fn whole_as(values: Int64Array, data_type: &DataType) -> ArrayRef {
    let array: ArrayRef = Arc::new(values);
    let narrowed = match data_type {
        DataType::Date32 => cast(&array, &DataType::Int32).and_then(|days| cast(&days, data_type)),
        _ => cast(&array, data_type),
    };
    narrowed.unwrap_or(array)
}

fn absent(cells: usize) -> ArrayRef {
    new_null_array(&DataType::Float64, cells)
}
