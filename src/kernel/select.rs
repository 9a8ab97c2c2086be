//! One of two values per row.

use super::compare::Side;
use super::wide::widest;

/// A value as its bits.
pub trait Bits: Copy + Send + Sync + 'static {
    /// `yes` if the lowest bit of `bit` is set, else `no`; without a branch.
    fn choose(bit: u64, yes: Self, no: Self) -> Self;
}

macro_rules! bits {
    ($($t:ty),*) => {$(
        impl Bits for $t {
            #[inline(always)]
            fn choose(bit: u64, yes: $t, no: $t) -> $t {
                let mask = <$t>::from(bit & 1 == 1).wrapping_neg();
                (yes & mask) | (no & !mask)
            }
        }
    )*};
}
bits!(u8, u16, u32, u64);

/// `yes` where the row's bit is set, else `no`. Bit `i % 64` of word `i / 64` tells of row `i`.
pub fn select<T: Bits>(bits: &[u64], yes: Side<T>, no: Side<T>, rows: usize) -> Vec<T> {
    let mut out = Vec::with_capacity(rows);
    choose(bits, yes, no, rows, &mut out);
    out
}

/// Rows that share a word of bits.
const WORD: usize = 64;

/// The values of an operand by words, without a bound to check within one.
enum Words<'a, T> {
    Each(&'a [[T; WORD]], &'a [T]),
    One([T; WORD]),
}

impl<'a, T: Copy> Words<'a, T> {
    #[inline(always)]
    fn of(side: Side<'a, T>, rows: usize) -> Words<'a, T> {
        match side {
            Side::Each(values) => {
                let (whole, rest) = values[..rows].as_chunks();
                Words::Each(whole, rest)
            }
            Side::One(value) => Words::One([value; WORD]),
        }
    }

    #[inline(always)]
    fn word(&self, i: usize) -> &[T; WORD] {
        match self {
            Words::Each(whole, _) => &whole[i],
            Words::One(word) => word,
        }
    }

    #[inline(always)]
    fn rest(&self, count: usize) -> &[T] {
        match self {
            Words::Each(_, rest) => rest,
            Words::One(word) => &word[..count],
        }
    }
}

widest! {
    fn choose<T: Bits>(bits: &[u64], yes: Side<T>, no: Side<T>, rows: usize, out: &mut Vec<T>) {
        let (yes, no) = (Words::of(yes, rows), Words::of(no, rows));
        for (i, bits) in bits[..rows / WORD].iter().enumerate() {
            let (yes, mut chosen) = (yes.word(i), *no.word(i));
            for bit in 0..WORD {
                chosen[bit] = T::choose(bits >> bit, yes[bit], chosen[bit]);
            }
            out.extend_from_slice(&chosen);
        }
        let count = rows % WORD;
        if count > 0 {
            let bits = bits[rows / WORD];
            let pairs = yes.rest(count).iter().zip(no.rest(count)).enumerate();
            out.extend(pairs.map(|(bit, (yes, no))| T::choose(bits >> bit, *yes, *no)));
        }
    }
}
