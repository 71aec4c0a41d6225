//! The gradient of a logit and the Grad-CAM map that another framework computed for the same input.

use anyhow::{Result, ensure};
use burn::tensor::Tensor;
use burncam_attribution::{Inference, Question, Target, explain};
use burncam_net::Classifier;
use burncam_run::self_test::default_explanation;
use burncam_weights::{Format, Resolved};

use super::Row;
use crate::npz::Npz;

/// Before the name of the layer at which a gradient was taken; `map/` comes before that of its map.
const GRADIENT: &str = "gradient/";

/// The class whose logit the gradient is of.
const CLASS: &str = "class";

/// The last layer of the size of a reference's gradient: an exporter to ONNX calls layers as it likes, and a map layer
/// comes right before the head.
fn last_of_size<'a>(checkpoint: &'a Resolved, reference: &mut Npz, layer: &str) -> &'a str {
    let maps = checkpoint.layers.layers().iter().rev().filter(|own| own.is_map);
    let mut names = [checkpoint.cam_layer.as_str()].into_iter().chain(maps.map(|own| &*own.name));
    let fits = names.find(|name| {
        let size = checkpoint.layers.get(name).map_or([0; 3], |own| own.output);
        reference.read(&format!("{GRADIENT}{layer}"), &[1, size[0], size[1], size[2]]).is_ok()
    });
    fits.unwrap_or(&checkpoint.cam_layer)
}

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
        let own = match checkpoint.canonical_name(layer) {
            Some(own) => own,
            None if checkpoint.format() == Format::Onnx => {
                last_of_size(checkpoint, reference, layer)
            }
            None => continue,
        };
        let explanations = [default_explanation(own)];
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
