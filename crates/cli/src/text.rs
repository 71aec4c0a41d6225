//! Text for people: aligned columns and readable numbers.

use std::borrow::Cow;
use std::fmt::Debug;

use burncam_run::SHOWN;

/// The most characters of a cell. Names come from files, and every line is as wide as the longest.
const WIDEST: usize = 120;

/// On which side a column has its ragged edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// Words: aligned at the left.
    Words,
    /// Numbers: aligned at the right.
    Numbers,
}

/// A table under a line of column names, each line ended. Long cells are [`cut`].
pub(crate) fn table<const N: usize>(head: [(&str, Column); N], rows: &[[String; N]]) -> String {
    let rows = || rows.iter().map(|row| row.each_ref().map(|cell| cut(cell)));
    let lines = || std::iter::once(head.map(|(name, _)| Cow::Borrowed(name))).chain(rows());
    let mut widths = [0; N];
    for line in lines() {
        for (width, cell) in widths.iter_mut().zip(&line) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for line in lines() {
        let cells =
            line.iter().zip(widths).zip(head).map(|((cell, width), (_, column))| match column {
                Column::Words => format!("{cell:width$}"),
                Column::Numbers => format!("{cell:>width$}"),
            });
        let line = cells.collect::<Vec<_>>().join("  ");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The text, or its beginning and an ellipsis where it is too long for a table.
pub(crate) fn cut(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(WIDEST) {
        None => Cow::Borrowed(text),
        Some(_) => {
            let end = text.char_indices().nth(WIDEST - 1).map_or(0, |(at, _)| at);
            Cow::Owned(format!("{}…", &text[..end]))
        }
    }
}

/// The first of the names, each [`cut`], and how many more there are.
pub(crate) fn some(names: &[String]) -> String {
    let (shown, rest) = names.split_at(names.len().min(SHOWN));
    let shown = shown.iter().map(|name| cut(name)).collect::<Vec<_>>().join(", ");
    if rest.is_empty() { shown } else { format!("{shown}, and {} more", rest.len()) }
}

/// Names and what they stand for, one a line.
pub(crate) fn fields(fields: &[(&str, String)]) -> String {
    let width = fields.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    fields.iter().map(|(name, value)| format!("{name:width$}  {value}\n")).collect()
}

/// `23587712` as `23,587,712`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `[14, 14, 512]`.
pub(crate) fn shape<T: Debug>(shape: &[T]) -> String {
    format!("{shape:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_have_no_blanks_at_their_end() {
        let head = [("layer", Column::Words), ("size", Column::Numbers), ("", Column::Words)];
        let row = |cells: [&str; 3]| cells.map(str::to_owned);
        let found = table(head, &[row(["é", "12345", "x"]), row(["longer", "7", ""])]);
        assert_eq!(found, "layer    size\né       12345  x\nlonger      7\n");
    }

    /// A width of more than 65,535 is one that `format!` panics at.
    #[test]
    fn long_cells_are_cut() {
        let head = [("layer", Column::Words), ("size", Column::Numbers)];
        let row = |cells: [&str; 2]| cells.map(str::to_owned);
        let whole = "é".repeat(WIDEST);
        let rows = [row([&"é".repeat(70_000), "1"]), row([&whole, &"9".repeat(70_000)])];
        let found = table(head, &rows);
        let lines: Vec<&str> = found.lines().collect();
        let (few, nines) = ("é".repeat(WIDEST - 1), "9".repeat(WIDEST - 1));
        assert_eq!(lines[1], format!("{few}…  {:>WIDEST$}", 1));
        assert_eq!(lines[2], format!("{whole}  {nines}…"));
    }

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = (0..12).map(|name| name.to_string()).collect();
        assert_eq!(some(&names[..2]), "0, 1");
        assert_eq!(some(&names[..10]), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9");
        assert_eq!(some(&names), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, and 2 more");
    }

    #[test]
    fn numbers_are_grouped_by_threes() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1234567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }
}
