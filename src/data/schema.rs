//! Names and types of columns.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, TimeUnit};

/// What a person may do with a type, coarser than [`DataType`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// True or false.
    Bool,
    /// Whole numbers, signed or not.
    Integer,
    /// Binary floating point.
    Float,
    /// Text, plain or dictionary-encoded.
    Text,
    /// A point in time: a date or a timestamp.
    Time,
    /// A length of time.
    Duration,
    /// Anything else: shown in the rows, offered on no axis.
    Other,
}

impl Kind {
    /// Whether values of this kind lie on a continuous, binned axis.
    pub fn is_ordinal(self) -> bool {
        matches!(self, Kind::Integer | Kind::Float | Kind::Time | Kind::Duration)
    }
}

/// The kind of a data type.
pub fn kind(data_type: &DataType) -> Kind {
    match data_type {
        DataType::Boolean => Kind::Bool,
        t if t.is_integer() => Kind::Integer,
        t if t.is_floating() => Kind::Float,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Kind::Text,
        DataType::Dictionary(_, values) => kind(values),
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => Kind::Time,
        DataType::Duration(_) => Kind::Duration,
        _ => Kind::Other,
    }
}

/// How many units of a type of times or durations make a second; 1 for any other type.
pub fn per_second(data_type: &DataType) -> f64 {
    match data_type {
        DataType::Timestamp(unit, _) | DataType::Duration(unit) => match unit {
            TimeUnit::Second => 1.0,
            TimeUnit::Millisecond => 1e3,
            TimeUnit::Microsecond => 1e6,
            TimeUnit::Nanosecond => 1e9,
        },
        DataType::Date32 => 1.0 / 86_400.0,
        DataType::Date64 => 1e3,
        DataType::Dictionary(_, values) => per_second(values),
        _ => 1.0,
    }
}

/// One column's name, type and what its file says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The name a person uses; any text.
    pub name: String,
    /// The type of the arrays read for it.
    pub data_type: DataType,
    /// Unit of measurement as written in the file, if any.
    pub unit: Option<String>,
    /// A sentence about it from the file, if any.
    pub description: Option<String>,
}

impl Field {
    /// A field with neither unit nor description.
    pub fn new(name: impl Into<String>, data_type: DataType) -> Field {
        Field { name: name.into(), data_type, unit: None, description: None }
    }

    /// The kind of its type.
    pub fn kind(&self) -> Kind {
        kind(&self.data_type)
    }
}

/// The columns of a table, in order; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    fields: Arc<Vec<Field>>,
    index: Arc<HashMap<String, usize>>,
    variables: Arc<Vec<(String, f64)>>,
}

impl Schema {
    /// A schema of these fields. Of several fields of one name the first is found by name.
    pub fn new(fields: Vec<Field>) -> Schema {
        let mut index = HashMap::with_capacity(fields.len());
        for (i, field) in fields.iter().enumerate() {
            index.entry(field.name.clone()).or_insert(i);
        }
        Schema { fields: Arc::new(fields), index: Arc::new(index), variables: Arc::default() }
    }

    /// The same columns, with these numbers known by name beside them.
    pub fn with_variables(self, variables: Vec<(String, f64)>) -> Schema {
        Schema { variables: Arc::new(variables), ..self }
    }

    /// Numbers known by name.
    pub fn variables(&self) -> &[(String, f64)] {
        &self.variables
    }

    /// The number known by this name.
    pub fn variable(&self, name: &str) -> Option<f64> {
        self.variables.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    /// All fields, in order.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Number of columns.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there are no columns.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Position of the column called `name`.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// The field called `name`.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.position(name).map(|i| &self.fields[i])
    }
}

/// Some rows of some columns.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// Which rows of the table these are.
    pub rows: Range<u64>,
    /// One array per column asked for, each of `rows.end - rows.start` values.
    pub columns: Vec<ArrayRef>,
}

impl Chunk {
    /// Number of rows.
    pub fn len(&self) -> usize {
        (self.rows.end - self.rows.start) as usize
    }

    /// Whether it holds no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}
