//! Comparisons of missing values: false, wherever they are used.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, DictionaryArray, DurationMillisecondArray, Float32Array,
    Float64Array, Int16Array, Int64Array, StringArray, TimestampSecondArray, UInt64Array,
};
use arrow::datatypes::{Int32Type, UInt64Type};
use outcrop::data::{Field, Schema};
use outcrop::dataset::{Dataset, MemorySource};
use outcrop::expr::{Expr, Program};
use outcrop::query::{Ask, Question};
use outcrop::select::{Clause, Selection};

use crate::common::{ask, grid_question};

/// Both there in every order; the left, the right or both missing.
const PAIRS: [(Option<u8>, Option<u8>); 7] = [
    (Some(1), Some(2)),
    (Some(2), Some(1)),
    (Some(1), Some(1)),
    (None, Some(1)),
    (Some(1), None),
    (None, None),
    (Some(2), Some(2)),
];
const SIGNS: [&str; 6] = ["<", "<=", ">", ">=", "==", "!="];

type Column = fn(Vec<Option<u8>>) -> ArrayRef;

/// Columns of every kind from small numbers, with the literal of 1 and of 2.
const KINDS: [(&str, Column, [&str; 2]); 9] = [
    ("f64", |v| Arc::new(v.into_iter().map(|v| v.map(f64::from)).collect::<Float64Array>()), ["1", "2.0"]),
    ("f32", |v| Arc::new(v.into_iter().map(|v| v.map(f32::from)).collect::<Float32Array>()), ["1", "2.0"]),
    ("i16", |v| Arc::new(v.into_iter().map(|v| v.map(i16::from)).collect::<Int16Array>()), ["1", "2.0"]),
    ("i64", |v| Arc::new(v.into_iter().map(|v| v.map(i64::from)).collect::<Int64Array>()), ["1", "2"]),
    ("u64", |v| Arc::new(v.into_iter().map(|v| v.map(u64::from)).collect::<UInt64Array>()), ["1", "2"]),
    (
        "bool",
        |v| Arc::new(v.into_iter().map(|v| v.map(|v| v == 2)).collect::<BooleanArray>()),
        ["false", "true"],
    ),
    (
        "text",
        |v| Arc::new(v.into_iter().map(|v| v.map(|v| v.to_string())).collect::<StringArray>()),
        ["'1'", "'2'"],
    ),
    ("kind", |v| Arc::new(v.into_iter().map(word).collect::<DictionaryArray<Int32Type>>()), ["'1'", "'2'"]),
    (
        "time",
        |v| Arc::new(v.into_iter().map(|v| v.map(i64::from)).collect::<TimestampSecondArray>()),
        ["1970-01-01T00:00:01", "1970-01-01T00:00:02"],
    ),
];

fn word(value: Option<u8>) -> Option<&'static str> {
    value.map(|value| ["", "1", "2"][usize::from(value)])
}

fn holds(sign: &str, a: Option<u8>, b: Option<u8>) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return false };
    match sign {
        "<" => a < b,
        "<=" => a <= b,
        ">" => a > b,
        ">=" => a >= b,
        "==" => a == b,
        _ => a != b,
    }
}

/// The columns `a` and `b` of a kind, with the pairs `times` over.
fn columns(make: Column, times: usize) -> Vec<(&'static str, ArrayRef)> {
    let rows = PAIRS.iter().cycle().take(PAIRS.len() * times);
    vec![("a", make(rows.clone().map(|p| p.0).collect())), ("b", make(rows.map(|p| p.1).collect()))]
}

fn truths(text: &str, columns: &[(&str, ArrayRef)]) -> Vec<bool> {
    let fields = columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone())).collect();
    let schema = Schema::new(fields);
    let expr = Expr::parse(text, &schema).unwrap_or_else(|e| panic!("{}", e.pointed(text)));
    let program = Program::compile(&[expr], &schema);
    let used: Vec<ArrayRef> = program.columns().iter().map(|i| columns[*i].1.clone()).collect();
    let found = program.run(&used, columns[0].1.len()).unwrap().remove(0);
    assert_eq!(found.null_count(), 0, "{text}");
    found.as_boolean().values().iter().collect()
}

/// Every comparison of the two columns, of a column and a constant, and of constants, with its naive twin.
fn comparisons(literals: [&str; 2]) -> Vec<(String, Vec<bool>)> {
    let each = |f: &dyn Fn(Option<u8>, Option<u8>) -> bool| PAIRS.iter().map(|&(a, b)| f(a, b)).collect();
    let [one, two] = literals;
    let mut all: Vec<(String, Vec<bool>)> = Vec::new();
    for sign in SIGNS {
        all.push((format!("a {sign} b"), each(&|a, b| holds(sign, a, b))));
        all.push((format!("a {sign} {two}"), each(&|a, _| holds(sign, a, Some(2)))));
        all.push((format!("{one} {sign} b"), each(&|_, b| holds(sign, Some(1), b))));
        for null in ["nullif(a, a)", "if(false, a, null)", "nullif(1, 1)"] {
            if null != "nullif(1, 1)" || one == "1" {
                all.push((format!("a {sign} {null}"), each(&|_, _| false)));
                all.push((format!("{null} {sign} {one}"), each(&|_, _| false)));
            }
        }
        all.push((
            format!("{one} <= a {sign} b"),
            each(&|a, b| holds("<=", Some(1), a) && holds(sign, a, b)),
        ));
    }
    let long = format!("{one}, {one}, {one}, {one}, {one}, {one}, {one}, {one}");
    for list in [one, &format!("{one}, null"), &long] {
        all.push((format!("a in [{list}]"), each(&|a, _| holds("==", a, Some(1)))));
        all.push((format!("a not in [{list}]"), each(&|a, _| holds("!=", a, Some(1)))));
    }
    all.push(("a in []".to_owned(), each(&|_, _| false)));
    all.push(("a not in []".to_owned(), each(&|a, _| a.is_some())));
    let within = |x, low, high| holds("<=", low, x) && holds("<=", x, high);
    all.push((format!("a between b and {two}"), each(&|a, b| within(a, b, Some(2)))));
    all.push((
        format!("a not between b and {two}"),
        each(&|a, b| a.is_some() && b.is_some() && !within(a, b, Some(2))),
    ));
    all.push((
        format!("{one} not between a and b"),
        each(&|a, b| a.is_some() && b.is_some() && !within(Some(1), a, b)),
    ));
    all.push(("a between null and b".to_owned(), each(&|_, _| false)));
    all.push(("a not between null and b".to_owned(), each(&|_, _| false)));
    all
}

#[test]
fn a_comparison_is_false_where_an_operand_is_missing() {
    for (kind, make, literals) in KINDS {
        let columns = columns(make, 1);
        for (text, wanted) in comparisons(literals) {
            assert_eq!(truths(&text, &columns), wanted, "{text} of {kind}");
        }
    }
}

#[test]
fn not_of_a_comparison_is_true_where_it_is_false() {
    for (kind, make, literals) in KINDS {
        let columns = columns(make, 1);
        for (text, wanted) in comparisons(literals) {
            let opposite: Vec<bool> = wanted.iter().map(|found| !found).collect();
            assert_eq!(truths(&format!("not ({text})"), &columns), opposite, "not ({text}) of {kind}");
            let chosen = format!("if({text}, 'yes', 'no') == 'no'");
            assert_eq!(truths(&chosen, &columns), opposite, "{chosen} of {kind}");
        }
    }
}

#[test]
fn truth_values_that_are_columns_may_be_missing() {
    let flags: ArrayRef = Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]));
    let columns = [("flag", flags)];
    assert_eq!(truths("coalesce(not flag, false)", &columns), [false, true, false]);
    assert_eq!(truths("ismissing(not flag)", &columns), [false, false, true]);
    assert_eq!(truths("ismissing(flag or flag == true)", &columns), [false, false, true]);
    assert_eq!(truths("ismissing(flag and flag == true)", &columns), [false, false, false]);
    assert_eq!(truths("flag is true", &columns), [true, false, false]);
    assert_eq!(truths("flag is not true", &columns), [false, true, true]);
    assert_eq!(truths("flag is false", &columns), [false, true, false]);
}

#[test]
fn nan_is_unequal_to_everything_and_in_no_list_or_range() {
    let columns: [(&str, ArrayRef); 1] = [("x", Arc::new(Float64Array::from(vec![Some(f64::NAN), None])))];
    for (text, wanted) in [
        ("x != 1", [true, false]),
        ("x == 1", [false, false]),
        ("x not in [1]", [true, false]),
        ("x not between 1 and 2", [true, false]),
        ("not (x > 1)", [true, true]),
        ("x <= 1", [false, false]),
    ] {
        assert_eq!(truths(text, &columns), wanted, "{text}");
    }
}

/// The rows that pass, of `dataset` with and without zone maps, on 1 to 4 threads.
fn passing(dataset: &Arc<Dataset>, text: &str) -> Vec<u64> {
    let condition = Expr::parse(text, dataset.schema()).unwrap();
    let selection = Selection::of([Clause::filter(condition)]);
    let zoned = Arc::new(dataset.with_zones_of(7));
    // The first answer learns the zones.
    let all = Question::new(zoned.clone(), Selection::all(), Ask::Index);
    ask(&all, 1, 7);
    for column in dataset.schema().fields() {
        ask(&grid_question(&zoned, Selection::all(), vec![], &[&format!("count({})", column.name)]), 1, 7);
    }
    let mut found = Vec::new();
    for (dataset, threads) in [(dataset, 1), (&zoned, 1), (&zoned, 4)] {
        let question = Question::new(dataset.clone(), selection.clone(), Ask::Index);
        found.push(ask(&question, threads, 7).index().unwrap().total());
        let of_some = grid_question(dataset, Selection::all(), vec![], &[&format!("count where {text}")]);
        let counted = ask(&of_some, threads, 7);
        found.push(counted.grid().unwrap().measures[0].as_primitive::<UInt64Type>().value(0));
    }
    found
}

#[test]
fn filters_and_conditions_of_measures_leave_out_what_is_missing() {
    for (kind, make, literals) in KINDS {
        let dataset = Arc::new(Dataset::new(Arc::new(MemorySource::of(columns(make, 5)))));
        for (text, wanted) in comparisons(literals) {
            let count = 5 * wanted.iter().filter(|found| **found).count() as u64;
            let rows = 5 * PAIRS.len() as u64;
            for found in passing(&dataset, &text) {
                assert_eq!(found, count, "{text} of {kind}");
            }
            for found in passing(&dataset, &format!("not ({text})")) {
                assert_eq!(found, rows - count, "not ({text}) of {kind}");
            }
        }
    }
}

#[test]
fn zones_whose_values_all_decide_alike_are_still_looked_at_for_missing_ones() {
    // Zones of 7 rows: all below 5; all above, some missing; all missing; all NaN; all above.
    let zone = |value: Option<f64>| vec![value; 7];
    let mut rows =
        [zone(Some(1.0)), zone(Some(9.0)), zone(None), zone(Some(f64::NAN)), zone(Some(9.0))].concat();
    rows[8] = None;
    rows[13] = None;
    let wait = DurationMillisecondArray::from(
        rows.iter().map(|v| v.filter(|v| !v.is_nan()).map(|v| v as i64)).collect::<Vec<_>>(),
    );
    let x: ArrayRef = Arc::new(Float64Array::from(rows.clone()));
    let dataset =
        Arc::new(Dataset::new(Arc::new(MemorySource::of(vec![("x", x), ("wait", Arc::new(wait))]))));
    let count = |test: &dyn Fn(Option<f64>) -> bool| rows.iter().filter(|v| test(**v)).count() as u64;
    let is = |test: fn(f64) -> bool| move |v: Option<f64>| v.is_some_and(test);
    for (text, wanted) in [
        ("x > 5", count(&is(|v| v > 5.0))),
        ("not (x > 5)", count(&|v| !is(|v| v > 5.0)(v))),
        ("x != 9", count(&is(|v| v != 9.0))),
        ("not (x != 9)", count(&|v| !is(|v| v != 9.0)(v))),
        ("x not in [1, 2]", count(&is(|v| v != 1.0))),
        ("x not between 0 and 5", count(&is(|v| v != 1.0))),
        ("not (x not between 0 and 5)", count(&|v| !is(|v| v != 1.0)(v))),
        ("x == 1 or not (x < 100)", count(&|v| !is(|v| v == 9.0)(v))),
        ("not (x / 2 >= 0)", count(&|v| !is(|v| v > 0.0)(v))),
        ("not (wait > days(0))", count(&|v| !is(|v| v > 0.0)(v))),
        ("if(x > 0, 1, 2) == 2", count(&|v| !is(|v| v > 0.0)(v))),
        ("not (x > 0) is true", count(&|v| !is(|v| v > 0.0)(v))),
        ("x is null", count(&|v| v.is_none())),
        ("coalesce(x, 1) > 0", count(&|v| v.is_none_or(|v| v > 0.0))),
        ("not (nullif(x, 9) > 0)", count(&|v| !is(|v| v == 1.0)(v))),
        ("not (int64(x) * 9223372036854775807 > 0)", count(&|v| !is(|v| v == 1.0)(v))),
    ] {
        for found in passing(&dataset, text) {
            assert_eq!(found, wanted, "{text}");
        }
    }
}
