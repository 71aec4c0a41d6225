//! `cargo xtask soak`: what a run of very many images takes.

mod images;
mod watch;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use wait4::Wait4;

use crate::{program, root};
use watch::{Seen, Watched, watch};

const HELP: &str = "\
What a run of very many small images takes: memory as it goes on, time, and the sizes of its reports;
then what `--resume`, with nothing left to do, and `report` take on it.
Images are made, explained by the demo's network on the CPU, and removed again with the results.
Needs Linux, and for 50,000 images about 2 GB of disk.

Usage: cargo xtask soak [OPTIONS] [-- ARGUMENTS]

  --images N   how many images [default: 50000]
  --keep DIR   leave images and results in this folder
  ARGUMENTS    go to `explain`, such as --no-report, or --device gpu, which replaces the CPU";

/// Images after which memory is looked at first.
const FIRST: usize = 1000;

const MIB: f64 = (1 << 20) as f64;

struct Options {
    images: usize,
    keep: Option<PathBuf>,
    explain: Vec<String>,
}

/// Measures and prints.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match parse(arguments).and_then(|options| measure(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn parse(arguments: &[String]) -> Result<Options, String> {
    let mut options = Options { images: 50_000, keep: None, explain: Vec::new() };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--images" => {
                let text = value()?;
                let many = text.parse().ok().filter(|&images| images > FIRST);
                options.images = many.ok_or_else(|| {
                    format!("--images takes a number above {FIRST}, not `{text}`")
                })?;
            }
            "--keep" => options.keep = Some(value()?.into()),
            "--" => options.explain.extend(rest.by_ref().cloned()),
            other => return Err(format!("many has no option {other}\n\n{HELP}")),
        }
    }
    Ok(options)
}

fn measure(options: &Options) -> Result<(), String> {
    if !Path::new("/proc/self/status").exists() {
        return Err("memory is read from /proc, which is not here".to_owned());
    }
    program::build_with(&["--quiet"]).map_err(|_| "there is no program to measure".to_owned())?;
    let place = options.keep.clone().unwrap_or_else(|| program::target().join("many"));
    if place.exists() {
        return Err(format!("{} is there already: remove it", place.display()));
    }
    let measured = explain(options, &place).map(|text| println!("{text}"));
    if options.keep.is_none() && place.exists() {
        fs::remove_dir_all(&place).map_err(|error| format!("{}: {error}", place.display()))?;
    }
    measured
}

/// Makes the images, explains them, and says what that took.
fn explain(options: &Options, place: &Path) -> Result<String, String> {
    eprintln!("Making {} images in {}.", options.images, place.display());
    images::write(&place.join("images"), options.images)?;
    let mut command = Command::new(program::path());
    let out = place.join("out");
    command.args(["explain", "--out"]).arg(&out);
    command.arg("--weights").arg(root().join("assets/demo/NCNN.h5"));
    command.arg("--data").arg(place.join("images"));
    if !options.explain.iter().any(|argument| argument.starts_with("--device")) {
        command.args(["--device", "cpu"]);
    }
    command.args(&options.explain);
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let child = child.map_err(|error| format!("cannot start burncam: {error}"))?;
    let seen = watch(child, &out.join("NCNN_GradCAM/All"), FIRST)?;
    if seen.code != Some(0) {
        return Err(format!("burncam ended with {:?}:\n{}", seen.code, seen.told.join("\n")));
    }
    let mut text = text(&seen, &out);
    text += &format!("\n--resume: {}", taken(command.arg("--resume"))?);
    if out.join("report.json").exists() {
        text +=
            &format!("\nreport: {}", taken(Command::new(program::path()).arg("report").arg(&out))?);
    }
    Ok(text)
}

/// Runs a command to its end: `3.1 s, 90.2 MiB at most.`
fn taken(command: &mut Command) -> Result<String, String> {
    let clock = Instant::now();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().map_err(|error| format!("cannot start burncam: {error}"))?;
    let used = child.wait4().map_err(|error| format!("cannot wait for burncam: {error}"))?;
    match used.status.success() {
        true => {
            let (seconds, memory) = (clock.elapsed().as_secs_f64(), used.rusage.maxrss as f64);
            Ok(format!("{seconds:.1} s, {:.1} MiB at most.", memory / MIB))
        }
        false => Err(format!("{command:?} ended with {}", used.status)),
    }
}

/// A table in Markdown, and what it comes to.
fn text(seen: &Watched, out: &Path) -> String {
    let mut lines = vec![
        format!(
            "| Images of {0} × {0} | Seconds | Images/s | Memory, MiB | Most so far, MiB |",
            images::SIDE
        ),
        "| --- | --- | --- | --- | --- |".to_owned(),
    ];
    let mut before = (0, 0.0);
    for mark in &seen.marks {
        let rate = (mark.images - before.0) as f64 / (mark.seconds - before.1);
        lines.push(row(&mark.images.to_string(), mark, &format!("{rate:.0}")));
        before = (mark.images, mark.seconds);
    }
    lines.push(row("the reports are written", &seen.end, ""));
    lines.push(String::new());
    if let (Some(first), Some(last)) = (seen.marks.first(), seen.marks.last()) {
        let more = |seen: &Seen| (seen.memory[0] / first.memory[0] - 1.0) * 100.0;
        lines.push(format!(
            "Memory, against that after {} images: {:+.1} % after {}, {:+.1} % after the reports.",
            first.images,
            more(last),
            last.images,
            more(&seen.end)
        ));
    }
    for name in ["report.json", "index.html", "predictions.csv"] {
        if let Ok(file) = fs::metadata(out.join(name)) {
            lines.push(format!("{name}: {:.1} MB.", file.len() as f64 / 1e6));
        }
    }
    lines.join("\n")
}

fn row(what: &str, seen: &Seen, rate: &str) -> String {
    let [memory, most] = seen.memory.map(|bytes| format!("{:.1}", bytes / MIB));
    format!("| {what} | {:.1} | {rate} | {memory} | {most} |", seen.seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Options, String> {
        parse(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn options_are_read() {
        let options = parsed("--images 2000 --keep x -- --no-report --images").expect("options");
        assert_eq!((options.images, options.explain.len()), (2000, 2));
        assert_eq!(options.keep, Some("x".into()));
        for wrong in ["--images", "--images 1000", "--images x", "--fast"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_table_tells_rate_and_growth() {
        let seen =
            |images, seconds, mib: f64| Seen { images, seconds, memory: [mib * MIB, 200.0 * MIB] };
        let marks = vec![seen(1000, 10.0, 100.0), seen(5000, 30.0, 104.0)];
        let watched =
            Watched { marks, end: seen(5000, 31.5, 103.0), code: Some(0), told: Vec::new() };
        let text = text(&watched, Path::new("/nowhere"));
        let expected = "\
| Images of 32 × 32 | Seconds | Images/s | Memory, MiB | Most so far, MiB |
| --- | --- | --- | --- | --- |
| 1000 | 10.0 | 100 | 100.0 | 200.0 |
| 5000 | 30.0 | 200 | 104.0 | 200.0 |
| the reports are written | 31.5 |  | 103.0 | 200.0 |

Memory, against that after 1000 images: +4.0 % after 5000, +3.0 % after the reports.";
        assert_eq!(text, expected);
    }
}
