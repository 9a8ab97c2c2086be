//! What a view remembers between frames that is no part of the session.

use std::sync::Arc;

use super::brushing::Brushing;
use super::heatmap::Picture;
use super::rows::Position;
use crate::export::Spread;
use crate::expr::Expr;
use crate::query::{Answer, Axis, Brush, Estimate, Overflow};

/// What one view remembers between frames. Forgetting it loses nothing a person made.
#[derive(Default)]
pub struct ViewState {
    /// The brush being dragged.
    pub(super) brushing: Brushing,
    /// Least and greatest value of the axis of values, or of the colours; kept during a drag.
    pub(super) values: Option<(f64, f64)>,
    /// How its values are spread over the colours; kept during a drag.
    pub(super) spread: Option<Spread>,
    /// Since when its answer is stale, in the window's time.
    pub(super) stale_since: Option<f64>,
    /// When it was zoomed last, and was not zoomed before that for a while.
    pub(super) zoomed: Option<f64>,
    /// Its axes as last cut.
    pub(super) axes: Vec<Axis>,
    /// The key whose values its lines or bars are, where a brush may be prepared for them.
    pub(super) key: Option<Expr>,
    /// Whether its lines stand for tuples of several keys, which no brush is prepared for.
    pub(super) has_tuples: bool,
    /// Where they end.
    pub(super) known: super::axes::Known,
    /// Whether each leaves out half a per cent of the rows at either end.
    pub(super) is_middle: [bool; 2],
    /// Where its picture was painted last.
    pub(super) plot: Option<egui::Rect>,
    /// The bar its menu was opened on.
    pub(super) menu: Option<super::bin_menu::Bar>,
    /// Whether the hand draws a lasso on a heatmap rather than a rectangle.
    pub(super) lasso: bool,
    /// The picture of a heatmap.
    pub(super) picture: Option<Picture>,
    /// Place in the rows.
    pub(super) position: Position,
    /// What is typed into the header's fields.
    pub(super) typed: super::header::Typed,
    /// What is typed into its settings.
    pub(super) settings: super::inspector::Typed,
    /// Whether what it shows is filtered at all.
    pub(super) is_filtered: bool,
    /// What is known of what it shows where that comes from a sample.
    pub(super) estimate: Option<Arc<Estimate>>,
    /// The expressions it shows of which values overflowed their type.
    pub(super) overflowed: Vec<Overflow>,
    /// What it shows exactly: its own answer, and that of all rows.
    pub(super) shown: Option<Shown>,
}

/// The answers a view's picture is made of.
#[derive(Clone)]
pub struct Shown {
    /// Under all filters but its own.
    pub selected: Arc<Answer>,
    /// Of all rows, where that is painted behind.
    pub all: Option<Arc<Answer>>,
}

impl ViewState {
    /// Whether a brush is being dragged in this view.
    pub fn is_brushing(&self) -> bool {
        self.brushing.is_active()
    }

    /// Its axes as last cut; empty until the extent is known.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// The brush a hand over it would drag.
    pub fn brush(&self) -> Option<Brush> {
        match &self.key {
            Some(key) => Some(Brush::over_values(key)),
            None if self.has_tuples => None,
            None => Brush::over(&self.axes),
        }
    }

    /// Where its picture was painted last.
    pub fn plot(&self) -> Option<egui::Rect> {
        self.plot
    }

    /// Forgets where it was painted.
    pub fn leave(&mut self) {
        self.plot = None;
    }

    /// The answers its picture is made of.
    pub fn shown(&self) -> Option<&Shown> {
        self.shown.as_ref()
    }

    /// Share of the rows read, in `0.0..=1.0`, where what it shows is an estimate.
    pub fn estimated(&self) -> Option<f64> {
        self.estimate.as_ref().map(|estimate| estimate.share())
    }

    /// The first row it shows, of those that pass.
    pub fn first_row(&self) -> u64 {
        self.position.first
    }

    /// Least and greatest value of its axis of values.
    pub fn values(&self) -> Option<(f64, f64)> {
        self.values
    }
}
