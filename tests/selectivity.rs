//! Filters that pass every row, most, few and none, in one pass, against naive loops.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, LargeStringArray};
use outcrop::aggregate::{Bins, Scale};
use outcrop::dataset::Dataset;
use outcrop::expr::Expr;
use outcrop::query::{
    Answer, Ask, Axis, GroupKey, Key, Listing, Measure, Question, ScanOptions, Workers, scan,
};
use outcrop::select::{Clause, Selection};
use outcrop::task::Task;

use crate::common::{Random, awkward_floats, floats, grid_question, table};

const ROWS: usize = 9001;

/// What a question may be asked under: the clause in words, and the same of the value of `w`.
type Filter = (&'static str, fn(Option<f64>) -> bool);

const FILTERS: [Filter; 6] = [
    ("w == w or w != w or ismissing(w)", |_| true),
    ("w >= -3 and w < 11.5", |w| w.is_some_and(|w| (-3.0..11.5).contains(&w))),
    ("w > 2", |w| w.is_some_and(|w| w > 2.0)),
    ("w == 3", |w| w == Some(3.0)),
    ("w > 5 and w < 5.05", |w| w.is_some_and(|w| w > 5.0 && w < 5.05)),
    ("w > 1e300 and w < 1e301", |_| false),
];

struct Rows {
    x: Vec<Option<f64>>,
    w: Vec<Option<f64>>,
    n: Vec<Option<i64>>,
    large: Vec<Option<i64>>,
    s: Vec<Option<&'static str>>,
}

fn rows() -> Rows {
    let mut random = Random::new(11);
    let names = ["a", "b", "", "long enough to be text"];
    Rows {
        x: awkward_floats(ROWS, 21),
        w: awkward_floats(ROWS, 22),
        n: (0..ROWS).map(|_| (random.below(9) > 0).then(|| random.below(999) as i64)).collect(),
        large: (0..ROWS).map(|_| (random.below(9) > 0).then(|| random.bits() as i64)).collect(),
        s: (0..ROWS).map(|_| (random.below(9) > 0).then(|| names[random.below(4) as usize])).collect(),
    }
}

fn dataset(rows: &Rows) -> Arc<Dataset> {
    table(vec![
        ("x", floats(&rows.x)),
        ("w", floats(&rows.w)),
        ("n", Arc::new(Int64Array::from(rows.n.clone())) as ArrayRef),
        ("large", Arc::new(Int64Array::from(rows.large.clone()))),
        ("s", Arc::new(LargeStringArray::from(rows.s.clone()))),
    ])
}

fn slot(bins: &Bins, value: Option<f64>) -> usize {
    match value {
        Some(v) if !v.is_nan() => {
            bins.bin_of(v).unwrap_or(if v < bins.lo() { bins.under() } else { bins.over() })
        }
        _ => bins.missing(),
    }
}

/// All questions of one filter: rows of an axis, of many cells, of the table, sums of an axis, groups.
fn questions(dataset: &Arc<Dataset>, filter: &str, few: &Bins, many: &Bins) -> Vec<Question> {
    let expr = |text: &str| Expr::parse(text, dataset.schema()).unwrap();
    let selection = Selection::of([Clause::filter(expr(filter))]);
    let axis = |name: &str, bins: &Bins| Axis { expr: expr(name), bins: bins.clone() };
    let grid = |axes, measures: &[&str]| grid_question(dataset, selection.clone(), axes, measures);
    let keys = vec![Key::Value(expr("s"))];
    let measures = vec![Measure::parse("count", dataset).unwrap()];
    vec![
        grid(vec![axis("x", few)], &["count"]),
        grid(vec![axis("x", many), axis("w", many)], &["count"]),
        grid(vec![], &["count"]),
        grid(vec![axis("x + 1", few)], &["sum(n)", "count(n)"]),
        Question::new(
            dataset.clone(),
            selection.clone(),
            Ask::Groups { keys, measures, listing: Listing::default() },
        ),
        Question::new(dataset.clone(), selection.clone(), Ask::Index),
    ]
}

fn check(rows: &Rows, answers: &[Answer], passes: fn(Option<f64>) -> bool, few: &Bins, many: &Bins) {
    let mut one = vec![0u64; few.slots()];
    let mut two = vec![0u64; many.slots() * many.slots()];
    let (mut sums, mut present) = (vec![0i64; few.slots()], vec![0i64; few.slots()]);
    let mut groups: BTreeMap<Option<&str>, u64> = BTreeMap::new();
    for i in (0..ROWS).filter(|&i| passes(rows.w[i])) {
        one[slot(few, rows.x[i])] += 1;
        two[slot(many, rows.x[i]) * many.slots() + slot(many, rows.w[i])] += 1;
        let shifted = slot(few, rows.x[i].map(|x| x + 1.0));
        sums[shifted] += rows.n[i].unwrap_or(0);
        present[shifted] += i64::from(rows.n[i].is_some());
        *groups.entry(rows.s[i]).or_default() += 1;
    }
    let total: u64 = one.iter().sum();
    assert_eq!(answers[0].grid().unwrap().counts, one);
    assert_eq!(answers[1].grid().unwrap().counts, two);
    assert_eq!(answers[2].grid().unwrap().counts, [total]);
    let measured = answers[3].grid().unwrap();
    let as_reals = |values: &[i64]| values.iter().map(|&v| v as f64).collect::<Vec<_>>();
    assert_eq!(measured.measure(0), as_reals(&sums));
    assert_eq!(measured.measure(1), as_reals(&present));
    let found = answers[4].groups().unwrap();
    let GroupKey::Values(keys) = &found.keys[0] else { panic!("keys are values") };
    let keys = keys.as_string::<i64>();
    let found: BTreeMap<Option<&str>, u64> =
        keys.iter().zip(&found.counts).map(|(key, &count)| (key, count)).collect();
    assert_eq!(found, groups);
    assert_eq!(answers[5].index().unwrap().total(), total);
}

#[test]
fn every_filter_of_a_pass_lets_through_what_a_naive_loop_does() {
    let rows = rows();
    let dataset = dataset(&rows);
    let few = Bins::new(0.0, 10.0, 10, Scale::Linear).unwrap();
    let many = Bins::new(-2.0, 12.0, 70, Scale::Linear).unwrap();
    let asked: Vec<Vec<Question>> =
        FILTERS.iter().map(|(filter, _)| questions(&dataset, filter, &few, &many)).collect();
    for chunk_rows in [1, 7, 1000, 4096, 1 << 15] {
        for threads in 1..=4 {
            let workers = Workers::new(threads).unwrap();
            let options = ScanOptions { chunk_rows, ..ScanOptions::default() };
            let scan =
                |questions: &[Question]| scan(questions, &workers, options, &Task::detached()).unwrap();
            // Alone, beside another filter, and all together.
            let together = scan(&asked.concat());
            for (i, (_, passes)) in FILTERS.iter().enumerate() {
                let of_one = together.chunks(asked[i].len()).nth(i).unwrap();
                check(&rows, of_one, *passes, &few, &many);
                if chunk_rows > 1 {
                    check(&rows, &scan(&asked[i]), *passes, &few, &many);
                    let two = scan(&[asked[3].clone(), asked[i].clone()].concat());
                    check(&rows, &two[asked[i].len()..], *passes, &few, &many);
                }
            }
        }
    }
}

#[test]
fn values_that_do_not_fit_are_told_of_every_row_whatever_passes() {
    let rows = rows();
    let dataset = dataset(&rows);
    let lost = rows.large.iter().flatten().filter(|n| n.checked_mul(4).is_none()).count() as u64;
    let expr = |text: &str| Expr::parse(text, dataset.schema()).unwrap();
    let axis = Axis { expr: expr("large * 4"), bins: Bins::new(0.0, 10.0, 10, Scale::Linear).unwrap() };
    for (filter, _) in FILTERS {
        let selection = Selection::of([Clause::filter(expr(filter))]);
        let question = grid_question(&dataset, selection, vec![axis.clone()], &["count"]);
        let workers = Workers::new(2).unwrap();
        let told =
            outcrop::query::scan_counting(&[question], &workers, ScanOptions::default(), &Task::detached());
        let told: Vec<(String, u64)> =
            told.unwrap().1.into_iter().map(|o| (o.expr.to_string(), o.values)).collect();
        assert_eq!(told, [("large * 4".to_owned(), lost)], "{filter}");
    }
}
