//! The head of a table of groups: its keys, each a drop-down; a key and a measure more.

use egui::Ui;

use crate::expr::quote_name;
use crate::session::{AxisSpec, Grouping, KEY_BINS, ViewKind, ViewSpec, is_cut};
use crate::views::paint::icon::{self, Icon};
use crate::views::{ViewContext, ViewState, axes, header};

/// Shows the keys and lets one change, add and remove them.
pub(in crate::views) fn shelf(
    ui: &mut Ui,
    view: &mut ViewSpec,
    state: &mut ViewState,
    cx: &mut ViewContext<'_>,
) {
    let title = view.title();
    let mut grouping = view.grouping.clone().unwrap_or_else(|| Grouping::by(Vec::new()));
    ui.add_space(4.0);
    ui.label(egui::RichText::new("by").color(cx.theme.faint));
    let mut removed = None;
    for at in 0..grouping.keys.len() {
        let key = &mut grouping.keys[at];
        let text = axes::bare(&key.expr);
        let shown = if is_cut(key) { format!("{text} in bins") } else { text.clone() };
        let room = (ui.available_width() * 0.4).clamp(40.0, 160.0);
        let response =
            header::drop_down(ui, &shown, &format!("key {} of {title}: {text}", at + 1), true, room);
        let mut cut = is_cut(key);
        let expr = key.expr.clone();
        let is_ordinal =
            cx.session.expr(&expr).is_ok_and(|expr| crate::data::kind(expr.data_type()).is_ordinal());
        let mut is_removed = false;
        let chosen = header::dropped(ui, &response).or_else(|| {
            header::axis_form(&response, ViewKind::Groups, &expr, state, cx, |ui| {
                ui.separator();
                ui.horizontal(|ui| {
                    if is_ordinal {
                        ui.checkbox(&mut cut, "in bins").accessible_name(format!("cut {text} into bins"));
                    }
                    if ui.button("Remove key").clicked() {
                        is_removed = true;
                        ui.close();
                    }
                });
            })
        });
        if is_removed {
            removed = Some(at);
        }
        if cut != is_cut(key) {
            (key.bins, key.width) = (cut.then_some(KEY_BINS), None);
        }
        if let Some(text) = chosen {
            *key = new_key(text, cx);
        }
    }
    if let Some(at) = removed {
        grouping.keys.remove(at);
    }
    let add =
        icon::button(ui, Icon::Plus, &format!("add a key to {title}"), true).on_hover_text("group by more");
    let chosen = header::dropped(ui, &add)
        .or_else(|| header::axis_form(&add, ViewKind::Groups, "", state, cx, |_| {}));
    if let Some(text) = chosen
        && let Ok(expr) = cx.session.expr(&text)
    {
        grouping.add_key(text, &expr);
    }
    ui.add_space(cx.theme.size.unit);
    let room = (ui.available_width() - 56.0).clamp(24.0, 100.0);
    let measure = header::drop_down(ui, "+ measure", &format!("add a measure to {title}"), false, room);
    if let Some(text) = header::measure_form(&measure, "", state, cx)
        && !grouping.measures.contains(&text)
    {
        grouping.measures.push(text);
    }
    if view.grouping.as_ref().is_some_and(|before| *before != grouping) || !grouping.keys.is_empty() {
        view.grouping = Some(grouping);
    }
}

fn new_key(text: String, cx: &ViewContext<'_>) -> AxisSpec {
    let mut one = Grouping::by(Vec::new());
    match cx.session.expr(&text) {
        Ok(expr) => one.add_key(text, &expr),
        Err(_) => return AxisSpec::telling(quote_name(&text)),
    }
    one.keys.remove(0)
}

/// What a right click on the head of a column offers.
pub(super) fn column_menu(ui: &mut Ui, column: usize, grouping: &mut Grouping) {
    ui.set_min_width(160.0);
    let is_key = column < grouping.keys.len();
    let measure = column - if is_key { column } else { grouping.keys.len() };
    if is_key {
        if ui.button("Remove key").clicked() {
            grouping.keys.remove(column);
            ui.close();
        }
    } else if ui.add_enabled(grouping.measures.len() > 1, egui::Button::new("Remove measure")).clicked() {
        grouping.remove_measure(measure);
        ui.close();
    }
}
