//! The traps that crossfilters before this one fell into, each in a test.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, DictionaryArray, Float64Array, Int32Array, StringArray};
use arrow::datatypes::Float64Type;
use egui_kittest::Harness;
use outcrop::aggregate::{Bins, Scale};
use outcrop::app::{App, Start};
use outcrop::dataset::Dataset;
use outcrop::engine::{Engine, EngineOptions, Freshness, Slot};
use outcrop::expr::Expr;
use outcrop::query::{Answer, Ask, Axis, Brush, Key, Listing, Measure, Question, rows};
use outcrop::select::{Clause, Selection};
use outcrop::session::{
    AxisSpec, Command, Document, FilterSpec, Gesture, PredicateSpec, Session, ViewKind, persist, questions,
};
use outcrop::task::Task;

use crate::common::{ask, grid_question, table};
use crate::window;

fn one(values: &[Option<f64>]) -> Arc<Dataset> {
    table(vec![("x", Arc::new(Float64Array::from(values.to_vec())) as ArrayRef)])
}

fn x(dataset: &Dataset) -> Expr {
    Expr::column("x", dataset.schema()).unwrap()
}

fn bins(lo: f64, hi: f64, count: usize) -> Bins {
    Bins::new(lo, hi, count, Scale::Linear).unwrap()
}

fn counts(dataset: &Arc<Dataset>, bins: &Bins, selection: Selection) -> Vec<u64> {
    let axes = vec![Axis { expr: x(dataset), bins: bins.clone() }];
    ask(&grid_question(dataset, selection, axes, &[]), 2, 3).grid().unwrap().counts.clone()
}

fn passing(dataset: &Arc<Dataset>, clause: Clause) -> u64 {
    ask(&grid_question(dataset, Selection::of([clause]), vec![], &[]), 2, 3).grid().unwrap().total()
}

fn automatic(dataset: &Arc<Dataset>) -> Bins {
    let question = questions::extent(dataset, &x(dataset), Scale::Linear).unwrap();
    let extent = questions::extent_of(&ask(&question, 1, 10));
    questions::bins(&AxisSpec::of("x"), &x(dataset), extent, 10)
}

#[test]
fn trap_1_the_greatest_value_lies_in_the_last_bin() {
    let dataset = one(&[Some(0.0), Some(3.0), Some(10.0)]);
    let bins = automatic(&dataset);
    let counts = counts(&dataset, &bins, Selection::all());
    assert_eq!(counts[..bins.count()].iter().sum::<u64>(), 3);
    assert_eq!(counts[bins.over()], 0);
}

#[test]
fn trap_2_a_row_on_the_edge_of_two_brushes_is_in_one() {
    let dataset = one(&[Some(1.0), Some(2.0), Some(3.0)]);
    let of = |lo, hi| passing(&dataset, Clause::interval(x(&dataset), lo, hi));
    assert_eq!((of(0.0, 2.0), of(2.0, 4.0), of(0.0, 4.0)), (1, 2, 3));
}

#[test]
fn trap_3_values_below_zero_are_rounded_down() {
    let dataset = one(&[Some(-0.5), Some(-1.0), Some(-1.5), Some(0.5)]);
    assert_eq!(counts(&dataset, &bins(-2.0, 2.0, 4), Selection::all())[..4], [1, 2, 1, 0]);
}

#[test]
fn trap_4_nan_passes_no_interval() {
    let dataset = one(&[Some(f64::NAN), Some(1.0), Some(f64::INFINITY)]);
    let everything = Clause::interval(x(&dataset), f64::NEG_INFINITY, f64::INFINITY);
    assert_eq!(passing(&dataset, everything.clone()), 2);
    assert_eq!(passing(&dataset, Clause { inverted: true, ..everything }), 1);
}

#[test]
fn trap_5_a_missing_value_is_not_zero() {
    let dataset = one(&[None, Some(0.0), None]);
    let bins = bins(0.0, 1.0, 1);
    let counts = counts(&dataset, &bins, Selection::all());
    assert_eq!((counts[0], counts[bins.missing()]), (1, 2));
}

#[test]
fn trap_6_a_cube_and_a_scan_mean_the_same_bins() {
    let values: Vec<Option<f64>> = (0..40).map(|i| Some(f64::from(i) / 4.0)).collect();
    let dataset = one(&values);
    let axis = Axis { expr: x(&dataset), bins: bins(0.0, 10.0, 10) };
    let brush = Brush::over(std::slice::from_ref(&axis)).unwrap();
    for edges in axis.bins.edges().windows(2) {
        let selection = Selection::of([Clause::interval(x(&dataset), edges[0], edges[1])]);
        let question = grid_question(&dataset, selection, vec![], &[]);
        let cube = ask(&brush.cube_for(&question).unwrap(), 1, 7);
        let sliced = cube.cube().unwrap().slice(&brush.wanted(&question).unwrap()).unwrap();
        assert_eq!(sliced.grid().unwrap().total(), 4);
        assert_eq!(ask(&question, 1, 7).grid().unwrap().total(), 4);
    }
}

#[test]
fn trap_9_a_view_does_not_filter_itself() {
    let mut session = Session::new();
    session.apply(Command::Open("x.arrow".into()));
    let result = Ok(one(&[Some(1.0), Some(2.0)]));
    session.apply(Command::Opened { path: "x.arrow".into(), result });
    let brush = PredicateSpec::Interval { expr: "x".to_owned(), lo: 0.0, hi: 1.5 };
    session.apply(Command::SetFilter(FilterSpec::new(brush), Gesture::Begin));
    let histogram = session.document().views.iter().find(|view| view.kind == ViewKind::Histogram).unwrap();
    assert!(session.selection_for(histogram).is_all() && !session.selection().is_all());
}

#[test]
fn trap_10_categories_are_values_and_not_codes() {
    let dictionary = |keys: Vec<i32>, values: Vec<&str>| {
        let values = Arc::new(StringArray::from(values));
        let array = DictionaryArray::try_new(Int32Array::from(keys), values).unwrap();
        table(vec![("x", Arc::new(array) as ArrayRef)])
    };
    for dataset in [
        dictionary(vec![0, 1, 1, 2], vec!["a", "b", "c"]),
        dictionary(vec![2, 0, 0, 1], vec!["b", "c", "a"]),
        dictionary(vec![0, 1, 3, 2], vec!["a", "b", "c", "b"]),
    ] {
        let clause = Clause::categories(x(&dataset), &["\"b\"".to_owned()], false, dataset.schema()).unwrap();
        assert_eq!(passing(&dataset, clause), 2);
    }
}

#[test]
fn trap_11_a_mean_under_a_brush_is_no_mean_of_means() {
    let dataset = one(&[Some(0.5), Some(1.5), Some(1.5), Some(1.5), Some(2.5)]);
    let axis = Axis { expr: x(&dataset), bins: bins(0.0, 3.0, 3) };
    let brush = Brush::over(&[axis]).unwrap();
    let selection = Selection::of([Clause::interval(x(&dataset), 0.0, 2.0)]);
    let question = grid_question(&dataset, selection, vec![], &["mean(x)"]);
    let cube = ask(&brush.cube_for(&question).unwrap(), 1, 2);
    let sliced = cube.cube().unwrap().slice(&brush.wanted(&question).unwrap()).unwrap();
    assert_eq!(sliced.grid().unwrap().measure(0), [1.25]);
}

#[test]
fn trap_13_a_brush_is_the_same_on_a_screen_of_any_density() {
    let brushed = |density: f32| {
        let mut window: Harness<'static, App> = Harness::builder()
            .with_size([1280.0, 800.0])
            .with_pixels_per_point(density)
            .build_eframe(|context| App::new(&context.egui_ctx, Start::default()).unwrap());
        window.state_mut().show("made-up.arrow".into(), window::dataset(&window::rows()));
        window::settle(&mut window);
        let plot = window::rect_of(&window, "Histogram of x");
        window::drag(&mut window, window::within(plot, 0.31, 0.5), window::within(plot, 0.62, 0.5));
        (window.state().session().document().filters.clone(), window.state().count())
    };
    let once = brushed(1.0);
    assert_eq!(once.0.len(), 1);
    assert_eq!(brushed(2.0), once);
    assert_eq!(brushed(1.25), once);
}

#[test]
fn trap_14_zero_has_one_sign_as_a_key() {
    let dataset = one(&[Some(0.0), Some(-0.0), Some(0.0), Some(1.0)]);
    let ask_groups = Ask::Groups {
        keys: vec![Key::Value(x(&dataset))],
        measures: vec![Measure::count()],
        listing: Listing::default(),
    };
    let answer = ask(&Question::new(dataset.clone(), Selection::all(), ask_groups), 2, 2);
    let Answer::Groups(groups) = answer else { panic!("no groups") };
    assert_eq!(groups.counts, [3, 1]);
}

#[test]
fn trap_15_infinity_does_not_stretch_an_automatic_axis() {
    let dataset = one(&[Some(1.0), Some(f64::INFINITY), Some(5.0), Some(f64::NEG_INFINITY), Some(f64::NAN)]);
    let bins = automatic(&dataset);
    assert!(bins.lo() <= 1.0 && bins.lo() >= 0.0 && bins.hi() > 5.0 && bins.hi() <= 6.0, "{bins}");
}

#[test]
fn trap_16_limits_are_written_with_all_their_digits() {
    let (lo, hi) = (1.234_567_890_123e-9, 1.234_567_890_124e-9);
    let predicate = PredicateSpec::Interval { expr: "x".to_owned(), lo, hi };
    let document = Document { filters: vec![FilterSpec::new(predicate)], ..Document::default() };
    let read = persist::from_text(&persist::to_text(&document)).unwrap();
    assert_eq!(read.filters, document.filters);
    let dataset = one(&[Some(lo), Some(hi), Some(0.0)]);
    assert_eq!(passing(&dataset, Clause::interval(x(&dataset), lo, hi)), 1);
    assert!(!dataset.schema().fields().is_empty() && automatic(&dataset).bin_of(lo).is_some());
}

#[test]
fn trap_7_a_cleared_brush_leaves_nothing_behind() {
    let values: Vec<Option<f64>> = (0..500).map(|i| Some(f64::from(i % 83) / 7.0)).collect();
    let dataset = one(&values);
    let axis = Axis { expr: x(&dataset), bins: bins(0.0, 12.0, 12) };
    let brush = Brush::over(std::slice::from_ref(&axis)).unwrap();
    let mut engine = Engine::with_options(|| {}, EngineOptions::default()).unwrap();
    engine.hold(Some(brush));
    let measures = ["count", "sum(x)", "mean(x)", "sd(x)", "min(x)", "max(x)"];
    let mut settled = |selection: Selection| {
        let question = grid_question(&dataset, selection, vec![], &measures);
        loop {
            engine.poll();
            let reply = engine.answer(Slot(1), &question);
            engine.end_frame();
            if reply.freshness == Freshness::Final {
                return format!("{:?}", reply.answer.unwrap());
            }
            std::thread::yield_now();
        }
    };
    let before = settled(Selection::all());
    for (lo, hi) in [(0.0, 3.0), (2.0, 12.0), (5.0, 5.0)] {
        let brushed = Selection::of([Clause::interval(x(&dataset), lo, hi)]);
        assert_ne!(settled(brushed), before);
        assert_eq!(settled(Selection::all()), before, "to the last bit");
    }
}

#[test]
fn trap_8_what_is_exported_is_what_the_snapped_brush_shows() {
    let values: Vec<Option<f64>> = (0..300).map(|i| Some(f64::from(i) / 30.0)).collect();
    let dataset = one(&values);
    let bins = bins(0.0, 10.0, 10);
    // Between edges, as a pointer leaves it.
    let (lo, hi) = (bins.edges()[bins.nearest_edge(2.4)], bins.edges()[bins.nearest_edge(6.7)]);
    let selection = Selection::of([Clause::interval(x(&dataset), lo, hi)]);
    let shown = counts(&dataset, &bins, selection.clone()).iter().sum::<u64>();
    assert_eq!(shown, passing(&dataset, Clause::interval(x(&dataset), lo, hi)));
    let index = ask(&Question::new(dataset.clone(), selection.clone(), Ask::Index), 1, 7);
    assert_eq!(index.index().unwrap().total(), shown);
    let columns = [x(&dataset)];
    let page = rows::fetch(&dataset, &selection, index.index(), 0, 1000, &columns, &Task::detached());
    let page = page.unwrap();
    let exported = page.columns[0].as_primitive::<Float64Type>();
    assert_eq!(exported.len() as u64, shown);
    assert!(exported.values().iter().all(|&value| lo <= value && value < hi));
}

#[test]
fn trap_12_an_old_result_is_never_painted_for_a_new_question() {
    let values: Vec<Option<f64>> = (0..20_000).map(|i| Some(f64::from(i % 100))).collect();
    let dataset = one(&values);
    let mut engine = Engine::with_options(|| {}, EngineOptions::default()).unwrap();
    for step in 0..200 {
        // Every frame another question, sooner than the one before can be answered.
        let hi = f64::from(step % 100) + 0.5;
        let selection = Selection::of([Clause::interval(x(&dataset), f64::NEG_INFINITY, hi)]);
        engine.poll();
        let reply = engine.answer(Slot(1), &grid_question(&dataset, selection, vec![], &[]));
        engine.end_frame();
        if reply.freshness == Freshness::Final {
            let total = reply.answer.unwrap().grid().unwrap().total();
            assert_eq!(total, (step as u64 % 100 + 1) * 200, "the answer to another question");
        }
        if step % 20 == 0 {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }
}
