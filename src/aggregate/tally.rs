//! The values of every cell with their numbers, exact within a budget and a sketch above it.
//!
//! * For **distinct** values the sketch is adaptive sampling (Flajolet, "On adaptive sampling", Computing 43,
//!   1990): of a cell with too many values only those are kept whose hash begins with `level` zeros; their
//!   number times `2^level` is unbiased, its relative standard error `1.2 / sqrt(kept)`.
//! * For **ranks** values are rounded down to fewer binary digits, in all cells alike and as many as fit: the
//!   rank of every bucket stays exact, a value is known to within its bucket. Least and greatest stay exact.
//! * For **counts** there is no sketch: the tally fails.

use std::ops::Range;

use hashbrown::HashTable;

/// Bytes an entry takes in its table, which is at least seven sixteenths full.
const ENTRY: usize = 40;
/// Fewest values kept of a cell that is sampled: a standard error of 4 %.
const LEAST_KEPT: usize = 1024;

/// What the values are counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Distinct,
    Counts,
    Ranks,
}

/// A value of a cell, and how often it was met.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) cell: u32,
    /// In the order of values; a text's is its number among the texts.
    pub(super) code: u64,
    pub(super) count: u64,
}

/// See the file's doc.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    purpose: Purpose,
    table: HashTable<Entry>,
    texts: Texts,
    /// Of every cell, zeros that hashes of its values begin with; distinct values only.
    levels: Vec<u8>,
    /// Binary digits dropped; ranks only.
    pub(super) dropped: u32,
    /// Least and greatest code of every cell; ranks only.
    extremes: Vec<(u64, u64)>,
    budget: usize,
    failed: bool,
}

/// Texts by number, each once.
#[derive(Debug, Clone, Default)]
struct Texts {
    numbers: HashTable<u32>,
    bytes: String,
    ends: Vec<usize>,
}

impl Texts {
    fn get(&self, number: u64) -> &str {
        let number = number as usize;
        let start = if number == 0 { 0 } else { self.ends[number - 1] };
        &self.bytes[start..self.ends[number]]
    }

    /// The number of a text of this hash, made if it is new.
    fn number(&mut self, text: &str, hash: u64) -> u64 {
        let Texts { numbers, bytes, ends } = self;
        let known = |number: u32| {
            let start = if number == 0 { 0 } else { ends[number as usize - 1] };
            &bytes[start..ends[number as usize]]
        };
        if let Some(&number) = numbers.find(hash, |&number| known(number) == text) {
            return u64::from(number);
        }
        let number = ends.len() as u32;
        numbers.insert_unique(hash, number, |&number| hash_of_text(known(number)));
        bytes.push_str(text);
        ends.push(bytes.len());
        u64::from(number)
    }

    fn bytes(&self) -> usize {
        self.bytes.len() + self.ends.len() * 20
    }
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): every bit depends on every bit.
fn hash_of_code(code: u64) -> u64 {
    let z = code.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ z >> 31
}

/// FNV-1a over words of eight bytes, finished as a code.
fn hash_of_text(text: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325 ^ text.len() as u64;
    for word in text.as_bytes().chunks(8) {
        let mut bytes = [0; 8];
        bytes[..word.len()].copy_from_slice(word);
        hash = hash_of_code(hash ^ u64::from_le_bytes(bytes)).wrapping_mul(0x0100_0000_01b3);
    }
    hash_of_code(hash)
}

/// Where an entry stands in the table.
fn place(cell: u32, code: u64) -> u64 {
    hash_of_code(code ^ u64::from(cell).rotate_left(40))
}

impl Tally {
    /// Of nothing yet; to keep to so many bytes.
    pub(super) fn new(purpose: Purpose, budget: usize) -> Tally {
        Tally {
            purpose,
            table: HashTable::new(),
            texts: Texts::default(),
            levels: Vec::new(),
            dropped: 0,
            extremes: Vec::new(),
            budget,
            failed: false,
        }
    }

    /// Makes room for `cells` cells.
    pub(super) fn grow(&mut self, cells: usize) {
        match self.purpose {
            Purpose::Distinct => self.levels.resize(cells, 0),
            Purpose::Ranks => self.extremes.resize(cells, (u64::MAX, 0)),
            Purpose::Counts => {}
        }
    }

    /// Adds a number of a cell.
    #[inline]
    pub(super) fn add(&mut self, cell: u32, code: u64) {
        match self.purpose {
            Purpose::Distinct => {
                if !self.is_kept(cell, hash_of_code(code)) {
                    return;
                }
            }
            Purpose::Ranks => {
                let (least, greatest) = &mut self.extremes[cell as usize];
                *least = code.min(*least);
                *greatest = code.max(*greatest);
            }
            Purpose::Counts => {}
        }
        self.insert(cell, code >> self.dropped << self.dropped, 1);
    }

    /// Adds a text of a cell.
    pub(super) fn add_text(&mut self, cell: u32, text: &str) {
        let hash = hash_of_text(text);
        if self.purpose == Purpose::Distinct && !self.is_kept(cell, hash) {
            return;
        }
        let number = self.texts.number(text, hash);
        self.insert(cell, number, 1);
    }

    fn is_kept(&self, cell: u32, hash: u64) -> bool {
        hash.leading_zeros() >= u32::from(self.levels[cell as usize])
    }

    fn insert(&mut self, cell: u32, code: u64, count: u64) {
        if self.failed {
            return;
        }
        let hash = place(cell, code);
        if let Some(entry) = self.table.find_mut(hash, |entry| entry.code == code && entry.cell == cell) {
            entry.count += count;
            return;
        }
        self.table.insert_unique(hash, Entry { cell, code, count }, |entry| place(entry.cell, entry.code));
    }

    /// Adds what `other` has of `cells`; its cell `i` belongs to `target(i)` here.
    pub(super) fn merge(&mut self, other: &Tally, cells: Range<usize>, target: &impl Fn(usize) -> usize) {
        self.failed |= other.failed;
        if self.failed {
            self.table = HashTable::new();
            return;
        }
        let mut raised = false;
        for cell in cells.clone() {
            let into = target(cell);
            if let (Some(mine), Some(&theirs)) = (self.levels.get_mut(into), other.levels.get(cell)) {
                raised |= theirs > *mine;
                *mine = theirs.max(*mine);
            }
            if let (Some(mine), Some(theirs)) = (self.extremes.get_mut(into), other.extremes.get(cell)) {
                *mine = (mine.0.min(theirs.0), mine.1.max(theirs.1));
            }
        }
        if raised {
            self.resample();
        }
        self.drop_digits(other.dropped);
        for entry in other.table.iter().filter(|entry| cells.contains(&(entry.cell as usize))) {
            let cell = target(entry.cell as usize) as u32;
            let code = if other.texts.ends.is_empty() {
                if self.purpose == Purpose::Distinct && !self.is_kept(cell, hash_of_code(entry.code)) {
                    continue;
                }
                entry.code >> self.dropped << self.dropped
            } else {
                let text = other.texts.get(entry.code);
                let hash = hash_of_text(text);
                if self.purpose == Purpose::Distinct && !self.is_kept(cell, hash) {
                    continue;
                }
                self.texts.number(text, hash)
            };
            self.insert(cell, code, entry.count);
        }
        self.fit();
    }

    /// Bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        self.table.len() * ENTRY + self.texts.bytes()
    }

    /// Keeps to the budget.
    pub(super) fn fit(&mut self) {
        if self.bytes() <= self.budget {
            return;
        }
        match self.purpose {
            Purpose::Counts => {
                self.failed = true;
                self.table = HashTable::new();
                self.texts = Texts::default();
            }
            Purpose::Ranks => self.drop_digits(self.digits_to_drop()),
            Purpose::Distinct => self.sample(),
        }
    }

    /// Fewest digits without which the values take half of the budget: not all of it, so that they are not rounded
    /// anew at every block.
    fn digits_to_drop(&self) -> u32 {
        let mut codes: Vec<(u32, u64)> = self.table.iter().map(|entry| (entry.cell, entry.code)).collect();
        codes.sort_unstable();
        // How many neighbours in one cell become equal once all digits up to this one are dropped.
        let mut parted_by = [0; u64::BITS as usize];
        for pair in codes.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
            parted_by[(pair[0].1 ^ pair[1].1).ilog2() as usize] += 1;
        }
        let (mut left, mut dropped) = (codes.len(), self.dropped);
        while left * ENTRY > self.budget / 2 && dropped < u64::BITS - 1 {
            left -= parted_by[dropped as usize];
            dropped += 1;
        }
        dropped
    }

    /// Rounds all values down to `dropped` binary digits less.
    fn drop_digits(&mut self, dropped: u32) {
        if dropped <= self.dropped {
            return;
        }
        self.dropped = dropped;
        let entries = std::mem::take(&mut self.table);
        for entry in entries {
            self.insert(entry.cell, entry.code >> dropped << dropped, entry.count);
        }
    }

    /// Raises the levels of the cells with most values until they take half of the budget.
    fn sample(&mut self) {
        let mut kept = vec![0usize; self.levels.len()];
        self.table.iter().for_each(|entry| kept[entry.cell as usize] += 1);
        let mut most = kept.iter().copied().max().unwrap_or(0);
        let target = self.budget / 2 * self.table.len() / self.bytes().max(1);
        let total = |most: usize| kept.iter().map(|&kept| kept.min(most)).sum::<usize>();
        while total(most) > target && most / 2 >= LEAST_KEPT {
            most /= 2;
        }
        for (level, kept) in self.levels.iter_mut().zip(kept) {
            let halvings = kept.div_ceil(most.max(1)).next_power_of_two().trailing_zeros();
            *level += halvings as u8;
        }
        self.resample();
        // Nothing to sample any more: too many cells of too few values.
        if self.bytes() > self.budget {
            self.failed = true;
            self.table = HashTable::new();
            self.texts = Texts::default();
        }
    }

    /// Drops the values that are no longer in the sample of their cell.
    fn resample(&mut self) {
        let entries = std::mem::take(&mut self.table);
        let texts = std::mem::take(&mut self.texts);
        for entry in entries {
            if texts.ends.is_empty() {
                if self.is_kept(entry.cell, hash_of_code(entry.code)) {
                    self.insert(entry.cell, entry.code, entry.count);
                }
                continue;
            }
            let text = texts.get(entry.code);
            let hash = hash_of_text(text);
            if self.is_kept(entry.cell, hash) {
                let number = self.texts.number(text, hash);
                self.insert(entry.cell, number, entry.count);
            }
        }
    }

    /// Whether what was counted is lost: there were too many values.
    pub(super) fn has_failed(&self) -> bool {
        self.failed
    }

    /// Whether it is a sketch in one of the cells `0..cells`.
    pub(super) fn is_approximate(&self, cells: usize) -> bool {
        self.dropped > 0 || self.levels.iter().take(cells).any(|&level| level > 0)
    }

    /// Distinct values of each of the cells `0..cells`.
    pub(super) fn distinct(&self, cells: usize) -> Vec<u64> {
        let mut kept = vec![0; self.levels.len().max(cells)];
        self.table.iter().for_each(|entry| kept[entry.cell as usize] += 1);
        let numbers = kept.into_iter().zip(&self.levels).map(|(kept, &level)| kept << level);
        numbers.take(cells).collect()
    }

    /// All entries of cells below `cells`, by cell and then by value.
    pub(super) fn sorted(&self, cells: usize) -> Vec<Entry> {
        let mut entries: Vec<Entry> =
            self.table.iter().filter(|entry| (entry.cell as usize) < cells).copied().collect();
        if self.texts.ends.is_empty() {
            entries.sort_unstable_by_key(|entry| (entry.cell, entry.code));
        } else {
            let key = |entry: &Entry| (entry.cell, self.texts.get(entry.code));
            entries.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
        }
        entries
    }

    /// Least and greatest code of a cell.
    pub(super) fn extremes(&self, cell: u32) -> (u64, u64) {
        self.extremes[cell as usize]
    }

    /// The text of a code.
    pub(super) fn text(&self, code: u64) -> &str {
        self.texts.get(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(purpose: Purpose, budget: usize, values: impl Iterator<Item = u64>) -> Tally {
        let mut tally = Tally::new(purpose, budget);
        tally.grow(2);
        for (i, value) in values.enumerate() {
            tally.add(0, value);
            if i % 100 == 0 {
                tally.fit();
            }
        }
        tally.fit();
        tally
    }

    #[test]
    fn a_sample_of_distinct_values_is_close_and_keeps_to_its_budget() {
        let right = 400_000u64;
        let tally = filled(Purpose::Distinct, 1 << 19, (0..2 * right).map(|i| i % right * 977));
        assert!(tally.bytes() <= 1 << 19 && tally.is_approximate(1));
        let found = tally.distinct(1)[0] as f64;
        // Kept at least a quarter of what fits: five standard errors.
        let error = 5.0 * 1.2 / ((1 << 17) as f64 / ENTRY as f64).sqrt();
        assert!((found / right as f64 - 1.0).abs() < error, "{found}");
        assert!(!filled(Purpose::Distinct, 1 << 19, (0..10_000).map(|i| i % 1000)).is_approximate(1));
    }

    #[test]
    fn samples_of_parts_merge_to_the_sample_of_the_whole() {
        let texts: Vec<String> = (0..30_000).map(|i| format!("value {}", i % 20_000)).collect();
        let of = |texts: &[String], budget| {
            let mut tally = Tally::new(Purpose::Distinct, budget);
            tally.grow(1);
            for text in texts {
                tally.add_text(0, text);
                tally.fit();
            }
            tally
        };
        for budget in [1 << 18, 1 << 24] {
            let mut merged = of(&texts[..10_000], budget);
            merged.merge(&of(&texts[10_000..], budget), 0..1, &|_| 0);
            let found = merged.distinct(1)[0] as f64;
            let error = if budget == 1 << 24 { 0.0 } else { 0.25 };
            assert!((found / 20_000.0 - 1.0).abs() <= error, "{found}");
            assert!(merged.bytes() <= budget);
        }
    }

    #[test]
    fn ranks_stay_exact_between_buckets_when_digits_are_dropped() {
        let tally = filled(Purpose::Ranks, 1 << 16, (0..100_000).map(|i| i * 37 % 100_003));
        assert!(tally.bytes() <= 1 << 16 && tally.dropped > 0);
        let entries = tally.sorted(1);
        assert_eq!(entries.iter().map(|entry| entry.count).sum::<u64>(), 100_000);
        assert!(entries.windows(2).all(|pair| pair[0].code < pair[1].code));
        assert_eq!(tally.extremes(0), (0, 100_002));
    }

    #[test]
    fn as_many_digits_are_dropped_at_once_as_one_by_one() {
        for budget in [1 << 10, 1 << 14, 1 << 18] {
            let mut tally = Tally::new(Purpose::Ranks, budget);
            tally.grow(3);
            for i in 0..20_000u64 {
                tally.add((i % 3) as u32, hash_of_code(i) >> (i % 64));
            }
            let mut slowly = tally.clone();
            while slowly.bytes() > budget / 2 && slowly.dropped < u64::BITS - 1 {
                slowly.drop_digits(slowly.dropped + 1);
            }
            tally.drop_digits(tally.digits_to_drop());
            assert_eq!((tally.dropped, tally.table.len()), (slowly.dropped, slowly.table.len()));
        }
    }

    #[test]
    fn counts_fail_rather_than_guess() {
        let tally = filled(Purpose::Counts, 1 << 16, 0..100_000);
        assert!(tally.has_failed() && tally.bytes() <= 1 << 16);
    }
}
