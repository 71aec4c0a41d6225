//! Where the distance to the floor lies: CPU time of each layer beside what its arithmetic alone would take.

use super::options::Options;
use super::table::Table;
use super::worker::{Answer, Worker};

/// Layers of a network that a report lists, those that are furthest from their floor.
const FURTHEST: usize = 6;

/// What is computed at once: a layer, with those before it that are done in passing.
pub(super) struct Step {
    pub kind: String,
    pub name: String,
    /// CPU milliseconds of an image.
    pub cpu: f64,
    /// The same at the rate of the multipliers.
    pub floor: f64,
}

impl Step {
    fn distance(&self) -> f64 {
        self.cpu - self.floor
    }
}

/// Asks for the steps of a network at a batch size; a core does so many thousand millions a second.
pub(super) fn steps(burncam: &mut Worker, batch: usize, gflops: f64) -> Result<Vec<Step>, String> {
    read(&burncam.ask(&format!("layers {batch}"))?, gflops)
}

fn read(answer: &Answer, gflops: f64) -> Result<Vec<Step>, String> {
    let unclear = || format!("the worker answered `{}`, which are no layers", answer.0);
    let fields: Vec<&str> = answer.0.split('\t').collect();
    let step = |fields: &[&str]| {
        let [kind, cpu, multiplications, name] = fields else { return None };
        let (kind, name) = ((*kind).to_owned(), (*name).to_owned());
        let multiplications: f64 = multiplications.parse().ok()?;
        let floor = 2.0 * multiplications / gflops.max(1e-9) / 1e6;
        Some(Step { kind, name, cpu: cpu.parse().ok()?, floor })
    };
    fields.chunks(4).map(step).collect::<Option<_>>().ok_or_else(unclear)
}

/// Every layer of each network, on its own.
pub(super) fn bench(options: &Options) -> Result<String, String> {
    let batch = options.batches.last().copied().unwrap_or(1);
    let mut all = Vec::new();
    for network in super::NETWORKS.iter().filter(|network| options.wants(network.name)) {
        eprintln!("== {}", network.title);
        let mut worker = super::burncam(options, network)?;
        let gflops = worker.ask("peak")?.number("gflops").unwrap_or(0.0);
        all.push((network.title, steps(&mut worker, batch, gflops)?));
    }
    let all: Vec<(&str, &[Step])> = all.iter().map(|(title, steps)| (*title, &**steps)).collect();
    let parts =
        [by_kind(&all), in_order(&all)].map(|table| table.render(options.markdown)).join("\n\n");
    Ok(format!(
        "CPU milliseconds of an image, {batch} at a time: the quickest of several batches for each layer.\n\n{parts}"
    ))
}

/// The steps of each network by kind, those furthest from their floor first.
pub(super) fn by_kind(all: &[(&str, &[Step])]) -> Table {
    let mut rows = Vec::new();
    for (title, steps) in all {
        let distance: f64 = steps.iter().map(Step::distance).sum();
        let mut kinds: Vec<Step> = Vec::new();
        for step in *steps {
            match kinds.iter_mut().find(|kind| kind.kind == step.kind) {
                Some(kind) => {
                    (kind.cpu, kind.floor) = (kind.cpu + step.cpu, kind.floor + step.floor)
                }
                None => kinds.push(Step { kind: step.kind.clone(), name: String::new(), ..*step }),
            }
        }
        kinds.sort_by(|a, b| b.distance().total_cmp(&a.distance()));
        rows.extend(
            kinds.iter().map(|kind| row(format!("{title}, {}", kind.kind), kind, distance)),
        );
    }
    table("layers", rows)
}

/// The layers of each network that are furthest from their floor.
pub(super) fn furthest(all: &[(&str, &[Step])]) -> Table {
    let mut rows = Vec::new();
    for (title, steps) in all {
        let distance: f64 = steps.iter().map(Step::distance).sum();
        let mut sorted: Vec<&Step> = steps.iter().collect();
        sorted.sort_by(|a, b| b.distance().total_cmp(&a.distance()));
        let name = |step: &Step| format!("{title}, `{}` ({})", step.name, step.kind);
        rows.extend(sorted.iter().take(FURTHEST).map(|step| row(name(step), step, distance)));
    }
    table("layer", rows)
}

/// Every layer, in the order in which they are computed.
fn in_order(all: &[(&str, &[Step])]) -> Table {
    let mut rows = Vec::new();
    for (title, steps) in all {
        let distance: f64 = steps.iter().map(Step::distance).sum();
        let name = |step: &Step| format!("{title}, `{}` ({})", step.name, step.kind);
        rows.extend(steps.iter().map(|step| row(name(step), step, distance)));
    }
    table("layer", rows)
}

/// Why a network takes longer than it should: the kinds of layers with the largest distance.
pub(super) fn reason(steps: &[Step]) -> String {
    let table = by_kind(&[("", steps)]);
    let kind = |row: &Vec<String>| {
        format!("{} {} ms above their floor", row[0].trim_start_matches(", "), row[3])
    };
    table.rows.iter().take(3).map(kind).collect::<Vec<_>>().join(", ")
}

fn table(first: &str, rows: Vec<Vec<String>>) -> Table {
    let head = [first, "CPU ms", "floor ms", "above the floor, ms", "share of all above"];
    Table { head: head.map(str::to_owned).to_vec(), rows }
}

fn row(name: String, step: &Step, distance: f64) -> Vec<String> {
    let share = step.distance() / distance.max(1e-9) * 100.0;
    vec![
        name,
        format!("{:.2}", step.cpu),
        format!("{:.2}", step.floor),
        format!("{:.2}", step.distance()),
        format!("{share:.0} %"),
    ]
}

#[cfg(test)]
mod tests {
    use super::{Answer, by_kind, furthest, read, reason};

    #[test]
    fn the_distance_is_split_into_parts() {
        let answer =
            "1×1\t2.0\t50000000\tconv a\tpooling\t0.5\t0\tpool\t1×1\t1.0\t50000000\tconv b";
        let steps = read(&Answer(answer.to_owned()), 100.0).expect("steps");
        let all = [("NET", &*steps)];
        let kinds = by_kind(&all).rows;
        assert_eq!(kinds[0], ["NET, 1×1", "3.00", "2.00", "1.00", "67 %"]);
        assert_eq!(kinds[1], ["NET, pooling", "0.50", "0.00", "0.50", "33 %"]);
        assert_eq!(furthest(&all).rows[0][0], "NET, `conv a` (1×1)");
        assert_eq!(
            reason(&steps),
            "1×1 1.00 ms above their floor, pooling 0.50 ms above their floor"
        );
        assert!(read(&Answer("error".to_owned()), 100.0).is_err());
    }
}
