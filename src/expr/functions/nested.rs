//! Lists: columns of them, as Arrow files have, or constants.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, UInt32Array};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use arrow::error::ArrowError;

use super::super::tree::Expr;
use super::super::typing::{Mistake, Typing, describe, is_numeric, list_of, plain};
use super::{Arguments, BASE, Family, Function};

const LIST: Function = Function { family: Family::List, keeps_weak: false, ..BASE };

/// The entries of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "list_sum",
        aliases: &["array_sum"],
        signature: "list_sum(list)",
        doc: "The sum of the items; missing ones do not count, and of none it is 0.",
        example: "list_sum([1, 2, 3]) = 6",
        types: |arguments| {
            let item = item_of(arguments)?;
            if !is_numeric(item) {
                return Err(Mistake::at(
                    0,
                    format!("a list of numbers is expected here, not of {}", describe(item)),
                ));
            }
            let is_whole = plain(item).is_integer() || matches!(item, DataType::Boolean | DataType::Null);
            let sum = if is_whole { DataType::Int64 } else { DataType::Float64 };
            Typing::new(vec![list_of(sum.clone())], sum)
        },
        kernel: sums,
        may_overflow: true,
        ..LIST
    },
    Function {
        name: "getitem",
        aliases: &["list_get"],
        arity: (2, 2),
        signature: "getitem(list, place)",
        doc: "The item at a place from 0, or from -1 backwards; missing where the list has none there.",
        example: "getitem([5, 6, 7], -1) = 7",
        types: |arguments| {
            let item = item_of(arguments)?.clone();
            if !plain(arguments[1].data_type()).is_integer() {
                return Err(Mistake::at(1, "a whole number is expected here"));
            }
            Typing::new(vec![list_of(item.clone()), DataType::Int64], item)
        },
        kernel: items,
        ..LIST
    },
    Function {
        name: "list_length",
        aliases: &["list_len"],
        signature: "list_length(list)",
        doc: "How many items the list has, missing ones among them.",
        example: "list_length([1, 2, 3]) = 3",
        types: |arguments| Typing::new(vec![list_of(item_of(arguments)?.clone())], DataType::Int64),
        kernel: |a| {
            let lists = a.full(0)?;
            let lists = lists.as_list::<i32>();
            let lengths: Int64Array =
                lists.offsets().lengths().map(|length| i64::try_from(length).ok()).collect();
            let (_, values, _) = lengths.into_parts();
            Ok(Arc::new(Int64Array::new(values, lists.nulls().cloned())))
        },
        ..LIST
    },
];

fn item_of(arguments: &[Expr]) -> Result<&DataType, Mistake> {
    match arguments[0].data_type() {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            Ok(item.data_type())
        }
        other => Err(Mistake::at(0, format!("a list is expected here, not {}", describe(other)))),
    }
}

fn sums(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    let lists = a.full(0)?;
    let lists = lists.as_list::<i32>().iter();
    Ok(match a.output {
        DataType::Int64 => {
            let sum = |list: ArrayRef| {
                list.as_primitive::<Int64Type>().iter().flatten().try_fold(0i64, |sum, v| sum.checked_add(v))
            };
            Arc::new(lists.map(|list| list.and_then(sum)).collect::<Int64Array>())
        }
        _ => {
            let sum = |list: ArrayRef| {
                list.as_primitive::<Float64Type>().iter().flatten().fold(0.0, |sum, v| sum + v)
            };
            Arc::new(lists.map(|list| list.map(sum)).collect::<Float64Array>())
        }
    })
}

fn items(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    let (lists, places) = (a.full(0)?, a.full(1)?);
    let (lists, places) = (lists.as_list::<i32>(), places.as_primitive::<Int64Type>());
    let place = |row: usize| {
        let (start, length) = (lists.value_offsets()[row], i64::from(lists.value_length(row)));
        let place = places.is_valid(row).then(|| places.value(row))?;
        let from_start = if place < 0 { place.checked_add(length)? } else { place };
        let inside = lists.is_valid(row) && (0..length).contains(&from_start);
        u32::try_from(i64::from(start) + from_start).ok().filter(|_| inside)
    };
    let found: UInt32Array = (0..lists.len()).map(place).collect();
    arrow::compute::take(lists.values(), &found, None)
}
