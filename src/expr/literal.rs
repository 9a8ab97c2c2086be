//! Constants written in an expression.

use std::fmt::{self, Display, Write};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, ListArray, NullArray, StringArray,
    TimestampMicrosecondArray, TimestampNanosecondArray, UInt64Array, new_null_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, TimeUnit};
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime};

/// A constant.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number of 64 bits.
    Int(i64),
    /// A whole number beyond `i64`.
    Unsigned(u64),
    /// A real number.
    Float(f64),
    /// Text.
    Text(String),
    /// A date, or a date and time of day.
    Time {
        /// Since 1970-01-01T00:00, in `unit`: of UTC if `absolute`, else of the column's own clock.
        value: i64,
        /// Micro- or nanoseconds: the coarser one that holds the value exactly.
        unit: TimeUnit,
        /// Whether it was written with an offset from UTC.
        absolute: bool,
    },
    /// Several constants of one kind.
    List(Vec<Literal>),
}

impl Literal {
    /// A whole number, signed where that is possible.
    pub(super) fn unsigned(value: u64) -> Literal {
        i64::try_from(value).map_or(Literal::Unsigned(value), Literal::Int)
    }

    /// The number with the other sign; `None` if it is no number.
    pub(super) fn negated(&self) -> Option<Literal> {
        match self {
            Literal::Int(v) => Some(v.checked_neg().map_or(Literal::Unsigned(1 << 63), Literal::Int)),
            Literal::Unsigned(v) if *v == 1 << 63 => Some(Literal::Int(i64::MIN)),
            Literal::Unsigned(v) => Some(Literal::Float(-(*v as f64))),
            Literal::Float(v) => Some(Literal::Float(-v)),
            _ => None,
        }
    }

    /// Its type before it meets a column.
    pub(super) fn data_type(&self) -> DataType {
        match self {
            Literal::Null => DataType::Null,
            Literal::Bool(_) => DataType::Boolean,
            Literal::Int(_) => DataType::Int64,
            Literal::Unsigned(_) => DataType::UInt64,
            Literal::Float(_) => DataType::Float64,
            Literal::Text(_) => DataType::Utf8,
            Literal::Time { unit, absolute, .. } => {
                DataType::Timestamp(*unit, absolute.then(|| Arc::from("+00:00")))
            }
            Literal::List(items) => {
                let item = common(items).unwrap_or(DataType::Null);
                DataType::List(Arc::new(Field::new_list_field(item, true)))
            }
        }
    }

    /// An array of this one value.
    pub(super) fn array(&self) -> ArrayRef {
        match self {
            Literal::Null => Arc::new(NullArray::new(1)),
            Literal::Bool(v) => Arc::new(BooleanArray::from(vec![*v])),
            Literal::Int(v) => Arc::new(Int64Array::from(vec![*v])),
            Literal::Unsigned(v) => Arc::new(UInt64Array::from(vec![*v])),
            Literal::Float(v) => Arc::new(Float64Array::from(vec![*v])),
            Literal::Text(v) => Arc::new(StringArray::from(vec![v.as_str()])),
            Literal::Time { value, unit, absolute } => {
                let zone = absolute.then_some("+00:00");
                match unit {
                    TimeUnit::Nanosecond => {
                        Arc::new(TimestampNanosecondArray::from(vec![*value]).with_timezone_opt(zone))
                    }
                    _ => Arc::new(TimestampMicrosecondArray::from(vec![*value]).with_timezone_opt(zone)),
                }
            }
            Literal::List(items) => list_array(items),
        }
    }
}

/// The one type all items of a list can have; `None` if they are of different kinds.
pub(super) fn common(items: &[Literal]) -> Option<DataType> {
    let mut found = DataType::Null;
    for item in items {
        found = match (found, item.data_type()) {
            (found, DataType::Null) => found,
            (DataType::Null, next) => next,
            (a, b) if a == b => a,
            (DataType::Int64 | DataType::UInt64 | DataType::Float64, DataType::Float64)
            | (DataType::Float64, DataType::Int64 | DataType::UInt64)
            | (DataType::Int64, DataType::UInt64)
            | (DataType::UInt64, DataType::Int64) => DataType::Float64,
            (DataType::Timestamp(_, a), DataType::Timestamp(_, b)) if a == b => {
                DataType::Timestamp(TimeUnit::Nanosecond, a)
            }
            _ => return None,
        };
    }
    Some(found)
}

fn list_array(items: &[Literal]) -> ArrayRef {
    let item = common(items).unwrap_or(DataType::Null);
    let cells: Vec<ArrayRef> = items
        .iter()
        .map(|literal| {
            arrow::compute::cast(&literal.array(), &item).unwrap_or_else(|_| new_null_array(&item, 1))
        })
        .collect();
    let views: Vec<&dyn arrow::array::Array> = cells.iter().map(|a| a.as_ref()).collect();
    let values = arrow::compute::concat(&views).unwrap_or_else(|_| new_null_array(&item, items.len()));
    let field = Arc::new(Field::new_list_field(item, true));
    Arc::new(ListArray::new(field, OffsetBuffer::from_lengths([items.len()]), values, None))
}

impl Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Null => f.write_str("null"),
            Literal::Bool(v) => write!(f, "{v}"),
            Literal::Int(v) => write!(f, "{v}"),
            Literal::Unsigned(v) => write!(f, "{v}"),
            Literal::Float(v) if v.is_nan() => f.write_str("nan"),
            Literal::Float(v) if v.is_infinite() => f.write_str(if *v < 0.0 { "-inf" } else { "inf" }),
            Literal::Float(v) => write!(f, "{v:?}"),
            Literal::Text(v) => {
                f.write_char('\'')?;
                for c in v.chars() {
                    match c {
                        '\\' => f.write_str("\\\\")?,
                        '\'' => f.write_str("\\'")?,
                        '\n' => f.write_str("\\n")?,
                        '\t' => f.write_str("\\t")?,
                        '\r' => f.write_str("\\r")?,
                        '\0' => f.write_str("\\0")?,
                        c => f.write_char(c)?,
                    }
                }
                f.write_char('\'')
            }
            Literal::Time { value, unit, absolute } => {
                let per_second = if *unit == TimeUnit::Nanosecond { 1_000_000_000 } else { 1_000_000 };
                let nanos = value.rem_euclid(per_second) * (1_000_000_000 / per_second);
                let time = u32::try_from(nanos)
                    .ok()
                    .and_then(|nanos| DateTime::from_timestamp(value.div_euclid(per_second), nanos));
                let Some(time) = time else { return write!(f, "null") };
                let time = time.naive_utc();
                // Only four digits are read without quotes.
                let quote = if (0..=9999).contains(&time.year()) { "" } else { "'" };
                let format = match nanos {
                    _ if time.time() == NaiveTime::MIN && !absolute => "%Y-%m-%d",
                    0 => "%Y-%m-%dT%H:%M:%S",
                    _ => "%Y-%m-%dT%H:%M:%S%.f",
                };
                let zone = if *absolute { "Z" } else { "" };
                write!(f, "{quote}{}{zone}{quote}", time.format(format))
            }
            Literal::List(items) => {
                f.write_char('[')?;
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{item}")?;
                }
                f.write_char(']')
            }
        }
    }
}

/// A date or time as people write it, or `None`: `2015`, `2015-01`, `2015-01-31`, `2015-01-31T12:00`,
/// `2015-01-31 12:00:05.25`, with `Z` or an offset at the end if it is absolute.
pub(super) fn parse_time(text: &str) -> Option<Literal> {
    let text = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return time_literal(time.naive_utc(), true);
    }
    for format in ["%Y-%m-%dT%H:%M%:z", "%Y-%m-%d %H:%M%:z", "%Y-%m-%d %H:%M:%S%.f%:z"] {
        if let Ok(time) = DateTime::parse_from_str(text, format) {
            return time_literal(time.naive_utc(), true);
        }
    }
    let (text, absolute) = text.strip_suffix(['Z', 'z']).map_or((text, false), |rest| (rest, true));
    for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"] {
        if let Ok(time) = NaiveDateTime::parse_from_str(text, format) {
            return time_literal(time, absolute);
        }
    }
    if absolute {
        return None;
    }
    let year_month_day = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        _ => text.to_owned(),
    };
    let date = NaiveDate::parse_from_str(&year_month_day, "%Y-%m-%d").ok()?;
    time_literal(date.and_time(NaiveTime::MIN), false)
}

fn time_literal(time: NaiveDateTime, absolute: bool) -> Option<Literal> {
    let utc = time.and_utc();
    if utc.timestamp_subsec_nanos().is_multiple_of(1000) {
        Some(Literal::Time { value: utc.timestamp_micros(), unit: TimeUnit::Microsecond, absolute })
    } else {
        Some(Literal::Time { value: utc.timestamp_nanos_opt()?, unit: TimeUnit::Nanosecond, absolute })
    }
}
