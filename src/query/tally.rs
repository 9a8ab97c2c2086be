//! Rows per cell of a grid, where nothing else is asked of them. Counts are whole numbers: they add up
//! the same in any order, so each worker keeps one tally for all its units.

use super::cells::{Slots, each};
use crate::kernel::fold;

/// Most cells that get four counts each: those of a histogram brushed by another fit the second-level cache.
const MOST_SPREAD: usize = 8192;

/// Counts of one worker.
pub(super) struct Tally {
    cells: usize,
    /// One or four for every cell.
    narrow: Vec<u32>,
    /// What was carried over before a narrow count could overflow.
    wide: Vec<u64>,
    /// The most any narrow count can be.
    most: u64,
}

impl Tally {
    /// Nothing counted in `cells` cells.
    pub(super) fn new(cells: usize) -> Tally {
        let copies = if cells <= MOST_SPREAD { 4 } else { 1 };
        Tally { cells, narrow: vec![0; cells * copies], wide: Vec::new(), most: 0 }
    }

    /// Counts the rows of a block in their cells; of the `chosen` alone where some are chosen.
    pub(super) fn count(&mut self, cells: Slots, chosen: Option<&[u32]>) {
        let rows = chosen.map_or(cells.len(), <[u32]>::len) as u64;
        if self.most + rows > u64::from(u32::MAX) {
            self.carry();
        }
        self.most += rows;
        each!(cells, |cells| match (chosen, self.narrow.len() > self.cells) {
            (None, false) => fold::count(cells, &mut self.narrow),
            (None, true) => fold::count_in_four(cells, &mut self.narrow),
            (Some(chosen), false) => fold::count_chosen(cells, chosen, &mut self.narrow),
            (Some(chosen), true) => fold::count_chosen_in_four(cells, chosen, &mut self.narrow),
        })
    }

    fn carry(&mut self) {
        let mut wide = std::mem::take(&mut self.wide);
        wide.resize(self.cells, 0);
        self.add_to(&mut wide);
        self.wide = wide;
        self.narrow.fill(0);
        self.most = 0;
    }

    /// Adds what was counted to the counts of all cells.
    pub(super) fn add_to(&self, counts: &mut [u64]) {
        for copy in self.narrow.chunks_exact(self.cells) {
            for (count, &more) in counts.iter_mut().zip(copy) {
                *count += u64::from(more);
            }
        }
        for (count, &more) in counts.iter_mut().zip(&self.wide) {
            *count += more;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_beyond_32_bits_are_carried_over() {
        for cells in [3, 5000] {
            let mut tally = Tally::new(cells);
            tally.count(Slots::Wide(&[1, 1, 2, 1]), None);
            tally.most = u64::from(u32::MAX) - 1;
            tally.count(Slots::Bytes(&[2, 0, 2]), Some(&[0, 2]));
            assert_eq!(tally.most, 2);
            let mut counts = vec![0; cells];
            tally.add_to(&mut counts);
            assert_eq!(counts[..3], [0, 3, 3]);
        }
    }
}
