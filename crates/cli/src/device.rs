//! Where to compute.

use anyhow::{Result, bail};
use burn::tensor::Device;
use burn::tensor::wgpu::wgpu::{AdapterInfo, DeviceType};

use crate::args::DeviceRequest;

/// The device that was chosen, and why.
#[derive(Debug)]
pub(crate) struct Choice {
    /// The device.
    pub device: Device,
    /// `cpu` or `gpu`.
    pub kind: &'static str,
    /// The adapter's name, or how many threads the CPU has.
    pub name: String,
    /// Burn's backend, with the graphics API and driver of a GPU.
    pub backend: String,
    /// Why this one.
    pub reason: String,
}

/// Chooses a device. `auto` never takes a software rasteriser, and falls back to the CPU.
///
/// # Errors
///
/// If `gpu` is asked for and there is no hardware GPU that wgpu can use.
pub(crate) fn choose(request: DeviceRequest) -> Result<Choice> {
    if request == DeviceRequest::Cpu {
        return Ok(cpu("asked for".to_owned()));
    }
    match (gpu(), request) {
        (Ok(choice), DeviceRequest::Gpu) => Ok(Choice { reason: "asked for".to_owned(), ..choice }),
        (Ok(choice), _) => Ok(choice),
        (Err(found), DeviceRequest::Gpu) => bail!(
            "there is no GPU to compute on: {found}\nhint: a GPU is reached through Vulkan, Metal \
             or DX12; install its driver (and on Linux the Vulkan loader, package `libvulkan1`), \
             or use `--device cpu`"
        ),
        (Err(found), _) => Ok(cpu(format!("no GPU: {found}"))),
    }
}

fn cpu(reason: String) -> Choice {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    Choice {
        device: Device::flex(),
        kind: "cpu",
        name: format!("{threads} threads, {}", std::env::consts::ARCH),
        backend: "flex".to_owned(),
        reason,
    }
}

/// A hardware GPU, or what there is instead.
fn gpu() -> Result<Choice, String> {
    let options = Device::wgpu_options();
    // The lazy constructor would panic on a worker thread where there is no adapter.
    let (device, setup) = match options.init_with_setup() {
        Ok(found) => found,
        Err(error) => return Err(first_line(&error.to_string())),
    };
    let AdapterInfo { name, backend, driver, driver_info, device_type, .. } =
        setup.adapter.get_info();
    if device_type == DeviceType::Cpu {
        return Err(format!("`{name}` is a software rasteriser, far slower than the CPU itself"));
    }
    let driver = format!("{driver} {driver_info}");
    Ok(Choice {
        device,
        kind: "gpu",
        name,
        backend: format!("wgpu, {backend:?}, {}", driver.trim()),
        reason: "a hardware GPU is present".to_owned(),
    })
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_is_there_when_asked_for() {
        let choice = choose(DeviceRequest::Cpu).expect("a CPU");
        assert_eq!((choice.kind, choice.backend.as_str()), ("cpu", "flex"));
    }
}
