//! Axes: from values to places, ticks and their labels.

use super::canvas::{Align, Canvas, Ink, Rect, text_width};
use super::chart::{AxisKind, AxisLabel, OffAxis};
use crate::data::ticks::{labels, log_labels, log_ticks, ticks, time_context, time_ticks};
use crate::data::{group_digits, si};

/// Height of the tick labels below a plot.
pub(super) const TICK_ROW: f32 = 18.0;
/// Height of a line of labels above or below a plot.
pub(super) const LABEL_ROW: f32 = 17.0;
pub(super) const TICK_SIZE: f32 = 11.0;
pub(super) const LABEL_SIZE: f32 = 11.5;
const TICK_LENGTH: f32 = 4.0;
const LABEL_GAP: f32 = 8.0;

/// A stretch of values on a stretch of the picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    lo: f64,
    hi: f64,
    log: bool,
    start: f32,
    end: f32,
}

impl Scale {
    pub(super) fn new(kind: AxisKind, lo: f64, hi: f64, start: f32, end: f32) -> Scale {
        let log = kind == AxisKind::Log;
        let bend = |value: f64| if log { value.log10() } else { value };
        Scale { lo: bend(lo), hi: bend(hi), log, start, end }
    }

    fn share(&self, value: f64) -> f64 {
        let value = if self.log { value.max(f64::MIN_POSITIVE).log10() } else { value };
        (value - self.lo) / (self.hi - self.lo)
    }

    /// The place of a value; beyond the ends, the nearer end.
    pub(super) fn at(&self, value: f64) -> f32 {
        let share = self.share(value);
        let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
        self.start + (f64::from(self.end - self.start) * share) as f32
    }

    /// The bin of `edges` at a share of the stretch.
    pub(super) fn bin_at(&self, share: f64, edges: &[f64]) -> usize {
        let value = self.lo + (self.hi - self.lo) * share;
        let value = if self.log { 10_f64.powf(value) } else { value };
        edges.partition_point(|edge| *edge <= value).saturating_sub(1).min(edges.len().saturating_sub(2))
    }
}

/// Ticks of an axis of about `target` labels, and the date none of them says.
pub(super) fn axis_ticks(
    kind: AxisKind,
    lo: f64,
    hi: f64,
    target: usize,
) -> (Vec<(f64, String)>, Option<String>) {
    let zip = |values: Vec<f64>, texts: Vec<String>| values.into_iter().zip(texts).collect();
    match kind {
        AxisKind::Number => {
            let values = ticks(lo, hi, target);
            let texts = labels(&values);
            (zip(values, texts), None)
        }
        AxisKind::Log => {
            let values = log_ticks(lo, hi, target);
            let texts = if (hi / lo).log10() < 1.0 { labels(&values) } else { log_labels(&values) };
            (zip(values, texts), None)
        }
        AxisKind::Time { unit_ns } => {
            let unit = unit_ns.max(1) as f64;
            // Casting saturates, which is right at the ends of time.
            let (lo, hi) = ((lo * unit) as i64, (hi * unit) as i64);
            let found = time_ticks(lo, hi, target);
            (
                found.into_iter().map(|(ns, text)| (ns as f64 / unit, text)).collect(),
                time_context(lo, hi, target),
            )
        }
    }
}

pub(super) fn tick_ink(canvas: &Canvas<'_>) -> Ink {
    Ink { size: TICK_SIZE, bold: false, color: canvas.palette.muted }
}

pub(super) fn label_ink(canvas: &Canvas<'_>) -> Ink {
    Ink { size: LABEL_SIZE, bold: false, color: canvas.palette.muted }
}

/// Draws the axis below `plot`: line, ticks, labels kept inside `bounds`, its name at the left and
/// the first of `notes` that fits at the right of the row below.
pub(super) fn x_axis(
    canvas: &mut Canvas<'_>,
    plot: Rect,
    bounds: Rect,
    axis: &AxisLabel,
    range: [f64; 2],
    notes: &[String],
) {
    let palette = canvas.palette;
    canvas.horizontal(plot.left, plot.right, plot.bottom, palette.hairline);
    let scale = Scale::new(axis.kind, range[0], range[1], plot.left, plot.right);
    let room = match axis.kind {
        AxisKind::Time { .. } => 78.0,
        _ => 64.0,
    };
    let target = ((plot.width() / room) as usize).max(2);
    let (found, context) = axis_ticks(axis.kind, range[0], range[1], target);
    let ink = tick_ink(canvas);
    let mut free_from = f32::NEG_INFINITY;
    for (value, text) in found {
        let x = scale.at(value);
        canvas.vertical(x.min(plot.right - 1.0), plot.bottom, plot.bottom + TICK_LENGTH, palette.hairline);
        let width = text_width(&text, ink);
        let left = (x - width / 2.0).min(bounds.right - width).max(bounds.left);
        if left >= free_from {
            canvas.text(&text, left, plot.bottom + TICK_LENGTH + 11.0, Align::Left, ink);
            free_from = left + width + LABEL_GAP;
        }
    }
    let name = match context {
        Some(date) => format!("{} · {date}", axis.text()),
        None => axis.text(),
    };
    let baseline = plot.bottom + TICK_ROW + 13.0;
    let ink = label_ink(canvas);
    let room = bounds.right - plot.left;
    let room = (room - text_width(&name, ink) - 2.0 * LABEL_GAP).max(room * 0.5);
    let fitting = notes.iter().find(|text| text_width(text, ink) <= room).or(notes.last());
    let notes_width =
        fitting.map_or(0.0, |text| canvas.text_within(text, bounds.right, baseline, room, Align::Right, ink));
    let gap = if notes_width > 0.0 { 2.0 * LABEL_GAP } else { 0.0 };
    let width = bounds.right - plot.left - notes_width - gap;
    let ink = Ink { color: palette.text, ..ink };
    canvas.text_within(&name, plot.left, baseline, width, Align::Left, ink);
}

/// Labels of a vertical axis and the width they need.
pub(super) struct YLabels {
    pub(super) ticks: Vec<(f64, String)>,
    pub(super) width: f32,
}

impl YLabels {
    pub(super) fn new(canvas: &Canvas<'_>, kind: AxisKind, range: [f64; 2], height: f32) -> YLabels {
        let (ticks, _) = axis_ticks(kind, range[0], range[1], ((height / 44.0) as usize).clamp(2, 12));
        let ink = tick_ink(canvas);
        let width = ticks.iter().map(|(_, text)| text_width(text, ink)).fold(0.0, f32::max);
        YLabels { ticks, width }
    }

    /// Draws the labels to the left of `plot`, grid lines across it where asked.
    pub(super) fn draw(&self, canvas: &mut Canvas<'_>, plot: Rect, left: f32, scale: Scale, grid: bool) {
        let palette = canvas.palette;
        let ink = tick_ink(canvas);
        let mut free_below = f32::INFINITY;
        for (value, text) in &self.ticks {
            let y = scale.at(*value);
            if grid {
                canvas.horizontal(plot.left, plot.right, y, palette.grid);
            } else {
                canvas.horizontal(left - TICK_LENGTH, left, y.min(plot.bottom - 1.0), palette.hairline);
            }
            // A label at the very top must not touch the row above.
            let baseline = y.max(plot.top + 4.0) + 4.0;
            if baseline <= free_below {
                canvas.text(text, left - TICK_LENGTH - 3.0, baseline, Align::Right, ink);
                free_below = baseline - TICK_SIZE - 2.0;
            }
        }
    }
}

/// What is said of rows on no bin: `below 3 · above 12 · missing 1 234`; then the same shorter.
pub(super) fn off_axis_texts(off: OffAxis) -> Vec<String> {
    let said = |digits: fn(u64) -> String| {
        let parts: Vec<String> = [("below", off.below), ("above", off.above), ("missing", off.missing)]
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(word, count)| format!("{word} {}", digits(count)))
            .collect();
        parts.join(" · ")
    };
    vec![said(group_digits), said(|count| si(count as f64))]
}
