//! Every way to brush, by pointer and by keys, against a count over the columns.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use egui::accesskit::Role;
use egui::{Key, Modifiers, Pos2, Rect};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use outcrop::app::App;
use outcrop::dataset::Dataset;
use outcrop::session::{AxisSpec, Brushed, Command, FilterSpec, Gesture, PredicateSpec, ViewKind};

use super::common::table;
use super::window::{
    ROWS, Rows, click_at, counts, dataset, drag, drag_along, has_label, rect_of, rows, settle, view,
    window_on, within,
};

const SHIFT: Modifiers = Modifiers::SHIFT;
const ALT: Modifiers = Modifiers::ALT;

fn filter(window: &Harness<'static, App>) -> FilterSpec {
    let filters = &window.state().session().document().filters;
    assert_eq!(filters.len(), 1, "{filters:?}");
    filters[0].clone()
}

fn brushed(window: &Harness<'static, App>) -> Brushed {
    let filter = filter(window);
    let brushed = Brushed::of(&filter.predicate).unwrap();
    if filter.inverted { brushed.complement() } else { brushed }
}

fn passing(rows: &Rows, brushed: &Brushed) -> u64 {
    let passes = |x: &&Option<f64>| x.map_or(brushed.missing, |x| brushed.contains(x));
    rows.x.iter().filter(passes).count() as u64
}

/// The count shown is that of the brush, and every other view agrees with it.
fn check(window: &Harness<'static, App>, rows: &Rows) {
    let expected = passing(rows, &brushed(window));
    assert_eq!(window.state().count(), (Some(expected), true), "{:?}", brushed(window));
    let y = view(window, ViewKind::Histogram, "y");
    assert_eq!(counts(window, y).iter().sum::<u64>(), expected);
    let kinds = view(window, ViewKind::Bars, "kind");
    assert_eq!(counts(window, kinds).iter().sum::<u64>(), expected);
}

fn sweep(window: &mut Harness<'static, App>, plot: Rect, from: f32, to: f32, modifiers: Modifiers) {
    let path: Vec<Pos2> = (1..=6).map(|i| within(plot, from + (to - from) * i as f32 / 6.0, 0.1)).collect();
    drag_along(window, within(plot, from, 0.1), &path, modifiers);
}

fn undo(window: &mut Harness<'static, App>) {
    window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    settle(window);
}

#[test]
fn shift_adds_an_interval_alt_takes_one_out_and_each_is_one_step_of_undo() {
    let rows = rows();
    let mut window = window_on(dataset(&rows));
    let plot = rect_of(&window, "Histogram of x");
    sweep(&mut window, plot, 0.1, 0.3, Modifiers::NONE);
    let one = brushed(&window);
    check(&window, &rows);
    sweep(&mut window, plot, 0.6, 0.8, SHIFT);
    let two = brushed(&window);
    assert_eq!(two.intervals.len(), 2, "{two:?}");
    assert_eq!(two.intervals[0], one.intervals[0]);
    check(&window, &rows);
    assert!(has_label(&window, " or "), "the chip shows both");
    sweep(&mut window, plot, 0.15, 0.2, ALT);
    assert_eq!(brushed(&window).intervals.len(), 3);
    check(&window, &rows);

    // One of several is moved by its inside, resized by its edge, nudged by keys; the others stay.
    let three = brushed(&window);
    let edge = rect_of(&window, "brush 3 of x, upper edge").center();
    drag(&mut window, Pos2::new(edge.x, plot.top() + 4.0), within(plot, 0.9, 0.1));
    let resized = brushed(&window);
    assert_eq!(resized.intervals[..2], three.intervals[..2]);
    assert!(resized.intervals[2].1 > three.intervals[2].1 && resized.intervals[2].0 == three.intervals[2].0);
    check(&window, &rows);
    window.get_by_label("brush x, lower edge").focus();
    window.step();
    window.step();
    window.key_press(Key::ArrowLeft);
    settle(&mut window);
    assert!(brushed(&window).intervals[0].0 < three.intervals[0].0);
    check(&window, &rows);
    for expected in [resized, three, two, one] {
        undo(&mut window);
        assert_eq!(brushed(&window), expected);
        check(&window, &rows);
    }
    undo(&mut window);
    assert!(window.state().session().filters().is_empty());
}

#[test]
fn alt_without_a_brush_takes_out_of_everything() {
    let rows = rows();
    let mut window = window_on(dataset(&rows));
    let plot = rect_of(&window, "Histogram of x");
    sweep(&mut window, plot, 0.4, 0.6, ALT);
    let left = brushed(&window);
    assert!(left.missing && left.intervals.len() == 2, "{left:?}");
    check(&window, &rows);
}

#[test]
fn a_drag_that_adds_to_an_inverted_brush_adds_to_what_passes() {
    let rows = rows();
    let mut window = window_on(dataset(&rows));
    let plot = rect_of(&window, "Histogram of x");
    sweep(&mut window, plot, 0.2, 0.8, Modifiers::NONE);
    window.get_by_label_contains("invert filter").click();
    settle(&mut window);
    check(&window, &rows);
    assert!(has_label(&window, "filter NOT x"));
    let before = brushed(&window);
    sweep(&mut window, plot, 0.4, 0.5, SHIFT);
    let after = brushed(&window);
    assert!(after.holds(&before) && after != before);
    check(&window, &rows);
}

#[test]
fn a_click_on_a_bar_of_a_histogram_filters_to_its_bin_and_shift_adds() {
    let rows = rows();
    let mut window = window_on(dataset(&rows));
    let plot = rect_of(&window, "Histogram of x");
    let click = |window: &mut Harness<'static, App>, x: f32, y: f32, modifiers: Modifiers| {
        click_at(window, within(plot, x, y), modifiers);
        // Two clicks shortly after each other would be a double click.
        window.input_mut().time = Some(window.input().time.unwrap_or_default() + 1.0);
        window.step();
    };
    click(&mut window, 0.51, 0.98, Modifiers::NONE);
    let bin = brushed(&window);
    let bins = window.state().view(view(&window, ViewKind::Histogram, "x")).unwrap().axes()[0].bins.clone();
    assert!(bins.edges().windows(2).any(|pair| bin.intervals == [(pair[0], pair[1])]), "{bin:?}");
    check(&window, &rows);
    click(&mut window, 0.81, 0.98, SHIFT);
    assert_eq!(brushed(&window).intervals.len(), 2);
    check(&window, &rows);
    click(&mut window, 0.81, 0.98, SHIFT);
    assert_eq!(brushed(&window), bin);
    click(&mut window, 0.51, 0.98, Modifiers::NONE);
    assert!(window.state().session().filters().is_empty(), "the only one again clears");
}

#[test]
fn the_ends_of_an_axis_and_the_missing_values_can_be_filtered_by_pointer_and_by_keys() {
    let rows = rows();
    let mut window = window_on(dataset(&rows));
    let id = view(&window, ViewKind::Histogram, "x");
    let mut spec = window.state().session().document().view(id).unwrap().clone();
    spec.x = Some(AxisSpec { range: Some([20.0, 70.0]), ..AxisSpec::of("x") });
    window.state_mut().push(Command::ChangeView(spec, Gesture::Begin));
    settle(&mut window);
    window.get_by_label_contains("x missing, ").click();
    settle(&mut window);
    assert_eq!(brushed(&window), Brushed::missing());
    check(&window, &rows);
    assert!(has_label(&window, "filter x missing"));
    window.get_by_label_contains("x above the axis, ").click_modifiers(SHIFT);
    settle(&mut window);
    assert_eq!(brushed(&window).intervals, [(70.0, f64::INFINITY)]);
    assert!(brushed(&window).missing);
    check(&window, &rows);
    window.get_by_label_contains("x below the axis, ").focus();
    window.step();
    window.step();
    window.key_press(Key::Enter);
    settle(&mut window);
    assert_eq!(brushed(&window).intervals, [(f64::NEG_INFINITY, 20.0)]);
    assert!(!brushed(&window).missing);
    check(&window, &rows);
    window.get_by_label_contains("x below the axis, ").click();
    settle(&mut window);
    assert!(window.state().session().filters().is_empty(), "the only one again clears");
}

#[test]
fn a_lasso_filters_by_the_cells_it_goes_around_and_they_are_the_filter() {
    let rows = rows();
    let mut window = window_on(dataset(&rows));
    window.get_by_label("lasso on Heatmap of x and y").click();
    settle(&mut window);
    let plot = rect_of(&window, "Heatmap of x and y");
    let corners = [(0.3, 0.3), (0.7, 0.25), (0.75, 0.6), (0.5, 0.85), (0.25, 0.7)];
    let corners: Vec<Pos2> = corners.iter().map(|&(x, y)| within(plot, x, y)).collect();
    let path: Vec<Pos2> =
        corners.windows(2).flat_map(|pair| (1..=4).map(|i| pair[0].lerp(pair[1], i as f32 / 4.0))).collect();
    drag_along(&mut window, corners[0], &path, Modifiers::NONE);
    let PredicateSpec::Lasso { x, y, corners, .. } = filter(&window).predicate else { panic!("no lasso") };
    assert!(corners.len() > 10);
    // A cell passes if its centre lies inside the polygon: recomputed here by winding around it.
    let inside = |point: [f64; 2]| {
        let sides = corners.iter().zip(corners.iter().cycle().skip(1));
        let crossings = sides.filter(|(a, b)| {
            let at = a[0] + (point[1] - a[1]) / (b[1] - a[1]) * (b[0] - a[0]);
            (a[1] <= point[1]) != (b[1] <= point[1]) && at <= point[0]
        });
        crossings.count() % 2 == 1
    };
    let (bx, by) = (x.bins().unwrap(), y.bins().unwrap());
    let passes = |i: &usize| {
        let cell =
            rows.x[*i].and_then(|x| Some([bx.centre(bx.bin_of(x)?), by.centre(by.bin_of(rows.y[*i])?)]));
        cell.is_some_and(inside)
    };
    let expected = (0..ROWS).filter(passes).count() as u64;
    assert!(expected > 100 && expected < ROWS as u64);
    assert_eq!(window.state().count(), (Some(expected), true));
    let x = view(&window, ViewKind::Histogram, "x");
    assert_eq!(counts(&window, x).iter().sum::<u64>(), expected);
    assert!(has_label(&window, "filter lasso x × y"));
    undo(&mut window);
    assert!(window.state().session().filters().is_empty(), "the whole lasso is one step");
    window.state_mut().push(Command::Redo);
    settle(&mut window);
    assert_eq!(window.state().count(), (Some(expected), true));
    window.get_by_label_contains("invert filter").click();
    settle(&mut window);
    assert_eq!(window.state().count(), (Some(ROWS as u64 - expected), true));
}

#[test]
fn shift_adds_a_shape_to_a_heatmap_and_alt_takes_one_out() {
    let rows = rows();
    let mut window = window_on(dataset(&rows));
    let plot = rect_of(&window, "Heatmap of x and y");
    type Part = [f32; 4];
    let sweep = |window: &mut Harness<'static, App>, [left, top, right, bottom]: Part, keys| {
        let (from, to) = (within(plot, left, top), within(plot, right, bottom));
        let path: Vec<Pos2> = (1..=6).map(|i| from.lerp(to, i as f32 / 6.0)).collect();
        drag_along(window, from, &path, keys);
    };
    let count = |passes: &dyn Fn(usize) -> bool| (0..ROWS).filter(|&i| passes(i)).count() as u64;
    // The shape drawn last, by its corners; the first is a rectangle's filter.
    let last = |window: &Harness<'static, App>| match filter(window).predicate {
        PredicateSpec::Rect { x_range, y_range, .. } => (x_range, y_range),
        PredicateSpec::Lasso { more, .. } => {
            let corners = &more.last().unwrap().corners;
            ([corners[0][0], corners[2][0]], [corners[0][1], corners[2][1]])
        }
        other => panic!("{other:?}"),
    };
    let inside = |[lo, hi]: [f64; 2], value: f64| lo <= value && value < hi;
    let holds = |(x, y): ([f64; 2], [f64; 2]), i: usize| {
        rows.x[i].is_some_and(|value| inside(x, value)) && inside(y, rows.y[i])
    };
    sweep(&mut window, [0.1, 0.2, 0.5, 0.7], Modifiers::NONE);
    let (first, a) = (filter(&window), last(&window));
    sweep(&mut window, [0.4, 0.5, 0.8, 0.9], SHIFT);
    let b = last(&window);
    assert_eq!(window.state().count(), (Some(count(&|i| holds(a, i) || holds(b, i))), true));
    assert!(has_label(&window, "filter shapes x × y"));
    sweep(&mut window, [0.2, 0.3, 0.45, 0.6], ALT);
    let c = last(&window);
    let passes = |i: usize| (holds(a, i) || holds(b, i)) && !holds(c, i);
    assert_eq!(window.state().count(), (Some(count(&passes)), true));
    // Of what an inverted filter lets pass, Shift adds to it all the same.
    window.get_by_label_contains("invert filter").click();
    settle(&mut window);
    assert_eq!(window.state().count(), (Some(count(&|i| !passes(i))), true));
    sweep(&mut window, [0.4, 0.5, 0.8, 0.9], SHIFT);
    assert_eq!(window.state().count(), (Some(count(&|i| !passes(i) || holds(b, i))), true));
    for _ in 0..4 {
        undo(&mut window);
    }
    assert_eq!(filter(&window), first, "each is one step of undo");
    undo(&mut window);
    sweep(&mut window, [0.1, 0.2, 0.5, 0.7], ALT);
    assert_eq!(last(&window), a);
    assert_eq!(window.state().count(), (Some(count(&|i| !holds(a, i))), true));
}

#[test]
fn an_interval_is_added_by_typing_as_by_shift() {
    let rows = rows();
    let mut window = window_on(dataset(&rows));
    let interval = PredicateSpec::Interval { expr: "x".to_owned(), lo: 10.0, hi: 20.0 };
    window.state_mut().push(Command::SetFilter(FilterSpec::new(interval), Gesture::Begin));
    settle(&mut window);
    window.get_by_label("filter x 10 … 20").click();
    settle(&mut window);
    window.get_by_label("+ interval").click();
    settle(&mut window);
    window.get_by_role_and_label(Role::TextInput, "x from (2)").focus();
    window.get_by_role_and_label(Role::TextInput, "x from (2)").type_text("50");
    window.get_by_label("missing values too").click();
    settle(&mut window);
    window.get_by_label("Apply").click();
    settle(&mut window);
    assert_eq!(brushed(&window).intervals, [(10.0, 20.0), (50.0, f64::INFINITY)]);
    assert!(brushed(&window).missing);
    check(&window, &rows);
    assert!(has_label(&window, "filter x 10 … 20 or ≥ 50 or missing"));
}

#[test]
fn infinite_values_are_beyond_the_ends_and_pass_with_them() {
    let values: Vec<Option<f64>> = (0..400)
        .map(|i| match i % 10 {
            0 => Some(f64::INFINITY),
            1 => Some(f64::NEG_INFINITY),
            2 => Some(f64::NAN),
            3 => None,
            _ => Some(f64::from(i)),
        })
        .collect();
    let column: ArrayRef = Arc::new(Float64Array::from(values));
    let table: Arc<Dataset> = table(vec![("x", column)]);
    let mut window = window_on(table);
    for (end, expected) in [("above the axis", 40), ("below the axis", 40), ("missing", 80)] {
        window.get_by_label_contains(&format!("x {end}, ")).click();
        settle(&mut window);
        assert_eq!(window.state().count(), (Some(expected), true), "{end}");
    }
}
