//! A brush answered from its cube equals the scan of its clause, at every edge.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, Int64Array, StringArray};
use outcrop::aggregate::{Bins, Scale};
use outcrop::dataset::Dataset;
use outcrop::expr::Expr;
use outcrop::query::{Answer, Ask, Axis, Brush, Having, Key, Listing, Measure, Order, Question};
use outcrop::select::{Clause, Selection};

use crate::common::{Random, ask, awkward_floats, floats, table};

fn demo(rows: usize) -> Arc<Dataset> {
    let mut random = Random::new(77);
    let texts: Vec<Option<&str>> =
        (0..rows).map(|_| [None, Some("a"), Some("b"), Some("")][random.below(4) as usize]).collect();
    let wholes: Vec<Option<i64>> =
        (0..rows).map(|_| Some(random.below(9) as i64 - 4).filter(|&n| n != 3)).collect();
    let singles: Vec<f32> = (0..rows).map(|_| (random.below(100) as f32) / 10.0).collect();
    table(vec![
        ("a", floats(&awkward_floats(rows, 31))),
        ("p", floats(&awkward_floats(rows, 32))),
        ("q", Arc::new(Float32Array::from(singles)) as ArrayRef),
        ("n", Arc::new(Int64Array::from(wholes))),
        ("s", Arc::new(StringArray::from(texts))),
    ])
}

fn axis(dataset: &Dataset, name: &str, bins: Bins) -> Axis {
    Axis { expr: Expr::column(name, dataset.schema()).unwrap(), bins }
}

fn linear(lo: f64, hi: f64, count: usize) -> Bins {
    Bins::new(lo, hi, count, Scale::Linear).unwrap()
}

/// A number, a histogram, a plane and groups, with every kind of aggregate.
fn passive_views(dataset: &Dataset) -> Vec<Ask> {
    let measures = |texts: &[&str]| texts.iter().map(|text| Measure::parse(text, dataset).unwrap()).collect();
    let p = || axis(dataset, "p", linear(0.0, 10.0, 7));
    let keys = || {
        let key = |name: &str| Key::Value(Expr::column(name, dataset.schema()).unwrap());
        vec![key("s"), key("n")]
    };
    let ranked = ["count", "min(q)", "max(n)"];
    let all = ["count", "count(p)", "sum(n)", "mean(q)", "min(n)", "max(p)", "finite_min(p)", "sd(q)"];
    vec![
        Ask::Grid { axes: vec![], measures: measures(&all) },
        Ask::Grid { axes: vec![p()], measures: measures(&all) },
        Ask::Grid {
            axes: vec![p(), axis(dataset, "q", linear(0.0, 10.0, 5))],
            measures: measures(&["count", "sum(n)"]),
        },
        Ask::Groups {
            keys: vec![Key::Value(Expr::column("s", dataset.schema()).unwrap())],
            measures: measures(&["count", "mean(q)", "max(n)"]),
            listing: Listing::default(),
        },
        Ask::Groups {
            keys: vec![Key::Value(Expr::column("n", dataset.schema()).unwrap()), Key::Binned(p())],
            measures: measures(&["count"]),
            listing: Listing::default(),
        },
        Ask::Groups { keys: keys(), measures: measures(&ranked), listing: Listing::top(0, 3) },
        Ask::Groups {
            keys: keys(),
            measures: measures(&ranked),
            listing: Listing {
                having: Some(Having::parse("count > 4 and min(q) < 5", &measures(&ranked)).unwrap()),
                order: Some(Order { measure: 2, descending: false }),
                limit: Some(5),
                other: true,
            },
        },
    ]
}

/// Counts and exact measures as text; floats rounded to twelve digits, since they are summed up in
/// another order.
fn digest(answer: &Answer) -> String {
    let rounded = |arrays: &[ArrayRef]| {
        let values = arrays.iter().map(|array| {
            (0..array.len())
                .map(|i| match outcrop::data::format_value(array, i) {
                    Some(text) => text.parse::<f64>().map_or(text, |v| format!("{v:.11e}")),
                    None => "missing".to_owned(),
                })
                .collect::<Vec<_>>()
        });
        values.collect::<Vec<_>>()
    };
    match answer {
        Answer::Grid(grid) => format!("{:?} {:?} {:?}", grid.axes, grid.counts, rounded(&grid.measures)),
        Answer::Groups(groups) => {
            let other = groups.other.as_ref().map(|o| (o.groups, o.count, rounded(&o.measures)));
            let measures = rounded(&groups.measures);
            format!(
                "{:?} {:?} {measures:?} {} {} {other:?}",
                groups.keys, groups.counts, groups.found, groups.present
            )
        }
        other => panic!("{other:?}"),
    }
}

/// Once with nothing known of the columns, once with the bounds of all.
fn check(dataset: &Arc<Dataset>, brush: &Brush, clause: Clause, others: &Selection) {
    for passive in passive_views(dataset) {
        let question = Question::new(dataset.clone(), others.clone().with(clause.clone()), passive);
        let wanted = brush.wanted(&question).expect("the brush ends on edges");
        let scanned = digest(&ask(&question, 3, 100));
        let cube = brush.cube_for(&question).unwrap();
        let dataset = Arc::new(dataset.with_zones_of(64));
        for times in 0..2 {
            let cube = Question::new(dataset.clone(), cube.selection.clone(), cube.ask.clone());
            let cube = ask(&cube, 2, 64);
            let sliced = cube.cube().unwrap().slice(&wanted).unwrap();
            assert_eq!(digest(&sliced), scanned, "{} {times}", question.key());
            let everything = Ask::Groups {
                keys: vec![Key::Value(Expr::column("n", dataset.schema()).unwrap())],
                measures: Vec::new(),
                listing: Listing::default(),
            };
            ask(&Question::new(dataset.clone(), Selection::all(), everything), 1, 64);
        }
    }
}

#[test]
fn a_slice_of_the_cube_equals_a_scan_at_every_edge() {
    let dataset = demo(1500);
    let others = Selection::of([Clause::filter(Expr::parse("q > 2", dataset.schema()).unwrap())]);
    for bins in
        [linear(0.0, 10.0, 5), Bins::from_edges(vec![-1.0, 0.0, 0.5, 4.0, 11.0], Scale::Linear).unwrap()]
    {
        let active = axis(&dataset, "a", bins.clone());
        let brush = Brush::over(std::slice::from_ref(&active)).unwrap();
        for (i, &lo) in bins.edges().iter().enumerate() {
            for &hi in &bins.edges()[i..] {
                let clause = Clause::interval(active.expr.clone(), lo, hi);
                check(&dataset, &brush, Clause { inverted: true, ..clause.clone() }, &others);
                check(&dataset, &brush, clause, &others);
            }
        }
    }
}

#[test]
fn a_rectangle_of_the_cube_equals_a_scan() {
    let dataset = demo(800);
    let (x, y) = (axis(&dataset, "a", linear(0.0, 10.0, 4)), axis(&dataset, "q", linear(0.0, 10.0, 4)));
    let brush = Brush::over(&[x.clone(), y.clone()]).unwrap();
    for (x_range, y_range) in
        [((0.0, 5.0), (2.5, 10.0)), ((2.5, 2.5), (0.0, 10.0)), ((0.0, 10.0), (0.0, 10.0))]
    {
        let clause = Clause::rect(x.expr.clone(), x_range, y.expr.clone(), y_range);
        check(&dataset, &brush, Clause { inverted: true, ..clause.clone() }, &Selection::all());
        check(&dataset, &brush, clause, &Selection::all());
    }
}

#[test]
fn several_intervals_and_the_ends_of_an_axis_are_slots_of_the_cube() {
    let dataset = demo(900);
    let infinity = f64::INFINITY;
    for bins in [linear(0.0, 10.0, 5), linear(2.0, 4.0, 2)] {
        let active = axis(&dataset, "a", bins.clone());
        let brush = Brush::over(std::slice::from_ref(&active)).unwrap();
        let (lo, hi, first, last) = (bins.lo(), bins.hi(), bins.edges()[1], bins.edges()[bins.count() - 1]);
        for (intervals, missing) in [
            (vec![(lo, first), (last, hi)], false),
            (vec![(-infinity, lo)], false),
            (vec![(hi, infinity)], true),
            (vec![(-infinity, first), (last, infinity)], false),
            (vec![(-infinity, infinity)], false),
            (vec![], true),
            (vec![], false),
        ] {
            let clause = Clause::intervals(active.expr.clone(), intervals, missing);
            check(&dataset, &brush, Clause { inverted: true, ..clause.clone() }, &Selection::all());
            check(&dataset, &brush, clause, &Selection::all());
        }
    }
}

#[test]
fn a_lasso_of_the_cube_equals_a_scan() {
    let dataset = demo(800);
    let (x, y) = (axis(&dataset, "a", linear(0.0, 10.0, 5)), axis(&dataset, "q", linear(0.0, 8.0, 4)));
    let brush = Brush::over(&[x.clone(), y.clone()]).unwrap();
    let corners = [(0.0, 0.0), (9.0, 1.0), (5.0, 3.0), (6.0, 8.0)];
    let lasso = Clause::lasso(x.expr.clone(), x.bins.clone(), y.expr.clone(), y.bins.clone(), &corners);
    check(&dataset, &brush, Clause { inverted: true, ..lasso.clone() }, &Selection::all());
    check(&dataset, &brush, lasso, &Selection::all());
}

#[test]
fn brushed_bars_of_the_cube_equal_a_scan() {
    let dataset = demo(900);
    let others = Selection::of([Clause::filter(Expr::parse("q > 2", dataset.schema()).unwrap())]);
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    for (name, listed) in [
        ("s", texts(&["\"a\"", "\"\""])),
        ("s", texts(&["\"nowhere\""])),
        ("n", texts(&["-4", "0", "1"])),
        ("s", texts(&[])),
    ] {
        let expr = Expr::column(name, dataset.schema()).unwrap();
        let brush = Brush::over_values(&expr);
        for missing in [false, true] {
            let clause = Clause::categories(expr.clone(), &listed, missing, dataset.schema()).unwrap();
            check(&dataset, &brush, Clause { inverted: true, ..clause.clone() }, &others);
            check(&dataset, &brush, clause, &others);
        }
    }
    let n = Expr::column("n", dataset.schema()).unwrap();
    for clause in [
        Clause::interval(n.clone(), -1.0, 2.0),
        Clause::intervals(n.clone(), [(f64::NEG_INFINITY, -2.0), (3.0, f64::INFINITY)], true),
    ] {
        check(&dataset, &Brush::over_values(&n), clause, &others);
    }
}

#[test]
fn two_disjoint_brushes_add_up_to_the_brush_of_both_and_coarse_bins_to_fine_ones() {
    let dataset = demo(1200);
    let fine = axis(&dataset, "a", linear(0.0, 10.0, 20));
    let coarse = axis(&dataset, "a", linear(0.0, 10.0, 5));
    let passive = Ask::Grid { axes: vec![axis(&dataset, "p", linear(0.0, 10.0, 7))], measures: vec![] };
    let counts = |active: &Axis, intervals: &[(f64, f64)]| {
        let brush = Brush::over(std::slice::from_ref(active)).unwrap();
        let clause = Clause::intervals(active.expr.clone(), intervals.iter().copied(), false);
        let question = Question::new(dataset.clone(), Selection::of([clause]), passive.clone());
        let cube = ask(&brush.cube_for(&question).unwrap(), 2, 64);
        let sliced = cube.cube().unwrap().slice(&brush.wanted(&question).unwrap()).unwrap();
        sliced.grid().unwrap().counts.clone()
    };
    let (low, high) = ((0.0, 2.0), (4.0, 10.0));
    let both = counts(&coarse, &[low, high]);
    let sum: Vec<u64> =
        counts(&coarse, &[low]).iter().zip(counts(&coarse, &[high])).map(|(a, b)| a + b).collect();
    assert_eq!(sum, both);
    assert_eq!(counts(&fine, &[low, high]), both);
    assert_eq!(counts(&fine, &[(2.0, 4.0)]), counts(&coarse, &[(2.0, 4.0)]));
}

#[test]
fn brushes_on_different_axes_do_not_share_a_cube() {
    let dataset = demo(100);
    let brush = |name: &str| Brush::over(&[axis(&dataset, name, linear(0.0, 10.0, 5))]).unwrap();
    let question = Question::new(
        dataset.clone(),
        Selection::all(),
        Ask::Grid { axes: vec![axis(&dataset, "p", linear(0.0, 10.0, 5))], measures: vec![] },
    );
    let (a, q) = (brush("a").cube_for(&question).unwrap(), brush("q").cube_for(&question).unwrap());
    assert_ne!(a.key(), q.key());
}

#[test]
fn a_brush_between_edges_or_on_another_axis_is_left_to_a_scan() {
    let dataset = demo(100);
    let active = axis(&dataset, "a", linear(0.0, 10.0, 5));
    let brush = Brush::over(std::slice::from_ref(&active)).unwrap();
    let question = |clause: Clause| {
        let selection = Selection::of([clause]);
        Question::new(dataset.clone(), selection, Ask::Grid { axes: vec![], measures: vec![] })
    };
    assert!(brush.wanted(&question(Clause::interval(active.expr.clone(), 0.0, 3.0))).is_none());
    let other = Expr::column("p", dataset.schema()).unwrap();
    assert!(brush.wanted(&question(Clause::interval(other, 0.0, 2.0))).is_none());
    assert!(brush.wanted(&question(Clause::interval(active.expr, 0.0, 2.0))).is_some());
}
