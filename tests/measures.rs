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

fn number(dataset: &Arc<Dataset>, measure: &str) -> f64 {
    to_f64(&totals(dataset, &[measure])[0])[0]
}

fn small() -> Arc<Dataset> {
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
fn every_type(rows: usize) -> Arc<Dataset> {
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
fn shown(dataset: &Dataset, name: &str) -> Vec<Option<String>> {
    let column = dataset.schema().position(name).unwrap();
    let array = dataset.source().read(column, 0..dataset.row_count()).unwrap();
    shown_array(&array)
}

fn shown_array(array: &ArrayRef) -> Vec<Option<String>> {
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

const TYPES: [&str; 9] = ["f64", "f32", "i64", "u64", "u8", "bool", "time", "text", "dictionary"];

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

/// `q` as numpy has it: linear between neighbours.
fn naive_quantile(sorted: &[f64], q: f64) -> f64 {
    let place = q * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    if low == high { low } else { low + (high - low) * place.fract() }
}

#[test]
fn distinct_values_modes_and_quantiles_of_every_type_equal_a_naive_loop() {
    let rows = 1500;
    let dataset = every_type(rows);
    let bins = Bins::new(0.0, 10.0, 5, Scale::Linear).unwrap();
    let axis = Axis { expr: Expr::column("k", dataset.schema()).unwrap(), bins: bins.clone() };
    let ks = awkward_floats(rows, 5);
    let paid = shown(&dataset, "bool");
    for name in TYPES {
        let values = shown(&dataset, name);
        let column = dataset.schema().position(name).unwrap();
        let numbers = dataset.source().read(column, 0..rows as u64).unwrap();
        let is_number = !matches!(name, "text" | "dictionary");
        let numbers = if is_number { to_f64(&numbers) } else { vec![0.0; rows] };
        let mut texts =
            vec![format!("nunique({name})"), format!("mode({name})"), format!("nunique({name}) where bool")];
        if is_number {
            texts.extend(["median", "quantile", "percentile"].map(|aggregate| match aggregate {
                "median" => format!("median({name})"),
                "quantile" => format!("quantile({name}, 0.25)"),
                _ => format!("percentile({name}, 90)"),
            }));
        }
        let measures: Vec<&str> = texts.iter().map(String::as_str).collect();
        let question = grid_question(&dataset, Selection::all(), vec![axis.clone()], &measures);
        for (threads, chunk_rows) in [(1, 1), (2, 7), (3, 64), (4, 1000), (2, 4096)] {
            let answer = ask(&question, threads, chunk_rows);
            let grid = answer.grid().unwrap();
            assert!(grid.approximate.iter().all(|approximate| !approximate));
            for bin in 0..bins.count() {
                let inside = |row: &usize| {
                    ks[*row].is_some_and(|k| k >= bins.edges()[bin] && k < bins.edges()[bin + 1])
                };
                let here: Vec<usize> =
                    (0..rows).filter(inside).filter(|&row| values[row].is_some()).collect();
                let mut counts: std::collections::BTreeMap<&str, (usize, usize)> = Default::default();
                for &row in &here {
                    let entry = counts.entry(values[row].as_deref().unwrap()).or_default();
                    entry.0 += 1;
                    entry.1 += usize::from(paid[row].as_deref() == Some("true"));
                }
                let what = format!("{name}, bin {bin}, {threads} threads, chunks of {chunk_rows}");
                assert_eq!(grid.measure(0)[bin], counts.len() as f64, "{what}");
                let with_paid = counts.values().filter(|(_, paid)| *paid > 0).count();
                assert_eq!(grid.measure(2)[bin], with_paid as f64, "{what}");
                let mode = shown_array(&grid.measures[1])[bin].clone();
                let most = counts.values().map(|(count, _)| *count).max().unwrap();
                assert_eq!(counts[mode.as_deref().unwrap()].0, most, "{what}");
                if is_number {
                    let mut sorted: Vec<f64> = here.iter().map(|&row| numbers[row]).collect();
                    sorted.sort_by(f64::total_cmp);
                    for (m, q) in [(3, 0.5), (4, 0.25), (5, 0.9)] {
                        let (found, right) = (grid.measure(m)[bin], naive_quantile(&sorted, q));
                        let right = if name == "time" { right.floor() } else { right };
                        let close = found == right || (found - right).abs() <= 1e-12 * right.abs();
                        assert!(close || (found.is_nan() && right.is_nan()), "{what}: {found} {right}");
                    }
                }
            }
        }
    }
}

#[test]
fn quantiles_lie_within_the_data_and_are_what_numpy_says() {
    let of = |values: &[f64], measure: &str| {
        number(&table(vec![("x", floats(&values.iter().copied().map(Some).collect::<Vec<_>>()))]), measure)
    };
    assert_eq!(of(&[1.0, 2.0, 3.0, 4.0, 1e6], "median(x)"), 3.0);
    let mut values: Vec<f64> = (0..1000).map(f64::from).collect();
    values.push(1e9);
    assert_eq!(of(&values, "quantile(x, 0.25)"), 250.0);
    assert_eq!(of(&values, "quantile(x, 0)"), 0.0);
    assert_eq!(of(&values, "percentile(x, 100)"), 1e9);
    assert_eq!(of(&[1.0, 2.0], "quantile(x, 1/3)"), 1.0 + 1.0 / 3.0);
    assert_eq!(of(&[f64::INFINITY, f64::INFINITY, 1.0], "median(x)"), f64::INFINITY);
    let bytes = Arc::new(arrow::array::Int8Array::from(vec![7i8, -128, 127, 7, 100])) as ArrayRef;
    assert_eq!(number(&table(vec![("x", bytes)]), "median(x)"), 7.0);
    assert!(of(&[f64::NAN], "median(x)").is_nan());
}

#[test]
fn a_list_of_numbers_is_several_measures() {
    let dataset = small();
    let each = Measure::each("quantile(x, [0, 0.5, 1]) where n > 0", &dataset).unwrap();
    let texts: Vec<String> = each.iter().map(Measure::to_string).collect();
    assert_eq!(
        texts,
        ["quantile(x, 0) where n > 0", "quantile(x, 0.5) where n > 0", "quantile(x, 1) where n > 0"]
    );
    for (text, part) in
        [("quantile(x)", "needs a number"), ("quantile(x, 2)", "from 0 to 1"), ("quantile(x, y)", "y")]
    {
        let error = Measure::check(text, &dataset).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn what_does_not_fit_memory_is_a_sketch_close_to_the_truth_and_says_so() {
    let rows = 2_600_000i64;
    let value = |i: i64| (i * 7_919) % rows;
    let dataset = table(vec![
        ("k", Arc::new(Int64Array::from_iter_values((0..rows).map(|i| i % 3))) as ArrayRef),
        ("x", Arc::new(Int64Array::from_iter_values((0..rows).map(value)))),
    ]);
    let texts = ["nunique(x)", "median(x)", "quantile(x, 1)", "sum(x)"];
    let measures = texts.iter().map(|text| Measure::parse(text, &dataset).unwrap()).collect();
    let keys = vec![Key::Value(Expr::parse("k", dataset.schema()).unwrap())];
    let question = Question::new(
        dataset.clone(),
        Selection::all(),
        Ask::Groups { keys: keys.clone(), measures, listing: Listing::default() },
    );
    let answers: Vec<Answer> = [1, 3].iter().map(|&threads| ask(&question, threads, 1 << 15)).collect();
    let groups = answers[0].groups().unwrap();
    assert_eq!(
        format!("{groups:?}"),
        format!("{:?}", answers[1].groups().unwrap()),
        "on any number of threads"
    );
    assert_eq!(groups.approximate, [true, true, true, false]);
    let distinct = to_f64(&groups.measures[0])[0];
    assert!((distinct / (rows as f64 / 3.0) - 1.0).abs() < 0.02, "{distinct}");
    let mut sorted: Vec<i64> = (0..rows).step_by(3).map(value).collect();
    sorted.sort_unstable();
    let median = to_f64(&groups.measures[1])[0];
    assert!((median - sorted[sorted.len() / 2] as f64).abs() < 16.0, "{median}");
    assert_eq!(to_f64(&groups.measures[2])[0], *sorted.last().unwrap() as f64, "the greatest is exact");

    let measures = vec![Measure::parse("mode(x)", &dataset).unwrap()];
    let question =
        Question::new(dataset, Selection::all(), Ask::Groups { keys, measures, listing: Listing::default() });
    let workers = outcrop::query::Workers::new(2).unwrap();
    let lost =
        outcrop::query::scan(&[question], &workers, Default::default(), &outcrop::task::Task::detached());
    assert!(lost.unwrap_err().to_string().contains("more distinct values"));
}

#[test]
fn a_large_table_is_searched_for_quantiles_and_distinct_values_and_they_are_exact() {
    let rows = 1_300_000usize;
    let mut random = Random::new(3);
    let x: Vec<Option<f64>> = (0..rows)
        .map(|i| match i % 50 {
            0 => None,
            1 => Some(f64::NAN),
            2 => Some(f64::INFINITY),
            3 => Some(-0.0),
            _ => Some(random.unit().powi(9) * 1e6 - 10.0),
        })
        .collect();
    let whole: Vec<i64> = (0..rows).map(|i| (i as i64 * 7919) % 900_001 - 1000).collect();
    let single: Vec<f32> = x.iter().map(|x| x.unwrap_or(1.0) as f32).collect();
    let k: Vec<i64> = (0..rows).map(|i| (i % 5) as i64).collect();
    let dataset = table(vec![
        ("x", floats(&x)),
        ("i", Arc::new(Int64Array::from(whole.clone())) as ArrayRef),
        ("f", Arc::new(Float32Array::from(single.clone()))),
        ("k", Arc::new(Int64Array::from(k.clone()))),
    ]);
    let texts = [
        "median(x)",
        "quantile(x, 0.01)",
        "quantile(x, 0.999) where k > 0",
        "median(i)",
        "quantile(f, 0.25)",
        "nunique(i)",
        "nunique(i) where k = 1",
        "percentile(x, 75) - median(x)",
    ];
    let bins = Bins::new(0.0, 3.0, 3, Scale::Linear).unwrap();
    let axis = Axis { expr: Expr::column("k", dataset.schema()).unwrap(), bins };
    let selection = Selection::of([Clause::filter(Expr::parse("i < 800000", dataset.schema()).unwrap())]);
    for axes in [vec![], vec![axis]] {
        let question = grid_question(&dataset, selection.clone(), axes.clone(), &texts);
        let answers: Vec<Answer> = [(1, 1 << 15), (3, 100_000)]
            .iter()
            .map(|&(threads, chunk_rows)| ask(&question, threads, chunk_rows))
            .collect();
        let grid = answers[0].grid().unwrap();
        assert!(grid.approximate.iter().all(|approximate| !approximate));
        for answer in &answers[1..] {
            assert_eq!(format!("{:?}", grid.measures), format!("{:?}", answer.grid().unwrap().measures));
        }
        for cell in 0..if axes.is_empty() { 1 } else { 3 } {
            let here: Vec<usize> = (0..rows)
                .filter(|&row| whole[row] < 800_000 && (axes.is_empty() || k[row] == cell as i64))
                .collect();
            let quantile = |values: &mut dyn Iterator<Item = f64>, q: f64| {
                let mut sorted: Vec<f64> = values.filter(|v| !v.is_nan()).map(|v| v + 0.0).collect();
                sorted.sort_by(f64::total_cmp);
                if sorted.is_empty() { f64::NAN } else { naive_quantile(&sorted, q) }
            };
            let of_x = |row: &usize| x[*row].unwrap_or(f64::NAN);
            let distinct = |rows: &mut dyn Iterator<Item = &usize>| {
                rows.map(|&row| whole[row]).collect::<std::collections::HashSet<_>>().len() as f64
            };
            let median = quantile(&mut here.iter().map(of_x), 0.5);
            let right = [
                median,
                quantile(&mut here.iter().map(of_x), 0.01),
                quantile(&mut here.iter().filter(|row| k[**row] > 0).map(of_x), 0.999),
                quantile(&mut here.iter().map(|&row| whole[row] as f64), 0.5),
                quantile(&mut here.iter().map(|&row| f64::from(single[row])), 0.25),
                distinct(&mut here.iter()),
                distinct(&mut here.iter().filter(|row| k[**row] == 1)),
                quantile(&mut here.iter().map(of_x), 0.75) - median,
            ];
            for (m, right) in right.into_iter().enumerate() {
                let found = grid.measure(m)[cell];
                let same = (found - right).abs() <= 1e-12 * right.abs() || found == right;
                assert!(
                    same || (found.is_nan() && right.is_nan()),
                    "{} of cell {cell}: {found}, not {right}",
                    texts[m]
                );
            }
        }
    }
}

#[test]
fn mutual_information_equals_a_naive_loop_and_filters_move_no_bin() {
    let rows = 4000usize;
    let mut random = Random::new(11);
    let x: Vec<f64> = (0..rows).map(|_| random.unit() * 10.0).collect();
    let n: Vec<i64> = x.iter().map(|x| (*x as i64 + random.below(4) as i64) % 8).collect();
    let dataset = table(vec![
        ("x", floats(&x.iter().copied().map(Some).collect::<Vec<_>>())),
        ("n", Arc::new(Int64Array::from(n.clone())) as ArrayRef),
        ("k", Arc::new(Int64Array::from_iter_values((0..rows as i64).map(|i| i % 3)))),
    ]);
    let (low, high) =
        (x.iter().copied().fold(f64::INFINITY, f64::min), x.iter().copied().fold(0.0, f64::max));
    let bins = Bins::new(low, high.next_up(), 16, Scale::Linear).unwrap();
    let naive = |passes: &dyn Fn(usize) -> bool| {
        let mut joint: std::collections::BTreeMap<(usize, i64), f64> = Default::default();
        for row in (0..rows).filter(|&row| passes(row)) {
            *joint.entry((bins.bin_of(x[row]).unwrap(), n[row])).or_default() += 1.0;
        }
        let total: f64 = joint.values().sum();
        let of_x = |x| joint.iter().filter(|((a, _), _)| *a == x).map(|(_, count)| count).sum::<f64>();
        let of_n = |n| joint.iter().filter(|((_, b), _)| *b == n).map(|(_, count)| count).sum::<f64>();
        let term = |(&(a, b), &count): (&(usize, i64), &f64)| {
            count / total * (count * total / of_x(a) / of_n(b)).ln()
        };
        joint.iter().map(term).sum::<f64>()
    };
    // Eight whole numbers are a bin each.
    let measures = [
        "mutual_information(x, n, 16)",
        "mutual_information(x, n, 16) where k = 1",
        "mutual_information(n, n)",
        "mutual_information(x, n) where k > 9",
    ];
    let selection = Selection::of([Clause::filter(Expr::parse("x > 3", dataset.schema()).unwrap())]);
    let question = grid_question(&dataset, selection, vec![], &measures);
    let right = [naive(&|row| x[row] > 3.0), naive(&|row| x[row] > 3.0 && row % 3 == 1)];
    for (threads, chunk_rows) in [(1, 64), (3, 7), (2, 5000)] {
        let answer = ask(&question, threads, chunk_rows);
        let grid = answer.grid().unwrap();
        for (m, right) in right.into_iter().enumerate() {
            let found = grid.measure(m)[0];
            assert!((found - right).abs() < 1e-12, "{found}, not {right}");
        }
        assert!(grid.measure(2)[0] > right[0], "what a value tells of itself");
        assert!(grid.measures[3].is_null(0));
    }
}
