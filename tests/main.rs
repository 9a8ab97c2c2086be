//! All integration tests, in one binary.

mod aggregates;
mod common;
mod expressions;
mod scans;
mod sessions;
