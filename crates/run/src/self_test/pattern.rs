//! Weights and images that need no file.

use burn::tensor::{Device, Tensor};
use burncam_imaging::{Frame, own_resizing, to_tensor};
use burncam_net::{InputSpec, LoadError, Source, Weight};

/// Random weights, the same on every machine, that shrink with their fan-in so that signals neither
/// die nor grow on their way through a network.
pub struct Generated;

impl Source for Generated {
    fn take(
        &mut self,
        layer: &str,
        weight: Weight,
        shape: &[usize],
    ) -> Result<Vec<f32>, LoadError> {
        let count: usize = shape.iter().product();
        let fan_in = match (weight, shape) {
            (Weight::DepthwiseKernel, [height, width, ..]) => height * width,
            _ => count / shape.last().copied().unwrap_or(1).max(1),
        };
        let fan_in = fan_in.max(1) as f32;
        let key = layer.bytes().chain(weight.name().bytes());
        let start = key.fold(0, |hash, byte| mix(hash ^ u64::from(byte)));
        let value = |index: usize| {
            let random = noise(start.wrapping_add(index as u64));
            match weight {
                // Uniform in -1..1 has a variance of 1/3; a rectifier halves it.
                Weight::Kernel
                | Weight::DepthwiseKernel
                | Weight::PointwiseKernel
                | Weight::Generated(_) => random * (6.0 / fan_in).sqrt(),
                Weight::Gamma | Weight::MovingVariance => 1.0 + 0.2 * random,
                Weight::Bias | Weight::Beta | Weight::MovingMean | Weight::Alpha => 0.02 * random,
            }
        };
        Ok((0..count).map(value).collect())
    }
}

/// SplitMix64's output function: Steele et al., *Fast Splittable Pseudorandom Number Generators*,
/// OOPSLA 2014.
fn mix(state: u64) -> u64 {
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

/// A number in -1..1.
fn noise(index: u64) -> f32 {
    (mix(index) >> 40) as f32 / (1 << 23) as f32 - 1.0
}

/// Two pictures as the network reads them, `[2, 3, height, width]`, on the CPU: broad colour
/// gradients, and edges with grain.
pub fn images(input: &InputSpec) -> Tensor<4> {
    let [height, width] =
        input.resizing.as_ref().and_then(|own| own.from).unwrap_or([input.height, input.width]);
    let smooth = |y: usize, x: usize, c: usize| match c {
        0 => 255.0 * y as f32 / height as f32,
        1 => 255.0 * x as f32 / width as f32,
        _ => 255.0 - 127.0 * (y + x) as f32 / (height + width) as f32,
    };
    let rough = |y: usize, x: usize, c: usize| {
        let square = if (y / 16 + x / 16).is_multiple_of(2) { 200.0 } else { 60.0 };
        (square + 50.0 * noise(((y * width + x) * 3 + c) as u64)).floor()
    };
    let frame = |value: &dyn Fn(usize, usize, usize) -> f32| {
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (y, x)));
        let rgb = places.flat_map(|(y, x)| [0, 1, 2].map(|c| value(y, x, c))).collect();
        own_resizing(Frame { height, width, rgb }, input)
    };
    let frames = [frame(&smooth), frame(&rough)];
    to_tensor(&frames.each_ref(), input, &Device::flex())
}

/// [`Generated`], with the kernel of one layer a hundredth larger.
#[cfg(test)]
pub struct Spoilt(pub &'static str);

#[cfg(test)]
impl Source for Spoilt {
    fn take(
        &mut self,
        layer: &str,
        weight: Weight,
        shape: &[usize],
    ) -> Result<Vec<f32>, LoadError> {
        let mut values = Generated.take(layer, weight, shape)?;
        if layer == self.0 && weight == Weight::Kernel {
            values.iter_mut().for_each(|value| *value *= 1.01);
        }
        Ok(values)
    }
}
