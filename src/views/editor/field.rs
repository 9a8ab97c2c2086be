//! The line in which an expression is typed, with what is wrong underlined.

use std::ops::Range;
use std::sync::Arc;

use egui::text::{CCursor, CCursorRange, LayoutJob, LayoutSection, TextFormat};
use egui::{Color32, EventFilter, Galley, Id, Stroke, TextEdit, Ui};

use crate::views::theme::Theme;

/// Longest text that can be typed.
const MOST_LETTERS: usize = 10_000;

/// What the line looks like and which keys are its own.
pub(super) struct Line<'a> {
    pub(super) id: Id,
    /// Its accessible name.
    pub(super) name: &'a str,
    pub(super) hint: &'a str,
    pub(super) width: f32,
    /// The bytes that are wrong, and the colour of the line under them.
    pub(super) wrong: Option<(Range<usize>, Color32)>,
    /// Whether Tab and Escape are not to leave it.
    pub(super) keeps_keys: bool,
}

/// What became of the line.
pub(super) struct Shown {
    pub(super) focused: bool,
    /// The byte the cursor is at.
    pub(super) cursor: usize,
    /// Whether text is selected rather than a place.
    pub(super) selects: bool,
}

impl Line<'_> {
    /// Shows the line; `place` puts the cursor at a byte, `focus` gives it the keys.
    pub(super) fn show(self, ui: &mut Ui, text: &mut String, focus: bool) -> Shown {
        let theme = Theme::current(ui);
        let wrong = self.wrong;
        let mut layouter = |ui: &Ui, text: &dyn egui::TextBuffer, _: f32| -> Arc<Galley> {
            let (span, color) = wrong.clone().map_or((None, theme.error), |(s, color)| (Some(s), color));
            let job = underlined(text.as_str(), span, color, theme);
            ui.fonts_mut(|fonts| fonts.layout_job(job))
        };
        let filter = EventFilter {
            tab: self.keeps_keys,
            escape: self.keeps_keys,
            horizontal_arrows: true,
            vertical_arrows: true,
        };
        let output = TextEdit::singleline(text)
            .id(self.id)
            .desired_width(self.width)
            .char_limit(MOST_LETTERS)
            .hint_text(self.hint.to_owned())
            .font(theme.body())
            .align(egui::Align2::LEFT_CENTER)
            .event_filter(filter)
            .layouter(&mut layouter)
            .show(ui);
        let response = output.response.response.accessible_name(self.name);
        if focus {
            response.request_focus();
        }
        let cursor = match &output.cursor_range {
            Some(range) => byte_of(text, range.primary.index.0),
            None => text.len(),
        };
        let selects = output.cursor_range.is_some_and(|range| !range.is_empty());
        Shown { focused: response.has_focus(), cursor, selects }
    }
}

/// Puts the cursor of the line at a byte of its text.
pub(super) fn put_cursor(ui: &Ui, id: Id, text: &str, byte: usize) {
    let mut state = TextEdit::load_state(ui.ctx(), id).unwrap_or_default();
    let letters = text[..byte].chars().count();
    state.cursor.set_char_range(Some(CCursorRange::one(CCursor::new(letters))));
    state.store(ui.ctx(), id);
}

/// Where letter `index` of a text begins.
fn byte_of(text: &str, index: usize) -> usize {
    text.char_indices().nth(index).map_or(text.len(), |(at, _)| at)
}

/// The text with the bytes of `span` underlined; at least one letter where there is any.
fn underlined(text: &str, span: Option<Range<usize>>, line: Color32, theme: &Theme) -> LayoutJob {
    let plain = TextFormat { font_id: theme.body(), color: theme.text, ..Default::default() };
    let wrong = TextFormat { underline: Stroke::new(1.5, line), ..plain.clone() };
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
