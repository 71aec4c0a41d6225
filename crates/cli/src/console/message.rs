//! What the console says, in each of its languages.

use std::sync::OnceLock;

use burncam_report::page::Language;

/// The language that was asked for.
static LANGUAGE: OnceLock<Language> = OnceLock::new();

/// Says notes, warnings, progress and results in a language from now on; the first call counts. Errors stay
/// in English.
pub(crate) fn speak(language: Language) {
    let _ = LANGUAGE.set(language);
}

/// The language that the console speaks.
pub(crate) fn language() -> Language {
    LANGUAGE.get().copied().unwrap_or_default()
}

/// A text and its translation. Records such as run.json hold the English one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    english: String,
    portuguese: Option<String>,
}

impl Message {
    /// A text in English and in Brazilian Portuguese.
    pub(crate) fn new(english: impl Into<String>, portuguese: impl Into<String>) -> Self {
        Self { english: english.into(), portuguese: Some(portuguese.into()) }
    }

    /// This text and another behind it.
    pub(crate) fn then(self, next: impl Into<Self>) -> Self {
        let next = next.into();
        let portuguese =
            self.text(Language::Portuguese).to_owned() + next.text(Language::Portuguese);
        Self { english: self.english + &next.english, portuguese: Some(portuguese) }
    }

    /// The text in the language that the console speaks.
    pub(crate) fn spoken(&self) -> &str {
        self.text(language())
    }

    /// The text in English.
    pub(crate) fn english(&self) -> &str {
        &self.english
    }

    /// The text in a language; in English where it has no translation.
    pub(crate) fn text(&self, language: Language) -> &str {
        match (language, &self.portuguese) {
            (Language::Portuguese, Some(text)) => text,
            _ => &self.english,
        }
    }
}

/// A text without translation.
impl From<String> for Message {
    fn from(english: String) -> Self {
        Self { english, portuguese: None }
    }
}

/// A text without translation.
impl From<&str> for Message {
    fn from(english: &str) -> Self {
        english.to_owned().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_translation_stays_english() {
        let both = Message::new("with ", "com ").then("conv5_3").then(Message::new(" on", " em"));
        assert_eq!(both.text(Language::English), "with conv5_3 on");
        assert_eq!(both.text(Language::Portuguese), "com conv5_3 em");
        assert_eq!(Message::from("a note").text(Language::Portuguese), "a note");
    }
}
