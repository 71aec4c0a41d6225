//! Weights and images that need no file.

use burn::tensor::{Device, Tensor};
use burncam_imaging::{Frame, own_resizing, to_tensor};
use burncam_net::{InputSpec, LoadError, Source, Weight};

/// Weights that swing around zero and shrink with their fan-in, so that signals neither die nor
/// grow on their way through a network.
pub(super) struct Waves;

impl Source for Waves {
    fn take(&mut self, _: &str, weight: Weight, shape: &[usize]) -> Result<Vec<f32>, LoadError> {
        let count: usize = shape.iter().product();
        let fan_in = (count / shape.last().copied().unwrap_or(1).max(1)).max(1) as f32;
        let value = |index: usize| match weight {
            Weight::Kernel => wave(index) * 1.7 / fan_in.sqrt(),
            Weight::Gamma | Weight::MovingVariance => 1.0 + 0.2 * wave(index),
            Weight::Bias | Weight::Beta | Weight::MovingMean => 0.02 * wave(index),
        };
        Ok((0..count).map(value).collect())
    }
}

/// A number in -1..1 that follows no visible order.
fn wave(index: usize) -> f32 {
    // The phase is computed in f64: index is large where kernels are.
    (index as f64 * 12.9898).sin() as f32
}

/// Two pictures as the network reads them, `[2, 3, height, width]`, on the CPU: broad colour
/// gradients, and edges with grain.
pub(super) fn images(input: &InputSpec) -> Tensor<4> {
    let [height, width] =
        input.resizing.as_ref().and_then(|own| own.from).unwrap_or([input.height, input.width]);
    let smooth = |y: usize, x: usize, c: usize| match c {
        0 => 255.0 * y as f32 / height as f32,
        1 => 255.0 * x as f32 / width as f32,
        _ => 255.0 - 127.0 * (y + x) as f32 / (height + width) as f32,
    };
    let rough = |y: usize, x: usize, c: usize| {
        let square = if (y / 16 + x / 16).is_multiple_of(2) { 200.0 } else { 60.0 };
        (square + 50.0 * wave((y * width + x) * 3 + c)).floor()
    };
    let frame = |value: &dyn Fn(usize, usize, usize) -> f32| {
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (y, x)));
        let rgb = places.flat_map(|(y, x)| [0, 1, 2].map(|c| value(y, x, c))).collect();
        own_resizing(Frame { height, width, rgb }, input)
    };
    let frames = [frame(&smooth), frame(&rough)];
    to_tensor(&frames.each_ref(), input, &Device::flex())
}

/// [`Waves`], with the kernel of one layer a hundredth larger.
#[cfg(test)]
pub(super) struct Spoilt(pub &'static str);

#[cfg(test)]
impl Source for Spoilt {
    fn take(
        &mut self,
        layer: &str,
        weight: Weight,
        shape: &[usize],
    ) -> Result<Vec<f32>, LoadError> {
        let mut values = Waves.take(layer, weight, shape)?;
        if layer == self.0 && weight == Weight::Kernel {
            values.iter_mut().for_each(|value| *value *= 1.01);
        }
        Ok(values)
    }
}
