//! Grad-CAM.
//!
//! Selvaraju et al., *Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
//! Localization*, ICCV 2017, <https://arxiv.org/abs/1610.02391>.

use burn::tensor::Tensor;

use crate::scene::rows;
use crate::{CamError, Scene};

/// The importance of each channel: the mean of the gradient over the layer's positions.
///
/// # Shapes
///
/// `[batch, channels]`.
#[must_use]
pub fn channel_weights(scene: &Scene) -> Tensor<2> {
    importance(scene.gradients.clone())
}

fn importance(gradients: Tensor<4>) -> Tensor<2> {
    gradients.flatten::<3>(2, 3).mean_dim(2).squeeze_dim(2)
}

/// The sum of the layer's channels, each times its importance: a raw map for each image, row by
/// row, before any rectification or scaling.
///
/// # Shapes
///
/// `batch` maps of `height * width` values each.
///
/// # Errors
///
/// If the device fails to hand the maps back.
pub fn grad_cam(scene: &Scene) -> Result<Vec<Vec<f32>>, CamError> {
    let [.., height, width] = scene.activations.dims();
    let maps = maps(scene.activations.clone(), scene.gradients.clone());
    let data = maps.try_into_data().map_err(|error| CamError::read_back("the maps", &error))?;
    let values =
        data.try_to_vec::<f32>().map_err(|error| CamError::read_back("the maps", &error))?;
    Ok(rows(values, height * width))
}

/// The raw maps on the device, `[batch, 1, height * width]`, of activations and gradients
/// `[batch, channels, height, width]`.
pub(crate) fn maps(activations: Tensor<4>, gradients: Tensor<4>) -> Tensor<3> {
    let [batch, channels, height, width] = activations.dims();
    let weights = importance(gradients).reshape([batch, 1, channels]);
    weights.matmul(activations.reshape([batch, channels, height * width]))
}
