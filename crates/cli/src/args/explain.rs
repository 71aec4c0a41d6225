//! What `explain` takes.

use std::path::PathBuf;

use burncam_attribution::{Fuse, METHODS, Score};
use burncam_imaging::{Exif, Resize};
use burncam_run::device::{Precision, Request};
use burncam_run::labels::{Asked, LabelColumns};
use burncam_run::{Preprocess, Shard};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum, ValueHint};

use super::examples::EXAMPLES;
use super::pictures::PictureArgs;
use super::{MeasureArgs, NetworkArgs, PageArgs, named, not_negative, precision};
use crate::settings::SettingsOptions;

/// Classify every image of a folder and show which regions decided.
///
/// Reads a checkpoint and a folder of folds, and writes for each image overlays of its maps, a CSV
/// report as the notebook's, predictions.csv, maps.csv and run.json, and a page of it all,
/// index.html. Without --weights and --data it explains the demo: drawn faces and a small network,
/// into burncam-demo/.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Explain {
    /// File of Keras, PyTorch or ONNX, or a folder of them [default: the demo's].
    ///
    /// A Keras file, a full model or weights only (.h5, .keras, .weights.h5); a PyTorch state_dict
    /// (.pt, .pth, .safetensors); an ONNX file (.onnx); or a file that `convert` wrote; or a folder
    /// of such files, of which those with the same weights count once. Several, or the option repeated, are
    /// several models, each with its own results. `{fold}` in the path stands for the name of each fold: its
    /// images are explained with its own file.
    #[arg(long, value_name = "PATH", num_args = 1.., value_hint = ValueHint::FilePath, help_heading = "Input")]
    pub weights: Vec<PathBuf>,

    /// Folder of images, or one image [default: the demo's].
    ///
    /// A folder's subfolders are the cross-validation folds; without subfolders it is one fold.
    #[arg(long, value_name = "DIR|FILE", value_hint = ValueHint::FilePath, help_heading = "Input")]
    pub data: Option<PathBuf>,

    /// The network, where the file does not tell it.
    #[command(flatten)]
    pub network: NetworkArgs,

    /// Names of the classes, in the order of the network's outputs.
    ///
    /// Separated by commas; or a file: one name a line, a JSON list, or ImageNet's index,
    /// `{"0": ["n01440764", "tench"], …}` [default: what the file says; else the notebook's for two outputs,
    /// and numbers for others].
    #[arg(long, value_name = "A,B|FILE", value_hint = ValueHint::AnyPath, help_heading = "Input")]
    pub classes: Option<String>,

    /// True classes: auto, dirs, notebook, tokens:…, a CSV file, none.
    ///
    /// How images get their true class: `dirs` (class folders inside the fold, or in --data),
    /// `notebook` (`sem` or `rest` in the name is No_pain, all else Pain),
    /// `tokens:CLASS=word,word;CLASS=word` (whole words of the name, in any case; the first class that
    /// fits), a CSV file of images and classes, or `none`. `auto` is `dirs` where folders are named after
    /// the classes, else `notebook` where it gives both classes, else none.
    #[arg(long, value_name = "RULE", default_value = "auto", value_hint = ValueHint::AnyPath, help_heading = "Input")]
    pub labels: Asked,

    /// Columns of the label file, where it is not clear which they are: by their headings, or by
    /// their numbers from 1, as `image=filename,class=diagnosis`.
    #[arg(long, value_name = "image=A,class=B", help_heading = "Input")]
    pub label_columns: Option<LabelColumns>,

    /// Follow symbolic links inside --data; without, they are passed over.
    #[arg(long, help_heading = "Input")]
    pub follow_links: bool,

    /// Explain every Nth image only, from the Kth on: part K of N, such as 2/8. Give each part an --out of
    /// its own; `report` joins them.
    #[arg(long, value_name = "K/N", help_heading = "Input")]
    pub shard: Option<Shard>,

    /// Folder to write to [default: burncam-out].
    ///
    /// That of the demo is burncam-demo.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Output")]
    pub out: Option<PathBuf>,

    /// Replace the results of an earlier run in --out.
    #[arg(long, help_heading = "Output", conflicts_with = "resume")]
    pub overwrite: bool,

    /// Go on with the run in --out where it stopped.
    ///
    /// Begins one if there is none. What it finished is kept if its weights, its image and the files that were
    /// written are still the same; other images, and those that failed, are done again.
    #[arg(long, help_heading = "Output")]
    pub resume: bool,

    /// With --resume: remove the results of images that are not in --data any more. Without, a run
    /// that finds such does not go on.
    #[arg(long, help_heading = "Output", requires = "resume")]
    pub forget_missing: bool,

    /// In predictions.csv, give the N likeliest classes instead of a column for each class.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000), help_heading = "Output")]
    pub top: Option<u16>,

    /// How pictures are made.
    #[command(flatten)]
    pub pictures: PictureArgs,

    /// Do without the page (index.html, report.json and its small pictures).
    #[arg(long, help_heading = "Report")]
    pub no_report: bool,

    /// What the page is asked for.
    #[command(flatten)]
    pub page: PageArgs,

    /// Where options come from.
    #[command(flatten)]
    pub settings: SettingsOptions,

    /// Weight of the coloured map over the image.
    #[arg(long, value_name = "A", default_value_t = 0.4, value_parser = alpha, allow_negative_numbers = true, help_heading = "Output")]
    pub alpha: f32,

    /// The methods of explanation.
    ///
    /// Several, with commas between, are computed in one pass where they can be; each has a map of every image.
    /// Options of a method stand behind a colon: rise:masks=1000,p=0.4. `methods` lists methods and options.
    #[arg(
        long,
        value_name = "NAME[:OPTION=VALUE,...],...",
        value_delimiter = ',',
        default_values = [METHODS[0].name],
        help_heading = "Explanation"
    )]
    pub method: Vec<String>,

    /// What of the class is explained: its logit, before softmax or sigmoid, or its probability [default: the logit;
    /// for methods that mask images, as Score-CAM and RISE, the probability, as in their papers].
    #[arg(long, value_name = "SCORE", value_parser = score(), hide_possible_values = true, help_heading = "Explanation")]
    pub score: Option<Score>,

    /// Make one map of all layers of --layer, each rectified and scaled to 1: their mean, or at each place the
    /// largest (max).
    #[arg(long, value_name = "HOW", value_parser = fuse(), hide_possible_values = true, help_heading = "Explanation")]
    pub fuse: Option<Fuse>,

    /// Smooth maps: by flips, the mean map of the image, its mirror image, and both darker and brighter, in six
    /// passes; by the principal component of a layer's weighted channels instead of their sum (principal).
    #[arg(
        long,
        value_name = "HOW,...",
        value_delimiter = ',',
        hide_possible_values = true,
        help_heading = "Explanation"
    )]
    pub smooth: Vec<Smooth>,

    /// How maps are measured.
    #[command(flatten)]
    pub measures: MeasureArgs,

    /// The layers to explain [default: the architecture's].
    ///
    /// As the network or the file calls them; `layers` lists them. Of several, with commas between, each has a map
    /// of its own. NETWORK=LAYER is for one of several networks, by its name or its architecture's.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', help_heading = "Explanation")]
    pub layer: Vec<String>,

    /// Explain this class, by name or index from 0, instead of each image's predicted class; or what one class has
    /// more than another: Pain-No_pain.
    #[arg(
        long,
        value_name = "NAME|INDEX|A-B",
        allow_negative_numbers = true,
        help_heading = "Explanation"
    )]
    pub class: Option<String>,

    /// How images are brought to the network's size: `nearest` as the notebook does (Pillow's
    /// rule), or `bilinear` as in training (TensorFlow's rule).
    #[arg(long, value_name = "RULE", default_value = "nearest", value_parser = resize(), help_heading = "Explanation")]
    pub resize: Resize,

    /// How pixels become the network's input, where the file was not trained as its variant is
    /// [default: the variant's]: torchvision, inception, caffe, vggface, vggface2, unit (x / 255),
    /// raw; or numbers, in the network's channel order, of (x / divide - mean) / std:
    /// 'order=bgr;divide=255;mean=0.4,0.4,0.5;std=1'.
    #[arg(long, value_name = "NAME|NUMBERS", help_heading = "Explanation")]
    pub preprocess: Option<Preprocess>,

    /// What becomes of a photograph's EXIF orientation: `ignore` as the notebook does, or `apply`.
    #[arg(long, value_name = "RULE", default_value = "ignore", value_parser = exif(), help_heading = "Explanation")]
    pub exif: Exif,

    /// Where to compute: auto, cpu, gpu, gpu:1, gpu:all.
    ///
    /// `auto` is a hardware GPU if there is one, else the CPU; `gpu:1` is counted from 0; part of an adapter's
    /// name will do, too, and `devices` lists them. `gpu:all`, or names with commas between, share the images.
    #[arg(long, value_name = "DEVICE", default_value_t, help_heading = "Computation")]
    pub device: Request,

    /// Use a GPU without comparing it with the CPU. Otherwise that is done once for each adapter,
    /// driver and kind of network, and a GPU that gives other results is not used.
    #[arg(long, help_heading = "Computation")]
    pub no_verify: bool,

    /// Images computed at a time [default: 8 on the CPU; on a GPU what its memory holds of the
    /// network, at most 32].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "Computation")]
    pub batch: Option<u16>,

    /// What a GPU computes in: f32, or f16, which takes half the memory and changes the results by
    /// some percent; not every GPU has it, and the CPU has not.
    #[arg(
        long,
        value_name = "TYPE",
        default_value_t,
        value_parser = precision(),
        hide_possible_values = true,
        help_heading = "Computation"
    )]
    pub precision: Precision,

    /// Stop at the first image that fails.
    #[arg(long, help_heading = "Computation")]
    pub strict: bool,

    /// On the CPU, convolve by plain sums. Otherwise convolutions of some sizes, such as 3×3, take
    /// fewer multiplications (Winograd's method), which is up to three times faster;
    /// `docs/performance.md` has the errors of both.
    #[arg(long, help_heading = "Computation")]
    pub exact: bool,
}

/// Measure whether the maps of methods may be believed.
///
/// Does what `explain` does, with its options, and computes every measure of every map, and of the controls that a map
/// has to beat: a random map, a centred Gaussian, edges, and the same method on a network that has learned nothing.
/// Writes measures.csv, a row for each image, map and measure, and measures.json, whether each method is better than
/// its controls. Without --weights and --data it evaluates the demo, into burncam-demo/.
#[derive(Args, Debug)]
pub(crate) struct Evaluate {
    /// The run.
    #[command(flatten)]
    pub explain: Explain,
}

/// How maps are smoothed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Smooth {
    /// By changed copies of the image.
    Flips,
    /// By the principal component of channels.
    Principal,
}

fn score() -> impl TypedValueParser<Value = Score> {
    named(Score::ALL.map(|score| (score.name(), "")))
}

fn fuse() -> impl TypedValueParser<Value = Fuse> {
    named(Fuse::ALL.map(|fuse| (fuse.name(), "")))
}

fn resize() -> impl TypedValueParser<Value = Resize> {
    PossibleValuesParser::new(Resize::ALL.map(Resize::name)).try_map(|name| name.parse::<Resize>())
}

fn exif() -> impl TypedValueParser<Value = Exif> {
    PossibleValuesParser::new([Exif::Ignore, Exif::Apply].map(Exif::name))
        .map(|name| if name == Exif::Apply.name() { Exif::Apply } else { Exif::Ignore })
}

fn alpha(text: &str) -> Result<f32, String> {
    not_negative(text, "0.4")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alpha_is_a_finite_number() {
        assert_eq!(alpha("0.25"), Ok(0.25));
        for bad in ["-0.1", "nan", "inf", "much"] {
            assert!(alpha(bad).is_err(), "{bad}");
        }
    }
}
