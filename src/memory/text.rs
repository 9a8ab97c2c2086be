//! Bytes that become text.

use arrow::array::LargeStringArray;
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};

/// Texts as they lie in a file: text `i` is `bytes[offsets[i]..offsets[i + 1]]`.
#[derive(Debug)]
pub struct Texts {
    /// A copy of the file's bytes: once found to be text they must stay so, whoever writes to the file.
    pub bytes: Vec<u8>,
    /// One more than there are texts.
    pub offsets: Vec<i64>,
    /// Which texts are missing.
    pub nulls: Option<NullBuffer>,
}

impl Texts {
    /// The array of the texts without a look at every one of them.
    ///
    /// # Errors
    /// The texts themselves, if a byte is not ASCII, or the offsets do not ascend from 0 to the number of
    /// bytes.
    pub fn into_ascii(self) -> Result<LargeStringArray, Texts> {
        let Texts { bytes, offsets, nulls } = &self;
        let spans = offsets.first() == Some(&0) && offsets.last() == i64::try_from(bytes.len()).ok().as_ref();
        let fits = nulls.as_ref().is_none_or(|nulls| nulls.len() + 1 == offsets.len());
        if !(ascend(offsets) && spans && fits && bytes.is_ascii()) {
            return Err(self);
        }
        #[expect(unsafe_code, reason = "arrow would look at every text")]
        // SAFETY: the offsets are not negative, ascend, and lie within the bytes, which belong to nobody
        // else; any part of ASCII is UTF-8; and there are as many nulls as texts.
        Ok(unsafe {
            let offsets = OffsetBuffer::new_unchecked(ScalarBuffer::from(self.offsets));
            LargeStringArray::new_unchecked(offsets, Buffer::from_vec(self.bytes), self.nulls)
        })
    }
}

/// Whether no offset is negative and none is smaller than the one before it: then no sign bit is set in any
/// of them nor in any difference.
pub fn ascend(offsets: &[i64]) -> bool {
    let first = offsets.first().copied().unwrap_or(0);
    offsets.windows(2).fold(first, |signs, pair| signs | pair[1] | pair[1].wrapping_sub(pair[0])) >= 0
}
