//! An untyped tree and a schema to a typed tree.

use std::ops::Range;

use super::error::{ExprError, nearest};
use super::functions::{Function, all_names, function, structure_fields};
use super::literal::{Literal, common, parse_time};
use super::named::{named, placed};
use super::negated::negated;
use super::parse::{Ast, AstKind};
use super::print::quote_name;
use super::tree::{Call, Expr, Node};
use super::typing::{Mistake, is_text, is_time};
use crate::data::Schema;

/// Types a tree.
pub(super) fn typed(ast: &Ast, schema: &Schema, text: &str) -> Result<Expr, ExprError> {
    Checker { schema, text }.check(ast)
}

struct Checker<'a> {
    schema: &'a Schema,
    text: &'a str,
}

/// Names before a method that say which family it is of.
const NAMESPACES: [&str; 5] = ["str", "dt", "td", "geo", "struct"];

/// Names people put before a function out of habit.
const MODULES: [&str; 4] = ["np", "numpy", "math", "vaex"];

impl Checker<'_> {
    fn check(&self, ast: &Ast) -> Result<Expr, ExprError> {
        match &ast.kind {
            AstKind::Literal(literal) => Ok(Expr::literal(literal.clone())),
            AstKind::Name(name) => self.name(name, ast.span.clone()),
            AstKind::Quoted(name) => self.column(name, ast.span.clone()),
            AstKind::List(items) => self.list(items, ast.span.clone()),
            AstKind::Operator(name, parts) => {
                let is_null = |part: &Ast| matches!(part.kind, AstKind::Literal(Literal::Null));
                if matches!(*name, "equal" | "not_equal") && parts.iter().any(is_null) {
                    return Err(self.equal_to_null(parts, *name == "equal", ast.span.clone()));
                }
                let arguments = self.operands(parts)?;
                self.call(known(name, &ast.span)?, arguments, parts, ast.span.clone())
            }
            AstKind::Negated(test) => Ok(negated(&self.check(test)?)),
            AstKind::Chain(parts, names) => {
                let operands = self.operands(parts)?;
                let mut whole: Option<Expr> = None;
                for (i, name) in names.iter().enumerate() {
                    let pair = operands[i..i + 2].to_vec();
                    let span = parts[i].span.start.min(parts[i + 1].span.start)
                        ..parts[i].span.end.max(parts[i + 1].span.end);
                    let link = self.call(known(name, &span)?, pair, &parts[i..i + 2], span)?;
                    whole = Some(match whole {
                        Some(whole) => whole.and(link),
                        None => link,
                    });
                }
                whole.ok_or_else(|| ExprError::new("a comparison is expected here", ast.span.clone()))
            }
            AstKind::Call(name, name_span, parts) => {
                let function = self.function(name, name_span.clone())?;
                let (arguments, parts) = self.arguments(function, parts, 0)?;
                self.call(function, arguments, &parts, ast.span.clone())
            }
            AstKind::Member { of, name, name_span, arguments } => {
                self.member(ast, of, name, name_span.clone(), arguments.as_deref())
            }
        }
    }

    fn all(&self, parts: &[Ast]) -> Result<Vec<Expr>, ExprError> {
        parts.iter().map(|part| self.check(part)).collect()
    }

    /// What stands beside an operator. A name beside a text that is no column is taken for a text.
    fn operands(&self, parts: &[Ast]) -> Result<Vec<Expr>, ExprError> {
        self.all(parts).map_err(|error| {
            let is_it = |ast: &Ast| matches!(ast.kind, AstKind::Name(_)) && ast.span == error.span;
            let holds_it = |part: &Ast| match &part.kind {
                AstKind::List(items) => items.iter().any(is_it),
                _ => is_it(part),
            };
            let is_text = |part: &Ast| {
                !matches!(part.kind, AstKind::Literal(_))
                    && self.check(part).is_ok_and(|expr| is_text(expr.data_type()))
            };
            let name = &self.text[error.span.clone()];
            if function(name).is_some() || !parts.iter().any(holds_it) || !parts.iter().any(is_text) {
                return error;
            }
            let message = format!("there is no column {name}, and a text stands in quotes");
            ExprError { message, suggestion: Some(format!("'{name}'")), ..error }
        })
    }

    fn equal_to_null(&self, parts: &[Ast], equal: bool, span: Range<usize>) -> ExprError {
        let value = parts.iter().find(|part| !matches!(part.kind, AstKind::Literal(Literal::Null)));
        let test = if equal { "is null" } else { "is not null" };
        ExprError {
            message: format!(
                "nothing equals null or differs from it; whether a value is missing tells {test}"
            ),
            span,
            suggestion: value.map(|value| format!("{} {test}", &self.text[value.span.clone()])),
        }
    }

    /// The arguments of a call by their places, and as they are written; the first of which `before` stand
    /// before a dot.
    fn arguments(
        &self,
        function: &Function,
        parts: &[Ast],
        before: usize,
    ) -> Result<(Vec<Expr>, Vec<Ast>), ExprError> {
        let is_value =
            |name: &str| self.schema.position(name).is_some() || self.schema.variable(name).is_some();
        let places = placed(function, parts, before, self.text, is_value)?;
        let explained = |error: ExprError| {
            let mut written = parts.iter().filter_map(|part| named(part, self.text)).map(|(name, _)| name);
            match written.find(|name| self.text[error.span.clone()] == **name) {
                Some(name) => {
                    let call = function.signature;
                    let message = format!("there is no column {name}, nor an argument of that name: {call}");
                    ExprError { message, ..error }
                }
                None => error,
            }
        };
        Ok((self.all(&places).map_err(explained)?, places))
    }

    fn column(&self, name: &str, span: Range<usize>) -> Result<Expr, ExprError> {
        Expr::column(name, self.schema).map_err(|error| ExprError { span, ..error })
    }

    fn name(&self, name: &str, span: Range<usize>) -> Result<Expr, ExprError> {
        if self.schema.position(name).is_some() {
            return self.column(name, span);
        }
        if let Some(value) = self.schema.variable(name) {
            return Ok(Expr::literal(Literal::Float(value)));
        }
        let constant = match name.to_ascii_lowercase().as_str() {
            "pi" => std::f64::consts::PI,
            "e" => std::f64::consts::E,
            "inf" | "infinity" => f64::INFINITY,
            "nan" => f64::NAN,
            _ => {
                let mut error =
                    ExprError::new(format!("there is no column {}", quote_name(name)), span.clone());
                if let Some(found) = function(name) {
                    error.message = format!("{name} is a function: {}", found.signature);
                } else {
                    let columns = self.schema.fields().iter().map(|f| f.name.as_str());
                    let variables = self.schema.variables().iter().map(|(name, _)| name.as_str());
                    error.suggestion = match nearest(name, columns.chain(variables)) {
                        Some(found) => Some(quote_name(found).into_owned()),
                        None => nearest(name, ["pi", "inf", "nan", "null", "true", "false"].into_iter())
                            .map(str::to_owned),
                    };
                }
                return Err(error);
            }
        };
        Ok(Expr::literal(Literal::Float(constant)))
    }

    fn function(&self, name: &str, span: Range<usize>) -> Result<&'static Function, ExprError> {
        if let Some(found) = function(name).or_else(|| function(&name.to_ascii_lowercase())) {
            return Ok(found);
        }
        let message = match self.schema.position(name) {
            Some(_) => format!("{name} is a column, not a function; an operator is expected after it"),
            None => format!("there is no function {name}"),
        };
        let suggestion = nearest(name, all_names()).map(str::to_owned);
        Err(ExprError { message, span, suggestion })
    }

    /// A constant, or the values of a row.
    fn list(&self, items: &[Ast], span: Range<usize>) -> Result<Expr, ExprError> {
        let checked = self.all(items)?;
        if checked.iter().any(|item| !item.is_constant()) {
            return self.call(known("stack", &span)?, checked, items, span);
        }
        let mut literals = Vec::with_capacity(items.len());
        for (item, checked) in items.iter().zip(&checked) {
            match super::program::constant(checked) {
                Some(literal) => literals.push(literal),
                None => return Err(ExprError::new("a list holds no such constants", item.span.clone())),
            }
        }
        if literals.iter().any(|literal| matches!(literal, Literal::Time { .. })) {
            for literal in &mut literals {
                if let Literal::Text(text) = literal
                    && let Some(time) = parse_time(text)
                {
                    *literal = time;
                }
            }
        }
        if let Some(odd) = (0..literals.len()).find(|&i| common(&literals[..=i]).is_none()) {
            return Err(ExprError::new("the items of a list are of one kind", items[odd].span.clone()));
        }
        Ok(Expr::literal(Literal::List(literals)))
    }

    /// `of.name`, `of.name(…)`, `of.str.name(…)`, or a column whose name has dots.
    fn member(
        &self,
        ast: &Ast,
        of: &Ast,
        name: &str,
        name_span: Range<usize>,
        arguments: Option<&[Ast]>,
    ) -> Result<Expr, ExprError> {
        let dotted = &self.text[ast.span.clone()];
        if arguments.is_none() && self.schema.position(dotted).is_some() {
            return self.column(dotted, ast.span.clone());
        }
        if let (AstKind::Name(module), Some(parts)) = (&of.kind, arguments)
            && MODULES.contains(&module.as_str())
            && self.schema.position(module).is_none()
        {
            let function = self.function(name, name_span)?;
            let (checked, parts) = self.arguments(function, parts, 0)?;
            return self.call(function, checked, &parts, ast.span.clone());
        }
        let (subject, namespace) = match &of.kind {
            AstKind::Member { of: inner, name: space, arguments: None, .. }
                if NAMESPACES.contains(&space.as_str()) =>
            {
                (inner.as_ref(), Some(space.as_str()))
            }
            _ => (of, None),
        };
        let subject_expr = self.check(subject)?;
        if namespace.is_none() && NAMESPACES.contains(&name) && arguments.is_none() {
            return Err(ExprError::new(
                format!(
                    "a method is expected after .{name}, as in .{name}.{}",
                    if name == "str" { "lower()" } else { "hour" }
                ),
                name_span,
            ));
        }
        if let (None, None, Some(fields)) = (namespace, arguments, structure_fields(subject_expr.data_type()))
        {
            let part = Ast::text(name, name_span.clone());
            let is_part = fields.iter().any(|field| field.name() == name);
            if is_part || function(name).is_none() {
                let arguments = vec![subject_expr, self.check(&part)?];
                let parts = [subject.clone(), part];
                let get = known("struct_get", &name_span)?;
                return self.call(get, arguments, &parts, ast.span.clone()).map_err(|error| {
                    // After a dot a name stands without quotes.
                    let suggestion = error.suggestion.map(|name| name.trim_matches('\'').to_owned());
                    ExprError { suggestion, ..error }
                });
            }
        }
        let found = match namespace {
            Some(space) => function(&format!("{space}_{name}")).or_else(|| function(name)),
            None => function(name).or_else(|| function(&name.to_ascii_lowercase())),
        };
        if let ("between", Some([low, high])) = (name, arguments) {
            let low_test = self.pair("less_equal", (low, &self.check(low)?), (subject, &subject_expr))?;
            let high_test = self.pair("less_equal", (subject, &subject_expr), (high, &self.check(high)?))?;
            return Ok(low_test.and(high_test));
        }
        let Some(found) = found else {
            let full = namespace.map_or(String::new(), |space| format!("{space}_"));
            let suggestion = nearest(&format!("{full}{name}"), all_names())
                .map(|n| n.strip_prefix(&full).unwrap_or(n).to_owned());
            return Err(ExprError {
                message: format!("there is no function {name}"),
                span: name_span,
                suggestion,
            });
        };
        let mut checked = vec![subject_expr];
        let mut parts = vec![subject.clone()];
        let (others, places) = self.arguments(found, arguments.unwrap_or_default(), 1)?;
        checked.extend(others);
        parts.extend(places);
        // `x.where(condition, other)` as pandas has it, beside Vaex's `condition.where(yes, no)`.
        if found.name == "if" && checked.len() > 1 && is_bool(&checked[1]) && !is_bool(&checked[0]) {
            checked.swap(0, 1);
            parts.swap(0, 1);
            if checked.len() == 2 {
                checked.push(Expr::literal(Literal::Null));
            }
        }
        self.call(found, checked, &parts, ast.span.clone())
    }

    fn pair(&self, name: &str, left: (&Ast, &Expr), right: (&Ast, &Expr)) -> Result<Expr, ExprError> {
        let span = left.0.span.start.min(right.0.span.start)..left.0.span.end.max(right.0.span.end);
        let parts = [left.0.clone(), right.0.clone()];
        self.call(known(name, &span)?, vec![left.1.clone(), right.1.clone()], &parts, span)
    }

    fn call(
        &self,
        function: &'static Function,
        arguments: Vec<Expr>,
        parts: &[Ast],
        span: Range<usize>,
    ) -> Result<Expr, ExprError> {
        build(function, arguments).map_err(|mistake| {
            let span = match mistake.argument.and_then(|i| parts.get(i)) {
                Some(part) => part.span.clone(),
                None => span,
            };
            let mut error = ExprError::new(mistake.message, span);
            error.suggestion = mistake.suggestion;
            error
        })
    }
}

fn is_bool(expr: &Expr) -> bool {
    expr.data_type() == &arrow::datatypes::DataType::Boolean
}

fn known(name: &str, span: &Range<usize>) -> Result<&'static Function, ExprError> {
    function(name).ok_or_else(|| ExprError::new(format!("there is no function {name}"), span.clone()))
}

/// A typed call of `function`.
pub(super) fn build(function: &'static Function, arguments: Vec<Expr>) -> Result<Expr, Mistake> {
    let (least, most) = function.arity;
    if arguments.len() < least || arguments.len() > most {
        let count = arguments.len();
        let wanted = match (least, most) {
            (a, b) if a == b => format!("{a} argument{}", if a == 1 { "" } else { "s" }),
            (a, usize::MAX) => format!("at least {a} argument{}", if a == 1 { "" } else { "s" }),
            (a, b) => format!("{a} to {b} arguments"),
        };
        let argument = if count > most { Some(most) } else { None };
        return Err(Mistake {
            argument,
            message: format!("{} takes {wanted}, not {count}: {}", function.name, function.signature),
            suggestion: None,
        });
    }
    if function.name == "negate"
        && let Some(negated) = arguments[0].as_literal().and_then(Literal::negated)
    {
        return Ok(Expr::literal(negated));
    }
    let arguments = with_dates(function, arguments)?;
    let typing = (function.types)(&arguments)?;
    let weak = function.keeps_weak && typing.output.is_numeric() && arguments.iter().all(|a| a.0.weak);
    let parameters = typing.parameters;
    debug_assert_eq!(parameters.len(), arguments.len(), "{}", function.name);
    Ok(Expr::new(Node::Call(Call { function, arguments, parameters }), typing.output, weak))
}

/// Reads texts that stand beside a time as dates.
fn with_dates(function: &Function, mut arguments: Vec<Expr>) -> Result<Vec<Expr>, Mistake> {
    if !function.dates || !arguments.iter().any(|a| is_time(a.data_type())) {
        return Ok(arguments);
    }
    for (i, argument) in arguments.iter_mut().enumerate() {
        let replaced = match argument.as_literal() {
            Some(Literal::Text(text)) => date(text, i)?,
            Some(Literal::List(items)) if items.iter().any(|item| matches!(item, Literal::Text(_))) => {
                let dates = items.iter().map(|item| match item {
                    Literal::Text(text) => date(text, i),
                    other => Ok(other.clone()),
                });
                Literal::List(dates.collect::<Result<_, _>>()?)
            }
            _ => continue,
        };
        *argument = Expr::literal(replaced);
    }
    Ok(arguments)
}

fn date(text: &str, argument: usize) -> Result<Literal, Mistake> {
    if text.eq_ignore_ascii_case("nat") {
        return Ok(Literal::Null);
    }
    parse_time(text).ok_or_else(|| {
        Mistake::at(
            argument,
            format!(
                "{} is not a date; dates are written as 2015-01-31 or 2015-01-31T12:00",
                Literal::Text(text.to_owned())
            ),
        )
    })
}
