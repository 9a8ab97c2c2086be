//! Text: its letters, its shape, its parts. What depends on one text only is computed once per
//! dictionary value.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, LargeStringArray, LargeStringBuilder,
};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Int64Type};
use arrow::error::ArrowError;

use super::super::literal::Literal;
use super::super::tree::Expr;
use super::super::typing::{Mistake, Typing, describe, expect_literal, expect_text};
use super::{Arguments, BASE, Family, Function};

/// What entries of this family share.
pub(super) const TEXT: Function =
    Function { family: Family::Text, keeps_weak: false, types: plain_text, ..BASE };
const TEST: Function =
    Function { types: |a| text_types(a, &[], DataType::Boolean), domain: super::bounds::bool, ..TEXT };
const PADDED: Function =
    Function { arity: (2, 3), types: |a| width_types(a, &[DataType::Int64, DataType::Utf8]), ..TEXT };
const STRIPPED: Function =
    Function { arity: (1, 2), types: |a| text_types(a, &[DataType::Utf8], DataType::LargeUtf8), ..TEXT };

/// The entries of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "lower",
        aliases: &["str_lower"],
        signature: "lower(text)",
        doc: "The text in small letters.",
        example: "lower('Ab') = 'ab'",
        kernel: |a| map(a, |text, out| out.push_str(&text.to_lowercase())),
        ..TEXT
    },
    Function {
        name: "upper",
        aliases: &["str_upper"],
        signature: "upper(text)",
        doc: "The text in capital letters.",
        example: "upper('Ab') = 'AB'",
        kernel: |a| map(a, |text, out| out.push_str(&text.to_uppercase())),
        ..TEXT
    },
    Function {
        name: "capitalize",
        aliases: &["str_capitalize"],
        signature: "capitalize(text)",
        doc: "The text with its first letter a capital and the others small.",
        example: "capitalize('hELLO you') = 'Hello you'",
        kernel: |a| map(a, capitalized),
        ..TEXT
    },
    Function {
        name: "title",
        aliases: &["str_title"],
        signature: "title(text)",
        doc: "The text with the first letter of every word a capital and the others small.",
        example: "title('hELLO you') = 'Hello You'",
        kernel: |a| map(a, titled),
        ..TEXT
    },
    Function {
        name: "len",
        aliases: &["str_len", "length"],
        signature: "len(text)",
        doc: "The number of characters.",
        example: "len('größe') = 5",
        types: |a| text_types(a, &[], DataType::Int64),
        kernel: |a| numbers(a, |text| Some(count(text.chars()))),
        ..TEXT
    },
    Function {
        name: "byte_length",
        aliases: &["str_byte_length"],
        signature: "byte_length(text)",
        doc: "The number of bytes in UTF-8.",
        example: "byte_length('größe') = 7",
        types: |a| text_types(a, &[], DataType::Int64),
        kernel: |a| numbers(a, |text| i64::try_from(text.len()).ok()),
        ..TEXT
    },
    Function {
        name: "strip",
        aliases: &["str_strip", "trim"],
        signature: "strip(text, letters = white space)",
        doc: "The text without these letters at both ends.",
        example: "strip('  ab ') = 'ab'",
        kernel: |a| stripped(a, true, true),
        ..STRIPPED
    },
    Function {
        name: "lstrip",
        aliases: &["str_lstrip", "ltrim"],
        signature: "lstrip(text, letters = white space)",
        doc: "The text without these letters at its beginning.",
        example: "lstrip('xxabx', 'x') = 'abx'",
        kernel: |a| stripped(a, true, false),
        ..STRIPPED
    },
    Function {
        name: "rstrip",
        aliases: &["str_rstrip", "rtrim"],
        signature: "rstrip(text, letters = white space)",
        doc: "The text without these letters at its end.",
        example: "rstrip('xabxx', 'x') = 'xab'",
        kernel: |a| stripped(a, false, true),
        ..STRIPPED
    },
    Function {
        name: "center",
        aliases: &["str_center"],
        signature: "center(text, width, fill = ' ')",
        doc: "The text in the middle of so many characters.",
        example: "center('ab', 6, '*') = '**ab**'",
        kernel: |a| padded(a, |missing| missing / 2),
        ..PADDED
    },
    Function {
        name: "ljust",
        aliases: &["str_ljust"],
        signature: "ljust(text, width, fill = ' ')",
        doc: "The text at the left of so many characters.",
        example: "ljust('ab', 4, '*') = 'ab**'",
        kernel: |a| padded(a, |_| 0),
        ..PADDED
    },
    Function {
        name: "rjust",
        aliases: &["str_rjust"],
        signature: "rjust(text, width, fill = ' ')",
        doc: "The text at the right of so many characters.",
        example: "rjust('ab', 4, '*') = '**ab'",
        kernel: |a| padded(a, |missing| missing),
        ..PADDED
    },
    Function {
        name: "pad",
        aliases: &["str_pad"],
        arity: (2, 4),
        signature: "pad(text, width, side = 'left', fill = ' ')",
        doc: "The text filled up to so many characters at the left, the right or both.",
        example: "pad('ab', 4, 'both', '*') = '*ab*'",
        types: pad_types,
        kernel: |a| {
            let left = match text_argument(a, 2).unwrap_or("left") {
                "right" => |_| 0,
                "both" => |missing| missing / 2,
                _ => |missing| missing,
            };
            padded(a, left)
        },
        ..TEXT
    },
    Function {
        name: "zfill",
        aliases: &["str_zfill"],
        arity: (2, 2),
        signature: "zfill(text, width)",
        doc: "The text with zeros before it up to so many characters, after its sign.",
        example: "zfill('-42', 5) = '-0042'",
        types: |a| width_types(a, &[DataType::Int64]),
        kernel: |a| {
            let width = width_argument(a);
            map(a, |text, out| {
                let (sign, digits) = text.split_at(usize::from(text.starts_with(['-', '+'])));
                out.push_str(sign);
                out.extend(std::iter::repeat_n('0', width.saturating_sub(text.chars().count())));
                out.push_str(digits);
            })
        },
        ..TEXT
    },
    Function {
        name: "repeat",
        aliases: &["str_repeat"],
        arity: (2, 2),
        signature: "repeat(text, times)",
        doc: "The text several times, one after the other.",
        example: "repeat('ab', 2) = 'abab'",
        types: |a| width_types(a, &[DataType::Int64]),
        kernel: |a| {
            let times = width_argument(a);
            map(a, |text, out| (0..times).for_each(|_| out.push_str(text)))
        },
        ..TEXT
    },
    Function {
        name: "slice",
        aliases: &["str_slice", "substr", "substring"],
        arity: (2, 3),
        signature: "slice(text, start, stop = end)",
        doc: "The characters from start up to, not including, stop; counted from 0, negative ones from the end.",
        example: "slice('hello', 1, 3) = 'el'",
        types: |a| text_types(a, &[DataType::Int64, DataType::Int64], DataType::LargeUtf8),
        kernel: |a| {
            let (start, stop) = (int_argument(a, 1).unwrap_or(0), int_argument(a, 2));
            map(a, |text, out| out.push_str(slice(text, start, stop)))
        },
        ..TEXT
    },
    Function {
        name: "get",
        aliases: &["str_get"],
        arity: (2, 2),
        signature: "get(text, i)",
        doc: "The character at place i, counted from 0, negative ones from the end; empty beyond.",
        example: "get('hello', 1) = 'e'",
        types: |a| text_types(a, &[DataType::Int64], DataType::LargeUtf8),
        kernel: |a| {
            let start = int_argument(a, 1).unwrap_or(0);
            let stop = if start == -1 { None } else { start.checked_add(1) };
            map(a, |text, out| {
                if start >= 0 || start.unsigned_abs() as usize <= text.chars().count() {
                    out.push_str(slice(text, start, stop));
                }
            })
        },
        ..TEXT
    },
    test(
        "isalnum",
        &["str_isalnum"],
        "isalnum(text)",
        "Whether all characters are letters or digits and there is one.",
        "isalnum('a1') = true",
        |a| tests(a, |t| every(t, char::is_alphanumeric)),
    ),
    test(
        "isalpha",
        &["str_isalpha"],
        "isalpha(text)",
        "Whether all characters are letters and there is one.",
        "isalpha('a1') = false",
        |a| tests(a, |t| every(t, char::is_alphabetic)),
    ),
    test(
        "isdigit",
        &["str_isdigit"],
        "isdigit(text)",
        "Whether all characters are digits and there is one.",
        "isdigit('12') = true",
        |a| tests(a, |t| every(t, char::is_numeric)),
    ),
    test(
        "isspace",
        &["str_isspace"],
        "isspace(text)",
        "Whether all characters are white space and there is one.",
        "isspace(' ') = true",
        |a| tests(a, |t| every(t, char::is_whitespace)),
    ),
    test(
        "islower",
        &["str_islower"],
        "islower(text)",
        "Whether there are small letters and no capitals.",
        "islower('ab1') = true",
        |a| tests(a, |t| t.chars().any(char::is_lowercase) && !t.chars().any(char::is_uppercase)),
    ),
    test(
        "isupper",
        &["str_isupper"],
        "isupper(text)",
        "Whether there are capitals and no small letters.",
        "isupper('AB1') = true",
        |a| tests(a, |t| t.chars().any(char::is_uppercase) && !t.chars().any(char::is_lowercase)),
    ),
    test(
        "istitle",
        &["str_istitle"],
        "istitle(text)",
        "Whether every word begins with a capital and goes on in small letters.",
        "istitle('Hello You') = true",
        |a| tests(a, is_title),
    ),
];

const fn test(
    name: &'static str,
    aliases: &'static [&'static str],
    signature: &'static str,
    doc: &'static str,
    example: &'static str,
    kernel: fn(&Arguments) -> Result<ArrayRef, ArrowError>,
) -> Function {
    Function { name, aliases, signature, doc, example, kernel, ..TEST }
}

fn plain_text(arguments: &[Expr]) -> Result<Typing, Mistake> {
    text_types(arguments, &[], DataType::LargeUtf8)
}

/// The first argument is text from columns, the others are constants of these types.
pub(super) fn text_types(
    arguments: &[Expr],
    constants: &[DataType],
    output: DataType,
) -> Result<Typing, Mistake> {
    expect_text(arguments, 0)?;
    let mut parameters = vec![arguments[0].data_type().clone()];
    for (i, constant) in constants.iter().enumerate().take(arguments.len() - 1) {
        let what = match constant {
            DataType::Utf8 => "text",
            DataType::Boolean => "true or false",
            _ => "a whole number",
        };
        let found = expect_literal(arguments, i + 1, "this argument")?;
        let fits = match found {
            Literal::Null => true,
            Literal::Text(_) => constant == &DataType::Utf8,
            Literal::Bool(_) => constant == &DataType::Boolean,
            Literal::Int(_) => constant == &DataType::Int64,
            _ => false,
        };
        if !fits {
            let found = describe(arguments[i + 1].data_type());
            return Err(Mistake::at(i + 1, format!("{what} is expected here, not {found}")));
        }
        parameters.push(constant.clone());
    }
    Typing::new(parameters, output)
}

fn pad_types(arguments: &[Expr]) -> Result<Typing, Mistake> {
    if arguments.len() > 2
        && !matches!(arguments[2].as_literal(), Some(Literal::Text(side)) if ["left", "right", "both"].contains(&side.as_str()))
    {
        return Err(Mistake::at(2, "'left', 'right' or 'both' is expected here"));
    }
    width_types(arguments, &[DataType::Int64, DataType::Utf8, DataType::Utf8])
}

/// The longest text that is made, in characters, or the most repetitions: memory can hold it for every row.
const WIDEST: i64 = 10_000;

/// As [`text_types`], with a width or number of repetitions as first constant.
fn width_types(arguments: &[Expr], constants: &[DataType]) -> Result<Typing, Mistake> {
    match arguments.get(1).and_then(Expr::as_literal) {
        Some(Literal::Int(width)) if *width > WIDEST => {
            Err(Mistake::at(1, format!("{width} is more than the {WIDEST} allowed here")))
        }
        _ => text_types(arguments, constants, DataType::LargeUtf8),
    }
}

/// The constant text given as argument `i`.
pub(super) fn text_argument<'a>(a: &'a Arguments, i: usize) -> Option<&'a str> {
    let array = &a.values.get(i)?.array;
    array.is_valid(0).then(|| array.as_string::<i32>().value(0))
}

/// The constant whole number given as argument `i`.
pub(super) fn int_argument(a: &Arguments, i: usize) -> Option<i64> {
    let array = &a.values.get(i)?.array;
    array.is_valid(0).then(|| array.as_primitive::<Int64Type>().value(0))
}

/// The constant truth given as argument `i`.
pub(super) fn bool_argument(a: &Arguments, i: usize) -> Option<bool> {
    let array = &a.values.get(i)?.array;
    array.is_valid(0).then(|| array.as_boolean().value(0))
}

/// Argument 1, of [`width_types`], as a number of characters.
fn width_argument(a: &Arguments) -> usize {
    usize::try_from(int_argument(a, 1).unwrap_or(0).min(WIDEST)).unwrap_or(0)
}

/// Applies `f` to the distinct values of a dictionary, or to the array itself, as texts.
pub(super) fn on_texts(
    a: &Arguments,
    f: impl Fn(&LargeStringArray) -> Result<ArrayRef, ArrowError>,
) -> Result<ArrayRef, ArrowError> {
    on_values(a, |values| f(cast(values, &DataType::LargeUtf8)?.as_string::<i64>()))
}

/// Applies `f` to the distinct values of a dictionary, or to the array itself.
pub(super) fn on_values(
    a: &Arguments,
    f: impl Fn(&ArrayRef) -> Result<ArrayRef, ArrowError>,
) -> Result<ArrayRef, ArrowError> {
    match a.array(0).as_any_dictionary_opt() {
        Some(dictionary) => take(&f(dictionary.values())?, dictionary.keys(), None),
        None => f(a.array(0)),
    }
}

/// Each text made into another by writing it.
pub(super) fn map(a: &Arguments, f: impl Fn(&str, &mut String)) -> Result<ArrayRef, ArrowError> {
    try_map(a, |text, out| {
        f(text, out);
        true
    })
}

/// Each text made into another by writing it, or into none.
pub(super) fn try_map(a: &Arguments, f: impl Fn(&str, &mut String) -> bool) -> Result<ArrayRef, ArrowError> {
    on_texts(a, |texts| {
        let mut builder = LargeStringBuilder::with_capacity(texts.len(), texts.values().len());
        let mut out = String::new();
        for text in texts {
            out.clear();
            match text {
                Some(text) if f(text, &mut out) => builder.append_value(&out),
                _ => builder.append_null(),
            }
        }
        Ok(Arc::new(builder.finish()))
    })
}

/// A number for each text.
pub(super) fn numbers(a: &Arguments, f: impl Fn(&str) -> Option<i64>) -> Result<ArrayRef, ArrowError> {
    on_texts(a, |texts| Ok(Arc::new(texts.iter().map(|t| t.and_then(&f)).collect::<Int64Array>())))
}

/// A truth for each text.
pub(super) fn tests(a: &Arguments, f: impl Fn(&str) -> bool) -> Result<ArrayRef, ArrowError> {
    on_texts(a, |texts| Ok(Arc::new(texts.iter().map(|t| t.map(&f)).collect::<BooleanArray>())))
}

/// How many there are.
pub(super) fn count<T>(items: impl Iterator<Item = T>) -> i64 {
    items.fold(0, |n, _| n + 1)
}

fn every(text: &str, f: fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(f)
}

fn capitalized(text: &str, out: &mut String) {
    let mut letters = text.chars();
    if let Some(first) = letters.next() {
        out.extend(first.to_uppercase());
        out.push_str(&letters.as_str().to_lowercase());
    }
}

fn titled(text: &str, out: &mut String) {
    let mut inside = false;
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        inside = c.is_alphabetic();
    }
}

fn is_title(text: &str) -> bool {
    let (mut inside, mut any) = (false, false);
    for c in text.chars() {
        if c.is_uppercase() {
            if inside {
                return false;
            }
            (inside, any) = (true, true);
        } else if c.is_lowercase() {
            if !inside {
                return false;
            }
        } else {
            inside = false;
        }
    }
    any
}

fn stripped(a: &Arguments, left: bool, right: bool) -> Result<ArrayRef, ArrowError> {
    let letters = text_argument(a, 1).map(str::to_owned);
    let goes = |c: char| letters.as_ref().map_or(c.is_whitespace(), |letters| letters.contains(c));
    map(a, |text, out| {
        let text = if left { text.trim_start_matches(goes) } else { text };
        out.push_str(if right { text.trim_end_matches(goes) } else { text });
    })
}

/// Fills up with the last argument if it is text, `left` saying how much of what is lacking goes there.
fn padded(a: &Arguments, left: fn(usize) -> usize) -> Result<ArrayRef, ArrowError> {
    let width = width_argument(a);
    let fill = match a.values.len() {
        0..=2 => None,
        4 => text_argument(a, 3),
        _ if a.values.len() == 3 => text_argument(a, 2).filter(|t| !matches!(*t, "left" | "right" | "both")),
        _ => None,
    };
    let fill = fill.and_then(|f| f.chars().next()).unwrap_or(' ');
    map(a, |text, out| {
        let lacking = width.saturating_sub(text.chars().count());
        let before = left(lacking);
        out.extend(std::iter::repeat_n(fill, before));
        out.push_str(text);
        out.extend(std::iter::repeat_n(fill, lacking - before));
    })
}

/// As Python's `text[start:stop]`.
fn slice(text: &str, start: i64, stop: Option<i64>) -> &str {
    text.get(span(text, start, stop)).unwrap_or("")
}

/// The bytes of Python's `text[start:stop]`.
pub(super) fn span(text: &str, start: i64, stop: Option<i64>) -> std::ops::Range<usize> {
    let place = |i: i64| -> usize {
        if i >= 0 {
            let i = usize::try_from(i).unwrap_or(usize::MAX);
            text.char_indices().nth(i).map_or(text.len(), |(at, _)| at)
        } else {
            let back = usize::try_from(i.unsigned_abs()).unwrap_or(usize::MAX);
            text.char_indices().rev().nth(back - 1).map_or(0, |(at, _)| at)
        }
    };
    let start = place(start);
    start..stop.map_or(text.len(), place).max(start)
}

/// `a + b` of texts.
pub(super) fn concatenate(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    let (left, right) = (a.full(0)?, a.full(1)?);
    let (left, right): (&LargeStringArray, &LargeStringArray) = (left.as_string(), right.as_string());
    Ok(Arc::new(arrow::compute::kernels::concat_elements::concat_elements_utf8(left, right)?))
}
