//! That a GPU was found to compute what the CPU computes, remembered from run to run.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use anyhow::Result;
use burn::tensor::Device;
use burncam_attribution::{Agreement, Explanation, Passes};
use burncam_net::{GRAPH, PROGRAMS};
use burncam_record::write_atomic;
use burncam_weights::Resolved;

use super::{Tolerance, default_explanation, pattern};
use crate::device::{Adapter, Choice, Precision};
use crate::{Message, Observer};

/// The folder of remembered verdicts, if not where the system keeps caches.
const CACHE: &str = "BURNCAM_CACHE";

/// What a run asks of a device.
#[derive(Clone, Copy)]
pub struct Use<'a> {
    /// The network.
    pub network: &'a Resolved,
    /// How images are explained.
    pub explanation: &'a Explanation,
    /// Images at a time.
    pub batch: usize,
}

/// Says whether a GPU gives the CPU's results with this network; once for each adapter, driver,
/// version of Burncam, kind of network, explanation and batch, since it takes a moment: that it does is remembered.
/// In half precision it is a matter of the weights, so nothing is remembered there. In words what
/// was found.
///
/// # Errors
///
/// The finding, if it does not.
pub fn passes(choice: &Choice, wanted: Use<'_>, observer: &dyn Observer) -> Result<String, String> {
    let Some(adapter) = &choice.adapter else { return Ok("the CPU is the reference".to_owned()) };
    if choice.precision == Precision::Half {
        observer.note(Message::new(
            format!("Comparing f16 on {} with the CPU's f32.", adapter.name),
            format!("Comparando f16 em {} com f32 da CPU.", adapter.name),
        ));
        return compare(choice, wanted);
    }
    /// Bytes, more than any such file has.
    const LARGEST: u64 = 1 << 24;
    let key = key(adapter, wanted);
    let file = folder().map(|folder| folder.join("verified.json"));
    let mut known: BTreeMap<String, String> = file
        .as_ref()
        .filter(|file| file.metadata().is_ok_and(|found| found.is_file() && found.len() < LARGEST))
        .and_then(|file| fs::read(file).ok())
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default();
    if let Some(text) = known.get(&key) {
        return Ok(text.clone());
    }
    observer.note(Message::new(
        format!("Comparing {} with the CPU, once.", adapter.name),
        format!("Comparando {} com a CPU, uma única vez.", adapter.name),
    ));
    let text = compare(choice, wanted)?;
    known.insert(key, text.clone());
    if let (Some(file), Ok(bytes)) = (file, serde_json::to_vec_pretty(&known)) {
        // What cannot be remembered is found out again.
        let _ = write_atomic(&file, &bytes);
    }
    Ok(text)
}

fn key(adapter: &Adapter, Use { network, explanation, batch }: Use<'_>) -> String {
    let Adapter { name, slot, api, driver, .. } = adapter;
    let head = network.head.describe();
    let (arch, variant, version) =
        (network.arch.name, network.variant.name, env!("CARGO_PKG_VERSION"));
    // Graphs have one name, and layers of their own.
    let mut own = String::new();
    if arch == GRAPH.name {
        let mut hasher = DefaultHasher::new();
        format!("{:?}", network.layers.layers()).hash(&mut hasher);
        own = format!(" {:x}", hasher.finish());
    }
    format!(
        "{name} | {slot} | {api} | {driver} | burncam {version}, programs {PROGRAMS} | \
         {arch}:{variant}{own}, {head}, {method} at {layers}, {batch} at a time",
        method = explanation.method.name,
        layers = explanation.layers.join(", ")
    )
}

/// A driver may do anything, so a panic is a finding too.
fn compare(choice: &Choice, wanted: Use<'_>) -> Result<String, String> {
    let found = catch_unwind(AssertUnwindSafe(|| agreement(choice, wanted)))
        .map_err(|_| "its driver failed".to_owned())?
        .map_err(|error| format!("{error:#}"))?;
    let Agreement { logits, map, same_classes, .. } = found;
    let classes = if same_classes { "the same classes" } else { "other classes" };
    let text =
        format!("{classes}; logits within {logits:.1e} and maps within {map:.1e} of the CPU's");
    if Tolerance::for_precision(choice.precision).holds(&found) { Ok(text) } else { Err(text) }
}

fn agreement(choice: &Choice, Use { network, explanation, batch }: Use<'_>) -> Result<Agreement> {
    let reference = network.build(&Device::flex())?;
    let other = network.build(&choice.device)?;
    let images = pattern::images(&network.input);
    let explanation = brief(explanation, &network.cam_layer);
    super::agreement(choice, [&reference, &other], &images, &explanation, batch)
}

/// An explanation that shows in a few passes whether a device computes what one of many does. Masked images take
/// forward passes alone, which the logits show.
fn brief(explanation: &Explanation, cam_layer: &str) -> Explanation {
    let mut brief = explanation.clone();
    match brief.method.needs.passes {
        Passes::One | Passes::Two => brief,
        Passes::Option(name) => match brief.settings.set(&format!("{name}=2")) {
            Ok(()) => brief,
            Err(_) => explanation.clone(),
        },
        Passes::Channels | Passes::ChannelsTimes(_) | Passes::Windows { .. } => {
            default_explanation(explanation.layers.first().map_or(cam_layer, String::as_str))
        }
    }
}

/// Where this system keeps what can be made again.
fn folder() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let of_system = || {
        if cfg!(windows) {
            set("LOCALAPPDATA")
        } else if cfg!(target_os = "macos") {
            set("HOME").map(|home| home.join("Library/Caches"))
        } else {
            set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")))
        }
    };
    set(CACHE).or_else(|| of_system().map(|caches| caches.join("burncam")))
}
