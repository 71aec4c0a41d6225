//! What has to hold before a change lands.

use std::process::{Command, ExitCode};
use std::time::Instant;

use crate::program::{cargo, exit_code, for_ported, start};
use crate::root;

/// Cargo's arguments for the tests: one profile for everything, so that Burn is built once.
const TEST: [&str; 5] = ["test", "--release", "--locked", "--workspace", "--exclude=xtask"];

/// One thing that cargo checks.
struct Check {
    name: &'static str,
    arguments: &'static [&'static str],
}

/// Cheapest first.
const CHECKS: [Check; 5] = [
    Check { name: "format", arguments: &["fmt", "--all", "--check"] },
    Check {
        name: "format of the code generator",
        arguments: &["fmt", "--manifest-path", "ported/generator/Cargo.toml", "--check"],
    },
    Check {
        name: "lints",
        arguments: &[
            "clippy",
            "--release",
            "--locked",
            "--workspace",
            "--all-targets",
            "--",
            "-Dwarnings",
        ],
    },
    Check {
        name: "documentation",
        arguments: &["doc", "--release", "--locked", "--workspace", "--no-deps"],
    },
    Check { name: "tests", arguments: &TEST },
];

/// Runs all tests; `arguments` go to `cargo test`.
pub(crate) fn test(arguments: &[String]) -> ExitCode {
    exit_code(cargo().args(TEST).args(for_ported()).args(arguments))
}

/// Runs every check and stops at the first that fails.
pub(crate) fn all() -> ExitCode {
    for check in &CHECKS {
        let mut command = cargo();
        command.args(check.arguments).env("RUSTDOCFLAGS", "-Dwarnings");
        if !passed(check.name, &mut command) {
            return ExitCode::FAILURE;
        }
    }
    if !dependencies() {
        return ExitCode::FAILURE;
    }
    eprintln!("== demo");
    let out = root().join("target/demo").display().to_string();
    start("explain", &["--overwrite", "--out", &out].map(str::to_owned))
}

/// Licences, sources and bans; advisories need a data base from outside, so they are left to
/// whoever has one.
fn dependencies() -> bool {
    let version = cargo().args(["deny", "--version"]).output();
    if !version.is_ok_and(|output| output.status.success()) {
        eprintln!("== dependencies: not checked, since cargo-deny is not installed");
        return true;
    }
    let deny = ["deny", "--locked", "check", "bans", "licenses", "sources"];
    passed("dependencies", cargo().args(deny))
}

/// Runs one check and says how it went.
fn passed(name: &str, command: &mut Command) -> bool {
    eprintln!("== {name}");
    let clock = Instant::now();
    let passed = command.status().is_ok_and(|status| status.success());
    let seconds = clock.elapsed().as_secs();
    eprintln!("== {name}: {} after {seconds} s", if passed { "passed" } else { "FAILED" });
    passed
}
