//! What may be meant while someone types: columns, functions and words that go on from the letters before
//! the cursor.

use std::ops::Range;

use super::functions::{Family, Function, function, functions};
use super::print::quote_name;
use super::token::is_name_part;
use super::typing::describe;
use crate::data::{Field, Schema};

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
    /// `pi` and the like, and variables.
    Constant,
    /// `and`, `between` and the like.
    Keyword,
}

struct Word {
    name: &'static str,
    kind: CompletionKind,
    signature: &'static str,
    doc: &'static str,
}

const fn constant(name: &'static str, doc: &'static str) -> Word {
    Word { name, kind: CompletionKind::Constant, signature: name, doc }
}

const fn keyword(name: &'static str, signature: &'static str, doc: &'static str) -> Word {
    Word { name, kind: CompletionKind::Keyword, signature, doc }
}

static CONSTANTS: [Word; 7] = [
    constant("pi", "3.14159…"),
    constant("e", "2.71828…"),
    constant("inf", "Infinity."),
    constant("nan", "Not a number."),
    constant("null", "No value."),
    constant("true", "True."),
    constant("false", "False."),
];
static KEYWORDS: [Word; 5] = [
    keyword("and", "a and b", "Whether both are true."),
    keyword("or", "a or b", "Whether one is true."),
    keyword("not", "not a", "Whether it is false."),
    keyword("in", "x in [a, b]", "Whether x is in a list."),
    keyword("between", "x between a and b", "Whether x lies between two values, both included."),
];

/// Most completions offered: more are not looked through, and a table may have 100 000 columns.
const MOST: usize = 1000;

/// What may be meant at byte `cursor` of `text`, the likeliest first: names that begin with the letters
/// before the cursor, then names that have them, then names that have them with others between. Nothing
/// within a text in quotes; a thousand at most.
pub fn complete(text: &str, cursor: usize, schema: &Schema) -> Vec<Completion> {
    let cursor = floor_of_letter(text, cursor);
    let Some(place) = place(text, cursor) else { return Vec::new() };
    let replace = place.start..end_of_word(text, cursor, place.quoted);
    let typed = text[place.start..cursor].trim_start_matches('`').to_lowercase();
    let mut found: Vec<(u8, Candidate)> = Vec::new();
    if place.method.is_none() {
        let columns = schema.fields().iter();
        found.extend(columns.filter_map(|f| Some((rank(&f.name, &typed)?, Candidate::Column(f)))));
    }
    if !place.quoted {
        for function in functions().filter(|f| f.family != Family::Operator) {
            let names = names_after(function, place.method);
            let best = names.filter_map(|n| Some((rank(n, &typed)?, n))).min_by_key(|(rank, _)| *rank);
            found.extend(best.map(|(rank, name)| (rank, Candidate::Function(function, name))));
        }
        if place.method.is_none() {
            let variables = schema.variables().iter();
            found.extend(
                variables.filter_map(|(name, value)| {
                    Some((rank(name, &typed)?, Candidate::Variable(name, *value)))
                }),
            );
            let words = CONSTANTS.iter().chain(&KEYWORDS);
            found.extend(words.filter_map(|w| Some((rank(w.name, &typed)?, Candidate::Word(w)))));
        }
    }
    found.sort_by_key(|(rank, _)| *rank);
    let calls = text[replace.end..].starts_with('(');
    let is_method = place.method.is_some();
    found.into_iter().take(MOST).map(|(_, found)| found.offered(&replace, calls, is_method)).collect()
}

/// The function in whose brackets byte `cursor` of `text` is, and which of its arguments that is.
pub fn call_around(text: &str, cursor: usize) -> Option<(&'static Function, usize)> {
    let before = &text[..floor_of_letter(text, cursor)];
    let mut open: Vec<(usize, char, usize)> = Vec::new();
    let mut letters = before.char_indices();
    let mut quote = None;
    while let Some((i, c)) = letters.next() {
        match (quote, c) {
            (Some(q), '\\') if q != '`' => {
                letters.next();
            }
            (Some(q), c) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"' | '`') => quote = Some(c),
            (None, '(' | '[') => open.push((i, c, 0)),
            (None, ')' | ']') => {
                open.pop();
            }
            (None, ',') => {
                if let Some((_, _, arguments)) = open.last_mut() {
                    *arguments += 1;
                }
            }
            _ => {}
        }
    }
    open.iter().rev().filter(|(_, bracket, _)| *bracket == '(').find_map(|&(at, _, argument)| {
        let subject = before[..at].trim_end();
        let name = &subject[start_of_word(subject)..];
        let rest = &subject[..subject.len() - name.len()];
        let is_method = rest.ends_with('.');
        let space = namespaces().find(|space| rest.strip_suffix('.').is_some_and(|r| r.ends_with(space)));
        let full = space.map(|space| format!("{space}_{name}"));
        let found = full.and_then(|full| function(&full)).or_else(|| function(name))?;
        Some((found, argument + usize::from(is_method)))
    })
}

fn floor_of_letter(text: &str, cursor: usize) -> usize {
    let mut cursor = cursor.min(text.len());
    while !text.is_char_boundary(cursor) {
        cursor -= 1;
    }
    cursor
}

enum Candidate<'a> {
    Column(&'a Field),
    Variable(&'a str, f64),
    /// A function and the name it has here.
    Function(&'static Function, &'static str),
    Word(&'static Word),
}

impl Candidate<'_> {
    /// `calls`: a bracket follows already; `is_method`: a dot is before.
    fn offered(self, replace: &Range<usize>, calls: bool, is_method: bool) -> Completion {
        let replace = replace.clone();
        match self {
            Candidate::Column(field) => {
                let unit = field.unit.as_ref().map_or(String::new(), |unit| format!(" [{unit}]"));
                Completion {
                    name: field.name.clone(),
                    kind: CompletionKind::Column,
                    signature: format!("{}{unit}", describe(&field.data_type)),
                    doc: field.description.clone().unwrap_or_default(),
                    text: quote_name(&field.name).into_owned(),
                    replace,
                }
            }
            Candidate::Variable(name, value) => Completion {
                name: name.to_owned(),
                kind: CompletionKind::Constant,
                signature: value.to_string(),
                doc: "A variable.".to_owned(),
                text: name.to_owned(),
                replace,
            },
            Candidate::Function(function, name) => {
                let is_property = is_method && function.arity == (1, 1);
                Completion {
                    name: name.to_owned(),
                    kind: CompletionKind::Function,
                    signature: function.signature.to_owned(),
                    doc: function.doc.to_owned(),
                    text: if calls || is_property { name.to_owned() } else { format!("{name}(") },
                    replace,
                }
            }
            Candidate::Word(word) => Completion {
                name: word.name.to_owned(),
                kind: word.kind,
                signature: word.signature.to_owned(),
                doc: word.doc.to_owned(),
                text: word.name.to_owned(),
                replace,
            },
        }
    }
}

/// The names a function has after a dot or none, its own first; within a namespace the parts after the
/// prefix, as `lower` of `str_lower`.
fn names_after(function: &'static Function, method: Option<Namespace>) -> impl Iterator<Item = &'static str> {
    let names = std::iter::once(function.name).chain(function.aliases.iter().copied());
    names.filter_map(move |name| match method {
        Some(Namespace::Of(prefix)) => name.strip_prefix(prefix)?.strip_prefix('_'),
        _ => Some(name),
    })
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
    } else if has_letters(&name, typed) {
        Some(4)
    } else {
        None
    }
}

/// Whether the letters of `typed`, two at least, are among those of `name` in their order, the first
/// of both being the same.
fn has_letters(name: &str, typed: &str) -> bool {
    let mut letters = name.chars();
    typed.chars().nth(1).is_some()
        && name.chars().next() == typed.chars().next()
        && typed.chars().all(|wanted| letters.any(|letter| letter == wanted))
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
    let start = start_of_word(before);
    if before[start..].starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let method = before[..start].trim_end().strip_suffix('.').map(|subject| {
        let word = start_of_word(subject);
        let after_dot = subject[..word].ends_with('.');
        match namespaces().find(|n| after_dot && *n == &subject[word..]) {
            Some(prefix) => Namespace::Of(prefix),
            None => Namespace::Any,
        }
    });
    let is_number =
        method.is_some() && before[..start - 1].ends_with(|c: char| c.is_ascii_digit()) && start == cursor;
    if is_number { None } else { Some(Place { start, quoted: false, method }) }
}

fn namespaces() -> impl Iterator<Item = &'static str> {
    ["str", "dt", "td", "geo"].into_iter()
}

/// Where the name begins that ends the text; its end if none does.
fn start_of_word(text: &str) -> usize {
    text.rfind(|c: char| !is_name_part(c))
        .map_or(0, |i| i + text[i..].chars().next().map_or(1, char::len_utf8))
}

fn end_of_word(text: &str, cursor: usize, quoted: bool) -> usize {
    let rest = &text[cursor..];
    if quoted {
        return rest.find('`').map_or(cursor, |i| cursor + i + 1);
    }
    cursor + rest.find(|c: char| !is_name_part(c)).unwrap_or(rest.len())
}
