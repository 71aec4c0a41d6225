//! What was measured, in words and tables.

use super::layers::{self, Step};
use super::machine::Machine;
use super::measured::{Measured, Series, median, ratio};
use super::networks::{MEMORY_BESIDE_WEIGHTS, TO_FLOOR};
use super::options::Options;
use super::table::Table;
use super::whole::Whole;

/// Everything, as text or as Markdown.
pub(super) fn text(
    options: &Options,
    arguments: &[String],
    machine: &Machine,
    all: &[Measured],
) -> String {
    let batch = *options.batches.last().unwrap_or(&1);
    let mut parts = vec![machine.describe()];
    if options.markdown {
        parts.insert(0, format!("```sh\ncargo xtask bench {}\n```", arguments.join(" ")));
    }
    let head =
        |text: &str| if options.markdown { format!("### {text}") } else { format!("{text}:") };
    let steps: Vec<(&str, &[Step])> =
        all.iter().map(|measured| (measured.network.title, &*measured.steps)).collect();
    let tables = [
        ("The bar", bar(machine, batch, all)),
        ("What is computed", computed(machine, all)),
        ("The floor", floor(machine, batch, all)),
        ("Above the floor, by kind of layer", layers::by_kind(&steps)),
        ("Above the floor, the layers with most", layers::furthest(&steps)),
        ("Whole runs of `explain`", whole(all)),
    ];
    for (title, table) in tables {
        if !table.rows.is_empty() {
            parts.push(format!("{}\n\n{}", head(title), table.render(options.markdown)));
        }
    }
    parts.extend(short(machine, batch, all));
    parts.push(notes(options, batch, all));
    parts.join("\n\n")
}

/// Ratios, each with what it should be at most.
fn bar(machine: &Machine, batch: usize, all: &[Measured]) -> Table {
    let row = |measured: &Measured| {
        let network = measured.network;
        let own = measured.cpu("burncam", batch);
        let runs: Vec<f64> = measured.whole.iter().map(|whole| whole.cpu).collect();
        let memory = median(measured.whole.iter().map(|whole| whole.memory));
        let most = measured.weights + MEMORY_BESIDE_WEIGHTS;
        let first = median(measured.whole.iter().map(|whole| whole.first));
        let cold = match (first, network.cold) {
            (Some(first), Some(most)) => format!("{first:.2} s (≤ {most} s)"),
            (first, _) => or_dash(first, |first| format!("{first:.2} s")),
        };
        vec![
            network.title.to_owned(),
            compared(ratio(&own, &measured.cpu("onnxruntime", batch)), network.to_onnx),
            compared(own_floor(machine, batch, measured), TO_FLOOR),
            match network.whole_to_onnx {
                Some(most) => compared(ratio(&runs, &measured.cpu("onnxruntime", batch)), most),
                None => or_dash(ratio(&runs, &measured.cpu("onnxruntime", batch)), |ratio| {
                    format!("{ratio:.2}")
                }),
            },
            compared(ratio(&own, &measured.cpu("keras", batch)), network.to_keras),
            or_dash(ratio(&runs, &measured.cpu("notebook", 1)), |found| {
                format!("1/{:.1} (≤ 1/{:.0})", 1.0 / found, network.notebook_by)
            }),
            cold,
            or_dash(memory, |memory| format!("{:.0} MB (≤ {:.0})", memory / 1e6, most / 1e6)),
        ]
    };
    Table {
        head: words(&[
            "network",
            "explain / ONNX Runtime forward",
            "explain / floor",
            "whole run / ONNX Runtime forward",
            "explain / Keras optimised",
            "whole run / notebook",
            "first overlay",
            "memory",
        ]),
        rows: all.iter().map(row).collect(),
    }
}

fn computed(machine: &Machine, all: &[Measured]) -> Table {
    let row = |measured: &Measured, series: &Series| {
        let of =
            |value: fn(&super::measured::Sample) -> f64| median(series.samples.iter().map(value));
        let (wall, cpu) = (of(|sample| sample.wall), of(|sample| sample.cpu));
        let memory = series.samples.iter().filter_map(|sample| sample.memory).reduce(f64::max);
        let rate = cpu.map(|cpu| 2.0 * measured.multiplications / cpu / 1e6);
        vec![
            format!("{}, {}", measured.network.title, series.program),
            series.batch.to_string(),
            or_dash(wall, milliseconds),
            or_dash(cpu, milliseconds),
            or_dash(rate, |rate| format!("{rate:.1}")),
            or_dash(rate.filter(|_| machine.gflops > 0.0), |rate| {
                format!("{:.0} %", rate / machine.gflops * 100.0)
            }),
            or_dash(memory, |memory| format!("{:.0}", memory / 1e6)),
        ]
    };
    let rows = all.iter().flat_map(|measured| measured.series.iter().map(|s| row(measured, s)));
    Table {
        head: words(&[
            "program",
            "batch",
            "wall ms",
            "CPU ms",
            "GFLOP/s a core",
            "of peak",
            "memory MB",
        ]),
        rows: rows.collect(),
    }
}

/// What the arithmetic alone would take at the peak, and how far `explain` is from it.
fn floor(machine: &Machine, batch: usize, all: &[Measured]) -> Table {
    let row = |measured: &Measured| {
        let floor = (machine.gflops > 0.0).then(|| 2.0 * measured.fewest / machine.gflops / 1e6);
        let own = median(measured.cpu("burncam", batch));
        vec![
            measured.network.title.to_owned(),
            format!("{:.3}", measured.multiplications / 1e9),
            format!("{:.3}", measured.fewest / 1e9),
            format!("{:.0}", measured.bytes / 1e6),
            or_dash(floor, milliseconds),
            or_dash(own, milliseconds),
            or_dash(own.zip(floor).map(|(own, floor)| own / floor), |ratio| format!("{ratio:.2}")),
        ]
    };
    Table {
        head: words(&[
            "network",
            "10⁹ multiplications",
            "with Winograd",
            "MB moved",
            "floor, CPU ms",
            "explain, CPU ms",
            "explain / floor",
        ]),
        rows: all.iter().map(row).collect(),
    }
}

fn whole(all: &[Measured]) -> Table {
    let row = |measured: &Measured| {
        let of = |value: fn(&Whole) -> f64| median(measured.whole.iter().map(value));
        vec![
            measured.network.title.to_owned(),
            measured.whole[0].images.to_string(),
            or_dash(of(|whole| whole.wall), milliseconds),
            or_dash(of(|whole| whole.cpu), milliseconds),
            or_dash(of(|whole| whole.first), |seconds| format!("{seconds:.2}")),
            or_dash(of(|whole| whole.memory), |bytes| format!("{:.0}", bytes / 1e6)),
        ]
    };
    Table {
        head: words(&["network", "images", "wall ms", "CPU ms", "first overlay s", "memory MB"]),
        rows: all.iter().filter(|measured| !measured.whole.is_empty()).map(row).collect(),
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn notes(options: &Options, batch: usize, all: &[Measured]) -> String {
    let mut notes = vec![format!(
        "Medians of {} rounds, in which all programs take turns; times are those of an image. Ratios are of \
         CPU time, each round's own, at batch {batch}; the bar is in brackets. GFLOP/s is by the definition of the \
         network, two operations for each multiplication of its convolutions and dense layers, in a second \
         of CPU time, and the peak is what a core did in the same run. `burncam` is from prepared tensors to raw maps; \
         `notebook` is its loop body with files, after its networks are loaded; a whole run is a process, from \
         its start to its end, with all files.",
        options.rounds
    )];
    let mut versions: Vec<&(String, String)> = all
        .iter()
        .flat_map(|measured| &measured.versions)
        .filter(|(name, _)| name != "burncam")
        .collect();
    versions.sort();
    versions.dedup();
    if !versions.is_empty() {
        let listed: Vec<String> =
            versions.iter().map(|(name, version)| format!("{name}: {version}")).collect();
        notes.push(format!("Measured beside it: {}.", listed.join("; ")));
    }
    let known = ["notebook", "keras", "onnxruntime", "torch", "pytorch-grad-cam"];
    let missing: Vec<&str> =
        known.into_iter().filter(|name| versions.iter().all(|(own, _)| own != name)).collect();
    if !missing.is_empty() {
        notes.push(format!("Not measured, for want of packages or files: {}.", missing.join(", ")));
    }
    for measured in all.iter().filter(|measured| !measured.missing.is_empty()) {
        notes.push(format!(
            "{}: no file for {}.",
            measured.network.title,
            measured.missing.join(", ")
        ));
    }
    notes.join("\n\n")
}

fn compared(found: Option<f64>, most: f64) -> String {
    or_dash(found, |found| format!("{found:.2} (≤ {most})"))
}

/// How many times its floor a network takes.
fn own_floor(machine: &Machine, batch: usize, measured: &Measured) -> Option<f64> {
    let floor = (machine.gflops > 0.0).then(|| 2.0 * measured.fewest / machine.gflops / 1e6)?;
    median(measured.cpu("burncam", batch)).map(|own| own / floor)
}

/// The networks that fall short of a bar, each with the reason.
fn short(machine: &Machine, batch: usize, all: &[Measured]) -> Vec<String> {
    let is_short = |measured: &&Measured| {
        let to_onnx = ratio(&measured.cpu("burncam", batch), &measured.cpu("onnxruntime", batch));
        to_onnx.is_some_and(|ratio| ratio > measured.network.to_onnx)
            || own_floor(machine, batch, measured).is_some_and(|ratio| ratio > TO_FLOOR)
    };
    let sentence = |measured: &Measured| {
        format!("{} falls short: {}.", measured.network.title, layers::reason(&measured.steps))
    };
    all.iter().filter(is_short).map(sentence).collect()
}

fn milliseconds(value: f64) -> String {
    if value < 100.0 { format!("{value:.2}") } else { format!("{value:.0}") }
}

fn or_dash(value: Option<f64>, text: impl Fn(f64) -> String) -> String {
    value.map_or("–".to_owned(), text)
}

#[cfg(test)]
mod tests {
    use super::compared;

    #[test]
    fn a_ratio_stands_beside_its_bar() {
        assert_eq!(compared(Some(0.847), 0.8), "0.85 (≤ 0.8)");
        assert_eq!(compared(None, 0.8), "–");
    }
}
