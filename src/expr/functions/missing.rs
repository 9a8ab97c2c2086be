//! Missing values and NaN.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::compute::kernels::zip::zip;
use arrow::compute::{is_not_null, is_null};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use arrow::error::ArrowError;

use super::super::tree::Expr;
use super::super::typing::{Mistake, Typing, compared, expect_numbers, plain, unified};
use super::{Arguments, BASE, Family, Function, Missing, Value, booleans, bounds};
use crate::data::Domain;
use crate::kernel::compare::{Comparison, bits, constant};

const MISSING: Function =
    Function { family: Family::Missing, missing: Missing::Own, keeps_weak: false, ..BASE };
const TEST: Function = Function { missing: Missing::Never, domain: bounds::bool, ..MISSING };

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
        ..TEST
    },
    Function {
        name: "notmissing",
        aliases: &["notnull", "is_not_null"],
        signature: "notmissing(x)",
        doc: "Whether there is a value; NaN is a value.",
        example: "notmissing(1) = true",
        types: any_to_bool,
        kernel: |a| Ok(Arc::new(is_not_null(a.array(0))?)),
        ..TEST
    },
    Function {
        name: "isnan",
        domain: bounds::isnan,
        aliases: &["is_nan"],
        signature: "isnan(x)",
        doc: "Whether the number is NaN; a missing one is not.",
        example: "isnan(nan) = true",
        types: number_to_bool,
        kernel: |a| float_test(a, |v| v.is_nan(), |v| v.is_nan(), false),
        ..TEST
    },
    Function {
        name: "isna",
        aliases: &["is_na"],
        signature: "isna(x)",
        doc: "Whether there is no value or it is NaN.",
        example: "isna(nan) = true",
        types: any_to_bool,
        kernel: isna,
        ..TEST
    },
    Function {
        name: "notna",
        signature: "notna(x)",
        doc: "Whether there is a value that is not NaN.",
        example: "notna(nan) = false",
        types: any_to_bool,
        kernel: |a| Ok(Arc::new(arrow::compute::not(isna(a)?.as_boolean())?)),
        ..TEST
    },
    Function {
        name: "isfinite",
        aliases: &["is_finite"],
        signature: "isfinite(x)",
        doc: "Whether it is a number that is neither infinite nor NaN nor missing.",
        example: "isfinite(inf) = false",
        types: number_to_bool,
        kernel: |a| float_test(a, |v| v.is_finite(), |v| v.is_finite(), true),
        ..TEST
    },
    Function {
        name: "isinf",
        aliases: &["is_inf"],
        signature: "isinf(x)",
        doc: "Whether the number is infinite; a missing one is not.",
        example: "isinf(-inf) = true",
        types: number_to_bool,
        kernel: |a| float_test(a, |v| v.is_infinite(), |v| v.is_infinite(), false),
        ..TEST
    },
    Function {
        name: "notnan",
        signature: "notnan(x)",
        doc: "Whether the number is not NaN; so is a missing one.",
        example: "notnan(nan) = false",
        types: number_to_bool,
        kernel: |a| {
            let nan = float_test(a, |v| v.is_nan(), |v| v.is_nan(), false)?;
            Ok(Arc::new(arrow::compute::not(nan.as_boolean())?))
        },
        ..TEST
    },
    Function {
        name: "fillnan",
        arity: (2, 2),
        signature: "fillnan(x, value)",
        doc: "The number, or the value where it is NaN; missing stays missing.",
        example: "fillnan(nan, 2) = 2.0",
        types: fill_types,
        kernel: |a| {
            let nan = float_test(a, |v| v.is_nan(), |v| v.is_nan(), false)?;
            zip(nan.as_boolean(), &a.full(1)?, &a.full(0)?)
        },
        domain: |d, _| Domain { nan: d[1].nan, ..d[0].hull(d[1]) },
        ..MISSING
    },
    Function {
        name: "fillna",
        arity: (2, 2),
        signature: "fillna(x, value)",
        doc: "The value where there is none or it is NaN, else x.",
        example: "fillna(null, 2) = 2",
        types: fill_types,
        kernel: |a| zip(isna(a)?.as_boolean(), &a.full(1)?, &a.full(0)?),
        domain: |d, _| Domain { nan: d[1].nan, ..d[0].hull(d[1]) },
        ..MISSING
    },
    Function {
        name: "nullif",
        arity: (2, 2),
        dates: true,
        signature: "nullif(x, value)",
        doc: "x, but missing where it equals the value.",
        example: "nullif(-1, -1) = null",
        types: |arguments| {
            let own = unified(&arguments[..1], 0)?;
            let mut parameters = compared(arguments)?;
            if parameters[0] != own {
                parameters = vec![own.clone(), own.clone()];
            }
            Typing::new(parameters, own)
        },
        kernel: |a| {
            let same = super::super::compare::run(Comparison::Equal, a)?;
            arrow::compute::nullif(&a.full(0)?, same.as_boolean())
        },
        domain: |d, _| d[0],
        ..MISSING
    },
    Function {
        name: "greatest",
        arity: (1, usize::MAX),
        dates: true,
        signature: "greatest(a, b, …)",
        doc: "The largest of the values; missing ones and NaN do not count unless there is no other.",
        example: "greatest(1, null, 3) = 3",
        types: extreme_types,
        kernel: |a| extreme(a, Comparison::Greater),
        domain: bounds::any,
        ..MISSING
    },
    Function {
        name: "least",
        arity: (1, usize::MAX),
        dates: true,
        signature: "least(a, b, …)",
        doc: "The smallest of the values; missing ones and NaN do not count unless there is no other.",
        example: "least(1, null, 3) = 1",
        types: extreme_types,
        kernel: |a| extreme(a, Comparison::Less),
        domain: bounds::any,
        ..MISSING
    },
    Function {
        name: "coalesce",
        domain: bounds::any,
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

fn fill_types(arguments: &[Expr]) -> Result<Typing, Mistake> {
    let one = unified(arguments, 0)?;
    Typing::new(vec![one.clone(), one.clone()], one)
}

fn extreme_types(arguments: &[Expr]) -> Result<Typing, Mistake> {
    let one = unified(arguments, 0)?;
    Typing::new(vec![one.clone(); arguments.len()], one)
}

/// Takes the next value where it compares so with the one so far, or where that is missing or NaN.
fn extreme(a: &Arguments, comparison: Comparison) -> Result<ArrayRef, ArrowError> {
    let mut best = a.full(0)?;
    for i in 1..a.values.len() {
        let pair = [Value { array: a.full(i)?, scalar: false }, Value { array: best.clone(), scalar: false }];
        let arguments = Arguments { values: &pair, rows: a.rows, output: &DataType::Boolean };
        let next = super::super::compare::run(comparison, &arguments)?;
        let none = Arguments { values: &pair[1..], rows: a.rows, output: &DataType::Boolean };
        let none = isna(&none)?;
        let takes = arrow::compute::or(next.as_boolean(), none.as_boolean())?;
        let takes = arrow::compute::and(&takes, &is_not_null(&pair[0].array)?)?;
        best = zip(&takes, &pair[0].array, &best)?;
    }
    Ok(best)
}

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
        result = zip(&is_not_null(&result)?, &result, &a.full(i)?)?;
    }
    Ok(result)
}
