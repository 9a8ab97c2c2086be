//! A table as a person sees it: stored columns and virtual ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Source, ZONE_ROWS, Zones};
use crate::data::{Field, Schema};
use crate::expr::{Expr, ExprError, quote_name};

/// A virtual column: a name for an expression.
#[derive(Debug, Clone, PartialEq)]
pub struct VirtualColumn {
    /// Its name.
    pub name: String,
    /// Its text as the person wrote it.
    pub text: String,
    /// What it means, over stored and other virtual columns.
    pub expr: Expr,
}

/// A virtual column could not be defined.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DefineError {
    /// Its text does not parse or type-check.
    #[error("column `{name}`: {error}")]
    Text {
        /// Name of the column.
        name: String,
        /// What is wrong where.
        error: ExprError,
    },
    /// Its name is empty or that of a stored column.
    #[error("column `{name}`: {reason}")]
    Name {
        /// The name.
        name: String,
        /// Why it cannot be used.
        reason: &'static str,
    },
    /// A variable cannot be called so.
    #[error("variable `{name}`: {reason}")]
    Variable {
        /// The name.
        name: String,
        /// Why it cannot be used.
        reason: &'static str,
    },
    /// It would depend on itself.
    #[error("column `{}` would depend on itself: {}", cycle[0], cycle.join(" → "))]
    Cycle {
        /// Names from the column back to itself.
        cycle: Vec<String>,
    },
}

/// Stored columns of one [`Source`] and virtual columns over them. Immutable; cheap to derive from.
#[derive(Clone)]
pub struct Dataset {
    source: Arc<dyn Source>,
    zones: Arc<Zones>,
    virtuals: Arc<Vec<VirtualColumn>>,
    schema: Schema,
}

impl Dataset {
    /// The stored columns of `source` alone.
    pub fn new(source: Arc<dyn Source>) -> Dataset {
        let zones = Arc::new(Zones::new(source.as_ref(), ZONE_ROWS));
        let schema = source.schema().clone();
        Dataset { source, zones, virtuals: Arc::default(), schema }
    }

    /// The same columns over another source of the same schema, of which nothing is known.
    pub fn over(&self, source: Arc<dyn Source>) -> Dataset {
        let zones = Arc::new(Zones::new(source.as_ref(), ZONE_ROWS));
        Dataset { source, zones, ..self.clone() }
    }

    /// The same with nothing known of its zones, which are of at most `rows` rows.
    pub fn with_zones_of(&self, rows: u64) -> Dataset {
        Dataset { zones: Arc::new(Zones::new(self.source.as_ref(), rows)), ..self.clone() }
    }

    /// What is known of its stored columns, zone by zone.
    pub fn zones(&self) -> &Zones {
        &self.zones
    }

    /// Where the stored columns come from.
    pub fn source(&self) -> &Arc<dyn Source> {
        &self.source
    }

    /// All columns: the stored ones in file order, then the virtual ones.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Number of rows.
    pub fn row_count(&self) -> u64 {
        self.source.row_count()
    }

    /// The virtual columns, in order of definition.
    pub fn virtual_columns(&self) -> &[VirtualColumn] {
        &self.virtuals
    }

    /// Whether the column called `name` is virtual.
    pub fn is_virtual(&self, name: &str) -> bool {
        self.virtuals.iter().any(|column| column.name == name)
    }

    /// The table with these numbers known by name in every expression, in place of those before.
    ///
    /// # Errors
    /// [`DefineError`] for a name that cannot be written or a column has, and for a virtual column that used
    /// a name that is gone.
    pub fn with_variables(&self, variables: Vec<(String, f64)>) -> Result<Dataset, DefineError> {
        for (name, _) in &variables {
            let refuse = |reason| Err(DefineError::Variable { name: name.clone(), reason });
            if quote_name(name) != name.as_str() {
                return refuse("a variable is called by one plain word");
            }
            if self.schema.position(name).is_some() {
                return refuse("there is a column of this name");
            }
        }
        let schema = self.schema.clone().with_variables(variables);
        Dataset { schema, ..self.clone() }.rebuilt(self.texts())
    }

    /// The table with the virtual column `name` defined (or redefined) as `text`. Nothing is computed.
    ///
    /// # Errors
    /// [`DefineError`] for a bad name, a bad text, or a cycle.
    pub fn with_column(&self, name: &str, text: &str) -> Result<Dataset, DefineError> {
        self.with_columns([(name, text)])
    }

    /// As [`Dataset::with_column`] for several, each a name and a text, in whatever order one may use another.
    ///
    /// # Errors
    /// As [`Dataset::with_column`].
    pub fn with_columns<'a>(
        &self,
        definitions: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Dataset, DefineError> {
        let mut texts = self.texts();
        for (name, text) in definitions {
            let refuse = |reason| Err(DefineError::Name { name: name.to_owned(), reason });
            if name.trim().is_empty() {
                return refuse("a column needs a name");
            }
            if self.source.schema().field(name).is_some() {
                return refuse("the file has a column of this name");
            }
            if self.schema.variable(name).is_some() {
                return refuse("there is a variable of this name");
            }
            match texts.iter_mut().find(|(existing, _)| existing == name) {
                Some((_, existing)) => *existing = text.to_owned(),
                None => texts.push((name.to_owned(), text.to_owned())),
            }
        }
        self.rebuilt(texts)
    }

    /// The virtual columns as they were written.
    fn texts(&self) -> Vec<(String, String)> {
        self.virtuals.iter().map(|column| (column.name.clone(), column.text.clone())).collect()
    }

    /// The table without the virtual column `name`.
    ///
    /// # Errors
    /// [`DefineError::Text`] when another virtual column uses it.
    pub fn without_column(&self, name: &str) -> Result<Dataset, DefineError> {
        let mut texts = self.texts();
        texts.retain(|(other, _)| other != name);
        self.rebuilt(texts)
    }

    /// Types every virtual column anew: a redefinition may change the types of those over it.
    fn rebuilt(&self, texts: Vec<(String, String)>) -> Result<Dataset, DefineError> {
        let mut fields = self.source.schema().fields().to_vec();
        let with_variables = |fields| Schema::new(fields).with_variables(self.schema.variables().to_vec());
        let mut schema = with_variables(fields.clone());
        let mut typed: BTreeMap<&str, Expr> = BTreeMap::new();
        let mut waiting: Vec<&(String, String)> = texts.iter().collect();
        // Definitions may refer to later ones, so go by dependency.
        while !waiting.is_empty() {
            let mut errors = Vec::new();
            let before = waiting.len();
            waiting.retain(|(name, text)| match Expr::parse(text, &schema) {
                Ok(expr) => {
                    fields.push(Field::new(name, expr.data_type().clone()));
                    schema = with_variables(fields.clone());
                    typed.insert(name, expr);
                    false
                }
                Err(error) => {
                    errors.push(error);
                    true
                }
            });
            if waiting.len() == before {
                return Err(hindrance(&waiting, &errors));
            }
        }
        // Columns are listed in order of definition, whatever order typing took.
        let mut fields = self.source.schema().fields().to_vec();
        let mut columns = Vec::with_capacity(texts.len());
        for (name, text) in &texts {
            if let Some(expr) = typed.remove(name.as_str()) {
                fields.push(Field::new(name, expr.data_type().clone()));
                columns.push(VirtualColumn { name: name.clone(), text: text.clone(), expr });
            }
        }
        let schema = with_variables(fields);
        let (source, zones) = (self.source.clone(), self.zones.clone());
        Ok(Dataset { source, zones, virtuals: Arc::new(columns), schema })
    }

    /// `expr` over stored columns only: every virtual column replaced by what it means.
    pub fn resolve(&self, expr: &Expr) -> Expr {
        if self.virtuals.is_empty() {
            return expr.clone();
        }
        expr.substitute(&|name| {
            self.virtuals.iter().find(|column| column.name == name).map(|column| self.resolve(&column.expr))
        })
    }

    /// What tells this table and its virtual columns from every other.
    pub fn identity(&self) -> String {
        self.source.identity()
    }
}

/// Why none of these columns can be typed: they need each other in a circle, or one is wrong by itself.
fn hindrance(waiting: &[&(String, String)], errors: &[ExprError]) -> DefineError {
    // A column that is not there is what the error points at.
    let needed = |at: usize| {
        let place = waiting[at].1.get(errors[at].span.clone())?;
        let quoted = |name: &str| format!("`{}`", name.replace('`', "``"));
        waiting.iter().position(|(name, _)| place == name || place == quoted(name))
    };
    let mut path = vec![0];
    loop {
        let at = path[path.len() - 1];
        let Some(next) = needed(at) else {
            return DefineError::Text { name: waiting[at].0.clone(), error: errors[at].clone() };
        };
        if let Some(start) = path.iter().position(|&known| known == next) {
            let cycle = path[start..].iter().chain([&next]).map(|&at| waiting[at].0.clone()).collect();
            return DefineError::Cycle { cycle };
        }
        path.push(next);
    }
}

impl std::fmt::Debug for Dataset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dataset({}, {} columns)", self.identity(), self.schema.len())
    }
}
