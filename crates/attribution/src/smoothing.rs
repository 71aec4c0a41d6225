//! Maps that are smoothed: the mean over changed copies of an image, or the principal component of channels.

use burn::tensor::Tensor;

use crate::methods::principal::project;
use crate::{AttributionError, Explanation, Inference, MapStatus, Maps, Question};

/// How a map is smoothed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Smoothing {
    /// By the mean of the maps of the image and its mirror image, each three times: as it is, and with everything
    /// that enters the network 0.9 and 1.1 times as large.
    pub flips: bool,
    /// By the first principal component of the weighted channels, instead of their sum.
    pub principal: bool,
}

/// Factors of what enters the network.
const FACTORS: [f32; 3] = [1.0, 0.9, 1.1];

/// Copies of an image.
pub(crate) const COPIES: usize = 2 * FACTORS.len();

/// The mean map of changed copies of the images, for the classes of the images themselves.
pub(crate) fn by_copies(
    inference: &mut Inference<'_>,
    explanation: &Explanation,
) -> Result<Maps, AttributionError> {
    let smoothing = Smoothing { flips: false, ..explanation.smoothing };
    let explanations = [Explanation { smoothing, ..explanation.clone() }];
    let question = Question { explanations: &explanations, ..*inference.question };
    let (images, mut maps, mut undefined) = (inference.images(), Vec::new(), Vec::new());
    for mirrored in [false, true] {
        for factor in FACTORS {
            let copy = if mirrored { images.clone().flip([3]) } else { images.clone() };
            let one = inference.of_copies(copy * factor, &question)?.map(&explanations[0])?;
            let ([batch, ..], [height, width]) = (one.values.dims(), one.size);
            let map = one.values.reshape([batch, 1, height, width]);
            maps.push(if mirrored { map.flip([3]) } else { map });
            undefined.push(one.undefined);
        }
    }
    let mean = maps.into_iter().reduce(|sum, map| sum + map).map(|sum| sum / COPIES as f32);
    let mean = mean.ok_or(AttributionError::Layers { count: 0 })?;
    let [_, _, height, width] = mean.dims();
    // It is undefined where every copy's is.
    let both =
        |(one, other): ((MapStatus, Tensor<2>), (MapStatus, Tensor<2>))| (one.0, one.1 * other.1);
    let undefined = undefined.into_iter().reduce(|one, other| one.zip(other).map(both)).flatten();
    Ok(Maps { values: mean.flatten(2, 3), size: [height, width], undefined })
}

impl Explanation {
    /// The map of weighted channels, `[batch, channels, height, width]`: their sum, or what they have in common.
    pub(crate) fn total(&self, channels: Tensor<4>) -> Result<Maps, AttributionError> {
        match self.smoothing.principal {
            true => project(channels, false),
            false => Ok(Maps::sum(channels)),
        }
    }
}
