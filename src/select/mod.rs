//! Who is filtered by which clause.
//!
//! A [`Selection`] holds at most one [`Clause`] per [`Dimension`]. A view leaves out the clause of its
//! own dimension, and that is all of crossfiltering; the count, the rows and every export leave out
//! none. Nothing here reads a row.

mod clause;
mod predicate;

pub use clause::{Clause, Dimension};
pub use predicate::Predicate;

/// Clauses that all must hold, one per dimension, in canonical order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Selection {
    clauses: Vec<Clause>,
}

impl Selection {
    /// Every row.
    pub fn all() -> Selection {
        Selection::default()
    }

    /// These clauses; of two on one dimension the later counts.
    pub fn of(clauses: impl IntoIterator<Item = Clause>) -> Selection {
        clauses.into_iter().fold(Selection::all(), Selection::with)
    }

    /// The selection with `clause` in place of any other on its dimension.
    pub fn with(mut self, clause: Clause) -> Selection {
        self.clauses.retain(|existing| existing.dimension != clause.dimension);
        let at = self.clauses.partition_point(|existing| existing.dimension < clause.dimension);
        self.clauses.insert(at, clause);
        self
    }

    /// The selection without any clause on `dimension`.
    pub fn without(&self, dimension: &Dimension) -> Selection {
        Selection { clauses: self.clauses.iter().filter(|c| c.dimension != *dimension).cloned().collect() }
    }

    /// The clauses, ordered by dimension.
    pub fn clauses(&self) -> &[Clause] {
        &self.clauses
    }

    /// Whether every row passes.
    pub fn is_all(&self) -> bool {
        self.clauses.is_empty()
    }

    /// Text that is equal for equal selections and different for different ones.
    pub fn key(&self) -> String {
        self.clauses.iter().map(|clause| format!("[{}]", clause.key())).collect()
    }
}
