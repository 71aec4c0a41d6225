//! `cargo xtask port`: an ONNX classifier as a native network.
//!
//! The program that does it has a workspace of its own, `ported/generator`, and is built when it is
//! asked for; what it writes is then built into `burncam` and tried.

use std::env::consts::EXE_SUFFIX;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::{fs, io};

use crate::program::{build_with, cargo, exit_code, path, target};
use crate::root;

/// Images on which a new network is tried.
const TRIAL: &str = "assets/demo/faces/Fold0";

/// Generates the network that `arguments` describe, builds `burncam` with it and tries it.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let Some(generator) = generator() else { return ExitCode::from(2) };
    let networks = root().join("ported");
    let mut generate = Command::new(generator);
    generate.args(arguments).arg("--into").arg(&networks).arg("--work").arg(scratch("work"));
    let generated = exit_code(&mut generate);
    let name = value(arguments, "--name");
    let asks = arguments.iter().any(|argument| argument == "--help" || argument == "-h");
    let (Some(name), false, true) = (name, asks, generated == ExitCode::SUCCESS) else {
        return generated;
    };
    let weights = Path::new("ported").join(name).join(format!("{name}.bpk"));
    if build(name) && works(name, &root().join(&weights)) {
        eprintln!(
            "Ported {name}: its code and weights are in ported/{name}. Now:\n  \
             cargo xtask explain --weights {} --data YOUR_IMAGES",
            weights.display()
        );
        return ExitCode::SUCCESS;
    }
    // A network that cannot be built would keep everything else from being built.
    let failed = scratch("failed").join(name);
    match move_folder(&networks.join(name), &failed) {
        Ok(()) => eprintln!(
            "error: the code generated for {name} does not work, as told above\nhint: it was moved \
             to {}; Burncam works without it",
            failed.display()
        ),
        Err(error) => eprintln!(
            "error: the code generated for {name} does not work, as told above, and cannot be \
             moved away ({error})\nhint: delete ported/{name}"
        ),
    }
    ExitCode::from(2)
}

/// Builds the program that generates code, if need be.
fn generator() -> Option<PathBuf> {
    let target = scratch("target");
    let program = target.join("release").join(format!("burncam-port{EXE_SUFFIX}"));
    let mut cargo = cargo();
    let manifest = root().join("ported/generator/Cargo.toml");
    cargo.args(["build", "--release", "--locked", "--manifest-path"]).arg(manifest);
    cargo.arg("--target-dir").arg(&target);
    if program.is_file() {
        cargo.arg("--quiet");
    } else {
        eprintln!(
            "Building the code generator for the first time: some minutes. Later runs start at once."
        );
    }
    cargo.status().is_ok_and(|status| status.success()).then_some(program)
}

/// Builds `burncam` with the new network.
fn build(name: &str) -> bool {
    eprintln!(
        "Building burncam with {name}: a minute or two; the first time some minutes, since Burn's operations are \
         then compiled for speed."
    );
    build_with(&["--quiet"]).is_ok()
}

/// Whether the network explains some images.
fn works(name: &str, weights: &Path) -> bool {
    eprintln!("Trying {name} on the demo's faces.");
    let mut trial = Command::new(path());
    trial.args(["explain", "--overwrite", "--device", "cpu", "--labels", "dirs"]);
    trial.arg("--weights").arg(weights).arg("--data").arg(root().join(TRIAL));
    trial.arg("--out").arg(scratch("trial")).stdout(Stdio::null());
    let output = match trial.stderr(Stdio::piped()).output() {
        Ok(output) if output.status.success() => return true,
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    eprint!("{output}");
    false
}

/// The value of an option, as `--name VALUE` or `--name=VALUE`.
fn value<'a>(arguments: &'a [String], option: &str) -> Option<&'a str> {
    arguments.iter().enumerate().find_map(|(index, argument)| {
        let rest = argument.strip_prefix(option)?;
        match rest.strip_prefix('=') {
            Some(value) => Some(value),
            None if rest.is_empty() => arguments.get(index + 1).map(String::as_str),
            None => None,
        }
    })
}

/// A folder of the generator's in cargo's target folder.
fn scratch(name: &str) -> PathBuf {
    target().join("port").join(name)
}

/// Moves a folder of files, to another file system too.
fn move_folder(from: &Path, to: &Path) -> io::Result<()> {
    if to.is_dir() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    fs::remove_dir_all(from)
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn options_are_found_in_both_spellings() {
        let given = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for (text, name) in [
            ("a.onnx --name net", Some("net")),
            ("--name=net a.onnx", Some("net")),
            ("a.onnx --names net", None),
            ("a.onnx --name", None),
        ] {
            assert_eq!(value(&given(text), "--name"), name, "{text}");
        }
    }
}
