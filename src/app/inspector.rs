//! The pane on the right: settings of the view that has the focus.

use egui::{Frame, Margin, Panel, RichText, ScrollArea, Ui};

use super::App;
use crate::views::paint::icon::{self, Icon};
use crate::views::{Theme, inspector};

/// Shows the pane, if it is open.
pub(super) fn show(app: &mut App, ui: &mut Ui, theme: &'static Theme) {
    if !app.inspecting || app.session.dataset().is_none() {
        return;
    }
    let document = app.session.document();
    let focused = app.focused.and_then(|view| document.view(view));
    let view = focused.or(document.views.first()).cloned();
    let frame = Frame::new().fill(theme.panel).inner_margin(Margin::same(12));
    Panel::right("inspector")
        .resizable(true)
        .default_size(232.0)
        .size_range(200.0..=420.0)
        .frame(frame)
        .show(ui, |ui| {
            ui.horizontal(|ui| {
                ui.label(RichText::new("Settings").color(theme.weak));
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    if icon::button(ui, Icon::Close, "close settings", true).clicked() {
                        app.inspecting = false;
                    }
                });
            });
            let Some(view) = view else {
                ui.weak("Choose a view.");
                return;
            };
            ScrollArea::vertical().id_salt("inspector").auto_shrink(false).show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 4.0;
                app.with_view(theme, view.id, |state, cx| inspector::show(ui, &view, state, cx));
            });
        });
}
