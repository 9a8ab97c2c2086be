//! What the rows of a sample say of an aggregate over all rows.

use super::Aggregate;

/// How an aggregate over a sample relates to the same over all rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FromSample {
    /// It grows with the rows: scaled up.
    Total,
    /// It does not depend on how many rows there are: as it is.
    Ratio,
    /// More rows can take it further: as it is, and never more than a bound.
    Bound,
}

/// Aggregates that grow with the rows.
const TOTALS: &[&str] = &["count", "sum"];
/// Aggregates that do not depend on how many rows there are.
const RATIOS: &[&str] = &[
    "mean",
    "sd",
    "var",
    "sd_sample",
    "var_sample",
    "skew",
    "kurtosis",
    "cov",
    "cov_sample",
    "corr",
    "median",
    "quantile",
    "percentile",
];

impl Aggregate {
    /// How it is estimated; a bound unless it is known to be more.
    pub fn from_sample(&self) -> FromSample {
        match self.name {
            name if TOTALS.contains(&name) => FromSample::Total,
            name if RATIOS.contains(&name) => FromSample::Ratio,
            _ => FromSample::Bound,
        }
    }
}
