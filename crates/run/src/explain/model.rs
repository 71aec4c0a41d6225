//! One model of a run: its checkpoints, and what they are asked.

use std::iter;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use burncam_attribution::{Explanation, Score, Target};
use burncam_net::{ChannelOrder, GRAPH, Tap};
use burncam_record::{ExplanationSpec, Tree};
use burncam_weights::Resolved;

use super::weights::{self, Files, Source};
use super::weights_file::WeightsFile;
use crate::ExplainOptions;
use crate::class_names::{self, Source as ClassSource};
use crate::classes;
use crate::labels::Rule;
use crate::message::Message;
use crate::preprocess::Preprocess;

/// A model, with a tree of its own in the output folder.
pub(crate) struct Model {
    /// Its name in the output: `VGG16`.
    pub name: String,
    /// The path of its weights as given.
    pub path: PathBuf,
    /// Whether they were found in a folder that was given.
    pub in_folder: bool,
    /// Its checkpoints: one, or one a fold. All are of one variant, with one kind of head.
    pub parts: Vec<FoldCheckpoint>,
    /// Class names, in the network's order.
    pub classes: Vec<String>,
    /// Who says what the classes are called.
    pub class_source: ClassSource,
    /// How images get their true class.
    pub rule: Rule,
    /// True class of each image of the run as an index, where one is known.
    pub labels: Vec<Option<usize>>,
    /// How its images are explained: one way at least, once models have their names.
    pub explanations: Vec<ModelExplanation>,
    /// The class that is explained.
    pub target: Target,
    /// What of it is explained.
    pub score: Score,
}

/// An explanation of a model, and where its results go.
pub(crate) struct ModelExplanation {
    /// The method and its layers.
    pub explanation: Explanation,
    /// The same, as it is recorded.
    pub spec: ExplanationSpec,
    /// Its folder in the output.
    pub tree: Tree,
}

/// A checkpoint, and the images that it explains.
pub(crate) struct FoldCheckpoint {
    /// The fold that it explains, or all images.
    pub fold: Option<String>,
    /// The checkpoint, its architecture known and its numbers not yet read.
    pub checkpoint: Resolved,
    /// Its files, as they were when it was opened.
    pub files: Vec<WeightsFile>,
}

impl Model {
    /// Opens the files of a model and checks what is asked of it. Labels and explanations are not known yet,
    /// and neither is its name where another model has it too.
    pub(crate) fn open(args: &ExplainOptions, files: Files) -> Result<Self> {
        let part = |fold: Option<&String>, path: &Path| -> Result<FoldCheckpoint> {
            let own = WeightsFile::now(path);
            let mut checkpoint = args.network.open(path)?;
            if let Some(preprocess) = args.preprocess {
                if checkpoint.input.order == ChannelOrder::Grey && !preprocess.is_alike() {
                    bail!(
                        "--preprocess has numbers for red, green and blue, and the network of {} reads grey \
                         images\nhint: state one mean and one deviation: --preprocess 'divide=255;mean=0.5;std=0.5'",
                        path.display()
                    );
                }
                checkpoint.input = preprocess.apply(checkpoint.input);
            } else if !checkpoint.is_prepared {
                bail!(
                    "{} does not say how images are prepared, and a wrong guess would change every \
                     number\nhint: --preprocess states it, as the code that trained the network did:\n{}",
                    path.display(),
                    Preprocess::presets()
                );
            }
            let beside = checkpoint.files().into_iter().skip(1).map(WeightsFile::now);
            let files = iter::once(own).chain(beside).collect();
            Ok(FoldCheckpoint { fold: fold.cloned(), checkpoint, files })
        };
        let parts: Vec<FoldCheckpoint> = match &files.by {
            Source::All => vec![part(None, &files.path)?],
            Source::Folds(folds) => {
                folds.iter().map(|(fold, path)| part(Some(fold), path)).collect::<Result<_>>()?
            }
        };
        check_alike(&parts)?;
        let checkpoint = &parts[0].checkpoint;
        let named = class_names::of(args.classes.as_deref(), checkpoint)?;
        for part in &parts[1..] {
            let other = class_names::of(args.classes.as_deref(), &part.checkpoint)?;
            if other != named {
                bail!(
                    "the folds' networks name their classes otherwise\n  {}: {} ({})\n  {}: {} \
                     ({})\nhint: --classes names them for all folds, in the order of the outputs",
                    checkpoint.path().display(),
                    classes::listed(&named.names),
                    named.source.describe(),
                    part.checkpoint.path().display(),
                    classes::listed(&other.names),
                    other.source.describe()
                );
            }
        }
        // A network that Burncam has no name for is called as its file.
        let stem = weights::stem(&files.path);
        let name = match checkpoint.arch.name == GRAPH.name && !stem.is_empty() {
            true => stem,
            false => checkpoint.arch.title.to_owned(),
        };
        Ok(Self {
            path: files.path,
            in_folder: files.in_folder,
            rule: Rule::Unlabelled,
            labels: Vec::new(),
            explanations: Vec::new(),
            target: target(args, &named.names)?,
            score: args.score.unwrap_or_default(),
            classes: named.names,
            class_source: named.source,
            name,
            parts,
        })
    }

    /// How often an image goes through its network.
    pub(crate) fn passes(&self) -> usize {
        1 + self.explanations.iter().map(|one| self.passes_of(one) - 1).sum::<usize>()
    }

    /// How often an image goes through its network for an explanation.
    pub(crate) fn passes_of(&self, one: &ModelExplanation) -> usize {
        let (checkpoint, own) = (self.checkpoint(), &one.explanation);
        let channels = |layer: &String| checkpoint.layers.get(layer).map(|layer| layer.output[2]);
        let channels = own.layers.iter().filter_map(channels).max().unwrap_or(1);
        own.passes(channels, [checkpoint.input.height, checkpoint.input.width])
    }

    /// What is explained of an image whose class this is: `Pain`, `Pain-No_pain`, `p(Pain)`.
    pub(crate) fn target_name(&self, class: usize) -> String {
        let name = |class: usize| match self.score {
            Score::Logit => self.classes[class].clone(),
            Score::Probability => format!("p({})", self.classes[class]),
        };
        match self.target.other() {
            Some(other) => format!("{}-{}", name(class), name(other)),
            None => name(class),
        }
    }

    /// The true class of an image, if it is known.
    pub(crate) fn label(&self, index: usize) -> Option<&str> {
        Some(self.classes[self.labels[index]?].as_str())
    }

    /// The methods and layers of its explanations.
    pub(crate) fn methods(&self) -> Vec<Explanation> {
        self.explanations.iter().map(|one| one.explanation.clone()).collect()
    }

    /// The places of the network that its explanations read.
    pub(crate) fn taps(&self) -> Vec<Tap> {
        self.explanations.iter().flat_map(|one| one.explanation.taps()).collect()
    }

    /// The places where its explanations read gradients.
    pub(crate) fn gradient_taps(&self) -> Vec<Tap> {
        self.explanations.iter().flat_map(|one| one.explanation.all_gradient_taps()).collect()
    }

    /// Its first checkpoint; what is common to all can be asked of it.
    pub(crate) fn checkpoint(&self) -> &Resolved {
        &self.parts[0].checkpoint
    }

    /// Architecture, format and number of files in words.
    pub(crate) fn describe(&self) -> Message {
        let checkpoint = self.checkpoint();
        let files = match self.parts.as_slice() {
            [part] if part.fold.is_none() => Message::from(""),
            parts => Message::new(
                format!(", one file for each of {} folds", parts.len()),
                format!(", um arquivo para cada um dos {} folds", parts.len()),
            ),
        };
        let (path, title) = (self.path.display(), checkpoint.arch.title);
        let format = checkpoint.format().to_string();
        let formato =
            format.replace("full model", "modelo completo").replace("weights only", "só os pesos");
        let start = Message::new(
            format!("{path} ({title}, {format}"),
            format!("{path} ({title}, {formato}"),
        );
        start.then(files).then(")")
    }
}

/// Gives each model a name of its own: its architecture's, or its file's where several share that.
pub(crate) fn assign_names(models: &mut [Model]) {
    let titles: Vec<String> = models.iter().map(|model| model.name.clone()).collect();
    let mut taken: Vec<String> = Vec::new();
    for (model, title) in models.iter_mut().zip(&titles) {
        let shared = titles.iter().filter(|other| *other == title).count() > 1;
        let mut name = title.clone();
        if shared {
            let stem = weights::stem(&model.path);
            let begins = stem.to_lowercase().starts_with(&title.to_lowercase());
            name = if begins { stem } else { format!("{title}_{stem}") };
        }
        // Of a long name the tree leaves out the middle.
        let folder = |name: &str| {
            let tree = Tree::new(Path::new(""), name, "");
            tree.root().as_os_str().to_string_lossy().to_lowercase()
        };
        let mut numbered = name.clone();
        for number in 2.. {
            if !taken.contains(&folder(&numbered)) {
                break;
            }
            numbered = format!("{name}_{number}");
        }
        taken.push(folder(&numbered));
        model.name = numbered;
    }
}

/// The networks of all folds must be one network with different weights.
fn check_alike(parts: &[FoldCheckpoint]) -> Result<()> {
    let kind = |part: &FoldCheckpoint| {
        let checkpoint = &part.checkpoint;
        let (arch, variant) = (checkpoint.arch.title, checkpoint.variant.name);
        let (head, input) = (checkpoint.head.describe(), checkpoint.input.formula());
        format!("{arch} ({variant}), head {head}, input {input}")
    };
    let Some((first, others)) = parts.split_first() else { bail!("there are no folds") };
    let expected = kind(first);
    let layers = |part: &&FoldCheckpoint| part.checkpoint.layers != first.checkpoint.layers;
    if let Some(other) = others.iter().find(layers).filter(|other| kind(other) == expected) {
        bail!(
            "the folds' networks have other layers\n  {}\n  {}\nhint: explain different networks as \
             models of their own, each with its own --weights",
            first.checkpoint.path().display(),
            other.checkpoint.path().display()
        );
    }
    match others.iter().find(|part| kind(part) != expected) {
        None => Ok(()),
        Some(other) => bail!(
            "the folds' networks differ\n  {}: {expected}\n  {}: {}\nhint: explain different \
             networks as models of their own, each with its own --weights",
            first.checkpoint.path().display(),
            other.checkpoint.path().display(),
            kind(other)
        ),
    }
}

fn target(args: &ExplainOptions, classes: &[String]) -> Result<Target> {
    let Some(asked) = &args.class else { return Ok(Target::Predicted) };
    let class = |asked: &str| {
        let by_name = classes.iter().position(|class| class.eq_ignore_ascii_case(asked));
        by_name.or_else(|| asked.parse().ok().filter(|&class: &usize| class < classes.len()))
    };
    if let Some(class) = class(asked) {
        return Ok(Target::Class(class));
    }
    // A class's own name may have a minus.
    let mut pairs = asked.match_indices('-').filter_map(|(at, _)| {
        let (one, other) = (class(asked[..at].trim())?, class(asked[at + 1..].trim())?);
        (one != other).then_some(Target::Difference(one, other))
    });
    match (pairs.next(), pairs.next()) {
        (Some(target), None) => Ok(target),
        (Some(_), Some(_)) => {
            bail!(
                "--class: `{asked}` may be the difference of several pairs of classes\nhint: give their indices"
            )
        }
        (None, _) => bail!(
            "there is no class `{asked}`\nhint: the classes are {} (or 0 to {}); A-B explains what A has more than B",
            classes::listed(classes),
            classes.len() - 1
        ),
    }
}
