//! Dialogs: one at a time, over the window. A path can always be typed; the system's own dialog is
//! a button beside it, since not every desktop has one.

use egui::{Button, DragValue, Id, Key, Modal, RichText, ScrollArea, Ui};

use super::reference::{self, Reference};
use super::shortcuts::{GESTURES, SHORTCUTS};
use super::{App, exports};
use crate::dataset::Dataset;
use crate::expr::scalar_with;
use crate::session::{Command, Gesture, ViewId};
use crate::views::editor::{self, Editor, Purpose};
use crate::views::{Theme, text_field};

/// The dialog shown.
pub(super) enum Dialog {
    /// Which file to open.
    Open(PathField),
    /// Which session to open.
    OpenSession(PathField),
    /// Where to save the session.
    SaveSession(PathField),
    /// Where to write a view's numbers.
    ExportData { view: ViewId, path: PathField },
    /// Where to write a view's picture, and how large.
    ExportPicture { view: ViewId, path: PathField, size: [u32; 2], scale: f32, dark: bool },
    /// A virtual column.
    Column { name: String, definition: Box<Editor>, existing: Option<(String, String)>, focused: bool },
    /// A number with a name.
    Variable { name: String, value: String, existing: Option<(String, f64)>, focused: bool },
    /// Keys and gestures.
    Keys,
    /// All functions.
    Functions(Reference),
}

/// A path as typed.
#[derive(Debug, Clone, Default)]
pub(super) struct PathField {
    pub(super) text: String,
    focused: bool,
}

impl PathField {
    fn with(text: String) -> PathField {
        PathField { text, focused: false }
    }
}

impl Dialog {
    /// The path being typed.
    pub(super) fn path(&mut self) -> Option<&mut PathField> {
        match self {
            Dialog::Open(path) | Dialog::OpenSession(path) | Dialog::SaveSession(path) => Some(path),
            Dialog::ExportData { path, .. } | Dialog::ExportPicture { path, .. } => Some(path),
            Dialog::Column { .. } | Dialog::Variable { .. } | Dialog::Keys | Dialog::Functions(_) => None,
        }
    }
}

/// Asks for a file.
pub(super) fn open() -> Dialog {
    Dialog::Open(PathField::default())
}

/// Asks for a session.
pub(super) fn open_session() -> Dialog {
    Dialog::OpenSession(PathField::default())
}

/// Asks where to save the session.
pub(super) fn save_session(app: &App) -> Dialog {
    Dialog::SaveSession(PathField::with(exports::beside(app, "", "outcrop")))
}

/// Asks where to write the numbers of a view.
pub(super) fn export_data(app: &App, view: ViewId) -> Option<Dialog> {
    let path = PathField::with(exports::beside(app, &exports::stem(app, view)?, "csv"));
    Some(Dialog::ExportData { view, path })
}

/// Asks where to write the picture of a view.
pub(super) fn export_picture(app: &App, view: ViewId) -> Option<Dialog> {
    let path = PathField::with(exports::beside(app, &exports::stem(app, view)?, "png"));
    Some(Dialog::ExportPicture { view, path, size: [800, 500], scale: 2.0, dark: false })
}

/// Asks for a virtual column, or for another definition of one.
pub(super) fn new_column(existing: Option<(String, String)>) -> Dialog {
    let (name, definition) = match &existing {
        Some((name, text)) => (name.clone(), Editor::of(text)),
        None => Default::default(),
    };
    Dialog::Column { name, definition: Box::new(definition), focused: existing.is_some(), existing }
}

/// Asks for a variable, or for another name or number of one.
pub(super) fn variable(existing: Option<(String, f64)>) -> Dialog {
    let (name, value) = match &existing {
        Some((name, value)) => (name.clone(), value.to_string()),
        None => Default::default(),
    };
    Dialog::Variable { name, value, existing, focused: false }
}

/// What the page of keys leaves of the window's height, in points.
const AROUND_KEYS: f32 = 140.0;

/// What is to become of the dialog.
#[derive(PartialEq)]
enum Next {
    Stay,
    Close,
}

/// Shows the dialog there is.
pub(super) fn show(app: &mut App, ui: &mut Ui, theme: &Theme) {
    let Some(mut dialog) = app.dialog.take() else { return };
    let frame = egui::Frame::popup(ui.style()).inner_margin(16).corner_radius(8);
    let modal = Modal::new(Id::unique("dialog").with(std::mem::discriminant(&dialog))).frame(frame).show(
        ui.ctx(),
        |ui| {
            ui.set_width(460.0);
            ui.spacing_mut().item_spacing.y = theme.size.unit;
            contents(app, ui, theme, &mut dialog)
        },
    );
    if modal.inner == Next::Stay && !modal.should_close() {
        app.dialog.get_or_insert(dialog);
    }
}

fn contents(app: &mut App, ui: &mut Ui, theme: &Theme, dialog: &mut Dialog) -> Next {
    match dialog {
        Dialog::Open(path) => {
            ask(app, ui, theme, "Open a file", "Open", path, exports::Pick::Table, |app, path| {
                exports::open(app, path.into());
            })
        }
        Dialog::OpenSession(path) => {
            ask(app, ui, theme, "Open a session", "Open", path, exports::Pick::Session, |app, path| {
                exports::open_session(app, path.into());
            })
        }
        Dialog::SaveSession(path) => {
            ask(app, ui, theme, "Save the session", "Save", path, exports::Pick::SaveSession, |app, path| {
                exports::save_session(app, path.into());
            })
        }
        Dialog::ExportData { view, path } => {
            let view = *view;
            heading(ui, theme, "Export data");
            let about = "One row per cell under all filters: edges, centres, values; missing, below and above \
                         the axis included. The ending chooses the format: .csv, .tsv or .arrow.";
            ui.label(RichText::new(about).font(theme.small()).color(theme.weak));
            let entered = path_line(app, ui, path, exports::Pick::Data);
            let ready = exports::prepare(app, view);
            message(ui, ready.as_ref().err().map(String::as_str));
            let chosen = buttons(ui, "Export", entered, !path.text.trim().is_empty() && ready.is_ok());
            if let (Next::Close, true, Ok(data)) = (&chosen.0, chosen.1, ready) {
                exports::write_data(app, data, path.text.trim().into());
            }
            chosen.0
        }
        Dialog::ExportPicture { view, path, size, scale, dark } => {
            let view = *view;
            heading(ui, theme, "Export picture");
            let entered = path_line(app, ui, path, exports::Pick::Picture);
            ui.horizontal(|ui| {
                for (value, name) in size.iter_mut().zip(["width", "height"]) {
                    ui.label(name);
                    ui.add(DragValue::new(value).range(200..=8000)).accessible_name(name);
                }
                ui.label("pixels per point");
                ui.add(DragValue::new(scale).range(0.5..=4.0).speed(0.1)).accessible_name("pixels per point");
                ui.checkbox(dark, "dark");
            });
            let ready = exports::chart(app, view);
            message(ui, ready.as_ref().err().map(String::as_str));
            let chosen = buttons(ui, "Export", entered, !path.text.trim().is_empty() && ready.is_ok());
            if let (Next::Close, true, Ok(chart)) = (&chosen.0, chosen.1, ready) {
                exports::write_picture(app, (view, chart), path.text.trim().into(), *size, *scale, *dark);
            }
            chosen.0
        }
        Dialog::Column { name, definition, existing, focused } => {
            let to_focus = !std::mem::replace(focused, true);
            column(app, ui, theme, (name, definition), existing.as_ref(), to_focus)
        }
        Dialog::Variable { name, value, existing, focused } => {
            let to_focus = !std::mem::replace(focused, true);
            number(app, ui, theme, (name, value), existing.as_ref(), to_focus)
        }
        Dialog::Keys => keys(ui, theme),
        Dialog::Functions(found) => {
            heading(ui, theme, "Functions");
            reference::show(ui, theme, found);
            close(ui)
        }
    }
}

fn heading(ui: &mut Ui, theme: &Theme, text: &str) {
    ui.label(RichText::new(text).font(theme.strong()).size(15.0));
}

/// A sentence about what is wrong, if anything is.
fn message(ui: &mut Ui, error: Option<&str>) {
    if let Some(error) = error {
        text_field::message(ui, Err(error));
    }
}

/// A field for a path, with the system's dialog beside it. Whether Enter was pressed.
fn path_line(app: &mut App, ui: &mut Ui, path: &mut PathField, pick: exports::Pick) -> bool {
    let mut entered = false;
    ui.horizontal(|ui| {
        let field = text_field::line(ui, &mut path.text, "path", "path of the file", 360.0);
        if !path.focused {
            path.focused = true;
            field.request_focus();
        }
        entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        if ui.button("Browse…").clicked() {
            exports::browse(app, pick, &path.text);
        }
    });
    entered
}

/// The buttons at the foot: what is next, and whether it was the button that acts.
fn buttons(ui: &mut Ui, act: &str, entered: bool, enabled: bool) -> (Next, bool) {
    let mut next = (Next::Stay, false);
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        let clicked = ui.add_enabled(enabled, Button::new(act)).clicked();
        if enabled && (clicked || entered) {
            next = (Next::Close, true);
        }
        if ui.button("Cancel").clicked() {
            next = (Next::Close, false);
        }
    });
    next
}

#[expect(clippy::too_many_arguments, reason = "three calls, from the function above")]
fn ask(
    app: &mut App,
    ui: &mut Ui,
    theme: &Theme,
    title: &str,
    act: &str,
    path: &mut PathField,
    pick: exports::Pick,
    then: impl FnOnce(&mut App, &str),
) -> Next {
    heading(ui, theme, title);
    let entered = path_line(app, ui, path, pick);
    let (next, acted) = buttons(ui, act, entered, !path.text.trim().is_empty());
    if acted {
        then(app, path.text.trim());
    }
    next
}

fn column(
    app: &mut App,
    ui: &mut Ui,
    theme: &Theme,
    (name, definition): (&mut String, &mut Editor),
    existing: Option<&(String, String)>,
    to_focus: bool,
) -> Next {
    ui.set_width(editor::WIDTH);
    heading(ui, theme, if existing.is_some() { "Edit column" } else { "New column" });
    let Some(dataset) = app.session.dataset().cloned() else { return Next::Close };
    ui.label("Name");
    let renamed = existing.map(|(was, _)| was).filter(|was| *was != name.trim());
    // The definition is checked under the old name, which the others know.
    let define = |name: &str, text: &str| {
        let is_known = dataset.schema().field(name).is_some() || dataset.schema().variable(name).is_some();
        if is_known && (renamed.is_some() || (existing.is_none() && dataset.is_virtual(name))) {
            return Err(format!("there is a column {name}"));
        }
        let name = renamed.map_or(name, String::as_str);
        dataset.with_column(name, text).map_err(|error| error.to_string())
    };
    let defined = define(name.trim(), definition.text());
    ui.horizontal(|ui| {
        let of_name = text_field::line(ui, name, "column name", "speed", 240.0);
        if to_focus {
            of_name.request_focus();
        }
        if of_name.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter)) {
            definition.request_focus();
        }
        match &defined {
            Err(_) if name.trim().is_empty() => text_field::message(ui, Ok("to be used like any column")),
            Err(error) if definition.is_right() => text_field::message(ui, Err(error)),
            _ => {}
        }
    });
    ui.label("Definition");
    let edited = definition.show(ui, Purpose::Column, "distance / time * 60", &dataset, &mut app.engine);
    let is_defined = !name.trim().is_empty() && define(name.trim(), definition.text()).is_ok();
    let (next, acted) = buttons(ui, "Define", edited.entered, is_defined);
    if acted {
        let (name, text) = (name.trim().to_owned(), definition.text().to_owned());
        if existing.is_none_or(|(_, was)| *was != text) {
            let name = renamed.unwrap_or(&name).clone();
            app.commands.push(Command::DefineColumn { name, text });
        }
        app.commands.extend(renamed.map(|from| Command::Rename { from: from.clone(), to: name }));
    }
    next
}

/// A name and a number; the number may be a formula over other variables.
fn number(
    app: &mut App,
    ui: &mut Ui,
    theme: &Theme,
    (name, value): (&mut String, &mut String),
    existing: Option<&(String, f64)>,
    to_focus: bool,
) -> Next {
    heading(ui, theme, if existing.is_some() { "Edit variable" } else { "New variable" });
    let about = "A number that every expression knows by its name.";
    ui.label(RichText::new(about).font(theme.small()).color(theme.weak));
    let Some(dataset) = app.session.dataset().cloned() else { return Next::Close };
    let mut entered = false;
    ui.horizontal(|ui| {
        let of_name = text_field::line(ui, name, "variable name", "limit", 180.0);
        ui.label("=");
        let of_value = text_field::line(ui, value, "variable value", "2.5, or 2 * pi", 220.0);
        if to_focus {
            if existing.is_some() { of_value.request_focus() } else { of_name.request_focus() }
        }
        let left = of_name.lost_focus() || of_value.lost_focus();
        entered = left && ui.input(|input| input.key_pressed(Key::Enter));
    });
    let known = dataset.schema().variables();
    let number = scalar_with(value, known).map_err(|error| error.to_string());
    let number = number.and_then(|number| match number.is_finite() {
        true => Ok(number),
        false => Err(format!("{number} is no number to count with")),
    });
    let renamed = existing.map(|(was, _)| was).filter(|was| *was != name.trim());
    let is_taken = known.iter().any(|(known, _)| known == name.trim());
    let named = match is_taken && existing.is_none_or(|(was, _)| was != name.trim()) {
        true => Err(format!("there is a variable {}", name.trim())),
        false => {
            let only = vec![(name.trim().to_owned(), 0.0)];
            let bare = Dataset::new(dataset.source().clone());
            bare.with_variables(only).map(|_| ()).map_err(|error| error.to_string())
        }
    };
    let wrong = match (&named, &number) {
        (Err(error), _) if !name.trim().is_empty() => Some(error.as_str()),
        (_, Err(error)) if !value.trim().is_empty() => Some(error.as_str()),
        _ => None,
    };
    text_field::message(ui, wrong.map_or(Ok(""), Err));
    let ready = named.is_ok() && number.is_ok();
    let (next, acted) = buttons(ui, "Set", entered, ready);
    if let (true, Ok(value)) = (acted, number) {
        let name = name.trim().to_owned();
        let current = renamed.unwrap_or(&name).clone();
        if existing.is_none_or(|(_, was)| *was != value) {
            app.commands.push(Command::SetVariable { name: current, value, gesture: Gesture::Begin });
        }
        app.commands.extend(renamed.map(|from| Command::Rename { from: from.clone(), to: name }));
    }
    next
}

fn keys(ui: &mut Ui, theme: &Theme) -> Next {
    heading(ui, theme, "Keys and gestures");
    let of_keys = SHORTCUTS.iter().map(|s| (ui.ctx().format_shortcut(&s.keys), s.what)).collect();
    let of_hand = GESTURES.iter().map(|(hand, what)| (hand.to_string(), *what)).collect();
    let room = ui.ctx().content_rect().height() - AROUND_KEYS;
    ScrollArea::vertical().max_height(room).show(ui, |ui| {
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = 32.0;
            explained(ui, theme, "keys", of_keys);
            explained(ui, theme, "gestures", of_hand);
        });
    });
    close(ui)
}

/// What keys or gestures do, a line each.
fn explained(ui: &mut Ui, theme: &Theme, id: &str, lines: Vec<(String, &str)>) {
    egui::Grid::new(id).num_columns(2).spacing([24.0, 4.0]).show(ui, |ui| {
        for (hand, what) in lines {
            ui.label(RichText::new(hand).color(theme.weak));
            ui.label(what);
            ui.end_row();
        }
    });
}

/// The button that ends a page of help.
fn close(ui: &mut Ui) -> Next {
    let mut next = Next::Stay;
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        if ui.button("Close").clicked() {
            next = Next::Close;
        }
    });
    next
}
