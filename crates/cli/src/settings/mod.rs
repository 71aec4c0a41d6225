//! Options from files: `burncam.toml`, and the record of an earlier run.
//!
//! They become words of the command line where that does not say otherwise, so one parser checks all.

mod file;
mod options;
mod words;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{ArgMatches, Args, Command, ValueHint};
use serde_json::{Map, Value};

use file::File;
use options::Options;
use words::Typed;

use burncam_run::data::SETTINGS_FILE;
use burncam_run::{Message, warn_of_others};

use crate::console::{self, CONSOLE};

/// Options that no file has.
const ONLY_TYPED: [&str; 3] = ["config", "from", "help"];

/// Options that say what becomes of earlier results, not what is computed.
const NOT_RECORDED: [&str; 3] = ["overwrite", "resume", "forget-missing"];

/// Where options come from, beside the command line.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct SettingsOptions {
    /// A file of options, instead of a burncam.toml in the data folder, beside it or, without --data, here.
    /// Each is written as here, without dashes: `labels = "dirs"`, `exact = true`,
    /// `weights = ["VGG16.h5", "NCNN.h5"]`; paths start at the file's folder. What the command line says
    /// counts; `--exact=false` takes a switch back.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "from", help_heading = "Settings")]
    pub config: Option<PathBuf>,

    /// Do an earlier run again, with the options that its run.json records, into another --out. Weights
    /// must be those of that run, unless --weights names others.
    #[arg(long, value_name = "run.json", value_hint = ValueHint::FilePath, help_heading = "Settings")]
    pub from: Option<PathBuf>,

    /// The file that gave options.
    #[arg(skip)]
    pub file: Option<Given>,

    /// Every option of the run, by its name without dashes; those that have their default are left out.
    #[arg(skip)]
    pub recorded: Map<String, Value>,
}

/// What a file gave.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    /// The file.
    pub path: PathBuf,
    /// The options that count, as they are typed.
    pub options: Vec<String>,
    /// SHA-256 of the weights that have to be the same; none where that does not matter.
    pub weights: Vec<String>,
    /// The Burncam that wrote the record of a run, if it was another than this one.
    pub version: Option<String>,
}

/// The command line with the options of a file, if there is one for its command.
///
/// # Errors
///
/// If the file cannot be read, or has an option or a value that the command does not take.
pub(crate) fn complete(
    command: &Command,
    words: Vec<OsString>,
) -> Result<(Vec<OsString>, Option<Given>)> {
    let name = words.get(1).and_then(|word| word.to_str()).unwrap_or_default();
    let Some(own) = command.find_subcommand(name).filter(|own| takes_settings(own)) else {
        return Ok((words, None));
    };
    let typed = Typed::new(&words[2..]);
    if typed.asks_for_help() {
        return Ok((words, None));
    }
    let Some(file) = file(&typed)? else {
        return Ok(([&words[..2], &typed.words(own)].concat(), None));
    };
    let options = Options::new(command, own, &file)?.without_typed(own, &typed);
    let given = Given {
        options: options.names(),
        weights: if typed.has("weights") { Vec::new() } else { file.weights },
        version: file.version,
        path: file.path,
    };
    let words = [&words[..2], &options.words, &typed.words(own)].concat();
    Ok((words, Some(given)))
}

/// The file that the command line names, or the one that lies with the images.
fn file(typed: &Typed<'_>) -> Result<Option<File>> {
    if let Some(path) = typed.value("from") {
        return File::record(path.into()).map(Some);
    }
    if let Some(path) = typed.value("config") {
        return File::toml(path.into()).map(Some);
    }
    let beside = match typed.value("data").map(Path::new) {
        None => vec![PathBuf::from(SETTINGS_FILE)],
        Some(data) => {
            let parent = match data.file_name() {
                Some(_) => data.parent().unwrap_or(Path::new("")).to_owned(),
                None => data.join(".."),
            };
            vec![data.join(SETTINGS_FILE), parent.join(SETTINGS_FILE)]
        }
    };
    let found = beside.into_iter().find(|path| path.is_file());
    found.map(File::toml).transpose()
}

fn takes_settings(command: &Command) -> bool {
    command.get_arguments().any(|arg| arg.get_id() == "config")
}

/// The options of a parsed command line that say what is computed.
pub(crate) fn recorded(command: &Command, matches: &ArgMatches) -> Map<String, Value> {
    let given = |arg: &&clap::Arg| {
        matches.value_source(arg.get_id().as_str()) == Some(clap::parser::ValueSource::CommandLine)
    };
    let own = command.get_arguments().filter(given).filter_map(|arg| {
        let name = arg
            .get_long()
            .filter(|name| !ONLY_TYPED.contains(name) && !NOT_RECORDED.contains(name))?;
        let values: Vec<Value> = matches
            .get_raw(arg.get_id().as_str())?
            .map(|value| value.to_string_lossy().into_owned().into())
            .collect();
        let value = match values.as_slice() {
            _ if options::is_switch(arg) => true.into(),
            [one] if !options::takes_several(arg) => one.clone(),
            _ => values.into(),
        };
        Some((name.to_owned(), value))
    });
    own.collect()
}

impl Given {
    /// Says which options the file gives.
    pub(crate) fn tell(&self) {
        let (path, options) = (self.path.display(), self.options.join(", "));
        if !self.options.is_empty() {
            console::note(Message::new(
                format!("Options from {path}: {options}."),
                format!("Opções de {path}: {options}."),
            ));
        }
        let other = self.version.iter().map(|version| format!("{path}: {version}"));
        warn_of_others(&other.collect::<Vec<_>>(), &CONSOLE);
    }
}
