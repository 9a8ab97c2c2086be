//! Values into small numbers: whole numbers that lie close together by their place, others in the order in which
//! they are met.

use super::wide::widest;

/// Most entries of the table that is looked up directly: 1 MiB, the second-level cache.
const MOST_DIRECT: u64 = 1 << 18;
/// Most words that are numbered by their place before they are met.
const MOST_PLACES: u64 = 1 << 12;
/// Values that tell how close together the others will lie.
const TELLING: usize = 256;
/// Slots of the smallest hash table.
const LEAST_SLOTS: usize = 256;
/// Words whose slots are fetched ahead of being looked at.
const AHEAD: usize = 32;

/// A value that is found by 64 bits of it: equal values have equal words, close whole numbers close words.
pub trait Word: Copy {
    /// The word.
    fn word(self) -> u64;
    /// The value of a word.
    fn from_word(word: u64) -> Self;
}

macro_rules! whole_words {
    ($($t:ty),*) => {
        $(impl Word for $t {
            #[inline]
            fn word(self) -> u64 {
                self as i64 as u64
            }

            #[inline]
            fn from_word(word: u64) -> Self {
                word as Self
            }
        })*
    };
}
whole_words!(i8, i16, i32, i64, u8, u16, u32, u64);

/// Every NaN is one value, and so are -0.0 and 0.0.
impl Word for f64 {
    #[inline]
    fn word(self) -> u64 {
        // `-0.0 + 0.0` is `0.0`.
        if self.is_nan() { f64::NAN.to_bits() } else { (self + 0.0).to_bits() }
    }

    #[inline]
    fn from_word(word: u64) -> f64 {
        f64::from_bits(word)
    }
}

/// Every NaN is one value, and so are -0.0 and 0.0.
impl Word for f32 {
    #[inline]
    fn word(self) -> u64 {
        u64::from(if self.is_nan() { f32::NAN.to_bits() } else { (self + 0.0).to_bits() })
    }

    #[inline]
    fn from_word(word: u64) -> f32 {
        f32::from_bits(word as u32)
    }
}

/// Spreads a word over 64 bits: both halves of its product with a large odd number.
#[inline]
pub fn scatter(word: u64) -> u64 {
    fold(word ^ 0x9e37_79b9_7f4a_7c15, 0xd6e8_feb8_6659_fd93)
}

/// The hash of bytes, of equal bytes the same in every run of the program.
pub fn hash_bytes(bytes: &[u8]) -> u64 {
    let mut hash = bytes.len() as u64;
    for piece in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..piece.len()].copy_from_slice(piece);
        hash = fold(hash ^ u64::from_le_bytes(word), 0xa076_1d64_78bd_642f).wrapping_add(hash << 1);
    }
    scatter(hash)
}

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// The number of every distinct word, from 1; 0 is left to missing values.
#[derive(Debug, Default)]
pub struct WordIds {
    /// Word of number `i + 1`.
    words: Vec<u64>,
    /// Whether all words so far are among `first..`, numbered by their place; then `words` are a power of two.
    by_place: bool,
    /// While the words lie close together: the number of `first + i`, 0 where it was not met.
    direct: Vec<u32>,
    first: u64,
    /// Else: numbers by hash, 0 where free. A power of two, at most half full.
    slots: Vec<u32>,
}

impl WordIds {
    /// These words, which are different, numbered from 1; to be read alone.
    pub fn of(words: Vec<u64>) -> WordIds {
        WordIds { words, ..WordIds::default() }
    }

    /// The words that have numbers, number 1 first; not all of them need to have been met.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// Bytes it holds.
    pub fn bytes(&self) -> usize {
        self.words.capacity() * 8 + (self.direct.capacity() + self.slots.capacity()) * 4
    }

    /// Writes the number of every value; `ids` is as long as `values`.
    pub fn write<T: Word>(&mut self, values: &[T], ids: &mut [u32]) {
        if self.words.is_empty() && values.len() >= TELLING {
            self.expect(values);
        }
        if self.by_place {
            if places(values, self.first, ids) < self.words.len() as u64 {
                return;
            }
            self.by_place = false;
            self.direct = (1..=self.words.len() as u32).collect();
        }
        let mut done = 0;
        if self.slots.is_empty() {
            done = self.write_direct(values, ids);
        }
        let mut rest = ids[done..].chunks_exact_mut(AHEAD);
        let mut values = values[done..].chunks_exact(AHEAD);
        if self.slots.len() >= 1 << 15 {
            for (ids, values) in rest.by_ref().zip(values.by_ref()) {
                let mut words = [0; AHEAD];
                for (word, value) in words.iter_mut().zip(values) {
                    *word = value.word();
                    prefetch(&self.slots, self.slot(*word));
                }
                for (id, word) in ids.iter_mut().zip(words) {
                    *id = self.hashed(word);
                }
            }
        } else {
            for (ids, values) in rest.by_ref().zip(values.by_ref()) {
                for (id, value) in ids.iter_mut().zip(values) {
                    *id = self.hashed(value.word());
                }
            }
        }
        for (id, value) in rest.into_remainder().iter_mut().zip(values.remainder()) {
            *id = self.hashed(value.word());
        }
    }

    /// The number of one word.
    pub fn id(&mut self, word: u64) -> u32 {
        let mut id = [0];
        self.write(&[word], &mut id);
        id[0]
    }

    /// Gives every word a new form; numbers stay. `f` must keep different words different.
    pub fn rewrite(&mut self, f: impl Fn(u64) -> u64) {
        let words = std::mem::take(self).words;
        for word in words {
            self.id(f(word));
        }
    }

    /// Numbers the words around these values by their place, if they are few.
    fn expect<T: Word>(&mut self, values: &[T]) {
        let words = || values.iter().map(|value| value.word() as i64);
        let (Some(least), Some(greatest)) = (words().min(), words().max()) else { return };
        let span = greatest.wrapping_sub(least) as u64;
        if span >= MOST_PLACES {
            return;
        }
        let spare = (span as i64 / 8 + 1).min(if least < 0 { i64::MAX } else { least });
        let length = (span + 2 + 2 * spare as u64).next_power_of_two();
        if length <= MOST_PLACES && values.len() as u64 * 2 >= length {
            self.first = least.wrapping_sub(spare) as u64;
            self.words = (0..length).map(|place| self.first.wrapping_add(place)).collect();
            self.by_place = true;
        }
    }

    /// Looks all values up directly and returns how many that was: all, or those before the first that
    /// lies too far away; then the hash table is set up.
    fn write_direct<T: Word>(&mut self, values: &[T], ids: &mut [u32]) -> usize {
        let mut known = true;
        for (id, value) in ids.iter_mut().zip(values) {
            let place = value.word().wrapping_sub(self.first);
            *id = self.direct.get(place as usize).copied().unwrap_or(0);
            known &= *id != 0;
        }
        if known {
            return values.len();
        }
        for (row, (id, value)) in ids.iter_mut().zip(values).enumerate() {
            if *id != 0 {
                continue;
            }
            let word = value.word();
            if !self.reach(word) {
                self.build(LEAST_SLOTS);
                return row;
            }
            let place = word.wrapping_sub(self.first) as usize;
            if self.direct[place] == 0 {
                self.words.push(word);
                self.direct[place] = self.words.len() as u32;
            }
            *id = self.direct[place];
        }
        values.len()
    }

    /// Widens the direct table to `word`, with room on both sides; false when it lies too far away.
    fn reach(&mut self, word: u64) -> bool {
        let length = self.direct.len() as u64;
        if word.wrapping_sub(self.first) < length {
            return true;
        }
        if length == 0 {
            self.first = word.wrapping_sub(32);
            self.direct = vec![0; 64];
            return true;
        }
        // As signed distances: words wrap around at neither end.
        let above = word.wrapping_sub(self.first) as i64;
        let (before, needed) =
            if above >= 0 { (0, above as u64 + 1) } else { (above.unsigned_abs(), length) };
        let Some(total) = before.checked_add(needed).filter(|&total| total <= MOST_DIRECT) else {
            return false;
        };
        let spare = total.min(MOST_DIRECT - total);
        if above >= 0 {
            self.direct.resize((total + spare) as usize, 0);
        } else {
            let mut wider = vec![0; (before + spare) as usize];
            wider.extend_from_slice(&self.direct);
            self.first = self.first.wrapping_sub(before + spare);
            self.direct = wider;
        }
        true
    }

    /// Sets up a hash table of at least `slots` slots.
    fn build(&mut self, slots: usize) {
        self.direct = Vec::new();
        let slots = slots.max((self.words.len() * 4).next_power_of_two());
        self.slots = vec![0; slots];
        for i in 0..self.words.len() {
            let mut slot = self.slot(self.words[i]);
            while self.slots[slot] != 0 {
                slot = (slot + 1) & (slots - 1);
            }
            self.slots[slot] = i as u32 + 1;
        }
    }

    #[inline]
    fn slot(&self, word: u64) -> usize {
        fold(word, 0x9e37_79b9_7f4a_7c15) as usize & (self.slots.len() - 1)
    }

    #[inline]
    fn hashed(&mut self, word: u64) -> u32 {
        let mask = self.slots.len() - 1;
        let mut slot = self.slot(word);
        loop {
            let id = self.slots[slot];
            if id == 0 {
                return self.insert(word, slot);
            }
            if self.words[id as usize - 1] == word {
                return id;
            }
            slot = (slot + 1) & mask;
        }
    }

    #[inline(never)]
    fn insert(&mut self, word: u64, slot: usize) -> u32 {
        self.words.push(word);
        let id = self.words.len() as u32;
        if self.words.len() * 2 > self.slots.len() {
            self.build(self.slots.len() * 2);
        } else {
            self.slots[slot] = id;
        }
        id
    }
}

widest! {
    /// Writes one more than the place of every word behind `first`, and gives a number that has all bits of all
    /// places.
    fn places<T: Word>(values: &[T], first: u64, ids: &mut [u32]) -> u64 {
        /// Values that are found between two looks ahead.
        const STRETCH: usize = 64;
        let mut bits = 0;
        for (ids, values) in ids.chunks_mut(STRETCH).zip(values.chunks(STRETCH)) {
            ask_ahead(values);
            for (id, value) in ids.iter_mut().zip(values) {
                let place = value.word().wrapping_sub(first);
                bits |= place;
                *id = (place as u32).wrapping_add(1);
            }
        }
        bits
    }
}

/// Asks memory for as many values as these, two pages behind them: the machine's own foresight ends with a page.
#[inline(always)]
fn ask_ahead<T>(values: &[T]) {
    const AHEAD: usize = 8192;
    #[cfg(target_arch = "x86_64")]
    for line in (0..size_of_val(values)).step_by(64) {
        #[expect(unsafe_code, reason = "a hint to the cache")]
        // SAFETY: a prefetch neither reads nor writes.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(values.as_ptr().cast::<i8>().wrapping_add(AHEAD + line));
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (values, AHEAD);
}

/// Asks for the cache line of `slots[slot]`.
#[inline]
pub(super) fn prefetch<T>(slots: &[T], slot: usize) {
    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "a hint to the cache")]
    // SAFETY: `slot` is inside the table, and a prefetch neither reads nor writes.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(slots.as_ptr().wrapping_add(slot).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (slots, slot);
}

/// The pairs of two numbers, each with a number of its own from 1.
#[derive(Debug, Default)]
pub struct PairIds {
    /// Bits the right number takes.
    bits: u32,
    words: WordIds,
    packed: Vec<u64>,
}

impl PairIds {
    /// Replaces every number of `left` by that of its pair with `right`.
    pub fn write(&mut self, left: &mut [u32], right: &[u32]) {
        let most = right.iter().fold(0, |bits, &id| bits | id);
        let needed = u32::BITS - most.leading_zeros();
        if needed > self.bits {
            let (old, new) = (self.bits, needed);
            self.words.rewrite(|word| (word >> old) << new | (word & ((1 << old) - 1)));
            self.bits = needed;
        }
        let bits = self.bits;
        self.packed.clear();
        self.packed.extend(left.iter().zip(right).map(|(&l, &r)| u64::from(l) << bits | u64::from(r)));
        self.words.write(&self.packed, left);
    }

    /// The two numbers of pair `id`, which was met.
    pub fn pair(&self, id: u32) -> (u32, u32) {
        let word = self.words.words()[id as usize - 1];
        ((word >> self.bits) as u32, (word & ((1 << self.bits) - 1)) as u32)
    }

    /// Number of pairs met.
    pub fn len(&self) -> usize {
        self.words.words().len()
    }

    /// Whether no pair was met.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes it holds.
    pub fn bytes(&self) -> usize {
        self.words.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn equals_a_naive_map(words: &[u64], block: usize) {
        let mut ids = WordIds::default();
        let mut naive: HashMap<u64, u32> = HashMap::new();
        let mut found = vec![0; block];
        for words in words.chunks(block) {
            ids.write(words, &mut found[..words.len()]);
            for (word, id) in words.iter().zip(&found) {
                assert_eq!(id, naive.entry(*word).or_insert(*id), "{word:x}");
            }
        }
        let mut all = ids.words().to_vec();
        for (word, &id) in &naive {
            assert_eq!(all[id as usize - 1], *word);
        }
        let numbered = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), numbered, "no word twice");
        assert!(numbered == naive.len() || numbered < naive.len() + MOST_PLACES as usize);
    }

    #[test]
    fn words_near_far_and_around_the_ends_are_numbered_as_a_map_does() {
        let mut state = 7u64;
        let mut random = || {
            state = scatter(state.wrapping_add(1));
            state
        };
        for block in [1, 31, 32, 100, 2048] {
            let near: Vec<u64> = (0..5000).map(|_| (random() % 300).wrapping_sub(150)).collect();
            equals_a_naive_map(&near, block);
            let growing: Vec<u64> =
                (0..9000u64).map(|i| (random() % (i / 8 + 10)).wrapping_sub(i / 90)).collect();
            equals_a_naive_map(&growing, block);
            let lowest: Vec<u64> = (0..5000).map(|_| (i64::MIN as u64).wrapping_add(random() % 30)).collect();
            equals_a_naive_map(&lowest, block);
            let far: Vec<u64> = (0..5000).map(|_| random() % 1000 * 0x1_0000_0001).collect();
            equals_a_naive_map(&far, block);
            let many: Vec<u64> = (0..60_000).map(|_| random() % 40_000 * 97).collect();
            equals_a_naive_map(&many, block);
            let turning: Vec<u64> =
                (0..9000).map(|i| if i < 4000 { random() % 50 } else { random() % 50 + (i << 40) }).collect();
            equals_a_naive_map(&turning, block);
            equals_a_naive_map(&[u64::MAX, 0, 1 << 63, (1 << 63) - 1, i64::MAX as u64, 5, 0], block);
            equals_a_naive_map(&[1000, 1 << 17, 0, 1 << 18, 3, 1 << 19], block);
        }
    }

    #[test]
    fn pairs_keep_their_numbers_when_the_right_numbers_grow() {
        let mut pairs = PairIds::default();
        let mut naive: HashMap<(u32, u32), u32> = HashMap::new();
        let mut state = 3u64;
        for round in 1..12u32 {
            let mut left: Vec<u32> = Vec::new();
            let mut right: Vec<u32> = Vec::new();
            for _ in 0..500 {
                state = scatter(state.wrapping_add(1));
                left.push(state as u32 % 40);
                right.push((state >> 32) as u32 % (1 << round));
            }
            let asked = left.clone();
            pairs.write(&mut left, &right);
            for ((&l, &r), &id) in asked.iter().zip(&right).zip(&left) {
                assert_eq!(id, *naive.entry((l, r)).or_insert(id));
                assert_eq!(pairs.pair(id), (l, r));
            }
        }
        assert!(pairs.len() >= naive.len());
    }

    #[test]
    fn one_nan_and_one_zero() {
        assert_eq!((-0.0f64).word(), 0.0f64.word());
        assert_eq!((-f64::NAN).word(), f64::NAN.word());
        assert_eq!((-0.0f32).word(), 0.0f32.word());
        assert_ne!(1.0f32.word(), 2.0f32.word());
        assert_eq!((-1i8).word(), (-1i64).word());
    }
}
