//! Comparisons to bits, by IEEE 754: NaN is unequal to everything, -0.0 equals 0.0.

/// One operand: a value per row, or one for all rows.
#[derive(Debug, Clone, Copy)]
pub enum Side<'a, T> {
    /// A value per row.
    Each(&'a [T]),
    /// One value for all rows.
    One(T),
}

/// Which comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
}

impl Comparison {
    /// The comparison with its sides exchanged.
    pub fn flipped(self) -> Comparison {
        match self {
            Comparison::Less => Comparison::Greater,
            Comparison::LessEqual => Comparison::GreaterEqual,
            Comparison::Greater => Comparison::Less,
            Comparison::GreaterEqual => Comparison::LessEqual,
            other => other,
        }
    }

    /// Whether it holds between two values.
    pub fn holds<T: PartialOrd>(self, a: &T, b: &T) -> bool {
        match self {
            Comparison::Less => a < b,
            Comparison::LessEqual => a <= b,
            Comparison::Greater => a > b,
            Comparison::GreaterEqual => a >= b,
            Comparison::Equal => a == b,
            Comparison::NotEqual => a != b,
        }
    }
}

/// `rows` bits, bit `i` of the whole telling of row `i`; the bits beyond are 0.
pub fn compare<T: PartialOrd + Copy>(
    comparison: Comparison,
    a: Side<T>,
    b: Side<T>,
    rows: usize,
) -> Vec<u64> {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn avx2<T: PartialOrd + Copy>(
            comparison: Comparison,
            a: Side<T>,
            b: Side<T>,
            rows: usize,
        ) -> Vec<u64> {
            each(comparison, a, b, rows)
        }
        if std::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has just been asked for AVX2.
            #[expect(unsafe_code, reason = "calling code compiled for a checked feature")]
            return unsafe { avx2(comparison, a, b, rows) };
        }
    }
    each(comparison, a, b, rows)
}

#[inline(always)]
fn each<T: PartialOrd + Copy>(comparison: Comparison, a: Side<T>, b: Side<T>, rows: usize) -> Vec<u64> {
    match comparison {
        Comparison::Less => sides(a, b, rows, |a, b| a < b),
        Comparison::LessEqual => sides(a, b, rows, |a, b| a <= b),
        Comparison::Greater => sides(a, b, rows, |a, b| a > b),
        Comparison::GreaterEqual => sides(a, b, rows, |a, b| a >= b),
        Comparison::Equal => sides(a, b, rows, |a, b| a == b),
        Comparison::NotEqual => sides(a, b, rows, |a, b| a != b),
    }
}

#[inline(always)]
fn sides<T: Copy, F: Fn(T, T) -> bool>(a: Side<T>, b: Side<T>, rows: usize, f: F) -> Vec<u64> {
    match (a, b) {
        (Side::Each(a), Side::One(b)) => bits(&a[..rows], |a| f(a, b)),
        (Side::One(a), Side::Each(b)) => bits(&b[..rows], |b| f(a, b)),
        (Side::Each(a), Side::Each(b)) => bits2(&a[..rows], &b[..rows], f),
        (Side::One(a), Side::One(b)) => constant(f(a, b), rows),
    }
}

/// The same bit for every row.
pub fn constant(bit: bool, rows: usize) -> Vec<u64> {
    let mut words = vec![if bit { u64::MAX } else { 0 }; rows.div_ceil(64)];
    if let (Some(last), 1..) = (words.last_mut(), rows % 64) {
        *last &= (1 << (rows % 64)) - 1;
    }
    words
}

/// One bit per value.
#[inline(always)]
pub fn bits<T: Copy>(values: &[T], f: impl Fn(T) -> bool) -> Vec<u64> {
    let mut words = Vec::with_capacity(values.len().div_ceil(64));
    let (whole, rest) = values.as_chunks::<64>();
    for chunk in whole {
        let mut bytes = [0u8; 64];
        for (byte, value) in bytes.iter_mut().zip(chunk) {
            *byte = u8::from(f(*value));
        }
        words.push(pack(&bytes));
    }
    if !rest.is_empty() {
        words.push(rest.iter().enumerate().fold(0, |word, (i, v)| word | u64::from(f(*v)) << i));
    }
    words
}

/// One bit per pair of values.
#[inline(always)]
pub fn bits2<A: Copy, B: Copy>(a: &[A], b: &[B], f: impl Fn(A, B) -> bool) -> Vec<u64> {
    let mut words = Vec::with_capacity(a.len().div_ceil(64));
    let (whole_a, rest_a) = a.as_chunks::<64>();
    let (whole_b, rest_b) = b.as_chunks::<64>();
    for (a, b) in whole_a.iter().zip(whole_b) {
        let mut bytes = [0u8; 64];
        for ((byte, a), b) in bytes.iter_mut().zip(a).zip(b) {
            *byte = u8::from(f(*a, *b));
        }
        words.push(pack(&bytes));
    }
    if !rest_a.is_empty() {
        let rest = rest_a.iter().zip(rest_b).enumerate();
        words.push(rest.fold(0, |word, (i, (a, b))| word | u64::from(f(*a, *b)) << i));
    }
    words
}

/// 64 bytes of 0 or 1 as 64 bits: the product moves byte `i` of eight to bit `56 + i`.
#[inline(always)]
pub(super) fn pack(bytes: &[u8; 64]) -> u64 {
    let (eights, _) = bytes.as_chunks::<8>();
    eights.iter().enumerate().fold(0, |word, (i, eight)| {
        let byte = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        word | byte << (8 * i)
    })
}

/// The first `rows` of the bits as bytes of 0 or 1.
pub fn unpack(words: &[u64], rows: usize) -> Vec<u8> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let mut out = Vec::with_capacity(words.len() * 64);
    for eight in words.iter().flat_map(|word| word.to_le_bytes()) {
        // Byte i keeps bit i alone; adding 127 carries it, whichever it is, to the highest.
        let spread = u64::from(eight).wrapping_mul(EACH) & 0x8040_2010_0804_0201;
        out.extend_from_slice(&((spread + 0x7F * EACH) >> 7 & EACH).to_le_bytes());
    }
    out.truncate(rows);
    out
}
