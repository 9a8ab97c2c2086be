//! All integration tests, in one binary.

mod aggregates;
mod architecture;
mod changes;
mod clauses;
mod cli;
mod common;
mod cubes;
mod editing;
mod end_to_end;
mod engines;
mod exports;
mod expressions;
mod formats_arrow;
mod formats_hdf5;
mod formats_libhdf5;
mod gestures;
mod kernels;
mod licenses;
mod measures;
mod pictures;
mod scans;
mod selectivity;
mod sessions;
mod ticks;
mod window;
mod zones;
