//! Maps that are measured: those of the image, of changed copies of it, and of other networks.

use burncam_attribution::{Explanation, MapStatus, Question, Target, explain};
use burncam_evaluation::{Values, resample};
use burncam_imaging::stacked;
use burncam_net::Classifier;
use burncam_trust::{Control, Evidence, Image, NetworkError, Undefined};

use super::Subject;
use crate::interrupt;

/// What makes a map, of the image or of a copy.
#[derive(Clone, Copy)]
pub(super) enum Maker<'a> {
    Method(&'a Classifier, &'a Explanation),
    Control(&'static Control),
}

/// A map as it was made, and what its values mean; or why there is none.
pub(super) struct Made {
    values: Vec<f32>,
    size: (usize, usize),
    kind: Values,
    /// Why the method gives none.
    pub(super) status: Option<MapStatus>,
}

impl Made {
    pub(super) fn new(
        explanation: &Explanation,
        values: &[f32],
        size: (usize, usize),
        undefined: Option<MapStatus>,
    ) -> Self {
        let kind = crate::explain::spec::values(explanation.method.sign);
        Self { values: values.to_vec(), size, kind, status: undefined }
    }

    pub(super) fn control(map: Evidence) -> Self {
        let [height, width] = map.size;
        Self { values: map.values, size: (height, width), kind: map.kind, status: None }
    }

    /// The map at a size.
    pub(super) fn at(&self, size: [usize; 2]) -> Result<Evidence, Undefined> {
        match self.status {
            Some(_) => Err(Undefined::Method),
            None => {
                let values = resample(&self.values, self.size, (size[0], size[1]));
                Evidence::new(values, size, self.kind)
            }
        }
    }

    /// The map as the method gives it, with the values below 0 that are not shown.
    pub(super) fn raw(&self) -> Result<Evidence, Undefined> {
        let kind = if self.kind == Values::Positive { Values::Signed } else { self.kind };
        match self.status {
            Some(_) => Err(Undefined::Method),
            None => Evidence::new(self.values.clone(), [self.size.0, self.size.1], kind),
        }
    }
}

impl Subject<'_> {
    /// The maps of copies of the image, as the map of the image was made.
    pub(super) fn maps(
        &self,
        maker: Maker<'_>,
        copies: &[f32],
        image: &Image,
        target: Target,
    ) -> Result<Vec<Result<Evidence, Undefined>>, NetworkError> {
        match maker {
            Maker::Method(network, explanation) => {
                let own = std::slice::from_ref(explanation);
                let maps = self.explain(network, copies, own, target)?;
                Ok(maps.into_iter().flatten().map(|map| map.at(image.size)).collect())
            }
            Maker::Control(control) => {
                let copies = copies.chunks_exact(image.values.len().max(1));
                let copy = |values: &[f32]| Image { values: values.to_vec(), ..image.clone() };
                Ok(copies.map(|values| Ok((control.make)(&copy(values), self.seed))).collect())
            }
        }
    }

    /// The maps of copies of the image by a network, for each explanation one of each copy.
    pub(super) fn explain(
        &self,
        network: &Classifier,
        copies: &[f32],
        explanations: &[Explanation],
        target: Target,
    ) -> Result<Vec<Vec<Made>>, NetworkError> {
        let spec = &self.job.part.checkpoint.input;
        let images: Vec<&[f32]> = copies.chunks_exact(self.input.len().max(1)).collect();
        let mut all: Vec<Vec<Made>> = explanations.iter().map(|_| Vec::new()).collect();
        for some in images.chunks(self.at_once.max(1)) {
            let seeds = vec![self.seed; some.len()];
            let question = Question {
                explanations,
                target,
                score: self.job.model.score,
                seeds: &seeds,
                interrupted: &interrupt::asked,
                passed: &|_| {},
            };
            let maps = explain(network, stacked(some, spec, network.device()), &question)?;
            let made = maps.maps.iter().zip(&maps.sizes).zip(&maps.undefined);
            for (index, ((maps, &[height, width]), undefined)) in made.enumerate() {
                let (one, maps) = (&explanations[index], maps.iter().zip(undefined));
                all[index].extend(
                    maps.map(|(map, undefined)| Made::new(one, map, (height, width), *undefined)),
                );
            }
        }
        Ok(all)
    }
}
