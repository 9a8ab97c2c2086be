//! Outcrop explores tables far larger than memory.
//!
//! The plan of the house, in reading order; a room uses rooms of lower floors only.
//!
//! | Floor | Room | Its one purpose |
//! |---|---|---|
//! | 0 | [`task`] | stop work, tell progress |
//! | 0 | [`memory`] | own bytes, heap or mapped; the only place bytes become numbers |
//! | 1 | [`data`] | give values a type, a schema, a readable form |
//! | 3 | [`dataset`] | name columns, stored or virtual, over one source |
//! | 4 | [`formats`] | one file format, one file |
//! | 5 | [`export`] | results out: tables and pictures, written whole or not at all |

pub mod data;
pub mod dataset;
pub mod export;
pub mod formats;
pub mod memory;
pub mod task;
