//! Bytes to numbers: zero-copy when aligned and in native order, a copy otherwise.

use arrow::buffer::{Buffer, ScalarBuffer};
use arrow::datatypes::ArrowNativeType;

/// Order of the bytes of one number in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteOrder {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

impl ByteOrder {
    /// The order of this machine.
    pub const NATIVE: ByteOrder =
        if cfg!(target_endian = "little") { ByteOrder::Little } else { ByteOrder::Big };
}

/// A number for which every byte pattern is valid.
pub trait Pod: ArrowNativeType {
    /// Reads one number from exactly `size_of::<Self>()` bytes.
    fn from_bytes(bytes: &[u8], order: ByteOrder) -> Self;
}

macro_rules! pod {
    ($($t:ty),*) => {$(
        impl Pod for $t {
            fn from_bytes(bytes: &[u8], order: ByteOrder) -> Self {
                let mut raw = [0; size_of::<$t>()];
                raw.copy_from_slice(bytes);
                match order {
                    ByteOrder::Little => <$t>::from_le_bytes(raw),
                    ByteOrder::Big => <$t>::from_be_bytes(raw),
                }
            }
        }
    )*};
}
pod!(i8, i16, i32, i64, u8, u16, u32, u64, f32, f64);

/// A range of bytes lies outside its buffer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("bytes {start}..+{length} lie outside the {available} bytes there are")]
pub struct RangeError {
    /// First byte asked for.
    pub start: u64,
    /// Bytes asked for.
    pub length: u64,
    /// Bytes there are.
    pub available: u64,
}

/// Views `count` numbers that start at byte `start` of `buffer`.
///
/// Shares the buffer when the numbers are aligned and in native order; copies them otherwise.
///
/// # Errors
/// [`RangeError`] when the numbers do not lie wholly inside the buffer.
pub fn typed<T: Pod>(
    buffer: &Buffer,
    start: usize,
    count: usize,
    order: ByteOrder,
) -> Result<ScalarBuffer<T>, RangeError> {
    let size = size_of::<T>();
    let outside = || RangeError {
        start: start as u64,
        length: (count as u64).saturating_mul(size as u64),
        available: buffer.len() as u64,
    };
    let length = count.checked_mul(size).ok_or_else(outside)?;
    let end = start.checked_add(length).ok_or_else(outside)?;
    if end > buffer.len() {
        return Err(outside());
    }
    let part = buffer.slice_with_length(start, length);
    let aligned = part.as_ptr().align_offset(align_of::<T>()) == 0;
    if aligned && (order == ByteOrder::NATIVE || size == 1) {
        return Ok(ScalarBuffer::new(part, 0, count));
    }
    Ok(part.chunks_exact(size).map(|bytes| T::from_bytes(bytes, order)).collect())
}
