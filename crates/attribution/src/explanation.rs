//! Explanations of a batch: what is asked of a network, and what comes of it.

use burn::tensor::{Tensor, TensorData, Transaction};
use burncam_net::{Classifier, LayerTable, Rectifier, Tap};

use crate::{
    AttributionError, Fuse, Inference, MapStatus, Maps, Method, Peer, Place, Score, Settings,
    Smoothing, Taps, Target, smoothing,
};

/// A method at its layers, with its options.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The method.
    pub method: &'static Method,
    /// The layers that it reads, by canonical name.
    pub layers: Vec<String>,
    /// The values of the method's options.
    pub settings: Settings,
    /// How the maps of several layers become one, where the method reads one.
    pub fuse: Option<Fuse>,
    /// How the map is smoothed.
    pub smoothing: Smoothing,
    /// The library whose finished map is wanted, instead of the raw map.
    pub peer: Option<Peer>,
}

impl Explanation {
    /// A method at these layers, with its defaults.
    #[must_use]
    pub fn new(method: &'static Method, layers: Vec<String>) -> Self {
        let settings = Settings::defaults(method.options);
        let smoothing = Smoothing::default();
        Self { method, layers, settings, fuse: None, smoothing, peer: None }
    }

    /// A method in a network of these layers, at one of them if it reads one, with its defaults.
    #[must_use]
    pub fn at(method: &'static Method, layer: &str, table: &LayerTable) -> Self {
        let layers = match method.needs.taps {
            Taps::None => Vec::new(),
            Taps::One => vec![layer.to_owned()],
            Taps::Offsets => table.with_offsets(),
        };
        Self::new(method, layers)
    }

    /// What the method reads.
    #[must_use]
    pub fn taps(&self) -> Vec<Tap> {
        let mut taps: Vec<Tap> = match self.method.needs.taps {
            Taps::None => Vec::new(),
            Taps::One | Taps::Offsets => self.layers.iter().cloned().map(Tap::Layer).collect(),
        };
        if self.method.needs.gradients.iter().any(|(place, _)| *place != Place::Layer) {
            taps.push(Tap::Input);
        }
        taps
    }

    /// Where it reads the gradient of the batch's images with this rule for rectifiers.
    #[must_use]
    pub fn gradient_taps(&self, rectifier: Rectifier) -> Vec<Tap> {
        let mut taps = Vec::new();
        for (place, rule) in self.method.needs.gradients {
            match place {
                _ if *rule != rectifier => {}
                Place::Copies => {}
                Place::Input => taps.push(Tap::Input),
                Place::Layer => taps.extend(self.layers.iter().cloned().map(Tap::Layer)),
            }
        }
        taps
    }

    /// Where it reads any gradient.
    #[must_use]
    pub fn all_gradient_taps(&self) -> Vec<Tap> {
        let layers = || self.layers.iter().cloned().map(Tap::Layer).collect();
        let places = self.method.needs.gradients.iter();
        distinct(places.flat_map(|(place, _)| match place {
            Place::Layer => layers(),
            Place::Input | Place::Copies => vec![Tap::Input],
        }))
    }

    /// The only layer.
    pub(crate) fn layer(&self) -> Result<&String, AttributionError> {
        match self.layers.as_slice() {
            [layer] => Ok(layer),
            layers => Err(AttributionError::Layers { count: layers.len() }),
        }
    }

    /// Forward passes an image, where its layer has so many channels and an image so many rows and columns.
    #[must_use]
    pub fn passes(&self, channels: usize, input: [usize; 2]) -> usize {
        let own = self.method.needs.passes.count(&self.settings, channels, input);
        let layers = if self.fuse.is_some() { self.layers.len() } else { 1 };
        let all = 1 + (own - 1) * layers;
        if self.smoothing.flips { all * smoothing::COPIES + 1 } else { all }
    }
}

/// What is asked of a network.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The explanations, each of which gives one map an image.
    pub explanations: &'a [Explanation],
    /// The class that is explained.
    pub target: Target,
    /// What of it is explained.
    pub score: Score,
    /// A seed for each image of the batch, for methods that draw.
    pub seeds: &'a [u64],
    /// Whether the user has asked for an end; looked at between passes.
    pub interrupted: &'a (dyn Fn() -> bool + Sync),
    /// Told of passes as they are done: so many images went through the network.
    pub passed: &'a (dyn Fn(usize) + Sync),
}

impl<'a> Question<'a> {
    /// Explanations of a target's logit, without an end before all is done, by the seed 0.
    #[must_use]
    pub fn new(explanations: &'a [Explanation], target: Target) -> Self {
        let (score, seeds) = (Score::Logit, &[]);
        let (interrupted, passed) = (&|| false, &|_| ());
        Self { explanations, target, score, seeds, interrupted, passed }
    }

    /// What the explanations read, each once.
    #[must_use]
    pub fn taps(&self) -> Vec<Tap> {
        distinct(self.explanations.iter().flat_map(Explanation::taps))
    }

    /// Where they read the gradient with this rule for rectifiers, each once.
    #[must_use]
    pub fn gradient_taps(&self, rectifier: Rectifier) -> Vec<Tap> {
        distinct(self.explanations.iter().flat_map(|one| one.gradient_taps(rectifier)))
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
    /// The class that is explained, for each image.
    pub targets: Vec<usize>,
    /// For each explanation the raw map of each image, row by row.
    pub maps: Vec<Vec<Vec<f32>>>,
    /// For each explanation and image, why the method is not defined there, if it is not.
    pub undefined: Vec<Vec<Option<MapStatus>>>,
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
        for explanation in question.explanations {
            maps.push(match explanation.smoothing.flips {
                true => smoothing::by_copies(self, explanation)?,
                false => self.map(explanation)?,
            });
        }
        let mut read = Transaction::default().register(self.logits()).register(self.classes());
        let (mut sizes, mut flagged) = (Vec::with_capacity(maps.len()), Vec::new());
        for Maps { values, size, undefined } in maps {
            read = read.register(values);
            sizes.push(size);
            flagged.push(undefined.map(|(status, flags)| {
                read = std::mem::take(&mut read).register(flags);
                status
            }));
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
        let chosen: Vec<usize> = chosen.into_iter().map(|class| class as usize).collect();
        let targets = question.target.classes(&logits, head.output());
        let (mut maps, mut undefined) = (Vec::new(), Vec::new());
        for ([height, width], status) in sizes.iter().zip(flagged) {
            maps.push(rows(floats(next()?)?, height * width));
            undefined.push(match status {
                None => vec![None; chosen.len()],
                Some(status) => {
                    let flags = floats(next()?)?;
                    flags.into_iter().map(|flag| (flag != 0.0).then_some(status)).collect()
                }
            });
        }
        Ok((Attributions { logits, targets, maps, undefined, sizes }, chosen))
    }

    /// The maps of an explanation: of the method, of its layers together, and as its peer finishes them.
    pub(crate) fn map(&mut self, explanation: &Explanation) -> Result<Maps, AttributionError> {
        let method = explanation.method;
        let [.., height, width] = self.images().dims();
        let finish = |maps: Maps| match explanation.peer {
            Some(peer) => peer.finish(method, maps, [height, width]),
            None => maps,
        };
        let Some(fuse) = explanation.fuse else {
            return Ok(finish((method.attribute)(self, explanation)?));
        };
        let mut maps = Vec::with_capacity(explanation.layers.len());
        for layer in &explanation.layers {
            let one = Explanation { layers: vec![layer.clone()], ..explanation.clone() };
            maps.push(finish((method.attribute)(self, &one)?));
        }
        let fused = fuse.join(maps, explanation.peer.is_none())?;
        Ok(match explanation.peer {
            Some(peer) => peer.finish_fused(fused),
            None => fused,
        })
    }
}

/// Values as rows of so many.
fn rows(values: Vec<f32>, length: usize) -> Vec<Vec<f32>> {
    values.chunks(length).map(<[f32]>::to_vec).collect()
}
