//! The folder of a ported network.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use burn_pack::{Bytes, DType, Tensor, Writer};
use serde_json::json;

use crate::generate::{Code, Weight};
use crate::parts::Parts;
use crate::preprocess::Preprocess;

/// The file format version of `burncam convert`.
const VERSION: u32 = 1;

/// The variant of every ported network.
const VARIANT: &str = "ported";

/// A network in both forms.
pub(crate) struct Network<'a> {
    pub(crate) name: &'a str,
    /// The tensor at which it is cut.
    pub(crate) layer: &'a str,
    pub(crate) classes: &'a [String],
    pub(crate) parts: &'a Parts,
    pub(crate) preprocess: Preprocess,
    pub(crate) features: &'a Code,
    pub(crate) head: &'a Code,
}

impl Network<'_> {
    /// Writes code and weights into `folder`, and last the file by which it is found.
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder)?;
        let write = |name: &str, text: &str| {
            fs::write(folder.join(name), text).with_context(|| format!("cannot write {name}"))
        };
        self.write_weights(&folder.join(format!("{}.bpk", self.name)))?;
        write("features.rs", &self.features.rust)?;
        write("head.rs", &self.head.rust)?;
        write("mod.rs", &self.module())
    }

    /// The weights as a checkpoint that Burncam reads.
    fn write_weights(&self, path: &Path) -> Result<()> {
        let parts = [(self.layer, self.features), ("head", self.head)];
        let all = parts
            .iter()
            .flat_map(|(layer, code)| code.tensors.iter().map(move |weight| tensor(layer, weight)));
        Writer::new(all.collect())
            .with_metadata("burncam", &self.description().to_string())
            .write_to_file(path)
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// What the file of weights says of itself.
    fn description(&self) -> serde_json::Value {
        let ([height, width], rule) = (self.parts.input, self.preprocess);
        json!({
            "version": VERSION,
            "program": env!("CARGO_PKG_VERSION"),
            "architecture": self.name,
            "variant": VARIANT,
            "input": {
                "height": height,
                "width": width,
                "order": rule.order,
                "divisor": rule.divisor,
                "mean": rule.mean,
                "deviation": rule.deviation,
            },
            "head": {
                "layers": [{
                    "name": "head",
                    "class": "Generated",
                    "settings": { "output": [self.parts.units] },
                }],
                "output": self.parts.output,
            },
            "names": {},
            "keras_version": null,
            "notes": [],
        })
    }

    /// `mod.rs`: what makes a Burncam network of the generated code.
    fn module(&self) -> String {
        let (parts, rule) = (self.parts, self.preprocess);
        let ([height, width], [rows, columns, channels]) = (parts.input, parts.map);
        format!(
            include_str!("network.rs.txt"),
            name = self.name,
            layer = self.layer,
            classes = self.classes,
            units = parts.units,
            input_name = parts.input_name,
            height = height,
            width = width,
            order = if rule.order == "bgr" { "Bgr" } else { "Rgb" },
            divisor = rule.divisor,
            mean = rule.mean,
            deviation = rule.deviation,
            rows = rows,
            columns = columns,
            channels = channels,
            images = if parts.channels_last { "images.permute([0, 2, 3, 1])" } else { "images" },
            features = list(&self.features.tensors),
            head = list(&self.head.tensors),
        )
    }
}

fn tensor(layer: &str, weight: &Weight) -> Tensor {
    let bytes: Vec<u8> = weight.values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let (name, length) = (format!("{layer}/{}", weight.path), bytes.len());
    let read = move || Ok(Bytes::from_bytes_vec(bytes.clone()));
    Tensor::deferred(name, DType::F32, weight.shape.clone(), None, length, read)
}

/// The paths of a module's tensors, one a line.
fn list(tensors: &[Weight]) -> String {
    tensors.iter().map(|weight| format!("    {:?},\n", weight.path)).collect()
}
