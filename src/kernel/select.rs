//! One of two values per row.

use super::compare::Side;

/// `yes` where the row's bit is set, else `no`. Bit `i % 64` of word `i / 64` tells of row `i`.
pub fn select<T: Copy>(bits: &[u64], yes: Side<T>, no: Side<T>, rows: usize) -> Vec<T> {
    match (yes, no) {
        (Side::Each(yes), Side::Each(no)) => rows_of(bits, rows, |i| yes[i], |i| no[i]),
        (Side::Each(yes), Side::One(no)) => rows_of(bits, rows, |i| yes[i], |_| no),
        (Side::One(yes), Side::Each(no)) => rows_of(bits, rows, |_| yes, |i| no[i]),
        (Side::One(yes), Side::One(no)) => rows_of(bits, rows, |_| yes, |_| no),
    }
}

#[inline(always)]
fn rows_of<T: Copy>(bits: &[u64], rows: usize, yes: impl Fn(usize) -> T, no: impl Fn(usize) -> T) -> Vec<T> {
    let mut out = Vec::with_capacity(rows);
    for (word, &bits) in bits.iter().enumerate() {
        let first = word * 64;
        for i in first..rows.min(first + 64) {
            let (yes, no) = (yes(i), no(i));
            out.push(if bits >> (i - first) & 1 == 1 { yes } else { no });
        }
    }
    out
}
