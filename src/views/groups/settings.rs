//! The settings of a table of groups: which groups are listed, and its measures one by one.

use egui::{Button, DragValue, RichText, Ui};

use crate::query::{Having, Measure};
use crate::session::{Grouping, ViewSpec, is_cut};
use crate::views::{ViewContext, ViewState, axes, header, text_field};

/// Lets one change what the table lists.
pub(in crate::views) fn settings(
    ui: &mut Ui,
    view: &mut ViewSpec,
    state: &mut ViewState,
    cx: &mut ViewContext<'_>,
) {
    let title = view.title();
    let Some(grouping) = &mut view.grouping else { return };
    for key in grouping.keys.iter_mut().filter(|key| is_cut(key)) {
        let name = axes::bare(&key.expr);
        let mut bins = key.bins.unwrap_or(1);
        let drag =
            ui.add(DragValue::new(&mut bins).range(1..=500).speed(0.2).suffix(format!(" bins of {name}")));
        if drag.accessible_name(format!("number of bins of key {name}")).changed() {
            (key.bins, key.width) = (Some(bins), None);
        }
    }
    ui.add_space(cx.theme.size.unit);
    ui.label(RichText::new("Measures").font(cx.theme.small()).color(cx.theme.weak));
    let mut removed = None;
    for at in 0..grouping.measures.len() {
        ui.horizontal(|ui| {
            let text = grouping.measures[at].clone();
            let room = (ui.available_width() - 72.0).max(40.0);
            let response =
                header::drop_down(ui, &text, &format!("measure {} of {title}", at + 1), true, room);
            if let Some(changed) = header::measure_form(&response, &text, state, cx) {
                grouping.measures[at] = changed;
            }
            let may_go = grouping.measures.len() > 1;
            if ui.add_enabled(may_go, Button::new("remove").small()).clicked() {
                removed = Some(at);
            }
        });
    }
    if let Some(at) = removed {
        grouping.remove_measure(at);
    }
    ui.add_space(cx.theme.size.unit);
    ui.label(RichText::new("Groups listed").font(cx.theme.small()).color(cx.theme.weak));
    let limit = DragValue::new(&mut grouping.limit).range(1..=100_000).prefix("at most ");
    let hint = "The others are told together in a last line.";
    ui.add(limit).on_hover_text(hint).accessible_name(format!("most groups of {title}"));
    condition(ui, grouping, state, cx);
}

/// The line in which the condition on groups is typed; it holds once it is right and left.
fn condition(ui: &mut Ui, grouping: &mut Grouping, state: &mut ViewState, cx: &ViewContext<'_>) {
    let mut text = state.typed.having.clone().unwrap_or_else(|| grouping.having.clone());
    let width = (ui.available_width() - 8.0).max(80.0);
    let field = text_field::line(ui, &mut text, "groups for which", "only where count > 10 …", width);
    let checked = match (text.trim(), cx.session.dataset()) {
        ("", _) | (_, None) => Ok(()),
        (text, Some(dataset)) => {
            let measures: Result<Vec<Measure>, String> =
                grouping.measures.iter().map(|measure| Measure::parse(measure, dataset)).collect();
            measures
                .and_then(|measures| Having::parse(text, &measures).map_err(|error| error.message))
                .map(drop)
        }
    };
    if let Err(message) = &checked {
        text_field::message(ui, Err(message));
    }
    if field.has_focus() {
        state.typed.having = Some(text);
    } else if state.typed.having.take().is_some() && checked.is_ok() {
        grouping.having = text.trim().to_owned();
    }
}
