//! Which Burncam this is: its version, what it was built from, and what it computes with.

use burncam_net::Level;
use burncam_report::Run;

use crate::console::{self, Message};
use crate::device;

/// The commit that it was built from, whether or not the sources had changes since; nothing outside a clone.
pub(crate) const COMMIT: Option<&str> = option_env!("BURNCAM_COMMIT");

/// `0.1.0 (8c340d6c5a1b)`.
pub(crate) fn short() -> String {
    let version = env!("CARGO_PKG_VERSION");
    COMMIT.map_or(version.to_owned(), |commit| format!("{version} ({commit})"))
}

/// The Burncam that a run is of, where it is another than this one.
pub(crate) fn other(run: &Run) -> Option<String> {
    let commits = run.commit.as_deref().zip(COMMIT);
    let same = run.burncam == env!("CARGO_PKG_VERSION") && commits.is_none_or(|(a, b)| a == b);
    let commit = run.commit.iter().map(|commit| format!(" ({commit})"));
    (!same).then(|| run.burncam.clone() + &commit.collect::<String>())
}

/// Says that results are of another Burncam than this one.
pub(crate) fn warn_of_others(runs: &[String]) {
    if !runs.is_empty() {
        let now = short();
        let text = Message::new(
            format!("results of another Burncam than this one, {now}; its numbers may differ:"),
            format!("resultados de outro Burncam que não este, {now}; os números podem diferir:"),
        );
        console::warning(text, runs);
    }
}

/// The version, what it was built for, and the graphics adapters of this machine.
pub(crate) fn long() -> String {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    let mut text = format!(
        "{}\nbuilt for {os} {arch}; features: flex, wgpu, autodiff\nCPU: own kernels for {}",
        short(),
        Level::best().name(),
    );
    let adapters = device::adapters();
    if adapters.is_empty() {
        text += "\nGPU: no adapter for Vulkan, Metal or DX12";
    }
    for adapter in adapters {
        let (name, kind) = (&adapter.name, adapter.kind.name());
        text += &format!("\nGPU: {name} ({kind}) by {}, {}", adapter.api, adapter.driver);
    }
    text
}
