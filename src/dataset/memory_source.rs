//! A table held in memory: decoded streams, previews and tests.

use std::ops::Range;

use arrow::array::{Array, ArrayRef};

use super::{ReadError, Source};
use crate::data::{Field, Schema};

/// A [`Source`] of whole arrays in memory.
#[derive(Debug, Clone)]
pub struct MemorySource {
    schema: Schema,
    columns: Vec<ArrayRef>,
    rows: usize,
    identity: String,
}

impl MemorySource {
    /// A table of `fields` with one array each. `identity` names it among all tables open.
    ///
    /// # Panics
    /// When the arrays differ in length from each other, or in number or type from the fields.
    pub fn new(identity: impl Into<String>, fields: Vec<Field>, columns: Vec<ArrayRef>) -> MemorySource {
        assert_eq!(fields.len(), columns.len(), "one array per field");
        let rows = columns.first().map_or(0, |column| column.len());
        for (field, column) in fields.iter().zip(&columns) {
            assert_eq!(column.len(), rows, "column `{}` differs in length", field.name);
            assert_eq!(column.data_type(), &field.data_type, "column `{}` differs in type", field.name);
        }
        MemorySource { schema: Schema::new(fields), columns, rows, identity: identity.into() }
    }

    /// A table of named arrays, for tests and previews.
    ///
    /// # Panics
    /// When the arrays differ in length.
    pub fn of(columns: Vec<(&str, ArrayRef)>) -> MemorySource {
        let fields =
            columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone())).collect();
        let arrays: Vec<ArrayRef> = columns.into_iter().map(|(_, array)| array).collect();
        let identity = format!("memory:{:p}", arrays.as_ptr());
        MemorySource::new(identity, fields, arrays)
    }
}

impl Source for MemorySource {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn row_count(&self) -> u64 {
        self.rows as u64
    }

    fn read(&self, column: usize, rows: Range<u64>) -> Result<ArrayRef, ReadError> {
        Ok(self.columns[column].slice(rows.start as usize, (rows.end - rows.start) as usize))
    }

    fn identity(&self) -> String {
        self.identity.clone()
    }
}
