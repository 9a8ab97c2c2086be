//! Aggregates against exact answers and naive loops.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int32Array, Int64Array, StringArray,
    TimestampNanosecondArray, UInt64Array,
};
use arrow::datatypes::{
    Decimal128Type, Float64Type, Int32Type, Int64Type, TimestampNanosecondType, UInt64Type,
};
use outcrop::aggregate::{Bins, Scale};
use outcrop::dataset::Dataset;
use outcrop::expr::Expr;
use outcrop::query::{Ask, Axis, GroupKey, Groups, Key, Listing, Measure, Question};
use outcrop::select::Selection;

use crate::common::{Random, ask, awkward_floats, floats, grid_question, table};

/// The measures of all rows.
fn totals(dataset: &Arc<Dataset>, measures: &[&str]) -> Vec<ArrayRef> {
    let question = grid_question(dataset, Selection::all(), vec![], measures);
    ask(&question, 2, 1 << 15).grid().unwrap().measures.clone()
}

fn number(dataset: &Arc<Dataset>, measure: &str) -> f64 {
    totals(dataset, &[measure])[0].as_primitive::<Float64Type>().value(0)
}

fn of_floats(values: &[f64]) -> Arc<Dataset> {
    table(vec![("x", Arc::new(Float64Array::from(values.to_vec())) as ArrayRef)])
}

#[test]
fn the_standard_deviation_keeps_its_digits_far_from_zero() {
    let mut random = Random::new(1);
    let noise: Vec<f64> = (0..100_000).map(|_| (0..12).map(|_| random.unit()).sum::<f64>() - 6.0).collect();
    let shifted: Vec<f64> = noise.iter().map(|v| v + 1e8).collect();
    let near = number(&of_floats(&noise), "sd(x)");
    let far = number(&of_floats(&shifted), "sd(x)");
    assert!((near / far - 1.0).abs() < 1e-8, "{near} {far}");
    assert_eq!(number(&of_floats(&[1e9, 1e9 + 1.0, 1e9 + 2.0]), "var(x)"), 2.0 / 3.0);
    assert_eq!(number(&of_floats(&[1.0, 2.0, 3.0]), "var_sample(x)"), 1.0);
}

#[test]
fn minima_and_maxima_are_exact_in_the_columns_own_type() {
    let dataset = table(vec![
        ("i", Arc::new(Int32Array::from(vec![16_777_217, 16_777_219])) as ArrayRef),
        ("l", Arc::new(Int64Array::from(vec![(1 << 53) + 1, (1 << 53) + 3]))),
        ("u", Arc::new(UInt64Array::from(vec![u64::MAX, u64::MAX - 1]))),
        ("t", Arc::new(TimestampNanosecondArray::from(vec![(1 << 60) + 1, (1 << 60) + 3]))),
    ]);
    let texts = ["min(i)", "max(i)", "min(l)", "max(l)", "min(u)", "max(u)", "min(t)", "max(t)"];
    let m = totals(&dataset, &texts);
    assert_eq!(m[0].as_primitive::<Int32Type>().value(0), 16_777_217);
    assert_eq!(m[1].as_primitive::<Int32Type>().value(0), 16_777_219);
    assert_eq!(m[2].as_primitive::<Int64Type>().value(0), (1 << 53) + 1);
    assert_eq!(m[3].as_primitive::<Int64Type>().value(0), (1 << 53) + 3);
    assert_eq!(m[4].as_primitive::<UInt64Type>().value(0), u64::MAX - 1);
    assert_eq!(m[5].as_primitive::<UInt64Type>().value(0), u64::MAX);
    assert_eq!(m[6].as_primitive::<TimestampNanosecondType>().value(0), (1 << 60) + 1);
    assert_eq!(m[7].as_primitive::<TimestampNanosecondType>().value(0), (1 << 60) + 3);
}

#[test]
fn integer_sums_beyond_64_bits_are_exact() {
    let dataset = table(vec![("x", Arc::new(Int64Array::from(vec![1i64 << 62; 3])) as ArrayRef)]);
    let sum = &totals(&dataset, &["sum(x)"])[0];
    assert_eq!(sum.as_primitive::<Decimal128Type>().value(0), 3 << 62);
    assert_eq!(number(&dataset, "mean(x)"), (1u64 << 62) as f64);
    let dataset = table(vec![("x", Arc::new(UInt64Array::from(vec![u64::MAX; 3])) as ArrayRef)]);
    let sum = &totals(&dataset, &["sum(x)"])[0];
    assert_eq!(sum.as_primitive::<Decimal128Type>().value(0), 3 * i128::from(u64::MAX));
}

#[test]
fn an_empty_cell_has_a_count_and_a_sum_but_no_other_value() {
    let dataset = table(vec![
        ("x", floats(&[Some(0.5), Some(f64::NAN)])),
        ("l", Arc::new(Int64Array::from(vec![Some(1), None])) as ArrayRef),
    ]);
    let bins = Bins::new(0.0, 2.0, 2, Scale::Linear).unwrap();
    let axis = Axis { expr: Expr::column("x", dataset.schema()).unwrap(), bins };
    let measures = ["count", "sum(x)", "mean(x)", "min(x)", "max(x)", "sd(x)", "min(l)", "max(l)"];
    let question = grid_question(&dataset, Selection::all(), vec![axis], &measures);
    let answer = ask(&question, 1, 10);
    let grid = answer.grid().unwrap();
    assert_eq!(grid.counts, [1, 0, 0, 0, 1]);
    assert_eq!(grid.measure(1)[1], 0.0);
    for m in 2..measures.len() {
        assert!(grid.measures[m].is_null(1), "measure {m} of an empty bin");
        assert!(grid.measures[m].is_null(4), "measure {m} of a cell of NaN");
    }
}

#[test]
fn sums_are_compensated_and_infinities_stay_what_they_are() {
    let mut values = vec![1e100, 1.0, -1e100];
    assert_eq!(number(&of_floats(&values), "sum(x)"), 1.0);
    values.push(f64::INFINITY);
    assert_eq!(number(&of_floats(&values), "sum(x)"), f64::INFINITY);
    assert_eq!(number(&of_floats(&values), "finite_max(x)"), 1e100);
    assert_eq!(number(&of_floats(&values), "max(x)"), f64::INFINITY);
    values.push(f64::NEG_INFINITY);
    assert!(number(&of_floats(&values), "sum(x)").is_nan());
    assert!(totals(&of_floats(&[f64::INFINITY]), &["finite_min(x)"])[0].is_null(0));
}

#[test]
fn sums_of_few_and_many_cells_round_once_however_far_apart_their_values_are() {
    let mut random = Random::new(11);
    let rows = 30_000;
    // Whole multiples of 2^-20, of which 128 bits hold any sum: near each other at first, then as far apart as possible,
    // then near again, but for some.
    let unit = f64::from(1 << 20);
    let mut whole = |row: usize| {
        let bits = match row {
            0..9000 | 14_000..20_000 => 29,
            9000..14_000 => 1 + random.below(60) as u32,
            _ => [24, 24, 24, 24, 24, 24, 24, 52][random.below(8) as usize],
        };
        let value = (random.bits() >> (64 - bits)) as i64 & !((1 << bits.saturating_sub(50)) - 1);
        if random.below(3) == 0 { -value } else { value }
    };
    let wholes: Vec<[i64; 2]> = (0..rows).map(|row| [whole(row), whole(row)]).collect();
    let column = |of: usize| {
        let missing = |row: usize| (row * 7 + of).is_multiple_of(23) && row / 5000 % 2 == of;
        let value = |row: usize| if missing(row) { f64::NAN } else { wholes[row][of] as f64 / unit };
        Arc::new(Float64Array::from_iter_values((0..rows).map(value))) as ArrayRef
    };
    let narrow = |row: usize| (wholes[row][0] % 4_000_000) as f32;
    for cells in [1, 3, 300, 5000] {
        let key = |row: usize| row * 37 % cells;
        let (a, b) = (column(0), column(1));
        let dataset = table(vec![
            ("k", Arc::new(Int32Array::from_iter_values((0..rows).map(|row| key(row) as i32))) as ArrayRef),
            ("a", a.clone()),
            ("b", b.clone()),
            ("c", Arc::new(arrow::array::Float32Array::from_iter_values((0..rows).map(narrow)))),
        ]);
        let mut right = vec![[0i128; 3]; cells];
        for row in 0..rows {
            let sums = &mut right[key(row)];
            for (of, column) in [&a, &b].into_iter().enumerate() {
                if !column.as_primitive::<Float64Type>().value(row).is_nan() {
                    sums[of] += i128::from(wholes[row][of]);
                }
            }
            sums[2] += narrow(row) as i128;
        }
        let axis = Axis {
            expr: Expr::column("k", dataset.schema()).unwrap(),
            bins: Bins::new(0.0, cells as f64, cells, Scale::Linear).unwrap(),
        };
        let measures = ["sum(a)", "sum(b)", "sum(c)", "count(a)"];
        let grid = grid_question(&dataset, Selection::all(), vec![axis], &measures);
        let groups = Question::new(
            dataset.clone(),
            Selection::all(),
            Ask::Groups {
                keys: vec![Key::Value(Expr::column("k", dataset.schema()).unwrap())],
                measures: measures.iter().map(|text| Measure::parse(text, &dataset).unwrap()).collect(),
                listing: Listing::default(),
            },
        );
        for question in [grid, groups] {
            for (threads, chunk_rows) in [(1, 1 << 15), (2, 1 << 15), (3, 5001), (4, 777)] {
                let answer = ask(&question, threads, chunk_rows);
                let found = match answer.grid() {
                    Some(grid) => &grid.measures,
                    None => &answer.groups().unwrap().measures,
                };
                for (of, unit) in [(0, unit), (1, unit), (2, 1.0)] {
                    let sums = found[of].as_primitive::<Float64Type>();
                    for (cell, right) in right.iter().enumerate() {
                        let exact = right[of] as f64 / unit;
                        assert_eq!(
                            sums.value(cell),
                            exact,
                            "{cells} cells, {of}, cell {cell}, {threads} threads"
                        );
                    }
                }
            }
        }
    }
}

/// NIST StRD, univariate: NumAcc1 to NumAcc4 as their files define them.
#[test]
fn the_certified_means_and_deviations_of_nist_are_met() {
    let alternating = |first: f64, pairs: usize, low: f64, high: f64| {
        let mut values = vec![first];
        (0..pairs).for_each(|_| values.extend([low, high]));
        values
    };
    let cases = [
        ("NumAcc1", vec![10_000_001.0, 10_000_003.0, 10_000_002.0], 10_000_002.0, 1.0, 15),
        ("NumAcc2", alternating(1.2, 500, 1.1, 1.3), 1.2, 0.1, 14),
        ("NumAcc3", alternating(1_000_000.2, 500, 1_000_000.1, 1_000_000.3), 1_000_000.2, 0.1, 9),
        ("NumAcc4", alternating(10_000_000.2, 500, 10_000_000.1, 10_000_000.3), 10_000_000.2, 0.1, 8),
    ];
    for (name, values, mean, sd, digits) in cases {
        let dataset = of_floats(&values);
        let relative = |got: f64, right: f64| (got / right - 1.0).abs();
        assert!(relative(number(&dataset, "mean(x)"), mean) < 1e-14, "{name} mean");
        let got = number(&dataset, "sd_sample(x)");
        assert!(relative(got, sd) < 10f64.powi(-digits), "{name} sd {got}");
    }
}

#[test]
fn every_aggregate_equals_a_naive_loop_with_the_same_bits_on_any_number_of_threads() {
    let rows = 4099;
    let (xs, ks) = (awkward_floats(rows, 21), awkward_floats(rows, 22));
    let dataset = table(vec![("x", floats(&xs)), ("k", floats(&ks))]);
    let bins = Bins::new(0.0, 10.0, 5, Scale::Linear).unwrap();
    let axis = Axis { expr: Expr::column("k", dataset.schema()).unwrap(), bins: bins.clone() };
    let measures = ["count(x)", "min(x)", "max(x)", "finite_min(x)", "finite_max(x)"];
    let question = grid_question(&dataset, Selection::all(), vec![axis.clone()], &measures);
    let answer = ask(&question, 2, 64);
    let grid = answer.grid().unwrap();
    for bin in 0..5 {
        let inside = |k: &Option<f64>| k.is_some_and(|k| k >= bins.edges()[bin] && k < bins.edges()[bin + 1]);
        let here: Vec<f64> = xs
            .iter()
            .zip(&ks)
            .filter(|(_, k)| inside(k))
            .filter_map(|(x, _)| x.filter(|x| !x.is_nan()))
            .collect();
        let finite: Vec<f64> = here.iter().copied().filter(|x| x.is_finite()).collect();
        let least = |v: &[f64]| v.iter().copied().fold(f64::INFINITY, f64::min);
        let most = |v: &[f64]| v.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let naive = [here.len() as f64, least(&here), most(&here), least(&finite), most(&finite)];
        for (m, naive) in naive.into_iter().enumerate() {
            assert_eq!(grid.measure(m)[bin], naive, "{} of bin {bin}", measures[m]);
        }
    }
    let finite: Vec<Option<f64>> = xs.iter().map(|x| x.filter(|x| x.is_finite())).collect();
    let dataset = table(vec![("x", floats(&finite)), ("k", floats(&ks))]);
    let question = grid_question(&dataset, Selection::all(), vec![axis], &["sum(x)", "mean(x)", "sd(x)"]);
    for chunk_rows in [1, 7, 64, 1000] {
        let mut first: Option<Vec<Vec<u64>>> = None;
        for threads in 1..=4 {
            let answer = ask(&question, threads, chunk_rows);
            let grid = answer.grid().unwrap();
            let bits: Vec<Vec<u64>> =
                (0..3).map(|m| grid.measure(m).iter().map(|v| v.to_bits()).collect()).collect();
            assert_eq!(first.get_or_insert_with(|| bits.clone()), &bits, "{threads} threads");
            for bin in 0..5 {
                let inside =
                    |k: &Option<f64>| k.is_some_and(|k| k >= bins.edges()[bin] && k < bins.edges()[bin + 1]);
                let here: Vec<f64> =
                    finite.iter().zip(&ks).filter(|(_, k)| inside(k)).filter_map(|(x, _)| *x).collect();
                let mean = here.iter().sum::<f64>() / here.len() as f64;
                let sd =
                    (here.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / here.len() as f64).sqrt();
                assert!((grid.measure(1)[bin] / mean - 1.0).abs() < 1e-12);
                assert!((grid.measure(2)[bin] / sd - 1.0).abs() < 1e-12);
            }
        }
    }
}

fn groups_by(dataset: &Arc<Dataset>, keys: &[&str], measures: &[&str]) -> Groups {
    let keys = keys.iter().map(|text| Key::Value(Expr::parse(text, dataset.schema()).unwrap())).collect();
    let measures = measures.iter().map(|text| Measure::parse(text, dataset).unwrap()).collect();
    let question = Question::new(
        dataset.clone(),
        Selection::all(),
        Ask::Groups { keys, measures, listing: Listing::default() },
    );
    let expected = ask(&question, 1, 3);
    let again = ask(&question, 4, 2);
    assert_eq!(format!("{expected:?}"), format!("{:?}", ask(&question, 3, 3)));
    assert_eq!(again.groups().unwrap().counts, expected.groups().unwrap().counts);
    expected.groups().unwrap().clone()
}

fn values(key: &GroupKey) -> &ArrayRef {
    match key {
        GroupKey::Values(values) => values,
        GroupKey::Slots { .. } => panic!("a binned key"),
    }
}

#[test]
fn groups_hold_every_row_whatever_its_key() {
    let keys = floats(&[Some(0.0), Some(-0.0), Some(1.0), None, Some(f64::NAN), Some(-f64::NAN), None]);
    let dataset = table(vec![("k", keys)]);
    let groups = groups_by(&dataset, &["k"], &["count"]);
    assert_eq!(groups.counts, [2, 1, 2, 2], "0, 1, NaN, missing");
    assert_eq!(values(&groups.keys[0]).as_primitive::<Float64Type>().value(0).to_bits(), 0);

    let bools = Arc::new(BooleanArray::from(vec![true, false, true])) as ArrayRef;
    let groups = groups_by(&table(vec![("b", bools)]), &["b"], &["count"]);
    assert_eq!(groups.counts, [1, 2], "false, true");

    assert!(groups_by(&table(vec![("k", floats(&[]))]), &["k"], &["count"]).is_empty());
}

#[test]
fn groups_of_two_keys_equal_a_naive_map() {
    let mut random = Random::new(9);
    let texts: Vec<Option<&str>> =
        (0..500).map(|_| [None, Some("a"), Some("b"), Some("")][random.below(4) as usize]).collect();
    let numbers: Vec<Option<i64>> =
        (0..500).map(|_| Some(random.below(3) as i64 - 1).filter(|&n| n != 1)).collect();
    let weights: Vec<f64> = (0..500).map(|_| random.unit()).collect();
    let dataset = table(vec![
        ("s", Arc::new(StringArray::from(texts.clone())) as ArrayRef),
        ("n", Arc::new(Int64Array::from(numbers.clone()))),
        ("w", Arc::new(Float64Array::from(weights.clone()))),
    ]);
    let groups = groups_by(&dataset, &["s", "n"], &["count", "sum(w)"]);
    let mut naive: std::collections::BTreeMap<_, (u64, f64)> = Default::default();
    for ((s, n), w) in texts.iter().zip(&numbers).zip(&weights) {
        // Missing keys come last.
        let entry = naive.entry(((s.is_none(), *s), (n.is_none(), *n))).or_default();
        entry.0 += 1;
        entry.1 += w;
    }
    assert_eq!(groups.counts, naive.values().map(|v| v.0).collect::<Vec<_>>());
    let sums = groups.measures[1].as_primitive::<Float64Type>();
    for (i, (_, sum)) in naive.values().enumerate() {
        assert!((sums.value(i) - sum).abs() < 1e-9);
    }
    let (s, n) = (values(&groups.keys[0]), values(&groups.keys[1]));
    for (i, ((_, text), (_, number))) in naive.keys().enumerate() {
        assert_eq!((!s.is_null(i)).then(|| s.as_string::<i32>().value(i)), *text);
        assert_eq!((!n.is_null(i)).then(|| n.as_primitive::<Int64Type>().value(i)), *number);
    }
}

#[test]
fn too_many_groups_are_refused_with_a_number_and_a_way_out() {
    use outcrop::query::{QueryError, ScanOptions, Workers, scan};
    let dataset = table(vec![("k", Arc::new(Int64Array::from_iter_values(0..200_000)) as ArrayRef)]);
    let keys = vec![Key::Value(Expr::parse("k", dataset.schema()).unwrap())];
    let question = Question::new(
        dataset,
        Selection::all(),
        Ask::Groups { keys, measures: vec![], listing: Listing::default() },
    );
    let options = ScanOptions { group_budget: 1 << 20, ..ScanOptions::default() };
    let result = scan(&[question], &Workers::new(2).unwrap(), options, &outcrop::task::Task::detached());
    assert!(matches!(result, Err(QueryError::TooManyGroups { .. })), "{result:?}");
}

#[test]
fn keys_near_and_far_and_dictionaries_of_any_codes_equal_a_naive_map() {
    let mut random = Random::new(4);
    let near_then_far: Vec<Option<i64>> = (0..9000)
        .map(|row| match (row / 2500, random.below(5)) {
            (_, 0) => None,
            (1, _) => Some(random.below(50) as i64 - 1000),
            (2, 1) => Some(i64::MAX - random.below(3) as i64),
            (3, 1) => Some(i64::MIN + random.below(3) as i64),
            _ => Some(random.below(20) as i64),
        })
        .collect();
    let dataset = table(vec![("k", Arc::new(Int64Array::from(near_then_far.clone())) as ArrayRef)]);
    let keys = vec![Key::Value(Expr::parse("k", dataset.schema()).unwrap())];
    let question = Question::new(
        dataset,
        Selection::all(),
        Ask::Groups { keys, measures: vec![], listing: Listing::default() },
    );
    let mut naive: std::collections::BTreeMap<(bool, Option<i64>), u64> = Default::default();
    near_then_far.iter().for_each(|key| *naive.entry((key.is_none(), *key)).or_default() += 1);
    for (threads, chunk_rows) in [(1, 1 << 15), (2, 700), (3, 2048)] {
        let answer = ask(&question, threads, chunk_rows);
        let groups = answer.groups().unwrap();
        assert_eq!(groups.counts, naive.values().copied().collect::<Vec<_>>());
        let found = values(&groups.keys[0]).as_primitive::<Int64Type>().iter().collect::<Vec<_>>();
        assert_eq!(found, naive.keys().map(|key| key.1).collect::<Vec<_>>());
    }

    // Two codes for one text, a missing code, and a code whose value is missing.
    let texts = StringArray::from(vec![Some("b"), Some("a"), None, Some("b")]);
    let codes = Int32Array::from(vec![Some(0), Some(1), Some(2), Some(3), None, Some(3)]);
    let coded = arrow::array::DictionaryArray::new(codes, Arc::new(texts));
    let groups = groups_by(&table(vec![("s", Arc::new(coded) as ArrayRef)]), &["s"], &["count"]);
    assert_eq!(groups.counts, [1, 3, 2], "a, b, missing");
}
