//! Bounds of an expression from bounds of its columns, so that chunks need not be read.

use std::collections::HashMap;

use arrow::datatypes::{DataType, TimeUnit};

use super::functions::{Family, Missing};
use super::literal::Literal;
use super::tree::{Call, Expr, Node};
use super::typing::{is_text, plain, unit, zone};
use crate::data::Domain;

impl Expr {
    /// An interval that holds every value of the expression where its columns lie in the intervals that
    /// `column` gives, and whether a value may be missing. Times and durations are counted in the unit of
    /// their type.
    pub fn domain(&self, column: &dyn Fn(&str) -> Domain) -> Domain {
        domain(self, column, &mut HashMap::new())
    }
}

fn domain(expr: &Expr, column: &dyn Fn(&str) -> Domain, known: &mut HashMap<[u64; 2], Domain>) -> Domain {
    if let Some(found) = known.get(&expr.digest()) {
        return *found;
    }
    let found = match &expr.0.node {
        Node::Column(_) if is_text(expr.data_type()) => Domain::ALL,
        Node::Column(name) => column(name),
        Node::Literal(literal) => of_literal(literal),
        Node::Call(call) => {
            let mut arguments: Vec<Domain> = call
                .arguments
                .iter()
                .zip(&call.parameters)
                .map(|(argument, parameter)| {
                    converted(domain(argument, column, known), argument.data_type(), parameter)
                })
                .collect();
            let is_comparison =
                call.function.family == Family::Operator && expr.data_type() == &DataType::Boolean;
            if (is_comparison || call.function.name == "isin")
                && let [a, b] = &call.parameters[..]
                && let (Some(a), Some(b)) = (unit(a), unit(items(b)))
                && a != b
            {
                arguments =
                    vec![scaled(arguments[0], 1.0, per_second(a)), scaled(arguments[1], 1.0, per_second(b))];
            }
            if call.function.name == "isin" && call.parameters[0] == DataType::Float32 {
                arguments[1] = rounded(arguments[1], &DataType::Float32);
            }
            let found = rounded((call.function.domain)(&arguments, &call.parameters), expr.data_type());
            let lacks_argument = arguments.iter().any(|argument| argument.missing);
            let found = match call.function.missing {
                Missing::False if lacks_argument => found.hull(Domain::FALSE),
                _ => found,
            };
            Domain { missing: may_be_missing(call, &arguments, expr.data_type()), ..found }
        }
    };
    known.insert(expr.digest(), found);
    found
}

/// Whether a call may give no value. Where nothing better is known it may, as where a result does not fit.
fn may_be_missing(call: &Call, arguments: &[Domain], output: &DataType) -> bool {
    let mut missing = arguments.iter().map(|argument| argument.missing);
    let truth = output == &DataType::Boolean;
    match (call.function.missing, call.function.name) {
        (Missing::False | Missing::Never, _) => false,
        (Missing::Own, "if") => missing.skip(1).any(|missing| missing),
        (Missing::Own, "coalesce") => missing.all(|missing| missing),
        (_, "and" | "or" | "not" | "xor") if truth => missing.any(|missing| missing),
        (Missing::Propagates, _) if call.function.float.is_some() && output.is_floating() => {
            missing.any(|missing| missing)
        }
        _ => true,
    }
}

fn items(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::List(item) => item.data_type(),
        other => other,
    }
}

fn of_literal(literal: &Literal) -> Domain {
    let exact = |value: f64, whole: i128| {
        let point = Domain::new(value, value);
        if value as i128 == whole { point } else { point.widened() }
    };
    match literal {
        Literal::Null => Domain { missing: true, ..Domain::EMPTY },
        Literal::Bool(v) => {
            if *v {
                Domain::TRUE
            } else {
                Domain::FALSE
            }
        }
        Literal::Int(v) => exact(*v as f64, i128::from(*v)),
        Literal::Unsigned(v) => exact(*v as f64, i128::from(*v)),
        Literal::Float(v) if v.is_nan() => Domain { nan: true, ..Domain::EMPTY },
        Literal::Float(v) => Domain::new(*v, *v),
        Literal::Text(_) => Domain::ALL,
        Literal::Time { value, .. } => exact(*value as f64, i128::from(*value)),
        Literal::List(items)
            if items.iter().any(|i| matches!(i, Literal::Time { unit: TimeUnit::Nanosecond, .. })) =>
        {
            // Items of two units are brought to one; their bounds are not worth the care.
            Domain::ALL
        }
        Literal::List(items) => items.iter().map(of_literal).fold(Domain::EMPTY, Domain::hull),
    }
}

fn per_second(unit: TimeUnit) -> f64 {
    match unit {
        TimeUnit::Second => 1.0,
        TimeUnit::Millisecond => 1e3,
        TimeUnit::Microsecond => 1e6,
        TimeUnit::Nanosecond => 1e9,
    }
}

fn scaled(domain: Domain, by: f64, per: f64) -> Domain {
    if by == per || domain.is_empty() {
        return domain;
    }
    Domain { min: domain.min * by / per, max: domain.max * by / per, ..domain }.widened().widened()
}

/// Bounds after the conversion to a parameter's type.
fn converted(domain: Domain, from: &DataType, to: &DataType) -> Domain {
    let (from, to) = (plain(from), plain(to));
    if from == to {
        return domain;
    }
    if let (Some(a), Some(b)) = (unit(from), unit(to)) {
        if zone(from).is_some() != zone(to).is_some() {
            return Domain::ALL;
        }
        let own = if from == &DataType::Date32 { 1.0 / 86_400.0 } else { per_second(a) };
        // A time beyond the finer unit's reach is missing.
        let missing = domain.missing || a != b;
        return Domain { missing, ..scaled(domain, per_second(b), own) };
    }
    let is_small = |t: &DataType| t == &DataType::Boolean || (t.is_integer() && t != &DataType::UInt64);
    let fits = to.is_floating() && (is_small(from) || from == &DataType::UInt64 || from.is_floating())
        || to == &DataType::Int64 && is_small(from);
    Domain { missing: domain.missing || !fits, ..rounded(domain, to) }
}

/// Bounds of values rounded to a type.
fn rounded(domain: Domain, to: &DataType) -> Domain {
    match to {
        DataType::Boolean => {
            Domain { min: domain.min.max(0.0), max: domain.max.min(1.0), nan: false, ..domain }
        }
        DataType::Float32 if !domain.is_empty() => Domain {
            min: f64::from((domain.min as f32).next_down()),
            max: f64::from((domain.max as f32).next_up()),
            ..domain
        },
        DataType::Float32 | DataType::Float64 => domain,
        t if is_text(t) => Domain::ALL,
        _ => {
            let large = domain.min.abs().max(domain.max.abs()) >= 9_007_199_254_740_992.0;
            let domain = Domain { nan: false, ..domain };
            if large { domain.widened() } else { domain }
        }
    }
}
