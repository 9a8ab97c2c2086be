//! Missing values and NaN.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::compute::{is_not_null, is_null};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use arrow::error::ArrowError;

use super::super::tree::Expr;
use super::super::typing::{Mistake, Typing, expect_numbers, plain, unified};
use super::{Arguments, BASE, Family, Function, Missing, booleans};
use crate::kernel::compare::{bits, constant};

const MISSING: Function =
    Function { family: Family::Missing, missing: Missing::Own, keeps_weak: false, ..BASE };

/// The entries of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "ismissing",
        aliases: &["isnull", "is_null"],
        signature: "ismissing(x)",
        doc: "Whether there is no value; NaN is a value.",
        example: "ismissing(null) = true",
        types: any_to_bool,
        kernel: |a| Ok(Arc::new(is_null(a.array(0))?)),
        ..MISSING
    },
    Function {
        name: "notmissing",
        aliases: &["notnull", "is_not_null"],
        signature: "notmissing(x)",
        doc: "Whether there is a value; NaN is a value.",
        example: "notmissing(1) = true",
        types: any_to_bool,
        kernel: |a| Ok(Arc::new(is_not_null(a.array(0))?)),
        ..MISSING
    },
    Function {
        name: "isnan",
        aliases: &["is_nan"],
        signature: "isnan(x)",
        doc: "Whether the number is NaN; a missing one is not.",
        example: "isnan(nan) = true",
        types: number_to_bool,
        kernel: |a| float_test(a, |v| v.is_nan(), |v| v.is_nan(), false),
        ..MISSING
    },
    Function {
        name: "isna",
        aliases: &["is_na"],
        signature: "isna(x)",
        doc: "Whether there is no value or it is NaN.",
        example: "isna(nan) = true",
        types: any_to_bool,
        kernel: isna,
        ..MISSING
    },
    Function {
        name: "notna",
        signature: "notna(x)",
        doc: "Whether there is a value that is not NaN.",
        example: "notna(nan) = false",
        types: any_to_bool,
        kernel: |a| Ok(Arc::new(arrow::compute::not(isna(a)?.as_boolean())?)),
        ..MISSING
    },
    Function {
        name: "isfinite",
        aliases: &["is_finite"],
        signature: "isfinite(x)",
        doc: "Whether it is a number that is neither infinite nor NaN nor missing.",
        example: "isfinite(inf) = false",
        types: number_to_bool,
        kernel: |a| float_test(a, |v| v.is_finite(), |v| v.is_finite(), true),
        ..MISSING
    },
    Function {
        name: "isinf",
        aliases: &["is_inf"],
        signature: "isinf(x)",
        doc: "Whether the number is infinite; a missing one is not.",
        example: "isinf(-inf) = true",
        types: number_to_bool,
        kernel: |a| float_test(a, |v| v.is_infinite(), |v| v.is_infinite(), false),
        ..MISSING
    },
    Function {
        name: "coalesce",
        aliases: &["fillmissing", "fillnull"],
        arity: (1, usize::MAX),
        signature: "coalesce(a, b, …)",
        doc: "The first of the values that is not missing.",
        example: "coalesce(null, 2) = 2",
        types: |arguments| {
            let one = unified(arguments, 0)?;
            Typing::new(vec![one.clone(); arguments.len()], one)
        },
        kernel: coalesce,
        ..MISSING
    },
];

fn any_to_bool(arguments: &[Expr]) -> Result<Typing, Mistake> {
    Typing::new(vec![arguments[0].data_type().clone()], DataType::Boolean)
}

fn number_to_bool(arguments: &[Expr]) -> Result<Typing, Mistake> {
    expect_numbers(arguments, 0)?;
    let own = match plain(arguments[0].data_type()) {
        t if t.is_integer() => t.clone(),
        DataType::Float32 => DataType::Float32,
        _ => DataType::Float64,
    };
    Typing::new(vec![own], DataType::Boolean)
}

/// A test of reals; whole numbers are all finite, and where there is none the answer is false.
fn float_test(
    a: &Arguments,
    narrow: fn(f32) -> bool,
    wide: fn(f64) -> bool,
    whole: bool,
) -> Result<ArrayRef, ArrowError> {
    let array = a.array(0);
    let words = match array.data_type() {
        DataType::Float32 => bits(array.as_primitive::<Float32Type>().values(), narrow),
        DataType::Float64 => bits(array.as_primitive::<Float64Type>().values(), wide),
        _ => constant(whole, array.len()),
    };
    let found = booleans(words, array.len(), None);
    match array.nulls() {
        Some(nulls) => Ok(Arc::new(BooleanArray::new(found.as_boolean().values() & nulls.inner(), None))),
        None => Ok(found),
    }
}

fn isna(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    let missing = is_null(a.array(0))?;
    if !a.array(0).data_type().is_floating() {
        return Ok(Arc::new(missing));
    }
    let nan = float_test(a, |v| v.is_nan(), |v| v.is_nan(), false)?;
    Ok(Arc::new(arrow::compute::or(&missing, nan.as_boolean())?))
}

fn coalesce(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    let mut result = a.full(0)?;
    for i in 1..a.values.len() {
        if result.null_count() == 0 {
            break;
        }
        result = arrow::compute::kernels::zip::zip(&is_not_null(&result)?, &result, &a.full(i)?)?;
    }
    Ok(result)
}
