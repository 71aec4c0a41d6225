//! The options of a file, checked against those that a command takes.

use std::ffi::OsString;
use std::path::Path;

use anyhow::{Result, anyhow, bail};
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, Command, ValueHint};
use serde_json::{Map, Value};

use super::file::File;
use super::words::Typed;
use super::{ONLY_TYPED, takes_settings};
use crate::program;

/// Options of a command, as words of its command line.
pub(super) struct Options {
    /// Option by option: its name, and its words.
    all: Vec<(String, Vec<OsString>)>,
    /// All words.
    pub words: Vec<OsString>,
}

impl Options {
    /// The options of `own`, a command of `command`, in a file. Those that only other commands take are
    /// passed over; a table has the options of the command that names it.
    pub(super) fn new(command: &Command, own: &Command, file: &File) -> Result<Self> {
        let (mut plain, mut table) = (Map::new(), Map::new());
        for (key, value) in &file.values {
            let named = command.find_subcommand(key).filter(|other| takes_settings(other));
            match (named, value) {
                (Some(other), Value::Object(inner)) if other.get_name() == own.get_name() => {
                    table.clone_from(inner);
                }
                (Some(_), Value::Object(_)) => {}
                _ => drop(plain.insert(key.clone(), value.clone())),
            }
        }
        let mut all = Vec::new();
        // What stands in the command's own table counts.
        plain.retain(|key, _| !table.contains_key(key));
        for (key, value) in plain.iter().chain(&table) {
            let name = key.replace('_', "-");
            let Some(arg) = option(own, &name) else {
                let others = command.get_subcommands().filter(|other| takes_settings(other));
                if !table.contains_key(key)
                    && others.into_iter().any(|one| option(one, &name).is_some())
                {
                    continue;
                }
                return Err(unknown(own, &name, file));
            };
            if all.iter().any(|(known, _)| *known == name) {
                bail!("{}: `{name}` is there twice", file.path.display());
            }
            let words = words(arg, value, &file.folder)
                .map_err(|what| anyhow!("{}: `{key}` {what}", file.path.display()))?;
            check(command, own, &words)
                .map_err(|what| anyhow!("{}: {what}", file.path.display()))?;
            all.push((name, words));
        }
        Ok(Self::from_words(all))
    }

    fn from_words(all: Vec<(String, Vec<OsString>)>) -> Self {
        let words = all.iter().flat_map(|(_, words)| words.clone()).collect();
        Self { all, words }
    }

    /// Those that were not typed, and do not contradict what was.
    pub(super) fn without_typed(mut self, own: &Command, typed: &Typed<'_>) -> Self {
        let conflicts = |one: &Arg| own.get_arg_conflicts_with(one);
        let contradicts = |name: &str| {
            let Some(arg) = option(own, name) else { return false };
            let with = own.get_arguments().filter(|other| {
                conflicts(arg).iter().any(|one| one.get_id() == other.get_id())
                    || conflicts(other).iter().any(|one| one.get_id() == arg.get_id())
            });
            with.filter_map(Arg::get_long).any(|other| typed.has(other))
        };
        self.all.retain(|(name, _)| !typed.has(name) && !contradicts(name));
        Self::from_words(self.all)
    }

    /// The options that are set, as they are typed.
    pub(super) fn names(&self) -> Vec<String> {
        let set = self.all.iter().filter(|(_, words)| !words.is_empty());
        set.map(|(name, _)| format!("--{name}")).collect()
    }
}

/// An option that a file may have.
fn option<'a>(command: &'a Command, name: &str) -> Option<&'a Arg> {
    let own = command.get_arguments().find(|arg| arg.get_long() == Some(name));
    own.filter(|_| !ONLY_TYPED.contains(&name))
}

/// Whether an option is on or off.
pub(super) fn is_switch(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue)
}

/// Whether an option can be given more than once.
pub(super) fn takes_several(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append)
}

/// An option and its value as it is typed, with paths as seen from here.
fn words(arg: &Arg, value: &Value, folder: &Path) -> Result<Vec<OsString>, String> {
    let name = arg.get_long().unwrap_or_default();
    if is_switch(arg) {
        return match value {
            Value::Bool(true) => Ok(vec![format!("--{name}").into()]),
            Value::Bool(false) => Ok(Vec::new()),
            _ => Err("is a switch, true or false".to_owned()),
        };
    }
    let values = match value {
        Value::Array(several) => several.iter().map(text).collect::<Result<Vec<_>, _>>()?,
        one => vec![text(one)?],
    };
    let values = match values.iter().find(|one| one.contains(',')) {
        _ if takes_several(arg) || values.len() == 1 => values,
        None => vec![values.join(",")],
        Some(one) => return Err(format!("takes one text, and `{one}` has a comma of its own")),
    };
    let word = |value: &String| {
        let mut word = OsString::from(format!("--{name}="));
        word.push(located(arg, value, folder));
        word
    };
    Ok(values.iter().map(word).collect())
}

/// A path, from the folder where it starts; another value as it is.
fn located(arg: &Arg, value: &str, folder: &Path) -> OsString {
    let path = folder.join(value);
    let is_path = match arg.get_value_hint() {
        ValueHint::FilePath | ValueHint::DirPath => true,
        // A file, or a word.
        ValueHint::AnyPath => path.is_file(),
        _ => false,
    };
    if is_path { path.into() } else { value.into() }
}

fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err("takes a text, a number or a list of them".to_owned()),
    }
}

/// Lets the command's own parser check one option, as if it were the only one.
fn check(command: &Command, own: &Command, words: &[OsString]) -> Result<(), String> {
    let mut line: Vec<OsString> = vec![program::OWN.into(), own.get_name().into()];
    line.extend_from_slice(words);
    match command.clone().try_get_matches_from(line) {
        Err(error)
            if !matches!(
                error.kind(),
                ErrorKind::MissingRequiredArgument | ErrorKind::ArgumentConflict
            ) =>
        {
            let text = error.to_string();
            let first = text.split("\n\n").next().unwrap_or_default();
            Err(first.trim_start_matches("error: ").to_owned())
        }
        _ => Ok(()),
    }
}

fn unknown(own: &Command, name: &str, file: &File) -> anyhow::Error {
    let known =
        own.get_arguments().filter_map(Arg::get_long).filter(|name| option(own, name).is_some());
    let distance = |known: &str| strsim::damerau_levenshtein(known, name);
    let nearest = known.min_by_key(|known| distance(known));
    let hint =
        match nearest.filter(|nearest| distance(nearest) <= nearest.len().max(name.len()) / 2) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("`{} {} --help` lists them", program::name(), own.get_name()),
        };
    let what = if ONLY_TYPED.contains(&name) {
        "stands on the command line only".to_owned()
    } else {
        format!("is no option of `{}`\nhint: {hint}", own.get_name())
    };
    anyhow!("{}: `{name}` {what}", file.path.display())
}
