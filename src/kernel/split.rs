//! Reals cut in two whole numbers, so that neither the upper nor the lower halves round when they are added up.
//!
//! After Demmel and Nguyen, "Fast Reproducible Floating-Point Summation" (ARITH 2013), with sums in integers. Let a value
//! be a multiple of `2^fine` and at most `2^(fine + 2 bits)` in magnitude, and `coarse = fine + bits`. Then
//! `2^(coarse + 52) + 2^(coarse + bits) + v` is `v` rounded to a multiple of `2^coarse`, and its bits, as those of a whole
//! number, are the bits of the constant plus that multiple. They are those of `2^(coarse + 52)` in all places from
//! `bits + 2` on just where the multiple lies in `-2^bits .. 3 * 2^bits`, which tells whether `v` is near enough. What is
//! left of `v` is exact, at most half of `2^coarse`, and becomes a multiple of `2^fine` in the same way, by a constant
//! `1.5 * 2^(fine + 52)`. Such whole numbers of `2^(61 - bits)` rows add up in 64 bits, where the constants of all rows,
//! wrapped around, are taken away at the end.
//!
//! A cut that is *marked* counts the rows too: its upper halves have fewer bits and its constant a higher one more, the
//! mark, below which those of all rows add up. The bits from the mark on are then the number of rows times an odd number.

use super::fold::Sum;
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    /// Lower halves are multiples of `2^fine`.
    fine: i32,
    /// Bits of a lower half.
    bits: i32,
    /// Bits of an upper half.
    upper_bits: i32,
    /// Binary logarithm of the rows that certainly add up.
    rows: i32,
    /// Place of the bit of the constant that counts rows.
    mark: Option<i32>,
}

/// The numbers that are added to round to either half.
#[derive(Debug, Clone, Copy)]
pub(super) struct Halves {
    pub(super) upper: f64,
    pub(super) lower: f64,
    /// Bits of an upper half that fits, but for those places that are not `beyond`.
    pub(super) base: u64,
    pub(super) beyond: u64,
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

/// Bits by which rows times halves may fill a word with its sign.
const WORD: i32 = 61;
/// Most bits of a half, of the 52 after the point of a constant.
const MOST_BITS: i32 = 50;
/// Fewest rows that a marked cut is for: the mark must lie among the 52 places.
const LEAST_MARKED: u64 = 1 << 13;

fn power(exponent: i32) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

impl Split {
    /// A cut for values of this reach, with as much room on either side as lets `rows` rows add up, or fewer where their
    /// reach is too wide for that. `None` where it is too wide for any, or exponents leave the range of numbers.
    pub fn of(reach: Reach, rows: u64) -> Option<Split> {
        let wanted = WORD - rows.max(1).next_power_of_two().trailing_zeros() as i32;
        let (most, unit) = if reach == Reach::ZERO { (0, 0) } else { (reach.most, reach.unit) };
        let width = most - unit;
        let bits = wanted.clamp(1, MOST_BITS).max((width + 1) / 2);
        // Three quarters of the room are left to smaller values: there are more magnitudes below the least than above the
        // greatest of what is measured or drawn.
        let fine = unit - (2 * bits - width) * 3 / 4;
        let split = Split { fine, bits, upper_bits: bits, rows: WORD - bits, mark: None };
        (bits <= MOST_BITS && split.is_normal()).then_some(split)
    }

    /// A marked cut for values of this reach, and some more on either side, that lets so many rows add up; `None` where
    /// the reach is too wide.
    pub fn marked(reach: Reach, rows: u64) -> Option<Split> {
        /// What is left to other magnitudes.
        const SPARE: i32 = 4;
        let rows = rows.max(LEAST_MARKED).next_power_of_two().trailing_zeros() as i32;
        let mark = 63 - rows;
        let (bits, upper_bits) = (63 - rows, mark - rows - 2);
        let (most, unit) = if reach == Reach::ZERO { (0, 0) } else { (reach.most, reach.unit) };
        let spare = bits + upper_bits - (most - unit);
        let split = Split { fine: unit - spare / 2, bits, upper_bits, rows, mark: Some(mark) };
        (upper_bits > 0 && spare >= SPARE && split.is_normal()).then_some(split)
    }

    fn is_normal(self) -> bool {
        self.fine > -960 && self.fine + self.bits + self.upper_bits < 900
    }

    /// How many rows certainly add up.
    pub fn rows(self) -> u64 {
        1 << self.rows
    }

    pub(super) fn is_marked(self) -> bool {
        self.mark.is_some()
    }

    /// Of how many rows these are the upper halves of a marked cut, added up.
    pub(super) fn rows_of(self, upper: u64) -> u64 {
        let Some(mark) = self.mark else { return 0 };
        let odd = self.halves().base >> mark;
        // Newton's iteration for its inverse, modulo 2^64; each step doubles the bits that are right, of first three.
        let inverse = (0..5)
            .fold(odd, |inverse: u64, _| inverse.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(inverse))));
        (upper >> mark).wrapping_mul(inverse) & (u64::MAX >> mark)
    }

    /// A magnitude up to which values may be cut.
    pub(super) fn limit(self) -> f64 {
        power(self.fine + self.bits + self.upper_bits)
    }

    pub(super) fn halves(self) -> Halves {
        let coarse = self.fine + self.bits;
        let base = power(coarse + 52) + self.mark.map_or(0.0, |mark| power(coarse + mark));
        Halves {
            upper: base + self.limit(),
            lower: 1.5 * power(self.fine + 52),
            base: base.to_bits(),
            beyond: u64::MAX << (self.upper_bits + 2),
        }
    }

    /// What `rows` values add up to, of whose halves these are the sums, wrapped around.
    pub(super) fn sum(self, upper: u64, lower: u64, rows: u64) -> Sum {
        let without =
            |sum: u64, constant: f64| sum.wrapping_sub(rows.wrapping_mul(constant.to_bits())).cast_signed();
        let halves = self.halves();
        let (upper, lower) = (without(upper, halves.upper), without(lower, halves.lower));
        // Three parts, none of more digits than a double: the machine knows no integers of 128 bits.
        let upper = upper + (lower >> self.bits);
        let lower = lower & ((1 << self.bits) - 1);
        let mut sum = Sum { high: (upper >> 32) as f64 * power(32), low: 0.0 };
        sum.add(f64::from(upper as u32));
        let coarse = power(self.bits);
        sum = Sum { high: sum.high * coarse, low: sum.low * coarse };
        sum.add(lower as f64);
        let high = sum.high + sum.low;
        let low = sum.low - (high - sum.high);
        Sum { high: high * power(self.fine), low: low * power(self.fine) }
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

    /// The sum of `values` by halves.
    fn by_halves(values: &[f64], split: Split) -> Sum {
        let Halves { upper, lower, .. } = split.halves();
        let (mut uppers, mut lowers) = (0u64, 0u64);
        for value in values {
            assert!(value.abs() <= split.limit());
            let half = value + upper;
            let rest = value - (half - upper);
            assert_eq!(rest, (rest + lower) - lower);
            uppers = uppers.wrapping_add(half.to_bits());
            lowers = lowers.wrapping_add((rest + lower).to_bits());
        }
        split.sum(uppers, lowers, values.len() as u64)
    }

    #[test]
    fn not_a_digit_is_lost() {
        for (seed, centre) in [-850, -40, 0, 3, 790].into_iter().enumerate() {
            for (spread, rows) in [(1, 1 << 20), (2, 4096), (10, 4096), (20, 1 << 20), (30, 4096)] {
                let values: Vec<f64> = random(seed as u64, 4096)
                    .map(|(v, e)| v * 2f64.powi(centre + e % spread))
                    .chain([0.0, -0.0])
                    .collect();
                let split = Split::of(Reach::of(&values, 53).unwrap(), rows).unwrap();
                assert!(split.rows() >= 4096.max(rows >> 5), "{centre} {spread} {split:?}");
                let Sum { high, low } = by_halves(&values, split);
                assert_eq!(exactly([high, low].into_iter()), exactly(values.into_iter()));
            }
        }
    }

    #[test]
    fn as_many_rows_as_are_allowed_do_not_wrap_around() {
        for value in [1.0, 1.1, -0.1, 1.0 - f64::EPSILON, 2f64.powi(300) * 1.7, 1e-200] {
            let split = Split::of(Reach::of(&[value], 53).unwrap(), 1 << 20).unwrap();
            let rows = split.rows();
            assert_eq!(rows, 1 << 20);
            for value in [value, split.limit(), -split.limit()] {
                let Halves { upper, lower, .. } = split.halves();
                let half = value + upper;
                let rest = (value - (half - upper)) + lower;
                let all = |half: f64| half.to_bits().wrapping_mul(rows);
                // A power of two times the value.
                let sum = split.sum(all(half), all(rest), rows);
                assert_eq!(sum, Sum { high: value * rows as f64, low: 0.0 });
            }
        }
    }

    #[test]
    fn a_marked_cut_counts_as_many_rows_as_are_allowed() {
        for (low, high, rows) in
            [(2.5, 300.0, 1 << 20), (1.0, 1.0, 1 << 20), (0.37, 200.0, 1 << 18), (1e-3, 9e3, 1 << 13)]
        {
            let split = Split::marked(Reach::of(&[low, high], 53).unwrap(), rows).unwrap();
            assert_eq!(split.rows(), rows);
            for value in [low, high, 0.0, -high, split.limit(), -split.limit(), 2.9 * split.limit()] {
                let Halves { upper, lower, base, beyond } = split.halves();
                let half = value + upper;
                let rest = value - (half - upper);
                assert_eq!((half.to_bits() ^ base) & beyond, 0, "{value}");
                assert_eq!(rest, (rest + lower) - lower);
                for rows in [0, 1, 2, 3, 1000, rows - 1, rows] {
                    let all = |half: f64| half.to_bits().wrapping_mul(rows);
                    assert_eq!(split.rows_of(all(half)), rows);
                    let Sum { high, low } = split.sum(all(half), all(rest + lower), rows);
                    assert_eq!(high + low, value * rows as f64);
                }
            }
        }
        assert_eq!(Split::marked(Reach::of(&[1e-9, 1e9], 53).unwrap(), 1 << 18), None);
        assert_eq!(Split::marked(Reach::of(&[1.0], 53).unwrap(), 1 << 40), None);
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
        assert_eq!(Split::of(reach(&[1.0, 1e100]).unwrap(), 1), None);
        let narrow = Reach::of(&[1.0, 2f64.powi(30)], 24).unwrap();
        assert!(Split::of(narrow, 1 << 20).is_some_and(|split| split.rows() >= 1 << 20));
    }
}
