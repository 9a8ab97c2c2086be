//! Numbers of the few texts of at most four bytes that most rows of a column have, found for eight rows at a time.

use super::ids::scatter;
use super::text::Offset;
#[cfg(target_arch = "x86_64")]
use super::wide::{Level, level, widest};

/// Texts that are known at most.
const MOST: usize = 8;
/// Bytes of the longest of them.
const LONGEST: usize = 4;
/// Of a number, the bits that hold the length of its text: one of 7 bytes is in no place.
const LENGTH_BITS: u32 = 3;
const FREE: u32 = (1 << LENGTH_BITS) - 1;
/// How often places are looked for before texts are taken to be too many: of eight words one factor in 416 keeps all apart.
const TRIALS: u64 = 1 << 13;

/// Rows whose numbers are found together.
pub(super) const ROWS: usize = 64;

/// Texts and their numbers, in eight places by the product of their bytes with a factor that was tried out.
#[derive(Debug, Clone)]
pub(super) struct FewTexts {
    /// The bytes of the text in each place, followed by zeros.
    words: [u32; MOST],
    /// Its number, and its length in the lowest bits.
    numbers: [u32; MOST],
    factor: u32,
    known: usize,
    are_too_many: bool,
}

impl Default for FewTexts {
    fn default() -> FewTexts {
        FewTexts { words: [0; MOST], numbers: [FREE; MOST], factor: 1, known: 0, are_too_many: false }
    }
}

impl FewTexts {
    fn place(word: u32, factor: u32) -> usize {
        (word.wrapping_mul(factor) >> (u32::BITS - MOST.trailing_zeros())) as usize
    }

    /// Adds the text that `word` begins with, of `length` bytes, whose number is `id`.
    pub(super) fn learn(&mut self, word: u64, length: usize, id: u32) {
        if self.are_too_many || length > LONGEST || id >= 1 << (u32::BITS - LENGTH_BITS) {
            return;
        }
        let (word, number) = (word as u32, id << LENGTH_BITS | length as u32);
        let places = self.words.into_iter().zip(self.numbers).filter(|&(_, number)| number != FREE);
        // Texts that differ in zeros at their ends alone have one place: the first of them is known.
        let place = FewTexts::place(word, self.factor);
        if self.numbers[place] != FREE && self.words[place] == word {
            return;
        }
        let texts: Vec<(u32, u32)> = places.chain([(word, number)]).collect();
        let factors = (0..TRIALS).map(|trial| scatter(trial) as u32 | 1);
        match factors.filter_map(|factor| FewTexts::apart(&texts, factor)).next() {
            Some(apart) => *self = apart,
            None => self.are_too_many = true,
        }
    }

    /// Each text in a place of its own, if `factor` keeps them apart.
    fn apart(texts: &[(u32, u32)], factor: u32) -> Option<FewTexts> {
        let mut few = FewTexts { factor, known: texts.len(), ..FewTexts::default() };
        for &(word, number) in texts {
            let place = FewTexts::place(word, factor);
            if few.numbers[place] != FREE {
                return None;
            }
            (few.words[place], few.numbers[place]) = (word, number);
        }
        Some(few)
    }

    /// Writes the numbers of 64 texts; false where not all of them are known, or where they do not lie one behind the
    /// other with some bytes to spare behind them. Text `i` is `bytes[ends[i]..ends[i + 1]]`.
    pub(super) fn write<O: Offset>(&self, ends: &[O], bytes: &[u8], ids: &mut [u32]) -> bool {
        #[cfg(target_arch = "x86_64")]
        if self.known > 0
            && !self.are_too_many
            && level() != Level::Any
            && let (Some(ends), Some(ids)) = (ends.first_chunk(), ids.first_chunk_mut())
            && are_short(ends, bytes.len())
        {
            #[expect(unsafe_code, reason = "calls for a feature just detected")]
            // SAFETY: every level but the last has AVX2, and `are_short` vouches for the places.
            return unsafe { avx2::write(self, ends, bytes, ids) };
        }
        let _ = (ends, bytes, ids);
        false
    }
}

#[cfg(target_arch = "x86_64")]
widest! {
    /// Whether the texts lie one behind the other, none is longer than four bytes, and 16 bytes follow the start of each.
    fn are_short<O: Offset>(ends: &[O; ROWS + 1], available: usize) -> bool {
        let mut bits = 0;
        for (start, end) in ends[..ROWS].iter().zip(&ends[1..]) {
            let length = end.place().wrapping_sub(start.place());
            // Of a length up to 4, and of no other, neither has more than three bits.
            bits |= length | length.wrapping_add(7 - LONGEST);
        }
        let needed = ends[0].place().checked_add(LONGEST * ROWS + 16);
        bits < 8 && needed.is_some_and(|needed| needed <= available)
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::*;

    use super::{FewTexts, LENGTH_BITS, MOST, Offset, ROWS};

    /// How many offsets ahead memory is asked for, as in [`cut`](super::super::cut).
    const AHEAD: usize = 1024;

    /// The texts must be short as by [`are_short`](super::are_short).
    #[expect(unsafe_code, reason = "reads at places that the caller has tested")]
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn write<O: Offset>(
        few: &FewTexts,
        ends: &[O; ROWS + 1],
        bytes: &[u8],
        ids: &mut [u32; ROWS],
    ) -> bool {
        let all = |value: u32| _mm256_set1_epi32(value.cast_signed());
        let (words, numbers, factor) = (vector(&few.words), vector(&few.numbers), all(few.factor));
        let (one, length_bits) = (all(1), all((1 << LENGTH_BITS) - 1));
        // The number of a byte within its half is that of its text's first byte and these.
        let within = all(0x03_02_01_00);
        let spread = {
            let each = |row: i32| row * 0x04_04_04_04;
            _mm256_setr_epi32(each(0), each(1), each(2), each(3), each(0), each(1), each(2), each(3))
        };
        let mut differing = _mm256_setzero_si256();
        for (first, ids) in (0..).step_by(MOST).zip(ids.as_chunks_mut::<MOST>().0) {
            _mm_prefetch::<_MM_HINT_T0>(ends.as_ptr().wrapping_add(first + AHEAD).cast());
            let starts = vector(&std::array::from_fn(|i| ends[first + i].place() as u32));
            let after = vector(&std::array::from_fn(|i| ends[first + i + 1].place() as u32));
            // SAFETY: 16 bytes follow the start of every text.
            let texts = unsafe {
                let half = |row: usize| _mm_loadu_si128(bytes.as_ptr().add(ends[row].place()).cast());
                _mm256_set_m128i(half(first + MOST / 2), half(first))
            };
            let places = _mm256_sub_epi32(starts, _mm256_shuffle_epi32::<0>(starts));
            let places = _mm256_add_epi8(_mm256_shuffle_epi8(places, spread), within);
            let lengths = _mm256_sub_epi32(after, starts);
            let mask = _mm256_sub_epi32(_mm256_sllv_epi32(one, _mm256_slli_epi32::<3>(lengths)), one);
            let text = _mm256_and_si256(_mm256_shuffle_epi8(texts, places), mask);
            let place = _mm256_srli_epi32::<29>(_mm256_mullo_epi32(text, factor));
            let number = _mm256_permutevar8x32_epi32(numbers, place);
            let other_text = _mm256_xor_si256(_mm256_permutevar8x32_epi32(words, place), text);
            let other_length = _mm256_and_si256(_mm256_xor_si256(number, lengths), length_bits);
            differing = _mm256_or_si256(differing, _mm256_or_si256(other_text, other_length));
            *ids = lanes(_mm256_srli_epi32::<{ LENGTH_BITS as i32 }>(number));
        }
        _mm256_testz_si256(differing, differing) == 1
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn vector(lanes: &[u32; MOST]) -> __m256i {
        #[expect(unsafe_code, reason = "a load of a vector")]
        // SAFETY: eight words lie there.
        unsafe {
            _mm256_loadu_si256(lanes.as_ptr().cast())
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn lanes(vector: __m256i) -> [u32; MOST] {
        let mut lanes = [0; MOST];
        #[expect(unsafe_code, reason = "a store of a vector")]
        // SAFETY: there is room for eight words.
        unsafe {
            _mm256_storeu_si256(lanes.as_mut_ptr().cast(), vector);
        }
        lanes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::wide::{Level, level};

    fn column(texts: &[&str]) -> (Vec<u8>, Vec<i64>) {
        let mut bytes = Vec::new();
        let mut ends = vec![0];
        for text in texts {
            bytes.extend_from_slice(text.as_bytes());
            ends.push(bytes.len() as i64);
        }
        bytes.resize(bytes.len() + 4 * ROWS + 16, b'.');
        (bytes, ends)
    }

    fn word(text: &str) -> u64 {
        let mut eight = [0; 8];
        eight[..text.len()].copy_from_slice(text.as_bytes());
        u64::from_le_bytes(eight)
    }

    fn knowing(texts: &[&str]) -> FewTexts {
        let mut few = FewTexts::default();
        for (id, text) in (1..).zip(texts) {
            few.learn(word(text), text.len(), id);
        }
        few
    }

    #[test]
    fn known_texts_are_numbered_and_no_other_is_taken_for_one() {
        let names = ["CMT", "VTS", "DDS", "Juno", "", "a", "é", "\0"];
        let few = knowing(&names);
        assert_eq!((few.known, few.are_too_many), (7, false), "\"\" and \"\\0\" have the same bytes");
        let few = knowing(&names[..7]);
        for shift in 0..names.len() {
            let known: Vec<&str> = (0..ROWS).map(|row| names[(row * row + shift) % 7]).collect();
            let (bytes, ends) = column(&known);
            let mut ids = [0; ROWS];
            let is_known = few.write(&ends, &bytes, &mut ids);
            assert_eq!(is_known, level() != Level::Any);
            let naive =
                known.iter().map(|text| 1 + names.iter().position(|name| name == text).unwrap() as u32);
            assert!(!is_known || naive.eq(ids), "{known:?}");
            for strange in ["\0", "a\0", "CM", "CMT\0", "CMT5", "Juno2", "5", "VTSVTSVTS"] {
                for row in [0, 1, 31, 63] {
                    let mut texts = known.clone();
                    texts[row] = strange;
                    let (bytes, ends) = column(&texts);
                    assert!(!few.write(&ends, &bytes, &mut ids), "{strange:?}");
                }
            }
        }
    }

    #[test]
    fn offsets_that_descend_or_lead_outside_are_left_to_others() {
        let few = knowing(&["ab"]);
        let (bytes, good) = column(&["ab"; ROWS]);
        let narrow: Vec<i32> = good.iter().map(|&end| end as i32).collect();
        let mut ids = [0; ROWS];
        assert_eq!(few.write(&narrow, &bytes, &mut ids), level() != Level::Any);
        assert!(!few.write(&good, &bytes[..130], &mut ids));
        assert!(!few.write(&good[..10], &bytes, &mut ids));
        for (at, wrong) in [(0, -1), (0, i64::MIN), (5, 0), (5, i64::MAX), (64, i64::MIN), (63, 1 << 32)] {
            let mut ends = good.clone();
            ends[at] = wrong;
            assert!(!few.write(&ends, &bytes, &mut ids), "{wrong} at {at}");
        }
        let far: Vec<i64> = good.iter().map(|&end| end + (i64::MAX - 1000)).collect();
        assert!(!few.write(&far, &bytes, &mut ids));
    }

    #[test]
    fn more_texts_than_there_are_places_are_given_up() {
        let names: Vec<String> = (0..40).map(|i| format!("{i}")).collect();
        let few = knowing(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let (bytes, ends) = column(&["1"; ROWS]);
        assert!(few.are_too_many && !few.write(&ends, &bytes, &mut [0; ROWS]));
    }
}
