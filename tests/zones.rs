//! Zone maps: the same answers with and without them, and fewer rows read with them.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{
    ArrayRef, Float32Array, Float64Array, Int64Array, LargeStringArray, TimestampSecondArray,
};
use arrow::record_batch::RecordBatch;
use outcrop::aggregate::{Bins, Scale};
use outcrop::data::Schema;
use outcrop::dataset::{Dataset, MemorySource, ReadError, Source, Zones};
use outcrop::engine::ZoneMaps;
use outcrop::export::{atomic_write, write_arrow};
use outcrop::expr::Expr;
use outcrop::query::{Answer, Ask, Axis, Question};
use outcrop::select::{Clause, Predicate, Selection};
use outcrop::task::Task;

use crate::common::{Random, ask, awkward_floats, floats, grid_question};

const ROWS: usize = 3000;
const ZONE: u64 = 100;

/// A source that counts the values read from it.
struct Counting(MemorySource, AtomicU64);

impl Source for Counting {
    fn schema(&self) -> &Schema {
        self.0.schema()
    }
    fn row_count(&self) -> u64 {
        self.0.row_count()
    }
    fn read(&self, column: usize, rows: Range<u64>) -> Result<ArrayRef, ReadError> {
        self.1.fetch_add(rows.end - rows.start, Ordering::Relaxed);
        self.0.read(column, rows)
    }
    fn identity(&self) -> String {
        self.0.identity()
    }
}

/// Columns in runs of NaN, of nulls and of values; `sorted` or at random.
fn source(sorted: bool) -> Arc<Counting> {
    let mut random = Random::new(3);
    let mut place = |i: usize| if sorted { i } else { random.below(ROWS as u64) as usize };
    let order: Vec<usize> = (0..ROWS).map(&mut place).collect();
    let awkward = awkward_floats(ROWS, 5);
    let x = |i: usize| match i / 100 {
        3 | 4 => Some(f64::NAN),
        5 => None,
        6 => awkward[i],
        _ => Some(i as f64 / 100.0),
    };
    let x: Vec<Option<f64>> = order.iter().map(|&i| x(i)).collect();
    // Sevenths of tenths, on whose edges f32 and f64 differ.
    let f: Vec<f32> = order.iter().map(|&i| (i / 150) as f32 * 0.1 - 0.6).collect();
    let n: Vec<Option<i64>> =
        order.iter().map(|&i| (i % 700 > 0).then_some((1 << 53) + i as i64 / 50)).collect();
    let t: Vec<i64> = order.iter().map(|&i| 1_700_000_000 + 60 * i as i64).collect();
    let s: Vec<String> = order.iter().map(|&i| format!("s{}", i / 1000)).collect();
    Arc::new(Counting(
        MemorySource::of(vec![
            ("x", floats(&x)),
            ("f", Arc::new(Float32Array::from(f)) as ArrayRef),
            ("n", Arc::new(Int64Array::from(n))),
            ("t", Arc::new(TimestampSecondArray::from(t))),
            ("s", Arc::new(LargeStringArray::from(s))),
        ]),
        AtomicU64::new(0),
    ))
}

fn selections(dataset: &Dataset) -> Vec<Selection> {
    let expr = |text: &str| Expr::parse(text, dataset.schema()).unwrap();
    let interval = |text: &str, lo, hi| Clause::interval(expr(text), lo, hi);
    let not = |clause: Clause| Clause { inverted: true, ..clause };
    let two = Predicate::Intervals {
        expr: expr("x"),
        intervals: vec![(1.0, 2.0), (20.0, f64::INFINITY)],
        missing: true,
    };
    let mut clauses = vec![
        interval("x", 10.0, 12.5),
        interval("x", f64::NEG_INFINITY, f64::INFINITY),
        interval("x", f64::NAN, 3.0),
        interval("f", 0.1, 0.3),
        interval("f", -0.6, 0.7),
        interval("n", 9_007_199_254_740_992.0, 9_007_199_254_741_000.0),
        interval("t", 1_700_000_000.0, 1_700_030_000.0),
        interval("x * 2 + f", 15.0, 16.0),
        interval("s", 0.0, 1.0),
        Clause { predicate: two, ..interval("x", 0.0, 1.0) },
    ];
    for text in [
        "x > 25",
        "x > 25 and f < 1.2",
        "n == 9007199254741000",
        "s == 's2'",
        "x != x",
        "ismissing(x)",
        "x > 1e9",
        "not (x > 1e9)",
        "not (x < 1e9)",
        "x != 7",
        "x not in [1, 2, 3]",
        "x not between 2 and 9",
        "not (n > 0)",
        "not (f < 9) or n > 0",
        "1 / n > 0",
    ] {
        clauses.push(Clause::filter(expr(text)));
    }
    let inverted: Vec<Clause> = clauses.iter().cloned().map(not).collect();
    clauses.into_iter().chain(inverted).map(|clause| Selection::of([clause])).collect()
}

fn questions(dataset: &Arc<Dataset>, selection: &Selection) -> Vec<Question> {
    let axis = |name: &str, lo, hi| Axis {
        expr: Expr::parse(name, dataset.schema()).unwrap(),
        bins: Bins::new(lo, hi, 12, Scale::Linear).unwrap(),
    };
    vec![
        grid_question(dataset, selection.clone(), vec![axis("x", 0.0, 31.0)], &["count"]),
        grid_question(dataset, selection.clone(), vec![axis("f", -1.0, 1.0)], &["mean(x)", "min(n)"]),
        Question::new(dataset.clone(), selection.clone(), Ask::Index),
    ]
}

fn text(answer: &Answer) -> String {
    match answer {
        Answer::Grid(grid) => format!("{:?} {:?}", grid.counts, grid.measures),
        answer => format!("{:?}", answer.index().unwrap().total()),
    }
}

#[test]
fn answers_are_the_same_before_and_after_the_zones_are_known() {
    for sorted in [true, false] {
        let unknown = Arc::new(Dataset::new(source(sorted)));
        let known = Arc::new(unknown.with_zones_of(ZONE));
        for selection in selections(&unknown) {
            for (plain, zoned) in questions(&unknown, &selection).iter().zip(questions(&known, &selection)) {
                for chunk_rows in [ZONE, 2 * ZONE, 33] {
                    let expected = text(&ask(plain, 1, chunk_rows));
                    for threads in 1..=4 {
                        assert_eq!(text(&ask(&zoned, threads, chunk_rows)), expected, "{selection:?}");
                    }
                }
            }
        }
        assert_eq!(unknown.zones().known(), 0);
        // Every zone of the four columns of numbers.
        assert_eq!(known.zones().known(), 4 * ROWS as u64 / ZONE);
    }
}

#[test]
fn zones_that_cannot_pass_are_not_read_again() {
    let source = source(true);
    let dataset = Arc::new(Dataset::new(source.clone()).with_zones_of(ZONE));
    let read = |text: &str| {
        let selection = Selection::of([Clause::filter(Expr::parse(text, dataset.schema()).unwrap())]);
        let before = source.1.load(Ordering::Relaxed);
        let total =
            ask(&Question::new(dataset.clone(), selection, Ask::Index), 2, ZONE).index().unwrap().total();
        (total, source.1.load(Ordering::Relaxed) - before)
    };
    assert_eq!(read("x >= 20 and x < 21"), (100, ROWS as u64));
    // Of the zones of awkward values one has infinities, so that its bounds tell nothing.
    let awkward = ZONE;
    assert_eq!(read("x >= 20 and x < 21"), (100, ZONE + awkward));
    assert_eq!(read("x * 2 > 100000").1, awkward);
}

#[test]
fn extremes_of_known_zones_are_told_without_a_look_at_the_rows() {
    for sorted in [true, false] {
        let unknown = Arc::new(Dataset::new(source(sorted)));
        let source = source(sorted);
        let known = Arc::new(Dataset::new(source.clone()).with_zones_of(ZONE));
        let read = |measures: &[&str], dataset: &Arc<Dataset>, threads, chunk_rows| {
            let question = grid_question(dataset, Selection::all(), vec![], measures);
            let before = source.1.load(Ordering::Relaxed);
            let answer = text(&ask(&question, threads, chunk_rows));
            (answer, source.1.load(Ordering::Relaxed) - before)
        };
        let of = |name: &str| vec![format!("min({name})"), format!("max({name})")];
        for name in ["x", "f", "n", "t"] {
            let measures = of(name);
            let measures: Vec<&str> = measures.iter().map(String::as_str).collect();
            let expected = read(&measures, &unknown, 1, ZONE).0;
            assert_eq!(read(&measures, &known, 2, ZONE), (expected.clone(), ROWS as u64));
            for threads in 1..=4 {
                for chunk_rows in [ZONE, 3 * ZONE, 33] {
                    let (answer, rows) = read(&measures, &known, threads, chunk_rows);
                    assert_eq!(answer, expected, "{name}");
                    // 33 rows are no zones; whole numbers of 2^53 and beyond are not known exactly.
                    match (name, chunk_rows) {
                        (_, 33) | ("n", _) => assert_eq!(rows, ROWS as u64, "{name}"),
                        ("t", _) => assert_eq!(rows, 0),
                        _ => {}
                    }
                }
            }
        }
    }
    let values =
        [vec![0.0, -0.0], vec![-0.0, 0.0], vec![f64::INFINITY, 1.0], vec![f64::NAN, 1.0], vec![2.0, 1.0]];
    for values in values {
        let x: ArrayRef = Arc::new(Float64Array::from(values.clone()));
        let dataset = Arc::new(Dataset::new(Arc::new(MemorySource::of(vec![("x", x)]))));
        let question = grid_question(&dataset, Selection::all(), vec![], &["min(x)", "max(x)"]);
        let expected = text(&ask(&question, 1, 2));
        assert_eq!(dataset.zones().known(), 1);
        assert_eq!(text(&ask(&question, 1, 2)), expected, "{values:?}");
    }
}

#[test]
fn a_zone_map_is_taken_over_only_whole_and_only_for_its_own_table() {
    let source = source(true);
    let dataset = Dataset::new(source.clone()).with_zones_of(ZONE);
    let all = 0..ZONE;
    dataset.zones().learn(0, &all, &source.read(0, all.clone()).unwrap());
    let other = 300..400;
    dataset.zones().learn(2, &other, &source.read(2, other.clone()).unwrap());
    let bytes = dataset.zones().to_bytes("file@1");

    let fresh = || Zones::new(source.as_ref(), ZONE);
    let zones = fresh();
    assert!(zones.take_bytes(&bytes, "file@1"));
    assert_eq!(zones.known(), 2);
    assert_eq!(zones.of(0, &all), dataset.zones().of(0, &all));
    assert_eq!(zones.of(2, &other), dataset.zones().of(2, &other));
    assert_eq!(zones.of(0, &(0..ZONE + 1)), None);

    assert!(!fresh().take_bytes(&bytes, "file@2"), "another state of the file");
    assert!(!Zones::new(source.as_ref(), ZONE + 1).take_bytes(&bytes, "file@1"), "another cut");
    for length in 0..bytes.len() {
        assert!(!fresh().take_bytes(&bytes[..length], "file@1"), "cut off at {length}");
    }
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x10;
        assert!(!fresh().take_bytes(&damaged, "file@1"), "damaged at {place}");
    }
}

#[test]
fn a_zone_map_on_disk_is_recalled_until_the_file_changes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("table.arrow");
    let write = |values: Vec<f64>| {
        let batch =
            RecordBatch::try_from_iter([("x", Arc::new(Float64Array::from(values)) as ArrayRef)]).unwrap();
        atomic_write(&file, |out: &mut dyn std::io::Write| write_arrow(&batch, &[], out)).unwrap();
    };
    let open = || Arc::new(Dataset::new(outcrop::formats::open(&file, &Task::detached()).unwrap()));
    let count = |dataset: &Arc<Dataset>| {
        let clause = Clause::filter(Expr::parse("x > 500", dataset.schema()).unwrap());
        let question = Question::new(dataset.clone(), Selection::of([clause]), Ask::Index);
        ask(&question, 2, 1 << 15).index().unwrap().total()
    };
    let maps = ZoneMaps::in_folder(folder.path().join("zones"), 10);
    write((0..1000).map(f64::from).collect());
    let first = open();
    assert!(!maps.recall(&first));
    assert_eq!(count(&first), 499);
    maps.keep(&first);

    let again = open();
    assert!(maps.recall(&again));
    assert_eq!(again.zones().known(), 1);
    assert_eq!(count(&again), 499);
    assert!(!ZoneMaps::in_folder(folder.path().join("zones"), 10_000).recall(&open()), "a small table");

    // The same file with other values: its old map says that none passes.
    write((0..1000).map(|i| f64::from(i) - 900.0).collect());
    let changed = open();
    assert!(!maps.recall(&changed));
    write((0..1000).map(|i| f64::from(i) + 600.0).collect());
    let changed = open();
    assert!(!maps.recall(&changed));
    assert_eq!(count(&changed), 1000);
    maps.keep(&changed);
    let kept = || std::fs::read_dir(folder.path().join("zones")).unwrap().map(|entry| entry.unwrap().path());
    assert_eq!(kept().count(), 1, "the map of the earlier state is gone");
    std::fs::write(kept().next().unwrap(), b"OUTZON03 and then nothing of use").unwrap();
    let damaged = open();
    assert!(!maps.recall(&damaged));
    assert_eq!(count(&damaged), 1000);
}
