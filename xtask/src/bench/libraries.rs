//! Methods and measures beside the libraries that have them.

use std::path::PathBuf;
use std::process::Command;

use super::measured::{median, ratio};
use super::networks::{NETWORKS, Network};
use super::options::Options;
use super::table::Table;
use super::worker::{PASSIVE, Worker};
use crate::{program, root};

/// What libraries have, too.
pub(super) struct Kind {
    /// One of them, as the worker is asked for it; with an `s`, for all.
    pub one: &'static str,
    /// The script of the libraries.
    pub script: &'static str,
    /// The networks, unless others are asked for.
    pub networks: &'static [&'static str],
    /// Whether the network has to be ready for every method.
    pub all_methods: bool,
}

impl Kind {
    /// Measures each one, or those of these names, of each network, all programs in turns, and prints a row for each.
    pub(super) fn bench(&self, options: &Options, names: &[String]) -> Result<String, String> {
        let peers = super::peers(options, self.script)?;
        let batch = options.batches.last().copied().unwrap_or(1);
        let mut head =
            vec!["network".to_owned(), self.one.to_owned(), "burncam, ms CPU".to_owned()];
        head.extend(peers.iter().map(|(peer, _)| format!("{peer}, ms CPU")));
        head.extend(["share of the fastest: CPU", "wall"].map(str::to_owned));
        let mut rows = Vec::new();
        let is_wanted = |network: &&Network| match options.only.is_empty() {
            true => self.networks.contains(&network.name),
            false => options.wants(network.name),
        };
        for network in NETWORKS.iter().filter(is_wanted) {
            let mut workers = vec![self.burncam(options, network)?];
            for (peer, python) in &peers {
                workers.push(self.library(options, network, peer, python)?);
            }
            let all = workers[0].ask(&format!("{}s", self.one))?.0;
            let is_wanted = |one: &&str| {
                let name = one.split(':').next().unwrap_or_default();
                names.is_empty() || names.iter().any(|wanted| wanted == name)
            };
            for one in all.split_whitespace().filter(is_wanted) {
                eprintln!("== {}: {one}", network.title);
                let asked = format!("{one} {batch}");
                let series = self.rounds(&asked, options.rounds, &mut workers)?;
                rows.push(row(network, one, &series));
            }
        }
        let table = Table { head, rows };
        Ok(format!(
            "CPU milliseconds of an image, {batch} at a time where the program can; medians of {} rounds.\n\n{}",
            options.rounds,
            table.render(options.markdown)
        ))
    }

    /// CPU and wall times of each program.
    fn rounds(
        &self,
        asked: &str,
        rounds: usize,
        workers: &mut [Worker],
    ) -> Result<Vec<[Vec<f64>; 2]>, String> {
        let mut series: Vec<[Vec<f64>; 2]> = vec![Default::default(); workers.len()];
        for _ in 0..rounds {
            for (index, (worker, times)) in workers.iter_mut().zip(&mut series).enumerate() {
                let question = match index {
                    0 => format!("{} {asked}", self.one),
                    _ => asked.to_owned(),
                };
                let answer = worker.ask(&question)?;
                if answer.0 != "none" {
                    let sample = answer.sample()?;
                    times[0].push(sample.cpu);
                    times[1].push(sample.wall);
                }
            }
        }
        Ok(series)
    }

    fn burncam(&self, options: &Options, network: &Network) -> Result<Worker, String> {
        let mut command = Command::new(program::path_of("burncam-bench"));
        command.args(["--device", &options.device, "--model", network.name]);
        command.arg("--data").arg(&options.data).args(self.all_methods.then_some("--methods"));
        Worker::start("burncam", command)
    }

    fn library(
        &self,
        options: &Options,
        network: &Network,
        peer: &str,
        python: &PathBuf,
    ) -> Result<Worker, String> {
        let mut command = Command::new(python);
        command.arg(root().join(self.script)).args([peer, network.name]).arg(&options.data);
        command.envs(PASSIVE);
        Worker::start(peer, command)
    }
}

/// What the rounds come to.
fn row(network: &Network, one: &str, series: &[[Vec<f64>; 2]]) -> Vec<String> {
    let cell = |times: &[Vec<f64>; 2]| {
        median(times[0].iter().copied()).map_or("-".to_owned(), |time| format!("{time:.1}"))
    };
    let mut cells = vec![network.title.to_owned(), format!("`{one}`")];
    cells.extend(series.iter().map(cell));
    for which in [0, 1] {
        let own = &series[0][which];
        let shares = series[1..].iter().filter_map(|other| ratio(own, &other[which]));
        let share = shares.max_by(f64::total_cmp);
        cells.push(share.map_or("-".to_owned(), |share| format!("{share:.3}")));
    }
    cells
}
