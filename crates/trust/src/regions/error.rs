//! What is wrong with regions or landmarks that a user gives.

use std::error::Error;
use std::fmt;

/// What is wrong, where, and what to do next, in plain words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionsError(String);

impl RegionsError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for RegionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for RegionsError {}

/// A text of a user's file in quotes, cut to 40 characters.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut start: String = text.chars().take(LONGEST).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    format!("{start:?}")
}
