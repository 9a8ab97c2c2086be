//! Where results go: a file by its extension, or the standard output.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use arrow::record_batch::RecordBatch;

use super::Failure;
use crate::export::{CsvOptions, TextOptions, atomic_write, text_table, write_arrow, write_csv};

/// Where a table goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TableOutput {
    /// Aligned text for a person.
    Text,
    /// CSV on the standard output.
    Pipe,
    /// A CSV file.
    Csv(PathBuf),
    /// An Arrow IPC file.
    Arrow(PathBuf),
}

impl TableOutput {
    /// By the path given after `-o`.
    pub(super) fn of(path: Option<&Path>) -> Result<TableOutput, Failure> {
        let Some(path) = path else { return Ok(TableOutput::Text) };
        if path.as_os_str() == "-" {
            return Ok(TableOutput::Pipe);
        }
        match extension(path).as_str() {
            "csv" => Ok(TableOutput::Csv(path.to_owned())),
            "arrow" | "feather" | "ipc" => Ok(TableOutput::Arrow(path.to_owned())),
            _ => Err(Failure::Usage(format!(
                "-o {}: a table is written as .csv or .arrow, or as CSV to -",
                path.display()
            ))),
        }
    }

    /// Writes the table; `notes` become metadata where the format has a place for them.
    pub(super) fn write(&self, batch: &RecordBatch, notes: &[(String, String)]) -> Result<(), Failure> {
        match self {
            TableOutput::Text => {
                let width = terminal_size::terminal_size_of(io::stdout())
                    .filter(|_| io::stdout().is_terminal())
                    .map(|(width, _)| usize::from(width.0));
                say(&text_table(batch, TextOptions { width, ..TextOptions::default() }))
            }
            TableOutput::Pipe => {
                let mut out = io::BufWriter::new(io::stdout().lock());
                write_csv(batch, CsvOptions::default(), &mut out)?;
                Ok(out.flush()?)
            }
            TableOutput::Csv(path) => {
                atomic_write(path, |out| write_csv(batch, CsvOptions::default(), out))?;
                Ok(())
            }
            TableOutput::Arrow(path) => {
                atomic_write(path, |out| write_arrow(batch, notes, out))?;
                Ok(())
            }
        }
    }
}

/// Writes text to the standard output, ending with a line break.
pub(super) fn say(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}

/// The extension of a path in lower case, without the dot.
pub(super) fn extension(path: &Path) -> String {
    path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default()
}
