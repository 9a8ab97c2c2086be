//! Values as whole numbers in the same order, or as texts.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, StringViewArray, UInt64Array, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use super::values::{NumericKind, numeric_kind, signed_numbers, whole_as};
use crate::kernel::order;

/// The values of `rows` of an array made by [`plain_numbers`](super::plain_numbers) as `u64` in the same
/// order, -0.0 as 0.0. What stands for a missing value has no meaning.
pub(super) fn codes(array: &ArrayRef, rows: &Range<usize>) -> Vec<u64> {
    let rows = rows.clone();
    match array.data_type() {
        DataType::UInt64 => array.as_primitive::<UInt64Type>().values()[rows].to_vec(),
        DataType::UInt32 => widened::<UInt32Type>(array, rows),
        DataType::UInt16 => widened::<UInt16Type>(array, rows),
        // Booleans come as bytes; both kinds of byte are small.
        t if t.is_integer() => signed_numbers!(
            array,
            |v| v[rows].iter().map(|&v| order::of_signed(v)).collect(),
            else Vec::new()
        ),
        DataType::Float32 => {
            array.as_primitive::<Float32Type>().values()[rows].iter().map(|&v| order::of_single(v)).collect()
        }
        DataType::Float64 => {
            array.as_primitive::<Float64Type>().values()[rows].iter().map(|&v| order::of_float(v)).collect()
        }
        _ => vec![0; rows.len()],
    }
}

fn widened<T: ArrowPrimitiveType>(array: &ArrayRef, rows: Range<usize>) -> Vec<u64>
where
    T::Native: Into<u64>,
{
    array.as_primitive::<T>().values()[rows].iter().map(|&v| v.into()).collect()
}

/// The values that [`codes`] were of, in the type they had, dictionaries as their values.
pub(super) fn decoded(codes: impl Iterator<Item = Option<u64>>, data_type: &DataType) -> ArrayRef {
    let target = match data_type {
        DataType::Dictionary(_, values) => values.as_ref(),
        other => other,
    };
    let codes: Vec<Option<u64>> = codes.collect();
    match numeric_kind(target) {
        // Unsigned bytes go the way of booleans.
        Some(NumericKind::Unsigned) if target != &DataType::UInt8 => {
            let array: ArrayRef = std::sync::Arc::new(UInt64Array::from(codes));
            cast(&array, target).unwrap_or(array)
        }
        Some(NumericKind::Signed | NumericKind::Unsigned) => {
            whole_as(codes.into_iter().map(|code| code.map(order::signed)).collect(), target)
        }
        Some(NumericKind::Float) => {
            let floats = codes.into_iter().map(|code| code.map(|code| real(code, target)));
            let array: ArrayRef = std::sync::Arc::new(floats.collect::<arrow::array::Float64Array>());
            match target {
                DataType::Float32 | DataType::Float16 => cast(&array, target).unwrap_or(array),
                _ => array,
            }
        }
        None => new_null_array(target, codes.len()),
    }
}

/// The real number that a code of a type is of.
pub(super) fn real(code: u64, data_type: &DataType) -> f64 {
    match data_type {
        DataType::Float32 | DataType::Float16 => f64::from(order::single(code)),
        DataType::Dictionary(_, values) => real(code, values),
        _ => order::float(code),
    }
}

/// The texts of `rows` of an array of any kind of text, dictionaries looked up.
pub(super) fn texts(array: &ArrayRef, rows: &Range<usize>) -> StringViewArray {
    let rows = array.slice(rows.start, rows.len());
    match cast(&rows, &DataType::Utf8View) {
        Ok(texts) => texts.as_string_view().clone(),
        Err(_) => StringViewArray::new_null(rows.len()),
    }
}

/// Texts in the type they had, dictionaries as their values.
pub(super) fn text_array<'a>(texts: impl Iterator<Item = Option<&'a str>>, data_type: &DataType) -> ArrayRef {
    let target = match data_type {
        DataType::Dictionary(_, values) => values.as_ref(),
        other => other,
    };
    let array: ArrayRef = std::sync::Arc::new(texts.collect::<StringViewArray>());
    cast(&array, target).unwrap_or(array)
}
