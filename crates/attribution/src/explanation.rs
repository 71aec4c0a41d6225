//! Explanations of a batch: what is asked of a network, and what comes of it.

use burn::tensor::{Tensor, TensorData, Transaction};
use burncam_net::{Classifier, Rectifier, Tap};

use crate::{AttributionError, Gradient, Inference, Maps, Method, Taps, Target};

/// A method at its layers.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The method.
    pub method: &'static Method,
    /// The layers that it reads, by canonical name.
    pub layers: Vec<String>,
}

impl Explanation {
    /// What the method reads.
    #[must_use]
    pub fn taps(&self) -> Vec<Tap> {
        let needs = self.method.needs;
        let mut taps: Vec<Tap> = match needs.taps {
            Taps::None => Vec::new(),
            Taps::One | Taps::Many => self.layers.iter().cloned().map(Tap::Layer).collect(),
        };
        if needs.gradient == Gradient::Input {
            taps.push(Tap::Input);
        }
        taps
    }

    /// Where it reads the gradient.
    #[must_use]
    pub fn gradient_taps(&self) -> Vec<Tap> {
        match self.method.needs.gradient {
            Gradient::None => Vec::new(),
            Gradient::Layer => self.taps(),
            Gradient::Input => vec![Tap::Input],
        }
    }
}

/// What is asked of a network.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The explanations, each of which gives one map an image.
    pub explanations: &'a [Explanation],
    /// The logit that is explained.
    pub target: Target,
    /// A seed for each image of the batch, for methods that draw.
    pub seeds: &'a [u64],
    /// Whether the user has asked for an end; looked at between passes.
    pub interrupted: &'a (dyn Fn() -> bool + Sync),
}

impl<'a> Question<'a> {
    /// Explanations of a target, without an end before all is done, by the seed 0.
    #[must_use]
    pub fn new(explanations: &'a [Explanation], target: Target) -> Self {
        Self { explanations, target, seeds: &[], interrupted: &|| false }
    }

    /// What the explanations read, each once.
    #[must_use]
    pub fn taps(&self) -> Vec<Tap> {
        distinct(self.explanations.iter().flat_map(Explanation::taps))
    }

    /// Where they read the gradient with this rule for rectifiers, each once.
    #[must_use]
    pub fn gradient_taps(&self, rectifier: Rectifier) -> Vec<Tap> {
        let with = |one: &&Explanation| one.method.needs.rectifier == rectifier;
        distinct(self.explanations.iter().filter(with).flat_map(Explanation::gradient_taps))
    }
}

fn distinct(taps: impl Iterator<Item = Tap>) -> Vec<Tap> {
    let mut distinct = Vec::new();
    taps.for_each(|tap| {
        if !distinct.contains(&tap) {
            distinct.push(tap);
        }
    });
    distinct
}

/// What a network gives for a batch of images.
pub struct Attributions {
    /// Logits of each image, one a class.
    pub logits: Vec<Vec<f32>>,
    /// The class whose logit is explained, for each image.
    pub targets: Vec<usize>,
    /// For each explanation the raw map of each image, row by row.
    pub maps: Vec<Vec<Vec<f32>>>,
    /// For each explanation the height and width of its maps.
    pub sizes: Vec<[usize; 2]>,
}

/// Runs `images`, `[batch, 3, height, width]`, through a network and explains its logits. What several
/// explanations need is computed once, and everything is read from the device at once.
///
/// Where rounding made the probabilities of two classes equal, the class that a device chooses may be another
/// than that which is [`predicted`](crate::predicted); then the batch is computed again.
///
/// # Errors
///
/// As [`Inference::new`]; what a method needs and does not find; if the user asked for an end.
pub fn explain(
    classifier: &Classifier,
    images: Tensor<4>,
    question: &Question<'_>,
) -> Result<Attributions, AttributionError> {
    let mut inference = Inference::new(classifier, images.clone(), question, None)?;
    let (attributions, chosen) = inference.attributions()?;
    if chosen == attributions.targets {
        return Ok(attributions);
    }
    let targets = Some(&*attributions.targets);
    Ok(Inference::new(classifier, images, question, targets)?.attributions()?.0)
}

impl Inference<'_> {
    /// The maps of all explanations of the question, and the class that each image's explain.
    pub(crate) fn attributions(&mut self) -> Result<(Attributions, Vec<usize>), AttributionError> {
        let question = self.question;
        let mut maps = Vec::with_capacity(question.explanations.len());
        for Explanation { method, layers } in question.explanations {
            maps.push((method.attribute)(self, layers)?);
        }
        let mut read = Transaction::default().register(self.logits()).register(self.classes());
        let mut sizes = Vec::with_capacity(maps.len());
        for Maps { values, size } in maps {
            read = read.register(values);
            sizes.push(size);
        }
        let failed =
            |error: &dyn std::fmt::Debug| AttributionError::read_back("the results", &error);
        let mut read = read.try_execute().map_err(|error| failed(&error))?.into_iter();
        let mut next = || read.next().ok_or_else(|| failed(&"not all of it came"));
        let floats = |data: TensorData| data.try_to_vec::<f32>().map_err(|error| failed(&error));
        let head = self.classifier.head.config();
        let logits = rows(floats(next()?)?, head.classes());
        let chosen = next()?.convert::<i64>().try_to_vec::<i64>();
        let chosen = chosen.map_err(|error| failed(&error))?;
        let chosen = chosen.into_iter().map(|class| class as usize).collect();
        let targets = question.target.classes(&logits, head.output());
        let mut maps = Vec::with_capacity(sizes.len());
        for [height, width] in &sizes {
            maps.push(rows(floats(next()?)?, height * width));
        }
        Ok((Attributions { logits, targets, maps, sizes }, chosen))
    }
}

/// Values as rows of so many.
fn rows(values: Vec<f32>, length: usize) -> Vec<Vec<f32>> {
    values.chunks(length).map(<[f32]>::to_vec).collect()
}
