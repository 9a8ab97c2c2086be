//! The aggregates there are: one line each in [`AGGREGATES`].

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::finish::{self, Cells};
use super::lanes::{Lane, Lanes};
use super::search::Goal;
use super::store::Store;
use super::values::numeric_kind;
use crate::data::{Kind, kind};

/// What can be computed of the rows of a cell.
pub struct Aggregate {
    /// Its name in expressions such as `mean(fare)`.
    pub name: &'static str,
    /// Other names it answers to.
    pub aliases: &'static [&'static str],
    /// How it is called, as `cov(x, y)`.
    pub signature: &'static str,
    /// One or two sentences for a person.
    pub doc: &'static str,
    /// A measure that uses it.
    pub example: &'static str,
    /// The values it is of.
    pub arguments: &'static [Argument],
    /// The number after its values, as the 0.9 of `quantile(x, 0.9)`; `None` where there is none.
    pub parameter: Option<Parameter>,
    /// The statistics it is finished from.
    pub lanes: &'static [Lane],
    /// The finished array, one value per cell; null where a cell has none.
    pub(super) finish: fn(&Cells<'_>) -> ArrayRef,
}

/// A value that an aggregate is of.
pub struct Argument {
    /// Whether it may be of this type.
    pub accepts: fn(&DataType) -> bool,
    /// Whether it may be left out, and those after it.
    pub optional: bool,
}

/// A number that an aggregate takes after its values.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// The least it may be.
    pub least: f64,
    /// The greatest it may be.
    pub greatest: f64,
    /// What it is if it is left out; `None` where it must not be.
    pub default: Option<f64>,
}

/// An aggregate of one of the inputs of a question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// What is computed.
    pub aggregate: &'static Aggregate,
    /// Of which input, by position; `None` counts rows.
    pub input: Option<usize>,
    /// The number after its values; 0 where there is none.
    pub parameter: f64,
}

/// How far what was accumulated can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// The answer is exact.
    Exact,
    /// There were more values than fit the budget: the answer is that of a sketch.
    Approximate,
    /// There were more values than fit the budget, and there is no sketch.
    Lost,
}

impl Measured {
    /// The finished array over elements `0..cells` of `lanes`; null where a cell has no value.
    pub fn finish(&self, lanes: &Lanes, cells: usize) -> ArrayRef {
        (self.aggregate.finish)(&Cells { lanes, input: self.input, cells, quantile: self.quantile() })
    }

    /// The quantile, 0 to 1, if it is one: the number on the scale of those allowed, the median without one.
    fn quantile(&self) -> f64 {
        self.aggregate.parameter.map_or(0.5, |parameter| self.parameter / parameter.greatest)
    }

    /// What is to be searched for, of a value of this type, where there may be more values than fit memory;
    /// with the lane that it takes the place of.
    pub fn goal(&self, value_type: &DataType) -> Option<(Lane, Goal)> {
        let has_codes = numeric_kind(value_type).is_some() && value_type != &DataType::Float64;
        self.aggregate.lanes.iter().find_map(|lane| match lane {
            Lane::Ranks => Some((Lane::Ranks, Goal::Quantiles(vec![self.quantile()]))),
            Lane::Distinct => Some((Lane::Distinct, Goal::Distinct { may_be_close: has_codes })),
            _ => None,
        })
    }

    /// How far the finished array can be trusted.
    pub fn standing(&self, lanes: &Lanes, cells: usize) -> Standing {
        let stores = self.aggregate.lanes.iter().filter_map(|&lane| lanes.store(self.input?, lane));
        let of = |store: &Store| match store {
            Store::Tally(tally) if tally.has_failed() => Standing::Lost,
            Store::Joint(joint) if joint.tally.has_failed() => Standing::Lost,
            Store::Tally(tally) if tally.is_approximate(cells) => Standing::Approximate,
            _ => Standing::Exact,
        };
        stores.map(of).max().unwrap_or(Standing::Exact)
    }
}

impl Aggregate {
    /// The aggregate called `name`, in any case.
    pub fn named(name: &str) -> Option<&'static Aggregate> {
        let is = |known: &&str| known.eq_ignore_ascii_case(name);
        AGGREGATES.iter().copied().find(|a| is(&a.name) || a.aliases.iter().any(is))
    }

    /// Whether it keeps the values themselves, many to a cell.
    pub fn keeps_values(&self) -> bool {
        self.lanes.iter().any(|lane| lane.keeps_values())
    }

    /// Fewest values it is of.
    pub fn least_arguments(&self) -> usize {
        self.arguments.iter().take_while(|argument| !argument.optional).count()
    }
}

impl std::fmt::Debug for Aggregate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Aggregate {
    fn eq(&self, other: &Aggregate) -> bool {
        self.name == other.name
    }
}

/// Every aggregate.
pub static AGGREGATES: &[&Aggregate] = &[
    &COUNT,
    &SUM,
    &MEAN,
    &MIN,
    &MAX,
    &SD,
    &VARIANCE,
    &SAMPLE_SD,
    &SAMPLE_VARIANCE,
    &SKEWNESS,
    &KURTOSIS,
    &COVARIANCE,
    &SAMPLE_COVARIANCE,
    &CORRELATION,
    &FIRST,
    &LAST,
    &ANY,
    &ALL,
    &DISTINCT,
    &MODE,
    &MEDIAN,
    &QUANTILE,
    &PERCENTILE,
    &INFORMATION,
    &FINITE_MIN,
    &FINITE_MAX,
];

/// Any value, or none.
const PERHAPS: &[Argument] = &[Argument { accepts: |_| true, optional: true }];
const NUMBER: &[Argument] = &[Argument { accepts: is_numeric, optional: false }];
const SUMMABLE: &[Argument] = &[Argument { accepts: is_summable, optional: false }];
const PAIR: &[Argument] =
    &[Argument { accepts: is_summable, optional: false }, Argument { accepts: is_summable, optional: false }];
const ORDERED: &[Argument] = &[Argument { accepts: is_known, optional: false }];
const TRUTH: &[Argument] = &[Argument { accepts: |t| t == &DataType::Boolean, optional: false }];
/// A value, and what its rows are ordered by.
const IN_ORDER: &[Argument] =
    &[Argument { accepts: is_known, optional: false }, Argument { accepts: is_numeric, optional: true }];

const RANKED: &[Argument] = &[Argument { accepts: is_ranked, optional: false }];
const PAIR_OF_RANKED: &[Argument] =
    &[Argument { accepts: is_ranked, optional: false }, Argument { accepts: is_ranked, optional: false }];
const COUNTABLE: &[Argument] =
    &[Argument { accepts: |t| is_ranked(t) || kind(t) == Kind::Text, optional: false }];

/// Decimals beyond the digits of `f64` are not told apart.
fn is_ranked(data_type: &DataType) -> bool {
    is_numeric(data_type) && !matches!(data_type, DataType::Decimal128(digits, _) if *digits > 15)
}

fn is_numeric(data_type: &DataType) -> bool {
    numeric_kind(data_type).is_some()
}

fn is_known(data_type: &DataType) -> bool {
    is_numeric(data_type) || kind(data_type) == Kind::Text
}

fn is_summable(data_type: &DataType) -> bool {
    is_numeric(data_type) && (!data_type.is_temporal() || matches!(data_type, DataType::Duration(_)))
}

static COUNT: Aggregate = Aggregate {
    name: "count",
    aliases: &["n"],
    signature: "count(x)",
    doc: "Rows, or with a value its non-missing values.",
    example: "count(tip) where tip > 0",
    arguments: PERHAPS,
    parameter: None,
    lanes: &[Lane::Count],
    finish: finish::count,
};

static SUM: Aggregate = Aggregate {
    name: "sum",
    aliases: &["total"],
    signature: "sum(x)",
    doc: "Sum of the non-missing values; whole numbers exactly, 0 of none.",
    example: "sum(tip) / sum(fare)",
    arguments: SUMMABLE,
    parameter: None,
    lanes: &[Lane::Sum],
    finish: finish::sum,
};

static MEAN: Aggregate = Aggregate {
    name: "mean",
    aliases: &["avg", "average"],
    signature: "mean(x)",
    doc: "Arithmetic mean of the non-missing values.",
    example: "mean(fare) where passengers > 1",
    arguments: NUMBER,
    parameter: None,
    lanes: &[Lane::Sum],
    finish: finish::mean,
};

static MIN: Aggregate = Aggregate {
    name: "min",
    aliases: &["minimum"],
    signature: "min(x)",
    doc: "Smallest non-missing value, in its own type; texts by their bytes.",
    example: "min(pickup)",
    arguments: ORDERED,
    parameter: None,
    lanes: &[Lane::Min],
    finish: |cells| finish::extreme(cells, Lane::Min),
};

static MAX: Aggregate = Aggregate {
    name: "max",
    aliases: &["maximum"],
    signature: "max(x)",
    doc: "Largest non-missing value, in its own type; texts by their bytes.",
    example: "max(fare) - min(fare)",
    arguments: ORDERED,
    parameter: None,
    lanes: &[Lane::Max],
    finish: |cells| finish::extreme(cells, Lane::Max),
};

static SD: Aggregate = Aggregate {
    name: "sd",
    aliases: &["std", "stddev", "stddev_pop"],
    signature: "sd(x)",
    doc: "Standard deviation of the non-missing values (divisor n).",
    example: "sd(fare)",
    arguments: SUMMABLE,
    parameter: None,
    lanes: &[Lane::Moments],
    finish: |cells| finish::spread(cells, 0, f64::sqrt),
};

static VARIANCE: Aggregate = Aggregate {
    name: "var",
    aliases: &["variance", "var_pop"],
    signature: "var(x)",
    doc: "Variance of the non-missing values (divisor n).",
    example: "var(fare)",
    arguments: SUMMABLE,
    parameter: None,
    lanes: &[Lane::Moments],
    finish: |cells| finish::spread(cells, 0, |variance| variance),
};

static SAMPLE_SD: Aggregate = Aggregate {
    name: "sd_sample",
    aliases: &["stddev_samp", "std_sample"],
    signature: "sd_sample(x)",
    doc: "Standard deviation of the non-missing values as a sample (divisor n - 1).",
    example: "sd_sample(fare)",
    arguments: SUMMABLE,
    parameter: None,
    lanes: &[Lane::Moments],
    finish: |cells| finish::spread(cells, 1, f64::sqrt),
};

static SAMPLE_VARIANCE: Aggregate = Aggregate {
    name: "var_sample",
    aliases: &["var_samp"],
    signature: "var_sample(x)",
    doc: "Variance of the non-missing values as a sample (divisor n - 1).",
    example: "var_sample(fare)",
    arguments: SUMMABLE,
    parameter: None,
    lanes: &[Lane::Moments],
    finish: |cells| finish::spread(cells, 1, |variance| variance),
};

static SKEWNESS: Aggregate = Aggregate {
    name: "skew",
    aliases: &["skewness"],
    signature: "skew(x)",
    doc: "Skewness: the third standardised moment (m3 / m2^1.5, divisors n); missing where the values do not vary.",
    example: "skew(fare)",
    arguments: SUMMABLE,
    parameter: None,
    lanes: &[Lane::Powers],
    finish: |cells| finish::shape(cells, |n, [second, third, _]| n.sqrt() * third / second.powf(1.5)),
};

static KURTOSIS: Aggregate = Aggregate {
    name: "kurtosis",
    aliases: &["kurt"],
    signature: "kurtosis(x)",
    doc: "Excess kurtosis: the fourth standardised moment less 3 (m4 / m2^2 - 3, divisors n); missing where the values do not vary.",
    example: "kurtosis(fare)",
    arguments: SUMMABLE,
    parameter: None,
    lanes: &[Lane::Powers],
    finish: |cells| finish::shape(cells, |n, [second, _, fourth]| n * fourth / (second * second) - 3.0),
};

static COVARIANCE: Aggregate = Aggregate {
    name: "cov",
    aliases: &["covar", "covar_pop"],
    signature: "cov(x, y)",
    doc: "Covariance over the rows where neither value is missing (divisor n).",
    example: "cov(distance, fare)",
    arguments: PAIR,
    parameter: None,
    lanes: &[Lane::Products],
    finish: |cells| finish::covariance(cells, 0),
};

static SAMPLE_COVARIANCE: Aggregate = Aggregate {
    name: "cov_sample",
    aliases: &["covar_samp"],
    signature: "cov_sample(x, y)",
    doc: "Covariance as of a sample (divisor n - 1), over the rows where neither value is missing.",
    example: "cov_sample(distance, fare)",
    arguments: PAIR,
    parameter: None,
    lanes: &[Lane::Products],
    finish: |cells| finish::covariance(cells, 1),
};

static CORRELATION: Aggregate = Aggregate {
    name: "corr",
    aliases: &["correlation"],
    signature: "corr(x, y)",
    doc: "Pearson's correlation, -1 to 1, over the rows where neither value is missing; missing where one does not vary.",
    example: "corr(distance, fare)",
    arguments: PAIR,
    parameter: None,
    lanes: &[Lane::Products],
    finish: finish::correlation,
};

static FIRST: Aggregate = Aggregate {
    name: "first",
    aliases: &[],
    signature: "first(x, by)",
    doc: "The first non-missing value in the order of another, or of rows without one; of equal places the earliest row's.",
    example: "first(fare, pickup)",
    arguments: IN_ORDER,
    parameter: None,
    lanes: &[Lane::First],
    finish: |cells| finish::picked(cells, Lane::First),
};

static LAST: Aggregate = Aggregate {
    name: "last",
    aliases: &[],
    signature: "last(x, by)",
    doc: "The last non-missing value in the order of another, or of rows without one; of equal places the latest row's.",
    example: "last(fare, pickup)",
    arguments: IN_ORDER,
    parameter: None,
    lanes: &[Lane::Last],
    finish: |cells| finish::picked(cells, Lane::Last),
};

static ANY: Aggregate = Aggregate {
    name: "any",
    aliases: &["bool_or"],
    signature: "any(condition)",
    doc: "Whether the condition is true of any row; false of none.",
    example: "any(tip > fare)",
    arguments: TRUTH,
    parameter: None,
    lanes: &[Lane::Max],
    finish: |cells| finish::truth(cells, Lane::Max, false),
};

static ALL: Aggregate = Aggregate {
    name: "all",
    aliases: &["every", "bool_and"],
    signature: "all(condition)",
    doc: "Whether the condition is true of every row where it is not missing; true of none.",
    example: "all(fare > 0)",
    arguments: TRUTH,
    parameter: None,
    lanes: &[Lane::Min],
    finish: |cells| finish::truth(cells, Lane::Min, true),
};

static DISTINCT: Aggregate = Aggregate {
    name: "nunique",
    aliases: &["count_distinct", "approx_count_distinct"],
    signature: "nunique(x)",
    doc: "Number of distinct non-missing values; -0.0 is 0.0. Exact over bins at any size; in groups of more values than fit memory a sample (standard error below 4 %, most often below 0.2 %), marked ≈.",
    example: "nunique(driver)",
    arguments: COUNTABLE,
    parameter: None,
    lanes: &[Lane::Distinct],
    finish: finish::distinct,
};

static MODE: Aggregate = Aggregate {
    name: "mode",
    aliases: &[],
    signature: "mode(x)",
    doc: "The non-missing value met most often; of several the least.",
    example: "mode(passengers)",
    arguments: COUNTABLE,
    parameter: None,
    lanes: &[Lane::Counts],
    finish: finish::mode,
};

static MEDIAN: Aggregate = Aggregate {
    name: "median",
    aliases: &["median_approx"],
    signature: "median(x)",
    doc: "The middle of the non-missing values, halfway between two; never outside of them. See quantile.",
    example: "median(fare)",
    arguments: RANKED,
    parameter: None,
    lanes: &[Lane::Ranks],
    finish: finish::quantile,
};

static QUANTILE: Aggregate = Aggregate {
    name: "quantile",
    aliases: &["quantile_cont"],
    signature: "quantile(x, q)",
    doc: "The value below which the part q (0 to 1) of the non-missing values lies, interpolated linearly between neighbours. Exact over bins at any size; in groups of more values than fit memory they are known to fewer digits, and the answer is marked ≈.",
    example: "quantile(fare, 0.9)",
    arguments: RANKED,
    parameter: Some(Parameter { least: 0.0, greatest: 1.0, default: None }),
    lanes: &[Lane::Ranks],
    finish: finish::quantile,
};

static PERCENTILE: Aggregate = Aggregate {
    name: "percentile",
    aliases: &["percentile_approx"],
    signature: "percentile(x, p)",
    doc: "The value below which p percent (0 to 100) of the non-missing values lie; see quantile.",
    example: "percentile(fare, 99)",
    arguments: RANKED,
    parameter: Some(Parameter { least: 0.0, greatest: 100.0, default: None }),
    lanes: &[Lane::Ranks],
    finish: finish::quantile,
};

static INFORMATION: Aggregate = Aggregate {
    name: "mutual_information",
    aliases: &[],
    signature: "mutual_information(x, y, bins)",
    doc: "What one value tells of the other, in nats, over equal bins of both (256 if not said) from the least to the greatest finite value of the whole table; too large where rows are few beside the bins squared.",
    example: "mutual_information(distance, fare, 64)",
    arguments: PAIR_OF_RANKED,
    parameter: Some(Parameter { least: 1.0, greatest: 4096.0, default: Some(256.0) }),
    lanes: &[Lane::Joint],
    finish: finish::information,
};

static FINITE_MIN: Aggregate = Aggregate {
    name: "finite_min",
    aliases: &[],
    signature: "finite_min(x)",
    doc: "Smallest value that is neither missing nor infinite.",
    example: "finite_min(x)",
    arguments: NUMBER,
    parameter: None,
    lanes: &[Lane::FiniteMin],
    finish: |cells| finish::extreme(cells, Lane::FiniteMin),
};

static FINITE_MAX: Aggregate = Aggregate {
    name: "finite_max",
    aliases: &[],
    signature: "finite_max(x)",
    doc: "Largest value that is neither missing nor infinite.",
    example: "finite_max(x)",
    arguments: NUMBER,
    parameter: None,
    lanes: &[Lane::FiniteMax],
    finish: |cells| finish::extreme(cells, Lane::FiniteMax),
};
