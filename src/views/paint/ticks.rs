//! Which places of an axis are marked, and with what words.

use arrow::datatypes::DataType;

use crate::aggregate::{Bins, Scale};
use crate::data::{Kind, kind, per_second, ticks};

/// What the numbers of an axis count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unit {
    /// Plain numbers.
    Number,
    /// Points in time since 1970; a second has this many of them.
    Time(f64),
    /// Lengths of time; a second has this many of them.
    Duration(f64),
}

impl Unit {
    /// The unit in which values of a type are binned.
    pub fn of(data_type: &DataType) -> Unit {
        let per_second = per_second(data_type);
        match kind(data_type) {
            Kind::Time => Unit::Time(per_second),
            Kind::Duration => Unit::Duration(per_second),
            _ => Unit::Number,
        }
    }

    /// How many of them make a second; 1 where that has no meaning.
    pub fn per_second(self) -> f64 {
        match self {
            Unit::Number => 1.0,
            Unit::Time(n) | Unit::Duration(n) => n,
        }
    }

    /// A point in time as nanoseconds since 1970, where they fit.
    pub fn nanoseconds(self, value: f64) -> Option<i64> {
        let Unit::Time(per_second) = self else { return None };
        if !value.is_finite() {
            return None;
        }
        // In whole numbers: a product in f64 would lose nanoseconds of times past 1970.
        let each = (1e9 / per_second).round();
        let whole = value.floor();
        let nanoseconds = whole as i128 * each as i128 + ((value - whole) * each).round() as i128;
        i64::try_from(nanoseconds).ok()
    }
}

/// Marked places of an axis.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ticks {
    /// Values and labels, ascending.
    pub marks: Vec<(f64, String)>,
    /// What all labels have in common, such as the day of hours.
    pub context: Option<String>,
}

impl Ticks {
    /// About `target` marks on `bins`.
    pub fn of(bins: &Bins, unit: Unit, target: usize) -> Ticks {
        let (lo, hi) = (bins.lo(), bins.hi());
        if let (Some(lo), Some(hi)) = (unit.nanoseconds(lo), unit.nanoseconds(hi)) {
            let to_value = unit.per_second() / 1e9;
            let marks = ticks::time_ticks(lo, hi, target);
            return Ticks {
                marks: marks.into_iter().map(|(ns, label)| (ns as f64 * to_value, label)).collect(),
                context: ticks::time_context(lo, hi, target),
            };
        }
        let (places, labels) = match bins.scale() {
            Scale::Linear => {
                let places = ticks::ticks(lo, hi, target);
                let labels = ticks::labels(&places);
                (places, labels)
            }
            Scale::Log => {
                let places = ticks::log_ticks(lo, hi, target);
                let labels = ticks::log_labels(&places);
                (places, labels)
            }
        };
        Ticks { marks: places.into_iter().zip(labels).collect(), context: None }
    }
}

/// How many labels have room on a horizontal axis of this many points.
pub fn horizontal_target(width: f32) -> usize {
    ((width / 52.0).round() as usize).clamp(2, 14)
}

/// How many labels have room on a vertical axis of this many points.
pub fn vertical_target(height: f32) -> usize {
    ((height / 36.0) as usize).clamp(2, 8)
}

/// The vertical axis of a count or a value, from a lower to an upper end, linear or logarithmic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValueAxis {
    lo: f64,
    hi: f64,
    log: bool,
}

impl ValueAxis {
    /// From 0 (or the least value, if negative) to the greatest, rounded up to a tick. A logarithmic
    /// one begins at 0.8, so that a single row still shows.
    pub fn of(least: f64, greatest: f64, log: bool, target: usize) -> ValueAxis {
        let greatest = if greatest.is_finite() { greatest } else { 1.0 };
        let least = if least.is_finite() { least.min(0.0) } else { 0.0 };
        if log {
            return ValueAxis { lo: 0.8, hi: (greatest * 1.25).max(10.0), log };
        }
        if greatest <= least {
            return ValueAxis { lo: least, hi: least + 1.0, log };
        }
        let places = ticks::ticks(least, greatest, target);
        let step = places.windows(2).map(|pair| pair[1] - pair[0]).next().unwrap_or(greatest - least);
        let round_up = |value: f64| (value / step).ceil() * step;
        let hi =
            if round_up(greatest) - greatest < step * 0.6 { round_up(greatest) } else { greatest * 1.05 };
        let lo = if least < 0.0 { -round_up(-least) } else { 0.0 };
        ValueAxis { lo, hi, log }
    }

    /// Position of `value`: 0 at the lower end, 1 at the upper; never outside.
    pub fn position(&self, value: f64) -> f32 {
        let position = if self.log {
            if value <= 0.0 { 0.0 } else { (value / self.lo).ln() / (self.hi / self.lo).ln() }
        } else {
            (value - self.lo) / (self.hi - self.lo)
        };
        if position.is_nan() { 0.0 } else { position.clamp(0.0, 1.0) as f32 }
    }

    /// Whether `value` lies above the upper end.
    pub fn is_exceeded_by(&self, value: f64) -> bool {
        value > self.hi
    }

    /// Marks: positions and labels.
    pub fn marks(&self, target: usize) -> Vec<(f32, String)> {
        let (places, labels) = if self.log {
            let places = ticks::log_ticks(1.0, self.hi, target);
            let labels = ticks::log_labels(&places);
            (places, labels)
        } else {
            let places = ticks::ticks(self.lo, self.hi, target);
            let labels = ticks::labels(&places);
            (places, labels)
        };
        places.into_iter().map(|place| self.position(place)).zip(labels).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::TimeUnit;

    #[test]
    fn a_value_axis_holds_zero_and_the_greatest_value() {
        for greatest in [1.0, 9.9, 10.0, 83.0, 1e9, 1e-6] {
            let axis = ValueAxis::of(0.0, greatest, false, 5);
            assert_eq!(axis.position(0.0), 0.0);
            assert!(axis.position(greatest) > 0.7 && axis.position(greatest) <= 1.0, "{greatest}");
        }
        assert_eq!(ValueAxis::of(0.0, 0.0, false, 5).position(0.0), 0.0);
        assert!(ValueAxis::of(-4.0, 7.0, false, 5).position(0.0) > 0.0);
        assert!(ValueAxis::of(f64::NAN, f64::INFINITY, false, 5).position(0.5) > 0.0);
    }

    #[test]
    fn one_row_shows_on_a_logarithmic_axis() {
        let axis = ValueAxis::of(0.0, 1e6, true, 5);
        assert!(axis.position(1.0) > 0.0);
        assert_eq!(axis.position(0.0), 0.0);
    }

    #[test]
    fn times_are_marked_by_the_calendar() {
        let bins = Bins::new(0.0, 864_000_000.0, 10, Scale::Linear).unwrap();
        let unit = Unit::of(&DataType::Timestamp(TimeUnit::Millisecond, None));
        let ticks = Ticks::of(&bins, unit, 5);
        assert!(ticks.marks.len() > 2);
        assert!(ticks.marks.iter().all(|(value, _)| value % 86_400_000.0 == 0.0));
    }
}
