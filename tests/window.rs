//! The window without a screen, driven by accessible names as a person with a screen reader would.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Float64Array, StringArray, UInt64Array};
use arrow::datatypes::DataType;
use egui::{Key, Modifiers, Pos2, Rect};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use outcrop::app::{App, Start};
use outcrop::data::{Field, Schema, group_digits};
use outcrop::dataset::{Dataset, ReadError, Source};
use outcrop::query::Answer;
use outcrop::session::{Command, PredicateSpec, ThemeChoice, ViewId, ViewKind};

use super::common::{Random, table};

pub(crate) const ROWS: usize = 4000;

/// Columns `x` (some missing), `y` and `kind` of a small table.
pub(crate) struct Rows {
    pub(crate) x: Vec<Option<f64>>,
    pub(crate) y: Vec<f64>,
    pub(crate) kind: Vec<&'static str>,
}

pub(crate) fn rows() -> Rows {
    let mut random = Random::new(7);
    let mut rows = Rows { x: Vec::new(), y: Vec::new(), kind: Vec::new() };
    for i in 0..ROWS {
        let x = random.unit() * 100.0;
        rows.x.push((i % 50 != 0).then_some(x));
        rows.y.push(x / 2.0 + random.unit() * 50.0);
        rows.kind.push(["alpha", "beta", "gamma"][random.below(3) as usize]);
    }
    rows
}

pub(crate) fn dataset(rows: &Rows) -> Arc<Dataset> {
    let x: ArrayRef = Arc::new(Float64Array::from(rows.x.clone()));
    let y: ArrayRef = Arc::new(Float64Array::from(rows.y.clone()));
    let kind: ArrayRef = Arc::new(StringArray::from(rows.kind.clone()));
    table(vec![("x", x), ("y", y), ("kind", kind)])
}

fn window() -> Harness<'static, App> {
    Harness::builder()
        .with_size([1280.0, 800.0])
        .build_eframe(|context| App::new(&context.egui_ctx, Start::default()).unwrap())
}

pub(crate) fn window_on(dataset: Arc<Dataset>) -> Harness<'static, App> {
    let mut window = window();
    window.state_mut().show(PathBuf::from("made-up.arrow"), dataset);
    settle(&mut window);
    window
}

/// Paints frames until nothing is asked, running or late any more.
pub(crate) fn settle(window: &mut Harness<'static, App>) {
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut calm = 0;
    while calm < 4 {
        window.step();
        calm = if window.state().is_settled() { calm + 1 } else { 0 };
        assert!(Instant::now() < deadline, "the window does not settle");
        std::thread::sleep(Duration::from_millis(1));
    }
    window.check_accessibility();
}

pub(crate) fn rect_of(window: &Harness<'static, App>, name: &str) -> Rect {
    window.get_by_label(name).rect()
}

/// Drags from one point to another in eight moves.
pub(crate) fn drag(window: &mut Harness<'static, App>, from: Pos2, to: Pos2) {
    let path: Vec<Pos2> = (1..=8).map(|i| from.lerp(to, i as f32 / 8.0)).collect();
    drag_along(window, from, &path, Modifiers::NONE);
}

/// Drags from a point along others while keys are held.
pub(crate) fn drag_along(
    window: &mut Harness<'static, App>,
    from: Pos2,
    path: &[Pos2],
    modifiers: Modifiers,
) {
    window.hover_at(from);
    window.event(egui::Event::ModifiersChanged(modifiers));
    window.step();
    window.drag_at(from);
    window.step();
    for &at in path {
        window.hover_at(at);
        window.step();
    }
    window.drop_at(*path.last().unwrap_or(&from));
    window.event(egui::Event::ModifiersChanged(Modifiers::NONE));
    settle(window);
}

/// Presses and lets go at one place while keys are held.
pub(crate) fn click_at(window: &mut Harness<'static, App>, at: Pos2, modifiers: Modifiers) {
    drag_along(window, at, &[], modifiers);
}

/// A place inside a rectangle, in parts of its width and height from the upper left.
pub(crate) fn within(rect: Rect, x: f32, y: f32) -> Pos2 {
    rect.min + rect.size() * egui::vec2(x, y)
}

pub(crate) fn view(window: &Harness<'static, App>, kind: ViewKind, column: &str) -> ViewId {
    let document = window.state().session().document();
    let is_it = |axis: &outcrop::session::AxisSpec| axis.expr == column;
    let found = document.views.iter().find(|view| view.kind == kind && view.x.as_ref().is_some_and(is_it));
    found.unwrap().id
}

/// The counts a view shows.
pub(crate) fn counts(window: &Harness<'static, App>, id: ViewId) -> Vec<u64> {
    match window.state().view(id).unwrap().shown().unwrap().selected.as_ref() {
        Answer::Grid(grid) => grid.counts.clone(),
        Answer::Groups(groups) => groups.counts.clone(),
        Answer::Index(_) | Answer::Cube(_) => Vec::new(),
    }
}

fn interval(window: &Harness<'static, App>) -> (f64, f64) {
    match &window.state().session().document().filters[0].predicate {
        PredicateSpec::Interval { lo, hi, .. } => (*lo, *hi),
        other => panic!("not an interval: {other:?}"),
    }
}

pub(crate) fn has_label(window: &Harness<'static, App>, text: &str) -> bool {
    window.query_all_by_label_contains(text).next().is_some()
}

#[test]
fn a_brush_changes_count_chip_and_other_views_and_clearing_returns_them_bit_for_bit() {
    let rows = rows();
    let mut window = window_on(dataset(&rows));
    let (x, y) = (view(&window, ViewKind::Histogram, "x"), view(&window, ViewKind::Histogram, "y"));
    let kinds = view(&window, ViewKind::Bars, "kind");
    let before = [x, y, kinds].map(|id| counts(&window, id));
    assert!(has_label(&window, &format!("{0} of {0} rows", group_digits(ROWS as u64))));

    let plot = rect_of(&window, "Histogram of x");
    drag(&mut window, within(plot, 0.2, 0.5), within(plot, 0.6, 0.4));
    let (lo, hi) = interval(&window);
    assert!((10.0..30.0).contains(&lo) && (50.0..70.0).contains(&hi), "{lo} {hi}");
    let passes = |i: &usize| rows.x[*i].is_some_and(|x| x >= lo && x < hi);
    let passing = (0..ROWS).filter(passes).count() as u64;
    assert_eq!(window.state().count(), (Some(passing), true));
    let text = format!("{} of {} rows", group_digits(passing), group_digits(ROWS as u64));
    assert!(has_label(&window, &text));
    assert!(has_label(&window, "filter x "), "there is a chip");

    assert_eq!(counts(&window, x), before[0], "a view never filters itself");
    let axis = &window.state().view(y).unwrap().axes()[0];
    let mut expected = vec![0; axis.bins.slots()];
    for i in (0..ROWS).filter(passes) {
        expected[axis.bins.bin_of(rows.y[i]).unwrap()] += 1;
    }
    assert_eq!(counts(&window, y), expected);
    let of_kind = |kind| (0..ROWS).filter(passes).filter(|&i| rows.kind[i] == kind).count() as u64;
    assert_eq!(counts(&window, kinds), ["alpha", "beta", "gamma"].map(of_kind));

    window.hover_at(within(plot, 0.4, 0.5));
    window.key_press(Key::Escape);
    settle(&mut window);
    assert!(window.state().session().filters().is_empty());
    assert_eq!([x, y, kinds].map(|id| counts(&window, id)), before);
    assert_eq!(window.state().count(), (Some(ROWS as u64), true));
    assert!(!has_label(&window, "remove filter"), "nothing stays drawn");
}

#[test]
fn a_brush_is_moved_resized_nudged_and_one_drag_is_one_step_of_undo() {
    let mut window = window_on(dataset(&rows()));
    let plot = rect_of(&window, "Histogram of x");
    drag(&mut window, within(plot, 0.2, 0.5), within(plot, 0.4, 0.5));
    let (lo, hi) = interval(&window);
    drag(&mut window, within(plot, 0.3, 0.5), within(plot, 0.5, 0.5));
    let moved = interval(&window);
    assert!((moved.1 - moved.0 - (hi - lo)).abs() < 1e-9 && moved.0 > lo, "moved as it is");
    let edge = rect_of(&window, "brush x, upper edge").center();
    drag(&mut window, edge, within(plot, 0.8, 0.5));
    let resized = interval(&window);
    assert!(resized.0 == moved.0 && resized.1 > moved.1, "resized at its edge");

    window.get_by_label("brush x, lower edge").focus();
    window.step();
    window.step();
    window.key_press(Key::ArrowRight);
    settle(&mut window);
    let bin = window.state().view(view(&window, ViewKind::Histogram, "x")).unwrap().axes()[0].bins.edges()[1];
    assert_eq!(interval(&window), (resized.0 + bin, resized.1));
    window.key_press_modifiers(Modifiers::SHIFT, Key::ArrowLeft);
    settle(&mut window);
    assert_eq!(interval(&window).0, resized.0 + bin - 10.0 * bin, "by ten bins");

    window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    settle(&mut window);
    assert_eq!(interval(&window), resized);
    for _ in 0..2 {
        window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
        settle(&mut window);
    }
    assert_eq!(interval(&window), (lo, hi));
    window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    settle(&mut window);
    assert!(window.state().session().filters().is_empty());
}

#[test]
fn a_rectangle_on_the_heatmap_filters_by_both_axes() {
    let rows = rows();
    let mut window = window_on(dataset(&rows));
    let plot = rect_of(&window, "Heatmap of x and y");
    drag(&mut window, within(plot, 0.25, 0.25), within(plot, 0.75, 0.75));
    let PredicateSpec::Rect { x_range, y_range, .. } =
        window.state().session().document().filters[0].predicate.clone()
    else {
        panic!("no rectangle");
    };
    let inside = |value: f64, [lo, hi]: [f64; 2]| value >= lo && value < hi;
    let passes = |i: &usize| rows.x[*i].is_some_and(|x| inside(x, x_range)) && inside(rows.y[*i], y_range);
    let passing = (0..ROWS).filter(passes).count() as u64;
    assert!(passing > 0 && passing < ROWS as u64);
    assert_eq!(window.state().count(), (Some(passing), true));
    // A view of one of its axes follows the rectangle: the plane is a dimension of its own.
    let x = view(&window, ViewKind::Histogram, "x");
    assert_eq!(counts(&window, x).iter().sum::<u64>(), passing);
}

#[test]
fn a_click_on_a_bar_filters_and_shift_adds() {
    let rows = rows();
    let mut window = window_on(dataset(&rows));
    let count = |kinds: &[&str]| rows.kind.iter().filter(|kind| kinds.contains(kind)).count() as u64;
    window.get_by_label_contains("beta, ").click();
    settle(&mut window);
    assert_eq!(window.state().count(), (Some(count(&["beta"])), true));
    window.get_by_label_contains("gamma, ").click_modifiers(Modifiers::SHIFT);
    settle(&mut window);
    assert_eq!(window.state().count(), (Some(count(&["beta", "gamma"])), true));
    assert!(has_label(&window, "filter kind: beta, gamma"));
    window.get_by_label_contains("invert filter").click();
    settle(&mut window);
    assert_eq!(window.state().count(), (Some(count(&["alpha"])), true));
    window.get_by_label_contains("beta, gamma on").click();
    window.get_by_label("Clear all").click();
    settle(&mut window);
    assert_eq!(window.state().count(), (Some(ROWS as u64), true));
}

#[test]
fn a_typed_filter_shows_its_error_and_then_filters() {
    let rows = rows();
    let mut window = window_on(dataset(&rows));
    window.get_by_label("+ filter").click();
    window.step();
    window.step();
    window.get_by_label("Expression").type_text("x > 50 andd");
    window.step();
    window.key_press(Key::Enter);
    settle(&mut window);
    assert!(window.state().session().filters().is_empty(), "what is wrong filters nothing");
    window.get_by_label("Expression").focus();
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.get_by_label("Expression").type_text("x > 50 and kind == \"beta\"");
    window.step();
    window.key_press(Key::Enter);
    settle(&mut window);
    let passes = |i: &usize| rows.x[*i].is_some_and(|x| x > 50.0) && rows.kind[*i] == "beta";
    assert_eq!(window.state().count(), (Some((0..ROWS).filter(passes).count() as u64), true));
}

#[test]
fn a_file_that_cannot_be_opened_is_named_with_the_reason_and_the_window_goes_on() {
    let mut window = window();
    settle(&mut window);
    assert!(has_label(&window, "Open a table to explore it"));
    let missing = PathBuf::from("no-such-folder/no-such-file.arrow");
    window.state_mut().push(Command::Open(missing));
    settle(&mut window);
    assert!(has_label(&window, "no-such-file.arrow: no such file"));
    window.get_by_label("dismiss").click();
    settle(&mut window);
    assert!(!has_label(&window, "no such file"));
    window.state_mut().show(PathBuf::from("made-up.arrow"), dataset(&rows()));
    settle(&mut window);
    assert_eq!(window.state().count(), (Some(ROWS as u64), true));
}

#[test]
fn the_theme_is_chosen_and_undone_like_any_change() {
    let mut window = window_on(dataset(&rows()));
    window.state_mut().push(Command::SetTheme(ThemeChoice::Dark));
    settle(&mut window);
    assert_eq!(window.ctx.theme(), egui::Theme::Dark);
    window.state_mut().push(Command::Undo);
    window.state_mut().push(Command::SetTheme(ThemeChoice::Light));
    settle(&mut window);
    assert_eq!(window.ctx.theme(), egui::Theme::Light);
}

/// A table too long to hold: every value is its row's number.
struct Endless {
    schema: Schema,
}

impl Source for Endless {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn row_count(&self) -> u64 {
        1_000_000_000
    }

    fn read(&self, _: usize, rows: Range<u64>) -> Result<ArrayRef, ReadError> {
        Ok(Arc::new(UInt64Array::from_iter_values(rows)))
    }

    fn identity(&self) -> String {
        "endless".to_owned()
    }
}

#[test]
fn the_last_of_a_billion_rows_is_reached_by_a_key_and_by_its_number() {
    let schema = Schema::new(vec![Field::new("number", DataType::UInt64)]);
    let mut window = window();
    window.state_mut().show(PathBuf::from("endless"), Arc::new(Dataset::new(Arc::new(Endless { schema }))));
    // Only the rows are wanted here: the other views would read everything.
    for id in 1..=1 {
        window.state_mut().push(Command::RemoveView(ViewId(id)));
    }
    settle(&mut window);
    let document = window.state().session().document().clone();
    assert!(document.views.iter().all(|view| view.kind == ViewKind::Rows), "{:?}", document.views);
    let rows = document.views[0].id;
    let table = rect_of(&window, "Table of rows");
    window.drag_at(table.center());
    window.step();
    window.drop_at(table.center());
    window.step();
    window.key_press(Key::End);
    settle(&mut window);
    let position = window.state().view(rows).unwrap().first_row();
    assert!(position > 999_999_900 && position < 1_000_000_000, "{position}");
    window.get_by_label("go to row").focus();
    window.get_by_label("go to row").type_text("123 456 789");
    window.key_press(Key::Enter);
    settle(&mut window);
    assert_eq!(window.state().view(rows).unwrap().first_row(), 123_456_789);
}

#[test]
fn of_a_hundred_thousand_columns_only_those_on_screen_are_drawn() {
    let values: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.0, 3.0]));
    let names: Vec<String> = (0..100_000).map(|i| format!("column {i}")).collect();
    let mut window = window_on(table(names.iter().map(|name| (name.as_str(), values.clone())).collect()));
    let drawn = window.query_all_by_label_contains("column 1").count();
    assert!(drawn < 60, "{drawn}");
    window.get_by_label("search columns").focus();
    window.get_by_label("search columns").type_text("99999");
    settle(&mut window);
    assert!(has_label(&window, "column 99999"));
}

#[test]
fn an_export_holds_what_passes_all_filters() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.csv");
    let mut window = window_on(dataset(&rows()));
    let plot = rect_of(&window, "Histogram of x");
    drag(&mut window, within(plot, 0.2, 0.5), within(plot, 0.6, 0.5));
    let (Some(passing), true) = window.state().count() else { panic!("not counted") };
    window.key_press_modifiers(Modifiers::COMMAND, Key::E);
    window.step();
    window.step();
    window.get_by_label("path").focus();
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.get_by_label("path").type_text(&path.display().to_string());
    settle(&mut window);
    window.get_by_label("Export").click();
    settle(&mut window);
    let mut reader = std::fs::read_to_string(&path).unwrap();
    reader.retain(|c| c != '\r');
    let mut lines = reader.lines();
    assert_eq!(lines.next(), Some("x_lower,x_centre,x_upper,count"));
    let total: u64 = lines.map(|line| line.rsplit(',').next().unwrap().parse::<u64>().unwrap()).sum();
    assert_eq!(total, passing);
}
