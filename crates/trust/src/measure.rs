//! What a measure is.

use std::collections::BTreeMap;
use std::error::Error;

use crate::regions::Regions;
use crate::{Evidence, Protocol, Scale, Undefined};

/// A measure of maps.
pub struct Measure {
    /// The name on the command line and in tables: `deletion`.
    pub name: &'static str,
    /// The name in sentences: `Deletion`.
    pub title: &'static str,
    /// What it is one of.
    pub group: Group,
    /// What is asked, in one sentence that a clinician understands.
    pub question: &'static str,
    /// The formula, in one line of plain text.
    pub formula: &'static str,
    /// Where it is from.
    pub source: &'static str,
    /// The source's address.
    pub url: &'static str,
    /// How it can mislead, in one or two sentences.
    pub misleads: &'static str,
    /// Which values speak for a map; none if a value alone says nothing.
    pub better: Option<Better>,
    /// The smallest and the largest value that it can have.
    pub range: [f64; 2],
    /// The value that maps have to stay below to be those of a network that has learned something, and of one class.
    pub limit: Option<f64>,
    /// What it is computed of.
    pub compute: Compute,
}

/// What a measure is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Whether what the map shows decides the score.
    Faithfulness,
    /// Several measures in one.
    Composite,
    /// Whether the map depends on the network and on the class.
    Sanity,
    /// Whether the map stays where the image hardly changes.
    Robustness,
    /// How few places the map consists of.
    Concentration,
    /// Where on the face the map lies.
    Regions,
    /// Whether the map lies where it should.
    GroundTruth,
    /// Whether two maps agree.
    Agreement,
}

/// Which values speak for a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Large ones.
    Higher,
    /// Small ones.
    Lower,
}

/// What a measure is computed of.
pub enum Compute {
    /// Of the map.
    Map(fn(&Evidence) -> Result<f64, Undefined>),
    /// Of the map and a mask of its size; `true` is inside. The second value is what chance gives: the mean over all
    /// ways to shuffle the map's places.
    Mask(fn(&Evidence, &[bool]) -> WithChance),
    /// Of the map, the image, and what the network makes of changed copies of it.
    Network(fn(&Evidence, &mut Network<'_>) -> Measured),
    /// Of two maps of an image.
    Pair(Compare),
    /// Of the method's raw map and raw maps that ought to be another, at the size that the method gives, none of them
    /// rectified. The value is the mean over those.
    Against(Counterpart, Compare),
    /// Of the map and the regions of a face: for each region a value and what chance gives.
    Regions(fn(&Evidence, &Regions) -> ByRegion),
    /// Of two maps of an image and the regions of a face. The second value is what chance gives.
    RegionPair(fn(&Evidence, &Evidence, &Regions) -> WithChance),
}

/// A number of two maps of one size.
pub type Compare = fn(&Evidence, &Evidence) -> Result<f64, Undefined>;

/// A map that ought to be another than the method's map of the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counterpart {
    /// Of the same network with more and more layers untrained, from the head on: a map for each step.
    HeadDown,
    /// The same from the first layer on.
    StemUp,
    /// Of the same network with all layers untrained.
    Untrained,
    /// Of the same network for another class.
    OtherClass,
}

/// A value and what chance gives, or why there is none.
pub type WithChance = Result<(f64, f64), Undefined>;

/// For each region a value and what chance gives, or why there is none.
pub type ByRegion = Result<Vec<(f64, f64)>, Undefined>;

/// A value, or why there is none, or why the network could not be asked.
pub type Measured = Result<Result<f64, Undefined>, NetworkError>;

/// The image that a map is of, as it enters the network.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// `[channels, height, width]`.
    pub values: Vec<f32>,
    /// Numbers at each place.
    pub channels: usize,
    /// Height and width.
    pub size: [usize; 2],
}

/// What a network says of the explained class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// The class's logit, or the difference of two.
    pub logit: f64,
    /// The class's probability, or the difference of two.
    pub probability: f64,
}

impl Score {
    /// The number of a scale.
    #[must_use]
    pub fn on(self, scale: Scale) -> f64 {
        match scale {
            Scale::Probability => self.probability,
            Scale::Logit => self.logit,
        }
    }
}

/// Why copies could not go through the network: it failed, or the user has asked for an end.
pub type NetworkError = Box<dyn Error + Send + Sync>;

/// What the network makes of copies of the image, `[copies, channels, height, width]`: a score each, in their order.
pub type Pass<'a> = dyn FnMut(&[f32]) -> Result<Vec<Score>, NetworkError> + 'a;

/// The maps of copies of the image, `[copies, channels, height, width]`, in their order.
pub type Explain<'a> =
    dyn FnMut(&[f32]) -> Result<Vec<Result<Evidence, Undefined>>, NetworkError> + 'a;

/// Numbers of a map that several measures are made of, by name.
pub type Memory = BTreeMap<&'static str, Result<Vec<f64>, Undefined>>;

/// An image, and a way through the network for changed copies of it.
pub struct Network<'a> {
    /// The image.
    pub image: &'a Image,
    /// Its score.
    pub whole: Score,
    /// What the numbers of a black pixel are, for each channel.
    pub black: &'a [f32],
    /// A seed for what is drawn: of the run and the image alone.
    pub seed: u64,
    /// Copies that go through the network at once, at most.
    pub at_once: usize,
    /// How scores are read and what removed places become.
    pub protocol: &'a Protocol,
    /// The image after JPEG compression, `[channels, height, width]`: see [`JPEG_QUALITY`](crate::JPEG_QUALITY).
    pub compressed: &'a [f32],
    /// What measures of this map have found already, for those that share it.
    pub memory: Memory,
    /// What measures of any map of the image have found already: scores that do not depend on the map.
    pub shared: &'a mut Memory,
    /// The way through the network.
    pub pass: &'a mut Pass<'a>,
    /// The maps of the same class, layers and method for changed copies.
    pub explain: &'a mut Explain<'a>,
}

impl Measure {
    /// Whether maps and controls compare by it: a control is no better for staying the same or for having few places.
    #[must_use]
    pub fn is_judged(&self) -> bool {
        self.better.is_some() && matches!(self.group, Group::Faithfulness | Group::GroundTruth)
    }
}

/// Numbers that several measures are made of, or why there are none.
type Shared = Result<Result<Vec<f64>, Undefined>, NetworkError>;

impl Network<'_> {
    /// What is remembered of the image under this name, or what `compute` gives: the same for all its maps.
    pub(crate) fn shared(
        &mut self,
        name: &'static str,
        compute: impl FnOnce(&mut Self) -> Shared,
    ) -> Shared {
        self.recalled(|network| network.shared, name, compute)
    }

    /// What is remembered of the map under this name, or what `compute` gives.
    pub(crate) fn remembered(
        &mut self,
        name: &'static str,
        compute: impl FnOnce(&mut Self) -> Shared,
    ) -> Shared {
        self.recalled(|network| &mut network.memory, name, compute)
    }

    fn recalled(
        &mut self,
        memory: impl Fn(&mut Self) -> &mut Memory,
        name: &'static str,
        compute: impl FnOnce(&mut Self) -> Shared,
    ) -> Shared {
        if let Some(known) = memory(self).get(name) {
            return Ok(known.clone());
        }
        let values = compute(self)?;
        memory(self).insert(name, values.clone());
        Ok(values)
    }
}
