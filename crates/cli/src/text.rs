//! Text for people: aligned columns and readable numbers.

use std::fmt::Debug;

/// On which side a column has its ragged edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// Words: aligned at the left.
    Words,
    /// Numbers: aligned at the right.
    Numbers,
}

/// A table under a line of column names, each line ended.
pub(crate) fn table<const N: usize>(head: [(&str, Column); N], rows: &[[String; N]]) -> String {
    let lines = || std::iter::once(head.map(|(name, _)| name.to_owned())).chain(rows.to_vec());
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

/// Names on one line, the first and the last of many.
pub(crate) fn listed(names: &[String]) -> String {
    const SHOWN: usize = 20;
    match names {
        [first @ .., last] if first.len() >= SHOWN => {
            format!("{}, …, {last}", first[..SHOWN - 1].join(", "))
        }
        few => few.join(", "),
    }
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

    #[test]
    fn many_names_are_not_all_listed() {
        let names = |count: usize| (0..count).map(|n| n.to_string()).collect::<Vec<_>>();
        assert_eq!(listed(&names(3)), "0, 1, 2");
        assert!(listed(&names(20)).ends_with("18, 19"));
        assert!(listed(&names(1000)).ends_with("17, 18, …, 999"));
        assert_eq!(listed(&[]), "");
    }

    #[test]
    fn numbers_are_grouped_by_threes() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1234567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }
}
