//! Values that did not fit their type.

use std::sync::atomic::Ordering;

use super::Ask;
use super::pass::Pass;
use super::question::{Key, Question};
use crate::expr::Expr;

/// Values of an expression that did not fit their type and are therefore missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overflow {
    /// Over stored columns.
    pub expr: Expr,
    /// How many, summed over its operations, in all rows of the table whether or not they pass a filter.
    pub values: u64,
}

impl Pass {
    /// Counts anew.
    pub(super) fn forget_overflows(&self) {
        self.overflowed.iter().for_each(|count| count.store(0, Ordering::Relaxed));
    }

    /// Of every expression that had any.
    pub(super) fn overflows(&self) -> Vec<Overflow> {
        let all = self.exprs.iter().zip(&self.overflowed);
        let counted = all.map(|(expr, count)| (expr, count.load(Ordering::Relaxed)));
        let some = counted.filter(|(_, values)| *values > 0);
        some.map(|(expr, values)| Overflow { expr: expr.clone(), values }).collect()
    }
}

impl Question {
    /// The expressions it needs the values of, over stored columns, each once.
    pub fn expressions(&self) -> Vec<Expr> {
        let mut found = Vec::new();
        let mut add = |expr: &Expr| {
            let expr = self.dataset.resolve(expr);
            if !found.contains(&expr) {
                found.push(expr);
            }
        };
        self.selection.clauses().iter().flat_map(|clause| clause.expressions()).for_each(&mut add);
        let (active, ask) = self.ask.split();
        let (keys, axes, measures) = match ask {
            Ask::Grid { axes, measures } => (&[][..], &axes[..], &measures[..]),
            Ask::Groups { keys, measures, .. } => (&keys[..], &[][..], &measures[..]),
            Ask::Index | Ask::Cube { .. } => (&[][..], &[][..], &[][..]),
        };
        for key in active.iter().chain(keys) {
            add(match key {
                Key::Value(expr) => expr,
                Key::Binned(axis) => &axis.expr,
            });
        }
        axes.iter().map(|axis| &axis.expr).for_each(&mut add);
        measures.iter().flat_map(|measure| measure.expressions()).for_each(&mut add);
        found
    }
}
