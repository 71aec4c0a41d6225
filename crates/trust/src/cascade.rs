//! Cascading randomisation: which layers are untrained at each step.

/// Networks with other random numbers, over which values are averaged.
pub const RANDOM_NETWORKS: u64 = 3;

/// Steps from the trained network to the untrained one, at most.
const STEPS: usize = 8;

/// How many of a network's layers are untrained at each step, of which the last is all of them: one more each time, or
/// if there are more than eight, about an eighth more.
#[must_use]
pub fn steps(layers: usize) -> Vec<usize> {
    let steps = layers.min(STEPS);
    (1..=steps).map(|step| (layers * step).div_ceil(steps)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_step_is_all_layers() {
        assert!(steps(0).is_empty());
        assert_eq!(steps(3), [1, 2, 3]);
        assert_eq!(steps(9), [2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(steps(53), [7, 14, 20, 27, 34, 40, 47, 53]);
    }
}
