//! Loops over slices against loops that say the same row by row.

use outcrop::kernel::compare::{Side, unpack};
use outcrop::kernel::fold::{self, Sum};
use outcrop::kernel::select::select;
use outcrop::kernel::text::equal;
use outcrop::kernel::total::{
    BLOCK, Summand, Sums, count_nan, extreme_reals, extreme_whole, sum_reals, sum_whole,
};

use crate::common::{Random, awkward_floats};

const LENGTHS: [usize; 10] = [0, 1, 7, 15, 16, 17, 63, 64, 65, 1000];

fn words(bits: &[bool]) -> Vec<u64> {
    let word = |bits: &[bool]| bits.iter().enumerate().fold(0, |word, (i, bit)| word | u64::from(*bit) << i);
    bits.chunks(64).map(word).collect()
}

fn random_bits(rows: usize, seed: u64) -> Vec<bool> {
    let mut random = Random::new(seed);
    (0..rows).map(|_| random.below(3) == 0).collect()
}

/// The sum of slices added one after the other, and how many values were NaN.
fn summed<T: Summand>(slices: &[&[T]]) -> (Sum, u64) {
    let (mut sums, mut sum) = (Sums::default(), Sum::default());
    slices.iter().for_each(|values| sum_reals(values, &mut sums));
    sums.add_to(&mut sum);
    (sum, sums.missing())
}

#[test]
fn sums_of_whole_slices_pass_over_nan_and_lose_no_digit() {
    for rows in LENGTHS {
        let values: Vec<f64> = awkward_floats(rows, 5).into_iter().flatten().collect();
        let finite: Vec<f64> = values.iter().copied().filter(|v| !v.is_infinite()).collect();
        for values in [&values, &finite] {
            let (sum, missing) = summed(&[values]);
            let parts: Vec<&[f64]> = values.chunks(BLOCK).collect();
            let (by_parts, _) = summed(&parts);
            assert_eq!(by_parts.high.to_bits(), sum.high.to_bits());
            assert_eq!(by_parts.low.to_bits(), sum.low.to_bits());
            let mut naive = Sum::default();
            values.iter().filter(|v| !v.is_nan()).for_each(|v| naive.add(*v));
            let (found, expected) = (sum.value(), naive.value());
            let close = (found - expected).abs() <= 1e-15 * expected.abs();
            assert!(
                close || found == expected || (found.is_nan() && expected.is_nan()),
                "{found} {expected}"
            );
            let nans = values.iter().filter(|v| v.is_nan()).count() as u64;
            assert_eq!(missing, nans);
            let mut counted = 0;
            count_nan(values, &mut counted);
            assert_eq!(counted, nans);
        }
    }
    // Where no addition of a block rounds, and where some would.
    for (seed, spread) in [(1, 1.0f32), (2, 1e3), (3, 1e6), (4, 1e12), (5, 1e38)] {
        let mut random = Random::new(seed);
        let mut value = |i: usize| match random.below(20) {
            0 => 0.0,
            1 => -0.0,
            2 if i > 3 * BLOCK => f32::NAN,
            3 => f32::MIN_POSITIVE / 64.0 * spread,
            _ => (random.unit() as f32 - 0.4) * (random.unit() as f32).powi(4) * spread,
        };
        let values: Vec<f32> = (0..5 * BLOCK + 7).map(&mut value).collect();
        for values in [&values[..], &values[..BLOCK], &values[3..2 * BLOCK]] {
            let (sum, missing) = summed(&[values]);
            let mut naive = Sum::default();
            values.iter().filter(|v| !v.is_nan()).for_each(|v| naive.add(f64::from(*v)));
            assert!((sum.value() - naive.value()).abs() <= 1e-15 * naive.value().abs(), "{spread}");
            assert_eq!(missing, values.iter().filter(|v| v.is_nan()).count() as u64);
        }
    }
    let (sum, _) = summed(&[&[-0.0f32; BLOCK]]);
    assert_eq!(sum.value().to_bits(), 0);
    let (sum, _) = summed(&[&[f32::INFINITY; BLOCK]]);
    assert_eq!(sum.value(), f64::INFINITY);
    // What cancels is not lost, whichever chain it falls into.
    for step in 1..40 {
        let mut values = vec![1.0; 200];
        values[7] = 1e100;
        values[7 + step] = -1e100;
        let (sum, _) = summed(&[&values]);
        assert_eq!(sum.value(), 198.0, "{step}");
    }
    let (sum, missing) = summed(&[&[1.5f32, f32::NAN, -0.0]]);
    assert_eq!((sum.value(), missing), (1.5, 1));
}

#[test]
fn sums_of_whole_numbers_are_exact_in_every_type() {
    macro_rules! check {
        ($($t:ty),*) => {$(
            for rows in LENGTHS {
                let mut random = Random::new(9);
                let pick = |random: &mut Random| match random.below(4) {
                    0 => <$t>::MAX,
                    1 => <$t>::MIN,
                    _ => random.bits() as $t,
                };
                let values: Vec<$t> = (0..rows).map(|_| pick(&mut random)).collect();
                let mut sum = -5;
                sum_whole(&values, &mut sum);
                assert_eq!(sum, values.iter().map(|v| i128::from(*v)).sum::<i128>() - 5);
                for greatest in [false, true] {
                    let mut best = 3;
                    extreme_whole(&values, &mut best, greatest);
                    let all = values.iter().copied().chain([3]);
                    assert_eq!(Some(best), if greatest { all.max() } else { all.min() });
                }
            }
        )*};
    }
    check!(i8, i16, i32, i64, u8, u16, u32, u64);
    let mut sum = 0;
    sum_whole(&vec![i64::MIN; 100_000], &mut sum);
    assert_eq!(sum, i128::from(i64::MIN) * 100_000);
}

#[test]
fn extremes_of_reals_pass_over_nan_and_on_demand_over_infinities() {
    for rows in LENGTHS {
        let values: Vec<f64> = awkward_floats(rows, 6).into_iter().flatten().collect();
        for (greatest, finite) in [(false, false), (false, true), (true, false), (true, true)] {
            let (none, better): (_, fn(f64, f64) -> f64) =
                if greatest { (f64::NEG_INFINITY, f64::max) } else { (f64::INFINITY, f64::min) };
            let mut best = none;
            extreme_reals(&values, &mut best, greatest, finite);
            let wanted = values.iter().filter(|v| !v.is_nan() && (!finite || v.is_finite()));
            assert_eq!(best, wanted.fold(none, |best, v| better(best, *v)));
        }
    }
}

#[test]
fn one_of_two_values_is_taken_by_the_rows_bit() {
    for rows in LENGTHS {
        let bits = random_bits(rows, 4);
        let (yes, no): (Vec<u32>, Vec<u32>) =
            ((0..rows as u32).collect(), (0..rows as u32).map(|i| !i).collect());
        let packed = words(&bits);
        for (each_yes, each_no) in [(true, true), (true, false), (false, true), (false, false)] {
            let found = select(
                &packed,
                if each_yes { Side::Each(&yes) } else { Side::One(7) },
                if each_no { Side::Each(&no) } else { Side::One(8) },
                rows,
            );
            let one = |i: usize| match bits[i] {
                true => {
                    if each_yes {
                        yes[i]
                    } else {
                        7
                    }
                }
                false => {
                    if each_no {
                        no[i]
                    } else {
                        8
                    }
                }
            };
            assert_eq!(found, (0..rows).map(one).collect::<Vec<_>>());
        }
        assert_eq!(unpack(&packed, rows), bits.iter().map(|bit| u8::from(*bit)).collect::<Vec<_>>());
    }
}

#[test]
fn texts_equal_a_text_when_every_byte_does() {
    let pool =
        ["", "C", "CM", "CMT", "CMTX", "VTS", "CMT\0", "\0", "é", "12345678", "123456789", "12345678x"];
    let mut random = Random::new(3);
    // Of short texts alone, of those among which some are longer, and of any.
    for (rows, chosen) in
        LENGTHS.into_iter().chain([200, 1000]).flat_map(|rows| [(rows, 9), (rows, 10), (rows, pool.len())])
    {
        let texts: Vec<&str> = (0..rows)
            .map(|row| {
                pool[random.below(if row % 100 == 70 { chosen } else { chosen.min(9) } as u64) as usize]
            })
            .collect();
        let bytes: Vec<u8> = texts.iter().flat_map(|text| text.bytes()).collect();
        let mut offsets = vec![0i64];
        for text in &texts {
            offsets.push(offsets.last().unwrap() + text.len() as i64);
        }
        let narrow: Vec<i32> = offsets.iter().map(|offset| *offset as i32).collect();
        for wanted in pool {
            let expected = words(&texts.iter().map(|text| *text == wanted).collect::<Vec<_>>());
            assert_eq!(equal(&bytes, &offsets, wanted.as_bytes()), expected, "{wanted}");
            assert_eq!(equal(&bytes, &narrow, wanted.as_bytes()), expected, "{wanted}");
            if rows > 3 {
                let part = words(&texts[3..].iter().map(|text| *text == wanted).collect::<Vec<_>>());
                assert_eq!(equal(&bytes, &offsets[3..], wanted.as_bytes()), part, "{wanted}");
            }
        }
    }
}

#[test]
fn cells_of_codes_are_those_of_slots_of_any_width() {
    let mut random = Random::new(8);
    for rows in [0, 1, 7, 64, 1000, 2049] {
        for (first_count, second_count) in [(1, 1), (5, 7), (256, 256), (3, 84)] {
            let mut slots = |count: u64| (0..rows).map(|_| random.below(count) as u8).collect::<Vec<u8>>();
            let (first, second, third) = (slots(first_count), slots(second_count), slots(9));
            let stride = second_count as u32;
            let expected: Vec<u32> =
                first.iter().zip(&second).map(|(&i, &j)| u32::from(i) * stride + u32::from(j)).collect();
            let wide = |slots: &[u8]| slots.iter().map(|&slot| u32::from(slot)).collect::<Vec<u32>>();
            let mut words = vec![0u16; rows];
            fold::cells_of_two(&first, &second, stride, &mut words);
            assert!(words.iter().map(|&cell| u32::from(cell)).eq(expected.iter().copied()));
            let mut cells = vec![0u32; rows];
            fold::cells_of_two(&first, &wide(&second), stride, &mut cells);
            assert_eq!(cells, expected);
            fold::cells_of_two(&third, &words, stride * 256, &mut cells);
            let mut added = expected.clone();
            fold::add_axis(&third, stride * 256, &mut added);
            assert_eq!(cells, added);
            let naive = third.iter().zip(&expected).map(|(&i, &cell)| u32::from(i) * stride * 256 + cell);
            assert!(added.iter().copied().eq(naive));
            let mut widened = vec![0; rows];
            fold::widen(&first, &mut widened);
            assert_eq!(widened, wide(&first));

            let chosen: Vec<u32> = (0..rows as u32).filter(|row| row % 3 != 1).collect();
            let mut naive = vec![0; 1 << 16];
            chosen.iter().for_each(|&row| naive[usize::from(words[row as usize])] += 1);
            let (mut one, mut four) = (vec![0; 1 << 16], vec![0; 4 << 16]);
            fold::count_chosen(&words, &chosen, &mut one);
            fold::count_chosen_in_four(&words, &chosen, &mut four);
            let together: Vec<u32> =
                (0..1 << 16).map(|cell| four.chunks(1 << 16).map(|part| part[cell]).sum()).collect();
            assert_eq!((&one, &together), (&naive, &naive));
            let (mut one, mut four) = (vec![0; 256], vec![0; 4 * 256]);
            fold::count(&first, &mut one);
            fold::count_in_four(&first, &mut four);
            let together: Vec<u32> =
                (0..256).map(|cell| four.chunks(256).map(|part| part[cell]).sum()).collect();
            assert_eq!(one, together);
            assert_eq!(one.iter().sum::<u32>() as usize, rows);
        }
    }
}
