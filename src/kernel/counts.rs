//! Words counted in many tables, each of the words whose mixed form begins with the same bits: a table that is once in
//! the cache serves many words. A group takes eight bytes.

use std::collections::HashMap;

use super::ids::prefetch;
#[cfg(target_arch = "x86_64")]
use super::wide::{Level, level};

/// Slots that are looked at together: a cache line.
const LINE: usize = 8;
/// Of those of a line, slots in use before a table is widened.
const MOST_OF_LINE: usize = 6;
/// Lines of the smallest table.
const LEAST_LINES: usize = 4;
/// Words whose lines are fetched ahead of being looked at.
const AHEAD: usize = 16;

const ODD: u64 = 0xd6e8_feb8_6659_fd93;
/// `ODD * INVERSE` is 1, in 64 bits.
const INVERSE: u64 = 0xcfee_444d_8b59_a89b;
const _: () = assert!(ODD.wrapping_mul(INVERSE) == 1);

/// A word from which no other has the same form, and whose first bits depend on all of `word`.
#[inline]
pub fn mixed(word: u64) -> u64 {
    let half = (word ^ word >> 32).wrapping_mul(ODD);
    (half ^ half >> 32).wrapping_mul(ODD)
}

/// The word of a mixed form.
#[inline]
fn unmixed(form: u64) -> u64 {
    let half = form.wrapping_mul(INVERSE);
    let word = (half ^ half >> 32).wrapping_mul(INVERSE);
    word ^ word >> 32
}

/// Sorts mixed forms by their first `bits` bits, their part. Gives what follows these bits, moved to the front: the
/// *keys* of a [`WordCounts`]; and writes where every part ends.
pub fn by_part(forms: &[u64], bits: u32, ends: &mut Vec<u32>) -> Vec<u64> {
    let part = |form: u64| (form >> (u64::BITS - bits)) as usize;
    ends.clear();
    ends.resize(1 << bits, 0);
    forms.iter().for_each(|&form| ends[part(form)] += 1);
    let mut total = 0;
    for end in ends.iter_mut() {
        (*end, total) = (total, total + *end);
    }
    let mut keys = vec![0; forms.len()];
    for &form in forms {
        let place = &mut ends[part(form)];
        keys[*place as usize] = form << bits;
        *place += 1;
    }
    keys
}

/// Eight slots: keys, and in the low bits of each how often it was met. 0 is free; those in use come first.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([u64; LINE]);

/// How often every word of a part was met.
#[derive(Debug)]
pub struct WordCounts {
    /// In the order of the keys, but for those whose line is full: they are in the next that is not, after the last
    /// in the first.
    lines: Vec<Line>,
    len: usize,
    /// The bits of a key that are free for its count; the highest of them tells that it has a count in `carried`.
    count_bits: u64,
    carried: HashMap<u64, u64>,
}

impl WordCounts {
    /// None yet of a part whose words have `bits` bits in common, at least two.
    pub fn new(bits: u32) -> WordCounts {
        let lines = vec![Line([0; LINE]); LEAST_LINES];
        WordCounts { lines, len: 0, count_bits: (1 << bits) - 1, carried: HashMap::new() }
    }

    /// Forgets all words but those that `other`, of as many bits, has counted. The memory is used again.
    pub fn restart_with(&mut self, other: &WordCounts) {
        self.lines.fill(Line([0; LINE]));
        // Its keys come in their order: into fewer lines all of the first would crowd the first.
        self.lines.resize(self.lines.len().max(other.lines.len()), Line([0; LINE]));
        self.len = 0;
        self.carried.clear();
        other.met(|key, count| self.add(key, count));
    }

    /// Number of distinct words.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no word was met.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes it holds.
    pub fn bytes(&self) -> usize {
        self.lines.len() * size_of::<Line>() + self.carried.capacity() * size_of::<(u64, u64)>()
    }

    /// Counts each of these keys once.
    pub fn add_each(&mut self, keys: &[u64]) {
        #[cfg(target_arch = "x86_64")]
        if !matches!(level(), Level::Any) {
            #[expect(unsafe_code, reason = "a call for features just detected")]
            // SAFETY: `level` detected what `add_each_avx2` is compiled for, here and on machines with wider vectors.
            return unsafe { self.add_each_avx2(keys) };
        }
        self.add_each_with(keys, holding);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,popcnt,bmi1,bmi2")]
    fn add_each_avx2(&mut self, keys: &[u64]) {
        self.add_each_with(keys, |line, key, count_bits| holding_avx2(line, key, count_bits));
    }

    #[inline(always)]
    fn add_each_with(&mut self, keys: &[u64], holding: impl Fn(&Line, u64, u64) -> u32 + Copy) {
        let most = self.most();
        let mut next = [0; AHEAD];
        self.look_ahead(keys, &mut next);
        for (i, batch) in keys.chunks(AHEAD).enumerate() {
            // Nothing is written while lines are looked at: a look would wait for what was written to be known.
            let mut places = [0; AHEAD];
            for ((place, &line), &key) in places.iter_mut().zip(&next).zip(batch) {
                let found = holding(&self.lines[line], key, self.count_bits);
                // Any slot where there is none.
                *place = line * LINE + (found.trailing_zeros() as usize & (LINE - 1));
            }
            self.look_ahead(keys.get((i + 1) * AHEAD..).unwrap_or_default(), &mut next);
            for (&place, &key) in places.iter().zip(batch) {
                let met = &mut slots(&mut self.lines)[place];
                // Of this key, and neither free nor full.
                if ((*met ^ key) & !(most + 1)).wrapping_sub(1) < most - 1 {
                    *met += 1;
                } else if self.add_with(key, 1, holding) {
                    self.look_ahead(keys.get((i + 1) * AHEAD..).unwrap_or_default(), &mut next);
                }
            }
        }
    }

    /// Finds the lines of the next keys and fetches them.
    #[inline(always)]
    fn look_ahead(&self, keys: &[u64], lines: &mut [usize; AHEAD]) {
        for (line, &key) in lines.iter_mut().zip(keys) {
            *line = self.line_of(key);
            prefetch(&self.lines, *line);
        }
    }

    /// Counts a key so many times.
    pub fn add(&mut self, key: u64, count: u64) {
        self.add_with(key, count, holding);
    }

    /// The most that is counted beside a key.
    #[inline]
    fn most(&self) -> u64 {
        self.count_bits >> 1
    }

    #[inline]
    fn line_of(&self, key: u64) -> usize {
        (((key >> 32) * self.lines.len() as u64) >> 32) as usize
    }

    /// Counts a key so many times, and tells whether the keys were moved for it.
    #[inline(always)]
    fn add_with(&mut self, key: u64, count: u64, holding: impl Fn(&Line, u64, u64) -> u32 + Copy) -> bool {
        let most = self.most();
        let width = self.lines.len();
        let mut line = self.line_of(key);
        loop {
            let slots = &mut self.lines[line];
            let found = holding(slots, key, self.count_bits) | holding(slots, 0, 0);
            if found == 0 {
                line = if line + 1 == width { 0 } else { line + 1 };
                continue;
            }
            let met = &mut slots.0[found.trailing_zeros() as usize & (LINE - 1)];
            if *met == 0 {
                if self.len == width * MOST_OF_LINE {
                    self.widen();
                    self.add(key, count);
                    return true;
                }
                self.len += 1;
            }
            let (beside, is_carried) = (*met & most, *met & (most + 1));
            match beside + count {
                sum if sum <= most => *met = key | is_carried | sum,
                sum => {
                    *met = key | (most + 1);
                    *self.carried.entry(key).or_default() += sum;
                }
            }
            return false;
        }
    }

    /// Moves the keys to half as many lines again.
    #[cold]
    #[inline(never)]
    fn widen(&mut self) {
        let width = self.lines.len() + self.lines.len() / 2;
        let lines = vec![Line([0; LINE]); width];
        let mut used = vec![0u8; width];
        let narrow = std::mem::replace(&mut self.lines, lines);
        for met in narrow.iter().flat_map(|line| line.0).filter(|&met| met != 0) {
            let mut line = self.line_of(met & !self.count_bits);
            while used[line] as usize == LINE {
                line = if line + 1 == width { 0 } else { line + 1 };
            }
            self.lines[line].0[used[line] as usize] = met;
            used[line] += 1;
        }
    }

    /// Tells every word of part `part` and how often it was met, in no order.
    pub fn each(&self, part: u64, mut found: impl FnMut(u64, u64)) {
        let bits = self.count_bits.count_ones();
        let first = part << (u64::BITS - bits);
        self.met(|key, count| found(unmixed(first | key >> bits), count));
    }

    /// Tells every key and how often it was met.
    fn met(&self, mut found: impl FnMut(u64, u64)) {
        for &met in self.lines.iter().flat_map(|line| &line.0).filter(|&&met| met != 0) {
            let key = met & !self.count_bits;
            let carried = match met & (self.most() + 1) {
                0 => 0,
                _ => self.carried.get(&key).copied().unwrap_or(0),
            };
            found(key, (met & self.most()) + carried);
        }
    }
}

/// The slots of all lines.
#[inline(always)]
fn slots(lines: &mut [Line]) -> &mut [u64] {
    #[expect(unsafe_code, reason = "lines are arrays that lie one after another")]
    // SAFETY: a line is eight numbers and nothing else.
    unsafe {
        std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), lines.len() * LINE)
    }
}

/// A bit for each slot of a line that holds `key`, whatever the bits `but` are.
#[inline(always)]
fn holding(line: &Line, key: u64, but: u64) -> u32 {
    line.0.iter().enumerate().fold(0, |found, (slot, &met)| found | u32::from(met & !but == key) << slot)
}

/// As [`holding`].
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2")]
fn holding_avx2(line: &Line, key: u64, but: u64) -> u32 {
    use std::arch::x86_64::*;
    let four = |first: usize| {
        #[expect(unsafe_code, reason = "a load of four slots")]
        // SAFETY: a line has eight slots, aligned, of which `first` is 0 or 4.
        let met = unsafe { _mm256_load_si256(line.0.as_ptr().add(first).cast()) };
        let keys = _mm256_andnot_si256(_mm256_set1_epi64x(but as i64), met);
        let is_key = _mm256_cmpeq_epi64(keys, _mm256_set1_epi64x(key as i64));
        _mm256_movemask_pd(_mm256_castsi256_pd(is_key)) as u32
    };
    four(0) | four(4) << 4
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Counts of `words`, each with how often it comes, in parts of `bits` bits; in lists of `run` words, or one by one.
    fn counted(words: &[(u64, u64)], bits: u32, run: usize) -> BTreeMap<u64, u64> {
        let mut parts: Vec<WordCounts> = (0..1 << bits).map(|_| WordCounts::new(bits)).collect();
        let mut ends = Vec::new();
        let forms: Vec<u64> = words.iter().filter(|w| w.1 == 1).map(|w| mixed(w.0)).collect();
        for forms in forms.chunks(run) {
            let keys = by_part(forms, bits, &mut ends);
            let mut start = 0;
            for (part, &end) in parts.iter_mut().zip(&ends) {
                part.add_each(&keys[start..end as usize]);
                start = end as usize;
            }
        }
        for &(word, count) in words.iter().filter(|w| w.1 != 1) {
            let form = mixed(word);
            parts[(form >> (u64::BITS - bits)) as usize].add(form << bits, count);
        }
        let mut all = BTreeMap::new();
        for (part, counts) in parts.iter().enumerate() {
            let mut met = 0;
            counts.each(part as u64, |word, count| {
                assert_eq!(all.insert(word, count), None, "{word:x} twice");
                met += 1;
            });
            assert_eq!((counts.len(), counts.is_empty()), (met, met == 0));
            assert!(counts.bytes() >= met * 8);
        }
        all
    }

    #[test]
    fn counts_go_on_from_those_of_another_table() {
        let bits = 4;
        let keys = |step: u64| (0..3000).map(move |i| mixed(i * step % 1777) << bits).collect::<Vec<u64>>();
        let told = |counts: &WordCounts| {
            let mut all = BTreeMap::new();
            counts.each(3, |word, count| assert_eq!(all.insert(word, count), None));
            all
        };
        // What was counted before, in a smaller table and in a larger one, leaves no trace.
        for before in [vec![], vec![1 << bits; 40], (0..20_000).map(|i| mixed(i) << bits).collect()] {
            let (mut of, mut right) = (WordCounts::new(bits), WordCounts::new(bits));
            of.add_each(&keys(5));
            right.add_each(&[keys(5), keys(7)].concat());
            let mut spare = WordCounts::new(bits);
            spare.add_each(&before);
            spare.restart_with(&of);
            assert_eq!((told(&spare), spare.len()), (told(&of), of.len()));
            spare.add_each(&keys(7));
            assert_eq!((told(&spare), spare.len()), (told(&right), right.len()));
        }
    }

    #[test]
    fn words_are_counted_as_a_map_does_whatever_they_are_and_however_often_they_come() {
        let mut state = 5u64;
        let mut random = || {
            state = mixed(state.wrapping_add(1));
            state
        };
        let shapes: [fn(u64, u64) -> u64; 6] = [
            |i, _| i % 5000,
            |i, r| ((r % 90) << 57) ^ (i % 3),
            |_, r| r,
            |i, _| (i as f64 / 8.0).to_bits(),
            |_, r| if r % 3 > 0 { 77 } else { r },
            |i, r| [0, u64::MAX, 1 << 63, i64::MAX as u64, 1, r % 50][i as usize % 6],
        ];
        for shape in shapes {
            for (bits, run) in [(2, 1), (4, 1000), (8, 1 << 16), (12, 3000)] {
                let mut words: Vec<(u64, u64)> = (0..20_000).map(|i| (shape(i, random()), 1)).collect();
                words.extend((0..300).map(|i| (shape(i, random()), random() % 700)));
                words.extend([(0, 3), (unmixed(0), 1), (unmixed(7), u64::from(u32::MAX) * 5)]);
                words.retain(|word| word.1 > 0);
                let mut naive = BTreeMap::new();
                words.iter().for_each(|&(word, count)| *naive.entry(word).or_default() += count);
                assert_eq!(counted(&words, bits, run), naive, "{bits} bits");
            }
        }
        assert!(counted(&[], 8, 1).is_empty());
    }

    #[test]
    fn a_mixed_form_gives_its_word_back() {
        for word in [0, 1, u64::MAX, 1 << 63, 0x1234_5678_9abc_def1] {
            assert_eq!(unmixed(mixed(word)), word);
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn the_slots_of_a_key_are_the_same_with_and_without_vectors() {
        if matches!(level(), Level::Any) {
            return;
        }
        let mut state = 1u64;
        for _ in 0..2000 {
            let mut line = Line([0; LINE]);
            for slot in &mut line.0 {
                state = mixed(state.wrapping_add(3));
                *slot = [0, 0x700, 0x701, 0x8ff, 0xff, state][state as usize % 6];
            }
            for key in [0, 0x700, 0x800, state & !0xff] {
                #[expect(unsafe_code, reason = "a call for features just detected")]
                // SAFETY: `level` detected AVX2.
                let vectors = unsafe { holding_avx2(&line, key, 0xff) };
                assert_eq!(vectors, holding(&line, key, 0xff));
            }
        }
    }
}
