//! All integration tests, one program.

mod common;
mod formats_hdf5;
