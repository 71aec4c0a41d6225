//! The `burncam` command: arguments, device, the pipeline, progress.

mod args;
mod compare;
mod completions;
mod console;
mod convert;
mod demo;
mod devices;
mod explain;
mod figure;
mod inspect;
mod layers;
mod man;
mod measures;
mod methods;
mod models;
mod npz;
mod other_network;
mod program;
mod report;
mod runtime_dir;
mod settings;
mod text;
mod verify;
mod version;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::FromArgMatches as _;

use burncam_run::NO_THREAD;

use args::{Cli, Command};

/// Usage or fatal error; some images failed is 1, everything explained is 0.
const FATAL: u8 = 2;

fn main() -> ExitCode {
    let command = match command() {
        Ok(command) => command,
        Err(error) => {
            console::error(&error);
            return ExitCode::from(FATAL);
        }
    };
    if command.asks_for_gpus() {
        runtime_dir::ensure();
    }
    match start_threads().and_then(|()| run(command)) {
        Ok(code) => code,
        Err(error) => {
            console::error(&error);
            ExitCode::from(FATAL)
        }
    }
}

/// What the command line and the files that it names ask for; ends the program where it only asks for help.
fn command() -> Result<Command> {
    let words: Vec<_> = std::env::args_os().collect();
    let mut all = args::command();
    if words.get(1).is_some_and(|word| word == "--version") {
        runtime_dir::ensure();
        all = args::with_adapters(all);
    }
    let (words, file) = settings::complete(&all, words)?;
    let matches = all.clone().get_matches_from(words);
    let mut command = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()).command;
    let run = match &mut command {
        Command::Explain(explain) => Some(&mut **explain),
        Command::Evaluate(evaluate) => Some(&mut evaluate.explain),
        _ => None,
    };
    if let (Some(explain), Some((name, own))) = (run, matches.subcommand()) {
        explain.settings.file = file;
        let options = all.find_subcommand(name).map(|all| settings::recorded(all, own));
        explain.settings.recorded = options.unwrap_or_default();
    }
    Ok(command)
}

/// Starts the threads that share all work; otherwise the first use of them would panic.
fn start_threads() -> Result<()> {
    rayon::ThreadPoolBuilder::new().build_global().context(NO_THREAD)
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Explain(args) => explain::run(&args),
        Command::Evaluate(args) => explain::evaluate(&args.explain),
        Command::Models(args) => models::run(&args),
        Command::Methods(args) => methods::run(&args),
        Command::Measures(args) => measures::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Layers(args) => layers::run(&args),
        Command::Convert(args) => convert::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Devices(args) => devices::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Figure(args) => figure::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    }
}
