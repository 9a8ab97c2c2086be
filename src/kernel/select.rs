//! One of two values per row.

use super::compare::Side;
use super::wide::widest;

/// `yes` where the row's bit is set, else `no`. Bit `i % 64` of word `i / 64` tells of row `i`.
pub fn select<T: Copy>(bits: &[u64], yes: Side<T>, no: Side<T>, rows: usize) -> Vec<T> {
    let mut out = Vec::with_capacity(rows);
    select_into(bits, yes, no, rows, &mut out);
    out
}

widest! {
    fn select_into<T: Copy>(bits: &[u64], yes: Side<T>, no: Side<T>, rows: usize, out: &mut Vec<T>) {
        match (yes, no) {
            (Side::Each(yes), Side::Each(no)) => rows_of(bits, rows, |i| yes[i], |i| no[i], out),
            (Side::Each(yes), Side::One(no)) => rows_of(bits, rows, |i| yes[i], |_| no, out),
            (Side::One(yes), Side::Each(no)) => rows_of(bits, rows, |_| yes, |i| no[i], out),
            (Side::One(yes), Side::One(no)) => rows_of(bits, rows, |_| yes, |_| no, out),
        }
    }
}

/// By blocks of 64 without a branch, which become vectors, and the last rows one by one.
#[inline(always)]
fn rows_of<T: Copy>(
    bits: &[u64],
    rows: usize,
    yes: impl Fn(usize) -> T,
    no: impl Fn(usize) -> T,
    out: &mut Vec<T>,
) {
    for (word, &bits) in bits.iter().enumerate() {
        let first = word * 64;
        let one = |i: usize| {
            let (yes, no) = (yes(first + i), no(first + i));
            if bits & (1 << i) != 0 { yes } else { no }
        };
        if first + 64 <= rows {
            out.extend_from_slice(&std::array::from_fn::<T, 64, _>(one));
        } else {
            out.extend((0..rows.saturating_sub(first)).map(one));
        }
    }
}
