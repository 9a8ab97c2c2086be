//! Named threads, and panics turned into messages.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use super::ZoneMaps;
use crate::dataset::Dataset;
use crate::formats;
use crate::task::Task;

/// Starts a named thread that nobody waits for.
pub(super) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
}

/// Opens the file, or says in one sentence why not.
pub(super) fn open(path: &Path) -> Result<Arc<Dataset>, String> {
    guarded(|| {
        let source = formats::open(path, &Task::detached()).map_err(|error| error.to_string())?;
        let dataset = Dataset::new(source);
        if let Some(maps) = ZoneMaps::of_user() {
            maps.recall(&dataset);
        }
        Ok(Arc::new(dataset))
    })
}

/// The job's result; a panic in it becomes an error.
pub(super) fn guarded<T>(job: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    guarded_with(|message| format!("internal error: {message}"), job)
}

/// The job's result; a panic in it becomes the error `failed` makes of its message.
pub(super) fn guarded_with<T, E>(
    failed: impl FnOnce(String) -> E,
    job: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(job)).unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a worker stopped without a reason".to_owned());
        Err(failed(message))
    })
}

/// The text of the file at `path`, which must not be longer than `limit` bytes. For worker threads.
///
/// # Errors
/// A sentence that names the file and the reason.
pub fn read_text(path: &Path, limit: u64) -> Result<String, String> {
    use std::io::Read;
    let about = |reason: &dyn std::fmt::Display| format!("{}: {reason}", path.display());
    let file = std::fs::File::open(path).map_err(|error| about(&error))?;
    let mut text = String::new();
    file.take(limit + 1).read_to_string(&mut text).map_err(|error| about(&error))?;
    if text.len() as u64 > limit {
        return Err(about(&format!("longer than {limit} bytes")));
    }
    Ok(text)
}
