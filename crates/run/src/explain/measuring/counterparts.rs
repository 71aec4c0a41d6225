//! Maps that ought to differ from the method's: of networks that have forgotten what they learned, and of other classes.

use anyhow::{Result, anyhow};
use burncam_attribution::Target;
use burncam_net::Classifier;
use burncam_record::Measurement;
use burncam_trust::{Compare, Compute, Counterpart, Measure, Undefined};

use super::maps::Made;
use super::{Subject, fixed, measurement};
use crate::explain::pipeline::NetworkOutput;

/// The maps of a step: a name where there are several steps, and for each draw of weights a map of each explanation.
struct Step {
    condition: String,
    draws: Vec<Vec<Made>>,
}

impl Subject<'_> {
    /// The measures that compare every map with others of the image.
    pub(super) fn add_counterparts(
        &self,
        all: &mut Vec<Measurement>,
        maps: &[Made],
        output: &NetworkOutput,
    ) -> Result<()> {
        let measures = &self.job.plan.measures.all;
        for counterpart in [
            Counterpart::HeadDown,
            Counterpart::StemUp,
            Counterpart::Untrained,
            Counterpart::OtherClass,
        ] {
            let own = measures.iter().filter_map(|&measure| match measure.compute {
                Compute::Against(of, compare) if of == counterpart => Some((measure, compare)),
                _ => None,
            });
            let own: Vec<(&Measure, Compare)> = own.collect();
            if own.is_empty() {
                continue;
            }
            let steps = self.steps(counterpart, output)?;
            for (measure, compare) in own {
                for (index, map) in maps.iter().enumerate() {
                    self.add_steps(all, (index, map), &steps, (measure, compare));
                }
            }
        }
        Ok(())
    }

    /// A value for each step, and their mean.
    fn add_steps(
        &self,
        all: &mut Vec<Measurement>,
        (index, map): (usize, &Made),
        steps: &[Step],
        (measure, compare): (&Measure, Compare),
    ) {
        let name = (self.job.model.explanations[index].spec.name.as_str(), "");
        let raw = map.raw();
        let value = |step: &Step| {
            let draws = step.draws.iter().filter_map(|maps| maps.get(index));
            let values = draws.map(|other| compare(raw.as_ref().map_err(|&u| u)?, &other.raw()?));
            mean(values)
        };
        let values: Vec<_> = steps.iter().map(value).collect();
        let of_all = mean(values.iter().copied());
        all.push(measurement(name, measure, of_all, None));
        for (step, value) in steps.iter().zip(values).filter(|(step, _)| !step.condition.is_empty())
        {
            let condition = step.condition.clone();
            all.push(Measurement { condition, ..measurement(name, measure, value, None) });
        }
    }

    fn steps(&self, counterpart: Counterpart, output: &NetworkOutput) -> Result<Vec<Step>> {
        let own = fixed(self.job.model.target, output.target);
        let draws = |networks: &mut dyn Iterator<Item = &Classifier>, target| {
            networks.map(|network| self.one_of_each(network, target)).collect::<Result<Vec<_>>>()
        };
        let Some(untrained) = self.networks.1 else { return Ok(Vec::new()) };
        let cascade = match counterpart {
            Counterpart::HeadDown => &untrained.head_down,
            Counterpart::StemUp => &untrained.stem_up,
            Counterpart::Untrained => {
                let draws = draws(&mut untrained.all.iter(), own)?;
                return Ok(vec![Step { condition: String::new(), draws }]);
            }
            Counterpart::OtherClass => {
                let other = other_class(own, &output.logits);
                let draws = draws(&mut std::iter::once(self.networks.0), other)?;
                return Ok(vec![Step { condition: String::new(), draws }]);
            }
        };
        let steps = cascade.iter().map(|step| {
            let mut networks = step.networks.iter().chain(match step.networks.is_empty() {
                true => untrained.all.iter(),
                false => [].iter(),
            });
            Ok(Step { condition: step.layer.clone(), draws: draws(&mut networks, own)? })
        });
        steps.collect()
    }

    /// The image's map of each explanation by a network.
    fn one_of_each(&self, network: &Classifier, target: Target) -> Result<Vec<Made>> {
        let maps = self.explain(network, self.input, self.job.explanations, target);
        let maps = maps.map_err(|error| anyhow!("{error}"))?;
        Ok(maps.into_iter().filter_map(|maps| maps.into_iter().next()).collect())
    }
}

/// The mean of the values that are defined; the first reason if none is.
fn mean(values: impl Iterator<Item = Result<f64, Undefined>>) -> Result<f64, Undefined> {
    let (mut sum, mut count, mut reason) = (0.0, 0, None);
    for value in values {
        match value {
            Ok(value) => (sum, count) = (sum + value, count + 1),
            Err(undefined) => reason = reason.or(Some(undefined)),
        }
    }
    match count {
        0 => Err(reason.unwrap_or(Undefined::Method)),
        count => Ok(sum / f64::from(count)),
    }
}

/// The most likely of the other classes; of a difference, the opposite.
fn other_class(target: Target, logits: &[f32]) -> Target {
    match target {
        Target::Difference(one, other) => Target::Difference(other, one),
        Target::Class(class) => {
            let others = logits.iter().enumerate().filter(|(other, _)| *other != class);
            let other = others.max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(other, _)| other);
            Target::Class(other.unwrap_or(class))
        }
        Target::Predicted => Target::Predicted,
    }
}
