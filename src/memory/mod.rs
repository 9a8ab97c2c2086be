//! Own bytes, heap or mapped: the only place where bytes become numbers.
//!
//! [`Mapped`] is a file mapped read-only; [`typed`] views a range of any buffer as numbers,
//! without a copy where alignment and byte order allow it. This room knows no columns and no
//! file formats.

mod mapped;
mod pod;

pub use mapped::{Fingerprint, Mapped};
pub use pod::{ByteOrder, Pod, RangeError, typed};
