//! Tables as CSV and as Arrow files.

use std::io::{self, Write};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::buffer::NullBuffer;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use arrow::ipc::writer::FileWriter;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::data::{Kind, kind};

/// How a CSV file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CsvOptions {
    /// What separates two values.
    pub delimiter: char,
    /// Whether text that a spreadsheet would take for a formula gets an apostrophe before it.
    /// Numbers never do.
    pub neutralise_formulas: bool,
}

impl Default for CsvOptions {
    fn default() -> CsvOptions {
        CsvOptions { delimiter: ',', neutralise_formulas: false }
    }
}

pub(super) fn invalid(error: ArrowError) -> io::Error {
    match error {
        ArrowError::IoError(_, source) => source,
        other => io::Error::new(io::ErrorKind::InvalidData, other),
    }
}

pub(super) fn format_options() -> FormatOptions<'static> {
    FormatOptions::new().with_display_error(false)
}

/// Writes a header and one line per row: floats in their shortest form that reads back the same,
/// times in ISO 8601, a missing value as nothing, an empty text as `""`.
///
/// # Errors
/// Whatever `out` says; a value that has no text form, such as a date beyond the calendar.
pub fn write_csv(batch: &RecordBatch, options: CsvOptions, out: &mut dyn Write) -> io::Result<()> {
    let formats = format_options();
    let schema = batch.schema();
    let columns: Vec<(bool, Option<NullBuffer>, ArrayFormatter<'_>)> = batch
        .columns()
        .iter()
        .map(|array| {
            let text = matches!(kind(array.data_type()), Kind::Text | Kind::Other);
            Ok((
                text,
                array.logical_nulls(),
                ArrayFormatter::try_new(array.as_ref(), &formats).map_err(invalid)?,
            ))
        })
        .collect::<io::Result<_>>()?;
    let mut line = String::new();
    for (i, field) in schema.fields().iter().enumerate() {
        if i > 0 {
            line.push(options.delimiter);
        }
        push_field(&mut line, field.name(), true, options);
    }
    line.push_str("\r\n");
    out.write_all(line.as_bytes())?;
    let mut value = String::new();
    for row in 0..batch.num_rows() {
        line.clear();
        for (i, (text, nulls, formatter)) in columns.iter().enumerate() {
            if i > 0 {
                line.push(options.delimiter);
            }
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                continue;
            }
            value.clear();
            formatter.value(row).write(&mut value).map_err(|_| {
                let name = schema.field(i).name();
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("column `{name}`, row {row}: the value cannot be written as text"),
                )
            })?;
            push_field(&mut line, &value, *text, options);
        }
        line.push_str("\r\n");
        out.write_all(line.as_bytes())?;
    }
    Ok(())
}

/// Appends one value, quoted where RFC 4180 asks for it.
fn push_field(line: &mut String, value: &str, is_text: bool, options: CsvOptions) {
    let formula =
        is_text && options.neutralise_formulas && value.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let quoted = (is_text && value.is_empty())
        || value.contains([options.delimiter, '"', '\n', '\r'])
        || value.starts_with(' ')
        || value.ends_with(' ');
    if quoted {
        line.push('"');
    }
    if formula {
        line.push('\'');
    }
    if value.contains('"') {
        line.push_str(&value.replace('"', "\"\""));
    } else {
        line.push_str(value);
    }
    if quoted {
        line.push('"');
    }
}

/// Writes an Arrow IPC file of one batch; `notes` become metadata of its schema.
///
/// # Errors
/// Whatever `out` says, or arrow of a type it cannot write.
pub fn write_arrow(batch: &RecordBatch, notes: &[(String, String)], out: &mut dyn Write) -> io::Result<()> {
    let old = batch.schema();
    let mut metadata: Vec<(String, String)> =
        old.metadata().iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    metadata.retain(|(key, _)| notes.iter().all(|(note, _)| note != key));
    metadata.extend(notes.iter().cloned());
    let schema = Schema::new(old.fields().clone())
        .with_metadata(metadata.into_iter().collect::<std::collections::HashMap<_, _>>());
    let batch = batch.clone().with_schema(Arc::new(schema)).map_err(invalid)?;
    let mut writer = FileWriter::try_new(out, &batch.schema()).map_err(invalid)?;
    writer.write(&batch).and_then(|()| writer.finish()).map_err(invalid)
}
