//! Networks straight from their ONNX files, beside ONNX Runtime's forward pass.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::PEERS;
use super::measured::{Sample, median};
use super::options::Options;
use super::table::Table;
use super::worker::Worker;
use crate::{program, root};

const RUNTIME: &str = "onnxruntime";

/// Measures each file, and prints a row for each batch size.
pub(super) fn bench(options: &Options, peers: &[(String, PathBuf)]) -> Result<String, String> {
    let python = peers.iter().find(|(peer, _)| peer == RUNTIME).map(|(_, python)| python);
    let head =
        ["network", "batch", "burncam, ms CPU", "onnxruntime, ms CPU", "CPU ratio", "wall ratio"];
    let mut rows = Vec::new();
    for file in &options.weights {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        eprintln!("== {name}");
        let mut workers = vec![burncam(options, file)?];
        let is_onnx = file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("onnx"));
        if let Some(python) = python.filter(|_| is_onnx) {
            workers.push(runtime(options, file, python)?);
        }
        for &batch in &options.batches {
            let mut rounds = Vec::new();
            for _ in 0..options.rounds {
                let ask = |worker: &mut Worker| worker.ask(&batch.to_string())?.sample();
                rounds.push(workers.iter_mut().map(ask).collect::<Result<Vec<_>, _>>()?);
            }
            let milliseconds = |place: usize| {
                let all = rounds.iter().filter_map(|round| Some(round.get(place)?.cpu));
                median(all).map_or("-".to_owned(), |time| format!("{time:.1}"))
            };
            let ratio = |value: fn(&Sample) -> f64| {
                let all = rounds.iter().filter_map(|round| match round.as_slice() {
                    [own, other] => Some(value(own) / value(other)),
                    _ => None,
                });
                median(all).map_or("-".to_owned(), |ratio| format!("{ratio:.2}"))
            };
            let (cpu, wall) = (ratio(|sample| sample.cpu), ratio(|sample| sample.wall));
            rows.push(vec![
                name.clone(),
                batch.to_string(),
                milliseconds(0),
                milliseconds(1),
                cpu,
                wall,
            ]);
        }
    }
    let table = Table { head: head.map(str::to_owned).to_vec(), rows };
    Ok(format!(
        "Burncam: logits and Grad-CAM. ONNX Runtime: the forward pass. Medians of {} rounds.\n\n{}",
        options.rounds,
        table.render(options.markdown)
    ))
}

fn burncam(options: &Options, file: &Path) -> Result<Worker, String> {
    let mut command = Command::new(program::path_of("burncam-bench"));
    command.args(["--device", &options.device]).arg("--data").arg(&options.data);
    command.arg("--weights").arg(file);
    Worker::start("burncam", command)
}

fn runtime(options: &Options, file: &Path, python: &Path) -> Result<Worker, String> {
    let mut command = Command::new(python);
    command.arg(root().join(PEERS)).args([RUNTIME, "-"]).arg(file).arg(&options.data);
    Worker::start(RUNTIME, command)
}
