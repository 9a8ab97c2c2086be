//! All functions of the language and all aggregates, to be looked through and searched.

use egui::{Key, Modifiers, RichText, ScrollArea, Sense, TextEdit, Ui, WidgetInfo, pos2, vec2};

use crate::aggregate::Aggregate;
use crate::expr::{Family, Function, Missing, functions};
use crate::views::Theme;
use crate::views::editor::offered_aggregates;
use crate::views::paint::axis::one_line;

/// Width of the list of names.
const NAMES: f32 = 200.0;
/// Width of the words about one function.
const WORDS: f32 = 380.0;
/// Height of both.
const HEIGHT: f32 = 380.0;

/// What is looked for.
#[derive(Default)]
pub(super) struct Reference {
    search: String,
    /// The function read about, by its name.
    chosen: Option<&'static str>,
    was_shown: bool,
}

/// A line of the list.
enum Line {
    Heading(&'static str),
    Entry(Entry),
}

/// What is read about.
#[derive(Clone)]
struct Entry {
    family: &'static str,
    name: &'static str,
    aliases: &'static [&'static str],
    signature: &'static str,
    doc: &'static str,
    example: &'static str,
    /// What it makes of missing values.
    missing: &'static str,
}

impl From<&'static Function> for Entry {
    fn from(function: &'static Function) -> Entry {
        Entry {
            family: title(function.family),
            name: function.name,
            aliases: function.aliases,
            signature: function.signature,
            doc: function.doc,
            example: function.example,
            missing: match function.missing {
                Missing::Propagates => "A missing argument makes the result missing.",
                Missing::False => "A missing argument makes the result false.",
                Missing::Never => "The result is never missing.",
                Missing::Own => "Missing arguments are treated as described.",
            },
        }
    }
}

impl From<&'static Aggregate> for Entry {
    fn from(aggregate: &'static Aggregate) -> Entry {
        Entry {
            family: "Aggregates, in measures",
            name: aggregate.name,
            aliases: aggregate.aliases,
            signature: aggregate.signature,
            doc: aggregate.doc,
            example: aggregate.example,
            missing: "Rows with a missing value, and rows that fail its condition, are left out.",
        }
    }
}

/// Shows the reference.
pub(super) fn show(ui: &mut Ui, theme: &Theme, reference: &mut Reference) {
    ui.set_width(NAMES + WORDS + 17.0);
    let edit = TextEdit::singleline(&mut reference.search)
        .hint_text("search names and descriptions")
        .align(egui::Align2::LEFT_CENTER)
        .desired_width(f32::INFINITY);
    let field = ui.add(edit).accessible_name("search functions");
    if !reference.was_shown {
        field.request_focus();
        reference.was_shown = true;
    }
    let lines = lines(&reference.search);
    let found: Vec<&Entry> = lines.iter().filter_map(Line::entry).collect();
    let at = found.iter().position(|entry| Some(entry.name) == reference.chosen);
    let moved = ui.input_mut(|input| {
        let mut presses = |key| input.count_and_consume_key(Modifiers::NONE, key) as isize;
        presses(Key::ArrowDown) - presses(Key::ArrowUp)
    });
    let last = found.len().saturating_sub(1);
    let at = at.map_or(0, |at| at.saturating_add_signed(moved).min(last));
    reference.chosen = found.get(at).map(|entry| entry.name);

    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        ui.vertical(|ui| {
            ui.set_width(NAMES);
            ui.set_height(HEIGHT);
            ui.spacing_mut().item_spacing.y = 0.0;
            if lines.is_empty() {
                ui.label(RichText::new("no function of this name").color(theme.weak));
            }
            let scroll = ScrollArea::vertical().id_salt("functions").auto_shrink(false);
            scroll.show_rows(ui, theme.size.row - 4.0, lines.len(), |ui, range| {
                for line in &lines[range] {
                    match line {
                        Line::Heading(text) => heading(ui, theme, text),
                        Line::Entry(found) => {
                            if entry(ui, theme, found, reference.chosen == Some(found.name)) {
                                reference.chosen = Some(found.name);
                            }
                        }
                    }
                }
            });
        });
        ui.add_space(8.0);
        let top = ui.cursor().top();
        ui.painter().vline(ui.cursor().left(), top..=top + HEIGHT, theme.hairline());
        ui.add_space(9.0);
        ui.vertical(|ui| {
            ui.set_width(WORDS);
            ui.set_height(HEIGHT);
            if let Some(entry) = found.iter().find(|entry| Some(entry.name) == reference.chosen) {
                about(ui, theme, entry);
            }
        });
    });
}

impl Line {
    fn entry(&self) -> Option<&Entry> {
        match self {
            Line::Heading(_) => None,
            Line::Entry(entry) => Some(entry),
        }
    }
}

/// The functions and aggregates that have what is searched in a name or in their description, under their
/// families.
fn lines(search: &str) -> Vec<Line> {
    let words: Vec<String> = search.split_whitespace().map(str::to_lowercase).collect();
    let names = |entry: &Entry| {
        let all = std::iter::once(entry.name).chain(entry.aliases.iter().copied());
        all.map(str::to_lowercase).collect::<Vec<_>>()
    };
    let matches = |entry: &Entry| {
        let (names, doc) = (names(entry), entry.doc.to_lowercase());
        words.iter().all(|word| names.iter().any(|name| name.contains(word)) || doc.contains(word))
    };
    let mut lines = Vec::new();
    let mut family = None;
    let all = functions().map(Entry::from).chain(offered_aggregates().map(Entry::from));
    for entry in all.filter(matches) {
        if family != Some(entry.family) {
            family = Some(entry.family);
            lines.push(Line::Heading(entry.family));
        }
        lines.push(Line::Entry(entry));
    }
    lines
}

fn title(family: Family) -> &'static str {
    match family {
        Family::Operator => "Operators",
        Family::Numeric => "Numbers",
        Family::Conversion => "Conversions",
        Family::Logic => "Choices and tests",
        Family::Missing => "Missing values",
        Family::Text => "Text",
        Family::Time => "Dates and times",
        Family::Geometry => "Places",
        Family::List => "Lists",
    }
}

fn heading(ui: &mut Ui, theme: &Theme, text: &str) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), theme.size.row - 4.0), Sense::hover());
    let at = rect.left_center() + vec2(2.0, 1.0);
    ui.painter().text(at, egui::Align2::LEFT_CENTER, text, theme.small(), theme.faint);
}

/// A line one can choose; whether it was.
fn entry(ui: &mut Ui, theme: &Theme, entry: &Entry, chosen: bool) -> bool {
    let size = vec2(ui.available_width(), theme.size.row - 4.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let name = format!("Function {}", entry.name);
    response.widget_info(|| WidgetInfo::selected(egui::Role::ListBoxOption, true, chosen, &name));
    if chosen || response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, 4, if chosen { theme.active } else { theme.hover });
    }
    let galley = one_line(ui.painter(), entry.name, theme.body(), theme.text, rect.width() - 16.0);
    let at = pos2(rect.left() + 10.0, rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, theme.text);
    response.clicked() || response.gained_focus()
}

fn about(ui: &mut Ui, theme: &Theme, entry: &Entry) {
    ui.spacing_mut().item_spacing.y = theme.size.unit;
    let wrapped = |ui: &mut Ui, text: RichText| ui.add(egui::Label::new(text).wrap());
    wrapped(ui, RichText::new(entry.signature).font(theme.strong()).color(theme.text));
    wrapped(ui, RichText::new(entry.doc).color(theme.text));
    if !entry.example.is_empty() {
        let example = RichText::new(entry.example).monospace().color(theme.text);
        egui::Frame::new().fill(theme.panel).inner_margin(8).corner_radius(4).show(ui, |ui| {
            ui.set_width(WORDS - 24.0);
            wrapped(ui, example);
        });
    }
    if !entry.aliases.is_empty() {
        let text = format!("Also called {}.", entry.aliases.join(", "));
        wrapped(ui, RichText::new(text).font(theme.small()).color(theme.weak));
    }
    wrapped(ui, RichText::new(entry.missing).font(theme.small()).color(theme.weak));
}
