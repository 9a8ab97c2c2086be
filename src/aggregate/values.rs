//! From Arrow arrays to the kernels: one place that knows every numeric type.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, UInt8Array};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Date64Type, DurationMicrosecondType, DurationMillisecondType,
    DurationNanosecondType, DurationSecondType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use super::Bins;
use crate::kernel::bin::{Edges, MISSING};
use crate::kernel::edge;

/// Which accumulator holds a type without loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NumericKind {
    /// Fits `i64`: signed integers, booleans, dates, times, durations.
    Signed,
    /// Fits `u64`.
    Unsigned,
    /// Fits `f64`.
    Float,
}

/// The accumulator of a type; `None` for types without numbers in them.
pub fn numeric_kind(data_type: &DataType) -> Option<NumericKind> {
    match data_type {
        DataType::Float16 | DataType::Float32 | DataType::Float64 | DataType::Decimal128(..) => {
            Some(NumericKind::Float)
        }
        t if t.is_unsigned_integer() => Some(NumericKind::Unsigned),
        t if t.is_signed_integer() || t.is_temporal() => match t {
            DataType::Interval(_) => None,
            _ => Some(NumericKind::Signed),
        },
        DataType::Boolean => Some(NumericKind::Signed),
        DataType::Dictionary(_, values) => numeric_kind(values),
        _ => None,
    }
}

/// The array in a type [`numbers!`] takes: most as they are, the rare ones cast.
pub(super) fn plain_numbers(array: &ArrayRef) -> ArrayRef {
    let target = match array.data_type() {
        DataType::Boolean => return booleans_as_bytes(array.as_boolean()),
        DataType::Float16 => DataType::Float32,
        DataType::Decimal128(..) => DataType::Float64,
        DataType::Time32(_) => DataType::Int32,
        DataType::Time64(_) => DataType::Int64,
        DataType::Dictionary(_, values) => values.as_ref().clone(),
        _ => return array.clone(),
    };
    arrow::compute::cast(array, &target)
        .unwrap_or_else(|_| arrow::array::new_null_array(&target, array.len()))
}

fn booleans_as_bytes(array: &BooleanArray) -> ArrayRef {
    let bytes: Vec<u8> = array.values().iter().map(u8::from).collect();
    std::sync::Arc::new(UInt8Array::new(bytes.into(), array.nulls().cloned()))
}

/// Runs `$body` with `$values` bound to the typed slice of `$array` when its type is listed.
macro_rules! match_types {
    ($array:expr, |$values:ident| $body:expr, else $other:expr, $($pattern:pat => $t:ty),*) => {
        match $array.data_type() {
            $($pattern => {
                let $values: &[<$t as ArrowPrimitiveType>::Native] = $array.as_primitive::<$t>().values();
                $body
            })*
            _ => $other,
        }
    };
}
pub(super) use match_types;

/// [`match_types!`] over every number.
macro_rules! numbers {
    ($array:expr, |$values:ident| $body:expr, else $other:expr) => {
        $crate::aggregate::values::match_types!(
            $array, |$values| $body, else $other,
            DataType::Int8 => Int8Type, DataType::Int16 => Int16Type, DataType::Int32 => Int32Type,
            DataType::Int64 => Int64Type, DataType::Date32 => Date32Type, DataType::Date64 => Date64Type,
            DataType::Timestamp(TimeUnit::Second, _) => TimestampSecondType,
            DataType::Timestamp(TimeUnit::Millisecond, _) => TimestampMillisecondType,
            DataType::Timestamp(TimeUnit::Microsecond, _) => TimestampMicrosecondType,
            DataType::Timestamp(TimeUnit::Nanosecond, _) => TimestampNanosecondType,
            DataType::Duration(TimeUnit::Second) => DurationSecondType,
            DataType::Duration(TimeUnit::Millisecond) => DurationMillisecondType,
            DataType::Duration(TimeUnit::Microsecond) => DurationMicrosecondType,
            DataType::Duration(TimeUnit::Nanosecond) => DurationNanosecondType,
            DataType::UInt8 => UInt8Type, DataType::UInt16 => UInt16Type, DataType::UInt32 => UInt32Type,
            DataType::UInt64 => UInt64Type,
            DataType::Float32 => Float32Type, DataType::Float64 => Float64Type
        )
    };
}
pub(super) use numbers;

/// [`match_types!`] over the integers and what counts in integers.
macro_rules! whole_numbers {
    ($array:expr, |$values:ident| $body:expr, else $other:expr) => {
        $crate::aggregate::values::match_types!(
            $array, |$values| $body, else $other,
            DataType::Int8 => Int8Type, DataType::Int16 => Int16Type, DataType::Int32 => Int32Type,
            DataType::Int64 => Int64Type, DataType::Date32 => Date32Type, DataType::Date64 => Date64Type,
            DataType::Timestamp(TimeUnit::Second, _) => TimestampSecondType,
            DataType::Timestamp(TimeUnit::Millisecond, _) => TimestampMillisecondType,
            DataType::Timestamp(TimeUnit::Microsecond, _) => TimestampMicrosecondType,
            DataType::Timestamp(TimeUnit::Nanosecond, _) => TimestampNanosecondType,
            DataType::Duration(TimeUnit::Second) => DurationSecondType,
            DataType::Duration(TimeUnit::Millisecond) => DurationMillisecondType,
            DataType::Duration(TimeUnit::Microsecond) => DurationMicrosecondType,
            DataType::Duration(TimeUnit::Nanosecond) => DurationNanosecondType,
            DataType::UInt8 => UInt8Type, DataType::UInt16 => UInt16Type, DataType::UInt32 => UInt32Type,
            DataType::UInt64 => UInt64Type
        )
    };
}
pub(super) use whole_numbers;

/// [`match_types!`] over what fits `i64` beside `u32` and `u64`; booleans come as bytes.
macro_rules! signed_numbers {
    ($array:expr, |$values:ident| $body:expr, else $other:expr) => {
        $crate::aggregate::values::match_types!(
            $array, |$values| $body, else $other,
            DataType::Int8 => Int8Type, DataType::Int16 => Int16Type, DataType::Int32 => Int32Type,
            DataType::Int64 => Int64Type, DataType::Date32 => Date32Type, DataType::Date64 => Date64Type,
            DataType::Timestamp(TimeUnit::Second, _) => TimestampSecondType,
            DataType::Timestamp(TimeUnit::Millisecond, _) => TimestampMillisecondType,
            DataType::Timestamp(TimeUnit::Microsecond, _) => TimestampMicrosecondType,
            DataType::Timestamp(TimeUnit::Nanosecond, _) => TimestampNanosecondType,
            DataType::Duration(TimeUnit::Second) => DurationSecondType,
            DataType::Duration(TimeUnit::Millisecond) => DurationMillisecondType,
            DataType::Duration(TimeUnit::Microsecond) => DurationMicrosecondType,
            DataType::Duration(TimeUnit::Nanosecond) => DurationNanosecondType,
            DataType::UInt8 => UInt8Type
        )
    };
}
pub(super) use signed_numbers;

/// [`match_types!`] over unsigned integers.
macro_rules! unsigned_numbers {
    ($array:expr, |$values:ident| $body:expr, else $other:expr) => {
        $crate::aggregate::values::match_types!(
            $array, |$values| $body, else $other,
            DataType::UInt8 => UInt8Type, DataType::UInt16 => UInt16Type, DataType::UInt32 => UInt32Type,
            DataType::UInt64 => UInt64Type
        )
    };
}
pub(super) use unsigned_numbers;

/// [`match_types!`] over floats.
macro_rules! real_numbers {
    ($array:expr, |$values:ident| $body:expr, else $other:expr) => {
        $crate::aggregate::values::match_types!(
            $array, |$values| $body, else $other,
            DataType::Float32 => Float32Type, DataType::Float64 => Float64Type
        )
    };
}
pub(super) use real_numbers;

/// Writes the slot of every value of `array` on the axis `bins` into `slots`, replacing what it held.
/// Null and NaN, and every value of a type without numbers, go to the missing slot.
pub fn slots_of(array: &ArrayRef, bins: &Bins, slots: &mut Vec<u32>) {
    let missing = bins.count() as u32 + MISSING;
    slots.clear();
    slots.resize(array.len(), missing);
    let array = plain_numbers(array);
    numbers!(array, |values| Edges::new(bins.edges(), bins.guess()).slots(values, slots), else return);
    if let Some(nulls) = array.nulls() {
        for (slot, valid) in slots.iter_mut().zip(nulls.iter()) {
            *slot = if valid { *slot } else { missing };
        }
    }
}

/// Which values of `array` lie in `[lo, hi)`; missing ones do not.
pub fn within(array: &ArrayRef, lo: f64, hi: f64) -> BooleanBuffer {
    let array = plain_numbers(array);
    let mut inside = vec![false; array.len()];
    numbers!(array, |values| edge::within(values, lo, hi, &mut inside), else ());
    let inside = BooleanBuffer::from(inside);
    match array.nulls() {
        Some(nulls) => &inside & nulls.inner(),
        None => inside,
    }
}
