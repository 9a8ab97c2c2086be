//! Dictionaries of a file: decoded when first needed, and unified so that one code means one value
//! in every batch.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, UInt64Array, make_array};
use arrow::compute::{cast, concat, take};
use arrow::datatypes::{DataType, Field};
use arrow::row::{RowConverter, SortField};

/// The values of a dictionary column, each once and none missing, and how to get there from the
/// codes in the file.
#[derive(Debug)]
pub(super) struct Unified {
    values: ArrayRef,
    /// Per generation the new code of each old one, -1 for a missing value; `None` where codes stay.
    codes: Vec<Option<Vec<i64>>>,
}

/// The id of the dictionary of `field`, if it is dictionary-encoded.
pub(super) fn dictionary_id(field: &Field) -> Option<i64> {
    #[expect(deprecated, reason = "arrow offers no other way to the id")]
    field.dict_id()
}

/// The ids of all dictionaries `field` needs, its own and those nested in it.
pub(super) fn dictionary_ids(field: &Field, ids: &mut Vec<i64>) {
    ids.extend(dictionary_id(field));
    nested_ids(field.data_type(), ids);
}

/// The ids of the dictionaries nested in a type.
pub(super) fn nested_ids(data_type: &DataType, ids: &mut Vec<i64>) {
    match data_type {
        DataType::Dictionary(_, values) => nested_ids(values, ids),
        DataType::List(child)
        | DataType::LargeList(child)
        | DataType::ListView(child)
        | DataType::LargeListView(child)
        | DataType::FixedSizeList(child, _)
        | DataType::Map(child, _) => dictionary_ids(child, ids),
        DataType::Struct(fields) => fields.iter().for_each(|field| dictionary_ids(field, ids)),
        DataType::Union(fields, _) => fields.iter().for_each(|(_, field)| dictionary_ids(field, ids)),
        DataType::RunEndEncoded(ends, values) => {
            dictionary_ids(ends, ids);
            dictionary_ids(values, ids);
        }
        _ => {}
    }
}

/// The type a column has for the rest of the program: wider codes where a stream replaces the
/// dictionary, because all its values together may need them.
pub(super) fn unified_type(data_type: &DataType, generations: usize) -> DataType {
    match data_type {
        DataType::Dictionary(key, values) if generations > 1 => {
            let key = match **key {
                DataType::UInt32 | DataType::Int64 | DataType::UInt64 => key.as_ref().clone(),
                _ => DataType::Int32,
            };
            DataType::Dictionary(Box::new(key), values.clone())
        }
        other => other.clone(),
    }
}

impl Unified {
    /// Unifies the values of all generations of one dictionary.
    pub(super) fn new(generations: &[ArrayRef]) -> Result<Unified, String> {
        let [first, ..] = generations else { return Err("it has no dictionary".to_owned()) };
        let as_they_are = || Unified { values: first.clone(), codes: vec![None] };
        let sort_field = SortField::new(first.data_type().clone());
        if !RowConverter::supports_fields(std::slice::from_ref(&sort_field)) {
            if generations.len() == 1 {
                return Ok(as_they_are());
            }
            return Err(format!(
                "replacing a dictionary of {} within a stream is not supported",
                first.data_type()
            ));
        }
        let borrowed: Vec<&dyn Array> = generations.iter().map(AsRef::as_ref).collect();
        let all = if generations.len() == 1 {
            first.clone()
        } else {
            concat(&borrowed).map_err(|error| error.to_string())?
        };
        let missing = all.logical_nulls();
        let converter = RowConverter::new(vec![sort_field]).map_err(|error| error.to_string())?;
        let rows =
            converter.convert_columns(std::slice::from_ref(&all)).map_err(|error| error.to_string())?;
        let mut code_of = HashMap::with_capacity(all.len());
        let mut kept = Vec::new();
        let mut codes = Vec::with_capacity(all.len());
        for i in 0..all.len() {
            if missing.as_ref().is_some_and(|nulls| nulls.is_null(i)) {
                codes.push(-1);
                continue;
            }
            codes.push(*code_of.entry(rows.row(i)).or_insert_with(|| {
                kept.push(i as u64);
                kept.len() as i64 - 1
            }));
        }
        if generations.len() == 1 && kept.len() == all.len() {
            return Ok(as_they_are());
        }
        let values = take(&all, &UInt64Array::from(kept), None).map_err(|error| error.to_string())?;
        let mut rest = codes.as_slice();
        let codes = generations
            .iter()
            .map(|generation| {
                let (own, after) = rest.split_at(generation.len());
                rest = after;
                Some(own.to_vec())
            })
            .collect();
        Ok(Unified { values, codes })
    }

    /// The array with its codes rewritten; the same array where they stay.
    pub(super) fn apply(
        &self,
        array: ArrayRef,
        generation: Option<usize>,
        data_type: &DataType,
    ) -> Result<ArrayRef, String> {
        let Some(dictionary) = array.as_any_dictionary_opt() else { return Ok(array) };
        let map: &[i64] = match generation.and_then(|generation| self.codes.get(generation)) {
            Some(Some(map)) => map,
            Some(None) => return Ok(array),
            None => &[],
        };
        let keys = cast(dictionary.keys(), &DataType::Int64).map_err(|error| error.to_string())?;
        let keys: Int64Array = keys
            .as_primitive::<arrow::datatypes::Int64Type>()
            .iter()
            .map(|key| {
                let code = *map.get(usize::try_from(key?).ok()?)?;
                (code >= 0).then_some(code)
            })
            .collect();
        let DataType::Dictionary(key_type, _) = data_type else { return Ok(array) };
        let keys = cast(&keys, key_type).map_err(|error| error.to_string())?;
        let data = keys
            .to_data()
            .into_builder()
            .data_type(data_type.clone())
            .child_data(vec![self.values.to_data()])
            .build()
            .map_err(|error| error.to_string())?;
        Ok(make_array(data))
    }
}

/// One dictionary of the file at each of its generations, and unified.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    pub(super) generations: Vec<OnceLock<Result<ArrayRef, String>>>,
    pub(super) unified: OnceLock<Result<Arc<Unified>, String>>,
}
