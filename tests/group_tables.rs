//! Tables of groups: what they list, and what a click on a line filters to.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, Int64Array, StringArray, TimestampMillisecondArray};
use egui::Modifiers;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use outcrop::aggregate::to_f64;
use outcrop::app::App;
use outcrop::dataset::Dataset;
use outcrop::query::{Answer, Ask, Question, ScanOptions, Workers, scan};
use outcrop::select::Selection;
use outcrop::session::{
    AxisSpec, Command, FilterSpec, Gesture, GroupOrder, Grouping, PredicateSpec, Session, ViewId, ViewSpec,
    figure, persist,
};
use outcrop::task::Task;

use super::common::table;
use super::window::{click_at, dataset, drag, has_label, rect_of, rows, settle, window_on};

const TABLE: ViewId = ViewId(77);

fn grouped(by: &[&str]) -> Grouping {
    Grouping::by(by.iter().map(|key| AxisSpec::of(*key)).collect())
}

fn window_with(grouping: Grouping) -> Harness<'static, App> {
    let mut window = window_on(dataset(&rows()));
    let kept: Vec<ViewId> = window.state().session().document().views.iter().map(|view| view.id).collect();
    kept.into_iter().skip(1).for_each(|view| window.state_mut().push(Command::RemoveView(view)));
    window.state_mut().push(Command::AddView(ViewSpec::of_groups(TABLE, grouping)));
    settle(&mut window);
    window
}

fn filters(window: &Harness<'static, App>) -> Vec<FilterSpec> {
    window.state().session().document().filters.clone()
}

fn click(window: &mut Harness<'static, App>, name: &str, modifiers: Modifiers) {
    let at = window.get_by_label(name).rect().left_center() + egui::vec2(4.0, 0.0);
    click_at(window, at, modifiers);
}

fn named(count: usize, kind: &str) -> String {
    format!("group {kind}, {} rows", outcrop::data::group_digits(count as u64))
}

#[test]
fn a_click_on_a_line_filters_to_its_group_and_shift_adds_another() {
    let mut window = window_with(grouped(&["kind"]));
    let rows = rows();
    let of = |kind: &str| rows.kind.iter().filter(|found| **found == kind).count();
    let (alpha, beta) = (of("alpha"), of("beta"));
    click(&mut window, &named(alpha, "alpha"), Modifiers::NONE);
    assert_eq!(window.state().count(), (Some(alpha as u64), true));
    click(&mut window, &named(beta, "beta"), Modifiers::SHIFT);
    assert_eq!(window.state().count(), (Some((alpha + beta) as u64), true));
    click(&mut window, &named(alpha, "alpha"), Modifiers::SHIFT);
    assert_eq!(window.state().count(), (Some(beta as u64), true));
    click(&mut window, &named(beta, "beta"), Modifiers::NONE);
    assert!(filters(&window).is_empty());
    window.state_mut().push(Command::Undo);
    settle(&mut window);
    assert_eq!(window.state().count(), (Some(beta as u64), true));
}

#[test]
fn a_line_of_two_keys_filters_to_their_pair_and_the_table_keeps_its_lines() {
    let cut = AxisSpec { width: Some(50.0), range: Some([0.0, 100.0]), ..AxisSpec::of("x") };
    let mut window = window_with(Grouping::by(vec![AxisSpec::of("kind"), cut]));
    let rows = rows();
    let pairs = rows.kind.iter().zip(&rows.x);
    let wanted = pairs.filter(|(kind, x)| **kind == "beta" && x.is_some_and(|x| x < 50.0)).count();
    let missing = rows.kind.iter().zip(&rows.x).filter(|(kind, x)| **kind == "gamma" && x.is_none()).count();
    click(&mut window, &named(wanted, "beta, 0 … 50"), Modifiers::NONE);
    assert_eq!(window.state().count(), (Some(wanted as u64), true));
    assert!(has_label(&window, &named(missing, "gamma, missing")), "a view never filters itself");
    click(&mut window, &named(missing, "gamma, missing"), Modifiers::SHIFT);
    assert_eq!(window.state().count(), (Some((wanted + missing) as u64), true));
    let text = persist::to_text(window.state().session().document());
    assert_eq!(&persist::from_text(&text).unwrap(), window.state().session().document());
}

#[test]
fn a_click_on_a_head_sorts_and_a_brush_elsewhere_changes_the_numbers() {
    let mut window = window_with(Grouping {
        measures: vec!["count".to_owned(), "mean(y)".to_owned()],
        ..grouped(&["kind"])
    });
    let order = |window: &Harness<'static, App>| {
        window.state().session().document().view(TABLE).unwrap().grouping.clone().unwrap().order
    };
    click(&mut window, "sort by mean(y)", Modifiers::NONE);
    assert_eq!(order(&window), Some(GroupOrder { measure: 1, descending: true }));
    click(&mut window, "sort by mean(y)", Modifiers::NONE);
    assert_eq!(order(&window), Some(GroupOrder { measure: 1, descending: false }));
    click(&mut window, "sort by kind", Modifiers::NONE);
    assert_eq!(order(&window), None);

    let predicate = PredicateSpec::Interval { expr: "x".to_owned(), lo: 10.0, hi: 40.0 };
    window.state_mut().push(Command::SetFilter(FilterSpec::new(predicate), Gesture::Begin));
    settle(&mut window);
    let rows = rows();
    let inside = |x: &Option<f64>| x.is_some_and(|x| (10.0..40.0).contains(&x));
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (kind, _) in rows.kind.iter().zip(&rows.x).filter(|(_, x)| inside(x)) {
        *counts.entry(kind).or_default() += 1;
    }
    for (kind, count) in counts {
        assert!(has_label(&window, &named(count, kind)), "{count} of {kind}");
    }
}

#[test]
fn a_column_dropped_on_the_table_becomes_a_key_and_on_a_histogram_its_axis() {
    let mut window = window_with(grouped(&["kind"]));
    let from = rect_of(&window, "y").center() - egui::vec2(0.0, 12.0);
    let to = rect_of(&window, "Groups of kind").center();
    drag(&mut window, from, to);
    let keys = |window: &Harness<'static, App>| {
        let grouping = window.state().session().document().view(TABLE).unwrap().grouping.clone().unwrap();
        grouping.keys.into_iter().map(|key| (key.expr, key.bins)).collect::<Vec<_>>()
    };
    assert_eq!(keys(&window), [("kind".to_owned(), None), ("y".to_owned(), Some(20))]);
    let to = rect_of(&window, "Histogram of x").center();
    drag(&mut window, from, to);
    assert!(has_label(&window, "Histogram of y"));
    window.state_mut().push(Command::Undo);
    window.state_mut().push(Command::Undo);
    settle(&mut window);
    assert_eq!(keys(&window).len(), 1);
}

/// A table with hard keys: text with quotes, numbers with NaN, whole numbers and times.
fn hard() -> Arc<Dataset> {
    let names: ArrayRef = Arc::new(StringArray::from(vec![
        Some("a"),
        Some("it's \"b\""),
        None,
        Some(""),
        Some("a"),
        Some("two\nlines"),
    ]));
    let whole: ArrayRef =
        Arc::new(Int64Array::from(vec![Some(-1), Some(i64::MAX), Some(0), None, Some(-1), Some(3)]));
    let single: ArrayRef = Arc::new(Float32Array::from(vec![0.1, 0.7, f32::NAN, f32::INFINITY, -0.0, 0.3]));
    let times = TimestampMillisecondArray::from(vec![
        Some(0),
        Some(1_700_000_000_123),
        None,
        Some(-5),
        Some(0),
        Some(1_600_000_000_000),
    ]);
    table(vec![("name", names), ("n", whole), ("f", single), ("t", Arc::new(times))])
}

fn answer(dataset: &Arc<Dataset>, selection: Selection, ask: Ask) -> Answer {
    let question = Question::new(dataset.clone(), selection, ask);
    let workers = Workers::new(2).unwrap();
    let found = scan(&[question], &workers, ScanOptions::default(), &Task::detached());
    found.unwrap().remove(0)
}

#[test]
fn the_filter_of_every_line_passes_exactly_the_rows_of_its_group() {
    let dataset = hard();
    let mut session = Session::new();
    session.apply(Command::Open("hard".into()));
    session.apply(Command::Opened { path: "hard".into(), result: Ok(dataset.clone()) });
    let bins = outcrop::aggregate::Bins::new(0.1, 0.7, 6, outcrop::aggregate::Scale::Linear).unwrap();
    let cut = |text: &str| AxisSpec { bins: Some(6), ..AxisSpec::of(text) };
    let cases: Vec<Vec<AxisSpec>> = vec![
        vec![AxisSpec::of("name")],
        vec![AxisSpec::of("n")],
        vec![cut("f")],
        vec![AxisSpec::of("name"), AxisSpec::of("n")],
        vec![AxisSpec::of("n"), cut("f")],
        vec![AxisSpec::of("t"), AxisSpec::of("name"), cut("f")],
        vec![AxisSpec::of("f"), AxisSpec::of("n * 2")],
    ];
    for keys in cases {
        let grouping = Grouping::by(keys.clone());
        let axis = |key: &AxisSpec| outcrop::query::Axis {
            expr: session.expr(&key.expr).unwrap(),
            bins: bins.clone(),
        };
        let axes: Vec<_> = grouping.cut_keys().map(axis).collect();
        let all = answer(&dataset, Selection::all(), grouping.ask_all(&dataset, &axes).unwrap());
        let groups = all.groups().unwrap();
        assert_eq!(groups.counts.iter().sum::<u64>(), 6);
        for group in 0..groups.len() {
            let predicate = grouping.predicate(&dataset, groups, group).unwrap();
            session.apply(Command::ClearFilters);
            session.apply(Command::SetFilter(FilterSpec::new(predicate.clone()), Gesture::Begin));
            let error = session.filters()[0].clause.as_ref().err();
            assert!(error.is_none(), "{predicate:?}: {error:?}");
            let count = Ask::Grid { axes: Vec::new(), measures: Vec::new() };
            let passing = answer(&dataset, session.selection().clone(), count).grid().unwrap().total();
            assert_eq!(passing, groups.counts[group], "{predicate:?} of {keys:?}");
            let view = ViewSpec::of_groups(TABLE, grouping.clone());
            assert!(session.selection_for(&view).is_all(), "{predicate:?}");
        }
    }
}

#[test]
fn a_table_lists_its_top_groups_and_the_others_together() {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values((0..5000i64).map(|i| i % 70 * (i % 3))));
    let dataset = table(vec![("n", numbers)]);
    let grouping = Grouping {
        measures: vec!["sum(n)".to_owned(), "count".to_owned()],
        order: Some(GroupOrder { measure: 1, descending: true }),
        having: "count > 20".to_owned(),
        limit: 5,
        ..grouped(&["n"])
    };
    let found = answer(&dataset, Selection::all(), grouping.ask(&dataset, &[]).unwrap());
    let groups = found.groups().unwrap();
    assert_eq!(groups.len(), 5);
    assert!(!grouping.lists_all(groups));
    assert_eq!(grouping.ordered(groups), [0, 1, 2, 3, 4], "listed in the order wanted");
    assert!(to_f64(&groups.measures[1]).is_sorted_by(|a, b| a >= b));
    assert!(grouping.having.parse::<f64>().is_err());
    let wrong = Grouping { having: "nonsense > 1".to_owned(), ..grouping.clone() };
    assert!(wrong.ask(&dataset, &[]).is_err());
    assert!(Grouping::by(Vec::new()).ask(&dataset, &[]).is_err());
    let mut fewer = grouping.clone();
    fewer.remove_measure(0);
    assert_eq!(fewer.order, Some(GroupOrder { measure: 0, descending: true }));

    let mut session = Session::new();
    session.apply(Command::Open("t".into()));
    session.apply(Command::Opened { path: "t".into(), result: Ok(dataset.clone()) });
    let view = ViewSpec::of_groups(TABLE, grouping);
    assert!(figure::chart(&session, &view, &found, None).is_some());
}
