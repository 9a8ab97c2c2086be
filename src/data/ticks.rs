//! Round places on an axis and their labels: 1-2-5 steps for numbers, the calendar for times.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, Timelike, Utc};

use super::display::group_digits;

/// Most ticks ever returned, whatever the target.
const MOST_TICKS: usize = 1000;

/// Round numbers in `lo..=hi`, in steps of 1, 2 or 5 times a power of ten, about `target` of them.
///
/// Multiples of the step are formed exactly: the third tick of step 0.1 is `0.3`.
pub fn ticks(lo: f64, hi: f64, target: usize) -> Vec<f64> {
    if !lo.is_finite() || !hi.is_finite() {
        return Vec::new();
    }
    let (lo, hi) = (lo.min(hi), lo.max(hi));
    if lo == hi {
        return vec![lo];
    }
    let Some(step) = Step::new(hi - lo, target) else { return Vec::new() };
    // A rounding error at an end must not lose the tick that lies on it.
    let slack = (hi - lo) * 1e-10;
    let first = step.floor_index(lo - slack);
    let mut found: Vec<f64> = Vec::new();
    for i in 0..MOST_TICKS {
        let value = step.at(first + i as f64);
        if value > hi + slack {
            break;
        }
        if value >= lo - slack && found.last() != Some(&value) {
            found.push(value);
        }
    }
    found
}

/// `mantissa * 10^exponent` with a mantissa of 1, 2 or 5.
struct Step {
    mantissa: f64,
    exponent: i32,
}

impl Step {
    fn new(range: f64, target: usize) -> Option<Step> {
        let rough = range / target.clamp(1, MOST_TICKS / 2) as f64;
        if !rough.is_finite() || rough <= 0.0 {
            return None;
        }
        let exponent = rough.log10().floor() as i32;
        let fraction = rough / pow10(exponent);
        // The step whose number of ticks is nearest to the target, as a ratio.
        let (mantissa, exponent) = match fraction {
            f if f < 1.414 => (1.0, exponent),
            f if f < 3.162 => (2.0, exponent),
            f if f < 7.071 => (5.0, exponent),
            _ => (1.0, exponent + 1),
        };
        Some(Step { mantissa, exponent })
    }

    fn at(&self, index: f64) -> f64 {
        let value = index * self.mantissa;
        let value = if self.exponent < 0 && self.exponent >= -300 {
            value / pow10(-self.exponent)
        } else {
            value * pow10(self.exponent)
        };
        // No axis needs a minus zero.
        if value == 0.0 { 0.0 } else { value }
    }

    fn floor_index(&self, value: f64) -> f64 {
        (value / (self.mantissa * pow10(self.exponent))).floor()
    }
}

fn pow10(exponent: i32) -> f64 {
    // `powi` is off by some ulps for large exponents; the literal is not.
    format!("1e{exponent}").parse().unwrap_or(f64::NAN)
}

/// Round places on a logarithmic axis: powers of ten, with 2 and 5 between them where there is room,
/// 1-2-5 steps where the axis spans less than a decade. Both ends must be positive.
pub fn log_ticks(lo: f64, hi: f64, target: usize) -> Vec<f64> {
    let (lo, hi) = (lo.min(hi), lo.max(hi));
    if lo.is_nan() || lo <= 0.0 || !hi.is_finite() {
        return Vec::new();
    }
    let decades = (hi / lo).log10();
    if decades < 1.0 {
        return ticks(lo, hi, target);
    }
    let target = target.clamp(1, MOST_TICKS / 4);
    let (first, last) = (lo.log10().floor() as i32, hi.log10().ceil() as i32);
    let stride = ((decades / target as f64).round() as i32).max(1);
    let between: &[f64] =
        if stride == 1 && decades * 3.0 <= target as f64 * 1.5 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    (first..=last)
        .filter(|exponent| exponent.rem_euclid(stride) == 0)
        .flat_map(|exponent| between.iter().map(move |mantissa| times_pow10(*mantissa, exponent)))
        .filter(|value| *value >= lo * (1.0 - 1e-10) && *value <= hi * (1.0 + 1e-10))
        .collect()
}

fn times_pow10(mantissa: f64, exponent: i32) -> f64 {
    format!("{mantissa}e{exponent}").parse().unwrap_or(f64::NAN)
}

/// Labels for the ticks of one axis: one SI prefix for all of them, as many decimals as tell them
/// apart, grouped digits where a prefix would need more than two decimals.
pub fn labels(ticks: &[f64]) -> Vec<String> {
    let largest = ticks.iter().fold(0.0_f64, |largest, tick| largest.max(tick.abs()));
    let step = ticks.windows(2).map(|pair| (pair[1] - pair[0]).abs()).filter(|step| *step > 0.0);
    let step = step.fold(f64::INFINITY, f64::min);
    let step = if step.is_finite() { step } else { largest };
    if largest == 0.0 {
        return ticks.iter().map(|_| "0".to_owned()).collect();
    }
    if !(1e-4..1e18).contains(&largest) {
        let decimals = decimals(step / pow10(largest.log10().floor() as i32));
        return ticks.iter().map(|tick| exponential(*tick, decimals)).collect();
    }
    const PREFIXES: [(f64, &str); 6] =
        [(1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, "")];
    let (unit, prefix) = PREFIXES
        .into_iter()
        .find(|(unit, _)| largest >= unit * if *unit == 1e3 { 10.0 } else { 1.0 } * 0.999_999)
        .unwrap_or((1.0, ""));
    let wanted = decimals(step / unit);
    let (unit, prefix, wanted) =
        if wanted > 2 && unit > 1.0 { (1.0, "", decimals(step)) } else { (unit, prefix, wanted) };
    ticks
        .iter()
        .map(|tick| match tick {
            0.0 => "0".to_owned(),
            tick if prefix.is_empty() => grouped(*tick, wanted),
            tick => format!("{}\u{2009}{prefix}", grouped(tick / unit, wanted)),
        })
        .collect()
}

/// Labels for the ticks of a logarithmic axis, each with its own SI prefix.
pub fn log_labels(ticks: &[f64]) -> Vec<String> {
    ticks.iter().map(|tick| super::si(*tick)).collect()
}

/// Decimals that write `step` to about two significant digits.
fn decimals(step: f64) -> usize {
    if !step.is_finite() || step <= 0.0 {
        return 0;
    }
    (0..15)
        .find(|decimals| {
            let scaled = step * pow10(*decimals);
            (scaled - scaled.round()).abs() < 1e-6 * scaled && scaled.round() >= 1.0
        })
        .unwrap_or(15) as usize
}

fn exponential(value: f64, decimals: usize) -> String {
    if value == 0.0 { "0".to_owned() } else { format!("{value:.decimals$e}") }
}

fn grouped(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    // Years and other four-digit numbers read better whole.
    let whole = match whole.parse::<u64>() {
        Ok(number) if whole.len() > 4 => group_digits(number),
        _ => whole.to_owned(),
    };
    let sign = if value < 0.0 { "\u{2212}" } else { "" };
    format!("{sign}{whole}{rest}")
}

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// 1970-01-05, a Monday.
const A_MONDAY: i64 = 4 * DAY;

/// A step of the calendar.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Calendar {
    Nanoseconds(i64),
    Weeks,
    Months(u32),
    Years(i32),
}

impl Calendar {
    /// The smallest step that gives no more ticks than about `target` over `range` nanoseconds.
    fn new(range: i128, target: usize) -> Calendar {
        let rough = (range / target.clamp(1, MOST_TICKS / 2) as i128).max(1);
        let mut fixed: Vec<i64> = Vec::new();
        for exponent in 0..9 {
            fixed.extend([1, 2, 5].map(|mantissa| mantissa * 10_i64.pow(exponent)));
        }
        fixed.extend([1, 2, 5, 10, 15, 30].map(|n| n * SECOND));
        fixed.extend([1, 2, 5, 10, 15, 30].map(|n| n * MINUTE));
        fixed.extend([1, 2, 3, 6, 12].map(|n| n * HOUR));
        fixed.extend([1, 2].map(|n| n * DAY));
        if let Some(step) = fixed.into_iter().find(|step| i128::from(*step) * 5 >= rough * 4) {
            return Calendar::Nanoseconds(step);
        }
        let days = rough / i128::from(DAY);
        if days <= 8 {
            return Calendar::Weeks;
        }
        if let Some(months) = [1, 2, 3, 6].into_iter().find(|months| i128::from(months * 38) >= days) {
            return Calendar::Months(months);
        }
        let years = days / 365;
        let step = [1, 2, 5, 10, 20, 50, 100, 200].into_iter().find(|step| i128::from(step * 5) >= years * 4);
        Calendar::Years(step.unwrap_or(200))
    }
}

fn utc(ns: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_nanos(ns)
}

fn midnight(date: NaiveDate) -> Option<i64> {
    date.and_time(NaiveTime::MIN).and_utc().timestamp_nanos_opt()
}

/// Round places of the calendar in `lo_ns..=hi_ns`, nanoseconds since 1970 in UTC, with ISO labels:
/// years, months, Mondays, days, hours down to nanoseconds, about `target` of them.
///
/// Labels within a day are times; the one at midnight is the date. [`time_context`] gives the date
/// where no label does.
pub fn time_ticks(lo_ns: i64, hi_ns: i64, target: usize) -> Vec<(i64, String)> {
    let (lo, hi) = (lo_ns.min(hi_ns), lo_ns.max(hi_ns));
    match Calendar::new(i128::from(hi) - i128::from(lo), target) {
        Calendar::Nanoseconds(step) => {
            multiples(lo, hi, step, 0).map(|ns| (ns, clock_label(ns, step))).collect()
        }
        Calendar::Weeks => {
            multiples(lo, hi, 7 * DAY, A_MONDAY).map(|ns| (ns, clock_label(ns, DAY))).collect()
        }
        Calendar::Months(step) => months(lo, hi, step, "%Y-%m"),
        Calendar::Years(step) => {
            let first = utc(lo).year().div_euclid(step) * step;
            (0..MOST_TICKS as i32)
                .map_while(|i| NaiveDate::from_ymd_opt(first + i * step, 1, 1))
                .map(|date| (midnight(date), date.format("%Y").to_string()))
                // Before 1677 there are no nanoseconds; the year after the last tick may have none either.
                .filter_map(|(ns, label)| Some((ns?, label)))
                .skip_while(|(ns, _)| *ns < lo)
                .take_while(|(ns, _)| *ns <= hi)
                .collect()
        }
    }
}

fn multiples(lo: i64, hi: i64, step: i64, origin: i64) -> impl Iterator<Item = i64> {
    let (lo, hi, step) = (i128::from(lo), i128::from(hi), i128::from(step));
    let origin = i128::from(origin);
    let before = (lo - origin).rem_euclid(step);
    let first = if before == 0 { lo } else { lo - before + step };
    (0..MOST_TICKS as i128)
        .map(move |i| first + i * step)
        .take_while(move |ns| *ns <= hi)
        .filter_map(|ns| i64::try_from(ns).ok())
}

fn months(lo: i64, hi: i64, step: u32, format: &str) -> Vec<(i64, String)> {
    let start = utc(lo).date_naive();
    let month = start.month0() / step * step + 1;
    let Some(first) = NaiveDate::from_ymd_opt(start.year(), month, 1) else { return Vec::new() };
    (0..MOST_TICKS as u32)
        .map_while(|i| first.checked_add_months(Months::new(i * step)))
        .map(|date| (midnight(date), date.format(format).to_string()))
        .filter_map(|(ns, label)| Some((ns?, label)))
        .skip_while(|(ns, _)| *ns < lo)
        .take_while(|(ns, _)| *ns <= hi)
        .collect()
}

fn clock_label(ns: i64, step: i64) -> String {
    let time = utc(ns);
    if step >= DAY || time.time() == NaiveTime::MIN {
        return time.format("%Y-%m-%d").to_string();
    }
    match step {
        s if s >= MINUTE => time.format("%H:%M").to_string(),
        s if s >= SECOND => time.format("%H:%M:%S").to_string(),
        s => {
            let digits = (0..9).find(|d| s % 10_i64.pow(9 - d) == 0).unwrap_or(9) as usize;
            let fraction = format!("{:09}", time.nanosecond() % 1_000_000_000);
            format!("{}.{}", time.format("%H:%M:%S"), &fraction[..digits])
        }
    }
}

/// The date all ticks of [`time_ticks`] with these arguments lie in, where none of their labels
/// says it.
pub fn time_context(lo_ns: i64, hi_ns: i64, target: usize) -> Option<String> {
    let (lo, hi) = (lo_ns.min(hi_ns), lo_ns.max(hi_ns));
    let Calendar::Nanoseconds(step) = Calendar::new(i128::from(hi) - i128::from(lo), target) else {
        return None;
    };
    let date = utc(lo).date_naive();
    let next = date.checked_add_days(Days::new(1)).and_then(midnight);
    let no_date = step < DAY && midnight(date).is_none_or(|ns| ns < lo) && next.is_none_or(|next| hi < next);
    no_date.then(|| date.format("%Y-%m-%d").to_string())
}
