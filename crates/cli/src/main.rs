//! The `burncam` command: arguments, device, the pipeline, progress.

mod args;
mod bench;
mod class_names;
mod classes;
mod compare;
mod console;
mod convert;
mod data;
mod demo;
mod device;
mod devices;
mod explain;
mod inspect;
mod interrupt;
mod labels;
mod layers;
mod models;
mod npy;
mod npz;
mod other_network;
mod page;
mod preprocess;
mod runtime_dir;
mod text;
mod verify;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;

use args::{Cli, Command};

/// Usage or fatal error; some images failed is 1, everything explained is 0.
const FATAL: u8 = 2;

fn main() -> ExitCode {
    let command = Cli::parse().command;
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

/// Starts the threads that share all work; otherwise the first use of them would panic.
fn start_threads() -> Result<()> {
    rayon::ThreadPoolBuilder::new().build_global().context(console::NO_THREAD)
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Explain(args) => explain::run(&args),
        Command::Models(args) => models::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Layers(args) => layers::run(&args),
        Command::Convert(args) => convert::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Devices(args) => devices::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Report(args) => page::run(&args),
    }
}
