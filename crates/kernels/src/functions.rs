//! Functions of each number alone, and their gradients.

use crate::exponential::{
    abs, exp, exp_m1_below_0, ln_1p_to_1, normal_below, normal_density, tanh,
};
use crate::parallel::each_chunk;
use crate::simd::{Kernel, Level, Simd};

/// Numbers that a thread does at a time.
const CHUNK: usize = 1 << 13;

/// Numbers in the widest vector.
const MAX_LANES: usize = 16;

/// The exponentials of numbers beyond are 0 or infinite.
const FAR: f32 = 120.0;

/// The factor and the slope of SELU, from Klambauer et al., *Self-Normalizing Neural Networks*, 2017.
const SELU: [f32; 2] = [1.050_701, 1.673_263_2];

/// Twice the factor within GELU's approximation, and that times the factor of the cube.
const GELU: [f32; 2] = [1.595_769, 0.071_354_82];

/// A function of one number. A NaN stays one; at infinities the values are the limits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Function {
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// `x * sigmoid(x)`.
    Silu,
    /// `x / 6 + 1 / 2`, but from 0 to 1.
    HardSigmoid,
    /// `x` times its hard sigmoid.
    HardSilu,
    /// `x` where positive, the number times `exp(x) - 1` elsewhere.
    Elu(f32),
    /// ELU with factors that keep mean and variance.
    Selu,
    /// `x` times the share of a normal distribution that lies below it.
    Gelu,
    /// Its approximation by a hyperbolic tangent.
    GeluTanh,
    /// `ln(1 + exp(x))`.
    Softplus,
    /// `x / (1 + |x|)`.
    Softsign,
    /// The exponential function.
    Exp,
    /// `min(x, max)` above the threshold, the slope times what is missing to it elsewhere.
    Relu {
        /// The slope at and below the threshold.
        negative_slope: f32,
        /// The threshold.
        threshold: f32,
        /// The largest value; infinite where there is none.
        max: f32,
    },
}

/// The function of each number of `input`.
///
/// # Panics
///
/// If there are not as many of each.
pub fn apply(function: Function, input: &[f32], output: &mut [f32]) {
    apply_at(Level::best(), function, input, None, output);
}

/// The gradient before a function, of its `input` and the gradient after it. Where the slope jumps, it is
/// that of the flat side, or else of the negative one.
///
/// # Panics
///
/// If there are not as many of each.
pub fn function_gradient(function: Function, input: &[f32], gradient: &[f32], output: &mut [f32]) {
    apply_at(Level::best(), function, input, Some(gradient), output);
}

pub(crate) fn apply_at(
    level: Level,
    function: Function,
    input: &[f32],
    gradient: Option<&[f32]>,
    output: &mut [f32],
) {
    assert_eq!(input.len(), output.len(), "as many numbers");
    assert!(gradient.is_none_or(|gradient| gradient.len() == input.len()), "as many numbers");
    each_chunk(output, CHUNK, |at, output| {
        let own = at * CHUNK..at * CHUNK + output.len();
        let gradient = gradient.map(|gradient| &gradient[own.clone()]);
        level.run(Chunk { function, input: &input[own], gradient, output });
    });
}

/// Some of the numbers, as many of each.
struct Chunk<'a> {
    function: Function,
    input: &'a [f32],
    gradient: Option<&'a [f32]>,
    output: &'a mut [f32],
}

impl Kernel for Chunk<'_> {
    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        let count = self.input.len();
        let whole = count - count % S::LANES;
        let (x, output) = (self.input.as_ptr(), self.output.as_mut_ptr());
        let gradient = self.gradient.map_or(std::ptr::null(), <[f32]>::as_ptr);
        // SAFETY: there are as many numbers of each; the last ones are copied to a whole vector.
        unsafe {
            for at in (0..whole).step_by(S::LANES) {
                let gradient = if gradient.is_null() { gradient } else { gradient.add(at) };
                let value = self.function.vector::<S>(x.add(at), gradient);
                S::store(output.add(at), value);
            }
            let (mut rest, mut slopes) = ([0.0; MAX_LANES], [0.0; MAX_LANES]);
            rest[..count - whole].copy_from_slice(&self.input[whole..]);
            let mut pointer = std::ptr::null();
            if let Some(gradient) = self.gradient {
                slopes[..count - whole].copy_from_slice(&gradient[whole..]);
                pointer = slopes.as_ptr();
            }
            let value = self.function.vector::<S>(rest.as_ptr(), pointer);
            S::store(rest.as_mut_ptr(), value);
            self.output[whole..].copy_from_slice(&rest[..count - whole]);
        }
    }
}

impl Function {
    /// The values of a vector, or the gradients if there are any.
    #[inline(always)]
    unsafe fn vector<S: Simd>(self, x: *const f32, gradient: *const f32) -> S::V {
        // SAFETY: the caller's promise; so in all methods.
        unsafe {
            let x = S::load(x);
            match gradient.is_null() {
                true => self.value::<S>(x),
                false => S::mul(self.slope::<S>(x), S::load(gradient)),
            }
        }
    }

    #[inline(always)]
    unsafe fn value<S: Simd>(self, x: S::V) -> S::V {
        // SAFETY: as above.
        unsafe {
            let (zero, one) = (S::splat(0.0), S::splat(1.0));
            match self {
                Self::Sigmoid => sigmoid::<S>(x),
                Self::Tanh => tanh::<S>(x),
                Self::Silu => {
                    // Not infinite, as 0 times that is none of the values.
                    let x = S::max(S::splat(-FAR), x);
                    S::div(x, S::add(one, exp::<S>(S::sub(zero, x))))
                }
                Self::HardSigmoid => hard_sigmoid::<S>(x),
                Self::HardSilu => S::mul(S::max(S::splat(-3.0), x), hard_sigmoid::<S>(x)),
                Self::Elu(alpha) => elu::<S>(x, 1.0, alpha),
                Self::Selu => elu::<S>(x, SELU[0], SELU[0] * SELU[1]),
                Self::Gelu => S::mul(S::max(S::splat(-FAR), x), normal_below::<S>(x)),
                Self::GeluTanh => {
                    let x = S::max(S::splat(-FAR), x);
                    let [power, _] = gelu_tanh::<S>(x);
                    S::div(x, S::add(one, exp::<S>(S::sub(zero, power))))
                }
                Self::Softplus => {
                    let power = exp::<S>(S::sub(zero, abs::<S>(x)));
                    S::add(S::max(zero, x), ln_1p_to_1::<S>(power))
                }
                Self::Softsign => {
                    let x = S::max(S::splat(-1e30), S::min(S::splat(1e30), x));
                    S::div(x, S::add(one, abs::<S>(x)))
                }
                Self::Exp => exp::<S>(x),
                Self::Relu { negative_slope, threshold, max } => {
                    let limit = S::splat(threshold);
                    let below = match negative_slope == 0.0 {
                        true => S::min(zero, S::max(zero, x)),
                        false => S::mul(S::splat(negative_slope), S::sub(x, limit)),
                    };
                    S::if_less(limit, x, S::min(S::splat(max), x), below)
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn slope<S: Simd>(self, x: S::V) -> S::V {
        // SAFETY: as above.
        unsafe {
            let (zero, one) = (S::splat(0.0), S::splat(1.0));
            match self {
                Self::Sigmoid => bell::<S>(x),
                Self::Tanh => S::mul(S::splat(4.0), bell::<S>(S::add(x, x))),
                Self::Silu => {
                    let x = S::max(S::splat(-FAR), S::min(S::splat(FAR), x));
                    let [below, above] = [sigmoid::<S>(x), sigmoid::<S>(S::sub(zero, x))];
                    S::mul(below, S::fma(x, above, one))
                }
                Self::HardSigmoid => within::<S>(x, S::splat(1.0 / 6.0), zero),
                Self::HardSilu => {
                    within::<S>(x, S::fma(x, S::splat(1.0 / 3.0), S::splat(0.5)), one)
                }
                Self::Elu(alpha) => elu_slope::<S>(x, 1.0, alpha),
                Self::Selu => elu_slope::<S>(x, SELU[0], SELU[0] * SELU[1]),
                Self::Gelu => {
                    let x = S::max(S::splat(-FAR), S::min(S::splat(FAR), x));
                    S::fma(x, normal_density::<S>(x), normal_below::<S>(x))
                }
                Self::GeluTanh => {
                    let x = S::max(S::splat(-FAR), S::min(S::splat(FAR), x));
                    let [power, slope] = gelu_tanh::<S>(x);
                    let below = sigmoid::<S>(power);
                    let above = sigmoid::<S>(S::sub(zero, power));
                    S::mul(below, S::fma(S::mul(x, slope), above, one))
                }
                Self::Softplus => sigmoid::<S>(x),
                Self::Softsign => {
                    let size = S::add(one, abs::<S>(x));
                    S::div(one, S::mul(size, size))
                }
                Self::Exp => exp::<S>(x),
                Self::Relu { negative_slope, threshold, max } => {
                    let above = S::if_less(x, S::splat(max), one, zero);
                    S::if_less(S::splat(threshold), x, above, S::splat(negative_slope))
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn sigmoid<S: Simd>(x: S::V) -> S::V {
    // SAFETY: as above; so in all functions.
    unsafe {
        let one = S::splat(1.0);
        S::div(one, S::add(one, exp::<S>(S::sub(S::splat(0.0), x))))
    }
}

/// The slope of the sigmoid.
#[inline(always)]
unsafe fn bell<S: Simd>(x: S::V) -> S::V {
    // SAFETY: as above.
    unsafe {
        let power = exp::<S>(S::sub(S::splat(0.0), abs::<S>(x)));
        let sum = S::add(S::splat(1.0), power);
        S::div(power, S::mul(sum, sum))
    }
}

#[inline(always)]
unsafe fn hard_sigmoid<S: Simd>(x: S::V) -> S::V {
    // SAFETY: as above.
    unsafe {
        let value = S::fma(x, S::splat(1.0 / 6.0), S::splat(0.5));
        S::min(S::splat(1.0), S::max(S::splat(0.0), value))
    }
}

/// What is between -3 and 3, 0 at and below, and what is at and above.
#[inline(always)]
unsafe fn within<S: Simd>(x: S::V, between: S::V, above: S::V) -> S::V {
    // SAFETY: as above.
    unsafe {
        let value = S::if_less(x, S::splat(3.0), between, above);
        S::if_less(S::splat(-3.0), x, value, S::splat(0.0))
    }
}

#[inline(always)]
unsafe fn elu<S: Simd>(x: S::V, factor: f32, alpha: f32) -> S::V {
    // SAFETY: as above.
    unsafe {
        let below = S::mul(S::splat(alpha), exp_m1_below_0::<S>(x));
        S::if_less(S::splat(0.0), x, S::mul(S::splat(factor), x), below)
    }
}

#[inline(always)]
unsafe fn elu_slope<S: Simd>(x: S::V, factor: f32, alpha: f32) -> S::V {
    // SAFETY: as above.
    unsafe {
        let below = S::mul(S::splat(alpha), exp::<S>(x));
        S::if_less(S::splat(0.0), x, S::splat(factor), below)
    }
}

/// The number whose sigmoid is the factor of GELU's approximation, and its slope.
#[inline(always)]
unsafe fn gelu_tanh<S: Simd>(x: S::V) -> [S::V; 2] {
    // SAFETY: as above.
    unsafe {
        let (square, factor) = (S::mul(x, x), S::splat(GELU[0]));
        let value = S::mul(x, S::fma(square, S::splat(GELU[1]), factor));
        [value, S::fma(square, S::splat(3.0 * GELU[1]), factor)]
    }
}
