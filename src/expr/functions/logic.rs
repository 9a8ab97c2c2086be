//! Choices and membership.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::kernels::zip::zip;
use arrow::datatypes::{ArrowPrimitiveType, DataType};
use arrow::error::ArrowError;

use super::super::compare;
use super::super::literal::Literal;
use super::super::tree::Expr;
use super::super::typing::{Mistake, Typing, compared, expect_bool, unified};
use super::{Arguments, BASE, Family, Function, Missing, Value, primitives, side};
use crate::kernel::compare::Comparison;
use crate::kernel::select::select;

const LOGIC: Function = Function { family: Family::Logic, missing: Missing::Own, keeps_weak: false, ..BASE };

/// The entries of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "if",
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
        arity: (2, 2),
        dates: true,
        signature: "x in [a, b, …]",
        doc: "Whether x equals one of a list of constants; where x is missing, missing.",
        example: "2 in [1, 2] = true",
        types: isin_types,
        kernel: isin,
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
    let bits: Vec<u64> = mask.values().bit_chunks().iter_padded().collect();
    let values = select(&bits, side::<T>(yes), side::<T>(no), a.rows);
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
    Ok(primitives::<T>(values, nulls, a.output))
}

fn isin_types(arguments: &[Expr]) -> Result<Typing, Mistake> {
    let Some(Literal::List(items)) = arguments[1].as_literal() else {
        return Err(Mistake::at(1, "a list of constants is expected here: x in [1, 2]"));
    };
    let mut item_type = None;
    for item in items.iter().filter(|item| !matches!(item, Literal::Null)) {
        let pair = [arguments[0].clone(), Expr::literal(item.clone())];
        let types = compared(&pair).map_err(|m| Mistake { argument: Some(1), ..m })?;
        item_type = Some(types);
    }
    let own = item_type.map_or_else(|| arguments[0].data_type().clone(), |mut types| types.swap_remove(0));
    Typing::new(vec![own, arguments[1].data_type().clone()], DataType::Boolean)
}

/// One comparison per item; dictionaries and ranges of whole numbers are dealt with there.
fn isin(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    let items = a.array(1).as_list::<i32>().value(0);
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
    let none = || BooleanArray::new(BooleanBuffer::new_unset(a.rows), a.nulls());
    Ok(Arc::new(found.unwrap_or_else(none)))
}
