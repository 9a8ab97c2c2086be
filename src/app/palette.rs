//! The command palette: every action of the window by its name.

use egui::{Key, Modal, RichText, ScrollArea, TextEdit, Ui};

use super::shortcuts::SHORTCUTS;
use super::{App, dialogs, menu};
use crate::session::{Command, ThemeChoice, view_of};
use crate::views::paint::axis::one_line;
use crate::views::{Theme, VIEWS, Wish};

/// Most actions listed.
const MOST: usize = 12;
/// Most columns among the actions.
const MOST_COLUMNS: usize = 2000;
/// Width of the palette.
const WIDTH: f32 = 440.0;

/// What is being typed, and which action Enter takes.
#[derive(Default)]
pub(super) struct Palette {
    text: String,
    chosen: usize,
}

/// What an action does.
type Act = Box<dyn FnOnce(&mut App, &egui::Context)>;

/// Something that can be done now.
struct Action {
    name: String,
    keys: String,
    act: Act,
}

impl Action {
    fn new(name: impl Into<String>, act: impl FnOnce(&mut App, &egui::Context) + 'static) -> Action {
        Action { name: name.into(), keys: String::new(), act: Box::new(act) }
    }

    fn command(name: impl Into<String>, command: Command) -> Action {
        Action::new(name, move |app, _| app.commands.push(command))
    }
}

/// Every action there is now, those of the focused view first.
fn actions(app: &App, ctx: &egui::Context) -> Vec<Action> {
    let mut actions = Vec::new();
    let session = &app.session;
    let document = session.document();
    if let Some(view) = app.focused.and_then(|id| document.view(id)) {
        let (id, title) = (view.id, view.title());
        if let Some((at, _)) = session.filter_of(view) {
            actions.push(Action::command(format!("Clear the brush of {title}"), Command::RemoveFilter(at)));
        }
        actions.push(Action::new(format!("Settings of {title}"), move |app, _| {
            app.wishes.push(Wish::Settings(id));
        }));
        actions.push(Action::command(format!("Remove {title}"), Command::RemoveView(id)));
    }
    for shortcut in SHORTCUTS {
        // Two keys of one action are one action.
        if actions.iter().all(|action| action.name != shortcut.what) {
            let keys = ctx.format_shortcut(&shortcut.keys);
            let act = Box::new(|app: &mut App, ctx: &egui::Context| (shortcut.act)(app, ctx));
            actions.push(Action { name: shortcut.what.to_owned(), keys, act });
        }
    }
    actions.push(Action::new("Open a session", |app, _| app.dialog = Some(dialogs::open_session())));
    for (name, theme) in [
        ("Light theme", ThemeChoice::Light),
        ("Dark theme", ThemeChoice::Dark),
        ("Theme of the system", ThemeChoice::System),
    ] {
        actions.push(Action::command(name, Command::SetTheme(theme)));
    }
    let Some(dataset) = session.dataset() else { return actions };
    if !document.filters.is_empty() {
        actions.push(Action::command("Clear all filters", Command::ClearFilters));
    }
    actions.push(Action::new("New column", |app, _| app.dialog = Some(dialogs::new_column(None))));
    actions.push(Action::new("New variable", |app, _| app.dialog = Some(dialogs::variable(None))));
    for class in VIEWS {
        let kind = class.kind;
        actions.push(Action::new(format!("Add {}", class.name.to_lowercase()), move |app, _| {
            menu::add_view(app, kind);
        }));
    }
    for view in &document.views {
        let id = view.id;
        actions.push(Action::new(format!("Go to {}", view.title()), move |app, _| {
            app.wishes.push(Wish::Focus(id));
        }));
    }
    let id = document.next_id();
    // A table of a hundred thousand columns has a search of its own.
    for field in dataset.schema().fields().iter().take(MOST_COLUMNS) {
        if let Some(view) = view_of(id, field) {
            actions.push(Action::command(format!("Show {}", field.name), Command::AddView(view)));
        }
    }
    actions
}

/// How well `name` answers to `typed`: `None` where a word of it is not there, else fewer for better.
fn rank(name: &str, typed: &str) -> Option<usize> {
    let name = name.to_lowercase();
    let mut rank = 0;
    for word in typed.to_lowercase().split_whitespace() {
        let at = name.find(word)?;
        let begins_word = at == 0 || !name[..at].ends_with(char::is_alphanumeric);
        rank += if begins_word { at.min(8) } else { 100 + at };
    }
    Some(rank)
}

/// Shows the palette, if it is open.
pub(super) fn show(app: &mut App, ui: &mut Ui, theme: &Theme) {
    let Some(mut palette) = app.palette.take() else { return };
    let mut found: Vec<(usize, Action)> = actions(app, ui.ctx())
        .into_iter()
        .filter_map(|action| Some((rank(&action.name, &palette.text)?, action)))
        .collect();
    found.sort_by_key(|(rank, _)| *rank);
    let more = found.len().saturating_sub(MOST);
    found.truncate(MOST);
    let mut taken = None;
    let modal = Modal::new(egui::Id::unique("palette")).show(ui.ctx(), |ui| {
        ui.set_width(WIDTH);
        let (down, up, enter) = ui.input_mut(|input| {
            let mut key = |key| input.consume_key(egui::Modifiers::NONE, key);
            (key(Key::ArrowDown), key(Key::ArrowUp), key(Key::Enter))
        });
        let before = palette.text.clone();
        let edit = TextEdit::singleline(&mut palette.text)
            .hint_text("what to do")
            .desired_width(f32::INFINITY)
            .show(ui)
            .response;
        edit.request_focus();
        edit.response.accessible_name("command");
        if palette.text != before {
            palette.chosen = 0;
        }
        let last = found.len().saturating_sub(1);
        palette.chosen = (palette.chosen + usize::from(down)).saturating_sub(usize::from(up)).min(last);
        if enter && !found.is_empty() {
            taken = Some(palette.chosen);
        }
        ui.add_space(theme.size.unit * 0.5);
        ScrollArea::vertical().max_height(MOST as f32 * theme.size.row).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for (i, (_, action)) in found.iter().enumerate() {
                if line(ui, theme, action, i == palette.chosen) {
                    taken = Some(i);
                }
            }
        });
        if found.is_empty() {
            ui.label(RichText::new("no action of this name").color(theme.faint));
        } else if more > 0 {
            let text = format!("{more} more: go on typing");
            ui.label(RichText::new(text).font(theme.small()).color(theme.faint));
        }
    });
    match taken {
        Some(at) => (found.swap_remove(at).1.act)(app, ui.ctx()),
        None if modal.should_close() => {}
        None => app.palette = Some(palette),
    }
}

fn line(ui: &mut Ui, theme: &Theme, action: &Action, chosen: bool) -> bool {
    let size = egui::vec2(ui.available_width(), theme.size.row);
    let (rect, response) = ui.allocate_exact_size(size, egui::Sense::click());
    let name = action.name.clone();
    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Button, true, &name));
    if chosen || response.hovered() {
        ui.painter().rect_filled(rect, 4, if chosen { theme.active } else { theme.hover });
    }
    let keys = ui.painter().layout_no_wrap(action.keys.clone(), theme.small(), theme.faint);
    let room = rect.width() - keys.size().x - 24.0;
    let text = one_line(ui.painter(), &crate::data::shorten(&action.name), theme.body(), theme.text, room);
    let middle = |height: f32| rect.center().y - height / 2.0;
    ui.painter().galley(egui::pos2(rect.left() + 8.0, middle(text.size().y)), text, theme.text);
    let left = rect.right() - 8.0 - keys.size().x;
    ui.painter().galley(egui::pos2(left, middle(keys.size().y)), keys, theme.faint);
    response.clicked()
}

#[cfg(test)]
mod tests {
    use super::rank;

    #[test]
    fn an_action_is_found_by_the_beginnings_of_its_words_in_any_order() {
        assert!(rank("Add histogram", "hist add").is_some());
        assert!(rank("Add histogram", "heat").is_none());
        assert!(rank("Add histogram", "hist") < rank("Show whist", "hist"));
        assert_eq!(rank("anything", ""), Some(0));
    }
}
