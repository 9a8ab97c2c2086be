//! Which rows pass a clause, against loops over the rows.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use outcrop::aggregate::{Bins, Scale};
use outcrop::dataset::Dataset;
use outcrop::expr::Expr;
use outcrop::select::{Clause, Selection};

use crate::common::{Random, ask, awkward_floats, floats, grid_question, table};

const ROWS: usize = 700;

struct Rows {
    x: Vec<Option<f64>>,
    y: Vec<Option<f64>>,
    n: Vec<Option<i64>>,
    s: Vec<Option<&'static str>>,
}

fn rows() -> (Rows, Arc<Dataset>) {
    let mut random = Random::new(5);
    let texts = [None, Some("a"), Some("b"), Some(""), Some("say \"a\"")];
    let rows = Rows {
        x: awkward_floats(ROWS, 1),
        y: awkward_floats(ROWS, 2),
        n: (0..ROWS).map(|_| Some(random.below(7) as i64 - 3).filter(|&n| n != 2)).collect(),
        s: (0..ROWS).map(|_| texts[random.below(5) as usize]).collect(),
    };
    let dataset = table(vec![
        ("x", floats(&rows.x)),
        ("y", floats(&rows.y)),
        ("n", Arc::new(Int64Array::from(rows.n.clone())) as ArrayRef),
        ("s", Arc::new(StringArray::from(rows.s.clone()))),
    ]);
    (rows, dataset)
}

fn check(dataset: &Arc<Dataset>, clause: Clause, passes: impl Fn(usize) -> bool) {
    let expected = (0..ROWS).filter(|&row| passes(row)).count() as u64;
    for inverted in [false, true] {
        let clause = Clause { inverted, ..clause.clone() };
        let expected = if inverted { ROWS as u64 - expected } else { expected };
        for (threads, chunk_rows) in [(1, 1000), (3, 7)] {
            let question = grid_question(dataset, Selection::of([clause.clone()]), vec![], &["count"]);
            let counted = ask(&question, threads, chunk_rows).grid().unwrap().total();
            assert_eq!(counted, expected, "{}", clause.key());
        }
    }
}

#[test]
fn several_intervals_pass_what_lies_in_any_of_them() {
    let (rows, dataset) = rows();
    let x = Expr::column("x", dataset.schema()).unwrap();
    let n = Expr::column("n", dataset.schema()).unwrap();
    let infinity = f64::INFINITY;
    let cases: &[&[(f64, f64)]] = &[
        &[],
        &[(0.0, 3.0)],
        &[(8.0, 9.0), (0.0, 1.0), (0.5, 2.0)],
        &[(-infinity, 0.0)],
        &[(10.0, infinity), (-infinity, 1.0)],
        &[(-infinity, infinity)],
        &[(4.0, 4.0), (6.0, 5.0)],
    ];
    for &intervals in cases {
        let inside = |v: f64| {
            !v.is_nan() && intervals.iter().any(|&(lo, hi)| lo < hi && v >= lo && (v < hi || hi == infinity))
        };
        for missing in [false, true] {
            let clause = Clause::intervals(x.clone(), intervals.iter().copied(), missing);
            check(&dataset, clause, |row| match rows.x[row] {
                Some(v) if !v.is_nan() => inside(v),
                _ => missing,
            });
            let clause = Clause::intervals(n.clone(), intervals.iter().copied(), missing);
            check(&dataset, clause, |row| rows.n[row].map_or(missing, |n| inside(n as f64)));
        }
    }
}

#[test]
fn categories_pass_the_values_listed_and_the_missing_ones_when_told() {
    let (rows, dataset) = rows();
    let expr = |name: &str| Expr::column(name, dataset.schema()).unwrap();
    let literals = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    for missing in [false, true] {
        let of = |expr, texts: &[&str]| {
            Clause::categories(expr, &literals(texts), missing, dataset.schema()).unwrap()
        };
        check(&dataset, of(expr("s"), &["\"b\"", "\"\"", "\"b\""]), |row| {
            rows.s[row].map_or(missing, |s| s == "b" || s.is_empty())
        });
        check(&dataset, of(expr("s"), &["\"say \\\"a\\\"\""]), |row| {
            rows.s[row].map_or(missing, |s| s == "say \"a\"")
        });
        check(&dataset, of(expr("n"), &["-3", "1"]), |row| {
            rows.n[row].map_or(missing, |n| n == -3 || n == 1)
        });
        check(&dataset, of(expr("n"), &[]), |row| rows.n[row].is_none() && missing);
    }
    assert!(Clause::categories(expr("n"), &literals(&["\"a\""]), false, dataset.schema()).is_err());
}

#[test]
fn cells_of_a_plane_pass_the_rows_whose_slots_are_marked() {
    let (rows, dataset) = rows();
    let expr = |name: &str| Expr::column(name, dataset.schema()).unwrap();
    let bins = |count| Bins::new(0.0, 10.0, count, Scale::Linear).unwrap();
    let (x_bins, y_bins) = (bins(5), bins(4));
    let mut random = Random::new(9);
    let inside: Vec<bool> = (0..x_bins.slots() * y_bins.slots()).map(|_| random.below(3) == 0).collect();
    let slot = |bins: &Bins, value: Option<f64>| match value {
        Some(v) if v < bins.lo() => bins.under(),
        Some(v) if v >= bins.hi() => bins.over(),
        Some(v) if !v.is_nan() => bins.bin_of(v).unwrap(),
        _ => bins.missing(),
    };
    let clause = Clause::cells(expr("x"), x_bins.clone(), expr("y"), y_bins.clone(), inside.clone().into());
    check(&dataset, clause, |row| {
        inside[slot(&x_bins, rows.x[row]) * y_bins.slots() + slot(&y_bins, rows.y[row])]
    });
}
