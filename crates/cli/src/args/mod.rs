//! The command line.

mod examples;
mod explain;
mod figure;
mod help;
mod measures;
mod network;
mod page;
mod pictures;
mod values;

use std::path::{Path, PathBuf};

use clap::builder::TypedValueParser;
use clap::{Args, Parser, Subcommand, ValueHint};
use clap_complete::Shell;

use burncam_attribution::METHODS;
use burncam_run::device::{Precision, Request};
use examples::{
    COMPARE_EXAMPLES, COMPLETIONS_EXAMPLES, CONVERT_EXAMPLES, INSPECT_EXAMPLES, LAYERS_EXAMPLES,
    MAN_EXAMPLES, MODELS_EXAMPLES, REPORT_EXAMPLES, VERIFY_EXAMPLES,
};
pub(crate) use explain::{Evaluate, Explain, Smooth};
pub(crate) use figure::Figure;
pub(crate) use help::{command, with_adapters};
pub(crate) use measures::MeasureArgs;
pub(crate) use network::NetworkArgs;
pub(crate) use page::PageArgs;
use values::named;

/// Explains what convolutional networks look at.
#[derive(Debug, Parser)]
#[command(name = "burncam", about, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Explain(Box<Explain>),
    Evaluate(Box<Evaluate>),
    Models(Models),
    Methods(Methods),
    Measures(Measures),
    Inspect(Inspect),
    Layers(Layers),
    Convert(Convert),
    Compare(Compare),
    Devices(Devices),
    Verify(Verify),
    Report(Report),
    Figure(Box<Figure>),
    Completions(Completions),
    Man(Man),
}

/// The checkpoint of a command that takes one: the first argument, or --weights.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct CheckpointFile {
    /// Keras file (.h5, .keras, .weights.h5), PyTorch state_dict (.pt, .pth, .safetensors), ONNX file
    /// (.onnx), or what `convert` wrote.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,

    /// The same as FILE.
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
}

/// The checkpoint or folder of checkpoints that `compare` takes: the first argument, or --weights.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct CheckpointFiles {
    /// The checkpoint to check, or a folder of them.
    ///
    /// A file that `explain --weights` takes; or a folder with folders of checkpoints, each with a reference.npz.
    #[arg(value_name = "FILE|DIR")]
    file: Option<PathBuf>,

    /// The same as FILE|DIR.
    #[arg(long, value_name = "FILE|DIR")]
    weights: Option<PathBuf>,
}

impl CheckpointFile {
    /// The file's path.
    pub(crate) fn path(&self) -> &Path {
        self.file.as_deref().or(self.weights.as_deref()).unwrap_or(Path::new(""))
    }
}

impl CheckpointFiles {
    /// The path of the file or folder.
    pub(crate) fn path(&self) -> &Path {
        self.file.as_deref().or(self.weights.as_deref()).unwrap_or(Path::new(""))
    }
}

impl Command {
    /// Whether graphics drivers are loaded for it.
    pub(crate) fn asks_for_gpus(&self) -> bool {
        let device = match self {
            Self::Explain(args) => &args.device,
            Self::Evaluate(args) => &args.explain.device,
            Self::Compare(args) => &args.device,
            Self::Verify(args) => &args.device,
            Self::Devices(_) => return true,
            Self::Models(_)
            | Self::Methods(_)
            | Self::Measures(_)
            | Self::Inspect(_)
            | Self::Layers(_)
            | Self::Convert(_)
            | Self::Report(_)
            | Self::Figure(_)
            | Self::Completions(_)
            | Self::Man(_) => return false,
        };
        *device != Request::Cpu
    }
}

impl Verify {
    /// The checkpoints to check with; none for the networks that are built in.
    pub(crate) fn checkpoints(&self) -> &[PathBuf] {
        if self.files.is_empty() { &self.weights } else { &self.files }
    }
}

/// List the networks that are supported.
///
/// A network goes by one name and has a variant for each family of weights, which differ in layer
/// names, preprocessing or both. A checkpoint's variant is found from its layers. The head after
/// them is the checkpoint's own.
#[derive(Args, Debug)]
#[command(after_long_help = MODELS_EXAMPLES)]
pub(crate) struct Models {
    /// Print JSON instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// List the methods of attribution.
///
/// Prints what the map of each method shows, where it was published, and how often an image goes through the network.
#[derive(Args, Debug)]
pub(crate) struct Methods {
    /// Print a Markdown table.
    #[arg(long)]
    pub markdown: bool,
}

/// List the measures of maps, and the controls.
///
/// Prints what each measure asks; with --markdown all of docs/trust.md that follows from the code: formulas, sources,
/// and how each measure can mislead.
#[derive(Args, Debug)]
pub(crate) struct Measures {
    /// Print Markdown.
    #[arg(long)]
    pub markdown: bool,
}

/// Say what a checkpoint file holds, and whether it is supported.
///
/// Prints the network that the file belongs to, its head, classes, input and preprocessing, each
/// layer with its shape and number of parameters, and what of the file is not used. Of a file that
/// is not supported it prints the layers and weights that it has, and where they first differ from
/// the closest network. Of the weights only the shapes are read, and the few numbers of a Normalization, so it
/// is quick with large files.
#[derive(Args, Debug)]
#[command(after_long_help = INSPECT_EXAMPLES)]
pub(crate) struct Inspect {
    /// The file.
    #[command(flatten)]
    pub checkpoint: CheckpointFile,

    /// The network, where the file does not tell it.
    #[command(flatten)]
    pub network: NetworkArgs,

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
#[command(after_long_help = LAYERS_EXAMPLES)]
pub(crate) struct Layers {
    /// The file.
    #[command(flatten)]
    pub checkpoint: CheckpointFile,

    /// The network, where the file does not tell it.
    #[command(flatten)]
    pub network: NetworkArgs,

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
#[command(after_long_help = CONVERT_EXAMPLES)]
pub(crate) struct Convert {
    /// The file.
    #[command(flatten)]
    pub checkpoint: CheckpointFile,

    /// The file to write; its ending says how: .bpk or .safetensors.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,

    /// The network, where the file does not tell it.
    #[command(flatten)]
    pub network: NetworkArgs,

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
#[command(after_long_help = COMPARE_EXAMPLES)]
pub(crate) struct Compare {
    /// The file or folder.
    #[command(flatten)]
    pub checkpoint: CheckpointFiles,

    /// The arrays of the other framework, an .npz file; not with a folder.
    #[arg(long, value_name = "FILE")]
    pub reference: Option<PathBuf>,

    /// Print a folder's results as a Markdown table.
    #[arg(long, conflicts_with = "reference")]
    pub markdown: bool,

    /// How far a layer may be from the reference.
    ///
    /// As a share of the reference layer's largest absolute value.
    #[arg(long, value_name = "T", default_value_t = 1e-4, value_parser = tolerance, allow_negative_numbers = true)]
    pub tolerance: f32,

    /// The network, where the file does not tell it.
    #[command(flatten)]
    pub network: NetworkArgs,

    /// Where to compute: auto, cpu, gpu, gpu:1.
    ///
    /// `auto` is a hardware GPU if there is one, else the CPU; `gpu:1` is counted from 0; part of an adapter's name
    /// will do, too, and `devices` lists them.
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
/// from the class to the map's layer. It prints how far logits, gradient and map are from
/// the CPU's, and the first layer that is too far.
#[derive(Args, Debug)]
#[command(after_long_help = VERIFY_EXAMPLES)]
pub(crate) struct Verify {
    /// The device to check: `auto`, `gpu`, `gpu:1` (counted from 0), or part of an adapter's name;
    /// `devices` lists them.
    #[arg(long, value_name = "DEVICE", default_value_t)]
    pub device: Request,

    /// The network to check with, or that of --weights.
    #[command(flatten)]
    pub network: NetworkArgs,

    /// Check with the networks of these checkpoints instead.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// The same as FILE.
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "files")]
    weights: Vec<PathBuf>,

    /// The methods whose maps are compared, with their options as for `explain`: grad-cam,rise:masks=64.
    #[arg(
        long,
        value_name = "NAME[:OPTION=VALUE,...],...",
        value_delimiter = ',',
        hide_short_help = true,
        default_values = [METHODS[0].name]
    )]
    pub method: Vec<String>,

    /// Check it in f32, or in f16, which has its own tolerances; the CPU computes in f32.
    #[arg(long, value_name = "TYPE", default_value_t, value_parser = precision(), hide_possible_values = true)]
    pub precision: Precision,
}

/// Make the page of a finished run again, or one page of several runs.
///
/// Reads the report.json that `explain` left in each output folder and writes index.html and
/// report.json: for one folder in it, with other options; for several into --out. Runs of one model
/// on different images, as of folds that were computed apart, become one model; different models on
/// the same images stand side by side. Pictures stay in the runs' folders, and the page finds them
/// there.
#[derive(Args, Debug)]
#[command(after_long_help = REPORT_EXAMPLES)]
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
    pub page: PageArgs,
}

/// Print what a shell needs to complete commands and options.
#[derive(Args, Debug)]
#[command(after_long_help = COMPLETIONS_EXAMPLES)]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: Shell,
}

/// Write the manual, a page for each command, for `man`.
#[derive(Args, Debug)]
#[command(after_long_help = MAN_EXAMPLES)]
pub(crate) struct Man {
    /// Folder to write to; it is made if need be.
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
}

fn precision() -> impl TypedValueParser<Value = Precision> {
    named([("f32", ""), ("f16", "")])
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
        command().debug_assert();
    }

    #[test]
    fn a_checkpoint_is_the_first_argument_or_an_option_and_not_both() {
        for command in ["inspect", "layers", "convert --out b.bpk", "compare", "verify"] {
            let parsed = |more: &str| -> Result<PathBuf, clap::error::ErrorKind> {
                let words = format!("burncam {command} {more}");
                let cli = Cli::try_parse_from(words.split_whitespace()).map_err(|e| e.kind())?;
                Ok(match cli.command {
                    Command::Inspect(args) => args.checkpoint.path().to_owned(),
                    Command::Layers(args) => args.checkpoint.path().to_owned(),
                    Command::Convert(args) => args.checkpoint.path().to_owned(),
                    Command::Compare(args) => args.checkpoint.path().to_owned(),
                    Command::Verify(args) => args.checkpoints()[0].clone(),
                    _ => unreachable!("{words}"),
                })
            };
            assert_eq!(parsed("a.h5"), Ok(PathBuf::from("a.h5")), "{command}");
            assert_eq!(parsed("--weights a.h5"), Ok(PathBuf::from("a.h5")), "{command}");
            let both = parsed("a.h5 --weights b.h5");
            assert_eq!(both, Err(clap::error::ErrorKind::ArgumentConflict), "{command}");
        }
    }
}
