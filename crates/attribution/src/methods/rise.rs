//! RISE: the mean of random masks, each weighted by how sure the network is of what it leaves.

use burn::tensor::{Tensor, TensorData, s};
use burncam_net::layers::{Sampling, resized};

use super::masks::{AT_ONCE, SCORE, are_equal, score};
use crate::{
    AttributionError, Explanation, Inference, Likeness, MapStatus, Maps, Method, MethodOption,
    Needs, Passes, Peer, Random, Sign,
};

pub(super) static RISE: Method = Method {
    name: "rise",
    title: "RISE",
    folder: "RISE",
    summary: "the mean of random masks, each weighted by the class's probability in the image that it leaves",
    paper: "Petsiuk et al., RISE, BMVC 2018",
    url: "https://arxiv.org/abs/1806.07421",
    needs: Needs { passes: Passes::Option("masks"), seeded: true, ..Needs::LOGITS },
    sign: Sign::Positive,
    options: &[MASKS, GRID, SHARE, DIVIDE, SCORE],
    peers: &[(Peer::Xplique, Likeness::Options("divide=coverage,score=logit"))],
    attribute,
};

const MASKS: MethodOption = MethodOption::count("masks", 4000, "random masks");
const GRID: MethodOption = MethodOption::count("grid", 7, "cells of a mask along a side");
const SHARE: MethodOption =
    MethodOption::number("p", 0.5, [0.01, 0.99], "the chance that a cell is left");
const DIVIDE: MethodOption = MethodOption::word(
    "divide",
    &["p", "coverage"],
    "whether sums are divided by the masks that leave a pixel on average or by those that did",
);

/// A mask is a grid of cells, enlarged bilinearly and shifted by less than a cell. What it hides is 0, what the
/// preprocessing makes of the mean colour, or of black.
fn attribute(
    inference: &mut Inference<'_>,
    explanation: &Explanation,
) -> Result<Maps, AttributionError> {
    let images = inference.images();
    let ([batch, _, height, width], device) = (images.dims(), images.device());
    let (count, share) =
        (explanation.settings.count("masks"), explanation.settings.number("p") as f32);
    let (mut maps, mut equal) = (Vec::with_capacity(batch), Vec::with_capacity(batch));
    for image in 0..batch {
        let input = images.clone().slice(s![image..image + 1]);
        let mut random = inference.random(image);
        let mut sum = Tensor::<4>::zeros([1, 1, height, width], &device);
        let (mut coverage, mut scores) = (sum.clone(), Vec::new());
        for first in (0..count).step_by(AT_ONCE) {
            let some = AT_ONCE.min(count - first);
            let masks = masks(explanation, &mut random, some, &input);
            let logits = inference.pass(input.clone().repeat_dim(0, some) * masks.clone())?;
            let own_scores = inference.scores_of(image, logits, score(explanation));
            let weighted = masks.clone() * own_scores.clone().reshape([some, 1, 1, 1]);
            sum = sum + weighted.sum_dim(0);
            coverage = coverage + masks.sum_dim(0);
            scores.push(own_scores);
        }
        maps.push(match explanation.settings.is("divide", "coverage") {
            true => sum / (coverage + 1e-4),
            false => sum / (count as f32 * share),
        });
        equal.push(are_equal(Tensor::cat(scores, 0)));
    }
    let maps = Maps::sum(Tensor::cat(maps, 0));
    Ok(maps.undefined_where(MapStatus::EqualScores, Tensor::cat(equal, 0)))
}

/// The next masks of an image, `[count, 1, height, width]`.
fn masks(
    explanation: &Explanation,
    random: &mut Random,
    count: usize,
    image: &Tensor<4>,
) -> Tensor<4> {
    let ([.., height, width], device) = (image.dims(), image.device());
    let grid = explanation.settings.count("grid").min(height).min(width);
    let share = explanation.settings.number("p") as f32;
    let cell = [height.div_ceil(grid), width.div_ceil(grid)];
    let (mut cells, mut shifts) = (Vec::with_capacity(count * grid * grid), Vec::new());
    for _ in 0..count {
        cells.extend((0..grid * grid).map(|_| f32::from(u8::from(random.share() < share))));
        shifts.push(cell.map(|side| (random.bits() % side as u64) as usize));
    }
    let cells = TensorData::new(cells, [count, 1, grid, grid]);
    let cells = Tensor::<4>::from_data(cells, &device);
    let masks = resized(cells, cell.map(|side| (grid + 1) * side), Sampling::HalfPixel);
    let shifted = shifts.into_iter().enumerate().map(|(mask, [down, right])| {
        masks.clone().slice(s![mask..mask + 1, 0..1, down..down + height, right..right + width])
    });
    Tensor::cat(shifted.collect(), 0)
}
