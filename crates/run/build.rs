//! Tells the crate its commit.

use std::process::Command;

/// Sets `BURNCAM_COMMIT`, where the sources are a clone and git is there.
fn main() {
    println!("cargo::rerun-if-env-changed=BURNCAM_COMMIT");
    let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) else { return };
    // What git changes with every commit and checkout.
    if let Some(log) = git(&["rev-parse", "--path-format=absolute", "--git-path", "logs/HEAD"]) {
        println!("cargo::rerun-if-changed={log}");
    }
    println!("cargo::rustc-env=BURNCAM_COMMIT={commit}");
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = output.status.success().then(|| String::from_utf8(output.stdout).ok())??;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
