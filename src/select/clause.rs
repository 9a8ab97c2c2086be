//! One rule about which rows pass.

use std::sync::Arc;

use super::Predicate;
use super::predicate::disjoint;
use crate::aggregate::Bins;
use crate::data::Schema;
use crate::expr::{Expr, ExprError};

/// What a clause is about: the expression of an axis, two of them, or a typed filter's own name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dimension(String);

impl Dimension {
    /// The dimension of one axis.
    pub fn axis(expr: &Expr) -> Dimension {
        Dimension(expr.to_string())
    }

    /// The dimension of a plane: distinct from each of its two axes, so that a view of the plane
    /// follows brushes on either axis and the other way round.
    pub fn plane(x: &Expr, y: &Expr) -> Dimension {
        Dimension(format!("{x} × {y}"))
    }

    /// The dimension of the keys of a table of groups: that of the axis where it is one, that of the tuples
    /// of several; `None` of none.
    pub fn keys(keys: &[Expr]) -> Option<Dimension> {
        match keys {
            [] => None,
            [key] => Some(Dimension::axis(key)),
            keys => {
                let names: Vec<String> = keys.iter().map(Expr::to_string).collect();
                Some(Dimension(format!("groups {}", names.join(", "))))
            }
        }
    }

    /// A dimension no axis has, for the typed filter `text`.
    pub fn typed(text: &str) -> Dimension {
        Dimension(format!("filter {text}"))
    }

    /// Its canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A predicate on a dimension, or its complement.
#[derive(Debug, Clone, PartialEq)]
pub struct Clause {
    /// What it is about.
    pub dimension: Dimension,
    /// Which rows pass.
    pub predicate: Predicate,
    /// Whether exactly the other rows pass, those with missing values included.
    pub inverted: bool,
}

impl Clause {
    fn of(dimension: Dimension, predicate: Predicate) -> Clause {
        Clause { dimension, predicate, inverted: false }
    }

    /// Values of `expr` in `[lo, hi)`.
    pub fn interval(expr: Expr, lo: f64, hi: f64) -> Clause {
        Clause::of(Dimension::axis(&expr), Predicate::Interval { expr, lo, hi })
    }

    /// Values of `expr` in any of `intervals`, which may overlap and come in any order, and the missing
    /// ones if `missing`. The first interval of all below an axis begins at `f64::NEG_INFINITY`, that of
    /// all above it ends at `f64::INFINITY`.
    pub fn intervals(expr: Expr, intervals: impl IntoIterator<Item = (f64, f64)>, missing: bool) -> Clause {
        let intervals = disjoint(intervals);
        match intervals.as_slice() {
            &[(lo, hi)] if !missing => Clause::interval(expr, lo, hi),
            _ => Clause::of(Dimension::axis(&expr), Predicate::Intervals { expr, intervals, missing }),
        }
    }

    /// Values of `expr` among `literals`, each a literal of the expression language, and the missing ones
    /// if `missing`.
    ///
    /// # Errors
    /// [`ExprError`] when a literal is none, or of another type than `expr`.
    pub fn categories(
        expr: Expr,
        literals: &[String],
        missing: bool,
        schema: &Schema,
    ) -> Result<Clause, ExprError> {
        let mut literals = literals.to_vec();
        literals.sort();
        literals.dedup();
        let test = Expr::parse(&Predicate::membership(&expr.to_string(), &literals, missing), schema)?;
        let dimension = Dimension::axis(&expr);
        Ok(Clause::of(dimension, Predicate::Categories { expr, literals, missing, test }))
    }

    /// Points of `x` and `y` in a rectangle.
    pub fn rect(x: Expr, x_range: (f64, f64), y: Expr, y_range: (f64, f64)) -> Clause {
        Clause::of(Dimension::plane(&x, &y), Predicate::Rect { x, x_range, y, y_range })
    }

    /// Points of `x` and `y` in cells of a plane: `inside[slot of x * slots of y + slot of y]`.
    pub fn cells(x: Expr, x_bins: Bins, y: Expr, y_bins: Bins, inside: Arc<[bool]>) -> Clause {
        Clause::of(Dimension::plane(&x, &y), Predicate::Cells { x, x_bins, y, y_bins, inside })
    }

    /// Points of `x` and `y` in the cells whose centre, as drawn, lies inside the polygon with these
    /// corners (even-odd rule).
    pub fn lasso(x: Expr, x_bins: Bins, y: Expr, y_bins: Bins, corners: &[(f64, f64)]) -> Clause {
        Clause::polygons(x, x_bins, y, y_bins, &[(corners.to_vec(), false)])
    }

    /// Points in the cells inside polygons as [`Clause::lasso`] has them: each in turn is added to those before,
    /// or taken out of them where its flag says so.
    pub fn polygons(
        x: Expr,
        x_bins: Bins,
        y: Expr,
        y_bins: Bins,
        polygons: &[(Vec<(f64, f64)>, bool)],
    ) -> Clause {
        let mut inside = vec![false; x_bins.slots() * y_bins.slots()];
        for (corners, takes_out) in polygons {
            let cells = super::predicate::cells_inside(&x_bins, &y_bins, corners);
            let own = inside.iter_mut().zip(&cells).filter(|(_, cell)| **cell);
            own.for_each(|(slot, _)| *slot = !takes_out);
        }
        Clause::cells(x, x_bins, y, y_bins, inside.into())
    }

    /// Rows for which `expr` is true.
    pub fn filter(expr: Expr) -> Clause {
        Clause::of(Dimension::typed(&expr.to_string()), Predicate::Where(expr))
    }

    /// The same clause under another dimension.
    pub fn on(self, dimension: Dimension) -> Clause {
        Clause { dimension, ..self }
    }

    /// The expressions it needs the values of.
    pub fn expressions(&self) -> Vec<&Expr> {
        self.predicate.expressions()
    }

    /// The clause with every expression replaced by `resolve` of it.
    pub fn resolved(&self, resolve: impl Fn(&Expr) -> Expr) -> Clause {
        Clause {
            dimension: self.dimension.clone(),
            predicate: self.predicate.resolved(resolve),
            inverted: self.inverted,
        }
    }

    /// Text that is equal for equal predicates and different for different ones.
    pub fn key(&self) -> String {
        let not = if self.inverted { "not " } else { "" };
        format!("{not}{}", self.predicate.key())
    }
}
