//! A question, and answering it by one pass over the rows.
//!
//! A [`Question`] asks something of a data set under a selection. [`scan`] answers any number of them
//! on one table in one shared pass, in parallel over chunks, with the same digits on any number of
//! threads: the rows are cut into units that depend on the table alone, and the units' partial results
//! are merged in order. A [`Cube`] holds the answers for every position of a brush, so that moving it
//! touches no row. A [`Sample`] tells by [`estimate`] what the answer will be about, before all rows are
//! read. [`rows::fetch`] reads the rows a person looks at. Nothing here keeps a thread
//! or a cache.

mod brush;
mod by_name;
mod cells;
mod code_file;
mod coded;
mod codes;
mod compile;
mod cube;
mod estimate;
mod extremes;
mod groups;
mod key_texts;
mod layout;
mod listed;
mod masks;
mod measure;
pub mod output;
mod overflow;
mod pass;
mod places;
mod question;
mod rounds;
pub mod rows;
mod sample;
mod scan;
mod skip;
mod summed;
mod tally;

pub use brush::{Brush, Wanted};
pub use codes::{Codes, KnownAxis, Shelf};
pub use cube::Cube;
pub use estimate::{Accuracy, Estimate, TWO_SIDED_95, estimate};
pub use groups::{GroupKey, Groups, Having, Listing, Order, OtherGroups};
pub use layout::{Layout, RowIndex};
pub use measure::{Aggregation, Measure};
pub use overflow::Overflow;
pub use question::{Answer, Ask, Axis, Key, QueryError, Question};
pub use sample::{REPLICATES, Sample, SampleOptions};
pub use scan::{ScanOptions, Workers, scan, scan_counting, scan_with_codes, stay_behind_window};
