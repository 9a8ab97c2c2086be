//! The list of ways to go on, and what is known about the one looked at.

use egui::{Align2, Rect, Response, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::data::kind;
use crate::dataset::Dataset;
use crate::expr::{Completion, CompletionKind};
use crate::views::paint::axis::one_line;
use crate::views::paint::icon::{self, Icon};
use crate::views::theme::{Theme, strong_family};

/// Height of a line of the list.
const LINE: f32 = 20.0;

/// What was done to the list.
#[derive(Default)]
pub(super) struct Shown {
    pub(super) clicked: Option<usize>,
    pub(super) hovered: Option<usize>,
}

/// Shows the completions in a rectangle of this size, the selected one in view if `follow`.
pub(super) fn show(
    ui: &mut Ui,
    size: egui::Vec2,
    completions: &[Completion],
    selected: Option<usize>,
    follow: bool,
    dataset: &Dataset,
) -> Shown {
    let mut shown = Shown::default();
    ui.allocate_ui(size, |ui| {
        ui.set_min_size(size);
        ui.spacing_mut().item_spacing.y = 0.0;
        if completions.is_empty() {
            return;
        }
        let mut scroll = ScrollArea::vertical().id_salt("completions").max_height(size.y).auto_shrink(false);
        if follow {
            // The selected line is brought into view with one line around it.
            let top = selected.unwrap_or(0) as f32 * LINE;
            let id = ui.make_persistent_id("seen");
            let offset: f32 = ui.data(|data| data.get_temp(id)).unwrap_or(0.0);
            let offset = offset.min(top).max(top + LINE - size.y);
            ui.data_mut(|data| data.insert_temp(id, offset));
            scroll = scroll.vertical_scroll_offset(offset);
        }
        let output = scroll.show_rows(ui, LINE, completions.len(), |ui, range| {
            for i in range {
                let response = line(ui, &completions[i], selected == Some(i), dataset);
                if response.clicked() {
                    shown.clicked = Some(i);
                }
                if response.hovered() || response.has_focus() {
                    shown.hovered = Some(i);
                }
            }
        });
        let id = ui.make_persistent_id("seen");
        ui.data_mut(|data| data.insert_temp(id, output.state.clamped_offset().y));
    });
    shown
}

fn line(ui: &mut Ui, completion: &Completion, selected: bool, dataset: &Dataset) -> Response {
    let theme = Theme::current(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), LINE), Sense::click());
    let name = format!("Completion {}", completion.name);
    response.widget_info(|| WidgetInfo::selected(egui::Role::ListBoxOption, true, selected, &name));
    if selected || response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, 4, if selected { theme.active } else { theme.hover });
    }
    let glyph = match completion.kind {
        CompletionKind::Column if dataset.is_virtual(&completion.name) => Icon::Function,
        CompletionKind::Column => {
            let field = dataset.schema().field(&completion.name);
            field.map_or(Icon::Unknown, |field| Icon::of(kind(&field.data_type)))
        }
        CompletionKind::Function => Icon::Function,
        CompletionKind::Constant | CompletionKind::Keyword => Icon::Unknown,
    };
    icon::paint(ui.painter(), glyph, rect.left_center() + vec2(12.0, 0.0), theme.faint);
    let inner =
        Rect::from_min_max(pos2(rect.left() + 26.0, rect.top()), rect.right_bottom() - vec2(6.0, 0.0));
    let is_column = completion.kind == CompletionKind::Column;
    let room = inner.width() * if is_column { 0.62 } else { 1.0 };
    let label = crate::data::shorten(&completion.name);
    let label = one_line(ui.painter(), &label, theme.body(), theme.text, room);
    let used = label.size().x;
    let painter = ui.painter();
    painter.galley(Align2::LEFT_CENTER.anchor_size(inner.left_center(), label.size()).min, label, theme.text);
    // Of a call the name is written already.
    let rest = match completion.signature.strip_prefix(completion.name.as_str()) {
        Some(rest) => rest,
        None => completion.signature.as_str(),
    };
    let galley = one_line(painter, rest, theme.small(), theme.weak, inner.width() - used - 8.0);
    let at = if is_column || !rest.starts_with('(') {
        Align2::RIGHT_CENTER.anchor_size(inner.right_center(), galley.size()).min
    } else {
        Align2::LEFT_CENTER.anchor_size(inner.left_center() + vec2(used + 1.0, 0.0), galley.size()).min
    };
    painter.galley(at, galley, theme.weak);
    response
}

/// One completion in words: its call, its one sentence.
pub(super) fn about(ui: &mut Ui, completion: &Completion) {
    if completion.kind == CompletionKind::Column {
        let text = format!("{}: {}", crate::data::shorten(&completion.name), completion.signature);
        return words(ui, &text, &completion.doc, None);
    }
    words(ui, &completion.signature, &completion.doc, None);
}

/// The function or aggregate one is writing the arguments of.
pub(super) fn call(ui: &mut Ui, signature: &str, doc: &str, argument: usize) {
    words(ui, signature, doc, argument_of(signature, argument));
}

/// The bytes of a signature at which an argument is named; the last one where it may be repeated.
fn argument_of(signature: &str, argument: usize) -> Option<std::ops::Range<usize>> {
    let open = signature.find('(')? + 1;
    let close = open + signature[open..].find(')')?;
    let mut start = open;
    let mut last = None;
    for (i, part) in signature[open..close].split(',').enumerate() {
        let space = part.len() - part.trim_start().len();
        last = Some(start + space..start + part.len());
        if i == argument {
            return last;
        }
        start += part.len() + 1;
    }
    last.filter(|last| signature[last.clone()].contains('…') || signature[last.clone()].contains("..."))
}

fn words(ui: &mut Ui, signature: &str, doc: &str, strong: Option<std::ops::Range<usize>>) {
    let theme = Theme::current(ui);
    let mut job = egui::text::LayoutJob::default();
    job.wrap.max_width = ui.available_width();
    job.wrap.max_rows = 3;
    let format = |font_id, color| egui::TextFormat { font_id, color, ..Default::default() };
    match strong {
        Some(strong) => {
            job.append(&signature[..strong.start], 0.0, format(theme.small(), theme.weak));
            let font = egui::FontId::new(theme.size.small, strong_family());
            job.append(&signature[strong.clone()], 0.0, format(font, theme.text));
            job.append(&signature[strong.end..], 0.0, format(theme.small(), theme.weak));
        }
        None => job.append(signature, 0.0, format(theme.small(), theme.text)),
    }
    if !doc.is_empty() {
        job.append(&format!("\n{doc}"), 0.0, format(theme.small(), theme.weak));
    }
    ui.add(egui::Label::new(job).wrap());
}

#[cfg(test)]
mod tests {
    use super::argument_of;

    #[test]
    fn an_argument_is_found_in_its_signature() {
        let named = |signature: &'static str, i| argument_of(signature, i).map(|span| &signature[span]);
        assert_eq!(named("f(a, b = 2)", 0), Some("a"));
        assert_eq!(named("f(a, b = 2)", 1), Some("b = 2"));
        assert_eq!(named("f(a)", 1), None);
        assert_eq!(named("least(a, …)", 7), Some("…"));
        assert_eq!(named("x + y", 0), None);
    }
}
