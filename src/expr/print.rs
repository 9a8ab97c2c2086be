//! A tree as the text that reads back to it.

use std::borrow::Cow;
use std::fmt::{self, Display};

use super::negated::test_of;
use super::parse::is_keyword;
use super::token::{is_name_part, is_name_start};
use super::tree::{Call, Expr, Node};

/// How tightly the operators hold, loosest first.
const CHOICE: u8 = 0;
const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const COMPARISON: u8 = 4;
const SUM: u8 = 5;
const PRODUCT: u8 = 6;
const SIGN: u8 = 7;
const POWER: u8 = 8;
const PRIMARY: u8 = 9;

/// A column's name as it is written in an expression: in backticks unless it is a plain name.
pub fn quote_name(name: &str) -> Cow<'_, str> {
    let plain = name.starts_with(is_name_start) && name.chars().all(is_name_part) && !is_keyword(name);
    if plain { Cow::Borrowed(name) } else { Cow::Owned(format!("`{}`", name.replace('`', "``"))) }
}

fn infix(name: &str) -> Option<(&'static str, u8)> {
    Some(match name {
        "or" => ("or", OR),
        "and" => ("and", AND),
        "less" => ("<", COMPARISON),
        "less_equal" => ("<=", COMPARISON),
        "greater" => (">", COMPARISON),
        "greater_equal" => (">=", COMPARISON),
        "equal" => ("==", COMPARISON),
        "not_equal" => ("!=", COMPARISON),
        "isin" => ("in", COMPARISON),
        "add" => ("+", SUM),
        "subtract" => ("-", SUM),
        "multiply" => ("*", PRODUCT),
        "divide" => ("/", PRODUCT),
        "floor_divide" => ("//", PRODUCT),
        "mod" => ("%", PRODUCT),
        "power" => ("**", POWER),
        _ => return None,
    })
}

fn precedence(expr: &Expr) -> u8 {
    match &expr.0.node {
        Node::Column(_) => PRIMARY,
        Node::Literal(literal) => match literal.to_string().starts_with('-') {
            true => SIGN,
            false => PRIMARY,
        },
        Node::Call(_) if chain(expr).is_some() || test_of(expr).is_some() => COMPARISON,
        Node::Call(call) => match call.function.name {
            "not" => NOT,
            "negate" => SIGN,
            name => match (infix(name), call.arguments.len()) {
                (Some((_, precedence)), 2) => precedence,
                _ => PRIMARY,
            },
        },
    }
}

fn comparison(expr: &Expr) -> Option<(&Expr, &'static str, &Expr)> {
    let call = expr.as_call()?;
    match (infix(call.function.name)?, call.arguments.as_slice()) {
        ((symbol, COMPARISON), [left, right]) if symbol != "in" => Some((left, symbol, right)),
        _ => None,
    }
}

/// The comparisons of `a < b and b < c and …` in the shape in which `a < b < c` is read.
pub(super) fn chain(expr: &Expr) -> Option<Vec<(&Expr, &'static str, &Expr)>> {
    let call = expr.as_call()?;
    let [left, right] = call.arguments.as_slice() else { return None };
    if call.function.name != "and" {
        return None;
    }
    let last = comparison(right)?;
    let mut links = match comparison(left) {
        Some(first) => vec![first],
        None => chain(left)?,
    };
    if links.last()?.2 != last.0 {
        return None;
    }
    links.push(last);
    Some(links)
}

/// Writes `expr` in brackets unless it holds at least as tightly as `tightness`.
fn operand(expr: &Expr, tightness: u8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if precedence(expr) < tightness { write!(f, "({expr})") } else { write!(f, "{expr}") }
}

impl Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.node {
            Node::Column(name) => f.write_str(&quote_name(name)),
            Node::Literal(literal) => write!(f, "{literal}"),
            Node::Call(call) => {
                if let Some(links) = chain(self) {
                    operand(links[0].0, SUM, f)?;
                    for (_, symbol, right) in links {
                        write!(f, " {symbol} ")?;
                        operand(right, SUM, f)?;
                    }
                    return Ok(());
                }
                match test_of(self) {
                    Some(test) => write_negated(test, f),
                    None => write_call(call, f),
                }
            }
        }
    }
}

/// `x not in list` or `x not between low and high` as the opposite of `test`.
fn write_negated(test: &Expr, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match (chain(test).as_deref(), test.as_call().map(|call| call.arguments.as_slice())) {
        (Some([(low, _, value), (_, _, high)]), _) => {
            operand(value, SUM, f)?;
            f.write_str(" not between ")?;
            operand(low, SUM, f)?;
            f.write_str(" and ")?;
            operand(high, SUM, f)
        }
        (_, Some([value, list])) => {
            operand(value, SUM, f)?;
            write!(f, " not in {list}")
        }
        _ => Err(fmt::Error),
    }
}

fn write_call(call: &Call, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match (call.function.name, call.arguments.as_slice()) {
        ("not", [inner]) => {
            f.write_str("not ")?;
            operand(inner, NOT, f)
        }
        ("negate", [inner]) => {
            f.write_str("-")?;
            operand(inner, SIGN, f)
        }
        (name, [left, right]) if infix(name).is_some() => {
            let (symbol, tightness) = infix(name).unwrap_or(("", CHOICE));
            let (on_left, on_right) = match tightness {
                POWER => (PRIMARY, SIGN),
                COMPARISON => (SUM, SUM),
                other => (other, other + 1),
            };
            operand(left, on_left, f)?;
            write!(f, " {symbol} ")?;
            operand(right, on_right, f)
        }
        (name, arguments) => {
            write!(f, "{name}(")?;
            for (i, argument) in arguments.iter().enumerate() {
                if i > 0 {
                    f.write_str(", ")?;
                }
                write!(f, "{argument}")?;
            }
            f.write_str(")")
        }
    }
}
