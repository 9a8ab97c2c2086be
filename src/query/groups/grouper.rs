//! Tuples of keys into groups.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::coder::Coder;
use crate::kernel::ids::PairIds;
use crate::query::QueryError;
use crate::query::compile::CompiledKey;
use crate::query::key_texts::KeyRows;

/// Numbers the tuples of keys it meets: every key is numbered alone, then pair after pair.
pub(super) struct Grouper {
    coders: Vec<Coder>,
    /// Pair `i` joins the numbers so far with those of key `i + 1`.
    pairs: Vec<PairIds>,
    right: Vec<u32>,
}

impl Grouper {
    pub(super) fn new(keys: &[CompiledKey]) -> Result<Grouper, QueryError> {
        let coders = keys.iter().map(|key| Coder::new(key.data_type())).collect::<Result<Vec<_>, _>>()?;
        let pairs = coders.iter().skip(1).map(|_| PairIds::default()).collect();
        Ok(Grouper { coders, pairs, right: Vec::new() })
    }

    /// Of one key, as [`Coder::of_words`].
    pub(super) fn of_words(words: Vec<u64>, data_type: &DataType) -> Grouper {
        Grouper { coders: vec![Coder::of_words(words, data_type)], pairs: Vec::new(), right: Vec::new() }
    }

    /// The words of the first key: of number 1 first.
    pub(super) fn words(&self) -> &[u64] {
        self.coders.first().map_or(&[], Coder::words)
    }

    /// Numbers are `0..=len`; not each of them needs to be of a row.
    pub(super) fn len(&self) -> usize {
        match self.pairs.last() {
            Some(pairs) => pairs.len(),
            None => self.coders.first().map_or(0, Coder::len),
        }
    }

    /// Bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        let coders: usize = self.coders.iter().map(Coder::bytes).sum();
        coders + self.pairs.iter().map(PairIds::bytes).sum::<usize>()
    }

    /// Writes the number of the tuple of every row; `ids` is as long as each of `keys`.
    pub(super) fn write(&mut self, keys: &[KeyRows], ids: &mut [u32]) -> Result<(), QueryError> {
        let Some((first, rest)) = self.coders.split_first_mut() else { return Ok(()) };
        first.write_key(&keys[0], ids)?;
        for ((coder, pairs), key) in rest.iter_mut().zip(&mut self.pairs).zip(&keys[1..]) {
            self.right.resize(ids.len(), 0);
            coder.write_key(key, &mut self.right)?;
            pairs.write(ids, &self.right);
        }
        Ok(())
    }

    /// How many of these tuples have no key that is null or NaN, or in no bin.
    pub(super) fn present(&self, keys: &[CompiledKey], ids: &[u32]) -> u64 {
        let is_present = |(at, number): (usize, u32)| match &keys[at] {
            CompiledKey::Value { .. } | CompiledKey::Text { .. } => !self.coders[at].is_missing(number),
            CompiledKey::Binned { bins, .. } => {
                self.coders[at].slot(number).is_some_and(|slot| slot < bins.count())
            }
        };
        ids.iter().filter(|&&id| self.numbers(id).all(is_present)).count() as u64
    }

    /// Tells `found` of those of these tuples whose last key is neither null nor NaN: the cell of the grid that
    /// the binned keys before it span, with so many slots.
    pub(super) fn present_cells(&self, slots: &[usize], ids: &[u32], mut found: impl FnMut(usize)) {
        for &id in ids {
            let (mut cell, mut stride, mut is_present) = (0, 1, true);
            for (at, number) in self.numbers(id) {
                match slots.get(at) {
                    Some(slots) => {
                        cell += stride * self.coders[at].slot(number).unwrap_or(0);
                        stride *= slots;
                    }
                    None => is_present = !self.coders[at].is_missing(number),
                }
            }
            if is_present {
                found(cell);
            }
        }
    }

    /// The keys of a tuple, by position and number, from the last to the first.
    fn numbers(&self, id: u32) -> impl Iterator<Item = (usize, u32)> {
        let mut left = id;
        (0..self.coders.len()).rev().map(move |at| match at.checked_sub(1) {
            None => (at, left),
            Some(before) => {
                let (rest, number) = self.pairs[before].pair(left);
                left = rest;
                (at, number)
            }
        })
    }

    /// The keys of these tuples, one array per key.
    pub(super) fn keys(&self, ids: &[u32]) -> Result<Vec<ArrayRef>, QueryError> {
        let mut lefts = ids.to_vec();
        let mut columns = Vec::with_capacity(self.coders.len());
        for (coder, pairs) in self.coders.iter().skip(1).zip(&self.pairs).rev() {
            let (left, right): (Vec<u32>, Vec<u32>) = lefts.iter().map(|&id| pairs.pair(id)).unzip();
            columns.push(coder.values(&right)?);
            lefts = left;
        }
        if let Some(first) = self.coders.first() {
            columns.push(first.values(&lefts)?);
        }
        columns.reverse();
        Ok(columns)
    }
}
