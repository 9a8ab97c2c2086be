//! Name columns, stored or virtual, over one [`Source`].
//!
//! A [`Dataset`] is immutable: workers hold it while a person edits. Adding a virtual column makes
//! a new one that shares the source. This room promises columns; it reads no file itself.

mod memory_source;
mod source;
mod table;
mod zones;

pub use memory_source::MemorySource;
pub use source::{ReadError, Source, TextOffsets, UnseenTexts, cut, read_each};
pub use table::{Dataset, DefineError, VirtualColumn};
pub use zones::{ZONE_ROWS, Zones};
