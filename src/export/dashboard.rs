//! Everything the window shows, in one picture.

use super::canvas::{Align, Canvas, Ink, Rect, cut, text_width};
use super::chart::{Dashboard, RowsTable};
use super::plot::{PADDING, chart};

const MARGIN: f32 = 14.0;
const CHIP_HEIGHT: f32 = 22.0;
const CHIP_GAP: f32 = 8.0;
const TABLE_ROW: f32 = 19.0;
const SHARE_BAR: f32 = 120.0;
const LONGEST_CHIP: f32 = 320.0;
const WIDEST_COLUMN: f32 = 220.0;

pub(super) fn draw(canvas: &mut Canvas<'_>, rect: Rect, dashboard: &Dashboard) {
    let palette = canvas.palette;
    let title = Ink { size: 17.0, bold: true, color: palette.text };
    let count = Ink { size: 13.0, bold: false, color: palette.text };
    let note = Ink { size: 11.0, bold: false, color: palette.muted };
    let (left, right) = (rect.left + MARGIN, rect.right - MARGIN);

    let mut top = rect.top + 12.0;
    let count_width = text_width(&dashboard.count, count).min((right - left) * 0.6);
    let bar = dashboard.share.map_or(0.0, |_| SHARE_BAR + 12.0);
    canvas.text_within(&dashboard.count, right - bar, top + 17.0, count_width, Align::Right, count);
    if let Some(share) = dashboard.share.filter(|share| share.is_finite()) {
        let whole = Rect::new(right - SHARE_BAR, top + 9.0, right, top + 17.0);
        let end = whole.left + whole.width() * share.clamp(0.0, 1.0) as f32;
        canvas.fill(whole, palette.all);
        // A share that is not zero shows at least one pixel.
        let end = if share > 0.0 { end.max(whole.left + 1.0) } else { end };
        canvas.fill(Rect { right: end, ..whole }, palette.selected);
    }
    let title_width = right - left - count_width - bar - 24.0;
    canvas.text_within(&dashboard.title, left, top + 18.0, title_width, Align::Left, title);
    top += 32.0;
    if !dashboard.chips.is_empty() {
        top = chips(canvas, &dashboard.chips, left, right, top);
    }
    canvas.horizontal(rect.left, rect.right, top, palette.hairline);
    top += 1.0;

    let mut bottom = rect.bottom;
    if !dashboard.footer.is_empty() {
        bottom -= 24.0;
        canvas.horizontal(rect.left, rect.right, bottom, palette.hairline);
        canvas.text_within(&dashboard.footer, left, bottom + 16.0, right - left, Align::Left, note);
    }
    charts(canvas, Rect::new(rect.left, top, rect.right, bottom), dashboard);
}

fn charts(canvas: &mut Canvas<'_>, area: Rect, dashboard: &Dashboard) {
    let palette = canvas.palette;
    let widths = shares(dashboard.columns.iter().map(|column| column.weight), area.left, area.right);
    for (i, (column, [left, right])) in dashboard.columns.iter().zip(widths).enumerate() {
        if i > 0 {
            canvas.vertical(left, area.top, area.bottom, palette.hairline);
        }
        let heights = shares(column.charts.iter().map(|(weight, _)| *weight), area.top, area.bottom);
        for (j, ((_, one), [top, bottom])) in column.charts.iter().zip(heights).enumerate() {
            if j > 0 {
                canvas.horizontal(left, right, top, palette.hairline);
            }
            chart(canvas, Rect::new(left, top, right, bottom), one);
        }
    }
}

/// Cuts a stretch into parts in proportion to their weights.
fn shares(weights: impl Iterator<Item = f32>, start: f32, end: f32) -> Vec<[f32; 2]> {
    let weights: Vec<f32> = weights.map(|weight| if weight > 0.0 { weight } else { 1.0 }).collect();
    let total: f32 = weights.iter().sum();
    let mut at = start;
    weights
        .iter()
        .map(|weight| {
            let from = at;
            at += (end - start) * weight / total;
            [from, at]
        })
        .collect()
}

/// Draws the filters as chips, in as many lines as they need; returns where the next thing begins.
fn chips(canvas: &mut Canvas<'_>, chips: &[String], left: f32, right: f32, top: f32) -> f32 {
    let palette = canvas.palette;
    let ink = Ink { size: 12.0, bold: false, color: palette.text };
    let (mut x, mut y) = (left, top);
    for chip in chips {
        let text = cut(chip, LONGEST_CHIP, ink);
        let width = text_width(&text, ink) + 20.0;
        if x > left && x + width > right {
            x = left;
            y += CHIP_HEIGHT + CHIP_GAP;
        }
        let rect =
            Rect::new(canvas.snap(x), canvas.snap(y), canvas.snap(x + width), canvas.snap(y + CHIP_HEIGHT));
        canvas.fill(rect, palette.empty);
        canvas.fill(Rect { right: rect.left + 3.0, ..rect }, palette.selected);
        canvas.text(&text, rect.left + 11.0, rect.bottom - 7.0, Align::Left, ink);
        x += width + CHIP_GAP;
    }
    y + CHIP_HEIGHT + 10.0
}

/// Draws as many rows and columns as there is room for.
pub(super) fn table(canvas: &mut Canvas<'_>, area: Rect, table: &RowsTable) {
    let palette = canvas.palette;
    let value = Ink { size: 12.0, bold: false, color: palette.text };
    let head = Ink { size: 11.5, bold: true, color: palette.muted };
    let missing = Ink { color: palette.muted, ..value };
    let fitting = (((area.height() - 14.0) / TABLE_ROW) as usize).saturating_sub(1).min(table.rows.len());
    let cell = |row: usize, column: usize| table.rows[row].get(column).and_then(Option::as_deref);
    let mut left = area.left;
    for (column, (name, to_the_right)) in table.header.iter().enumerate() {
        let values = (0..fitting).map(|row| text_width(cell(row, column).unwrap_or("–"), value));
        let width = values.fold(text_width(name, head), f32::max).min(WIDEST_COLUMN);
        // A column is whole or absent.
        if left + width > area.right {
            canvas.text("…", area.right, area.top + 20.0, Align::Right, head);
            break;
        }
        let (x, align) = if *to_the_right { (left + width, Align::Right) } else { (left, Align::Left) };
        let mut baseline = area.top + 20.0;
        canvas.text_within(name, x, baseline, width, align, head);
        for row in 0..fitting {
            baseline += TABLE_ROW;
            match cell(row, column) {
                Some(text) => canvas.text_within(text, x, baseline, width, align, value),
                None => canvas.text_within("–", x, baseline, width, align, missing),
            };
        }
        left += width + 2.0 * PADDING;
    }
    canvas.horizontal(area.left, area.right, area.top + 26.0, palette.grid);
}
