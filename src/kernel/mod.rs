//! Inner loops: plain functions over slices, fast and boring.
//!
//! No names, no `Arc`, no errors: what can be measured alone can be made fast alone.

pub mod compare;
pub mod float;
pub mod integer;
pub mod select;
