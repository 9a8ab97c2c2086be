//! Dates, times and durations.

use std::str::FromStr;
use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, LargeStringArray};
use arrow::compute::{DatePart, cast, date_part};
use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;
use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Offset, TimeZone};

use super::super::literal::{Literal, parse_time};
use super::super::tree::Expr;
use super::super::typing::{
    Mistake, Typing, describe, expect_literal, expect_numbers, expect_text, is_text, is_time, plain, unit,
    zone,
};
use super::duration::{micros_of, whole_micros};
use super::text::{on_texts, text_argument};
use super::{Arguments, BASE, Family, Function, bounds, primitives};
use crate::data::Domain;
use crate::kernel::calendar::part_of_cycle;
use crate::kernel::total::extreme_whole;

/// What entries of this family share.
pub(super) const TIME: Function = Function { family: Family::Time, keeps_weak: false, dates: true, ..BASE };

macro_rules! part {
    ($name:literal, $aliases:expr, $doc:literal, $example:literal, $part:expr, $domain:expr) => {
        Function {
            name: $name,
            aliases: $aliases,
            signature: concat!($name, "(time)"),
            doc: $doc,
            example: $example,
            types: |arguments| part_types(arguments, DataType::Int64),
            kernel: |a| cast(&date_part(a.array(0), $part)?, &DataType::Int64),
            domain: $domain,
            ..TIME
        }
    };
}

/// As `part!`, for what comes round so many times after so many seconds.
macro_rules! clock {
    ($name:literal, $aliases:expr, $doc:literal, $example:literal, ($seconds:expr, $cycle:expr, $part:expr), $domain:expr) => {
        Function {
            kernel: |a| clock(a, $seconds, $cycle, $part),
            ..part!($name, $aliases, $doc, $example, $part, $domain)
        }
    };
}

macro_rules! between {
    ($min:literal, $max:literal) => {
        |_, _| Domain { nan: false, ..Domain::new($min, $max) }
    };
}

/// The entries of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    part!("year", &["dt_year"], "The year.", "year(2015-01-31) = 2015", DatePart::Year, bounds::year),
    part!(
        "quarter",
        &["dt_quarter"],
        "The quarter of the year, 1 to 4.",
        "quarter(2015-04-01) = 2",
        DatePart::Quarter,
        between!(1.0, 4.0)
    ),
    part!(
        "month",
        &["dt_month"],
        "The month, 1 to 12.",
        "month(2015-01-31) = 1",
        DatePart::Month,
        between!(1.0, 12.0)
    ),
    part!(
        "week",
        &["dt_weekofyear", "dt_week", "weekofyear"],
        "The ISO week of the year, 1 to 53.",
        "week(2015-01-31) = 5",
        DatePart::WeekISO,
        between!(1.0, 53.0)
    ),
    part!(
        "day",
        &["dt_day"],
        "The day of the month, 1 to 31.",
        "day(2015-01-31) = 31",
        DatePart::Day,
        between!(1.0, 31.0)
    ),
    part!(
        "dayofyear",
        &["dt_dayofyear"],
        "The day of the year, 1 to 366.",
        "dayofyear(2015-01-31) = 31",
        DatePart::DayOfYear,
        between!(1.0, 366.0)
    ),
    part!(
        "dayofweek",
        &["dt_dayofweek", "weekday", "dt_weekday"],
        "The day of the week, Monday being 0.",
        "dayofweek(2015-01-31) = 5",
        DatePart::DayOfWeekMonday0,
        between!(0.0, 6.0)
    ),
    clock!(
        "hour",
        &["dt_hour"],
        "The hour of the day, 0 to 23.",
        "hour(2015-01-31T12:30) = 12",
        (3600, 24, DatePart::Hour),
        between!(0.0, 23.0)
    ),
    clock!(
        "minute",
        &["dt_minute"],
        "The minute of the hour, 0 to 59.",
        "minute(2015-01-31T12:30) = 30",
        (60, 60, DatePart::Minute),
        between!(0.0, 59.0)
    ),
    clock!(
        "second",
        &["dt_second"],
        "The second of the minute, 0 to 59.",
        "second(2015-01-31T12:30:05) = 5",
        (1, 60, DatePart::Second),
        between!(0.0, 59.0)
    ),
    Function {
        name: "halfyear",
        aliases: &["dt_halfyear"],
        signature: "halfyear(time)",
        doc: "The half of the year, 1 or 2.",
        example: "halfyear(2015-08-01) = 2",
        types: |arguments| part_types(arguments, DataType::Int64),
        kernel: |a| {
            let months = cast(&date_part(a.array(0), DatePart::Month)?, &DataType::Int64)?;
            Ok(Arc::new(months.as_primitive::<Int64Type>().unary::<_, Int64Type>(|m| (m + 5) / 6)))
        },
        domain: between!(1.0, 2.0),
        ..TIME
    },
    Function {
        name: "is_leap_year",
        aliases: &["dt_is_leap_year"],
        signature: "is_leap_year(time)",
        doc: "Whether the year has 366 days.",
        example: "is_leap_year(2016-01-01) = true",
        types: |arguments| part_types(arguments, DataType::Boolean),
        kernel: |a| {
            let years = cast(&date_part(a.array(0), DatePart::Year)?, &DataType::Int64)?;
            let leap = |y: i64| y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
            Ok(Arc::new(
                years.as_primitive::<Int64Type>().iter().map(|y| y.map(leap)).collect::<BooleanArray>(),
            ))
        },
        domain: bounds::bool,
        ..TIME
    },
    Function {
        name: "month_name",
        aliases: &["dt_month_name"],
        signature: "month_name(time)",
        doc: "The English name of the month.",
        example: "month_name(2015-01-31) = 'January'",
        types: |arguments| part_types(arguments, DataType::LargeUtf8),
        kernel: |a| named(a, DatePart::Month, &MONTHS, 1),
        ..TIME
    },
    Function {
        name: "day_name",
        aliases: &["dt_day_name"],
        signature: "day_name(time)",
        doc: "The English name of the day of the week.",
        example: "day_name(2015-01-31) = 'Saturday'",
        types: |arguments| part_types(arguments, DataType::LargeUtf8),
        kernel: |a| named(a, DatePart::DayOfWeekMonday0, &DAYS, 0),
        ..TIME
    },
    Function {
        name: "date",
        aliases: &["dt_date"],
        signature: "date(time)",
        doc: "The day without the time of day.",
        example: "date(2015-01-31T12:30) = 2015-01-31",
        types: |arguments| part_types(arguments, DataType::Date32),
        kernel: |a| cast(a.array(0), &DataType::Date32),
        ..TIME
    },
    Function {
        name: "strftime",
        aliases: &["dt_strftime"],
        arity: (2, 2),
        signature: "strftime(time, format)",
        doc: "The time as text: %Y %m %d %H %M %S %b %A %j and the other codes of strftime.",
        example: "strftime(2015-01-31, '%d.%m.%Y') = '31.01.2015'",
        dates: false,
        types: strftime_types,
        kernel: strftime,
        ..TIME
    },
    Function {
        name: "parse_date",
        aliases: &["strptime", "to_datetime", "parse_datetime"],
        arity: (1, 2),
        signature: "parse_date(text, format = ISO 8601)",
        doc: "The time that a text says, read by the codes of strftime; missing if it cannot be read so.",
        example: "parse_date('31.01.2015', '%d.%m.%Y') = 2015-01-31",
        dates: false,
        types: parse_types,
        kernel: parse,
        ..TIME
    },
    Function {
        name: "datetime",
        aliases: &["scalar_datetime"],
        signature: "datetime('2015-01-31T12:00')",
        doc: "A constant time.",
        example: "datetime('2015-01-31') = 2015-01-31",
        types: |arguments| {
            if is_time(arguments[0].data_type()) {
                return Typing::new(vec![arguments[0].data_type().clone()], arguments[0].data_type().clone());
            }
            match arguments[0].as_literal() {
                Some(Literal::Text(text)) if parse_time(text).is_some() => parse_types(arguments),
                _ => Err(Mistake::at(
                    0,
                    "a date as in '2015-01-31T12:00' is expected here; parse_date reads columns",
                )),
            }
        },
        kernel: |a| if is_time(a.array(0).data_type()) { Ok(a.array(0).clone()) } else { parse(a) },
        ..TIME
    },
    Function {
        name: "to_timezone",
        aliases: &["tz_convert", "dt_tz_convert"],
        arity: (2, 2),
        signature: "to_timezone(time, zone)",
        doc: "The same moment on the clock of a zone, as 'Europe/Amsterdam' or '+02:00'; a time without a zone is taken as UTC.",
        example: "hour(to_timezone(2015-01-31T12:00, '+02:00')) = 14",
        dates: false,
        types: |arguments| zone_types(arguments, true),
        kernel: |a| match zone(a.array(0).data_type()) {
            Some(_) => cast(a.array(0), a.output),
            None => {
                let utc = DataType::Timestamp(
                    unit(a.output).unwrap_or(TimeUnit::Second),
                    Some(Arc::from("+00:00")),
                );
                cast(&cast(a.array(0), &utc)?, a.output)
            }
        },
        ..TIME
    },
    Function {
        name: "in_timezone",
        aliases: &["tz_localize", "dt_tz_localize"],
        arity: (2, 2),
        signature: "in_timezone(time, zone)",
        doc: "A time without a zone read on the clock of one; what that clock skips is missing.",
        example: "hour(in_timezone(2015-01-31T12:00, '+02:00')) = 12",
        dates: false,
        types: |arguments| zone_types(arguments, false),
        kernel: |a| cast(a.array(0), a.output),
        ..TIME
    },
    Function {
        name: "epoch",
        aliases: &["to_epoch"],
        signature: "epoch(time)",
        doc: "Seconds since 1970-01-01T00:00 UTC.",
        example: "epoch(1970-01-02) = 86400.0",
        types: |arguments| part_types(arguments, DataType::Float64),
        kernel: seconds,
        ..TIME
    },
    Function {
        name: "from_epoch",
        arity: (1, 2),
        signature: "from_epoch(x, unit = 's')",
        doc: "The time so many s, ms, us or ns after 1970-01-01T00:00.",
        example: "from_epoch(86400) = 1970-01-02",
        dates: false,
        types: |arguments| {
            expect_numbers(&arguments[..1], 0)?;
            let unit = match arguments.get(1) {
                Some(_) => unit_literal(arguments, 1)?,
                None => TimeUnit::Second,
            };
            let mut parameters = vec![if plain(arguments[0].data_type()).is_integer() {
                DataType::Int64
            } else {
                DataType::Float64
            }];
            parameters.resize(arguments.len(), DataType::Utf8);
            let output = if parameters[0] == DataType::Int64 { unit } else { TimeUnit::Microsecond };
            Typing::new(parameters, DataType::Timestamp(output, None))
        },
        kernel: from_epoch,
        ..TIME
    },
];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Fails unless the argument is a time.
pub(super) fn expect_time(arguments: &[Expr], i: usize) -> Result<(), Mistake> {
    match arguments[i].data_type() {
        t if is_time(t) || t == &DataType::Null => Ok(()),
        t if is_text(t) => {
            Err(Mistake::at(i, "a date or time is expected here, not text; parse_date(text) reads it"))
        }
        t => Err(Mistake::at(i, format!("a date or time is expected here, not {}", describe(t)))),
    }
}

/// The type in which a time's parts are looked at.
pub(super) fn own_time(expr: &Expr) -> DataType {
    match plain(expr.data_type()) {
        DataType::Date64 => DataType::Timestamp(TimeUnit::Millisecond, None),
        DataType::Null => DataType::Date32,
        other => other.clone(),
    }
}

/// Seconds from 1970 on either side within which every calendar works.
const MOST_SECONDS: i64 = 8_000_000_000_000;

/// `part`, which is the number of `seconds` since 1970 modulo `cycle` where there is no zone.
fn clock(a: &Arguments, seconds: i64, cycle: i64, part: DatePart) -> Result<ArrayRef, ArrowError> {
    let array = a.array(0);
    if let DataType::Timestamp(unit, None) = array.data_type() {
        let per_second = per_second(Some(*unit));
        let numbers = cast(array, &DataType::Int64)?;
        let values = numbers.as_primitive::<Int64Type>().values();
        let most = MOST_SECONDS.saturating_mul(per_second);
        let (mut least, mut greatest) = (0, 0);
        // All that nanoseconds can hold lies within.
        if most < i64::MAX {
            extreme_whole(values, &mut least, false);
            extreme_whole(values, &mut greatest, true);
        }
        if -most <= least && greatest <= most {
            let parts = part_of_cycle(values, seconds * per_second, cycle);
            return Ok(primitives::<Int64Type>(parts, array.nulls().cloned(), a.output));
        }
    }
    cast(&date_part(array, part)?, &DataType::Int64)
}

fn part_types(arguments: &[Expr], output: DataType) -> Result<Typing, Mistake> {
    expect_time(arguments, 0)?;
    Typing::new(vec![own_time(&arguments[0])], output)
}

fn named(a: &Arguments, part: DatePart, names: &[&str], first: i64) -> Result<ArrayRef, ArrowError> {
    let numbers = cast(&date_part(a.array(0), part)?, &DataType::Int64)?;
    let name = |n: i64| usize::try_from(n - first).ok().and_then(|i| names.get(i));
    Ok(Arc::new(
        numbers.as_primitive::<Int64Type>().iter().map(|n| n.and_then(name)).collect::<LargeStringArray>(),
    ))
}

fn format_literal(arguments: &[Expr], i: usize) -> Result<(), Mistake> {
    let Literal::Text(format) = expect_literal(arguments, i, "a format")? else {
        return Err(Mistake::at(i, "a format as '%Y-%m-%d' is expected here"));
    };
    if StrftimeItems::new(&format).any(|item| matches!(item, Item::Error)) {
        return Err(Mistake::at(
            i,
            "this format has a code that is unknown; %Y %m %d %H %M %S are the common ones",
        ));
    }
    Ok(())
}

fn strftime_types(arguments: &[Expr]) -> Result<Typing, Mistake> {
    expect_time(arguments, 0)?;
    format_literal(arguments, 1)?;
    let own = match own_time(&arguments[0]) {
        DataType::Date32 => DataType::Timestamp(TimeUnit::Second, None),
        other => other,
    };
    Typing::new(vec![own, DataType::Utf8], DataType::LargeUtf8)
}

fn strftime(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    let format = text_argument(a, 1).unwrap_or_default();
    let items: Vec<Item> = StrftimeItems::new(format).collect();
    let zone = zone(a.array(0).data_type());
    let zone = zone.map(|z| Tz::from_str(&z)).transpose()?;
    let array = a.array(0);
    let per_second = per_second(unit(array.data_type()));
    let values = cast(array, &DataType::Int64)?;
    let text = |value: i64| -> Option<String> {
        let nanos = u32::try_from(value.rem_euclid(per_second) * (1_000_000_000 / per_second)).ok()?;
        let utc = DateTime::from_timestamp(value.div_euclid(per_second), nanos)?;
        Some(match &zone {
            Some(zone) => {
                let offset = zone.offset_from_utc_datetime(&utc.naive_utc()).fix();
                utc.with_timezone(&offset).format_with_items(items.iter()).to_string()
            }
            None => utc.format_with_items(items.iter()).to_string(),
        })
    };
    Ok(Arc::new(
        values.as_primitive::<Int64Type>().iter().map(|v| v.and_then(text)).collect::<LargeStringArray>(),
    ))
}

/// Of this unit in a second; without one, 1.
pub(super) fn per_second(unit: Option<TimeUnit>) -> i64 {
    match unit {
        Some(TimeUnit::Millisecond) => 1_000,
        Some(TimeUnit::Microsecond) => 1_000_000,
        Some(TimeUnit::Nanosecond) => 1_000_000_000,
        _ => 1,
    }
}

fn parse_types(arguments: &[Expr]) -> Result<Typing, Mistake> {
    expect_text(arguments, 0)?;
    let mut parameters = vec![arguments[0].data_type().clone()];
    if arguments.len() > 1 {
        format_literal(arguments, 1)?;
        parameters.push(DataType::Utf8);
    }
    Typing::new(parameters, DataType::Timestamp(TimeUnit::Microsecond, None))
}

fn parse(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    let format = text_argument(a, 1).map(str::to_owned);
    let read = |text: &str| -> Option<i64> {
        match &format {
            Some(format) => NaiveDateTime::parse_from_str(text, format)
                .or_else(|_| {
                    NaiveDate::parse_from_str(text, format).map(|date| date.and_time(chrono::NaiveTime::MIN))
                })
                .or_else(|_| DateTime::parse_from_str(text, format).map(|time| time.naive_utc()))
                .ok()
                .map(|time| time.and_utc().timestamp_micros()),
            None => match parse_time(text)? {
                Literal::Time { value, unit: TimeUnit::Nanosecond, .. } => Some(value.div_euclid(1000)),
                Literal::Time { value, .. } => Some(value),
                _ => None,
            },
        }
    };
    on_texts(a, |texts| {
        let times = texts.iter().map(|t| t.and_then(read)).collect::<Int64Array>();
        Ok(Arc::new(times.reinterpret_cast::<TimestampMicrosecondType>()))
    })
}

fn zone_types(arguments: &[Expr], converts: bool) -> Result<Typing, Mistake> {
    expect_time(arguments, 0)?;
    let Literal::Text(name) = expect_literal(arguments, 1, "a zone")? else {
        return Err(Mistake::at(1, "a zone as 'Europe/Amsterdam' or '+02:00' is expected here"));
    };
    if Tz::from_str(&name).is_err() {
        return Err(Mistake::at(1, format!("there is no time zone {name}")));
    }
    let own = own_time(&arguments[0]);
    if !converts && zone(&own).is_some() {
        return Err(Mistake::at(0, "this time has a zone; to_timezone(time, zone) converts it"));
    }
    let unit = unit(&own).unwrap_or(TimeUnit::Second);
    let parameter = DataType::Timestamp(unit, zone(&own));
    Typing::new(vec![parameter, DataType::Utf8], DataType::Timestamp(unit, Some(Arc::from(name.as_str()))))
}

/// Times or durations in seconds.
pub(super) fn seconds(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    let days = if a.array(0).data_type() == &DataType::Date32 { 86_400.0 } else { 1.0 };
    let per_second = per_second(unit(a.array(0).data_type())) as f64;
    let values = cast(a.array(0), &DataType::Int64)?;
    let values = values.as_primitive::<Int64Type>();
    let result: Float64Array = values.unary(|v| v as f64 * days / per_second);
    Ok(Arc::new(result))
}

fn unit_literal(arguments: &[Expr], i: usize) -> Result<TimeUnit, Mistake> {
    match arguments[i].as_literal() {
        Some(Literal::Text(text)) if text == "s" => Ok(TimeUnit::Second),
        Some(Literal::Text(text)) if text == "ms" => Ok(TimeUnit::Millisecond),
        Some(Literal::Text(text)) if text == "us" => Ok(TimeUnit::Microsecond),
        Some(Literal::Text(text)) if text == "ns" => Ok(TimeUnit::Nanosecond),
        _ => Err(Mistake::at(i, "'s', 'ms', 'us' or 'ns' is expected here")),
    }
}

fn from_epoch(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    if a.array(0).data_type() == &DataType::Int64 {
        return cast(a.array(0), a.output);
    }
    let micros = text_argument(a, 1).and_then(micros_of).unwrap_or(1e6);
    whole_micros(a, micros)
}
