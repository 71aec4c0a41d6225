//! The image's edges by Canny.

use burncam_evaluation::Values;

use super::Control;
use super::gradients::{gradients, mean};
use crate::filter::{blur, gaussian};
use crate::{Evidence, Image};

pub(super) static CANNY: Control = Control {
    name: "canny",
    title: "Edges (Canny)",
    about: "The outlines in the mean of the channels: a Gaussian of deviation 1, Sobel's gradient, \
            thin ridges of it, and of those all that hang together above 0.1 and reach 0.2 of the \
            largest gradient; then a Gaussian of deviation 2, so that the map ranks places. A map \
            that does not beat it may be an edge detector that never asks the network.",
    make: canny,
};

const SMOOTHING: f64 = 1.0;
const BLUR: f64 = 2.0;
/// Of the largest gradient.
const LOW: f64 = 0.1;
const HIGH: f64 = 0.2;

fn canny(image: &Image, _seed: u64) -> Evidence {
    let size = image.size;
    let smooth = blur(&mean(image), size, &gaussian(SMOOTHING, 4));
    let edges: Vec<f64> = edges(&smooth, size).into_iter().map(f64::from).collect();
    let values = blur(&edges, size, &gaussian(BLUR, 8)).into_iter().map(|v| v as f32).collect();
    Evidence { values, size, kind: Values::Sizes }
}

/// Which places of a smooth image lie on an edge: `[height, width]`.
fn edges(smooth: &[f64], [height, width]: [usize; 2]) -> Vec<bool> {
    let gradients = gradients(smooth, [height, width]);
    let magnitudes: Vec<f64> =
        gradients.iter().map(|[down, right]| (down * down + right * right).sqrt()).collect();
    let beside = |place: usize, [down, right]: [isize; 2]| {
        let y = (place / width).checked_add_signed(down).filter(|&y| y < height)?;
        let x = (place % width).checked_add_signed(right).filter(|&x| x < width)?;
        Some(y * width + x)
    };
    let magnitude = |place, step| beside(place, step).map_or(0.0, |beside| magnitudes[beside]);
    // Of two equal neighbours across an edge one is the ridge.
    let is_ridge = |place: usize| {
        let step = direction(gradients[place]);
        let value = magnitudes[place];
        value > magnitude(place, step.map(|step| -step)) && value >= magnitude(place, step)
    };
    let ridges: Vec<bool> = (0..smooth.len()).map(is_ridge).collect();

    let largest = magnitudes.iter().copied().fold(0.0, f64::max);
    let is_edge =
        |place: &usize, share: f64| ridges[*place] && magnitudes[*place] >= share * largest;
    let mut open: Vec<usize> = (0..smooth.len()).filter(|place| is_edge(place, HIGH)).collect();
    let mut edges = vec![false; smooth.len()];
    open.iter().for_each(|&place| edges[place] = true);
    while let Some(place) = open.pop() {
        let steps = (-1..=1).flat_map(|down| (-1..=1).map(move |right| [down, right]));
        for next in steps.filter_map(|step| beside(place, step)) {
            if !edges[next] && is_edge(&next, LOW) {
                edges[next] = true;
                open.push(next);
            }
        }
    }
    edges
}

/// The step across the edge: the gradient's direction to the nearest of eight.
fn direction([down, right]: [f64; 2]) -> [isize; 2] {
    let steep = (std::f64::consts::PI / 8.0).tan();
    let step = |along: f64, across: f64| {
        if along.abs() <= steep * across.abs() { 0 } else { along.signum() as isize }
    };
    [step(down, right), step(right, down)]
}
