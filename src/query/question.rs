//! What can be asked, and what comes back.

use std::sync::Arc;

use super::{Cube, Groups, Listing, Measure, RowIndex};
use crate::aggregate::{Bins, Grid};
use crate::dataset::{Dataset, ReadError};
use crate::expr::{Expr, ExprError};
use crate::select::Selection;
use crate::task::Cancelled;

/// A binned axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// The values.
    pub expr: Expr,
    /// How they are cut.
    pub bins: Bins,
}

/// What rows are grouped by.
#[derive(Debug, Clone, PartialEq)]
pub enum Key {
    /// Every distinct value; null and NaN are values of their own, -0.0 is 0.0.
    Value(Expr),
    /// The slots of a binned axis.
    Binned(Axis),
}

/// The shape of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// Measures over 0, 1 or 2 binned axes; answered by a [`Grid`].
    Grid {
        /// Slowest first.
        axes: Vec<Axis>,
        /// What is computed of every cell, beside the count of rows.
        measures: Vec<Measure>,
    },
    /// Measures of groups; answered by [`Groups`].
    Groups {
        /// At least one.
        keys: Vec<Key>,
        /// What is computed of every group, beside the count of rows.
        measures: Vec<Measure>,
        /// Which groups are listed, and in what order.
        listing: Listing,
    },
    /// How many rows of each chunk pass; answered by a [`RowIndex`].
    Index,
    /// Another question for every slot of a brushed axis (or plane) at once; answered by a [`Cube`].
    Cube {
        /// The axes brushed, slowest first; or one key whose values are.
        active: Vec<Key>,
        /// [`Ask::Grid`] or [`Ask::Groups`].
        ask: Box<Ask>,
    },
}

impl Ask {
    /// What is brushed, and what is asked of each of its slots or values.
    pub(super) fn split(&self) -> (&[Key], &Ask) {
        match self {
            Ask::Cube { active, ask } => (active, ask),
            ask => (&[], ask),
        }
    }

    /// Whether nothing but the rows of cells or groups is asked.
    pub(super) fn counts_rows_alone(&self) -> bool {
        match self {
            Ask::Grid { measures, .. } | Ask::Groups { measures, .. } => {
                measures.iter().all(Measure::counts_rows_alone)
            }
            Ask::Index => false,
            Ask::Cube { ask, .. } => ask.counts_rows_alone(),
        }
    }

    fn write_key(&self, resolve: &impl Fn(&Expr) -> Expr, key: &mut String) {
        use std::fmt::Write;
        let axis = |axis: &Axis| format!("{}:{:?}", resolve(&axis.expr), axis.bins.edges());
        let key_text = |key: &Key| match key {
            Key::Value(expr) => resolve(expr).to_string(),
            Key::Binned(binned) => axis(binned),
        };
        let measured = |key: &mut String, measures: &[Measure]| {
            for measure in measures {
                let _ = write!(key, "|{}", measure.key(resolve));
            }
        };
        match self {
            Ask::Grid { axes, measures } => {
                key.push_str("grid");
                for a in axes {
                    let _ = write!(key, "|{}", axis(a));
                }
                measured(key, measures);
            }
            Ask::Groups { keys, measures, listing } => {
                key.push_str("groups");
                for k in keys {
                    let _ = write!(key, "|{}", key_text(k));
                }
                measured(key, measures);
                listing.write_key(key);
            }
            Ask::Index => key.push_str("index"),
            Ask::Cube { active, ask } => {
                key.push_str("cube");
                for k in active {
                    let _ = write!(key, "|{}", key_text(k));
                }
                key.push('|');
                ask.write_key(resolve, key);
            }
        }
    }
}

/// Something asked of the rows of a table that pass a selection.
#[derive(Debug, Clone)]
pub struct Question {
    /// The table.
    pub dataset: Arc<Dataset>,
    /// Which rows.
    pub selection: Selection,
    /// What of them.
    pub ask: Ask,
    key: Arc<str>,
}

impl Question {
    /// Asks `ask` of the rows of `dataset` that pass `selection`.
    pub fn new(dataset: Arc<Dataset>, selection: Selection, ask: Ask) -> Question {
        use std::fmt::Write;
        let resolve = |expr: &Expr| dataset.resolve(expr);
        let mut key = format!("{}|", dataset.identity());
        for clause in selection.clauses() {
            let _ = write!(key, "[{}]", clause.resolved(resolve).key());
        }
        ask.write_key(&resolve, &mut key);
        Question { dataset, selection, ask, key: key.into() }
    }

    /// Text that is equal for questions with equal answers and different for all others: the identity
    /// of the file, the selection, and what is asked, with virtual columns replaced by their meaning.
    pub fn key(&self) -> &Arc<str> {
        &self.key
    }
}

/// What a [`Question`] is answered with.
#[derive(Debug, Clone)]
pub enum Answer {
    /// To [`Ask::Grid`].
    Grid(Grid),
    /// To [`Ask::Groups`].
    Groups(Groups),
    /// To [`Ask::Index`].
    Index(RowIndex),
    /// To [`Ask::Cube`].
    Cube(Box<Cube>),
}

impl Answer {
    /// Bytes it holds, to within small change.
    pub fn bytes(&self) -> usize {
        match self {
            Answer::Grid(grid) => grid.bytes(),
            Answer::Groups(groups) => groups.bytes(),
            Answer::Index(index) => index.bytes(),
            Answer::Cube(cube) => cube.bytes(),
        }
    }

    /// The grid, if it is one.
    pub fn grid(&self) -> Option<&Grid> {
        match self {
            Answer::Grid(grid) => Some(grid),
            _ => None,
        }
    }

    /// The groups, if they are.
    pub fn groups(&self) -> Option<&Groups> {
        match self {
            Answer::Groups(groups) => Some(groups),
            _ => None,
        }
    }

    /// The cube, if it is one.
    pub fn cube(&self) -> Option<&Cube> {
        match self {
            Answer::Cube(cube) => Some(cube),
            _ => None,
        }
    }

    /// The index, if it is one.
    pub fn index(&self) -> Option<&RowIndex> {
        match self {
            Answer::Index(index) => Some(index),
            _ => None,
        }
    }
}

/// A question could not be answered.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum QueryError {
    /// The file could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// An expression could not be evaluated.
    #[error(transparent)]
    Expr(#[from] ExprError),
    /// More cells than fit.
    #[error("{cells} cells are more than the {limit} a picture can have; use fewer bins")]
    TooManyCells {
        /// Cells asked for.
        cells: u64,
        /// Cells allowed.
        limit: u64,
    },
    /// More groups than fit the budget.
    #[error(
        "about {groups} groups take {needed_mib} MiB, more than the memory budget of {budget_mib} MiB: ask for \
         the top of them, give more memory, group by coarser keys, or filter first"
    )]
    TooManyGroups {
        /// Groups there are, as the parts of them seen until then tell.
        groups: u64,
        /// What all of them would take.
        needed_mib: u64,
        /// The budget.
        budget_mib: u64,
    },
    /// The groups fit neither the budget nor the disk.
    #[error(
        "groups beyond the memory budget of {budget_mib} MiB wait in `{folder}`, which failed: {reason}; make \
         room there, name another folder in TMPDIR, or give more memory"
    )]
    Spill {
        /// Where they were to be written.
        folder: String,
        /// What the system says.
        reason: String,
        /// The budget.
        budget_mib: u64,
    },
    /// More distinct values than fit the budget, of an aggregate that has no sketch.
    #[error(
        "`{aggregate}`: there are more distinct values than the memory for them holds; \
         filter first, take it of fewer values, as of floor(x), or give more memory"
    )]
    TooManyValues {
        /// What was computed.
        aggregate: &'static str,
    },
    /// The table is no longer what was opened; what was computed is thrown away.
    #[error("the file changed on disk after it was opened: open it again to go on")]
    Changed {
        /// What told the table from others.
        identity: String,
    },
    /// A worker failed in a way nobody foresaw.
    #[error("internal error while computing: {0}")]
    Panicked(String),
    /// Told to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// A failure of an Arrow kernel, which no question should meet.
pub(super) fn internal(error: arrow::error::ArrowError) -> QueryError {
    QueryError::Panicked(error.to_string())
}
