//! Histograms and bars.

use super::axis::{
    LABEL_ROW, LABEL_SIZE, Scale, TICK_ROW, TICK_SIZE, YLabels, label_ink, off_axis_texts, tick_ink, x_axis,
};
use super::canvas::{Align, Canvas, Ink, Rect, text_width};
use super::chart::{AxisKind, Bars, Body, Chart, Histogram};
use super::{dashboard, heatmap};
use crate::data::{group_digits, si};

pub(super) const PADDING: f32 = 14.0;
const TITLE_SIZE: f32 = 13.5;
/// Space above the highest bar, as a share of it.
const HEADROOM: f64 = 1.05;
/// Width of an end cap, with the gap to the plot.
const CAP: f32 = 10.0;
const CAP_TINT: f64 = 0.6;
const BRUSH_TINT: f64 = 0.1;
const BAR_ROW: f32 = 22.0;
const LEAST_BAR_ROW: f32 = 15.0;

/// Draws a chart into `rect`: title, filters, and the chart itself.
pub(super) fn chart(canvas: &mut Canvas<'_>, rect: Rect, chart: &Chart) {
    let inner = rect.shrink(PADDING);
    let palette = canvas.palette;
    let title = Ink { size: TITLE_SIZE, bold: true, color: palette.text };
    canvas.text_within(&chart.title, inner.left, inner.top + 11.0, inner.width(), Align::Left, title);
    let mut top = inner.top + 20.0;
    if !chart.subtitle.is_empty() {
        let ink = Ink { size: LABEL_SIZE, bold: false, color: palette.muted };
        canvas.text_within(&chart.subtitle, inner.left, top + 9.0, inner.width(), Align::Left, ink);
        top += LABEL_ROW;
    }
    let body = Rect::new(inner.left, top, inner.right, inner.bottom);
    match &chart.body {
        Body::Histogram(histogram) => draw_histogram(canvas, body, histogram),
        Body::Heatmap(heatmap) => heatmap::draw(canvas, body, heatmap),
        Body::Bars(bars) => draw_bars(canvas, body, bars),
        Body::Rows(rows) => dashboard::table(canvas, body, rows),
    }
}

/// Says in the middle of a plot why there is nothing in it.
pub(super) fn say_empty(canvas: &mut Canvas<'_>, plot: Rect) {
    let ink = label_ink(canvas);
    let middle = (plot.left + plot.right) / 2.0;
    canvas.text("no rows", middle, (plot.top + plot.bottom) / 2.0 + 4.0, Align::Center, ink);
}

fn finite(values: &[f64]) -> impl Iterator<Item = f64> {
    values.iter().copied().filter(|value| value.is_finite())
}

fn draw_histogram(canvas: &mut Canvas<'_>, body: Rect, histogram: &Histogram) {
    let palette = canvas.palette;
    let ghost = histogram.all.as_deref();
    let every = || finite(&histogram.selected).chain(finite(ghost.unwrap_or(&[])));
    let highest =
        histogram.y_max.filter(|max| *max > 0.0).unwrap_or_else(|| every().fold(0.0, f64::max) * HEADROOM);
    let lowest = every().fold(0.0, f64::min) * HEADROOM;
    let empty = every().all(|value| value == 0.0);
    let y_range = if empty || highest <= lowest { [0.0, 1.0] } else { [lowest, highest] };

    let top = body.top + LABEL_ROW + 3.0;
    let bottom = body.bottom - TICK_ROW - LABEL_ROW;
    let y_labels = YLabels::new(canvas, AxisKind::Number, y_range, bottom - top);
    let gutter = if empty { 0.0 } else { y_labels.width + 8.0 };
    let off = histogram.off_axis;
    let caps = (if off.below > 0 { CAP } else { 0.0 }, if off.above > 0 { CAP } else { 0.0 });
    let plot = Rect::new(
        canvas.snap(body.left + gutter + caps.0),
        canvas.snap(top),
        canvas.snap(body.right - caps.1),
        canvas.snap(bottom),
    );
    let ink = label_ink(canvas);
    canvas.text_within(&histogram.y, body.left, body.top + 10.0, body.width(), Align::Left, ink);

    let y = Scale::new(AxisKind::Number, y_range[0], y_range[1], plot.bottom, plot.top);
    let (Some(&first), Some(&last)) = (histogram.edges.first(), histogram.edges.last()) else { return };
    let x = Scale::new(histogram.x.kind, first, last, plot.left, plot.right);
    let brushed = |[lo, hi]: [f64; 2]| Rect::new(x.at(lo), plot.top, x.at(hi), plot.bottom);
    for &brush in &histogram.brushes {
        canvas.fill(brushed(brush), canvas.tint(palette.selected, BRUSH_TINT));
    }
    if !empty {
        y_labels.draw(canvas, plot, plot.left - caps.0, y, true);
    }
    let zero = y.at(0.0);
    // Narrow bins touch; wide ones are set apart by a hairline.
    let gap = if plot.width() / histogram.selected.len().max(1) as f32 >= 5.0 { 1.0 } else { 0.0 };
    let bar = |canvas: &mut Canvas<'_>, i: usize, value: f64, color| {
        if !value.is_finite() || value == 0.0 {
            return;
        }
        let (left, right) =
            (canvas.snap(x.at(histogram.edges[i])), canvas.snap(x.at(histogram.edges[i + 1])));
        let right = if right - left > gap { right - gap } else { left + 1.0 };
        // A bin that is not empty shows at least one pixel.
        let end = y.at(value);
        let (top, bottom) =
            if value > 0.0 { (end.min(zero - 1.0), zero) } else { (zero, end.max(zero + 1.0)) };
        canvas.fill(Rect::new(left, top, right, bottom), color);
    };
    if let Some(all) = ghost {
        all.iter().enumerate().for_each(|(i, value)| bar(canvas, i, *value, palette.all));
    }
    let color = if ghost.is_some() { palette.selected } else { palette.all };
    histogram.selected.iter().enumerate().for_each(|(i, value)| bar(canvas, i, *value, color));
    for &brush in &histogram.brushes {
        let Rect { left, right, .. } = brushed(brush);
        canvas.vertical(left, plot.top, plot.bottom, palette.selected);
        canvas.vertical(right - 1.0, plot.top, plot.bottom, palette.selected);
    }
    let mut cap = |left: f32, count: u64| {
        let top = y.at(count as f64).min(zero - 2.0);
        canvas.fill(Rect::new(left, top, left + CAP - 4.0, zero), canvas.tint(color, CAP_TINT));
    };
    if off.below > 0 {
        cap(plot.left - CAP, off.below);
    }
    if off.above > 0 {
        cap(plot.right + 4.0, off.above);
    }
    if empty {
        say_empty(canvas, plot);
    }
    if y_range[0] < 0.0 {
        canvas.horizontal(plot.left, plot.right, zero, palette.hairline);
    }
    x_axis(canvas, plot, body, &histogram.x, [first, last], &off_axis_texts(off));
}

fn value_text(value: f64) -> String {
    if value.is_nan() {
        "–".to_owned()
    } else if value >= 0.0 && value.fract() == 0.0 && value < 1e15 {
        group_digits(value as u64)
    } else {
        si(value)
    }
}

fn draw_bars(canvas: &mut Canvas<'_>, body: Rect, bars: &Bars) {
    let palette = canvas.palette;
    let ghost = bars.all.as_deref();
    let ink = label_ink(canvas);
    canvas.text_within(&bars.value, body.right, body.top + 10.0, body.width(), Align::Right, ink);
    let plot = Rect::new(body.left, body.top + LABEL_ROW, body.right, body.bottom - LABEL_ROW);
    if bars.labels.is_empty() {
        say_empty(canvas, plot);
    }
    let fitting = ((plot.height() / LEAST_BAR_ROW) as usize).min(bars.labels.len());
    let row = (plot.height() / fitting.max(1) as f32).min(BAR_ROW);
    let text_ink = Ink { size: TICK_SIZE + 0.5, bold: false, color: palette.text };
    let shown = || 0..fitting;
    let label_width =
        shown().map(|i| text_width(&bars.labels[i], text_ink)).fold(0.0, f32::max).min(body.width() * 0.36);
    let texts: Vec<String> = shown().map(|i| value_text(bars.selected[i])).collect();
    let value_width = texts.iter().map(|text| text_width(text, tick_ink(canvas))).fold(0.0, f32::max);
    let every = || finite(&bars.selected).chain(finite(ghost.unwrap_or(&[])));
    let (lowest, highest) = (every().fold(0.0, f64::min), every().fold(0.0, f64::max));
    let left = canvas.snap(body.left + label_width + 10.0);
    let right = canvas.snap(body.right - value_width - 10.0);
    let x = Scale::new(AxisKind::Number, lowest, if highest > lowest { highest } else { 1.0 }, left, right);
    let zero = x.at(0.0);
    for i in shown() {
        let top = plot.top + row * i as f32;
        let (bar_top, bar_bottom) = (canvas.snap(top + 2.0), canvas.snap(top + row - 2.0));
        let baseline = (bar_top + bar_bottom) / 2.0 + 4.0;
        let brushed = bars.brushed.contains(&i);
        let ink = if brushed || bars.brushed.is_empty() {
            text_ink
        } else {
            Ink { color: palette.muted, ..text_ink }
        };
        if brushed {
            canvas.fill(Rect::new(body.left - 6.0, bar_top, body.left - 3.0, bar_bottom), palette.selected);
        }
        canvas.text_within(&bars.labels[i], left - 10.0, baseline, label_width, Align::Right, ink);
        let mut bar = |value: f64, color| {
            if value.is_finite() && value != 0.0 {
                let end = x.at(value);
                let (from, to) =
                    if value > 0.0 { (zero, end.max(zero + 1.0)) } else { (end.min(zero - 1.0), zero) };
                canvas.fill(Rect::new(from, bar_top, to, bar_bottom), color);
            }
        };
        if let Some(value) = ghost.and_then(|all| all.get(i)) {
            bar(*value, palette.all);
        }
        bar(bars.selected[i], if ghost.is_some() { palette.selected } else { palette.all });
        let ink = tick_ink(canvas);
        canvas.text(&texts[i], body.right, baseline, Align::Right, ink);
    }
    canvas.vertical(zero - 1.0, plot.top, plot.top + row * fitting as f32, palette.hairline);
    let hidden = bars.more + (bars.labels.len() - fitting) as u64;
    let mut notes = Vec::new();
    if hidden > 0 {
        notes.push(format!("{} more", group_digits(hidden)));
    }
    if bars.missing > 0 {
        notes.push(format!("missing {}", group_digits(bars.missing)));
    }
    let ink = label_ink(canvas);
    canvas.text_within(&notes.join(" · "), body.right, body.bottom - 3.0, body.width(), Align::Right, ink);
}
