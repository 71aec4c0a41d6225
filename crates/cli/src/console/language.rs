//! The language that the console speaks.

use std::sync::OnceLock;

use burncam_page::Language;
use burncam_run::Message;

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

/// A message in that language.
pub(crate) fn spoken(message: &Message) -> &str {
    message.text(language())
}
