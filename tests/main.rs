//! All integration tests, in one binary.

mod aggregates;
mod common;
mod engines;
mod exports;
mod expressions;
mod formats_arrow;
mod formats_hdf5;
mod pictures;
mod scans;
mod sessions;
mod ticks;
