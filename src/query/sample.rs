//! A few rows of a table, chosen so that what they say of all rows comes with an honest error.
//!
//! The rows are cut into strata of equal length, and of each one short block is read, at a place drawn by a
//! generator seeded with the table's identity: whatever order the rows are in, every stretch of the file is
//! there. Reading a block costs about the same for one row as for some dozens, and rows that lie beside each
//! other are often alike, so many short blocks say more than a few long ones; of a compressed table, where a
//! whole page must be decoded, there are fewer and longer blocks, and the error shown is larger.
//!
//! Strata are visited in bit-reversed order. A run of visits is then itself a stratified sample of the whole
//! table, and the [`REPLICATES`] runs of equal length differ as samples do: their spread is the error.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use arrow::array::ArrayRef;
use arrow::compute::concat;

use super::Workers;
use crate::data::Schema;
use crate::dataset::{ReadError, Source};

/// Samples of equal size within the sample; the spread of what they say tells how far all of it may be off.
pub const REPLICATES: usize = 32;

/// Blocks of a table whose rows are decoded in pages: two for each replicate.
const PAGED_BLOCKS: usize = 2 * REPLICATES;
/// Most rows taken of one page.
const MOST_PAGE_ROWS: u64 = 1 << 14;

/// Which tables are sampled, and how much of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleOptions {
    /// Tables of fewer rows are not sampled: all of their rows are read nearly as fast.
    pub least_rows: u64,
    /// Blocks read: a power of two, at least [`REPLICATES`].
    pub blocks: usize,
    /// Rows of one block.
    pub block_rows: u64,
}

impl Default for SampleOptions {
    /// Half a million rows in 8 192 blocks: 5 ms a column of a file in the page cache, on two threads.
    fn default() -> SampleOptions {
        SampleOptions { least_rows: 1 << 24, blocks: 1 << 13, block_rows: 64 }
    }
}

/// The sample of one table. Its values are read when they are first needed, and kept.
pub struct Sample {
    source: Arc<dyn Source>,
    /// Rows of the table, in order of visit.
    blocks: Vec<Range<u64>>,
    block_rows: u64,
    /// First row of the sample in every replicate, and its number of rows.
    starts: Vec<u64>,
    /// Rows of the table for each of the sample.
    expansion: f64,
    columns: Vec<OnceLock<Result<Vec<ArrayRef>, ReadError>>>,
}

impl Sample {
    /// Draws the sample of `source`; reads nothing. `None` when the table is too small for one.
    pub fn of(source: &Arc<dyn Source>, options: SampleOptions) -> Option<Arc<Sample>> {
        let rows = source.row_count();
        if rows < options.least_rows {
            return None;
        }
        let is_paged = source.page_rows() > options.block_rows;
        let (count, block_rows) = match is_paged {
            true => (PAGED_BLOCKS, source.page_rows().min(MOST_PAGE_ROWS)),
            false => (options.blocks.next_power_of_two().max(REPLICATES), options.block_rows.max(1)),
        };
        let all = rows.div_ceil(block_rows);
        if all < 4 * count as u64 {
            return None;
        }
        let mut random = Generator::seeded(&source.identity());
        let places: Vec<f64> = (0..count).map(|stratum| stratum as f64 + random.unit()).collect();
        let block = |visit: usize| {
            let place = places[reversed(visit, count)];
            let block = ((place * all as f64 / count as f64) as u64).min(all - 1);
            block * block_rows..((block + 1) * block_rows).min(rows)
        };
        let blocks: Vec<Range<u64>> = (0..count).map(block).collect();
        let mut starts = vec![0];
        for replicate in blocks.chunks(count / REPLICATES) {
            let rows: u64 = replicate.iter().map(|block| block.end - block.start).sum();
            starts.push(starts[starts.len() - 1] + rows);
        }
        Some(Arc::new(Sample {
            blocks,
            starts,
            block_rows,
            expansion: all as f64 / count as f64,
            columns: source.schema().fields().iter().map(|_| OnceLock::new()).collect(),
            source: source.clone(),
        }))
    }

    /// Reads the columns, by position in the schema, that were not yet read.
    pub(super) fn prepare(&self, columns: &[usize], workers: &Workers) {
        let unread: Vec<usize> =
            columns.iter().copied().filter(|&column| self.columns[column].get().is_none()).collect();
        let parts = workers.map(unread.len() * REPLICATES, |i| {
            self.source.gather(unread[i / REPLICATES], self.replicate(i % REPLICATES))
        });
        let mut parts = parts.into_iter();
        for column in unread {
            let values = parts.by_ref().take(REPLICATES).collect();
            // Lost only if another thread read the same values meanwhile.
            let _ = self.columns[column].set(values);
        }
    }

    /// Reads a column, by position in the schema, before it is asked for.
    pub fn read_ahead(&self, column: usize, workers: &Workers) {
        self.prepare(&[column], workers);
    }

    fn replicate(&self, i: usize) -> &[Range<u64>] {
        let size = self.blocks.len() / REPLICATES;
        &self.blocks[i * size..(i + 1) * size]
    }

    /// Reads the first blocks of the first column, to find out how long a block takes; how many they were.
    pub fn try_blocks(&self) -> usize {
        let tried = &self.blocks[..REPLICATES.min(self.blocks.len())];
        // A column that cannot be read is told of by its answer.
        let _ = self.source.gather(0, tried);
        tried.len()
    }

    /// The table.
    pub fn source(&self) -> &Arc<dyn Source> {
        &self.source
    }

    /// Rows of the sample in replicate `i`.
    pub(super) fn replicate_rows(&self, i: usize) -> Range<u64> {
        self.starts[i]..self.starts[i + 1]
    }

    /// Rows read.
    pub fn rows(&self) -> u64 {
        self.starts[REPLICATES]
    }

    /// Rows of the table that each row of the sample stands for.
    pub fn expansion(&self) -> f64 {
        self.expansion
    }

    /// Most rows that may, in one case of twenty, lie where the sample has none: of `b` blocks that hold
    /// such rows none is drawn with a probability of `exp(-b / expansion)`.
    pub(super) fn unseen_limit(&self) -> f64 {
        3.0 * self.expansion * self.block_rows as f64
    }

    /// Bytes of the values kept.
    pub fn bytes(&self) -> usize {
        let read = self.columns.iter().filter_map(|column| column.get()?.as_ref().ok());
        read.flatten().map(|part| part.get_array_memory_size()).sum()
    }
}

/// The rows of the sample, one replicate after another.
impl Source for Sample {
    fn schema(&self) -> &Schema {
        self.source.schema()
    }

    fn row_count(&self) -> u64 {
        self.rows()
    }

    fn read(&self, column: usize, rows: Range<u64>) -> Result<ArrayRef, ReadError> {
        let i = self.starts.partition_point(|&start| start <= rows.start).clamp(1, REPLICATES) - 1;
        let values = match self.columns[column].get() {
            Some(Ok(parts)) => parts[i].clone(),
            Some(Err(error)) => return Err(error.clone()),
            None => self.source.gather(column, self.replicate(i))?,
        };
        let end = rows.end.min(self.starts[i + 1]);
        let part = values.slice((rows.start - self.starts[i]) as usize, (end - rows.start) as usize);
        if end == rows.end {
            return Ok(part);
        }
        let rest = Source::read(self, column, end..rows.end)?;
        concat(&[part.as_ref(), rest.as_ref()]).map_err(|error| ReadError {
            column: self.schema().fields()[column].name.clone(),
            rows,
            reason: error.to_string(),
        })
    }

    fn splits(&self) -> &[u64] {
        &self.starts[1..REPLICATES]
    }

    fn is_current(&self) -> bool {
        self.source.is_current()
    }

    fn identity(&self) -> String {
        format!("sample of {}", self.source.identity())
    }
}

/// `visit` with the bits of `0..count`, a power of two, in reverse.
fn reversed(visit: usize, count: usize) -> usize {
    match count.trailing_zeros() {
        0 => 0,
        bits => visit.reverse_bits() >> (usize::BITS - bits),
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Generator(u64);

impl Generator {
    /// Seeded by the bytes of `text` (FNV-1a).
    fn seeded(text: &str) -> Generator {
        let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Generator(text.bytes().fold(0xcbf2_9ce4_8422_2325, fold))
    }

    /// In `0.0..1.0`.
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::MemorySource;
    use arrow::array::Int64Array;

    fn source(rows: i64) -> Arc<dyn Source> {
        Arc::new(MemorySource::of(vec![("x", Arc::new(Int64Array::from_iter_values(0..rows)) as ArrayRef)]))
    }

    #[test]
    fn every_replicate_covers_the_whole_table() {
        let options = SampleOptions { least_rows: 0, blocks: 256, block_rows: 4 };
        let sample = Sample::of(&source(100_000), options).unwrap();
        for i in 0..REPLICATES {
            let mut starts: Vec<u64> = sample.replicate(i).iter().map(|block| block.start).collect();
            starts.sort_unstable();
            for (j, start) in starts.iter().enumerate() {
                let (from, to) = (j as u64 * 12_500, (j as u64 + 1) * 12_500);
                assert!((from..to).contains(start), "replicate {i}: {starts:?}");
            }
        }
    }

    #[test]
    fn a_small_table_has_no_sample() {
        let options = SampleOptions { least_rows: 1000, blocks: 64, block_rows: 1 };
        assert!(Sample::of(&source(999), options).is_none());
        assert!(Sample::of(&source(1000), options).is_some());
        assert!(Sample::of(&source(1000), SampleOptions { blocks: 512, ..options }).is_none());
    }
}
