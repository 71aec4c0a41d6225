//! `cargo xtask bench`: how fast `explain` is, beside what other programs take for the same images.
//!
//! Every program is a worker that waits until it is its turn, so that all are measured in turns, and
//! what else the machine does falls on all alike. Ratios are of CPU time, each round's own.

mod files;
mod gpu;
mod layers;
mod libraries;
mod machine;
mod measured;
mod measures;
mod methods;
mod networks;
mod options;
mod report;
mod table;
mod whole;
mod worker;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::{program, root};
use measured::Measured;
use networks::{NETWORKS, Network};
use options::Options;
use worker::{PASSIVE, Worker};

const HELP: &str = "\
How fast `explain` is, beside what other programs take for the same images.

Usage: cargo xtask bench [OPTIONS]

  --checkpoints DIR  what tests/reference/make_checkpoints.py wrote: the weights of every program.
                     Without it, Burncam computes with weights that need no file, and only PyTorch,
                     which makes its own, can be compared.
  --python PATH      a Python with some of the peers' packages (see tests/reference/bench_peers.py);
                     may be given several times
  --data DIR         folder of images [default: the demo's]
  --device DEVICE    a GPU, as `explain --device` takes it: then its images a second are compared with
                     PyTorch's on the first NVIDIA GPU [default: cpu]
  --weights FILE     a network straight from its file, an ONNX file beside ONNX Runtime's forward pass; may
                     be given several times
  --layers           only where the time goes: each layer beside what its arithmetic alone would take
  --methods[=A,B]    every method, or these, of VGG16, ResNet50 and N-CNN beside pytorch-grad-cam, torch-cam and Captum
                     (see tests/reference/bench_methods.py); the last batch size is used
  --measures[=A,B]   measures of maps, or these, of ResNet50 and N-CNN beside Quantus, pytorch-grad-cam, torch-cam, Captum
                     and Xplique (see tests/reference/bench_measures.py); the last batch size is used
  --only A,B         some of vgg16, resnet50, senet50, inception_v3, ncnn
  --batch 1,8        batch sizes; the last is the one that is compared [default: 1,8]
  --rounds N         measurements of everything, of which the medians are shown [default: 5]
  --markdown         print what goes into docs/performance.md";

/// The scripts of the other programs.
const PEERS: &str = "tests/reference/bench_peers.py";

/// What PyTorch calls an NVIDIA GPU.
const CUDA: &str = "cuda";

/// What the notebook's loop is called among the programs; it takes one image at a time.
const NOTEBOOK: &str = "notebook";

/// Measures and prints.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match Options::parse(arguments).and_then(|options| bench(&options, arguments)) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn bench(options: &Options, arguments: &[String]) -> Result<String, String> {
    program::build_with(&["--quiet", "--features=burncam-bench/worker"])
        .map_err(|_| "there is no program to measure".to_owned())?;
    let mut machine = machine::Machine::now();
    if let Some(names) = &options.methods {
        return methods::METHODS.bench(options, names);
    }
    if let Some(names) = &options.measures {
        return measures::MEASURES.bench(options, names);
    }
    if options.layers {
        return layers::bench(options);
    }
    let peers = peers(options, PEERS)?;
    if !options.weights.is_empty() {
        return files::bench(options, &peers);
    }
    if options.on_gpu() {
        return gpu::bench(options, arguments, &peers);
    }
    let mut measured = Vec::new();
    for network in NETWORKS.iter().filter(|network| options.wants(network.name)) {
        measured.push(network_measured(options, network, &peers, &mut machine)?);
    }
    machine.ended();
    Ok(report::text(options, arguments, &machine, &measured))
}

/// The other programs, each with the first Python that has its packages.
fn peers(options: &Options, script: &str) -> Result<Vec<(String, PathBuf)>, String> {
    let mut peers: Vec<(String, PathBuf)> = Vec::new();
    for python in &options.pythons {
        let mut which = Command::new(python);
        which.arg(root().join(script)).arg("which");
        if options.on_gpu() {
            which.arg(CUDA);
        }
        let output = which.output();
        let output = output.map_err(|error| format!("--python {}: {error}", python.display()))?;
        if !output.status.success() {
            return Err(format!(
                "--python {} cannot run {script}\n{}",
                python.display(),
                String::from_utf8_lossy(&output.stderr).trim()
            ));
        }
        for peer in String::from_utf8_lossy(&output.stdout).split_whitespace() {
            if peers.iter().all(|(known, _)| known != peer) {
                peers.push((peer.to_owned(), python.clone()));
            }
        }
    }
    Ok(peers)
}

/// All rounds of one network.
fn network_measured(
    options: &Options,
    network: &'static Network,
    peers: &[(String, PathBuf)],
    machine: &mut machine::Machine,
) -> Result<Measured, String> {
    eprintln!("== {}: starting the programs", network.title);
    let mut measured = Measured::new(network);
    let mut workers = vec![burncam(options, network)?];
    measured.describe(&workers[0]);
    machine.core_gflops(workers[0].ask("peak")?.number("gflops").unwrap_or(0.0));
    for (peer, python) in peers {
        match of_peer(options, network, peer, python) {
            Some(worker) => workers.push(worker?),
            None => measured.missing.push(peer.clone()),
        }
    }
    measured.versions = workers.iter().map(|worker| worker.version()).collect();
    for round in 1..=options.rounds {
        eprintln!("== {}: round {round} of {}", network.title, options.rounds);
        for &batch in &options.batches {
            for worker in &mut workers {
                if worker.name != NOTEBOOK || batch == options.batches[0] {
                    let asked = if worker.name == NOTEBOOK { 1 } else { batch };
                    let sample = worker.ask(&asked.to_string())?.sample()?;
                    measured.add(&worker.name, asked, sample);
                }
            }
        }
        if let Some(weights) = network.weights(options.checkpoints.as_deref()) {
            measured.whole.push(whole::run(&weights, &options.data, &options.device, None)?);
        }
    }
    let batch = options.batches.last().copied().unwrap_or(1);
    measured.steps = layers::steps(&mut workers[0], batch, machine.gflops)?;
    Ok(measured)
}

fn burncam(options: &Options, network: &Network) -> Result<Worker, String> {
    let mut command = Command::new(program::path_of("burncam-bench"));
    command.args(["--device", &options.device]).arg("--data").arg(&options.data);
    match network.weights(options.checkpoints.as_deref()) {
        Some(weights) => command.arg("--weights").arg(weights),
        None => command.arg("--model").arg(network.name),
    };
    Worker::start("burncam", command)
}

/// A peer, if there is the file that it needs.
fn of_peer(
    options: &Options,
    network: &Network,
    peer: &str,
    python: &Path,
) -> Option<Result<Worker, String>> {
    let folder = options.checkpoints.as_deref().map(|folder| folder.join(network.folder));
    let file = match peer {
        NOTEBOOK | "keras" => Some(folder?.join(networks::KERAS)),
        "onnxruntime" => Some(folder?.join(networks::ONNX)),
        _ => None,
    };
    if file.as_ref().is_some_and(|file| !file.is_file()) {
        return None;
    }
    let mut command = Command::new(python);
    command.arg(root().join(PEERS)).args([peer, network.name]);
    command.arg(file.unwrap_or_else(|| "-".into())).arg(&options.data);
    if options.on_gpu() {
        command.arg(CUDA);
    }
    command.envs(PASSIVE);
    Some(Worker::start(peer, command))
}
