//! The notebook's table, `<Model>.csv`, byte for byte as pandas writes it.

use csv::{QuoteStyle, Terminator, WriterBuilder};

use crate::{Error, Outcome, Prediction};

const HEADER: [&str; 6] = ["Fold", "Image", "Class", "Pred", "Conf", "Right?"];

/// One row of the notebook's table.
#[derive(Clone, Debug, PartialEq)]
pub struct NotebookRow {
    /// The fold's name.
    pub fold: String,
    /// The image's file name, with its extension.
    pub image: String,
    /// The true class, where it is known.
    pub label: Option<String>,
    /// The predicted class.
    pub predicted: String,
    /// The probability of the predicted class, in 0..=1.
    pub confidence: f32,
}

impl NotebookRow {
    /// The row of a prediction, or `None` for an image that has none: the notebook's table has
    /// no place for failures.
    #[must_use]
    pub fn of(prediction: &Prediction) -> Option<Self> {
        let explained = prediction.explained.as_ref()?;
        Some(Self {
            fold: prediction.fold.clone(),
            image: prediction.file_name().to_owned(),
            label: prediction.label.clone(),
            predicted: explained.predicted.clone(),
            confidence: explained.confidence,
        })
    }
}

/// The table as pandas' `to_csv(index=False, sep=";")` writes it, with the notebook's habit of
/// removing `.png` from an image's name wherever it stands. The class of an image without a
/// label is `unknown`.
///
/// # Errors
///
/// None that a caller could cause; the table is written to memory.
pub fn notebook_csv(rows: &[NotebookRow]) -> Result<Vec<u8>, Error> {
    let mut table = WriterBuilder::new()
        .delimiter(b';')
        .quote_style(QuoteStyle::Necessary)
        .terminator(Terminator::Any(b'\n'))
        .from_writer(Vec::new());
    table.write_record(HEADER)?;
    for row in rows {
        let label = row.label.as_deref();
        table.write_record([
            row.fold.as_str(),
            &row.image.replace(".png", ""),
            label.unwrap_or("unknown"),
            &row.predicted,
            &confidence(row.confidence),
            Outcome::of(label, &row.predicted).name(),
        ])?;
    }
    table.into_inner().map_err(|error| Error::Table(error.into_error().into()))
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
    use super::{NotebookRow, confidence, notebook_csv};

    fn row(fold: &str, image: &str, label: Option<&str>, confidence: f32) -> NotebookRow {
        NotebookRow {
            fold: fold.to_owned(),
            image: image.to_owned(),
            label: label.map(str::to_owned),
            predicted: "Pain".to_owned(),
            confidence,
        }
    }

    fn table(rows: &[NotebookRow]) -> String {
        String::from_utf8(notebook_csv(rows).expect("a table in memory")).expect("UTF-8")
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
        assert_eq!(table(&rows), expected);
        assert_eq!(table(&[]), "Fold;Image;Class;Pred;Conf;Right?\n");
    }

    #[test]
    fn only_what_must_be_is_quoted() {
        let rows = [row("a;b", "c\"d", Some("e,f g"), 0.5), row("", "h\ni", Some("\r"), 0.5)];
        let expected = "Fold;Image;Class;Pred;Conf;Right?\n\
                        \"a;b\";\"c\"\"d\";e,f g;Pain;50.0%;Wrong\n\
                        ;\"h\ni\";\"\r\";Pain;50.0%;Wrong\n";
        assert_eq!(table(&rows), expected);
    }
}
