//! Names of the classes that a file keeps beside its weights.
//!
//! Training scripts and exporters write them under a handful of keys, as a list or as a table from
//! name to number or back. Nothing here decides what they are used for: a list that cannot be right
//! is kept with what is wrong with it.

use serde::{Deserialize, Serialize};

use crate::class_literal::parse;
use crate::{Error, Resolved};

/// Entries that hold names of classes, in small letters and without what separates words.
const ENTRIES: [&str; 13] = [
    "classtoidx",
    "idxtoclass",
    "class2idx",
    "idx2class",
    "classes",
    "classnames",
    "labels",
    "labelnames",
    "names",
    "categories",
    "id2label",
    "label2id",
    "classlabels",
];

/// The longest name of such an entry, in bytes.
pub(crate) const LONGEST_ENTRY: usize = 64;

/// Bytes of all names in one file: ImageNet-21k's are 500 KB.
const MOST_TEXT: usize = 4 << 20;

/// Lists of names in one file.
const MOST_LISTS: usize = 16;

/// How many names an error shows.
const SHOWN: usize = 5;

/// Names of the classes as one entry of a file has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassNames {
    /// The entry, with the keys that lead to it: `hyper_parameters.class_to_idx`.
    pub entry: String,
    /// The names, in the order of the network's outputs.
    pub names: Vec<String>,
    /// Why they cannot be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// What an entry holds, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// In order.
    List(Vec<String>),
    /// Each with its number, in any order.
    Numbered(Vec<(i64, String)>),
    /// It should be one of these, and is not.
    Unclear(&'static str),
}

/// Whether an entry of this name holds names of classes.
pub(crate) fn is_entry(name: &str) -> bool {
    if name.len() > LONGEST_ENTRY {
        return false;
    }
    let letters = name.chars().filter(|letter| !matches!(letter, '_' | '-' | ' ' | '.'));
    let name: String = letters.flat_map(char::to_lowercase).collect();
    ENTRIES.contains(&name.as_str())
}

/// The lists of names of one file, within bounds.
#[derive(Default)]
pub(crate) struct Lists {
    lists: Vec<ClassNames>,
    text: usize,
}

impl Lists {
    /// Whether there is room for another list.
    pub(crate) fn has_room(&self) -> bool {
        self.lists.len() < MOST_LISTS
    }

    /// Whether names of so many bytes fit beside those that are there. They then count.
    pub(crate) fn admits(&mut self, bytes: usize) -> bool {
        self.text = self.text.saturating_add(bytes);
        self.text <= MOST_TEXT
    }

    /// Adds what an entry holds; nothing of an empty one.
    pub(crate) fn add(&mut self, entry: &str, form: Form) {
        let (names, problem) = match form {
            Form::List(names) => (names, None),
            Form::Numbered(pairs) => match in_order(pairs) {
                Ok(names) => (names, None),
                Err(problem) => (Vec::new(), Some(problem)),
            },
            Form::Unclear(problem) => (Vec::new(), Some(problem.to_owned())),
        };
        let several_lines = |name: &String| name.contains(char::is_control);
        let (names, problem) = match names.iter().any(several_lines) {
            true => (Vec::new(), Some("has a name with control characters".to_owned())),
            false => (names, problem),
        };
        if self.has_room() && (problem.is_some() || !names.is_empty()) {
            let entry = entry.replace(char::is_control, " ");
            self.lists.push(ClassNames { entry, names, problem });
        }
    }

    /// Adds what metadata holds as text.
    pub(crate) fn add_text(&mut self, entry: &str, text: &str) {
        let form = match self.admits(text.len()) {
            true => parse(text),
            false => Some(Form::Unclear(TOO_LONG)),
        };
        if let Some(form) = form {
            self.add(entry, form);
        }
    }

    pub(crate) fn finish(self) -> Vec<ClassNames> {
        self.lists
    }
}

/// What is wrong with more names than any network has.
pub(crate) const TOO_LONG: &str = "is longer than any list of classes";

/// Names by number, which must be 0, 1, 2 and so on.
fn in_order(mut pairs: Vec<(i64, String)>) -> Result<Vec<String>, String> {
    pairs.sort();
    let is_next = |(at, (number, _)): (usize, &(i64, String))| i64::try_from(at) == Ok(*number);
    match pairs.iter().enumerate().all(is_next) {
        true => Ok(pairs.into_iter().map(|(_, name)| name).collect()),
        false => {
            let last = pairs.len().saturating_sub(1);
            Err(format!("does not number its {} classes from 0 to {last}", pairs.len()))
        }
    }
}

impl Resolved {
    /// The names that the file gives its classes, as many as the network has outputs; `None` where
    /// it gives none.
    ///
    /// # Errors
    ///
    /// If what the file has of them does not fit the network, or is not clear.
    pub fn class_names(&self) -> Result<Option<&ClassNames>, Error> {
        let lists = &self.file.class_names;
        let Some(first) = lists.first() else { return Ok(None) };
        let refuse = |reason: String| {
            let path = self.path().to_owned();
            Err(Error::ClassNames { path, reason })
        };
        if let Some((list, problem)) =
            lists.iter().find_map(|list| Some((list, list.problem.as_ref()?)))
        {
            return refuse(format!("`{}` {problem}", list.entry));
        }
        if let Some(other) = lists.iter().find(|list| list.names != first.names) {
            return refuse(format!(
                "`{}` has {}, and `{}` has {}",
                first.entry,
                shown(&first.names),
                other.entry,
                shown(&other.names)
            ));
        }
        let outputs = self.head.classes();
        match first.names.len() == outputs {
            true => Ok(Some(first)),
            false => refuse(format!(
                "`{}` has {} names ({}), and the network has {outputs} classes",
                first.entry,
                first.names.len(),
                shown(&first.names)
            )),
        }
    }
}

fn shown(names: &[String]) -> String {
    match names.split_at_checked(SHOWN) {
        Some((first, rest @ [_, ..])) => {
            format!("{} and {} more", first.join(", "), rest.len())
        }
        _ => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(form: Form) -> ClassNames {
        let mut lists = Lists::default();
        lists.add("classes", form);
        lists.finish().pop().expect("a list")
    }

    #[test]
    fn entries_are_known_in_any_spelling() {
        for name in ["class_to_idx", "CLASSES", "class-names", "Class Names", "id2label"] {
            assert!(is_entry(name), "{name}");
        }
        for name in ["class", "state_dict", "classes_of_old", &"classes".repeat(100)] {
            assert!(!is_entry(name), "{name}");
        }
    }

    #[test]
    fn numbers_give_the_order() {
        let pair = |number, name: &str| (number, name.to_owned());
        let found = one(Form::Numbered(vec![pair(1, "Pain"), pair(0, "No_pain")]));
        assert_eq!((found.names, found.problem), (vec!["No_pain".into(), "Pain".into()], None));
        for pairs in [
            vec![pair(1, "a"), pair(2, "b")],
            vec![pair(0, "a"), pair(0, "b")],
            vec![pair(-1, "a"), pair(0, "b")],
        ] {
            let found = one(Form::Numbered(pairs));
            assert_eq!(found.problem.as_deref(), Some("does not number its 2 classes from 0 to 1"));
        }
    }

    #[test]
    fn lists_are_bounded() {
        let mut lists = Lists::default();
        for _ in 0..100 {
            lists.add("names", Form::List(vec!["a".to_owned()]));
        }
        assert_eq!(lists.finish().len(), MOST_LISTS);
        let mut lists = Lists::default();
        lists.add_text("names", &"a,".repeat(MOST_TEXT));
        assert_eq!(lists.finish()[0].problem.as_deref(), Some(TOO_LONG));
    }
}
