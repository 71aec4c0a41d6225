//! The images of a run and their true classes.

use std::path::Path;

use anyhow::Result;
use burncam_record::Labelling;

use super::model::Model;
use crate::data::{self, DataSet, Image, Listing};
use crate::labels::{self, Asked, Decision, LabelColumns, Rule};
use crate::message::{self, Message, Warnings, counted};
use crate::{ExplainOptions, classes};

/// How many classes are shown with their numbers of images.
const SHOWN: usize = 10;

/// Images and models, each image with its true class by each model's names.
pub(crate) struct Labelled {
    pub set: DataSet,
    /// How the data folder was read.
    pub how: Listing,
    pub models: Vec<Model>,
    /// The rule and why it is this one.
    pub labelling: Labelling,
    /// Why it is this rule, for the console.
    pub reason: Message,
    pub warnings: Warnings,
}

/// Names of the folds, sorted.
pub(crate) fn folds(set: &DataSet) -> Vec<String> {
    let mut folds: Vec<String> = set.images.iter().map(|image| image.fold.clone()).collect();
    folds.dedup();
    folds
}

/// Lists the images, opens the models of these folds with `open`, and labels the images by one
/// rule, decided once for all.
pub(crate) fn label(
    args: &ExplainOptions,
    folder: &Path,
    open: impl Fn(&[String]) -> Result<Vec<Model>>,
) -> Result<Labelled> {
    let listing = |class_folders| Listing { class_folders, follow_links: args.follow_links };
    let list = |class_folders| data::list(folder, listing(class_folders));
    let (set, class_folders, mut models, decision) = match &args.labels {
        Asked::Rule(rule) => {
            let set = list(*rule == Rule::Dirs)?;
            let models = open(&folds(&set))?;
            let reason = Message::from("it was asked for");
            (
                set,
                *rule == Rule::Dirs,
                models,
                Decision { rule: rule.clone(), reason, advice: None },
            )
        }
        Asked::Auto => {
            let by_class = list(true)?;
            // Without images in the folds themselves, all lie in folders inside them.
            let by_fold = list(false).ok();
            let all = folds(&by_class);
            let mut opened = by_fold.as_ref().map_or_else(|| all.clone(), folds);
            let models = open(&opened).or_else(|error| {
                // Where the folders are class folders, they have no networks of their own.
                if opened == all {
                    return Err(error);
                }
                opened.clone_from(&all);
                open(&all).map_err(|_| error)
            })?;
            let decision = {
                let names: Vec<&[String]> = models.iter().map(|m| m.classes.as_slice()).collect();
                let by_fold = by_fold.as_ref().map_or(&[][..], |set| &set.images);
                labels::decide(&by_class.images, by_fold, &names)
            };
            let (set, class_folders) = match by_fold {
                Some(by_fold) if decision.rule != Rule::Dirs => (by_fold, false),
                _ => (by_class, true),
            };
            let has_folds = models.iter().flat_map(|m| &m.parts).any(|part| part.fold.is_some());
            let own = folds(&set);
            let models = if has_folds && own != opened { open(&own)? } else { models };
            (set, class_folders, models, decision)
        }
    };
    let is_auto = args.labels == Asked::Auto;
    let columns = args.label_columns.clone().unwrap_or_default();
    let mut warnings = Warnings::new();
    let mut reading = None;
    for model in &mut models {
        reading = one_model(model, &set.images, &decision.rule, is_auto, &columns)?;
        let more = match decision.rule {
            Rule::Unlabelled => Warnings::new(),
            _ => label_warnings(model, &set.images),
        };
        add(&mut warnings, more);
    }
    if is_auto && decision.rule == Rule::Unlabelled {
        let names: Vec<&[String]> = models.iter().map(|model| model.classes.as_slice()).collect();
        warnings.push((labels::without(&decision, &names), Vec::new()));
    }
    let labelling = Labelling {
        requested: args.labels.describe(),
        rule: decision.rule.describe(),
        reason: reading.unwrap_or_else(|| decision.reason.english().to_owned()),
    };
    let reason = decision.reason;
    Ok(Labelled { set, how: listing(class_folders), models, labelling, reason, warnings })
}

/// Labels the images for one model; gives how a table was read.
fn one_model(
    model: &mut Model,
    images: &[Image],
    rule: &Rule,
    is_auto: bool,
    columns: &LabelColumns,
) -> Result<Option<String>> {
    let knows = |class: &str| model.classes.iter().any(|known| known.eq_ignore_ascii_case(class));
    // The rule suits another model of the run.
    let foreign = is_auto && *rule == Rule::Notebook && !(knows("Pain") && knows("No_pain"));
    model.rule = if foreign { Rule::Unlabelled } else { rule.clone() };
    let names = (model.classes.as_slice(), model.class_source.order());
    let found = labels::label(&model.rule, images, names, columns)?;
    model.labels = found.classes;
    Ok(found.reading)
}

/// Adds the warnings that are not there yet: several models may give rise to the same.
pub(crate) fn add(warnings: &mut Warnings, more: Warnings) {
    for warning in more {
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
}

fn label_warnings(model: &Model, images: &[Image]) -> Warnings {
    let mut warnings = Warnings::new();
    if model.rule == Rule::Notebook {
        let doubts = labels::notebook_doubts(images);
        if !doubts.is_empty() {
            let count = doubts.len();
            let text = Message::new(
                format!(
                    "the notebook's label rule looks for `sem` and `rest` anywhere in a name; reading \
                     whole words gives {} another class (`--labels` has other rules):",
                    message::images(count)
                ),
                format!(
                    "a regra do notebook procura `sem` e `rest` em qualquer parte do nome; lendo palavras \
                     inteiras, {} teriam outra classe (`--labels` tem outras regras):",
                    counted(count, "imagem", "imagens")
                ),
            );
            warnings.push((text, doubts));
        }
    }
    let unknown: Vec<String> = (images.iter().zip(&model.labels))
        .filter(|(_, label)| label.is_none())
        .map(|(image, _)| image.path.clone())
        .collect();
    if !unknown.is_empty() {
        let (count, rule) = (unknown.len(), model.rule.describe());
        let classes = classes::listed(&model.classes);
        let text = Message::new(
            format!(
                "no true class for {} by `--labels {rule}`; they are explained and reported as unknown \
                 (classes are {classes}):",
                message::images(count)
            ),
            format!(
                "sem classe verdadeira para {} por `--labels {rule}`; são explicadas e constam como sem \
                 classe (as classes são {classes}):",
                counted(count, "imagem", "imagens")
            ),
        );
        warnings.push((text, unknown));
    }
    let mut labels: Vec<usize> = model.labels.iter().flatten().copied().collect();
    let count = labels.len();
    labels.sort_unstable();
    labels.dedup();
    if let &[only] = labels.as_slice() {
        let class = &model.classes[only];
        let text = Message::new(
            format!(
                "all images with a true class ({count}) are {class}: nothing can be told of how the classes \
                 are kept apart"
            ),
            format!(
                "todas as imagens com classe verdadeira ({count}) são {class}: nada se pode dizer de como as \
                 classes são separadas"
            ),
        );
        warnings.push((text, Vec::new()));
    }
    warnings
}

/// Numbers of images by true class, and of those without, in a sentence.
pub(crate) fn in_words(classes: &[String], (counts, without): &(Vec<usize>, usize)) -> Message {
    let all = || classes.iter().zip(counts);
    let own = || all().filter(|(_, count)| classes.len() <= SHOWN || **count > 0);
    let shown: Vec<String> =
        own().take(SHOWN).map(|(class, count)| format!("{class} {count}")).collect();
    let more = own().count().saturating_sub(SHOWN);
    let list = |none: &str, classes: &str| {
        let more = (more > 0).then(|| format!("{more} {classes}"));
        let all: Vec<String> = shown.iter().cloned().chain(more).collect();
        if all.is_empty() { none.to_owned() } else { all.join(", ") }
    };
    Message::new(
        format!(
            "Images by true class: {}; without a true class {without}.",
            list("none", "more classes")
        ),
        format!(
            "Imagens por classe verdadeira: {}; sem classe verdadeira {without}.",
            list("nenhuma", "outras classes")
        ),
    )
}
