//! The first rows of what is being typed, computed by the engine.

use std::sync::Arc;

use egui::{Align2, Painter, Rect, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::data::{Kind, format_value, kind, shorten};
use crate::dataset::Dataset;
use crate::engine::{Freshness, RowsRequest, Slot};
use crate::expr::Expr;
use crate::query::rows::RowPage;
use crate::select::Selection;
use crate::views::paint::axis::one_line;
use crate::views::theme::Theme;
use crate::views::{Answers, axes};

/// Rows shown.
const ROWS: usize = 10;
/// Columns shown beside the values: what they are made of.
const MOST_INPUTS: usize = 4;
/// Who asks; one expression at a time is being typed.
const SLOT: Slot = Slot(3);
/// Room for the number of a row.
const NUMBERS: f32 = 22.0;

/// The rows last seen, kept while others are computed.
#[derive(Default)]
pub(super) struct Preview {
    shown: Option<(Vec<Expr>, Arc<RowPage>)>,
    /// What is asked until there is something else to ask.
    asked: Option<Expr>,
}

/// Height of the preview: a heading and the rows.
pub(super) fn height(theme: &Theme) -> f32 {
    theme.size.bar * (ROWS + 1) as f32
}

impl Preview {
    /// Shows nothing of what was before.
    pub(super) fn forget(&mut self) {
        *self = Preview::default();
    }

    /// Shows the first values of `expr`, beside those it is made of; without one, or while they are being
    /// computed, what was shown before, dimmed.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        width: f32,
        dataset: &Arc<Dataset>,
        expr: Option<&Expr>,
        answers: &mut dyn Answers,
    ) {
        let theme = Theme::current(ui);
        let (rect, response) = ui.allocate_exact_size(vec2(width, height(theme)), Sense::hover());
        let mut failure = None;
        let mut fresh = false;
        let is_current = expr.is_some();
        if expr.is_some() {
            self.asked = expr.cloned();
        }
        if let Some(expr) = &self.asked {
            let inputs = expr.columns();
            let inputs = inputs.iter().filter(|_| expr.as_column().is_none()).take(MOST_INPUTS);
            let inputs = inputs.filter_map(|name| Expr::column(name, dataset.schema()).ok());
            let columns: Vec<Expr> = std::iter::once(expr.clone()).chain(inputs).collect();
            let request = RowsRequest {
                dataset: dataset.clone(),
                selection: Selection::all(),
                index: None,
                first: 0,
                count: ROWS,
                columns: columns.clone(),
            };
            let reply = answers.rows(SLOT, &request);
            match (reply.freshness, reply.page) {
                (Freshness::Final, Some(page)) => {
                    fresh = is_current;
                    self.shown = Some((columns, page));
                }
                (Freshness::Failed(error), _) if is_current => failure = Some(error.to_string()),
                (Freshness::Failed(_), _) => {}
                _ => ui.ctx().request_repaint_after_secs(0.05),
            }
        }
        let mut painter = ui.painter_at(rect);
        if let Some(failure) = failure {
            let galley = painter.layout(failure.clone(), theme.small(), theme.error, rect.width());
            painter.galley(rect.min, galley, theme.error);
            response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Label, true, &failure));
            return;
        }
        let Some((columns, page)) = &self.shown else {
            let middle = rect.center();
            let words = "the first ten rows";
            painter.text(middle, Align2::CENTER_CENTER, words, theme.small(), theme.faint);
            return;
        };
        if !fresh {
            painter.multiply_opacity(0.45);
        }
        response.widget_info(|| {
            let values: Vec<String> = (0..page.len()).map(|row| cell(page, 0, row).0).collect();
            let state = if fresh { "Preview" } else { "Earlier preview" };
            let name = format!("{state} of {}: {}", columns[0], values.join(", "));
            WidgetInfo::labeled(egui::accesskit::Role::Table, true, name)
        });
        table(&painter, rect, columns, page, theme);
    }
}

/// A value as text, and whether there is none.
fn cell(page: &RowPage, column: usize, row: usize) -> (String, bool) {
    match page.columns.get(column).and_then(|values| format_value(values, row)) {
        Some(text) => (shorten(&text), false),
        None => ("missing".to_owned(), true),
    }
}

fn table(painter: &Painter, rect: Rect, columns: &[Expr], page: &RowPage, theme: &Theme) {
    let line = theme.size.bar;
    painter.hline(rect.x_range(), rect.top() + line - 0.5, theme.hairline());
    for row in 0..page.len() {
        let y = rect.top() + line * (row as f32 + 1.5);
        let number = (page.numbers[row]).to_string();
        let at = pos2(rect.left() + NUMBERS - 8.0, y);
        painter.text(at, Align2::RIGHT_CENTER, number, theme.small(), theme.faint);
    }
    let room = rect.width() - NUMBERS;
    let mut left = rect.left() + NUMBERS;
    for (i, column) in columns.iter().enumerate() {
        let kind = kind(column.data_type());
        let wanted = width(kind);
        let is_last = columns.get(i + 1).is_none_or(|next| {
            left + wanted + width(crate::data::kind(next.data_type())) > rect.right() + 0.5
        });
        let alone = i == 0 && is_last;
        let width = if alone { room } else { wanted };
        if i > 0 && left + width > rect.right() + 0.5 {
            break;
        }
        let is_right = matches!(kind, Kind::Integer | Kind::Float | Kind::Duration) && !alone;
        let put = |text: &str, font, color, y: f32| {
            let galley = one_line(painter, text, font, color, width - 10.0);
            let (x, align) = match is_right {
                true => (left + width - 8.0, Align2::RIGHT_CENTER),
                false => (left + 4.0, Align2::LEFT_CENTER),
            };
            painter.galley(align.anchor_size(pos2(x, y), galley.size()).min, galley, color);
        };
        let (font, color) = if i == 0 { (theme.strong(), theme.text) } else { (theme.small(), theme.weak) };
        let heading = if i == 0 { "value".to_owned() } else { axes::bare(&column.to_string()) };
        put(&heading, theme.small(), theme.weak, rect.top() + line / 2.0);
        for row in 0..page.len() {
            let (text, missing) = cell(page, i, row);
            let text = if kind == Kind::Float { rounded(text) } else { text };
            let color = if missing { theme.missing } else { color };
            let font = if missing { theme.small() } else { font.clone() };
            put(&text, font, color, rect.top() + line * (row as f32 + 1.5));
        }
        left += width;
    }
}

/// A long number cut to six digits that count.
fn rounded(text: String) -> String {
    match text.parse::<f64>() {
        Ok(value) if text.len() > 9 && value.is_finite() => {
            let whole = value.abs().log10().floor();
            if (-4.0..7.0).contains(&whole) {
                let text = format!("{value:.*}", (5.0 - whole).max(0.0) as usize);
                let short = text.trim_end_matches('0');
                match short.strip_suffix('.') {
                    _ if !text.contains('.') => text,
                    Some(whole) => format!("{whole}.0"),
                    None => short.to_owned(),
                }
            } else {
                format!("{value:.4e}")
            }
        }
        _ => text,
    }
}

/// Width of a column of values.
fn width(kind: Kind) -> f32 {
    match kind {
        Kind::Bool => 48.0,
        Kind::Time => 136.0,
        Kind::Text => 96.0,
        _ => 80.0,
    }
}

#[cfg(test)]
mod tests {
    use super::rounded;

    #[test]
    fn long_numbers_are_cut_to_what_can_be_read() {
        let cut = |text: &str| rounded(text.to_owned());
        assert_eq!(cut("0.07678491234567"), "0.0767849");
        assert_eq!(cut("-123.4567891234"), "-123.457");
        assert_eq!(cut("0.12500000001"), "0.125");
        assert_eq!(cut("1234567.891"), "1234568");
        assert_eq!(cut("123456789012.5"), "1.2346e11");
        assert_eq!(cut("0.000000123456"), "1.2346e-7");
        assert_eq!(cut("2.00000000001"), "2.0");
        assert_eq!(cut("2.5"), "2.5");
        assert_eq!(cut("NaN"), "NaN");
        assert_eq!(cut("-inf"), "-inf");
    }
}
