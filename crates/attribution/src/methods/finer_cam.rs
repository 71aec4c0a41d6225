//! Finer-CAM: Grad-CAM of what tells a class from those that are most like it.

use burn::tensor::activation::softmax;
use burn::tensor::{Tensor, TensorData};

use super::channels::weighted_by_means;
use crate::{
    AttributionError, Explanation, Inference, Likeness, Maps, Method, MethodOption, Needs, Passes,
    Peer, Sign,
};

pub(super) static FINER_CAM: Method = Method {
    name: "finer-cam",
    title: "Finer-CAM",
    folder: "FinerCAM",
    summary: "Grad-CAM of what tells the class from those that are most like it",
    paper: "Zhang et al., Finer-CAM, CVPR 2025",
    url: "https://arxiv.org/abs/2501.11309",
    needs: Needs { passes: Passes::Two, ..Needs::ONE_LAYER },
    sign: Sign::Positive,
    options: &[REFERENCES, ALPHA, WEIGHTS],
    peers: &[
        (Peer::PytorchGradCam, Likeness::Options("alpha=1,weights=probability")),
        (Peer::TorchCam, Likeness::Options("")),
    ],
    attribute,
};

const REFERENCES: MethodOption =
    MethodOption::count("references", 3, "the most similar classes, of those that there are");
const ALPHA: MethodOption =
    MethodOption::number("alpha", 0.6, [0.0, 100.0], "how much of their logits is subtracted");
const WEIGHTS: MethodOption = MethodOption::word(
    "weights",
    &["equal", "probability"],
    "whether the similar classes count alike or by their probabilities",
);

/// Similar classes are those whose logits are nearest to the class's; where a difference of classes is explained, the
/// class that is subtracted. The mean logit of these, times `alpha`, is subtracted from the class's.
fn attribute(
    inference: &mut Inference<'_>,
    explanation: &Explanation,
) -> Result<Maps, AttributionError> {
    let layer = explanation.layer()?;
    let logits: Vec<f32> = inference
        .logits()
        .into_data()
        .try_to_vec()
        .map_err(|error| AttributionError::read_back("the logits", &error))?;
    let classes = inference.classes().into_data().convert::<i64>().try_to_vec::<i64>();
    let classes = classes.map_err(|error| AttributionError::read_back("the classes", &error))?;
    let count = logits.len() / classes.len().max(1);
    let (mut chosen, mut similar) = (vec![0.0_f32; logits.len()], vec![0.0_f32; logits.len()]);
    let references = explanation.settings.count("references");
    for (image, row) in logits.chunks_exact(count).enumerate() {
        let class = classes[image] as usize;
        chosen[image * count + class] = 1.0;
        let nearest = match inference.question.target.other() {
            Some(other) => vec![other],
            None => nearest(row, class, references),
        };
        nearest.into_iter().for_each(|other| similar[image * count + other] = 1.0);
    }
    let table = |values: Vec<f32>| TensorData::new(values, [classes.len(), count]);
    let (chosen, similar) = (table(chosen), table(similar));
    let alpha = explanation.settings.number("alpha") as f32;
    let by_probability = explanation.settings.is("weights", "probability");
    let gradients = inference.layer_gradients_by(layer, |_, logits| {
        let tensor = |data: &TensorData| {
            Tensor::<2>::from_data(data.clone(), (&logits.device(), logits.dtype()))
        };
        let (chosen, similar) = (tensor(&chosen), tensor(&similar));
        let class = (logits.clone() * chosen).sum_dim(1);
        let gap = class - logits.clone() * alpha;
        match by_probability {
            true => {
                let weights = softmax(logits, 1) * similar;
                (weights.clone() * gap).sum_dim(1) / (weights.sum_dim(1) + 1e-9)
            }
            false => (gap * similar.clone()).sum_dim(1) / similar.sum_dim(1),
        }
    })?;
    weighted_by_means(explanation, inference.activations(layer)?, gradients)
}

/// The classes but this one whose logits are nearest to its own, so many or all.
fn nearest(logits: &[f32], class: usize, count: usize) -> Vec<usize> {
    let mut others: Vec<usize> = (0..logits.len()).filter(|other| *other != class).collect();
    let gap = |other: &usize| (logits[*other] - logits[class]).abs();
    others.sort_by(|a, b| gap(a).total_cmp(&gap(b)));
    others.truncate(count);
    others
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_nearest_logits_are_the_most_similar() {
        assert_eq!(nearest(&[3.0, 1.0, 2.5, 9.0], 0, 2), [2, 1]);
        assert_eq!(nearest(&[3.0, 1.0], 1, 3), [0]);
    }
}
