//! Numbers to numbers.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array, PrimitiveArray};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Float32Type, Float64Type, Int64Type, UInt64Type};
use arrow::error::ArrowError;

use super::super::literal::Literal;
use super::super::tree::Expr;
use super::super::typing::{
    Mistake, Typing, describe, expect_literal, expect_numbers, is_number, number, real,
};
use super::operators::number_types;
use super::{Arguments, BASE, Function, Missing, bounds, primitives};
use crate::data::Domain;
use crate::kernel::float;
use crate::{binary, unary};

const REAL: Function = BASE;

/// A function of one real that never falls, from the first bound to the second.
macro_rules! rising {
    ($name:literal, $aliases:expr, $doc:literal, $example:literal, $from:expr, $to:expr, |$x:ident| $body:expr) => {
        Function {
            name: $name,
            aliases: $aliases,
            signature: concat!($name, "(x)"),
            doc: $doc,
            example: $example,
            domain: |d, _| bounds::rising_within(d[0], $from, $to, |$x: f64| $body),
            float: Some(unary!(|$x| $body)),
            ..REAL
        }
    };
}

const ALL: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

/// The entries of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "sqrt",
        signature: "sqrt(x)",
        doc: "The square root; of a negative number, NaN.",
        example: "sqrt(16) = 4.0",
        domain: |d, _| bounds::rising_within(d[0], 0.0, f64::INFINITY, f64::sqrt),
        float: Some(float::SQRT),
        ..REAL
    },
    rising!("cbrt", &[], "The cube root.", "cbrt(27) = 3.0", ALL.0, ALL.1, |x| x.cbrt()),
    rising!("exp", &[], "e to the power of x.", "exp(0) = 1.0", ALL.0, ALL.1, |x| x.exp()),
    rising!("expm1", &[], "exp(x) - 1, exact near 0.", "expm1(0) = 0.0", ALL.0, ALL.1, |x| x.exp_m1()),
    rising!("log1p", &[], "log(1 + x), exact near 0.", "log1p(0) = 0.0", -1.0, ALL.1, |x| x.ln_1p()),
    rising!("log2", &[], "The logarithm to base 2.", "log2(8) = 3.0", 0.0, ALL.1, |x| x.log2()),
    rising!("log10", &[], "The logarithm to base 10.", "log10(1000) = 3.0", 0.0, ALL.1, |x| x.log10()),
    rising!("arcsin", &["asin"], "The angle in radians with sine x.", "arcsin(0) = 0.0", -1.0, 1.0, |x| x
        .asin()),
    rising!(
        "arctan",
        &["atan"],
        "The angle in radians with tangent x.",
        "arctan(0) = 0.0",
        ALL.0,
        ALL.1,
        |x| x.atan()
    ),
    rising!("sinh", &[], "The hyperbolic sine.", "sinh(0) = 0.0", ALL.0, ALL.1, |x| x.sinh()),
    rising!("tanh", &[], "The hyperbolic tangent.", "tanh(0) = 0.0", ALL.0, ALL.1, |x| x.tanh()),
    rising!("arcsinh", &["asinh"], "The inverse of sinh.", "arcsinh(0) = 0.0", ALL.0, ALL.1, |x| x.asinh()),
    rising!("arccosh", &["acosh"], "The inverse of cosh.", "arccosh(1) = 0.0", 1.0, ALL.1, |x| x.acosh()),
    rising!("arctanh", &["atanh"], "The inverse of tanh.", "arctanh(0) = 0.0", -1.0, 1.0, |x| x.atanh()),
    rising!("deg2rad", &["radians"], "Degrees to radians.", "deg2rad(0) = 0.0", ALL.0, ALL.1, |x| x
        .to_radians()),
    rising!("rad2deg", &["degrees"], "Radians to degrees.", "rad2deg(pi) = 180.0", ALL.0, ALL.1, |x| x
        .to_degrees()),
    Function {
        name: "sin",
        signature: "sin(x)",
        doc: "The sine of an angle in radians.",
        example: "sin(0) = 0.0",
        domain: bounds::wave,
        float: Some(unary!(|x| x.sin())),
        ..REAL
    },
    Function {
        name: "cos",
        signature: "cos(x)",
        doc: "The cosine of an angle in radians.",
        example: "cos(0) = 1.0",
        domain: bounds::wave,
        float: Some(unary!(|x| x.cos())),
        ..REAL
    },
    Function {
        name: "tan",
        signature: "tan(x)",
        doc: "The tangent of an angle in radians.",
        example: "tan(0) = 0.0",
        float: Some(unary!(|x| x.tan())),
        ..REAL
    },
    Function {
        name: "arccos",
        aliases: &["acos"],
        signature: "arccos(x)",
        doc: "The angle in radians with cosine x.",
        example: "arccos(1) = 0.0",
        domain: |d, t| bounds::rising_within(bounds::negate(d, t), -1.0, 1.0, |x| (-x).acos()),
        float: Some(unary!(|x| x.acos())),
        ..REAL
    },
    Function {
        name: "cosh",
        signature: "cosh(x)",
        doc: "The hyperbolic cosine.",
        example: "cosh(0) = 1.0",
        domain: |d, t| bounds::rising_within(bounds::abs(d, t), 0.0, f64::INFINITY, f64::cosh),
        float: Some(unary!(|x| x.cosh())),
        ..REAL
    },
    Function {
        name: "sinc",
        signature: "sinc(x)",
        doc: "sin(pi x) / (pi x), and 1 at 0.",
        example: "sinc(0) = 1.0",
        domain: bounds::wave,
        float: Some(unary!(|x| if x == 0.0 {
            1.0
        } else {
            let angle = (x * 180.0).to_radians();
            angle.sin() / angle
        })),
        ..REAL
    },
    Function {
        name: "arctan2",
        aliases: &["atan2"],
        arity: (2, 2),
        signature: "arctan2(y, x)",
        doc: "The angle in radians of the point (x, y), from -pi to pi.",
        example: "arctan2(0, 1) = 0.0",
        domain: |d, _| Domain { nan: d[0].nan || d[1].nan, ..Domain::new(-3.15, 3.15) },
        float: Some(binary!(|y, x| y.atan2(x))),
        ..REAL
    },
    Function {
        name: "hypot",
        arity: (2, 2),
        signature: "hypot(x, y)",
        doc: "sqrt(x*x + y*y) without overflow.",
        example: "hypot(3, 4) = 5.0",
        domain: |d, _| Domain { nan: d[0].nan || d[1].nan, ..Domain::new(0.0, f64::INFINITY) },
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
        domain: |d, _| match d {
            [x] => bounds::rising_within(*x, 0.0, f64::INFINITY, f64::ln),
            _ => Domain::ALL,
        },
        kernel: log_base,
        float: Some(unary!(|x| x.ln())),
        ..REAL
    },
    rounding(
        "floor",
        "floor(x)",
        "The largest whole number that is at most x.",
        "floor(-1.5) = -2.0",
        |d, _| bounds::rising(d[0], f64::floor),
        float::FLOOR,
    ),
    rounding(
        "ceil",
        "ceil(x)",
        "The smallest whole number that is at least x.",
        "ceil(-1.5) = -1.0",
        |d, _| bounds::rising(d[0], f64::ceil),
        float::CEIL,
    ),
    rounding(
        "trunc",
        "trunc(x)",
        "The whole number towards zero.",
        "trunc(-1.5) = -1.0",
        |d, _| bounds::rising(d[0], f64::trunc),
        float::TRUNC,
    ),
    Function {
        name: "round",
        arity: (1, 2),
        signature: "round(x, decimals = 0)",
        doc: "The nearest whole number, or the nearest with so many decimals; halves go to the even one.",
        example: "round(2.5) = 2.0",
        types: round_types,
        kernel: round,
        float: Some(float::ROUND),
        domain: |d, _| match d {
            [x] => bounds::rising(*x, f64::round_ties_even),
            _ => Domain::ALL,
        },
        ..BASE
    },
    Function {
        name: "abs",
        signature: "abs(x)",
        doc: "The number without its sign; of the smallest int64, missing.",
        example: "abs(-3) = 3",
        types: number_types,
        kernel: abs,
        float: Some(float::ABS),
        domain: bounds::abs,
        may_overflow: true,
        ..BASE
    },
    Function {
        name: "sign",
        signature: "sign(x)",
        doc: "-1, 0 or 1, as the number is below, at or above 0.",
        example: "sign(-2.5) = -1.0",
        types: number_types,
        kernel: |a| match a.output {
            DataType::UInt64 => {
                Ok(Arc::new(a.array(0).as_primitive::<UInt64Type>().unary::<_, UInt64Type>(|v| v.min(1))))
            }
            _ => Ok(Arc::new(a.array(0).as_primitive::<Int64Type>().unary::<_, Int64Type>(i64::signum))),
        },
        float: Some(unary!(|x| if x == 0.0 || x.is_nan() { x } else { x.signum() })),
        domain: |d, _| Domain { nan: d[0].nan, ..Domain::new(-1.0, 1.0) },
        ..BASE
    },
    Function {
        name: "maximum",
        arity: (2, 2),
        signature: "maximum(a, b)",
        doc: "The larger of two numbers; NaN if one is NaN.",
        example: "maximum(1, 2) = 2",
        types: number_types,
        kernel: |a| larger(a, |a, b| a.max(b), |a, b| a.max(b)),
        float: Some(binary!(|a, b| if a > b || a.is_nan() { a } else { b })),
        domain: |d, _| Domain {
            nan: d[0].nan || d[1].nan,
            ..Domain::new(d[0].min.max(d[1].min), d[0].max.max(d[1].max))
        },
        ..BASE
    },
    Function {
        name: "minimum",
        arity: (2, 2),
        signature: "minimum(a, b)",
        doc: "The smaller of two numbers; NaN if one is NaN.",
        example: "minimum(1, 2) = 1",
        types: number_types,
        kernel: |a| larger(a, |a, b| a.min(b), |a, b| a.min(b)),
        float: Some(binary!(|a, b| if a < b || a.is_nan() { a } else { b })),
        domain: |d, _| Domain {
            nan: d[0].nan || d[1].nan,
            ..Domain::new(d[0].min.min(d[1].min), d[0].max.min(d[1].max))
        },
        ..BASE
    },
    Function {
        name: "clip",
        arity: (3, 3),
        signature: "clip(x, low, high)",
        doc: "The number, but not below low and not above high; a bound that is null does not count.",
        example: "clip(5, 1, 3) = 3",
        missing: Missing::Own,
        types: number_types,
        kernel: clip,
        ..BASE
    },
    Function {
        name: "searchsorted",
        arity: (2, 3),
        signature: "searchsorted(x, [edges], 'left')",
        doc: "How many of the ascending edges are below x, or with 'right' at most x; of NaN, missing.",
        example: "searchsorted(2, [1, 2, 3]) = 1",
        types: edges_types,
        keeps_weak: false,
        kernel: |a| {
            let right = a.values.get(2).is_some_and(|side| side.array.as_string::<i32>().value(0) == "right");
            placed(a, right)
        },
        ..BASE
    },
    Function {
        name: "digitize",
        arity: (2, 3),
        signature: "digitize(x, [edges], right = false)",
        doc: "The bin of x between ascending edges: 0 below the first, i where edge i-1 <= x < edge i; of NaN, missing.",
        example: "digitize(2, [1, 2, 3]) = 2",
        types: edges_types,
        keeps_weak: false,
        kernel: |a| {
            let right = a.values.get(2).is_some_and(|right| right.array.as_boolean().value(0));
            placed(a, !right)
        },
        ..BASE
    },
];

const fn rounding(
    name: &'static str,
    signature: &'static str,
    doc: &'static str,
    example: &'static str,
    domain: bounds::Bounds,
    float: float::Float,
) -> Function {
    Function {
        name,
        signature,
        doc,
        example,
        domain,
        types: number_types,
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
    Ok(Arc::new(array.unary_opt::<_, Int64Type>(i64::checked_abs)))
}

fn log_base(a: &Arguments) -> Result<ArrayRef, ArrowError> {
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

fn round_types(arguments: &[Expr]) -> Result<Typing, Mistake> {
    expect_numbers(&arguments[..1], 0)?;
    let one = number(&arguments[..1]);
    if arguments.len() == 1 {
        return Typing::new(vec![one.clone()], one);
    }
    match expect_literal(arguments, 1, "the number of decimals")? {
        Literal::Int(decimals @ -300..=300) => {
            let one = if decimals < 0 && one.is_integer() { DataType::Float64 } else { one };
            Typing::new(vec![one.clone(), DataType::Int64], one)
        }
        _ => Err(Mistake::at(1, "a whole number of decimals is expected here")),
    }
}

/// Rounded to decimals: what the scaling would overflow has no decimals to round.
fn round(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    if a.values.len() == 1 || a.output.is_integer() {
        return unchanged(a);
    }
    let decimals = a.array(1).as_primitive::<Int64Type>().value(0);
    let scale = 10f64.powi(i32::try_from(decimals.abs()).unwrap_or(0));
    let one = |v: f64| {
        let scaled = if decimals < 0 { v / scale } else { v * scale };
        let rounded = scaled.round_ties_even();
        if !scaled.is_finite() {
            v
        } else if decimals < 0 {
            rounded * scale
        } else {
            rounded / scale
        }
    };
    Ok(match a.output {
        DataType::Float32 => Arc::new(
            a.array(0).as_primitive::<Float32Type>().unary::<_, Float32Type>(|v| one(f64::from(v)) as f32),
        ),
        _ => Arc::new(a.array(0).as_primitive::<Float64Type>().unary::<_, Float64Type>(one)),
    })
}

fn larger(
    a: &Arguments,
    signed: fn(i64, i64) -> i64,
    unsigned: fn(u64, u64) -> u64,
) -> Result<ArrayRef, ArrowError> {
    let (left, right) = (a.full(0)?, a.full(1)?);
    Ok(match a.output {
        DataType::UInt64 => {
            let (left, right) = (left.as_primitive::<UInt64Type>(), right.as_primitive::<UInt64Type>());
            let result: PrimitiveArray<UInt64Type> = arrow::compute::binary(left, right, unsigned)?;
            Arc::new(result)
        }
        _ => {
            let (left, right) = (left.as_primitive::<Int64Type>(), right.as_primitive::<Int64Type>());
            let result: Int64Array = arrow::compute::binary(left, right, signed)?;
            Arc::new(result)
        }
    })
}

fn clip(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    fn clipped<T: ArrowPrimitiveType>(a: &Arguments) -> Result<ArrayRef, ArrowError>
    where
        T::Native: PartialOrd,
    {
        let arrays = [a.full(0)?, a.full(1)?, a.full(2)?];
        let [x, low, high] = [0, 1, 2].map(|i| arrays[i].as_primitive::<T>().iter());
        let bounded = x.zip(low).zip(high).map(|((x, low), high)| {
            let x = x?;
            let x = low.filter(|low| x < *low).unwrap_or(x);
            Some(high.filter(|high| x > *high).unwrap_or(x))
        });
        Ok(Arc::new(bounded.collect::<PrimitiveArray<T>>()))
    }
    match a.output {
        DataType::UInt64 => clipped::<UInt64Type>(a),
        DataType::Int64 => clipped::<Int64Type>(a),
        DataType::Float32 => clipped::<Float32Type>(a),
        _ => clipped::<Float64Type>(a),
    }
}

fn edges_types(arguments: &[Expr]) -> Result<Typing, Mistake> {
    expect_numbers(&arguments[..1], 0)?;
    let Some(Literal::List(items)) = arguments[1].as_literal() else {
        return Err(Mistake::at(1, "a list of ascending numbers is expected here: [1, 2, 5]"));
    };
    let edges: Vec<f64> = items
        .iter()
        .filter(|item| is_number(&item.data_type()))
        .map(|item| match item {
            Literal::Int(v) => *v as f64,
            Literal::Unsigned(v) => *v as f64,
            Literal::Float(v) => *v,
            _ => f64::NAN,
        })
        .collect();
    if edges.len() < items.len() || !edges.is_sorted() || edges.iter().any(|e| e.is_nan()) {
        return Err(Mistake::at(1, "the edges must be numbers in ascending order"));
    }
    let mut parameters = vec![DataType::Float64, super::super::typing::list_of(DataType::Float64)];
    if let Some(third) = arguments.get(2) {
        match third.as_literal() {
            Some(Literal::Bool(_)) => parameters.push(DataType::Boolean),
            Some(Literal::Text(side)) if side == "left" || side == "right" => parameters.push(DataType::Utf8),
            _ => return Err(Mistake::at(2, format!("this cannot be {}", describe(third.data_type())))),
        }
    }
    Typing::new(parameters, DataType::Int64)
}

/// How many edges lie below each value, or not above it.
fn placed(a: &Arguments, not_above: bool) -> Result<ArrayRef, ArrowError> {
    let edges = a.array(1).as_list::<i32>().value(0);
    let edges: &Float64Array = edges.as_primitive();
    let edges = edges.values();
    let place = |v: f64| {
        let count = edges.partition_point(|e| if not_above { *e <= v } else { *e < v });
        if v.is_nan() { None } else { i64::try_from(count).ok() }
    };
    Ok(Arc::new(a.array(0).as_primitive::<Float64Type>().unary_opt::<_, Int64Type>(place)))
}
