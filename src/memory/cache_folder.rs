//! Where copies and indices of files are kept, which may be thrown away at any time.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// What was not written for this long is removed.
const OLDEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// `outcrop/KIND` in the user's cache folder, or else in that for temporary files. It need not be there.
pub fn cache_folder(kind: &str) -> PathBuf {
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = named("XDG_CACHE_HOME")
        .or_else(|| named("LOCALAPPDATA"))
        .or_else(|| named("HOME").map(|home| home.join(".cache")));
    cache.unwrap_or_else(std::env::temp_dir).join("outcrop").join(kind)
}

/// Makes a folder that only its owner may look into.
///
/// # Errors
/// What the operating system says.
pub fn create_private(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Removes what is kept of earlier states of a file, whose names begin with `stem`, and of any file what is
/// old; names that begin with `kept` stay, and so do `stem.partial`.
pub fn sweep(folder: &Path, stem: &str, kept: &str) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let modified = entry.metadata().and_then(|meta| meta.modified());
        let age = modified.ok().and_then(|time| SystemTime::now().duration_since(time).ok());
        let is_old = age.is_some_and(|age| age > OLDEST);
        let is_partial = name.ends_with(".partial");
        let is_superseded = name.starts_with(stem) && !name.starts_with(kept) && !is_partial;
        if is_old || is_superseded {
            // Another process may have been faster.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
