//! Numbers and intervals in words: read-outs, chips, counts.

use chrono::{DateTime, SecondsFormat};

use super::ticks::Unit;
use crate::data::group_digits;

/// A value of an axis as a person reads and types it: times in ISO 8601, numbers in their shortest
/// form that reads back the same.
pub fn value(value: f64, unit: Unit) -> String {
    if let Some(time) = unit.nanoseconds(value).map(DateTime::from_timestamp_nanos) {
        let text = time.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        let text = text.trim_end_matches('Z');
        return text.strip_suffix("T00:00:00").unwrap_or(text).to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    if value.abs() >= 1e15 || value.abs() < 1e-4 {
        return format!("{value:e}");
    }
    value.to_string()
}

/// A value as shown where room is scarce: six significant digits.
pub fn brief(number: f64, unit: Unit) -> String {
    if matches!(unit, Unit::Time(_)) || number == 0.0 || !number.is_finite() {
        return value(number, unit);
    }
    let rounded: f64 = format!("{number:.5e}").parse().unwrap_or(number);
    value(rounded, unit).replace('-', "\u{2212}")
}

/// Reads back what [`value`] wrote, or any number.
pub fn parse(text: &str, unit: Unit) -> Option<f64> {
    let text = text.trim().replace(['\u{2009}', '\u{a0}', '\u{202f}'], "").replace('\u{2212}', "-");
    if let Unit::Time(per_second) = unit {
        let padded = match text.len() {
            4 => format!("{text}-01-01T00:00:00"),
            7 => format!("{text}-01T00:00:00"),
            10 => format!("{text}T00:00:00"),
            16 => format!("{text}:00"),
            _ => text.replace(' ', "T"),
        };
        let time = DateTime::parse_from_rfc3339(&format!("{}Z", padded.replace(' ', "T"))).ok()?;
        let (seconds, rest) = (time.timestamp(), time.timestamp_subsec_nanos());
        return Some(seconds as f64 * per_second + f64::from(rest) * (per_second / 1e9));
    }
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// `lo … hi` in brief; an infinite end is none.
pub fn interval(lo: f64, hi: f64, unit: Unit) -> String {
    match (lo.is_finite(), hi.is_finite()) {
        (true, true) => format!("{} … {}", brief(lo, unit), brief(hi, unit)),
        (true, false) => format!("≥ {}", brief(lo, unit)),
        (false, true) => format!("< {}", brief(hi, unit)),
        (false, false) => "any".to_owned(),
    }
}

/// `12 345 rows`, `1 row`.
pub fn rows(count: u64) -> String {
    format!("{} {}", group_digits(count), if count == 1 { "row" } else { "rows" })
}

/// `12 of 345 rows (3.5 %)`.
pub fn count_of(count: u64, total: u64) -> String {
    format!("{} of {} ({})", group_digits(count), rows(total), share(count, total))
}

/// A share in per cent, with as many decimals as tell it from nothing and from all.
pub fn share(count: u64, total: u64) -> String {
    if total == 0 {
        return "0\u{2009}%".to_owned();
    }
    let percent = count as f64 / total as f64 * 100.0;
    let text = match percent {
        p if count == 0 || count == total => format!("{p:.0}"),
        p if p < 0.001 => "<\u{2009}0.001".to_owned(),
        p if p < 0.1 => format!("{p:.3}"),
        p if p < 99.95 => format!("{p:.1}"),
        p => format!("{:.3}", p.min(99.999)),
    };
    format!("{text}\u{2009}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_the_same() {
        for number in [0.0, -0.1, 1e-9, 123456.75, -1e300, 5e-324, 0.1 + 0.2] {
            assert_eq!(parse(&value(number, Unit::Number), Unit::Number), Some(number));
        }
        let day = Unit::Time(1.0 / 86_400.0);
        assert_eq!(value(19_000.0, day), "2022-01-08");
        assert_eq!(parse("2022-01-08", day), Some(19_000.0));
        let milliseconds = Unit::Time(1e3);
        let written = value(1_641_600_061_250.0, milliseconds);
        assert_eq!(written, "2022-01-08T00:01:01.250");
        assert_eq!(parse(&written, milliseconds), Some(1_641_600_061_250.0));
        assert_eq!(parse("2022-01", milliseconds), Some(1_640_995_200_000.0));
        assert_eq!(parse("nonsense", milliseconds), None);
        assert_eq!(parse("inf", Unit::Number), None);
    }

    #[test]
    fn a_share_is_never_rounded_to_nothing_or_to_all() {
        assert_eq!(share(0, 10), "0\u{2009}%");
        assert_eq!(share(10, 10), "100\u{2009}%");
        assert_eq!(share(1, 1_000_000_000), "<\u{2009}0.001\u{2009}%");
        assert_eq!(share(999_999_999, 1_000_000_000), "99.999\u{2009}%");
        assert_eq!(share(82_803_554, 1_000_000_000), "8.3\u{2009}%");
    }
}
