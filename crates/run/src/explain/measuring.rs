//! What measures say of the maps of an image, and of the controls that every map has to beat.

use anyhow::{Result, anyhow, bail};
use burncam_attribution::{AttributionError, Explanation, MapStatus, Question, Target, explain};
use burncam_evaluation::{Values, resample};
use burncam_imaging::stacked;
use burncam_net::{Classifier, Trace};
use burncam_record::Measurement;
use burncam_trust::{
    CONTROLS, Compute, Control, Evidence, Image, MEASURES, Measure, Memory, Network, NetworkError,
    Protocol, Undefined,
};

use super::masks::Mask;
use super::pipeline::{Job, NetworkOutput};
use crate::interrupt;

/// The control of the same method on a network that has learned nothing.
const UNTRAINED: &str = "untrained";

/// The word for all measures.
const ALL: &str = "all";

/// The measures of a run.
pub(crate) struct Measures {
    /// In the order of the list.
    pub all: Vec<&'static Measure>,
    /// How they are computed.
    pub protocol: Protocol,
}

impl Measures {
    /// The measures of these names; `all` are all that need no mask, or all if there are masks.
    ///
    /// # Errors
    ///
    /// If there is no such measure.
    pub(crate) fn new(names: &[String], protocol: Protocol, has_masks: bool) -> Result<Self> {
        let is_mask = |measure: &Measure| matches!(measure.compute, Compute::Mask(_));
        for name in names.iter().filter(|name| *name != ALL) {
            match burncam_trust::find(name) {
                None => {
                    let known: Vec<&str> = MEASURES.iter().map(|measure| measure.name).collect();
                    bail!(
                        "there is no measure `{name}`\nhint: the measures are {}, or all",
                        known.join(", ")
                    )
                }
                Some(measure) if is_mask(measure) && !has_masks => bail!(
                    "{name} compares maps with masks\nhint: --masks is the folder of masks, each called as its image"
                ),
                Some(_) => {}
            }
        }
        let every = names.iter().any(|name| name == ALL);
        let is_wanted = |measure: &&&'static Measure| {
            let named = names.iter().any(|name| name == measure.name);
            named || every && (has_masks || !is_mask(measure))
        };
        Ok(Self { all: MEASURES.iter().filter(is_wanted).copied().collect(), protocol })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

/// What makes a map, of the image or of a copy.
#[derive(Clone, Copy)]
enum Maker<'a> {
    Method(&'a Classifier, &'a Explanation),
    Control(&'static Control),
}

/// An image on its way through the measures.
pub(crate) struct Subject<'a> {
    /// The job that it belongs to.
    pub job: Job<'a>,
    /// The network, and the same one untrained.
    pub networks: (&'a Classifier, Option<&'a Classifier>),
    /// Images computed at a time.
    pub at_once: usize,
    /// The network's input.
    pub input: &'a [f32],
    /// A seed of the run and the image.
    pub seed: u64,
    /// Where evidence should lie, if that is known.
    pub mask: Option<&'a Mask>,
}

/// A map as it was made, and what its values mean; or why there is none.
struct Made {
    values: Vec<f32>,
    size: (usize, usize),
    kind: Values,
    undefined: Option<Undefined>,
}

impl Made {
    fn new(
        explanation: &Explanation,
        values: &[f32],
        size: (usize, usize),
        undefined: Option<MapStatus>,
    ) -> Self {
        let kind = super::spec::values(explanation.method.sign);
        let undefined = undefined.map(|_| Undefined::Method);
        Self { values: values.to_vec(), size, kind, undefined }
    }

    fn control(map: Evidence) -> Self {
        let [height, width] = map.size;
        Self { values: map.values, size: (height, width), kind: map.kind, undefined: None }
    }

    /// The map at a size.
    fn at(&self, size: [usize; 2]) -> Result<Evidence, Undefined> {
        match self.undefined {
            Some(undefined) => Err(undefined),
            None => {
                let values = resample(&self.values, self.size, (size[0], size[1]));
                Evidence::new(values, size, self.kind)
            }
        }
    }
}

impl Subject<'_> {
    /// Every measure of every map and control.
    ///
    /// # Errors
    ///
    /// If the device fails, or the user has asked for an end.
    pub(crate) fn measure(&self, output: &NetworkOutput) -> Result<Vec<Measurement>> {
        let (job, spec) = (self.job, &self.job.part.checkpoint.input);
        let size = [spec.height, spec.width];
        let image = Image { values: self.input.to_vec(), channels: spec.order.channels(), size };
        let made = job.explanations.iter().zip(&output.maps).zip(&output.undefined);
        let maps: Vec<Made> = made
            .map(|((one, (map, from)), undefined)| Made::new(one, map, *from, *undefined))
            .collect();
        let mut all = Vec::new();
        for (index, map) in maps.iter().enumerate() {
            let name = job.model.explanations[index].spec.name.as_str();
            let maker = Maker::Method(self.networks.0, &job.explanations[index]);
            self.add(&mut all, (name, ""), (map, maker), &image, output)?;
        }
        for control in CONTROLS {
            let map = Made::control((control.make)(&image, self.seed));
            self.add(
                &mut all,
                ("", control.name),
                (&map, Maker::Control(control)),
                &image,
                output,
            )?;
        }
        if let Some(untrained) = self.networks.1 {
            let target = fixed(job.model.target, output.target);
            let copies = self.explain(untrained, self.input, job.explanations, target);
            let copies = copies.map_err(|error| anyhow!("{error}"))?;
            for (index, copies) in copies.iter().enumerate() {
                let name = job.model.explanations[index].spec.name.as_str();
                let Some(map) = copies.first() else { continue };
                let maker = Maker::Method(untrained, &job.explanations[index]);
                self.add(&mut all, (name, UNTRAINED), (map, maker), &image, output)?;
            }
        }
        self.add_pairs(&mut all, &maps, size);
        Ok(all)
    }

    /// The measures of one map.
    fn add(
        &self,
        all: &mut Vec<Measurement>,
        (name, control): (&str, &str),
        (made, maker): (&Made, Maker<'_>),
        image: &Image,
        output: &NetworkOutput,
    ) -> Result<()> {
        let spec = &self.job.part.checkpoint.input;
        let black: Vec<f32> = (0..image.channels).map(|channel| spec.value(channel, 0.0)).collect();
        let target = fixed(self.job.model.target, output.target);
        let mut memory = Memory::new();
        let (measures, map) = (&self.job.plan.measures, made.at(image.size));
        for measure in &measures.all {
            let (value, chance) = match (&measure.compute, &map) {
                (Compute::Pair(_), _) => continue,
                (Compute::Mask(compute), _) => {
                    let Some(Mask { inside, size }) = self.mask else { continue };
                    match made.at(*size).and_then(|map| compute(&map, inside)) {
                        Ok((value, chance)) => (Ok(value), Some(chance)),
                        Err(undefined) => (Err(undefined), None),
                    }
                }
                (_, Err(undefined)) => (Err(*undefined), None),
                (Compute::Map(compute), Ok(map)) => (compute(map), None),
                (Compute::Network(compute), Ok(map)) => {
                    let mut pass = |copies: &[f32]| self.scores(copies, target);
                    let mut maps = |copies: &[f32]| self.maps(maker, copies, image, target);
                    let mut network = Network {
                        image,
                        whole: self.score(&output.logits, target),
                        black: &black,
                        seed: self.seed,
                        at_once: self.at_once,
                        protocol: &measures.protocol,
                        memory: std::mem::take(&mut memory),
                        pass: &mut pass,
                        explain: &mut maps,
                    };
                    let value = compute(map, &mut network);
                    memory = network.memory;
                    (value.map_err(|error| anyhow!("{}: {error}", measure.title))?, None)
                }
            };
            all.push(measurement((name, control), measure, value, chance));
        }
        Ok(())
    }

    /// The measures of every two explanations.
    fn add_pairs(&self, all: &mut Vec<Measurement>, maps: &[Made], size: [usize; 2]) {
        let maps: Vec<_> = maps.iter().map(|map| map.at(size)).collect();
        for measure in &self.job.plan.measures.all {
            let Compute::Pair(compute) = measure.compute else { continue };
            for (first, one) in maps.iter().enumerate() {
                for (second, other) in maps.iter().enumerate().skip(first + 1) {
                    let value = match (one, other) {
                        (Ok(one), Ok(other)) => compute(one, other),
                        (Err(undefined), _) | (_, Err(undefined)) => Err(*undefined),
                    };
                    let name = |index: usize| &self.job.model.explanations[index].spec.name;
                    let both = format!("{} ~ {}", name(first), name(second));
                    all.push(measurement((&both, ""), measure, value, None));
                }
            }
        }
    }

    /// The scores of copies of the image, `[copies, channels, height, width]`.
    fn scores(
        &self,
        copies: &[f32],
        target: Target,
    ) -> Result<Vec<burncam_trust::Score>, NetworkError> {
        if interrupt::asked() {
            return Err(AttributionError::Interrupted.into());
        }
        let spec = &self.job.part.checkpoint.input;
        let images: Vec<&[f32]> = copies.chunks_exact(self.input.len().max(1)).collect();
        let images = stacked(&images, spec, self.networks.0.device());
        let logits = self.networks.0.logits(images, &mut Trace::none()).into_data();
        let logits = logits.convert::<f32>().try_to_vec::<f32>();
        let logits = logits.map_err(|error| format!("the device failed: {error:?}"))?;
        let classes = self.job.model.classes.len().max(1);
        Ok(logits.chunks_exact(classes).map(|logits| self.score(logits, target)).collect())
    }

    fn score(&self, logits: &[f32], target: Target) -> burncam_trust::Score {
        let probabilities = self.job.part.checkpoint.head.output().probabilities(logits);
        let value = |values: &[f32]| {
            let value = |class: Option<usize>| {
                class.and_then(|class| values.get(class)).map_or(0.0, |&value| f64::from(value))
            };
            value(target.class()) - value(target.other())
        };
        burncam_trust::Score { logit: value(logits), probability: value(&probabilities) }
    }

    /// The maps of copies of the image, as the map of the image was made.
    fn maps(
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
    fn explain(
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

fn measurement(
    (explanation, control): (&str, &str),
    measure: &Measure,
    value: Result<f64, Undefined>,
    chance: Option<f64>,
) -> Measurement {
    Measurement {
        explanation: explanation.to_owned(),
        control: control.to_owned(),
        measure: measure.name.to_owned(),
        value: value.ok(),
        chance,
        undefined: value.err().map_or_else(String::new, |undefined| undefined.name().to_owned()),
    }
}

/// The class that the maps of an image explain, whatever copies of it are taken for.
fn fixed(target: Target, class: usize) -> Target {
    match target {
        Target::Predicted => Target::Class(class),
        target => target,
    }
}
