//! Outcrop explores tables far larger than memory.
//!
//! The plan of the house, in reading order; a room uses rooms of lower floors only.
//!
//! | Floor | Room | Its one purpose |
//! |---|---|---|
//! | 0 | [`task`] | stop work, tell progress |
//! | 0 | [`memory`] | own bytes, heap or mapped; the only place bytes become numbers |
//! | 0 | [`kernel`] | loops over slices, fast and boring |
//! | 1 | [`data`] | give values a type, a schema, a readable form |
//! | 2 | [`expr`] | text to a typed tree, the tree to a program over arrays |
//! | 2 | [`aggregate`] | value to slot, rows to cell, cell to number |
//! | 3 | [`dataset`] | name columns, stored or virtual, over one source |
//! | 3 | [`select`] | who is filtered by which clause |
//! | 4 | [`formats`] | one file format, one file |
//! | 5 | [`query`] | a question, and answering it by one pass over the rows |
//! | 5 | [`export`] | results out: tables and pictures, written whole or not at all |
//! | 6 | [`engine`] | now, later, cancelled, again: a face that never blocks |
//! | 7 | [`session`] | what is open, and the commands that change it |
//! | 8 | [`views`] | charts: what each asks, how it paints |
//! | 9 | [`app`] | the window: joins session, engine and views |
//! | 9 | [`cli`] | the same questions, answered in a terminal or a script |

pub mod aggregate;
pub mod app;
pub mod cli;
pub mod data;
pub mod dataset;
pub mod engine;
pub mod export;
pub mod expr;
pub mod formats;
pub mod kernel;
pub mod memory;
pub mod query;
pub mod select;
pub mod session;
pub mod task;
pub mod views;
