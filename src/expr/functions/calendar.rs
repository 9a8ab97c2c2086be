//! Times cut to calendar bins: the beginning of the hour, the week, the quarter.

use std::str::FromStr;
use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit};
use arrow::error::ArrowError;
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone};

use super::super::literal::Literal;
use super::super::tree::Expr;
use super::super::typing::{Mistake, Typing, expect_literal, unit, zone};
use super::text::text_argument;
use super::time::{TIME, expect_time, own_time};
use super::{Arguments, Function};

/// The entries of this family.
pub(super) const FUNCTIONS: &[Function] = &[Function {
    name: "dt_floor",
    aliases: &["date_trunc", "floor_time"],
    arity: (2, 2),
    signature: "dt_floor(time, bin)",
    doc: "The beginning of the calendar bin a time lies in, on its own clock: '15 min', '1h', 'D', 'W' (from Monday), 'M', 'Q', 'Y'.",
    example: "dt_floor(2015-05-20T12:34, 'M') = 2015-05-01",
    dates: false,
    types: floor_types,
    kernel: floor,
    ..TIME
}];

/// A calendar bin.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Bin {
    /// So many nanoseconds, counted from 1970-01-01; a divisor or multiple of a day.
    Fixed(i64),
    /// So many weeks, counted from a Monday.
    Weeks(i64),
    Months(i64),
}

impl Bin {
    /// Reads `15 min`, `1h`, `D`, `quarter`.
    fn parse(text: &str) -> Option<Bin> {
        let text = text.trim();
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let count: i64 = if digits == 0 {
            1
        } else {
            text[..digits].parse().ok().filter(|n| (1..=100_000).contains(n))?
        };
        let nanos = |each: i64| count.checked_mul(each).map(Bin::Fixed);
        match text[digits..].trim() {
            "ns" | "nanosecond" | "nanoseconds" => nanos(1),
            "us" | "microsecond" | "microseconds" => nanos(1_000),
            "ms" | "millisecond" | "milliseconds" | "L" => nanos(1_000_000),
            "s" | "S" | "sec" | "second" | "seconds" => nanos(1_000_000_000),
            "m" | "min" | "T" | "minute" | "minutes" => nanos(60_000_000_000),
            "h" | "H" | "hour" | "hours" => nanos(3_600_000_000_000),
            "d" | "D" | "day" | "days" => nanos(86_400_000_000_000),
            "w" | "W" | "week" | "weeks" => Some(Bin::Weeks(count)),
            "M" | "MS" | "mo" | "month" | "months" => Some(Bin::Months(count)),
            "q" | "Q" | "QS" | "quarter" | "quarters" => Some(Bin::Months(3 * count)),
            "y" | "Y" | "YS" | "A" | "year" | "years" => Some(Bin::Months(12 * count)),
            _ => None,
        }
    }
}

fn floor_types(arguments: &[Expr]) -> Result<Typing, Mistake> {
    expect_time(arguments, 0)?;
    let bin = match expect_literal(arguments, 1, "a bin")? {
        Literal::Text(text) => Bin::parse(&text),
        _ => None,
    };
    if bin.is_none() {
        return Err(Mistake::at(1, "a bin as '15 min', 'h', 'D', 'W', 'M', 'Q' or 'Y' is expected here"));
    }
    let own = match own_time(&arguments[0]) {
        DataType::Date32 => DataType::Timestamp(TimeUnit::Second, None),
        other => other,
    };
    Typing::new(vec![own.clone(), DataType::Utf8], own)
}

fn floor(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    let wrong = || ArrowError::InvalidArgumentError("this is no calendar bin".to_owned());
    let bin = text_argument(a, 1).and_then(Bin::parse).ok_or_else(wrong)?;
    let zone = zone(a.array(0).data_type()).map(|z| Tz::from_str(&z)).transpose()?;
    let per_second: i64 = match unit(a.array(0).data_type()) {
        Some(TimeUnit::Millisecond) => 1_000,
        Some(TimeUnit::Microsecond) => 1_000_000,
        Some(TimeUnit::Nanosecond) => 1_000_000_000,
        _ => 1,
    };
    let values = cast(a.array(0), &DataType::Int64)?;
    let values = values.as_primitive::<Int64Type>();
    let result: Int64Array = match (bin, &zone) {
        (Bin::Fixed(nanos), None) => {
            let each = nanos / (1_000_000_000 / per_second);
            if each <= 1 { values.clone() } else { values.unary_opt(|v| v.checked_sub(v.rem_euclid(each))) }
        }
        _ => values.unary_opt(|v| floor_one(v, bin, zone.as_ref(), per_second)),
    };
    let result: ArrayRef = Arc::new(result);
    cast(&result, a.output)
}

/// The beginning of the bin on the wall clock, brought back to UTC; where clocks go back, the earlier.
fn floor_one(value: i64, bin: Bin, zone: Option<&Tz>, per_second: i64) -> Option<i64> {
    let nanos = u32::try_from(value.rem_euclid(per_second) * (1_000_000_000 / per_second)).ok()?;
    let utc = DateTime::from_timestamp(value.div_euclid(per_second), nanos)?.naive_utc();
    let offset =
        |zone: &Tz, at: &NaiveDateTime| i64::from(zone.offset_from_utc_datetime(at).fix().local_minus_utc());
    let shift = zone.map_or(0, |zone| offset(zone, &utc));
    let wall = utc.checked_add_signed(chrono::TimeDelta::seconds(shift))?;
    let floor = match bin {
        Bin::Fixed(nanos) => {
            let seconds = wall.and_utc().timestamp();
            let whole =
                i128::from(seconds) * 1_000_000_000 + i128::from(wall.and_utc().timestamp_subsec_nanos());
            let floor = whole - whole.rem_euclid(i128::from(nanos));
            let (seconds, rest) = (floor.div_euclid(1_000_000_000), floor.rem_euclid(1_000_000_000));
            DateTime::from_timestamp(i64::try_from(seconds).ok()?, u32::try_from(rest).ok()?)?.naive_utc()
        }
        Bin::Weeks(weeks) => {
            // 1970-01-05 is a Monday.
            let days = i64::from(wall.date().num_days_from_ce()) - 719_167;
            let first = wall
                .date()
                .checked_sub_days(chrono::Days::new(u64::try_from(days.rem_euclid(7 * weeks)).ok()?))?;
            first.and_time(NaiveTime::MIN)
        }
        Bin::Months(months) => {
            let index = i64::from(wall.year()) * 12 + i64::from(wall.month0());
            let first = index - (index - 1970 * 12).rem_euclid(months);
            let year = i32::try_from(first.div_euclid(12)).ok()?;
            NaiveDate::from_ymd_opt(year, u32::try_from(first.rem_euclid(12)).ok()? + 1, 1)?
                .and_time(NaiveTime::MIN)
        }
    };
    let back = match zone {
        None => floor,
        Some(zone) => match zone.offset_from_local_datetime(&floor).earliest() {
            Some(offset) => floor.checked_sub_offset(offset.fix())?,
            // The clock skips the beginning of the bin: the bin begins as the clock goes on.
            None => floor.checked_sub_signed(chrono::TimeDelta::seconds(shift))?,
        },
    };
    let utc = back.and_utc();
    let parts = i64::from(utc.timestamp_subsec_nanos()) / (1_000_000_000 / per_second);
    utc.timestamp().checked_mul(per_second)?.checked_add(parts)
}
