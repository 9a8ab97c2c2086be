//! What a benchmark asks and is answered, as JSON.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Version of the contract.
pub(super) const CONTRACT: u64 = 1;

/// The file of operations.
#[derive(Debug, Deserialize)]
pub(super) struct Request {
    pub(super) contract: u64,
    pub(super) ops: Vec<Value>,
}

/// One operation. Fields that only describe it are not read.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Op {
    Open,
    Hist(Hist),
    Minmax {
        expr: String,
    },
    Groupby {
        keys: Vec<String>,
        aggs: Vec<Aggregation>,
        #[serde(default)]
        filter: Option<String>,
        #[serde(default)]
        top: Option<Top>,
    },
    Nunique {
        expr: String,
    },
    Quantile {
        expr: String,
        q: Vec<f64>,
    },
    Scene {
        brush: String,
        brushes: Vec<[f64; 2]>,
        views: Vec<SceneView>,
    },
}

/// A histogram over one or two axes.
#[derive(Debug, Deserialize)]
pub(super) struct Hist {
    pub(super) axes: Vec<HistAxis>,
    pub(super) agg: Aggregation,
    #[serde(default)]
    pub(super) filter: Option<String>,
}

/// Equal bins over `[lo, hi)`.
#[derive(Debug, Deserialize)]
pub(super) struct HistAxis {
    pub(super) expr: String,
    pub(super) lo: f64,
    pub(super) hi: f64,
    pub(super) bins: usize,
}

/// An aggregate, and its name in the result.
#[derive(Debug, Deserialize)]
pub(super) struct Aggregation {
    #[serde(rename = "fn")]
    pub(super) function: String,
    #[serde(default)]
    pub(super) expr: Option<String>,
    #[serde(default, rename = "as")]
    pub(super) name: Option<String>,
}

impl Aggregation {
    /// As it is written in the expression language.
    pub(super) fn text(&self) -> String {
        match &self.expr {
            Some(expr) => format!("{}({expr})", self.function),
            None => self.function.clone(),
        }
    }
}

/// The first `n` groups by the column `by`, the largest first.
#[derive(Debug, Deserialize)]
pub(super) struct Top {
    pub(super) by: String,
    pub(super) n: usize,
}

/// One histogram of a scene.
#[derive(Debug, Deserialize)]
pub(super) struct SceneView {
    pub(super) id: String,
    #[serde(flatten)]
    pub(super) hist: Hist,
}

/// Everything printed.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) contract: u64,
    pub(super) program: &'static str,
    pub(super) version: &'static str,
    pub(super) threads: usize,
    pub(super) rows: u64,
    pub(super) ops: Vec<OpReport>,
}

/// What became of one operation.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum OpReport {
    /// It was done.
    Done {
        id: String,
        /// Seconds of the first run.
        first: f64,
        /// Seconds of every further run.
        runs: Vec<f64>,
        /// Of the first run.
        result: Map<String, Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<&'static str>,
    },
    /// It was not.
    Error { id: String, error: String },
}
