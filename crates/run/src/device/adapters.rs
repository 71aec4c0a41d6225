//! The graphics adapters of this machine.

use std::fmt::Display;
use std::fs;
use std::path::Path;

use burn::tensor::wgpu::WgpuBackend;
use burn::tensor::wgpu::wgpu::{
    Adapter as WgpuAdapter, AdapterInfo, Backend, Backends, DeviceType, Features, Instance,
    InstanceDescriptor,
};
use burn::tensor::{Device, DeviceKind, FloatDType};
use serde::Serialize;

use super::Precision;

/// One adapter, as one graphics API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Adapter {
    /// Its name: `AMD Radeon RX 7900 XTX`.
    pub name: String,
    /// Who made it.
    pub vendor: String,
    /// What it is.
    #[serde(serialize_with = "as_text")]
    pub kind: Kind,
    /// The graphics API: `Vulkan`, `Metal`, `Dx12`.
    pub api: String,
    /// Driver and version.
    pub driver: String,
    /// Its own memory in bytes, where the operating system tells.
    pub memory: Option<u64>,
    /// The largest tensor that its driver allows, in bytes.
    pub largest_tensor: u64,
    /// Whether it computes in half precision.
    pub half: bool,
    /// Where it is plugged in, which tells it from others of its name; nothing of what is not.
    #[serde(skip)]
    pub slot: String,
    /// Its place among those of its kind and API.
    #[serde(skip)]
    place: (WgpuBackend, DeviceKind),
}

/// What an adapter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A card with memory of its own.
    Discrete,
    /// Part of the processor.
    Integrated,
    /// A share of a card, in a virtual machine.
    Virtual,
    /// A program on the CPU that behaves as a GPU.
    Software,
}

impl Kind {
    fn from_device_type(device_type: DeviceType) -> Option<Self> {
        match device_type {
            DeviceType::DiscreteGpu => Some(Self::Discrete),
            DeviceType::IntegratedGpu => Some(Self::Integrated),
            DeviceType::VirtualGpu => Some(Self::Virtual),
            DeviceType::Cpu => Some(Self::Software),
            DeviceType::Other => None,
        }
    }

    /// The kind in a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Discrete => "discrete",
            Self::Integrated => "integrated",
            Self::Virtual => "virtual",
            Self::Software => "software",
        }
    }
}

fn as_text<S: serde::Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.name())
}

/// The graphics APIs that are asked, in Burn's order: the first that knows a GPU is used, else the first
/// that knows any adapter.
const APIS: [(Backend, WgpuBackend); 3] = [
    (Backend::Vulkan, WgpuBackend::Vulkan),
    (Backend::Metal, WgpuBackend::Metal),
    (Backend::Dx12, WgpuBackend::Dx12),
];

/// The adapters of this machine, the most capable kind first.
///
/// OpenGL is not asked: what has no other driver than that is too old for Burn's kernels.
pub fn adapters() -> Vec<Adapter> {
    let mut software = Vec::new();
    for (api, pinned) in APIS {
        let mut found = of_api(api, pinned);
        found.sort_by_key(|adapter| adapter.kind as u8);
        if found.iter().any(Adapter::is_hardware) {
            found.extend(software);
            return found;
        }
        if software.is_empty() {
            software = found;
        }
    }
    software
}

fn of_api(api: Backend, pinned: WgpuBackend) -> Vec<Adapter> {
    let backends = Backends::from(api);
    let instance = Instance::new(InstanceDescriptor {
        backends,
        ..InstanceDescriptor::new_without_display_handle()
    });
    let found = pollster::block_on(instance.enumerate_adapters(backends));
    let mut counts = [0_usize; 4];
    let mut adapters = Vec::new();
    for (found, info) in found.iter().map(|found| (found, found.get_info())) {
        let Some(kind) = Kind::from_device_type(info.device_type) else { continue };
        let number = counts[kind as usize];
        counts[kind as usize] += 1;
        let selector = match kind {
            Kind::Discrete => DeviceKind::DiscreteGpu(number),
            Kind::Integrated => DeviceKind::IntegratedGpu(number),
            Kind::Virtual => DeviceKind::VirtualGpu(number),
            // Burn reaches the first software rasteriser only.
            Kind::Software if number == 0 => DeviceKind::Cpu,
            Kind::Software => continue,
        };
        adapters.push(Adapter::new(found, info, kind, (pinned, selector)));
    }
    adapters
}

impl Adapter {
    fn new(
        found: &WgpuAdapter,
        info: AdapterInfo,
        kind: Kind,
        place: (WgpuBackend, DeviceKind),
    ) -> Self {
        let limits = found.limits();
        Self {
            largest_tensor: limits.max_buffer_size.min(limits.max_storage_buffer_binding_size),
            half: found.features().contains(Features::SHADER_F16),
            vendor: vendor(info.vendor),
            driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
            memory: memory(&info.device_pci_bus_id),
            slot: info.device_pci_bus_id,
            api: format!("{:?}", info.backend),
            name: info.name,
            kind,
            place,
        }
    }

    /// Whether it computes by itself, rather than on the CPU.
    pub fn is_hardware(&self) -> bool {
        self.kind != Kind::Software
    }

    /// Opens it for computing in a precision, which its tensors have from then on.
    ///
    /// # Errors
    ///
    /// If its driver refuses; the lazy way to make a device would panic instead.
    pub fn open(&self, precision: Precision) -> Result<Device, String> {
        let first_line =
            |error: &dyn Display| error.to_string().lines().next().unwrap_or_default().to_owned();
        let (api, kind) = self.place.clone();
        let options = Device::wgpu_options().graphics_api(api).device_kind(kind);
        let mut device = options.init().map_err(|error| first_line(&error))?;
        if precision == Precision::Half {
            device.configure(FloatDType::F16).map_err(|error| first_line(&error))?;
        }
        Ok(device)
    }
}

/// PCI and Khronos identifiers of vendors.
const VENDORS: [(u32, &str); 9] = [
    (0x1002, "AMD"),
    (0x106b, "Apple"),
    (0x10de, "NVIDIA"),
    (0x13b5, "ARM"),
    (0x1414, "Microsoft"),
    (0x14e4, "Broadcom"),
    (0x5143, "Qualcomm"),
    (0x8086, "Intel"),
    (0x10005, "Mesa"),
];

fn vendor(id: u32) -> String {
    let known = VENDORS.iter().find(|(known, _)| *known == id);
    known.map_or_else(|| format!("{id:#06x}"), |(_, name)| (*name).to_owned())
}

/// Linux tells the memory of AMD's cards; wgpu tells nobody's.
fn memory(bus: &str) -> Option<u64> {
    let plain = bus.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, ':' | '.'));
    if bus.is_empty() || !plain {
        return None;
    }
    let file = Path::new("/sys/bus/pci/devices").join(bus).join("mem_info_vram_total");
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendors_are_named_or_numbered() {
        assert_eq!(vendor(0x1002), "AMD");
        assert_eq!(vendor(0x1234), "0x1234");
    }

    #[test]
    fn a_bus_that_is_a_path_is_not_followed() {
        assert_eq!(memory("../../../../../etc/passwd"), None);
        assert_eq!(memory(""), None);
    }
}
