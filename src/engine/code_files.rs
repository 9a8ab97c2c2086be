//! Codes of axes on disk: kept in the user's cache folder under the path and fingerprint of their table, within a
//! share of the free disk, so that the next start reads them in place of columns.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, SystemTime};

use super::cache_files::{digits, may_cache, names};
use crate::export::atomic_write;
use crate::memory::{Mapped, cache_folder, create_private, free_disk_bytes, sweep};
use crate::query::{Codes, Shelf, stay_behind_window};

/// Rows from which on a table is worth it: fewer are read and cut as fast.
const LEAST_ROWS: u64 = 1 << 24;
/// Share of the disk's free bytes, and of those it holds, that all files may take.
const DISK_SHARE: u64 = 4;
/// Codes are written once no scan has ended for so long: those of a zoom that goes on are not.
const CALM: Duration = Duration::from_secs(1);

/// A folder of codes.
#[derive(Debug, Clone)]
pub struct CodeFiles {
    folder: PathBuf,
    least_rows: u64,
    budget: Option<u64>,
}

impl CodeFiles {
    /// That of the user; `None` where it is [forbidden](super::forbid_cache_files).
    pub fn of_user() -> Option<CodeFiles> {
        let folder = || CodeFiles::in_folder(cache_folder("codes"), LEAST_ROWS, None);
        may_cache().then(folder)
    }

    /// That at `folder`, for tables of at least so many rows, and of at most `budget` bytes, or a share of the
    /// free disk.
    pub fn in_folder(folder: PathBuf, least_rows: u64, budget: Option<u64>) -> CodeFiles {
        CodeFiles { folder, least_rows, budget }
    }

    fn path(&self, table: &str, axis: &str) -> Option<PathBuf> {
        let (_, state) = names(table)?;
        Some(self.folder.join(format!("{state}-{}.codes", digits(axis))))
    }

    /// Writes all codes that are complete and in no file yet, as far as there is room, and has `codes` read them
    /// from there. A cache that cannot be written is no error.
    pub fn keep(&self, codes: &Codes) {
        self.keep_while(codes, || true);
    }

    /// As [`CodeFiles::keep`], with no more than the axis at hand once `may_go_on` says no.
    fn keep_while(&self, codes: &Codes, may_go_on: impl Fn() -> bool) {
        codes.forget_lost_files();
        let unkept = codes.unkept(self.least_rows);
        if unkept.is_empty() || create_private(&self.folder).is_err() {
            return;
        }
        let mut written: Vec<PathBuf> = Vec::new();
        for axis in unkept.into_iter().take_while(|_| may_go_on()) {
            let Some((path, (stem, state))) = self.path(axis.table(), axis.axis()).zip(names(axis.table()))
            else {
                continue;
            };
            sweep(&self.folder, &stem, &state);
            if self.make_room(axis.bytes(), &written)
                && atomic_write(&path, |out: &mut dyn Write| axis.write(out)).is_ok()
                && let Ok(file) = Mapped::open(&path)
                && codes.read_from(&axis, file)
            {
                written.push(path);
                // Or else the columns and the file just written would share what is left of the page cache.
                drop(axis);
            }
        }
    }

    /// Removes the files used longest ago until `more` bytes fit beside the others; those just `written` stay.
    fn make_room(&self, more: u64, written: &[PathBuf]) -> bool {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return false };
        let known = |entry: std::io::Result<std::fs::DirEntry>| {
            let entry = entry.ok()?;
            let meta = entry.metadata().ok()?;
            Some((meta.modified().ok()?, meta.len(), entry.path()))
        };
        let mut files: Vec<(SystemTime, u64, PathBuf)> = entries.filter_map(known).collect();
        files.sort();
        let mut held: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        let share = || Some((free_disk_bytes(&self.folder)? + held) / DISK_SHARE);
        let budget = self.budget.or_else(share).unwrap_or(0);
        for (_, bytes, path) in files {
            if held + more <= budget {
                break;
            }
            if !written.contains(&path) && std::fs::remove_file(path).is_ok() {
                held -= bytes;
            }
        }
        held + more <= budget
    }
}

impl Shelf for CodeFiles {
    fn find(&self, table: &str, axis: &str) -> Option<Arc<Mapped>> {
        let path = self.path(table, axis)?;
        mark_used(&path);
        Mapped::open(&path).ok()
    }
}

/// The time of last change of a file of codes is that of its last use.
fn mark_used(path: &Path) {
    if let Ok(file) = std::fs::File::options().write(true).open(path) {
        // Only the order in which files make room depends on it.
        let _ = file.set_modified(SystemTime::now());
    }
}

/// Keeps `codes` whenever the bell has rung, which it does after every scan, and then been silent for a while, until
/// nobody is left to ring it. Scans are not to share the disk with it.
pub(super) fn keep_when_calm(
    files: &CodeFiles,
    codes: &Codes,
    bell: &Receiver<()>,
    is_scanning: impl Fn() -> bool,
) {
    stay_behind_window();
    while bell.recv().is_ok() {
        loop {
            match bell.recv_timeout(CALM) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) if is_scanning() => {}
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        files.keep_while(codes, || !is_scanning());
    }
}
