//! Text: made value by value, or taken from bytes and offsets as they lie in the file.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{ArrayRef, GenericStringArray, LargeStringArray};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::cast;

use crate::memory::{TextOffset, Texts};

/// Most bytes of text made by one read: many rows may point at one long text.
const LARGEST_TEXT_BYTES: usize = 1 << 30;

/// Gathers texts into one array.
pub(super) struct TextBuilder {
    offsets: Vec<i64>,
    bytes: Vec<u8>,
}

impl TextBuilder {
    /// Room for so many texts of so many bytes in all.
    pub(super) fn with_capacity(count: usize, bytes: usize) -> Result<TextBuilder, String> {
        let full = |_| format!("{count} texts do not fit into memory");
        let mut builder = TextBuilder { offsets: Vec::new(), bytes: Vec::new() };
        builder.offsets.try_reserve_exact(count + 1).map_err(full)?;
        builder.bytes.try_reserve(bytes.min(LARGEST_TEXT_BYTES)).map_err(full)?;
        builder.offsets.push(0);
        Ok(builder)
    }

    /// Adds a text; what is not UTF-8 in it becomes U+FFFD.
    pub(super) fn push_lossy(&mut self, text: &[u8]) -> Result<(), String> {
        let text: Cow<'_, str> = String::from_utf8_lossy(text);
        if self.bytes.len() + text.len() > LARGEST_TEXT_BYTES {
            return Err(format!("the texts have more than {LARGEST_TEXT_BYTES} bytes in all"));
        }
        self.bytes
            .try_reserve(text.len())
            .map_err(|_| format!("{} bytes of text do not fit into memory", self.bytes.len()))?;
        self.bytes.extend_from_slice(text.as_bytes());
        self.offsets.push(self.bytes.len() as i64);
        Ok(())
    }

    /// The array of all texts added.
    pub(super) fn finish(self, nulls: Option<NullBuffer>) -> ArrayRef {
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets));
        Arc::new(LargeStringArray::new(offsets, Buffer::from(self.bytes), nulls))
    }
}

/// The array of `texts`, whose offsets ascend from 0 to the number of bytes. What is not UTF-8 becomes
/// U+FFFD.
pub(super) fn text_array<O: TextOffset>(texts: Texts<O>) -> Result<ArrayRef, String> {
    let Texts { bytes, offsets, nulls } = texts;
    let (bytes, offsets) = (Buffer::from(bytes), ScalarBuffer::from(offsets));
    let valid =
        GenericStringArray::<O>::try_new(OffsetBuffer::new(offsets.clone()), bytes.clone(), nulls.clone());
    if let Ok(array) = valid {
        return Ok(Arc::new(array));
    }
    let mut texts = TextBuilder::with_capacity(offsets.len() - 1, bytes.len())?;
    for pair in offsets.windows(2) {
        texts.push_lossy(&bytes[pair[0].as_usize()..pair[1].as_usize()])?;
    }
    cast(&texts.finish(nulls), &GenericStringArray::<O>::DATA_TYPE).map_err(|e| e.to_string())
}
