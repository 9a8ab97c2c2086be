//! Whole numbers that never wrap: a result outside its type is missing.

use super::compare::Side;

/// Results, and a bit per row that is 0 where there is none; `None` if all rows have one.
pub type Checked<T> = (Vec<T>, Option<Vec<u64>>);

/// Applies `f`, which is `None` where the result does not fit.
pub fn checked<A: Copy, B: Copy, R: Copy + Default>(
    a: Side<A>,
    b: Side<B>,
    rows: usize,
    f: impl Fn(A, B) -> Option<R>,
) -> Checked<R> {
    match (a, b) {
        (Side::Each(a), Side::Each(b)) => collect(a[..rows].iter().zip(&b[..rows]).map(|(a, b)| f(*a, *b))),
        (Side::Each(a), Side::One(b)) => collect(a[..rows].iter().map(|a| f(*a, b))),
        (Side::One(a), Side::Each(b)) => collect(b[..rows].iter().map(|b| f(a, *b))),
        (Side::One(a), Side::One(b)) => collect(std::iter::repeat_n((), rows).map(|()| f(a, b))),
    }
}

fn collect<R: Copy + Default>(results: impl Iterator<Item = Option<R>> + Clone) -> Checked<R> {
    let mut fits = true;
    let values = results
        .clone()
        .map(|result| {
            fits &= result.is_some();
            result.unwrap_or_default()
        })
        .collect::<Vec<R>>();
    if fits {
        return (values, None);
    }
    let mut valid = vec![0u64; values.len().div_ceil(64)];
    for (i, result) in results.enumerate() {
        valid[i / 64] |= u64::from(result.is_some()) << (i % 64);
    }
    (values, Some(valid))
}
