//! Reals cut in two, so that neither the upper nor the lower parts round when they are added up.
//!
//! After Demmel and Nguyen, "Fast Reproducible Floating-Point Summation" (ARITH 2013). Let every value be a multiple of
//! `2^unit` and at most `2^most` in magnitude, and `M = 1.5 * 2^k` with `most < k`. Then `upper = (M + v) - M` is `v`
//! rounded to a multiple of `2^(k - 52)`, still at most `2^most`, and `lower = v - upper` is exact, a multiple of
//! `2^unit` of at most `2^(k - 53)`. Whole multiples of a power of two add up exactly below `2^53` times that power: so do
//! `2^(k + 1 - most)` upper parts, and `2^(unit + 106 - k)` lower parts. Of values within a factor of `2^20` of each
//! other that is more than `2^16` rows, of which no digit is lost; two additions a row, where TwoSum takes seven.

use super::wide::widest;

/// Bounds on the magnitudes of some finite values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// None is above `2^most`.
    most: i32,
    /// All are multiples of `2^unit`.
    unit: i32,
}

/// Where values are cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Split {
    exponent: i32,
    magic: f64,
}

impl Reach {
    /// Of zeros.
    pub const ZERO: Reach = Reach { most: i32::MIN, unit: i32::MAX };

    /// Of `values`, NaN passed over; `None` where one is infinite. Each has at most `digits` binary digits: 24 if it
    /// was single precision, else 53.
    pub fn of(values: &[f64], digits: u32) -> Option<Reach> {
        const INFINITE: i32 = 0x7FF;
        let (mut most, mut least) = (-1, u32::MAX);
        magnitudes(values, &mut most, &mut least);
        if most < 0 {
            return Some(Reach::ZERO);
        }
        // Exponents of 0 and 1 have the same unit.
        let (most, least) = (most >> 20, (least >> 20).max(1) as i32);
        let is_infinite = most + 1 >= INFINITE;
        (!is_infinite).then(|| Reach { most: most.max(1) - 1022, unit: least - 1022 - digits as i32 })
    }

    /// Of the values of both.
    pub fn and(self, other: Reach) -> Reach {
        Reach { most: self.most.max(other.most), unit: self.unit.min(other.unit) }
    }
}

widest! {
    /// The upper halves of the greatest and of the least magnitude but 0, both less 1 in the last place of the whole,
    /// NaN passed over.
    fn magnitudes(values: &[f64], most: &mut i32, least: &mut u32) {
        let (mut greatest, mut smallest) = (*most, *least);
        for value in values {
            let magnitude = if value.is_nan() { 0 } else { value.to_bits() & (u64::MAX >> 1) };
            // Zero becomes less than any other by its sign, and greater without it.
            let upper = (magnitude.wrapping_sub(1) >> 32) as u32;
            greatest = greatest.max(upper.cast_signed());
            smallest = smallest.min(upper);
        }
        (*most, *least) = (greatest, smallest);
    }
}

impl Split {
    /// The cut by which as many rows as possible add up exactly; `None` where exponents leave the range of numbers.
    pub fn of(reach: Reach) -> Option<Split> {
        let exponent = if reach == Reach::ZERO { 0 } else { (105 + reach.unit + reach.most) >> 1 };
        let is_normal = (-960..1020).contains(&exponent);
        is_normal.then(|| Split { exponent, magic: 1.5 * f64::from_bits(((exponent + 1023) as u64) << 52) })
    }

    /// How many rows of such values certainly add up exactly; 0 where this cut is not for them.
    pub fn rows(self, reach: Reach) -> u64 {
        const MOST: i32 = 40;
        if reach == Reach::ZERO {
            return 1 << MOST;
        }
        let (upper, lower) = (self.exponent + 1 - reach.most, reach.unit + 106 - self.exponent);
        match upper.min(lower) {
            ..2 => 0,
            bits => 1 << bits.min(MOST),
        }
    }

    /// The number that is added and taken away.
    #[inline]
    pub fn magic(self) -> f64 {
        self.magic
    }

    /// The upper and the lower part of a value.
    #[inline]
    pub fn cut(self, value: f64) -> (f64, f64) {
        let upper = (self.magic + value) - self.magic;
        (upper, value - upper)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ids::scatter;

    /// In units of `2^-1074`, by its digits; too large for the machine's integers.
    fn exactly(values: impl Iterator<Item = f64>) -> Vec<i64> {
        // Limbs of 32 bits, carried over at the end.
        let mut limbs = vec![0i64; 70];
        for value in values {
            let bits = value.abs().to_bits();
            let field = (bits >> 52) as u32;
            let mantissa = bits & ((1 << 52) - 1) | u64::from(field > 0) << 52;
            let shift = field.max(1) - 1;
            let wide = u128::from(mantissa) << (shift % 32);
            for limb in 0..3 {
                let part = (wide >> (32 * limb)) as u32;
                limbs[(shift / 32) as usize + limb] += i64::from(part) * if value < 0.0 { -1 } else { 1 };
            }
        }
        for i in 0..limbs.len() - 1 {
            let carried = limbs[i] >> 32;
            limbs[i] &= i64::from(u32::MAX);
            limbs[i + 1] += carried;
        }
        limbs
    }

    fn random(seed: u64, rows: usize) -> impl Iterator<Item = (f64, i32)> {
        let word = move |i: u64| scatter(scatter(seed).wrapping_add(i));
        (0..rows as u64).map(move |i| {
            let mantissa = 1.0 + (word(2 * i) >> 12) as f64 / (1u64 << 52) as f64;
            let sign = if word(2 * i + 1) & 1 == 0 { 1.0 } else { -1.0 };
            (sign * mantissa, (word(2 * i + 1) >> 32) as i32 & 0xffff)
        })
    }

    #[test]
    fn not_a_digit_is_lost_in_as_many_rows_as_are_allowed() {
        for (seed, centre) in [-900, -40, 0, 3, 800].into_iter().enumerate() {
            for spread in [1, 2, 10, 20, 30] {
                let values: Vec<f64> = random(seed as u64, 4096)
                    .map(|(v, e)| v * 2f64.powi(centre + e % spread))
                    .chain([0.0, -0.0, f64::NAN])
                    .collect();
                let reach = Reach::of(&values, 53).unwrap();
                let split = Split::of(reach).unwrap();
                let rows = split.rows(reach).min(values.len() as u64) as usize;
                assert!(rows > 1000, "{centre} {spread} {rows}");
                let values = || values[values.len() - rows..].iter().filter(|v| !v.is_nan()).copied();
                let (mut upper, mut lower) = (0.0, 0.0);
                for value in values() {
                    let parts = split.cut(value);
                    assert_eq!(parts.0 + parts.1, value);
                    (upper, lower) = (upper + parts.0, lower + parts.1);
                }
                assert_eq!(exactly([upper, lower].into_iter()), exactly(values()));
            }
        }
    }

    #[test]
    fn equal_values_of_any_size_reach_the_bound_without_rounding() {
        for value in [1.0, 1.1, -0.1, 1.0 - f64::EPSILON, 2f64.powi(300) * 1.7, 1e-200] {
            let reach = Reach::of(&[value], 53).unwrap();
            let split = Split::of(reach).unwrap();
            let rows = split.rows(reach);
            assert!(rows >= 1 << 25);
            let (upper, lower) = split.cut(value);
            // Every partial sum is a whole number of units.
            let last = (upper * (rows - 1) as f64, lower * (rows - 1) as f64);
            assert_eq!((last.0 + upper) - last.0, upper);
            assert_eq!((last.1 + lower) - last.1, lower);
        }
    }

    #[test]
    fn reach_covers_ends_subnormals_and_infinities() {
        let reach = |values: &[f64]| Reach::of(values, 53);
        assert_eq!(reach(&[0.0, -0.0, f64::NAN]), Some(Reach::ZERO));
        assert_eq!(reach(&[]), Some(Reach::ZERO));
        assert_eq!(reach(&[1.0, f64::INFINITY]), None);
        assert_eq!(reach(&[f64::NEG_INFINITY]), None);
        for value in [1.0, 1.5, -0.3, 8.0, 7.999, 1e300, f64::MIN_POSITIVE, 5e-324, 1e-310, f64::MAX / 4.0] {
            let Reach { most, unit } = reach(&[value, 0.0]).unwrap();
            assert!(value.abs() <= 2f64.powi(most) && (most < -1020 || value.abs() * 4.0 >= 2f64.powi(most)));
            let units = value / 2f64.powi(unit.max(-1022)) * 2f64.powi(unit.max(-1022) - unit);
            assert_eq!(units.fract(), 0.0, "{value:e}");
        }
        let far = reach(&[1.0, 1e100]).unwrap();
        assert_eq!(Split::of(far).map(|split| split.rows(far)), Some(0));
        let narrow = Reach::of(&[1.0, 2f64.powi(30)], 24).unwrap();
        assert!(Split::of(narrow).is_some_and(|split| split.rows(narrow) > 1 << 20));
    }
}
