//! Where the time of a batch goes on a GPU.

use std::time::Instant;

use anyhow::{Context, Result};
use burn::tensor::{Device, Tensor};
use burncam_imaging::stacked;
use burncam_net::layers::weighted_sums;
use burncam_net::{Classifier, InputSpec, Trace};

/// Names of the stages, in order: to the device, the layers up to the one that is explained, those behind
/// it, the gradient, and map and results back to the CPU.
const NAMES: [&str; 5] = ["upload", "trunk", "head", "gradient", "map"];

/// Batches, of which the quickest counts at each stage.
const BATCHES: usize = 8;

/// Milliseconds of an image at each stage. The device is waited for after each, which a run does not do:
/// so the sum may be more than the whole takes.
pub(super) fn milliseconds(
    classifier: &Classifier,
    layer: &str,
    inputs: &[&[f32]],
    input: &InputSpec,
) -> Result<String> {
    let mut best = [f64::INFINITY; NAMES.len()];
    for _ in 0..BATCHES {
        for (best, found) in best.iter_mut().zip(batch(classifier, layer, inputs, input)?) {
            *best = best.min(found);
        }
    }
    let an_image = best.map(|seconds| seconds * 1e3 / inputs.len() as f64);
    let named = NAMES.iter().zip(an_image).map(|(name, time)| format!("{name}={time}"));
    Ok(named.collect::<Vec<_>>().join(" "))
}

/// Seconds of a batch at each stage.
fn batch(
    classifier: &Classifier,
    layer: &str,
    inputs: &[&[f32]],
    input: &InputSpec,
) -> Result<[f64; NAMES.len()]> {
    let device = classifier.device();
    let mut clock = Clock { last: Instant::now(), device };

    let images = stacked(inputs, input, device);
    let upload = clock.lap()?;

    let mut leaf = None;
    let mut trunk = Ok(0.0);
    let mut tap = |_: &str, output: Tensor<4>| {
        trunk = clock.lap();
        leaf.insert(output.autodiff().require_grad()).clone()
    };
    let logits = classifier.logits(images, &mut Trace::at(&[layer], &mut tap));
    let head = clock.lap()?;

    let leaf = leaf.context("the network does not come by its own layer")?;
    let gradients = logits.clone().max_dim(1).sum().backward();
    let gradients = leaf.grad(&gradients).context("the class does not depend on the layer")?;
    let gradient = clock.lap()?;

    let _ = weighted_sums(leaf.inner(), gradients).try_into_data()?;
    let _ = logits.inner().try_into_data()?;
    Ok([upload, trunk?, head, gradient, clock.lap()?])
}

struct Clock<'a> {
    last: Instant,
    device: &'a Device,
}

impl Clock<'_> {
    /// Seconds since the last time, when the device has done all that it was told.
    fn lap(&mut self) -> Result<f64> {
        self.device.sync().context("the device fails")?;
        let now = Instant::now();
        Ok((now - std::mem::replace(&mut self.last, now)).as_secs_f64())
    }
}
