//! `cargo xtask fuzz`: files that libFuzzer makes, for every reader.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use wait4::Wait4;

use crate::{program, root};

const HELP: &str = "\
Hands files that libFuzzer makes to every reader, and says how long that went on in all.
A target runs in pieces of five minutes until it has had as much CPU time as is asked for; earlier
runs count, which target/fuzz/log.csv keeps. A file that ends a reader stays in target/fuzz/found, and
the command ends with code 1. Needs `cargo install cargo-fuzz` and a nightly compiler; the first build
has Burn in it.

Usage: cargo xtask fuzz [OPTIONS] [TARGET]...

  TARGET       what to read [default: everything of the table below, one after the other]
  --minutes N  CPU time that a target should have had in all [default: 60]; 0 prints the table alone";

/// A reader.
struct Target {
    /// The name of the target, its seeds and its dictionary.
    name: &'static str,
    reads: &'static str,
    /// Words that such files have.
    dictionary: Option<&'static str>,
}

const fn target(
    name: &'static str,
    reads: &'static str,
    dictionary: Option<&'static str>,
) -> Target {
    Target { name, reads, dictionary }
}

/// name, what it reads, words
const TARGETS: [Target; 13] = [
    target("hdf5", "Keras's `.h5` and `.weights.h5`", Some("hdf5")),
    target("zip", "`.keras` and PyTorch's `.pt`", Some("zip")),
    target("onnx", "ONNX", Some("onnx")),
    target("pickle", "pickles, alone and in an archive", Some("pickle")),
    target("image", "PNG, JPEG, BMP, TIFF, WebP", Some("image")),
    target("safetensors", "`.safetensors`", Some("safetensors")),
    target("burnpack", "`.bpk`", None),
    target("config", "Keras's description of a network", Some("config")),
    target("report", "`report.json`, up to the page", None),
    target("journal", "`images.jsonl`", None),
    target("npz", "the reference of `compare`", Some("zip")),
    target("labels", "label files", None),
    target("classes", "class lists", None),
];

/// libFuzzer's limits of one run: seconds, then bytes of a file, MiB, and seconds for one file.
const LIMITS: [&str; 5] = [
    "-max_total_time=300",
    "-max_len=65536",
    "-rss_limit_mb=1024",
    "-malloc_limit_mb=1024",
    "-timeout=10",
];

/// Fuzzes and prints the table.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match parse(arguments).and_then(|(minutes, only)| fuzz(minutes, &only)) {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(found)) => {
            eprintln!("error: a reader failed; the file is in {}", found.display());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// The minutes, and the targets.
fn parse(arguments: &[String]) -> Result<(f64, Vec<&'static Target>), String> {
    let (mut minutes, mut only) = (60.0, Vec::new());
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == "--minutes" {
            let value = rest.next().and_then(|value| value.parse::<f64>().ok());
            let value = value.filter(|value| value.is_finite() && *value >= 0.0);
            minutes = value.ok_or("--minutes takes a number, such as 60")?;
        } else {
            let target = TARGETS.iter().find(|target| target.name == argument);
            only.push(target.ok_or_else(|| {
                let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
                format!("there is no target {argument}; there are {}", names.join(", "))
            })?);
        }
    }
    if only.is_empty() {
        only.extend(&TARGETS);
    }
    Ok((minutes, only))
}

/// Brings targets to as many minutes of CPU time; the folder of what was found, if something was.
fn fuzz(minutes: f64, only: &[&Target]) -> Result<Option<PathBuf>, String> {
    let place = program::target().join("fuzz");
    fs::create_dir_all(&place).map_err(|error| format!("{}: {error}", place.display()))?;
    if minutes > 0.0 {
        build(&place)?;
    }
    for target in only {
        while had(&read(&place)?, target.name).0 < minutes * 60.0 {
            if !piece(&place, target)? {
                return Ok(Some(place.join("found").join(target.name)));
            }
        }
    }
    println!("{}", table(&read(&place)?));
    Ok(None)
}

fn build(place: &Path) -> Result<(), String> {
    let mut command = Command::new("cargo");
    command.current_dir(root().join("fuzz")).args(["+nightly", "fuzz", "build", "--fuzz-dir", "."]);
    command.args(["--sanitizer", "none", "--codegen-units", "8", "--target-dir"]).arg(place);
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err("the targets cannot be built\nhint: `rustup toolchain install nightly` and \
                  `cargo install cargo-fuzz` bring what is needed"
            .to_owned()),
    }
}

/// Runs a target for a while and keeps how long and on how many files. False if it has failed.
fn piece(place: &Path, target: &Target) -> Result<bool, String> {
    let cannot = |error: std::io::Error| format!("{}: {error}", target.name);
    let [found, corpus] = ["found", "corpus"].map(|name| place.join(name).join(target.name));
    let temporary = temporary(place).join(target.name);
    for folder in [&found, &corpus, &temporary] {
        fs::create_dir_all(folder).map_err(cannot)?;
    }
    let told = place.join(format!("{}.log", target.name));
    let mut command = Command::new(program_of(place, target)?);
    command.args(LIMITS).arg("-print_final_stats=1");
    command.arg(format!("-artifact_prefix={}/", found.display()));
    if let Some(words) = target.dictionary {
        let words = root().join("fuzz/dictionaries").join(words).with_extension("dict");
        command.arg(format!("-dict={}", words.display()));
    }
    command.arg(corpus).arg(root().join("fuzz/corpus").join(target.name));
    command.env("TMPDIR", &temporary).stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(File::create(&told).map_err(cannot)?);
    eprintln!("{}: running; {} has what libFuzzer tells", target.name, told.display());
    let used = command.spawn().map_err(cannot)?.wait4().map_err(cannot)?;
    let seconds = (used.rusage.utime + used.rusage.stime).as_secs_f64();
    let told = fs::read(&told).map_err(cannot)?;
    let line = format!("{},{seconds:.1},{}\n", target.name, files(&String::from_utf8_lossy(&told)));
    let log = OpenOptions::new().create(true).append(true).open(place.join("log.csv"));
    log.and_then(|mut log| log.write_all(line.as_bytes())).map_err(cannot)?;
    Ok(used.status.success())
}

/// Where the readers find their files, thousands a second: in memory, where the system has a place for
/// that, since a disk keeps them waiting.
fn temporary(place: &Path) -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.join("burncam-fuzz") } else { place.join("temporary") }
}

/// The program that cargo-fuzz has built, in a folder that is named after the machine.
fn program_of(place: &Path, target: &Target) -> Result<PathBuf, String> {
    let folders = fs::read_dir(place).map_err(|error| format!("{}: {error}", place.display()))?;
    let programs = folders.flatten().map(|entry| entry.path().join("release").join(target.name));
    programs
        .into_iter()
        .find(|path| path.is_file())
        .ok_or_else(|| format!("cargo-fuzz has built no {} below {}", target.name, place.display()))
}

/// How many files libFuzzer says that it has tried.
fn files(told: &str) -> u64 {
    let mut counts = told.lines().filter_map(|line| {
        line.strip_prefix("stat::number_of_executed_units:")?.trim().parse::<u64>().ok()
    });
    counts.next_back().unwrap_or(0)
}

fn read(place: &Path) -> Result<String, String> {
    let path = place.join("log.csv");
    match fs::read_to_string(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{}: {error}", path.display()))
        }
        text => Ok(text.unwrap_or_default()),
    }
}

/// Seconds of CPU time and files of a target so far.
fn had(log: &str, name: &str) -> (f64, u64) {
    let piece = |line: &str| {
        let mut cells = line.split(',');
        let is_own = cells.next()? == name;
        let piece: (f64, u64) = (cells.next()?.parse().ok()?, cells.next()?.parse().ok()?);
        is_own.then_some(piece)
    };
    log.lines().filter_map(piece).fold((0.0, 0), |all, piece| (all.0 + piece.0, all.1 + piece.1))
}

/// All targets in Markdown.
fn table(log: &str) -> String {
    let mut text =
        "| Target | Reads | CPU minutes | Inputs |\n| --- | --- | --- | --- |\n".to_owned();
    let mut all = 0.0;
    for target in &TARGETS {
        let (seconds, files) = had(log, target.name);
        let minutes = seconds / 60.0;
        let _ = writeln!(
            text,
            "| `{}` | {} | {minutes:.1} | {} |",
            target.name,
            target.reads,
            grouped(files)
        );
        all += seconds;
    }
    let _ = write!(text, "\n{:.1} hours in all.", all / 3600.0);
    text
}

/// `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .filter_map(|group| std::str::from_utf8(group).ok())
        .collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_known_here_and_has_seeds() {
        let programs = fs::read_dir(root().join("fuzz/targets")).expect("targets");
        assert_eq!(programs.count(), TARGETS.len());
        for Target { name, dictionary, .. } in &TARGETS {
            let seeds = fs::read_dir(root().join("fuzz/corpus").join(name)).expect("seeds");
            assert!(seeds.count() > 0, "{name}");
            let words = dictionary.map(|words| format!("fuzz/dictionaries/{words}.dict"));
            assert!(words.is_none_or(|words| root().join(words).is_file()), "{name}");
        }
    }

    #[test]
    fn pieces_are_summed_up() {
        let log = "zip,90.0,1000\nhdf5,30.0,5\nzip,30.0,234567\nzip,torn";
        assert_eq!(had(log, "zip"), (120.0, 235_567));
        let table = table(log);
        assert!(table.contains("| `zip` | `.keras` and PyTorch's `.pt` | 2.0 | 235,567 |"));
        assert!(table.ends_with("\n0.0 hours in all."));
    }

    #[test]
    fn libfuzzers_count_is_read() {
        assert_eq!(files("#2 INITED\nstat::number_of_executed_units: 4711\nstat::peak: 3"), 4711);
        assert_eq!(files("killed"), 0);
    }

    #[test]
    fn options_are_read() {
        let parsed = |text: &str| {
            let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            parse(&words).map(|(minutes, only)| (minutes, only.len()))
        };
        assert_eq!(parsed(""), Ok((60.0, 13)));
        assert_eq!(parsed("--minutes 5 hdf5 zip"), Ok((5.0, 2)));
        for wrong in ["--minutes", "--minutes -1", "--minutes nan", "tar"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
