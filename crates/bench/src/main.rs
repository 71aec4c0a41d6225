//! The worker of `cargo xtask bench`.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let args = burncam_bench::Args::parse();
    match burncam_bench::run(&args, &mut std::io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            use std::io::Write as _;
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::from(2)
        }
    }
}
