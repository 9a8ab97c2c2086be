//! What several tests need.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use outcrop::dataset::{Dataset, MemorySource};
use outcrop::query::{Answer, Ask, Axis, Measure, Question, ScanOptions, Workers, scan};
use outcrop::select::Selection;
use outcrop::task::Task;

/// The folder of small files that belong to the tests.
pub(crate) fn test_data() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// Real files beyond those in `tests/data`: `OUTCROP_SHARED_DATA`, or the folder `shared/data` beside
/// the project. `None` where there is neither.
pub(crate) fn shared_data() -> Option<PathBuf> {
    let named = std::env::var_os("OUTCROP_SHARED_DATA").map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    named.into_iter().chain([beside]).find(|path| path.is_dir())
}

/// Reproducible pseudo-random numbers (xorshift64*, Vigna 2016).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// In `0.0..1.0`.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.bits() % n
    }
}

/// Floats with everything that goes wrong among them: edges, NaN, infinities, -0.0, nulls.
pub(crate) fn awkward_floats(rows: usize, seed: u64) -> Vec<Option<f64>> {
    let mut random = Random::new(seed);
    (0..rows)
        .map(|_| match random.below(16) {
            0 => None,
            1 => Some(f64::NAN),
            2 => Some(f64::INFINITY),
            3 => Some(f64::NEG_INFINITY),
            4 => Some(-0.0),
            5 => Some(0.0),
            6 => Some(random.below(11) as f64),
            7 => Some((random.below(11) as f64).next_down()),
            8 => Some((random.below(11) as f64).next_up()),
            _ => Some(random.unit() * 14.0 - 2.0),
        })
        .collect()
}

pub(crate) fn floats(values: &[Option<f64>]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

pub(crate) fn table(columns: Vec<(&str, ArrayRef)>) -> Arc<Dataset> {
    Arc::new(Dataset::new(Arc::new(MemorySource::of(columns))))
}

/// Asks one question on `threads` threads in chunks of `chunk_rows` rows.
pub(crate) fn ask(question: &Question, threads: usize, chunk_rows: u64) -> Answer {
    let workers = Workers::new(threads).unwrap();
    let options = ScanOptions { chunk_rows, ..ScanOptions::default() };
    scan(std::slice::from_ref(question), &workers, options, &Task::detached()).unwrap().remove(0)
}

pub(crate) fn grid_question(
    dataset: &Arc<Dataset>,
    selection: Selection,
    axes: Vec<Axis>,
    measures: &[&str],
) -> Question {
    let measures = measures.iter().map(|text| Measure::parse(text, dataset).unwrap()).collect();
    Question::new(dataset.clone(), selection, Ask::Grid { axes, measures })
}
