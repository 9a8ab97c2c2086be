//! Codes in place of values: on axes other than their own, and in filters.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, Int64Array};
use outcrop::aggregate::{Bins, Scale};
use outcrop::dataset::Dataset;
use outcrop::expr::Expr;
use outcrop::query::{Answer, Ask, Axis, Brush, Codes, Question, Wanted, Workers, scan, scan_with_codes};
use outcrop::select::{Clause, Selection};
use outcrop::task::Task;

use crate::codes::{Counting, options};
use crate::common::{Random, awkward_floats, floats, grid_question};

const ROWS: usize = 1500;

/// `a`, `b` with all that goes wrong, `f` in single precision, `n` whole and missing, and `free`, which no axis cuts.
fn demo() -> (Arc<Dataset>, Arc<Counting>) {
    let mut random = Random::new(9);
    let single = awkward_floats(ROWS, 3).into_iter().map(|v| v.map(|v| v as f32));
    let whole = (0..ROWS).map(|_| Some(random.below(12) as i64 - 2).filter(|&n| n != 4));
    let columns = vec![
        ("a", floats(&awkward_floats(ROWS, 1))),
        ("b", floats(&awkward_floats(ROWS, 2))),
        ("f", Arc::new(Float32Array::from_iter(single)) as ArrayRef),
        ("n", Arc::new(Int64Array::from_iter(whole))),
        ("free", floats(&awkward_floats(ROWS, 4))),
    ];
    Counting::table(columns, "coded@1")
}

fn expr(dataset: &Dataset, text: &str) -> Expr {
    Expr::parse(text, dataset.schema()).unwrap()
}

fn axis(dataset: &Dataset, text: &str, lo: f64, hi: f64, count: usize) -> Axis {
    Axis { expr: expr(dataset, text), bins: Bins::new(lo, hi, count, Scale::Linear).unwrap() }
}

/// Of a cube, what it says of every slot of the brush.
fn digest(answers: &[Answer]) -> Vec<String> {
    let of = |answer: &Answer| match answer.cube() {
        None => vec![format!("{answer:?}")],
        Some(cube) => {
            let slice = |slots: Vec<bool>| cube.slice(&Wanted::Slots(slots));
            let slots = (1..).find(|&slots| slice(vec![true; slots]).is_ok()).unwrap();
            let one = |slot: usize| slice((0..slots).map(|other| other == slot).collect()).unwrap();
            (0..slots).map(|slot| format!("{:?}", one(slot))).collect()
        }
    };
    answers.iter().flat_map(of).collect()
}

/// Asks with codes on 1 to 4 threads: the same as without. The columns read.
fn check(source: &Counting, codes: &Codes, questions: &[Question]) -> Vec<bool> {
    let plain = digest(&scan(questions, &Workers::new(2).unwrap(), options(), &Task::detached()).unwrap());
    source.take_reads();
    for threads in 1..=4 {
        let workers = Workers::new(threads).unwrap();
        let (answers, _) = scan_with_codes(questions, codes, &workers, options(), &Task::detached()).unwrap();
        assert_eq!(digest(&answers), plain, "{threads} threads: {:?}", questions[0].key());
    }
    source.take_reads().iter().map(|&reads| reads > 0).collect()
}

/// Codes of these axes.
fn learned(dataset: &Arc<Dataset>, axes: &[Axis]) -> Codes {
    let codes = Codes::new(1 << 20);
    let ask = |axis: &Axis| grid_question(dataset, Selection::all(), vec![axis.clone()], &[]);
    let questions: Vec<Question> = axes.iter().map(ask).collect();
    let workers = Workers::new(2).unwrap();
    scan_with_codes(&questions, &codes, &workers, options(), &Task::detached()).unwrap();
    codes
}

#[test]
fn codes_serve_every_axis_whose_edges_are_among_theirs() {
    let (dataset, source) = demo();
    for (text, fine) in [("a", 40), ("f", 40), ("a + b", 400), ("n", 10)] {
        let codes = learned(&dataset, &[axis(&dataset, text, 0.0, 10.0, fine)]);
        let bytes = codes.bytes();
        let served = [(0.0, 10.0, 10), (0.0, 10.0, 1), (2.0, 8.0, 3), (9.0, 10.0, 1), (0.0, 4.0, 4)];
        for (lo, hi, count) in served {
            let axes = vec![axis(&dataset, text, lo, hi, count)];
            let alone = grid_question(&dataset, Selection::all(), axes.clone(), &[]);
            let plane = vec![axes[0].clone(), axis(&dataset, text, 0.0, 10.0, fine)];
            let cube = Brush::over(&axes).unwrap();
            let cube = cube.cube_for(&grid_question(&dataset, Selection::all(), plane, &["count"])).unwrap();
            assert_eq!(check(&source, &codes, &[alone, cube]), [false; 5], "{text} {lo} {hi} {count}");
        }
        let uneven = Bins::from_edges(vec![1.0, 2.0, 6.0, 7.0], Scale::Linear).unwrap();
        let uneven = Axis { expr: expr(&dataset, text), bins: uneven };
        let uneven = grid_question(&dataset, Selection::all(), vec![uneven], &["mean(free)"]);
        assert_eq!(check(&source, &codes, &[uneven]), [false, false, false, false, true], "{text}");
        assert_eq!(codes.bytes(), bytes, "nothing else is kept");
        for (lo, hi, count) in [(0.0, 10.0, 3 * fine), (-1.0, 9.0, 10), (0.0, 11.0, 11)] {
            let axes = vec![axis(&dataset, text, lo, hi, count)];
            let read = check(&source, &codes, &[grid_question(&dataset, Selection::all(), axes, &[])]);
            assert!(read.contains(&true), "{text} {lo} {hi} {count}");
        }
    }
}

#[test]
fn of_two_axes_one_of_which_refines_the_other_one_is_kept() {
    let (dataset, source) = demo();
    let axes = [axis(&dataset, "a", 0.0, 10.0, 5), axis(&dataset, "a", 0.0, 10.0, 50)];
    for axes in [axes.clone(), [axes[1].clone(), axes[0].clone()]] {
        let codes = learned(&dataset, &axes);
        assert_eq!(codes.bytes(), ROWS);
        let questions = axes.map(|axis| grid_question(&dataset, Selection::all(), vec![axis], &["count"]));
        assert_eq!(check(&source, &codes, &questions), [false; 5]);
    }
}

#[test]
fn filters_that_end_on_edges_read_codes() {
    let (dataset, source) = demo();
    let infinity = f64::INFINITY;
    let known = ["a", "b", "f"].map(|text| axis(&dataset, text, 0.0, 10.0, 20));
    let whole = axis(&dataset, "n", -2.0, 10.0, 12);
    let codes = learned(&dataset, &[known.as_slice(), &[whole]].concat());
    let mut clauses = Vec::new();
    for text in ["a", "f"] {
        for (lo, hi) in [(0.0, 5.0), (2.5, 3.0), (0.0, 10.0), (4.0, 4.0), (-infinity, 0.0), (10.0, infinity)]
        {
            clauses.push(Clause::interval(expr(&dataset, text), lo, hi));
        }
        for missing in [false, true] {
            let several = [(-infinity, 1.0), (2.0, 3.5), (9.0, infinity)];
            clauses.push(Clause::intervals(expr(&dataset, text), several, missing));
            clauses.push(Clause::intervals(expr(&dataset, text), [], missing));
            clauses.push(Clause::intervals(expr(&dataset, text), [(-infinity, infinity)], missing));
        }
    }
    for x_range in [(1.0, 6.0), (-infinity, 4.0), (-infinity, infinity)] {
        clauses.push(Clause::rect(expr(&dataset, "a"), x_range, expr(&dataset, "b"), (2.0, 9.5)));
    }
    let (x, y) = (axis(&dataset, "a", 0.0, 10.0, 10), axis(&dataset, "f", 2.0, 8.0, 3));
    let corners = [(1.0, 2.0), (9.0, 3.0), (6.0, 7.9), (2.0, 6.0)];
    clauses.push(Clause::lasso(x.expr, x.bins, y.expr, y.bins, &corners));
    for (literals, missing) in [(vec!["-2", "0", "9"], false), (vec!["3"], true), (vec![], true)] {
        let literals: Vec<String> = literals.into_iter().map(str::to_owned).collect();
        let n = expr(&dataset, "n");
        clauses.push(Clause::categories(n, &literals, missing, dataset.schema()).unwrap());
    }
    let questions = |selection: &Selection| {
        let ask = |axes, measures: &[&str]| grid_question(&dataset, selection.clone(), axes, measures);
        let brush = Brush::over(&[axis(&dataset, "b", 0.0, 10.0, 20)]).unwrap();
        let cubed = ask(vec![axis(&dataset, "f", 0.0, 10.0, 5)], &["mean(free)", "sd(free)"]);
        let index = Question::new(dataset.clone(), selection.clone(), Ask::Index);
        vec![ask(vec![], &[]), brush.cube_for(&cubed).unwrap(), cubed, index]
    };
    for clause in clauses {
        for inverted in [false, true] {
            let clause = Clause { inverted, ..clause.clone() };
            let also = Clause::interval(expr(&dataset, "b"), 0.5, 8.0);
            for selection in [Selection::of([clause.clone()]), Selection::of([clause.clone(), also])] {
                let read = check(&source, &codes, &questions(&selection));
                assert_eq!(read[..4], [false; 4], "{}", clause.key());
            }
        }
    }
    for clause in [
        Clause::interval(expr(&dataset, "a"), 0.25, 5.0),
        Clause::interval(expr(&dataset, "a"), -1.0, 5.0),
        Clause::interval(expr(&dataset, "free"), 1.0, 5.0),
        Clause::categories(expr(&dataset, "n"), &["20".to_owned()], false, dataset.schema()).unwrap(),
        Clause::filter(expr(&dataset, "a > 3")),
    ] {
        let read = check(&source, &codes, &questions(&Selection::of([clause.clone()])));
        assert!(read.contains(&true), "{}", clause.key());
    }
}
