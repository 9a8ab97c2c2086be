//! Bounds on values that need not be looked at.

/// An interval that holds every value of a column or expression in some rows. Wider is correct, narrower
/// is not.
///
/// False is 0 and true is 1; a time or duration is a count of its type's unit. A domain with `min > max`
/// has no values but perhaps NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Domain {
    /// At most every value that is not NaN.
    pub min: f64,
    /// At least every value that is not NaN.
    pub max: f64,
    /// Whether there may be NaN.
    pub nan: bool,
    /// Whether rows may be missing.
    pub missing: bool,
}

impl Domain {
    /// What is known without looking: nothing.
    pub const ALL: Domain = Domain { min: f64::NEG_INFINITY, max: f64::INFINITY, nan: true, missing: true };
    /// No values at all.
    pub const EMPTY: Domain =
        Domain { min: f64::INFINITY, max: f64::NEG_INFINITY, nan: false, missing: false };
    /// True or false.
    pub const BOOL: Domain = Domain { min: 0.0, max: 1.0, nan: false, missing: false };
    /// True for every row.
    pub const TRUE: Domain = Domain { min: 1.0, max: 1.0, nan: false, missing: false };
    /// False for every row.
    pub const FALSE: Domain = Domain { min: 0.0, max: 0.0, nan: false, missing: false };

    /// Values from `min` to `max`, both included, none NaN or missing.
    pub fn new(min: f64, max: f64) -> Domain {
        Domain { min, max, nan: false, missing: false }
    }

    /// Whether there are no values but perhaps NaN.
    pub fn is_empty(&self) -> bool {
        self.min > self.max
    }

    /// Whether no row with this domain can pass as a filter.
    pub fn is_never_true(&self) -> bool {
        self.is_empty() || (self.min == 0.0 && self.max == 0.0)
    }

    /// Whether every row with this domain passes as a filter.
    pub fn is_always_true(&self) -> bool {
        self.min == 1.0 && self.max == 1.0 && !self.nan && !self.missing
    }

    /// Whether a value may lie in it.
    pub fn contains(&self, value: f64) -> bool {
        if value.is_nan() { self.nan } else { self.min <= value && value <= self.max }
    }

    /// The smallest domain that holds both.
    pub fn hull(self, other: Domain) -> Domain {
        Domain {
            min: self.min.min(other.min),
            max: self.max.max(other.max),
            nan: self.nan || other.nan,
            missing: self.missing || other.missing,
        }
    }

    /// Every bound moved outward to the next double: for bounds that were rounded to one.
    pub fn widened(self) -> Domain {
        if self.is_empty() {
            return self;
        }
        Domain { min: self.min.next_down(), max: self.max.next_up(), ..self }
    }
}
