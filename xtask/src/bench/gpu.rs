//! `cargo xtask bench --device gpu`: images a second, and where their time goes.

use std::path::PathBuf;

use super::measured::{Sample, Series, median};
use super::networks::{NETWORKS, Network};
use super::options::Options;
use super::table::Table;
use super::worker::Worker;
use super::{burncam, of_peer, whole};

/// The program that also tells what the card can do.
const TELLS_PEAK: &str = "torch";
const WHOLE: &str = "explain, with files";

/// What was measured of one network.
struct Found {
    network: &'static Network,
    multiplications: f64,
    series: Vec<Series>,
    /// Milliseconds of an image by batch size, a stage each.
    stages: Vec<(usize, Vec<(String, f64)>)>,
}

/// The card.
#[derive(Default)]
struct Card {
    /// As Burncam and as PyTorch call it.
    names: Vec<String>,
    /// Multiplications and additions in `f32`, in thousand millions a second, and bytes in the same.
    peak: Option<(f64, f64)>,
}

/// Measures and describes.
pub(super) fn bench(
    options: &Options,
    arguments: &[String],
    peers: &[(String, PathBuf)],
) -> Result<String, String> {
    let (mut card, mut all) = (Card::default(), Vec::new());
    for network in NETWORKS.iter().filter(|network| options.wants(network.name)) {
        eprintln!("== {}: starting the programs", network.title);
        all.push(measured(options, network, peers, &mut card)?);
    }
    Ok(text(options, arguments, &card, &all))
}

/// All rounds of one network; the programs take turns.
fn measured(
    options: &Options,
    network: &'static Network,
    peers: &[(String, PathBuf)],
    card: &mut Card,
) -> Result<Found, String> {
    let mut workers = vec![burncam(options, network)?];
    let started = peers.iter().filter_map(|(name, python)| of_peer(options, network, name, python));
    workers.extend(started.collect::<Result<Vec<_>, _>>()?);
    card.ask(&mut workers)?;
    let multiplications = workers[0].ready.number("multiplications").unwrap_or(0.0);
    let mut found = Found { network, multiplications, series: Vec::new(), stages: Vec::new() };
    for round in 1..=options.rounds {
        eprintln!("== {}: round {round} of {}", network.title, options.rounds);
        for &batch in &options.batches {
            for worker in &mut workers {
                let sample = worker.ask(&batch.to_string())?.sample()?;
                found.add(&worker.name, batch, sample);
            }
        }
    }
    for &batch in &options.batches {
        let answer = workers[0].ask(&format!("stages {batch}"))?;
        found.stages.push((batch, answer.numbers()));
    }
    // Whoever waits keeps its memory on the card.
    drop(workers);
    if let Some(weights) = network.weights(options.checkpoints.as_deref()) {
        for &batch in &options.batches {
            let whole = whole::run(&weights, &options.data, &options.device, Some(batch))?;
            let sample = Sample { wall: whole.wall, cpu: whole.cpu, memory: None };
            found.add(WHOLE, batch, sample);
        }
    }
    Ok(found)
}

impl Card {
    fn ask(&mut self, workers: &mut [Worker]) -> Result<(), String> {
        if !self.names.is_empty() {
            return Ok(());
        }
        self.names.push(workers[0].ask("device")?.0);
        if let Some(torch) = workers.iter_mut().find(|worker| worker.name == TELLS_PEAK) {
            let peak = torch.ask("peak")?;
            self.peak = peak.number("gflops").zip(peak.number("gigabytes"));
            self.names.push(torch.version().1);
        }
        Ok(())
    }
}

impl Found {
    fn add(&mut self, program: &str, batch: usize, sample: Sample) {
        let same = |series: &&mut Series| series.program == program && series.batch == batch;
        match self.series.iter_mut().find(same) {
            Some(series) => series.samples.push(sample),
            None => {
                let program = program.to_owned();
                self.series.push(Series { program, batch, samples: vec![sample] });
            }
        }
    }

    fn rate(&self, program: &str, batch: usize) -> Option<f64> {
        let same = |series: &&Series| series.program == program && series.batch == batch;
        let walls = self.series.iter().find(same)?.samples.iter().map(|sample| sample.wall);
        median(walls).map(|wall| 1e3 / wall)
    }
}

fn text(options: &Options, arguments: &[String], card: &Card, all: &[Found]) -> String {
    let mut parts = vec![card.describe()];
    if options.markdown {
        parts.insert(0, format!("```sh\ncargo xtask bench {}\n```", arguments.join(" ")));
    }
    let head =
        |text: &str| if options.markdown { format!("### {text}") } else { format!("{text}:") };
    let rates = rates(options, card, all);
    parts.push(format!("{}\n\n{}", head("Images a second"), rates.render(options.markdown)));
    let stages = stages(all).render(options.markdown);
    parts.push(format!("{}\n\n{stages}", head("Where an image's milliseconds go")));
    parts.push(format!(
        "Medians of {} rounds, in which the programs take turns, by the wall clock. Each starts with prepared \
         images in the CPU's memory and ends with probabilities and raw maps there. \
         `explain, with files` is a whole process, from its start to its end, on all images of the folder, once. \
         Stages are the quickest of several batches, with the device waited for after each.",
        options.rounds
    ));
    parts.join("\n\n")
}

impl Card {
    fn describe(&self) -> String {
        let mut text = format!("{}.", self.names.join("; "));
        if let Some((gflops, gigabytes)) = self.peak {
            text += &format!(
                " A large product of matrices in f32, without TF32, ran at {gflops:.0} GFLOP/s, and a copy moved \
                 {gigabytes:.0} GB/s, read and written (PyTorch)."
            );
        }
        text
    }
}

/// A row for each program of each network, a column for each batch size.
fn rates(options: &Options, card: &Card, all: &[Found]) -> Table {
    let mut rows = Vec::new();
    for found in all {
        let mut programs: Vec<&str> = Vec::new();
        for series in &found.series {
            if !programs.contains(&series.program.as_str()) {
                programs.push(&series.program);
            }
        }
        for program in programs {
            let mut row = vec![format!("{}, {program}", found.network.title)];
            let of_batch = |&batch: &usize| found.rate(program, batch);
            row.extend(options.batches.iter().map(|batch| rounded(of_batch(batch))));
            let best = options.batches.iter().filter_map(of_batch).reduce(f64::max);
            let used = best.zip(card.peak).map(|(best, (gflops, _))| {
                100.0 * best * 2.0 * found.multiplications / 1e9 / gflops
            });
            row.push(used.map_or("–".to_owned(), |used| format!("{used:.0} %")));
            rows.push(row);
        }
    }
    let mut head = vec!["program".to_owned()];
    head.extend(options.batches.iter().map(|batch| format!("batch {batch}")));
    head.push("of the f32 rate".to_owned());
    Table { head, rows }
}

fn stages(all: &[Found]) -> Table {
    let mut head = vec!["network".to_owned(), "batch".to_owned()];
    let named = all.iter().flat_map(|found| &found.stages).next();
    head.extend(named.iter().flat_map(|(_, stages)| stages.iter().map(|(name, _)| name.clone())));
    let row = |found: &Found, batch: usize, stages: &[(String, f64)]| {
        let mut row = vec![found.network.title.to_owned(), batch.to_string()];
        row.extend(stages.iter().map(|(_, time)| format!("{time:.3}")));
        row
    };
    let rows = all.iter().flat_map(|found| {
        found.stages.iter().map(move |(batch, stages)| row(found, *batch, stages))
    });
    Table { head, rows: rows.collect() }
}

fn rounded(rate: Option<f64>) -> String {
    rate.map_or("–".to_owned(), |rate| match rate {
        rate if rate < 100.0 => format!("{rate:.1}"),
        rate => format!("{rate:.0}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_row_for_each_program_and_a_column_for_each_batch() {
        let options = Options::parse(&["--batch", "1,8"].map(str::to_owned)).expect("options");
        let mut found = Found {
            network: &NETWORKS[4],
            multiplications: 0.5e9,
            series: Vec::new(),
            stages: vec![(8, vec![("upload".to_owned(), 0.25)])],
        };
        let sample = |wall| Sample { wall, cpu: 1.0, memory: None };
        for wall in [2.0, 4.0, 5.0] {
            found.add("burncam", 1, sample(wall));
        }
        found.add("burncam", 8, sample(1.0));
        found.add(WHOLE, 8, sample(8.0));
        let card = Card { names: vec!["card".to_owned()], peak: Some((10_000.0, 100.0)) };
        let text = text(&options, &[], &card, &[found]);
        let cells = |line: &str| -> Vec<String> {
            line.split("  ").map(str::trim).filter(|c| !c.is_empty()).map(str::to_owned).collect()
        };
        let rows: Vec<Vec<String>> =
            text.lines().filter(|line| line.starts_with("NCNN")).map(cells).collect();
        assert_eq!(rows[0], ["NCNN, burncam", "250", "1000", "10 %"]);
        assert_eq!(rows[1], ["NCNN, explain, with files", "–", "125", "1 %"]);
        assert_eq!(rows[2], ["NCNN", "8", "0.250"]);
    }
}
