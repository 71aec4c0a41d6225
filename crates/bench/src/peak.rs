//! The most that the machine's multipliers can do.

use std::hint::black_box;
use std::thread;

use cpu_time::ProcessTime;
use macerator::{Scalar, Simd, Vector};

/// Enough independent sums to hide the time that one takes, and few enough to stay in registers.
const SUMS: usize = 12;

const STEPS: usize = 2_000_000;

/// The best of so many trials.
const TRIALS: usize = 5;

/// What one core does in a second of its own time, in thousand millions of multiplications and
/// additions, while all cores do the same: the limit of any kernel of 32-bit numbers.
///
/// Time is CPU time, so another program's load matters little.
pub(super) fn gflops_of_a_core() -> f64 {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let trial = || {
        let clock = ProcessTime::now();
        let done: usize = thread::scope(|scope| {
            let threads: Vec<_> =
                (0..cores).map(|_| scope.spawn(|| fused(black_box(0.5)))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap_or(0)).sum()
        });
        done as f64 / clock.elapsed().as_secs_f64().max(1e-9) / 1e9
    };
    (0..TRIALS).map(|_| trial()).fold(0.0, f64::max)
}

/// Multiplies and adds in registers with the widest instructions that there are, and returns how
/// many multiplications and additions that were.
#[macerator::with_simd]
fn fused<S: Simd>(factor: f32) -> usize {
    let lanes = S::lanes32();
    let mut sums: [Vector<S, f32>; SUMS] = std::array::from_fn(|index| (index as f32).splat());
    let (factor, term): (Vector<S, f32>, Vector<S, f32>) = (factor.splat(), 1.0_f32.splat());
    for _ in 0..STEPS {
        for sum in &mut sums {
            *sum = sum.mul_add(factor, term);
        }
    }
    black_box(sums);
    2 * SUMS * STEPS * lanes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_steps_are_counted() {
        let one = 2 * SUMS * STEPS;
        assert!(fused(0.5).is_multiple_of(one), "{}", fused(0.5));
        assert!(gflops_of_a_core() > 0.0);
    }
}
