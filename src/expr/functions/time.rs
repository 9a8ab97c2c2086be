//! Dates, times and durations.

use arrow::array::ArrayRef;
use arrow::compute::{DatePart, cast, date_part};
use arrow::datatypes::{DataType, TimeUnit};
use arrow::error::ArrowError;

use super::super::tree::Expr;
use super::super::typing::{Mistake, Typing, describe, is_time, plain};
use super::{Arguments, BASE, Family, Function};

const TIME: Function = Function { family: Family::Time, keeps_weak: false, dates: true, ..BASE };

macro_rules! part {
    ($name:literal, $aliases:expr, $doc:literal, $example:literal, $part:expr) => {
        Function {
            name: $name,
            aliases: $aliases,
            signature: concat!($name, "(time)"),
            doc: $doc,
            example: $example,
            types: part_types,
            kernel: |a| part(a, $part),
            ..TIME
        }
    };
}

/// The entries of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    part!("year", &["dt_year"], "The year.", "year(2015-01-31) = 2015", DatePart::Year),
    part!(
        "quarter",
        &["dt_quarter"],
        "The quarter of the year, 1 to 4.",
        "quarter(2015-04-01) = 2",
        DatePart::Quarter
    ),
    part!("month", &["dt_month"], "The month, 1 to 12.", "month(2015-01-31) = 1", DatePart::Month),
    part!(
        "week",
        &["dt_weekofyear", "dt_week", "weekofyear"],
        "The ISO week of the year, 1 to 53.",
        "week(2015-01-31) = 5",
        DatePart::WeekISO
    ),
    part!("day", &["dt_day"], "The day of the month, 1 to 31.", "day(2015-01-31) = 31", DatePart::Day),
    part!(
        "dayofyear",
        &["dt_dayofyear"],
        "The day of the year, 1 to 366.",
        "dayofyear(2015-01-31) = 31",
        DatePart::DayOfYear
    ),
    part!(
        "dayofweek",
        &["dt_dayofweek", "weekday", "dt_weekday"],
        "The day of the week, Monday being 0.",
        "dayofweek(2015-01-31) = 5",
        DatePart::DayOfWeekMonday0
    ),
    part!(
        "hour",
        &["dt_hour"],
        "The hour of the day, 0 to 23.",
        "hour(2015-01-31T12:30) = 12",
        DatePart::Hour
    ),
    part!(
        "minute",
        &["dt_minute"],
        "The minute of the hour, 0 to 59.",
        "minute(2015-01-31T12:30) = 30",
        DatePart::Minute
    ),
    part!(
        "second",
        &["dt_second"],
        "The second of the minute, 0 to 59.",
        "second(2015-01-31T12:30:05) = 5",
        DatePart::Second
    ),
];

fn expect_time(arguments: &[Expr], i: usize) -> Result<(), Mistake> {
    match arguments[i].data_type() {
        t if is_time(t) => Ok(()),
        t => Err(Mistake::at(i, format!("a date or time is expected here, not {}", describe(t)))),
    }
}

fn part_types(arguments: &[Expr]) -> Result<Typing, Mistake> {
    expect_time(arguments, 0)?;
    let own = match plain(arguments[0].data_type()) {
        DataType::Date64 => DataType::Timestamp(TimeUnit::Millisecond, None),
        other => other.clone(),
    };
    Typing::new(vec![own], DataType::Int64)
}

fn part(a: &Arguments, part: DatePart) -> Result<ArrayRef, ArrowError> {
    cast(&date_part(a.array(0), part)?, &DataType::Int64)
}
