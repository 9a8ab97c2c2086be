//! Texts over calls that are not the language's own, as `sum(tip) / sum(fare) where paid` over
//! aggregates: the calls are cut out and stand for columns, the rest is an expression over these.
//!
//! ```text
//! outer = expression over calls [ "where" condition ]
//! call  = name "(" [ expression { "," expression } ] ")" | name
//! ```
//!
//! A condition reaches to the end of the text, or to the bracket or comma that ends the part it stands
//! in; it belongs to all calls before it in that part.

use std::ops::Range;

use super::error::ExprError;
use super::parse::is_keyword;
use super::token::{Token, tokens};
use super::tree::Expr;
use super::{function, quote_name};
use crate::data::Schema;

/// A text with its calls found.
#[derive(Debug)]
pub struct Outer<'a> {
    text: &'a str,
    /// The calls, in the order they are written.
    pub calls: Vec<OuterCall>,
    /// Names outside of all calls that are no functions, with their places.
    pub names: Vec<(String, Range<usize>)>,
    /// Names called that are neither calls nor functions of the language, with their places.
    pub unknown: Vec<(String, Range<usize>)>,
    /// What does not belong to the outer expression: a call by its number, or a condition.
    cuts: Vec<(Range<usize>, Option<usize>)>,
}

/// One call, by its places in the text.
#[derive(Debug)]
pub struct OuterCall {
    /// The name as it is written.
    pub name: String,
    /// The whole call.
    pub span: Range<usize>,
    /// Its name.
    pub name_span: Range<usize>,
    /// What stands between its brackets and commas; nothing for empty brackets or none.
    pub arguments: Vec<Range<usize>>,
    /// The conditions it is under.
    pub conditions: Vec<Range<usize>>,
}

impl<'a> Outer<'a> {
    /// Finds the calls in `text`: names for which `is_call` is true, told whether brackets follow.
    ///
    /// # Errors
    /// [`ExprError`] where letters have no meaning, a bracket is not closed, or `where` is out of place.
    pub fn of(text: &'a str, is_call: impl Fn(&str, bool) -> bool) -> Result<Outer<'a>, ExprError> {
        let tokens = tokens(text)?;
        let mut outer = Outer { text, calls: vec![], names: vec![], unknown: vec![], cuts: vec![] };
        // The first call of every part that is open.
        let mut parts = vec![0];
        let mut after_value = false;
        let mut at = 0;
        while let Some((token, span)) = tokens.get(at).filter(|(token, _)| *token != Token::End) {
            let brackets = is_symbol(&tokens, at + 1, "(");
            let after_dot = at > 0 && is_symbol(&tokens, at - 1, ".");
            match token {
                Token::Name(name) if after_value && name.eq_ignore_ascii_case("where") => {
                    at = outer.condition(&tokens, at, parts.last().copied().unwrap_or(0))?;
                    continue;
                }
                Token::Name(name) if !after_dot && is_call(name, brackets) => {
                    at = outer.call(&tokens, at, brackets)?;
                    after_value = true;
                    continue;
                }
                Token::Name(name) if !after_dot && !is_keyword(name) => match (brackets, function(name)) {
                    (true, None) => outer.unknown.push((name.clone(), span.clone())),
                    (true, Some(_)) => {}
                    (false, _) => outer.names.push((name.clone(), span.clone())),
                },
                Token::Quoted(name) => outer.names.push((name.clone(), span.clone())),
                Token::Symbol("(" | "[") => parts.push(outer.calls.len()),
                Token::Symbol(")" | "]") => {
                    parts.pop();
                }
                Token::Symbol(",") => {
                    if let Some(first) = parts.last_mut() {
                        *first = outer.calls.len();
                    }
                }
                _ => {}
            }
            after_value = match token {
                Token::Name(name) => !is_keyword(name),
                Token::Literal(_) | Token::Quoted(_) | Token::Symbol(")" | "]") => true,
                _ => false,
            };
            at += 1;
        }
        Ok(outer)
    }

    /// Takes the call at token `at`; the token after it.
    fn call(
        &mut self,
        tokens: &[(Token, Range<usize>)],
        at: usize,
        brackets: bool,
    ) -> Result<usize, ExprError> {
        let name_span = tokens[at].1.clone();
        let mut arguments = Vec::new();
        let mut last = at;
        if brackets {
            let end = part_end(tokens, at + 2, false);
            if !is_symbol(tokens, end, ")") {
                let trimmed = self.text.trim();
                let message = format!("`{trimmed}`: a closing bracket is missing");
                let end = self.text.trim_end().len();
                return Err(ExprError::new(message, end..end));
            }
            let mut from = at + 2;
            while from < end {
                let to = part_end(tokens, from, true);
                arguments.push(tokens[from - 1].1.end..tokens[to].1.start);
                from = to + 1;
            }
            last = end;
        }
        let span = name_span.start..tokens[last].1.end;
        self.cuts.push((span.clone(), Some(self.calls.len())));
        let name = self.text[name_span.clone()].to_owned();
        self.calls.push(OuterCall { name, span, name_span, arguments, conditions: Vec::new() });
        Ok(last + 1)
    }

    /// Takes the condition after the word at token `at`; the token after it.
    fn condition(
        &mut self,
        tokens: &[(Token, Range<usize>)],
        at: usize,
        first: usize,
    ) -> Result<usize, ExprError> {
        let end = part_end(tokens, at + 1, true);
        let condition = tokens[at].1.end..tokens[end].1.start;
        if self.text[condition.clone()].trim().is_empty() {
            let place = condition.end..condition.end;
            return Err(ExprError::new("a condition is expected after where: mean(x) where y > 0", place));
        }
        if self.calls.len() == first {
            return Err(ExprError::new(
                "where follows an aggregate: mean(x) where y > 0",
                tokens[at].1.clone(),
            ));
        }
        self.calls[first..].iter_mut().for_each(|call| call.conditions.push(condition.clone()));
        self.cuts.push((tokens[at].1.start..condition.end, None));
        Ok(end)
    }

    /// Whether the text is one call and nothing else but its condition.
    pub fn is_one_call(&self) -> bool {
        let rest = self.pieces(|_| String::new());
        self.calls.len() == 1 && rest.iter().all(|(text, ..)| text.trim().is_empty())
    }

    /// The expression over the calls, each being the column of `schema` that `name_of` says.
    ///
    /// # Errors
    /// [`ExprError`] with the place in the text.
    pub fn parse(&self, schema: &Schema, name_of: impl Fn(usize) -> String) -> Result<Expr, ExprError> {
        let pieces = self.pieces(|call| quote_name(&name_of(call)).into_owned());
        let text: String = pieces.iter().map(|(text, ..)| text.as_str()).collect();
        Expr::parse(&text, schema).map_err(|mut error| {
            error.span = placed(&pieces, error.span);
            error
        })
    }

    /// The outer expression in pieces: each with its place in the text, and whether it stands for it.
    fn pieces(&self, name_of: impl Fn(usize) -> String) -> Vec<(String, Range<usize>, bool)> {
        let mut pieces = Vec::new();
        let mut from = 0;
        for (cut, call) in &self.cuts {
            pieces.push((self.text[from..cut.start].to_owned(), from..cut.start, false));
            if let Some(call) = call {
                pieces.push((name_of(*call), cut.clone(), true));
            }
            from = cut.end;
        }
        pieces.push((self.text[from..].to_owned(), from..self.text.len(), false));
        pieces
    }
}

/// A span of the joined pieces as a span of the text.
fn placed(pieces: &[(String, Range<usize>, bool)], span: Range<usize>) -> Range<usize> {
    let mut start = 0;
    let mut found = 0..0;
    for (i, (piece, place, stands_for)) in pieces.iter().enumerate() {
        let end = start + piece.len();
        if span.start >= start && (span.start < end || i + 1 == pieces.len()) {
            found.start = if *stands_for { place.start } else { place.start + span.start - start };
            found.end = found.start;
        }
        if span.end > start && span.end <= end {
            found.end = if *stands_for { place.end } else { place.start + span.end - start };
        }
        start = end;
    }
    found.start..found.end.max(found.start)
}

fn is_symbol(tokens: &[(Token, Range<usize>)], at: usize, symbol: &str) -> bool {
    matches!(tokens.get(at), Some((Token::Symbol(found), _)) if *found == symbol)
}

/// The token that ends the part beginning at token `from`: a closing bracket, the end of the text, or,
/// with `commas`, a comma.
fn part_end(tokens: &[(Token, Range<usize>)], from: usize, commas: bool) -> usize {
    let mut depth = 0;
    let mut at = from;
    while at + 1 < tokens.len() {
        match tokens[at].0 {
            Token::Symbol("(" | "[") => depth += 1,
            Token::Symbol(")" | "]") if depth == 0 => return at,
            Token::Symbol(")" | "]") => depth -= 1,
            Token::Symbol(",") if commas && depth == 0 => return at,
            _ => {}
        }
        at += 1;
    }
    tokens.len() - 1
}
