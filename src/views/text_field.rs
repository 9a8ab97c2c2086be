//! Fields in which an expression is typed: the letter that is wrong is underlined as one types.

use std::ops::Range;
use std::sync::Arc;

use egui::text::{LayoutJob, LayoutSection, TextFormat};
use egui::{Galley, Response, Stroke, TextEdit, Ui};

use super::theme::Theme;
use crate::expr::ExprError;

/// A line in which an expression is typed. `error` is what is wrong with the text as it stands.
pub fn expression(
    ui: &mut Ui,
    text: &mut String,
    name: &str,
    hint: &str,
    width: f32,
    error: Option<&ExprError>,
) -> Response {
    let theme = Theme::current(ui);
    let span = error.map(|error| error.span.clone());
    let mut layouter = |ui: &Ui, text: &dyn egui::TextBuffer, _: f32| -> Arc<Galley> {
        let job = underlined(text.as_str(), span.clone(), theme);
        ui.fonts_mut(|fonts| fonts.layout_job(job))
    };
    let edit = TextEdit::singleline(text)
        .desired_width(width)
        .hint_text(hint.to_owned())
        .font(theme.body())
        .align(egui::Align2::LEFT_CENTER)
        .layouter(&mut layouter);
    let response = ui.add(edit);
    response.clone().accessible_name(name)
}

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

/// The text with the bytes of `span` underlined; at least one letter where there is any.
fn underlined(text: &str, span: Option<Range<usize>>, theme: &Theme) -> LayoutJob {
    let plain = TextFormat { font_id: theme.body(), color: theme.text, ..Default::default() };
    let wrong = TextFormat { underline: Stroke::new(1.5, theme.error), ..plain.clone() };
    let mut job = LayoutJob { text: text.to_owned(), ..LayoutJob::default() };
    job.wrap.max_width = f32::INFINITY;
    job.break_on_newline = false;
    let (start, end) = letters(text, span);
    for (range, format) in [(0..start, &plain), (start..end, &wrong), (end..text.len(), &plain)] {
        if !range.is_empty() || text.is_empty() {
            let byte_range = range.start.into()..range.end.into();
            job.sections.push(LayoutSection { leading_space: 0.0, byte_range, format: format.clone() });
            if text.is_empty() {
                break;
            }
        }
    }
    job
}

/// The span cut to whole letters of the text; a span at the end points at the last letter.
fn letters(text: &str, span: Option<Range<usize>>) -> (usize, usize) {
    let Some(span) = span else { return (text.len(), text.len()) };
    let last = text.char_indices().next_back().map_or(0, |(at, _)| at);
    let mut start = span.start.min(last);
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = span.end.clamp(start, text.len());
    if end == start {
        end = (start + 1).min(text.len());
    }
    while !text.is_char_boundary(end) {
        end += 1;
    }
    (start, end)
}

#[cfg(test)]
mod tests {
    use super::letters;

    #[test]
    fn an_underline_covers_whole_letters_inside_the_text() {
        assert_eq!(letters("ab + ", Some(5..5)), (4, 5));
        assert_eq!(letters("é", Some(1..1)), (0, 2));
        assert_eq!(letters("abc", Some(1..2)), (1, 2));
        assert_eq!(letters("", Some(0..0)), (0, 0));
        assert_eq!(letters("abc", Some(7..99)), (2, 3));
        assert_eq!(letters("abc", None), (3, 3));
    }
}
