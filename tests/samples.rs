//! Samples: how far their estimates are off, and how far they say they are.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, Int64Array, StringArray};
use arrow::datatypes::DataType;
use outcrop::aggregate::{Bins, Scale, to_f64};
use outcrop::data::Field;
use outcrop::dataset::{Dataset, MemorySource, Source};
use outcrop::expr::Expr;
use outcrop::query::{
    Accuracy, Answer, Ask, Axis, Estimate, Key, Listing, Measure, Question, Sample, SampleOptions,
    TWO_SIDED_95, Workers, estimate,
};
use outcrop::select::{Clause, Selection};
use outcrop::task::Task;

use crate::common::{Random, ask, grid_question};

const ROWS: usize = 200_000;

/// Measurements in order of time: a slow wave, bursts of rows that are alike, and noise. (Of waves as short as
/// 32 strata the error is overstated: each replicate reads only one stratum of 32.)
fn columns() -> Vec<(&'static str, ArrayRef)> {
    let mut random = Random::new(3);
    let mut burst = 0.0;
    let (mut x, mut y, mut s) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..ROWS {
        if random.below(40) == 0 {
            burst = random.unit() - 0.5;
        }
        let day = (row as f64 / 30_000.0).sin();
        x.push(5.0 + 2.0 * day + 3.0 * burst + random.unit());
        y.push(random.unit() * 10.0 * (1.5 + day));
        s.push(["a", "b", "c"][((row / 9000) % 2 + random.below(2) as usize) % 3]);
    }
    vec![
        ("x", Arc::new(Float64Array::from(x)) as ArrayRef),
        ("y", Arc::new(Float64Array::from(y))),
        ("n", Arc::new(Int64Array::from_iter_values((0..ROWS as i64).map(|row| row / 100)))),
        ("s", Arc::new(StringArray::from(s))),
    ]
}

/// The same rows under another name, and hence with another sample.
fn named(identity: &str, columns: &[(&str, ArrayRef)]) -> Arc<Dataset> {
    let fields = columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone())).collect();
    let arrays = columns.iter().map(|(_, array)| array.clone()).collect();
    Arc::new(Dataset::new(Arc::new(MemorySource::new(identity, fields, arrays))))
}

fn small() -> SampleOptions {
    SampleOptions { least_rows: 0, blocks: 1024, block_rows: 8 }
}

fn estimated(question: &Question, options: SampleOptions, threads: usize) -> Estimate {
    let sample = Sample::of(question.dataset.source(), options).unwrap();
    let workers = Workers::new(threads).unwrap();
    let questions = std::slice::from_ref(question);
    estimate(&sample, questions, &workers, &Task::detached()).unwrap().remove(0).unwrap()
}

fn axis(dataset: &Dataset, name: &str, lo: f64, hi: f64, count: usize) -> Axis {
    let bins = Bins::new(lo, hi, count, Scale::Linear).unwrap();
    Axis { expr: Expr::column(name, dataset.schema()).unwrap(), bins }
}

#[test]
fn the_truth_lies_within_two_errors_in_about_95_of_100_cases_on_data_in_order_of_time() {
    let columns = columns();
    let question = |dataset: &Arc<Dataset>| {
        let above = Clause::interval(Expr::column("y", dataset.schema()).unwrap(), 2.0, 30.0);
        let axes = vec![axis(dataset, "x", 2.0, 9.0, 14)];
        grid_question(dataset, Selection::of([above]), axes, &["count", "sum(y)", "mean(y)", "sd(y)"])
    };
    let truth = ask(&question(&named("truth", &columns)), 2, 1 << 14);
    let truth = truth.grid().unwrap();
    let (mut inside, mut cases) = ([0; 5], [0; 5]);
    for seed in 0..60 {
        let dataset = named(&format!("table {seed}"), &columns);
        let estimate = estimated(&question(&dataset), small(), 2);
        let grid = estimate.answer.grid().unwrap();
        for cell in (0..grid.len()).filter(|&cell| truth.counts[cell] > ROWS as u64 / 100) {
            let mut judge = |m: usize, truth: f64, found: f64, error: f64| {
                cases[m] += 1;
                inside[m] += usize::from((found - truth).abs() <= TWO_SIDED_95 * error);
            };
            judge(0, truth.counts[cell] as f64, grid.counts[cell] as f64, estimate.count_errors[cell]);
            for m in 0..4 {
                let Accuracy::Errors(errors) = &estimate.measures[m] else { panic!("a bound") };
                judge(m + 1, truth.measure(m)[cell], grid.measure(m)[cell], errors[cell]);
            }
        }
    }
    for (m, (inside, cases)) in inside.into_iter().zip(cases).enumerate() {
        let share = 100.0 * inside as f64 / cases as f64;
        assert!(cases > 500 && (93.0..=99.0).contains(&share), "measure {m}: {share} % of {cases}");
    }
}

#[test]
fn an_estimate_is_the_same_on_any_number_of_threads() {
    let dataset = named("threads", &columns());
    let axes = vec![axis(&dataset, "x", 2.0, 9.0, 30), axis(&dataset, "y", 0.0, 20.0, 9)];
    let question = grid_question(&dataset, Selection::all(), axes, &["mean(y)", "sum(n)", "max(x)"]);
    let digest = |estimate: &Estimate| {
        format!("{:?} {:?} {:?}", estimate.answer, estimate.count_errors, estimate.measures)
    };
    let one = digest(&estimated(&question, small(), 1));
    for threads in 2..=4 {
        assert_eq!(digest(&estimated(&question, small(), threads)), one);
    }
}

#[test]
fn extremes_are_bounds_and_nothing_seen_is_not_nothing_there() {
    let columns = columns();
    let dataset = named("bounds", &columns);
    let axes = vec![axis(&dataset, "n", 0.0, 2000.0, 2000)];
    let question = grid_question(&dataset, Selection::all(), axes, &["min(x)", "max(x)", "count(x)"]);
    let estimate = estimated(&question, small(), 2);
    let (truth, grid) = (ask(&question, 1, 4096), estimate.answer.grid().unwrap());
    let truth = truth.grid().unwrap();
    assert_eq!(estimate.measures[..2], [Accuracy::Bound, Accuracy::Bound]);
    let mut unseen = 0;
    for cell in 0..grid.len() {
        if estimate.seen[cell] == 0 {
            unseen += usize::from(truth.counts[cell] > 0);
            assert_eq!(estimate.count_range(cell).0, 0.0);
            assert!(estimate.count_range(cell).1 >= truth.counts[cell] as f64);
            assert!(grid.measures[0].is_null(cell), "an extreme of nothing is none");
        } else {
            assert!(
                grid.measure(0)[cell] >= truth.measure(0)[cell],
                "a least value is never below the least"
            );
            assert!(grid.measure(1)[cell] <= truth.measure(1)[cell]);
            assert!(estimate.count_range(cell).0 >= estimate.seen[cell] as f64);
        }
    }
    assert!(unseen > 100, "there are cells the sample has missed: {unseen}");
    assert!((0.03..0.05).contains(&estimate.share()), "{}", estimate.share());
}

#[test]
fn groups_are_estimated_in_the_order_of_their_keys() {
    let dataset = named("groups", &columns());
    let keys = vec![Key::Value(Expr::column("s", dataset.schema()).unwrap())];
    let measures = ["count", "mean(y)"].map(|text| Measure::parse(text, &dataset).unwrap()).to_vec();
    let question = Question::new(
        dataset.clone(),
        Selection::all(),
        Ask::Groups { keys, measures, listing: Listing::default() },
    );
    let estimate = estimated(&question, small(), 2);
    let truth = ask(&question, 2, 4096);
    let (found, truth) = (estimate.answer.groups().unwrap(), truth.groups().unwrap());
    assert_eq!(format!("{:?}", found.keys), format!("{:?}", truth.keys));
    let Accuracy::Errors(errors) = &estimate.measures[1] else { panic!("a bound") };
    for (group, error) in errors.iter().enumerate() {
        let off = (found.counts[group] as f64 - truth.counts[group] as f64).abs();
        assert!(off <= 4.0 * estimate.count_errors[group], "{off} {}", estimate.count_errors[group]);
        let off = to_f64(&found.measures[1])[group] - to_f64(&truth.measures[1])[group];
        assert!(off.abs() <= 4.0 * error, "{off} {error}");
    }
}

#[test]
fn all_rows_are_counted_to_within_the_last_block() {
    for rows in [4096usize, 5000, 4099, 100_001] {
        let column: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows as i64));
        let dataset = named("all", &[("n", column)]);
        let question = grid_question(&dataset, Selection::all(), vec![], &["count"]);
        let options = SampleOptions { least_rows: 0, blocks: 64, block_rows: 4 };
        let estimate = estimated(&question, options, 1);
        let off = estimate.answer.grid().unwrap().total() as f64 - rows as f64;
        assert!(off.abs() <= 0.01 * rows as f64, "{off} of {rows}");
    }
}

/// A table that must be decoded in pages.
struct Paged(MemorySource);

impl Source for Paged {
    fn schema(&self) -> &outcrop::data::Schema {
        self.0.schema()
    }

    fn row_count(&self) -> u64 {
        self.0.row_count()
    }

    fn read(
        &self,
        column: usize,
        rows: std::ops::Range<u64>,
    ) -> Result<ArrayRef, outcrop::dataset::ReadError> {
        self.0.read(column, rows)
    }

    fn page_rows(&self) -> u64 {
        500
    }

    fn identity(&self) -> String {
        "paged".to_owned()
    }
}

#[test]
fn of_pages_fewer_and_longer_blocks_are_read_and_the_error_is_larger() {
    let columns = columns();
    let of = |source: Arc<dyn Source>| {
        let dataset = Arc::new(Dataset::new(source));
        let axes = vec![axis(&dataset, "x", 2.0, 9.0, 7)];
        estimated(&grid_question(&dataset, Selection::all(), axes, &[]), small(), 2)
    };
    let plain = named("paged", &columns).source().clone();
    let fields = columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone())).collect();
    let arrays = columns.iter().map(|(_, array)| array.clone()).collect();
    let paged = of(Arc::new(Paged(MemorySource::new("paged", fields, arrays))));
    let plain = of(plain);
    assert!(paged.rows_read > plain.rows_read);
    let error = |estimate: &Estimate| estimate.count_errors.iter().sum::<f64>();
    assert!(error(&paged) > error(&plain), "{} {}", error(&paged), error(&plain));
    assert!(matches!(paged.answer.as_ref(), Answer::Grid(_)));
    assert_eq!(columns[0].1.data_type(), &DataType::Float64);
}
