//! A table of an HDF5 file, open.

use std::collections::HashSet;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};

use super::column::Column;
use super::container::Container;
use super::fault::Fault;
use super::tree::Candidate;
use crate::data::{Field, Schema};
use crate::dataset::{ReadError, Source, UnseenTexts, read_each};
use crate::memory::Mapped;

/// Fewest rows between two splits.
const SPLIT_ROWS: u64 = 1 << 16;
/// Most splits listed.
const MOST_SPLITS: u64 = 1 << 16;
/// Columns named in a message about lengths.
const MOST_COLUMNS_NAMED: usize = 6;

/// Some columns of equal length.
#[derive(Debug)]
pub(super) struct Hdf5Table {
    schema: Schema,
    columns: Vec<Column>,
    rows: u64,
    splits: Vec<u64>,
    identity: String,
    mapped: Arc<Mapped>,
}

impl Hdf5Table {
    /// The table a search found in the file at `path`.
    pub(super) fn new(container: &Container, path: &Path, candidate: Candidate) -> Result<Hdf5Table, Fault> {
        let Candidate { path: table_path, columns, is_declared } = candidate;
        let columns = columns?;
        let rows = common_length(&columns, &table_path, is_declared)?;
        let mut taken = HashSet::new();
        let fields = columns
            .iter()
            .map(|column| {
                let mut name = column.name.clone();
                let mut number = 2;
                while !taken.insert(name.clone()) {
                    name = format!("{}_{number}", column.name);
                    number += 1;
                }
                Field {
                    name,
                    data_type: column.data_type(),
                    unit: column.unit.clone(),
                    description: column.description.clone(),
                }
            })
            .collect();
        let full_path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let identity = format!("{}#{table_path}@{}", full_path.display(), container.mapped.fingerprint());
        let splits = splits(rows, columns.iter().filter_map(Column::chunk_rows).max());
        let mapped = container.mapped.clone();
        Ok(Hdf5Table { schema: Schema::new(fields), columns, rows, splits, identity, mapped })
    }

    /// What `read` gives of a column, if the rows are there.
    fn of_rows<T>(
        &self,
        column: usize,
        rows: Range<u64>,
        read: impl FnOnce(&Column, Range<u64>) -> Result<T, String>,
    ) -> Result<T, ReadError> {
        let fail = |reason: String| self.error(column, rows.clone(), reason);
        if rows.start > rows.end || rows.end > self.rows {
            return Err(fail(format!("the table has only {} rows", self.rows)));
        }
        unbroken(|| read(&self.columns[column], rows.clone())).map_err(fail)
    }

    fn error(&self, column: usize, rows: Range<u64>, reason: String) -> ReadError {
        ReadError { column: self.schema.fields()[column].name.clone(), rows, reason }
    }
}

#[cfg(feature = "libhdf5")]
impl Hdf5Table {
    /// Number of columns that only the C library reads.
    pub(super) fn library_columns(&self) -> usize {
        self.columns.iter().filter(|column| column.needs_library()).count()
    }

    /// The table with `note` on every such column.
    pub(super) fn with_note(mut self, note: &str) -> Hdf5Table {
        let mut fields = self.schema.fields().to_vec();
        for (field, column) in fields.iter_mut().zip(&self.columns).filter(|(_, c)| c.needs_library()) {
            let said = column.description.as_deref().unwrap_or_default();
            field.description = Some(format!("{said}; {note}"));
        }
        self.schema = Schema::new(fields);
        self
    }
}

/// The number of rows all columns have.
fn common_length(columns: &[Column], path: &str, is_declared: bool) -> Result<u64, Fault> {
    let mut lengths: Vec<(u64, Vec<&str>)> = Vec::new();
    for column in columns {
        let Some(rows) = column.rows() else { continue };
        match lengths.iter_mut().find(|(length, _)| *length == rows) {
            Some((_, names)) if names.last() == Some(&column.part.as_str()) => {}
            Some((_, names)) => names.push(&column.part),
            None => lengths.push((rows, vec![&column.part])),
        }
    }
    match lengths.as_slice() {
        [] => {
            let unread = columns.iter().find(|column| column.needs_library()).or_else(|| columns.first());
            Err(match unread {
                Some(column) => {
                    let reason = column.description.as_deref().unwrap_or_default();
                    let reason = format!("no column of {path} is read: column `{}`, {reason}", column.name);
                    match column.needs_library() {
                        true => Fault::OnlyLibrary(reason),
                        false => Fault::Unsupported(reason),
                    }
                }
                None => Fault::Unsupported(format!("{path} has no columns")),
            })
        }
        [(rows, _)] => Ok(*rows),
        several => {
            let named: Vec<String> = several
                .iter()
                .take(MOST_COLUMNS_NAMED)
                .map(|(rows, names)| {
                    let more = names.len().saturating_sub(MOST_COLUMNS_NAMED);
                    let mut names: Vec<String> =
                        names.iter().take(MOST_COLUMNS_NAMED).map(|name| format!("`{name}`")).collect();
                    if more > 0 {
                        names.push(format!("{more} more"));
                    }
                    format!("{} {rows} rows", names.join(", "))
                })
                .collect();
            let reason = format!("the columns of {path} differ in length: {}", named.join("; "));
            Err(if is_declared {
                Fault::Damaged(reason)
            } else {
                let prefix = path.trim_end_matches('/');
                Fault::Unsupported(format!(
                    "{reason}; a single one opens as FILE#{prefix}/{}",
                    several[0].1[0]
                ))
            })
        }
    }
}

/// Multiples of a chunk's rows, not too many.
fn splits(rows: u64, chunk_rows: Option<u64>) -> Vec<u64> {
    let Some(chunk_rows) = chunk_rows.filter(|&chunk_rows| chunk_rows > 0) else { return Vec::new() };
    let step = chunk_rows.saturating_mul(SPLIT_ROWS.max(rows / MOST_SPLITS).div_ceil(chunk_rows));
    (1..).map_while(|i: u64| i.checked_mul(step)).take_while(|&row| row < rows).collect()
}

/// What `read` gives, a panic as an error.
fn unbroken<T>(read: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err("the file is damaged in a way its decoder did not foresee".to_owned()))
}

/// The array, if it is `rows` values of the field's type.
fn of_type(field: &Field, rows: u64, array: ArrayRef) -> Result<ArrayRef, String> {
    if array.len() as u64 != rows || array.data_type() != &field.data_type {
        return Err(format!("{} values of type {} were decoded", array.len(), array.data_type()));
    }
    Ok(array)
}

impl Source for Hdf5Table {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn row_count(&self) -> u64 {
        self.rows
    }

    fn read(&self, column: usize, rows: Range<u64>) -> Result<ArrayRef, ReadError> {
        let field = &self.schema.fields()[column];
        let count = rows.end.saturating_sub(rows.start);
        self.of_rows(column, rows, |column, rows| of_type(field, count, column.read(rows)?))
    }

    fn unseen_texts(&self, column: usize, rows: Range<u64>) -> Result<Option<UnseenTexts>, ReadError> {
        self.of_rows(column, rows, Column::unseen_texts)
    }

    fn gather(&self, column: usize, blocks: &[Range<u64>]) -> Result<ArrayRef, ReadError> {
        let field = &self.schema.fields()[column];
        let (first, last) = (blocks.first().map_or(0, |b| b.start), blocks.last().map_or(0, |b| b.end));
        let fail = |reason: String| self.error(column, first..last, reason);
        if let Some(beyond) = blocks.iter().find(|block| block.start > block.end || block.end > self.rows) {
            return Err(fail(format!("the table has only {} rows, not {beyond:?}", self.rows)));
        }
        if !self.columns[column].gathers() {
            return read_each(self, column, blocks);
        }
        let rows = blocks.iter().map(|block| block.end - block.start).sum();
        unbroken(|| of_type(field, rows, self.columns[column].gather(blocks)?)).map_err(fail)
    }

    fn page_rows(&self) -> u64 {
        self.columns.iter().filter_map(Column::chunk_rows).max().unwrap_or(1).clamp(1, self.rows.max(1))
    }

    fn splits(&self) -> &[u64] {
        &self.splits
    }

    fn is_current(&self) -> bool {
        self.mapped.is_current()
    }

    fn let_go(&self) {
        self.mapped.let_go();
    }

    fn identity(&self) -> String {
        self.identity.clone()
    }
}
