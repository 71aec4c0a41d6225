//! Every method beside the libraries that have it.

use std::path::PathBuf;
use std::process::Command;

use super::measured::{median, ratio};
use super::networks::{NETWORKS, Network};
use super::options::Options;
use super::table::Table;
use super::worker::Worker;
use crate::{program, root};

/// The script of the libraries.
const PEERS: &str = "tests/reference/bench_methods.py";

/// The networks, unless others are asked for.
const USUAL: [&str; 3] = ["vgg16", "resnet50", "ncnn"];

/// Measures each method of each network, all programs in turns, and prints a row for each.
pub(super) fn bench(options: &Options, wanted: &[String]) -> Result<String, String> {
    let peers = super::peers(options, PEERS)?;
    let batch = options.batches.last().copied().unwrap_or(1);
    let mut head = vec!["network".to_owned(), "method".to_owned(), "burncam, ms CPU".to_owned()];
    head.extend(peers.iter().map(|(peer, _)| format!("{peer}, ms CPU")));
    head.extend(["share of the fastest: CPU", "wall"].map(str::to_owned));
    let mut rows = Vec::new();
    let is_wanted = |network: &&Network| match options.only.is_empty() {
        true => USUAL.contains(&network.name),
        false => options.wants(network.name),
    };
    for network in NETWORKS.iter().filter(is_wanted) {
        let mut workers = vec![burncam(options, network)?];
        for (peer, python) in &peers {
            workers.push(library(options, network, peer, python)?);
        }
        let methods = workers[0].ask("methods")?.0;
        let is_wanted = |method: &&str| {
            let name = method.split(':').next().unwrap_or_default();
            wanted.is_empty() || wanted.iter().any(|wanted| wanted == name)
        };
        for method in methods.split_whitespace().filter(is_wanted) {
            eprintln!("== {}: {method}", network.title);
            rows.push(row(network, method, batch, options.rounds, &mut workers)?);
        }
    }
    let table = Table { head, rows };
    Ok(format!(
        "CPU milliseconds of an image, {batch} at a time where the program can; medians of {} rounds.\n\n{}",
        options.rounds,
        table.render(options.markdown)
    ))
}

/// The rounds of a method, and what they come to.
fn row(
    network: &Network,
    method: &str,
    batch: usize,
    rounds: usize,
    workers: &mut [Worker],
) -> Result<Vec<String>, String> {
    let mut series: Vec<[Vec<f64>; 2]> = vec![Default::default(); workers.len()];
    for _ in 0..rounds {
        for (index, (worker, times)) in workers.iter_mut().zip(&mut series).enumerate() {
            let asked = format!("{method} {batch}");
            let question = if index == 0 { format!("method {asked}") } else { asked };
            let answer = worker.ask(&question)?;
            if answer.0 != "none" {
                let sample = answer.sample()?;
                times[0].push(sample.cpu);
                times[1].push(sample.wall);
            }
        }
    }
    let cell = |times: &[Vec<f64>; 2]| {
        median(times[0].iter().copied()).map_or("-".to_owned(), |time| format!("{time:.1}"))
    };
    let mut cells = vec![network.title.to_owned(), format!("`{method}`")];
    cells.extend(series.iter().map(cell));
    for which in [0, 1] {
        let own = &series[0][which];
        let shares = series[1..].iter().filter_map(|other| ratio(own, &other[which]));
        let share = shares.max_by(f64::total_cmp);
        cells.push(share.map_or("-".to_owned(), |share| format!("{share:.3}")));
    }
    Ok(cells)
}

fn burncam(options: &Options, network: &Network) -> Result<Worker, String> {
    let mut command = Command::new(program::path_of("burncam-bench"));
    command.args(["--device", &options.device, "--methods", "--model", network.name]);
    command.arg("--data").arg(&options.data);
    Worker::start("burncam", command)
}

fn library(
    options: &Options,
    network: &Network,
    peer: &str,
    python: &PathBuf,
) -> Result<Worker, String> {
    let mut command = Command::new(python);
    command.arg(root().join(PEERS)).args([peer, network.name]).arg(&options.data);
    command.envs([("KMP_BLOCKTIME", "0"), ("OMP_WAIT_POLICY", "PASSIVE"), ("GOMP_SPINCOUNT", "0")]);
    Worker::start(peer, command)
}
