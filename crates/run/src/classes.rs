//! `--classes`: names of the classes, as a list or in a file.

#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used,
    )
)]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

/// Far more than any list of classes needs, in bytes.
const LARGEST: u64 = 4 << 20;

/// How JSON lists classes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Json {
    /// `["tench", "goldfish"]`.
    List(Vec<String>),
    /// `{"0": ["n01440764", "tench"], …}`, ImageNet's index: identifier and name.
    Index(BTreeMap<String, Vec<String>>),
    /// `{"0": "tench", …}`.
    ByNumber(BTreeMap<String, String>),
    /// `{"tench": 0, …}`, torchvision's `class_to_idx`.
    ByName(BTreeMap<String, usize>),
}

/// The names that `given` lists, separated by commas, or that the file `given` has: JSON, or text
/// with one name a line.
pub fn names(given: &str) -> Result<Vec<String>> {
    let path = Path::new(given);
    if !path.is_file() {
        let ending = path.extension().and_then(|ending| ending.to_str());
        let file = matches!(ending, Some("json" | "txt")) && !given.contains(',');
        ensure!(!file, "--classes: there is no file {given}");
        let names = given.split(',').map(|name| name.trim().to_owned()).collect();
        return checked(names).with_context(|| format!("--classes {given}"));
    }
    let cannot = || format!("--classes: cannot read {given}");
    let size = fs::metadata(path).with_context(cannot)?.len();
    ensure!(size <= LARGEST, "--classes: {given} is larger than {} MiB", LARGEST >> 20);
    let mut bytes = Vec::new();
    File::open(path)
        .with_context(cannot)?
        .take(LARGEST)
        .read_to_end(&mut bytes)
        .with_context(cannot)?;
    let Ok(text) = String::from_utf8(bytes) else {
        bail!("--classes: {given} is not in UTF-8\nhint: a text editor saves it so");
    };
    let text = text.trim_start_matches('\u{feff}').trim();
    let names = match text.starts_with(['[', '{']) {
        true => parse(text).with_context(|| format!("--classes: {given} lists no classes"))?,
        false => text.lines().map(|line| line.trim().to_owned()).collect(),
    };
    checked(apart(names)).with_context(|| format!("--classes: {given} is no list of classes"))
}

/// Names on one line, of many only the first.
pub fn listed(names: &[String]) -> String {
    const SHOWN: usize = 10;
    match names.get(..SHOWN) {
        Some(first) if names.len() > SHOWN => {
            format!("{}, … ({} in all)", first.join(", "), names.len())
        }
        _ => names.join(", "),
    }
}

/// A name without what people write in several ways: case, `_`, `-` and spaces.
pub fn key(name: &str) -> String {
    let letters = name.chars().filter(|letter| !matches!(letter, '_' | '-' | ' '));
    letters.flat_map(char::to_lowercase).collect()
}

/// Classes by name: as it is written but for case, else by its [`key`] where only one class has it.
pub struct Known {
    exact: HashMap<String, usize>,
    alike: HashMap<String, Option<usize>>,
}

impl Known {
    /// Of equal names the first counts.
    pub fn new(names: &[String]) -> Self {
        let all = || names.iter().enumerate().rev();
        let mut alike: HashMap<String, Option<usize>> = HashMap::new();
        for (at, name) in all() {
            alike.entry(key(name)).and_modify(|place| *place = None).or_insert(Some(at));
        }
        alike.remove("");
        Self { exact: all().map(|(at, name)| (name.to_lowercase(), at)).collect(), alike }
    }

    /// The class of this name.
    pub fn find(&self, name: &str) -> Option<usize> {
        let exact = self.exact.get(&name.to_lowercase()).copied();
        exact.or_else(|| self.alike.get(&key(name)).copied().flatten())
    }
}

fn parse(text: &str) -> Result<Vec<String>> {
    let pairs: Vec<(usize, String)> = match serde_json::from_str(text)? {
        Json::List(names) => return Ok(names),
        Json::Index(entries) => {
            let last = |(number, parts): (String, Vec<String>)| {
                let name = parts.into_iter().next_back().context("a class has no name")?;
                Ok((number.parse()?, name))
            };
            entries.into_iter().map(last).collect::<Result<_>>()?
        }
        Json::ByNumber(entries) => {
            let entry = |(number, name): (String, String)| Ok((number.parse()?, name));
            entries.into_iter().map(entry).collect::<Result<_>>()?
        }
        Json::ByName(entries) => entries.into_iter().map(|(name, number)| (number, name)).collect(),
    };
    let mut names: Vec<Option<String>> = vec![None; pairs.len()];
    for (number, name) in pairs {
        match names.get_mut(number) {
            Some(place @ None) => *place = Some(name),
            Some(Some(other)) => bail!("number {number} is both `{other}` and `{name}`"),
            None => bail!("there is a number {number}, and only {} classes", names.len()),
        }
    }
    names.into_iter().collect::<Option<_>>().context("a number is missing")
}

/// Names that come from somewhere else, each told from the others.
pub fn told_apart(names: &[String]) -> Result<Vec<String>> {
    checked(apart(names.to_vec()))
}

/// ImageNet has two classes `crane`: the second is told from the first by its number.
fn apart(names: Vec<String>) -> Vec<String> {
    let mut told: Vec<String> = Vec::with_capacity(names.len());
    let mut known = HashSet::new();
    for (number, name) in names.into_iter().enumerate() {
        let again = !name.is_empty() && !known.insert(name.to_lowercase());
        told.push(if again { format!("{name} ({number})") } else { name });
    }
    told
}

fn checked(names: Vec<String>) -> Result<Vec<String>> {
    ensure!(!names.is_empty(), "there are no names");
    let mut known: HashMap<String, usize> = HashMap::new();
    for (number, name) in names.iter().enumerate() {
        ensure!(!name.is_empty(), "class number {number} (from 0) has no name");
        ensure!(!name.contains(['\n', '\r']), "class {name:?} has several lines");
        if let Some(earlier) = known.insert(name.to_lowercase(), number) {
            bail!("classes number {earlier} and {number} (from 0) are both `{name}`");
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_file(text: &str) -> Result<Vec<String>> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("classes");
        fs::write(&path, text).expect("a file");
        names(path.to_str().expect("text"))
    }

    #[test]
    fn every_form_gives_the_names_in_order() {
        assert_eq!(names("a, b").expect("names"), ["a", "b"]);
        for text in [
            "a\nb c\n",
            "\u{feff}a\r\nb c\r\n",
            r#"["a", "b c"]"#,
            r#"{"1": "b c", "0": "a"}"#,
            r#"{"b c": 1, "a": 0}"#,
            r#"{"0": ["n01440764", "a"], "1": ["n01443537", "b c"]}"#,
        ] {
            assert_eq!(in_file(text).expect(text), ["a", "b c"], "{text}");
        }
        // Numbers are no text: 10 comes after 9.
        let many: BTreeMap<String, String> =
            (0..12).map(|number| (number.to_string(), format!("class {number}"))).collect();
        let found = in_file(&serde_json::to_string(&many).expect("JSON")).expect("names");
        assert_eq!((found[2].as_str(), found[11].as_str()), ("class 2", "class 11"));
    }

    #[test]
    fn names_are_known_in_any_spelling() {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let known = Known::new(&owned(&["Pain", "No_pain"]));
        for name in ["No_pain", "no-pain", "NO PAIN", "nopain"] {
            assert_eq!(known.find(name), Some(1), "{name}");
        }
        assert_eq!((known.find("painful"), known.find("")), (None, None));
        // What is alike is told apart by its spelling only.
        let known = Known::new(&owned(&["a_b", "ab", "_"]));
        assert_eq!(
            [known.find("A_B"), known.find("AB"), known.find("a-b")],
            [Some(0), Some(1), None]
        );
        assert_eq!([known.find("_"), known.find("-")], [Some(2), None]);
    }

    #[test]
    fn of_many_names_the_first_are_shown() {
        let names: Vec<String> = (0..12).map(|number| number.to_string()).collect();
        assert_eq!(listed(&names[..10]), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9");
        assert_eq!(listed(&names), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, … (12 in all)");
    }

    #[test]
    fn a_name_that_comes_again_gets_its_number() {
        let found = in_file("crane\ntench\nCrane\n").expect("names");
        assert_eq!(found, ["crane", "tench", "Crane (2)"]);
    }

    #[test]
    fn what_lists_no_classes_is_refused() {
        for (text, says) in [
            ("a\n\nb", "class number 1 (from 0) has no name"),
            (r#"["a", "b\nerror: c"]"#, r#"class "b\nerror: c" has several lines"#),
            ("c (2)\nc\nc", "classes number 0 and 2 (from 0) are both `c (2)`"),
            ("", "no names"),
            ("[1, 2]", "lists no classes"),
            (r#"{"0": "a", "2": "b"}"#, "only 2 classes"),
            (r#"{"a": 0, "b": 0}"#, "number 0 is both"),
            (r#"{"zero": "a"}"#, "lists no classes"),
            (r#"{"0": []}"#, "a class has no name"),
        ] {
            let error = format!("{:#}", in_file(text).expect_err(text));
            assert!(error.contains(says), "{text}: {error}");
        }
        assert!(names("classes.json").is_err() && names("a,A").is_err());
    }
}
