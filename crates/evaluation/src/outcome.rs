//! Whether a prediction was right.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How the predicted class compares with the true one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Outcome {
    /// The predicted class is the true one.
    Right,
    /// It is another one.
    Wrong,
    /// The true class is not known.
    Unknown,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 3] = [Self::Right, Self::Wrong, Self::Unknown];

    /// Compares the true class, if it is known, with the predicted one.
    #[must_use]
    pub fn compare(label: Option<&str>, predicted: &str) -> Self {
        match label {
            Some(label) if label == predicted => Self::Right,
            Some(_) => Self::Wrong,
            None => Self::Unknown,
        }
    }

    /// `Right`, `Wrong` or `Unknown`: the word in the tables and the folder's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Right => "Right",
            Self::Wrong => "Wrong",
            Self::Unknown => "Unknown",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Outcome;

    #[test]
    fn compares_whole_names() {
        assert_eq!(Outcome::compare(Some("Pain"), "Pain"), Outcome::Right);
        assert_eq!(Outcome::compare(Some("No_pain"), "Pain"), Outcome::Wrong);
        assert_eq!(Outcome::compare(None, "Pain"), Outcome::Unknown);
        assert_eq!(Outcome::ALL.map(|o| o.to_string()), ["Right", "Wrong", "Unknown"]);
    }
}
