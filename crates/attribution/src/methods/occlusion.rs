//! Occlusion: what the network loses without a window of the image.

use burn::tensor::{Tensor, TensorData, s};

use super::masks::{AT_ONCE, SCORE, score};
use crate::method::windows;
use crate::{
    AttributionError, Explanation, Inference, Likeness, Maps, Method, MethodOption, Needs, Passes,
    Peer, Sign,
};

pub(super) static OCCLUSION: Method = Method {
    name: "occlusion",
    title: "Occlusion",
    folder: "Occlusion",
    summary: "what the class's probability loses without a window of the image",
    paper: "Zeiler, Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014",
    url: "https://arxiv.org/abs/1311.2901",
    needs: Needs { passes: Passes::Windows { side: "patch", stride: "stride" }, ..Needs::LOGITS },
    sign: Sign::Signed,
    options: &[PATCH, STRIDE, BASELINE, OVERLAPS, SCORE],
    peers: &[
        (Peer::Captum, Likeness::Options("score=logit")),
        (Peer::Xplique, Likeness::Options("patch=3,stride=3,overlaps=sum,score=logit")),
    ],
    attribute,
};

const PATCH: MethodOption = MethodOption::count("patch", 20, "pixels of a window's side");
const STRIDE: MethodOption =
    MethodOption::count("stride", 10, "pixels from one window to the next");
const BASELINE: MethodOption = MethodOption::number(
    "baseline",
    0.0,
    [-1e6, 1e6],
    "the number that enters the network where the window is",
);
const OVERLAPS: MethodOption = MethodOption::word(
    "overlaps",
    &["mean", "sum"],
    "what a pixel has of the windows that cover it",
);

/// The last windows end at the border. 0 is what the preprocessing makes of the mean colour, or of black.
fn attribute(
    inference: &mut Inference<'_>,
    explanation: &Explanation,
) -> Result<Maps, AttributionError> {
    let images = inference.images();
    let ([batch, _, height, width], device) = (images.dims(), images.device());
    let (patch, stride) =
        (explanation.settings.count("patch"), explanation.settings.count("stride"));
    let baseline = explanation.settings.number("baseline") as f32;
    let corners: Vec<[usize; 2]> = (0..windows(height, patch, stride))
        .flat_map(|row| (0..windows(width, patch, stride)).map(move |column| [row, column]))
        .map(|place| place.map(|index| index * stride))
        .collect();
    let hits = || Tensor::<4>::zeros([1, 1, height, width], &device);
    let score = score(explanation);
    let whole = inference.scores(inference.logits(), score);
    let mut maps = Vec::with_capacity(batch);
    for image in 0..batch {
        let input = images.clone().slice(s![image..image + 1]) - baseline;
        let whole = whole.clone().slice(s![image..image + 1]);
        let (mut lost, mut covered) = (hits(), hits());
        for some in corners.chunks(AT_ONCE) {
            let mut window = vec![0.0_f32; some.len() * height * width];
            for (copy, &[top, left]) in window.chunks_exact_mut(height * width).zip(some) {
                let rows = copy.chunks_exact_mut(width).skip(top).take(patch);
                rows.for_each(|row| row[left..width.min(left + patch)].fill(1.0));
            }
            let window = TensorData::new(window, [some.len(), 1, height, width]);
            let window = Tensor::<4>::from_data(window, &device);
            let left = input.clone().repeat_dim(0, some.len()) * (window.clone().neg() + 1.0);
            let logits = inference.pass(left + baseline)?;
            let left = inference.scores_of(image, logits, score);
            let loss = whole.clone().repeat_dim(0, some.len()) - left;
            let loss = loss.reshape([some.len(), 1, 1, 1]);
            lost = lost + (window.clone() * loss).sum_dim(0);
            covered = covered + window.sum_dim(0);
        }
        maps.push(match explanation.settings.is("overlaps", "sum") {
            true => lost,
            false => lost / covered.clamp_min(1.0),
        });
    }
    Ok(Maps::sum(Tensor::cat(maps, 0)))
}
