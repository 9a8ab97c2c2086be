//! The rows themselves: a table whose place is a whole number, so that the last of a billion rows is
//! as exact as the first.

use std::sync::Arc;

use egui::{Align2, CornerRadius, Key, Painter, Rect, Sense, Ui, WidgetInfo, pos2, vec2};

use super::frame::Blank;
use super::paint::axis;
use super::paint::icon::kind_name;
use super::{ViewContext, ViewState, axes, slot};
use crate::data::{Field, Kind, format_value, group_digits, shorten};
use crate::dataset::Dataset;
use crate::engine::{Freshness, RowsRequest};
use crate::expr::Expr;
use crate::query::Answer;
use crate::query::rows::RowPage;
use crate::session::{ViewSpec, questions};

/// Rows asked for at once; pages begin at multiples of it.
const PAGE: u64 = 128;
/// Width of the vertical and height of the horizontal scroll bar.
const SCROLL_BAR: f32 = 10.0;
/// Least length of a scroll bar's handle.
const HANDLE: f32 = 24.0;

/// Where in the table a view is.
#[derive(Debug, Default)]
pub struct Position {
    /// First row shown, among those that pass.
    pub first: u64,
    /// First column shown.
    pub column: usize,
    /// The number of rows that pass when last known.
    pub rows: u64,
    /// The pages shown last, to show while the next are read.
    pages: Vec<Arc<RowPage>>,
    /// Scrolling not yet worth a whole row.
    remainder: f32,
    /// Distance from the handle's end to the hand while it is dragged.
    grip: Option<f32>,
}

impl Position {
    /// Shows row `row` first, or the last rows where that is past them.
    pub fn go_to(&mut self, row: u64) {
        self.first = row;
    }

    fn scroll(&mut self, by: i64) {
        self.first = self.first.saturating_add_signed(by);
    }

    fn clamp(&mut self, shown: u64) {
        self.first = self.first.min(self.rows.saturating_sub(shown));
    }
}

/// Where the handle of a scroll bar is: the first of `shown` rows of `rows`, on a track of a length.
fn handle(first: u64, shown: u64, rows: u64, track: f32) -> (f32, f32) {
    let length =
        (track as f64 * shown as f64 / rows.max(1) as f64).max(f64::from(HANDLE)).min(f64::from(track));
    let last = rows.saturating_sub(shown).max(1);
    let at = (f64::from(track) - length) * (first as f64 / last as f64).min(1.0);
    (at as f32, length as f32)
}

/// The first row when the handle lies at `at`; the inverse of [`handle`], exact at both ends.
fn row_at(at: f32, length: f32, shown: u64, rows: u64, track: f32) -> u64 {
    let last = rows.saturating_sub(shown);
    let room = track - length;
    if room <= 0.0 || at <= 0.0 {
        return 0;
    }
    if at >= room {
        return last;
    }
    ((f64::from(at) / f64::from(room) * last as f64).round() as u64).min(last)
}

/// Asks and paints the rows.
pub fn show(
    ui: &mut Ui,
    body: Rect,
    view: &ViewSpec,
    state: &mut ViewState,
    cx: &mut ViewContext<'_>,
) -> Result<(), Blank> {
    let dataset = cx.session.dataset().cloned().ok_or_else(|| Blank::wrong("No file is open."))?;
    let theme = cx.theme;
    let selection = cx.session.selection().clone();
    let mut index: Option<Arc<Answer>> = None;
    if selection.is_all() {
        state.position.rows = dataset.row_count();
    } else {
        let question = questions::question(&dataset, view, &[], selection.clone()).map_err(Blank::wrong)?;
        let reply = cx.answers.answer(slot(view.id, 3), &question);
        match (&reply.freshness, &reply.answer) {
            (Freshness::Failed(error), _) => return Err(Blank::unanswered(error)),
            (Freshness::Final, Some(answer)) => {
                if let Some(found) = answer.index() {
                    state.position.rows = found.total();
                }
                index = Some(answer.clone());
            }
            _ => {}
        }
    }
    let is_current = selection.is_all() || index.is_some();
    let line = theme.size.bar;
    let grid = Rect::from_min_max(
        pos2(body.left(), body.top() + theme.size.row),
        pos2(body.right() - SCROLL_BAR, body.bottom() - SCROLL_BAR),
    );
    state.plot = Some(grid);
    let shown = (grid.height() / line).floor().max(1.0) as u64;
    keys_and_wheel(ui, body, shown, view, state, cx);
    state.position.clamp(shown);

    let room = grid.width() - number_width(ui.painter(), &state.position, cx);
    let columns = columns(&dataset, &mut state.position, room);
    let exprs: Vec<Expr> =
        columns.iter().filter_map(|field| Expr::column(&field.name, dataset.schema()).ok()).collect();
    let first_page = state.position.first / PAGE;
    let last_page = (state.position.first + shown) / PAGE;
    let mut pages = Vec::new();
    for page in first_page..=last_page {
        let request = RowsRequest {
            dataset: dataset.clone(),
            selection: selection.clone(),
            index: index.clone(),
            first: page * PAGE,
            count: PAGE as usize,
            columns: exprs.clone(),
        };
        if page * PAGE >= state.position.rows.max(1) && page > first_page {
            continue;
        }
        let slot = slot(view.id, 4 + page % 2);
        if is_current {
            let reply = cx.answers.rows(slot, &request);
            if let Freshness::Failed(error) = &reply.freshness {
                return Err(Blank::unanswered(error));
            }
            let fresh = reply.freshness == Freshness::Final;
            if !fresh {
                ui.ctx().request_repaint_after_secs(0.05);
            }
            pages.extend(reply.page.map(|page| (page, fresh)));
        } else {
            ui.ctx().request_repaint_after_secs(0.05);
        }
    }
    if pages.is_empty() {
        // The old rows stay, dimmed, while it is found out which the new ones are.
        pages = state.position.pages.iter().map(|page| (page.clone(), false)).collect();
    } else {
        state.position.pages = pages.iter().map(|(page, _)| page.clone()).collect();
    }
    let painter = ui.painter_at(body);
    table(&painter, body, grid, &columns, &pages, state, shown, cx);
    let name = "Table of rows";
    let response = ui.interact(grid, ui.scope_id().with("grid"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Table, true, name));
    scroll_bars(ui, body, grid, shown, columns.len(), &dataset, state, cx);
    Ok(())
}

fn keys_and_wheel(
    ui: &mut Ui,
    body: Rect,
    shown: u64,
    view: &ViewSpec,
    state: &mut ViewState,
    cx: &mut ViewContext<'_>,
) {
    let position = &mut state.position;
    if ui.rect_contains_pointer(body) {
        *cx.hint = "wheel, PageUp, PageDown, Home, End: move · Shift wheel: columns".to_owned();
        let scroll = ui.input(|input| input.smooth_scroll_delta());
        position.remainder -= scroll.y / cx.theme.size.bar;
        let whole = position.remainder.trunc();
        position.remainder -= whole;
        position.scroll(whole as i64);
        if scroll.x.abs() > 8.0 {
            position.column = position.column.saturating_add_signed(if scroll.x > 0.0 { -1 } else { 1 });
        }
    }
    if cx.focused != Some(view.id) || ui.ctx().text_edit_focused() {
        return;
    }
    let page = shown.saturating_sub(1).max(1) as i64;
    let nothing_focused = ui.memory(|memory| memory.focused().is_none());
    ui.input(|input| {
        let presses = |key| input.num_presses(key) as i64;
        position.scroll((presses(Key::PageDown) - presses(Key::PageUp)) * page);
        if nothing_focused {
            position.scroll(presses(Key::ArrowDown) - presses(Key::ArrowUp));
        }
        if input.key_pressed(Key::Home) {
            position.first = 0;
        }
        if input.key_pressed(Key::End) {
            position.first = position.rows.saturating_sub(shown);
        }
    });
}

/// Width of the column of row numbers.
fn number_width(painter: &Painter, position: &Position, cx: &ViewContext<'_>) -> f32 {
    let text = group_digits(position.rows.max(1));
    painter.layout_no_wrap(text, cx.theme.small(), cx.theme.faint).size().x.max(24.0) + 20.0
}

/// Width of a column, from its type and name.
fn width(field: &Field) -> f32 {
    let by_kind = match field.kind() {
        Kind::Bool => 56.0,
        Kind::Text => 128.0,
        Kind::Time => 144.0,
        _ => 88.0,
    };
    f32::max(by_kind, (field.name.chars().count() as f32 * 7.0 + 20.0).min(200.0))
}

/// The columns that fit beside the row numbers, the last one perhaps in part.
fn columns<'a>(dataset: &'a Dataset, position: &mut Position, room: f32) -> Vec<&'a Field> {
    let fields = dataset.schema().fields();
    position.column = position.column.min(fields.len().saturating_sub(1));
    // Room is not wasted on the right while columns are hidden on the left.
    let mut free = room;
    let mut earliest = fields.len();
    for (i, field) in fields.iter().enumerate().rev() {
        free -= width(field);
        if free < 0.0 {
            break;
        }
        earliest = i;
    }
    position.column = position.column.min(earliest.min(fields.len().saturating_sub(1)));
    let mut used = 0.0;
    let mut shown = Vec::new();
    for field in &fields[position.column..] {
        if used >= room {
            break;
        }
        used += width(field);
        shown.push(field);
    }
    shown
}

#[expect(clippy::too_many_arguments, reason = "one call, from the function above")]
fn table(
    painter: &Painter,
    body: Rect,
    grid: Rect,
    columns: &[&Field],
    pages: &[(Arc<RowPage>, bool)],
    state: &ViewState,
    shown: u64,
    cx: &ViewContext<'_>,
) {
    let theme = cx.theme;
    let line = theme.size.bar;
    let rows = state.position.rows;
    let numbers = number_width(painter, &state.position, cx);
    let header = Rect::from_min_max(body.min, pos2(grid.right(), grid.top()));
    painter.hline(body.x_range(), header.bottom() - 0.5, theme.hairline());
    let heading = painter.with_clip_rect(header);
    let mut left = grid.left() + numbers;
    for field in columns {
        let cell = Rect::from_min_size(pos2(left, header.top()), vec2(width(field), header.height()));
        cell_text(&heading, cell, &shorten(&field.name), is_right(field), theme.strong(), theme.text);
        left += width(field);
    }
    let at = pos2(grid.left() + numbers - 12.0, header.center().y);
    heading.text(at, Align2::RIGHT_CENTER, "row", theme.small(), theme.faint);

    let inside = painter.with_clip_rect(grid);
    for i in 0..=shown {
        let position = state.position.first + i;
        if position >= rows {
            break;
        }
        let top = grid.top() + i as f32 * line;
        let found = pages.iter().find_map(|(page, fresh)| {
            let at = position.checked_sub(page.first)? as usize;
            (at < page.len()).then_some((page, at, *fresh))
        });
        let strip = Rect::from_min_size(pos2(grid.left(), top), vec2(grid.width(), line));
        if position % 2 == 1 {
            inside.rect_filled(strip, CornerRadius::ZERO, theme.panel);
        }
        let Some((page, at, fresh)) = found else {
            let bar = Rect::from_center_size(strip.center(), vec2(strip.width() - 24.0, 2.0));
            inside.rect_filled(bar, 1, theme.grid);
            continue;
        };
        let place = pos2(grid.left() + numbers - 12.0, strip.center().y);
        let number = group_digits(page.numbers[at]);
        inside.text(place, Align2::RIGHT_CENTER, number, theme.small(), theme.faint);
        let mut left = grid.left() + numbers;
        for (field, values) in columns.iter().zip(&page.columns) {
            let cell = Rect::from_min_size(pos2(left, top), vec2(width(field), line));
            left += width(field);
            let (text, color) = match format_value(values, at) {
                Some(text) => (shorten(&text), if fresh { theme.text } else { theme.faint }),
                None => ("missing".to_owned(), theme.missing),
            };
            cell_text(&inside, cell, &text, is_right(field), theme.small(), color);
        }
    }
    if rows == 0 {
        let at = grid.center_top() + vec2(0.0, 32.0);
        let is_empty = cx.session.dataset().is_some_and(|dataset| dataset.row_count() == 0);
        let text = if is_empty { "The table has no rows." } else { "No row passes the filters." };
        painter.text(at, Align2::CENTER_CENTER, text, theme.body(), theme.weak);
    }
}

fn is_right(field: &Field) -> bool {
    matches!(field.kind(), Kind::Integer | Kind::Float | Kind::Duration)
}

fn cell_text(
    painter: &Painter,
    cell: Rect,
    text: &str,
    right: bool,
    font: egui::FontId,
    color: egui::Color32,
) {
    let inner = cell.shrink2(vec2(6.0, 0.0));
    let galley = axis::one_line(painter, text, font, color, inner.width());
    let (at, align) = if right {
        (inner.right_center(), Align2::RIGHT_CENTER)
    } else {
        (inner.left_center(), Align2::LEFT_CENTER)
    };
    let rect = align.anchor_size(at, galley.size());
    painter.galley(rect.min, galley, color);
}

#[expect(clippy::too_many_arguments, reason = "one call, from the function above")]
fn scroll_bars(
    ui: &mut Ui,
    body: Rect,
    grid: Rect,
    shown: u64,
    columns_shown: usize,
    dataset: &Dataset,
    state: &mut ViewState,
    cx: &mut ViewContext<'_>,
) {
    let theme = cx.theme;
    let position = &mut state.position;
    let track = Rect::from_min_max(pos2(grid.right(), grid.top()), pos2(body.right(), grid.bottom()));
    let response = ui.interact(track, ui.scope_id().with("scroll"), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::ScrollBar, true, "scroll rows"));
    let rows = position.rows;
    if rows > shown {
        let (at, length) = handle(position.first, shown, rows, track.height());
        if let Some(pointer) =
            response.interact_pointer_pos().filter(|_| response.is_pointer_button_down_on())
        {
            let along = pointer.y - track.top();
            let grip = *position.grip.get_or_insert_with(|| {
                if (at..at + length).contains(&along) { along - at } else { length / 2.0 }
            });
            position.first = row_at(along - grip, length, shown, rows, track.height());
            let text = format!("row {}", group_digits(position.first));
            let corner = grid.right_top() + vec2(-2.0, -4.0);
            axis::note(&ui.painter_at(body), theme, grid, corner, &text);
        } else {
            position.grip = None;
        }
        let (at, length) = handle(position.first, shown, rows, track.height());
        let rect = Rect::from_min_size(track.min + vec2(2.0, at), vec2(track.width() - 4.0, length));
        let color = if response.hovered() || response.dragged() { theme.weak } else { theme.outline };
        ui.painter().rect_filled(rect, 3, color);
    }
    let count = dataset.schema().len();
    if count > columns_shown {
        let track = Rect::from_min_max(
            pos2(grid.left(), body.bottom() - SCROLL_BAR),
            pos2(grid.right(), body.bottom()),
        );
        let response = ui.interact(track, ui.scope_id().with("scroll columns"), Sense::click_and_drag());
        response
            .widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::ScrollBar, true, "scroll columns"));
        let visible = columns_shown as u64;
        let (_, length) = handle(position.column as u64, visible, count as u64, track.width());
        if let Some(pointer) =
            response.interact_pointer_pos().filter(|_| response.is_pointer_button_down_on())
        {
            let along = pointer.x - track.left() - length / 2.0;
            position.column = row_at(along, length, visible, count as u64, track.width()) as usize;
        }
        let (at, length) = handle(position.column as u64, visible, count as u64, track.width());
        let rect = Rect::from_min_size(track.min + vec2(at, 2.0), vec2(length, track.height() - 4.0));
        let color = if response.hovered() || response.dragged() { theme.weak } else { theme.outline };
        ui.painter().rect_filled(rect, 3, color);
    }
}

/// What a column of the table is, in words.
pub fn describe(field: &Field) -> String {
    let unit = field.unit.as_ref().map(|unit| format!(" in {unit}")).unwrap_or_default();
    let name = axes::bare(&field.name);
    match &field.description {
        Some(text) => {
            format!("{name}: {}{unit} ({})\n{}", kind_name(field.kind()), field.data_type, shorten(text))
        }
        None => format!("{name}: {}{unit} ({})", kind_name(field.kind()), field.data_type),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_a_billion_rows_is_reached_by_the_handle_and_by_steps() {
        let (rows, shown, track) = (1_000_000_000_u64, 20, 400.0);
        let (at, length) = handle(rows - shown, shown, rows, track);
        assert_eq!(at + length, track);
        assert_eq!(row_at(at, length, shown, rows, track), rows - shown);
        assert_eq!(row_at(1e9, length, shown, rows, track), rows - shown);
        assert_eq!(row_at(-5.0, length, shown, rows, track), 0);
        let mut position = Position { rows, ..Position::default() };
        position.go_to(u64::MAX);
        position.clamp(shown);
        assert_eq!(position.first, rows - shown);
        position.scroll(-1);
        assert_eq!(position.first, rows - shown - 1);
    }

    #[test]
    fn fewer_rows_than_fit_do_not_scroll() {
        let mut position = Position { rows: 3, first: 2, ..Position::default() };
        position.clamp(20);
        assert_eq!(position.first, 0);
        assert_eq!(row_at(50.0, 400.0, 20, 3, 400.0), 0);
    }
}
