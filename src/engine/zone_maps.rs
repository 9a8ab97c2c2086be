//! Zone maps on disk: kept in the user's cache folder under the path and fingerprint of their table, so that
//! the next start knows what this one has seen. A map that is damaged, or of another state of the file, is
//! as good as none.

use std::io::{Read, Write};
use std::path::PathBuf;

use super::cache_files::{may_cache, names};
use crate::dataset::Dataset;
use crate::export::atomic_write;
use crate::memory::{cache_folder, create_private, sweep};

/// Rows from which on a table is worth a map: fewer are read as fast.
const LEAST_ROWS: u64 = 1 << 20;
/// Longest map read.
const MOST_BYTES: u64 = 256 << 20;

/// A folder of zone maps.
#[derive(Debug, Clone)]
pub struct ZoneMaps {
    folder: PathBuf,
    least_rows: u64,
}

impl ZoneMaps {
    /// Those of the user; `None` where they are [forbidden](super::forbid_cache_files).
    pub fn of_user() -> Option<ZoneMaps> {
        let folder = || ZoneMaps::in_folder(cache_folder("zones"), LEAST_ROWS);
        may_cache().then(folder)
    }

    /// Those in a folder, for tables of at least so many rows.
    pub fn in_folder(folder: PathBuf, least_rows: u64) -> ZoneMaps {
        ZoneMaps { folder, least_rows }
    }

    /// The file of a table's map, and how the names of those of its other states begin. `None` of a table
    /// that is no file, or too small.
    fn place(&self, dataset: &Dataset) -> Option<(PathBuf, String, String)> {
        let (stem, state) = names(&dataset.source().identity())?;
        let name = format!("{state}.zones");
        (dataset.row_count() >= self.least_rows).then(|| (self.folder.join(&name), stem, name))
    }

    /// Adds what is kept of the table to what is known of it; gives whether there was anything.
    pub fn recall(&self, dataset: &Dataset) -> bool {
        let Some((path, ..)) = self.place(dataset) else { return false };
        let mut bytes = Vec::new();
        let read = std::fs::File::open(path).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes));
        read.is_ok() && dataset.zones().take_bytes(&bytes, &dataset.source().identity())
    }

    /// Keeps what is known of the table, if that is more than was kept before. A cache that cannot be
    /// written is no error. Asks the system whether the file is still what was read.
    pub fn keep(&self, dataset: &Dataset) {
        if !dataset.zones().has_news() || !dataset.source().is_current() {
            return;
        }
        let Some((path, stem, name)) = self.place(dataset) else { return };
        let bytes = dataset.zones().to_bytes(&dataset.source().identity());
        if bytes.len() as u64 > MOST_BYTES || create_private(&self.folder).is_err() {
            return;
        }
        if atomic_write(&path, |out: &mut dyn Write| out.write_all(&bytes)).is_ok() {
            sweep(&self.folder, &stem, &name);
        }
    }
}
