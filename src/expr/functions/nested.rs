//! Lists: columns of them, as Arrow files have, constants, or made of the values of a row.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int64Array, LargeStringBuilder, ListArray, UInt32Array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::interleave;
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type};
use arrow::error::ArrowError;

use super::super::literal::Literal;
use super::super::tree::Expr;
use super::super::typing::{Mistake, Typing, describe, is_numeric, is_text, list_of, plain, unified};
use super::{Arguments, BASE, Family, Function, Missing};

pub(super) const LIST: Function = Function { family: Family::List, keeps_weak: false, ..BASE };

/// The entries of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "list_sum",
        aliases: &["array_sum"],
        signature: "list_sum(list)",
        doc: "The sum of the items; missing ones do not count, and of none it is 0.",
        example: "list_sum([1, 2, 3]) = 6",
        types: |arguments| {
            let sum = sum_of(&arguments[..1])?;
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
            let item = item_of(arguments, 0)?.clone();
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
        types: |arguments| Typing::new(vec![list_of(item_of(arguments, 0)?.clone())], DataType::Int64),
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
    Function {
        name: "stack",
        arity: (1, usize::MAX),
        signature: "stack(x, y, …)",
        missing: Missing::Never,
        doc: "The list of the values of a row, as [x, y, …] is; a missing value is a missing item.",
        example: "list_sum(stack(1, 2.5)) = 3.5",
        types: |arguments| {
            if let [list] = arguments
                && item_of(arguments, 0).is_ok()
            {
                return Typing::new(vec![list.data_type().clone()], list.data_type().clone());
            }
            if let Some(i) = (0..arguments.len()).find(|&i| arguments[i].data_type().is_nested()) {
                let found = describe(arguments[i].data_type());
                return Err(Mistake::at(i, format!("a value of a row is expected here, not {found}")));
            }
            let item = unified(arguments, 0)?;
            Typing::new(vec![item.clone(); arguments.len()], list_of(item))
        },
        kernel: stacked,
        ..LIST
    },
    Function {
        name: "dot_product",
        arity: (2, 2),
        signature: "dot_product([a, b, …], [x, y, …])",
        doc: "The sum a*x + b*y + … over two lists of numbers; missing where an item is, or the lists are of different \
              length.",
        example: "dot_product([1, 2], [3, 4]) = 11",
        types: |arguments| {
            if let (Some(a), Some(b)) = (length_of(&arguments[0]), length_of(&arguments[1]))
                && a != b
            {
                return Err(Mistake::at(1, format!("{a} items are expected here as before, not {b}")));
            }
            let sum = sum_of(arguments)?;
            Typing::new(vec![list_of(sum.clone()), list_of(sum.clone())], sum)
        },
        kernel: products,
        may_overflow: true,
        undefined: Some(unpaired),
        ..LIST
    },
    Function {
        name: "str_join",
        aliases: &["join"],
        arity: (2, 2),
        signature: "str_join(list, separator)",
        doc: "The texts of a list with a text between them; a missing item is an empty text.",
        example: "str_join(['a', 'b'], ', ') = 'a, b'",
        types: |arguments| {
            let item = item_of(arguments, 0)?;
            if !is_text(item) && item != &DataType::Null {
                return Err(Mistake::at(
                    0,
                    format!("a list of texts is expected here, not of {}", describe(item)),
                ));
            }
            super::super::typing::expect_text(arguments, 1)?;
            Typing::new(vec![list_of(DataType::LargeUtf8), DataType::LargeUtf8], DataType::LargeUtf8)
        },
        kernel: joined,
        ..LIST
    },
    Function {
        name: "index_values",
        signature: "index_values(x)",
        doc: "The code of each value of a dictionary column: the place, from 0, of the value in the dictionary.",
        example: "index_values(kind) = 0",
        types: |arguments| match arguments[0].data_type() {
            dictionary @ DataType::Dictionary(code, _) => {
                Typing::new(vec![dictionary.clone()], code.as_ref().clone())
            }
            other => Err(Mistake::at(
                0,
                format!(
                    "a dictionary column is expected here, not {}; the place of a value in a list of your own is \
                     ordinal(x, [a, b])",
                    describe(other)
                ),
            )),
        },
        kernel: |a| {
            let unexpected = || ArrowError::InvalidArgumentError("a dictionary is expected".to_owned());
            let codes = a.full(0)?;
            let codes = codes.as_any_dictionary_opt().ok_or_else(unexpected)?;
            Ok(arrow::array::make_array(codes.keys().to_data()))
        },
        ..LIST
    },
];

fn item_of(arguments: &[Expr], i: usize) -> Result<&DataType, Mistake> {
    match arguments[i].data_type() {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            Ok(item.data_type())
        }
        other => Err(Mistake::at(i, format!("a list is expected here, not {}", describe(other)))),
    }
}

/// The type in which the items of lists of numbers are added up.
fn sum_of(lists: &[Expr]) -> Result<DataType, Mistake> {
    let mut sum = DataType::Int64;
    for i in 0..lists.len() {
        let item = item_of(lists, i)?;
        if !is_numeric(item) {
            return Err(Mistake::at(
                i,
                format!("a list of numbers is expected here, not of {}", describe(item)),
            ));
        }
        if !plain(item).is_integer() && !matches!(item, DataType::Boolean | DataType::Null) {
            sum = DataType::Float64;
        }
    }
    Ok(sum)
}

/// How many items every list of an expression has, where that is known.
fn length_of(expr: &Expr) -> Option<usize> {
    match (expr.data_type(), expr.as_literal(), expr.as_call()) {
        (DataType::FixedSizeList(_, length), ..) => usize::try_from(*length).ok(),
        (_, Some(Literal::List(items)), _) => Some(items.len()),
        (_, _, Some(call)) if call.function.name == "stack" => match &call.arguments[..] {
            [one] => length_of(one).or_else(|| (!one.data_type().is_nested()).then_some(1)),
            items => Some(items.len()),
        },
        _ => None,
    }
}

fn stacked(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    let items: Vec<ArrayRef> = (0..a.values.len()).map(|i| a.full(i)).collect::<Result<_, _>>()?;
    if let [list] = &items[..]
        && list.data_type() == a.output
    {
        return Ok(list.clone());
    }
    if items.len().saturating_mul(a.rows) > i32::MAX as usize {
        return Err(ArrowError::OffsetOverflowError(items.len()));
    }
    let places: Vec<(usize, usize)> =
        (0..a.rows).flat_map(|row| (0..items.len()).map(move |item| (item, row))).collect();
    let views: Vec<&dyn Array> = items.iter().map(AsRef::as_ref).collect();
    let values = interleave(&views, &places)?;
    let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    let offsets = OffsetBuffer::from_repeated_length(items.len(), a.rows);
    Ok(Arc::new(ListArray::try_new(field, offsets, values, None)?))
}

/// The places of the items of two lists of a row, each with its partner, if both have as many and none is missing.
fn pairs(left: &ListArray, right: &ListArray, row: usize) -> Option<impl Iterator<Item = (usize, usize)>> {
    let items = |lists: &ListArray| {
        let ends = lists.value_offsets();
        let mut items = ends[row] as usize..ends[row + 1] as usize;
        let is_whole = lists.is_valid(row) && items.all(|item| lists.values().is_valid(item));
        is_whole.then(|| ends[row] as usize..ends[row + 1] as usize)
    };
    let (left, right) = (items(left)?, items(right)?);
    (left.len() == right.len()).then(|| left.zip(right))
}

/// In how many rows two lists have missing items or are of different length.
fn unpaired(lists: &[ArrayRef]) -> Result<usize, ArrowError> {
    let (left, right) = (lists[0].as_list::<i32>(), lists[1].as_list::<i32>());
    let is_unpaired =
        |&row: &usize| left.is_valid(row) && right.is_valid(row) && pairs(left, right, row).is_none();
    Ok((0..left.len()).filter(is_unpaired).count())
}

fn products(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    let (left, right) = (a.full(0)?, a.full(1)?);
    let (left, right) = (left.as_list::<i32>(), right.as_list::<i32>());
    let rows = 0..left.len();
    let pairs = |row| pairs(left, right, row);
    Ok(match a.output {
        DataType::Int64 => {
            let (a, b) =
                (left.values().as_primitive::<Int64Type>(), right.values().as_primitive::<Int64Type>());
            let product = |row| {
                pairs(row)?.try_fold(0i64, |sum, (i, j)| sum.checked_add(a.value(i).checked_mul(b.value(j))?))
            };
            Arc::new(rows.map(product).collect::<Int64Array>())
        }
        _ => {
            let (a, b) =
                (left.values().as_primitive::<Float64Type>(), right.values().as_primitive::<Float64Type>());
            let product = |row| Some(pairs(row)?.fold(0.0, |sum, (i, j)| sum + a.value(i) * b.value(j)));
            Arc::new(rows.map(product).collect::<Float64Array>())
        }
    })
}

fn joined(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    let (lists, separators) = (a.full(0)?, a.full(1)?);
    let (lists, separators) = (lists.as_list::<i32>(), separators.as_string::<i64>());
    let texts = lists.values().as_string::<i64>();
    let mut out = LargeStringBuilder::new();
    let mut text = String::new();
    for row in 0..lists.len() {
        if lists.is_null(row) || separators.is_null(row) {
            out.append_null();
            continue;
        }
        text.clear();
        let ends = lists.value_offsets();
        for (i, item) in (ends[row] as usize..ends[row + 1] as usize).enumerate() {
            if i > 0 {
                text.push_str(separators.value(row));
            }
            if texts.is_valid(item) {
                text.push_str(texts.value(item));
            }
        }
        out.append_value(&text);
    }
    Ok(Arc::new(out.finish()))
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
        inside.then(|| u32::try_from(i64::from(start) + from_start).ok())?
    };
    let found: UInt32Array = (0..lists.len()).map(place).collect();
    arrow::compute::take(lists.values(), &found, None)
}
