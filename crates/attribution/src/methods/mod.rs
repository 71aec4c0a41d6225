//! Methods of attribution, one file each.

mod ablation_cam;
mod baseline;
mod cam;
mod channels;
mod deconvolution;
mod eigen_cam;
mod eigen_grad_cam;
mod elementwise_cam;
mod fem;
mod finer_cam;
mod full_grad;
mod grad_cam;
mod grad_cam_plus_plus;
mod gradient_shap;
mod guided_backprop;
mod guided_grad_cam;
mod hires_cam;
mod input_x_gradient;
mod integrated_gradients;
mod is_cam;
mod layer_cam;
mod masks;
mod noise;
mod occlusion;
pub(crate) mod principal;
mod random_cam;
mod rise;
mod saliency;
mod score_cam;
mod smooth_grad;
mod smooth_grad_cam_plus_plus;
mod square_grad;
mod ss_cam;
mod var_grad;
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
    &cam::CAM,
    &finer_cam::FINER_CAM,
    &random_cam::RANDOM_CAM,
    &score_cam::SCORE_CAM,
    &ss_cam::SS_CAM,
    &is_cam::IS_CAM,
    &ablation_cam::ABLATION_CAM,
    &smooth_grad_cam_plus_plus::SMOOTH_GRAD_CAM_PLUS_PLUS,
    &saliency::SALIENCY,
    &input_x_gradient::INPUT_X_GRADIENT,
    &smooth_grad::SMOOTH_GRAD,
    &square_grad::SQUARE_GRAD,
    &var_grad::VAR_GRAD,
    &integrated_gradients::INTEGRATED_GRADIENTS,
    &guided_backprop::GUIDED_BACKPROP,
    &deconvolution::DECONVOLUTION,
    &guided_grad_cam::GUIDED_GRAD_CAM,
    &occlusion::OCCLUSION,
    &rise::RISE,
    &gradient_shap::GRADIENT_SHAP,
    &full_grad::FULL_GRAD,
];

/// The method of this name: `grad-cam`, in any case.
#[must_use]
pub fn find(name: &str) -> Option<&'static Method> {
    METHODS.iter().copied().find(|method| method.name.eq_ignore_ascii_case(name))
}
