//! All integration tests, in one binary.

mod common;
mod exports;
mod formats_arrow;
mod ticks;
