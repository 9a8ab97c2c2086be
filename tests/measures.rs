//! Measures: aggregates of several arguments, their conditions, and formulas over them.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, DictionaryArray, Float32Array, Int32Array, Int64Array,
    StringArray, TimestampMillisecondArray, UInt8Array, UInt64Array,
};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type, UInt64Type};
use outcrop::aggregate::{AGGREGATES, Bins, Scale, to_f64};
use outcrop::dataset::Dataset;
use outcrop::expr::Expr;
use outcrop::query::{Answer, Ask, Axis, Brush, Key, Listing, Measure, Question};
use outcrop::select::{Clause, Selection};

use crate::common::{Random, ask, awkward_floats, floats, grid_question, table};

fn totals(dataset: &Arc<Dataset>, measures: &[&str]) -> Vec<ArrayRef> {
    let question = grid_question(dataset, Selection::all(), vec![], measures);
    let answer = ask(&question, 2, 3);
    answer.grid().unwrap().measures.clone()
}

pub(crate) fn number(dataset: &Arc<Dataset>, measure: &str) -> f64 {
    to_f64(&totals(dataset, &[measure])[0])[0]
}

pub(crate) fn small() -> Arc<Dataset> {
    table(vec![
        ("x", floats(&[Some(1.0), Some(2.0), None, Some(4.0), Some(f64::NAN), Some(10.0)])),
        ("y", floats(&[Some(3.0), None, Some(1.0), Some(1.0), Some(2.0), Some(-5.0)])),
        ("n", Arc::new(Int64Array::from(vec![3, 1, 2, 1, 3, 2])) as ArrayRef),
        ("s", Arc::new(StringArray::from(vec![Some("b"), Some("a"), None, Some("c"), Some("a"), Some("")]))),
        (
            "paid",
            Arc::new(BooleanArray::from(vec![
                Some(true),
                Some(true),
                Some(false),
                None,
                Some(true),
                Some(true),
            ])),
        ),
    ])
}

#[test]
fn a_condition_belongs_to_its_aggregate_alone() {
    let dataset = small();
    let text = [
        "count where paid",
        "sum(x) where n > 1",
        "sum(x)",
        "count(x) where not paid",
        "mean(x) where false",
    ];
    let found = totals(&dataset, &text);
    let found: Vec<f64> = found.iter().map(|array| to_f64(array)[0]).collect();
    assert_eq!(found[..4], [4.0, 11.0, 17.0, 0.0]);
    assert!(found[4].is_nan(), "no row, no mean");
}

#[test]
fn a_formula_is_computed_of_finished_aggregates() {
    let dataset = small();
    assert_eq!(number(&dataset, "sum(x) / count"), 17.0 / 6.0);
    assert_eq!(number(&dataset, "100 * (sum(x) where paid) / sum(x) - count(x)"), 100.0 * 13.0 / 17.0 - 4.0);
    assert_eq!(number(&dataset, "sqrt(var(x)) - sd(x)"), 0.0);
    assert_eq!(number(&dataset, "sum(x) / count(x) where n > 1"), 11.0 / 2.0, "the condition is of both");
    assert_eq!(number(&dataset, "if(count > 3, max(x), min(x))"), 10.0);
    assert!(number(&dataset, "mean(x) / (count where n > 5)").is_infinite());
    let large = table(vec![("n", Arc::new(Int64Array::from(vec![1i64 << 62; 3])) as ArrayRef)]);
    assert_eq!(number(&large, "sum(n) / count"), (1u64 << 62) as f64, "a sum beyond 64 bits");
}

#[test]
fn a_formula_of_a_bin_uses_the_bin_and_stays_missing_where_a_part_is() {
    let dataset = table(vec![("x", floats(&[Some(0.5), Some(0.7), Some(2.5)]))]);
    let bins = Bins::new(0.0, 3.0, 3, Scale::Linear).unwrap();
    let axis = Axis { expr: Expr::column("x", dataset.schema()).unwrap(), bins };
    let question = grid_question(&dataset, Selection::all(), vec![axis], &["max(x) - min(x)", "count + 1"]);
    let answer = ask(&question, 2, 2);
    let grid = answer.grid().unwrap();
    assert!((grid.measure(0)[0] - 0.2).abs() < 1e-15 && grid.measures[0].is_null(1));
    assert_eq!(grid.measure(1), [3.0, 1.0, 2.0, 1.0, 1.0, 1.0]);
}

#[test]
fn a_wrong_measure_is_pointed_at() {
    let dataset = small();
    let wrong = |text: &str| {
        let error = Measure::check(text, &dataset).unwrap_err();
        (text[error.span.clone()].to_owned(), error.to_string())
    };
    for (text, place, part) in [
        ("mean(x) + y", "y", "a value for every row"),
        ("x + 1", "x + 1", "mean(x + 1)"),
        ("maen(x)", "maen", "is no aggregate"),
        ("maen(x) / count", "maen", "neither an aggregate nor a function"),
        ("mean(xx)", "xx", "no column"),
        ("sum(x) / mean(zz)", "zz", "no column"),
        ("mean(s)", "s", "not defined"),
        ("cov(x)", ")", "another value"),
        ("cov(x, y, n)", "n", "no more than 2"),
        ("mean(x) where n", "n", "true or false"),
        ("mean(x) where", "", "a condition is expected"),
        ("mean()", ")", "needs a value"),
        ("sum(x", "", "closing bracket"),
        ("sum(x) * s.lower()", "s", "a value for every row"),
        ("any(x)", "x", "not defined"),
        ("1 + 2", "1 + 2", "a value for every row"),
        ("", "", "an aggregate is expected"),
    ] {
        let (found, message) = wrong(text);
        assert_eq!(found, place, "{text}: {message}");
        assert!(message.contains(part), "{text}: {message}");
    }
}

#[test]
fn a_measure_reads_back_what_it_writes() {
    let dataset = small();
    for text in [
        "count",
        "count where paid",
        "mean(x * 2) where n > 1 and paid",
        "100 * (sum(x) where paid) / sum(x)",
        "cov(x, y)",
        "first(s, n)",
        "sqrt(max(x)) + count",
    ] {
        let measure = Measure::parse(text, &dataset).unwrap();
        assert_eq!(measure.to_string(), text);
        assert_eq!(Measure::parse(&measure.to_string(), &dataset).unwrap(), measure);
    }
    for aggregate in AGGREGATES {
        assert!(aggregate.signature.starts_with(aggregate.name), "{}", aggregate.name);
        assert!(aggregate.doc.ends_with('.'), "{}", aggregate.name);
    }
}

#[test]
fn questions_that_differ_in_any_part_of_a_measure_differ_in_their_key() {
    let dataset = small();
    let texts = [
        "sum(x)",
        "sum(y)",
        "sum(x) where paid",
        "sum(x) where not paid",
        "cov(x, y)",
        "cov(y, x)",
        "sum(x) / 2",
        "sum(x) / 3",
    ];
    let keys: std::collections::HashSet<_> = texts
        .iter()
        .map(|text| grid_question(&dataset, Selection::all(), vec![], &[text]).key().clone())
        .collect();
    assert_eq!(keys.len(), texts.len());
}

#[test]
fn moments_and_correlations_equal_exact_references() {
    // Integers, so that the references are exact in `i128`.
    let x: Vec<i64> = (0..1000).map(|i| (i * i * 7 + 13 * i) % 1009).collect();
    let y: Vec<i64> = (0..1000).map(|i| (i * 31 + i * i) % 997 + x[i as usize]).collect();
    let n = x.len() as i128;
    let power = |v: &[i64], k: u32| v.iter().map(|&v| i128::from(v).pow(k)).sum::<i128>();
    let (s1, s2, s3, s4) = (power(&x, 1), power(&x, 2), power(&x, 3), power(&x, 4));
    // n^k times the central moments, without rounding.
    let m2 = (n * s2 - s1 * s1) as f64;
    let m3 = (n * n * s3 - 3 * n * s1 * s2 + 2 * s1.pow(3)) as f64;
    let m4 = (n.pow(3) * s4 - 4 * n * n * s1 * s3 + 6 * n * s1 * s1 * s2 - 3 * s1.pow(4)) as f64;
    let xy: i128 = x.iter().zip(&y).map(|(&x, &y)| i128::from(x) * i128::from(y)).sum();
    let yy = n * power(&y, 2) - power(&y, 1).pow(2);
    let cov = (n * xy - s1 * power(&y, 1)) as f64;
    let cases = [
        ("skew(x)", m3 / m2.powf(1.5)),
        ("kurtosis(x)", m4 / (m2 * m2) - 3.0),
        ("cov(x, y)", cov / (n * n) as f64),
        ("cov_sample(x, y)", cov / (n * (n - 1)) as f64),
        ("corr(x, y)", cov / (m2 * yy as f64).sqrt()),
        ("corr(x, x)", 1.0),
        ("corr(x, -x)", -1.0),
    ];
    for offset in [0, 1_000_000_000] {
        let shifted =
            |v: &[i64]| Arc::new(Int64Array::from_iter_values(v.iter().map(|v| v + offset))) as ArrayRef;
        let dataset = table(vec![("x", shifted(&x)), ("y", shifted(&y))]);
        for (measure, right) in cases {
            let found = number(&dataset, measure);
            assert!((found / right - 1.0).abs() < 1e-11, "{measure} + {offset}: {found}, not {right}");
        }
    }
    // A first value far from all others costs no digits.
    let mut values = vec![1e9];
    values.extend((0..100_000).map(|i| f64::from(i % 10)));
    values.push(-1e9);
    let dataset = table(vec![("x", floats(&values.into_iter().map(Some).collect::<Vec<_>>()))]);
    assert!((number(&dataset, "kurtosis(x) where abs(x) < 100") - (-1.2242424242424241)).abs() < 1e-12);
}

#[test]
fn what_does_not_vary_has_no_shape_and_no_correlation() {
    let dataset = table(vec![
        ("x", floats(&[Some(5.5); 7])),
        ("y", floats(&(0..7).map(|i| Some(f64::from(i))).collect::<Vec<_>>())),
    ]);
    for measure in
        ["skew(x)", "kurtosis(x)", "corr(x, y)", "cov_sample(x, y) where y < 1", "cov(x, y) where y < 0"]
    {
        assert!(totals(&dataset, &[measure])[0].is_null(0), "{measure}");
    }
    assert_eq!(number(&dataset, "cov(x, y)"), 0.0);
}

#[test]
fn any_and_all_pass_over_missing_values() {
    let dataset = small();
    let found = totals(
        &dataset,
        &["any(paid)", "all(paid)", "any(paid) where n > 9", "all(paid) where n > 9", "all(x > 0)"],
    );
    let found: Vec<bool> = found.iter().map(|array| array.as_boolean().value(0)).collect();
    assert_eq!(found, [true, false, false, true, false]);
}

#[test]
fn texts_have_a_least_and_a_greatest() {
    let dataset = small();
    let found = totals(&dataset, &["min(s)", "max(s)", "max(s) where n > 9"]);
    assert_eq!(found[0].as_string::<i32>().value(0), "");
    assert_eq!(found[1].as_string::<i32>().value(0), "c");
    assert!(found[2].is_null(0));
}

/// Columns of every type, with what goes wrong among them.
pub(crate) fn every_type(rows: usize) -> Arc<Dataset> {
    let mut random = Random::new(77);
    let mut some = move |n: u64| Some(random.below(n)).filter(|v| v % 7 != 3);
    let words = ["", "a", "ab", "b", "é", "zz"];
    let texts: Vec<Option<&str>> = (0..rows).map(|_| some(6).map(|i| words[i as usize])).collect();
    let dictionary: DictionaryArray<Int32Type> = texts.iter().copied().collect();
    let singles: Vec<Option<f32>> = (0..rows).map(|_| some(40).map(|v| v as f32 / 4.0 - 5.0)).collect();
    table(vec![
        ("k", floats(&awkward_floats(rows, 5))),
        (
            "order",
            Arc::new(Int32Array::from(
                (0..rows).map(|_| some(20).map(|v| v as i32 - 10)).collect::<Vec<_>>(),
            )),
        ),
        ("f64", floats(&awkward_floats(rows, 6))),
        ("f32", Arc::new(Float32Array::from(singles))),
        (
            "i64",
            Arc::new(Int64Array::from(
                (0..rows).map(|_| some(9).map(|v| i64::MAX - v as i64)).collect::<Vec<_>>(),
            )),
        ),
        (
            "u64",
            Arc::new(UInt64Array::from((0..rows).map(|_| some(9).map(|v| u64::MAX - v)).collect::<Vec<_>>())),
        ),
        ("u8", Arc::new(UInt8Array::from((0..rows).map(|_| some(250).map(|v| v as u8)).collect::<Vec<_>>()))),
        (
            "bool",
            Arc::new(BooleanArray::from((0..rows).map(|_| some(2).map(|v| v == 1)).collect::<Vec<_>>())),
        ),
        (
            "time",
            Arc::new(TimestampMillisecondArray::from(
                (0..rows).map(|_| some(50).map(|v| v as i64 - 25)).collect::<Vec<_>>(),
            )),
        ),
        ("text", Arc::new(StringArray::from(texts))),
        ("dictionary", Arc::new(dictionary)),
    ])
}

/// The values of a column as text, missing and NaN as `None`.
pub(crate) fn shown(dataset: &Dataset, name: &str) -> Vec<Option<String>> {
    let column = dataset.schema().position(name).unwrap();
    let array = dataset.source().read(column, 0..dataset.row_count()).unwrap();
    shown_array(&array)
}

pub(crate) fn shown_array(array: &ArrayRef) -> Vec<Option<String>> {
    let plain = match array.data_type() {
        DataType::Dictionary(_, values) => arrow::compute::cast(array, values).unwrap(),
        DataType::Float64 => {
            Arc::new(array.as_primitive::<Float64Type>().unary::<_, Float64Type>(|v| v + 0.0))
        }
        _ => array.clone(),
    };
    let format = arrow::util::display::ArrayFormatter::try_new(&plain, &Default::default()).unwrap();
    let is_nan = |row: usize| to_f64(&plain.slice(row, 1))[0].is_nan() && plain.data_type().is_floating();
    (0..plain.len())
        .map(|row| (plain.is_valid(row) && !is_nan(row)).then(|| format.value(row).to_string()))
        .collect()
}

pub(crate) const TYPES: [&str; 9] = ["f64", "f32", "i64", "u64", "u8", "bool", "time", "text", "dictionary"];

#[test]
fn first_and_last_of_every_type_equal_a_naive_loop_on_any_number_of_threads() {
    let rows = 1500;
    let dataset = every_type(rows);
    let bins = Bins::new(0.0, 10.0, 5, Scale::Linear).unwrap();
    let axis = Axis { expr: Expr::column("k", dataset.schema()).unwrap(), bins: bins.clone() };
    let ks = awkward_floats(rows, 5);
    let orders: Vec<Option<i64>> =
        shown(&dataset, "order").iter().map(|o| o.as_ref().map(|o| o.parse().unwrap())).collect();
    for name in TYPES {
        let values = shown(&dataset, name);
        let texts = [
            format!("first({name})"),
            format!("last({name})"),
            format!("first({name}, order)"),
            format!("last({name}, order)"),
            format!("last({name}, order) where bool"),
        ];
        let paid = shown(&dataset, "bool");
        let measures: Vec<&str> = texts.iter().map(String::as_str).collect();
        let question = grid_question(&dataset, Selection::all(), vec![axis.clone()], &measures);
        for (threads, chunk_rows) in [(1, 1), (2, 7), (3, 64), (4, 1000), (2, 4096)] {
            let answer = ask(&question, threads, chunk_rows);
            let grid = answer.grid().unwrap();
            for bin in 0..bins.count() {
                let inside = |row: &usize| {
                    ks[*row].is_some_and(|k| k >= bins.edges()[bin] && k < bins.edges()[bin + 1])
                };
                let here: Vec<usize> =
                    (0..rows).filter(inside).filter(|&row| values[row].is_some()).collect();
                let ordered: Vec<usize> = here.iter().copied().filter(|&row| orders[row].is_some()).collect();
                let conditioned = ordered.iter().copied().filter(|&row| paid[row].as_deref() == Some("true"));
                let naive = [
                    here.first().copied(),
                    here.last().copied(),
                    ordered.iter().copied().min_by_key(|&row| (orders[row], row)),
                    ordered.iter().copied().max_by_key(|&row| (orders[row], row)),
                    conditioned.max_by_key(|&row| (orders[row], row)),
                ];
                for (m, row) in naive.into_iter().enumerate() {
                    let found = shown_array(&grid.measures[m])[bin].clone();
                    let right = row.and_then(|row| values[row].clone());
                    assert_eq!(
                        found, right,
                        "{} of bin {bin}, {threads} threads, chunks of {chunk_rows}",
                        texts[m]
                    );
                }
            }
        }
    }
}

#[test]
fn every_measure_of_groups_and_of_a_cube_is_that_of_a_grid() {
    let rows = 700;
    let dataset = every_type(rows);
    let texts = [
        "count where bool",
        "skew(u8)",
        "cov(u8, f32)",
        "first(text, order)",
        "last(u8)",
        "max(text)",
        "nunique(text)",
        "mode(dictionary)",
        "median(f32)",
        "mutual_information(u8, f32, 8)",
        "any(bool)",
        "sum(u8) / (count where bool)",
    ];
    let measures: Vec<Measure> = texts.iter().map(|text| Measure::parse(text, &dataset).unwrap()).collect();
    let axis = |name: &str| Axis {
        expr: Expr::column(name, dataset.schema()).unwrap(),
        bins: Bins::new(0.0, 200.0, 4, Scale::Linear).unwrap(),
    };
    let compare = |a: &[ArrayRef], b: &[ArrayRef], what: &str| {
        for ((a, b), text) in a.iter().zip(b).zip(texts) {
            let close = match (to_f64(a), to_f64(b)) {
                _ if !a.data_type().is_floating() => a.as_ref() == b.as_ref(),
                (a, b) => a
                    .iter()
                    .zip(&b)
                    .all(|(a, b)| (a.is_nan() && b.is_nan()) || a == b || (a - b).abs() <= 1e-12 * a.abs()),
            };
            assert!(close, "{what}: {text}: {a:?} {b:?}");
        }
    };
    // Groups of the slots of an axis.
    let question = |ask: Ask, selection: Selection| Question::new(dataset.clone(), selection, ask);
    let grid = question(Ask::Grid { axes: vec![axis("u8")], measures: measures.clone() }, Selection::all());
    let groups = question(
        Ask::Groups {
            keys: vec![Key::Binned(axis("u8"))],
            measures: measures.clone(),
            listing: Listing::default(),
        },
        Selection::all(),
    );
    let (grid, groups) = (ask(&grid, 2, 100), ask(&groups, 3, 100));
    let slots: Vec<u64> = match &groups.groups().unwrap().keys[0] {
        outcrop::query::GroupKey::Slots { slots, .. } => slots.iter().map(|&slot| slot as u64).collect(),
        outcrop::query::GroupKey::Values(_) => panic!("an axis"),
    };
    let slots = UInt64Array::from(slots);
    let of_grid: Vec<ArrayRef> = grid
        .grid()
        .unwrap()
        .measures
        .iter()
        .map(|m| arrow::compute::take(m, &slots, None).unwrap())
        .collect();
    compare(&of_grid, &groups.groups().unwrap().measures, "groups");
    // Slices of cubes, of a grid and of groups.
    let brush = Brush::over(&[axis("u8")]).unwrap();
    let clause = Clause::interval(Expr::column("u8", dataset.schema()).unwrap(), 50.0, 150.0);
    let passive = Axis {
        expr: Expr::column("f32", dataset.schema()).unwrap(),
        bins: Bins::new(-5.0, 5.0, 3, Scale::Linear).unwrap(),
    };
    let key = Key::Value(Expr::column("order", dataset.schema()).unwrap());
    for passive in [
        Ask::Grid { axes: vec![passive], measures: measures.clone() },
        Ask::Groups { keys: vec![key], measures: measures.clone(), listing: Listing::default() },
    ] {
        let question = question(passive, Selection::of([clause.clone()]));
        let measured = |answer: &Answer| match answer {
            Answer::Grid(grid) => grid.measures.clone(),
            answer => answer.groups().unwrap().measures.clone(),
        };
        let scanned = measured(&ask(&question, 2, 64));
        let cube = ask(&brush.cube_for(&question).unwrap(), 3, 64);
        let sliced = cube.cube().unwrap().slice(&brush.wanted(&question).unwrap()).unwrap();
        compare(&scanned, &measured(&sliced), "cube");
    }
}

#[test]
fn whole_numbers_keep_their_type_through_first_and_extremes() {
    let dataset = every_type(100);
    let found = totals(&dataset, &["first(i64)", "last(u64)", "min(u64)", "first(dictionary)"]);
    assert!(found[0].as_primitive::<Int64Type>().value(0) > i64::MAX - 10);
    assert!(found[1].as_primitive::<UInt64Type>().value(0) > u64::MAX - 10);
    assert!(found[2].as_primitive::<UInt64Type>().value(0) > u64::MAX - 10);
    assert_eq!(found[3].data_type(), &DataType::Utf8);
}
