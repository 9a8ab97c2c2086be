//! Codes of axes: later scans read them in place of columns, and answer the same.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::ops::Range;
use std::sync::{Arc, Mutex};

use arrow::array::ArrayRef;
use outcrop::aggregate::{Bins, Scale};
use outcrop::data::Schema;
use outcrop::dataset::{Dataset, MemorySource, ReadError, Source};
use outcrop::engine::CodeFiles;
use outcrop::expr::Expr;
use outcrop::query::{Answer, Axis, Brush, Codes, Question, ScanOptions, Workers, scan, scan_with_codes};
use outcrop::select::{Clause, Selection};
use outcrop::task::Task;

use crate::common::{awkward_floats, floats, grid_question};

/// A table that counts the reads of every column.
pub(crate) struct Counting {
    rows: MemorySource,
    reads: Mutex<Vec<usize>>,
    identity: &'static str,
}

impl Counting {
    pub(crate) fn table(
        columns: Vec<(&str, ArrayRef)>,
        identity: &'static str,
    ) -> (Arc<Dataset>, Arc<Counting>) {
        let reads = Mutex::new(vec![0; columns.len()]);
        let source = Arc::new(Counting { rows: MemorySource::of(columns), reads, identity });
        (Arc::new(Dataset::new(source.clone())), source)
    }

    /// Reads of every column since they were last taken.
    pub(crate) fn take_reads(&self) -> Vec<usize> {
        self.reads.lock().unwrap().iter_mut().map(std::mem::take).collect()
    }
}

impl Source for Counting {
    fn schema(&self) -> &Schema {
        self.rows.schema()
    }

    fn row_count(&self) -> u64 {
        self.rows.row_count()
    }

    fn read(&self, column: usize, rows: Range<u64>) -> Result<ArrayRef, ReadError> {
        self.reads.lock().unwrap()[column] += 1;
        self.rows.read(column, rows)
    }

    fn identity(&self) -> String {
        self.identity.to_owned()
    }
}

fn demo(rows: usize) -> (Arc<Dataset>, Arc<Counting>) {
    state(rows, "table@1")
}

/// The table in a state of its file.
fn state(rows: usize, identity: &'static str) -> (Arc<Dataset>, Arc<Counting>) {
    let column = |seed| floats(&awkward_floats(rows, seed));
    Counting::table(vec![("a", column(1)), ("b", column(2)), ("c", column(3))], identity)
}

fn axis(dataset: &Dataset, text: &str, count: usize) -> Axis {
    let bins = Bins::new(0.0, 10.0, count, Scale::Linear).unwrap();
    Axis { expr: Expr::parse(text, dataset.schema()).unwrap(), bins }
}

fn questions(dataset: &Arc<Dataset>) -> Vec<Question> {
    let all = Selection::all;
    let brush = Brush::over(&[axis(dataset, "a", 5)]).unwrap();
    let filtered = |lo, hi| Selection::of([Clause::interval(axis(dataset, "c", 1).expr, lo, hi)]);
    let mut questions = vec![
        grid_question(dataset, all(), vec![axis(dataset, "a", 5)], &[]),
        grid_question(dataset, all(), vec![axis(dataset, "a + b", 300)], &["mean(c)"]),
        grid_question(dataset, filtered(2.0, 3.0), vec![axis(dataset, "b", 4)], &["count"]),
        grid_question(dataset, filtered(2.0, 9.0), vec![axis(dataset, "a", 5), axis(dataset, "b", 4)], &[]),
    ];
    let cubes: Vec<Question> = questions.iter().filter_map(|question| brush.cube_for(question)).collect();
    questions.extend(cubes);
    questions
}

pub(crate) fn options() -> ScanOptions {
    ScanOptions { chunk_rows: 64, ..ScanOptions::default() }
}

#[test]
fn scans_by_codes_answer_as_scans_of_columns_do() {
    for rows in [0, 1, 64, 999] {
        let (dataset, _) = demo(rows);
        let questions = questions(&dataset);
        let digest = |answers: &[Answer]| format!("{answers:?}");
        let workers = Workers::new(2).unwrap();
        let plain = digest(&scan(&questions, &workers, options(), &Task::detached()).unwrap());
        for budget in [1 << 20, 3000, 0] {
            let codes = Codes::new(budget);
            for threads in [1, 2, 3, 2] {
                let workers = Workers::new(threads).unwrap();
                let task = Task::detached();
                let answers = scan_with_codes(&questions, &codes, &workers, options(), &task).unwrap().0;
                assert_eq!(digest(&answers), plain, "{rows} rows, {budget} bytes, {threads} threads");
                assert!(codes.bytes() <= budget.max(rows), "{} of {budget}", codes.bytes());
            }
        }
    }
}

#[test]
fn a_second_scan_reads_no_column_whose_codes_are_known() {
    let (dataset, source) = demo(1000);
    let axes = || vec![axis(&dataset, "a", 5), axis(&dataset, "b", 400)];
    let question = |axes| [grid_question(&dataset, Selection::all(), axes, &[])];
    let (codes, workers) = (Codes::new(1 << 20), Workers::new(2).unwrap());
    let ask = |questions: &[Question]| {
        scan_with_codes(questions, &codes, &workers, options(), &Task::detached()).unwrap();
        source.take_reads()
    };
    assert_eq!(ask(&question(axes())), [16, 16, 0]);
    assert_eq!(codes.bytes(), 1000 + 2000, "a byte and two bytes a row");
    assert_eq!(ask(&question(axes())), [0, 0, 0]);
    assert_eq!(ask(&question(vec![axis(&dataset, "b", 400), axis(&dataset, "c", 3)])), [0, 0, 16]);
    assert_eq!(ask(&question(vec![axis(&dataset, "a", 6)])), [16, 0, 0], "other bins are other codes");
}

#[test]
fn rows_left_out_by_a_filter_do_not_count_as_known() {
    let (dataset, _) = demo(1000);
    let narrow = Selection::of([Clause::interval(axis(&dataset, "c", 1).expr, 2.0, 2.1)]);
    let question = |selection| [grid_question(&dataset, selection, vec![axis(&dataset, "a", 5)], &[])];
    let (codes, workers) = (Codes::new(1 << 20), Workers::new(2).unwrap());
    let task = Task::detached();
    scan_with_codes(&question(narrow), &codes, &workers, options(), &task).unwrap();
    let all = question(Selection::all());
    let answers = scan_with_codes(&all, &codes, &workers, options(), &task).unwrap().0;
    let plain = scan(&all, &workers, options(), &task).unwrap();
    assert_eq!(answers[0].grid().unwrap().counts, plain[0].grid().unwrap().counts);
}

/// A start of the program: what it answers, and how often it read each column.
struct Started {
    codes: Codes,
    counts: Vec<Vec<u64>>,
    reads: Vec<usize>,
}

fn start(files: &CodeFiles, identity: &'static str) -> Started {
    let (dataset, source) = state(1000, identity);
    let codes = Codes::new(1 << 20).on_shelf(Arc::new(files.clone()));
    let (counts, reads) = again(&codes, &dataset, &source);
    Started { codes, counts, reads }
}

fn again(codes: &Codes, dataset: &Arc<Dataset>, source: &Counting) -> (Vec<Vec<u64>>, Vec<usize>) {
    let question = |axis| grid_question(dataset, Selection::all(), vec![axis], &[]);
    let questions = [question(axis(dataset, "a", 5)), question(axis(dataset, "b", 400))];
    let workers = Workers::new(2).unwrap();
    let answers = scan_with_codes(&questions, codes, &workers, options(), &Task::detached()).unwrap().0;
    let counts = answers.iter().map(|answer| answer.grid().unwrap().counts.clone()).collect();
    (counts, source.take_reads())
}

fn paths(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort_by_key(|path| path.metadata().unwrap().len());
    paths
}

#[test]
fn the_next_start_reads_codes_from_disk_in_place_of_columns() {
    let folder = tempfile::tempdir().unwrap();
    let files = CodeFiles::in_folder(folder.path().join("codes"), 10, Some(1 << 20));
    let first = start(&files, "table@1");
    assert_eq!((first.reads, first.codes.bytes(), first.codes.mapped_bytes()), (vec![16, 16, 0], 3000, 0));
    files.keep(&first.codes);
    assert_eq!(first.codes.bytes(), 0, "what is on disk is not held in memory as well");
    assert!(first.codes.mapped_bytes() > 3000);
    let (dataset, source) = demo(1000);
    assert_eq!(again(&first.codes, &dataset, &source), (first.counts.clone(), vec![0, 0, 0]));

    let second = start(&files, "table@1");
    assert_eq!((&second.counts, second.reads), (&first.counts, vec![0, 0, 0]));
    let changed = start(&files, "table@2");
    assert_eq!(changed.reads, [16, 16, 0], "of another state of the file nothing is known");
    files.keep(&changed.codes);
    assert_eq!(paths(&folder.path().join("codes")).len(), 2, "codes of the earlier state are gone");
    second.codes.forget_lost_files();
    assert_eq!(second.codes.mapped_bytes(), 0, "and their space with them");
    let small = CodeFiles::in_folder(folder.path().join("small"), 10_000, None);
    small.keep(&start(&small, "table@1").codes);
    assert!(!folder.path().join("small").exists(), "a small table is read as fast");
}

#[test]
fn damaged_codes_on_disk_are_as_good_as_none() {
    let folder = tempfile::tempdir().unwrap();
    let files = CodeFiles::in_folder(folder.path().join("codes"), 10, Some(1 << 20));
    let first = start(&files, "table@1");
    files.keep(&first.codes);
    let [bytes, words] = &paths(&folder.path().join("codes"))[..] else { panic!("two files") };
    let whole = std::fs::read(bytes).unwrap();
    let is_ignored = |content: &[u8]| {
        // A file that is mapped is replaced and never written into.
        std::fs::remove_file(bytes).unwrap();
        std::fs::write(bytes, content).unwrap();
        let started = start(&files, "table@1");
        assert_eq!(started.counts, first.counts);
        assert_eq!(started.reads[1], 0, "the other file is sound");
        started.reads[0] == 16
    };
    for length in [0, 1, 8, whole.len() / 2, whole.len() - 1] {
        assert!(is_ignored(&whole[..length]), "cut off at {length}");
    }
    for place in (0..whole.len()).step_by(37) {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x04;
        // Of the end of the head and of the codes some bytes only fill up.
        assert!(is_ignored(&damaged) || whole[place] == 0, "damaged at {place}");
    }
    assert!(!is_ignored(&whole));

    // Cut off while it is mapped, after its chunks were found to be sound.
    let (dataset, source) = demo(1000);
    let second = start(&files, "table@1");
    std::fs::File::options().write(true).open(words).unwrap().set_len(0).unwrap();
    assert_eq!(again(&second.codes, &dataset, &source).0, first.counts);
}

#[test]
fn codes_on_disk_used_longest_ago_make_room() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("codes");
    let keep = |budget| {
        let files = CodeFiles::in_folder(place.clone(), 10, Some(budget));
        files.keep(&start(&files, "table@1").codes);
        paths(&place).iter().map(|path| path.metadata().unwrap().len()).collect::<Vec<_>>()
    };
    let both = keep(1 << 20);
    assert_eq!(both.len(), 2);
    std::fs::remove_dir_all(&place).unwrap();
    assert_eq!(keep(both[1]).len(), 1, "one of them fits");
    let old = place.join("other-table.codes");
    std::fs::write(&old, vec![0; both[0] as usize]).unwrap();
    let past = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    std::fs::File::options().write(true).open(&old).unwrap().set_modified(past).unwrap();
    assert_eq!(keep(both[0] + both[1]), both);
    assert!(!old.exists());
}
