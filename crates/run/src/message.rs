//! What users are told, in each of the languages.

use burncam_page::Language;

/// How many items of a list are shown before it is cut.
pub const SHOWN: usize = 10;

/// What is said where the system starts no more threads.
pub const NO_THREAD: &str = "the system does not let this program start a thread: its limit of \
                             processes (`ulimit -u`, or a container's pids limit) is reached";

/// `1 image`, `3 images`.
#[must_use]
pub fn images(count: usize) -> String {
    counted(count, "image", "images")
}

/// A number and its noun.
#[must_use]
pub fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// What users should know, each with the items that it concerns.
pub(crate) type Warnings = Vec<(Message, Vec<String>)>;

/// A text and its translation. Records such as run.json hold the English one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    english: String,
    portuguese: Option<String>,
}

impl Message {
    /// A text in English and in Brazilian Portuguese.
    pub fn new(english: impl Into<String>, portuguese: impl Into<String>) -> Self {
        Self { english: english.into(), portuguese: Some(portuguese.into()) }
    }

    /// This text and another behind it.
    pub fn then(self, next: impl Into<Self>) -> Self {
        let next = next.into();
        let portuguese =
            self.text(Language::Portuguese).to_owned() + next.text(Language::Portuguese);
        Self { english: self.english + &next.english, portuguese: Some(portuguese) }
    }

    /// The text in English.
    pub fn english(&self) -> &str {
        &self.english
    }

    /// The text in a language; in English where it has no translation.
    pub fn text(&self, language: Language) -> &str {
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
