//! Values as a person reads them: ISO times, shortest floats, grouped digits, text made harmless.

use arrow::array::{Array, ArrayRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// Longest text shown in one cell, in characters.
const LONGEST_TEXT: usize = 200;

/// The value at `row` as text, exactly: floats in their shortest form that reads back the same,
/// times in ISO 8601. `None` when it is missing.
pub fn format_value(array: &ArrayRef, row: usize) -> Option<String> {
    if array.is_null(row) {
        return None;
    }
    let options = FormatOptions::new().with_display_error(true);
    let text = ArrayFormatter::try_new(array.as_ref(), &options).ok()?.value(row).try_to_string().ok()?;
    Some(text)
}

/// Text cut to what a cell can show, with control and direction-changing characters as visible
/// escapes, so that a value cannot disturb the layout around it.
pub fn shorten(text: &str) -> String {
    let mut out = String::new();
    for (i, c) in text.chars().enumerate() {
        if i == LONGEST_TEXT {
            out.push('…');
            break;
        }
        if c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// A count with its digits in groups of three, set apart by thin spaces.
pub fn group_digits(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 * 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{2009}');
        }
        out.push(digit);
    }
    out
}

/// A number in three or four significant digits with an SI prefix, as on an axis: `1.25 M`, `320 k`,
/// `0.0015`.
pub fn si(value: f64) -> String {
    const PREFIXES: [(f64, &str); 5] = [(1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    if !value.is_finite() {
        return value.to_string();
    }
    let size = value.abs();
    if size >= 1e18 || (size > 0.0 && size < 1e-4) {
        return trim_zeros(&format!("{value:.3e}"));
    }
    for (unit, prefix) in PREFIXES {
        if size >= unit * 0.9995 {
            return format!("{}\u{2009}{prefix}", significant(value / unit));
        }
    }
    significant(value)
}

fn significant(value: f64) -> String {
    let digits_before = if value == 0.0 { 1 } else { value.abs().log10().floor() as i32 + 1 };
    let decimals = (4 - digits_before).clamp(0, 8) as usize;
    trim_zeros(&format!("{value:.decimals$}"))
}

fn trim_zeros(text: &str) -> String {
    let (mantissa, exponent) = text.split_once('e').map_or((text, None), |(m, e)| (m, Some(e)));
    let mantissa =
        if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
    match exponent {
        Some(exponent) => format!("{mantissa}e{exponent}"),
        None => mantissa.to_owned(),
    }
}
