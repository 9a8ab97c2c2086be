//! The highest line: menus, what is open, undo and redo.

use egui::{Align, Align2, Button, Frame, KeyboardShortcut, Layout, Margin, MenuBar, Panel, Ui};

use super::shortcuts::{SHORTCUTS, focused_chart};
use super::{App, dialogs};
use crate::data::Kind;
use crate::session::{AxisSpec, Command, Grouping, ThemeChoice, ViewKind, ViewSpec};
use crate::views::paint::axis::one_line;
use crate::views::paint::icon::{self, Icon};
use crate::views::paint::readout;
use crate::views::{Theme, VIEWS};

/// Shows the line.
pub(super) fn show(app: &mut App, ui: &mut Ui, theme: &Theme) {
    let frame = Frame::new().fill(theme.panel).inner_margin(Margin::symmetric(8, 0));
    Panel::top("menu").exact_size(32.0).frame(frame).show(ui, |ui| {
        let rect = ui.max_rect();
        ui.painter().hline(rect.expand(8.0).x_range(), rect.bottom(), theme.hairline());
        ui.horizontal_centered(|ui| {
            MenuBar::new().ui(ui, |ui| {
                ui.menu_button("File", |ui| file(app, ui));
                ui.menu_button("Edit", |ui| edit(app, ui));
                ui.menu_button("View", |ui| view(app, ui));
                ui.menu_button("Help", |ui| help(app, ui));
            });
        });
        title(app, ui, theme, rect);
        let builder = egui::UiBuilder::new().max_rect(rect).layout(Layout::right_to_left(Align::Center));
        ui.scope_builder(builder, |ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            if icon::button(ui, Icon::Redo, "Redo", app.session.can_redo()).clicked() {
                app.commands.push(Command::Redo);
            }
            if icon::button(ui, Icon::Undo, "Undo", app.session.can_undo()).clicked() {
                app.commands.push(Command::Undo);
            }
        });
    });
}

/// The file and its number of rows, in the middle.
fn title(app: &App, ui: &Ui, theme: &Theme, rect: egui::Rect) {
    let painter = ui.painter();
    let Some(dataset) = app.session.dataset() else {
        let text = match app.session.opening() {
            Some(path) => format!("opening {}", path.display()),
            None => "Outcrop".to_owned(),
        };
        let galley = one_line(painter, &text, theme.body(), theme.weak, rect.width() * 0.5);
        let at = Align2::CENTER_CENTER.anchor_size(rect.center(), galley.size());
        painter.galley(at.min, galley, theme.weak);
        return;
    };
    let file = app.session.document().file.as_ref();
    let name = file.and_then(|path| path.file_name()).map(|name| name.to_string_lossy().into_owned());
    let name = crate::data::shorten(&name.unwrap_or_else(|| "untitled".to_owned()));
    let rows = format!(" · {}", readout::rows(dataset.row_count()));
    let name = one_line(painter, &name, theme.strong(), theme.text, rect.width() * 0.4);
    let rows = painter.layout_no_wrap(rows, theme.body(), theme.weak);
    let left = rect.center().x - (name.size().x + rows.size().x) / 2.0;
    let y = rect.center().y - name.size().y / 2.0;
    let width = name.size().x;
    painter.galley(egui::pos2(left, y), name, theme.text);
    painter.galley(egui::pos2(left + width, y), rows, theme.weak);
}

/// A line of a menu with its keys.
fn item(ui: &mut Ui, text: &str, keys: Option<&KeyboardShortcut>, enabled: bool) -> bool {
    let mut button = Button::new(text);
    if let Some(keys) = keys {
        button = button.shortcut_text(ui.ctx().format_shortcut(keys));
    }
    let clicked = ui.add_enabled(enabled, button).clicked();
    if clicked {
        ui.close();
    }
    clicked
}

/// The keys of the shortcut described by `what`.
fn keys(what: &str) -> Option<&'static KeyboardShortcut> {
    SHORTCUTS.iter().find(|shortcut| shortcut.what == what).map(|shortcut| &shortcut.keys)
}

fn file(app: &mut App, ui: &mut Ui) {
    ui.set_min_width(220.0);
    let is_open = app.session.dataset().is_some();
    let chart = focused_chart(app);
    if item(ui, "Open…", keys("Open a file"), true) {
        app.dialog = Some(dialogs::open());
    }
    if item(ui, "Open session…", None, true) {
        app.dialog = Some(dialogs::open_session());
    }
    if item(ui, "Save session…", keys("Save the session"), is_open) {
        app.dialog = Some(dialogs::save_session(app));
    }
    ui.separator();
    if item(ui, "Export data…", keys("Export the numbers of the focused view"), chart.is_some()) {
        app.dialog = chart.and_then(|view| dialogs::export_data(app, view));
    }
    if item(ui, "Export picture…", keys("Export the picture of the focused view"), chart.is_some()) {
        app.dialog = chart.and_then(|view| dialogs::export_picture(app, view));
    }
    ui.separator();
    if item(ui, "Quit", keys("Quit"), true) {
        ui.ctx().send_viewport_cmd(egui::ViewportCommand::Close);
    }
}

fn edit(app: &mut App, ui: &mut Ui) {
    ui.set_min_width(180.0);
    if item(ui, "Undo", keys("Undo"), app.session.can_undo()) {
        app.commands.push(Command::Undo);
    }
    if item(ui, "Redo", keys("Redo"), app.session.can_redo()) {
        app.commands.push(Command::Redo);
    }
    ui.separator();
    if item(ui, "Clear filters", None, !app.session.filters().is_empty()) {
        app.commands.push(Command::ClearFilters);
    }
}

fn view(app: &mut App, ui: &mut Ui) {
    ui.set_min_width(180.0);
    let is_open = app.session.dataset().is_some();
    for class in VIEWS {
        let text = format!("Add {}", class.name.to_lowercase());
        let button = ui.add_enabled(is_open, Button::new(text)).on_hover_text(class.doc);
        if button.clicked() {
            add_view(app, class.kind);
            ui.close();
        }
    }
    ui.separator();
    if item(ui, "Settings of the view", keys("Settings of the focused view"), is_open) {
        app.inspecting = !app.inspecting;
    }
    ui.separator();
    let current = app.session.document().theme;
    for (choice, name) in [
        (ThemeChoice::System, "Theme of the system"),
        (ThemeChoice::Light, "Light theme"),
        (ThemeChoice::Dark, "Dark theme"),
    ] {
        if ui.radio(current == choice, name).clicked() {
            app.commands.push(Command::SetTheme(choice));
            ui.close();
        }
    }
}

fn help(app: &mut App, ui: &mut Ui) {
    if item(ui, "Command palette", keys("Command palette"), true) {
        app.palette = Some(Default::default());
    }
    if item(ui, "Keys and gestures", keys("This page"), true) {
        app.dialog = Some(dialogs::Dialog::Keys);
    }
    if item(ui, "Functions", keys("All functions"), true) {
        app.dialog = Some(dialogs::Dialog::Functions(Default::default()));
    }
}

/// Adds a view of a kind over the first columns that suit it.
pub(super) fn add_view(app: &mut App, kind: ViewKind) {
    let Some(dataset) = app.session.dataset() else { return };
    let fields = dataset.schema().fields();
    let axis = |field: &crate::data::Field| AxisSpec::telling(crate::expr::quote_name(&field.name));
    let category = fields.iter().find(|field| matches!(field.kind(), Kind::Text | Kind::Bool));
    let mut ordinal = fields.iter().filter(|field| field.kind().is_ordinal()).map(axis);
    let (x, y) = match kind {
        ViewKind::Histogram => (ordinal.next(), None),
        ViewKind::Heatmap => (ordinal.next(), ordinal.next()),
        ViewKind::Bars => (category.or(fields.first()).map(axis), None),
        ViewKind::Groups => (category.map(axis), None),
        ViewKind::Number | ViewKind::Rows => (None, None),
    };
    let id = app.session.document().next_id();
    let view = match kind {
        ViewKind::Groups => ViewSpec::of_groups(id, Grouping::by(x.into_iter().collect())),
        kind => ViewSpec::new(id, kind, x, y),
    };
    app.commands.push(Command::AddView(view));
    app.focused = Some(id);
}
