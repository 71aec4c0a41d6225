//! `burncam completions`: what a shell needs to complete commands and options.

use std::process::ExitCode;

use anyhow::Result;
use clap_complete::generate;

use crate::args::{self, Completions};
use crate::{console, program};

/// Prints the script.
pub(crate) fn run(args: &Completions) -> Result<ExitCode> {
    let mut script = Vec::new();
    generate(args.shell, &mut args::command(), program::OWN, &mut script);
    console::result(&String::from_utf8(script)?)?;
    Ok(ExitCode::SUCCESS)
}
