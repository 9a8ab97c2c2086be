//! What is open, and the commands that change it.
//!
//! A [`Session`] holds a [`Document`] (plain data, saved as text) and what follows from it: the typed
//! selection, the open table, what can be undone. [`Session::apply`] is the only way to change it; what
//! needs a thread or a disk comes back as a [`Request`]. A whole user's day can be replayed in a test
//! without either.

mod brushed;
mod command;
mod document;
pub mod figure;
mod grouping;
mod history;
mod naming;
pub mod outline;
pub mod persist;
pub mod questions;
mod scene;
mod state;

pub use brushed::Brushed;
pub use command::{Command, Gesture, Request};
pub use document::{
    AxisSpec, ColumnSpec, CutAxis, Document, FilterSpec, Fit, Layout, LayoutCell, LayoutColumn,
    PredicateSpec, Shape, ThemeChoice, ViewId, ViewKind, ViewSpec,
};
pub use grouping::{GroupOrder, Grouping, KEY_BINS, KeyValue, is_cut, key_text, key_value};
pub use scene::{first_scene, view_of};
pub use state::{Filter, Notice, Session};
