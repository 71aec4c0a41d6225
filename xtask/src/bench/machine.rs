//! The machine that is measured on.

use std::fs;
use std::thread;

/// What the numbers depend on.
pub(super) struct Machine {
    pub cores: usize,
    pub model: String,
    /// Programs that wanted a core in the last minute, at the start.
    pub load: Option<f64>,
    /// The same at the end: this includes the measurement itself.
    pub load_at_end: Option<f64>,
    /// Multiplications and additions of a core, in thousand millions a second.
    pub gflops: f64,
}

impl Machine {
    /// The machine as it is now.
    pub(super) fn now() -> Self {
        Self {
            cores: thread::available_parallelism().map_or(1, usize::from),
            model: model().unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            load: load(),
            load_at_end: None,
            gflops: 0.0,
        }
    }

    /// Takes the best of several measurements: a core cannot do more than it can.
    pub(super) fn core_gflops(&mut self, found: f64) {
        self.gflops = self.gflops.max(found);
    }

    /// The measurement is over.
    pub(super) fn ended(&mut self) {
        self.load_at_end = load();
    }

    /// In words.
    pub(super) fn describe(&self) -> String {
        let load =
            |load: Option<f64>| load.map_or("unknown".to_owned(), |load| format!("{load:.2}"));
        format!(
            "{}, {} cores, {:.0} GFLOP/s a core (measured); load {} at the start, {} at the end.",
            self.model,
            self.cores,
            self.gflops,
            load(self.load),
            load(self.load_at_end)
        )
    }
}

fn load() -> Option<f64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().next()?.parse().ok()
}

fn model() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
