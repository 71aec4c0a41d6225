//! What measures, controls, explanations, regions and baselines are called.

use std::collections::HashMap;

use crate::document::ModelReport;
use crate::text::Language;
use burncam_record::ExplanationSpec;
use burncam_trust::{control, find};

/// What stands between the names of two explanations that are compared.
const BETWEEN: &str = " ~ ";

/// A measure's title.
pub(crate) fn measure(name: &str, language: Language) -> String {
    let title = || find(name).map_or(name, |measure| measure.title);
    word("measure", name, language).unwrap_or_else(|| title().to_owned())
}

/// A control's title.
pub(super) fn control_title(name: &str, language: Language) -> String {
    let title = || control(name).map_or(name, |control| control.title);
    word("control", name, language).unwrap_or_else(|| title().to_owned())
}

/// A region of a face; one of a label map as it is called there.
pub(crate) fn region(name: &str, language: Language) -> String {
    word("region", name, language).unwrap_or_else(|| name.to_owned())
}

/// What removed places become.
pub(super) fn baseline(name: &str, language: Language) -> String {
    word("baseline", name, language).unwrap_or_else(|| name.to_owned())
}

fn word(kind: &str, name: &str, language: Language) -> Option<String> {
    language.say(&format!("{kind}_{name}"), &[])
}

/// The places and titles of a model's explanations by their names.
pub(crate) struct Titles<'a>(HashMap<&'a str, (usize, &'a str)>);

impl<'a> Titles<'a> {
    pub(crate) fn new(model: &'a ModelReport) -> Self {
        let specs = model.explanations.iter().map(|one| &one.spec);
        let one = |(place, spec): (usize, &'a ExplanationSpec)| {
            (spec.name.as_str(), (place, spec.title.as_str()))
        };
        Self(specs.enumerate().map(one).collect())
    }

    /// An explanation's title.
    pub(crate) fn explanation(&self, name: &'a str) -> &'a str {
        self.0.get(name).map_or(name, |(_, title)| title)
    }

    /// An explanation's place among those of the model; others come last.
    pub(super) fn place(&self, name: &str) -> usize {
        self.0.get(name).map_or(usize::MAX, |(place, _)| *place)
    }

    /// The titles of two explanations that are compared.
    pub(super) fn pair(&self, name: &'a str) -> String {
        let titles = name.split(BETWEEN).map(|name| self.explanation(name));
        titles.collect::<Vec<_>>().join(", ")
    }

    /// Whose values these are: an explanation's, a control's of the image, or a control's that takes its place.
    pub(super) fn owner(&self, explanation: &'a str, control: &str, language: Language) -> String {
        match (explanation, control) {
            (explanation, "") => self.explanation(explanation).to_owned(),
            ("", control) => control_title(control, language),
            (explanation, control) => {
                let title = control_title(control, language);
                let values = [("explanation", self.explanation(explanation)), ("control", &title)];
                let said = match control {
                    "untrained" => language.say("control_of_untrained", &values),
                    _ => language.say("control_of", &values),
                };
                said.unwrap_or(title)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncam_trust::regions::{FACE_REGIONS, FIVE_REGIONS};
    use burncam_trust::{Baseline, CONTROLS, MEASURES};

    #[test]
    fn all_that_is_known_has_words_in_both_languages() {
        for language in Language::ALL {
            for one in MEASURES {
                let said = word("measure", one.name, language).expect(one.name);
                assert!(language != Language::English || said == one.title, "{said}");
            }
            for one in CONTROLS {
                let said = word("control", one.name, language).expect(one.name);
                assert!(language != Language::English || said == one.title, "{said}");
                assert!(word("control_says", one.name, language).is_some(), "{}", one.name);
            }
            for name in FACE_REGIONS.iter().chain(&FIVE_REGIONS) {
                assert!(word("region", name, language).is_some(), "{name}");
            }
            for one in Baseline::ALL {
                assert!(word("baseline", one.name(), language).is_some(), "{}", one.name());
            }
        }
    }
}
