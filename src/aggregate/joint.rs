//! How often two values fall into the same bins, and what one tells of the other.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::tally::{Purpose, Tally};
use super::values::{NumericKind, Slotter, numeric_kind};
use super::{Bins, Scale};

/// How the two values are cut.
pub struct Cuts([(Slotter, u32); 2]);

impl std::fmt::Debug for Cuts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cuts({} × {})", self.0[0].1, self.0[1].1)
    }
}

impl Cuts {
    /// Both values in equal bins, at most `most` of each, from the least to the greatest finite value; whole
    /// numbers of a smaller span each in a bin of its own. `None` where an extent has no width that a number
    /// can hold.
    pub fn new(types: [&DataType; 2], extents: [[f64; 2]; 2], most: usize) -> Option<Cuts> {
        let cut = |data_type: &DataType, [least, greatest]: [f64; 2]| {
            let is_real = numeric_kind(data_type) == Some(NumericKind::Float);
            let end = match data_type {
                DataType::Float32 | DataType::Float16 => f64::from((greatest as f32).next_up()),
                _ if is_real => greatest.next_up(),
                _ => (greatest + 1.0).max(greatest.next_up()),
            };
            let count = if is_real { most } else { most.min((end - least) as usize).max(1) };
            let bins = Bins::new(least, end, count, Scale::Linear).ok()?;
            Some((Slotter::new(data_type, &bins), bins.count() as u32))
        };
        Some(Cuts([cut(types[0], extents[0])?, cut(types[1], extents[1])?]))
    }
}

/// Rows of every cell by the bins of two values.
#[derive(Debug, Clone)]
pub(super) struct Joint {
    cuts: Arc<Cuts>,
    pub(super) tally: Tally,
}

impl Joint {
    pub(super) fn new(cuts: Arc<Cuts>, budget: usize) -> Joint {
        Joint { cuts, tally: Tally::new(Purpose::Counts, budget) }
    }

    pub(super) fn update(&mut self, values: &[ArrayRef], rows: &Range<usize>, cells: &[u32], trash: u32) {
        let [x, y] = values else { return };
        let mut slots = [vec![0; rows.len()], vec![0; rows.len()]];
        for ((array, (slotter, _)), slots) in [x, y].into_iter().zip(&self.cuts.0).zip(&mut slots) {
            slotter.write(array, rows.clone(), slots);
        }
        let [(_, x_bins), (_, y_bins)] = &self.cuts.0;
        for (i, &cell) in cells.iter().enumerate() {
            // Infinite values lie beyond the bins.
            let (x, y) = (slots[0][i], slots[1][i]);
            if cell != trash && x < *x_bins && y < *y_bins {
                self.tally.add(cell, u64::from(x) << 32 | u64::from(y));
            }
        }
        self.tally.fit();
    }

    /// Mutual information of the two bins in each of the cells `0..cells`, in nats: the sum of
    /// `p(x, y) ln(p(x, y) / (p(x) p(y)))`; `None` of no row.
    pub(super) fn information(&self, cells: usize) -> Vec<Option<f64>> {
        let mut found = vec![None; cells];
        let [(_, x_bins), (_, y_bins)] = &self.cuts.0;
        for entries in self.tally.sorted(cells).chunk_by(|a, b| a.cell == b.cell) {
            let mut of_x = vec![0u64; *x_bins as usize];
            let mut of_y = vec![0u64; *y_bins as usize];
            let place = |code: u64| ((code >> 32) as usize, (code & 0xffff_ffff) as usize);
            for entry in entries {
                let (x, y) = place(entry.code);
                of_x[x] += entry.count;
                of_y[y] += entry.count;
            }
            let total = of_x.iter().sum::<u64>() as f64;
            let term = |entry: &super::tally::Entry| {
                let (x, y) = place(entry.code);
                let count = entry.count as f64;
                count / total * (count / of_x[x] as f64 * (total / of_y[y] as f64)).ln()
            };
            // Rounding may leave a tiny negative of independent values.
            found[entries[0].cell as usize] = Some(entries.iter().map(term).sum::<f64>().max(0.0));
        }
        found
    }
}
