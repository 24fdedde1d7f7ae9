//! Tables as Markdown and as CSV.

use std::fmt;

/// A table of texts: named columns, and rows with a cell for each.
#[derive(Debug, Clone, Default)]
pub struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these column names and no rows.
    pub fn new<S: Into<String>>(columns: impl IntoIterator<Item = S>) -> Self {
        Self {
            columns: columns.into_iter().map(Into::into).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    ///
    /// # Panics
    ///
    /// If the row does not have as many cells as there are columns.
    pub fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        let cells: Vec<String> = cells.into_iter().map(Into::into).collect();
        assert_eq!(cells.len(), self.columns.len(), "a cell for each column");
        self.rows.push(cells);
    }

    /// The table as comma-separated values. Cells are not quoted, so none may contain a comma or a quote.
    pub fn csv(&self) -> String {
        let lines = std::iter::once(&self.columns).chain(&self.rows);
        lines.map(|cells| cells.join(",") + "\n").collect()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| {} |", self.columns.join(" | "))?;
        writeln!(f, "|---|{}", "--:|".repeat(self.columns.len() - 1))?;
        for cells in &self.rows {
            writeln!(f, "| {} |", cells.join(" | "))?;
        }
        Ok(())
    }
}

/// A share as a percentage, with `digits` digits after the point.
pub fn percent(share: f64, digits: usize) -> String {
    format!("{:.digits$} %", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_markdown_and_csv() {
        let mut table = Table::new(["policy", "worst"]);
        table.row(["auto".to_owned(), percent(0.0315, 1)]);
        assert_eq!(table.to_string(), "| policy | worst |\n|---|--:|\n| auto | 3.1 % |\n");
        assert_eq!(table.csv(), "policy,worst\nauto,3.1 %\n");
    }
}
