//! What functions make of bounds. Every result holds all values the function can give, NaN included; whether
//! any is missing is told elsewhere.
//!
//! The sums, differences, products, quotients and square roots of IEEE 754 are rounded to nearest and
//! therefore monotone, so that the same operation on bounds bounds the results; other functions are
//! widened by a few units in the last place.

use arrow::datatypes::{DataType, TimeUnit};
use chrono::{DateTime, Datelike};

use crate::data::Domain;

/// Bounds of a function's results from those of its arguments, which are of these types.
pub(super) type Bounds = fn(&[Domain], &[DataType]) -> Domain;

/// Nothing is known.
pub(super) fn all(_: &[Domain], _: &[DataType]) -> Domain {
    Domain::ALL
}

/// True or false.
pub(super) fn bool(_: &[Domain], _: &[DataType]) -> Domain {
    Domain::BOOL
}

/// A function that never falls, NaN exactly where its argument is NaN.
pub(super) fn rising(a: Domain, f: fn(f64) -> f64) -> Domain {
    if a.is_empty() { a } else { Domain { min: f(a.min), max: f(a.max), ..a } }
}

/// As [`rising`] for functions that are not rounded correctly; NaN outside `from..=to`.
pub(super) fn rising_within(a: Domain, from: f64, to: f64, f: fn(f64) -> f64) -> Domain {
    let nan = a.nan || a.min < from || a.max > to;
    let inside = Domain { min: a.min.max(from), max: a.max.min(to), nan, ..a };
    if inside.is_empty() {
        return Domain { nan, ..Domain::EMPTY };
    }
    loose(Domain { min: f(inside.min), max: f(inside.max), ..inside })
}

/// Widened by more than the error of a mathematical function.
pub(super) fn loose(a: Domain) -> Domain {
    let slack = |v: f64| if v.is_finite() { v.abs() * 1e-6 + f64::MIN_POSITIVE } else { 0.0 };
    Domain { min: a.min - slack(a.min), max: a.max + slack(a.max), ..a }
}

/// The smallest domain with the results of `f` at the corners; one that is NaN may be anything.
fn corners(a: Domain, b: Domain, nan: bool, f: fn(f64, f64) -> f64) -> Domain {
    let nan = nan || a.nan || b.nan;
    if a.is_empty() || b.is_empty() {
        return Domain { nan, ..Domain::EMPTY };
    }
    let values = [f(a.min, b.min), f(a.min, b.max), f(a.max, b.min), f(a.max, b.max)];
    if values.iter().any(|v| v.is_nan()) {
        return Domain::ALL;
    }
    let min = values.into_iter().fold(f64::INFINITY, f64::min);
    let max = values.into_iter().fold(f64::NEG_INFINITY, f64::max);
    Domain { nan, ..Domain::new(min, max) }
}

pub(super) fn add(d: &[Domain], _: &[DataType]) -> Domain {
    corners(d[0], d[1], false, |a, b| a + b)
}

pub(super) fn subtract(d: &[Domain], _: &[DataType]) -> Domain {
    corners(d[0], d[1], false, |a, b| a - b)
}

pub(super) fn multiply(d: &[Domain], _: &[DataType]) -> Domain {
    let infinite = |a: Domain| a.min.is_infinite() || a.max.is_infinite();
    let nan = (infinite(d[0]) && d[1].contains(0.0)) || (infinite(d[1]) && d[0].contains(0.0));
    corners(d[0], d[1], nan, |a, b| a * b)
}

pub(super) fn divide(d: &[Domain], _: &[DataType]) -> Domain {
    if d[1].contains(0.0) {
        return Domain::ALL;
    }
    corners(d[0], d[1], false, |a, b| a / b)
}

pub(super) fn floor_divide(d: &[Domain], types: &[DataType]) -> Domain {
    let quotient = divide(d, types);
    let floor = rising(loose(quotient), f64::floor);
    Domain { nan: quotient.nan || d[0].min.is_infinite() || d[0].max.is_infinite(), ..floor }
}

/// Between zero and the divisor.
pub(super) fn remainder(d: &[Domain], _: &[DataType]) -> Domain {
    if d[0].is_empty() || d[1].is_empty() {
        return Domain::ALL;
    }
    let nan = d[0].nan || d[1].nan || d[1].contains(0.0) || d[0].min.is_infinite() || d[0].max.is_infinite();
    Domain { nan, ..Domain::new(d[1].min.min(0.0), d[1].max.max(0.0)) }
}

pub(super) fn power(d: &[Domain], _: &[DataType]) -> Domain {
    let (base, exponent) = (d[0], d[1]);
    if base.is_empty() || exponent.is_empty() || exponent.nan {
        return Domain::ALL;
    }
    if exponent.min == exponent.max && exponent.min.fract() == 0.0 && exponent.min >= 1.0 {
        let f = |v: f64| v.powf(exponent.min);
        let mut found = Domain { nan: base.nan, ..Domain::new(f(base.min), f(base.max)) };
        if exponent.min % 2.0 == 0.0 {
            let (low, high) = (found.min.min(found.max), found.min.max(found.max));
            found.min = if base.contains(0.0) { 0.0 } else { low };
            found.max = high;
        }
        let widened = loose(found);
        return if found.min == 0.0 { Domain { min: 0.0, ..widened } } else { widened };
    }
    // -0.0 to the power of -1 is -inf.
    if base.min < 0.0 || base.min == 0.0 && exponent.min < 0.0 {
        return Domain::ALL;
    }
    loose(corners(base, exponent, false, f64::powf))
}

pub(super) fn negate(d: &[Domain], _: &[DataType]) -> Domain {
    Domain { min: -d[0].max, max: -d[0].min, ..d[0] }
}

pub(super) fn abs(d: &[Domain], _: &[DataType]) -> Domain {
    let a = d[0];
    if a.is_empty() {
        return a;
    }
    let (low, high) = (a.min.abs().min(a.max.abs()), a.min.abs().max(a.max.abs()));
    Domain { min: if a.contains(0.0) { 0.0 } else { low }, max: high, ..a }
}

/// A function from -1 to 1, NaN at infinities.
pub(super) fn wave(d: &[Domain], _: &[DataType]) -> Domain {
    Domain { nan: d[0].nan || d[0].min.is_infinite() || d[0].max.is_infinite(), ..Domain::new(-1.0, 1.0) }
}

pub(super) fn less(d: &[Domain], _: &[DataType]) -> Domain {
    let (a, b) = (d[0], d[1]);
    if a.is_empty() || b.is_empty() || a.min >= b.max {
        Domain::FALSE
    } else if a.max < b.min && !a.nan && !b.nan {
        Domain::TRUE
    } else {
        Domain::BOOL
    }
}

pub(super) fn less_equal(d: &[Domain], _: &[DataType]) -> Domain {
    let (a, b) = (d[0], d[1]);
    if a.is_empty() || b.is_empty() || a.min > b.max {
        Domain::FALSE
    } else if a.max <= b.min && !a.nan && !b.nan {
        Domain::TRUE
    } else {
        Domain::BOOL
    }
}

pub(super) fn greater(d: &[Domain], t: &[DataType]) -> Domain {
    less(&[d[1], d[0]], t)
}

pub(super) fn greater_equal(d: &[Domain], t: &[DataType]) -> Domain {
    less_equal(&[d[1], d[0]], t)
}

pub(super) fn equal(d: &[Domain], _: &[DataType]) -> Domain {
    let (a, b) = (d[0], d[1]);
    if a.is_empty() || b.is_empty() || a.max < b.min || b.max < a.min {
        Domain::FALSE
    } else if a.min == a.max && b.min == b.max && !a.nan && !b.nan {
        Domain::TRUE
    } else {
        Domain::BOOL
    }
}

pub(super) fn not_equal(d: &[Domain], t: &[DataType]) -> Domain {
    let same = equal(d, t);
    Domain { nan: false, ..Domain::new(1.0 - same.max, 1.0 - same.min) }
}

/// In these three a domain without values stands for rows that are all missing.
pub(super) fn and(d: &[Domain], types: &[DataType]) -> Domain {
    if types.iter().any(|t| t != &DataType::Boolean) {
        return Domain::ALL;
    }
    if d[0].is_empty() || d[1].is_empty() {
        return Domain::FALSE;
    }
    Domain::new(d[0].min.min(d[1].min), d[0].max.min(d[1].max))
}

pub(super) fn or(d: &[Domain], types: &[DataType]) -> Domain {
    if types.iter().any(|t| t != &DataType::Boolean) {
        return Domain::ALL;
    }
    match (d[0].is_empty(), d[1].is_empty()) {
        (true, true) => Domain::EMPTY,
        (true, false) => d[1],
        (false, true) => d[0],
        _ => Domain::new(d[0].min.max(d[1].min), d[0].max.max(d[1].max)).hull(known_or(d)),
    }
}

/// What `or` gives where one side is missing and the other true.
fn known_or(d: &[Domain]) -> Domain {
    if d[0].max.max(d[1].max) == 1.0 { Domain::TRUE } else { Domain::EMPTY }
}

pub(super) fn not(d: &[Domain], types: &[DataType]) -> Domain {
    if types.iter().any(|t| t != &DataType::Boolean) || d[0].is_empty() {
        return if d[0].is_empty() { Domain::EMPTY } else { Domain::ALL };
    }
    Domain::new(1.0 - d[0].max, 1.0 - d[0].min)
}

/// One of the arguments from the second on.
pub(super) fn choice(d: &[Domain], _: &[DataType]) -> Domain {
    d[1].hull(d[2])
}

/// One of the arguments.
pub(super) fn any(d: &[Domain], _: &[DataType]) -> Domain {
    d.iter().fold(Domain::EMPTY, |hull, next| hull.hull(*next))
}

/// The second argument's domain holds all items.
pub(super) fn isin(d: &[Domain], _: &[DataType]) -> Domain {
    let apart = d[0].max < d[1].min || d[1].max < d[0].min;
    if d[0].is_empty() || d[1].is_empty() || apart { Domain::FALSE } else { Domain::BOOL }
}

pub(super) fn isnan(d: &[Domain], _: &[DataType]) -> Domain {
    if d[0].nan { Domain::BOOL } else { Domain::FALSE }
}

/// The number itself, towards zero where the result is whole.
pub(super) fn same_number(d: &[Domain], types: &[DataType]) -> Domain {
    match &types[0] {
        t if t.is_numeric()
            || matches!(t, DataType::Duration(_) | DataType::Timestamp(..) | DataType::Date32) =>
        {
            if d[0].is_empty() {
                Domain::ALL
            } else {
                Domain { min: d[0].min.trunc().min(d[0].min), max: d[0].max.trunc().max(d[0].max), ..d[0] }
            }
        }
        _ => Domain::ALL,
    }
}

/// The years of a time; a zone may move it by a day.
pub(super) fn year(d: &[Domain], types: &[DataType]) -> Domain {
    const DAY: f64 = 86_400.0;
    let per_second = match &types[0] {
        DataType::Timestamp(TimeUnit::Second, _) => 1.0,
        DataType::Timestamp(TimeUnit::Millisecond, _) | DataType::Date64 => 1e3,
        DataType::Timestamp(TimeUnit::Microsecond, _) => 1e6,
        DataType::Timestamp(TimeUnit::Nanosecond, _) => 1e9,
        DataType::Date32 => 1.0 / DAY,
        _ => return Domain::ALL,
    };
    let year = |seconds: f64| {
        // The cast saturates, and what lies beyond the calendar is None.
        DateTime::from_timestamp(seconds as i64, 0).map(|time| f64::from(time.year()))
    };
    if d[0].is_empty() {
        return Domain::EMPTY;
    }
    Domain::new(
        year(d[0].min / per_second - DAY).unwrap_or(f64::NEG_INFINITY),
        year(d[0].max / per_second + DAY).unwrap_or(f64::INFINITY),
    )
}
