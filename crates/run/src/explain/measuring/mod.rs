//! What measures say of the maps of an image, and of the controls that every map has to beat.

mod counterparts;
mod maps;
mod selection;

use anyhow::{Result, anyhow};
use burncam_attribution::{AttributionError, Target};
use burncam_imaging::stacked;
use burncam_net::{Classifier, Trace};
use burncam_record::Measurement;
use burncam_trust::regions::Regions;
use burncam_trust::{
    Baseline, CONTROLS, Compute, Image, Measure, Memory, Network, NetworkError, Protocol,
    Undefined, curve,
};

use self::maps::{Made, Maker};
use self::selection::SWEPT;
pub(crate) use self::selection::{Annotations, Measures};
use super::masks::Mask;
use super::pipeline::{Job, NetworkOutput};
use super::untrained::UntrainedNetworks;
use crate::interrupt;

/// The control of the same method on a network that has learned nothing.
const UNTRAINED: &str = "untrained";

/// An image on its way through the measures.
pub(crate) struct Subject<'a> {
    /// The job that it belongs to.
    pub job: Job<'a>,
    /// The network, and the same one untrained.
    pub networks: (&'a Classifier, Option<&'a UntrainedNetworks>),
    /// Images computed at a time.
    pub at_once: usize,
    /// The network's input.
    pub input: &'a [f32],
    /// A seed of the run and the image.
    pub seed: u64,
    /// The network's input of the image stored as JPEG.
    pub compressed: &'a [f32],
    /// Where evidence should lie, if that is known.
    pub mask: Option<&'a Mask>,
    /// The regions of the face at the size of the network's input, if they are known.
    pub regions: Option<&'a Regions>,
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
        let (mut all, mut shared) = (Vec::new(), Memory::new());
        for (index, map) in maps.iter().enumerate() {
            let name = job.model.explanations[index].spec.name.as_str();
            let maker = Maker::Method(self.networks.0, &job.explanations[index]);
            self.add(&mut all, (name, ""), (map, maker), &image, (output, &mut shared))?;
        }
        for control in CONTROLS {
            let map = Made::control((control.make)(&image, self.seed));
            self.add(
                &mut all,
                ("", control.name),
                (&map, Maker::Control(control)),
                &image,
                (output, &mut shared),
            )?;
        }
        if let Some(untrained) = self.networks.1.and_then(|networks| networks.all.first()) {
            let target = fixed(job.model.target, output.target);
            let copies = self.explain(untrained, self.input, job.explanations, target);
            let copies = copies.map_err(|error| anyhow!("{error}"))?;
            for (index, copies) in copies.iter().enumerate() {
                let name = job.model.explanations[index].spec.name.as_str();
                let Some(map) = copies.first() else { continue };
                let maker = Maker::Method(untrained, &job.explanations[index]);
                let about = (output, &mut shared);
                self.add(&mut all, (name, UNTRAINED), (map, maker), &image, about)?;
            }
        }
        self.add_counterparts(&mut all, &maps, output)?;
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
        (output, shared): (&NetworkOutput, &mut Memory),
    ) -> Result<()> {
        let spec = &self.job.part.checkpoint.input;
        let black: Vec<f32> = (0..image.channels).map(|channel| spec.value(channel, 0.0)).collect();
        let target = fixed(self.job.model.target, output.target);
        let mut memory = Memory::new();
        let (measures, map) = (&self.job.plan.measures, made.at(image.size));
        for measure in &measures.all {
            let (value, chance) = match (&measure.compute, &map) {
                (Compute::Pair(_) | Compute::RegionPair(_) | Compute::Against(..), _) => continue,
                (Compute::Mask(compute), _) => {
                    let Some(Mask { inside, size }) = self.mask else { continue };
                    with_chance(made.at(*size).and_then(|map| compute(&map, inside)))
                }
                (Compute::Regions(compute), map) => {
                    let Some(regions) = self.regions else { continue };
                    let values = map.as_ref().map_err(|&u| u).and_then(|map| compute(map, regions));
                    all.extend(by_region((name, control), measure, regions, &values));
                    continue;
                }
                (_, Err(undefined)) => (Err(*undefined), None),
                (Compute::Map(compute), Ok(map)) => (compute(map), None),
                (Compute::Network(compute), Ok(map)) => {
                    let mut pass = |copies: &[f32]| self.scores(copies, target);
                    let mut maps = |copies: &[f32]| self.maps(maker, copies, image, target);
                    let mut value = |protocol: &Protocol, memory: &mut Memory| {
                        let mut network = Network {
                            image,
                            whole: self.score(&output.logits, target),
                            black: &black,
                            seed: self.seed,
                            at_once: self.at_once,
                            protocol,
                            compressed: self.compressed,
                            memory: std::mem::take(memory),
                            shared,
                            pass: &mut pass,
                            explain: &mut maps,
                        };
                        let value = compute(map, &mut network);
                        *memory = network.memory;
                        value.map_err(|error| anyhow!("{}: {error}", measure.title))
                    };
                    let own = value(&measures.protocol, &mut memory)?;
                    for baseline in Baseline::ALL {
                        if !measures.sweep || !SWEPT.contains(&measure.name) {
                            break;
                        }
                        let protocol = Protocol { baseline, ..measures.protocol };
                        let value = match baseline == measures.protocol.baseline {
                            true => own,
                            false => value(&protocol, &mut Memory::new())?,
                        };
                        let condition = baseline.name().to_owned();
                        let one = measurement((name, control), measure, value, None);
                        all.push(Measurement { condition, ..one });
                    }
                    (own, None)
                }
            };
            let mut one = measurement((name, control), measure, value, chance);
            if value.is_ok() {
                one.curve = curve(measure, &memory);
            }
            if let (Err(Undefined::Method), Some(status)) = (value, made.status) {
                status.name().clone_into(&mut one.undefined);
            }
            all.push(one);
        }
        Ok(())
    }

    /// The measures of every two explanations.
    fn add_pairs(&self, all: &mut Vec<Measurement>, maps: &[Made], size: [usize; 2]) {
        let maps: Vec<_> = maps.iter().map(|map| map.at(size)).collect();
        for measure in &self.job.plan.measures.all {
            for (first, one) in maps.iter().enumerate() {
                for (second, other) in maps.iter().enumerate().skip(first + 1) {
                    let both = one.as_ref().and_then(|one| Ok((one, other.as_ref()?)));
                    let both = both.map_err(|&undefined| undefined);
                    let (value, chance) = match (&measure.compute, self.regions) {
                        (Compute::Pair(compute), _) => {
                            (both.and_then(|(one, other)| compute(one, other)), None)
                        }
                        (Compute::RegionPair(compute), Some(regions)) => {
                            let value = both.and_then(|(one, other)| compute(one, other, regions));
                            with_chance(value)
                        }
                        _ => continue,
                    };
                    let name = |index: usize| &self.job.model.explanations[index].spec.name;
                    let names = format!("{} ~ {}", name(first), name(second));
                    all.push(measurement((&names, ""), measure, value, chance));
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
}

/// A value and what chance gives, or why there is neither.
fn with_chance(value: Result<(f64, f64), Undefined>) -> (Result<f64, Undefined>, Option<f64>) {
    match value {
        Ok((value, chance)) => (Ok(value), Some(chance)),
        Err(undefined) => (Err(undefined), None),
    }
}

/// A measurement of each region that has a pixel.
fn by_region(
    name: (&str, &str),
    measure: &Measure,
    regions: &Regions,
    values: &Result<Vec<(f64, f64)>, Undefined>,
) -> Vec<Measurement> {
    let one = |(index, region): (usize, &String)| {
        let value = values.as_ref().map(|values| values[index]).map_err(|&undefined| undefined);
        let (value, chance) = with_chance(value);
        let condition = region.clone();
        Measurement { condition, ..measurement(name, measure, value, chance) }
    };
    let there = |(index, _): &(usize, &String)| {
        values.as_ref().is_ok_and(|values| values[*index].1 > 0.0) || values.is_err()
    };
    regions.names().iter().enumerate().filter(there).map(one).collect()
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
        condition: String::new(),
        value: value.ok(),
        chance,
        undefined: value.err().map_or_else(String::new, |undefined| undefined.name().to_owned()),
        curve: Vec::new(),
    }
}

/// The class that the maps of an image explain, whatever copies of it are taken for.
fn fixed(target: Target, class: usize) -> Target {
    match target {
        Target::Predicted => Target::Class(class),
        target => target,
    }
}
