//! What headings of a table's columns mean, and which columns a user has named.

use std::str::FromStr;

use crate::classes::key;

/// Headings of the column that names images.
const IMAGE: [&str; 27] = [
    "path",
    "filepath",
    "imagepath",
    "imgpath",
    "relativepath",
    "file",
    "files",
    "filename",
    "imagefile",
    "imagefilename",
    "image",
    "images",
    "imageid",
    "imagename",
    "img",
    "imgid",
    "imgname",
    "picture",
    "photo",
    "name",
    "id",
    "imagem",
    "arquivo",
    "nomedoarquivo",
    "caminho",
    "foto",
    "nome",
];

/// Headings of the column that has classes.
const CLASS: [&str; 27] = [
    "class",
    "classes",
    "classname",
    "classid",
    "classlabel",
    "classification",
    "label",
    "labels",
    "labelname",
    "truelabel",
    "trueclass",
    "target",
    "targets",
    "y",
    "ytrue",
    "truth",
    "groundtruth",
    "gt",
    "gold",
    "diagnosis",
    "dx",
    "category",
    "categories",
    "categoryname",
    "classe",
    "rotulo",
    "diagnostico",
];

/// Headings of columns that have what a network has found.
const PREDICTED: [&str; 9] = [
    "pred",
    "predicted",
    "prediction",
    "predictions",
    "predictedclass",
    "predictedlabel",
    "ypred",
    "output",
    "predito",
];

/// What a heading says of its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heading {
    /// It names the images.
    Image,
    /// It has the true classes.
    Class,
    /// It has a network's results.
    Predicted,
    /// It numbers the rows.
    Index,
    /// Anything else.
    Other,
}

impl Heading {
    /// By its words, in any case and spelling.
    pub(super) fn read(heading: &str) -> Self {
        let key = key(heading);
        let key = key.replace('ó', "o");
        match key.as_str() {
            "" | "index" | "level0" => Self::Index,
            key if key.starts_with("unnamed:") => Self::Index,
            key if IMAGE.contains(&key) => Self::Image,
            key if CLASS.contains(&key) => Self::Class,
            key if PREDICTED.contains(&key) => Self::Predicted,
            _ => Self::Other,
        }
    }
}

/// `image=…,class=…`: the headings of these columns, or their numbers from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelColumns {
    pub(super) image: Option<String>,
    pub(super) class: Option<String>,
}

impl FromStr for LabelColumns {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut columns = Self::default();
        for part in text.split(',') {
            let (what, heading) = part.split_once('=').unwrap_or((part, ""));
            let place = match what.trim() {
                "image" => &mut columns.image,
                "class" => &mut columns.class,
                _ => return Err(format!("`{part}` is not `image=COLUMN` or `class=COLUMN`")),
            };
            match heading.trim() {
                "" => return Err(format!("`{part}` names no column")),
                heading => *place = Some(heading.to_owned()),
            }
        }
        Ok(columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_known_in_any_spelling() {
        for (heading, meaning) in [
            ("File Name", Heading::Image),
            ("image_id", Heading::Image),
            ("Filepath", Heading::Image),
            ("Ground-Truth", Heading::Class),
            ("DIAGNOSIS", Heading::Class),
            ("rótulo", Heading::Class),
            ("y_pred", Heading::Predicted),
            ("Unnamed: 0", Heading::Index),
            ("", Heading::Index),
            ("baby", Heading::Other),
        ] {
            assert_eq!(Heading::read(heading), meaning, "{heading}");
        }
    }

    #[test]
    fn columns_are_named() {
        let columns = |image: Option<&str>, class: Option<&str>| {
            let owned = |name: Option<&str>| name.map(str::to_owned);
            Ok(LabelColumns { image: owned(image), class: owned(class) })
        };
        assert_eq!("image=scan,class=grade".parse(), columns(Some("scan"), Some("grade")));
        assert_eq!("class=2".parse(), columns(None, Some("2")));
        for bad in ["scan", "image=", "subject=x", ""] {
            assert!(bad.parse::<LabelColumns>().is_err(), "{bad}");
        }
    }
}
