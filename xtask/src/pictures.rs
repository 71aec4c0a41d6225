//! `cargo xtask pictures`: the pictures of the demo that stand in README and docs.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use crate::program::{self, cargo};
use crate::root;

/// Evaluates the demo, and writes pictures of its page and a figure into `assets`.
pub(crate) fn run() -> ExitCode {
    let out = program::target().join("pictures");
    match pictures(&out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn pictures(out: &Path) -> Result<(), String> {
    program::build_with(&[]).map_err(|_| "burncam could not be built".to_owned())?;
    if out.exists() {
        fs::remove_dir_all(out).map_err(|error| format!("{}: {error}", out.display()))?;
    }
    let assets = root().join("assets");
    let burncam = || Command::new(program::path());
    ends_well(burncam().arg("evaluate").args(["--device", "cpu", "--out"]).arg(out))?;
    let figure = ["--width", "120", "--dpi", "110", "--out"];
    ends_well(burncam().arg("figure").arg(out).args(figure).arg(assets.join("figure.png")))?;
    let page = out.canonicalize().map_err(|error| format!("{}: {error}", out.display()))?;
    let tests =
        ["test", "--release", "--locked", "--workspace", "--exclude=xtask", "--test=browser"];
    let mut browser = cargo();
    browser.args(tests).env("BURNCAM_PAGE", page.join("index.html"));
    ends_well(browser.env("BURNCAM_PICTURES", &assets))
}

fn ends_well(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{name} ended with {status}")),
        Err(error) => Err(format!("cannot start {name}: {error}")),
    }
}
