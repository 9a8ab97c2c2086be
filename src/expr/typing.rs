//! The rules by which types meet; see the room's doc for them in words.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};

use super::literal::Literal;
use super::tree::Expr;
use crate::data::{Kind, kind};

/// What a function makes of its arguments.
#[derive(Debug)]
pub(super) struct Typing {
    /// Types the arguments are converted to.
    pub(super) parameters: Vec<DataType>,
    /// Type of the result.
    pub(super) output: DataType,
}

impl Typing {
    pub(super) fn new(parameters: Vec<DataType>, output: DataType) -> Result<Typing, Mistake> {
        Ok(Typing { parameters, output })
    }
}

/// Arguments a function has no meaning for.
#[derive(Debug)]
pub(super) struct Mistake {
    /// Which argument; `None` for all of them.
    pub(super) argument: Option<usize>,
    pub(super) message: String,
    pub(super) suggestion: Option<String>,
}

impl Mistake {
    pub(super) fn at(argument: usize, message: impl Into<String>) -> Mistake {
        Mistake { argument: Some(argument), message: message.into(), suggestion: None }
    }

    pub(super) fn whole(message: impl Into<String>) -> Mistake {
        Mistake { argument: None, message: message.into(), suggestion: None }
    }
}

/// A type as a person calls it.
pub fn describe(data_type: &DataType) -> String {
    match data_type {
        DataType::Null => "null".to_owned(),
        DataType::Boolean => "true/false".to_owned(),
        DataType::Dictionary(_, values) => describe(values),
        DataType::Timestamp(_, Some(zone)) => format!("a time in zone {zone}"),
        DataType::Timestamp(_, None) => "a time".to_owned(),
        DataType::Date32 | DataType::Date64 => "a date".to_owned(),
        DataType::Duration(_) => "a duration".to_owned(),
        DataType::List(item) => format!("a list of {}", describe(item.data_type())),
        DataType::Struct(fields) => {
            let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
            format!("a structure of {}", names.join(", "))
        }
        t => match kind(t) {
            Kind::Text => "text".to_owned(),
            Kind::Integer => format!("a whole number ({})", t.to_string().to_lowercase()),
            Kind::Float => format!("a number ({})", t.to_string().to_lowercase()),
            _ => format!("{t}"),
        },
    }
}

/// The type of the values of a dictionary, or the type itself.
pub(super) fn plain(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => values,
        other => other,
    }
}

pub(super) fn is_time(data_type: &DataType) -> bool {
    kind(data_type) == Kind::Time
}

pub(super) fn is_text(data_type: &DataType) -> bool {
    kind(data_type) == Kind::Text
}

pub(super) fn is_decimal(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Decimal32(..)
            | DataType::Decimal64(..)
            | DataType::Decimal128(..)
            | DataType::Decimal256(..)
    )
}

pub(super) fn is_number(data_type: &DataType) -> bool {
    matches!(kind(data_type), Kind::Integer | Kind::Float) || is_decimal(data_type)
}

/// Whether it may stand where a number is wanted: true counts 1, null is missing.
pub(super) fn is_numeric(data_type: &DataType) -> bool {
    is_number(data_type) || matches!(plain(data_type), DataType::Boolean | DataType::Null)
}

fn is_small_integer(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Int8
            | DataType::Int16
            | DataType::UInt8
            | DataType::UInt16
            | DataType::Boolean
            | DataType::Null
    )
}

/// Whether a number written in the text can be an f32: neither too large nor too small for one.
fn fits_f32(expr: &Expr) -> bool {
    let value = match expr.as_literal() {
        Some(Literal::Float(v)) => *v,
        Some(Literal::Int(v)) => *v as f64,
        Some(Literal::Unsigned(v)) => *v as f64,
        _ => return expr.0.weak,
    };
    let rounded = value as f32;
    !value.is_finite() || value == 0.0 || (rounded.is_finite() && rounded.is_normal())
}

/// The real type numbers are computed in: f32 where one of them is f32 and the others are f32, whole
/// numbers of up to 16 bits, or written in the text; else f64.
pub(super) fn real(arguments: &[Expr]) -> DataType {
    let is_f32 = |e: &Expr| matches!(plain(e.data_type()), DataType::Float32 | DataType::Float16);
    let stays = |e: &Expr| is_f32(e) || is_small_integer(plain(e.data_type())) || (e.0.weak && fits_f32(e));
    if arguments.iter().any(is_f32) && arguments.iter().all(stays) {
        DataType::Float32
    } else {
        DataType::Float64
    }
}

/// The type numbers are added in: whole numbers in i64 (u64 if one is u64 and none is negative by type),
/// else [`real`].
pub(super) fn number(arguments: &[Expr]) -> DataType {
    let is_whole = |e: &Expr| {
        matches!(plain(e.data_type()), DataType::Boolean | DataType::Null)
            || plain(e.data_type()).is_integer()
    };
    if !arguments.iter().all(is_whole) {
        return real(arguments);
    }
    let is_u64 = |e: &Expr| plain(e.data_type()) == &DataType::UInt64;
    let is_unsigned = |e: &Expr| {
        plain(e.data_type()).is_unsigned_integer()
            || matches!(plain(e.data_type()), DataType::Boolean | DataType::Null)
            || matches!(e.as_literal(), Some(Literal::Int(0..)))
    };
    if arguments.iter().any(is_u64) && arguments.iter().all(is_unsigned) {
        DataType::UInt64
    } else {
        DataType::Int64
    }
}

/// Fails unless every argument from `from` on is a number.
pub(super) fn expect_numbers(arguments: &[Expr], from: usize) -> Result<(), Mistake> {
    for (i, argument) in arguments.iter().enumerate().skip(from) {
        if !is_numeric(argument.data_type()) {
            return Err(Mistake::at(
                i,
                format!("a number is expected here, not {}", describe(argument.data_type())),
            ));
        }
    }
    Ok(())
}

/// Fails unless the argument is true/false.
pub(super) fn expect_bool(arguments: &[Expr], i: usize) -> Result<(), Mistake> {
    match plain(arguments[i].data_type()) {
        DataType::Boolean | DataType::Null => Ok(()),
        other => Err(Mistake::at(i, format!("a condition is expected here, not {}", describe(other)))),
    }
}

/// Fails unless the argument is text.
pub(super) fn expect_text(arguments: &[Expr], i: usize) -> Result<(), Mistake> {
    match arguments[i].data_type() {
        t if is_text(t) || t == &DataType::Null => Ok(()),
        other => Err(Mistake::at(i, format!("text is expected here, not {}", describe(other)))),
    }
}

/// The constant an argument must be.
pub(super) fn expect_literal(arguments: &[Expr], i: usize, what: &str) -> Result<Literal, Mistake> {
    super::program::constant(&arguments[i])
        .ok_or_else(|| Mistake::at(i, format!("{what} is a constant, not computed from columns")))
}

/// The one type values of all these can have: of alternatives, and of things compared.
pub(super) fn unified(arguments: &[Expr], from: usize) -> Result<DataType, Mistake> {
    let wanted: Vec<&Expr> =
        arguments.iter().skip(from).filter(|a| a.data_type() != &DataType::Null).collect();
    let Some(first) = wanted.first() else { return Ok(DataType::Null) };
    let one = plain(first.data_type());
    if wanted.iter().all(|a| plain(a.data_type()) == one && a.0.weak == first.0.weak) {
        return Ok(one.clone());
    }
    let all = |test: fn(&DataType) -> bool| wanted.iter().all(|a| test(a.data_type()));
    if all(is_numeric) {
        let owned: Vec<Expr> = wanted.iter().map(|e| (*e).clone()).collect();
        return Ok(number(&owned));
    }
    if all(is_text) {
        return Ok(if wanted.iter().all(|a| plain(a.data_type()) == &DataType::Utf8) {
            DataType::Utf8
        } else {
            DataType::LargeUtf8
        });
    }
    if all(is_time) {
        return Ok(common_time(wanted.iter().map(|a| a.data_type())));
    }
    if wanted.iter().all(|a| matches!(a.data_type(), DataType::Duration(_))) {
        let unit = wanted.iter().filter_map(|a| unit(a.data_type())).max().unwrap_or(TimeUnit::Microsecond);
        return Ok(DataType::Duration(unit));
    }
    let odd =
        arguments.iter().enumerate().skip(from).find(|(_, a)| {
            a.data_type() != &DataType::Null && kind(a.data_type()) != kind(first.data_type())
        });
    let (i, odd) = odd.map_or((from, "something else".to_owned()), |(i, a)| (i, describe(a.data_type())));
    Err(Mistake::at(i, format!("{} is expected here as before, not {odd}", describe(first.data_type()))))
}

/// Unit of a time or duration; days count as seconds.
pub(super) fn unit(data_type: &DataType) -> Option<TimeUnit> {
    match data_type {
        DataType::Timestamp(unit, _) | DataType::Duration(unit) => Some(*unit),
        DataType::Date32 => Some(TimeUnit::Second),
        DataType::Date64 => Some(TimeUnit::Millisecond),
        _ => None,
    }
}

/// The timestamp type of the finest unit among these and the zone of the first that has one.
pub(super) fn common_time<'a>(types: impl Iterator<Item = &'a DataType> + Clone) -> DataType {
    let finest = types.clone().map(plain).filter_map(unit).max().unwrap_or(TimeUnit::Microsecond);
    DataType::Timestamp(finest, types.map(plain).find_map(zone))
}

/// Zone of a timestamp; an absolute date in the text is of no particular zone.
pub(super) fn zone(data_type: &DataType) -> Option<Arc<str>> {
    match data_type {
        DataType::Timestamp(_, zone) => zone.clone(),
        _ => None,
    }
}

/// Types in which two arguments are compared: each keeps its own where the comparison can be exact.
pub(super) fn compared(arguments: &[Expr]) -> Result<Vec<DataType>, Mistake> {
    let [left, right] = arguments else { return Err(Mistake::whole("two values are compared")) };
    let (a, b) = (left.data_type(), right.data_type());
    if a == &DataType::Null || b == &DataType::Null {
        let one = if a == &DataType::Null { b } else { a };
        return Ok(vec![one.clone(), one.clone()]);
    }
    if is_numeric(a) && is_numeric(b) {
        if plain(a) == &DataType::Boolean && plain(b) == &DataType::Boolean {
            return Ok(vec![DataType::Boolean, DataType::Boolean]);
        }
        let own = |e: &Expr, other: &Expr| match plain(e.data_type()) {
            DataType::Boolean => DataType::Int64,
            t if is_decimal(t) => DataType::Float64,
            DataType::Float16 => DataType::Float32,
            _ if e.0.weak && plain(other.data_type()) == &DataType::Float32 && beside_f32(e) => {
                DataType::Float32
            }
            DataType::Float32
                if other.data_type() != &DataType::Float32 && !(other.0.weak && beside_f32(other)) =>
            {
                DataType::Float64
            }
            DataType::Int64 | DataType::UInt64
                if plain(other.data_type()) == &DataType::Float64 && is_exact_f64(e) =>
            {
                DataType::Float64
            }
            t => t.clone(),
        };
        return Ok(vec![own(left, right), own(right, left)]);
    }
    if is_text(a) && is_text(b) {
        let own = |e: &Expr, other: &Expr| {
            if e.as_literal().is_some() { plain(other.data_type()).clone() } else { e.data_type().clone() }
        };
        return Ok(vec![own(left, right), own(right, left)]);
    }
    if is_time(a) && is_time(b) {
        let shared = zone(plain(a)).or_else(|| zone(plain(b)));
        let own = |t: &DataType, is_literal: bool, other: &DataType| {
            let t = plain(t);
            // An absolute date beside a column without a zone: the column's clock is taken as UTC.
            let zone = match zone(plain(other)) {
                None if is_literal => None,
                _ => shared.clone(),
            };
            DataType::Timestamp(unit(t).unwrap_or(TimeUnit::Microsecond), zone)
        };
        let (left_own, right_own) =
            (own(a, left.as_literal().is_some(), b), own(b, right.as_literal().is_some(), a));
        // Both have a zone or neither has one.
        return Ok(match (zone(&left_own), zone(&right_own)) {
            (Some(_), None) => vec![without_zone(&left_own), right_own],
            (None, Some(_)) => vec![left_own, without_zone(&right_own)],
            _ => vec![left_own, right_own],
        });
    }
    if matches!((a, b), (DataType::Duration(_), DataType::Duration(_))) {
        return Ok(vec![a.clone(), b.clone()]);
    }
    let mut mistake = Mistake::at(1, format!("{} cannot be compared with {}", describe(a), describe(b)));
    if let (true, Some(Literal::Text(text))) = (is_numeric(a), right.as_literal())
        && text.trim().parse::<f64>().is_ok()
    {
        mistake.suggestion = Some(text.trim().to_owned());
    }
    Err(mistake)
}

/// A real number beside an f32 is rounded to one, as the column's were; a whole number only if it can be.
fn beside_f32(expr: &Expr) -> bool {
    match expr.as_literal() {
        Some(Literal::Int(v)) => (*v as f32) as i128 == i128::from(*v),
        Some(Literal::Unsigned(v)) => (*v as f32) as i128 == i128::from(*v),
        _ => fits_f32(expr),
    }
}

/// Whether it is a whole number written in the text that a real number can be.
fn is_exact_f64(expr: &Expr) -> bool {
    match expr.as_literal() {
        Some(Literal::Int(v)) => (*v as f64) as i128 == i128::from(*v),
        Some(Literal::Unsigned(v)) => (*v as f64) as i128 == i128::from(*v),
        _ => false,
    }
}

fn without_zone(data_type: &DataType) -> DataType {
    DataType::Timestamp(unit(data_type).unwrap_or(TimeUnit::Microsecond), None)
}

/// The type of a list of such items.
pub(super) fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(arrow::datatypes::Field::new_list_field(item, true)))
}
