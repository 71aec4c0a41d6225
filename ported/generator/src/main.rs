//! Makes a native Burn network of an ONNX classifier: `cargo xtask port` runs it.
//!
//! The graph is cut at one of its maps into features and head. burn-onnx writes both as Rust;
//! beside them comes the module by which Burncam knows the network, and one file with the weights
//! of both, in the format that `burncam convert` writes.
//!
//! It has a lock file and a target folder of its own, so that Burncam builds without it.

mod emit;
mod generate;
mod graph;
mod model;
mod parts;
mod preprocess;
mod shapes;
#[cfg(test)]
mod tests;

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;

use graph::Graph;
use parts::Place;
use preprocess::Preprocess;

/// Turn an ONNX classifier into a native network, so that `explain` and the other commands know
/// it.
///
/// Cuts the graph at a tensor, generates Rust code for both parts, and builds Burncam with it. The
/// network's code and weights are then in ported/NAME; delete that folder to be rid of it.
#[derive(Parser, Debug)]
#[command(name = "cargo xtask port", after_help = EXAMPLES)]
struct Args {
    /// The ONNX file. Height and width of its input must be fixed; the batch may be.
    #[arg(value_name = "MODEL.onnx")]
    model: PathBuf,

    /// The tensor to explain, as the file calls it: a map, with height and width, that all paths
    /// to the output go through. Without it the good ones are listed.
    #[arg(long, value_name = "TENSOR")]
    layer: Option<String>,

    /// What the network is to be called: lower-case letters, digits and `_`.
    #[arg(long)]
    name: String,

    /// What the network expects of its pixels: torchvision, keras-torch, keras-tf, keras-caffe,
    /// raw (0 to 255, for networks that scale themselves), or numbers, as in
    /// 'divide=255;mean=0.5,0.5,0.5;std=0.25,0.25,0.25;order=rgb'.
    #[arg(long, value_name = "RULE")]
    preprocess: Preprocess,

    /// Names of the classes in the network's order, separated by commas [default: class_0, …].
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    classes: Vec<String>,

    /// Replace a ported network of this name.
    #[arg(long)]
    overwrite: bool,

    /// The folder of ported networks.
    #[arg(long, hide = true)]
    into: PathBuf,

    /// A folder for scratch files.
    #[arg(long, hide = true)]
    work: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask port densenet121.onnx --name densenet121 --preprocess torchvision
      List the tensors at which the graph can be cut; then, with one of them:
  cargo xtask port densenet121.onnx --name densenet121 --preprocess torchvision --layer relu_120
  cargo xtask explain --weights ported/densenet121/densenet121.bpk --data faces

Exit codes: 0 the network is ported; 2 it is not, or usage error.";

/// Names that are taken.
const TAKEN: [&str; 10] = [
    "vgg16",
    "resnet50",
    "senet50",
    "inception_v3",
    "inceptionv3",
    "incepv3",
    "ncnn",
    "src",
    "generator",
    "self",
];

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> Result<()> {
    check_name(&args.name)?;
    let folder = args.into.join(&args.name);
    ensure!(
        args.overwrite || !folder.exists(),
        "there is a ported network `{}` already\nhint: choose another --name, or pass --overwrite",
        args.name
    );
    let model = model::open(&args.model)?;
    let graph = Graph::new(&model.graph)?;
    let places = parts::places(&graph, &shapes::infer(&graph));
    let Some(layer) = &args.layer else {
        bail!("--layer is missing: which map is to be explained\n{}", suggest(&places))
    };
    let parts = parts::cut(&model, layer)
        .with_context(|| format!("{} cannot be cut", args.model.display()))
        .map_err(|error| anyhow::anyhow!("{error:#}\n{}", suggest(&places)))?;
    let units = usize::try_from(parts.units)?;
    ensure!(
        args.classes.is_empty() || args.classes.len() == units.max(2),
        "--classes gives {} names, and the network has {} classes",
        args.classes.len(),
        units.max(2)
    );
    fs::create_dir_all(&args.work)?;
    let generate = |model, part| {
        generate::generate(model, part, &args.work)
            .with_context(|| format!("the part {} the map `{layer}`", side(part)))
    };
    let (features, head) = (generate(&parts.features, "features")?, generate(&parts.head, "head")?);
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot replace {}", folder.display()))?;
    }
    let network = emit::Network {
        name: &args.name,
        layer,
        classes: &args.classes,
        parts: &parts,
        preprocess: args.preprocess,
        features: &features,
        head: &head,
    };
    network.write(&folder)?;
    tell(args, &parts, &features, &head);
    Ok(())
}

fn side(part: &str) -> &'static str {
    if part == "head" { "after" } else { "up to" }
}

fn tell(args: &Args, parts: &parts::Parts, features: &generate::Code, head: &generate::Code) {
    let count = |code: &generate::Code| -> usize {
        code.tensors.iter().map(|weight| weight.values.len()).sum()
    };
    let ([height, width, channels], [rows, columns]) = (parts.map, parts.input);
    let _ = writeln!(
        std::io::stderr(),
        "Generated {}: {rows} x {columns} images to a map of {height} x {width} x {channels} \
         ({} weights), then to {} logits, {} ({} weights).",
        args.name,
        count(features),
        parts.units,
        parts.output,
        count(head)
    );
}

/// A module's name, and nobody else's.
fn check_name(name: &str) -> Result<()> {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let good = name.chars().all(letters) && name.starts_with(|c: char| c.is_ascii_lowercase());
    ensure!(good && name.len() <= 40, "--name `{name}` is not of lower-case letters, digits and _");
    let plain = name.replace('_', "");
    ensure!(
        !TAKEN.iter().any(|taken| taken.replace('_', "") == plain)
            && !["crate", "super"].contains(&name),
        "--name `{name}` is taken\nhint: choose another, such as my_{name}"
    );
    Ok(())
}

/// The last tensors at which the graph can be cut, and the last of each size.
fn suggest(places: &[Place]) -> String {
    const LAST: usize = 3;
    let size = |(_, [height, width, _]): &Place| (*height, *width);
    let mut lines: Vec<String> = Vec::new();
    for (index, place) in places.iter().enumerate().rev() {
        let later = &places[index + 1..];
        if later.len() < LAST || !later.iter().any(|other| size(other) == size(place)) {
            let (name, [height, width, channels]) = place;
            lines.push(format!("  {name}  {height} x {width} x {channels}"));
        }
    }
    if lines.is_empty() {
        return "hint: the graph has no map that all paths to the output go through".to_owned();
    }
    format!("hint: good ones are, the last first\n{}", lines.join("\n"))
}
