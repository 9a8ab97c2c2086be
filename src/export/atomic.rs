//! Files written whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use super::ExportError;

const PREFIX: &str = ".outcrop-";
const SUFFIX: &str = ".tmp";
/// Age at which a temporary file belongs to nobody any more.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);
/// Bytes still counted after the disk is full, so that the error can say how many are needed.
const COUNTED_ON: u64 = 256 << 20;
/// Links followed before they are taken for a circle.
const MOST_LINKS: usize = 40;

/// Writes the file at `path` through `write`, so that it is always either the old one or the whole
/// new one: a temporary file in the same folder, synced, renamed, the folder synced. Returns the
/// bytes written.
///
/// A link is followed, and the file it leads to replaced. A device or pipe is written directly.
/// Readers of the old file, mapped or open, keep it. Stale temporary files of the folder are swept.
///
/// # Errors
/// [`ExportError`], which names the path; the old file is then untouched and no temporary is left.
pub fn atomic_write(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<u64, ExportError> {
    let io_error = |source| ExportError::Io { path: path.to_owned(), source };
    let target = follow_links(path).map_err(io_error)?;
    let old = match fs::metadata(&target) {
        Ok(meta) if meta.is_dir() => {
            return Err(io_error(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder")));
        }
        Ok(meta) => Some(meta),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(io_error(error)),
    };
    if old.as_ref().is_some_and(|meta| !meta.is_file()) {
        let device = OpenOptions::new().write(true).open(&target).map_err(io_error)?;
        return run(path, device, write).map(|(_, bytes)| bytes);
    }
    let folder = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    sweep_stale(&folder);
    let (temporary, file) = Temporary::create(&folder).map_err(io_error)?;
    let (file, bytes) = run(path, file, write)?;
    if let Some(meta) = old {
        file.set_permissions(meta.permissions()).map_err(io_error)?;
    }
    file.sync_all().map_err(io_error)?;
    drop(file);
    temporary.rename_to(&target).map_err(io_error)?;
    sync_folder(&folder).map_err(io_error)?;
    Ok(bytes)
}

fn run(
    path: &Path,
    file: File,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(File, u64), ExportError> {
    let mut out =
        BufWriter::with_capacity(1 << 16, Counted { inner: file, written: 0, counted: 0, full: false });
    let result = write(&mut out).and_then(|()| out.flush());
    let (counted, _) = out.into_parts();
    if counted.full {
        let exact = result.is_ok();
        let (written, needed) = (counted.written, counted.counted);
        return Err(ExportError::DiskFull { path: path.to_owned(), written, needed, exact });
    }
    result.map_err(|source| ExportError::Io { path: path.to_owned(), source })?;
    Ok((counted.inner, counted.written))
}

/// The file a path leads to through links, which need not exist.
fn follow_links(path: &Path) -> io::Result<PathBuf> {
    let mut at = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::symlink_metadata(&at) {
            Ok(meta) if meta.is_symlink() => {
                let to = fs::read_link(&at)?;
                at = at.parent().map_or_else(|| to.clone(), |parent| parent.join(&to));
            }
            _ => return Ok(at),
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "it is a circle of links"))
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        // Some network file systems cannot sync a folder; the rename stands all the same.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Ok(())
        }
        other => other,
    }
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// Removes temporary files that a killed program left in `folder` more than a day ago.
pub fn sweep_stale(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with(PREFIX) || !name.ends_with(SUFFIX) {
            continue;
        }
        let stale = entry.metadata().is_ok_and(|meta| {
            let age = meta.modified().ok().and_then(|time| SystemTime::now().duration_since(time).ok());
            meta.is_file() && age.is_some_and(|age| age > STALE)
        });
        if stale {
            // Whoever else sweeps at the same moment is welcome.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// A file that is removed unless it was renamed, even when its writer panics.
struct Temporary(Option<PathBuf>);

impl Temporary {
    fn create(folder: &Path) -> io::Result<(Temporary, File)> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = COUNTER.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!("{PREFIX}{}-{number}{SUFFIX}", std::process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((Temporary(Some(path)), file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn rename_to(mut self, target: &Path) -> io::Result<()> {
        if let Some(path) = &self.0 {
            fs::rename(path, target)?;
        }
        self.0 = None;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            let _ = fs::remove_file(path);
        }
    }
}

/// Counts what is written, and for a while what would have been, once there is no more room.
struct Counted<W> {
    inner: W,
    written: u64,
    counted: u64,
    full: bool,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.full {
            match self.inner.write(bytes) {
                Ok(count) => {
                    self.written += count as u64;
                    self.counted += count as u64;
                    return Ok(count);
                }
                Err(error) if is_full(&error) => self.full = true,
                Err(error) => return Err(error),
            }
        }
        if self.counted > self.written + COUNTED_ON {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.counted += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.full { Ok(()) } else { self.inner.flush() }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Small(usize);

    impl Write for Small {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = bytes.len().min(self.0);
            if count == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.0 -= count;
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_is_counted_to_the_end() {
        let mut out = Counted { inner: Small(10), written: 0, counted: 0, full: false };
        out.write_all(&[0; 7]).unwrap();
        out.write_all(&[0; 1000]).unwrap();
        assert_eq!((out.written, out.counted, out.full), (10, 1007, true));
        let error = (0..1000).find_map(|_| out.write_all(&[0; 1 << 20]).err()).unwrap();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
