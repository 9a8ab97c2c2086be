//! Results out: tables as CSV, Arrow or text, charts and dashboards as PNG or SVG.
//!
//! Everything that reaches a disk goes through [`atomic_write`]: a reader finds the old file or the
//! new one, never a part. This room draws plain data; it asks no questions of its own.

mod atomic;
mod axis;
mod canvas;
mod chart;
mod colors;
mod dashboard;
mod heatmap;
mod picture;
mod plot;
mod save;
mod table;
mod text_table;

use std::io;
use std::path::PathBuf;

pub use atomic::{atomic_write, sweep_stale};
pub use chart::{
    AxisKind, AxisLabel, Bars, Body, Chart, Dashboard, DashboardColumn, Heatmap, Histogram, OffAxis,
    RowsTable,
};
pub use colors::{ColorMap, ColorScale, Palette, Rgb, Spread};
pub use picture::{Picture, PictureOptions, Raster, png, raster, svg};
pub use save::{save_picture, save_table};
pub use table::{CsvOptions, write_arrow, write_csv};
pub use text_table::{TextOptions, text_table};

/// An export did not succeed; what was there before is untouched.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The operating system refused.
    #[error("{}: cannot be written: {}", path.display(), describe_io(source))]
    Io {
        /// The file to be written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The disk or a quota is full.
    #[error(
        "{}: the disk is full: {} bytes are needed{}, room was found for {written}",
        path.display(),
        needed,
        if *exact { "" } else { " at least" }
    )]
    DiskFull {
        /// The file to be written.
        path: PathBuf,
        /// Bytes written before there was no more room.
        written: u64,
        /// Bytes of the whole export, as far as they were counted.
        needed: u64,
        /// Whether `needed` is all of them.
        exact: bool,
    },
    /// The extension of the path names no format.
    #[error("{}: its extension names no format; there are {known}", path.display())]
    UnknownExtension {
        /// The file to be written.
        path: PathBuf,
        /// The extensions there are.
        known: &'static str,
    },
    /// A picture could not be drawn.
    #[error("the picture cannot be drawn: {0}")]
    Picture(String),
}

fn describe_io(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "its folder does not exist".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only".to_owned(),
        _ => error.to_string(),
    }
}
