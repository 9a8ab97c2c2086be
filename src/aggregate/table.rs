//! The aggregates there are: one line each in [`AGGREGATES`].

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::finish::{self, Cells};
use super::lanes::{Lane, Lanes};
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

/// An aggregate of one of the inputs of a question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// What is computed.
    pub aggregate: &'static Aggregate,
    /// Of which input, by position; `None` counts rows.
    pub input: Option<usize>,
}

impl Measured {
    /// The finished array over elements `0..cells` of `lanes`; null where a cell has no value.
    pub fn finish(&self, lanes: &Lanes, cells: usize) -> ArrayRef {
        (self.aggregate.finish)(&Cells { lanes, input: self.input, cells })
    }
}

impl Aggregate {
    /// The aggregate called `name`, in any case.
    pub fn named(name: &str) -> Option<&'static Aggregate> {
        let is = |known: &&str| known.eq_ignore_ascii_case(name);
        AGGREGATES.iter().copied().find(|a| is(&a.name) || a.aliases.iter().any(is))
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
    lanes: &[Lane::Min],
    finish: |cells| finish::truth(cells, Lane::Min, true),
};

static FINITE_MIN: Aggregate = Aggregate {
    name: "finite_min",
    aliases: &[],
    signature: "finite_min(x)",
    doc: "Smallest value that is neither missing nor infinite.",
    example: "finite_min(x)",
    arguments: NUMBER,
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
    lanes: &[Lane::FiniteMax],
    finish: |cells| finish::extreme(cells, Lane::FiniteMax),
};
