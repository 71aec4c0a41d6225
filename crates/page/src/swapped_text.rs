//! That two classes seem to have each other's names, in words.

use crate::document::ModelReport;
use crate::text::Language;
use burncam_evaluation::{SwappedNames, swapped_names};

/// The sentence of a model whose two classes, in the network's order, seem to have each other's names:
/// what speaks for it, and the option that exchanges them.
#[must_use]
pub fn swapped_sentence(
    model: &str,
    classes: [&str; 2],
    found: SwappedNames,
    language: Language,
) -> String {
    let percent = |share: f64| format!("{}\u{a0}%", language.number(share * 100.0, 1));
    let names = format!("{},{}", classes[1], classes[0]);
    let is_plain = |c: char| c.is_alphanumeric() || "-_.,".contains(c);
    let names = match names.chars().all(is_plain) {
        true => names,
        false => format!("'{}'", names.replace('\'', r"'\''")),
    };
    let (accuracy, swapped) = (percent(found.accuracy), percent(found.swapped));
    let values = [
        ("model", model),
        ("accuracy", accuracy.as_str()),
        ("swapped", swapped.as_str()),
        ("names", names.as_str()),
    ];
    language.say("swapped_names", &values).unwrap_or_default()
}

/// The sentence of a model of the report, if there is reason for one.
pub(super) fn of_model(model: &ModelReport, language: Language) -> Option<String> {
    let ([first, second], [a, b]) = (&*model.classes, &*model.confusion.counts) else {
        return None;
    };
    let counts = [<[usize; 2]>::try_from(&**a).ok()?, <[usize; 2]>::try_from(&**b).ok()?];
    // Both classes are in the table, in the model's order, unless it is of another version.
    let found = (model.confusion.classes == model.classes).then(|| swapped_names(counts))??;
    Some(swapped_sentence(&model.name, [first, second], found, language))
}
