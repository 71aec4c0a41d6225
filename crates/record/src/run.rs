//! `run.json`: what was run, on what, with what result.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Error, ExplanationSpec, FoldScore, RunSpec, Summary};

/// The record of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The version of Burncam.
    pub burncam: String,
    /// The commit that it was built from, where that is known.
    #[serde(default)]
    pub commit: Option<String>,
    /// Whether the run came to its end.
    pub status: RunStatus,
    /// The command line, without the program's name.
    pub arguments: Vec<String>,
    /// The options of the run, by name without dashes, of the command line and of a file of options; what has
    /// its default is left out.
    #[serde(default)]
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// The folder where their relative paths start, as seen from that of the record.
    #[serde(default)]
    pub working_folder: String,
    /// When the run began, by [`rfc3339`](crate::rfc3339).
    pub started: String,
    /// When the record was written, by [`rfc3339`](crate::rfc3339).
    pub finished: String,
    /// The models, each of which was asked for every image.
    pub models: Vec<Model>,
    /// The devices that shared the images.
    pub devices: Vec<Device>,
    /// Everything that decides the results.
    #[serde(default)]
    pub options: RunSpec,
    /// Images of a forward pass.
    #[serde(default)]
    pub batch: usize,
    /// What was asked for: a number of images, or `auto`.
    #[serde(default)]
    pub batch_requested: String,
    /// The images.
    pub data: Data,
    /// Where true classes come from; nothing in records of earlier versions.
    #[serde(default)]
    pub labels: Option<Labelling>,
    /// What the user was warned of.
    pub warnings: Vec<Warning>,
    /// What became of the images, over all models.
    pub counts: Counts,
    /// The run's duration in seconds.
    pub seconds: f64,
    /// The machine.
    pub platform: Platform,
}

/// Whether a run came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// Every image was tried.
    Complete,
    /// The run was interrupted, or is still going on.
    Partial,
}

/// A checkpoint that filled a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weights {
    /// The fold whose images it explained; nothing where it explained them all.
    pub fold: Option<String>,
    /// The path as given.
    pub path: String,
    /// SHA-256 of the file, in lower-case hexadecimal.
    pub sha256: String,
    /// The file's size in bytes.
    pub bytes: u64,
    /// The file's format: `h5`, `keras`, `safetensors`.
    pub format: String,
}

/// A model and what it found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// The name in the output tree: `ResNet50`.
    pub name: String,
    /// The architecture: `resnet50`.
    pub architecture: String,
    /// The architecture's variant: `keras-vggface`.
    pub variant: String,
    /// Its checkpoints: one, or one a fold.
    pub weights: Vec<Weights>,
    /// Its input: size, channel order, and the arithmetic of preprocessing.
    pub input: serde_json::Value,
    /// How the images are explained.
    #[serde(default)]
    pub explanations: Vec<ExplanationSpec>,
    /// The class explained: `predicted`, or a class's name.
    pub target: String,
    /// The classes, in the order of the network's outputs.
    pub classes: Vec<String>,
    /// Who says what the classes are called; empty in records of earlier versions.
    #[serde(default)]
    pub classes_from: String,
    /// Where labels came from.
    pub labels: String,
    /// How many of the run's images have each class as their true one, in the order of
    /// [`classes`](Self::classes); empty in records of earlier versions.
    #[serde(default)]
    pub images_per_class: Vec<usize>,
    /// How many have no true class.
    #[serde(default)]
    pub images_unlabelled: usize,
    /// The layers after the features, in words.
    pub head: String,
    /// The number of trained values.
    pub parameters: u64,
    /// What became of the images.
    pub counts: Counts,
    /// Right and wrong predictions, fold by fold.
    pub accuracy: Vec<FoldScore>,
    /// The time spent on its images, in seconds, the loading of weights left out.
    pub seconds: f64,
}

/// How images got their true classes: one rule for the whole run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labelling {
    /// What was asked for: `auto`, or a rule.
    pub requested: String,
    /// The rule: `dirs`, `notebook`, `tokens:…`, a label file, or `none`.
    pub rule: String,
    /// Why it is this one, or how the label file was read.
    pub reason: String,
}

/// The device that computed, and why that one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// What was asked for: `auto`, `cpu`, `gpu:1`.
    pub requested: String,
    /// What was used: `cpu`, `gpu`, or `software GPU` for a rasteriser.
    pub used: String,
    /// The device's own name.
    pub name: String,
    /// The library that drove it.
    pub backend: String,
    /// What it computed in: `f32` or `f16`.
    pub precision: String,
    /// Why it was chosen.
    pub reason: String,
    /// How its results compare with the CPU's, in words; nothing where that was not asked.
    pub verified: Option<String>,
}

/// The images of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Data {
    /// The data folder as given.
    pub path: String,
    /// The number of images that the run was asked for.
    pub images: usize,
    /// Which part of the data set they are, as `2/4`; nothing where they are all of it.
    #[serde(default)]
    pub shard: Option<String>,
    /// The folds, sorted.
    pub folds: Vec<String>,
}

/// Something that the user should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// What is to be known.
    pub text: String,
    /// The images or files that it concerns.
    pub items: Vec<String>,
}

/// What became of the images.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Images with a prediction and a map.
    pub explained: usize,
    /// Images without.
    pub failed: usize,
    /// Predictions that equal the label.
    pub right: usize,
    /// Predictions that differ from it.
    pub wrong: usize,
    /// Predictions of images without a label.
    pub unknown: usize,
    /// The number of maps with each status, over all explanations.
    pub by_status: BTreeMap<String, usize>,
}

impl Counts {
    /// Adds what became of another model's images.
    pub fn add(&mut self, other: &Self) {
        self.explained += other.explained;
        self.failed += other.failed;
        self.right += other.right;
        self.wrong += other.wrong;
        self.unknown += other.unknown;
        for (status, count) in &other.by_status {
            *self.by_status.entry(status.clone()).or_default() += count;
        }
    }
}

impl From<&Summary> for Counts {
    fn from(summary: &Summary) -> Self {
        let total = &summary.total;
        let mut by_status: BTreeMap<String, usize> = BTreeMap::new();
        for (status, count) in summary.maps.iter().flat_map(|(_, maps)| &maps.by_status) {
            *by_status.entry(status.clone()).or_default() += count;
        }
        Self {
            explained: total.images - total.failed,
            failed: total.failed,
            right: total.right,
            wrong: total.wrong,
            unknown: total.unknown,
            by_status,
        }
    }
}

/// The machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    /// The operating system: `linux`, `macos`, `windows`.
    pub os: String,
    /// The processor's architecture: `x86_64`, `aarch64`.
    pub arch: String,
    /// Processor cores that the process may use.
    pub cpus: usize,
}

impl Platform {
    /// The machine this runs on.
    #[must_use]
    pub fn current() -> Self {
        Self {
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

/// The record as indented JSON with a line end. A number that is not finite becomes `null`.
///
/// # Errors
///
/// [`Error::Record`]; none that a caller could cause.
pub fn run_json(run: &Run) -> Result<Vec<u8>, Error> {
    let mut bytes = serde_json::to_vec_pretty(run)?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Counts, Run, run_json};

    /// A record as it stands in the file.
    fn record() -> serde_json::Value {
        json!({
            "burncam": "0.1.0",
            "commit": "8c340d6c5a1b",
            "status": "complete",
            "arguments": ["explain", "faces"],
            "settings": { "data": "faces", "exact": true },
            "working_folder": "..",
            "started": "2026-02-28T23:59:59Z",
            "finished": "2026-03-01T00:00:03Z",
            "models": [{
                "name": "VGG16", "architecture": "vgg16", "variant": "keras-vggface",
                "weights": [{
                    "fold": null, "path": "VGG16.h5", "sha256": "00ff", "bytes": 12,
                    "format": "h5",
                }],
                "input": { "height": 224, "width": 224 },
                "explanations": [{
                    "name": "GradCAM", "title": "Grad-CAM", "paper": "Selvaraju et al.",
                    "--method": "grad-cam",
                    "--layer": ["conv5_3"],
                    "values": "positive",
                }],
                "target": "predicted", "classes": ["Pain", "No_pain"],
                "classes_from": "--classes", "labels": "dirs",
                "images_per_class": [1, 0], "images_unlabelled": 0,
                "head": "flatten, dense 2", "parameters": 14,
                "counts": {
                    "explained": 1, "failed": 0, "right": 1, "wrong": 0, "unknown": 0,
                    "by_status": { "ok": 1 },
                },
                "accuracy": [{
                    "fold": "Fold0", "images": 1, "failed": 0, "right": 1, "wrong": 0,
                    "unknown": 0, "accuracy": 1.0,
                }],
                "seconds": 0.25,
            }],
            "devices": [{
                "requested": "auto", "used": "cpu", "name": "cpu", "backend": "flex",
                "precision": "f32", "reason": "no GPU", "verified": null,
            }],
            "options": {
                "burncam": "0.1.0", "models": {}, "--resize": "nearest", "--exif": "ignore",
                "--exact": false, "--precision": "f32", "--seed": null, "--overlay": "clean", "--alpha": 0.5,
                "--colormap": "viridis", "--norm": "image", "--maps": false, "--no-report": false,
                "--top": null, "--shard": null,
            },
            "batch": 8,
            "batch_requested": "auto",
            "data": { "path": "faces", "images": 1, "shard": null, "folds": ["Fold0"] },
            "labels": { "requested": "auto", "rule": "dirs", "reason": "folders say so" },
            "warnings": [{ "text": "3 files are no images", "items": ["a.txt"] }],
            "counts": {
                "explained": 1, "failed": 0, "right": 1, "wrong": 0, "unknown": 0,
                "by_status": { "ok": 1 },
            },
            "seconds": 4.5,
            "platform": { "os": "linux", "arch": "x86_64", "cpus": 2 },
        })
    }

    #[test]
    fn the_record_has_these_fields_and_no_others() {
        let run: Run = serde_json::from_value(record()).expect("a record");
        let bytes = run_json(&run).expect("a record");
        assert!(bytes.starts_with(b"{\n  \"burncam\": \"0.1.0\",\n  \"commit\":"));
        assert!(bytes.ends_with(b"}\n"));
        let back: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
        assert_eq!(back, record());
    }

    #[test]
    fn counts_add_up() {
        let one = || {
            let by_status = [("ok".to_owned(), 2)].into();
            Counts { explained: 3, failed: 1, right: 2, wrong: 1, unknown: 0, by_status }
        };
        let mut sum = one();
        sum.add(&Counts { by_status: [("constant".to_owned(), 1)].into(), ..one() });
        let by_status = [("constant".to_owned(), 1), ("ok".to_owned(), 2)].into();
        let both = Counts { explained: 6, failed: 2, right: 4, wrong: 2, unknown: 0, by_status };
        assert_eq!(sum, both);
    }

    #[test]
    fn numbers_that_are_not_finite_are_null() {
        let mut run: Run = serde_json::from_value(record()).expect("a record");
        run.seconds = f64::NAN;
        run.models[0].seconds = f64::INFINITY;
        run.options.alpha = f32::NEG_INFINITY;
        let bytes = run_json(&run).expect("a record");
        let back: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
        assert!(back["seconds"].is_null());
        assert!(back["models"][0]["seconds"].is_null());
        assert!(back["options"]["--alpha"].is_null());
    }
}
