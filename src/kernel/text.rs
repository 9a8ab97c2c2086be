//! Texts that lie beside each other in one run of bytes.

use super::wide::widest;

/// Where a text begins or ends.
pub trait Offset: Copy + Send + Sync + 'static {
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

/// Bytes of a text that are compared at once.
const WORD: usize = 8;

widest! {
    /// Whether each text is `wanted`, one bit a row: text `i` lies between `offsets[i]` and `offsets[i + 1]`
    /// of `bytes`. Its length and first eight bytes are compared without a branch; what is longer is
    /// compared further only where they agree.
    pub fn equal<O: Offset>(bytes: &[u8], offsets: &[O], wanted: &[u8]) -> Vec<u64> {
        let head = wanted.len().min(WORD);
        let mut word = [0; WORD];
        word[..head].copy_from_slice(&wanted[..head]);
        let word = u64::from_le_bytes(word);
        let mask = if head == WORD { u64::MAX } else { (1 << (8 * head)) - 1 };
        // A text that does not fill a word at the end of all bytes is compared as a slice.
        let begins = |start: usize, end: usize| match bytes.get(start..).and_then(|b| b.first_chunk()) {
            Some(first) => ((u64::from_le_bytes(*first) ^ word) & mask == 0) & (end - start == wanted.len()),
            None => bytes[start..end] == *wanted,
        };
        if wanted.len() <= WORD {
            rows_of(offsets, begins)
        } else {
            rows_of(offsets, |start, end| begins(start, end) && bytes[start..end] == *wanted)
        }
    }
}

/// One bit for every two neighbours among the offsets.
#[inline(always)]
fn rows_of<O: Offset>(offsets: &[O], f: impl Fn(usize, usize) -> bool) -> Vec<u64> {
    let rows = offsets.len().saturating_sub(1);
    let mut bits = Vec::with_capacity(rows.div_ceil(64));
    for first in (0..rows).step_by(64) {
        let ends = &offsets[first..=rows.min(first + 64)];
        let mut start = ends[0].place();
        let mut found = 0;
        for (i, end) in ends[1..].iter().enumerate() {
            let end = end.place();
            found |= u64::from(f(start, end)) << i;
            start = end;
        }
        bits.push(found);
    }
    bits
}
