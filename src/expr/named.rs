//! Arguments given by name, as in `contains(name, 'a', regex = false)`, put in their places.

use super::error::ExprError;
use super::functions::Function;
use super::parse::{Ast, AstKind, parse};

/// The arguments of a call by their places, the first of which `before` stand before a dot. Names for which
/// `is_value` is true are values, not names of arguments.
///
/// # Errors
/// [`ExprError`] for an argument given twice, left out, or without a name after one with a name.
pub(super) fn placed(
    function: &Function,
    parts: &[Ast],
    before: usize,
    text: &str,
    is_value: impl Fn(&str) -> bool,
) -> Result<Vec<Ast>, ExprError> {
    let parameters = parameters(function.signature);
    let place_of = |name: &str| parameters.iter().position(|(parameter, _)| *parameter == name);
    let wrong =
        |what: &str, part: &Ast| ExprError::new(format!("{what}: {}", function.signature), part.span.clone());
    let mut places: Vec<Option<Ast>> = Vec::new();
    let mut last_named: Option<&Ast> = None;
    for part in parts {
        let by_name = named(part, text).filter(|(name, _)| !is_value(name));
        let Some((place, value)) = by_name.and_then(|(name, value)| Some((place_of(name)?, value))) else {
            if last_named.is_some() {
                return Err(wrong("arguments without a name stand before those with one", part));
            }
            places.push(Some(part.clone()));
            continue;
        };
        last_named = Some(part);
        let Some(place) = place.checked_sub(before) else {
            return Err(wrong("this argument stands before the dot", part));
        };
        if places.len() <= place {
            places.resize(place + 1, None);
        }
        if places[place].is_some() {
            return Err(wrong("this argument is given twice", part));
        }
        places[place] = Some(value.clone());
    }
    let fill = |(place, given): (usize, Option<Ast>)| {
        let (Some(after), None) = (last_named, &given) else { return Ok(given) };
        let (name, default) = parameters[place + before];
        match default.and_then(|default| parse(default).ok()) {
            Some(mut default) if matches!(default.kind, AstKind::Literal(_)) => {
                default.span = after.span.clone();
                Ok(Some(default))
            }
            _ => Err(wrong(&format!("{name} is needed, too"), after)),
        }
    };
    let filled = places.into_iter().enumerate().map(fill).collect::<Result<Vec<_>, _>>()?;
    Ok(filled.into_iter().flatten().collect())
}

/// The name and the value of an argument written `name = value`.
pub(super) fn named<'a>(part: &'a Ast, text: &'a str) -> Option<(&'a str, &'a Ast)> {
    let AstKind::Operator("equal", sides) = &part.kind else { return None };
    let [left, value] = sides.as_slice() else { return None };
    let AstKind::Name(name) = &left.kind else { return None };
    let sign = text[left.span.end..].trim_start();
    let is_plain = left.span.start == part.span.start && sign.starts_with('=') && !sign.starts_with("==");
    is_plain.then_some((name.as_str(), value))
}

/// The names in a signature, each with what counts where it is not given.
pub fn parameters<'a>(signature: &'a str) -> Vec<(&'a str, Option<&'a str>)> {
    let inside = signature.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or("");
    let parameter = |part: &'a str| match part.split_once('=') {
        Some((name, default)) => (name.trim(), Some(default.trim())),
        None => (part.trim(), None),
    };
    inside.split(',').map(parameter).collect()
}
