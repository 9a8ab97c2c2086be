//! Text: finding, replacing and taking apart, by letters or by regular expressions.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Scalar, StringArray};
use arrow::compute::cast;
use arrow::compute::kernels::comparison;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use regex::Regex;

use super::super::literal::Literal;
use super::super::program::constant;
use super::super::tree::Expr;
use super::super::typing::Mistake;
use super::text::{
    TEXT, bool_argument, count, int_argument, map, numbers, on_texts, on_values, text_argument, text_types,
    try_map,
};
use super::{Arguments, Function};

const SEARCH: Function = Function {
    arity: (2, 4),
    types: |a| text_types(a, &[DataType::Utf8, DataType::Int64, DataType::Int64], DataType::Int64),
    ..TEXT
};
const SPLIT: Function = Function {
    arity: (3, 3),
    types: |a| text_types(a, &[DataType::Utf8, DataType::Int64], DataType::LargeUtf8),
    ..TEXT
};

/// The entries of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "contains",
        aliases: &["str_contains"],
        arity: (2, 3),
        signature: "contains(text, pattern, regex = true)",
        doc: "Whether the text has a match of the regular expression in it, or the pattern as it is.",
        example: "contains('abc', 'b') = true",
        types: |a| {
            check_regex(a, 1, a.get(2).is_none_or(is_true))?;
            text_types(a, &[DataType::Utf8, DataType::Boolean], DataType::Boolean)
        },
        kernel: |a| matches(a, bool_argument(a, 2).unwrap_or(true), false),
        domain: super::bounds::bool,
        ..TEXT
    },
    Function {
        name: "match",
        aliases: &["str_match", "matches"],
        arity: (2, 2),
        signature: "match(text, pattern)",
        doc: "Whether the text begins with a match of the regular expression.",
        example: "match('abc', 'a.') = true",
        types: |a| {
            check_regex(a, 1, true)?;
            text_types(a, &[DataType::Utf8], DataType::Boolean)
        },
        kernel: |a| matches(a, true, true),
        domain: super::bounds::bool,
        ..TEXT
    },
    Function {
        name: "startswith",
        aliases: &["str_startswith", "starts_with"],
        arity: (2, 2),
        signature: "startswith(text, beginning)",
        doc: "Whether the text begins so.",
        example: "startswith('abc', 'ab') = true",
        types: |a| text_types(a, &[DataType::Utf8], DataType::Boolean),
        kernel: |a| by_arrow(a, |values, wanted| comparison::starts_with(values, wanted)),
        domain: super::bounds::bool,
        ..TEXT
    },
    Function {
        name: "endswith",
        aliases: &["str_endswith", "ends_with"],
        arity: (2, 2),
        signature: "endswith(text, end)",
        doc: "Whether the text ends so.",
        example: "endswith('abc', 'bc') = true",
        types: |a| text_types(a, &[DataType::Utf8], DataType::Boolean),
        kernel: |a| by_arrow(a, |values, wanted| comparison::ends_with(values, wanted)),
        domain: super::bounds::bool,
        ..TEXT
    },
    Function {
        name: "like",
        arity: (2, 2),
        signature: "like(text, pattern)",
        doc: "Whether the whole text fits the pattern, % standing for any letters and _ for one, as in SQL.",
        example: "like('abc', 'a%') = true",
        types: |a| text_types(a, &[DataType::Utf8], DataType::Boolean),
        kernel: |a| by_arrow(a, |values, wanted| comparison::like(values, wanted)),
        domain: super::bounds::bool,
        ..TEXT
    },
    Function {
        name: "find",
        aliases: &["str_find", "str_index"],
        signature: "find(text, part, start = 0, end = end)",
        doc: "The place of the first occurrence, counted in characters from 0; -1 if there is none.",
        example: "find('hello', 'l') = 2",
        kernel: |a| found_at(a, |text, part| text.find(part)),
        ..SEARCH
    },
    Function {
        name: "rfind",
        aliases: &["str_rfind", "str_rindex"],
        signature: "rfind(text, part, start = 0, end = end)",
        doc: "The place of the last occurrence, counted in characters from 0; -1 if there is none.",
        example: "rfind('hello', 'l') = 3",
        kernel: |a| found_at(a, |text, part| text.rfind(part)),
        ..SEARCH
    },
    Function {
        name: "count_text",
        aliases: &["str_count"],
        arity: (2, 3),
        signature: "count_text(text, pattern, regex = false)",
        doc: "How many times the pattern occurs, without overlaps.",
        example: "count_text('banana', 'an') = 2",
        types: |a| {
            check_regex(a, 1, a.get(2).is_some_and(is_true))?;
            text_types(a, &[DataType::Utf8, DataType::Boolean], DataType::Int64)
        },
        kernel: |a| {
            let pattern = text_argument(a, 1).unwrap_or_default();
            if bool_argument(a, 2).unwrap_or(false) {
                let regex = regex(pattern)?;
                return numbers(a, |text| Some(count(regex.find_iter(text))));
            }
            numbers(a, |text| Some(count(text.matches(pattern))))
        },
        ..TEXT
    },
    Function {
        name: "replace",
        aliases: &["str_replace"],
        arity: (3, 5),
        signature: "replace(text, pattern, by, most = -1, regex = false)",
        doc: "The text with all or the first few occurrences replaced; $1 in `by` is a regular expression's group.",
        example: "replace('hello', 'l', 'L') = 'heLLo'",
        types: |a| {
            check_regex(a, 1, a.get(4).is_some_and(is_true))?;
            text_types(
                a,
                &[DataType::Utf8, DataType::Utf8, DataType::Int64, DataType::Boolean],
                DataType::LargeUtf8,
            )
        },
        kernel: replace,
        ..TEXT
    },
    Function {
        name: "extract",
        aliases: &["regexp_extract"],
        arity: (2, 3),
        signature: "extract(text, pattern, group = 1)",
        doc: "What a group of the regular expression, by number, matches first; missing if nothing does.",
        example: "extract('a12b', '([0-9]+)') = '12'",
        types: |a| {
            check_regex(a, 1, true)?;
            text_types(a, &[DataType::Utf8, DataType::Int64], DataType::LargeUtf8)
        },
        kernel: |a| {
            let regex = regex(text_argument(a, 1).unwrap_or_default())?;
            let group = usize::try_from(int_argument(a, 2).unwrap_or(1)).unwrap_or(usize::MAX);
            try_map(a, |text, out| match regex.captures(text).and_then(|c| c.get(group)) {
                Some(part) => {
                    out.push_str(part.as_str());
                    true
                }
                None => false,
            })
        },
        ..TEXT
    },
    Function {
        name: "extract_regex",
        aliases: &["str_extract_regex"],
        arity: (3, 3),
        signature: "extract_regex(text, pattern, name)",
        doc: "What the named group (?P<name>…) of the regular expression matches first; missing if nothing does.",
        example: "extract_regex('a12b', '(?P<n>[0-9]+)', 'n') = '12'",
        types: |a| {
            check_regex(a, 1, true)?;
            text_types(a, &[DataType::Utf8, DataType::Utf8], DataType::LargeUtf8)
        },
        kernel: |a| {
            let regex = regex(text_argument(a, 1).unwrap_or_default())?;
            let group = text_argument(a, 2).unwrap_or_default();
            try_map(a, |text, out| match regex.captures(text).and_then(|c| c.name(group)) {
                Some(part) => {
                    out.push_str(part.as_str());
                    true
                }
                None => false,
            })
        },
        ..TEXT
    },
    Function {
        name: "split",
        aliases: &["str_split"],
        signature: "split(text, separator, i)",
        doc: "Part i of the text between separators, counted from 0, negative ones from the end; missing beyond.",
        example: "split('a,b,c', ',', 1) = 'b'",
        kernel: |a| part(a, |i, count| if i < 0 { i + count } else { i }),
        ..SPLIT
    },
    Function {
        name: "rsplit",
        aliases: &["str_rsplit"],
        signature: "rsplit(text, separator, i)",
        doc: "Part i of the text between separators, counted from the end; missing beyond.",
        example: "rsplit('a,b,c', ',', 0) = 'c'",
        kernel: |a| part(a, |i, count| count - 1 - i),
        ..SPLIT
    },
    Function {
        name: "escape",
        signature: "escape(text)",
        doc: "The text with control characters and quotes written as escapes.",
        example: "escape('a\\tb') = 'a\\\\tb'",
        kernel: |a| {
            map(a, |text, out| {
                // Writing to a string cannot fail.
                let _ = write!(out, "{}", text.escape_default());
            })
        },
        ..TEXT
    },
];

fn is_true(expr: &Expr) -> bool {
    matches!(expr.as_literal(), Some(Literal::Bool(true)))
}

/// Fails with the reason if the constant regular expression cannot be read.
fn check_regex(arguments: &[Expr], i: usize, is_regex: bool) -> Result<(), Mistake> {
    if !is_regex {
        return Ok(());
    }
    let Some(Literal::Text(pattern)) = constant(&arguments[i]) else { return Ok(()) };
    Regex::new(&pattern).map(|_| ()).map_err(|error| {
        let reason = error.to_string();
        let reason =
            reason.lines().last().unwrap_or_default().trim().trim_start_matches("error: ").to_owned();
        let mut mistake = Mistake::at(i, format!("this regular expression cannot be read: {reason}"));
        mistake.suggestion = Some(Literal::Text(regex::escape(&pattern)).to_string());
        mistake
    })
}

fn regex(pattern: &str) -> Result<Regex, ArrowError> {
    Regex::new(pattern).map_err(|error| ArrowError::ComputeError(error.to_string()))
}

fn by_arrow(
    a: &Arguments,
    f: fn(&ArrayRef, &Scalar<ArrayRef>) -> Result<BooleanArray, ArrowError>,
) -> Result<ArrayRef, ArrowError> {
    let wanted: ArrayRef = Arc::new(StringArray::from(vec![text_argument(a, 1).unwrap_or_default()]));
    on_values(a, |values| Ok(Arc::new(f(values, &Scalar::new(cast(&wanted, values.data_type())?))?)))
}

fn matches(a: &Arguments, is_regex: bool, at_start: bool) -> Result<ArrayRef, ArrowError> {
    let pattern = text_argument(a, 1).unwrap_or_default();
    if !is_regex || (!at_start && regex::escape(pattern) == pattern) {
        return by_arrow(a, |values, wanted| comparison::contains(values, wanted));
    }
    let regex = regex(&if at_start { format!(r"\A(?:{pattern})") } else { pattern.to_owned() })?;
    on_texts(a, |texts| {
        Ok(Arc::new(texts.iter().map(|t| t.map(|t| regex.is_match(t))).collect::<BooleanArray>()))
    })
}

fn found_at(a: &Arguments, find: fn(&str, &str) -> Option<usize>) -> Result<ArrayRef, ArrowError> {
    let part = text_argument(a, 1).unwrap_or_default();
    let (start, end) = (int_argument(a, 2).unwrap_or(0), int_argument(a, 3));
    numbers(a, |text| {
        let span = super::text::span(text, start, end);
        match find(&text[span.clone()], part) {
            Some(at) => Some(count(text[..span.start + at].chars())),
            None => Some(-1),
        }
    })
}

fn replace(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    let (pattern, by) = (text_argument(a, 1).unwrap_or_default(), text_argument(a, 2).unwrap_or_default());
    let most = usize::try_from(int_argument(a, 3).unwrap_or(-1)).ok();
    if bool_argument(a, 4).unwrap_or(false) {
        let regex = regex(pattern)?;
        return map(a, |text, out| {
            if most != Some(0) {
                out.push_str(&regex.replacen(text, most.unwrap_or(0), by));
            } else {
                out.push_str(text);
            }
        });
    }
    map(a, |text, out| match most {
        Some(most) => out.push_str(&text.replacen(pattern, by, most)),
        None => out.push_str(&text.replace(pattern, by)),
    })
}

fn part(a: &Arguments, place: fn(i64, i64) -> i64) -> Result<ArrayRef, ArrowError> {
    let separator = text_argument(a, 1).unwrap_or_default();
    let i = int_argument(a, 2).unwrap_or(0);
    try_map(a, |text, out| {
        let parts: Vec<&str> = if separator.is_empty() {
            text.split_whitespace().collect()
        } else {
            text.split(separator).collect()
        };
        let found = i64::try_from(parts.len()).ok().and_then(|count| usize::try_from(place(i, count)).ok());
        match found.and_then(|i| parts.get(i)) {
            Some(part) => {
                out.push_str(part);
                true
            }
            None => false,
        }
    })
}
