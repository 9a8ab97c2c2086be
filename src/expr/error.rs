//! What is wrong with an expression, and at which letter.

use std::ops::Range;

/// An expression could not be read, typed or run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", self.hint())]
pub struct ExprError {
    /// What is wrong, and what was expected, in words for a person.
    pub message: String,
    /// Where, as a byte range of the text; empty at the place where something is lacking.
    pub span: Range<usize>,
    /// What the text at the span should perhaps have been.
    pub suggestion: Option<String>,
}

impl ExprError {
    pub(super) fn new(message: impl Into<String>, span: Range<usize>) -> ExprError {
        ExprError { message: message.into(), span, suggestion: None }
    }

    fn hint(&self) -> String {
        self.suggestion.as_ref().map_or(String::new(), |s| format!("; did you mean {s}?"))
    }

    /// The line of `text` that is wrong with `^^^` under the place, and the message, for a terminal.
    pub fn pointed(&self, text: &str) -> String {
        let mut start = self.span.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let line_start = text[..start].rfind('\n').map_or(0, |i| i + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |i| start + i);
        let line = &text[line_start..line_end];
        let column = text[line_start..start].chars().count();
        let mut end = self.span.end.clamp(start, line_end);
        while !text.is_char_boundary(end) {
            end += 1;
        }
        let width = text[start..end].chars().count().max(1);
        let (line, column) = shown(line, column);
        let width = width.min(100);
        format!("{line}\n{}{}\n{self}", " ".repeat(column), "^".repeat(width))
    }
}

/// At most 120 characters of a line, around the place, and where the place is in them.
fn shown(line: &str, column: usize) -> (String, usize) {
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    if line.chars().count() <= 120 {
        return (line.chars().map(printable).collect(), column);
    }
    let skipped = column.saturating_sub(60);
    let mut out = String::new();
    if skipped > 0 {
        out.push('…');
    }
    out.extend(line.chars().skip(skipped).take(118).map(printable));
    let column = column - skipped + usize::from(skipped > 0);
    (out, column)
}

/// The candidate that `name` was most likely meant to be: equal but for case, a few letters away, or, if there is none,
/// one that begins with `name`, of at least three letters.
pub fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = name.to_lowercase().chars().take(64).collect();
    let limit = 1 + wanted.len() / 4;
    candidates
        .filter_map(|candidate| {
            let found: Vec<char> = candidate.to_lowercase().chars().take(64).collect();
            let begins = wanted.len() >= 3 && found.starts_with(&wanted);
            if begins && found.len() - wanted.len() > limit {
                return Some((limit + 1, candidate));
            }
            if found.len().abs_diff(wanted.len()) > limit {
                return None;
            }
            let distance = edits(&wanted, &found);
            (distance <= limit && distance < wanted.len().max(1)).then_some((distance, candidate))
        })
        .min_by_key(|&(distance, candidate)| {
            let shared = candidate.chars().zip(name.chars()).take_while(|(a, b)| a == b).count();
            (distance, std::cmp::Reverse(shared), candidate.len(), candidate)
        })
        .map(|(_, candidate)| candidate)
}

/// Edit distance with transpositions of neighbours (optimal string alignment).
fn edits(a: &[char], b: &[char]) -> usize {
    let width = b.len() + 1;
    let mut table = vec![0usize; (a.len() + 1) * width];
    for (j, cell) in table.iter_mut().take(width).enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        table[i * width] = i;
        for j in 1..width {
            let substitution = table[(i - 1) * width + j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = substitution.min(table[(i - 1) * width + j] + 1).min(table[i * width + j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(table[(i - 2) * width + j - 2] + 1);
            }
            table[i * width + j] = best;
        }
    }
    table[a.len() * width + b.len()]
}
