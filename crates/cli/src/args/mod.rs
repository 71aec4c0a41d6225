//! The command line.

mod examples;

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};

use burncam_imaging::{Exif, Resize};

use crate::device::{Precision, Request};
use crate::explain::{PictureOptions, Shard};
use crate::labels::Rule;
use crate::page::PageOptions;
use crate::preprocess::Preprocess;
use examples::{
    COMPARE_EXAMPLES, CONVERT_EXAMPLES, EXAMPLES, INSPECT_EXAMPLES, LAYERS_EXAMPLES,
    MODELS_EXAMPLES, REPORT_EXAMPLES, VERIFY_EXAMPLES,
};

/// Explains what convolutional networks look at.
#[derive(Debug, Parser)]
#[command(name = "burncam", version, about, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Explain(Box<Explain>),
    Models(Models),
    Inspect(Inspect),
    Layers(Layers),
    Convert(Convert),
    Compare(Compare),
    Devices(Devices),
    Verify(Verify),
    #[command(hide = true)]
    Bench(Bench),
    Report(Report),
}

/// Classify every image of a folder and show which regions decided.
///
/// Reads a checkpoint and a folder of folds, and writes for each image an overlay of its
/// Grad-CAM map, a CSV report as the notebook's, predictions.csv and run.json, and a page of it all,
/// index.html. Without --weights and --data it explains the demo: drawn faces and a small network,
/// into burncam-demo/.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Explain {
    /// Keras file, a full model or weights only (.h5, .keras, .weights.h5); a PyTorch state_dict
    /// (.pt, .pth, .safetensors); an ONNX file (.onnx); or a file that `convert` wrote; or a folder
    /// of such files. Several, or the option repeated, are several models, each with its own results. `{fold}` in
    /// the path stands for the name of each fold: its images are explained with its own file
    /// [default: the demo's].
    #[arg(long, value_name = "PATH", num_args = 1.., help_heading = "Input")]
    pub weights: Vec<PathBuf>,

    /// Folder of images; its subfolders are the folds, and without subfolders it is one fold
    /// [default: the demo's].
    #[arg(long, value_name = "DIR", help_heading = "Input")]
    pub data: Option<PathBuf>,

    /// The architecture, where the file should not be left to tell: vgg16, resnet50, senet50,
    /// inception_v3, ncnn; or with its variant, vgg16:keras-applications.
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    pub model: Option<String>,

    /// Names of the classes in the network's order, separated by commas; or a file: one name a line,
    /// a JSON list, or ImageNet's index, `{"0": ["n01440764", "tench"], …}` [default: the
    /// architecture's].
    #[arg(long, value_name = "A,B|FILE", help_heading = "Input")]
    pub classes: Option<String>,

    /// How images get their true class: `notebook` (`sem` or `rest` in the name is No_pain, all
    /// else Pain), `tokens:CLASS=word,word;CLASS=word` (whole words of the name, in any case; the
    /// first class that fits), `dirs` (class folders inside the fold), or a CSV file of path or
    /// image name, and class [default: notebook, where the classes are Pain and No_pain].
    #[arg(long, value_name = "RULE", help_heading = "Input")]
    pub labels: Option<Rule>,

    /// Follow symbolic links inside --data; without, they are passed over.
    #[arg(long, help_heading = "Input")]
    pub follow_links: bool,

    /// Explain every Nth image only, from the Kth on: part K of N, such as 2/8. Give each part an --out of
    /// its own; `report` joins them.
    #[arg(long, value_name = "K/N", help_heading = "Input")]
    pub shard: Option<Shard>,

    /// Folder to write to [default: burncam-out, for the demo burncam-demo].
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,

    /// Replace the results of an earlier run in --out.
    #[arg(long, help_heading = "Output", conflicts_with = "resume")]
    pub overwrite: bool,

    /// Go on with the run in --out where it stopped; begin one if there is none. What it finished is
    /// kept if its weights, its image and the files that were written are still the same; other images,
    /// and those that failed, are done again.
    #[arg(long, help_heading = "Output")]
    pub resume: bool,

    /// In predictions.csv, give the N likeliest classes instead of a column for each class.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000), help_heading = "Output")]
    pub top: Option<u16>,

    /// How pictures are made.
    #[command(flatten)]
    pub pictures: PictureOptions,

    /// Do without the page (index.html, report.json and its small pictures).
    #[arg(long, help_heading = "Report")]
    pub no_report: bool,

    /// What the page is asked for.
    #[command(flatten)]
    pub page: PageOptions,

    /// Weight of the coloured map over the image.
    #[arg(long, value_name = "A", default_value_t = 0.4, value_parser = alpha, allow_negative_numbers = true, help_heading = "Output")]
    pub alpha: f32,

    /// The layer to explain, as the network or the file calls it [default: the architecture's].
    #[arg(long, value_name = "NAME", help_heading = "Explanation")]
    pub layer: Option<String>,

    /// Explain this class, by name or index from 0, instead of each image's predicted class.
    #[arg(
        long,
        value_name = "NAME|INDEX",
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

    /// Where to compute: `auto` (a hardware GPU if there is one, else the CPU), `cpu`, `gpu`,
    /// `gpu:1` (counted from 0), or part of an adapter's name; `devices` lists them. `gpu:all`, or
    /// names with commas between, share the images.
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
        value_enum,
        default_value_t,
        hide_possible_values = true,
        help_heading = "Computation"
    )]
    pub precision: Precision,

    /// Stop at the first image that fails.
    #[arg(long, help_heading = "Computation")]
    pub strict: bool,

    /// On the CPU, convolve by plain sums. Otherwise 3×3 convolutions take fewer multiplications
    /// (Winograd's method), which is up to three times faster; `docs/performance.md` has the errors
    /// of both.
    #[arg(long, help_heading = "Computation")]
    pub exact: bool,
}

/// List the networks that are supported.
///
/// A network goes by one name and has a variant for each family of weights, which differ in layer
/// names, preprocessing or both. A checkpoint's variant is found from its layers. The head after
/// them is the checkpoint's own.
#[derive(Args, Debug)]
#[command(after_help = MODELS_EXAMPLES)]
pub(crate) struct Models {
    /// Print JSON instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// Say what a checkpoint file holds, and whether it is supported.
///
/// Prints the network that the file belongs to, its head, classes, input and preprocessing, each
/// layer with its shape and number of parameters, and what of the file is not used. Of a file that
/// is not supported it prints the layers and weights that it has, and where they first differ from
/// the closest network. Of the weights only the shapes are read, and the few numbers of a Normalization, so it
/// is quick with large files.
#[derive(Args, Debug)]
#[command(after_help = INSPECT_EXAMPLES)]
pub(crate) struct Inspect {
    /// Keras file (.h5, .keras, .weights.h5), PyTorch state_dict (.pt, .pth, .safetensors), ONNX file
    /// (.onnx), or what `convert` wrote.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Compare the file with this architecture only: vgg16, resnet50, senet50, inception_v3, ncnn.
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,

    /// Print JSON instead of text.
    #[arg(long)]
    pub json: bool,
}

/// List the layers of a checkpoint that `explain --layer` takes.
///
/// An early layer has a fine map of simple patterns, a late one a coarse map of what decides the
/// class. The one that is explained unless another is asked for is marked. A layer has the
/// network's name and, where Keras numbered it otherwise, the file's: `--layer` takes both, and
/// where a name is both, the file's counts, unless the file has no layer names of its own.
#[derive(Args, Debug)]
#[command(after_help = LAYERS_EXAMPLES)]
pub(crate) struct Layers {
    /// Keras file (.h5, .keras, .weights.h5), PyTorch state_dict (.pt, .pth, .safetensors), ONNX file
    /// (.onnx), or what `convert` wrote.
    #[arg(long, value_name = "FILE")]
    pub weights: PathBuf,

    /// The architecture, where the file should not be left to tell: vgg16, resnet50, senet50,
    /// inception_v3, ncnn; or with its variant, vgg16:keras-applications.
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,

    /// Print JSON instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// Write a checkpoint in Burn's own format, or as safetensors.
///
/// Reads a Keras or PyTorch checkpoint and writes the network that Burncam makes of it: each weight under the
/// network's own layer names in Keras's layout, and in the file's metadata the architecture, the
/// head with all its settings, and the preprocessing. The new file alone can be given to
/// --weights and gives the same numbers to the last bit: it is read back and compared before it
/// appears under its name.
#[derive(Args, Debug)]
#[command(after_help = CONVERT_EXAMPLES)]
pub(crate) struct Convert {
    /// The checkpoint to read: a Keras file, a PyTorch state_dict, or an earlier .bpk or
    /// .safetensors.
    #[arg(long, value_name = "FILE")]
    pub weights: PathBuf,

    /// The file to write; its ending says how: .bpk or .safetensors.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,

    /// The architecture, where the file should not be left to tell: vgg16, resnet50, senet50,
    /// inception_v3, ncnn; or with its variant, vgg16:keras-applications.
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,

    /// Replace --out if it is there already.
    #[arg(long)]
    pub overwrite: bool,
}

/// Compare each layer with what Keras or PyTorch computed for the same input.
///
/// Reads the arrays that tests/reference/dump_activations.py wrote for a Keras model and an image,
/// or dump_torch.py for a PyTorch network, runs the network on the same input, and prints for each
/// layer the largest difference, and the first layer where it is too large. This is the check of a
/// port: of a network in Burncam, of a converted file, or of a device. Of a folder that tests/reference/make_checkpoints.py wrote it
/// compares every file with the reference.npz beside it.
#[derive(Args, Debug)]
#[command(after_help = COMPARE_EXAMPLES)]
pub(crate) struct Compare {
    /// The checkpoint to check, a file that `explain --weights` takes; or a folder with folders of
    /// checkpoints, each with a reference.npz.
    #[arg(long, value_name = "FILE|DIR")]
    pub weights: PathBuf,

    /// The arrays of the other framework, an .npz file; not with a folder.
    #[arg(long, value_name = "FILE")]
    pub reference: Option<PathBuf>,

    /// Print a folder's results as a Markdown table.
    #[arg(long, conflicts_with = "reference")]
    pub markdown: bool,

    /// How far a layer may be from the reference, as a share of the reference layer's largest
    /// absolute value.
    #[arg(long, value_name = "T", default_value_t = 1e-4, value_parser = tolerance, allow_negative_numbers = true)]
    pub tolerance: f32,

    /// The architecture, where the file should not be left to tell: vgg16, resnet50, senet50,
    /// inception_v3, ncnn; or with its variant, vgg16:keras-applications.
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,

    /// Where to compute: `auto` (a hardware GPU if there is one, else the CPU), `cpu`, `gpu`,
    /// `gpu:1` (counted from 0), or part of an adapter's name; `devices` lists them.
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    pub device: Request,
}

/// List what there is to compute on.
///
/// Prints every graphics adapter that Vulkan, Metal or DX12 knows, and which one `--device auto`
/// takes and why. A software rasteriser (kind `software`) is a program on the CPU that behaves as a
/// GPU: it is slower than the CPU itself, and taken only when it is named.
#[derive(Args, Debug)]
pub(crate) struct Devices {
    /// Print JSON instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// Check that a device computes what the CPU computes.
///
/// Some graphics drivers are silently wrong. This runs each supported network, with weights that
/// need no file, or the networks of your own files, on the device and on the CPU: forward, and back
/// from the class to the map's layer. It prints how far logits, gradient and Grad-CAM map are from
/// the CPU's, and the first layer that is too far.
#[derive(Args, Debug)]
#[command(after_help = VERIFY_EXAMPLES)]
pub(crate) struct Verify {
    /// The device to check: `auto`, `gpu`, `gpu:1` (counted from 0), or part of an adapter's name;
    /// `devices` lists them.
    #[arg(long, value_name = "DEVICE", default_value_t)]
    pub device: Request,

    /// Check with this network only: vgg16, resnet50, senet50, inception_v3, ncnn; or with its
    /// variant, vgg16:keras-applications.
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,

    /// Check with the networks of these checkpoints instead.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub weights: Vec<PathBuf>,

    /// Check it in f32, or in f16, which has its own tolerances; the CPU computes in f32.
    #[arg(long, value_name = "TYPE", value_enum, default_value_t, hide_possible_values = true)]
    pub precision: Precision,
}

/// Measure what `explain` computes: the part of `cargo xtask bench` that needs Burn.
///
/// Answers each line of its input with one line: a batch size with the time that an image takes in
/// such batches, `peak` with the multiplications and additions that a core can do.
#[derive(Args, Debug)]
pub(crate) struct Bench {
    /// The network, with weights that need no file.
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,

    /// The network of this checkpoint instead.
    #[arg(long, value_name = "FILE", conflicts_with = "model")]
    pub weights: Option<PathBuf>,

    /// Folder of images [default: the demo's].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// Make the page of a finished run again, or one page of several runs.
///
/// Reads the report.json that `explain` left in each output folder and writes index.html and
/// report.json: for one folder in it, with other options; for several into --out. Runs of one model
/// on different images, as of folds that were computed apart, become one model; different models on
/// the same images stand side by side. Pictures stay in the runs' folders, and the page finds them
/// there.
#[derive(Args, Debug)]
#[command(after_help = REPORT_EXAMPLES)]
pub(crate) struct Report {
    /// Output folders of `explain`.
    #[arg(value_name = "OUT", required = true)]
    pub runs: Vec<PathBuf>,

    /// Folder to write to [default: the run's; for several, burncam-report].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// Replace an earlier report in --out.
    #[arg(long)]
    pub overwrite: bool,

    /// What the page is asked for.
    #[command(flatten)]
    pub page: PageOptions,
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

fn tolerance(text: &str) -> Result<f32, String> {
    not_negative(text, "1e-4")
}

fn not_negative(text: &str, example: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok(value),
        _ => Err(format!("a number of 0 or more is needed, such as {example}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn alpha_is_a_finite_number() {
        assert_eq!(alpha("0.25"), Ok(0.25));
        for bad in ["-0.1", "nan", "inf", "much"] {
            assert!(alpha(bad).is_err(), "{bad}");
        }
    }
}
