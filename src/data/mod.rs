//! The nouns: what a column holds, and how a person is shown it.
//!
//! Values are Arrow arrays ([`arrow::array::ArrayRef`]); a [`Schema`] names and types them, a
//! [`Chunk`] is some rows of some columns. Nothing here knows files or expressions.

mod display;
mod domain;
mod schema;
pub mod ticks;

pub use display::{format_value, group_digits, shorten, si};
pub use domain::Domain;
pub use schema::{Chunk, Field, Kind, Schema, kind, per_second};
