//! `x not in list` and `x not between low and high`: comparisons, and as such false where an operand is
//! missing, where `not (x in list)` is true.

use super::literal::Literal;
use super::print::chain;
use super::tree::Expr;

/// The opposite of `x in list` or `low <= x <= high`.
pub(super) fn negated(test: &Expr) -> Expr {
    let operands = operands(test).into_iter();
    let unsure = operands.filter(|e| e.as_literal().is_none_or(|literal| matches!(literal, Literal::Null)));
    unsure.fold(Expr::condition("not", test.clone()), |whole, operand| {
        whole.and(Expr::condition("notmissing", operand.clone()))
    })
}

/// The test of which `expr` is the opposite by [`negated`].
pub(super) fn test_of(expr: &Expr) -> Option<&Expr> {
    let mut inner = expr;
    loop {
        let call = inner.as_call()?;
        match (call.function.name, call.arguments.as_slice()) {
            ("and", [left, _]) => inner = left,
            ("not", [test]) => return (!operands(test).is_empty() && negated(test) == *expr).then_some(test),
            _ => return None,
        }
    }
}

/// What is compared; nothing of other trees.
fn operands(test: &Expr) -> Vec<&Expr> {
    if let Some(call) = test.as_call()
        && let ("isin", [value, _]) = (call.function.name, call.arguments.as_slice())
    {
        return vec![value];
    }
    match chain(test).as_deref() {
        Some([(low, "<=", value), (_, "<=", high)]) => vec![value, low, high],
        _ => Vec::new(),
    }
}
