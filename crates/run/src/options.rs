//! What a run is asked for.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Result;
use burncam_attribution::{Fuse, Peer, Score, Smoothing};
use burncam_evaluation::Resampling;
use burncam_imaging::{Exif, Resize};
use burncam_page::Language;
use burncam_render::Colormap;
use burncam_trust::Protocol;
use burncam_weights::{Checkpoint, Resolved, Statement, Wanted};

pub use crate::explain::Shard;

use crate::device::{Precision, Request};
use crate::labels::{Asked, LabelColumns};
use crate::networks;
use crate::page::Subject;
use crate::preprocess::Preprocess;

/// What a run is asked for. Fields are called as the options of the command line.
#[derive(Clone, Debug)]
pub struct ExplainOptions {
    /// Checkpoints, folders of them, or paths with `{fold}`.
    pub weights: Vec<PathBuf>,
    /// The folder of images, or one image.
    pub data: PathBuf,
    /// The folder to write to.
    pub out: PathBuf,
    /// Whether weights and images are the demo's.
    pub demo: bool,
    /// The network, where the file does not tell it.
    pub network: NetworkChoice,
    /// Names of the classes, or a file of them.
    pub classes: Option<String>,
    /// How images get their true class.
    pub labels: Asked,
    /// Columns of the label file.
    pub label_columns: Option<LabelColumns>,
    /// Whether symbolic links inside the data folder are followed.
    pub follow_links: bool,
    /// The part of the images that is explained, if it is not all.
    pub shard: Option<Shard>,
    /// Whether results of an earlier run are replaced.
    pub overwrite: bool,
    /// Whether an earlier run goes on.
    pub resume: bool,
    /// Whether results of images that are gone may be removed then.
    pub forget_missing: bool,
    /// How many of the likeliest classes `predictions.csv` has; without, it has all.
    pub top: Option<u16>,
    /// How pictures are made.
    pub pictures: PictureOptions,
    /// Whether there is no page.
    pub no_report: bool,
    /// What the page is asked for.
    pub page: PageOptions,
    /// Weight of the map in the overlay.
    pub alpha: f32,
    /// The methods of explanation, by name, each with its options behind a colon, `rise:masks=100,p=0.4`: a list that
    /// was split at its commas.
    pub method: Vec<String>,
    /// The library that the methods follow.
    pub peer: Option<Peer>,
    /// How the maps of several layers become one.
    pub fuse: Option<Fuse>,
    /// How maps are smoothed.
    pub smoothing: Smoothing,
    /// What of the class is explained; without, what each method explains by default.
    pub score: Option<Score>,
    /// The measures of maps, by name, or `all`; none by default.
    pub measure: Vec<String>,
    /// How they are computed.
    pub protocol: Protocol,
    /// The folder of masks.
    pub masks: Option<PathBuf>,
    /// The number from which on a mask's pixel is inside; needed where masks have more than two.
    pub mask_level: Option<u8>,
    /// The table of landmarks or the folder of label maps.
    pub regions: Option<PathBuf>,
    /// Whether deletion and insertion are computed with every baseline.
    pub sweep: bool,
    /// The layers to explain, each for all networks or as `NETWORK=LAYER`.
    pub layer: Vec<String>,
    /// The class to explain instead of the predicted one, by name or index, or the difference of two: `Pain-No_pain`.
    pub class: Option<String>,
    /// How images are brought to the network's size.
    pub resize: Resize,
    /// How pixels become the network's input, where the file was not trained as its variant is.
    pub preprocess: Option<Preprocess>,
    /// What becomes of EXIF orientation.
    pub exif: Exif,
    /// Where to compute.
    pub device: Request,
    /// Whether a GPU is used without comparing it with the CPU.
    pub no_verify: bool,
    /// Images computed at a time.
    pub batch: Option<u16>,
    /// What a GPU computes in.
    pub precision: Precision,
    /// Whether the first image that fails ends the run.
    pub strict: bool,
    /// Whether the CPU convolves by plain sums.
    pub exact: bool,
    /// The command line, for the record.
    pub arguments: Vec<String>,
    /// The options of command line and file, for the record.
    pub recorded: serde_json::Map<String, serde_json::Value>,
    /// SHA-256 of the weights of the run that is done again; empty where none is.
    pub recorded_weights: Vec<String>,
    /// Where those are recorded.
    pub recorded_in: Option<PathBuf>,
}

/// What of finished runs is made into one page.
#[derive(Clone, Debug)]
pub struct JoinOptions {
    /// The folders of the runs.
    pub runs: Vec<PathBuf>,
    /// The folder to write to; without, the run's own, or one for several.
    pub out: Option<PathBuf>,
    /// Whether a page that is there is replaced.
    pub overwrite: bool,
    /// What the page is asked for.
    pub page: PageOptions,
}

/// The network of a checkpoint, where the file alone does not tell it.
#[derive(Clone, Debug, Default)]
pub struct NetworkChoice {
    /// The architecture, or with its variant, `vgg16:keras-applications`.
    pub model: Option<String>,
    /// The ONNX file that has the network, where the checkpoint is a state_dict.
    pub like: Option<PathBuf>,
    /// What else the file leaves open.
    pub stated: Statement,
}

/// Height and width of images: `224`, `150x200`.
///
/// # Errors
///
/// If it is neither one positive number nor two.
pub fn input_size(text: &str) -> Result<[usize; 2], String> {
    let sides =
        text.split('x').map(|side| side.trim().parse().ok().filter(|side: &usize| *side > 0));
    match sides.collect::<Option<Vec<usize>>>().as_deref() {
        Some(&[side]) => Ok([side; 2]),
        Some(&[height, width]) => Ok([height, width]),
        _ => Err(format!("`{text}` is no size such as 224 or 150x200")),
    }
}

impl NetworkChoice {
    /// The network that is named.
    ///
    /// # Errors
    ///
    /// If there is no such network.
    pub fn wanted(&self) -> Result<Option<Wanted>> {
        networks::wanted(self.model.as_deref())
    }

    /// Opens a checkpoint.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn read(&self, path: &Path) -> Result<Checkpoint> {
        Ok(match &self.like {
            Some(graph) => Checkpoint::open_like(path, graph)?,
            None => Checkpoint::open(path)?,
        })
    }

    /// Opens a checkpoint and finds its network.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is of no known network.
    pub fn open(&self, path: &Path) -> Result<Resolved> {
        self.resolve(self.read(path)?)
    }

    /// Finds the network of a checkpoint.
    ///
    /// # Errors
    ///
    /// If it is of no known network.
    pub fn resolve(&self, checkpoint: Checkpoint) -> Result<Resolved> {
        let checkpoint = checkpoint.with_statement(self.stated.clone());
        Ok(checkpoint.resolve(&networks::known(), self.wanted()?)?)
    }
}

/// What the page is asked for.
#[derive(Clone, Debug, Default)]
pub struct PageOptions {
    /// The page's title.
    pub title: Option<String>,
    /// The class that the measures are about.
    pub positive: Option<String>,
    /// Whom each image shows.
    pub subject: Option<Subject>,
    /// The page's language.
    pub lang: Language,
    /// Where random draws begin.
    pub seed: Option<u64>,
    /// Whether there is also a page that holds its pictures, and of how many images.
    pub standalone: Option<usize>,
}

impl PageOptions {
    /// How random draws are made.
    #[must_use]
    pub fn resampling(&self) -> Resampling {
        let default = Resampling::default();
        Resampling { seed: self.seed.unwrap_or(default.seed), ..default }
    }
}

/// How pictures are made.
#[derive(Clone, Copy, Debug, Default)]
pub struct PictureOptions {
    /// How overlays are drawn.
    pub overlay: Overlay,
    /// The colours of clean overlays.
    pub colormap: Option<Colormap>,
    /// What the top of the scale of clean overlays is.
    pub norm: Option<Norm>,
    /// The format in which raw maps are written, if they are.
    pub maps: Option<MapFormat>,
}

/// An option with a few values: `ALL` of them, each with its `name`, which `FromStr` reads.
macro_rules! named_values {
    ($type:ident: $($value:ident = $name:literal),+) => {
        impl $type {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$value),+];

            /// The value as it is asked for.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$value => $name),+
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let known = Self::ALL.iter().copied().find(|value| value.name() == text);
                known.ok_or_else(|| format!("there is no `{text}`"))
            }
        }
    };
}

/// How overlays are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlay {
    /// As the notebook does.
    #[default]
    Notebook,
    /// To be read.
    Clean,
}

named_values!(Overlay: Notebook = "notebook", Clean = "clean");

/// What the top of the scale is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norm {
    /// The largest value of the map.
    Image,
    /// That of all maps of the fold.
    Fold,
    /// That of all maps of the model.
    Run,
    /// The value 1.
    None,
}

named_values!(Norm: Image = "image", Fold = "fold", Run = "run", None = "none");

/// The format of raw maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapFormat {
    /// NumPy's.
    Npy,
}

named_values!(MapFormat: Npy = "npy");
