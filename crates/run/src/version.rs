//! Which Burncam this is, and which one made a run.

use burncam_record::Run;

use crate::{Message, Observer};

/// The commit that it was built from, whether or not the sources had changes since; nothing outside a clone.
pub const COMMIT: Option<&str> = option_env!("BURNCAM_COMMIT");

/// `0.1.0 (8c340d6c5a1b)`.
#[must_use]
pub fn short() -> String {
    let version = env!("CARGO_PKG_VERSION");
    COMMIT.map_or(version.to_owned(), |commit| format!("{version} ({commit})"))
}

/// The Burncam that a run is of, where it is another than this one.
#[must_use]
pub fn other(run: &Run) -> Option<String> {
    let commits = run.commit.as_deref().zip(COMMIT);
    let same = run.burncam == env!("CARGO_PKG_VERSION") && commits.is_none_or(|(a, b)| a == b);
    let commit = run.commit.iter().map(|commit| format!(" ({commit})"));
    (!same).then(|| run.burncam.clone() + &commit.collect::<String>())
}

/// Says that results are of another Burncam than this one.
pub fn warn_of_others(runs: &[String], observer: &dyn Observer) {
    if !runs.is_empty() {
        let now = short();
        let text = Message::new(
            format!("results of another Burncam than this one, {now}; its numbers may differ:"),
            format!("resultados de outro Burncam que não este, {now}; os números podem diferir:"),
        );
        observer.warning(text, runs);
    }
}
