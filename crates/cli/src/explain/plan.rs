//! What a run will do, checked before anything is computed or written.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use burncam_cam::Target;
use burncam_imaging::{DecodeOptions, Resize};
use burncam_models::ARCHS;
use burncam_report::{ModelTree, Place, assign};
use burncam_weights::{Checkpoint, Resolved};

use crate::args::Explain;
use crate::data::{self, Image};
use crate::labels::{self, Rule};
use crate::{console, demo};

/// Everything that decides a run's results.
pub(crate) struct Plan {
    /// The checkpoint, its architecture known and its numbers not yet read.
    pub checkpoint: Resolved,
    /// Folder of the images.
    pub data: PathBuf,
    /// Folder of the results.
    pub out: PathBuf,
    /// The model's own folder in it.
    pub tree: ModelTree,
    /// The images, sorted by fold and name.
    pub images: Vec<Image>,
    /// Where each image's overlay goes.
    pub places: Vec<Place>,
    /// True class of each image as an index, where one is known.
    pub labels: Vec<Option<usize>>,
    /// Class names, in the network's order.
    pub classes: Vec<String>,
    /// Canonical name of the layer that is explained.
    pub layer: String,
    /// The logit that is explained.
    pub target: Target,
    /// How images are brought to size.
    pub resize: Resize,
    /// How files become pixels.
    pub decode: DecodeOptions,
    /// Weight of the map in the overlay.
    pub alpha: f32,
    /// Images computed at a time.
    pub batch: usize,
    /// What the user should know, each with the items that it concerns.
    pub warnings: Vec<(String, Vec<String>)>,
    /// Whether earlier results are replaced: on request, and those of the demo in its own place.
    pub overwrite: bool,
    is_demo: bool,
}

impl Plan {
    /// Checks the arguments against the files.
    pub(crate) fn new(args: &Explain) -> Result<Self> {
        let (weights, folder, out, is_demo) = paths(args)?;
        let wanted = wanted(args.model.as_deref())?;
        let checkpoint = Checkpoint::open(&weights)?.resolve(&ARCHS, wanted)?;
        let classes = class_names(args, &checkpoint)?;
        refuse_inside(&out, &folder)?;
        let set = data::list(&folder, args.labels == Rule::Dirs)?;
        let (labels, mut warnings) = label(args, &set.images, &classes)?;
        warnings.extend(checkpoint.notes.iter().map(|note| (note.clone(), Vec::new())));
        if !set.skipped.is_empty() {
            let text = format!("{} entries of the data folder are no images", set.skipped.len());
            warnings.push((text, set.skipped));
        }
        let names: Vec<_> = set.images.iter().map(|i| (&i.fold, &i.name)).collect();
        Ok(Self {
            tree: ModelTree::new(&out, checkpoint.arch.title),
            places: assign(&names),
            layer: layer(args, &checkpoint)?,
            target: target(args, &classes)?,
            resize: args.resize,
            decode: DecodeOptions { exif: args.exif, ..DecodeOptions::default() },
            alpha: args.alpha,
            batch: args.batch.into(),
            overwrite: args.overwrite || (is_demo && args.out.is_none()),
            data: folder,
            images: set.images,
            checkpoint,
            out,
            labels,
            classes,
            warnings,
            is_demo,
        })
    }

    /// Tells the user what will be done, and what to know about it.
    pub(crate) fn tell(&self) {
        for (text, items) in &self.warnings {
            console::warning(text, items);
        }
        let checkpoint = &self.checkpoint;
        if self.is_demo {
            console::note(
                "This is the demo: give --weights and --data to explain your own images.",
            );
        }
        console::note(&format!(
            "Explaining {} in {} with {} ({}, {}).",
            console::images(self.images.len()),
            self.data.display(),
            checkpoint.path().display(),
            checkpoint.arch.title,
            checkpoint.format(),
        ));
    }
}

/// Weights, data and output folder, and whether they are the demo's.
fn paths(args: &Explain) -> Result<(PathBuf, PathBuf, PathBuf, bool)> {
    let out = |default: &str| args.out.clone().unwrap_or_else(|| default.into());
    match (&args.weights, &args.data) {
        (Some(weights), Some(data)) => {
            Ok((weights.clone(), data.clone(), out("burncam-out"), false))
        }
        (None, None) => {
            let (weights, data) = demo::files()?;
            Ok((weights, data, out(demo::OUT), true))
        }
        (Some(_), None) => bail!(
            "--weights needs --data\nhint: --data is the folder of images; its subfolders are the folds"
        ),
        (None, Some(_)) => bail!(
            "--data needs --weights\nhint: --weights is a Keras .h5 file, such as NCNN.h5 or VGG16.h5"
        ),
    }
}

/// The architecture of this name, where one is asked for.
pub(crate) fn wanted(name: Option<&str>) -> Result<Option<&'static burncam_net::Arch>> {
    let find = |name: &str| {
        burncam_models::find(name).with_context(|| {
            let known: Vec<&str> = ARCHS.iter().map(|arch| arch.name).collect();
            format!("there is no model `{name}`\nhint: the models are {}", known.join(", "))
        })
    };
    name.map(find).transpose()
}

fn class_names(args: &Explain, checkpoint: &Resolved) -> Result<Vec<String>> {
    let count = checkpoint.head.classes();
    let Some(names) = &args.classes else {
        let known = checkpoint.arch.classes;
        return Ok(match known.len() == count {
            true => known.iter().map(ToString::to_string).collect(),
            false => (0..count).map(|class| format!("class_{class}")).collect(),
        });
    };
    let names: Vec<String> = names.iter().map(|name| name.trim().to_owned()).collect();
    if names.len() != count {
        bail!("--classes gives {} names, and the network has {count} classes", names.len());
    }
    for (class, name) in names.iter().enumerate() {
        let twice = names[..class].iter().any(|earlier| earlier.eq_ignore_ascii_case(name));
        if name.is_empty() || twice {
            bail!("--classes: `{name}` is empty or stands there twice");
        }
    }
    Ok(names)
}

/// Results inside the data folder would be explained as images by the next run.
fn refuse_inside(out: &Path, data: &Path) -> Result<()> {
    let cannot = || format!("cannot open the data folder {}", data.display());
    let data = data.canonicalize().with_context(cannot)?;
    let out =
        std::path::absolute(out).with_context(|| format!("no such path {}", out.display()))?;
    // The longest part that exists can be freed of links.
    let existing = out.ancestors().find_map(|part| {
        let real = part.canonicalize().ok()?;
        Some(real.join(out.strip_prefix(part).ok()?))
    });
    if existing.unwrap_or(out).starts_with(&data) {
        bail!(
            "the output folder lies inside the data folder {}\nhint: choose another --out",
            data.display()
        );
    }
    Ok(())
}

type Warnings = Vec<(String, Vec<String>)>;

fn label(
    args: &Explain,
    images: &[Image],
    classes: &[String],
) -> Result<(Vec<Option<usize>>, Warnings)> {
    let labels = labels::label(&args.labels, images, classes)?;
    let mut warnings = Warnings::new();
    if args.labels == Rule::Notebook {
        let doubts = labels::notebook_doubts(images);
        if !doubts.is_empty() {
            let text = format!(
                "the notebook's label rule looks for `sem` and `rest` anywhere in a name; reading \
                 whole words gives {} another class (`--labels` has other rules):",
                console::images(doubts.len())
            );
            warnings.push((text, doubts));
        }
    }
    let unknown: Vec<String> = (images.iter().zip(&labels))
        .filter(|(_, label)| label.is_none())
        .map(|(image, _)| image.path.clone())
        .collect();
    if !unknown.is_empty() {
        let text = format!(
            "no true class for {} by `--labels {}`; they are explained and reported as unknown \
             (classes are {}):",
            console::images(unknown.len()),
            args.labels.describe(),
            classes.join(", ")
        );
        warnings.push((text, unknown));
    }
    Ok((labels, warnings))
}

fn layer(args: &Explain, checkpoint: &Resolved) -> Result<String> {
    let Some(asked) = &args.layer else { return Ok(checkpoint.variant.cam_layer.to_owned()) };
    let table = (checkpoint.variant.layers)();
    let found = checkpoint.canonical_name(asked).and_then(|name| table.get(name));
    match found {
        Some(layer) if layer.op.can_be_tapped() => Ok(layer.name.clone()),
        _ => {
            let tapped = table.layers().iter().filter(|layer| layer.op.can_be_tapped());
            let names: Vec<&str> = tapped.map(|layer| layer.name.as_str()).collect();
            bail!(
                "{} has no layer `{asked}` that can be explained\nhint: its layers are {}",
                checkpoint.arch.title,
                names.join(", ")
            )
        }
    }
}

fn target(args: &Explain, classes: &[String]) -> Result<Target> {
    let Some(asked) = &args.class else { return Ok(Target::Predicted) };
    let by_name = classes.iter().position(|class| class.eq_ignore_ascii_case(asked));
    let by_index = || asked.parse().ok().filter(|&class: &usize| class < classes.len());
    by_name.or_else(by_index).map(Target::Class).with_context(|| {
        format!(
            "there is no class `{asked}`\nhint: the classes are {} (or 0 to {})",
            classes.join(", "),
            classes.len() - 1
        )
    })
}
