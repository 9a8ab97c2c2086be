//! Letters to tokens, each with its place in the text.

use std::ops::Range;

use super::error::ExprError;
use super::literal::{Literal, parse_time};

/// One word of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A number, a string or a bare date.
    Literal(Literal),
    /// A name or keyword.
    Name(String),
    /// A name in backticks: always a column.
    Quoted(String),
    /// An operator or a bracket.
    Symbol(&'static str),
    /// The end of the text.
    End,
}

const SYMBOLS: [&str; 30] = [
    "**", "//", "==", "!=", "<>", "<=", ">=", "&&", "||", "≤", "≥", "≠", "+", "-", "*", "/", "%", "^", "<",
    ">", "=", "&", "|", "!", "~", "(", ")", "[", "]", ",",
];

/// Splits a text into tokens; the last one is always [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, Range<usize>)>, ExprError> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let start = at;
        let rest = &text[at..];
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let token = if let Some(length) = date_length(rest) {
            at += length;
            let literal = parse_time(&rest[..length])
                .ok_or_else(|| ExprError::new(format!("{} is not a date", &rest[..length]), start..at))?;
            Token::Literal(literal)
        } else if c.is_ascii_digit() || (c == '.' && rest[1..].starts_with(|d: char| d.is_ascii_digit())) {
            let length = number_length(rest);
            at += length;
            Token::Literal(number(&rest[..length], start..at)?)
        } else if c == '\'' || c == '"' {
            let (string, length) = string(rest, c, start)?;
            at += length;
            Token::Literal(Literal::Text(string))
        } else if c == '`' {
            let (name, length) = quoted(rest, start)?;
            at += length;
            Token::Quoted(name)
        } else if is_name_start(c) {
            let length = rest.find(|d: char| !is_name_part(d)).unwrap_or(rest.len());
            at += length;
            Token::Name(rest[..length].to_owned())
        } else if c == '.' {
            at += 1;
            Token::Symbol(".")
        } else if let Some(symbol) = SYMBOLS.iter().find(|s| rest.starts_with(**s)) {
            at += symbol.len();
            Token::Symbol(match *symbol {
                "≤" => "<=",
                "≥" => ">=",
                "≠" | "<>" => "!=",
                "=" => "==",
                other => other,
            })
        } else {
            let end = start + c.len_utf8();
            let message = match c {
                '?' | ':' => format!("{c} has no meaning here; a choice is written if(condition, yes, no)"),
                ';' => "one expression only: ; has no meaning here".to_owned(),
                '−' | '–' => "this is a dash; minus is written -".to_owned(),
                '×' => "times is written *".to_owned(),
                '“' | '”' | '‘' | '’' => "text stands in straight quotes, '…' or \"…\"".to_owned(),
                c => format!("{} has no meaning here", c.escape_debug()),
            };
            return Err(ExprError::new(message, start..end));
        };
        out.push((token, start..at));
    }
    out.push((Token::End, text.len()..text.len()));
    Ok(out)
}

/// Whether a name may begin with this letter.
pub(super) fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

/// Whether a name may go on with this letter.
pub(super) fn is_name_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Length of the bare date a text begins with: `2015-01-31`, `2015-01-31T12:00:05.25Z`. A difference of
/// three numbers is written with blanks.
fn date_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let shape = |from: usize, pattern: &[u8]| {
        bytes.len() >= from + pattern.len()
            && pattern
                .iter()
                .zip(&bytes[from..])
                .all(|(p, b)| if *p == b'0' { b.is_ascii_digit() } else { p == b })
    };
    if !shape(0, b"0000-00-00") || bytes.get(10).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let mut end = 10;
    if shape(end, b"T00:00") {
        end += 6;
        if shape(end, b":00") {
            end += 3;
            if shape(end, b".0") {
                end += 2;
                while bytes.get(end).is_some_and(u8::is_ascii_digit) {
                    end += 1;
                }
            }
        }
        if bytes.get(end) == Some(&b'Z') {
            end += 1;
        } else if shape(end, b"+00:00") || shape(end, b"-00:00") {
            end += 6;
        }
    }
    Some(end)
}

fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digit = |i: usize| bytes.get(i).is_some_and(|b| b.is_ascii_digit() || *b == b'_');
    if bytes[0] == b'0' && bytes.len() > 1 && matches!(bytes[1], b'x' | b'X' | b'b' | b'B' | b'o' | b'O') {
        return text.find(|c: char| !is_name_part(c)).unwrap_or(text.len());
    }
    let mut end = 0;
    while digit(end) {
        end += 1;
    }
    // `5.sqrt()` is a method of 5, `5.` and `5.0` are numbers.
    if bytes.get(end) == Some(&b'.') && !text[end + 1..].starts_with(is_name_start) {
        end += 1;
        while digit(end) {
            end += 1;
        }
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        if bytes.get(end + 1 + sign).is_some_and(u8::is_ascii_digit) {
            end += 2 + sign;
            while digit(end) {
                end += 1;
            }
        }
    }
    // Letters that follow at once belong to the mistake: `12abc`.
    end + text[end..].find(|c: char| !is_name_part(c)).unwrap_or(text.len() - end)
}

fn number(text: &str, span: Range<usize>) -> Result<Literal, ExprError> {
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    let lower = digits.to_ascii_lowercase();
    let radix = [("0x", 16), ("0b", 2), ("0o", 8)].into_iter().find(|(prefix, _)| lower.starts_with(prefix));
    if let Some((prefix, radix)) = radix {
        return u64::from_str_radix(&lower[prefix.len()..], radix)
            .map(Literal::unsigned)
            .map_err(|_| ExprError::new(format!("{text} is not a whole number of 64 bits"), span));
    }
    let Ok(value) = digits.parse::<f64>() else {
        let letters = digits.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let number = &digits[..digits.len() - letters.len()];
        let suggestion = (!letters.is_empty()).then(|| format!("{number} * {letters}"));
        return Err(ExprError { suggestion, ..ExprError::new(format!("{text} is not a number"), span) });
    };
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let stands_between =
        |at: usize| is_digit(text[..at].chars().last()) && is_digit(text[at + 1..].chars().next());
    if !text.match_indices('_').all(|(at, _)| stands_between(at)) {
        let error = ExprError::new("an underscore stands alone between two digits", span);
        return Err(ExprError { suggestion: Some(digits), ..error });
    }
    if let Ok(value) = digits.parse::<u64>() {
        return Ok(Literal::unsigned(value));
    }
    let is_zero = lower.bytes().take_while(|b| *b != b'e').all(|b| matches!(b, b'0' | b'.'));
    let why = match value {
        f64::INFINITY => {
            "is larger than any number, of which 1.8e308 is the largest; infinity is written inf"
        }
        0.0 if !is_zero => "is nearer to 0 than any number, of which 5e-324 is the nearest",
        _ => return Ok(Literal::Float(value)),
    };
    Err(ExprError::new(format!("{text} {why}"), span))
}

/// A string in quotes; a backslash escapes as in Python, a doubled quote is one quote as in SQL.
fn string(text: &str, quote: char, start: usize) -> Result<(String, usize), ExprError> {
    let mut out = String::new();
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((i, c)) = letters.next() {
        if c == quote {
            if letters.peek().is_some_and(|&(_, next)| next == quote) {
                letters.next();
                out.push(quote);
                continue;
            }
            return Ok((out, i + 1));
        }
        if c != '\\' {
            out.push(c);
            continue;
        }
        match letters.next() {
            Some((_, 'n')) => out.push('\n'),
            Some((_, 't')) => out.push('\t'),
            Some((_, 'r')) => out.push('\r'),
            Some((_, '0')) => out.push('\0'),
            Some((_, e @ ('\\' | '\'' | '"'))) => out.push(e),
            // Others stay as they are, so that regular expressions need no doubled backslashes.
            Some((_, other)) => out.extend(['\\', other]),
            None => break,
        }
    }
    Err(ExprError::new(format!("this text has no closing {quote}"), start..start + text.len()))
}

fn quoted(text: &str, start: usize) -> Result<(String, usize), ExprError> {
    let mut out = String::new();
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((i, c)) = letters.next() {
        if c != '`' {
            out.push(c);
        } else if letters.peek().is_some_and(|&(_, next)| next == '`') {
            letters.next();
            out.push('`');
        } else {
            return Ok((out, i + 1));
        }
    }
    Err(ExprError::new("this name has no closing `", start..start + text.len()))
}
