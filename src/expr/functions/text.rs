//! Text. What depends on one text only is computed once per dictionary value.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, LargeStringArray, LargeStringBuilder, Scalar,
};
use arrow::compute::kernels::comparison;
use arrow::compute::{cast, take};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

use super::super::literal::Literal;
use super::super::tree::Expr;
use super::super::typing::{Mistake, Typing, expect_literal, expect_text};
use super::{Arguments, BASE, Family, Function};

const TEXT: Function = Function { family: Family::Text, keeps_weak: false, types: text_to_text, ..BASE };

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
        name: "str_len",
        aliases: &["len", "length"],
        signature: "len(text)",
        doc: "The number of characters.",
        example: "len('größe') = 5",
        types: |arguments| texts_to(arguments, 1, DataType::Int64),
        kernel: |a| {
            on_values(a, |values| {
                let values = cast(values, &DataType::LargeUtf8)?;
                let lengths = values.as_string::<i64>().iter().map(|t| t.map(|t| t.chars().count() as i64));
                Ok(Arc::new(lengths.collect::<Int64Array>()))
            })
        },
        ..TEXT
    },
    Function {
        name: "contains",
        aliases: &["str_contains"],
        arity: (2, 3),
        signature: "contains(text, pattern, regex = false)",
        doc: "Whether the text has the pattern in it, as it is or as a regular expression.",
        example: "contains('abc', 'b') = true",
        types: contains_types,
        kernel: contains,
        ..TEXT
    },
    Function {
        name: "startswith",
        aliases: &["str_startswith", "starts_with"],
        arity: (2, 2),
        signature: "startswith(text, beginning)",
        doc: "Whether the text begins so.",
        example: "startswith('abc', 'ab') = true",
        types: |arguments| texts_to(arguments, 2, DataType::Boolean),
        kernel: |a| {
            let wanted = a.array(1).clone();
            on_values(a, |values| {
                let wanted = Scalar::new(cast(&wanted, values.data_type())?);
                Ok(Arc::new(comparison::starts_with(values, &wanted)?))
            })
        },
        ..TEXT
    },
    Function {
        name: "endswith",
        aliases: &["str_endswith", "ends_with"],
        arity: (2, 2),
        signature: "endswith(text, end)",
        doc: "Whether the text ends so.",
        example: "endswith('abc', 'bc') = true",
        types: |arguments| texts_to(arguments, 2, DataType::Boolean),
        kernel: |a| {
            let wanted = a.array(1).clone();
            on_values(a, |values| {
                let wanted = Scalar::new(cast(&wanted, values.data_type())?);
                Ok(Arc::new(comparison::ends_with(values, &wanted)?))
            })
        },
        ..TEXT
    },
    Function {
        name: "str",
        aliases: &["to_string", "format_text"],
        family: Family::Conversion,
        signature: "str(x)",
        doc: "The value as text.",
        example: "str(1.5) = '1.5'",
        types: |arguments| Typing::new(vec![arguments[0].data_type().clone()], DataType::LargeUtf8),
        kernel: |a| cast(a.array(0), &DataType::LargeUtf8),
        ..TEXT
    },
];

fn text_to_text(arguments: &[Expr]) -> Result<Typing, Mistake> {
    expect_text(arguments, 0)?;
    Typing::new(vec![arguments[0].data_type().clone()], DataType::LargeUtf8)
}

/// The first is text from columns, the others of `count` are constant text.
fn texts_to(arguments: &[Expr], count: usize, output: DataType) -> Result<Typing, Mistake> {
    for i in 0..count {
        expect_text(arguments, i)?;
        if i > 0 {
            expect_literal(arguments, i, "this text")?;
        }
    }
    let mut parameters = vec![arguments[0].data_type().clone()];
    parameters.resize(count, DataType::Utf8);
    Typing::new(parameters, output)
}

fn contains_types(arguments: &[Expr]) -> Result<Typing, Mistake> {
    expect_text(arguments, 0)?;
    expect_text(arguments, 1)?;
    let pattern = expect_literal(arguments, 1, "a pattern")?;
    let mut parameters = vec![arguments[0].data_type().clone(), DataType::Utf8];
    if arguments.len() == 3 {
        let regex = expect_literal(arguments, 2, "whether the pattern is a regular expression")?;
        match (regex, pattern) {
            (Literal::Bool(true), Literal::Text(pattern)) => {
                check_regex(&pattern, 1)?;
            }
            (Literal::Bool(_), _) => {}
            _ => return Err(Mistake::at(2, "true or false is expected here")),
        }
        parameters.push(DataType::Boolean);
    }
    Typing::new(parameters, DataType::Boolean)
}

/// Fails with the reason if a regular expression cannot be read.
fn check_regex(pattern: &str, argument: usize) -> Result<(), Mistake> {
    regex::Regex::new(pattern).map(|_| ()).map_err(|error| {
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        Mistake::at(argument, format!("this regular expression cannot be read: {reason}"))
    })
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
fn map(a: &Arguments, f: impl Fn(&str, &mut String)) -> Result<ArrayRef, ArrowError> {
    on_values(a, |values| {
        let values = cast(values, &DataType::LargeUtf8)?;
        let texts = values.as_string::<i64>();
        let mut builder = LargeStringBuilder::with_capacity(texts.len(), texts.values().len());
        let mut out = String::new();
        for text in texts {
            match text {
                Some(text) => {
                    out.clear();
                    f(text, &mut out);
                    builder.append_value(&out);
                }
                None => builder.append_null(),
            }
        }
        Ok(Arc::new(builder.finish()))
    })
}

fn contains(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    let pattern = a.array(1).as_string::<i32>().value(0).to_owned();
    let is_regex = a.values.get(2).is_some_and(|v| v.array.as_boolean().value(0));
    on_values(a, |values| {
        let wanted = Scalar::new(cast(a.array(1), values.data_type())?);
        if !is_regex {
            return Ok(Arc::new(comparison::contains(values, &wanted)?));
        }
        let regex = regex::Regex::new(&pattern).map_err(|e| ArrowError::ComputeError(e.to_string()))?;
        let texts = cast(values, &DataType::LargeUtf8)?;
        let found = texts.as_string::<i64>().iter().map(|t| t.map(|t| regex.is_match(t)));
        Ok(Arc::new(found.collect::<BooleanArray>()))
    })
}

/// `a + b` of texts.
pub(super) fn concatenate(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    let (left, right) = (a.full(0)?, a.full(1)?);
    let (left, right): (&LargeStringArray, &LargeStringArray) = (left.as_string(), right.as_string());
    Ok(Arc::new(arrow::compute::kernels::concat_elements::concat_elements_utf8(left, right)?))
}
