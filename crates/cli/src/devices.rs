//! `burncam devices`: what there is to compute on.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use crate::args::Devices;
use crate::console;
use crate::text::{self, Column};
use burncam_run::device::{self, Adapter};

/// What `devices --json` prints.
#[derive(Serialize)]
struct Report<'a> {
    adapters: &'a [Adapter],
    threads: usize,
    auto: &'a str,
    reason: &'a str,
}

/// Lists every adapter, and says which one `auto` takes and why.
pub(crate) fn run(args: &Devices) -> Result<ExitCode> {
    let adapters = device::adapters();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (auto, reason) = match device::auto(&adapters) {
        Ok(adapter) => (adapter.name.as_str(), "a hardware GPU is present".to_owned()),
        Err(reason) => ("cpu", reason.english().to_owned()),
    };
    let text = if args.json {
        let report = Report { adapters: &adapters, threads, auto, reason: &reason };
        serde_json::to_string_pretty(&report)?
    } else {
        format!("{}\n--device auto takes {auto}: {reason}.", table(&adapters, threads))
    };
    console::result(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn table(adapters: &[Adapter], threads: usize) -> String {
    let names = ["--device", "name", "vendor", "kind", "API", "driver", "memory", "f16"];
    let mut number = 0;
    let mut rows = vec![[
        "cpu".to_owned(),
        format!("{threads} threads, {}", std::env::consts::ARCH),
        String::new(),
        "processor".to_owned(),
        String::new(),
        String::new(),
        String::new(),
        "no".to_owned(),
    ]];
    for adapter in adapters {
        let memory = |bytes: u64| format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30));
        let own = if adapter.is_hardware() {
            number += 1;
            format!("gpu:{}", number - 1)
        } else {
            // Taken by name only.
            adapter.name.split(' ').next().unwrap_or_default().to_owned()
        };
        rows.push([
            own,
            adapter.name.clone(),
            adapter.vendor.clone(),
            adapter.kind.name().to_owned(),
            adapter.api.clone(),
            adapter.driver.clone(),
            adapter.memory.map_or_else(String::new, memory),
            if adapter.half { "yes" } else { "no" }.to_owned(),
        ]);
    }
    text::table(names.map(|name| (name, Column::Words)), &rows)
}
