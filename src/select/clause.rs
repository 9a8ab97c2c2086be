//! One rule about which rows pass.

use crate::expr::Expr;

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

    /// A dimension no axis has, for the typed filter `text`.
    pub fn typed(text: &str) -> Dimension {
        Dimension(format!("filter {text}"))
    }

    /// Its canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which rows a clause lets pass, before inversion. A missing value lets none pass.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// Values in `[lo, hi)`, compared as bin edges are ([`crate::kernel::edge`]).
    Interval {
        /// The values.
        expr: Expr,
        /// First value inside.
        lo: f64,
        /// First value above.
        hi: f64,
    },
    /// Points in `[x.0, x.1) × [y.0, y.1)`.
    Rect {
        /// Horizontal values.
        x: Expr,
        /// Their interval.
        x_range: (f64, f64),
        /// Vertical values.
        y: Expr,
        /// Their interval.
        y_range: (f64, f64),
    },
    /// Rows for which a boolean expression is true.
    Where(Expr),
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
    /// Values of `expr` in `[lo, hi)`.
    pub fn interval(expr: Expr, lo: f64, hi: f64) -> Clause {
        Clause {
            dimension: Dimension::axis(&expr),
            predicate: Predicate::Interval { expr, lo, hi },
            inverted: false,
        }
    }

    /// Points of `x` and `y` in a rectangle.
    pub fn rect(x: Expr, x_range: (f64, f64), y: Expr, y_range: (f64, f64)) -> Clause {
        Clause {
            dimension: Dimension::plane(&x, &y),
            predicate: Predicate::Rect { x, x_range, y, y_range },
            inverted: false,
        }
    }

    /// Rows for which `expr` is true.
    pub fn filter(expr: Expr) -> Clause {
        Clause {
            dimension: Dimension::typed(&expr.to_string()),
            predicate: Predicate::Where(expr),
            inverted: false,
        }
    }

    /// The same clause under another dimension.
    pub fn on(self, dimension: Dimension) -> Clause {
        Clause { dimension, ..self }
    }

    /// The expressions it needs the values of.
    pub fn expressions(&self) -> Vec<&Expr> {
        match &self.predicate {
            Predicate::Interval { expr, .. } | Predicate::Where(expr) => vec![expr],
            Predicate::Rect { x, y, .. } => vec![x, y],
        }
    }

    /// The clause with every expression replaced by `resolve` of it.
    pub fn resolved(&self, resolve: impl Fn(&Expr) -> Expr) -> Clause {
        let predicate = match &self.predicate {
            Predicate::Interval { expr, lo, hi } => {
                Predicate::Interval { expr: resolve(expr), lo: *lo, hi: *hi }
            }
            Predicate::Where(expr) => Predicate::Where(resolve(expr)),
            Predicate::Rect { x, x_range, y, y_range } => {
                Predicate::Rect { x: resolve(x), x_range: *x_range, y: resolve(y), y_range: *y_range }
            }
        };
        Clause { dimension: self.dimension.clone(), predicate, inverted: self.inverted }
    }

    /// Text that is equal for equal predicates and different for different ones.
    pub fn key(&self) -> String {
        let not = if self.inverted { "not " } else { "" };
        match &self.predicate {
            Predicate::Interval { expr, lo, hi } => format!("{not}{expr} in {lo:?}..{hi:?}"),
            Predicate::Where(expr) => format!("{not}{expr}"),
            Predicate::Rect { x, x_range, y, y_range } => format!(
                "{not}{x} in {:?}..{:?} and {y} in {:?}..{:?}",
                x_range.0, x_range.1, y_range.0, y_range.1
            ),
        }
    }
}
