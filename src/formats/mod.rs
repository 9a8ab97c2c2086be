//! Files in: one file format, one folder or file here, one line in [`FORMATS`].
//!
//! [`open`] asks each [`Format`] whether it recognises the first bytes, and lets the first that
//! does open the file. Opening walks headers and maps the file; it touches no value. Outside this
//! wall is everybody else's software: every size and offset is checked against the file. Built with
//! `libhdf5`, it starts the only child process there is, in which the C library of HDF5 runs.

mod arrow;
mod hdf5;

use std::fs::File;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::dataset::Source;
use crate::task::{Cancelled, Task};
#[cfg(feature = "libhdf5")]
pub use hdf5::{COPY_COMMAND, CopyLimits, copy_in_child};

/// A file could not be opened as a table.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The operating system refused.
    #[error("{}: {}", path.display(), describe_io(source))]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No format recognises the file.
    #[error("{}: not a table this program reads ({reason}); it reads {}", path.display(), format_names())]
    Unrecognized {
        /// The file.
        path: PathBuf,
        /// What the first bytes look like.
        reason: String,
    },
    /// The format is right, the contents are not, or use something not supported.
    #[error("{}: {format}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Name of the format.
        format: &'static str,
        /// Which part is wrong and how, in words for a person.
        reason: String,
    },
    /// Opening was cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

fn describe_io(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

fn format_names() -> String {
    FORMATS.iter().map(|format| format.name()).collect::<Vec<_>>().join(", ")
}

/// One file format.
pub trait Format: Sync {
    /// Its name as a person knows it.
    fn name(&self) -> &'static str;

    /// File extensions it commonly has, without the dot, lower case.
    fn extensions(&self) -> &'static [&'static str];

    /// Whether a file that begins with `head` (up to 4096 bytes) and has this lower-case extension is
    /// of this format.
    fn recognizes(&self, head: &[u8], extension: &str) -> bool;

    /// Opens the file; touches no value.
    ///
    /// # Errors
    /// [`OpenError`], which names the file and the part that is wrong.
    fn open(&self, path: &Path, task: &Task) -> Result<Arc<dyn Source>, OpenError>;
}

/// All formats, in the order they are asked.
pub static FORMATS: &[&dyn Format] = &[&hdf5::Hdf5, &arrow::ArrowFormat];

/// The file that `path` names: `path` itself, or what comes before `#` in `FILE#part` when there is
/// no file of the whole name.
fn file_of(path: &Path) -> PathBuf {
    match path.to_str().and_then(|text| text.rsplit_once('#')) {
        Some((file, _)) if !path.exists() => PathBuf::from(file),
        _ => path.to_owned(),
    }
}

const HEAD_BYTES: u64 = 4096;

/// Opens the file at `path` with the first format that recognises it. `FILE#part` opens one of several
/// tables in a file, for formats that have such.
///
/// # Errors
/// [`OpenError`]: no such file, not a table, damaged, or not supported. A panic in a decoder
/// becomes [`OpenError::Malformed`].
pub fn open(path: &Path, task: &Task) -> Result<Arc<dyn Source>, OpenError> {
    let io_error = |source| OpenError::Io { path: path.to_owned(), source };
    let file = file_of(path);
    let meta = std::fs::metadata(&file).map_err(io_error)?;
    if meta.is_dir() {
        return Err(io_error(io::Error::new(io::ErrorKind::IsADirectory, "is a folder, not a file")));
    }
    if !meta.is_file() {
        return Err(io_error(io::Error::new(io::ErrorKind::InvalidInput, "is no regular file")));
    }
    let mut head = Vec::new();
    File::open(&file).and_then(|file| file.take(HEAD_BYTES).read_to_end(&mut head)).map_err(io_error)?;
    let unrecognized =
        |reason: &str| OpenError::Unrecognized { path: path.to_owned(), reason: reason.to_owned() };
    if head.is_empty() {
        return Err(unrecognized("the file is empty"));
    }
    let extension = file.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    let format = FORMATS
        .iter()
        .find(|format| format.recognizes(&head, &extension))
        .ok_or_else(|| unrecognized("its first bytes are of no known format"))?;
    catch_unwind(AssertUnwindSafe(|| format.open(path, task))).unwrap_or_else(|_| {
        Err(OpenError::Malformed {
            path: path.to_owned(),
            format: format.name(),
            reason: "the file is damaged in a way its decoder did not foresee".to_owned(),
        })
    })
}
