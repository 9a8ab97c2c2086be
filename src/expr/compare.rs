//! Comparisons of arrays: exact between whole and real numbers and between units of time.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Datum, OffsetSizeTrait, Scalar};
use arrow::buffer::{BooleanBuffer, Buffer};
use arrow::compute::kernels::cmp;
use arrow::compute::{cast, take};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimeUnit, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow::error::ArrowError;

use super::functions::{Arguments, Value, booleans, certain, side};
use super::typing::{is_text, unit};
use crate::kernel::compare::{Comparison, Side, bits2, compare, constant};
use crate::kernel::text::{Offset, equal};

/// Compares the two arguments, false where one of them is missing.
pub(super) fn run(comparison: Comparison, a: &Arguments) -> Result<ArrayRef, ArrowError> {
    let [left, right] = a.values else {
        return Err(ArrowError::InvalidArgumentError("two values are compared".to_owned()));
    };
    let is_absent = |v: &Value| v.array.data_type() == &DataType::Null || (v.scalar && v.array.is_null(0));
    if is_absent(left) || is_absent(right) {
        return Ok(booleans(constant(false, a.rows), a.rows, None));
    }
    if left.scalar && !right.scalar {
        return ordered(comparison.flipped(), right, left, a);
    }
    ordered(comparison, left, right, a)
}

fn ordered(
    comparison: Comparison,
    left: &Value,
    right: &Value,
    a: &Arguments,
) -> Result<ArrayRef, ArrowError> {
    let (t, u) = (left.array.data_type(), right.array.data_type());
    if is_text(t) {
        return texts(comparison, left, right, a.rows);
    }
    if t == &DataType::Boolean {
        let (left, right) = (left.full(a.rows)?, right.full(a.rows)?);
        return arrow_compare(comparison, &left, &right);
    }
    let bits = match (t, u) {
        (t, u) if t == u && t.is_numeric() => match t {
            DataType::Int8 => same::<Int8Type>(comparison, left, right, a.rows),
            DataType::Int16 => same::<Int16Type>(comparison, left, right, a.rows),
            DataType::Int32 => same::<Int32Type>(comparison, left, right, a.rows),
            DataType::Int64 => same::<Int64Type>(comparison, left, right, a.rows),
            DataType::UInt8 => same::<UInt8Type>(comparison, left, right, a.rows),
            DataType::UInt16 => same::<UInt16Type>(comparison, left, right, a.rows),
            DataType::UInt32 => same::<UInt32Type>(comparison, left, right, a.rows),
            DataType::UInt64 => same::<UInt64Type>(comparison, left, right, a.rows),
            DataType::Float32 => same::<Float32Type>(comparison, left, right, a.rows),
            DataType::Float64 => same::<Float64Type>(comparison, left, right, a.rows),
            other => return Err(unexpected(other, u)),
        },
        (t, u) if t.is_numeric() && u.is_numeric() => numbers(comparison, left, right, a.rows)?,
        (t, u) => match (unit(t), unit(u)) {
            (Some(t), Some(u)) => times(comparison, left, right, (t, u), a.rows)?,
            _ => return Err(unexpected(t, u)),
        },
    };
    Ok(certain(bits, a.rows, a.nulls().as_ref()))
}

fn unexpected(a: &DataType, b: &DataType) -> ArrowError {
    ArrowError::InvalidArgumentError(format!("{a} cannot be compared with {b}"))
}

fn same<T: ArrowPrimitiveType>(comparison: Comparison, left: &Value, right: &Value, rows: usize) -> Vec<u64>
where
    T::Native: PartialOrd,
{
    compare(comparison, side::<T>(left), side::<T>(right), rows)
}

/// A number between or at whole numbers: the whole number at or below it, and whether it is that number.
struct Threshold {
    floor: i128,
    exact: bool,
}

impl Threshold {
    /// `None` for NaN.
    fn of_float(value: f64) -> Option<Threshold> {
        // Beyond i128 the cast saturates, which is beyond every column all the same.
        (!value.is_nan()).then(|| Threshold { floor: value.floor() as i128, exact: value.floor() == value })
    }

    /// The comparison with whole numbers only, or the answer for all of them.
    fn against_whole(&self, comparison: Comparison) -> Result<(Comparison, i128), bool> {
        match comparison {
            _ if self.exact => Ok((comparison, self.floor)),
            Comparison::Less | Comparison::LessEqual => Ok((Comparison::LessEqual, self.floor)),
            Comparison::Greater | Comparison::GreaterEqual => Ok((Comparison::Greater, self.floor)),
            Comparison::Equal => Err(false),
            Comparison::NotEqual => Err(true),
        }
    }
}

/// Whole numbers of one type against a threshold, in their own type.
fn whole_against<T: ArrowPrimitiveType>(
    comparison: Comparison,
    array: &ArrayRef,
    threshold: &Threshold,
    rows: usize,
) -> Vec<u64>
where
    T::Native: PartialOrd + TryFrom<i128>,
{
    let (comparison, limit) = match threshold.against_whole(comparison) {
        Ok(found) => found,
        Err(answer) => return constant(answer, rows),
    };
    match T::Native::try_from(limit) {
        Ok(limit) => {
            compare(comparison, Side::Each(array.as_primitive::<T>().values()), Side::One(limit), rows)
        }
        // The limit lies outside the type: above all of its values or below.
        Err(_) => constant(comparison.holds(&0i128, &limit), rows),
    }
}

fn any_whole_against(
    comparison: Comparison,
    array: &ArrayRef,
    threshold: &Threshold,
    rows: usize,
) -> Option<Vec<u64>> {
    Some(match array.data_type() {
        DataType::Int8 => whole_against::<Int8Type>(comparison, array, threshold, rows),
        DataType::Int16 => whole_against::<Int16Type>(comparison, array, threshold, rows),
        DataType::Int32 => whole_against::<Int32Type>(comparison, array, threshold, rows),
        DataType::Int64 => whole_against::<Int64Type>(comparison, array, threshold, rows),
        DataType::UInt8 => whole_against::<UInt8Type>(comparison, array, threshold, rows),
        DataType::UInt16 => whole_against::<UInt16Type>(comparison, array, threshold, rows),
        DataType::UInt32 => whole_against::<UInt32Type>(comparison, array, threshold, rows),
        DataType::UInt64 => whole_against::<UInt64Type>(comparison, array, threshold, rows),
        _ => return None,
    })
}

/// Numbers of two types, at least one of them whole.
fn numbers(comparison: Comparison, left: &Value, right: &Value, rows: usize) -> Result<Vec<u64>, ArrowError> {
    if right.scalar && left.array.data_type().is_integer() {
        let threshold = match right.array.data_type() {
            DataType::Float64 | DataType::Float32 => Threshold::of_float(
                cast(&right.array, &DataType::Float64)?.as_primitive::<Float64Type>().value(0),
            ),
            _ => Some(Threshold { floor: whole_values(&right.array)?[0], exact: true }),
        };
        let Some(threshold) = threshold else {
            return Ok(constant(comparison == Comparison::NotEqual, rows));
        };
        return any_whole_against(comparison, &left.array, &threshold, rows)
            .ok_or_else(|| unexpected(left.array.data_type(), right.array.data_type()));
    }
    let (left, right) = (left.full(rows)?, right.full(rows)?);
    let (t, u) = (left.data_type(), right.data_type());
    let narrow = |t: &DataType| t.is_integer() && !matches!(t, DataType::Int64 | DataType::UInt64);
    if t.is_integer() && u.is_integer() {
        if t != &DataType::UInt64 && u != &DataType::UInt64 {
            let (left, right) = (cast(&left, &DataType::Int64)?, cast(&right, &DataType::Int64)?);
            let (a, b) = (left.as_primitive::<Int64Type>(), right.as_primitive::<Int64Type>());
            return Ok(compare(comparison, Side::Each(a.values()), Side::Each(b.values()), rows));
        }
        let (a, b) = (whole_values(&left)?, whole_values(&right)?);
        return Ok(compare(comparison, Side::Each(&a), Side::Each(&b), rows));
    }
    if (t.is_floating() || narrow(t)) && (u.is_floating() || narrow(u)) {
        let (left, right) = (cast(&left, &DataType::Float64)?, cast(&right, &DataType::Float64)?);
        let (a, b) = (left.as_primitive::<Float64Type>(), right.as_primitive::<Float64Type>());
        return Ok(compare(comparison, Side::Each(a.values()), Side::Each(b.values()), rows));
    }
    let (comparison, whole, real) =
        if t.is_integer() { (comparison, left, right) } else { (comparison.flipped(), right, left) };
    let real = cast(&real, &DataType::Float64)?;
    let whole = whole_values(&whole)?;
    Ok(bits2(&whole, real.as_primitive::<Float64Type>().values(), |a, b: f64| {
        Threshold::of_float(b).map_or(comparison == Comparison::NotEqual, |threshold| {
            match threshold.against_whole(comparison) {
                Ok((comparison, limit)) => comparison.holds(&a, &limit),
                Err(answer) => answer,
            }
        })
    }))
}

fn whole_values(array: &ArrayRef) -> Result<Vec<i128>, ArrowError> {
    Ok(match array.data_type() {
        DataType::UInt64 => {
            array.as_primitive::<UInt64Type>().values().iter().map(|v| i128::from(*v)).collect()
        }
        _ => {
            let array = cast(array, &DataType::Int64)?;
            array.as_primitive::<Int64Type>().values().iter().map(|v| i128::from(*v)).collect()
        }
    })
}

fn per_second(unit: TimeUnit) -> i128 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// Times or durations of two units.
fn times(
    comparison: Comparison,
    left: &Value,
    right: &Value,
    (t, u): (TimeUnit, TimeUnit),
    rows: usize,
) -> Result<Vec<u64>, ArrowError> {
    let (a, b) = (cast(&left.array, &DataType::Int64)?, cast(&right.array, &DataType::Int64)?);
    let (a_values, b_values) =
        (a.as_primitive::<Int64Type>().values(), b.as_primitive::<Int64Type>().values());
    if right.scalar {
        let scaled = i128::from(b_values[0]) * per_second(t);
        let floor = scaled.div_euclid(per_second(u));
        let threshold = Threshold { floor, exact: floor * per_second(u) == scaled };
        return Ok(whole_against::<Int64Type>(comparison, &a, &threshold, rows));
    }
    if t == u {
        return Ok(compare(comparison, Side::Each(a_values), Side::Each(b_values), rows));
    }
    let (by_a, by_b) = (per_second(u), per_second(t));
    Ok(bits2(a_values, b_values, |a, b| comparison.holds(&(i128::from(a) * by_a), &(i128::from(b) * by_b))))
}

fn arrow_compare(comparison: Comparison, a: &dyn Datum, b: &dyn Datum) -> Result<ArrayRef, ArrowError> {
    let found = match comparison {
        Comparison::Less => cmp::lt(a, b),
        Comparison::LessEqual => cmp::lt_eq(a, b),
        Comparison::Greater => cmp::gt(a, b),
        Comparison::GreaterEqual => cmp::gt_eq(a, b),
        Comparison::Equal => cmp::eq(a, b),
        Comparison::NotEqual => cmp::neq(a, b),
    }?;
    Ok(missing_as_false(&found))
}

/// The same truth values, false where there is none.
pub(super) fn missing_as_false(found: &BooleanArray) -> ArrayRef {
    match found.nulls() {
        Some(nulls) => Arc::new(BooleanArray::new(found.values() & nulls.inner(), None)),
        None => Arc::new(found.clone()),
    }
}

/// Whether texts with offsets equal one text or differ from it; `None` for other comparisons and arrays.
fn equal_to(comparison: Comparison, texts: &ArrayRef, wanted: &ArrayRef) -> Option<ArrayRef> {
    fn bits<O: OffsetSizeTrait + Offset>(texts: &ArrayRef, wanted: &ArrayRef) -> Vec<u64> {
        let texts = texts.as_string::<O>();
        equal(texts.value_data(), texts.value_offsets(), wanted.as_string::<O>().value(0).as_bytes())
    }
    if !matches!(comparison, Comparison::Equal | Comparison::NotEqual) {
        return None;
    }
    let bits = match texts.data_type() {
        DataType::LargeUtf8 => bits::<i64>(texts, wanted),
        DataType::Utf8 => bits::<i32>(texts, wanted),
        _ => return None,
    };
    let equal = BooleanBuffer::new(Buffer::from_vec(bits), 0, texts.len());
    let found = if comparison == Comparison::Equal { equal } else { !&equal };
    Some(missing_as_false(&BooleanArray::new(found, texts.nulls().cloned())))
}

/// Texts by their bytes, which is the order of code points. A dictionary's values are compared once.
fn texts(comparison: Comparison, left: &Value, right: &Value, rows: usize) -> Result<ArrayRef, ArrowError> {
    if right.scalar && !left.scalar {
        if let Some(dictionary) = left.array.as_any_dictionary_opt() {
            let wanted = cast(&right.array, dictionary.values().data_type())?;
            let found = arrow_compare(comparison, dictionary.values(), &Scalar::new(wanted))?;
            return Ok(missing_as_false(take(&found, dictionary.keys(), None)?.as_boolean()));
        }
        let wanted = cast(&right.array, left.array.data_type())?;
        if let Some(found) = equal_to(comparison, &left.array, &wanted) {
            return Ok(found);
        }
        return arrow_compare(comparison, &left.array, &Scalar::new(wanted));
    }
    let (left, right) = (left.full(rows)?, right.full(rows)?);
    if left.data_type() == right.data_type() && left.as_any_dictionary_opt().is_none() {
        return arrow_compare(comparison, &left, &right);
    }
    let (left, right) = (cast(&left, &DataType::LargeUtf8)?, cast(&right, &DataType::LargeUtf8)?);
    arrow_compare(comparison, &left, &right)
}
