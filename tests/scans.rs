//! Scans against naive loops.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use arrow::array::{Array, ArrayRef, Float32Array, Int8Array, Int64Array, TimestampNanosecondArray};
use outcrop::aggregate::{Bins, Scale, nice_bins};
use outcrop::data::{Kind, Schema};
use outcrop::dataset::{Dataset, MemorySource, ReadError, Source};
use outcrop::expr::Expr;
use outcrop::query::rows::fetch;
use outcrop::query::{Answer, Ask, Axis, QueryError, Question, ScanOptions, Workers, scan};
use outcrop::select::{Clause, Selection};
use outcrop::task::{Task, TaskController};

use crate::common::{Random, ask, awkward_floats, floats, grid_question, table};

const CHUNKS: [u64; 5] = [1, 7, 64, 1000, 1 << 15];

fn column(dataset: &Dataset, name: &str) -> Expr {
    Expr::column(name, dataset.schema()).unwrap()
}

fn linear(lo: f64, hi: f64, count: usize) -> Bins {
    Bins::new(lo, hi, count, Scale::Linear).unwrap()
}

/// The slot of a value by comparing it with every edge in turn.
fn naive_slot(bins: &Bins, value: Option<f64>) -> usize {
    let Some(v) = value.filter(|v| !v.is_nan()) else { return bins.missing() };
    if v < bins.lo() {
        return bins.under();
    }
    (0..bins.count()).find(|&i| v >= bins.edges()[i] && v < bins.edges()[i + 1]).unwrap_or(bins.over())
}

#[test]
fn counts_over_one_axis_equal_a_naive_loop_for_every_chunk_size_and_thread_count() {
    for rows in [0, 1, 2, 999, 5000] {
        let values = awkward_floats(rows, rows as u64 + 1);
        let dataset = table(vec![("x", floats(&values))]);
        for bins in [linear(0.0, 10.0, 10), linear(0.0, 1.0, 100), linear(-1.0, 9.5, 7)] {
            let mut expected = vec![0u64; bins.slots()];
            values.iter().for_each(|&v| expected[naive_slot(&bins, v)] += 1);
            let axis = Axis { expr: column(&dataset, "x"), bins };
            let question = grid_question(&dataset, Selection::all(), vec![axis], &["count"]);
            for chunk_rows in CHUNKS {
                for threads in 1..=4 {
                    let answer = ask(&question, threads, chunk_rows);
                    assert_eq!(
                        answer.grid().unwrap().counts,
                        expected,
                        "{rows} rows, {chunk_rows}, {threads}"
                    );
                }
            }
        }
    }
}

#[test]
fn values_on_an_edge_fall_where_comparisons_put_them() {
    // Two-decimal values on bins a hundredth wide: the naive formula puts 0.29 into the bin of 0.28.
    let values: Vec<Option<f64>> = (0..=100).map(|i| Some(f64::from(i) / 100.0)).collect();
    let dataset = table(vec![("x", floats(&values))]);
    for bins in [linear(0.0, 1.0, 100), nice_bins(0.0, 1.0, 100, Kind::Float, 1.0)] {
        let axis = Axis { expr: column(&dataset, "x"), bins: bins.clone() };
        let question = grid_question(&dataset, Selection::all(), vec![axis], &["count"]);
        let counts = ask(&question, 2, 7).grid().unwrap().counts.clone();
        assert!(counts[..100].iter().all(|&n| n == 1), "{bins}: {counts:?}");
        assert_eq!(counts[100..].iter().sum::<u64>(), 1);
    }
}

#[test]
fn every_numeric_type_is_binned_by_its_own_comparison() {
    let whole: Vec<i64> = vec![(1 << 53) - 1, 1 << 53, (1 << 53) + 1, (1 << 53) + 2, (1 << 53) + 3];
    let dataset = table(vec![
        ("i", Arc::new(Int64Array::from(whole)) as ArrayRef),
        ("t", Arc::new(TimestampNanosecondArray::from(vec![-1, 0, 1, 999_999_999, 1_000_000_000]))),
        ("b", Arc::new(Int8Array::from(vec![i8::MIN, -1, 0, 1, i8::MAX]))),
        ("f", Arc::new(Float32Array::from(vec![0.1, 0.2, 0.3, 0.7, 0.9]))),
    ]);
    let counts = |name: &str, bins: Bins| {
        let axis = Axis { expr: column(&dataset, name), bins };
        let question = grid_question(&dataset, Selection::all(), vec![axis], &["count"]);
        ask(&question, 1, 2).grid().unwrap().counts.clone()
    };
    let big = 2f64.powi(53);
    let edges = Bins::from_edges(vec![big, big + 2.0, big + 4.0], Scale::Linear).unwrap();
    assert_eq!(counts("i", edges), [2, 2, 0, 1, 0]);
    assert_eq!(counts("t", linear(0.0, 1e9, 2)), [2, 1, 1, 1, 0]);
    assert_eq!(counts("b", linear(-128.0, 128.0, 2)), [2, 3, 0, 0, 0]);
    // The stored 0.7 lies in the bin that begins at 0.7.
    assert_eq!(counts("f", linear(0.0, 1.0, 10)), [0, 1, 1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0]);
}

#[test]
fn two_axes_and_a_filter_equal_a_naive_loop() {
    let (xs, ys, ws) = (awkward_floats(3001, 5), awkward_floats(3001, 6), awkward_floats(3001, 7));
    let dataset = table(vec![("x", floats(&xs)), ("y", floats(&ys)), ("w", floats(&ws))]);
    let (bx, by) = (linear(0.0, 10.0, 10), linear(-2.0, 12.0, 14));
    let selections = [
        Selection::all(),
        Selection::of([Clause::interval(column(&dataset, "w"), 1.0, 5.0)]),
        Selection::of([Clause { inverted: true, ..Clause::interval(column(&dataset, "w"), 1.0, 5.0) }]),
        Selection::of([Clause::filter(Expr::parse("w >= 1 and w < 5", dataset.schema()).unwrap())]),
    ];
    let inside = |w: Option<f64>| w.is_some_and(|w| (1.0..5.0).contains(&w));
    let passes: [&dyn Fn(Option<f64>) -> bool; 4] = [&|_| true, &inside, &|w| !inside(w), &inside];
    for (selection, passes) in selections.into_iter().zip(passes) {
        let mut counts = vec![0u64; bx.slots() * by.slots()];
        let mut sums = vec![0f64; counts.len()];
        for ((&x, &y), &w) in xs.iter().zip(&ys).zip(&ws) {
            if passes(w) {
                let cell = naive_slot(&bx, x) * by.slots() + naive_slot(&by, y);
                counts[cell] += 1;
                sums[cell] += w.filter(|w| w.is_finite()).unwrap_or(0.0);
            }
        }
        let axes = vec![
            Axis { expr: column(&dataset, "x"), bins: bx.clone() },
            Axis { expr: column(&dataset, "y"), bins: by.clone() },
        ];
        let question = grid_question(&dataset, selection, axes, &["count", "count(w)", "max(w)"]);
        let mut first: Option<Vec<Vec<u64>>> = None;
        for chunk_rows in CHUNKS {
            for threads in 1..=4 {
                let answer = ask(&question, threads, chunk_rows);
                let grid = answer.grid().unwrap();
                assert_eq!(grid.counts, counts);
                let bits =
                    (0..3).map(|m| grid.measure(m).iter().map(|v| v.to_bits()).collect()).collect::<Vec<_>>();
                assert_eq!(first.get_or_insert_with(|| bits.clone()), &bits);
            }
        }
    }
}

#[test]
fn the_row_index_and_the_pages_of_rows_agree_with_a_naive_filter() {
    let xs = awkward_floats(10_007, 11);
    let dataset = table(vec![("x", floats(&xs))]);
    let selection = Selection::of([Clause::interval(column(&dataset, "x"), 3.0, 4.0)]);
    let expected: Vec<u64> =
        (0..xs.len()).filter(|&i| xs[i].is_some_and(|x| (3.0..4.0).contains(&x))).map(|i| i as u64).collect();
    let question = Question::new(dataset.clone(), selection.clone(), Ask::Index);
    for chunk_rows in [13, 1000, 1 << 15] {
        let answer = ask(&question, 3, chunk_rows);
        let Answer::Index(index) = &answer else { panic!("not an index") };
        assert_eq!(index.total(), expected.len() as u64);
        let exprs = [column(&dataset, "x")];
        for first in [0, 1, 50, expected.len() as u64 - 1, expected.len() as u64, 1 << 60] {
            let page =
                fetch(&dataset, &selection, Some(index), first, 25, &exprs, &Task::detached()).unwrap();
            let looked_for = fetch(&dataset, &selection, None, first, 25, &exprs, &Task::detached()).unwrap();
            assert_eq!((&looked_for.numbers, &looked_for.columns), (&page.numbers, &page.columns));
            let want: Vec<u64> = expected.iter().copied().skip(first as usize).take(25).collect();
            assert_eq!(page.numbers, want, "from {first}");
            assert_eq!(page.columns[0].len(), want.len());
        }
    }
    let all = fetch(&dataset, &Selection::all(), None, 10_000, 25, &[], &Task::detached()).unwrap();
    assert_eq!(all.numbers, (10_000..10_007).collect::<Vec<_>>());
}

#[test]
fn a_cancelled_scan_says_so() {
    let dataset = table(vec![("x", floats(&awkward_floats(1000, 1)))]);
    let question = Question::new(dataset, Selection::all(), Ask::Index);
    let mut controller = TaskController::default();
    let task = controller.restart(1000);
    controller.cancel();
    let workers = Workers::new(2).unwrap();
    let result = scan(&[question], &workers, ScanOptions::default(), &task);
    assert!(matches!(result, Err(QueryError::Cancelled(_))));
}

/// Cancels the task that reads it at the tenth chunk, and counts how many were begun.
struct Cancelling {
    table: MemorySource,
    controller: Mutex<TaskController>,
    begun: AtomicU64,
}

impl Source for Cancelling {
    fn schema(&self) -> &Schema {
        self.table.schema()
    }
    fn row_count(&self) -> u64 {
        self.table.row_count()
    }
    fn read(&self, column: usize, rows: Range<u64>) -> Result<ArrayRef, ReadError> {
        if self.begun.fetch_add(1, Ordering::SeqCst) + 1 == 10 {
            self.controller.lock().unwrap().cancel();
        }
        self.table.read(column, rows)
    }
    fn identity(&self) -> String {
        self.table.identity()
    }
}

#[test]
fn a_scan_cancelled_midway_begins_no_further_chunk() {
    for threads in 1..=4u64 {
        let mut controller = TaskController::default();
        let task = controller.restart(100_000);
        let source = Arc::new(Cancelling {
            table: MemorySource::of(vec![("x", floats(&awkward_floats(100_000, 1)))]),
            controller: Mutex::new(controller),
            begun: AtomicU64::new(0),
        });
        let dataset = Arc::new(Dataset::new(source.clone()));
        let axis = Axis { expr: column(&dataset, "x"), bins: linear(0.0, 1.0, 10) };
        let question = grid_question(&dataset, Selection::all(), vec![axis], &["count"]);
        let workers = Workers::new(threads as usize).unwrap();
        let options = ScanOptions { chunk_rows: 100, ..ScanOptions::default() };
        assert!(matches!(scan(&[question], &workers, options, &task), Err(QueryError::Cancelled(_))));
        // Each of the other threads was at most within a chunk, and one may have been between two.
        let begun = source.begun.load(Ordering::SeqCst);
        assert!((10..10 + 2 * threads).contains(&begun), "{begun} chunks on {threads} threads");
        assert!(task.progress().bytes <= begun * 100 * 9 && task.progress().bytes >= 800);
    }
}

#[test]
fn many_questions_of_one_pass_are_answered_as_if_alone() {
    let dataset =
        table(vec![("x", floats(&awkward_floats(4000, 2))), ("y", floats(&awkward_floats(4000, 3)))]);
    let brush = Clause::interval(column(&dataset, "y"), 2.0, 8.0);
    let axis = |name: &str| Axis { expr: column(&dataset, name), bins: linear(0.0, 10.0, 20) };
    let questions = [
        grid_question(&dataset, Selection::of([brush.clone()]), vec![axis("x")], &["count", "mean(y)"]),
        grid_question(&dataset, Selection::all(), vec![axis("y")], &["sd(x)"]),
        Question::new(dataset.clone(), Selection::of([brush]), Ask::Index),
    ];
    let workers = outcrop::query::Workers::new(2).unwrap();
    let together = outcrop::query::scan(&questions, &workers, Default::default(), &Task::detached()).unwrap();
    for (question, answer) in questions.iter().zip(&together) {
        let alone = ask(question, 1, 1 << 15);
        assert_eq!(format!("{alone:?}"), format!("{answer:?}"));
    }
}

#[test]
fn bins_made_anew_of_their_ends_and_number_have_the_same_edges_to_the_bit() {
    let mut random = Random::new(21);
    for case in 0..20_000 {
        let scale = 10f64.powi(random.below(13) as i32 - 6);
        let lo = (random.unit() - if case % 2 == 0 { 0.0 } else { 0.5 }) * 10.0 * scale;
        let hi = lo + random.unit() * scale;
        let bins = nice_bins(lo, hi, 1 + random.below(90) as usize, Kind::Float, 1.0);
        let again = Bins::new(bins.lo(), bins.hi(), bins.count(), Scale::Linear).unwrap();
        assert_eq!(again.edges(), bins.edges(), "{bins}");
    }
    let zoomed = Bins::new(3.05, 4.0, 19, Scale::Linear).unwrap();
    assert_eq!(zoomed.edges()[..3], [3.05, 3.1, 3.15]);
}
