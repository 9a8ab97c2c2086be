//! What a scan reads as codes in place of values: axes, and the clauses of a filter.
//!
//! Codes of an axis serve another axis of the same values when all its edges are among theirs: a part of the axis,
//! or wider bins. Each of their slots then lies in one slot of it, the one below its first edge and the one above its
//! last included, and a table leads from the one to the other. They serve a clause when what it lets pass is a set of
//! their slots. Narrower bins cannot be had of wider ones: which rows of a bin lie on either side of a new edge is
//! not known, and to look at these rows alone would read nearly every page of the column all the same.
//!
//! Codes of texts serve keys, as the dictionary they are, cells of a cube, and clauses that choose among values.

use std::sync::Arc;

use super::Question;
use super::brush::{inside, passing};
use super::codes::{AxisCodes, Codes, MOST_SLOTS, Serving};
use super::listed::{Listed, text_type};
use super::{Ask, Axis, Key, Layout};
use crate::aggregate::{Bins, Slotter};
use crate::data::Schema;
use crate::expr::{Expr, Program};
use crate::select::{Clause, Predicate};

/// The codes of one table, for one pass.
pub(super) struct TableCodes<'a> {
    codes: &'a Codes,
    layout: &'a Arc<Layout>,
    table: &'a Arc<str>,
    schema: &'a Schema,
    /// All axes of the pass, with resolved expressions.
    wanted: Vec<Axis>,
    /// Texts that are keys of the pass: their codes, known or to be learned.
    texts: Vec<(Expr, Arc<AxisCodes>)>,
}

/// Codes of texts, and which values they stand for.
pub(super) type ListedCodes = Serving<Arc<Listed>>;

/// Where the slots of an axis come from.
pub(super) enum SlotsFrom {
    /// From values; the codes are to be learned.
    Values(Option<Arc<AxisCodes>>),
    /// From codes.
    Codes(Arc<AxisCodes>, Slotter),
}

impl<'a> TableCodes<'a> {
    /// For a pass of `questions`, all on this table.
    pub(super) fn new(
        codes: &'a Codes,
        layout: &'a Arc<Layout>,
        table: &'a Arc<str>,
        schema: &'a Schema,
        questions: &[Question],
    ) -> TableCodes<'a> {
        let mut wanted: Vec<Axis> = Vec::new();
        let mut texts: Vec<(Expr, Arc<AxisCodes>)> = Vec::new();
        for question in questions {
            for text in texts_of(&question.ask).map(|expr| question.dataset.resolve(expr)) {
                if text_type(text.data_type()).is_some()
                    && texts.iter().all(|(known, _)| *known != text)
                    && !may_overflow(&text, schema)
                    && let Some(codes) = codes.of_values(layout, table, &text)
                {
                    texts.push((text, codes));
                }
            }
            for axis in axes_of(&question.ask) {
                let axis = Axis { expr: question.dataset.resolve(&axis.expr), bins: axis.bins.clone() };
                if !wanted.contains(&axis) {
                    wanted.push(axis);
                }
            }
        }
        let this = TableCodes { codes, layout, table, schema, wanted, texts };
        // Codes in files are known from here on, to filters too.
        for axis in &this.wanted {
            this.axis(&axis.expr, &axis.bins);
        }
        this
    }

    /// How to find the slots of an axis.
    pub(super) fn axis(&self, expr: &Expr, bins: &Bins) -> SlotsFrom {
        if may_overflow(expr, self.schema) {
            return SlotsFrom::Values(None);
        }
        if let Some((codes, listed)) = self.listed(expr) {
            return SlotsFrom::Codes(codes, Slotter::of_codes(Some(listed.slots().to_vec())));
        }
        if let Some((codes, slotter)) = self.slots(expr, bins) {
            return SlotsFrom::Codes(codes, slotter);
        }
        let is_finer = |axis: &Axis| {
            let slots = axis.bins.slots();
            slots > bins.slots() && slots <= MOST_SLOTS && slot_table(&axis.bins, bins).is_some()
        };
        if self.wanted.iter().any(|axis| axis.expr == *expr && is_finer(axis)) {
            return SlotsFrom::Values(None);
        }
        match self.codes.of(self.layout, self.table, expr, bins) {
            Some(codes) if codes.is_complete() => SlotsFrom::Codes(codes, Slotter::of_codes(None)),
            codes => SlotsFrom::Values(codes),
        }
    }

    /// Codes of `expr`, and how to find the slots of `bins` by them.
    pub(super) fn slots(&self, expr: &Expr, bins: &Bins) -> Option<Serving<Slotter>> {
        let serves = |known: &Bins| slot_table(known, bins);
        let (codes, table) = self.codes.serving(self.layout, self.table, expr, serves)?;
        let is_same = table.len() == bins.slots();
        Some((codes, Slotter::of_codes((!is_same).then_some(table))))
    }

    /// Codes of the texts of `expr`, if all are known.
    pub(super) fn listed(&self, expr: &Expr) -> Option<ListedCodes> {
        if let Some((_, codes)) = self.texts.iter().find(|(text, _)| text == expr) {
            return Some((codes.clone(), codes.listed()?.clone()));
        }
        text_type(expr.data_type())?;
        self.codes.listed(Some(self.layout), self.table, expr)
    }

    /// Codes of the texts of `expr`, where they are to be learned.
    pub(super) fn unlisted(&self, expr: &Expr) -> Option<Arc<AxisCodes>> {
        let (_, codes) = self.texts.iter().find(|(text, _)| text == expr)?;
        codes.listed().is_none().then(|| codes.clone())
    }

    /// Codes of texts, and of each whether it passes a clause that chooses among values.
    pub(super) fn chosen(&self, clause: &Clause) -> Option<Serving<Vec<bool>>> {
        let Predicate::Categories { expr, .. } = &clause.predicate else { return None };
        let (codes, listed) = self.listed(expr)?;
        let plain = Clause { inverted: false, ..clause.clone() };
        let chosen = passing(&plain, listed.values())?.iter().collect();
        Some((codes, chosen))
    }

    /// Codes of `expr` and which of their slots pass a clause of it, as intervals of slots.
    pub(super) fn passing(
        &self,
        expr: &Expr,
        passes: impl Fn(&Bins) -> Option<Vec<bool>>,
    ) -> Option<Serving<Vec<(f64, f64)>>> {
        let serves = |bins: &Bins| passes(bins).map(|slots| runs(&slots));
        self.codes.serving(self.layout, self.table, expr, serves)
    }
}

/// What does not fit its type is told of every row, and hence looked for in every scan.
fn may_overflow(expr: &Expr, schema: &Schema) -> bool {
    Program::compile(std::slice::from_ref(expr), schema).may_overflow()
}

/// Which slots of `bins` a predicate of one axis lets pass; `None` where they do not tell.
pub(super) fn slots_passing(predicate: &Predicate, bins: &Bins) -> Option<Vec<bool>> {
    match predicate {
        Predicate::Interval { lo, hi, .. } => inside(bins, &[(*lo, *hi)], false),
        Predicate::Intervals { intervals, missing, .. } => inside(bins, intervals, *missing),
        Predicate::Categories { expr, literals, missing, .. } if expr.data_type().is_integer() => {
            // A bin between two whole numbers that follow each other holds the first.
            let value = |literal: &String| literal.parse::<i32>().ok().map(f64::from);
            let alone = literals.iter().map(|literal| value(literal).map(|v| (v, v + 1.0)));
            inside(bins, &alone.collect::<Option<Vec<_>>>()?, *missing)
        }
        _ => None,
    }
}

fn keys_of(ask: &Ask) -> impl Iterator<Item = &Key> {
    let (active, ask) = ask.split();
    let keys: &[Key] = match ask {
        Ask::Groups { keys, .. } => keys,
        Ask::Grid { .. } | Ask::Index | Ask::Cube { .. } => &[],
    };
    active.iter().chain(keys)
}

fn axes_of(ask: &Ask) -> impl Iterator<Item = &Axis> {
    let plain: &[Axis] = match ask.split().1 {
        Ask::Grid { axes, .. } => axes,
        Ask::Groups { .. } | Ask::Index | Ask::Cube { .. } => &[],
    };
    let binned = keys_of(ask).filter_map(|key| match key {
        Key::Binned(axis) => Some(axis),
        Key::Value(_) => None,
    });
    binned.chain(plain)
}

fn texts_of(ask: &Ask) -> impl Iterator<Item = &Expr> {
    keys_of(ask).filter_map(|key| match key {
        Key::Value(expr) => Some(expr),
        Key::Binned(_) => None,
    })
}

/// The slot of `wanted` that holds each slot of `known`; `None` unless all edges of `wanted` are edges of `known`.
fn slot_table(known: &Bins, wanted: &Bins) -> Option<Vec<u32>> {
    let mut table = vec![wanted.under() as u32; known.slots()];
    let mut at = 0;
    let edges = known.edges();
    for (bin, &edge) in wanted.edges().iter().enumerate() {
        at += edges[at..].iter().position(|&known| known == edge)?;
        table[at..known.count()].fill(bin.min(wanted.over()) as u32);
    }
    table[known.over()] = wanted.over() as u32;
    table[known.missing()] = wanted.missing() as u32;
    Some(table)
}

/// The runs of slots that pass.
fn runs(passing: &[bool]) -> Vec<(f64, f64)> {
    let mut runs: Vec<(f64, f64)> = Vec::new();
    for slot in (0..passing.len()).filter(|&slot| passing[slot]) {
        let (from, to) = (slot as f64, slot as f64 + 1.0);
        match runs.last_mut() {
            Some((_, end)) if *end == from => *end = to,
            _ => runs.push((from, to)),
        }
    }
    runs
}
