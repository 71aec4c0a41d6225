//! What this Burncam was built from, and what it computes with.

use burncam_net::Level;
use burncam_run::{device, short};

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
