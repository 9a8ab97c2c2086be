//! Texts that lie beside each other in one run of bytes.

use std::ops::{BitAnd, BitXor};

use super::compare::pack;
use super::wide::widest;
#[cfg(target_arch = "x86_64")]
use super::wide::{Level, level};

/// Where a text begins or ends.
pub trait Offset: Copy + Ord + Send + Sync + 'static {
    /// As a place in the bytes.
    fn place(self) -> usize;
    /// The offsets themselves, if they are of 32 bits.
    fn narrow(offsets: &[Self]) -> Option<&[i32]>;
}

impl Offset for i32 {
    #[inline(always)]
    fn place(self) -> usize {
        self as usize
    }

    fn narrow(offsets: &[i32]) -> Option<&[i32]> {
        Some(offsets)
    }
}

impl Offset for i64 {
    #[inline(always)]
    fn place(self) -> usize {
        self as usize
    }

    fn narrow(_: &[i64]) -> Option<&[i32]> {
        None
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
                bytes.first_chunk().map(|bytes| <$t>::from_ne_bytes(*bytes))
            }
        }
    )*};
}
head!(u32, u64);

/// Whether each text is `wanted`, one bit a row: text `i` lies between `offsets[i]` and `offsets[i + 1]`
/// of `bytes`. Lengths and first bytes are compared in vectors; what is longer is compared further only
/// where they agree.
pub fn equal<O: Offset>(bytes: &[u8], offsets: &[O], wanted: &[u8]) -> Vec<u64> {
    if wanted.len() > u32::BYTES {
        return equal_by_eight(bytes, offsets, wanted);
    }
    #[cfg(target_arch = "x86_64")]
    if let Some(offsets) = O::narrow(offsets)
        && level() != Level::Any
    {
        return short::equal(bytes, offsets, wanted);
    }
    equal_by_four(bytes, offsets, wanted)
}

widest! {
    fn equal_by_four<O: Offset>(bytes: &[u8], offsets: &[O], wanted: &[u8]) -> Vec<u64> {
        equal_by::<O, u32>(bytes, offsets, wanted)
    }
}

widest! {
    fn equal_by_eight<O: Offset>(bytes: &[u8], offsets: &[O], wanted: &[u8]) -> Vec<u64> {
        equal_by::<O, u64>(bytes, offsets, wanted)
    }
}

/// The first bytes of a text followed by zeros, and a mask over them.
fn head_and_mask<H: Head>(wanted: &[u8]) -> (H, H) {
    let compared = wanted.len().min(H::BYTES);
    let (mut head, mut mask) = ([0; size_of::<u64>()], [0; size_of::<u64>()]);
    head[..compared].copy_from_slice(&wanted[..compared]);
    mask[..compared].fill(u8::MAX);
    (H::of(&head).unwrap_or(H::ZERO), H::of(&mask).unwrap_or(H::ZERO))
}

#[inline(always)]
fn equal_by<O: Offset, H: Head>(bytes: &[u8], offsets: &[O], wanted: &[u8]) -> Vec<u64> {
    let (head, mask) = head_and_mask::<H>(wanted);
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
pub(super) fn are_inside<O: Offset>(places: &[O], last: Option<usize>) -> bool {
    let (Some(&first), Some(last)) = (places.first(), last) else { return false };
    let (least, greatest) =
        places.iter().fold((first, first), |(least, greatest), &at| (least.min(at), greatest.max(at)));
    // As a place, a negative one is beyond any.
    least.place().max(greatest.place()) <= last
}

/// Texts of at most four bytes between offsets of 32 bits: eight heads are put into a vector one by one, which
/// costs half of what gathering or storing them does.
#[cfg(target_arch = "x86_64")]
mod short {
    use std::arch::x86_64::{
        __m256i, _mm256_and_si256, _mm256_castsi256_ps, _mm256_cmpeq_epi32, _mm256_loadu_si256,
        _mm256_movemask_ps, _mm256_or_si256, _mm256_set1_epi32, _mm256_setr_epi32, _mm256_setzero_si256,
        _mm256_sub_epi32, _mm256_xor_si256,
    };

    use super::{Head, ROWS, are_inside, equal_by_four, head_and_mask};

    /// The machine must have AVX2.
    pub(super) fn equal(bytes: &[u8], offsets: &[i32], wanted: &[u8]) -> Vec<u64> {
        let (head, mask) = head_and_mask::<u32>(wanted);
        let rows = offsets.len().saturating_sub(1);
        let mut bits = Vec::with_capacity(rows.div_ceil(ROWS));
        for first in (0..rows).step_by(ROWS) {
            let ends = &offsets[first..=rows.min(first + ROWS)];
            match ends.first_chunk() {
                Some(ends) if are_inside(&ends[..ROWS], bytes.len().checked_sub(u32::BYTES)) => {
                    #[expect(
                        unsafe_code,
                        reason = "there is no safe way to fill vectors with bytes at places"
                    )]
                    // SAFETY: the caller vouches for AVX2, and every place was just found to be at most four
                    // bytes before the end.
                    bits.push(unsafe { equal_in_word(bytes, ends, head, mask, wanted.len() as i32) });
                }
                _ => bits.extend(equal_by_four(bytes, ends, wanted)),
            }
        }
        bits
    }

    #[expect(unsafe_code, reason = "reads at places that the caller has tested")]
    #[target_feature(enable = "avx2")]
    unsafe fn equal_in_word(bytes: &[u8], ends: &[i32; ROWS + 1], head: u32, mask: u32, length: i32) -> u64 {
        let all = |value: u32| _mm256_set1_epi32(value.cast_signed());
        let (heads, masks, lengths) = (all(head), all(mask), all(length.cast_unsigned()));
        let mut found = 0;
        for first in (0..ROWS).step_by(8) {
            // SAFETY: nine offsets follow `first`; `first` and the seven after it are places with four bytes
            // behind them.
            let (texts, starts, after) = unsafe {
                let at =
                    |i: usize| bytes.as_ptr().add(ends[first + i] as usize).cast::<i32>().read_unaligned();
                let offsets = ends.as_ptr().add(first);
                (
                    _mm256_setr_epi32(at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7)),
                    _mm256_loadu_si256(offsets.cast::<__m256i>()),
                    _mm256_loadu_si256(offsets.add(1).cast::<__m256i>()),
                )
            };
            let differing = _mm256_or_si256(
                _mm256_and_si256(_mm256_xor_si256(texts, heads), masks),
                _mm256_xor_si256(_mm256_sub_epi32(after, starts), lengths),
            );
            let agree = _mm256_cmpeq_epi32(differing, _mm256_setzero_si256());
            found |= u64::from(_mm256_movemask_ps(_mm256_castsi256_ps(agree)).cast_unsigned()) << first;
        }
        found
    }
}
