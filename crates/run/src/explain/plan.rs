//! What a run will do, checked before anything is computed or written.

use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};
use burncam_imaging::{DecodeOptions, Resize};
use burncam_net::Arithmetic;
use burncam_record::{Labelling, Place, Tree, assign};

use super::copies;
use super::explanations;
use super::labelling::{self, Labelled, add};
use super::masks::Masks;
use super::measuring::{Annotations, Measures};
use super::model::{self, FoldCheckpoint, Model};
use super::passed_over::passed_over;
use super::picture_settings::PictureSettings;
use super::regions::FaceRegions;
use super::shard::Shard;
use super::weights;
use crate::ExplainOptions;
use crate::data::Image;
use crate::labels::Rule;
use crate::message::{Message, Warnings, counted, images};
use crate::page::LabelFile;
use crate::{Observer, page};

/// Everything that decides a run's results.
pub(crate) struct Plan {
    /// Who is told of the run.
    pub observer: &'static dyn Observer,
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
    /// Why it is this rule, for the console.
    label_reason: Message,
    /// Where each image's overlay goes in a model's tree.
    pub places: Vec<Place>,
    /// How images are brought to size.
    pub resize: Resize,
    /// How files become pixels.
    pub decode: DecodeOptions,
    /// Whom images show, by path, where that is known; sorted.
    pub subjects: Vec<(String, String)>,
    /// How pictures are made.
    pub pictures: PictureSettings,
    /// How many of the likeliest classes predictions.csv has; without, it has all.
    pub top: Option<usize>,
    /// Images computed at a time, if that was asked for.
    pub batch: Option<usize>,
    /// Where random numbers begin.
    pub seed: u64,
    /// The measures of maps, if any are asked for.
    pub measures: Measures,
    /// Where the evidence of images should lie, if that is known.
    pub masks: Option<Masks>,
    /// The regions of the faces, if they are known.
    pub regions: Option<FaceRegions>,
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

impl Plan {
    /// Checks the arguments against the files.
    pub(crate) fn new(args: &ExplainOptions, observer: &'static dyn Observer) -> Result<Self> {
        let (given, folder, out) = (&args.weights, args.data.clone(), args.out.clone());
        let is_demo = args.demo;
        refuse_inside(&out, &folder)?;
        let open = |folds: &[String]| -> Result<Vec<Model>> {
            let files = weights::files(given, folds)?.into_iter();
            files.map(|files| Model::open(args, files)).collect()
        };
        let labelled = labelling::label(args, &folder, open)?;
        let Labelled { set, how, mut models, labelling, reason, warnings: about_labels } = labelled;
        let folds = labelling::folds(&set);
        let mut warnings = copies::leave_one(&mut models);
        model::assign_names(&mut models);
        explanations::assign(args, &mut models, &out)?;
        add(&mut warnings, about_labels);
        add(&mut warnings, notes(&models));
        if !is_demo {
            add(&mut warnings, assumed_names(&models));
            add(&mut warnings, one_for_all(&models, &folds));
        }
        warnings.extend(passed_over(&set, how));
        let columns = args.label_columns.clone().unwrap_or_default();
        if args.label_columns.is_some() && args.labels.file().is_none() {
            bail!("--label-columns needs a label file\nhint: --labels labels.csv");
        }
        let labels = args.labels.file();
        let labels = labels.map(|path| LabelFile { path, columns: &columns, images: &set.images });
        let subjects = page::subjects(&args.page, &set.images, labels, observer)?;
        let pictures = PictureSettings::new(&args.pictures, args.alpha, !args.no_report)?;
        if args.shard.is_some() && pictures.later() {
            bail!(
                "--norm {} takes the scale from all images, and --shard explains a part of them\n\
                 hint: --norm none gives all parts one scale",
                pictures.norm
            );
        }
        let masks = args.masks.as_deref();
        let masks = masks.map(|folder| Masks::open(folder, args.mask_level, &set.images));
        let masks = masks.transpose()?;
        let regions = args.regions.as_deref().map(|path| FaceRegions::open(path, &set.images));
        let regions = regions.transpose()?;
        let there = Annotations { masks: masks.is_some(), regions: regions.is_some() };
        let measures = Measures::new(&args.measure, args.protocol, args.sweep, there)?;
        let name = |image: &Image| (image.fold.clone(), pictures.file_name(&image.name));
        let names: Vec<_> = set.images.iter().map(name).collect();
        Ok(Self {
            observer,
            models,
            places: assign(&names),
            subjects,
            pictures,
            resize: args.resize,
            decode: DecodeOptions { exif: args.exif, ..DecodeOptions::default() },
            top: args.top.map(usize::from),
            batch: args.batch.map(usize::from),
            seed: args.page.resampling().seed,
            measures,
            masks,
            regions,
            arithmetic: if args.exact { Arithmetic::Exact } else { Arithmetic::Fast },
            overwrite: args.overwrite,
            resume: args.resume,
            forget_missing: args.forget_missing,
            strict: args.strict,
            shard: args.shard,
            data: folder,
            images: set.images,
            folds,
            labelling,
            label_reason: reason,
            out,
            warnings,
            is_demo,
        })
    }

    /// The folders of all models' explanations.
    pub(crate) fn trees(&self) -> impl Iterator<Item = &Tree> {
        self.models.iter().flat_map(|model| &model.explanations).map(|one| &one.tree)
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
    pub(crate) fn is_of(&self, part: &FoldCheckpoint, index: usize) -> bool {
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
            self.observer.warning(text.clone(), items);
        }
        if self.is_demo {
            self.observer.note(Message::new(
                "This is the demo: give --weights and --data to explain your own images.",
                "Esta é a demonstração: use --weights e --data para explicar as suas imagens.",
            ));
        }
        let what = self.what();
        match self.models.as_slice() {
            [model] => {
                let model = model.describe();
                self.observer.note(what.then(" ").then(model).then("."));
            }
            models => {
                let count = models.len();
                self.observer.note(
                    what.then(Message::new(
                        format!(" {count} models:"),
                        format!(" {count} modelos:"),
                    )),
                );
                for model in models {
                    let name = Message::from(format!("  {}: ", model.name));
                    self.observer.note(name.then(model.describe()));
                }
            }
        }
        self.models.iter().filter_map(passes).for_each(|note| self.observer.note(note));
        self.tell_labels();
    }

    /// Tells where true classes come from, and how many images have each.
    fn tell_labels(&self) {
        let Labelling { requested, rule, reason: record } = &self.labelling;
        let rules = self.models.iter().map(|model| &model.rule);
        if rules.clone().any(|rule| matches!(rule, Rule::File(_))) {
            self.observer.note(Message::new(
                format!("True classes: {rule}, {record}."),
                format!("Classes verdadeiras: {rule}, {record}."),
            ));
        } else if requested != rule && rules.clone().any(|rule| *rule != Rule::Unlabelled) {
            let begin = Message::new(
                format!("True classes: `{rule}`, since "),
                format!("Classes verdadeiras: `{rule}`, pois "),
            );
            let end = Message::from(format!(" (--labels {requested})."));
            self.observer.note(begin.then(self.label_reason.clone()).then(end));
        }
        let mut told: Vec<Message> = Vec::new();
        for model in &self.models {
            let text = labelling::in_words(&model.classes, &self.per_class(model));
            if !told.contains(&text) {
                self.observer.note(text.clone());
                told.push(text);
            }
        }
    }

    /// The beginning of the sentence that says what is explained, and with what.
    fn what(&self) -> Message {
        let (data, all, chosen) = (self.data.display(), self.images.len(), self.chosen().count());
        let (images, imagens) = (images(chosen), counted(chosen, "imagem", "imagens"));
        match self.shard {
            Some(shard) => Message::new(
                format!("Explaining part {shard} of {all}, {images}, in {data} with"),
                format!("Explicando a parte {shard} de {all}, {imagens}, em {data} com"),
            ),
            None if self.data.is_file() => {
                Message::new(format!("Explaining {data} with"), format!("Explicando {data} com"))
            }
            None => Message::new(
                format!("Explaining {images} in {data} with"),
                format!("Explicando {imagens} em {data} com"),
            ),
        }
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
pub(super) fn resolved(path: &Path) -> Result<PathBuf> {
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

/// How often an image goes through a network whose methods take many passes.
fn passes(model: &Model) -> Option<Message> {
    let many = model.explanations.iter().filter_map(|one| {
        let passes = model.passes_of(one);
        (passes > 1).then(|| format!("{} {passes}", one.spec.title))
    });
    let named: Vec<String> = many.collect();
    if named.is_empty() {
        return None;
    }
    let (all, named, name) = (model.passes(), named.join(", "), &model.name);
    Some(Message::new(
        format!("Each image goes through {name} {all} times: {named}."),
        format!("Cada imagem passa {all} vezes por {name}: {named}."),
    ))
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
            match notes.iter_mut().find(|(text, _)| text.english() == note) {
                Some((_, files)) => files.push(file),
                None => notes.push((note.as_str().into(), vec![file])),
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
    let (count, name) = (folds.len(), &names[0]);
    let text = Message::new(
        format!(
            "one network explains the images of all {count} folds; if it was trained on some of them, its \
             results there do not show what it does with new images. Where each fold has a network of \
             its own, give their common path: --weights 'models/{name}_{{fold}}.h5'"
        ),
        format!(
            "uma só rede explica as imagens de todos os {count} folds; se foi treinada com alguns deles, os \
             resultados ali não mostram o que ela faz com imagens novas. Se cada fold tem a sua rede, dê o \
             caminho comum: --weights 'models/{name}_{{fold}}.h5'"
        ),
    );
    let items = if models.len() > 1 { names } else { Vec::new() };
    vec![(text, items)]
}
