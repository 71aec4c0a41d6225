//! Building and starting the `burncam` program.

use std::env::consts::EXE_SUFFIX;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use crate::root;

/// Features are resolved for the whole workspace, so that programs and tests share one build.
const BUILD: [&str; 6] =
    ["build", "--release", "--locked", "--workspace", "--exclude=xtask", "--bins"];

/// Builds the program if need be and starts it with `command` and `arguments`.
pub(crate) fn start(command: &str, arguments: &[String]) -> ExitCode {
    if let Err(code) = build() {
        return code;
    }
    let mut program = Command::new(path());
    // The program names itself in hints and help as it was called.
    program.arg(command).args(arguments).env("BURNCAM_CALLED", "cargo xtask");
    hand_over(program)
}

/// Becomes the program, so that Ctrl-C and other signals reach it and nothing else.
#[cfg(unix)]
fn hand_over(mut program: Command) -> ExitCode {
    use std::os::unix::process::CommandExt as _;
    let error = program.exec();
    eprintln!("error: cannot start {}: {error}", program.get_program().display());
    ExitCode::from(2)
}

#[cfg(not(unix))]
fn hand_over(mut program: Command) -> ExitCode {
    exit_code(&mut program)
}

fn build() -> Result<(), ExitCode> {
    let first = !path().is_file();
    if first {
        eprintln!(
            "Building burncam for the first time, Burn included: about ten minutes on 2 slow cores, \
             less on more. Later runs start at once."
        );
    }
    build_with(if first { &[] } else { &["--quiet"] })?;
    if first {
        eprintln!("Built {}.", path().display());
    }
    Ok(())
}

/// Builds the program, with further `arguments` to cargo.
pub(crate) fn build_with(arguments: &[&str]) -> Result<(), ExitCode> {
    match cargo().args(BUILD).args(for_ported()).args(arguments).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => {
            eprintln!("error: burncam could not be built; cargo says why above");
            Err(ExitCode::from(2))
        }
        Err(error) => {
            eprintln!("error: cannot start cargo: {error}");
            Err(ExitCode::from(2))
        }
    }
}

/// What cargo is told where there is a network that `port` made: it runs on Burn's own operations on the CPU,
/// which are compiled for a quick build otherwise.
pub(crate) fn for_ported() -> &'static [&'static str] {
    let folders = std::fs::read_dir(root().join("ported")).into_iter().flatten().flatten();
    match folders.into_iter().any(|folder| folder.path().join("mod.rs").is_file()) {
        true => &["--config", "profile.release.package.burn-flex.opt-level=3"],
        false => &[],
    }
}

/// The program's place: in cargo's target folder.
pub(crate) fn path() -> PathBuf {
    path_of("burncam")
}

/// The place of a program of the workspace.
pub(crate) fn path_of(name: &str) -> PathBuf {
    target().join("release").join(format!("{name}{EXE_SUFFIX}"))
}

/// Cargo's target folder.
pub(crate) fn target() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    root().join(target)
}

/// Cargo, working in the workspace.
pub(crate) fn cargo() -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.arg("--color=auto").current_dir(root());
    command
}

/// Runs a command and takes over its exit code.
pub(crate) fn exit_code(command: &mut Command) -> ExitCode {
    match command.status() {
        Ok(status) => {
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            // Ended by a signal.
            ExitCode::from(code.unwrap_or(2))
        }
        Err(error) => {
            eprintln!("error: cannot start {}: {error}", command.get_program().display());
            ExitCode::from(2)
        }
    }
}
