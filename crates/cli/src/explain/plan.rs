//! What a run will do, checked before anything is computed or written.

use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};
use burncam_imaging::{DecodeOptions, Resize};
use burncam_net::Arithmetic;
use burncam_report::{Labelling, Place, assign};

use super::labelling::{self, Labelled, add};
use super::model::{self, Model, Part};
use super::pictures::Pictures;
use super::shard::Shard;
use super::weights;
use crate::args::Explain;
use crate::data::Image;
use crate::labels::Rule;
use crate::page::LabelFile;
use crate::{console, demo, page};

/// Everything that decides a run's results.
pub(crate) struct Plan {
    /// The models, each of which explains every image.
    pub models: Vec<Model>,
    /// Folder of the images.
    pub data: PathBuf,
    /// Folder of the results.
    pub out: PathBuf,
    /// The images, sorted by fold and path.
    pub images: Vec<Image>,
    /// The part of the images that this run explains, if it is not all.
    pub shard: Option<Shard>,
    /// The folds, sorted.
    pub folds: Vec<String>,
    /// The rule that gives true classes, and why it is this one.
    pub labelling: Labelling,
    /// Where each image's overlay goes in a model's tree.
    pub places: Vec<Place>,
    /// How images are brought to size.
    pub resize: Resize,
    /// How files become pixels.
    pub decode: DecodeOptions,
    /// Whom images show, by path, where that is known; sorted.
    pub subjects: Vec<(String, String)>,
    /// How pictures are made.
    pub pictures: Pictures,
    /// How many of the likeliest classes predictions.csv has; without, it has all.
    pub top: Option<usize>,
    /// Images computed at a time, if that was asked for.
    pub batch: Option<usize>,
    /// How the CPU convolves.
    pub arithmetic: Arithmetic,
    /// What the user should know, each with the items that it concerns.
    pub warnings: Warnings,
    /// Whether earlier results are replaced: on request, and those of the demo in its own place.
    pub overwrite: bool,
    /// Whether an earlier run goes on.
    pub resume: bool,
    /// Whether results of images that are gone may be removed then.
    pub forget_missing: bool,
    /// Whether the first image that fails ends the run.
    pub strict: bool,
    is_demo: bool,
}

pub(crate) type Warnings = Vec<(String, Vec<String>)>;

impl Plan {
    /// Checks the arguments against the files.
    pub(crate) fn new(args: &Explain) -> Result<Self> {
        let (given, folder, out, is_demo) = paths(args)?;
        refuse_inside(&out, &folder)?;
        let open = |folds: &[String]| -> Result<Vec<Model>> {
            let files = weights::files(&given, folds)?.into_iter();
            let models = files.map(|files| Model::open(args, files, &out));
            let mut models: Vec<Model> = models.collect::<Result<_>>()?;
            model::name_apart(&mut models, &out);
            Ok(models)
        };
        let Labelled { set, models, labelling, mut warnings } =
            labelling::label(args, &folder, open)?;
        let folds = labelling::folds(&set);
        add(&mut warnings, notes(&models));
        if !is_demo {
            add(&mut warnings, assumed_names(&models));
            add(&mut warnings, one_for_all(&models, &folds));
        }
        if !set.skipped.is_empty() {
            let count = console::counted(set.skipped.len(), "file or folder", "files or folders");
            let text = format!("passed over in the data folder, not being images: {count}");
            warnings.push((text, set.skipped));
        }
        if !set.links.is_empty() {
            let count = console::counted(set.links.len(), "symbolic link", "symbolic links");
            let text =
                format!("passed over in the data folder: {count} (--follow-links reads them)");
            warnings.push((text, set.links));
        }
        let columns = args.label_columns.clone().unwrap_or_default();
        if args.label_columns.is_some() && args.labels.file().is_none() {
            bail!("--label-columns needs a label file\nhint: --labels labels.csv");
        }
        let labels = args.labels.file();
        let labels = labels.map(|path| LabelFile { path, columns: &columns, images: &set.images });
        let subjects = page::subjects(&args.page, &set.images, labels)?;
        let pictures = Pictures::new(&args.pictures, args.alpha, !args.no_report)?;
        if args.shard.is_some() && pictures.later() {
            bail!(
                "--norm {} takes the scale from all images, and --shard explains a part of them\n\
                 hint: --norm none gives all parts one scale",
                Pictures::name(pictures.norm)
            );
        }
        let name = |image: &Image| (image.fold.clone(), pictures.file_name(&image.name));
        let names: Vec<_> = set.images.iter().map(name).collect();
        Ok(Self {
            models,
            places: assign(&names),
            subjects,
            pictures,
            resize: args.resize,
            decode: DecodeOptions { exif: args.exif, ..DecodeOptions::default() },
            top: args.top.map(usize::from),
            batch: args.batch.map(usize::from),
            arithmetic: if args.exact { Arithmetic::Exact } else { Arithmetic::Fast },
            overwrite: args.overwrite || (is_demo && args.out.is_none() && !args.resume),
            resume: args.resume,
            forget_missing: args.forget_missing,
            strict: args.strict,
            shard: args.shard,
            data: folder,
            images: set.images,
            folds,
            labelling,
            out,
            warnings,
            is_demo,
        })
    }

    /// The images that this run explains, as indices.
    pub(crate) fn chosen(&self) -> impl Iterator<Item = usize> + '_ {
        let has = |index: &usize| self.shard.is_none_or(|shard| shard.has(*index));
        (0..self.images.len()).filter(has)
    }

    /// How many of the images that this run explains have each true class of a model, and how many
    /// have none.
    pub(crate) fn per_class(&self, model: &Model) -> (Vec<usize>, usize) {
        let (mut counts, mut without) = (vec![0; model.classes.len()], 0);
        for index in self.chosen() {
            match model.labels[index] {
                Some(class) => counts[class] += 1,
                None => without += 1,
            }
        }
        (counts, without)
    }

    /// How many results the run has when it is complete: one for each model and image.
    pub(crate) fn results(&self) -> usize {
        self.chosen().count() * self.models.len()
    }

    /// Whether a checkpoint explains an image.
    pub(crate) fn is_of(&self, part: &Part, index: usize) -> bool {
        part.fold.as_ref().is_none_or(|fold| *fold == self.images[index].fold)
    }

    /// A path as it is recorded: inside the output folder, with `/`.
    pub(crate) fn inside(&self, path: &Path) -> String {
        let path = path.strip_prefix(&self.out).unwrap_or(path);
        path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
    }

    /// Tells the user what will be done, and what to know about it.
    pub(crate) fn tell(&self) {
        for (text, items) in &self.warnings {
            console::warning(text, items);
        }
        if self.is_demo {
            console::note(
                "This is the demo: give --weights and --data to explain your own images.",
            );
        }
        let of = match self.shard {
            Some(shard) => {
                format!(
                    "part {shard} of {}, {},",
                    self.images.len(),
                    console::images(self.chosen().count())
                )
            }
            None => console::images(self.images.len()),
        };
        let what = format!("Explaining {of} in {} with", self.data.display());
        match self.models.as_slice() {
            [model] => console::note(&format!("{what} {}.", model.describe())),
            models => {
                console::note(&format!("{what} {} models:", models.len()));
                for model in models {
                    console::note(&format!("  {}: {}", model.name, model.describe()));
                }
            }
        }
        self.tell_labels();
    }

    /// Tells where true classes come from, and how many images have each.
    fn tell_labels(&self) {
        let Labelling { requested, rule, reason } = &self.labelling;
        let rules = self.models.iter().map(|model| &model.rule);
        if rules.clone().any(|rule| matches!(rule, Rule::File(_))) {
            console::note(&format!("True classes: {rule}, {reason}."));
        } else if requested != rule && rules.clone().any(|rule| *rule != Rule::Unlabelled) {
            console::note(&format!(
                "True classes: `{rule}`, since {reason} (--labels {requested})."
            ));
        }
        let mut told: Vec<String> = Vec::new();
        for model in &self.models {
            let text = labelling::in_words(&model.classes, &self.per_class(model));
            if !told.contains(&text) {
                console::note(&format!("Images by true class: {text}."));
                told.push(text);
            }
        }
    }
}

/// Weights, data and output folder, and whether they are the demo's.
fn paths(args: &Explain) -> Result<(Vec<PathBuf>, PathBuf, PathBuf, bool)> {
    let out = |default: &str| args.out.clone().unwrap_or_else(|| default.into());
    match (args.weights.as_slice(), &args.data) {
        ([], None) => {
            let (weights, data) = demo::files()?;
            Ok((vec![weights], data, out(demo::OUT), true))
        }
        ([], Some(_)) => bail!(
            "--data needs --weights\nhint: --weights is a checkpoint, such as NCNN.h5, VGG16.keras or resnet50.pth"
        ),
        (_, None) => bail!(
            "--weights needs --data\nhint: --data is the folder of images; its subfolders are the folds"
        ),
        (weights, Some(data)) => Ok((weights.to_vec(), data.clone(), out("burncam-out"), false)),
    }
}

/// Results inside the data folder would be explained as images by the next run.
fn refuse_inside(out: &Path, data: &Path) -> Result<()> {
    let cannot = || format!("cannot open the data folder {}", data.display());
    let data = data.canonicalize().with_context(cannot)?;
    if resolved(out)?.starts_with(&data) {
        bail!(
            "the output folder {} lies inside the data folder {}\nhint: choose another --out, such \
             as {}",
            out.display(),
            data.display(),
            data.with_file_name("burncam-out").display()
        );
    }
    Ok(())
}

/// A path without links and `..`, whether it exists or not.
fn resolved(path: &Path) -> Result<PathBuf> {
    let path = std::path::absolute(path).with_context(|| path.display().to_string())?;
    let mut real = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                real.pop();
            }
            part => real.push(part),
        }
        real = real.canonicalize().unwrap_or(real);
    }
    Ok(real)
}

/// What had to be assumed of the checkpoints, each with the files that it was assumed of where
/// there are several.
fn notes(models: &[Model]) -> Warnings {
    let mut notes = Warnings::new();
    let checkpoints: Vec<_> =
        models.iter().flat_map(|model| &model.parts).map(|part| &part.checkpoint).collect();
    for checkpoint in &checkpoints {
        for note in &checkpoint.notes {
            let file = checkpoint.path().display().to_string();
            match notes.iter_mut().find(|(text, _)| text == note) {
                Some((_, files)) => files.push(file),
                None => notes.push((note.clone(), vec![file])),
            }
        }
    }
    if let [_] = checkpoints.as_slice() {
        notes.iter_mut().for_each(|(_, files)| files.clear());
    }
    notes
}

/// What to say of classes whose names nobody has given, once for models of the same.
fn assumed_names(models: &[Model]) -> Warnings {
    let mut notes = Warnings::new();
    for model in models {
        let neurons = model.checkpoint().head.units();
        let Some(note) = model.class_source.note(&model.classes, neurons) else { continue };
        match notes.iter_mut().find(|(text, _)| *text == note) {
            Some((_, names)) => names.push(model.name.clone()),
            None => notes.push((note, vec![model.name.clone()])),
        }
    }
    if let [_] = models {
        notes.iter_mut().for_each(|(_, names)| names.clear());
    }
    notes
}

/// A network that was trained on some folds says nothing of use about itself there.
fn one_for_all(models: &[Model], folds: &[String]) -> Warnings {
    let alone = models.iter().filter(|model| model.parts.iter().any(|part| part.fold.is_none()));
    let names: Vec<String> = alone.map(|model| model.name.clone()).collect();
    if names.is_empty() || folds.len() < 2 {
        return Warnings::new();
    }
    let text = format!(
        "one network explains the images of all {} folds; if it was trained on some of them, its \
         results there do not show what it does with new images. Where each fold has a network of \
         its own, give their common path: --weights 'models/{}_{{fold}}.h5'",
        folds.len(),
        names[0]
    );
    let items = if models.len() > 1 { names } else { Vec::new() };
    vec![(text, items)]
}
