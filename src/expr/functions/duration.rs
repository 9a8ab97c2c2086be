//! Durations: made from numbers, and taken apart.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit};
use arrow::error::ArrowError;

use super::super::literal::Literal;
use super::super::tree::Expr;
use super::super::typing::{Mistake, Typing, describe, expect_numbers, unit};
use super::text::text_argument;
use super::time::{TIME, per_second, seconds};
use super::{Arguments, Function};

const LENGTH: Function = Function { types: length_types, ..TIME };
const DURATION: Function = Function { types: duration_types, dates: false, ..TIME };

macro_rules! duration {
    ($name:literal, $doc:literal, $example:literal, $micros:expr) => {
        Function {
            name: $name,
            signature: concat!($name, "(x)"),
            doc: $doc,
            example: $example,
            kernel: |a| durations(a, $micros),
            ..DURATION
        }
    };
}

/// The entries of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "timedelta",
        aliases: &["scalar_timedelta"],
        arity: (2, 2),
        signature: "timedelta(x, unit)",
        doc: "A duration of so many W, D, h, m, s, ms, us or ns.",
        example: "total_seconds(timedelta(2, 'h')) = 7200.0",
        types: |arguments| {
            expect_numbers(&arguments[..1], 0)?;
            if !matches!(arguments[1].as_literal(), Some(Literal::Text(t)) if micros_of(t).is_some()) {
                return Err(Mistake::at(1, "'W', 'D', 'h', 'm', 's', 'ms', 'us' or 'ns' is expected here"));
            }
            Typing::new(vec![DataType::Float64, DataType::Utf8], DataType::Duration(TimeUnit::Microsecond))
        },
        kernel: |a| durations(a, text_argument(a, 1).and_then(micros_of).unwrap_or(1.0)),
        ..DURATION
    },
    duration!("weeks", "A duration of so many weeks.", "total_seconds(weeks(1)) = 604800.0", 604_800e6),
    duration!(
        "days",
        "A duration of so many days of 24 hours.",
        "2015-01-31 + days(1) = 2015-02-01",
        86_400e6
    ),
    duration!("hours", "A duration of so many hours.", "total_seconds(hours(2)) = 7200.0", 3_600e6),
    duration!("minutes", "A duration of so many minutes.", "total_seconds(minutes(2)) = 120.0", 60e6),
    duration!("seconds", "A duration of so many seconds.", "total_seconds(seconds(0.5)) = 0.5", 1e6),
    duration!(
        "milliseconds",
        "A duration of so many milliseconds.",
        "total_seconds(milliseconds(5)) = 0.005",
        1e3
    ),
    Function {
        name: "total_seconds",
        aliases: &["td_total_seconds"],
        signature: "total_seconds(duration)",
        doc: "The duration in seconds.",
        example: "total_seconds(minutes(2)) = 120.0",
        types: |arguments| {
            length_types(arguments)?;
            Typing::new(vec![arguments[0].data_type().clone()], DataType::Float64)
        },
        kernel: seconds,
        ..TIME
    },
    Function {
        name: "td_days",
        signature: "td_days(duration)",
        doc: "The whole days of a duration, rounded down.",
        example: "td_days(hours(49)) = 2",
        kernel: |a| length_part(a, |nanos| nanos.div_euclid(86_400_000_000_000)),
        ..LENGTH
    },
    Function {
        name: "td_seconds",
        signature: "td_seconds(duration)",
        doc: "The whole seconds of a duration beyond its whole days.",
        example: "td_seconds(hours(25)) = 3600",
        kernel: |a| length_part(a, |nanos| nanos.rem_euclid(86_400_000_000_000) / 1_000_000_000),
        ..LENGTH
    },
    Function {
        name: "td_microseconds",
        signature: "td_microseconds(duration)",
        doc: "The whole microseconds of a duration beyond its whole seconds.",
        example: "td_microseconds(seconds(1.5)) = 500000",
        kernel: |a| length_part(a, |nanos| nanos.rem_euclid(1_000_000_000) / 1_000),
        ..LENGTH
    },
    Function {
        name: "td_nanoseconds",
        signature: "td_nanoseconds(duration)",
        doc: "The nanoseconds of a duration beyond its whole microseconds.",
        example: "td_nanoseconds(seconds(1)) = 0",
        kernel: |a| length_part(a, |nanos| nanos.rem_euclid(1_000)),
        ..LENGTH
    },
];

/// Microseconds of a unit's name.
pub(super) fn micros_of(unit: &str) -> Option<f64> {
    Some(match unit {
        "W" => 604_800e6,
        "D" => 86_400e6,
        "h" => 3_600e6,
        "m" | "min" => 60e6,
        "s" => 1e6,
        "ms" => 1e3,
        "us" => 1.0,
        "ns" => 1e-3,
        _ => return None,
    })
}

fn duration_types(arguments: &[Expr]) -> Result<Typing, Mistake> {
    expect_numbers(arguments, 0)?;
    Typing::new(vec![DataType::Float64], DataType::Duration(TimeUnit::Microsecond))
}

fn durations(a: &Arguments, micros: f64) -> Result<ArrayRef, ArrowError> {
    whole_micros(a, micros)
}

/// Reals times so many microseconds, rounded; what is no number or does not fit is missing.
pub(super) fn whole_micros(a: &Arguments, micros: f64) -> Result<ArrayRef, ArrowError> {
    let values = a.array(0).as_primitive::<arrow::datatypes::Float64Type>();
    let whole = |v: f64| {
        let product = (v * micros).round();
        (product.abs() < 9.2e18).then_some(product as i64)
    };
    let result: ArrayRef = Arc::new(values.unary_opt::<_, Int64Type>(whole));
    cast(&result, a.output)
}

fn length_types(arguments: &[Expr]) -> Result<Typing, Mistake> {
    match arguments[0].data_type() {
        t @ DataType::Duration(_) => Typing::new(vec![t.clone()], DataType::Int64),
        t => Err(Mistake::at(0, format!("a duration is expected here, not {}", describe(t)))),
    }
}

fn length_part(a: &Arguments, f: fn(i128) -> i128) -> Result<ArrayRef, ArrowError> {
    let nanos = i128::from(1_000_000_000 / per_second(unit(a.array(0).data_type())));
    let values = cast(a.array(0), &DataType::Int64)?;
    let values = values.as_primitive::<Int64Type>();
    let result: Int64Array = values.unary_opt(|v| i64::try_from(f(i128::from(v) * nanos)).ok());
    Ok(Arc::new(result))
}
