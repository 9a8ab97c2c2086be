//! Groups by many values that are whole numbers, times or floats, of which nothing but the rows is asked, and their
//! distinct values: against naive maps, within the memory budget and beyond it.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, UInt32Array, UInt64Array};
use arrow::datatypes::{Int64Type, UInt64Type};
use outcrop::dataset::Dataset;
use outcrop::expr::Expr;
use outcrop::query::{
    GroupKey, Groups, Having, Listing, Measure, Order, Question, ScanOptions, Workers, scan,
};
use outcrop::select::{Clause, Selection};
use outcrop::task::Task;

use crate::common::{Random, grid_question, table};
use crate::groups::{GIB, columns, groups, key, name, question};

/// Some chunk sizes, budgets and threads; the least budgets have rows wait on disk.
const WAYS: [(usize, u64, usize); 4] =
    [(1, 777, GIB), (2, 1 << 14, 1 << 18), (4, 1 << 12, 4 << 20), (3, 9999, 1 << 20)];

/// Rows of every value, by its name.
fn naive(key: &ArrayRef) -> BTreeMap<String, u64> {
    let mut naive = BTreeMap::new();
    (0..key.len()).for_each(|row| *naive.entry(name(key, row)).or_default() += 1);
    naive
}

fn found(groups: &Groups) -> BTreeMap<String, u64> {
    let GroupKey::Values(keys) = &groups.keys[0] else { panic!("values") };
    let found: BTreeMap<_, _> = (0..groups.len()).map(|g| (name(keys, g), groups.counts[g])).collect();
    assert_eq!(found.len(), groups.len(), "no group twice");
    found
}

/// The question of the table's rows that meet a condition, and these rows of a column.
fn filtered(
    question: &Question,
    condition: &str,
    column: &ArrayRef,
    passes: fn(i64) -> bool,
) -> (Question, ArrayRef) {
    let filter = Clause::filter(Expr::parse(condition, question.dataset.schema()).unwrap());
    let kept = UInt32Array::from_iter_values((0..column.len() as u32).filter(|&row| passes(i64::from(row))));
    let kept = arrow::compute::take(column, &kept, None).unwrap();
    (Question::new(question.dataset.clone(), Selection::of([filter]), question.ask.clone()), kept)
}

const WORDS: [&str; 10] = ["i8", "near", "far", "u64", "f32", "f64", "b", "day", "t", "awkward"];

#[test]
fn words_of_every_type_few_and_many_are_counted_as_a_naive_map_does() {
    let rows = 40_000;
    for distinct in [50, 1 << 40] {
        let mut columns = columns(rows, distinct, 71);
        columns.push(("row", Arc::new(Int64Array::from_iter_values(0..rows as i64)) as ArrayRef));
        let dataset = table(columns.clone());
        for text in WORDS {
            let column = &columns.iter().find(|(name, _)| *name == text).unwrap().1;
            let all = question(&dataset, vec![key(&dataset, text)], &["count"], Listing::default());
            let most = filtered(&all, "row % 10 < 7", column, |row| row % 10 < 7);
            let few = filtered(&all, "row % 100 == 3", column, |row| row % 100 == 3);
            let none = filtered(&all, "row < 0", column, |row| row < 0);
            for (asked, column) in [(all, column.clone()), most, few, none] {
                let expected = naive(&column);
                let missing = ["missing", "NaN"].iter().filter(|name| expected.contains_key(**name)).count();
                for (threads, chunk_rows, _) in WAYS {
                    let answer = groups(&asked, threads, chunk_rows, GIB).unwrap();
                    assert_eq!(found(&answer), expected, "{text} of {distinct}, {threads} threads");
                    assert_eq!(
                        (answer.found, answer.present),
                        (expected.len() as u64, (expected.len() - missing) as u64)
                    );
                }
            }
        }
    }
}

#[test]
fn the_top_of_counted_words_the_rest_and_a_condition_equal_sorting_all_of_them() {
    let rows = 100_000;
    let mut random = Random::new(9);
    // Half of the rows are of a few values, which are met more often than a count of some bits holds.
    let values = (0..rows).map(|_| match random.below(8) {
        0..4 => Some(random.below(5) as i64 * 0x1234_5678_9abc),
        4..7 => Some(random.below(30_000) as i64 - 10_000),
        _ => Some(random.bits().cast_signed()).filter(|value| value % 5 > 0),
    });
    let ids = Int64Array::from_iter(values);
    let mut naive: BTreeMap<(bool, i64), u64> = BTreeMap::new();
    ids.iter().for_each(|id| *naive.entry((id.is_none(), id.unwrap_or(0))).or_default() += 1);
    let dataset = table(vec![("id", Arc::new(ids) as ArrayRef)]);
    let measures = ["count", "1000 - count"];
    let parsed = measures.map(|text| Measure::parse(text, &dataset).unwrap());
    let having = Having::parse("count > 3 and count < 50", &parsed).unwrap();
    for (condition, order, limit) in [
        (None, None, 7),
        (None, Some((0, true)), 100),
        (None, Some((0, true)), 20_000),
        (None, Some((0, false)), 30),
        (None, Some((1, true)), 30),
        (Some(having.clone()), Some((0, true)), 40),
        (Some(having), None, usize::MAX),
        (None, Some((0, true)), 0),
    ] {
        let passes = |count: u64| condition.is_none() || (count > 3 && count < 50);
        let mut right: Vec<(&(bool, i64), u64)> =
            naive.iter().filter(|(_, count)| passes(**count)).map(|(key, count)| (key, *count)).collect();
        let rank = |count: u64| match order {
            None => 0,
            Some((0, true)) | Some((1, false)) => -(count as i64),
            Some(_) => count as i64,
        };
        // Stable: groups of one rank stay in the order of their keys.
        right.sort_by_key(|(_, count)| rank(*count));
        let rest = right.split_off(limit.min(right.len()));
        let listing = Listing {
            having: condition.clone(),
            order: order.map(|(measure, descending)| Order { measure, descending }),
            limit: Some(limit),
            other: true,
        };
        let asked = question(&dataset, vec![key(&dataset, "id")], &measures, listing);
        for (threads, chunk_rows, budget) in WAYS {
            // What is listed has to fit.
            let answer = groups(&asked, threads, chunk_rows, if limit > 100 { GIB } else { budget }).unwrap();
            let GroupKey::Values(keys) = &answer.keys[0] else { panic!("values") };
            let keys = keys.as_primitive::<Int64Type>();
            let listed: Vec<(Option<i64>, u64)> = keys.iter().zip(answer.counts.iter().copied()).collect();
            let expected: Vec<(Option<i64>, u64)> =
                right.iter().map(|((none, id), count)| (Some(*id).filter(|_| !none), *count)).collect();
            assert_eq!(listed, expected, "{order:?} {limit}, {threads} threads, {budget} bytes");
            assert_eq!(answer.found, (right.len() + rest.len()) as u64);
            assert_eq!(answer.other.is_none(), rest.is_empty());
            if let Some(other) = &answer.other {
                let count = rest.iter().map(|(_, count)| count).sum::<u64>();
                assert_eq!((other.groups, other.count), (rest.len() as u64, count));
                assert_eq!(other.measures[0].as_primitive::<UInt64Type>().value(0), count);
            }
        }
    }
}

fn distinct(dataset: &Arc<Dataset>, measure: &str, selection: Selection, way: (usize, u64, usize)) -> u64 {
    let (threads, chunk_rows, group_budget) = way;
    let question = grid_question(dataset, selection, Vec::new(), &[measure]);
    let options = ScanOptions { chunk_rows, group_budget, ..ScanOptions::default() };
    let workers = Workers::new(threads).unwrap();
    let answer = scan(&[question], &workers, options, &Task::detached()).unwrap().remove(0);
    let grid = answer.grid().unwrap();
    assert!(!grid.approximate[0], "{measure} is exact");
    grid.measures[0].as_primitive::<UInt64Type>().value(0)
}

#[test]
fn distinct_words_of_a_large_table_are_all_found_but_for_missing_ones_and_nan() {
    let rows: u64 = (1 << 20) + 77;
    let id = |row: u64| (row * row % 700_001).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let number = |row: u64| match row % 11 {
        0 => None,
        1 => Some(f64::NAN),
        2 => Some(if row.is_multiple_of(2) { 0.0 } else { -0.0 }),
        _ => Some((id(row) >> 20) as f64 / 8.0),
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(UInt64Array::from_iter_values((0..rows).map(id)))),
        ("x", Arc::new(Float64Array::from_iter((0..rows).map(number)))),
        ("row", Arc::new(Int64Array::from_iter_values(0..rows as i64))),
    ];
    let dataset = table(columns);
    let most = Clause::filter(Expr::parse("row % 10 < 7", dataset.schema()).unwrap());
    for (selection, passes) in
        [(Selection::all(), (|_: u64| true) as fn(u64) -> bool), (Selection::of([most]), |row| row % 10 < 7)]
    {
        let ids = (0..rows).filter(|row| passes(*row)).map(id).collect::<HashSet<u64>>().len();
        let numbers =
            (0..rows).filter(|row| passes(*row)).filter_map(number).filter(|number| !number.is_nan());
        let numbers = numbers.map(|number| (number + 0.0).to_bits()).collect::<HashSet<u64>>().len();
        for way in [(2, 1 << 15, GIB), (3, 1 << 16, 4 << 20)] {
            assert_eq!(distinct(&dataset, "nunique(id)", selection.clone(), way), ids as u64);
            assert_eq!(distinct(&dataset, "nunique(x)", selection.clone(), way), numbers as u64);
        }
    }
}
