//! Networks that have forgotten some or all of what they learned.

use anyhow::Result;
use burncam_net::{Build, Classifier, Randomisation, units};
use burncam_trust::{Compute, Counterpart, Measure, RANDOM_NETWORKS, steps};
use burncam_weights::Resolved;

use crate::device::Choice;

/// Networks of a checkpoint with untrained layers. Layers that several have are held once.
pub(crate) struct UntrainedNetworks {
    /// Without any trained layer: the first is the control; several draws of weights where measures need them.
    pub all: Vec<Classifier>,
    /// With more and more untrained layers, from the head on, to all.
    pub head_down: Vec<Step>,
    /// The same from the first layer on.
    pub stem_up: Vec<Step>,
}

/// Some untrained layers.
pub(crate) struct Step {
    /// The last of them.
    pub layer: String,
    /// A network for each draw of weights; none where all layers are untrained, since those are there.
    pub networks: Vec<Classifier>,
}

/// The networks that measures need; `trained` is how the trained one is built.
pub(crate) fn untrained(
    checkpoint: &Resolved,
    choice: &Choice,
    trained: Build<'_>,
    seed: u64,
    measures: &[&Measure],
) -> Result<UntrainedNetworks> {
    let units = units(&checkpoint.layers, &checkpoint.head);
    let needs = |one: Counterpart| {
        measures
            .iter()
            .any(|measure| matches!(measure.compute, Compute::Against(of, _) if of == one))
    };
    let build = |layers: &[String], draw: u64| -> Result<Classifier> {
        let seed = seed.wrapping_add(draw << 32);
        let randomisation = Some(Randomisation { layers, seed });
        Ok(checkpoint.build_with(&choice.device, Build { randomisation, ..trained })?)
    };
    let [head_down, stem_up] = [Counterpart::HeadDown, Counterpart::StemUp].map(needs);
    let draws =
        if head_down || stem_up || needs(Counterpart::Untrained) { RANDOM_NETWORKS } else { 1 };
    let every = units.concat();
    let all = (0..draws).map(|draw| build(&every, draw)).collect::<Result<_>>()?;
    let cascade = |units: &[Vec<String>], is_needed: bool| -> Result<Vec<Step>> {
        let counts = if is_needed { steps(units.len()) } else { Vec::new() };
        let step = |count: usize| {
            let layer = units[count - 1].first().cloned().unwrap_or_default();
            let layers = units[..count].concat();
            let partial = count < units.len();
            let networks = (0..RANDOM_NETWORKS).filter(|_| partial);
            let networks = networks.map(|draw| build(&layers, draw)).collect::<Result<_>>()?;
            Ok(Step { layer, networks })
        };
        counts.into_iter().map(step).collect()
    };
    let stem_up = cascade(&units, stem_up)?;
    let reversed: Vec<Vec<String>> = units.into_iter().rev().collect();
    Ok(UntrainedNetworks { all, head_down: cascade(&reversed, head_down)?, stem_up })
}
