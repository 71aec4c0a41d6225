//! Work on each number alone.

use crate::parallel::each_chunk;
use crate::tile::{Activation, activate_one};

/// Numbers that a thread does at a time.
const CHUNK: usize = 1 << 14;

/// `activation(a + b)`, or of `a` alone, into `output`.
///
/// # Panics
///
/// If there are not as many of each.
pub fn add(a: &[f32], b: Option<&[f32]>, activation: Activation, output: &mut [f32]) {
    assert_eq!(a.len(), output.len(), "as many numbers");
    assert!(b.is_none_or(|b| b.len() == a.len()), "as many numbers");
    each_chunk(output, CHUNK, |at, output| {
        let own = at * CHUNK..at * CHUNK + output.len();
        let numbers = output.iter_mut().zip(&a[own.clone()]);
        match b {
            Some(b) => numbers
                .zip(&b[own])
                .for_each(|((output, a), b)| *output = activate_one(activation, a + b)),
            None => numbers.for_each(|(output, a)| *output = activate_one(activation, *a)),
        }
    });
}

/// The gradient before an activation, of the gradient after it and of what it gave. At 0 the slope is that of
/// the negative side, at the limit that beyond it, as in Keras and PyTorch.
///
/// # Panics
///
/// If there are not as many of each.
pub fn activation_gradient(
    gradient: &[f32],
    activated: &[f32],
    activation: Activation,
    output: &mut [f32],
) {
    assert_eq!(gradient.len(), output.len(), "as many numbers");
    assert_eq!(activated.len(), output.len(), "as many numbers");
    let (slope, limit) = match activation {
        Activation::Linear => (1.0, f32::INFINITY),
        Activation::Relu => (0.0, f32::INFINITY),
        Activation::LeakyRelu(slope) => (slope, f32::INFINITY),
        Activation::ClippedRelu(limit) => (0.0, limit),
    };
    each_chunk(output, CHUNK, |at, output| {
        let own = at * CHUNK..at * CHUNK + output.len();
        let numbers = output.iter_mut().zip(&gradient[own.clone()]).zip(&activated[own]);
        for ((output, gradient), activated) in numbers {
            *output = match *activated {
                value if value >= limit && limit < f32::INFINITY => 0.0,
                value if value > 0.0 => *gradient,
                _ => *gradient * slope,
            };
        }
    });
}
