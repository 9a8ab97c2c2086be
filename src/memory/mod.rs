//! Own bytes, heap or mapped: the only place where bytes become numbers.
//!
//! [`Mapped`] is a file mapped read-only; [`typed`] views a range of any buffer as numbers,
//! without a copy where alignment and byte order allow it. This room knows no columns and no
//! file formats.

mod cache_folder;
mod checksum;
mod heap;
#[cfg(feature = "libhdf5")]
mod limits;
#[cfg(unix)]
mod lost_pages;
mod machine;
mod mapped;
mod pod;
mod read_ahead;
mod slab;
mod spill;
mod text;

pub use cache_folder::{cache_folder, create_private, sweep};
pub use checksum::checksum;
pub use heap::keep_freed_memory;
#[cfg(feature = "libhdf5")]
pub use limits::confine;
pub use machine::{free_disk_bytes, memory_bytes};
pub use mapped::{Fingerprint, Mapped};
pub use pod::{ByteOrder, Pod, RangeError, typed};
pub use read_ahead::read_ahead;
pub use slab::Slab;
pub use spill::{Spill, spill_folder};
pub use text::{TextOffset, Texts, whole_dictionary};
