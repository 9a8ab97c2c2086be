//! Arrow IPC, the file with a footer (Feather V2 is the same) and the stream without one.
//!
//! Both are mapped. Opening walks the message headers only; a column of a record batch is decoded
//! when it is first read, which for an uncompressed batch means pointers into the map.

mod check;
mod dictionaries;
mod messages;
mod source;

use std::path::Path;
use std::sync::Arc;

use super::{Format, OpenError};
use crate::dataset::Source;
use crate::memory::Mapped;
use crate::task::Task;
use messages::Fault;
use source::ArrowSource;

/// Arrow IPC files and streams.
#[derive(Debug)]
pub(super) struct ArrowFormat;

const NAME: &str = "Arrow";
const EXTENSIONS: &[&str] = &["arrow", "arrows", "feather", "ipc"];

/// First bytes that belong to another format, whatever the extension says.
const FOREIGN: [&[u8]; 3] = [b"\x89HDF\r\n\x1a\n", b"PAR1", b"SIMPLE  ="];

impl Format for ArrowFormat {
    fn name(&self) -> &'static str {
        NAME
    }

    fn extensions(&self) -> &'static [&'static str] {
        EXTENSIONS
    }

    fn recognizes(&self, head: &[u8], extension: &str) -> bool {
        if head.starts_with(messages::MAGIC) || head.starts_with(messages::FEATHER_1) {
            return true;
        }
        let named = EXTENSIONS.contains(&extension) && !FOREIGN.iter().any(|magic| head.starts_with(magic));
        named || messages::begins_stream(head)
    }

    fn open(&self, path: &Path, task: &Task) -> Result<Arc<dyn Source>, OpenError> {
        let mapped = Mapped::open(path).map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
        let layout = messages::read_layout(&mapped.buffer(), task).map_err(|fault| match fault {
            Fault::Cancelled(cancelled) => OpenError::Cancelled(cancelled),
            Fault::Damaged(reason) => OpenError::Malformed { path: path.to_owned(), format: NAME, reason },
        })?;
        Ok(Arc::new(ArrowSource::new(mapped, layout)))
    }
}
