//! The editor of expressions, by accessible names: what it shows while one types, how it completes, how
//! a mistake is put right.

use std::time::{Duration, Instant};

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use outcrop::app::App;
use outcrop::session::{Command, PredicateSpec, ViewKind};

use super::window::{ROWS, dataset, has_label, rect_of, rows, settle, view, window_on, within};

type Window = Harness<'static, App>;

fn window() -> Window {
    window_on(dataset(&rows()))
}

fn steps(window: &mut Window, count: usize) {
    for _ in 0..count {
        window.step();
    }
}

fn type_text(window: &mut Window, text: &str) {
    window.get_by_label("Expression").type_text(text);
    steps(window, 2);
}

fn press(window: &mut Window, key: Key) {
    window.key_press(key);
    steps(window, 3);
}

/// Opens what a button opens and goes to its expression.
fn open(window: &mut Window, button: &str) {
    window.get_by_label(button).click();
    steps(window, 4);
    if button == "+ new column" {
        assert!(window.get_by_label("column name").is_focused(), "what it is called is asked first");
        press(window, Key::Enter);
    }
    assert!(window.get_by_label("Expression").is_focused());
}

fn typed(window: &Window) -> String {
    window.get_by_label("Expression").value().unwrap_or_default()
}

/// Opens the dialog of a virtual column and types another name.
fn name_anew(window: &mut Window, from: &str, to: &str) {
    // On its name: its distribution below has a menu of its own.
    let at = within(rect_of(window, from), 0.3, 0.1);
    window.hover_at(at);
    window.step();
    for pressed in [true, false] {
        let (button, modifiers) = (egui::PointerButton::Secondary, Modifiers::NONE);
        window.event(egui::Event::PointerButton { pos: at, button, pressed, modifiers });
        window.step();
    }
    steps(window, 4);
    window.get_by_label("Edit…").click();
    steps(window, 4);
    window.get_by_label("column name").focus();
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.get_by_label("column name").type_text(to);
    steps(window, 3);
}

fn wait_for(window: &mut Window, text: &str) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !has_label(window, text) {
        window.step();
        assert!(Instant::now() < deadline, "`{text}` is not shown");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn typing_shows_the_type_and_the_first_ten_values() {
    let rows = rows();
    let mut window = window_on(dataset(&rows));
    open(&mut window, "+ new column");
    type_text(&mut window, "sqrt(y) // 1");
    assert!(has_label(&window, "Type: a number (float64)"));
    let values: Vec<String> = rows.y[..10].iter().map(|y| format!("{:?}", y.sqrt().floor())).collect();
    wait_for(&mut window, &format!("Preview of sqrt(y) // 1: {}", values.join(", ")));
    // `x` is missing in the first row.
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    type_text(&mut window, "x > 1e9");
    assert!(has_label(&window, "Type: true/false"));
    wait_for(&mut window, "Preview of x > 1000000000.0: false, false, false");
    // While the text is wrong the rows last seen stay.
    type_text(&mut window, " and");
    assert!(has_label(&window, "Earlier preview of x > 1000000000.0"));
    window.check_accessibility();
}

#[test]
fn a_typo_is_said_and_its_suggestion_is_one_click() {
    let mut window = window();
    open(&mut window, "+ filter");
    type_text(&mut window, "knid == 'beta'");
    assert!(has_label(&window, "there is no column knid"));
    assert!(has_label(&window, "Add filter"));
    window.get_by_label("Use kind").click();
    steps(&mut window, 3);
    assert_eq!(typed(&window), "kind == 'beta'");
    assert!(!has_label(&window, "there is no column"));
    assert!(window.get_by_label("Expression").is_focused(), "one types on");
    press(&mut window, Key::Enter);
    settle(&mut window);
    let filters = &window.state().session().document().filters;
    assert_eq!(filters[0].predicate, PredicateSpec::Where { text: "kind == 'beta'".to_owned() });
}

#[test]
fn completions_are_chosen_by_keys_and_by_hand() {
    let mut window = window();
    open(&mut window, "+ new column");
    type_text(&mut window, "2 * sqr");
    assert!(has_label(&window, "Completion sqrt"));
    press(&mut window, Key::Tab);
    assert_eq!(typed(&window), "2 * sqrt(");
    type_text(&mut window, "ki");
    window.get_by_label("Completion kind").click();
    steps(&mut window, 3);
    assert_eq!(typed(&window), "2 * sqrt(kind");
    assert!(window.get_by_label("Expression").is_focused());

    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    type_text(&mut window, "str_l");
    let offered: Vec<String> = window
        .query_all_by_label_contains("Completion str_l")
        .filter_map(|node| node.accesskit_node().label())
        .map(|label| label.trim_start_matches("Completion ").to_owned())
        .collect();
    assert!(offered.len() > 2, "{offered:?}");
    press(&mut window, Key::ArrowDown);
    press(&mut window, Key::ArrowDown);
    press(&mut window, Key::ArrowUp);
    press(&mut window, Key::Enter);
    assert_eq!(typed(&window), format!("{}(", offered[1]), "the second of {offered:?}");

    // Escape puts the list aside, and the dialog stays; another closes it.
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    type_text(&mut window, "sq");
    press(&mut window, Key::Escape);
    assert_eq!(typed(&window), "sq");
    press(&mut window, Key::Escape);
    assert!(!has_label(&window, "Expression"));
}

#[test]
fn letters_with_others_between_find_a_name_and_enter_needs_no_list_for_what_is_right() {
    let mut window = window();
    open(&mut window, "+ filter");
    type_text(&mut window, "hvsn");
    assert!(has_label(&window, "Completion haversine"));
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    // `x` is also the beginning of other names, but right as it is.
    type_text(&mut window, "50 < x");
    press(&mut window, Key::Enter);
    settle(&mut window);
    let passing = rows().x.iter().flatten().filter(|x| **x > 50.0).count() as u64;
    assert_eq!(window.state().count(), (Some(passing), true));
}

#[test]
fn a_typed_filter_is_edited_in_the_same_editor() {
    let mut window = window();
    open(&mut window, "+ filter");
    type_text(&mut window, "x > 50");
    press(&mut window, Key::Enter);
    settle(&mut window);
    open(&mut window, "filter x > 50");
    assert_eq!(typed(&window), "x > 50");
    type_text(&mut window, " or y > 0 + x - x");
    window.get_by_label("Apply").click();
    settle(&mut window);
    let filters = &window.state().session().document().filters;
    let text = "x > 50 or y > 0 + x - x".to_owned();
    assert_eq!(filters[0].predicate, PredicateSpec::Where { text });
    let (Some(passing), true) = window.state().count() else { panic!("not counted") };
    assert!(passing > 0 && passing < ROWS as u64);
}

#[test]
fn what_is_no_condition_is_no_filter() {
    let mut window = window();
    open(&mut window, "+ filter");
    type_text(&mut window, "x + 1");
    assert!(has_label(&window, "a filter is true or false for each row; this is a number"));
    press(&mut window, Key::Enter);
    settle(&mut window);
    assert!(window.state().session().filters().is_empty());
}

#[test]
fn an_axis_takes_a_column_or_an_expression() {
    let mut window = window();
    let id = view(&window, ViewKind::Histogram, "x");
    let axis =
        |window: &Window| window.state().session().document().view(id).unwrap().x.clone().unwrap().expr;
    open(&mut window, "x axis of Histogram of x: x");
    window.get_by_label("Completion y").click();
    settle(&mut window);
    assert_eq!(axis(&window), "y");
    let button = "x axis of Histogram of y: y";
    let buttons: Vec<_> = window.query_all_by_label(button).map(|node| node.rect()).collect();
    window.hover_at(buttons[0].center());
    window.drag_at(buttons[0].center());
    window.drop_at(buttons[0].center());
    steps(&mut window, 4);
    type_text(&mut window, "log10(y + 1)");
    press(&mut window, Key::Enter);
    settle(&mut window);
    assert_eq!(axis(&window), "log10(y + 1)");
    // An expression is worked on rather than typed anew.
    open(&mut window, "x axis of Histogram of log10(y + 1): log10(y + 1)");
    assert_eq!(typed(&window), "log10(y + 1)");
}

#[test]
fn a_measure_is_an_aggregate_of_an_expression() {
    let mut window = window();
    let id = view(&window, ViewKind::Histogram, "x");
    let measure = |window: &Window| window.state().session().document().view(id).unwrap().measure.clone();
    open(&mut window, "measure of Histogram of x: count");
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    type_text(&mut window, "maen(y)");
    assert!(has_label(&window, "is no aggregate"));
    window.get_by_label("Use mean").click();
    steps(&mut window, 3);
    assert_eq!(typed(&window), "mean(y)");
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    type_text(&mut window, "mean(y * 2)");
    wait_for(&mut window, "Preview of y * 2");
    press(&mut window, Key::Enter);
    settle(&mut window);
    assert_eq!(measure(&window), "mean(y * 2)");
    // A formula goes on among aggregates, a condition among columns.
    open(&mut window, "measure of Histogram of x: mean(y * 2)");
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    type_text(&mut window, "sum(y) / cou");
    assert!(window.query_by_label("Completion count").is_some());
    type_text(&mut window, "nt where x > 0");
    press(&mut window, Key::Enter);
    settle(&mut window);
    assert_eq!(measure(&window), "sum(y) / count where x > 0");
}

#[test]
fn every_aggregate_is_in_the_reference() {
    let mut window = window();
    window.get_by_label("Help").click();
    steps(&mut window, 3);
    window.get_by_label_contains("Functions").click();
    steps(&mut window, 3);
    window.get_by_label("search functions").type_text("correlation");
    steps(&mut window, 3);
    window.get_by_label("Function corr").click();
    steps(&mut window, 3);
    assert!(has_label(&window, "corr(x, y)"));
    assert!(has_label(&window, "corr(distance, fare)"));
}

#[test]
fn every_function_is_in_the_reference_and_can_be_searched() {
    let mut window = window();
    window.get_by_label("Help").click();
    steps(&mut window, 3);
    window.get_by_label_contains("Functions").click();
    steps(&mut window, 3);
    window.get_by_label("search functions").type_text("distance sphere");
    steps(&mut window, 3);
    window.get_by_label("Function haversine").click();
    steps(&mut window, 3);
    assert!(has_label(&window, "haversine(lon1, lat1, lon2, lat2"));
    window.check_accessibility();
    window.get_by_label("Close").click();
    steps(&mut window, 3);
    assert!(!has_label(&window, "search functions"));
}

#[test]
fn a_variable_is_made_dragged_renamed_and_kept_while_it_is_used() {
    let rows = rows();
    let mut window = window();
    let passing = |limit: f64| rows.x.iter().flatten().filter(|x| **x > limit).count() as u64;
    window.get_by_label("+ variable").click();
    steps(&mut window, 4);
    window.get_by_label("variable name").type_text("kind");
    window.get_by_label("variable value").focus();
    steps(&mut window, 2);
    window.get_by_label("variable value").type_text("2 * 20 + 10");
    steps(&mut window, 2);
    assert!(has_label(&window, "there is a column of this name"));
    window.get_by_label("variable name").focus();
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.get_by_label("variable name").type_text("limit");
    steps(&mut window, 2);
    window.get_by_label("Set").click();
    settle(&mut window);
    assert_eq!(window.state().session().document().variables["limit"], 50.0);

    open(&mut window, "+ filter");
    type_text(&mut window, "x > lim");
    assert!(window.query_by_label("Completion limit").is_some(), "variables are completed");
    press(&mut window, Key::Tab);
    press(&mut window, Key::Enter);
    settle(&mut window);
    assert_eq!(window.state().count(), (Some(passing(50.0)), true));

    // A drag of its number moves the filter, and is one step of undo.
    let at = window.get_by_label("value of limit").rect().center();
    super::window::drag(&mut window, at, at + egui::vec2(40.0, 0.0));
    let dragged = window.state().session().document().variables["limit"];
    assert!(dragged > 50.0, "{dragged}");
    assert_eq!(window.state().count(), (Some(passing(dragged)), true));
    window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    settle(&mut window);
    assert_eq!(window.state().count(), (Some(passing(50.0)), true));

    window.get_by_label("remove variable limit").click();
    settle(&mut window);
    assert!(has_label(&window, "limit is used by a filter"));
    window.get_by_label("dismiss").click();
    settle(&mut window);
    window.get_by_label("variable limit").click_secondary();
    steps(&mut window, 4);
    window.get_by_label("Edit…").click();
    steps(&mut window, 4);
    window.get_by_label("variable name").focus();
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.get_by_label("variable name").type_text("most");
    steps(&mut window, 2);
    window.get_by_label("Set").click();
    settle(&mut window);
    assert!(has_label(&window, "filter x > most"));
    assert_eq!(window.state().count(), (Some(passing(50.0)), true));
    window.get_by_label("Clear all").click();
    settle(&mut window);
    window.get_by_label("remove variable most").click();
    settle(&mut window);
    assert!(window.state().session().document().variables.is_empty());
}

#[test]
fn a_virtual_column_is_renamed_in_its_dialog_and_wherever_it_is_used() {
    let rows = rows();
    let mut window = window();
    for (name, text) in [("twice", "x * 2"), ("more", "twice + 1")] {
        window.state_mut().push(Command::DefineColumn { name: name.to_owned(), text: text.to_owned() });
    }
    settle(&mut window);
    open(&mut window, "+ filter");
    type_text(&mut window, "more > 100");
    press(&mut window, Key::Enter);
    settle(&mut window);
    let passing = rows.x.iter().flatten().filter(|x| **x * 2.0 + 1.0 > 100.0).count() as u64;
    assert_eq!(window.state().count(), (Some(passing), true));

    // A name that is taken is refused, and said so.
    name_anew(&mut window, "twice", "kind");
    assert!(has_label(&window, "there is a column kind"));
    window.get_by_label("Cancel").click();
    settle(&mut window);
    for (from, to) in [("twice", "double x"), ("more", "most")] {
        name_anew(&mut window, from, to);
        window.get_by_label("Define").click();
        settle(&mut window);
    }
    let document = window.state().session().document();
    let columns: Vec<(&str, &str)> =
        document.columns.iter().map(|column| (column.name.as_str(), column.text.as_str())).collect();
    assert_eq!(columns, [("double x", "x * 2"), ("most", "`double x` + 1")]);
    assert!(has_label(&window, "filter most > 100"));
    assert_eq!(window.state().count(), (Some(passing), true));
}

#[test]
fn values_that_overflow_are_counted_where_they_are_shown() {
    use arrow::array::{ArrayRef, Int64Array};
    let big: ArrayRef = std::sync::Arc::new(Int64Array::from_iter_values((0..1000).map(|i| i << 52)));
    let mut window = window_on(super::common::table(vec![("big", big)]));
    open(&mut window, "measure of Histogram of big: count");
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    type_text(&mut window, "count(big * 4)");
    press(&mut window, Key::Enter);
    settle(&mut window);
    // 4 * (i << 52) exceeds 64 bits with a sign from i = 512.
    assert!(has_label(&window, "big * 4: 488 values overflowed and are missing"));
}
