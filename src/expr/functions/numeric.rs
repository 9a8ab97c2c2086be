//! Numbers to numbers, and conversions to numbers.

use arrow::array::{ArrayRef, AsArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Int64Type};
use arrow::error::ArrowError;

use super::super::tree::Expr;
use super::super::typing::{
    Mistake, Typing, describe, expect_numbers, is_numeric, is_text, is_time, number, plain, real,
};
use super::{Arguments, BASE, Family, Function, primitives};
use crate::kernel::float;
use crate::{binary, unary};

const REAL: Function = BASE;
const CAST: Function = Function { family: Family::Conversion, keeps_weak: false, kernel: convert, ..BASE };

macro_rules! real {
    ($name:literal, $aliases:expr, $doc:literal, $example:literal, $float:expr) => {
        Function {
            name: $name,
            aliases: $aliases,
            signature: concat!($name, "(x)"),
            doc: $doc,
            example: $example,
            float: Some($float),
            ..REAL
        }
    };
}

macro_rules! to_type {
    ($name:literal, $aliases:expr, $doc:literal, $example:literal, $type:expr) => {
        Function {
            name: $name,
            aliases: $aliases,
            signature: concat!($name, "(x)"),
            doc: $doc,
            example: $example,
            types: |arguments| cast_types(arguments, $type),
            ..CAST
        }
    };
}

/// The entries of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    real!("sqrt", &[], "The square root; of a negative number, NaN.", "sqrt(16) = 4.0", float::SQRT),
    real!("cbrt", &[], "The cube root.", "cbrt(27) = 3.0", unary!(|x| x.cbrt())),
    real!("exp", &[], "e to the power of x.", "exp(0) = 1.0", unary!(|x| x.exp())),
    real!("expm1", &[], "exp(x) - 1, exact near 0.", "expm1(0) = 0.0", unary!(|x| x.exp_m1())),
    real!("log1p", &[], "log(1 + x), exact near 0.", "log1p(0) = 0.0", unary!(|x| x.ln_1p())),
    real!("log2", &[], "The logarithm to base 2.", "log2(8) = 3.0", unary!(|x| x.log2())),
    real!("log10", &[], "The logarithm to base 10.", "log10(1000) = 3.0", unary!(|x| x.log10())),
    real!("sin", &[], "The sine of an angle in radians.", "sin(0) = 0.0", unary!(|x| x.sin())),
    real!("cos", &[], "The cosine of an angle in radians.", "cos(0) = 1.0", unary!(|x| x.cos())),
    real!("tan", &[], "The tangent of an angle in radians.", "tan(0) = 0.0", unary!(|x| x.tan())),
    real!("arcsin", &["asin"], "The angle in radians with sine x.", "arcsin(0) = 0.0", unary!(|x| x.asin())),
    real!(
        "arccos",
        &["acos"],
        "The angle in radians with cosine x.",
        "arccos(1) = 0.0",
        unary!(|x| x.acos())
    ),
    real!(
        "arctan",
        &["atan"],
        "The angle in radians with tangent x.",
        "arctan(0) = 0.0",
        unary!(|x| x.atan())
    ),
    real!("sinh", &[], "The hyperbolic sine.", "sinh(0) = 0.0", unary!(|x| x.sinh())),
    real!("cosh", &[], "The hyperbolic cosine.", "cosh(0) = 1.0", unary!(|x| x.cosh())),
    real!("tanh", &[], "The hyperbolic tangent.", "tanh(0) = 0.0", unary!(|x| x.tanh())),
    real!("arcsinh", &["asinh"], "The inverse of sinh.", "arcsinh(0) = 0.0", unary!(|x| x.asinh())),
    real!("arccosh", &["acosh"], "The inverse of cosh.", "arccosh(1) = 0.0", unary!(|x| x.acosh())),
    real!("arctanh", &["atanh"], "The inverse of tanh.", "arctanh(0) = 0.0", unary!(|x| x.atanh())),
    real!("deg2rad", &["radians"], "Degrees to radians.", "deg2rad(0) = 0.0", unary!(|x| x.to_radians())),
    real!("rad2deg", &["degrees"], "Radians to degrees.", "rad2deg(pi) = 180.0", unary!(|x| x.to_degrees())),
    Function {
        name: "arctan2",
        aliases: &["atan2"],
        arity: (2, 2),
        signature: "arctan2(y, x)",
        doc: "The angle in radians of the point (x, y), from -pi to pi.",
        example: "arctan2(0, 1) = 0.0",
        float: Some(binary!(|y, x| y.atan2(x))),
        ..REAL
    },
    Function {
        name: "hypot",
        arity: (2, 2),
        signature: "hypot(x, y)",
        doc: "sqrt(x*x + y*y) without overflow.",
        example: "hypot(3, 4) = 5.0",
        float: Some(binary!(|x, y| x.hypot(y))),
        ..REAL
    },
    Function {
        name: "log",
        aliases: &["ln"],
        arity: (1, 2),
        signature: "log(x, base = e)",
        doc: "The natural logarithm, or the one to a base.",
        example: "log(1) = 0.0",
        kernel: log_base,
        float: Some(unary!(|x| x.ln())),
        ..REAL
    },
    rounding(
        "floor",
        &[],
        "floor(x)",
        "The largest whole number that is at most x.",
        "floor(-1.5) = -2.0",
        float::FLOOR,
    ),
    rounding(
        "ceil",
        &[],
        "ceil(x)",
        "The smallest whole number that is at least x.",
        "ceil(-1.5) = -1.0",
        float::CEIL,
    ),
    rounding("trunc", &[], "trunc(x)", "The whole number towards zero.", "trunc(-1.5) = -1.0", float::TRUNC),
    Function {
        name: "abs",
        signature: "abs(x)",
        doc: "The number without its sign; of the smallest int64, missing.",
        example: "abs(-3) = 3",
        types: super::operators::number_types,
        kernel: abs,
        float: Some(float::ABS),
        ..BASE
    },
    to_type!(
        "float64",
        &["double", "float", "to_float64"],
        "The number in double precision; text is read.",
        "float64('1.5') = 1.5",
        DataType::Float64
    ),
    to_type!(
        "float32",
        &["to_float32"],
        "The number in single precision; text is read.",
        "float32(1) = 1.0",
        DataType::Float32
    ),
    to_type!(
        "int64",
        &["int", "to_int64"],
        "The whole number, towards zero; outside its range, missing.",
        "int64(-1.5) = -1",
        DataType::Int64
    ),
    to_type!(
        "int32",
        &[],
        "The whole number of 32 bits, towards zero; outside its range, missing.",
        "int32(3.9) = 3",
        DataType::Int32
    ),
    to_type!(
        "int16",
        &[],
        "The whole number of 16 bits, towards zero; outside its range, missing.",
        "int16(70000) = null",
        DataType::Int16
    ),
    to_type!(
        "int8",
        &[],
        "The whole number of 8 bits, towards zero; outside its range, missing.",
        "int8(-5) = -5",
        DataType::Int8
    ),
    to_type!(
        "uint64",
        &[],
        "The number from 0 up of 64 bits, towards zero; outside its range, missing.",
        "uint64(-1) = null",
        DataType::UInt64
    ),
    to_type!(
        "uint32",
        &[],
        "The number from 0 up of 32 bits, towards zero; outside its range, missing.",
        "uint32(7) = 7",
        DataType::UInt32
    ),
    to_type!(
        "uint16",
        &[],
        "The number from 0 up of 16 bits, towards zero; outside its range, missing.",
        "uint16(7) = 7",
        DataType::UInt16
    ),
    to_type!(
        "uint8",
        &[],
        "The number from 0 up of 8 bits, towards zero; outside its range, missing.",
        "uint8(256) = null",
        DataType::UInt8
    ),
];

const fn rounding(
    name: &'static str,
    aliases: &'static [&'static str],
    signature: &'static str,
    doc: &'static str,
    example: &'static str,
    float: crate::kernel::float::Float,
) -> Function {
    Function {
        name,
        aliases,
        signature,
        doc,
        example,
        types: super::operators::number_types,
        kernel: unchanged,
        float: Some(float),
        ..BASE
    }
}

/// Parameters and result of one real type.
pub(super) fn real_types(arguments: &[Expr]) -> Result<Typing, Mistake> {
    expect_numbers(arguments, 0)?;
    let one = real(arguments);
    Typing::new(vec![one.clone(); arguments.len()], one)
}

fn unchanged(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    Ok(a.array(0).clone())
}

fn abs(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    if a.output == &DataType::UInt64 {
        return unchanged(a);
    }
    let array = a.array(0).as_primitive::<Int64Type>();
    Ok(std::sync::Arc::new(array.unary_opt::<_, Int64Type>(i64::checked_abs)))
}

fn log_base(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    use arrow::datatypes::{Float32Type, Float64Type};
    let (x, base) = (a.full(0)?, a.full(1)?);
    Ok(match a.output {
        DataType::Float32 => {
            let (x, base) = (x.as_primitive::<Float32Type>(), base.as_primitive::<Float32Type>());
            let values = x.values().iter().zip(base.values()).map(|(x, b)| x.log(*b)).collect();
            primitives::<Float32Type>(values, a.nulls(), a.output)
        }
        _ => {
            let (x, base) = (x.as_primitive::<Float64Type>(), base.as_primitive::<Float64Type>());
            let values = x.values().iter().zip(base.values()).map(|(x, b)| x.log(*b)).collect();
            primitives::<Float64Type>(values, a.nulls(), a.output)
        }
    })
}

fn cast_types(arguments: &[Expr], output: DataType) -> Result<Typing, Mistake> {
    let own = arguments[0].data_type();
    let is_readable = is_numeric(own)
        || is_text(own)
        || matches!(own, DataType::Duration(_))
        || (is_time(own) && output.is_integer());
    if !is_readable {
        return Err(Mistake::at(0, format!("{} is no number", describe(own))));
    }
    let own = match plain(own) {
        DataType::Boolean | DataType::Null => number(arguments),
        other => other.clone(),
    };
    Typing::new(vec![own], output)
}

/// Arrow's conversion; what does not fit or cannot be read is missing.
fn convert(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    let options = CastOptions { safe: true, ..Default::default() };
    let array = a.array(0);
    if matches!(array.data_type(), DataType::Date32 | DataType::Duration(_) | DataType::Timestamp(..)) {
        let whole = cast_with_options(array, &DataType::Int64, &options)?;
        return cast_with_options(&whole, a.output, &options);
    }
    cast_with_options(array, a.output, &options)
}
