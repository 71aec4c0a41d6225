//! The command line with its help as it is shown: by the name that was called, and short with `-h`.

use clap::{Command, CommandFactory};

use super::Cli;
use burncam_run::short as version_line;

use crate::{program, version};

/// The options of `explain` that `-h` shows.
const USUAL: [&str; 8] =
    ["weights", "data", "out", "classes", "labels", "layer", "device", "resume"];

/// The command line.
pub(crate) fn command() -> Command {
    let names = |command: &Command| command.get_name().to_owned();
    let mut all = Cli::command().bin_name(program::name()).version(leaked(version_line()));
    for name in all.get_subcommands().map(names).collect::<Vec<_>>() {
        all = all.mut_subcommand(name, named);
    }
    all.mut_subcommand("explain", short)
}

/// Tells the graphics adapters with the version, which takes a moment.
pub(crate) fn with_adapters(command: Command) -> Command {
    command.long_version(leaked(version::long()))
}

/// The parser keeps it as long as the program runs.
fn leaked(text: String) -> &'static str {
    text.leak()
}

/// Examples are typed by the name that was called.
fn named(command: Command) -> Command {
    let Some(examples) = command.get_after_long_help().map(ToString::to_string) else {
        return command;
    };
    let from = format!("{} ", program::OWN);
    command.after_long_help(examples.replace(&from, &format!("{} ", program::name())))
}

/// `-h` fits a screen.
fn short(command: Command) -> Command {
    let options = command.get_arguments().count();
    let rest = format!(
        "`{} explain --help` has all {options} options, grouped, with examples and exit codes.",
        program::name()
    );
    let hidden = |arg: clap::Arg| {
        let usual = USUAL.contains(&arg.get_id().as_str());
        if usual { arg } else { arg.hide_short_help(true) }
    };
    command.mut_args(hidden).after_help(rest)
}
