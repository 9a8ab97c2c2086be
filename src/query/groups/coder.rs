//! One key column: values into small numbers, and back.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, GenericByteArray, PrimitiveArray, new_empty_array,
    new_null_array,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer};
use arrow::compute::{cast, take};
use arrow::datatypes::{
    ArrowDictionaryKeyType, ArrowNativeType, ArrowPrimitiveType, ByteArrayType, DataType, Float32Type,
    Float64Type, GenericBinaryType, GenericStringType, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow::downcast_dictionary_array;
use arrow::row::{RowConverter, SortField};

use crate::aggregate::plain_numbers;
use crate::kernel::counts::mixed;
use crate::kernel::ids::{Word, WordIds, scatter};
use crate::kernel::texts::{TextIds, hash_text};
use crate::query::QueryError;
use crate::query::key_texts::{KeyRows, forget_missing};
use crate::query::question::internal;

/// The hash of a missing value.
const MISSING: u64 = 0x6d69_7373_696e_6721;
/// Most values of a dictionary that are numbered before they are met.
const MOST_AHEAD: usize = 1 << 10;
/// A code of a dictionary whose number is not known yet.
const UNKNOWN: u32 = u32::MAX;

/// Runs `$body` with `$values` bound to the slice of the plain array `$array`.
macro_rules! words {
    ($array:expr, |$values:ident: $t:ident| $body:expr, else $other:expr) => {
        words!(@ $array, $values, $t, $body, $other,
            Int8 Int8Type, Int16 Int16Type, Int32 Int32Type, Int64 Int64Type, UInt8 UInt8Type,
            UInt16 UInt16Type, UInt32 UInt32Type, UInt64 UInt64Type, Float32 Float32Type, Float64 Float64Type)
    };
    (@ $array:expr, $values:ident, $t:ident, $body:expr, $other:expr, $($name:ident $ty:ty),*) => {
        match $array.data_type() {
            $(DataType::$name => {
                type $t = $ty;
                let $values = $array.as_primitive::<$t>().values().as_ref();
                $body
            })*
            _ => $other,
        }
    };
}

/// Runs `$body` with `$texts` bound to the array of texts or bytes `$array`.
macro_rules! texts {
    ($array:expr, |$texts:ident| $body:expr, else $other:expr) => {
        match $array.data_type() {
            DataType::Utf8 => {
                let $texts = $array.as_bytes::<GenericStringType<i32>>();
                $body
            }
            DataType::LargeUtf8 => {
                let $texts = $array.as_bytes::<GenericStringType<i64>>();
                $body
            }
            DataType::Binary => {
                let $texts = $array.as_bytes::<GenericBinaryType<i32>>();
                $body
            }
            DataType::LargeBinary => {
                let $texts = $array.as_bytes::<GenericBinaryType<i64>>();
                $body
            }
            _ => $other,
        }
    };
}

/// Numbers the values of one key: missing is 0, the others count from 1.
pub(in crate::query) enum Coder {
    /// Of a type that is 64 bits or less.
    Words { ids: WordIds, data_type: DataType },
    /// Texts and bytes.
    Texts { ids: TextIds, data_type: DataType },
    /// A dictionary: its values are numbered, `ids` holds the numbers of the codes of `values`.
    Coded { of: Box<Coder>, values: Option<ArrayRef>, ids: Vec<u32> },
    /// All other types, by the bytes Arrow compares them by.
    Rows { converter: RowConverter, ids: TextIds, missing: Vec<u8> },
}

impl Coder {
    pub(in crate::query) fn new(data_type: &DataType) -> Result<Coder, QueryError> {
        Ok(match data_type {
            DataType::Dictionary(_, values) => {
                Coder::Coded { of: Box::new(Coder::new(values)?), values: None, ids: Vec::new() }
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Binary | DataType::LargeBinary => {
                Coder::Texts { ids: TextIds::default(), data_type: data_type.clone() }
            }
            other if is_word(other) => Coder::Words { ids: WordIds::default(), data_type: other.clone() },
            other => {
                let converter = RowConverter::new(vec![SortField::new(other.clone())]).map_err(internal)?;
                let missing = converter.convert_columns(&[new_null_array(other, 1)]).map_err(internal)?;
                let missing = missing.row(0).as_ref().to_vec();
                Coder::Rows { converter, ids: TextIds::default(), missing }
            }
        })
    }

    /// Of a type that [`is_word`], which numbers these words from 1 and is asked for their values alone.
    pub(super) fn of_words(words: Vec<u64>, data_type: &DataType) -> Coder {
        Coder::Words { ids: WordIds::of(words), data_type: data_type.clone() }
    }

    /// The words of the numbers from 1 on; none of types that are no words.
    pub(super) fn words(&self) -> &[u64] {
        match self {
            Coder::Words { ids, .. } => ids.words(),
            _ => &[],
        }
    }

    /// Numbers are `0..=len`.
    pub(in crate::query) fn len(&self) -> usize {
        match self {
            Coder::Words { ids, .. } => ids.words().len(),
            Coder::Texts { ids, .. } | Coder::Rows { ids, .. } => ids.len(),
            Coder::Coded { of, .. } => of.len(),
        }
    }

    /// Whether a number is that of a missing value or of NaN.
    pub(super) fn is_missing(&self, id: u32) -> bool {
        match self {
            _ if id == 0 => true,
            Coder::Words { ids, data_type } => nan_word(data_type) == Some(word_of(ids, id)),
            Coder::Coded { of, .. } => of.is_missing(id),
            Coder::Texts { .. } | Coder::Rows { .. } => false,
        }
    }

    /// The slot of an axis that has a number.
    pub(super) fn slot(&self, id: u32) -> Option<usize> {
        match self {
            Coder::Words { ids, .. } if id > 0 => Some(word_of(ids, id) as usize),
            _ => None,
        }
    }

    /// Bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Coder::Words { ids, .. } => ids.bytes(),
            Coder::Texts { ids, .. } | Coder::Rows { ids, .. } => ids.bytes(),
            Coder::Coded { of, ids, .. } => of.bytes() + ids.capacity() * 4,
        }
    }

    /// Writes the number of every value of a key; `out` is as long as there are rows.
    pub(super) fn write_key(&mut self, key: &KeyRows, out: &mut [u32]) -> Result<(), QueryError> {
        if let (Coder::Texts { ids, .. }, KeyRows::Texts(texts, rows)) = (&mut *self, key)
            && texts.write(ids, rows, out)
        {
            return Ok(());
        }
        self.write(&key.array()?, out)
    }

    /// Writes the number of every value; `out` is as long as `array`.
    pub(in crate::query) fn write(&mut self, array: &ArrayRef, out: &mut [u32]) -> Result<(), QueryError> {
        match self {
            Coder::Words { ids, .. } => {
                let plain = plain_numbers(array);
                let nulls = plain.nulls().filter(|nulls| nulls.null_count() > 0);
                words!(plain, |values: T| write_words::<T>(ids, values, nulls, out), else return Err(strange(&plain)));
            }
            Coder::Texts { ids, .. } => {
                texts!(
                    array,
                    |texts| ids.write(texts.value_offsets(), texts.value_data(), out),
                    else return Err(strange(array))
                );
                forget_missing(array.nulls(), out);
            }
            // Values of groups come back plain.
            Coder::Coded { of, .. } if !matches!(array.data_type(), DataType::Dictionary(..)) => {
                of.write(array, out)?;
            }
            Coder::Coded { of, values, ids } => {
                let dictionary = array.as_any_dictionary();
                let known =
                    |known: &ArrayRef| std::ptr::addr_eq(known.as_ref(), dictionary.values().as_ref());
                if !values.as_ref().is_some_and(known) {
                    *values = Some(dictionary.values().clone());
                    ids.clear();
                    ids.resize(dictionary.values().len(), UNKNOWN);
                    if ids.len() <= MOST_AHEAD {
                        of.write(dictionary.values(), ids)?;
                    }
                }
                downcast_dictionary_array!(
                    array => write_codes(of, ids, array, out)?,
                    _ => return Err(strange(array))
                );
                forget_missing(dictionary.keys().nulls(), out);
            }
            Coder::Rows { converter, ids, .. } => {
                let rows = converter.convert_columns(std::slice::from_ref(array)).map_err(internal)?;
                out.iter_mut().zip(rows.iter()).for_each(|(id, row)| *id = ids.id(row.as_ref()));
                forget_missing(array.logical_nulls().as_ref(), out);
            }
        }
        Ok(())
    }

    /// The values of these numbers.
    pub(in crate::query) fn values(&self, of: &[u32]) -> Result<ArrayRef, QueryError> {
        match self {
            Coder::Words { ids, data_type } => words_as(ids.words(), of, data_type),
            Coder::Texts { ids, data_type } => texts_as(ids, of, data_type),
            Coder::Coded { of: values, .. } => values.values(of),
            Coder::Rows { converter, ids, missing } => {
                let text = |&id: &u32| {
                    let mut text = Vec::new();
                    if id > 0 {
                        ids.append(id, &mut text);
                    } else {
                        text.extend_from_slice(missing);
                    }
                    text
                };
                let texts: Vec<Vec<u8>> = of.iter().map(text).collect();
                let parser = converter.parser();
                let rows = texts.iter().map(|text| parser.parse(text));
                let mut columns = converter.convert_rows(rows).map_err(internal)?;
                Ok(columns.remove(0))
            }
        }
    }
}

/// The word of NaN, of a type that has it.
pub(super) fn nan_word(data_type: &DataType) -> Option<u64> {
    match data_type {
        DataType::Float64 => Some(f64::NAN.word()),
        DataType::Float32 | DataType::Float16 => Some(f32::NAN.word()),
        _ => None,
    }
}

fn word_of(ids: &WordIds, id: u32) -> u64 {
    ids.words()[id as usize - 1]
}

/// Combines the hash of every value with the hash so far. Equal values have equal hashes in whatever
/// form and place they come.
pub(super) fn hash(array: &ArrayRef, hashes: &mut [u64]) -> Result<(), QueryError> {
    for (hash, value) in hashes.iter_mut().zip(hashes_of(array)?) {
        *hash = scatter(hash.rotate_left(7) ^ value);
    }
    Ok(())
}

fn hashes_of(array: &ArrayRef) -> Result<Vec<u64>, QueryError> {
    let mut hashes = match array.data_type() {
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            if dictionary.values().is_empty() {
                return Ok(vec![MISSING; array.len()]);
            }
            let of_values = hashes_of(dictionary.values())?;
            dictionary.normalized_keys().into_iter().map(|code| of_values[code]).collect()
        }
        other if is_word(other) => {
            let plain = plain_numbers(array);
            words!(
                plain,
                |values: _T| values.iter().map(|v| scatter(v.word())).collect::<Vec<u64>>(),
                else return Err(strange(&plain))
            )
        }
        _ => texts!(array, |texts| hash_texts(texts), else {
            let converter = RowConverter::new(vec![SortField::new(array.data_type().clone())]);
            let rows = converter.and_then(|converter| converter.convert_columns(std::slice::from_ref(array)));
            let rows = rows.map_err(internal)?;
            rows.iter().map(|row| hash_text(row.as_ref(), 0, row.as_ref().len())).collect()
        }),
    };
    let nulls = match array.data_type() {
        DataType::Dictionary(..) => array.as_any_dictionary().keys().nulls().cloned(),
        _ => array.logical_nulls(),
    };
    if let Some(nulls) = nulls.filter(|nulls| nulls.null_count() > 0) {
        for (hash, valid) in hashes.iter_mut().zip(nulls.iter()) {
            *hash = if valid { *hash } else { MISSING };
        }
    }
    Ok(hashes)
}

/// Appends the mixed words of the values that pass, and tells how many that pass are missing.
pub(super) fn push_mixed(
    array: &ArrayRef,
    passing: Option<BooleanBuffer>,
    forms: &mut Vec<u64>,
) -> Result<u64, QueryError> {
    let plain = plain_numbers(array);
    let valid = plain.nulls().filter(|nulls| nulls.null_count() > 0).map(NullBuffer::inner);
    let counting = match (&passing, valid) {
        (Some(passing), Some(valid)) => Some(passing & valid),
        (passing, valid) => passing.as_ref().or(valid).cloned(),
    };
    let rows =
        |bits: &Option<BooleanBuffer>| bits.as_ref().map_or(plain.len(), BooleanBuffer::count_set_bits);
    let missing = rows(&passing) - rows(&counting);
    words!(plain, |values: _T| match &counting {
        None => forms.extend(values.iter().map(|value| mixed(value.word()))),
        Some(bits) => forms.extend(bits.set_indices().map(|row| mixed(values[row].word()))),
    }, else return Err(strange(&plain)));
    Ok(missing as u64)
}

fn hash_texts<T: ByteArrayType>(texts: &GenericByteArray<T>) -> Vec<u64> {
    let bytes = texts.value_data();
    let ends = texts.value_offsets().windows(2);
    ends.map(|ends| hash_text(bytes, ends[0].as_usize(), ends[1].as_usize())).collect()
}

/// Whether 64 bits tell the values of this type apart.
pub(super) fn is_word(data_type: &DataType) -> bool {
    use DataType::*;
    data_type.is_integer()
        || matches!(
            data_type,
            Boolean
                | Float16
                | Float32
                | Float64
                | Date32
                | Date64
                | Time32(_)
                | Time64(_)
                | Timestamp(..)
                | Duration(_)
        )
}

fn write_words<T: ArrowPrimitiveType<Native: Word>>(
    ids: &mut WordIds,
    values: &[T::Native],
    nulls: Option<&NullBuffer>,
    out: &mut [u32],
) {
    let Some(nulls) = nulls else { return ids.write(values, out) };
    // What lies under a missing value is anything: a value that is there stands in for it.
    match nulls.valid_indices().next() {
        None => out.fill(0),
        Some(first) => {
            let stand_in = values[first].word();
            let word = |(value, valid): (&T::Native, bool)| if valid { value.word() } else { stand_in };
            let words: Vec<u64> = values.iter().zip(nulls.iter()).map(word).collect();
            ids.write(&words, out);
            forget_missing(Some(nulls), out);
        }
    }
}

fn write_codes<K: ArrowDictionaryKeyType>(
    of: &mut Coder,
    ids: &mut [u32],
    dictionary: &DictionaryArray<K>,
    out: &mut [u32],
) -> Result<(), QueryError> {
    let codes = dictionary.keys().values();
    if are_in_order(ids) && dictionary.keys().null_count() == 0 {
        for (id, code) in out.iter_mut().zip(codes) {
            *id = (code.as_usize() as u32).wrapping_add(1);
        }
        return Ok(());
    }
    let mut unknown = false;
    for (id, code) in out.iter_mut().zip(codes) {
        // The code of a missing value may be none.
        *id = ids.get(code.as_usize()).copied().unwrap_or(0);
        unknown |= *id == UNKNOWN;
    }
    if !unknown {
        return Ok(());
    }
    let mut new = Vec::new();
    for (row, (id, code)) in out.iter().zip(codes).enumerate() {
        let code = code.as_usize();
        if *id == UNKNOWN && ids[code] == UNKNOWN && dictionary.keys().is_valid(row) {
            ids[code] = 0;
            new.push(code as u32);
        }
    }
    let values = take(dictionary.values(), &PrimitiveArray::<UInt32Type>::from(new.clone()), None);
    let mut found = vec![0; new.len()];
    of.write(&values.map_err(internal)?, &mut found)?;
    new.iter().zip(found).for_each(|(&code, id)| ids[code as usize] = id);
    for (id, code) in out.iter_mut().zip(codes) {
        *id = ids.get(code.as_usize()).copied().unwrap_or(0);
    }
    Ok(())
}

/// Whether every code has the number of its place.
fn are_in_order(ids: &[u32]) -> bool {
    ids.iter().zip(1..).fold(true, |all, (&id, number)| all & (id == number))
}

fn nulls_of(of: &[u32]) -> Option<NullBuffer> {
    of.contains(&0).then(|| NullBuffer::new(BooleanBuffer::collect_bool(of.len(), |i| of[i] != 0)))
}

fn words_as(words: &[u64], of: &[u32], data_type: &DataType) -> Result<ArrayRef, QueryError> {
    let plain = plain_numbers(&new_empty_array(data_type));
    let word = |id: u32| if id == 0 { 0 } else { words[id as usize - 1] };
    let values: ArrayRef = words!(plain, |_values: T| {
        let values = of.iter().map(|&id| Word::from_word(word(id))).collect::<Vec<_>>();
        Arc::new(PrimitiveArray::<T>::new(values.into(), nulls_of(of)))
    }, else return Err(strange(&plain)));
    match (data_type, values.data_type()) {
        (asked, found) if asked == found => Ok(values),
        _ => cast(&values, data_type).map_err(internal),
    }
}

fn texts_as(ids: &TextIds, of: &[u32], data_type: &DataType) -> Result<ArrayRef, QueryError> {
    fn typed<T: ByteArrayType>(ids: &TextIds, of: &[u32]) -> Result<ArrayRef, QueryError> {
        let mut bytes = Vec::new();
        let lengths: Vec<usize> = of
            .iter()
            .map(|&id| {
                let before = bytes.len();
                if id > 0 {
                    ids.append(id, &mut bytes);
                }
                bytes.len() - before
            })
            .collect();
        if T::Offset::from_usize(bytes.len()).is_none() {
            return Err(QueryError::Panicked("the texts of the groups take more than 2 GiB".to_owned()));
        }
        let offsets = OffsetBuffer::from_lengths(lengths);
        GenericByteArray::<T>::try_new(offsets, Buffer::from_vec(bytes), nulls_of(of))
            .map(|texts| Arc::new(texts) as ArrayRef)
            .map_err(internal)
    }
    match data_type {
        DataType::LargeUtf8 => typed::<GenericStringType<i64>>(ids, of),
        DataType::Binary => typed::<GenericBinaryType<i32>>(ids, of),
        DataType::LargeBinary => typed::<GenericBinaryType<i64>>(ids, of),
        _ => typed::<GenericStringType<i32>>(ids, of),
    }
}

fn strange(array: &ArrayRef) -> QueryError {
    QueryError::Panicked(format!("a key of type {}", array.data_type()))
}
