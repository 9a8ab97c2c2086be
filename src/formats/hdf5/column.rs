//! A column: the data sets it is kept in, and how some of its rows are read.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, DictionaryArray, NullArray, PrimitiveArray};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use arrow::compute::take;
use arrow::datatypes::{DataType, Int32Type};

use super::cell::{Cell, dictionary_type};
use super::storage::DataSet;
use super::text::text_array;
use crate::kernel::compare;
use crate::memory::{Texts, ascend};

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
            Values::Text { .. } => DataType::LargeUtf8,
            Values::Dictionary { entries, .. } => match entries.data_type() {
                DataType::LargeUtf8 => dictionary_type(),
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

    /// The values in `rows`, which lie inside the column.
    pub(super) fn read(&self, rows: Range<u64>) -> Result<ArrayRef, String> {
        let count = usize::try_from(rows.end - rows.start).map_err(|_| "too many rows at once".to_owned())?;
        let nulls = self.missing.read(rows.clone())?;
        match &self.values {
            Values::Cells { data, offset, cell } => {
                let bytes = cells_of(data.read(rows)?, data.row_bytes(), *offset, cell.width(), count)?;
                cell.array(&bytes, count, nulls, data.container())
            }
            Values::Text { bytes, indices, index } => read_text(bytes, indices, index, rows, count, nulls),
            Values::Dictionary { codes, code, entries, decoded } => {
                let entries = decoded
                    .get_or_init(|| entries.read(0..entries.rows().unwrap_or(0)))
                    .as_ref()
                    .map_err(|reason| format!("its dictionary: {reason}"))?;
                let codes = code.integers(&codes.read(rows.clone())?, count)?;
                decode(&codes, rows.start, entries, nulls)
            }
            Values::Unreadable { .. } => Ok(Arc::new(NullArray::new(count))),
        }
    }
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
        return Ok(arrow::array::new_empty_array(&DataType::LargeUtf8));
    }
    let offsets = index.integers(&indices.read(rows.start..rows.end + 1)?, count + 1)?;
    let (first, last) = (offsets[0], offsets[count]);
    if last as u64 > bytes.rows() || !ascend(&offsets) {
        let wrong = |pair: &[i64]| pair[0] < 0 || pair[0] > pair[1] || pair[1] as u64 > bytes.rows();
        let i = offsets.windows(2).position(wrong).unwrap_or(0);
        return Err(format!(
            "the text of row {} should lie at bytes {}..{}, but there are {} bytes",
            rows.start + i as u64,
            offsets[i],
            offsets[i + 1],
            bytes.rows()
        ));
    }
    let stored = bytes.read(first as u64..last as u64)?;
    let mut text = Vec::new();
    text.try_reserve_exact(stored.len())
        .map_err(|_| format!("{} bytes of text do not fit into memory", stored.len()))?;
    text.extend_from_slice(&stored);
    let offsets = offsets.iter().map(|offset| offset - first).collect();
    text_array(Texts { bytes: text, offsets, nulls })
}

/// The entries that `codes` stand for. A negative code, or that of a missing entry, is missing.
fn decode(
    codes: &ScalarBuffer<i64>,
    first_row: u64,
    entries: &ArrayRef,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef, String> {
    let count = entries.len() as u64;
    // Without a branch per row: nearly every dictionary is whole.
    let is_whole = codes.iter().fold(true, |whole, &code| whole & ((code as u64) < count));
    if is_whole && entries.null_count() == 0 && entries.data_type() == &DataType::LargeUtf8 {
        let keys = codes.iter().map(|&code| code as i32).collect::<Vec<_>>();
        let keys = PrimitiveArray::<Int32Type>::new(keys.into(), nulls);
        return Ok(Arc::new(DictionaryArray::try_new(keys, entries.clone()).map_err(|e| e.to_string())?));
    }
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
