//! Groups against naive maps: keys of every type, few and many, within the memory budget and beyond it.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray,
    Float32Array, Float64Array, Int8Array, Int32Array, Int64Array, LargeStringArray, StringArray,
    TimestampNanosecondArray, UInt64Array,
};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type, UInt64Type};
use outcrop::aggregate::{Bins, Scale};
use outcrop::data::format_value;
use outcrop::dataset::Dataset;
use outcrop::expr::Expr;
use outcrop::query::{
    Ask, Axis, GroupKey, Groups, Having, Key, Listing, Measure, Order, QueryError, Question, ScanOptions,
    Workers, scan,
};
use outcrop::select::{Clause, Selection};
use outcrop::task::{Task, TaskController};

use crate::common::{Random, awkward_floats, floats, table};

pub(crate) const GIB: usize = 1 << 30;

pub(crate) fn key(dataset: &Dataset, text: &str) -> Key {
    Key::Value(Expr::parse(text, dataset.schema()).unwrap())
}

pub(crate) fn question(
    dataset: &Arc<Dataset>,
    keys: Vec<Key>,
    measures: &[&str],
    listing: Listing,
) -> Question {
    let measures = measures.iter().map(|text| Measure::parse(text, dataset).unwrap()).collect();
    Question::new(dataset.clone(), Selection::all(), Ask::Groups { keys, measures, listing })
}

pub(crate) fn groups(
    question: &Question,
    threads: usize,
    chunk_rows: u64,
    group_budget: usize,
) -> Result<Groups, QueryError> {
    let options = ScanOptions { chunk_rows, group_budget, ..ScanOptions::default() };
    let workers = Workers::new(threads).unwrap();
    let answer = scan(std::slice::from_ref(question), &workers, options, &Task::detached())?.remove(0);
    Ok(answer.groups().unwrap().clone())
}

/// The value as text; missing, NaN and both zeros as one each.
pub(crate) fn name(array: &ArrayRef, row: usize) -> String {
    if let Some(bytes) = array.as_binary_opt::<i32>().filter(|bytes| bytes.is_valid(row)) {
        return String::from_utf8_lossy(bytes.value(row)).into_owned();
    }
    let text = format_value(array, row).unwrap_or_else(|| "missing".to_owned());
    if text == "-0" || text == "-0.0" { text[1..].to_owned() } else { text }
}

/// Rows and sum of `w` by names of the keys.
fn naive(keys: &[ArrayRef], weights: &[i64]) -> BTreeMap<Vec<String>, (u64, i64)> {
    let mut naive: BTreeMap<Vec<String>, (u64, i64)> = BTreeMap::new();
    for (row, weight) in weights.iter().enumerate() {
        let names = keys.iter().map(|key| name(key, row)).collect();
        let entry = naive.entry(names).or_default();
        *entry = (entry.0 + 1, entry.1 + weight);
    }
    naive
}

fn found(groups: &Groups) -> BTreeMap<Vec<String>, (u64, i64)> {
    let sums = groups.measures[1].as_primitive::<Int64Type>();
    let entry = |group: usize| {
        let names = groups.keys.iter().map(|key| match key {
            GroupKey::Values(values) => name(values, group),
            GroupKey::Slots { slots, .. } => format!("{}", slots[group]),
        });
        (names.collect(), (groups.counts[group], sums.value(group)))
    };
    let found: BTreeMap<_, _> = (0..groups.len()).map(entry).collect();
    assert_eq!(found.len(), groups.len(), "no group twice");
    found
}

/// Fails at the first group that differs.
fn same(answer: &Groups, naive: &BTreeMap<Vec<String>, (u64, i64)>, what: &str) {
    let found = found(answer);
    for (key, expected) in naive {
        assert_eq!(found.get(key), Some(expected), "{key:?}, {what}");
    }
    assert_eq!(found.len(), naive.len(), "{what}");
}

/// Columns of every kind of key. With `distinct` small the groups are few, else most rows are alone.
pub(crate) fn columns(rows: usize, distinct: u64, seed: u64) -> Vec<(&'static str, ArrayRef)> {
    let mut random = Random::new(seed);
    let drawn: Vec<Option<u64>> =
        (0..rows).map(|_| Some(random.below(distinct)).filter(|_| random.below(13) > 0)).collect();
    let of = |f: fn(u64) -> i64| drawn.iter().map(move |v| v.map(f));
    let texts: Vec<Option<String>> = drawn
        .iter()
        .map(|v| v.map(|v| if v % 3 == 0 { format!("a rather long text {v}") } else { format!("{v}") }))
        .collect();
    let codes = Int32Array::from_iter(drawn.iter().map(|v| v.map(|v| (v % 300) as i32)));
    let values = StringArray::from_iter((0..300).map(|i| (i % 97 != 5).then(|| format!("text {}", i % 200))));
    let narrow = |v: Option<u64>| v.map(|v| v as f32 * 0.5 - 3.0);
    vec![
        ("i8", Arc::new(Int8Array::from_iter(drawn.iter().map(|v| v.map(|v| v as i8)))) as ArrayRef),
        ("near", Arc::new(Int32Array::from_iter(of(|v| v as i64 - 40).map(|v| v.map(|v| v as i32))))),
        ("far", Arc::new(Int64Array::from_iter(of(|v| (v as i64).wrapping_mul(0x1234_5678_9abc_def1))))),
        ("u64", Arc::new(UInt64Array::from_iter(drawn.iter().map(|v| v.map(|v| u64::MAX - v * 3))))),
        ("f32", Arc::new(Float32Array::from_iter(drawn.iter().map(|&v| narrow(v))))),
        ("f64", Arc::new(Float64Array::from_iter(of(|v| v as i64).map(|v| v.map(|v| v as f64 / 7.0 - 2.0))))),
        ("b", Arc::new(BooleanArray::from_iter(drawn.iter().map(|v| v.map(|v| v % 2 == 0))))),
        ("s", Arc::new(StringArray::from(texts.clone()))),
        ("l", Arc::new(LargeStringArray::from(texts.clone()))),
        ("bytes", Arc::new(BinaryArray::from_iter(texts.iter().map(|t| t.as_ref().map(|t| t.as_bytes()))))),
        ("coded", Arc::new(DictionaryArray::new(codes, Arc::new(values)))),
        (
            "day",
            Arc::new(Date32Array::from_iter(of(|v| (v % 60_000) as i64 - 9000).map(|v| v.map(|v| v as i32)))),
        ),
        ("t", Arc::new(TimestampNanosecondArray::from_iter(of(|v| v as i64 * 1_000_003)))),
        ("d", Arc::new(Decimal128Array::from_iter(of(|v| v as i64).map(|v| v.map(i128::from))))),
        ("awkward", floats(&awkward_floats(rows, seed + 1))),
    ]
}

#[test]
fn keys_of_every_type_few_and_many_equal_a_naive_map() {
    let tuples: [&[&str]; 9] = [
        &["near", "b"],
        &["coded", "near"],
        &["s", "coded", "i8"],
        &["far", "far"],
        &["awkward", "day"],
        &["t", "f32", "b", "u64"],
        &["bytes", "d"],
        &["d", "l"],
        &["i8", "i8", "b"],
    ];
    // Some few, some that fit one table, and so many that the units sort their rows.
    for (rows, distinct) in [(0, 5), (1, 5), (3000, 40), (40_000, 700), (70_000, 1 << 40)] {
        let mut columns = columns(rows, distinct, 11 + rows as u64);
        let mut random = Random::new(5);
        let weights: Vec<i64> = (0..rows).map(|_| random.below(100) as i64 - 50).collect();
        columns.push(("w", Arc::new(Int64Array::from(weights.clone()))));
        let dataset = table(columns.clone());
        let singles = columns.iter().map(|(name, _)| vec![*name]);
        for names in singles.chain(tuples.iter().map(|names| names.to_vec())).filter(|names| names != &["w"])
        {
            let keys = names.iter().map(|text| key(&dataset, text)).collect();
            let question = question(&dataset, keys, &["count", "sum(w)"], Listing::default());
            let arrays: Vec<ArrayRef> = names
                .iter()
                .map(|name| &columns.iter().find(|(other, _)| other == name).unwrap().1)
                .map(|array| match array.data_type() {
                    DataType::Dictionary(_, values) => arrow::compute::cast(array, values).unwrap(),
                    _ => array.clone(),
                })
                .collect();
            let answer = groups(&question, 2, 1 << 12, GIB).unwrap();
            same(&answer, &naive(&arrays, &weights), &format!("{names:?} of {rows}"));
            assert_eq!(answer.found, answer.len() as u64);
        }
    }
}

#[test]
fn groups_come_in_the_order_of_their_keys_with_missing_ones_last() {
    let dataset = table(columns(70_000, 1 << 40, 3));
    for text in ["near", "u64", "f64", "s", "awkward", "t"] {
        let question = question(&dataset, vec![key(&dataset, text)], &[], Listing::default());
        let answer = groups(&question, 2, 1 << 15, GIB).unwrap();
        let GroupKey::Values(keys) = &answer.keys[0] else { panic!("values") };
        let sorted = arrow::compute::sort(
            keys,
            Some(arrow::compute::SortOptions { descending: false, nulls_first: false }),
        );
        assert_eq!(format!("{:?}", sorted.unwrap()), format!("{keys:?}"), "{text}");
        let missing = keys.null_count() as u64 + u64::from(text == "awkward");
        assert_eq!(answer.present, answer.found - missing, "{text}");
    }
}

#[test]
fn the_same_bits_on_any_number_of_threads_within_and_beyond_the_budget() {
    let rows = 90_000;
    let mut random = Random::new(8);
    let mut columns = columns(rows, 30_000, 21);
    columns.push(("x", Arc::new(Float64Array::from_iter_values((0..rows).map(|_| random.unit() * 1e6)))));
    let dataset = table(columns);
    let keys = || vec![key(&dataset, "far"), key(&dataset, "s")];
    let measures = ["sum(x)", "sd(x)", "first(x)", "last(x)", "max(x) where b"];
    let listing = Listing {
        order: Some(Order { measure: 0, descending: true }),
        limit: Some(500),
        other: true,
        having: None,
    };
    for chunk_rows in [777, 1 << 13] {
        let question = question(&dataset, keys(), &measures, listing.clone());
        let expected = groups(&question, 1, chunk_rows, GIB).unwrap();
        assert_eq!(expected.len(), 500);
        for (threads, budget) in [(2, GIB), (3, GIB), (4, GIB), (2, 8 << 20), (1, 4 << 20), (4, 2 << 20)] {
            let again = groups(&question, threads, chunk_rows, budget).unwrap();
            assert_eq!(format!("{again:?}"), format!("{expected:?}"), "{threads} threads, {budget} bytes");
        }
    }
}

#[test]
fn only_rows_that_pass_are_grouped_whether_few_or_many() {
    let rows = 70_000;
    for distinct in [50, 1 << 40] {
        let mut columns = columns(rows, distinct, 33);
        let weights: Vec<i64> = (0..rows as i64).collect();
        columns.push(("w", Arc::new(Int64Array::from(weights.clone()))));
        let dataset = table(columns.clone());
        for (condition, passes) in [
            ("w % 10 < 7", (|w: i64| w % 10 < 7) as fn(i64) -> bool),
            ("w % 1000 == 3", |w| w % 1000 == 3),
            ("w < 20000", |w| w < 20_000),
            ("w < 0", |w| w < 0),
        ] {
            let filter = Clause::filter(Expr::parse(condition, dataset.schema()).unwrap());
            let measures = ["count", "sum(w)"].map(|text| Measure::parse(text, &dataset).unwrap()).to_vec();
            let ask = Ask::Groups { keys: vec![key(&dataset, "far")], measures, listing: Listing::default() };
            let question = Question::new(dataset.clone(), Selection::of([filter]), ask);
            let kept: Vec<u32> = (0..rows as u32).filter(|&w| passes(i64::from(w))).collect();
            let chosen = arrow::array::UInt32Array::from(kept.clone());
            let keys = [arrow::compute::take(&columns[2].1, &chosen, None).unwrap()];
            let weights: Vec<i64> = kept.into_iter().map(i64::from).collect();
            let answer = groups(&question, 2, 5000, GIB).unwrap();
            same(&answer, &naive(&keys, &weights), &format!("{condition} of {distinct}"));
        }
    }
}

#[test]
fn slots_of_an_axis_are_keys_beside_others_however_many() {
    let rows = 80_000;
    let mut columns = columns(rows, 1 << 40, 44);
    columns.push(("w", Arc::new(Int64Array::from(vec![1; rows]))));
    let dataset = table(columns.clone());
    let bins = Bins::new(-1.0, 9.0, 10, Scale::Linear).unwrap();
    let axis = Axis { expr: Expr::parse("awkward", dataset.schema()).unwrap(), bins: bins.clone() };
    let keys = vec![Key::Binned(axis), key(&dataset, "far")];
    let answer =
        groups(&question(&dataset, keys, &["count", "sum(w)"], Listing::default()), 2, 9999, GIB).unwrap();
    let slot = |v: Option<f64>| match v {
        Some(v) if v < -1.0 => bins.under(),
        Some(v) if v >= 9.0 => bins.over(),
        Some(v) if !v.is_nan() => bins.edges().partition_point(|&edge| edge <= v) - 1,
        _ => bins.missing(),
    };
    let slots = awkward_floats(rows, 45).into_iter().map(|v| slot(v) as u64);
    let slots = Arc::new(UInt64Array::from_iter_values(slots)) as ArrayRef;
    same(&answer, &naive(&[slots, columns[2].1.clone()], &vec![1; rows]), "slots");
}

#[test]
fn the_top_groups_the_rest_and_a_condition_equal_sorting_all_groups() {
    let rows = 60_000;
    for distinct in [100, 9000, 1 << 40] {
        let mut random = Random::new(6);
        let mut columns = columns(rows, distinct, 55);
        columns
            .push(("w", Arc::new(Int64Array::from_iter_values((0..rows).map(|_| random.below(9) as i64)))));
        let dataset = table(columns);
        let measures = ["count", "sum(w)", "mean(w)"];
        let all = question(&dataset, vec![key(&dataset, "far")], &measures, Listing::default());
        let all = groups(&all, 1, 1 << 14, GIB).unwrap();
        let (sums, means) = (&all.measures[1], &all.measures[2]);
        let (sums, means) = (sums.as_primitive::<Int64Type>(), means.as_primitive::<Float64Type>());
        let parsed: Vec<Measure> =
            measures.iter().map(|text| Measure::parse(text, &dataset).unwrap()).collect();
        let having = Having::parse("sum(w) > 3 and count >= 1", &parsed).unwrap();
        for (condition, measure, descending, limit) in [
            (None, None, false, 7),
            (None, Some(0), true, 10),
            (Some(having.clone()), Some(1), true, 25),
            (Some(having), Some(2), false, 1000),
            (None, Some(1), true, usize::MAX),
            (None, Some(1), true, 0),
        ] {
            let mut order: Vec<usize> =
                (0..all.len()).filter(|&g| condition.is_none() || sums.value(g) > 3).collect();
            let found = order.len();
            let rank = |g: usize| match measure {
                Some(0) => all.counts[g] as f64,
                Some(1) => sums.value(g) as f64,
                Some(_) => means.value(g),
                None => 0.0,
            };
            // Stable: groups of one rank stay in the order of their keys.
            order.sort_by(
                |&a, &b| if descending { rank(b).total_cmp(&rank(a)) } else { rank(a).total_cmp(&rank(b)) },
            );
            let rest = order.split_off(limit.min(order.len()));
            let listing = Listing {
                having: condition,
                order: measure.map(|measure| Order { measure, descending }),
                limit: Some(limit),
                other: true,
            };
            let asked = question(&dataset, vec![key(&dataset, "far")], &measures, listing);
            let answer = groups(&asked, 3, 1 << 14, GIB).unwrap();
            let GroupKey::Values(keys) = &answer.keys[0] else { panic!("values") };
            let GroupKey::Values(all_keys) = &all.keys[0] else { panic!("values") };
            let names: Vec<String> = (0..answer.len()).map(|g| name(keys, g)).collect();
            assert_eq!(names, order.iter().map(|&g| name(all_keys, g)).collect::<Vec<_>>());
            assert_eq!(answer.counts, order.iter().map(|&g| all.counts[g]).collect::<Vec<_>>());
            assert_eq!(answer.found, found as u64);
            assert_eq!(answer.other.is_none(), rest.is_empty());
            if let Some(other) = &answer.other {
                assert_eq!(other.groups, rest.len() as u64);
                assert_eq!(other.count, rest.iter().map(|&g| all.counts[g]).sum::<u64>());
                let count = other.measures[0].as_primitive::<UInt64Type>().value(0);
                assert_eq!(count, other.count);
                let sum = other.measures[1].as_primitive::<Int64Type>().value(0);
                assert_eq!(sum, rest.iter().map(|&g| sums.value(g)).sum::<i64>());
            }
        }
    }
}

#[test]
fn a_condition_on_groups_names_what_is_wrong_with_it() {
    let dataset = table(vec![("x", Arc::new(Float64Array::from(vec![1.0])) as ArrayRef)]);
    let measures = ["count", "mean(x)"].map(|text| Measure::parse(text, &dataset).unwrap());
    for text in ["count > 10", "mean(x) < 3 or count == 1", "`mean(x)` >= 0.5", "not (count > 1)"] {
        assert!(Having::parse(text, &measures).is_ok(), "{text}");
    }
    for (text, message) in [("count", "true or false"), ("mean(y) > 1", "mean"), ("counts > 1", "counts")] {
        let error = Having::parse(text, &measures).unwrap_err();
        assert!(error.message.contains(message), "{text}: {}", error.message);
    }
}

#[test]
fn more_groups_than_fit_are_refused_with_their_number_and_the_top_of_them_is_found() {
    let rows = 600_000;
    let mut ids: Vec<i64> = (0..rows).map(|i| i * 7_919 % 1_000_003).collect();
    let dataset = table(vec![("id", Arc::new(Int64Array::from(ids.clone())) as ArrayRef)]);
    ids.sort_unstable();
    let all = question(&dataset, vec![key(&dataset, "id")], &["count"], Listing::default());
    match groups(&all, 2, 1 << 15, 4 << 20) {
        Err(QueryError::TooManyGroups { groups, needed_mib, budget_mib }) => {
            assert!((500_000..700_000).contains(&groups), "{groups} groups");
            assert!(needed_mib > budget_mib && budget_mib == 4, "{needed_mib} of {budget_mib} MiB");
        }
        other => panic!("{other:?}"),
    }
    let top = question(&dataset, vec![key(&dataset, "id")], &["count"], Listing::top(0, 3));
    let answer = groups(&top, 2, 1 << 15, 4 << 20).unwrap();
    assert_eq!((answer.found, answer.counts), (rows as u64, vec![1, 1, 1]));
    let GroupKey::Values(keys) = &answer.keys[0] else { panic!("values") };
    assert_eq!(keys.as_primitive::<Int64Type>().values(), &ids[..3]);
}

#[test]
fn a_cancelled_grouping_stops() {
    let dataset = table(vec![("id", Arc::new(Int64Array::from_iter_values(0..300_000)) as ArrayRef)]);
    let question = question(&dataset, vec![key(&dataset, "id")], &["count"], Listing::top(0, 3));
    let mut controller = TaskController::default();
    let task = controller.restart(0);
    controller.cancel();
    let result = scan(&[question], &Workers::new(2).unwrap(), ScanOptions::default(), &task);
    assert!(matches!(result, Err(QueryError::Cancelled(_))), "{result:?}");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]
    #[test]
    fn groups_of_any_size_equal_a_naive_map(
        rows in 0usize..30_000,
        bits in 0u32..40,
        seed in 0u64..1000,
        threads in 1usize..5,
        chunk_rows in 1u64..9000,
        budget in 20u32..31,
    ) {
        let mut random = Random::new(seed);
        let ids: Vec<i64> = (0..rows).map(|_| random.below(1 << bits) as i64).collect();
        let codes: Vec<i32> = (0..rows).map(|_| random.below(3) as i32).collect();
        let weights: Vec<i64> = (0..rows as i64).collect();
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("id", Arc::new(Int64Array::from(ids))),
            ("code", Arc::new(Int32Array::from(codes))),
            ("w", Arc::new(Int64Array::from(weights.clone()))),
        ];
        let dataset = table(columns.clone());
        let keys = vec![key(&dataset, "id"), key(&dataset, "code")];
        let question = question(&dataset, keys, &["count", "sum(w)"], Listing::default());
        let expected = naive(&[columns[0].1.clone(), columns[1].1.clone()], &weights);
        // What is listed has to fit, what waits need not.
        match groups(&question, threads, chunk_rows.max(rows as u64 / 200), 1 << budget) {
            Err(QueryError::TooManyGroups { .. }) => proptest::prop_assert!(expected.len() > 10_000),
            answer => same(&answer.unwrap(), &expected, "any"),
        }
    }
}

#[test]
fn a_dictionary_that_changes_from_chunk_to_chunk_keeps_its_groups() {
    let part = |codes: Vec<Option<i32>>, values: Vec<&str>| {
        DictionaryArray::<Int32Type>::new(Int32Array::from(codes), Arc::new(StringArray::from(values)))
    };
    let first = part(vec![Some(0), Some(1), None, Some(0)], vec!["a", "b"]);
    let second = part(vec![Some(1), Some(0), Some(2), Some(2)], vec!["a", "c", "b"]);
    let joined = arrow::compute::concat(&[&first, &second]).unwrap();
    let dataset = table(vec![("s", joined)]);
    let answer =
        groups(&question(&dataset, vec![key(&dataset, "s")], &[], Listing::default()), 2, 3, GIB).unwrap();
    assert_eq!(answer.counts, [3, 3, 1, 1], "a, b, c, missing");
}
