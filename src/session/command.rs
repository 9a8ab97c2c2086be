//! What a person can do to a session.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Document, FilterSpec, Layout, ThemeChoice, ViewId, ViewSpec};
use crate::dataset::Dataset;

/// Which part of a drag a change belongs to: a whole drag is one step of undo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gesture {
    /// The first change of a drag, or a change by itself.
    Begin,
    /// A further change of the drag that began last.
    Continue,
}

/// A change of the session, and the only way to change it.
#[derive(Debug, Clone)]
pub enum Command {
    /// Open a file.
    Open(PathBuf),
    /// The file asked for is open.
    Opened {
        /// Its path.
        path: PathBuf,
        /// The table, or why there is none.
        result: Result<Arc<Dataset>, String>,
    },
    /// Go on with a saved session, whose file is still to be opened.
    Restore(Box<Document>),
    /// Show another view.
    AddView(ViewSpec),
    /// Take a view away.
    RemoveView(ViewId),
    /// Change the axes or looks of a view.
    ChangeView(ViewSpec, Gesture),
    /// Set the filter of a dimension, replacing the one there.
    SetFilter(FilterSpec, Gesture),
    /// Replace the filter at a position by another, whatever its dimension.
    ReplaceFilter(usize, FilterSpec),
    /// Remove the filter at a position.
    RemoveFilter(usize),
    /// Turn the filter at a position on or off.
    ToggleFilter(usize),
    /// Turn the filter at a position into its complement.
    InvertFilter(usize),
    /// Remove every filter.
    ClearFilters,
    /// Define or redefine a virtual column.
    DefineColumn {
        /// Its name.
        name: String,
        /// Its expression.
        text: String,
    },
    /// Remove a virtual column.
    RemoveColumn(String),
    /// Give a number a name that every expression knows, or the name another number.
    SetVariable {
        /// Its name.
        name: String,
        /// Its number.
        value: f64,
        /// Whether the number is being dragged.
        gesture: Gesture,
    },
    /// Forget a variable.
    RemoveVariable(String),
    /// Call a virtual column or a variable otherwise, in every text that names it.
    Rename {
        /// Its name.
        from: String,
        /// The new one.
        to: String,
    },
    /// Choose the colours of the window.
    SetTheme(ThemeChoice),
    /// Move or resize views.
    SetLayout(Layout, Gesture),
    /// Take the last change back.
    Undo,
    /// Make the change taken back last again.
    Redo,
    /// Tell the person something.
    Notify(String),
    /// The person has read the notice.
    DismissNotice,
}

/// What a session needs done by others.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Open this file and answer with [`Command::Opened`].
    Open(PathBuf),
}
