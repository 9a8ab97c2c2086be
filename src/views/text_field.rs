//! Lines of plain text to be typed, and sentences about them.

use egui::{Response, TextEdit, Ui};

use super::theme::Theme;

/// A plain line of text with an accessible name.
pub fn line(ui: &mut Ui, text: &mut String, name: &str, hint: &str, width: f32) -> Response {
    let theme = Theme::current(ui);
    let edit = TextEdit::singleline(text)
        .desired_width(width)
        .hint_text(hint.to_owned())
        .font(theme.body())
        .align(egui::Align2::LEFT_CENTER);
    ui.add(edit).accessible_name(name)
}

/// The sentence about an error below a field; takes its room even when there is none.
pub fn message(ui: &mut Ui, text: Result<&str, &str>) {
    let theme = Theme::current(ui);
    let (text, color) = match text {
        Ok(text) => (text, theme.weak),
        Err(text) => (text, theme.error),
    };
    ui.add(egui::Label::new(egui::RichText::new(text).font(theme.small()).color(color)).wrap());
}
