//! Distinct values, modes, quantiles and mutual information: exact, searched for, or a sketch that says so.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float32Array, Int64Array, StringArray};
use outcrop::aggregate::{Bins, Scale, to_f64};
use outcrop::expr::Expr;
use outcrop::query::{Answer, Ask, Axis, Brush, Key, Listing, Measure, Question};
use outcrop::select::{Clause, Selection};

use crate::common::{Random, ask, awkward_floats, floats, grid_question, table};
use crate::measures::{TYPES, every_type, number, shown, shown_array, small};

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
    let measures = [&texts[..], &["mode(x)"]].concat();
    let measures = measures.iter().map(|text| Measure::parse(text, &dataset).unwrap()).collect();
    let exact = Ask::Groups { keys: keys.clone(), measures, listing: Listing::default() };
    let exact = Question::new(dataset.clone(), Selection::all(), exact);
    let roomy = outcrop::query::ScanOptions { group_budget: 4 << 30, ..Default::default() };
    let workers = outcrop::query::Workers::new(2).unwrap();
    let exact = outcrop::query::scan(&[exact], &workers, roomy, &outcrop::task::Task::detached()).unwrap();
    assert_eq!(exact[0].groups().unwrap().approximate, [false; 5], "a larger budget holds all values");
    let distinct = to_f64(&groups.measures[0])[0];
    assert!((distinct / (rows as f64 / 3.0) - 1.0).abs() < 0.02, "{distinct}");
    let mut sorted: Vec<i64> = (0..rows).step_by(3).map(value).collect();
    sorted.sort_unstable();
    let median = to_f64(&groups.measures[1])[0];
    assert!((median - sorted[sorted.len() / 2] as f64).abs() < 16.0, "{median}");
    assert_eq!(to_f64(&groups.measures[2])[0], *sorted.last().unwrap() as f64, "the greatest is exact");

    let measures = vec![Measure::parse("mode(x)", &dataset).unwrap()];
    let axis = Axis {
        expr: Expr::column("k", dataset.schema()).unwrap(),
        bins: Bins::new(0.0, 3.0, 3, Scale::Linear).unwrap(),
    };
    let brush = Brush::over(&[axis]).unwrap();
    let of = |measure| grid_question(&dataset, Selection::all(), vec![], &[measure]);
    assert!(brush.cube_for(&of("median(x)")).is_none(), "its slices would be sketches where a scan is exact");
    assert!(brush.cube_for(&of("mean(x)")).is_some());
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
        ("w", Arc::new(Int64Array::from_iter_values(whole.iter().map(|w| w << 40)))),
        ("t", Arc::new(StringArray::from_iter_values(whole.iter().map(|w| format!("the text of {w}"))))),
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
        "nunique(w) where k = 1",
        "nunique(t)",
        "nunique(f)",
        "nunique(x)",
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
            let distinct_floats = |values: &mut dyn Iterator<Item = f64>| {
                let bits = values.filter(|v| !v.is_nan()).map(|v| (v + 0.0).to_bits());
                bits.collect::<std::collections::HashSet<_>>().len() as f64
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
                distinct(&mut here.iter().filter(|row| k[**row] == 1)),
                distinct(&mut here.iter()),
                distinct_floats(&mut here.iter().map(|&row| f64::from(single[row]))),
                distinct_floats(&mut here.iter().map(of_x)),
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
fn distinct_values_of_a_plane_of_very_many_cells_are_exact() {
    let rows = 1_100_000usize;
    let mut random = Random::new(8);
    let places: Vec<[i64; 2]> =
        (0..rows).map(|_| [0; 2].map(|_| (random.unit() * random.unit() * 320.0) as i64)).collect();
    let values: Vec<f64> = (0..rows).map(|_| (random.unit() * 9.0).floor() / 7.0).collect();
    let of = |axis: usize| Arc::new(Int64Array::from_iter_values(places.iter().map(|p| p[axis]))) as ArrayRef;
    let dataset = table(vec![
        ("x", of(0)),
        ("y", of(1)),
        ("v", floats(&values.iter().copied().map(Some).collect::<Vec<_>>())),
        ("n", Arc::new(Int64Array::from_iter_values(values.iter().map(|v| (v * 7.0).round() as i64)))),
    ]);
    let bins = Bins::new(0.0, 300.0, 300, Scale::Linear).unwrap();
    let axis = |name| Axis { expr: Expr::column(name, dataset.schema()).unwrap(), bins: bins.clone() };
    let axes = vec![axis("x"), axis("y")];
    let question = grid_question(&dataset, Selection::all(), axes, &["nunique(v)", "nunique(n)"]);
    // A sixteenth of it does not hold what the cells hold.
    let little = outcrop::query::ScanOptions { group_budget: 64 << 20, ..Default::default() };
    let workers = outcrop::query::Workers::new(2).unwrap();
    let answers =
        outcrop::query::scan(&[question], &workers, little, &outcrop::task::Task::detached()).unwrap();
    let grid = answers[0].grid().unwrap();
    assert_eq!(grid.approximate, [false; 2]);
    let mut seen = vec![std::collections::HashSet::new(); 303 * 303];
    for ([x, y], v) in places.iter().zip(&values) {
        let slot = |place: i64| if place < 300 { place as usize } else { bins.over() };
        seen[slot(*x) * 303 + slot(*y)].insert(v.to_bits());
    }
    let right: Vec<f64> = seen.iter().map(|values| values.len() as f64).collect();
    assert_eq!(grid.measure(0), right);
    assert_eq!(grid.measure(1), right);
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
