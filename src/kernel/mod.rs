//! Inner loops: plain functions over slices, fast and boring.
//!
//! No names, no `Arc`, no errors: what can be measured alone can be made fast alone. [`edge`] holds
//! the one definition of a bin edge, used by bins, brushes and predicates alike.

pub mod bin;
pub mod calendar;
pub mod choose;
pub mod compare;
pub mod counts;
pub mod cut;
pub mod edge;
pub mod extent;
mod few_texts;
pub mod float;
pub mod fold;
pub mod ids;
pub mod integer;
pub mod moments;
pub mod order;
pub mod pairs;
pub mod select;
pub mod split;
pub mod text;
pub mod texts;
pub mod total;
mod wide;
