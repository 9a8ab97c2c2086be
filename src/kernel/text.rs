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

/// Texts are compared with at most four bytes, between offsets of 32 bits.
#[cfg(target_arch = "x86_64")]
mod short {
    use std::arch::x86_64::{
        __m128i, __m256i, _mm_loadu_si128, _mm256_add_epi8, _mm256_and_si256, _mm256_castsi256_ps,
        _mm256_cmpeq_epi32, _mm256_loadu_si256, _mm256_movemask_ps, _mm256_or_si256, _mm256_set_m128i,
        _mm256_set1_epi32, _mm256_setr_epi32, _mm256_setzero_si256, _mm256_shuffle_epi8,
        _mm256_shuffle_epi32, _mm256_sub_epi32, _mm256_xor_si256,
    };

    use super::{Head, ROWS, are_inside, equal_by_four, head_and_mask};

    /// Rows of one vector, and those of one half of it.
    const EIGHT: usize = 8;
    const FOUR: usize = 4;
    /// Texts of at most so many bytes: four of them lie within 16.
    const SHORT: u32 = 4;

    /// What the texts are compared with: its bytes, a mask over them, and its length.
    #[derive(Clone, Copy)]
    struct Wanted {
        head: u32,
        mask: u32,
        length: u32,
    }

    /// The machine must have AVX2.
    pub(super) fn equal(bytes: &[u8], offsets: &[i32], text: &[u8]) -> Vec<u64> {
        let (head, mask) = head_and_mask::<u32>(text);
        let wanted = Wanted { head, mask, length: text.len() as u32 };
        let rows = offsets.len().saturating_sub(1);
        let mut bits = Vec::with_capacity(rows.div_ceil(ROWS));
        for first in (0..rows).step_by(ROWS) {
            let ends = &offsets[first..=rows.min(first + ROWS)];
            #[expect(unsafe_code, reason = "there is no safe way to fill vectors with bytes at places")]
            match ends.first_chunk() {
                // SAFETY: the caller vouches for AVX2.
                Some(ends) if unsafe { are_short(bytes, ends) } => {
                    // SAFETY: the same, and `are_short` vouches for the places.
                    bits.push(unsafe { equal_among_short(bytes, ends, wanted) });
                }
                Some(ends) if are_inside(&ends[..ROWS], bytes.len().checked_sub(u32::BYTES)) => {
                    // SAFETY: the caller vouches for AVX2, and every place was just found to be at most four bytes
                    // before the end.
                    bits.push(unsafe { equal_in_word(bytes, ends, wanted) });
                }
                _ => bits.extend(equal_by_four(bytes, ends, text)),
            }
        }
        bits
    }

    /// Whether no text has more than four bytes, and 16 bytes follow the start of each.
    #[target_feature(enable = "avx2")]
    fn are_short(bytes: &[u8], ends: &[i32; ROWS + 1]) -> bool {
        let length = |start: &i32, end: &i32| end.wrapping_sub(*start).cast_unsigned();
        let lengths = ends[..ROWS].iter().zip(&ends[1..]).map(|(start, end)| length(start, end));
        let room = 16 + SHORT as usize * ROWS;
        let ends_inside =
            |first: i32| usize::try_from(first).is_ok_and(|first| bytes.len().saturating_sub(first) >= room);
        lengths.fold(0, u32::max) <= SHORT && ends_inside(ends[0])
    }

    /// Eight rows whose heads are `texts`: bit `i` tells of row `i`.
    #[target_feature(enable = "avx2")]
    fn agreeing(texts: __m256i, starts: __m256i, after: __m256i, wanted: Wanted) -> u64 {
        let all = |value: u32| _mm256_set1_epi32(value.cast_signed());
        let differing = _mm256_or_si256(
            _mm256_and_si256(_mm256_xor_si256(texts, all(wanted.head)), all(wanted.mask)),
            _mm256_xor_si256(_mm256_sub_epi32(after, starts), all(wanted.length)),
        );
        let agree = _mm256_cmpeq_epi32(differing, _mm256_setzero_si256());
        u64::from(_mm256_movemask_ps(_mm256_castsi256_ps(agree)).cast_unsigned())
    }

    /// Where eight texts begin from row `first` on, and where they end.
    #[expect(unsafe_code, reason = "a load of a vector")]
    #[target_feature(enable = "avx2")]
    unsafe fn offsets_at(ends: &[i32; ROWS + 1], first: usize) -> (__m256i, __m256i) {
        // SAFETY: the caller vouches for nine offsets from `first` on.
        unsafe {
            let at = ends.as_ptr().add(first);
            (_mm256_loadu_si256(at.cast::<__m256i>()), _mm256_loadu_si256(at.add(1).cast::<__m256i>()))
        }
    }

    /// Four texts of at most four bytes each are moved apart within the 16 bytes they begin in.
    #[expect(unsafe_code, reason = "reads at places that the caller has tested")]
    #[target_feature(enable = "avx2")]
    unsafe fn equal_among_short(bytes: &[u8], ends: &[i32; ROWS + 1], wanted: Wanted) -> u64 {
        // The number of a byte within its half is that of its text's first byte and these.
        let within = _mm256_set1_epi32(0x03_02_01_00);
        let spread = {
            let each = |row: i32| row * FOUR as i32 * 0x01_01_01_01;
            _mm256_setr_epi32(each(0), each(1), each(2), each(3), each(0), each(1), each(2), each(3))
        };
        let mut found = 0;
        for first in (0..ROWS).step_by(EIGHT) {
            // SAFETY: nine offsets follow `first`, and 16 bytes each of those places.
            let ((starts, after), texts) = unsafe {
                let half =
                    |row: usize| _mm_loadu_si128(bytes.as_ptr().add(ends[row] as usize).cast::<__m128i>());
                (offsets_at(ends, first), _mm256_set_m128i(half(first + FOUR), half(first)))
            };
            let places = _mm256_sub_epi32(starts, _mm256_shuffle_epi32::<0>(starts));
            let places = _mm256_add_epi8(_mm256_shuffle_epi8(places, spread), within);
            found |= agreeing(_mm256_shuffle_epi8(texts, places), starts, after, wanted) << first;
        }
        found
    }

    /// Eight heads are put into a vector one by one, which costs half of what gathering or storing them does.
    #[expect(unsafe_code, reason = "reads at places that the caller has tested")]
    #[target_feature(enable = "avx2")]
    unsafe fn equal_in_word(bytes: &[u8], ends: &[i32; ROWS + 1], wanted: Wanted) -> u64 {
        let mut found = 0;
        for first in (0..ROWS).step_by(EIGHT) {
            // SAFETY: nine offsets follow `first`; the first eight are places with four bytes behind them.
            let ((starts, after), texts) = unsafe {
                let at =
                    |i: usize| bytes.as_ptr().add(ends[first + i] as usize).cast::<i32>().read_unaligned();
                let texts = _mm256_setr_epi32(at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7));
                (offsets_at(ends, first), texts)
            };
            found |= agreeing(texts, starts, after, wanted) << first;
        }
        found
    }
}
