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
        Dataset { schema, ..self.clone() }.rebuilt(self.virtuals.as_ref().clone())
    }

    /// The table with the virtual column `name` defined (or redefined) as `text`. Nothing is computed.
    ///
    /// # Errors
    /// [`DefineError`] for a bad name, a bad text, or a cycle.
    pub fn with_column(&self, name: &str, text: &str) -> Result<Dataset, DefineError> {
        let refuse = |reason| DefineError::Name { name: name.to_owned(), reason };
        if name.trim().is_empty() {
            return Err(refuse("a column needs a name"));
        }
        if self.source.schema().field(name).is_some() {
            return Err(refuse("the file has a column of this name"));
        }
        if self.schema.variable(name).is_some() {
            return Err(refuse("there is a variable of this name"));
        }
        let expr = Expr::parse(text, &self.schema)
            .map_err(|error| DefineError::Text { name: name.to_owned(), error })?;
        if let Some(cycle) = self.cycle_through(name, &expr) {
            return Err(DefineError::Cycle { cycle });
        }
        let column = VirtualColumn { name: name.to_owned(), text: text.to_owned(), expr };
        let mut virtuals = self.virtuals.as_ref().clone();
        match virtuals.iter_mut().find(|existing| existing.name == name) {
            Some(existing) => *existing = column,
            None => virtuals.push(column),
        }
        self.rebuilt(virtuals)
    }

    /// The table without the virtual column `name`.
    ///
    /// # Errors
    /// [`DefineError::Text`] when another virtual column uses it.
    pub fn without_column(&self, name: &str) -> Result<Dataset, DefineError> {
        let virtuals = self.virtuals.iter().filter(|column| column.name != name).cloned().collect();
        self.rebuilt(virtuals)
    }

    /// Types every virtual column anew: a redefinition may change the types of those over it.
    fn rebuilt(&self, virtuals: Vec<VirtualColumn>) -> Result<Dataset, DefineError> {
        let mut fields = self.source.schema().fields().to_vec();
        let with_variables = |fields| Schema::new(fields).with_variables(self.schema.variables().to_vec());
        let mut schema = with_variables(fields.clone());
        let mut typed: BTreeMap<String, Expr> = BTreeMap::new();
        let mut waiting: Vec<&VirtualColumn> = virtuals.iter().collect();
        // Definitions may refer to later ones after a redefinition, so go by dependency.
        while !waiting.is_empty() {
            let mut first_error = None;
            let before = waiting.len();
            waiting.retain(|column| match Expr::parse(&column.text, &schema) {
                Ok(expr) => {
                    fields.push(Field::new(&column.name, expr.data_type().clone()));
                    schema = with_variables(fields.clone());
                    typed.insert(column.name.clone(), expr);
                    false
                }
                Err(error) => {
                    first_error.get_or_insert(DefineError::Text { name: column.name.clone(), error });
                    true
                }
            });
            if waiting.len() == before
                && let Some(error) = first_error
            {
                return Err(error);
            }
        }
        // Columns are listed in order of definition, whatever order typing took.
        let mut fields = self.source.schema().fields().to_vec();
        let mut columns = Vec::with_capacity(virtuals.len());
        for column in virtuals {
            if let Some(expr) = typed.remove(&column.name) {
                fields.push(Field::new(&column.name, expr.data_type().clone()));
                columns.push(VirtualColumn { expr, ..column });
            }
        }
        let schema = with_variables(fields);
        let (source, zones) = (self.source.clone(), self.zones.clone());
        Ok(Dataset { source, zones, virtuals: Arc::new(columns), schema })
    }

    /// The names from `name` back to itself, if defining it as `expr` closed a circle.
    fn cycle_through(&self, name: &str, expr: &Expr) -> Option<Vec<String>> {
        fn walk(dataset: &Dataset, name: &str, expr: &Expr, path: &mut Vec<String>) -> bool {
            for used in expr.columns() {
                path.push(used.to_owned());
                let through = dataset.virtuals.iter().find(|column| column.name == used);
                if used == name || through.is_some_and(|column| walk(dataset, name, &column.expr, path)) {
                    return true;
                }
                path.pop();
            }
            false
        }
        let mut path = vec![name.to_owned()];
        walk(self, name, expr, &mut path).then_some(path)
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

impl std::fmt::Debug for Dataset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dataset({}, {} columns)", self.identity(), self.schema.len())
    }
}
