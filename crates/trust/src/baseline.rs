//! What removed places of an image become.

use crate::imputation::impute;
use crate::{Baseline, Image, Network};
use burncam_evaluation::Random;

/// Deviation of the noise of ROAD's imputation, in the numbers that enter the network.
const NOISE: f32 = 0.01;

/// What removed places of an image become.
pub(crate) enum Removal {
    /// What they are in another image, `[channels, height, width]`.
    Image(Vec<f32>),
    /// What their neighbours say, and `NOISE` times this, `[channels, height, width]`.
    Imputed(Vec<f32>),
}

impl Removal {
    /// Equal seeds of the network give equal noise.
    pub(crate) fn new(network: &Network<'_>, baseline: Baseline) -> Self {
        let image = network.image;
        let uniform = |colours: &[f32]| {
            let places = image.size[0] * image.size[1];
            colours.iter().flat_map(|&colour| std::iter::repeat_n(colour, places)).collect()
        };
        match baseline {
            Baseline::Mean => Self::Image(uniform(&means(image))),
            Baseline::Zero => Self::Image(vec![0.0; image.values.len()]),
            Baseline::Black => Self::Image(uniform(network.black)),
            Baseline::Blur => Self::Image(blurred(image)),
            Baseline::NoisyLinear => {
                Self::Imputed(Random::new(network.seed).normal(image.values.len()))
            }
        }
    }

    /// Removes places, `[height, width]`, of a copy of the image, `[channels, height, width]`.
    pub(crate) fn apply(&self, image: &Image, removed: &[bool], copy: &mut [f32]) {
        match self {
            Self::Image(other) => replace(copy, removed, |index, _| other[index]),
            Self::Imputed(noise) => {
                if removed.contains(&false) {
                    impute(copy, image.size, removed);
                } else {
                    let means = means(image);
                    replace(copy, removed, |index, _| means[index / removed.len()]);
                }
                replace(copy, removed, |index, value| value + NOISE * noise[index]);
            }
        }
    }

    /// The image of which everything is removed, `[channels, height, width]`.
    pub(crate) fn everything(&self, image: &Image) -> Vec<f32> {
        let mut copy = image.values.clone();
        self.apply(image, &vec![true; image.size[0] * image.size[1]], &mut copy);
        copy
    }
}

/// Gives the removed places of a copy other numbers, by their index in it and what they are.
fn replace(copy: &mut [f32], removed: &[bool], number: impl Fn(usize, f32) -> f32) {
    let places = removed.len();
    for (channel, values) in copy.chunks_exact_mut(places).enumerate() {
        for (place, value) in values.iter_mut().enumerate().filter(|(place, _)| removed[*place]) {
            *value = number(channel * places + place, *value);
        }
    }
}

/// The mean of each channel.
fn means(image: &Image) -> Vec<f32> {
    let places = image.size[0] * image.size[1];
    let mean = |channel: &[f32]| {
        (channel.iter().map(|&value| f64::from(value)).sum::<f64>() / places as f64) as f32
    };
    image.values.chunks_exact(places).map(mean).collect()
}

/// A Gaussian blur. The deviation is a 20th of the height in pixels, rounded up; the kernel ends at
/// 3 deviations, and at the image's borders, where its other weights are scaled to add up to 1.
fn blurred(image: &Image) -> Vec<f32> {
    let [height, width] = image.size;
    let deviation = height.div_ceil(20).max(1);
    let kernel: Vec<f64> = (0..=3 * deviation)
        .map(|distance| (-0.5 * (distance as f64 / deviation as f64).powi(2)).exp())
        .collect();
    let mut result = Vec::with_capacity(image.values.len());
    for channel in image.values.chunks_exact(height * width) {
        let value = |place: usize| f64::from(channel[place]);
        let across: Vec<f64> = (0..height * width)
            .map(|place| {
                smooth(&kernel, place % width, width, |x| value(place - place % width + x))
            })
            .collect();
        result.extend((0..height * width).map(|place| {
            smooth(&kernel, place / width, height, |y| across[y * width + place % width]) as f32
        }));
    }
    result
}

/// The kernel's mean of a line's values around a place.
fn smooth(kernel: &[f64], place: usize, length: usize, value: impl Fn(usize) -> f64) -> f64 {
    let (first, last) = (place.saturating_sub(kernel.len() - 1), place + kernel.len());
    let [mut sum, mut weights] = [0.0; 2];
    for other in first..last.min(length) {
        let weight = kernel[place.abs_diff(other)];
        sum += weight * value(other);
        weights += weight;
    }
    sum / weights
}
