//! The project's commands: `cargo xtask <name>`.
//!
//! It depends on nothing large, so that it compiles in seconds; what needs Burn runs in the
//! `burncam` program, which it builds on first use.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod bench;
mod checks;
mod fuzz;
mod pictures;
mod port;
mod program;
mod soak;

use std::path::Path;
use std::process::ExitCode;

const HELP: &str = "\
The project's commands.

Usage: cargo xtask <COMMAND> [ARGUMENTS]

For users (they build the `burncam` program on first use, and start it with the same arguments):
  explain   classify images and show which regions decided; without arguments, the demo
  evaluate  measure whether the maps of methods may be believed; without arguments, of the demo
  models    list the networks that are supported
  methods   list the methods of explanation and their options
  measures  list the measures of maps, and the controls
  inspect   say what a checkpoint file holds, and whether it is supported
  layers    list the layers of a checkpoint that `explain --layer` takes
  convert   write a checkpoint in Burn's own format or as safetensors
  compare   compare each layer with what Keras computed for the same input
  devices   list what there is to compute on
  verify    check that a device computes what the CPU computes
  report    make the page of a finished run again, or one page of several runs
  figure    make a figure for a paper of a finished run: images and maps, mean maps, or curves
  port      make a native network of any ONNX classifier, for the commands above

For developers:
  test      run all tests; arguments go to `cargo test`
  bench     how fast `explain` is, beside Keras, PyTorch and ONNX Runtime
  soak      what a run of 50,000 images takes: memory, time, sizes
  pictures  take the pictures of the demo that stand in README and docs; needs Chromium
  fuzz      hand files that a fuzzer makes to every reader
  ci        check everything that .ci/run checks: format, lints, docs, tests, licences, the demo

`cargo xtask <COMMAND> --help` says what a command for users takes.";

/// Usage error, as of the `burncam` program.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        None => {
            println!("{HELP}");
            ExitCode::from(USAGE)
        }
        Some((command, rest)) => match command.as_str() {
            "help" | "--help" | "-h" => {
                println!("{HELP}");
                ExitCode::SUCCESS
            }
            "explain" | "evaluate" | "models" | "methods" | "measures" | "inspect" | "layers"
            | "convert" | "compare" | "devices" | "verify" | "report" | "figure" => {
                program::start(command, rest)
            }
            "port" => port::run(rest),
            "bench" => bench::run(rest),
            "soak" => soak::run(rest),
            "pictures" => pictures::run(),
            "fuzz" => fuzz::run(rest),
            "test" => checks::test(rest),
            "ci" => checks::all(),
            unknown => {
                eprintln!("error: there is no command `{unknown}`\n\n{HELP}");
                ExitCode::from(USAGE)
            }
        },
    }
}

/// The folder of the workspace.
fn root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}
