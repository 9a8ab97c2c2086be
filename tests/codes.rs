//! Codes of axes: later scans read them in place of columns, and answer the same.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::ops::Range;
use std::sync::{Arc, Mutex};

use arrow::array::ArrayRef;
use outcrop::aggregate::{Bins, Scale};
use outcrop::data::Schema;
use outcrop::dataset::{Dataset, MemorySource, ReadError, Source};
use outcrop::expr::Expr;
use outcrop::query::{Answer, Axis, Brush, Codes, Question, ScanOptions, Workers, scan, scan_with_codes};
use outcrop::select::{Clause, Selection};
use outcrop::task::Task;

use crate::common::{awkward_floats, floats, grid_question};

/// A table that counts the reads of every column.
struct Counting {
    rows: MemorySource,
    reads: Mutex<Vec<usize>>,
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
        "counting".to_owned()
    }
}

fn demo(rows: usize) -> (Arc<Dataset>, Arc<Counting>) {
    let column = |seed| floats(&awkward_floats(rows, seed));
    let rows = MemorySource::of(vec![("a", column(1)), ("b", column(2)), ("c", column(3))]);
    let source = Arc::new(Counting { rows, reads: Mutex::new(vec![0; 3]) });
    (Arc::new(Dataset::new(source.clone())), source)
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

fn options() -> ScanOptions {
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
                let answers = scan_with_codes(&questions, &codes, &workers, options(), &task).unwrap();
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
        source.reads.lock().unwrap().iter_mut().map(std::mem::take).collect::<Vec<usize>>()
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
    let answers = scan_with_codes(&all, &codes, &workers, options(), &task).unwrap();
    let plain = scan(&all, &workers, options(), &task).unwrap();
    assert_eq!(answers[0].grid().unwrap().counts, plain[0].grid().unwrap().counts);
}
