//! What an error shows of a table: its first rows as they were understood, and one that works.

use csv::StringRecord;

use super::columns::Wanted;
use super::sheet::Sheet;

/// Rows that are shown.
const ROWS: usize = 3;

/// Columns that are shown.
const COLUMNS: usize = 8;

/// Characters of a cell that are shown.
const WIDEST: usize = 40;

/// The first cells of each column, a line a column.
pub(super) fn as_columns(sheet: &Sheet, headings: Option<&StringRecord>) -> String {
    let rows = sheet.rows().skip(usize::from(headings.is_some())).take(ROWS);
    let rows: Vec<StringRecord> = rows.filter_map(|row| Some(row.ok()?.1)).collect();
    let width = rows.iter().chain(headings).map(StringRecord::len).max().unwrap_or(0);
    let mut text = String::new();
    for column in 0..width.min(COLUMNS) {
        let heading = headings.and_then(|headings| headings.get(column));
        let heading = heading.map_or(String::new(), |heading| format!(" `{}`", shown(heading)));
        let cells: Vec<String> = rows.iter().filter_map(|row| row.get(column)).map(shown).collect();
        let number = column.saturating_add(1);
        text.push_str(&format!("\n  column {number}{heading}: {}", cells.join(", ")));
    }
    if width > COLUMNS {
        text.push_str(&format!("\n  and {} more columns", width.saturating_sub(COLUMNS)));
    }
    text
}

/// A cell on one line.
pub(super) fn shown(cell: &str) -> String {
    let line = cell.replace(char::is_control, " ");
    match line.char_indices().nth(WIDEST) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// A table that works, as a hint.
pub(super) fn example(wanted: &Wanted<'_>) -> String {
    let class = wanted.classes.first().map_or("Pain", String::as_str);
    format!("\nhint: a table that works:\n  image,class\n  {},{}", wanted.example, shown(class))
}
