//! All integration tests, in one binary.

mod common;
mod formats_arrow;
mod ticks;
