//! How files in the user's cache folder are named, and whether there may be any.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};

static FORBIDDEN: AtomicBool = AtomicBool::new(false);

/// From now on this process neither reads nor keeps zone maps and codes in the user's cache folder
/// (`--no-cache`).
pub fn forbid_cache_files() {
    FORBIDDEN.store(true, Ordering::Relaxed);
}

/// Whether files may be read from the cache folder and kept there.
pub(super) fn may_cache() -> bool {
    !FORBIDDEN.load(Ordering::Relaxed)
}

/// Sixteen digits that stand for a text.
pub(super) fn digits(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// How the names of files about a table begin: in any of its states, and in this one. `None` of a table that is
/// no file.
pub(super) fn names(identity: &str) -> Option<(String, String)> {
    let (path, _) = identity.rsplit_once('@')?;
    let stem = format!("{}-", digits(path));
    let state = format!("{stem}{}", digits(identity));
    Some((stem, state))
}
