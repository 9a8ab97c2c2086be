//! Arguments of an aggregate given by name, as in `quantile(x, q = 0.9)`.

use std::ops::Range;

use super::measure::trimmed;
use crate::aggregate::Aggregate;
use crate::data::Schema;
use crate::expr::{ExprError, parameters, quote_name};

/// The aggregate that is meant, and its arguments, where some are written `name = value`: of a `ddof` of 1, as
/// pandas has it, the twin of a sample.
pub(super) fn by_name(
    text: &str,
    mut aggregate: &'static Aggregate,
    spans: &[Range<usize>],
    schema: &Schema,
) -> Result<(&'static Aggregate, Vec<Range<usize>>), ExprError> {
    let mut values = Vec::with_capacity(spans.len());
    for span in spans {
        let written = text[span.clone()].split_once('=').map(|(name, value)| (name.trim(), value));
        let is_value = |name: &str| quote_name(name) != name || schema.field(name).is_some();
        let Some((name, value)) = written.filter(|(name, value)| !value.starts_with('=') && !is_value(name))
        else {
            values.push(span.clone());
            continue;
        };
        let of_sample = || Aggregate::named(&format!("{}_sample", aggregate.name));
        match (name, value.trim(), of_sample()) {
            ("ddof", "0", Some(_)) => {}
            ("ddof", "1", Some(of_sample)) => aggregate = of_sample,
            _ if parameters(aggregate.signature).iter().any(|(known, _)| *known == name) => {
                values.push(span.end - value.len()..span.end);
            }
            _ => {
                let call = aggregate.signature;
                let message = format!("there is no column {name}, nor an argument of that name: {call}");
                let start = trimmed(text, span).start;
                return Err(ExprError { message, span: start..start + name.len(), suggestion: None });
            }
        }
    }
    Ok((aggregate, values))
}
