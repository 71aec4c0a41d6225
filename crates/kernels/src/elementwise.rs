//! Work on each number alone.

use crate::parallel::each_chunk;
use crate::simd::{Kernel, Level, Simd};
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
    activation_gradient_at(Level::best(), gradient, activated, activation, output);
}

pub(crate) fn activation_gradient_at(
    level: Level,
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
        let (gradient, activated) = (&gradient[own.clone()], &activated[own]);
        level.run(Slopes { gradient, activated, slope, limit, output });
    });
}

/// The gradient of some numbers.
struct Slopes<'a> {
    gradient: &'a [f32],
    activated: &'a [f32],
    slope: f32,
    limit: f32,
    output: &'a mut [f32],
}

impl Kernel for Slopes<'_> {
    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        let count = self.output.len();
        let whole = count - count % S::LANES;
        // SAFETY: there are as many numbers of each.
        unsafe {
            let (zero, slope, limit) = (S::splat(0.0), S::splat(self.slope), S::splat(self.limit));
            for at in (0..whole).step_by(S::LANES) {
                let gradient = S::load(self.gradient.as_ptr().add(at));
                let activated = S::load(self.activated.as_ptr().add(at));
                let value = S::if_less(zero, activated, gradient, S::mul(gradient, slope));
                let value = match self.limit < f32::INFINITY {
                    true => S::if_less(activated, limit, value, zero),
                    false => value,
                };
                S::store(self.output.as_mut_ptr().add(at), value);
            }
        }
        for at in whole..count {
            let (gradient, activated) = (self.gradient[at], self.activated[at]);
            let value = if activated > 0.0 { gradient } else { gradient * self.slope };
            let within = self.limit == f32::INFINITY || activated < self.limit;
            self.output[at] = if within { value } else { 0.0 };
        }
    }
}
