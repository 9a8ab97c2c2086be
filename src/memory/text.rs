//! Bytes that become text.

use std::ops::BitOr;

use arrow::array::{
    Array, ArrayRef, ArrowNativeTypeOp, DictionaryArray, GenericStringArray, OffsetSizeTrait, PrimitiveArray,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::Int32Type;

/// Texts as they lie in a file: text `i` is `bytes[offsets[i]..offsets[i + 1]]`.
#[derive(Debug)]
pub struct Texts<O> {
    /// A copy of the file's bytes: once found to be text they must stay so, whoever writes to the file.
    pub bytes: Vec<u8>,
    /// One more than there are texts.
    pub offsets: Vec<O>,
    /// Which texts are missing.
    pub nulls: Option<NullBuffer>,
}

/// Where a text begins or ends, in 32 bits or 64.
pub trait TextOffset: OffsetSizeTrait + ArrowNativeTypeOp + BitOr<Output = Self> {}

impl TextOffset for i32 {}

impl TextOffset for i64 {}

impl<O: TextOffset> Texts<O> {
    /// The array of the texts without a look at every one of them.
    ///
    /// # Errors
    /// The texts themselves, if a byte is not ASCII, or the offsets do not ascend from 0 to the number of
    /// bytes.
    pub fn into_ascii(self) -> Result<GenericStringArray<O>, Texts<O>> {
        let Texts { bytes, offsets, nulls } = &self;
        let spans =
            offsets.first() == Some(&O::ZERO) && offsets.last() == O::from_usize(bytes.len()).as_ref();
        let fits = nulls.as_ref().is_none_or(|nulls| nulls.len() + 1 == offsets.len());
        if !(ascend(offsets) && spans && fits && bytes.is_ascii()) {
            return Err(self);
        }
        #[expect(unsafe_code, reason = "arrow would look at every text")]
        // SAFETY: the offsets are not negative, ascend, and lie within the bytes, which belong to nobody
        // else; any part of ASCII is UTF-8; and there are as many nulls as texts.
        Ok(unsafe {
            let offsets = OffsetBuffer::new_unchecked(ScalarBuffer::from(self.offsets));
            GenericStringArray::new_unchecked(offsets, Buffer::from_vec(self.bytes), self.nulls)
        })
    }
}

/// Whether no offset is negative and none is smaller than the one before it: then no sign bit is set in any
/// of them nor in any difference.
fn ascend<O: TextOffset>(offsets: &[O]) -> bool {
    let first = offsets.first().copied().unwrap_or(O::ZERO);
    let signs = offsets.windows(2).fold(first, |signs, pair| signs | pair[1] | pair[1].sub_wrapping(pair[0]));
    signs.is_ge(O::ZERO)
}

/// The dictionary of these codes, which must not lie in a file, if each is that of a value, those under a null too.
pub fn whole_dictionary(
    codes: PrimitiveArray<Int32Type>,
    values: &ArrayRef,
) -> Option<DictionaryArray<Int32Type>> {
    let count = u32::try_from(values.len()).ok()?;
    let whole = codes.values().iter().fold(true, |whole, &code| whole & ((code as u32) < count));
    #[expect(unsafe_code, reason = "Arrow looks at every code once more, with a branch for each")]
    // SAFETY: every code has just been found below the number of values; a negative one is beyond all.
    whole.then(|| unsafe { DictionaryArray::new_unchecked(codes, values.clone()) })
}
