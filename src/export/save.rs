//! Tables and pictures to a path, in the format its extension names.

use std::path::Path;

use arrow::array::RecordBatch;

use super::picture::{Picture, PictureOptions, png, svg};
use super::table::{CsvOptions, write_arrow, write_csv};
use super::{ExportError, atomic_write};

fn extension(path: &Path) -> String {
    path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default()
}

fn unknown(path: &Path, known: &'static str) -> ExportError {
    ExportError::UnknownExtension { path: path.to_owned(), known }
}

/// Writes a table as CSV (`.csv`, `.tsv`) or Arrow (`.arrow`, `.feather`); `notes` go into an Arrow
/// file. Returns the bytes written.
///
/// # Errors
/// [`ExportError`]; what was at `path` before is then untouched.
pub fn save_table(
    path: &Path,
    batch: &RecordBatch,
    options: CsvOptions,
    notes: &[(String, String)],
) -> Result<u64, ExportError> {
    match extension(path).as_str() {
        "csv" => atomic_write(path, |out| write_csv(batch, options, out)),
        "tsv" => atomic_write(path, |out| write_csv(batch, CsvOptions { delimiter: '\t', ..options }, out)),
        "arrow" | "feather" => atomic_write(path, |out| write_arrow(batch, notes, out)),
        _ => Err(unknown(path, ".csv, .tsv, .arrow and .feather")),
    }
}

/// Writes a picture as `.png` or `.svg`, with `notes` in it. Returns the bytes written.
///
/// # Errors
/// [`ExportError`]; what was at `path` before is then untouched.
pub fn save_picture(
    path: &Path,
    picture: Picture<'_>,
    options: PictureOptions,
    notes: &[(String, String)],
) -> Result<u64, ExportError> {
    let bytes = match extension(path).as_str() {
        "png" => png(picture, options, notes)?,
        "svg" => svg(picture, options, notes)?.into_bytes(),
        _ => return Err(unknown(path, ".png and .svg")),
    };
    atomic_write(path, |out| out.write_all(&bytes))
}
