//! Choices and membership.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, PrimitiveArray};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use arrow::compute::cast;
use arrow::compute::kernels::zip::zip;
use arrow::datatypes::{ArrowNativeType, ArrowPrimitiveType, DataType, Float64Type, Int64Type};
use arrow::error::ArrowError;

use super::super::compare;
use super::super::literal::Literal;
use super::super::tree::Expr;
use super::super::typing::{Mistake, Typing, compared, expect_bool, is_text, list_of, unified};
use super::{Arguments, BASE, Family, Function, Missing, Value, bounds, certain};
use crate::kernel::compare::{Comparison, Side, bits};
use crate::kernel::select::{Bits, select};

const LOGIC: Function = Function { family: Family::Logic, missing: Missing::Own, keeps_weak: false, ..BASE };

/// The entries of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "if",
        domain: bounds::choice,
        aliases: &["where", "iif"],
        arity: (3, 3),
        signature: "if(condition, yes, no)",
        doc: "One of two values; where the condition is missing, the second.",
        example: "if(1 < 2, 'a', 'b') = 'a'",
        types: if_types,
        kernel: choose,
        ..LOGIC
    },
    Function {
        name: "isin",
        aliases: &["isin_set", "_isin"],
        domain: bounds::isin,
        arity: (2, 2),
        dates: true,
        signature: "x in [a, b, …]",
        missing: Missing::False,
        doc: "Whether x equals one of a list of constants; where x is missing, false.",
        example: "2 in [1, 2] = true",
        types: isin_types,
        kernel: isin,
        ..LOGIC
    },
    Function {
        name: "xor",
        arity: (2, 2),
        missing: Missing::Propagates,
        signature: "xor(a, b)",
        doc: "Whether exactly one of two conditions is true.",
        example: "xor(true, false) = true",
        types: |arguments| {
            expect_bool(arguments, 0)?;
            expect_bool(arguments, 1)?;
            Typing::new(vec![DataType::Boolean, DataType::Boolean], DataType::Boolean)
        },
        kernel: |a| {
            let (left, right) = (a.full(0)?, a.full(1)?);
            let values = left.as_boolean().values() ^ right.as_boolean().values();
            Ok(Arc::new(BooleanArray::new(values, a.nulls())))
        },
        domain: bounds::bool,
        ..LOGIC
    },
    Function {
        name: "ordinal",
        aliases: &["_ordinal_values", "hashmap_apply"],
        arity: (2, 2),
        dates: true,
        signature: "ordinal(x, [a, b, …])",
        doc: "The place of x, from 0, in a list of constants; missing if it is not in it.",
        example: "ordinal('b', ['a', 'b']) = 1",
        types: |arguments| {
            let Typing { parameters, .. } = isin_types(arguments)?;
            Typing::new(parameters, DataType::Int64)
        },
        kernel: |a| Ok(Arc::new(places(a)?)),
        ..LOGIC
    },
    Function {
        name: "map",
        aliases: &["_map"],
        arity: (3, 4),
        dates: true,
        signature: "map(x, [keys], [values], default = null)",
        doc: "The value at the place that x has among the keys, or the default.",
        example: "map('b', ['a', 'b'], [10, 20]) = 20",
        types: |arguments| {
            let Typing { mut parameters, .. } = isin_types(&arguments[..2])?;
            let output = chosen_types(arguments, 2, &mut parameters)?;
            Typing::new(parameters, output)
        },
        kernel: |a| chosen(a, &places(a)?, 2),
        ..LOGIC
    },
    Function {
        name: "choose",
        aliases: &["_choose", "_choose_masked"],
        arity: (2, 3),
        signature: "choose(i, [values], default = null)",
        doc: "The value at place i, from 0, of a list, or the default.",
        example: "choose(1, ['a', 'b']) = 'b'",
        types: |arguments| {
            if !super::super::typing::plain(arguments[0].data_type()).is_integer() {
                return Err(Mistake::at(0, "a whole number is expected here"));
            }
            let mut parameters = vec![DataType::Int64];
            let output = chosen_types(arguments, 1, &mut parameters)?;
            Typing::new(parameters, output)
        },
        kernel: |a| chosen(a, a.full(0)?.as_primitive(), 1),
        ..LOGIC
    },
];

fn if_types(arguments: &[Expr]) -> Result<Typing, Mistake> {
    expect_bool(arguments, 0)?;
    let one = unified(arguments, 1)?;
    Typing::new(vec![DataType::Boolean, one.clone(), one.clone()], one)
}

fn choose(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    let condition = a.full(0)?;
    let condition = condition.as_boolean();
    let mask = match condition.nulls() {
        Some(nulls) => BooleanArray::new(condition.values() & nulls.inner(), None),
        None => condition.clone(),
    };
    macro_rules! typed {
        ($t:ty) => {
            selected::<$t>(&mask, a)
        };
    }
    arrow::array::downcast_primitive! {
        a.output => (typed),
        _ => zip(&mask, &a.full(1)?, &a.full(2)?)
    }
}

fn selected<T: ArrowPrimitiveType>(mask: &BooleanArray, a: &Arguments) -> Result<ArrayRef, ArrowError> {
    let [_, yes, no] = a.values else {
        return Err(ArrowError::InvalidArgumentError("a condition and two values are wanted".to_owned()));
    };
    /// The chosen values as bits, of whatever type they are.
    fn chosen<T: ArrowPrimitiveType, B: Bits + ArrowNativeType>(
        bits: &[u64],
        yes: &Value,
        no: &Value,
        rows: usize,
    ) -> Buffer {
        let values = |value: &Value| {
            let array = value.array.as_primitive::<T>();
            ScalarBuffer::<B>::new(array.values().inner().clone(), 0, array.len())
        };
        fn side<B: Copy>(is_scalar: bool, values: &[B]) -> Side<'_, B> {
            if is_scalar { Side::One(values[0]) } else { Side::Each(values) }
        }
        let (yes_values, no_values) = (values(yes), values(no));
        let (yes, no) = (side(yes.scalar, &yes_values), side(no.scalar, &no_values));
        Buffer::from_vec(select(bits, yes, no, rows))
    }
    let bits: Vec<u64> = mask.values().bit_chunks().iter_padded().collect();
    let values = match size_of::<T::Native>() {
        1 => chosen::<T, u8>(&bits, yes, no, a.rows),
        2 => chosen::<T, u16>(&bits, yes, no, a.rows),
        4 => chosen::<T, u32>(&bits, yes, no, a.rows),
        8 => chosen::<T, u64>(&bits, yes, no, a.rows),
        _ => return zip(mask, &a.full(1)?, &a.full(2)?),
    };
    let valid = |value: &Value| match value.array.nulls() {
        None => BooleanBuffer::new_set(a.rows),
        Some(nulls) if !value.scalar => nulls.inner().clone(),
        Some(nulls) if nulls.is_null(0) => BooleanBuffer::new_unset(a.rows),
        Some(_) => BooleanBuffer::new_set(a.rows),
    };
    let nulls = (yes.array.null_count() + no.array.null_count() > 0).then(|| {
        let mask = mask.values();
        NullBuffer::new(&(mask & &valid(yes)) | &(&!mask & &valid(no)))
    });
    let values = ScalarBuffer::new(values, 0, a.rows);
    Ok(Arc::new(PrimitiveArray::<T>::new(values, nulls).with_data_type(a.output.clone())))
}

fn isin_types(arguments: &[Expr]) -> Result<Typing, Mistake> {
    let Some(Literal::List(items)) = arguments[1].as_literal() else {
        return Err(Mistake::at(1, "a list of constants is expected here: x in [1, 2]"));
    };
    let mut own = arguments[0].data_type().clone();
    for item in items.iter().filter(|item| !matches!(item, Literal::Null)) {
        let pair = [arguments[0].clone(), Expr::literal(item.clone())];
        let types = compared(&pair).map_err(|m| Mistake { argument: Some(1), ..m })?;
        // One item that is no f32 asks for a comparison in f64.
        if own == *arguments[0].data_type() || own == DataType::Float32 {
            own = types[0].clone();
        }
    }
    let list = match arguments[1].data_type() {
        // Beside numbers true and false count as 1 and 0.
        DataType::List(item) if item.data_type() == &DataType::Boolean && own != DataType::Boolean => {
            DataType::List(Arc::new(item.as_ref().clone().with_data_type(DataType::Int64)))
        }
        list => list.clone(),
    };
    Typing::new(vec![own, list], DataType::Boolean)
}

/// Items beyond which a search is faster than one comparison per item.
const FEW: usize = 6;

/// Few items are compared one by one; many are searched. A dictionary's values are looked at once.
fn isin(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    if let Some(dictionary) = a.array(0).as_any_dictionary_opt() {
        let values = dictionary.values();
        let pair = [Value { array: values.clone(), scalar: false }, a.values[1].clone()];
        let found = isin(&Arguments { values: &pair, rows: values.len(), output: a.output })?;
        let found = arrow::compute::take(&found, dictionary.keys(), None)?;
        return Ok(compare::missing_as_false(found.as_boolean()));
    }
    if a.array(1).as_list::<i32>().value(0).len() > FEW
        && let Some(found) = searched(a)?
    {
        return Ok(found);
    }
    compared_one_by_one(a)
}

/// Looks every value up among the sorted items; `None` for types that have no such search.
fn searched(a: &Arguments) -> Result<Option<ArrayRef>, ArrowError> {
    let (array, items) = (a.array(0), a.array(1).as_list::<i32>().value(0));
    let items = arrow::compute::filter(&items, &arrow::compute::is_not_null(&items)?)?;
    let (own, other) = (array.data_type(), items.data_type());
    if is_text(own) && is_text(other) {
        let items = cast(&items, &DataType::LargeUtf8)?;
        let items: HashSet<&str> = items.as_string::<i64>().iter().flatten().collect();
        let texts = cast(array, &DataType::LargeUtf8)?;
        let texts = texts.as_string::<i64>().iter();
        let found = texts.map(|text| Some(text.is_some_and(|text| items.contains(text))));
        return Ok(Some(Arc::new(found.collect::<BooleanArray>())));
    }
    if own.is_integer() && other == &DataType::Int64 && own != &DataType::UInt64 {
        let mut items = items.as_primitive::<Int64Type>().values().to_vec();
        items.sort_unstable();
        let array = cast(array, &DataType::Int64)?;
        let words = bits(array.as_primitive::<Int64Type>().values(), |v| items.binary_search(&v).is_ok());
        return Ok(Some(certain(words, a.rows, array.nulls())));
    }
    if own == &DataType::Float64 && other.is_numeric() {
        let reals = cast(&items, own)?;
        let reals = reals.as_primitive::<Float64Type>().values().iter().copied();
        // A whole number that no real equals is in no column of reals.
        let mut items: Vec<f64> = match items.as_primitive_opt::<Int64Type>() {
            Some(whole) => {
                let exact = reals.zip(whole.values()).filter(|(v, whole)| *v as i128 == i128::from(**whole));
                exact.map(|(v, _)| v).collect()
            }
            // Zero added makes -0.0 into 0.0; NaN equals nothing.
            None => reals.map(|v| v + 0.0).filter(|v| !v.is_nan()).collect(),
        };
        items.sort_unstable_by(f64::total_cmp);
        let holds = |v: f64| items.binary_search_by(|item| item.total_cmp(&(v + 0.0))).is_ok();
        let words = bits(array.as_primitive::<Float64Type>().values(), holds);
        return Ok(Some(certain(words, a.rows, array.nulls())));
    }
    Ok(None)
}

fn compared_one_by_one(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    let mut items = a.array(1).as_list::<i32>().value(0);
    if a.array(0).data_type() == &DataType::Float32 {
        items = cast(&items, &DataType::Float32)?;
    }
    let mut found: Option<BooleanArray> = None;
    for i in (0..items.len()).filter(|i| items.is_valid(*i)) {
        let item = Value { array: items.slice(i, 1), scalar: true };
        let pair = [a.values[0].clone(), item];
        let arguments = Arguments { values: &pair, rows: a.rows, output: &DataType::Boolean };
        let next = compare::run(Comparison::Equal, &arguments)?;
        found = Some(match found {
            Some(found) => arrow::compute::or(&found, next.as_boolean())?,
            None => next.as_boolean().clone(),
        });
    }
    let none = || BooleanArray::new(BooleanBuffer::new_unset(a.rows), None);
    Ok(Arc::new(found.unwrap_or_else(none)))
}

/// The place of the list item that each value equals.
fn places(a: &Arguments) -> Result<Int64Array, ArrowError> {
    let mut items = a.array(1).as_list::<i32>().value(0);
    if a.array(0).data_type() == &DataType::Float32 {
        items = cast(&items, &DataType::Float32)?;
    }
    let mut found = vec![None; a.rows];
    for i in (0..items.len()).rev().filter(|i| items.is_valid(*i)) {
        let pair = [a.values[0].clone(), Value { array: items.slice(i, 1), scalar: true }];
        let arguments = Arguments { values: &pair, rows: a.rows, output: &DataType::Boolean };
        let same = compare::run(Comparison::Equal, &arguments)?;
        for (place, same) in found.iter_mut().zip(same.as_boolean()) {
            if same == Some(true) {
                *place = i64::try_from(i).ok();
            }
        }
    }
    Ok(found.into_iter().collect())
}

/// Adds the types of a list of values and a default, and gives the type they share.
fn chosen_types(
    arguments: &[Expr],
    from: usize,
    parameters: &mut Vec<DataType>,
) -> Result<DataType, Mistake> {
    let Some(Literal::List(items)) = arguments[from].as_literal() else {
        return Err(Mistake::at(from, "a list of constants is expected here"));
    };
    if from == 2
        && let Some(Literal::List(keys)) = arguments[1].as_literal()
        && keys.len() != items.len()
    {
        return Err(Mistake::at(2, format!("{} values are expected here, as many as keys", keys.len())));
    }
    let mut values: Vec<Expr> = items.iter().map(|item| Expr::literal(item.clone())).collect();
    values.extend(arguments.get(from + 1).cloned());
    let one = unified(&values, 0).map_err(|m| Mistake { argument: Some(from), ..m })?;
    parameters.push(list_of(one.clone()));
    if arguments.len() > from + 1 {
        parameters.push(one.clone());
    }
    Ok(one)
}

/// The item of list argument `list` at each place, else the argument after it.
fn chosen(a: &Arguments, places: &Int64Array, list: usize) -> Result<ArrayRef, ArrowError> {
    let items = a.array(list).as_list::<i32>().value(0);
    let inside = |i: &i64| usize::try_from(*i).is_ok_and(|i| i < items.len());
    let places: Int64Array = places.iter().map(|i| i.filter(inside)).collect();
    let found = arrow::compute::take(&items, &places, None)?;
    match a.values.get(list + 1) {
        Some(default) => zip(&arrow::compute::is_not_null(&places)?, &found, &default.full(a.rows)?),
        None => Ok(found),
    }
}
