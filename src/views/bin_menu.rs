//! What a right click on a bar offers.

use egui::{Response, Ui};

use super::{ViewContext, Wish, brushing};
use crate::session::{Command, FilterSpec, Gesture, ViewSpec};

/// The bar a menu was opened on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bar {
    /// What it is called.
    pub name: String,
    /// What is copied of it: its values and numbers, apart by tabs.
    pub copied: String,
    /// The filter to its values alone.
    pub keep: FilterSpec,
    /// The filter to what passes now but its values.
    pub exclude: FilterSpec,
    /// Whether the filter has bounds to be typed.
    pub has_bounds: bool,
}

/// Shows the menu of `response`; `at` is the bar under the pointer, if the menu is being opened now.
pub(super) fn show(
    response: &Response,
    view: &ViewSpec,
    opened: &mut Option<Bar>,
    at: impl FnOnce() -> Option<Bar>,
    cx: &mut ViewContext<'_>,
) {
    if response.secondary_clicked() {
        *opened = at();
    }
    response.context_menu(|ui| {
        ui.set_min_width(180.0);
        if let Some(bar) = opened {
            bar_items(ui, view, bar, cx);
            ui.separator();
        }
        if let Some((at, _)) = cx.session.filter_of(view) {
            if item(ui, "Invert brush") {
                cx.commands.push(Command::InvertFilter(at));
            }
            if item(ui, "Clear brush") {
                brushing::clear(view, cx);
            }
        }
        if item(ui, "Settings…") {
            cx.wishes.push(Wish::Settings(view.id));
        }
    });
}

fn bar_items(ui: &mut Ui, view: &ViewSpec, bar: &Bar, cx: &mut ViewContext<'_>) {
    let mut filter = |filter: &FilterSpec| {
        cx.commands.push(Command::SetFilter(filter.clone(), Gesture::Begin));
    };
    ui.weak(&bar.name);
    if item(ui, "Keep only") {
        filter(&bar.keep);
    }
    if item(ui, "Exclude") {
        filter(&bar.exclude);
    }
    if bar.has_bounds && item(ui, "Set bounds…") {
        if cx.session.filter_of(view).is_none() {
            filter(&bar.keep);
        }
        cx.wishes.push(Wish::EditFilter(view.id));
    }
    if item(ui, "Show rows") {
        cx.commands.push(Command::SetFilter(bar.keep.clone(), Gesture::Begin));
        cx.wishes.push(Wish::ShowRows);
    }
    if item(ui, "Copy") {
        ui.ctx().copy_text(bar.copied.clone());
    }
}

fn item(ui: &mut Ui, text: &str) -> bool {
    let clicked = ui.button(text).clicked();
    if clicked {
        ui.close();
    }
    clicked
}
