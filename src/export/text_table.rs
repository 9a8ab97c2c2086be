//! Tables as aligned text for a terminal.

use std::fmt::Write as _;

use arrow::array::RecordBatch;
use arrow::util::display::ArrayFormatter;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::table::format_options;
use crate::data::{Kind, group_digits, kind, shorten};

/// How much of a table is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextOptions {
    /// Most rows shown; all when `None`.
    pub rows: Option<usize>,
    /// Columns of the terminal; as many as needed when `None`.
    pub width: Option<usize>,
    /// Most columns of the terminal one value may take.
    pub value_width: usize,
}

impl Default for TextOptions {
    fn default() -> TextOptions {
        TextOptions { rows: None, width: None, value_width: 40 }
    }
}

const GAP: usize = 2;
const MISSING: &str = "–";

struct Column {
    cells: Vec<String>,
    right: bool,
    width: usize,
}

/// The table as lines of equal columns: numbers to the right, text to the left, a missing value as
/// a dash. Rows and columns left out are counted in the last lines.
pub fn text_table(batch: &RecordBatch, options: TextOptions) -> String {
    let shown = options.rows.unwrap_or(usize::MAX).min(batch.num_rows());
    let columns: Vec<Column> =
        (0..batch.num_columns()).map(|i| column(batch, i, shown, options.value_width)).collect();
    let fitting = match options.width {
        None => columns.len(),
        Some(width) => {
            let mut used = 0;
            let fits = columns.iter().take_while(|column| {
                used += column.width + if used == 0 { 0 } else { GAP };
                used <= width
            });
            // The first column is always shown, however narrow the terminal.
            fits.count().max(1).min(columns.len())
        }
    };
    let (columns, rest) = columns.split_at(fitting);
    let mut out = String::new();
    for row in 0..=shown {
        let mut line = String::new();
        for (i, column) in columns.iter().enumerate() {
            if i > 0 {
                line.push_str(&" ".repeat(GAP));
            }
            let cell = &column.cells[row];
            let padding = " ".repeat(column.width - cell.width());
            if column.right {
                line.push_str(&padding);
                line.push_str(cell);
            } else {
                line.push_str(cell);
                line.push_str(&padding);
            }
        }
        out.push_str(line.trim_end());
        out.push('\n');
        if row == 0 {
            let rules: Vec<String> = columns.iter().map(|column| "─".repeat(column.width)).collect();
            out.push_str(&rules.join(&" ".repeat(GAP)));
            out.push('\n');
        }
    }
    let left_out = batch.num_rows() - shown;
    if left_out > 0 {
        let rows = if left_out == 1 { "row" } else { "rows" };
        let _ = writeln!(out, "… and {} more {rows}", group_digits(left_out as u64));
    }
    if !rest.is_empty() {
        let names: Vec<&str> = rest.iter().map(|column| column.cells[0].as_str()).collect();
        let noun = if rest.len() == 1 { "column" } else { "columns" };
        let _ = writeln!(out, "… and {} more {noun}: {}", rest.len(), names.join(", "));
    }
    out
}

fn column(batch: &RecordBatch, index: usize, rows: usize, value_width: usize) -> Column {
    let array = batch.column(index).as_ref();
    let schema = batch.schema();
    let field = schema.field(index);
    let header = match field.metadata().get("unit") {
        Some(unit) => format!("{} [{unit}]", field.name()),
        None => field.name().clone(),
    };
    let right = matches!(kind(array.data_type()), Kind::Integer | Kind::Float | Kind::Duration);
    let options = format_options();
    let formatter = ArrayFormatter::try_new(array, &options).ok();
    let nulls = array.logical_nulls();
    let mut cells = vec![cut(&header, value_width)];
    cells.extend((0..rows).map(|row| {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return MISSING.to_owned();
        }
        let text = formatter.as_ref().and_then(|formatter| formatter.value(row).try_to_string().ok());
        text.map_or_else(|| "?".to_owned(), |text| cut(&text, value_width))
    }));
    let width = cells.iter().map(|cell| cell.width()).max().unwrap_or(0);
    Column { cells, right, width }
}

/// Text made harmless and cut to `width` columns of the terminal.
fn cut(text: &str, width: usize) -> String {
    let text = shorten(text);
    if text.width() <= width {
        return text;
    }
    let mut used = 0;
    let mut short: String = text
        .chars()
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used < width
        })
        .collect();
    short.push('…');
    short
}
