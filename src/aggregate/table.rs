//! The aggregates there are: one line each in [`AGGREGATES`].

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::finish;
use super::lanes::{Lane, Lanes};
use super::values::numeric_kind;

/// What can be computed of the rows of a cell.
pub struct Aggregate {
    /// Its name in expressions such as `mean(fare)`.
    pub name: &'static str,
    /// Other names it answers to.
    pub aliases: &'static [&'static str],
    /// One sentence for a person.
    pub doc: &'static str,
    /// Whether it can do without a value, as `count` can.
    pub value_optional: bool,
    /// The statistics it is finished from.
    pub lanes: &'static [Lane],
    /// Whether it accepts values of this type.
    pub accepts: fn(&DataType) -> bool,
    /// The finished array, one value per cell of `0..cells`.
    pub(super) finish:
        fn(&Lanes, value: Option<usize>, value_type: Option<&DataType>, cells: usize) -> ArrayRef,
}

/// An aggregate of one of the values of a question.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// What is computed.
    pub aggregate: &'static Aggregate,
    /// Of which value, by position; `None` counts rows.
    pub value: Option<usize>,
}

impl Measured {
    /// The finished array over elements `0..cells` of `lanes`; null where a cell has no value.
    pub fn finish(&self, lanes: &Lanes, value_types: &[DataType], cells: usize) -> ArrayRef {
        (self.aggregate.finish)(lanes, self.value, self.value.map(|v| &value_types[v]), cells)
    }
}

impl Aggregate {
    /// The aggregate called `name`, in any case.
    pub fn named(name: &str) -> Option<&'static Aggregate> {
        let is = |known: &&str| known.eq_ignore_ascii_case(name);
        AGGREGATES.iter().copied().find(|a| is(&a.name) || a.aliases.iter().any(is))
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
    &FINITE_MIN,
    &FINITE_MAX,
];

fn is_numeric(data_type: &DataType) -> bool {
    numeric_kind(data_type).is_some()
}

fn is_summable(data_type: &DataType) -> bool {
    is_numeric(data_type) && (!data_type.is_temporal() || matches!(data_type, DataType::Duration(_)))
}

static COUNT: Aggregate = Aggregate {
    name: "count",
    aliases: &["n"],
    doc: "Rows, or with a value its non-missing values.",
    value_optional: true,
    lanes: &[Lane::Count],
    accepts: |_| true,
    finish: finish::count,
};

static SUM: Aggregate = Aggregate {
    name: "sum",
    aliases: &["total"],
    doc: "Sum of the non-missing values; integers exactly, 0 of none.",
    value_optional: false,
    lanes: &[Lane::Sum],
    accepts: is_summable,
    finish: finish::sum,
};

static MEAN: Aggregate = Aggregate {
    name: "mean",
    aliases: &["avg", "average"],
    doc: "Arithmetic mean of the non-missing values.",
    value_optional: false,
    lanes: &[Lane::Sum],
    accepts: is_numeric,
    finish: finish::mean,
};

static MIN: Aggregate = Aggregate {
    name: "min",
    aliases: &["minimum"],
    doc: "Smallest non-missing value, in its own type.",
    value_optional: false,
    lanes: &[Lane::Min],
    accepts: is_numeric,
    finish: |lanes, value, value_type, cells| finish::extreme(lanes, value, value_type, cells, Lane::Min),
};

static MAX: Aggregate = Aggregate {
    name: "max",
    aliases: &["maximum"],
    doc: "Largest non-missing value, in its own type.",
    value_optional: false,
    lanes: &[Lane::Max],
    accepts: is_numeric,
    finish: |lanes, value, value_type, cells| finish::extreme(lanes, value, value_type, cells, Lane::Max),
};

static FINITE_MIN: Aggregate = Aggregate {
    name: "finite_min",
    aliases: &[],
    doc: "Smallest value that is neither missing nor infinite.",
    value_optional: false,
    lanes: &[Lane::FiniteMin],
    accepts: is_numeric,
    finish: |lanes, value, value_type, cells| {
        finish::extreme(lanes, value, value_type, cells, Lane::FiniteMin)
    },
};

static FINITE_MAX: Aggregate = Aggregate {
    name: "finite_max",
    aliases: &[],
    doc: "Largest value that is neither missing nor infinite.",
    value_optional: false,
    lanes: &[Lane::FiniteMax],
    accepts: is_numeric,
    finish: |lanes, value, value_type, cells| {
        finish::extreme(lanes, value, value_type, cells, Lane::FiniteMax)
    },
};

static SD: Aggregate = Aggregate {
    name: "sd",
    aliases: &["std", "stddev", "stddev_pop"],
    doc: "Standard deviation of the non-missing values (divisor n).",
    value_optional: false,
    lanes: &[Lane::Moments],
    accepts: is_summable,
    finish: |lanes, value, _, cells| finish::spread(lanes, value, cells, 0, f64::sqrt),
};

static VARIANCE: Aggregate = Aggregate {
    name: "var",
    aliases: &["variance", "var_pop"],
    doc: "Variance of the non-missing values (divisor n).",
    value_optional: false,
    lanes: &[Lane::Moments],
    accepts: is_summable,
    finish: |lanes, value, _, cells| finish::spread(lanes, value, cells, 0, |variance| variance),
};

static SAMPLE_SD: Aggregate = Aggregate {
    name: "sd_sample",
    aliases: &["stddev_samp", "std_sample"],
    doc: "Standard deviation of the non-missing values as a sample (divisor n - 1).",
    value_optional: false,
    lanes: &[Lane::Moments],
    accepts: is_summable,
    finish: |lanes, value, _, cells| finish::spread(lanes, value, cells, 1, f64::sqrt),
};

static SAMPLE_VARIANCE: Aggregate = Aggregate {
    name: "var_sample",
    aliases: &["var_samp"],
    doc: "Variance of the non-missing values as a sample (divisor n - 1).",
    value_optional: false,
    lanes: &[Lane::Moments],
    accepts: is_summable,
    finish: |lanes, value, _, cells| finish::spread(lanes, value, cells, 1, |variance| variance),
};
