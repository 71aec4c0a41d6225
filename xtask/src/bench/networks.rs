//! The networks that are measured, and the bar for each.

use std::path::{Path, PathBuf};

use crate::root;

/// The Keras file of a network's folder.
pub(super) const KERAS: &str = "keras2.h5";
/// The ONNX file of a network's folder.
pub(super) const ONNX: &str = "tf2onnx.onnx";

/// More memory than the weights take that a run may have, in bytes.
pub(super) const MEMORY_BESIDE_WEIGHTS: f64 = 400e6;

/// What `explain` computes, at most so many times its floor.
pub(super) const TO_FLOOR: f64 = 1.3;

/// A network, and how fast it should be.
pub(super) struct Network {
    /// Its name on the command line.
    pub name: &'static str,
    /// Its name in output folders.
    pub title: &'static str,
    /// Its folder among the checkpoints.
    pub folder: &'static str,
    /// What `explain` computes, at most so many times ONNX Runtime's forward pass.
    pub to_onnx: f64,
    /// A whole run, at most so many times ONNX Runtime's forward pass.
    pub whole_to_onnx: Option<f64>,
    /// What `explain` computes, at most so many times Keras's forward pass and map in one graph.
    pub to_keras: f64,
    /// A whole run, at most the notebook's loop divided by this.
    pub notebook_by: f64,
    /// Seconds to the first overlay.
    pub cold: Option<f64>,
}

/// All of them, the largest first.
pub(super) const NETWORKS: [Network; 5] = [
    Network {
        name: "vgg16",
        title: "VGG16",
        folder: "VGG16-keras-vggface",
        to_onnx: 0.4,
        whole_to_onnx: None,
        to_keras: 0.7,
        notebook_by: 7.0,
        cold: Some(1.5),
    },
    Network {
        name: "resnet50",
        title: "ResNet50",
        folder: "ResNet50-keras-vggface",
        to_onnx: 0.75,
        whole_to_onnx: None,
        to_keras: 0.9,
        notebook_by: 10.0,
        cold: None,
    },
    Network {
        name: "senet50",
        title: "SENet50",
        folder: "SENet50-keras-vggface",
        to_onnx: 0.65,
        whole_to_onnx: None,
        to_keras: 0.9,
        notebook_by: 10.0,
        cold: None,
    },
    Network {
        name: "inception_v3",
        title: "IncepV3",
        folder: "IncepV3-keras-applications",
        to_onnx: 0.75,
        whole_to_onnx: None,
        to_keras: 0.9,
        notebook_by: 8.0,
        cold: None,
    },
    Network {
        name: "ncnn",
        title: "NCNN",
        folder: "NCNN-keras",
        to_onnx: 0.8,
        whole_to_onnx: Some(1.3),
        to_keras: 0.8,
        notebook_by: 15.0,
        cold: Some(0.3),
    },
];

impl Network {
    /// Its weights: among the checkpoints, or the demo's.
    pub(super) fn weights(&self, checkpoints: Option<&Path>) -> Option<PathBuf> {
        let given = checkpoints.map(|folder| folder.join(self.folder).join(KERAS));
        let demo = (self.name == "ncnn").then(|| root().join("assets/demo/NCNN.h5"));
        given.into_iter().chain(demo).find(|path| path.is_file())
    }
}
