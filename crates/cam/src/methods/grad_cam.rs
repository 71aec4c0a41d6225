//! Grad-CAM.
//!
//! Selvaraju et al., *Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
//! Localization*, ICCV 2017, <https://arxiv.org/abs/1610.02391>.

use burn::tensor::Tensor;
use burncam_net::layers::{channel_means, weighted_sums};

use crate::scene::rows;
use crate::{CamError, Scene};

/// The importance of each channel: the mean of the gradient over the layer's positions.
///
/// # Shapes
///
/// `[batch, channels]`.
#[must_use]
pub fn channel_weights(scene: &Scene) -> Tensor<2> {
    channel_means(scene.gradients.clone())
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
    let maps = weighted_sums(scene.activations.clone(), scene.gradients.clone());
    let data = maps.try_into_data().map_err(|error| CamError::read_back("the maps", &error))?;
    let values =
        data.try_to_vec::<f32>().map_err(|error| CamError::read_back("the maps", &error))?;
    Ok(rows(values, height * width))
}
