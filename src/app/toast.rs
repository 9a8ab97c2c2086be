//! A sentence about what was just done, at the foot of the window for a while.

use egui::{Align2, Area, Id, Order, RichText, Ui, WidgetInfo, vec2};

use super::App;
use crate::views::Theme;

/// How long it stays, in seconds.
const STAYS: f64 = 6.0;

/// What was just done.
#[derive(Default)]
pub(super) struct Toast {
    said: Option<(String, bool, f64)>,
}

impl Toast {
    /// Says that something was done, or why it was not.
    pub(super) fn say(&mut self, ctx: &egui::Context, text: String, went_well: bool) {
        self.said = Some((text, went_well, ctx.input(|input| input.time)));
    }
}

/// Shows it.
pub(super) fn show(app: &mut App, ui: &mut Ui, theme: &Theme) {
    let Some((text, went_well, since)) = app.toast.said.clone() else { return };
    let age = ui.input(|input| input.time) - since;
    // A failure stays until it is read.
    if went_well && age > STAYS {
        app.toast.said = None;
        return;
    }
    if went_well {
        ui.ctx().request_repaint_after_secs((STAYS - age) as f32 + 0.05);
    }
    let area = Area::new(Id::unique("toast"))
        .order(Order::Foreground)
        .anchor(Align2::CENTER_BOTTOM, vec2(0.0, -theme.size.row - 16.0));
    let clicked = area.show(ui.ctx(), |ui| {
        egui::Frame::popup(ui.style()).inner_margin(10).show(ui, |ui| {
            let color = if went_well { theme.text } else { theme.error };
            let label = egui::Label::new(RichText::new(&text).color(color)).sense(egui::Sense::click());
            let response = ui.add(label);
            response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Alert, true, &text));
            response.clicked()
        })
    });
    if clicked.inner.inner {
        app.toast.said = None;
    }
}
