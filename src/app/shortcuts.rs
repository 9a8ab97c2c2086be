//! Keys, and what they do.

use egui::{Context, Key, KeyboardShortcut, Modifiers};

use super::{App, dialogs};
use crate::session::{Command, ViewKind};

/// One key and what it does.
pub(super) struct Shortcut {
    /// The keys.
    pub keys: KeyboardShortcut,
    /// What they do, for the page of keys.
    pub what: &'static str,
    /// Does it.
    pub act: fn(&mut App, &Context),
}

const fn ctrl(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND, key)
}

const fn ctrl_shift(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::SHIFT), key)
}

/// All keys of the window; the longer ones first, as they contain the shorter.
pub(super) static SHORTCUTS: &[Shortcut] = &[
    Shortcut { keys: ctrl(Key::O), what: "Open a file", act: |app, _| app.dialog = Some(dialogs::open()) },
    Shortcut {
        keys: ctrl_shift(Key::E),
        what: "Export the picture of the focused view",
        act: |app, _| {
            let view = focused_chart(app);
            app.dialog = view.and_then(|view| dialogs::export_picture(app, view)).or(app.dialog.take());
        },
    },
    Shortcut {
        keys: ctrl(Key::E),
        what: "Export the numbers of the focused view",
        act: |app, _| {
            let view = focused_chart(app);
            app.dialog = view.and_then(|view| dialogs::export_data(app, view)).or(app.dialog.take());
        },
    },
    Shortcut {
        keys: ctrl(Key::S),
        what: "Save the session",
        act: |app, _| {
            if app.session.dataset().is_some() {
                app.dialog = Some(dialogs::save_session(app));
            }
        },
    },
    Shortcut { keys: ctrl_shift(Key::Z), what: "Redo", act: |app, _| app.commands.push(Command::Redo) },
    Shortcut { keys: ctrl(Key::Z), what: "Undo", act: |app, _| app.commands.push(Command::Undo) },
    Shortcut { keys: ctrl(Key::Y), what: "Redo", act: |app, _| app.commands.push(Command::Redo) },
    Shortcut {
        keys: ctrl(Key::K),
        what: "Command palette",
        act: |app, _| app.palette = if app.palette.is_some() { None } else { Some(Default::default()) },
    },
    Shortcut {
        keys: ctrl_shift(Key::I),
        what: "Invert the brush of the focused view",
        act: |app, _| {
            let filter = focused_filter(app);
            app.commands.extend(filter.map(Command::InvertFilter));
        },
    },
    Shortcut {
        keys: ctrl(Key::I),
        what: "Settings of the focused view",
        act: |app, _| app.inspecting = !app.inspecting,
    },
    Shortcut {
        keys: ctrl(Key::Q),
        what: "Quit",
        act: |_, ctx| ctx.send_viewport_cmd(egui::ViewportCommand::Close),
    },
    Shortcut {
        keys: KeyboardShortcut::new(Modifiers::SHIFT, Key::F1),
        what: "All functions",
        act: |app, _| app.dialog = Some(dialogs::Dialog::Functions(Default::default())),
    },
    Shortcut {
        keys: KeyboardShortcut::new(Modifiers::NONE, Key::F1),
        what: "This page",
        act: |app, _| app.dialog = Some(dialogs::Dialog::Keys),
    },
];

/// What the hand can do, for the page of keys.
pub(super) static GESTURES: &[(&str, &str)] = &[
    ("drag on a picture", "new brush; on a heatmap a rectangle"),
    ("drag a brush, or its edge", "move it, or resize it"),
    ("Shift+drag, Alt+drag", "add an interval or a shape, take one out"),
    ("Ctrl while dragging", "do not snap to bins"),
    ("L on a heatmap", "draw a lasso, or rectangles again"),
    ("Esc, or double click", "clear the brush of the focused view"),
    ("arrows on a focused edge", "move it by one bin; with Shift by ten"),
    ("click on a bar, or on <, >, ?", "filter to its values; with Shift add or take away"),
    ("right click on a bar", "keep only, exclude, set bounds, show rows, copy"),
    ("drag in a column's small picture", "brush it as in a view"),
    ("wheel", "zoom at the pointer; in the rows, move"),
    ("drag on an axis, middle button", "pan"),
    ("double click on an axis", "full extent"),
    ("PageUp, PageDown, Home, End", "move in the rows"),
];

/// Acts on the keys pressed.
pub(super) fn take(app: &mut App, ctx: &Context) {
    for shortcut in SHORTCUTS {
        // While text is typed, Ctrl+Z is the field's.
        let belongs_to_field =
            ctx.text_edit_focused() && matches!(shortcut.keys.logical_key, Key::Z | Key::Y);
        if !belongs_to_field && ctx.input_mut(|input| input.consume_shortcut(&shortcut.keys)) {
            (shortcut.act)(app, ctx);
        }
    }
}

/// The position of the filter of the focused view's own dimension.
fn focused_filter(app: &App) -> Option<usize> {
    let view = app.session.document().view(app.focused?)?;
    app.session.filter_of(view).map(|(at, _)| at)
}

/// The focused view if it is a chart, else the first chart.
pub(super) fn focused_chart(app: &App) -> Option<crate::session::ViewId> {
    let document = app.session.document();
    let is_chart = |view: &&crate::session::ViewSpec| view.kind != ViewKind::Rows;
    let focused = app.focused.and_then(|id| document.view(id)).filter(is_chart);
    focused.or_else(|| document.views.iter().find(is_chart)).map(|view| view.id)
}
