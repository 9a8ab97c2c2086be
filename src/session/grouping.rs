//! A table of groups: its keys, what is computed of each group, which are listed, and what a group is called.

use std::sync::Arc;

use arrow::array::ArrayRef;
use serde::{Deserialize, Serialize};

use super::figure::number_text;
use super::{AxisSpec, Brushed, PredicateSpec};
use crate::aggregate::{SlotKind, to_f64};
use crate::data::{Kind, format_value, kind};
use crate::dataset::Dataset;
use crate::expr::Expr;
use crate::query::{Ask, Axis, GroupKey, Groups, Having, Key, Listing, Measure, Order};

/// Groups listed unless the table says otherwise.
const MOST_GROUPS: usize = 1000;
/// Bins of a key that is cut, unless it says otherwise.
pub const KEY_BINS: usize = 20;

/// What a table of groups lists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grouping {
    /// The keys, slowest first. One with a number or a width of bins is cut into them; of any other, every
    /// value is a group.
    #[serde(default)]
    pub keys: Vec<AxisSpec>,
    /// What is computed of every group, as `count` or `mean(fare)`.
    #[serde(default)]
    pub measures: Vec<String>,
    /// The measure sorted by; without it, and where it is equal, groups are in the order of their keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<GroupOrder>,
    /// Only groups for which this is true, as `count > 10`; blank for all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub having: String,
    /// Most groups listed; the others are told together.
    #[serde(default = "most_groups")]
    pub limit: usize,
}

/// An order of groups by a measure. Missing values and NaN come last either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupOrder {
    /// Its position among the measures.
    pub measure: usize,
    /// From the largest.
    pub descending: bool,
}

fn most_groups() -> usize {
    MOST_GROUPS
}

/// What a key of one group is.
#[derive(Debug, Clone, PartialEq)]
pub enum KeyValue {
    /// One value, as text.
    Value(String),
    /// The values from the first to below the second; an infinite end is no end.
    Interval(f64, f64),
    /// NaN, where every value is a group.
    NotANumber,
    /// Null; of a key that is cut, NaN too.
    Missing,
}

impl Grouping {
    /// Groups by `keys`, counted, those of most rows first.
    pub fn by(keys: Vec<AxisSpec>) -> Grouping {
        Grouping {
            keys,
            measures: vec!["count".to_owned()],
            order: Some(GroupOrder { measure: 0, descending: true }),
            having: String::new(),
            limit: MOST_GROUPS,
        }
    }

    /// The keys that are cut into bins.
    pub fn cut_keys(&self) -> impl Iterator<Item = &AxisSpec> {
        self.keys.iter().filter(|key| is_cut(key))
    }

    /// Adds a key unless it is one: numbers that need not be whole, and times, are cut into bins.
    pub fn add_key(&mut self, text: String, expr: &Expr) {
        if self.keys.iter().any(|key| key.expr == text) {
            return;
        }
        let bins = matches!(kind(expr.data_type()), Kind::Float | Kind::Time).then_some(KEY_BINS);
        self.keys.push(AxisSpec { bins, ..AxisSpec::telling(text) });
    }

    /// Takes a measure out, and the order by it.
    pub fn remove_measure(&mut self, at: usize) {
        self.measures.remove(at);
        self.order = self
            .order
            .filter(|order| order.measure != at)
            .map(|order| GroupOrder { measure: order.measure - usize::from(order.measure > at), ..order });
    }

    /// What is asked for the groups listed. `axes` are those of the keys that are cut.
    ///
    /// # Errors
    /// A sentence: there is no key, or a key, a measure or the condition is no expression.
    pub fn ask(&self, dataset: &Arc<Dataset>, axes: &[Axis]) -> Result<Ask, String> {
        let measures = self.parsed(dataset)?;
        let having = match self.having.trim() {
            "" => None,
            text => Some(Having::parse(text, &measures).map_err(|error| error.message)?),
        };
        let order = self.order.filter(|order| order.measure < measures.len());
        let order = order.map(|order| Order { measure: order.measure, descending: order.descending });
        let listing = Listing { having, order, limit: Some(self.limit), other: true };
        Ok(Ask::Groups { keys: self.asked_keys(dataset, axes)?, measures, listing })
    }

    /// As [`Grouping::ask`] for every group, in the order of the keys: brushes elsewhere are prepared for.
    ///
    /// # Errors
    /// As there.
    pub fn ask_all(&self, dataset: &Arc<Dataset>, axes: &[Axis]) -> Result<Ask, String> {
        let keys = self.asked_keys(dataset, axes)?;
        Ok(Ask::Groups { keys, measures: self.parsed(dataset)?, listing: Listing::default() })
    }

    /// Whether all groups of the table are so few that they are listed anyway.
    pub fn lists_all(&self, groups: &Groups) -> bool {
        self.having.trim().is_empty() && groups.found <= self.limit as u64
    }

    fn parsed(&self, dataset: &Arc<Dataset>) -> Result<Vec<Measure>, String> {
        self.measures.iter().map(|text| Measure::parse(text, dataset)).collect()
    }

    fn asked_keys(&self, dataset: &Arc<Dataset>, axes: &[Axis]) -> Result<Vec<Key>, String> {
        let mut axes = axes.iter();
        let key = |key: &AxisSpec| match is_cut(key) {
            true => axes.next().cloned().map(Key::Binned).ok_or_else(|| format!("{}: no bins yet", key.expr)),
            false => Expr::parse(&key.expr, dataset.schema())
                .map(Key::Value)
                .map_err(|error| format!("{}: {error}", key.expr)),
        };
        let keys: Vec<Key> = self.keys.iter().map(key).collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Err("Drop a column here to group by it.".to_owned());
        }
        Ok(keys)
    }

    /// The positions of the groups in the order wanted.
    pub fn ordered(&self, groups: &Groups) -> Vec<usize> {
        let mut order: Vec<usize> = (0..groups.len()).collect();
        let Some((by, values)) = self.order.and_then(|by| Some((by, groups.measures.get(by.measure)?)))
        else {
            return order;
        };
        let values = to_f64(values);
        order.sort_by(|&a, &b| {
            let (a, b) = (values[a], values[b]);
            let ascending = a.total_cmp(&b);
            let wanted = if by.descending { ascending.reverse() } else { ascending };
            a.is_nan().cmp(&b.is_nan()).then(if a.is_nan() { std::cmp::Ordering::Equal } else { wanted })
        });
        order
    }

    /// The filter to one group.
    pub fn predicate(&self, dataset: &Dataset, groups: &Groups, group: usize) -> Option<PredicateSpec> {
        let exprs = self.keys.iter().map(|key| Expr::parse(&key.expr, dataset.schema()).ok());
        let exprs: Vec<Expr> = exprs.collect::<Option<_>>()?;
        if let ([key], [parsed]) = (self.keys.as_slice(), exprs.as_slice())
            // Values of a list can be counted off only where equal values look alike: NaN never equals.
            && (is_cut(key) || kind(parsed.data_type()) != Kind::Float)
        {
            let expr = key.expr.clone();
            return Some(match key_value(groups.keys.first()?, group) {
                KeyValue::NotANumber => return None,
                KeyValue::Interval(lo, hi) => Brushed::interval(lo, hi).predicate(&expr),
                KeyValue::Missing if is_cut(key) => Brushed::missing().predicate(&expr),
                KeyValue::Missing => PredicateSpec::Categories { expr, values: Vec::new(), missing: true },
                KeyValue::Value(text) => {
                    PredicateSpec::Categories { expr, values: vec![text], missing: false }
                }
            });
        }
        let conditions = exprs.iter().zip(&groups.keys);
        let conditions: Vec<String> =
            conditions.map(|(expr, values)| condition(expr, &key_value(values, group), values)).collect();
        let keys = self.keys.iter().map(|key| key.expr.clone()).collect();
        Some(PredicateSpec::Groups { keys, conditions: vec![conditions.join(" and ")] })
    }
}

/// Whether a key is cut into bins.
pub fn is_cut(key: &AxisSpec) -> bool {
    key.bins.is_some() || key.width.is_some()
}

/// What a key of a group is.
pub fn key_value(key: &GroupKey, group: usize) -> KeyValue {
    match key {
        GroupKey::Values(values) => match format_value(values, group) {
            None => KeyValue::Missing,
            Some(_) if is_nan(values, group) => KeyValue::NotANumber,
            Some(text) => KeyValue::Value(text),
        },
        GroupKey::Slots { bins, slots } => match bins.slot_kind(slots[group]) {
            SlotKind::Bin(bin) => KeyValue::Interval(bins.edges()[bin], bins.edges()[bin + 1]),
            SlotKind::Over => KeyValue::Interval(bins.hi(), f64::INFINITY),
            SlotKind::Under => KeyValue::Interval(f64::NEG_INFINITY, bins.lo()),
            SlotKind::Missing => KeyValue::Missing,
        },
    }
}

/// What a key of a group is called; `None` for missing.
pub fn key_text(expr: &Expr, value: &KeyValue) -> Option<String> {
    let number = |value: f64| number_text(value, expr.data_type());
    match value {
        KeyValue::Missing => None,
        KeyValue::NotANumber => Some("NaN".to_owned()),
        KeyValue::Value(text) if text.is_empty() => Some("(empty)".to_owned()),
        KeyValue::Value(text) => Some(text.clone()),
        KeyValue::Interval(lo, hi) if lo.is_infinite() => Some(format!("< {}", number(*hi))),
        KeyValue::Interval(lo, hi) if hi.is_infinite() => Some(format!("≥ {}", number(*lo))),
        KeyValue::Interval(lo, hi) => Some(format!("{} … {}", number(*lo), number(*hi))),
    }
}

fn is_nan(values: &ArrayRef, at: usize) -> bool {
    kind(values.data_type()) == Kind::Float && to_f64(&values.slice(at, 1))[0].is_nan()
}

/// A condition that is true of exactly the rows with this value of a key.
fn condition(expr: &Expr, value: &KeyValue, key: &GroupKey) -> String {
    let type_of = kind(expr.data_type());
    let value_of = if expr.as_column().is_some() { expr.to_string() } else { format!("({expr})") };
    let number = |value: f64| {
        let text = number_text(value, expr.data_type());
        if type_of == Kind::Time { quoted(&text) } else { text }
    };
    match value {
        KeyValue::Missing if matches!(key, GroupKey::Slots { .. }) => format!("isna({expr})"),
        KeyValue::Missing => format!("ismissing({expr})"),
        KeyValue::NotANumber => format!("isnan({expr})"),
        KeyValue::Value(text) => {
            let literal = if type_of == Kind::Text { quoted(text) } else { text.clone() };
            format!("{value_of} == {literal}")
        }
        KeyValue::Interval(lo, hi) => {
            let from = lo.is_finite().then(|| format!("{value_of} >= {}", number(*lo)));
            let below = hi.is_finite().then(|| format!("{value_of} < {}", number(*hi)));
            from.into_iter().chain(below).collect::<Vec<_>>().join(" and ")
        }
    }
}

/// A string literal of the expression language.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
