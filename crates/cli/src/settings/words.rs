//! What was typed behind a command.

use std::ffi::{OsStr, OsString};

use clap::Command;

use super::options::is_switch;

/// Words of a command line. Options have long names only, and no value begins with `--`.
pub(super) struct Typed<'a>(&'a [OsString]);

impl<'a> Typed<'a> {
    pub(super) fn new(words: &'a [OsString]) -> Self {
        Self(words)
    }

    /// The words that can be options, each with its name and its value behind `=`.
    fn options(&self) -> impl Iterator<Item = (usize, &'a str, Option<&'a str>)> {
        let words = self.0.iter().enumerate().take_while(|(_, word)| *word != "--");
        words.filter_map(|(at, word)| {
            let option = word.to_str()?.strip_prefix("--")?;
            Some(match option.split_once('=') {
                Some((name, value)) => (at, name, Some(value)),
                None => (at, option, None),
            })
        })
    }

    pub(super) fn asks_for_help(&self) -> bool {
        self.has("help") || self.0.iter().any(|word| word == "-h")
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.options().any(|(_, other, _)| other == name)
    }

    /// The value of an option.
    pub(super) fn value(&self, name: &str) -> Option<&'a OsStr> {
        let (at, _, inside) = self.options().find(|(_, other, _)| *other == name)?;
        match inside {
            Some(value) => Some(OsStr::new(value)),
            None => self.0.get(at + 1).map(OsString::as_os_str),
        }
    }

    /// The words as the command's parser takes them: switches are there or not, without `=true` or `=false`.
    pub(super) fn words(&self, own: &Command) -> Vec<OsString> {
        let switches: Vec<(usize, &str, bool)> = self
            .options()
            .filter_map(|(at, name, value)| {
                let mut arguments = own.get_arguments();
                let known = arguments.find(|arg| arg.get_long() == Some(name))?;
                let on = value.and_then(|value| value.parse().ok())?;
                is_switch(known).then_some((at, name, on))
            })
            .collect();
        let word = |(at, word): (usize, &OsString)| match switches
            .iter()
            .find(|(switch, ..)| *switch == at)
        {
            None => Some(word.clone()),
            Some((_, name, true)) => Some(format!("--{name}").into()),
            Some((_, _, false)) => None,
        };
        self.0.iter().enumerate().filter_map(word).collect()
    }
}
