//! How the rows of a table are cut for a scan.

use std::ops::Range;
use std::sync::Arc;

use crate::dataset::{Source, cut};

/// Most units a table is cut into: enough to share out, few enough to merge.
const UNITS: usize = 64;
/// Of a small table, units to be had before they are made of more chunks, and how many they are made of: merging the
/// cells of a unit takes as long as some ten thousand rows.
const FEW: (usize, usize) = (8, 4);

/// Chunks (read at once) and units (summed up apart), a function of the table alone, so that results
/// do not depend on the number of threads.
#[derive(Debug, PartialEq)]
pub struct Layout {
    /// First row of every chunk, and the row count last.
    starts: Vec<u64>,
    /// Chunks per unit.
    unit_chunks: usize,
}

impl Layout {
    /// Chunks of at most `chunk_rows` rows that end at the source's splits.
    pub fn new(source: &dyn Source, chunk_rows: u64) -> Layout {
        let starts = cut(source, chunk_rows);
        let chunks = starts.len() - 1;
        let (few, together) = FEW;
        Layout { starts, unit_chunks: chunks.div_ceil(UNITS).max(together.min(chunks / few)).max(1) }
    }

    /// Number of rows.
    pub fn rows(&self) -> u64 {
        self.starts[self.chunks()]
    }

    /// Number of chunks.
    pub fn chunks(&self) -> usize {
        self.starts.len() - 1
    }

    /// Rows of chunk `i`.
    pub fn chunk(&self, i: usize) -> Range<u64> {
        self.starts[i]..self.starts[i + 1]
    }

    /// The first rows of all chunks, for comparison.
    pub(super) fn start_bytes(&self) -> Vec<u8> {
        self.starts.iter().flat_map(|start| start.to_le_bytes()).collect()
    }

    /// Number of units.
    pub fn units(&self) -> usize {
        self.chunks().div_ceil(self.unit_chunks)
    }

    /// Rows of the first unit; none but the last has fewer chunks.
    pub(super) fn unit_rows(&self) -> u64 {
        self.starts[self.unit_chunks.min(self.chunks())] - self.starts[0]
    }

    /// Chunks of unit `u`.
    pub fn unit(&self, u: usize) -> Range<usize> {
        let first = u * self.unit_chunks;
        first..(first + self.unit_chunks).min(self.chunks())
    }

    /// Rows of the chunks of unit `u`, so many chunks at a time.
    pub(super) fn stretches(&self, u: usize, together: usize) -> impl Iterator<Item = Range<u64>> {
        let chunks = self.unit(u);
        let end = chunks.end;
        chunks.step_by(together).map(move |first| self.starts[first]..self.starts[end.min(first + together)])
    }

    /// The chunk that holds `row`, which must lie inside the table.
    pub fn chunk_of(&self, row: u64) -> usize {
        self.starts.partition_point(|&start| start <= row) - 1
    }
}

/// How many rows of every chunk pass a selection: finds the k-th passing row without a scan.
#[derive(Debug, Clone)]
pub struct RowIndex {
    layout: Arc<Layout>,
    /// Passing rows before chunk `i`; the total last.
    before: Vec<u64>,
}

impl RowIndex {
    pub(super) fn new(layout: Arc<Layout>, passing: &[u32]) -> RowIndex {
        let mut before = Vec::with_capacity(passing.len() + 1);
        let mut total = 0;
        before.push(0);
        for &n in passing {
            total += u64::from(n);
            before.push(total);
        }
        RowIndex { layout, before }
    }

    /// Passing rows of the whole table.
    pub fn total(&self) -> u64 {
        self.before.last().copied().unwrap_or(0)
    }

    /// The cut it counts by.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The chunk that holds passing row `k`, and how many passing rows precede that chunk.
    pub fn locate(&self, k: u64) -> Option<(usize, u64)> {
        if k >= self.total() {
            return None;
        }
        let chunk = self.before.partition_point(|&before| before <= k) - 1;
        Some((chunk, self.before[chunk]))
    }

    pub(super) fn bytes(&self) -> usize {
        self.before.len() * 8
    }
}
