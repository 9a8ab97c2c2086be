//! Conversions between types.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, LargeStringBuilder};
use arrow::compute::{CastOptions, can_cast_types, cast, cast_with_options};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use arrow::error::ArrowError;

use super::super::literal::Literal;
use super::super::tree::Expr;
use super::super::typing::{
    Mistake, Typing, describe, expect_literal, expect_numbers, is_numeric, is_text, is_time, number, plain,
};
use super::text::text_argument;
use super::{Arguments, BASE, Family, Function, bounds};

const CAST: Function = Function {
    family: Family::Conversion,
    keeps_weak: false,
    kernel: convert,
    domain: bounds::same_number,
    ..BASE
};

macro_rules! to_type {
    ($name:literal, $aliases:expr, $doc:literal, $example:literal, $type:expr) => {
        Function {
            name: $name,
            aliases: $aliases,
            signature: concat!($name, "(x)"),
            doc: $doc,
            example: $example,
            types: |arguments| cast_types(arguments, $type),
            ..CAST
        }
    };
}

/// The entries of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    to_type!(
        "float64",
        &["double", "float", "to_float64"],
        "The number in double precision; text is read.",
        "float64('1.5') = 1.5",
        DataType::Float64
    ),
    to_type!(
        "float32",
        &["to_float32"],
        "The number in single precision; text is read.",
        "float32(1) = 1.0",
        DataType::Float32
    ),
    to_type!(
        "int64",
        &["int", "to_int64"],
        "The whole number, towards zero; outside its range, missing.",
        "int64(-1.5) = -1",
        DataType::Int64
    ),
    to_type!(
        "int32",
        &[],
        "The whole number of 32 bits, towards zero; outside its range, missing.",
        "int32(3.9) = 3",
        DataType::Int32
    ),
    to_type!(
        "int16",
        &[],
        "The whole number of 16 bits, towards zero; outside its range, missing.",
        "int16(70000) = null",
        DataType::Int16
    ),
    to_type!(
        "int8",
        &[],
        "The whole number of 8 bits, towards zero; outside its range, missing.",
        "int8(-5) = -5",
        DataType::Int8
    ),
    to_type!(
        "uint64",
        &[],
        "The number from 0 up of 64 bits, towards zero; outside its range, missing.",
        "uint64(-1) = null",
        DataType::UInt64
    ),
    to_type!(
        "uint32",
        &[],
        "The number from 0 up of 32 bits, towards zero; outside its range, missing.",
        "uint32(7) = 7",
        DataType::UInt32
    ),
    to_type!(
        "uint16",
        &[],
        "The number from 0 up of 16 bits, towards zero; outside its range, missing.",
        "uint16(7) = 7",
        DataType::UInt16
    ),
    to_type!(
        "uint8",
        &[],
        "The number from 0 up of 8 bits, towards zero; outside its range, missing.",
        "uint8(256) = null",
        DataType::UInt8
    ),
    Function {
        name: "astype",
        aliases: &["_astype", "cast"],
        arity: (2, 2),
        signature: "astype(x, type)",
        doc: "The value in another type: 'float64', 'int32', 'bool', 'str' and the like.",
        example: "astype('7', 'int64') = 7",
        types: astype_types,
        kernel: |a| if a.output == &DataType::LargeUtf8 { cast(a.array(0), a.output) } else { convert(a) },
        domain: bounds::all,
        ..CAST
    },
    Function {
        name: "str",
        aliases: &["to_string"],
        signature: "str(x)",
        doc: "The value as text.",
        example: "str(1.5) = '1.5'",
        types: |arguments| {
            expect_writable(&arguments[0])?;
            Typing::new(vec![arguments[0].data_type().clone()], DataType::LargeUtf8)
        },
        kernel: |a| cast(a.array(0), &DataType::LargeUtf8),
        domain: bounds::all,
        ..CAST
    },
    Function {
        name: "plain",
        aliases: &["as_arrow", "as_numpy"],
        signature: "plain(x)",
        doc: "The value itself, of a dictionary what it stands for.",
        example: "plain('a') = 'a'",
        types: |arguments| {
            let own = plain(arguments[0].data_type()).clone();
            Typing::new(vec![own.clone()], own)
        },
        kernel: |a| Ok(a.array(0).clone()),
        domain: bounds::any,
        ..CAST
    },
    Function {
        name: "format",
        arity: (2, 2),
        signature: "format(x, pattern)",
        doc: "The number or text written by a pattern of printf: %d, %5.2f, %e, %g, %x, %s.",
        example: "format(3.14159, '%.2f') = '3.14'",
        types: format_types,
        kernel: format,
        domain: bounds::all,
        ..CAST
    },
];

/// Fails if values have no text.
fn expect_writable(value: &Expr) -> Result<(), Mistake> {
    match value.data_type() {
        own if can_cast_types(own, &DataType::LargeUtf8) => Ok(()),
        own => Err(Mistake::at(0, format!("{} is not written as one text", describe(own)))),
    }
}

fn cast_types(arguments: &[Expr], output: DataType) -> Result<Typing, Mistake> {
    let own = arguments[0].data_type();
    let is_readable = is_numeric(own)
        || is_text(own)
        || matches!(own, DataType::Duration(_))
        || (is_time(own) && output.is_integer());
    if !is_readable {
        return Err(Mistake::at(0, format!("{} is no number", describe(own))));
    }
    let own = match plain(own) {
        DataType::Boolean | DataType::Null => number(arguments),
        other => other.clone(),
    };
    Typing::new(vec![own], output)
}

/// Arrow's conversion; what does not fit or cannot be read is missing.
fn convert(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    let options = CastOptions { safe: true, ..Default::default() };
    let array = a.array(0);
    if matches!(array.data_type(), DataType::Date32 | DataType::Duration(_) | DataType::Timestamp(..)) {
        let whole = cast_with_options(array, &DataType::Int64, &options)?;
        return cast_with_options(&whole, a.output, &options);
    }
    cast_with_options(array, a.output, &options)
}

fn astype_types(arguments: &[Expr]) -> Result<Typing, Mistake> {
    let Literal::Text(name) = expect_literal(arguments, 1, "a type")? else {
        return Err(Mistake::at(1, "a type as 'float64' is expected here"));
    };
    let output = match name.as_str() {
        "float" | "float64" | "double" => DataType::Float64,
        "float32" => DataType::Float32,
        "int" | "int64" => DataType::Int64,
        "int32" => DataType::Int32,
        "int16" => DataType::Int16,
        "int8" => DataType::Int8,
        "uint64" => DataType::UInt64,
        "uint32" => DataType::UInt32,
        "uint16" => DataType::UInt16,
        "uint8" => DataType::UInt8,
        "bool" => DataType::Boolean,
        "str" | "string" | "large_string" => DataType::LargeUtf8,
        _ => {
            return Err(Mistake::at(
                1,
                format!("{name} is no type; 'float64', 'int32', 'bool' and 'str' are some"),
            ));
        }
    };
    if output == DataType::LargeUtf8 {
        expect_writable(&arguments[0])?;
        return Typing::new(vec![arguments[0].data_type().clone(), DataType::Utf8], output);
    }
    let Typing { mut parameters, output } = cast_types(&arguments[..1], output)?;
    parameters.push(DataType::Utf8);
    Typing::new(parameters, output)
}

/// A pattern of printf taken apart.
struct Pattern {
    before: String,
    after: String,
    left: bool,
    zeros: bool,
    sign: bool,
    width: usize,
    precision: Option<usize>,
    letter: char,
}

impl Pattern {
    /// Reads a pattern with exactly one place for a value.
    fn parse(text: &str) -> Option<Pattern> {
        let escaped = text.replace("%%", "\u{0}");
        let (before, rest) = escaped.split_once('%')?;
        let flags = rest.len() - rest.trim_start_matches(['-', '0', '+', ' ']).len();
        let (flags, rest) = rest.split_at(flags);
        let digits = |s: &str| s.len() - s.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (width, rest) = rest.split_at(digits(rest));
        let (precision, rest) = match rest.strip_prefix('.') {
            Some(rest) => {
                let (precision, rest) = rest.split_at(digits(rest));
                (Some(if precision.is_empty() { 0 } else { precision.parse().ok()? }), rest)
            }
            None => (None, rest),
        };
        let rest = rest.trim_start_matches(['l', 'h']);
        let letter = rest.chars().next().filter(|c| "dixXofFeEgGs".contains(*c))?;
        let after = &rest[1..];
        let width = if width.is_empty() { 0 } else { width.parse().ok()? };
        let fits = width <= 1000 && precision.is_none_or(|p| p <= 1000) && !after.contains('%');
        fits.then(|| Pattern {
            before: before.replace('\u{0}', "%"),
            after: after.replace('\u{0}', "%"),
            left: flags.contains('-'),
            zeros: flags.contains('0'),
            sign: flags.contains('+'),
            width,
            precision,
            letter,
        })
    }

    fn is_whole(&self) -> bool {
        "dixXo".contains(self.letter)
    }

    fn write(&self, value: &str, is_number: bool, out: &mut String) {
        out.push_str(&self.before);
        let lacking = self.width.saturating_sub(value.chars().count());
        if self.left {
            out.push_str(value);
            out.extend(std::iter::repeat_n(' ', lacking));
        } else if self.zeros && is_number {
            let (sign, digits) = value.split_at(usize::from(value.starts_with(['-', '+'])));
            out.push_str(sign);
            out.extend(std::iter::repeat_n('0', lacking));
            out.push_str(digits);
        } else {
            out.extend(std::iter::repeat_n(' ', lacking));
            out.push_str(value);
        }
        out.push_str(&self.after);
    }

    fn real(&self, v: f64) -> String {
        let precision = self.precision.unwrap_or(6);
        let text = match self.letter {
            _ if !v.is_finite() => v.to_string().to_lowercase(),
            'f' | 'F' => format!("{v:.precision$}"),
            'e' | 'E' => exponent(&format!("{v:.precision$e}")),
            // The shorter of both spellings, with so many significant digits and no zeros at the end.
            _ => {
                let digits = precision.max(1);
                let scientific = format!("{v:.*e}", digits - 1);
                let power: i64 = scientific.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0);
                let spelled = if (-4..i64::try_from(digits).unwrap_or(i64::MAX)).contains(&power) {
                    let decimals =
                        usize::try_from(i64::try_from(digits).unwrap_or(0) - 1 - power).unwrap_or(0);
                    without_zeros(&format!("{v:.decimals$}"))
                } else {
                    let (mantissa, power) = scientific.split_once('e').unwrap_or((&scientific, "0"));
                    exponent(&format!("{}e{power}", without_zeros(mantissa)))
                };
                if self.letter == 'G' { spelled.to_uppercase() } else { spelled }
            }
        };
        let text = if self.letter == 'E' { text.to_uppercase() } else { text };
        if self.sign && v >= 0.0 { format!("+{text}") } else { text }
    }

    fn whole(&self, v: i64) -> String {
        match self.letter {
            'x' => format!("{v:x}"),
            'X' => format!("{v:X}"),
            'o' => format!("{v:o}"),
            _ if self.sign && v >= 0 => format!("+{v}"),
            _ => v.to_string(),
        }
    }
}

fn without_zeros(text: &str) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text.to_owned()
    }
}

/// Rust's `1.5e3` as C's `1.5e+03`.
fn exponent(text: &str) -> String {
    let (mantissa, power) = text.split_once('e').unwrap_or((text, "0"));
    let (sign, digits) = power.strip_prefix('-').map_or(('+', power), |digits| ('-', digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}

fn format_types(arguments: &[Expr]) -> Result<Typing, Mistake> {
    let pattern = match expect_literal(arguments, 1, "a pattern")? {
        Literal::Text(text) => Pattern::parse(&text),
        _ => None,
    };
    let Some(pattern) = pattern else {
        return Err(Mistake::at(
            1,
            "a pattern with one place for a value is expected here, as '%.2f', '%d' or '%s'",
        ));
    };
    let own = if pattern.letter == 's' {
        expect_writable(&arguments[0])?;
        DataType::LargeUtf8
    } else {
        expect_numbers(&arguments[..1], 0)?;
        if pattern.is_whole() { DataType::Int64 } else { DataType::Float64 }
    };
    Typing::new(vec![own, DataType::Utf8], DataType::LargeUtf8)
}

fn format(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    let wrong = || ArrowError::InvalidArgumentError("this is no pattern".to_owned());
    let pattern = text_argument(a, 1).and_then(Pattern::parse).ok_or_else(wrong)?;
    let array = a.array(0);
    let mut builder = LargeStringBuilder::with_capacity(array.len(), 8 * array.len());
    let mut text = String::new();
    for row in 0..array.len() {
        if array.is_null(row) {
            builder.append_null();
            continue;
        }
        text.clear();
        match array.data_type() {
            DataType::LargeUtf8 => {
                let value = array.as_string::<i64>().value(row);
                let cut: String = value.chars().take(pattern.precision.unwrap_or(usize::MAX)).collect();
                pattern.write(&cut, false, &mut text);
            }
            DataType::Int64 => {
                pattern.write(&pattern.whole(array.as_primitive::<Int64Type>().value(row)), true, &mut text)
            }
            _ => {
                let value = array.as_primitive::<Float64Type>().value(row);
                pattern.write(&pattern.real(value), value.is_finite(), &mut text);
            }
        }
        builder.append_value(&text);
    }
    Ok(Arc::new(builder.finish()))
}
