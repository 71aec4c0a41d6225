//! Methods of attribution, one file each.

mod ablation_cam;
mod channels;
mod deconvolution;
mod eigen_cam;
mod eigen_grad_cam;
mod elementwise_cam;
mod fem;
mod grad_cam;
mod grad_cam_plus_plus;
mod guided_backprop;
mod hires_cam;
mod input_x_gradient;
mod integrated_gradients;
mod layer_cam;
mod principal;
mod random_cam;
mod saliency;
mod score_cam;
mod smooth_grad;
mod xgrad_cam;

use crate::Method;

/// Every method; the first is the default.
pub static METHODS: &[&Method] = &[
    &grad_cam::GRAD_CAM,
    &hires_cam::HIRES_CAM,
    &grad_cam_plus_plus::GRAD_CAM_PLUS_PLUS,
    &xgrad_cam::XGRAD_CAM,
    &layer_cam::LAYER_CAM,
    &elementwise_cam::ELEMENTWISE_CAM,
    &eigen_cam::EIGEN_CAM,
    &eigen_grad_cam::EIGEN_GRAD_CAM,
    &fem::FEM,
    &random_cam::RANDOM_CAM,
    &score_cam::SCORE_CAM,
    &ablation_cam::ABLATION_CAM,
    &saliency::SALIENCY,
    &input_x_gradient::INPUT_X_GRADIENT,
    &smooth_grad::SMOOTH_GRAD,
    &integrated_gradients::INTEGRATED_GRADIENTS,
    &guided_backprop::GUIDED_BACKPROP,
    &deconvolution::DECONVOLUTION,
];

/// The method of this name: `grad-cam`, in any case.
#[must_use]
pub fn find(name: &str) -> Option<&'static Method> {
    METHODS.iter().copied().find(|method| method.name.eq_ignore_ascii_case(name))
}
