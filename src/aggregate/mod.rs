//! Value → slot of an axis, rows → cell, cell → number.
//!
//! [`Bins`] cut an axis; [`AGGREGATES`] lists what can be computed of the rows of a cell, each as the
//! [`Lane`]s it needs (its sufficient statistics) and a finishing formula; [`Lanes`] accumulate them;
//! a [`Grid`] is the finished result. Nothing here knows expressions or files.

mod bins;
mod codes;
mod finish;
mod grid;
mod joint;
mod lanes;
mod nice;
mod paired;
mod pick;
mod sampled;
mod search;
mod store;
mod table;
mod tally;
mod total;
mod values;

pub use bins::{Bins, BinsError, Scale, SlotKind};
pub use grid::{Grid, to_f64};
pub use joint::Cuts;
pub use lanes::{Fed, Feed, Input, Lane, Lanes};
pub use nice::{nice_bins, widen};
pub use sampled::FromSample;
pub use search::{Goal, Round, Search, Sight};
pub use table::{AGGREGATES, Aggregate, Argument, Measured, Parameter, Standing};
pub use values::{NumericKind, Slotter, bounds, missing_values, numeric_kind, plain_numbers, within};
