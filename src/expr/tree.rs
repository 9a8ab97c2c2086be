//! The typed tree.

use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::DataType;

use super::check;
use super::error::{ExprError, nearest};
use super::functions::{Function, function};
use super::literal::Literal;
use super::parse::parse;
use crate::data::Schema;

/// A typed expression over named columns.
///
/// Cheap to clone: parts are shared. Two are equal when their trees are, whatever text they came from.
#[derive(Clone)]
pub struct Expr(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) node: Node,
    pub(super) data_type: DataType,
    /// Numbers written in the text take the width of what they meet; see the type rules of the room.
    pub(super) weak: bool,
    /// Stands for the tree in comparisons: shared parts make the text of a tree exponentially long.
    digest: [u64; 2],
}

pub(super) enum Node {
    Column(String),
    Literal(Literal),
    Call(Call),
}

pub(super) struct Call {
    pub(super) function: &'static Function,
    pub(super) arguments: Vec<Expr>,
    /// Types the arguments are converted to before the function sees them.
    pub(super) parameters: Vec<DataType>,
}

impl Expr {
    /// Reads and types a text against the columns of `schema`.
    ///
    /// # Errors
    /// [`ExprError`] with the place of the first mistake.
    pub fn parse(text: &str, schema: &Schema) -> Result<Expr, ExprError> {
        check::typed(&parse(text)?, schema, text)
    }

    /// The column of exactly this name, whatever characters it has.
    ///
    /// # Errors
    /// [`ExprError`] when there is no such column.
    pub fn column(name: &str, schema: &Schema) -> Result<Expr, ExprError> {
        match schema.field(name) {
            Some(field) => Ok(Expr::new(Node::Column(name.to_owned()), field.data_type.clone(), false)),
            None => Err(ExprError {
                message: format!("there is no column {}", super::quote_name(name)),
                span: 0..name.len(),
                suggestion: nearest(name, schema.fields().iter().map(|f| f.name.as_str()))
                    .map(|found| super::quote_name(found).into_owned()),
            }),
        }
    }

    pub(super) fn literal(literal: Literal) -> Expr {
        let data_type = literal.data_type();
        let weak = matches!(literal, Literal::Int(_) | Literal::Unsigned(_) | Literal::Float(_));
        Expr::new(Node::Literal(literal), data_type, weak)
    }

    pub(super) fn new(node: Node, data_type: DataType, weak: bool) -> Expr {
        let mut digest = [0; 2];
        for (seed, half) in digest.iter_mut().enumerate() {
            let mut hasher = DefaultHasher::new();
            (seed, weak).hash(&mut hasher);
            match &node {
                Node::Column(name) => (0, name, &data_type).hash(&mut hasher),
                Node::Literal(literal) => (1, literal.to_string(), &data_type).hash(&mut hasher),
                Node::Call(call) => {
                    (2, call.function.name).hash(&mut hasher);
                    for argument in &call.arguments {
                        argument.0.digest.hash(&mut hasher);
                    }
                }
            }
            *half = hasher.finish();
        }
        Expr(Arc::new(Inner { node, data_type, weak, digest }))
    }

    /// Type of its values.
    pub fn data_type(&self) -> &DataType {
        &self.0.data_type
    }

    /// The columns it names, each once, in the order of first use.
    pub fn columns(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.visit(&mut Default::default(), &mut |expr| {
            if let Node::Column(name) = &expr.0.node
                && !found.contains(&name.as_str())
            {
                found.push(name.as_str());
            }
        });
        found
    }

    fn visit<'a>(&'a self, seen: &mut std::collections::HashSet<[u64; 2]>, f: &mut dyn FnMut(&'a Expr)) {
        if !seen.insert(self.0.digest) {
            return;
        }
        f(self);
        if let Node::Call(call) = &self.0.node {
            for argument in &call.arguments {
                argument.visit(seen, f);
            }
        }
    }

    /// Whether it names no column.
    pub fn is_constant(&self) -> bool {
        self.columns().is_empty()
    }

    /// The column it is, if it is nothing else.
    pub fn as_column(&self) -> Option<&str> {
        match &self.0.node {
            Node::Column(name) => Some(name),
            _ => None,
        }
    }

    pub(super) fn as_literal(&self) -> Option<&Literal> {
        match &self.0.node {
            Node::Literal(literal) => Some(literal),
            _ => None,
        }
    }

    pub(super) fn as_call(&self) -> Option<&Call> {
        match &self.0.node {
            Node::Call(call) => Some(call),
            _ => None,
        }
    }

    /// The same tree with columns replaced by what `f` says; a column it does not know stays. The
    /// replacement should have the column's type, else it is converted to what its place needs.
    pub fn substitute(&self, f: &dyn Fn(&str) -> Option<Expr>) -> Expr {
        self.substituted(f, &mut HashMap::new())
    }

    fn substituted(&self, f: &dyn Fn(&str) -> Option<Expr>, known: &mut HashMap<[u64; 2], Expr>) -> Expr {
        if let Some(found) = known.get(&self.0.digest) {
            return found.clone();
        }
        let result = match &self.0.node {
            Node::Literal(_) => self.clone(),
            Node::Column(name) => f(name).map_or_else(|| self.clone(), Expr::strong),
            Node::Call(call) => {
                let arguments: Vec<Expr> = call.arguments.iter().map(|a| a.substituted(f, known)).collect();
                let call = Call { function: call.function, arguments, parameters: call.parameters.clone() };
                Expr::new(Node::Call(call), self.0.data_type.clone(), self.0.weak)
            }
        };
        known.insert(self.0.digest, result.clone());
        result
    }

    /// A number that keeps its own width, as the column it stands for did.
    fn strong(self) -> Expr {
        let cast = match self.data_type() {
            DataType::Int64 if self.0.weak => "int64",
            DataType::UInt64 if self.0.weak => "uint64",
            DataType::Float64 if self.0.weak => "float64",
            _ => return self,
        };
        match function(cast) {
            Some(function) => {
                let (parameters, data_type) = (vec![self.data_type().clone()], self.data_type().clone());
                let call = Call { function, arguments: vec![self], parameters };
                Expr::new(Node::Call(call), data_type, false)
            }
            None => self,
        }
    }

    /// Both conditions at once: true where both are, false where one is false, else missing.
    pub fn and(self, other: Expr) -> Expr {
        Expr::truth("and", vec![self, other], vec![DataType::Boolean, DataType::Boolean])
    }

    /// The condition that a function of one argument, which it takes as it is, makes of `argument`.
    pub(super) fn condition(name: &str, argument: Expr) -> Expr {
        let data_type = argument.data_type().clone();
        Expr::truth(name, vec![argument], vec![data_type])
    }

    fn truth(name: &str, mut arguments: Vec<Expr>, parameters: Vec<DataType>) -> Expr {
        match function(name) {
            Some(function) => {
                let call = Call { function, arguments, parameters };
                Expr::new(Node::Call(call), DataType::Boolean, false)
            }
            None => arguments.swap_remove(0),
        }
    }

    pub(super) fn digest(&self) -> [u64; 2] {
        self.0.digest
    }
}

impl PartialEq for Expr {
    fn eq(&self, other: &Expr) -> bool {
        self.0.digest == other.0.digest
    }
}

impl Eq for Expr {}

impl Hash for Expr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.digest.hash(state);
    }
}

impl fmt::Debug for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expr({self}: {})", self.data_type())
    }
}
