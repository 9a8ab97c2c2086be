//! The list of columns and the settings of a view, driven by their names.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use outcrop::session::{Brushed, ColumnSpec, Command, Fit, ViewKind, ViewSpec};

use super::common::{Random, table};
use super::window::{ROWS, counts, dataset, drag, has_label, rect_of, rows, settle, view, window_on, within};

#[test]
fn a_small_distribution_in_the_list_of_columns_is_a_brush_like_any_other() {
    let rows = rows();
    let mut window = window_on(dataset(&rows));
    let x = view(&window, ViewKind::Histogram, "x");
    window.state_mut().push(Command::RemoveView(x));
    settle(&mut window);
    let place = rect_of(&window, "distribution of x");
    drag(&mut window, within(place, 0.25, 0.5), within(place, 0.5, 0.5));
    let filters = window.state().session().document().filters.clone();
    let brushed = Brushed::of(&filters[0].predicate).unwrap();
    let (lo, hi) = brushed.intervals[0];
    assert!((15.0..35.0).contains(&lo) && (40.0..60.0).contains(&hi), "{brushed:?}");
    let passing = rows.x.iter().flatten().filter(|&&x| brushed.contains(x)).count() as u64;
    assert_eq!(window.state().count(), (Some(passing), true));
    let y = view(&window, ViewKind::Histogram, "y");
    assert_eq!(counts(&window, y).iter().sum::<u64>(), passing);
    window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    settle(&mut window);
    assert!(window.state().session().filters().is_empty(), "one drag is one step");

    let beta = rows.kind.iter().filter(|kind| **kind == "beta").count() as u64;
    window.get_by_label_contains("beta in the list of columns").click();
    settle(&mut window);
    assert_eq!(window.state().count(), (Some(beta), true));
    assert!(has_label(&window, "filter kind: beta"));
}

#[test]
fn a_card_of_numbers_is_shown_while_the_pointer_rests_on_a_column() {
    let rows = rows();
    let mut window = window_on(dataset(&rows));
    let name = window.get_by_role_and_label(Role::Button, "x").rect();
    window.hover_at(name.left_top() + egui::vec2(40.0, 10.0));
    for _ in 0..40 {
        window.step();
        settle(&mut window);
        if has_label(&window, "missing") && has_label(&window, "mean") {
            break;
        }
    }
    let missing = rows.x.iter().filter(|x| x.is_none()).count();
    assert!(has_label(&window, &format!("{missing} (2.0\u{2009}%)")), "of {ROWS}");
}

#[test]
fn an_axis_leaves_outliers_outside_says_so_and_shows_them_on_a_click() {
    let mut random = Random::new(3);
    let mut values: Vec<f64> = (0..5000).map(|_| random.unit() * 20.0).collect();
    values.extend([1e6, -3e5, f64::NAN]);
    let column: ArrayRef = Arc::new(Float64Array::from(values));
    let mut window = window_on(table(vec![("fare", column)]));
    let id = view(&window, ViewKind::Histogram, "fare");
    let bins = |window: &egui_kittest::Harness<'static, outcrop::app::App>| {
        window.state().view(id).unwrap().axes()[0].bins.clone()
    };
    assert!(bins(&window).hi() <= 21.0 && bins(&window).lo() >= -1.0, "{}", bins(&window));
    assert_eq!(counts(&window, id).iter().sum::<u64>(), 5003, "no row is lost");
    assert!(has_label(&window, "fare above the axis, "));
    assert!(has_label(&window, "fare below the axis, "));
    window.get_by_label("full extent of fare").click();
    settle(&mut window);
    assert!(bins(&window).hi() >= 1e6 && bins(&window).lo() <= -3e5);
    window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    settle(&mut window);
    assert!(bins(&window).hi() <= 21.0);
}

#[test]
fn the_settings_of_a_view_change_range_scale_and_bins_and_lock_the_range() {
    let mut window = window_on(dataset(&rows()));
    let x = view(&window, ViewKind::Histogram, "x");
    let axis = |window: &egui_kittest::Harness<'static, outcrop::app::App>| {
        window.state().session().document().view(x).unwrap().x.clone().unwrap()
    };
    window.key_press_modifiers(Modifiers::COMMAND, Key::I);
    settle(&mut window);
    window.get_by_label("middle 99\u{2009}% range of x").click();
    settle(&mut window);
    assert_eq!(axis(&window).fit, Fit::Middle);
    window.get_by_role_and_label(Role::TextInput, "x to").focus();
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.get_by_role_and_label(Role::TextInput, "x to").type_text("50");
    window.step();
    window.key_press(Key::Enter);
    settle(&mut window);
    assert_eq!(axis(&window).range.unwrap()[1], 50.0);
    window.get_by_label("lock range of x").click();
    settle(&mut window);
    assert!(axis(&window).locked);
    let plot = window.get_by_role_and_label(Role::Canvas, "Histogram of x").rect();
    window.hover_at(plot.center());
    window.event(egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: egui::vec2(0.0, 50.0),
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Wheel,
        modifiers: Modifiers::NONE,
    });
    settle(&mut window);
    assert_eq!(axis(&window).range.unwrap()[1], 50.0, "the wheel leaves it alone");
    window.get_by_label("logarithmic x").click();
    settle(&mut window);
    assert!(axis(&window).log);
    for _ in 0..4 {
        window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
        settle(&mut window);
    }
    assert_eq!(axis(&window).fit, Fit::Telling);
    assert_eq!(axis(&window).range, None);
}

#[test]
fn a_virtual_column_has_a_distribution_and_its_definition_counts() {
    let rows = rows();
    let mut window = window_on(dataset(&rows));
    let twice = ColumnSpec { name: "twice".to_owned(), text: "x * 2".to_owned() };
    window.state_mut().push(Command::DefineColumn { name: twice.name, text: twice.text });
    settle(&mut window);
    let place = rect_of(&window, "distribution of twice");
    drag(&mut window, within(place, 0.5, 0.5), within(place, 0.99, 0.5));
    let filters = window.state().session().document().filters.clone();
    let brushed = Brushed::of(&filters[0].predicate).unwrap();
    let passing = rows.x.iter().flatten().filter(|&&x| brushed.contains(x * 2.0)).count() as u64;
    assert!(passing > 0);
    assert_eq!(window.state().count(), (Some(passing), true));
}

#[test]
fn the_palette_finds_an_action_by_its_name_and_enter_takes_it() {
    let mut window = window_on(dataset(&rows()));
    let views = window.state().session().document().views.len();
    window.key_press_modifiers(Modifiers::COMMAND, Key::K);
    settle(&mut window);
    window.get_by_label("command").type_text("add heat");
    settle(&mut window);
    window.key_press(Key::Enter);
    settle(&mut window);
    let document = window.state().session().document().clone();
    assert_eq!(document.views.len(), views + 1);
    assert_eq!(document.views.last().unwrap().kind, ViewKind::Heatmap);
    assert!(!has_label(&window, "command"), "the palette is closed");
    let plot = rect_of(&window, "Histogram of x");
    drag(&mut window, within(plot, 0.2, 0.2), within(plot, 0.5, 0.2));
    let before = window.state().count().0.unwrap();
    window.key_press_modifiers(Modifiers::COMMAND, Key::K);
    settle(&mut window);
    window.get_by_label("command").type_text("invert");
    settle(&mut window);
    window.key_press(Key::Enter);
    settle(&mut window);
    assert_eq!(window.state().count(), (Some(ROWS as u64 - before), true));
    window.key_press_modifiers(Modifiers::COMMAND, Key::K);
    settle(&mut window);
    window.key_press(Key::Escape);
    settle(&mut window);
    assert!(!has_label(&window, "command"));
    assert_eq!(window.state().session().filters().len(), 1, "Esc closed the palette, not the brush");
}

#[test]
fn a_number_follows_the_filters_and_says_what_it_is_of_all_rows() {
    let rows = rows();
    let mut window = window_on(dataset(&rows));
    let id = window.state().session().document().next_id();
    let mut number = ViewSpec::new(id, ViewKind::Number, None, None);
    number.measure = "mean(y)".to_owned();
    window.state_mut().push(Command::AddView(number));
    settle(&mut window);
    let mean = |of: &dyn Fn(usize) -> bool| {
        let (sum, n) = (0..ROWS).filter(|&i| of(i)).fold((0.0, 0.0), |(s, n), i| (s + rows.y[i], n + 1.0));
        sum / n
    };
    let shown = |window: &egui_kittest::Harness<'static, outcrop::app::App>, value: f64| {
        has_label(window, &format!("mean(y): {}", &value.to_string()[..5]))
    };
    assert!(shown(&window, mean(&|_| true)));
    window.get_by_label_contains("beta, ").click();
    settle(&mut window);
    assert!(shown(&window, mean(&|i| rows.kind[i] == "beta")));
}

#[test]
fn the_menu_of_a_bar_keeps_excludes_and_opens_the_bounds() {
    let rows = rows();
    let mut window = window_on(dataset(&rows));
    let count = |kind: &str| rows.kind.iter().filter(|other| **other == kind).count() as u64;
    let choose = |window: &mut egui_kittest::Harness<'static, outcrop::app::App>, bar: &str, item: &str| {
        window.get_by_label_contains(&format!("{bar}, ")).click_secondary();
        settle(window);
        window.get_by_label(item).click();
        settle(window);
    };
    choose(&mut window, "beta", "Exclude");
    assert_eq!(window.state().count(), (Some(ROWS as u64 - count("beta")), true));
    choose(&mut window, "alpha", "Exclude");
    assert_eq!(window.state().count(), (Some(count("gamma")), true));
    choose(&mut window, "alpha", "Keep only");
    assert_eq!(window.state().count(), (Some(count("alpha")), true));
    window.get_by_label("Clear all").click();
    settle(&mut window);

    let plot = rect_of(&window, "Histogram of x");
    let at = within(plot, 0.5, 0.9);
    for pressed in [true, false] {
        window.hover_at(at);
        window.event(egui::Event::PointerButton {
            pos: at,
            button: egui::PointerButton::Secondary,
            pressed,
            modifiers: Modifiers::NONE,
        });
        window.step();
    }
    settle(&mut window);
    window.get_by_label("Set bounds…").click();
    settle(&mut window);
    window.get_by_role_and_label(Role::TextInput, "x to below").focus();
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.get_by_role_and_label(Role::TextInput, "x to below").type_text("90");
    settle(&mut window);
    window.get_by_label("Apply").click();
    settle(&mut window);
    let brushed = Brushed::of(&window.state().session().document().filters[0].predicate).unwrap();
    assert_eq!(brushed.intervals[0].1, 90.0);
}
