//! Reports of several runs as one.

#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used,
    )
)]

use std::collections::{HashMap, HashSet};

use crate::build::place_of;
use crate::document::{ImageReport, ModelReport, Report, Source};
use crate::images::Images;
use burncam_record::{Error, ExplanationSpec};

/// Joins reports, each with its folder as seen from the new page. Models that are the same (name,
/// architecture, classes, explanations) become one, so that folds computed apart come together; others of
/// equal name are numbered. The settings are the first report's, and so is the mean face of those that have one.
/// Measures are not computed, and what was measured of the trust in a model of several reports is left out.
///
/// # Errors
///
/// [`Error::Twice`] if one model has two results for one image.
pub fn merge(reports: Vec<(String, Report<'_>)>) -> Result<Report<'static>, Error> {
    let (mut first, mut runs, mut parts) = (None, Vec::new(), Vec::new());
    let (mut explanations, mut mean_face) = (Vec::new(), None);
    for (folder, report) in reports {
        let images = report.images.into_held()?;
        let mut report = Report { images: Images::held(Vec::new()), ..report };
        for source in &mut report.runs {
            source.folder = joined(&folder, &source.folder);
        }
        let models = std::mem::take(&mut report.models);
        let mut part = Part { first_run: runs.len(), models, images };
        part.number_explanations(&report.explanations, &mut explanations);
        parts.push(part);
        let face = report.mean_face.take();
        mean_face = mean_face.or(face);
        runs.append(&mut report.runs);
        first.get_or_insert(report);
    }
    let first = first.ok_or(Error::Nothing)?;
    let mut parts = parts.into_iter();
    let mut all = Joined::new(parts.next().ok_or(Error::Nothing)?, kinds(&runs));
    parts.for_each(|part| all.add(part));
    let images = Images::held(all.images()?);
    Ok(Report { runs, explanations, models: all.models, mean_face, images, ..first })
}

fn joined(folder: &str, inner: &str) -> String {
    match (folder, inner) {
        (folder, ".") => folder.to_owned(),
        (".", inner) => inner.to_owned(),
        _ => format!("{folder}/{inner}"),
    }
}

/// What one report brings, beside its runs.
struct Part {
    /// The place of its first run among all.
    first_run: usize,
    models: Vec<ModelReport>,
    images: Vec<ImageReport>,
}

impl Part {
    /// Names explanations by the places of their titles in `all`, to which they are added.
    fn number_explanations(&mut self, titles: &[String], all: &mut Vec<String>) {
        let places: Vec<usize> = titles.iter().map(|title| place_of(all, title)).collect();
        let models = self.models.iter_mut().flat_map(|model| &mut model.explanations);
        let results = self.images.iter_mut().flat_map(|image| &mut image.results);
        let attributions = results.flat_map(|result| &mut result.attributions);
        let named = (models.map(|one| &mut one.explanation))
            .chain(attributions.map(|one| &mut one.explanation));
        // The report was found to name its own.
        named.for_each(|place| *place = places.get(*place).copied().unwrap_or(usize::MAX));
    }
}

/// By run and model of it: which are one network. Each is compared once, whatever names it.
fn kinds(runs: &[Source]) -> HashMap<[usize; 2], usize> {
    let (mut numbers, mut kinds) = (HashMap::new(), HashMap::new());
    for (run, source) in runs.iter().enumerate() {
        for (index, model) in source.run.models.iter().enumerate() {
            let kind =
                (&model.architecture, &model.variant, &model.target, &model.input, &model.head);
            let next = numbers.len();
            kinds.insert([run, index], *numbers.entry(kind).or_insert(next));
        }
    }
    kinds
}

/// By what a model is known in another run: name, classes, explanations and kind.
type Key = (String, Vec<String>, Vec<ExplanationSpec>, Option<usize>);

/// Reports that have come together.
struct Joined {
    models: Vec<ModelReport>,
    images: Vec<ImageReport>,
    kinds: HashMap<[usize; 2], usize>,
    /// The first model of each key.
    places: HashMap<Key, usize>,
    names: Names,
}

impl Joined {
    /// The first report, as it is.
    fn new(part: Part, kinds: HashMap<[usize; 2], usize>) -> Self {
        let (names, images) = (Names::default(), part.images);
        let mut all = Self { models: Vec::new(), images, kinds, places: HashMap::new(), names };
        for model in part.models {
            all.names.taken.insert(model.name.clone());
            all.push(model);
        }
        all
    }

    fn key(&self, model: &ModelReport) -> Key {
        let kind = model.sources.first().and_then(|source| self.kinds.get(source));
        let specs = model.explanations.iter().map(|one| one.spec.clone()).collect();
        (model.name.clone(), model.classes.clone(), specs, kind.copied())
    }

    fn push(&mut self, model: ModelReport) {
        let key = self.key(&model);
        self.places.entry(key).or_insert(self.models.len());
        self.models.push(model);
    }

    /// Another report.
    fn add(&mut self, part: Part) {
        let places: Vec<usize> =
            part.models.into_iter().map(|model| self.add_model(model, part.first_run)).collect();
        // Images are found again by fold and path; both lists are sorted.
        self.images.sort_by(|a, b| (&a.fold, &a.path).cmp(&(&b.fold, &b.path)));
        let known = self.images.len();
        for mut image in part.images {
            for result in &mut image.results {
                // It was found to be one of the report's models.
                result.model = places.get(result.model).copied().unwrap_or(usize::MAX);
                result.run = result.run.saturating_add(part.first_run);
            }
            self.add_image(image, known);
        }
    }

    /// The model's place among all.
    fn add_model(&mut self, mut model: ModelReport, first_run: usize) -> usize {
        for [run, _] in &mut model.sources {
            *run = run.saturating_add(first_run);
        }
        let same = self.places.get(&self.key(&model)).copied();
        match same.and_then(|place| Some((place, self.models.get_mut(place)?))) {
            Some((place, known)) => {
                known.sources.extend(model.sources);
                known.network_per_fold &= model.network_per_fold;
                known.trust = None;
                place
            }
            None => {
                model.name = self.names.free(&model.name);
                self.push(model);
                self.models.len().saturating_sub(1)
            }
        }
    }

    /// To an image of those that were known before, or as a new one.
    fn add_image(&mut self, image: ImageReport, known: usize) {
        let key = |other: &ImageReport| (&other.fold, &other.path).cmp(&(&image.fold, &image.path));
        let known = self.images.get(..known);
        let place = known.and_then(|known| known.binary_search_by(key).ok());
        match place.and_then(|place| self.images.get_mut(place)) {
            Some(earlier) => {
                earlier.results.extend(image.results);
                earlier.subject = earlier.subject.take().or(image.subject);
                earlier.eyes_and_mouth = earlier.eyes_and_mouth.or(image.eyes_and_mouth);
            }
            None => self.images.push(image),
        }
    }

    /// All images in order, with at most one result of each model.
    fn images(&mut self) -> Result<Vec<ImageReport>, Error> {
        let mut images = std::mem::take(&mut self.images);
        images.sort_by(|a, b| (&a.fold, &a.path).cmp(&(&b.fold, &b.path)));
        for image in &mut images {
            image.results.sort_by_key(|result| result.model);
            let pairs = image.results.iter().zip(image.results.iter().skip(1));
            if let Some((twice, _)) = pairs.into_iter().find(|(a, b)| a.model == b.model) {
                let model = self.models.get(twice.model).map(|model| model.name.clone());
                let (path, model) = (image.path.clone(), model.unwrap_or_default());
                return Err(Error::Twice { path, model });
            }
        }
        Ok(images)
    }
}

/// The names of models.
#[derive(Default)]
struct Names {
    taken: HashSet<String>,
    /// By name: the number that is tried next. Those before it are taken.
    next: HashMap<String, usize>,
}

impl Names {
    /// Takes `name`, or the first of `name (2)`, `name (3)` ... that is free.
    fn free(&mut self, name: &str) -> String {
        let mut free = name.to_owned();
        while !self.taken.insert(free.clone()) {
            let next = self.next.entry(name.to_owned()).or_insert(2);
            free = format!("{name} ({next})");
            *next = next.saturating_add(1);
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn no_number_is_tried_twice() {
        let mut names = Names::default();
        names.taken.insert("a (3)".to_owned());
        let free: Vec<String> = ["a", "a", "a", "b", "a (3)"].map(|name| names.free(name)).into();
        assert_eq!(free, ["a", "a (2)", "a (4)", "b", "a (3) (2)"]);
        assert_eq!(names.next["a"], 5);
        let last = (0..100_000).map(|_| names.free("b")).last();
        assert_eq!(last.as_deref(), Some("b (100001)"));
    }
}
