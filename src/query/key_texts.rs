//! Keys that are texts of a file: numbered where they lie, and read only where that does not do.

use std::cell::OnceCell;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::ArrowNativeType;

use super::QueryError;
use crate::dataset::{Source, TextOffsets, UnseenTexts};
use crate::kernel::text::Offset;
use crate::kernel::texts::TextIds;
use crate::memory::read_ahead;

/// The values of one key in some rows.
pub(super) enum KeyRows<'a> {
    Array(ArrayRef),
    Texts(&'a KeyTexts, Range<usize>),
}

impl KeyRows<'_> {
    pub(super) fn array(&self) -> Result<ArrayRef, QueryError> {
        match self {
            KeyRows::Array(array) => Ok(array.clone()),
            KeyRows::Texts(texts, rows) => Ok(texts.array()?.slice(rows.start, rows.len())),
        }
    }
}

/// A column of texts in the rows of a chunk.
pub(super) enum KeyTexts {
    Read(ArrayRef),
    /// As they lie in the file; read once that is needed.
    Unseen {
        texts: UnseenTexts,
        source: Arc<dyn Source>,
        column: usize,
        rows: Range<u64>,
        read: OnceCell<ArrayRef>,
    },
}

impl KeyTexts {
    /// What `column` of `source` holds in `rows`.
    pub(super) fn unseen(
        texts: UnseenTexts,
        source: &Arc<dyn Source>,
        column: usize,
        rows: Range<u64>,
    ) -> KeyTexts {
        KeyTexts::Unseen { texts, source: source.clone(), column, rows, read: OnceCell::new() }
    }

    /// All of them.
    fn array(&self) -> Result<&ArrayRef, QueryError> {
        match self {
            KeyTexts::Read(array) => Ok(array),
            KeyTexts::Unseen { source, column, rows, read, .. } => match read.get() {
                Some(array) => Ok(array),
                None => {
                    let array = source.read(*column, rows.clone())?;
                    Ok(read.get_or_init(|| array))
                }
            },
        }
    }

    /// Writes the numbers of the texts in `rows`, 0 for missing ones; false where they must be read.
    pub(super) fn write(&self, ids: &mut TextIds, rows: &Range<usize>, out: &mut [u32]) -> bool {
        let KeyTexts::Unseen { texts: UnseenTexts { offsets, bytes, nulls }, .. } = self else {
            return false;
        };
        let ends = rows.start..rows.end + 1;
        let are_texts = match offsets {
            TextOffsets::Narrow(offsets) => ids.write_unseen(&offsets[ends], bytes, out),
            TextOffsets::Wide(offsets) => ids.write_unseen(&offsets[ends], bytes, out),
        };
        forget_missing(nulls.as_ref().map(|nulls| nulls.slice(rows.start, rows.len())).as_ref(), out);
        are_texts
    }
}

/// Bytes of texts and of their offsets; asks the disk for `ahead` times as much.
pub(super) fn touch(texts: &UnseenTexts, ahead: usize) -> usize {
    fn touch<O: Offset + ArrowNativeType>(offsets: &ScalarBuffer<O>, bytes: &[u8], ahead: usize) -> usize {
        let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else { return 0 };
        let parts = [offsets.inner(), bytes.get(first.place()..last.place()).unwrap_or_default()];
        parts.iter().for_each(|part| read_ahead(part, part.len() * ahead));
        parts.iter().map(|part| part.len()).sum()
    }
    match &texts.offsets {
        TextOffsets::Narrow(offsets) => touch(offsets, &texts.bytes, ahead),
        TextOffsets::Wide(offsets) => touch(offsets, &texts.bytes, ahead),
    }
}

/// Gives rows that are missing the number 0.
pub(super) fn forget_missing(nulls: Option<&NullBuffer>, out: &mut [u32]) {
    if let Some(nulls) = nulls.filter(|nulls| nulls.null_count() > 0) {
        out.iter_mut().zip(nulls.iter()).for_each(|(id, valid)| *id = if valid { *id } else { 0 });
    }
}
