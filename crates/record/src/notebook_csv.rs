//! The notebook's table, `<Model>.csv`, byte for byte as pandas writes it.

use std::io::Write;

use csv::{QuoteStyle, Terminator, WriterBuilder};

use crate::csv_text::cell;
use crate::{Error, Prediction, Rows};
use burncam_evaluation::Outcome;

const HEADER: [&str; 6] = ["Fold", "Image", "Class", "Pred", "Conf", "Right?"];

/// One row of the notebook's table.
struct NotebookRow {
    fold: String,
    /// The image's file name, with its extension.
    image: String,
    label: Option<String>,
    predicted: String,
    confidence: f32,
}

impl NotebookRow {
    /// The row of a prediction, or `None` for an image that has none: the notebook's table has
    /// no place for failures.
    fn new(prediction: &Prediction) -> Option<Self> {
        let classification = prediction.classification.as_ref()?;
        Some(Self {
            fold: prediction.fold.clone(),
            image: prediction.file_name().to_owned(),
            label: prediction.label.clone(),
            predicted: classification.predicted.clone(),
            confidence: classification.confidence,
        })
    }
}

/// The table as pandas' `to_csv(index=False, sep=";")` writes it, with the notebook's habit of
/// removing `.png` from an image's name wherever it stands. The class of an image without a
/// label is `unknown`. Rows are written as they are read.
///
/// A text that a spreadsheet would take for a formula gets a `'` in front, as in
/// [`predictions_csv`](crate::predictions_csv).
///
/// # Errors
///
/// What reading a row or writing to `to` gives.
pub fn notebook_csv(rows: &Rows<'_>, to: impl Write) -> Result<(), Error> {
    let rows = rows.iter().map(|row| Ok(NotebookRow::new(&row?)));
    table(rows.filter_map(Result::transpose), to)
}

fn table(
    rows: impl Iterator<Item = Result<NotebookRow, Error>>,
    to: impl Write,
) -> Result<(), Error> {
    let mut table = WriterBuilder::new()
        .delimiter(b';')
        .quote_style(QuoteStyle::Necessary)
        .terminator(Terminator::Any(b'\n'))
        .from_writer(to);
    table.write_record(HEADER)?;
    for row in rows {
        let row = row?;
        let label = row.label.as_deref();
        let cells = [
            row.fold.as_str(),
            &row.image.replace(".png", ""),
            label.unwrap_or("unknown"),
            &row.predicted,
            &confidence(row.confidence),
            Outcome::compare(label, &row.predicted).name(),
        ];
        table.write_record(cells.map(cell).iter().map(|text| text.as_bytes()))?;
    }
    Ok(table.flush()?)
}

/// A probability as the notebook prints it: in percent, rounded half to even at two decimals,
/// with as few digits as tell it apart but at least one decimal, then `%`: `64.5%`, `100.0%`.
///
/// The arithmetic is in `f64`, as that of numpy 1 is for a `float32` times a Python number.
/// A value that is not finite gives an empty text.
#[must_use]
pub fn confidence(probability: f32) -> String {
    if !probability.is_finite() {
        return String::new();
    }
    let percent = f64::from(probability) * 100.0;
    let rounded = (percent * 100.0).round_ties_even() / 100.0;
    format!("{rounded:?}%")
}

#[cfg(test)]
mod tests {
    use super::{NotebookRow, confidence, notebook_csv, table as write};
    use crate::Rows;
    use crate::predictions::tests::{failure, prediction};

    fn row(fold: &str, image: &str, label: Option<&str>, confidence: f32) -> NotebookRow {
        NotebookRow {
            fold: fold.to_owned(),
            image: image.to_owned(),
            label: label.map(str::to_owned),
            predicted: "Pain".to_owned(),
            confidence,
        }
    }

    fn table(rows: impl IntoIterator<Item = NotebookRow>) -> String {
        let mut bytes = Vec::new();
        write(rows.into_iter().map(Ok), &mut bytes).expect("a table in memory");
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn confidence_is_pythons() {
        let cases = [
            (1.0, "100.0%"),
            (0.5, "50.0%"),
            (0.645, "64.5%"),
            (0.508_6, "50.86%"),
            (0.999_999_9, "100.0%"),
            (1.0 / 3.0, "33.33%"),
            (0.001, "0.1%"),
            (5.1e-5, "0.01%"),
            (0.0, "0.0%"),
            (0.031_25, "3.12%"),
            (0.093_75, "9.38%"),
        ];
        for (probability, text) in cases {
            assert_eq!(confidence(probability), text);
        }
        assert_eq!(confidence(f32::NAN), "");
    }

    #[test]
    fn rows_are_the_notebooks() {
        let rows = [
            row("Fold0", "a.png_copia_dor.png", Some("Pain"), 0.645),
            row("Fold0", "b.PNG", Some("No_pain"), 1.0),
            row("Fold1", "c.jpg", None, 0.5),
        ];
        let expected = "Fold;Image;Class;Pred;Conf;Right?\n\
                        Fold0;a_copia_dor;Pain;Pain;64.5%;Right\n\
                        Fold0;b.PNG;No_pain;Pain;100.0%;Wrong\n\
                        Fold1;c.jpg;unknown;Pain;50.0%;Unknown\n";
        assert_eq!(table(rows), expected);
        assert_eq!(table([]), "Fold;Image;Class;Pred;Conf;Right?\n");
    }

    #[test]
    fn only_what_must_be_is_quoted() {
        let rows = [row("a;b", "c\"d", Some("e,f g"), 0.5), row("", "h\ni", Some("i\r"), 0.5)];
        let expected = "Fold;Image;Class;Pred;Conf;Right?\n\
                        \"a;b\";\"c\"\"d\";e,f g;Pain;50.0%;Wrong\n\
                        ;\"h\ni\";\"i\r\";Pain;50.0%;Wrong\n";
        assert_eq!(table(rows), expected);
    }

    #[test]
    fn failures_have_no_row() {
        let rows = [failure("Fold0/a.png"), prediction("Fold0/b.png", Some("Pain"))];
        let mut bytes = Vec::new();
        notebook_csv(&Rows::held(&rows), &mut bytes).expect("a table in memory");
        let expected = "Fold;Image;Class;Pred;Conf;Right?\nFold0;b;Pain;Pain;75.0%;Right\n";
        assert_eq!(String::from_utf8(bytes).expect("UTF-8"), expected);
    }

    #[test]
    fn no_text_is_a_formula() {
        let text =
            table([row("-1", "=cmd().png", Some("+1+1"), 0.5), row("@x", "-2+3", None, 1.0)]);
        let lines: Vec<&str> = text.lines().skip(1).collect();
        let expected =
            ["-1;'=cmd();'+1+1;Pain;50.0%;Wrong", "'@x;'-2+3;unknown;Pain;100.0%;Unknown"];
        assert_eq!(lines, expected);
    }
}
