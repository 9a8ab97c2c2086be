//! Tuples of keys into groups.

use arrow::array::ArrayRef;

use super::coder::Coder;
use crate::kernel::ids::PairIds;
use crate::query::QueryError;
use crate::query::compile::CompiledKey;

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
    pub(super) fn write(&mut self, keys: &[ArrayRef], ids: &mut [u32]) -> Result<(), QueryError> {
        let Some((first, rest)) = self.coders.split_first_mut() else { return Ok(()) };
        first.write(&keys[0], ids)?;
        for ((coder, pairs), key) in rest.iter_mut().zip(&mut self.pairs).zip(&keys[1..]) {
            self.right.resize(ids.len(), 0);
            coder.write(key, &mut self.right)?;
            pairs.write(ids, &self.right);
        }
        Ok(())
    }

    /// How many of these tuples have no key that is null or NaN, or in no bin.
    pub(super) fn present(&self, keys: &[CompiledKey], ids: &[u32]) -> u64 {
        let is_present = |coder: &Coder, key: &CompiledKey, id: u32| match key {
            CompiledKey::Value { .. } => !coder.is_missing(id),
            CompiledKey::Binned { bins, .. } => coder.slot(id).is_some_and(|slot| slot < bins.count()),
        };
        let all_present = |&&id: &&u32| {
            let mut left = id;
            let rest = self.coders.iter().zip(keys).skip(1).zip(&self.pairs).rev();
            let mut rest = rest.map(|((coder, key), pairs)| {
                let (before, right) = pairs.pair(left);
                left = before;
                is_present(coder, key, right)
            });
            let rest = rest.by_ref().fold(true, |all, present| all & present);
            rest && self
                .coders
                .first()
                .zip(keys.first())
                .is_some_and(|(coder, key)| is_present(coder, key, left))
        };
        ids.iter().filter(all_present).count() as u64
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
