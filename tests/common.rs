//! What several test modules share.

use std::path::{Path, PathBuf};

/// The folder of small files that belong to the tests.
pub(crate) fn test_data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// The folder of larger data next to the repository, where there is one.
pub(crate) fn shared_data() -> Option<PathBuf> {
    let dir = std::env::var_os("OUTCROP_SHARED_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    dir.is_dir().then_some(dir)
}
