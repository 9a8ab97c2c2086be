//! Points and lengths of time as NumPy stores them: 64-bit counts of a unit named in an attribute.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, PrimitiveArray};
use arrow::buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, DurationMicrosecondType, DurationMillisecondType,
    DurationNanosecondType, DurationSecondType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use chrono::NaiveDate;

use crate::kernel::total::extreme_whole;

/// NumPy's "not a time".
const NOT_A_TIME: i64 = i64::MIN;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Counts are already of this unit.
    Exact(TimeUnit),
    /// Counts are multiplied into seconds.
    Seconds(i64),
    /// Counts are multiplied into days.
    Days(i64),
    /// Counts are months since January 1970, `n` at a time.
    Months(i64),
}

/// A `datetime64` or `timedelta64` type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time {
    is_length: bool,
    step: Step,
}

impl Time {
    /// Reads the NumPy name of a type: `datetime64[ns]`, `timedelta64[ms]`, `<M8[us]`, `m8[s]`.
    /// `None` when it names none, or one that has no exact counterpart (picoseconds, `10ns`, months
    /// as a length).
    pub(super) fn parse(name: &str) -> Option<Time> {
        let name = name.trim_start_matches(['<', '>', '=', '|']);
        let (kind, rest) = name.split_once('[')?;
        let is_length = match kind {
            "datetime64" | "M8" => false,
            "timedelta64" | "m8" => true,
            _ => return None,
        };
        let step = match (rest.strip_suffix(']')?, is_length) {
            ("ns", _) => Step::Exact(TimeUnit::Nanosecond),
            ("us", _) => Step::Exact(TimeUnit::Microsecond),
            ("ms", _) => Step::Exact(TimeUnit::Millisecond),
            ("s", _) => Step::Exact(TimeUnit::Second),
            ("m", _) => Step::Seconds(60),
            ("h", _) => Step::Seconds(3600),
            ("D", true) => Step::Seconds(86_400),
            ("W", true) => Step::Seconds(7 * 86_400),
            ("D", false) => Step::Days(1),
            ("W", false) => Step::Days(7),
            ("M", false) => Step::Months(1),
            ("Y", false) => Step::Months(12),
            _ => return None,
        };
        Some(Time { is_length, step })
    }

    fn unit(self) -> TimeUnit {
        match self.step {
            Step::Exact(unit) => unit,
            _ => TimeUnit::Second,
        }
    }

    /// The type of the arrays made of it.
    pub(super) fn data_type(self) -> DataType {
        match (self.is_length, self.step) {
            (true, _) => DataType::Duration(self.unit()),
            (false, Step::Days(_) | Step::Months(_)) => DataType::Date32,
            (false, _) => DataType::Timestamp(self.unit(), None),
        }
    }

    /// The counts as an array. "Not a time", and what the type cannot hold, is missing.
    pub(super) fn array(self, counts: ScalarBuffer<i64>, nulls: Option<NullBuffer>) -> ArrayRef {
        match self.step {
            Step::Exact(unit) => {
                // "Not a time" is the least of all numbers.
                let mut least = 0;
                extreme_whole(&counts, &mut least, false);
                let nulls = if least == NOT_A_TIME {
                    let valid = BooleanBuffer::collect_bool(counts.len(), |i| counts[i] != NOT_A_TIME);
                    NullBuffer::union(nulls.as_ref(), Some(&NullBuffer::new(valid)))
                } else {
                    nulls
                };
                match (self.is_length, unit) {
                    (false, TimeUnit::Second) => made::<TimestampSecondType>(counts, nulls),
                    (false, TimeUnit::Millisecond) => made::<TimestampMillisecondType>(counts, nulls),
                    (false, TimeUnit::Microsecond) => made::<TimestampMicrosecondType>(counts, nulls),
                    (false, TimeUnit::Nanosecond) => made::<TimestampNanosecondType>(counts, nulls),
                    (true, TimeUnit::Second) => made::<DurationSecondType>(counts, nulls),
                    (true, TimeUnit::Millisecond) => made::<DurationMillisecondType>(counts, nulls),
                    (true, TimeUnit::Microsecond) => made::<DurationMicrosecondType>(counts, nulls),
                    (true, TimeUnit::Nanosecond) => made::<DurationNanosecondType>(counts, nulls),
                }
            }
            Step::Seconds(factor) if self.is_length => {
                converted::<DurationSecondType>(&counts, nulls, |count| count.checked_mul(factor))
            }
            Step::Seconds(factor) => {
                converted::<TimestampSecondType>(&counts, nulls, |count| count.checked_mul(factor))
            }
            Step::Days(factor) => converted::<Date32Type>(&counts, nulls, |count| {
                i32::try_from(count.checked_mul(factor)?).ok()
            }),
            Step::Months(factor) => {
                converted::<Date32Type>(&counts, nulls, |count| days_of_month(count.checked_mul(factor)?))
            }
        }
    }
}

fn days_of_month(month: i64) -> Option<i32> {
    let year = i32::try_from(1970_i64.checked_add(month.div_euclid(12))?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, month.rem_euclid(12) as u32 + 1, 1)?;
    i32::try_from(date.signed_duration_since(NaiveDate::default()).num_days()).ok()
}

fn made<T: ArrowPrimitiveType>(values: ScalarBuffer<T::Native>, nulls: Option<NullBuffer>) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::new(values, nulls))
}

fn converted<T: ArrowPrimitiveType>(
    counts: &ScalarBuffer<i64>,
    nulls: Option<NullBuffer>,
    convert: impl Fn(i64) -> Option<T::Native>,
) -> ArrayRef {
    let values: PrimitiveArray<T> =
        counts.iter().map(|&count| if count == NOT_A_TIME { None } else { convert(count) }).collect();
    let nulls = NullBuffer::union(values.nulls(), nulls.as_ref());
    made::<T>(values.values().clone(), nulls)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::AsArray;

    #[test]
    fn months_become_the_first_day_of_the_month() {
        let time = Time::parse("datetime64[M]").unwrap();
        let array = time.array(ScalarBuffer::from(vec![0, 1, -1, 24, i64::MAX, NOT_A_TIME]), None);
        let days: Vec<Option<i32>> = array.as_primitive::<Date32Type>().iter().collect();
        assert_eq!(days, [Some(0), Some(31), Some(-31), Some(730), None, None]);
    }

    #[test]
    fn a_count_too_large_for_its_type_is_missing_and_never_wrapped() {
        let hours = Time::parse("timedelta64[h]").unwrap();
        let array = hours.array(ScalarBuffer::from(vec![2, i64::MAX]), None);
        let seconds: Vec<Option<i64>> = array.as_primitive::<DurationSecondType>().iter().collect();
        assert_eq!(seconds, [Some(7200), None]);
    }

    #[test]
    fn only_exact_units_are_times() {
        assert!(Time::parse("<M8[ns]").is_some());
        for name in
            ["datetime64[ps]", "timedelta64[M]", "datetime64[10ns]", "float64", "str", "M8[", "datetime64"]
        {
            assert_eq!(Time::parse(name), None, "{name}");
        }
    }
}
