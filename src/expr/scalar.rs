//! Numbers typed into a field: `2*pi`, `1e6/3`.

use evalexpr::{ContextWithMutableVariables, HashMapContext, Value, eval_with_context};

use super::error::ExprError;

/// [`scalar_with`] no variables.
///
/// # Errors
/// As [`scalar_with`].
pub fn scalar(text: &str) -> Result<f64, ExprError> {
    scalar_with(text, &[])
}

/// Evaluates what was typed into a number field: arithmetic, `pi`, `e`, `inf`, the `variables`, and
/// evalexpr's `math::` functions.
///
/// # Errors
/// [`ExprError`] over the whole text if it is no number, and for the spellings that evalexpr reads
/// otherwise than they look: `//` (a comment there) and a chain of `^` (from the left there).
pub fn scalar_with(text: &str, variables: &[(String, f64)]) -> Result<f64, ExprError> {
    let whole = 0..text.len();
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(ExprError::new("a number is expected here", whole));
    }
    if let Ok(value) = trimmed.parse::<f64>() {
        return Ok(value);
    }
    if text.len() > 1000 {
        return Err(ExprError::new("a number field takes at most 1000 letters", whole));
    }
    for (spelling, instead) in [("//", "floor(a / b)"), ("**", "^")] {
        if let Some(at) = text.find(spelling) {
            let mut error =
                ExprError::new(format!("{spelling} has no meaning in a number field"), at..at + 2);
            error.suggestion = Some(instead.to_owned());
            return Err(error);
        }
    }
    let mut powers = text.match_indices('^').map(|(i, _)| i);
    if let (Some(_), Some(second)) = (powers.next(), powers.next())
        && !text.contains('(')
    {
        return Err(ExprError::new("brackets are needed around one of the powers", second..second + 1));
    }
    let mut context = HashMapContext::new();
    let constants =
        [("pi", std::f64::consts::PI), ("e", std::f64::consts::E), ("inf", f64::INFINITY), ("nan", f64::NAN)];
    let variables = variables.iter().map(|(name, value)| (name.as_str(), *value));
    for (name, value) in constants.into_iter().chain(variables) {
        context
            .set_value(name.to_owned(), Value::Float(value))
            .map_err(|e| ExprError::new(e.to_string(), whole.clone()))?;
    }
    match eval_with_context(&real_numbers(text), &context) {
        Ok(Value::Float(value)) => Ok(value),
        Ok(Value::Int(value)) => Ok(value as f64),
        Ok(other) => Err(ExprError::new(format!("this is no number but {other}"), whole)),
        Err(error) => Err(ExprError::new(error.to_string(), whole)),
    }
}

/// Whole numbers written as reals: evalexpr divides whole numbers as such, so that `1/3` would be 0.
fn real_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let is_word = c.is_alphanumeric() || c == '_' || c == '.';
        let exponent_sign = |s: &str, i: usize| {
            s[..i].ends_with(['e', 'E']) && s.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        };
        let end = rest
            .char_indices()
            .find(|(i, d)| {
                let goes_on = d.is_alphanumeric() || matches!(d, '_' | '.' | ':');
                let signs = matches!(d, '+' | '-') && exponent_sign(rest, *i);
                !(goes_on || signs)
            })
            .map_or(rest.len(), |(i, _)| i);
        if is_word && end > 0 {
            let word = &rest[..end];
            out.push_str(word);
            if word.bytes().all(|b| b.is_ascii_digit()) {
                out.push_str(".0");
            }
            rest = &rest[end..];
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}
