//! Parts of a time that come round: hours of the day, minutes of the hour.

use super::wide::widest;

/// 1.5 * 2^52: the low bits of its sum with a whole number below 2^51 are that number.
const MAGIC: f64 = 6_755_399_441_055_744.0;
const MAGIC_BITS: i64 = MAGIC.to_bits() as i64;

/// Whole numbers below this are exact in [`MAGIC`].
const EXACT: i64 = 1 << 51;

widest! {
    /// `floor(value / unit) mod cycle` of every value, for positive `unit` and `cycle` of less than 2^51.
    pub fn part_of_cycle(values: &[i64], unit: i64, cycle: i64) -> Vec<i64> {
        // Halving both sides as often as the unit allows keeps the floor and makes the numbers small.
        let shift = unit.trailing_zeros();
        let odd = unit >> shift;
        let reach = values.iter().fold(0, |reach, &value| reach | ((value >> shift) ^ (value >> 63)));
        if reach >= EXACT {
            return values.iter().map(|&value| value.div_euclid(unit).rem_euclid(cycle)).collect();
        }
        // The quotient of whole numbers n < 2^51 and d is at least 1/d below the next whole number, and its
        // rounding error is below n/d * 2^-53 < 1/d: its floor is right.
        let (odd, cycle) = (odd as f64, cycle as f64);
        values
            .iter()
            .map(|&value| {
                let whole = f64::from_bits(((value >> shift) + MAGIC_BITS) as u64) - MAGIC;
                let units = (whole / odd).floor();
                let part = units - (units / cycle).floor() * cycle;
                (part + MAGIC).to_bits() as i64 - MAGIC_BITS
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_minutes_and_seconds_are_those_of_integer_division() {
        let mut values = vec![0, 1, -1, i64::MAX, i64::MIN, EXACT, -EXACT, EXACT - 1];
        for unit in [1, 60, 3600, 3_600_000, 60_000_000, 3_600_000_000_000_i64] {
            for k in [0, 1, 23, 24, 25, 59, 60, 61, 394_464, 2_562_046] {
                for d in [-1, 0, 1] {
                    values.extend([k * unit + d, d - k * unit]);
                }
            }
        }
        let mut random = 1_u64;
        values.extend((0..2000).map(|i| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random as i64) >> (i % 64)
        }));
        for unit in [1, 60, 3600, 1_000_000, 3_600_000_000, 60_000_000_000, 3_600_000_000_000] {
            for cycle in [24, 60] {
                let naive = |v: &i64| v.div_euclid(unit).rem_euclid(cycle);
                for part in values.chunks(37).chain([&values[..], &[]]) {
                    let expected: Vec<i64> = part.iter().map(naive).collect();
                    assert_eq!(part_of_cycle(part, unit, cycle), expected, "{unit} {cycle}");
                }
            }
        }
    }
}
