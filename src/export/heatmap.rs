//! Heatmaps with their colour bar.

use super::axis::{LABEL_ROW, Scale, TICK_ROW, YLabels, label_ink, off_axis_texts, tick_ink, x_axis};
use super::canvas::{Align, Canvas, Rect, text_width};
use super::chart::Heatmap;
use super::colors::{ColorScale, Spread};
use super::plot::say_empty;

const BAR_WIDTH: f32 = 12.0;
const BAR_GAP: f32 = 12.0;

/// The values of the first and the last colour; none when all cells are empty.
fn color_range(heatmap: &Heatmap) -> Option<[f64; 2]> {
    if heatmap.range.is_some() {
        return heatmap.range;
    }
    let finite = || heatmap.values.iter().copied().filter(|value| value.is_finite());
    let highest = finite().fold(f64::NEG_INFINITY, f64::max);
    let lowest = match heatmap.scale {
        ColorScale::Log => finite().filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min),
        _ => finite().fold(f64::INFINITY, f64::min),
    };
    if lowest > highest {
        return None;
    }
    // Counts begin at zero; values that all lie far from it, at the lowest.
    let from_zero = heatmap.scale != ColorScale::Log && lowest >= 0.0 && lowest < highest / 2.0;
    Some([if from_zero { 0.0 } else { lowest }, highest])
}

pub(super) fn draw(canvas: &mut Canvas<'_>, body: Rect, heatmap: &Heatmap) {
    let palette = canvas.palette;
    let range = color_range(heatmap);
    let (Some(&x_lo), Some(&x_hi)) = (heatmap.x_edges.first(), heatmap.x_edges.last()) else { return };
    let (Some(&y_lo), Some(&y_hi)) = (heatmap.y_edges.first(), heatmap.y_edges.last()) else { return };
    let top = body.top + LABEL_ROW + 3.0;
    let bottom = body.bottom - TICK_ROW - LABEL_ROW;
    let y_labels = YLabels::new(canvas, heatmap.y.kind, [y_lo, y_hi], bottom - top);
    let spread = range.map(|[lo, hi]| Spread::new(heatmap.scale, lo, hi, heatmap.values.iter().copied()));
    let target = ((bottom - top) / 36.0).clamp(2.0, 8.0) as usize;
    let bar_ticks = spread.as_ref().map(|spread| spread.marks(target)).unwrap_or_default();
    let ink = tick_ink(canvas);
    let bar_labels = bar_ticks.iter().map(|(_, text)| text_width(text, ink)).fold(0.0, f32::max);
    let bar_room = if range.is_some() { BAR_GAP + BAR_WIDTH + 7.0 + bar_labels } else { 0.0 };
    let plot = Rect::new(
        canvas.snap(body.left + y_labels.width + 8.0),
        canvas.snap(top),
        canvas.snap(body.right - bar_room),
        canvas.snap(bottom),
    );

    let ink = label_ink(canvas);
    let value = match heatmap.scale.word() {
        Some(word) => format!("{} · {word}", heatmap.value),
        None => heatmap.value.clone(),
    };
    let width = body.width() * 0.48;
    canvas.text_within(&value, body.right, body.top + 10.0, width, Align::Right, ink);
    let name = super::canvas::Ink { color: palette.text, ..ink };
    canvas.text_within(&heatmap.y.text(), body.left, body.top + 10.0, width, Align::Left, name);

    let x = Scale::new(heatmap.x.kind, x_lo, x_hi, plot.left, plot.right);
    let y = Scale::new(heatmap.y.kind, y_lo, y_hi, plot.bottom, plot.top);
    let columns = heatmap.x_edges.len() - 1;
    match &spread {
        None => {
            canvas.fill(plot, palette.empty);
            say_empty(canvas, plot);
        }
        Some(spread) => {
            canvas.picture(plot, |right, down| {
                let column = x.bin_at(right, &heatmap.x_edges);
                let row = y.bin_at(1.0 - down, &heatmap.y_edges);
                let value = heatmap.values[row * columns + column];
                if value.is_nan() {
                    palette.empty
                } else {
                    heatmap.color(palette.empty, spread.position(value))
                }
            });
            let left = plot.right + BAR_GAP;
            let bar = Rect::new(left, plot.top, left + BAR_WIDTH, plot.bottom);
            canvas.picture(bar, |_, down| heatmap.color(palette.empty, 1.0 - down));
            let ink = tick_ink(canvas);
            let mut free_below = f32::INFINITY;
            for (value, text) in &bar_ticks {
                let share = spread.position(*value) as f32;
                let at = plot.bottom - plot.height() * share;
                let baseline = at.max(plot.top + 4.0) + 4.0;
                canvas.horizontal(bar.right, bar.right + 3.0, at.min(plot.bottom - 1.0), palette.hairline);
                if baseline <= free_below {
                    canvas.text(text, bar.right + 6.0, baseline, Align::Left, ink);
                    free_below = baseline - 13.0;
                }
            }
        }
    }
    for &[x_lo, x_hi, y_lo, y_hi] in &heatmap.brushes {
        let rect = Rect::new(
            canvas.snap(x.at(x_lo)),
            canvas.snap(y.at(y_hi)),
            canvas.snap(x.at(x_hi)),
            canvas.snap(y.at(y_lo)),
        );
        canvas.frame(rect, 2.0, palette.selected);
        canvas.frame(rect.shrink(2.0), 1.0, palette.halo);
    }
    for lasso in &heatmap.lassos {
        let corners: Vec<(f32, f32)> = lasso.iter().map(|&[at_x, at_y]| (x.at(at_x), y.at(at_y))).collect();
        canvas.outline(&corners, 4.0, palette.halo);
        canvas.outline(&corners, 2.0, palette.selected);
    }
    y_labels.draw(canvas, plot, plot.left, y, false);
    let said = |i: usize| {
        let axes = [(&heatmap.x, heatmap.x_off_axis), (&heatmap.y, heatmap.y_off_axis)];
        let texts = axes.map(|(axis, off)| (axis, off_axis_texts(off).swap_remove(i)));
        let texts = texts.into_iter().filter(|(_, text)| !text.is_empty());
        texts.map(|(axis, text)| format!("{}: {text}", axis.label)).collect::<Vec<_>>().join("   ")
    };
    x_axis(canvas, plot, body, &heatmap.x, [x_lo, x_hi], &[said(0), said(1)]);
}
