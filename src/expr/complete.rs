//! What may be meant while someone types: columns, functions and words that go on from the letters before
//! the cursor.

use std::ops::Range;

use super::functions::{Family, Function, functions};
use super::print::quote_name;
use super::token::is_name_part;
use super::typing::describe;
use crate::data::Schema;

/// One way to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// What is offered, as a person knows it.
    pub name: String,
    /// What it is.
    pub kind: CompletionKind,
    /// A column's type, a function's call.
    pub signature: String,
    /// One line about it; empty for a column without a description.
    pub doc: String,
    /// What to put in place of `replace`.
    pub text: String,
    /// The bytes of the typed text that it replaces.
    pub replace: Range<usize>,
}

/// What a completion is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CompletionKind {
    /// A column of the table.
    Column,
    /// A function, by its name or an alias.
    Function,
    /// `pi` and the like.
    Constant,
    /// `and`, `between` and the like.
    Keyword,
}

const CONSTANTS: [(&str, &str); 7] = [
    ("pi", "3.14159…"),
    ("e", "2.71828…"),
    ("inf", "Infinity."),
    ("nan", "Not a number."),
    ("null", "No value."),
    ("true", "True."),
    ("false", "False."),
];
const KEYWORDS: [(&str, &str, &str); 5] = [
    ("and", "a and b", "Whether both are true."),
    ("or", "a or b", "Whether one is true."),
    ("not", "not a", "Whether it is false."),
    ("in", "x in [a, b]", "Whether x is in a list."),
    ("between", "x between a and b", "Whether x lies between two values, both included."),
];

/// What may be meant at byte `cursor` of `text`, the likeliest first: names that begin with the letters
/// before the cursor, then names that have them. Nothing within a text in quotes.
pub fn complete(text: &str, cursor: usize, schema: &Schema) -> Vec<Completion> {
    let mut cursor = cursor.min(text.len());
    while !text.is_char_boundary(cursor) {
        cursor -= 1;
    }
    let Some(place) = place(text, cursor) else { return Vec::new() };
    let replace = place.start..end_of_word(text, cursor, place.quoted);
    let typed = text[place.start..cursor].trim_start_matches('`').to_lowercase();
    let mut found: Vec<(u8, Completion)> = Vec::new();
    let mut offer = |name: &str, kind, signature: String, doc: &str, insert: String| {
        if let Some(rank) = rank(name, &typed) {
            let completion = Completion {
                name: name.to_owned(),
                kind,
                signature,
                doc: doc.to_owned(),
                text: insert,
                replace: replace.clone(),
            };
            found.push((rank, completion));
        }
    };
    if place.method.is_none() {
        for field in schema.fields() {
            let doc = field.description.as_deref().unwrap_or("");
            let unit = field.unit.as_ref().map_or(String::new(), |unit| format!(" [{unit}]"));
            let signature = format!("{}{unit}", describe(&field.data_type));
            offer(&field.name, CompletionKind::Column, signature, doc, quote_name(&field.name).into_owned());
        }
    }
    if !place.quoted {
        let calls = text[replace.end..].starts_with('(');
        for function in functions().filter(|f| f.family != Family::Operator) {
            for (name, insert) in names(function, place.method) {
                let is_property = place.method.is_some() && function.arity == (1, 1);
                let insert = if calls || is_property { insert } else { format!("{insert}(") };
                offer(&name, CompletionKind::Function, function.signature.to_owned(), function.doc, insert);
            }
        }
        if place.method.is_none() {
            for (name, doc) in CONSTANTS {
                offer(name, CompletionKind::Constant, name.to_owned(), doc, name.to_owned());
            }
            for (name, signature, doc) in KEYWORDS {
                offer(name, CompletionKind::Keyword, signature.to_owned(), doc, name.to_owned());
            }
        }
    }
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, completion)| completion).collect()
}

/// The names under which a function is offered, and what is written for each.
fn names(function: &Function, method: Option<Namespace>) -> Vec<(String, String)> {
    let own = || vec![(function.name.to_owned(), function.name.to_owned())];
    match method {
        None => own(),
        Some(Namespace::Any) => own(),
        Some(Namespace::Of(prefix)) => {
            // The name after the prefix, as `lower` in `str_lower`.
            let short = std::iter::once(function.name)
                .chain(function.aliases.iter().copied())
                .find_map(|name| name.strip_prefix(prefix)?.strip_prefix('_'));
            short.map(|name| (name.to_owned(), name.to_owned())).into_iter().collect()
        }
    }
}

/// How likely a name is meant by what was typed, 0 most; `None` if it has nothing of it.
fn rank(name: &str, typed: &str) -> Option<u8> {
    let name = name.to_lowercase();
    if name == typed {
        Some(0)
    } else if name.starts_with(typed) {
        Some(1)
    } else if name.split(|c: char| !c.is_alphanumeric()).any(|word| word.starts_with(typed)) {
        Some(2)
    } else if name.contains(typed) {
        Some(3)
    } else {
        None
    }
}

#[derive(Clone, Copy)]
enum Namespace {
    /// After a dot.
    Any,
    /// After `.str.`, `.dt.` and the like.
    Of(&'static str),
}

struct Place {
    /// Where the word before the cursor begins.
    start: usize,
    /// Whether the word is in backticks.
    quoted: bool,
    method: Option<Namespace>,
}

/// What stands before the cursor; `None` within a text in quotes or a number.
fn place(text: &str, cursor: usize) -> Option<Place> {
    let before = &text[..cursor];
    let mut open: Option<(usize, char)> = None;
    let mut letters = before.char_indices();
    while let Some((i, c)) = letters.next() {
        match (open, c) {
            (Some((_, quote)), '\\') if quote != '`' => {
                letters.next();
            }
            (Some((_, quote)), c) if c == quote => open = None,
            (None, '\'' | '"' | '`') => open = Some((i, c)),
            _ => {}
        }
    }
    match open {
        Some((start, '`')) => return Some(Place { start, quoted: true, method: None }),
        Some(_) => return None,
        None => {}
    }
    let start = before
        .rfind(|c: char| !is_name_part(c))
        .map_or(0, |i| i + before[i..].chars().next().map_or(1, char::len_utf8));
    if before[start..].starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let method = before[..start].trim_end().strip_suffix('.').map(|subject| {
        let word = subject.rfind(|c: char| !is_name_part(c)).map_or(0, |i| i + 1);
        let after_dot = subject[..word.min(subject.len())].ends_with('.');
        match ["str", "dt", "td", "geo"].into_iter().find(|n| after_dot && *n == &subject[word..]) {
            Some(prefix) => Namespace::Of(prefix),
            None => Namespace::Any,
        }
    });
    let is_number =
        method.is_some() && before[..start - 1].ends_with(|c: char| c.is_ascii_digit()) && start == cursor;
    if is_number { None } else { Some(Place { start, quoted: false, method }) }
}

fn end_of_word(text: &str, cursor: usize, quoted: bool) -> usize {
    let rest = &text[cursor..];
    if quoted {
        return rest.find('`').map_or(cursor, |i| cursor + i + 1);
    }
    cursor + rest.find(|c: char| !is_name_part(c)).unwrap_or(rest.len())
}
