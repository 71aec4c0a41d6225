//! The gradient of a logit and the Grad-CAM map that another framework computed for the same input.

use anyhow::{Result, ensure};
use burn::tensor::Tensor;
use burncam_attribution::{Explanation, Inference, Question, Target, explain, methods};
use burncam_net::Classifier;
use burncam_weights::{Format, Resolved};

use super::Row;
use crate::npz::Npz;

/// Before the name of the layer at which a gradient was taken; `map/` comes before that of its map.
const GRADIENT: &str = "gradient/";

/// The class whose logit the gradient is of.
const CLASS: &str = "class";

/// Compares what the reference has of gradients and maps.
pub(super) fn compare(
    checkpoint: &Resolved,
    classifier: &Classifier,
    reference: &mut Npz,
    images: &Tensor<4>,
) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let names = reference.names();
    for layer in names.iter().filter_map(|name| name.strip_prefix(GRADIENT)) {
        let class = reference.read(CLASS, &[1])?[0];
        ensure!(
            class >= 0.0 && (class as usize) < checkpoint.head.classes(),
            "the reference's class, {class}, is none of the network's"
        );
        // An exporter to ONNX calls layers as it likes, and its network has one layer before its head.
        let own = match checkpoint.canonical_name(layer) {
            Some(own) => own,
            None if checkpoint.format() == Format::Onnx => &checkpoint.cam_layer,
            None => continue,
        };
        let explanation = Explanation { method: &methods::GRAD_CAM, layers: vec![own.to_owned()] };
        let explanations = [explanation];
        let question = Question::new(&explanations, Target::Class(class as usize));
        let inference = Inference::new(classifier, images.clone(), &question, None)?;
        let gradients = inference.gradients(own)?.permute([0, 2, 3, 1]);
        let shape = gradients.dims();
        let expected = reference.read(&format!("{GRADIENT}{layer}"), &shape)?;
        let gradients = gradients.into_data().try_to_vec()?;
        rows.push(Row::new(&format!("gradient at {layer}"), &shape, &gradients, &expected));
        let found = explain(classifier, images.clone(), &question)?;
        let expected = reference.read(&format!("map/{layer}"), &shape[..3])?;
        rows.push(Row::new(&format!("map at {layer}"), &shape[..3], &found.maps[0][0], &expected));
    }
    Ok(rows)
}
