//! Noisy copies of images.

use burn::tensor::{Tensor, TensorData};
use burncam_net::Tap;

use super::channels::maxima;
use crate::{
    AttributionError, Explanation, Inference, Likeness, MethodOption, Needs, Passes, Peer, Random,
};

/// Noisy copies of an image.
const SAMPLES: MethodOption = MethodOption::count("samples", 50, "noisy copies of an image");

/// The noise's deviation.
pub(super) const NOISE: MethodOption =
    MethodOption::number("noise", 0.15, [0.0, 1000.0], "deviation of the noise");

/// What the deviation is measured by.
pub(super) const UNIT: MethodOption = MethodOption::word(
    "unit",
    &["range", "input"],
    "what the noise is measured by: the image's range, or the numbers that enter the network",
);

/// The options of methods of pixels' gradients.
pub(super) static OPTIONS: &[MethodOption] = &[SAMPLES, NOISE, UNIT];

/// How libraries compute these methods.
pub(super) static PEERS: &[(Peer, Likeness)] = &[
    (Peer::Captum, Likeness::Options("samples=5,noise=1,unit=input")),
    (Peer::Xplique, Likeness::Options("noise=0.2,unit=input")),
];

/// What they need of a network.
pub(super) const NEEDS: Needs =
    Needs { passes: Passes::Option("samples"), seeded: true, ..Needs::COPIES };

/// Makes noise for the images of a batch, each from its own numbers.
pub(super) struct Noise {
    draws: Vec<Random>,
    deviations: Tensor<4>,
}

impl Noise {
    /// As much of it as the options `noise` and `unit` say.
    pub(super) fn new(inference: &Inference<'_>, explanation: &Explanation) -> Self {
        let images = inference.images();
        let [batch, channels, height, width] = images.dims();
        let deviation = explanation.settings.number("noise") as f32;
        let flat = images.reshape([batch, 1, channels * height, width]);
        let ranges = maxima(flat.clone()) + maxima(flat.neg());
        let deviations = match explanation.settings.is("unit", "input") {
            true => ranges.ones_like() * deviation,
            false => ranges * deviation,
        };
        Self { draws: (0..batch).map(|image| inference.random(image)).collect(), deviations }
    }

    /// The next numbers in 0..1, one an image: `[batch, 1, 1, 1]`.
    pub(super) fn shares(&mut self) -> Tensor<4> {
        let shares: Vec<f32> = self.draws.iter_mut().map(Random::share).collect();
        let count = shares.len();
        Tensor::from_data(TensorData::new(shares, [count, 1, 1, 1]), &self.deviations.device())
    }

    /// The images with the next noise on them.
    pub(super) fn on(&mut self, images: Tensor<4>) -> Tensor<4> {
        let dims = images.dims();
        let count = dims[1..].iter().product();
        let numbers: Vec<f32> = self.draws.iter_mut().flat_map(|draw| draw.normal(count)).collect();
        let noise = Tensor::<4>::from_data(TensorData::new(numbers, dims), &images.device());
        images + noise * self.deviations.clone()
    }
}

/// The means, over noisy copies, of the first so many powers of the gradient at a place.
pub(super) fn moments<const N: usize>(
    inference: &mut Inference<'_>,
    explanation: &Explanation,
    place: &Tap,
) -> Result<[Tensor<4>; N], AttributionError> {
    let (images, samples) = (inference.images(), explanation.settings.count("samples"));
    let mut noise = Noise::new(inference, explanation);
    let mut sums: Option<[Tensor<4>; N]> = None;
    for _ in 0..samples {
        let gradients = inference.gradients_of(noise.on(images.clone()), place)?;
        let power = |index: usize| match index {
            0 => gradients.clone(),
            index => gradients.clone().powi_scalar(index as i32 + 1),
        };
        let powers = std::array::from_fn(power);
        sums = Some(match sums {
            None => powers,
            Some(sums) => {
                let mut sums = sums.into_iter().zip(powers).map(|(sum, power)| sum + power);
                std::array::from_fn(|_| sums.next().expect("as many"))
            }
        });
    }
    let sums = sums.ok_or(AttributionError::Layers { count: 0 })?;
    Ok(sums.map(|sum| sum / samples as f32))
}
