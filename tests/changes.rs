//! A file that changes while it is read: the program lives, and no answer mixes two states of it.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{ArrayRef, Float64Array, RecordBatch};
use arrow::ipc::writer::FileWriter;
use outcrop::data::Schema;
use outcrop::dataset::{Dataset, ReadError, Source};
use outcrop::expr::Expr;
use outcrop::formats::open;
use outcrop::memory::Mapped;
use outcrop::query::rows::fetch;
use outcrop::query::{Answer, QueryError, Question, ScanOptions, Workers, scan};
use outcrop::select::Selection;
use outcrop::task::Task;
use tempfile::TempDir;

use crate::common::{floats, grid_question, table, test_data};

const ROWS: u64 = 1 << 20;

fn write(path: &Path, value: f64) {
    let values: ArrayRef = Arc::new(Float64Array::from(vec![value; ROWS as usize]));
    let batch = RecordBatch::try_from_iter([("x", values)]).unwrap();
    let mut writer = FileWriter::try_new(File::create(path).unwrap(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
}

/// A table that does something to its file at its third read.
struct Meddling<F> {
    inner: Arc<dyn Source>,
    reads: AtomicU64,
    meddle: F,
}

impl<F: Fn() + Send + Sync> Source for Meddling<F> {
    fn schema(&self) -> &Schema {
        self.inner.schema()
    }

    fn row_count(&self) -> u64 {
        self.inner.row_count()
    }

    fn read(&self, column: usize, rows: Range<u64>) -> Result<ArrayRef, ReadError> {
        if self.reads.fetch_add(1, Ordering::SeqCst) == 2 {
            (self.meddle)();
        }
        self.inner.read(column, rows)
    }

    fn is_current(&self) -> bool {
        self.inner.is_current()
    }

    fn identity(&self) -> String {
        self.inner.identity()
    }
}

fn file() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.arrow");
    write(&path, 1.0);
    (folder, path)
}

fn dataset(path: &Path, meddle: impl Fn() + Send + Sync + 'static) -> Arc<Dataset> {
    let inner = open(path, &Task::detached()).unwrap_or_else(|error| panic!("{error}"));
    Arc::new(Dataset::new(Arc::new(Meddling { inner, reads: AtomicU64::new(0), meddle })))
}

fn sum_of(dataset: &Arc<Dataset>) -> Question {
    grid_question(dataset, Selection::all(), vec![], &["sum(x)"])
}

fn answer(question: &Question) -> Result<Vec<Answer>, QueryError> {
    let options = ScanOptions { chunk_rows: 1 << 12, ..ScanOptions::default() };
    scan(std::slice::from_ref(question), &Workers::new(2).unwrap(), options, &Task::detached())
}

fn sum(question: &Question) -> f64 {
    answer(question).unwrap_or_else(|error| panic!("{error}"))[0].grid().unwrap().measure(0)[0]
}

fn is_changed<T>(result: Result<T, QueryError>) -> bool {
    matches!(result, Err(QueryError::Changed { .. }))
}

fn page(dataset: &Arc<Dataset>, first: u64) -> Result<f64, QueryError> {
    let x = Expr::column("x", dataset.schema()).unwrap();
    let page = fetch(dataset, &Selection::all(), None, first, 10, &[x], &Task::detached())?;
    let values = page.columns[0].as_any().downcast_ref::<Float64Array>().unwrap();
    Ok(values.iter().flatten().sum())
}

#[cfg(unix)]
#[test]
fn a_file_cut_under_a_scan_is_an_error_and_other_tables_still_answer() {
    let (_folder, path) = file();
    let cut = path.clone();
    let cut = move || OpenOptions::new().write(true).open(&cut).unwrap().set_len(5000).unwrap();
    let dataset = dataset(&path, cut);
    let question = sum_of(&dataset);
    let error = answer(&question).err().unwrap();
    assert!(matches!(error, QueryError::Changed { .. }), "{error}");
    assert!(error.to_string().contains("changed on disk") && error.to_string().contains("open it again"));
    assert!(is_changed(answer(&question)), "and it stays so");
    assert!(is_changed(page(&dataset, ROWS - 10)));
    let other = table(vec![("x", floats(&[Some(1.0), Some(2.0)]))]);
    assert_eq!(sum(&sum_of(&other)), 3.0);
    write(&path, 2.0);
    let again = self::dataset(&path, || ());
    assert_eq!(sum(&sum_of(&again)), 2.0 * ROWS as f64);
}

#[cfg(unix)]
#[test]
fn pages_lost_from_a_map_read_as_zeros_and_leave_a_mark() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bytes");
    std::fs::write(&path, vec![7; 100_000]).unwrap();
    let (mapped, other) = (Mapped::open(&path).unwrap(), test_data().join("vaex/iris.hdf5"));
    let other = Mapped::open(&other).unwrap();
    assert!(mapped.is_intact() && mapped.is_current());
    OpenOptions::new().write(true).open(&path).unwrap().set_len(10).unwrap();
    assert!(mapped.is_intact() && !mapped.is_current());
    let is_zero = &|start: usize| mapped.bytes()[start..].iter().all(|&byte| byte == 0);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (1..5).map(|i| scope.spawn(move || is_zero(20_000 * i))).collect();
        assert!(readers.into_iter().all(|reader| reader.join().unwrap()));
    });
    assert_eq!(mapped.bytes()[..10], [7; 10]);
    assert!(!mapped.is_intact() && other.is_intact() && other.is_current());
    drop(mapped);
    assert!(Mapped::open(&path).unwrap().is_intact(), "a new map has no mark");
}

#[test]
fn a_file_rewritten_in_place_is_an_error() {
    let (_folder, path) = file();
    let rewritten = path.clone();
    let rewrite = move || {
        let bytes = std::fs::read(&rewritten).unwrap();
        // Times of change are as fine as the system's clock tick.
        std::thread::sleep(std::time::Duration::from_millis(20));
        OpenOptions::new().write(true).open(&rewritten).unwrap().write_all(&bytes).unwrap();
    };
    let dataset = dataset(&path, rewrite);
    assert!(is_changed(answer(&sum_of(&dataset))));
    assert!(is_changed(page(&dataset, 0)));
}

#[test]
fn a_file_that_was_replaced_stays_readable_but_says_so() {
    let (folder, path) = file();
    let dataset = dataset(&path, || ());
    let question = sum_of(&dataset);
    assert_eq!(sum(&question), ROWS as f64);
    let new = folder.path().join("new.arrow");
    write(&new, 2.0);
    std::fs::rename(&new, &path).unwrap();
    assert!(is_changed(answer(&question)));
    assert!(is_changed(page(&dataset, 5)));
    let old = dataset.source().read(0, ROWS - 1..ROWS).unwrap();
    assert_eq!(old.as_any().downcast_ref::<Float64Array>().unwrap().value(0), 1.0, "the old file is whole");
    std::fs::remove_file(&path).unwrap();
    assert!(is_changed(answer(&question)), "a file that is gone, too");
}
