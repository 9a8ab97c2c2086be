//! Arithmetic, comparisons and logic: what is written with signs.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, UInt64Array};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit, UInt64Type};
use arrow::error::ArrowError;

use super::super::tree::Expr;
use super::super::typing::{
    Mistake, Typing, common_time, compared, describe, expect_bool, expect_numbers, is_numeric, is_text,
    is_time, number, plain, real, unit,
};
use super::super::{compare, literal::Literal};
use super::{Arguments, BASE, Family, Function, Missing, Value, bounds, side, text};
use crate::binary;
use crate::kernel::compare::{Comparison, Side};
use crate::kernel::float::{self, Real};
use crate::kernel::integer::{Checked, checked};

const OPERATOR: Function = Function { family: Family::Operator, arity: (2, 2), ..BASE };
const COMPARISON: Function =
    Function { missing: Missing::False, types: comparison_types, dates: true, keeps_weak: false, ..OPERATOR };

/// The entries of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "add",
        aliases: &["str_cat"],
        domain: bounds::add,
        signature: "a + b",
        doc: "The sum; of texts, one after the other; a time moved on by a duration.",
        example: "2 + 3 = 5",
        types: add_types,
        kernel: add,
        float: Some(float::ADD),
        may_overflow: true,
        ..OPERATOR
    },
    Function {
        name: "subtract",
        domain: bounds::subtract,
        signature: "a - b",
        doc: "The difference; of two times, the duration between them.",
        example: "2 - 3 = -1",
        dates: true,
        types: subtract_types,
        kernel: subtract,
        float: Some(float::SUBTRACT),
        may_overflow: true,
        ..OPERATOR
    },
    Function {
        name: "multiply",
        domain: bounds::multiply,
        signature: "a * b",
        doc: "The product.",
        example: "2 * 3 = 6",
        types: multiply_types,
        kernel: |a| whole(a, i64::checked_mul, u64::checked_mul),
        float: Some(float::MULTIPLY),
        may_overflow: true,
        ..OPERATOR
    },
    Function {
        name: "divide",
        domain: bounds::divide,
        signature: "a / b",
        doc: "The quotient, a real number also of whole numbers.",
        example: "3 / 2 = 1.5",
        types: divide_types,
        float: Some(float::DIVIDE),
        ..OPERATOR
    },
    Function {
        name: "floor_divide",
        domain: bounds::floor_divide,
        signature: "a // b",
        doc: "The quotient rounded down; of whole numbers by zero, missing.",
        example: "-3 // 2 = -2",
        types: number_types,
        kernel: |a| whole(a, floor_quotient, u64::checked_div),
        float: Some(binary!(|a, b| a.floor_quotient(b))),
        may_overflow: true,
        undefined: Some(zero_divisors),
        ..OPERATOR
    },
    Function {
        name: "mod",
        domain: bounds::remainder,
        signature: "a % b",
        doc: "The remainder of a // b, with the sign of b; of whole numbers by zero, missing.",
        example: "-3 % 2 = 1",
        types: number_types,
        kernel: |a| whole(a, floor_remainder, u64::checked_rem),
        float: Some(binary!(|a, b| a.floor_remainder(b))),
        ..OPERATOR
    },
    Function {
        name: "power",
        domain: bounds::power,
        aliases: &["pow"],
        signature: "a ** b",
        doc: "a to the power of b: whole if a is whole and b a whole number written in the text.",
        example: "2 ** 10 = 1024",
        types: power_types,
        kernel: |a| whole(a, power, power_unsigned),
        float: Some(binary!(|a, b| a.powf(b))),
        may_overflow: true,
        ..OPERATOR
    },
    Function {
        name: "negate",
        domain: bounds::negate,
        signature: "-a",
        doc: "The number with the other sign.",
        example: "-(2 + 1) = -3",
        arity: (1, 1),
        types: negate_types,
        kernel: negate,
        float: Some(float::NEGATE),
        may_overflow: true,
        ..OPERATOR
    },
    Function {
        name: "less",
        domain: bounds::less,
        signature: "a < b",
        doc: "Whether a is less than b; with NaN, false.",
        example: "1 < 2 = true",
        kernel: |a| compare::run(Comparison::Less, a),
        ..COMPARISON
    },
    Function {
        name: "less_equal",
        domain: bounds::less_equal,
        signature: "a <= b",
        doc: "Whether a is at most b; with NaN, false.",
        example: "2 <= 2 = true",
        kernel: |a| compare::run(Comparison::LessEqual, a),
        ..COMPARISON
    },
    Function {
        name: "greater",
        domain: bounds::greater,
        signature: "a > b",
        doc: "Whether a is more than b; with NaN, false.",
        example: "1 > 2 = false",
        kernel: |a| compare::run(Comparison::Greater, a),
        ..COMPARISON
    },
    Function {
        name: "greater_equal",
        domain: bounds::greater_equal,
        signature: "a >= b",
        doc: "Whether a is at least b; with NaN, false.",
        example: "2 >= 2 = true",
        kernel: |a| compare::run(Comparison::GreaterEqual, a),
        ..COMPARISON
    },
    Function {
        name: "equal",
        aliases: &["str_equals"],
        domain: bounds::equal,
        signature: "a == b",
        doc: "Whether both are the same; -0.0 is 0.0, NaN is nothing; of a missing one, is null tells.",
        example: "1 == 1.0 = true",
        kernel: |a| compare::run(Comparison::Equal, a),
        ..COMPARISON
    },
    Function {
        name: "not_equal",
        aliases: &["str_notequals"],
        domain: bounds::not_equal,
        signature: "a != b",
        doc: "Whether both have a value and differ; NaN differs from everything.",
        example: "1 != 2 = true",
        kernel: |a| compare::run(Comparison::NotEqual, a),
        ..COMPARISON
    },
    Function {
        name: "and",
        domain: bounds::and,
        signature: "a and b",
        doc: "Whether both are true; false if one is false, even where the other is missing. Of whole numbers, bit by bit.",
        example: "true and false = false",
        missing: Missing::Own,
        types: bool_types,
        keeps_weak: false,
        kernel: |a| logic(a, arrow::compute::and_kleene, |a, b| a & b),
        ..OPERATOR
    },
    Function {
        name: "or",
        domain: bounds::or,
        signature: "a or b",
        doc: "Whether one is true, even where the other is missing. Of whole numbers, bit by bit.",
        example: "true or false = true",
        missing: Missing::Own,
        types: bool_types,
        keeps_weak: false,
        kernel: |a| logic(a, arrow::compute::or_kleene, |a, b| a | b),
        ..OPERATOR
    },
    Function {
        name: "not",
        domain: bounds::not,
        signature: "not a",
        doc: "Whether it is false; missing stays missing. Of whole numbers, bit by bit.",
        example: "not true = false",
        arity: (1, 1),
        types: bool_types,
        keeps_weak: false,
        kernel: |a| match a.output {
            DataType::Boolean => Ok(Arc::new(arrow::compute::not(a.array(0).as_boolean())?)),
            _ => Ok(Arc::new(a.array(0).as_primitive::<Int64Type>().unary::<_, Int64Type>(|v| !v))),
        },
        ..OPERATOR
    },
];

fn comparison_types(arguments: &[Expr]) -> Result<Typing, Mistake> {
    Typing::new(compared(arguments)?, DataType::Boolean)
}

pub(super) fn number_types(arguments: &[Expr]) -> Result<Typing, Mistake> {
    expect_numbers(arguments, 0)?;
    let one = number(arguments);
    Typing::new(vec![one.clone(); arguments.len()], one)
}

fn divide_types(arguments: &[Expr]) -> Result<Typing, Mistake> {
    if let (DataType::Duration(_), DataType::Duration(_)) =
        (arguments[0].data_type(), arguments[1].data_type())
    {
        return Err(Mistake::whole("durations are divided as numbers: total_seconds(a) / total_seconds(b)"));
    }
    expect_numbers(arguments, 0)?;
    let one = real(arguments);
    Typing::new(vec![one.clone(), one.clone()], one)
}

fn add_types(arguments: &[Expr]) -> Result<Typing, Mistake> {
    let (a, b) = (plain(arguments[0].data_type()), plain(arguments[1].data_type()));
    if is_text(a) || is_text(b) {
        let other = if is_text(a) { 1 } else { 0 };
        if !is_text(plain(arguments[other].data_type())) && arguments[other].data_type() != &DataType::Null {
            let found = describe(arguments[other].data_type());
            return Err(Mistake::at(
                other,
                format!("text is expected beside text, not {found}; str(x) makes text"),
            ));
        }
        return Typing::new(vec![DataType::LargeUtf8, DataType::LargeUtf8], DataType::LargeUtf8);
    }
    match (a, b) {
        (DataType::Duration(u), DataType::Duration(v)) => {
            let one = DataType::Duration((*u).max(*v));
            Typing::new(vec![one.clone(), one.clone()], one)
        }
        (time, DataType::Duration(unit)) if is_time(time) => {
            let (time, duration) = moved(time, *unit);
            Typing::new(vec![time.clone(), duration], time)
        }
        (DataType::Duration(unit), time) if is_time(time) => {
            let (time, duration) = moved(time, *unit);
            Typing::new(vec![duration, time.clone()], time)
        }
        (time, other) if is_time(time) && is_numeric(other) => Err(Mistake::at(1, NO_UNIT)),
        (other, time) if is_time(time) && is_numeric(other) => Err(Mistake::at(0, NO_UNIT)),
        _ => number_types(arguments),
    }
}

const NO_UNIT: &str = "a number has no unit of time; days(3), hours(1) or seconds(x) make a duration";

/// The types in which a time is moved by a duration of `unit`.
fn moved(time: &DataType, duration: TimeUnit) -> (DataType, DataType) {
    let finest = unit(time).unwrap_or(duration).max(duration);
    (DataType::Timestamp(finest, super::super::typing::zone(time)), DataType::Duration(finest))
}

fn subtract_types(arguments: &[Expr]) -> Result<Typing, Mistake> {
    let (a, b) = (plain(arguments[0].data_type()), plain(arguments[1].data_type()));
    match (a, b) {
        (a, b) if is_time(a) && is_time(b) => {
            // A literal is held in microseconds, but need not be: take the column's unit if it is exact.
            let units = [&arguments[0], &arguments[1]].map(|e| match e.as_literal() {
                Some(Literal::Time { value, .. }) if value % 1_000_000 == 0 => TimeUnit::Second,
                _ => unit(plain(e.data_type())).unwrap_or(TimeUnit::Second),
            });
            let finest = units[0].max(units[1]);
            let time = match common_time([a, b].into_iter()) {
                DataType::Timestamp(_, zone) => DataType::Timestamp(finest, zone),
                other => other,
            };
            Typing::new(vec![time.clone(), time], DataType::Duration(finest))
        }
        (time, DataType::Duration(unit)) if is_time(time) => {
            let (time, duration) = moved(time, *unit);
            Typing::new(vec![time.clone(), duration], time)
        }
        (DataType::Duration(u), DataType::Duration(v)) => {
            let one = DataType::Duration((*u).max(*v));
            Typing::new(vec![one.clone(), one.clone()], one)
        }
        (time, other) if is_time(time) && is_numeric(other) => Err(Mistake::at(1, NO_UNIT)),
        _ => {
            expect_numbers(arguments, 0)?;
            let mut one = number(arguments);
            if one == DataType::UInt64 && arguments.iter().any(|a| plain(a.data_type()) == &DataType::UInt64)
            {
                return Typing::new(vec![one.clone(), one], DataType::Int64);
            }
            if one == DataType::UInt64 {
                one = DataType::Int64;
            }
            Typing::new(vec![one.clone(), one.clone()], one)
        }
    }
}

fn multiply_types(arguments: &[Expr]) -> Result<Typing, Mistake> {
    for (i, other) in [(0, 1), (1, 0)] {
        if let DataType::Duration(unit) = arguments[i].data_type()
            && arguments[other].data_type().is_integer()
        {
            let duration = DataType::Duration(*unit);
            let mut parameters = vec![duration.clone(), duration.clone()];
            parameters[other] = DataType::Int64;
            return Typing::new(parameters, duration);
        }
    }
    number_types(arguments)
}

fn power_types(arguments: &[Expr]) -> Result<Typing, Mistake> {
    expect_numbers(arguments, 0)?;
    let base = number(&arguments[..1]);
    if base.is_integer() && matches!(arguments[1].as_literal(), Some(Literal::Int(0..))) {
        return Typing::new(vec![base.clone(), base.clone()], base);
    }
    let one = real(arguments);
    Typing::new(vec![one.clone(), one.clone()], one)
}

fn negate_types(arguments: &[Expr]) -> Result<Typing, Mistake> {
    if let duration @ DataType::Duration(_) = arguments[0].data_type() {
        return Typing::new(vec![duration.clone()], duration.clone());
    }
    expect_numbers(arguments, 0)?;
    let one = number(arguments);
    let output = if one == DataType::UInt64 { DataType::Int64 } else { one.clone() };
    Typing::new(vec![one], output)
}

fn bool_types(arguments: &[Expr]) -> Result<Typing, Mistake> {
    let integers = |a: &Expr| plain(a.data_type()).is_integer();
    if arguments.iter().all(integers) {
        return Typing::new(vec![DataType::Int64; arguments.len()], DataType::Int64);
    }
    for i in 0..arguments.len() {
        expect_bool(arguments, i).map_err(|mut mistake| {
            if arguments.len() == 2 && integers(&arguments[i]) {
                mistake.message.push_str("; bits are combined within brackets: (x & 1) == 0");
            }
            mistake
        })?;
    }
    Typing::new(vec![DataType::Boolean; arguments.len()], DataType::Boolean)
}

fn logic(
    a: &Arguments,
    bools: fn(&BooleanArray, &BooleanArray) -> Result<BooleanArray, ArrowError>,
    bits: fn(i64, i64) -> i64,
) -> Result<ArrayRef, ArrowError> {
    let (left, right) = (a.full(0)?, a.full(1)?);
    if a.output == &DataType::Boolean {
        return Ok(Arc::new(bools(left.as_boolean(), right.as_boolean())?));
    }
    let (left, right) = (left.as_primitive::<Int64Type>(), right.as_primitive::<Int64Type>());
    let result: Int64Array = arrow::compute::binary(left, right, bits)?;
    Ok(Arc::new(result))
}

/// The values of a whole number, a time or a duration as `i64`.
fn as_i64(value: &Value) -> Result<Value, ArrowError> {
    Ok(Value { array: cast(&value.array, &DataType::Int64)?, scalar: value.scalar })
}

fn with_valid(valid: Option<Vec<u64>>, rows: usize, nulls: Option<NullBuffer>) -> Option<NullBuffer> {
    let fits = valid.map(|bits| NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(bits), 0, rows)));
    NullBuffer::union(nulls.as_ref(), fits.as_ref())
}

/// Whole numbers in i64 or u64, missing where the result does not fit.
fn whole(
    a: &Arguments,
    signed: fn(i64, i64) -> Option<i64>,
    unsigned: fn(u64, u64) -> Option<u64>,
) -> Result<ArrayRef, ArrowError> {
    if a.output == &DataType::UInt64 {
        let left = side::<UInt64Type>(&a.values[0]);
        let right = side::<UInt64Type>(&a.values[1]);
        let (values, valid) = checked(left, right, a.rows, unsigned);
        return Ok(Arc::new(UInt64Array::new(values.into(), with_valid(valid, a.rows, a.nulls()))));
    }
    signed_result(a, signed)
}

/// As [`whole`] for numbers, times and durations held in i64.
fn signed_result(a: &Arguments, f: impl Fn(i64, i64) -> Option<i64>) -> Result<ArrayRef, ArrowError> {
    let (left, right) = (as_i64(&a.values[0])?, as_i64(&a.values[1])?);
    let (values, valid): Checked<i64> =
        checked(side::<Int64Type>(&left), side::<Int64Type>(&right), a.rows, f);
    let result: ArrayRef = Arc::new(Int64Array::new(values.into(), with_valid(valid, a.rows, a.nulls())));
    cast(&result, a.output)
}

fn add(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    match a.output {
        DataType::LargeUtf8 => text::concatenate(a),
        _ => whole(a, i64::checked_add, u64::checked_add),
    }
}

fn subtract(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    if a.array(0).data_type() == &DataType::UInt64 {
        let left = side::<UInt64Type>(&a.values[0]);
        let right = side::<UInt64Type>(&a.values[1]);
        let (values, valid) =
            checked(left, right, a.rows, |a: u64, b: u64| i64::try_from(i128::from(a) - i128::from(b)).ok());
        return Ok(Arc::new(Int64Array::new(values.into(), with_valid(valid, a.rows, a.nulls()))));
    }
    signed_result(a, i64::checked_sub)
}

fn negate(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    if a.array(0).data_type() == &DataType::UInt64 {
        let values = side::<UInt64Type>(&a.values[0]);
        let (values, valid) = checked(Side::One(0i128), values, a.rows, |zero, v: u64| {
            i64::try_from(zero - i128::from(v)).ok()
        });
        return Ok(Arc::new(Int64Array::new(values.into(), with_valid(valid, a.rows, a.nulls()))));
    }
    let value = as_i64(&a.values[0])?;
    let (values, valid) = checked(Side::One(0i64), side::<Int64Type>(&value), a.rows, i64::checked_sub);
    let result: ArrayRef = Arc::new(Int64Array::new(values.into(), with_valid(valid, a.rows, a.nulls())));
    cast(&result, a.output)
}

/// In how many rows a present number is divided by zero.
fn zero_divisors(numbers: &[ArrayRef]) -> Result<usize, ArrowError> {
    let divisors = cast(&numbers[1], &DataType::Int64)?;
    let divisors = divisors.as_primitive::<Int64Type>().iter();
    Ok(divisors.enumerate().filter(|(row, divisor)| *divisor == Some(0) && numbers[0].is_valid(*row)).count())
}

fn floor_quotient(a: i64, b: i64) -> Option<i64> {
    let quotient = a.checked_div(b)?;
    Some(if a % b != 0 && (a < 0) != (b < 0) { quotient - 1 } else { quotient })
}

fn floor_remainder(a: i64, b: i64) -> Option<i64> {
    if b == 0 {
        return None;
    }
    let remainder = a.wrapping_rem(b);
    Some(if remainder != 0 && (remainder < 0) != (b < 0) { remainder + b } else { remainder })
}

fn power(a: i64, b: i64) -> Option<i64> {
    u32::try_from(b).ok().and_then(|b| a.checked_pow(b)).or(match a {
        0 | 1 => Some(a),
        -1 => Some(if b % 2 == 0 { 1 } else { -1 }),
        _ => None,
    })
}

fn power_unsigned(a: u64, b: u64) -> Option<u64> {
    u32::try_from(b).ok().and_then(|b| a.checked_pow(b)).or((a <= 1).then_some(a))
}
