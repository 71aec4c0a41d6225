//! The page's words, by language.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

/// A language of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Brazilian Portuguese.
    Portuguese,
}

type Words = BTreeMap<String, String>;

static WORDS: LazyLock<[Words; 2]> = LazyLock::new(|| {
    [include_str!("text/en.json"), include_str!("text/pt-BR.json")]
        .map(|text| serde_json::from_str(text).expect("the page's words are one flat object"))
});

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::English, Self::Portuguese];

    /// Its tag by BCP 47: `en`, `pt-BR`.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Portuguese => "pt-BR",
        }
    }

    /// The words by their keys.
    pub(super) fn words(self) -> &'static Words {
        match self {
            Self::English => &WORDS[0],
            Self::Portuguese => &WORDS[1],
        }
    }

    /// The words for a key with `{name}` replaced by its value; `None` if there is no such key.
    #[must_use]
    pub fn say(self, key: &str, values: &[(&str, &str)]) -> Option<String> {
        let mut rest = self.words().get(key)?.as_str();
        let mut said = String::with_capacity(rest.len());
        // One pass, so that a value that holds braces stays as it is.
        while let Some((before, after)) = rest.split_once('{') {
            said.push_str(before);
            let (name, behind) = after.split_once('}')?;
            let (_, value) = values.iter().find(|(known, _)| *known == name)?;
            said.push_str(value);
            rest = behind;
        }
        said.push_str(rest);
        Some(said)
    }

    /// A number with so many digits after the point, or comma.
    #[must_use]
    pub fn number(self, value: f64, digits: usize) -> String {
        let text = format!("{value:.digits$}");
        let text = if text.trim_start_matches('-').trim_matches(['0', '.']).is_empty() {
            text.trim_start_matches('-').to_owned()
        } else {
            text
        };
        match self {
            Self::English => text.replace('-', "−"),
            Self::Portuguese => text.replace('-', "−").replace('.', ","),
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.tag())
    }
}

impl FromStr for Language {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let tag = |language: &Self| {
            let tag = language.tag();
            // `pt` alone, since there is one Portuguese here.
            let short = tag.split('-').next().unwrap_or(tag);
            [tag, short].iter().any(|tag| tag.eq_ignore_ascii_case(text))
        };
        let unknown = || "the languages are en and pt-BR (or pt)".to_owned();
        Self::ALL.into_iter().find(tag).ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things_with_the_same_values() {
        let names = |text: &str| {
            let mut names: Vec<String> = text
                .split('{')
                .skip(1)
                .map(|part| part.split('}').next().unwrap_or_default().to_owned())
                .collect();
            names.sort();
            names
        };
        let [english, portuguese] = Language::ALL.map(Language::words);
        assert!(english.len() > 100);
        assert!(english.keys().eq(portuguese.keys()));
        for (key, text) in english {
            assert_eq!(names(text), names(&portuguese[key]), "{key}");
            assert!(!text.is_empty() && !portuguese[key].is_empty(), "{key}");
        }
    }

    #[test]
    fn values_are_put_in_once() {
        let say = |value| Language::English.say("fold_is", &[("fold", value)]);
        assert_eq!(say("A").as_deref(), Some("Fold: A"));
        assert_eq!(say("{fold}").as_deref(), Some("Fold: {fold}"));
        assert_eq!(Language::English.say("fold_is", &[]), None);
        assert_eq!(Language::English.say("no such key", &[]), None);
    }

    #[test]
    fn numbers_are_as_the_language_writes_them() {
        assert_eq!(Language::English.number(-0.125, 2), "−0.12");
        assert_eq!(Language::Portuguese.number(81.25, 1), "81,2");
        assert_eq!(Language::English.number(-0.001, 1), "0.0");
        for text in ["PT-br", "pt", "PT"] {
            assert_eq!(text.parse(), Ok(Language::Portuguese));
        }
        assert!("de".parse::<Language>().is_err());
    }
}
