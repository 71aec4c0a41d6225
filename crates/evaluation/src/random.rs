//! Random numbers that depend on a seed alone, the same on every device.

/// SplitMix64: Steele, Lea, Flood, *Fast Splittable Pseudorandom Number Generators*, OOPSLA 2014.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The generator of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// An index below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.bits()) * end as u128) >> 64) as usize
    }

    /// A number from 0 to below 1, in steps of 2^-24.
    pub fn share(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / 16_777_216.0
    }

    /// Numbers of a normal distribution of mean 0 and deviation 1: Box, Muller, *A Note on the Generation of Random
    /// Normal Deviates*, 1958.
    pub fn normal(&mut self, count: usize) -> Vec<f32> {
        let mut numbers = Vec::with_capacity(count + 1);
        while numbers.len() < count {
            // Not 0, of which there is no logarithm.
            let radius = (-2.0 * (1.0 - f64::from(self.share())).ln()).sqrt();
            let (sine, cosine) = (std::f64::consts::TAU * f64::from(self.share())).sin_cos();
            numbers.extend([(radius * cosine) as f32, (radius * sine) as f32]);
        }
        numbers.truncate(count);
        numbers
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    /// The first outputs for seed 1234567, as published with the algorithm's reference code.
    #[test]
    fn numbers_are_those_of_the_reference() {
        let mut random = Random::new(1_234_567);
        let first = [(); 3].map(|()| random.bits());
        let expected =
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(first, expected);
    }

    #[test]
    fn normal_numbers_have_their_mean_and_deviation() {
        let numbers = Random::new(11).normal(20_001);
        assert_eq!(numbers.len(), 20_001);
        let mean = |of: &dyn Fn(f32) -> f32| numbers.iter().map(|n| of(*n)).sum::<f32>() / 20_001.0;
        let moments = [mean(&|n| n), mean(&|n| n * n), mean(&|n| n.powi(4))];
        for (moment, expected) in moments.into_iter().zip([0.0, 1.0, 3.0]) {
            assert!((moment - expected).abs() < 0.15, "{moments:?}");
        }
    }

    #[test]
    fn indices_are_below_their_end_and_reach_each() {
        let mut random = Random::new(3);
        let mut drawn = [0; 5];
        (0..1000).for_each(|_| drawn[random.below(5)] += 1);
        assert!(drawn.iter().all(|times| (150..250).contains(times)), "{drawn:?}");
    }

    #[test]
    fn shares_are_below_one() {
        let mut random = Random::new(7);
        let shares: Vec<f32> = (0..1000).map(|_| random.share()).collect();
        assert!(shares.iter().all(|share| (0.0..1.0).contains(share)));
        let mean = shares.iter().sum::<f32>() / 1000.0;
        assert!((mean - 0.5).abs() < 0.05, "{mean}");
    }
}
