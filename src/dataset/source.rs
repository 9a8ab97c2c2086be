//! Where stored columns come from.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, new_empty_array};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};
use arrow::compute::concat;

use crate::data::Schema;

/// Values of a column could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column `{column}`, rows {start}..{end}: {reason}", start = rows.start, end = rows.end)]
pub struct ReadError {
    /// Name of the column.
    pub column: String,
    /// Rows asked for.
    pub rows: Range<u64>,
    /// What is wrong, in words for a person.
    pub reason: String,
}

/// Texts as they lie in a file, which nobody has looked at: text `i` is `bytes[offsets[i]..offsets[i + 1]]`, if these lie
/// inside and are UTF-8.
#[derive(Debug, Clone)]
pub struct UnseenTexts {
    /// One more than there are texts.
    pub offsets: TextOffsets,
    /// Those of these texts and others.
    pub bytes: Buffer,
    /// Which texts are missing, where any is.
    pub nulls: Option<NullBuffer>,
}

/// Where texts begin and end.
#[derive(Debug, Clone)]
pub enum TextOffsets {
    /// In 32 bits.
    Narrow(ScalarBuffer<i32>),
    /// In 64 bits.
    Wide(ScalarBuffer<i64>),
}

/// A table of stored columns. Opening one touches no value; reading is for worker threads only.
pub trait Source: Send + Sync {
    /// Names and types of the columns.
    fn schema(&self) -> &Schema;

    /// Number of rows of every column.
    fn row_count(&self) -> u64;

    /// The values of `column` (a position in the schema) in `rows`: exactly `rows.end - rows.start`
    /// values of exactly the schema's type. Missing values are null; NaN stays NaN.
    ///
    /// # Errors
    /// [`ReadError`] when the file is damaged or cannot be decoded.
    fn read(&self, column: usize, rows: Range<u64>) -> Result<ArrayRef, ReadError>;

    /// The texts of `column` in `rows` without a look at them, where there is no need to bring them together: then
    /// [`read`](Source::read) tells whether they are any. `None` where they must be read.
    ///
    /// # Errors
    /// As [`read`](Source::read).
    fn unseen_texts(&self, _column: usize, _rows: Range<u64>) -> Result<Option<UnseenTexts>, ReadError> {
        Ok(None)
    }

    /// The values of `column` in each of `blocks`, one after another, as [`read`](Source::read) gives them:
    /// many short blocks far apart.
    ///
    /// # Errors
    /// As [`read`](Source::read).
    fn gather(&self, column: usize, blocks: &[Range<u64>]) -> Result<ArrayRef, ReadError> {
        read_each(self, column, blocks)
    }

    /// Rows that must be decoded together when one of them is wanted (a compressed page); 1 where any rows
    /// can be read by themselves.
    fn page_rows(&self) -> u64 {
        1
    }

    /// Ascending row numbers in `1..row_count` at which a chunk had best begin (record batches,
    /// compressed pages). Empty when every range costs the same.
    fn splits(&self) -> &[u64] {
        &[]
    }

    /// Whether the table is still what was opened. If not, nothing read from it since is to be trusted:
    /// it may be of two states of its file, or zeros where the file was cut.
    fn is_current(&self) -> bool {
        true
    }

    /// Gives the pages of its file that are mapped back to the system; what is read next is mapped anew.
    fn let_go(&self) {}

    /// What tells this table, in this state, from every other: `PATH@FINGERPRINT` of its file. What follows the last
    /// `@` changes with the file, what precedes it does not.
    fn identity(&self) -> String;
}

/// The first row of every run of at most `most` rows that ends at a split of `source`, and the row count last.
pub fn cut(source: &dyn Source, most: u64) -> Vec<u64> {
    let rows = source.row_count();
    let most = most.max(1);
    let mut starts = Vec::with_capacity((rows / most) as usize + source.splits().len() + 2);
    let mut from = 0;
    for &split in source.splits().iter().chain([&rows]) {
        let split = split.min(rows);
        while from < split {
            starts.push(from);
            from = (from + most).min(split);
        }
    }
    starts.push(rows);
    starts
}

/// The values of `column` in each of `blocks`, read one by one.
///
/// # Errors
/// As [`Source::read`].
pub fn read_each<S: Source + ?Sized>(
    source: &S,
    column: usize,
    blocks: &[Range<u64>],
) -> Result<ArrayRef, ReadError> {
    let field = &source.schema().fields()[column];
    let parts = blocks.iter().map(|rows| source.read(column, rows.clone())).collect::<Result<Vec<_>, _>>()?;
    let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
    let (Some(first), Some(last)) = (blocks.first(), blocks.last()) else {
        return Ok(new_empty_array(&field.data_type));
    };
    concat(&parts).map_err(|error| ReadError {
        column: field.name.clone(),
        rows: first.start..last.end,
        reason: error.to_string(),
    })
}
