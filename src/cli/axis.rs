//! `EXPR` or `EXPR:lo:hi:bins`: what rows are grouped or drawn by, in text.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};

use super::Failure;
use super::input::Table;
use crate::aggregate::{Aggregate, Bins, BinsError, Scale, nice_bins, widen};
use crate::data::{Kind, kind, per_second};
use crate::expr::{Expr, describe, scalar_with};
use crate::query::{Ask, Axis, Key, Measure};
use crate::select::Selection;
use crate::session::questions::{HISTOGRAM_BINS, as_written, edge_above, multiples};

const FORMS: &str =
    "EXPR, EXPR:lo:hi:bins[:log] (lo, hi or bins may be left empty), or EXPR::bins for the whole extent";

/// What was typed after `--by`, `--x` or `--y`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AxisText<'a> {
    /// The whole of it.
    text: &'a str,
    /// The values.
    expr: &'a str,
    /// How they are cut; `None` to take them as they are.
    cut: Option<Cut<'a>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Cut<'a> {
    lo: &'a str,
    hi: &'a str,
    bins: Option<usize>,
    /// About how many bins where no number is given.
    target: usize,
    scale: Scale,
}

impl<'a> AxisText<'a> {
    /// Reads one of the forms; colons in brackets, quotes and dates do not count.
    pub(super) fn parse(flag: &str, text: &'a str) -> Result<AxisText<'a>, Failure> {
        let parts = split_at_colons(text);
        let wrong = |reason: String| Failure::Usage(format!("{flag} {text}: {reason}; write {FORMS}"));
        let bins = |part: &str| match part.trim() {
            "" => Ok(None),
            part => part.parse().map(Some).map_err(|_| wrong(format!("`{part}` is no number of bins"))),
        };
        let (parts, scale) = match parts.as_slice() {
            [rest @ .., last] if parts.len() == 5 && last.trim() == "log" => (rest, Scale::Log),
            all => (all, Scale::Linear),
        };
        let cut = match parts {
            [_] => None,
            [_, empty, count] if empty.trim().is_empty() => {
                Some(Cut { lo: "", hi: "", bins: bins(count)?, target: HISTOGRAM_BINS, scale })
            }
            [_, lo, hi, count] => {
                Some(Cut { lo: lo.trim(), hi: hi.trim(), bins: bins(count)?, target: HISTOGRAM_BINS, scale })
            }
            _ => return Err(wrong(format!("{} parts between colons", parts.len()))),
        };
        Ok(AxisText { text, expr: parts[0].trim(), cut })
    }

    /// The values.
    pub(super) fn expr(&self) -> &'a str {
        self.expr
    }

    /// Whether the bins are of equal ratio.
    pub(super) fn is_log(&self) -> bool {
        self.cut.as_ref().is_some_and(|cut| cut.scale == Scale::Log)
    }

    /// The same, but cut: over its whole extent if no limits were given, into `bins` if no number was, or
    /// else into about `target`.
    pub(super) fn cut_into(mut self, bins: Option<usize>, target: usize) -> AxisText<'a> {
        let cut = self.cut.get_or_insert(Cut { lo: "", hi: "", bins, target, scale: Scale::Linear });
        cut.bins = cut.bins.or(bins);
        cut.target = target;
        self
    }
}

/// Keys and axes of these texts on `table`. Ends left open are found by one pass over the rows of
/// `selection`.
pub(super) fn keys(
    flag: &str,
    texts: &[AxisText<'_>],
    table: &Table,
    selection: &Selection,
) -> Result<Vec<Key>, Failure> {
    let exprs = texts.iter().map(|text| table.expr(flag, text.expr)).collect::<Result<Vec<_>, _>>()?;
    for (text, expr) in texts.iter().zip(&exprs) {
        if text.cut.is_some() && !kind(expr.data_type()).is_ordinal() {
            return Err(Failure::Usage(format!(
                "{flag} {}: `{expr}` is {}, which has no order to cut into bins",
                text.text,
                describe(expr.data_type())
            )));
        }
    }
    let open: Vec<&Expr> = texts
        .iter()
        .zip(&exprs)
        .filter(|(text, _)| text.cut.as_ref().is_some_and(|cut| cut.lo.is_empty() || cut.hi.is_empty()))
        .map(|(_, expr)| expr)
        .collect();
    let extents = extents(&open, table, selection)?;
    let mut extents = open.into_iter().zip(extents);
    texts
        .iter()
        .zip(&exprs)
        .map(|(text, expr)| match &text.cut {
            None => Ok(Key::Value(expr.clone())),
            Some(cut) => {
                let extent = if cut.lo.is_empty() || cut.hi.is_empty() {
                    let (_, extent) = extents.next().unzip();
                    Some(extent.flatten().ok_or_else(|| {
                        Failure::Usage(format!(
                            "{flag} {}: no row has a finite value of `{expr}`; write its limits, as in {}:0:1:10",
                            text.text, text.expr
                        ))
                    })?)
                } else {
                    None
                };
                let bins = cut.bins(flag, expr, extent, table.dataset.schema().variables())?;
                Ok(Key::Binned(Axis { expr: expr.clone(), bins }))
            }
        })
        .collect()
}

impl Cut<'_> {
    fn bins(
        &self,
        flag: &str,
        expr: &Expr,
        extent: Option<[f64; 2]>,
        variables: &[(String, f64)],
    ) -> Result<Bins, Failure> {
        let data_type = expr.data_type();
        let [lowest, highest] = extent.unwrap_or_default();
        if self.lo.is_empty() && self.hi.is_empty() && self.bins.is_none() && self.scale == Scale::Linear {
            let kind = kind(data_type);
            return Ok(nice_bins(lowest, highest, self.target, kind, per_second(data_type)));
        }
        let limit = |text: &str, found: f64| match text {
            "" => Ok(found),
            text => limit(flag, text, data_type, variables),
        };
        // Bins are half-open, and the largest value is to fall into the last one.
        let above = edge_above(highest, data_type);
        let (lo, hi) = (limit(self.lo, lowest)?, limit(self.hi, above)?);
        let count = self.bins.unwrap_or(self.target);
        if let Some(round) = round_bins(lo, hi, count).filter(|_| self.scale == Scale::Linear) {
            return Ok(round);
        }
        match Bins::new(lo, hi, count, self.scale) {
            // A single value has no extent: its bins get some.
            Err(BinsError::TooNarrow { .. }) if extent.is_some() => Ok(widen(lo, hi, count)),
            made => made.map_err(|error| Failure::Usage(format!("{flag} {expr}: {error}"))),
        }
    }
}

/// `count` equal bins whose edges are multiples of their width, as the window cuts them: of 0 to 9.2 in 46 the
/// second edge is 0.2, where a 46th of 9.2 is 0.19999999999999998. `None` where the width is not round.
fn round_bins(lo: f64, hi: f64, count: usize) -> Option<Bins> {
    let width: f64 = format!("{:.11e}", (hi - lo) / count as f64).parse().ok()?;
    let bins = multiples(lo, hi.next_down(), width)?;
    (bins.lo() == lo && bins.hi() == hi && bins.count() == count).then_some(bins)
}

/// Smallest and largest finite value of every expression; `None` where there is none.
fn extents(exprs: &[&Expr], table: &Table, selection: &Selection) -> Result<Vec<Option<[f64; 2]>>, Failure> {
    if exprs.is_empty() {
        return Ok(Vec::new());
    }
    let mut measures = Vec::with_capacity(2 * exprs.len());
    for expr in exprs {
        for name in ["finite_min", "finite_max"] {
            let aggregate =
                Aggregate::named(name).ok_or_else(|| Failure::Usage(format!("no aggregate `{name}`")))?;
            let measure = Measure::new(aggregate, Some((*expr).clone())).map_err(Failure::Usage)?;
            measures.push(measure);
        }
    }
    let question = table.question(selection, Ask::Grid { axes: Vec::new(), measures });
    let answer = table.answer("finding the extent", &question)?;
    let grid = answer.grid().ok_or_else(|| Failure::about(&table.path, "no extent was found"))?;
    let end = |m: usize| as_written(&grid.measures[m], 0);
    Ok((0..exprs.len()).map(|i| Some([end(2 * i)?, end(2 * i + 1)?])).collect())
}

/// A limit in the unit the values of `data_type` count in: a number, or a date for times.
fn limit(flag: &str, text: &str, data_type: &DataType, variables: &[(String, f64)]) -> Result<f64, Failure> {
    let is_time = kind(data_type) == Kind::Time;
    if is_time && let Some(count) = date(text.trim_matches(['\'', '"']), data_type) {
        return Ok(count as f64);
    }
    match scalar_with(text, variables) {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(value) => Err(Failure::Usage(format!("{flag}: the limit {text} is {value}"))),
        Err(_) if is_time => {
            Err(Failure::Usage(format!("{flag}: `{text}` is no date such as 2015-01-31 or 2015-01-31T12:00")))
        }
        Err(error) => Err(Failure::expression(flag, text, &error)),
    }
}

/// What the time type counts at the date `text`.
fn date(text: &str, data_type: &DataType) -> Option<i64> {
    let mut text = text.to_owned();
    if text.is_char_boundary(16) && text.len() >= 16 && !text[16..].starts_with(':') {
        // Without seconds arrow takes it for no date.
        text.insert_str(16, ":00");
    }
    let text: ArrayRef = Arc::new(StringArray::from(vec![text]));
    let time = cast(&text, data_type).ok().filter(|time| time.is_valid(0))?;
    let whole = match data_type {
        DataType::Date32 => cast(&time, &DataType::Int32).ok()?,
        _ => time,
    };
    Some(cast(&whole, &DataType::Int64).ok()?.as_primitive::<Int64Type>().value(0))
}

/// The parts of `text` between colons that stand outside brackets, quotes and dates.
fn split_at_colons(text: &str) -> Vec<&str> {
    let bytes = text.as_bytes();
    let (mut parts, mut start, mut depth, mut at) = (Vec::new(), 0, 0i32, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            quote @ (b'\'' | b'"' | b'`') => {
                at += 1;
                while at < bytes.len() && bytes[at] != quote {
                    at += if bytes[at] == b'\\' && quote != b'`' { 2 } else { 1 };
                }
            }
            b'0'..=b'9' if at == 0 || !is_name(bytes[at - 1]) => {
                if let Some(length) = date_and_time(&bytes[at..]) {
                    at += length;
                    continue;
                }
            }
            b':' if depth <= 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    parts.push(&text[start..]);
    parts
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Length of a date with a time of day, such as `2015-01-31T12:00:05.25Z`, that begins here.
fn date_and_time(bytes: &[u8]) -> Option<usize> {
    let follows = |at: usize, form: &str| {
        form.bytes().enumerate().all(|(i, form)| {
            bytes.get(at + i).is_some_and(|&b| if form == b'0' { b.is_ascii_digit() } else { b == form })
        })
    };
    let ends = |at: usize| bytes.get(at).is_none_or(|b| !b.is_ascii_digit());
    if !follows(0, "0000-00-00T00:00") || !ends(16) {
        return None;
    }
    let mut length = 16;
    if follows(length, ":00") && ends(length + 3) {
        length += 3;
        if follows(length, ".0") {
            length += 1 + bytes[length + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
        }
    }
    if bytes.get(length) == Some(&b'Z') {
        length += 1;
    } else if follows(length, "+00:00") || follows(length, "-00:00") {
        length += 6;
    }
    Some(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::TimeUnit;

    #[test]
    fn colons_in_brackets_quotes_and_dates_do_not_split() {
        let cases: [(&str, &[&str]); 9] = [
            ("x", &["x"]),
            ("x:0:2*pi:10", &["x", "0", "2*pi", "10"]),
            ("f(x, 'a:b'):0:1:2", &["f(x, 'a:b')", "0", "1", "2"]),
            ("`a:b`::5", &["`a:b`", "", "5"]),
            ("s == \"x\\\":\"", &["s == \"x\\\":\""]),
            ("t:2015-01-01T10:00:2015-02-01:31", &["t", "2015-01-01T10:00", "2015-02-01", "31"]),
            ("t:2015-01-01T10:00:30.5Z:2015-02-01:31", &["t", "2015-01-01T10:00:30.5Z", "2015-02-01", "31"]),
            ("t < 2015-01-31T12:00+02:00", &["t < 2015-01-31T12:00+02:00"]),
            ("ä['ö:']:1:2:3", &["ä['ö:']", "1", "2", "3"]),
        ];
        for (text, parts) in cases {
            assert_eq!(split_at_colons(text), parts, "{text}");
        }
    }

    #[test]
    fn every_form_is_read_and_everything_else_refused() {
        let parse = |text| AxisText::parse("--by", text);
        assert_eq!(parse("x").unwrap().cut, None);
        let cut = |text| parse(text).unwrap().cut.unwrap();
        assert_eq!(
            cut("x:0:1:10"),
            Cut { lo: "0", hi: "1", bins: Some(10), target: HISTOGRAM_BINS, scale: Scale::Linear }
        );
        assert_eq!(cut("x:1:10:5:log").scale, Scale::Log);
        assert_eq!(
            cut("x::10"),
            Cut { lo: "", hi: "", bins: Some(10), target: HISTOGRAM_BINS, scale: Scale::Linear }
        );
        assert_eq!(
            cut("x:0::10"),
            Cut { lo: "0", hi: "", bins: Some(10), target: HISTOGRAM_BINS, scale: Scale::Linear }
        );
        for wrong in ["x:10", "x:0:1", "x:0:1:ten", "x:0:1:2:3", "x:0:1:-1"] {
            assert_eq!(parse(wrong).unwrap_err().code(), 2, "{wrong}");
        }
    }

    #[test]
    fn a_date_is_counted_in_the_unit_of_its_type() {
        let ns = DataType::Timestamp(TimeUnit::Nanosecond, None);
        assert_eq!(date("1970-01-02", &ns), Some(86_400_000_000_000));
        assert_eq!(date("1970-01-02T00:00:01", &DataType::Timestamp(TimeUnit::Second, None)), Some(86_401));
        assert_eq!(date("1970-01-11", &DataType::Date32), Some(10));
        assert_eq!(date("1970-01-01T00:01", &ns), Some(60_000_000_000));
        assert_eq!(date("1970-01-01T00:01Z", &ns), Some(60_000_000_000));
        assert_eq!(date("soon", &ns), None);
    }
}
