//! Rows per cell of a grid, where nothing else is asked of them. Counts are whole numbers: they add up
//! the same in any order, so each worker keeps one tally for all its units.

use super::cells::{Slots, each};
use crate::kernel::fold::{self, Number};

/// Most cells that get four counts each: those of a histogram brushed by another fit the second-level cache. Those of a
/// heatmap brushed by a histogram would not, with 32 bits each.
const MOST_SPREAD: usize = 8192;

/// Counts of one worker.
pub(super) enum Tally {
    /// Four for every cell.
    InFour {
        narrow: Vec<u32>,
        /// What was carried over before a narrow count could overflow.
        wide: Vec<u64>,
        /// The most any narrow count can be.
        most: u64,
    },
    /// Of cells that are many: a byte for each, and how often it was full.
    InBytes { bytes: Vec<u8>, full: Vec<u32> },
}

impl Tally {
    /// Nothing counted in `cells` cells.
    pub(super) fn new(cells: usize) -> Tally {
        match cells <= MOST_SPREAD {
            true => Tally::InFour { narrow: vec![0; 4 * cells], wide: vec![0; cells], most: 0 },
            false => Tally::InBytes { bytes: vec![0; cells], full: vec![0; cells] },
        }
    }

    /// Counts the rows of a block in their cells; of the `chosen` alone where some are chosen.
    pub(super) fn count(&mut self, cells: Slots, chosen: Option<&[u32]>) {
        match self {
            Tally::InFour { narrow, wide, most } => {
                let rows = chosen.map_or(cells.len(), <[u32]>::len) as u64;
                if *most + rows > u64::from(u32::MAX) {
                    add_four(narrow, wide);
                    narrow.fill(0);
                    *most = 0;
                }
                *most += rows;
                each!(cells, |cells| match chosen {
                    None => fold::count_in_four(cells, narrow),
                    Some(chosen) => fold::count_chosen_in_four(cells, chosen, narrow),
                });
            }
            Tally::InBytes { bytes, full } => each!(cells, |cells| match chosen {
                None => fold::count_in_bytes(cells.iter().map(|cell| cell.place()), bytes, full),
                Some(chosen) => {
                    let cells = chosen.iter().map(|&row| cells[row as usize].place());
                    fold::count_in_bytes(cells, bytes, full);
                }
            }),
        }
    }

    /// Adds what was counted to the counts of all cells.
    pub(super) fn add_to(&self, counts: &mut [u64]) {
        match self {
            Tally::InFour { narrow, wide, .. } => {
                add_four(narrow, counts);
                counts.iter_mut().zip(wide).for_each(|(count, more)| *count += more);
            }
            Tally::InBytes { bytes, full } => {
                for ((count, &byte), &full) in counts.iter_mut().zip(bytes).zip(full) {
                    *count += u64::from(byte) + 256 * u64::from(full);
                }
            }
        }
    }
}

fn add_four(narrow: &[u32], counts: &mut [u64]) {
    for copy in narrow.chunks_exact(counts.len().max(1)) {
        for (count, &more) in counts.iter_mut().zip(copy) {
            *count += u64::from(more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_beyond_32_bits_are_carried_over() {
        let mut tally = Tally::new(3);
        tally.count(Slots::Wide(&[1, 1, 2, 1]), None);
        if let Tally::InFour { most, .. } = &mut tally {
            *most = u64::from(u32::MAX) - 1;
        }
        tally.count(Slots::Bytes(&[2, 0, 2]), Some(&[0, 2]));
        assert!(matches!(tally, Tally::InFour { most: 2, .. }));
        let mut counts = vec![0; 3];
        tally.add_to(&mut counts);
        assert_eq!(counts, [0, 3, 3]);
    }

    #[test]
    fn counts_of_many_cells_go_beyond_a_byte() {
        let mut tally = Tally::new(MOST_SPREAD + 1);
        let mut expected = vec![0; MOST_SPREAD + 1];
        for round in 0..1000 {
            let cells = [MOST_SPREAD as u32, round % 3, MOST_SPREAD as u32, 7];
            tally.count(Slots::Wide(&cells), None);
            tally.count(Slots::Words(&[7, 8]), Some(&[1]));
            cells.into_iter().chain([8]).for_each(|cell| expected[cell as usize] += 1);
        }
        let mut counts = vec![0; MOST_SPREAD + 1];
        tally.add_to(&mut counts);
        assert_eq!(counts, expected);
        assert_eq!(counts[MOST_SPREAD], 2000);
    }
}
