//! Texts that lie beside each other in one run of bytes.

use std::ops::{BitAnd, BitXor};

use super::compare::pack;
use super::wide::widest;

/// Where a text begins or ends.
pub trait Offset: Copy + Ord + Send + Sync + 'static {
    /// As a place in the bytes.
    fn place(self) -> usize;
}

impl Offset for i32 {
    #[inline(always)]
    fn place(self) -> usize {
        self as usize
    }
}

impl Offset for i64 {
    #[inline(always)]
    fn place(self) -> usize {
        self as usize
    }
}

/// Rows compared at once: a word of bits.
const ROWS: usize = 64;

/// The first bytes of a text, as many as are compared at once.
trait Head: Copy + Eq + BitXor<Output = Self> + BitAnd<Output = Self> {
    const BYTES: usize = size_of::<Self>();
    const ZERO: Self;
    /// From as many bytes.
    fn of(bytes: &[u8]) -> Option<Self>;
}

macro_rules! head {
    ($($t:ty),*) => {$(
        impl Head for $t {
            const ZERO: $t = 0;

            #[inline(always)]
            fn of(bytes: &[u8]) -> Option<$t> {
                bytes.first_chunk().map(|bytes| <$t>::from_le_bytes(*bytes))
            }
        }
    )*};
}
head!(u32, u64);

widest! {
    /// Whether each text is `wanted`, one bit a row: text `i` lies between `offsets[i]` and `offsets[i + 1]`
    /// of `bytes`. Lengths and first bytes are compared in vectors; what is longer is compared further only
    /// where they agree.
    pub fn equal<O: Offset>(bytes: &[u8], offsets: &[O], wanted: &[u8]) -> Vec<u64> {
        if wanted.len() <= u32::BYTES {
            equal_by::<O, u32>(bytes, offsets, wanted)
        } else {
            equal_by::<O, u64>(bytes, offsets, wanted)
        }
    }
}

#[inline(always)]
fn equal_by<O: Offset, H: Head>(bytes: &[u8], offsets: &[O], wanted: &[u8]) -> Vec<u64> {
    let compared = wanted.len().min(H::BYTES);
    let padded = |byte: u8| {
        let mut padded = [0; size_of::<u64>()];
        padded[..compared].fill(byte);
        padded
    };
    let mask = H::of(&padded(u8::MAX)).unwrap_or(H::ZERO);
    let mut head = padded(0);
    head[..compared].copy_from_slice(&wanted[..compared]);
    let head = H::of(&head).unwrap_or(H::ZERO);
    let rows = offsets.len().saturating_sub(1);
    let mut bits = Vec::with_capacity(rows.div_ceil(ROWS));
    for first in (0..rows).step_by(ROWS) {
        let ends = &offsets[first..=rows.min(first + ROWS)];
        let count = ends.len() - 1;
        let (mut heads, mut agree) = ([H::ZERO; ROWS], [0u8; ROWS]);
        // Where no whole head is left, at the very end of all bytes, texts are compared as slices.
        let mut at_end = 0u64;
        if are_inside(&ends[..count], bytes.len().checked_sub(H::BYTES)) {
            for (found, start) in heads.iter_mut().zip(&ends[..count]) {
                // SAFETY: every place was just found to be at most `H::BYTES` bytes before the end.
                #[expect(unsafe_code, reason = "a check of every place costs as much as the comparison")]
                unsafe {
                    *found = bytes.as_ptr().add(start.place()).cast::<H>().read_unaligned();
                }
            }
        } else {
            for (i, (found, start)) in heads.iter_mut().zip(&ends[..count]).enumerate() {
                match bytes.get(start.place()..).and_then(H::of) {
                    Some(head) => *found = head,
                    None => at_end |= 1 << i,
                }
            }
        }
        for (agree, (start, end)) in agree.iter_mut().zip(ends[..count].iter().zip(&ends[1..])) {
            *agree = u8::from(end.place().wrapping_sub(start.place()) == wanted.len());
        }
        for (agree, found) in agree.iter_mut().zip(&heads) {
            *agree &= u8::from((*found ^ head) & mask == H::ZERO);
        }
        let mut found = pack(&agree) & !at_end;
        let mut doubtful = if wanted.len() > H::BYTES { found | at_end } else { at_end };
        while doubtful != 0 {
            let i = doubtful.trailing_zeros() as usize;
            let is = bytes.get(ends[i].place()..ends[i + 1].place()) == Some(wanted);
            found = found & !(1 << i) | u64::from(is) << i;
            doubtful &= doubtful - 1;
        }
        bits.push(found);
    }
    bits
}

/// Whether all places lie between 0 and `last`.
#[inline(always)]
fn are_inside<O: Offset>(places: &[O], last: Option<usize>) -> bool {
    let (Some(&first), Some(last)) = (places.first(), last) else { return false };
    let (least, greatest) =
        places.iter().fold((first, first), |(least, greatest), &at| (least.min(at), greatest.max(at)));
    // As a place, a negative one is beyond any.
    least.place().max(greatest.place()) <= last
}
