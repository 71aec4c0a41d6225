//! Tables as text and as Markdown.

/// Rows under a head; the first column holds words, the others numbers.
pub(super) struct Table {
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn render(&self, markdown: bool) -> String {
        let head = &self.head;
        if markdown {
            let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
            let rule: Vec<String> = (0..head.len())
                .map(|column| if column == 0 { "---" } else { "---:" }.to_owned())
                .collect();
            let lines = [line(head), line(&rule)].into_iter();
            return lines
                .chain(self.rows.iter().map(|row| line(row)))
                .collect::<Vec<_>>()
                .join("\n");
        }
        let width = |column: usize| {
            let cells = self.rows.iter().chain([head]).filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let line = |cells: &Vec<String>| {
            let padded = cells.iter().enumerate().map(|(column, cell)| match column {
                0 => format!("{cell:<w$}", w = width(column)),
                _ => format!("{cell:>w$}", w = width(column)),
            });
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        [head].into_iter().chain(&self.rows).map(line).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn a_table_is_text_or_markdown() {
        let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        let table = Table { head: row(["network", "ms"]), rows: vec![row(["NCNN", "1.5"])] };
        assert_eq!(table.render(false), "network   ms\nNCNN     1.5");
        assert_eq!(table.render(true), "| network | ms |\n| --- | ---: |\n| NCNN | 1.5 |");
    }
}
