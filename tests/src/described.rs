//! Small networks of Keras that are run as their files describe them, and what Keras computes of a picture.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor};
use burncam_imaging::{Frame, own_resizing, to_tensor};
use burncam_models::ARCHS;
use burncam_net::InputSpec;
use burncam_weights::{Checkpoint, Resolved, Statement};
use tempfile::TempDir;
use zip::ZipArchive;

use crate::{array, folder};

/// One of the networks that `described.py` packed.
pub struct Described {
    /// Its name, with the Keras that wrote it.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// The layer that is explained.
    pub layer: String,
    /// A picture as the file's input takes it, `[channels, height, width]`.
    pub pixels: Vec<f32>,
    /// Of the picture.
    pub logits: Vec<f32>,
    /// The raw Grad-CAM map of the largest logit.
    pub map: Vec<f32>,
}

/// All of them, and the folder that holds their files.
///
/// # Panics
///
/// If the archive is not in place.
#[must_use]
pub fn described() -> (TempDir, Vec<Described>) {
    let place = tempfile::tempdir().expect("a temporary folder");
    let archive = File::open(folder().join("described.zip")).expect("the archive");
    ZipArchive::new(archive).expect("a zip").extract(place.path()).expect("room");
    let entries = fs::read_dir(place.path()).expect("a folder");
    let mut all: Vec<Described> =
        entries.map(|entry| Described::read(&entry.expect("an entry").path())).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    (place, all)
}

impl Described {
    fn read(folder: &Path) -> Self {
        let endings = ["h5", "keras"].map(|ending| folder.join("network").with_extension(ending));
        let numbers = |name: &str| array::<f32>(&folder.join(name)).remove(0);
        Self {
            name: folder.file_name().expect("a name").display().to_string(),
            path: endings.into_iter().find(|path| path.exists()).expect("a network"),
            layer: fs::read_to_string(folder.join("layer.txt")).expect("a layer"),
            pixels: numbers("images.npy"),
            logits: numbers("logits.npy"),
            map: numbers("map.npy"),
        }
    }

    /// A file of this network, resolved.
    ///
    /// # Panics
    ///
    /// If it is refused.
    #[must_use]
    pub fn open(&self, path: &Path) -> Resolved {
        let size = self.name.starts_with("open").then_some([40, 56]);
        let file = Checkpoint::open(path).expect("a checkpoint");
        let file = file.with_statement(Statement { size, ..Statement::default() });
        let resolved = file.resolve(&ARCHS, None);
        resolved.unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// The picture after what the file's own first layers do to it, `[1, channels, height, width]`.
    #[must_use]
    pub fn images(&self, input: &InputSpec, device: &Device) -> Tensor<4> {
        let channels = input.order.channels();
        let [height, width] =
            input.resizing.and_then(|own| own.from).unwrap_or([input.height, input.width]);
        let value = |at: usize, channel: usize| {
            self.pixels[channel.min(channels - 1) * height * width + at]
        };
        let places = (0..height * width).flat_map(|at| [0, 1, 2].map(|channel| (at, channel)));
        let rgb = places.map(|(at, channel)| value(at, channel)).collect();
        let frame = own_resizing(Frame { height, width, rgb }, input);
        to_tensor(&[&frame], input, device)
    }
}
