//! A column: the data sets it is kept in, and how some of its rows are read.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, DictionaryArray, NullArray, PrimitiveArray};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Int32Type};

use super::cell::{Cell, dictionary_type};
use super::storage::DataSet;
use super::text::text_array;
use crate::dataset::UnseenTexts;
use crate::kernel::compare;
use crate::memory::{TextOffset, Texts, whole_dictionary};

/// Which rows of a column are missing.
#[derive(Debug, Clone)]
pub(super) enum Missing {
    /// None is, as far as the file says.
    Unmarked,
    /// One byte at a place in every row; anything but 0 is missing.
    Mask { data: Arc<DataSet>, offset: usize },
    /// One bit a row, lowest first; 0 is missing.
    Bitmap(Arc<DataSet>),
}

/// What a column's values are made from.
#[derive(Debug)]
pub(super) enum Values {
    /// One cell at a place in every row of a data set.
    Cells { data: Arc<DataSet>, offset: usize, cell: Cell },
    /// Text: all bytes in one data set, where each row begins and the last ends in another.
    Text { bytes: Arc<DataSet>, indices: Arc<DataSet>, index: Cell },
    /// Codes that stand for the values of a small column.
    Dictionary {
        codes: Arc<DataSet>,
        code: Cell,
        entries: Box<Column>,
        decoded: OnceLock<Result<ArrayRef, String>>,
    },
    /// Not read: the reason stands in the column's description.
    Unreadable {
        /// Whether the C library reads it.
        only_library: bool,
    },
}

/// A column.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    /// What it is called in the file; several columns may come from one data set.
    pub(super) part: String,
    pub(super) unit: Option<String>,
    pub(super) description: Option<String>,
    pub(super) values: Values,
    pub(super) missing: Missing,
}

impl Column {
    /// Number of rows; `None` for a column that is not read.
    pub(super) fn rows(&self) -> Option<u64> {
        match &self.values {
            Values::Cells { data, .. } => Some(data.rows()),
            Values::Text { indices, .. } => Some(indices.rows().saturating_sub(1)),
            Values::Dictionary { codes, .. } => Some(codes.rows()),
            Values::Unreadable { .. } => None,
        }
    }

    /// Whether it is not read, but the C library would.
    pub(super) fn needs_library(&self) -> bool {
        matches!(self.values, Values::Unreadable { only_library: true })
    }

    /// The type of the arrays read.
    pub(super) fn data_type(&self) -> DataType {
        match &self.values {
            Values::Cells { cell, .. } => cell.data_type(),
            Values::Text { index, .. } if index.is_narrow() => DataType::Utf8,
            Values::Text { .. } => DataType::LargeUtf8,
            Values::Dictionary { entries, .. } => match entries.data_type() {
                DataType::Utf8 | DataType::LargeUtf8 => dictionary_type(),
                other => other,
            },
            Values::Unreadable { .. } => DataType::Null,
        }
    }

    /// Rows of one stored chunk of the data set that is costly to read in part.
    pub(super) fn chunk_rows(&self) -> Option<u64> {
        match &self.values {
            Values::Cells { data, .. } => data.chunk_rows(),
            Values::Text { indices, .. } => indices.chunk_rows(),
            Values::Dictionary { codes, .. } => codes.chunk_rows(),
            Values::Unreadable { .. } => None,
        }
    }

    /// Whether [`gather`](Self::gather) has a way that [`read`](Self::read) has not.
    pub(super) fn gathers(&self) -> bool {
        matches!(self.values, Values::Cells { .. }) && !matches!(self.missing, Missing::Bitmap(_))
    }

    /// The values in each of `blocks`, which lie inside the column, read without a page of the map.
    pub(super) fn gather(&self, blocks: &[Range<u64>]) -> Result<ArrayRef, String> {
        let Values::Cells { data, offset, cell } = &self.values else {
            return Err("it is not kept in cells".to_owned());
        };
        let count = blocks.iter().map(|block| (block.end - block.start) as usize).sum();
        let cells = |data: &DataSet, offset, width| {
            cells_of(data.gather(blocks)?, data.row_bytes(), offset, width, count)
        };
        let nulls = match &self.missing {
            Missing::Mask { data, offset } => marked(&cells(data, *offset, 1)?, count),
            _ => None,
        };
        cell.array(&cells(data, *offset, cell.width())?, count, nulls, data.container())
    }

    /// All values, as those of a dictionary.
    fn read_entries(&self) -> Result<ArrayRef, String> {
        let entries = self.read(0..self.rows().unwrap_or(0))?;
        match entries.data_type() {
            DataType::Utf8 => cast(&entries, &DataType::LargeUtf8).map_err(|e| e.to_string()),
            _ => Ok(entries),
        }
    }

    /// The texts in `rows`, which lie inside the column, as they are in the map, where they are there as text.
    pub(super) fn unseen_texts(&self, rows: Range<u64>) -> Result<Option<UnseenTexts>, String> {
        let Values::Text { bytes, indices, index } = &self.values else { return Ok(None) };
        if !bytes.is_mapped() || rows.is_empty() {
            return Ok(None);
        }
        let count = rows_at_once(&rows)?;
        let stored = indices.read(rows.start..rows.end + 1)?;
        let Some(offsets) = index.stored_offsets(&stored, count + 1)? else { return Ok(None) };
        let bytes = bytes.read(0..bytes.rows())?;
        Ok(Some(UnseenTexts { offsets, bytes, nulls: self.missing.read(rows)? }))
    }

    /// The values in `rows`, which lie inside the column.
    pub(super) fn read(&self, rows: Range<u64>) -> Result<ArrayRef, String> {
        let count = rows_at_once(&rows)?;
        let nulls = self.missing.read(rows.clone())?;
        match &self.values {
            Values::Cells { data, offset, cell } => {
                let bytes = cells_of(data.read(rows)?, data.row_bytes(), *offset, cell.width(), count)?;
                cell.array(&bytes, count, nulls, data.container())
            }
            Values::Text { bytes, indices, index } => read_text(bytes, indices, index, rows, count, nulls),
            Values::Dictionary { codes, code, entries, decoded } => {
                let entries = decoded
                    .get_or_init(|| entries.read_entries())
                    .as_ref()
                    .map_err(|reason| format!("its dictionary: {reason}"))?;
                let stored = codes.read(rows.clone())?;
                if entries.null_count() == 0 && entries.data_type() == &DataType::LargeUtf8 {
                    let keys = PrimitiveArray::new(code.codes(&stored, count)?, nulls.clone());
                    // Nearly every dictionary is whole.
                    if let Some(whole) = whole_dictionary(keys, entries) {
                        return Ok(Arc::new(whole));
                    }
                }
                decode(&code.integers(&stored, count)?, rows.start, entries, nulls)
            }
            Values::Unreadable { .. } => Ok(Arc::new(NullArray::new(count))),
        }
    }
}

fn rows_at_once(rows: &Range<u64>) -> Result<usize, String> {
    usize::try_from(rows.end - rows.start).map_err(|_| "too many rows at once".to_owned())
}

impl Missing {
    fn read(&self, rows: Range<u64>) -> Result<Option<NullBuffer>, String> {
        let count = (rows.end - rows.start) as usize;
        let valid = match self {
            Missing::Unmarked => return Ok(None),
            Missing::Mask { data, offset } => {
                return Ok(marked(&cells_of(data.read(rows)?, data.row_bytes(), *offset, 1, count)?, count));
            }
            Missing::Bitmap(bitmap) => {
                let first = (rows.start % 8) as usize;
                let bits = bitmap.read(rows.start / 8..rows.end.div_ceil(8).max(rows.start / 8))?;
                BooleanBuffer::collect_bool(count, |i| bits[(first + i) / 8] >> ((first + i) % 8) & 1 == 1)
            }
        };
        let nulls = NullBuffer::new(valid);
        Ok((nulls.null_count() > 0).then_some(nulls))
    }
}

/// Which rows a mask marks as missing: those with anything but 0.
fn marked(mask: &[u8], count: usize) -> Option<NullBuffer> {
    let present = compare::bits(&mask[..count], |mark| mark == 0);
    let nulls = NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(present), 0, count));
    (nulls.null_count() > 0).then_some(nulls)
}

/// The `width` bytes at `offset` of each of `count` rows, beside each other; `rows` itself if that is
/// all there is.
fn cells_of(
    rows: Buffer,
    row_bytes: usize,
    offset: usize,
    width: usize,
    count: usize,
) -> Result<Buffer, String> {
    if width == row_bytes || count == 0 {
        return Ok(rows);
    }
    let mut out = Vec::new();
    out.try_reserve_exact(count * width).map_err(|_| format!("{count} values do not fit into memory"))?;
    for row in rows.chunks_exact(row_bytes) {
        out.extend_from_slice(&row[offset..offset + width]);
    }
    Ok(Buffer::from(out))
}

fn read_text(
    bytes: &DataSet,
    indices: &DataSet,
    index: &Cell,
    rows: Range<u64>,
    count: usize,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef, String> {
    if count == 0 {
        let data_type = if index.is_narrow() { DataType::Utf8 } else { DataType::LargeUtf8 };
        return Ok(arrow::array::new_empty_array(&data_type));
    }
    let stored = indices.read(rows.start..rows.end + 1)?;
    if index.is_narrow() {
        let (offsets, first) = index.narrow_offsets(&stored, count + 1)?;
        return texts_at(offsets, first, bytes, rows.start, nulls);
    }
    let (offsets, first) = index.offsets(&stored, count + 1)?;
    texts_at(offsets, first, bytes, rows.start, nulls)
}

/// The texts between `offsets`, which are counted from byte `first` on.
fn texts_at<O: TextOffset>(
    offsets: Vec<O>,
    first: i64,
    bytes: &DataSet,
    first_row: u64,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef, String> {
    let wrong = |offsets: &[O]| {
        let at = |offset: O| offset.to_i64().unwrap_or(-1).wrapping_add(first);
        let is_wrong = |start: i64, end: i64| start < 0 || start > end || end as u64 > bytes.rows();
        let pairs = offsets.windows(2).map(|pair| (at(pair[0]), at(pair[1])));
        (first_row..).zip(pairs).find(|(_, (start, end))| is_wrong(*start, *end)).map(|(row, (start, end))| {
            let available = bytes.rows();
            format!("the text of row {row} should lie at bytes {start}..{end}, but there are {available} bytes")
        })
    };
    let length = offsets.last().and_then(|length| length.to_i64()).unwrap_or(-1);
    let last = first.checked_add(length).filter(|&last| first >= 0 && first <= last);
    let Some(last) = last.filter(|&last| last as u64 <= bytes.rows()) else {
        return Err(wrong(&offsets).unwrap_or_else(|| "its offsets do not ascend".to_owned()));
    };
    let stored = bytes.read(first as u64..last as u64)?;
    let mut text = Vec::new();
    text.try_reserve_exact(stored.len())
        .map_err(|_| format!("{} bytes of text do not fit into memory", stored.len()))?;
    text.extend_from_slice(&stored);
    match (Texts { bytes: text, offsets, nulls }).into_ascii() {
        Ok(array) => Ok(Arc::new(array)),
        Err(texts) => match wrong(&texts.offsets) {
            Some(reason) => Err(reason),
            None => text_array(texts),
        },
    }
}

/// The entries that `codes` stand for. A negative code, or that of a missing entry, is missing.
fn decode(
    codes: &ScalarBuffer<i64>,
    first_row: u64,
    entries: &ArrayRef,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef, String> {
    let present = |i: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(i));
    let mut keys = Vec::with_capacity(codes.len());
    for (i, &code) in codes.iter().enumerate() {
        keys.push(match usize::try_from(code) {
            Ok(code) if code < entries.len() => {
                if entries.is_valid(code) && present(i) {
                    Some(code as i32)
                } else {
                    None
                }
            }
            Ok(code) if present(i) => {
                return Err(format!(
                    "row {} has the code {code}, but the dictionary ends at {}",
                    first_row + i as u64,
                    entries.len()
                ));
            }
            _ => None,
        });
    }
    let keys = PrimitiveArray::<Int32Type>::from(keys);
    if entries.data_type() == &DataType::LargeUtf8 {
        return Ok(Arc::new(DictionaryArray::try_new(keys, entries.clone()).map_err(|e| e.to_string())?));
    }
    take(entries, &keys, None).map_err(|e| e.to_string())
}
