//! The program as one that is installed: its name, its version, completions and manual.

use std::fs;

use crate::program::{Place, Run, files};

#[test]
fn help_and_hints_name_the_program_as_it_was_called() {
    let place = Place::new();
    let called = |name: Option<&str>, arguments: &[&str]| {
        let mut command = place.command(arguments);
        command.env_remove("BURNCAM_CALLED");
        command.envs(name.map(|name| ("BURNCAM_CALLED", name)));
        Run::of(command.output().expect("the program starts"))
    };
    for (name, other) in [(None, "cargo xtask"), (Some("cargo xtask"), "burncam explain")] {
        let shown = name.unwrap_or("burncam");
        let help = called(name, &["explain", "--help"]).stdout;
        assert!(help.contains(&format!("Usage: {shown} explain")), "{help}");
        assert!(help.contains(&format!("  {shown} explain --weights VGG16.h5")), "{help}");
        assert!(!help.contains(other), "{help}");
        let wrong = called(name, &["verify", "--device", "cpu"]).stderr;
        assert!(wrong.contains(&format!("`{shown} devices`")), "{wrong}");
    }
}

#[test]
fn short_help_fits_a_screen_and_the_rest_is_in_the_long_one() {
    let place = Place::new();
    let commands = ["explain", "models", "inspect", "layers", "convert", "compare", "devices"];
    for command in commands.iter().chain(&["verify", "report", "figure", "completions", "man"]) {
        let mut short = place.command(&[command, "-h"]);
        let short = Run::of(short.env("COLUMNS", "80").output().expect("the program starts"));
        let lines = short.stdout.lines().count();
        assert!(lines <= 30, "{command}: {lines} lines\n{}", short.stdout);
    }
    let short = place.burncam(&["explain", "-h"]).stdout;
    let long = place.burncam(&["explain", "--help"]).stdout;
    let options = |text: &str| text.lines().filter(|line| line.starts_with("      --")).count();
    assert_eq!(options(&short), 8, "{short}");
    let said = format!("all {} options", options(&long));
    assert!(short.contains(&said), "{said}: {short}");
    for heading in ["Input:", "Output:", "Explanation:", "Report:", "Computation:", "Settings:"] {
        assert!(long.contains(heading), "{heading}");
    }
}

#[test]
fn the_version_tells_what_the_program_is_made_of() {
    let place = Place::new();
    let short = place.burncam(&["-V"]).stdout;
    assert!(short.starts_with(&format!("burncam {}", env!("CARGO_PKG_VERSION"))), "{short}");
    let long = place.burncam(&["--version"]).stdout;
    assert!(long.starts_with(short.trim()), "{long}");
    for part in ["features: flex, wgpu, autodiff", "own kernels for", "GPU: "] {
        assert!(long.contains(part), "{part}: {long}");
    }
}

#[test]
fn shells_complete_every_command_and_the_manual_has_a_page_for_each() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = place.burncam(&["completions", shell]).stdout;
        for word in ["explain", "label-columns", "completions", "bilinear"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let run = place.burncam(&["man", "manual"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let pages = files(&place.path("manual"));
    assert!(pages.contains(&"burncam.1".to_owned()), "{pages:?}");
    assert!(!pages.contains(&"burncam-bench.1".to_owned()), "{pages:?}");
    let page = place.path("manual").join("burncam-explain.1");
    let page = fs::read_to_string(page).expect("the page of `explain`");
    for part in [".TH burncam-explain 1", "label\\-columns", "Exit codes"] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn the_demo_needs_nothing_but_the_program() {
    let place = Place::new();
    let run = place.burncam(&["explain"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(place.path("burncam-demo/index.html").is_file());
    assert!(place.path("burncam-demo/input/NCNN.h5").is_file());
    let again = place.burncam(&["explain"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
}
