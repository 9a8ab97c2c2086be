//! The editor of expressions: one for virtual columns, filters, axes and measures.
//!
//! While one types it shows what the text is, the first ten values, how one may go on, and what is
//! wrong at which letter. Reading a text is done at once and costs microseconds; values are asked of
//! the engine like any other answer.

mod check;
mod field;
mod list;
mod place;
mod preview;

use std::sync::Arc;

use egui::{Button, Id, InputState, Key, Modifiers, RichText, Ui, vec2};

use super::Answers;
use super::theme::Theme;
use crate::dataset::Dataset;
use crate::expr::{Completion, CompletionKind, ExprError, call_around};
use check::Checked;
pub use check::{Purpose, offered_aggregates};
use place::{Place, place};
use preview::Preview;

/// Width of the editor.
pub const WIDTH: f32 = 560.0;
/// Width of the list of completions.
const LIST: f32 = 276.0;
/// Height of the words about one completion.
const WORDS: f32 = 48.0;
/// Height of the words about the text.
const MESSAGE: f32 = 32.0;

/// An expression being typed.
#[derive(Default)]
pub struct Editor {
    text: String,
    /// Whether it is to be given the keys.
    wants_focus: bool,
    was_focused: bool,
    cursor: usize,
    /// Of what text, cursor and table the following are.
    key: Option<(String, usize, usize)>,
    checked: Option<Result<Checked, ExprError>>,
    completions: Vec<Completion>,
    /// The completion that keys take.
    selected: Option<usize>,
    /// Whether it was chosen by an arrow key rather than offered.
    chosen: bool,
    /// The word for which completions were put aside.
    dismissed: Option<String>,
    preview: Preview,
}

/// What an editor says in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edited {
    /// Whether the text is right as it stands.
    pub ready: bool,
    /// Whether Enter was pressed on a text that is right, or a whole one chosen from the list.
    pub entered: bool,
}

/// Keys pressed that the line does not see.
#[derive(Default)]
struct Keys {
    down: usize,
    up: usize,
    tab: bool,
    enter: bool,
    escape: bool,
}

impl Editor {
    /// An editor of `text` that wants the keys.
    pub fn of(text: impl Into<String>) -> Editor {
        let text = text.into();
        Editor { cursor: text.len(), text, wants_focus: true, ..Editor::default() }
    }

    /// The text as it stands.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the text was right when last shown.
    pub fn is_right(&self) -> bool {
        matches!(self.checked, Some(Ok(_)))
    }

    /// Replaces the text, puts the cursor at a byte of it, and takes the keys.
    pub fn set(&mut self, ui: &Ui, text: String, cursor: usize) {
        self.replace(ui, text, cursor);
    }

    /// Takes the keys when shown next.
    pub fn request_focus(&mut self) {
        self.wants_focus = true;
    }

    /// Shows the editor over the columns of `dataset`.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        purpose: Purpose,
        hint: &str,
        dataset: &Arc<Dataset>,
        answers: &mut dyn Answers,
    ) -> Edited {
        let theme = Theme::current(ui);
        let keys = self.take_keys(ui);
        let wrong = self.wrong(theme);
        let line = field::Line {
            id: line_id(),
            name: "Expression",
            hint,
            width: WIDTH,
            wrong,
            keeps_keys: self.selected.is_some(),
        };
        let shown = line.show(ui, &mut self.text, self.wants_focus);
        self.wants_focus &= !shown.focused;
        self.was_focused = shown.focused;
        if shown.focused {
            self.cursor = shown.cursor;
        }
        self.cursor = self.cursor.min(self.text.len());
        self.look(purpose, dataset, shown.selects);

        let mut entered = self.act(ui, &keys, purpose);
        let mut words = None;
        ui.spacing_mut().item_spacing.y = 0.0;
        ui.allocate_ui(vec2(WIDTH, MESSAGE), |ui| {
            ui.set_min_size(vec2(WIDTH, MESSAGE));
            ui.add_space(4.0);
            words = self.message(ui, purpose, theme);
        });
        if let Some(fixed) = words {
            let cursor = fixed.1;
            self.replace(ui, fixed.0, cursor);
        }
        let height = preview::height(theme);
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = 0.0;
            ui.vertical(|ui| {
                ui.set_width(LIST);
                entered |= self.list(ui, height, &keys, purpose, dataset);
            });
            ui.add_space(8.0);
            let at = ui.cursor().left();
            ui.painter().vline(at, ui.cursor().top()..=ui.cursor().top() + height, theme.hairline());
            ui.add_space(8.0);
            let value = match &self.checked {
                Some(Ok(checked)) => checked.value.as_ref(),
                _ => None,
            };
            if value.is_none() && !matches!(self.checked, Some(Err(_))) {
                self.preview.forget();
            }
            self.preview.show(ui, WIDTH - LIST - 16.0, dataset, value, answers);
        });
        ui.add_space(theme.size.unit);
        self.look(purpose, dataset, false);
        let ready = self.is_right();
        Edited { ready, entered: entered && ready }
    }

    /// The keys that are the list's, before the line sees them.
    fn take_keys(&self, ui: &Ui) -> Keys {
        if !self.was_focused || !ui.memory(|memory| memory.has_focus(line_id())) {
            return Keys::default();
        }
        let is_open = !self.completions.is_empty();
        let has_selected = self.selected.is_some();
        ui.input_mut(|input| Keys {
            down: if is_open { presses(input, Key::ArrowDown) } else { 0 },
            up: if is_open { presses(input, Key::ArrowUp) } else { 0 },
            tab: has_selected && presses(input, Key::Tab) > 0,
            enter: presses(input, Key::Enter) > 0,
            escape: has_selected && presses(input, Key::Escape) > 0,
        })
    }

    /// Reads the text and finds its completions, where it or the cursor changed.
    fn look(&mut self, purpose: Purpose, dataset: &Arc<Dataset>, selects: bool) {
        let table = Arc::as_ptr(dataset) as usize;
        let is_known = self
            .key
            .as_ref()
            .is_some_and(|(text, cursor, of)| *text == self.text && *cursor == self.cursor && *of == table);
        if is_known {
            return;
        }
        self.key = Some((self.text.clone(), self.cursor, table));
        let is_blank = self.text.trim().is_empty();
        self.checked = if is_blank { None } else { Some(purpose.check(&self.text, dataset)) };
        self.completions = purpose.completions(&self.text, self.cursor, dataset);
        let word = self.word().to_owned();
        if self.dismissed.as_ref() != Some(&word) {
            self.dismissed = None;
        }
        let is_offered = !word.is_empty() && !selects && self.dismissed.is_none() && !self.is_complete();
        self.selected = (is_offered && !self.completions.is_empty()).then_some(0);
        self.chosen = false;
    }

    /// What the completions would replace.
    fn word(&self) -> &str {
        let first = self.completions.first();
        first.and_then(|first| self.text.get(first.replace.clone())).unwrap_or_default()
    }

    /// Whether the word is written as the likeliest completion would write it.
    fn is_complete(&self) -> bool {
        self.completions.first().is_some_and(|first| {
            let written = self.text.get(first.replace.start..).unwrap_or_default();
            written.starts_with(&first.text) && first.text.len() >= first.replace.len()
        })
    }

    /// Whether what is typed is part of what the likeliest completion is called.
    fn goes_on(&self) -> bool {
        let word = self.word().trim_start_matches('`').to_lowercase();
        let first = self.completions.first();
        !word.is_empty() && first.is_some_and(|first| first.name.to_lowercase().contains(&word))
    }

    /// Does what the keys say; whether the text was entered.
    fn act(&mut self, ui: &Ui, keys: &Keys, purpose: Purpose) -> bool {
        let count = self.completions.len();
        if count > 0 && keys.down + keys.up > 0 {
            let from = match self.selected {
                Some(selected) => selected + count,
                None => count + if keys.down > 0 { count - 1 } else { 0 },
            };
            self.selected = Some((from + keys.down % count - keys.up % count) % count);
            self.chosen = true;
        }
        if keys.escape {
            self.dismissed = Some(self.word().to_owned());
            self.selected = None;
            self.chosen = false;
        }
        let is_wrong = !matches!(self.checked, Some(Ok(_)));
        let takes = keys.tab || (keys.enter && (self.chosen || (is_wrong && self.goes_on())));
        match self.selected.filter(|_| takes) {
            Some(selected) => self.take(ui, selected, purpose) && keys.enter,
            None => keys.enter,
        }
    }

    /// Takes a completion; whether nothing is left to type after it.
    fn take(&mut self, ui: &Ui, index: usize, purpose: Purpose) -> bool {
        let Some(completion) = self.completions.get(index) else { return false };
        let whole = matches!(purpose, Purpose::Axis(_))
            && completion.kind == CompletionKind::Column
            && check::is_whole(completion, &self.text);
        let mut text = self.text.clone();
        text.replace_range(completion.replace.clone(), &completion.text);
        let cursor = completion.replace.start + completion.text.len();
        self.replace(ui, text, cursor);
        whole
    }

    fn replace(&mut self, ui: &Ui, text: String, cursor: usize) {
        field::put_cursor(ui, line_id(), &text, cursor);
        self.text = text;
        self.cursor = cursor;
        self.wants_focus = true;
        ui.ctx().request_repaint();
    }

    /// Whether the error is only that the text is not at its end yet.
    fn is_unfinished(&self, error: &ExprError) -> bool {
        let at_end = error.span.start >= self.text.trim_end().len();
        let is_open = matches!(self.text.get(error.span.clone()), Some("(" | "["));
        let in_word = self.completions.first().is_some_and(|first| {
            error.span.start >= first.replace.start && error.span.end <= first.replace.end
        });
        at_end || is_open || (in_word && self.was_focused && self.goes_on())
    }

    /// What is to be underlined.
    fn wrong(&self, theme: &Theme) -> Option<(std::ops::Range<usize>, egui::Color32)> {
        match &self.checked {
            Some(Err(error)) => {
                let color = if self.is_unfinished(error) { theme.faint } else { theme.error };
                Some((error.span.clone(), color))
            }
            _ => None,
        }
    }

    /// Says what the text is or what is wrong with it; the text with its mistake put right, and where
    /// the cursor is to be, if that was asked.
    fn message(&self, ui: &mut Ui, purpose: Purpose, theme: &Theme) -> Option<(String, usize)> {
        let say = |ui: &mut Ui, text: &str, color| {
            let text = RichText::new(text).font(theme.small()).color(color);
            ui.add(egui::Label::new(text).wrap());
        };
        match &self.checked {
            None => say(ui, purpose.about(), theme.weak),
            Some(Ok(checked)) => say(ui, &checked.about, theme.weak),
            Some(Err(error)) => {
                let unfinished = self.is_unfinished(error);
                let color = if unfinished { theme.weak } else { theme.error };
                let Some(instead) = error.suggestion.as_ref().filter(|_| !unfinished) else {
                    say(ui, &crate::data::shorten(&error.message), color);
                    return None;
                };
                let mut fixed = None;
                ui.horizontal(|ui| {
                    let fix =
                        Button::new(RichText::new(format!("Use {instead}")).font(theme.small())).small();
                    let response = ui.add(fix).accessible_name(format!("Use {instead}"));
                    if response.on_hover_text("puts it in place of what is underlined").clicked() {
                        let mut text = self.text.clone();
                        let start = error.span.start.min(text.len());
                        let span = start..error.span.end.clamp(start, text.len());
                        text.replace_range(span.clone(), instead);
                        fixed = Some((text, span.start + instead.len()));
                    }
                    say(ui, &crate::data::shorten(&error.message), color);
                });
                return fixed;
            }
        }
        None
    }

    /// The completions and the words about one of them; whether a whole text was chosen.
    fn list(
        &mut self,
        ui: &mut Ui,
        height: f32,
        keys: &Keys,
        purpose: Purpose,
        dataset: &Arc<Dataset>,
    ) -> bool {
        let follow = keys.down + keys.up > 0;
        let size = vec2(LIST, height - WORDS);
        let shown = list::show(ui, size, &self.completions, self.selected, follow, dataset);
        ui.add_space(6.0);
        let looked_at = shown.hovered.or(self.selected).and_then(|i| self.completions.get(i));
        let (around, aggregate) = match purpose {
            Purpose::Measure => match place(&self.text, self.cursor) {
                (Place::Inside(from), aggregate) => (&self.text[from..], aggregate),
                (Place::Outside(_), _) => (self.text.as_str(), None),
            },
            _ => (self.text.as_str(), None),
        };
        let before = self.cursor.saturating_sub(self.text.len() - around.len());
        match (looked_at, call_around(around, before), aggregate) {
            (Some(completion), ..) => list::about(ui, completion),
            (None, Some((function, argument)), _) => {
                list::call(ui, function.signature, function.doc, argument);
            }
            (None, None, Some((aggregate, argument))) => {
                list::call(ui, aggregate.signature, aggregate.doc, argument);
            }
            (None, None, None) => {
                let theme = Theme::current(ui);
                let keys = "arrows choose · Tab takes · Enter applies";
                ui.label(RichText::new(keys).font(theme.small()).color(theme.faint));
            }
        }
        match shown.clicked {
            Some(clicked) => self.take(ui, clicked, purpose),
            None => false,
        }
    }
}

fn line_id() -> Id {
    Id::unique("expression being typed")
}

/// How often a key was pressed without Shift and the like; it is taken out of the input.
fn presses(input: &mut InputState, key: Key) -> usize {
    input.count_and_consume_key(Modifiers::NONE, key)
}
