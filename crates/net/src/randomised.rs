//! Weights as before any training, for tests of whether an explanation depends on what a network has learned.
//!
//! Adebayo et al., *Sanity Checks for Saliency Maps*, NeurIPS 2018, <https://arxiv.org/abs/1810.03292>.

use crate::{HeadConfig, LayerTable, LoadError, Op, Source, Weight};

/// Which layers of a network are untrained.
#[derive(Clone, Copy, Debug)]
pub struct Randomisation<'a> {
    /// Their names, those of the head's layers included.
    pub layers: &'a [String],
    /// Where random numbers begin.
    pub seed: u64,
}

/// A source whose weights are replaced in some layers by those with which Keras begins: kernels are uniform with
/// the limit of Glorot and Bengio (AISTATS 2010), `sqrt(6 / (fan_in + fan_out))`; a batch normalisation does
/// nothing; biases are 0. Of generated code nothing says which tensor is what, so its numbers change places.
pub struct Randomised<'a> {
    source: &'a mut dyn Source,
    randomisation: Option<Randomisation<'a>>,
}

impl<'a> Randomised<'a> {
    /// The weights of a source, or others where that is asked for.
    pub fn new(source: &'a mut dyn Source, randomisation: Option<Randomisation<'a>>) -> Self {
        Self { source, randomisation }
    }
}

impl Source for Randomised<'_> {
    fn take(
        &mut self,
        layer: &str,
        weight: Weight,
        shape: &[usize],
    ) -> Result<Vec<f32>, LoadError> {
        let mut values = self.source.take(layer, weight, shape)?;
        let Some(Randomisation { layers, seed }) = self.randomisation else { return Ok(values) };
        if !layers.iter().any(|name| name == layer) {
            return Ok(values);
        }
        let seed = [layer, weight.name()].iter().fold(seed, |seed, text| hash(seed, text));
        match weight {
            Weight::Kernel | Weight::DepthwiseKernel | Weight::PointwiseKernel => {
                let [.., inputs, outputs] = *shape else { return Ok(values) };
                let window: usize = shape[..shape.len() - 2].iter().product();
                let limit = (6.0 / (window * (inputs + outputs)) as f64).sqrt();
                for (index, value) in values.iter_mut().enumerate() {
                    *value = (limit * (2.0 * share(seed, index) - 1.0)) as f32;
                }
            }
            Weight::Bias | Weight::Beta | Weight::MovingMean | Weight::Alpha => values.fill(0.0),
            Weight::Gamma | Weight::MovingVariance => values.fill(1.0),
            // Fisher and Yates: every order is as likely.
            Weight::Generated(_) => {
                for last in (1..values.len()).rev() {
                    let other = (share(seed, last) * (last + 1) as f64) as usize;
                    values.swap(last, other.min(last));
                }
            }
        }
        Ok(values)
    }
}

/// The names of a network's layers from the first to the last, each that has a kernel with what follows it: what is
/// untrained at a time.
#[must_use]
pub fn units(layers: &LayerTable, head: &HeadConfig) -> Vec<Vec<String>> {
    let own = layers.layers().iter().map(|layer| (&layer.name, &layer.op));
    let head = head.layers().iter().map(|(name, op)| (name, op));
    let (mut units, mut first): (Vec<Vec<String>>, Vec<String>) = Default::default();
    for (name, op) in own.chain(head) {
        match units.last_mut() {
            _ if has_kernel(op) => units.push(vec![name.clone()]),
            Some(unit) => unit.push(name.clone()),
            None => first.push(name.clone()),
        }
    }
    // Normalisations before the first kernel are untrained with it.
    units.first_mut().into_iter().for_each(|unit| unit.append(&mut first));
    units
}

fn has_kernel(op: &Op) -> bool {
    matches!(
        op,
        Op::Conv2D { .. }
            | Op::DepthwiseConv2D { .. }
            | Op::SeparableConv2D { .. }
            | Op::Conv2DTranspose { .. }
            | Op::Dense { .. }
            | Op::Generated { .. }
    )
}

/// FNV-1a.
fn hash(seed: u64, text: &str) -> u64 {
    text.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Number `index` of SplitMix64, in 0..1.
fn share(seed: u64, index: usize) -> f64 {
    let mut bits = seed.wrapping_add((index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 0, 1, 2, …
    struct Counting;

    impl Source for Counting {
        fn take(&mut self, _: &str, _: Weight, shape: &[usize]) -> Result<Vec<f32>, LoadError> {
            Ok((0..shape.iter().product::<usize>()).map(|index| index as f32).collect())
        }
    }

    fn take(seed: u64, layer: &str, weight: Weight, shape: &[usize]) -> Vec<f32> {
        let layers = ["conv".to_owned()];
        let randomisation = Some(Randomisation { layers: &layers, seed });
        let mut source = Counting;
        Randomised::new(&mut source, randomisation).take(layer, weight, shape).expect("weights")
    }

    #[test]
    fn kernels_are_uniform_within_glorots_limit() {
        let shape = [3, 3, 16, 32];
        let kernel = take(1, "conv", Weight::Kernel, &shape);
        let limit = (6.0_f32 / (9.0 * 48.0)).sqrt();
        let count = kernel.len() as f32;
        let mean = kernel.iter().sum::<f32>() / count;
        let square = kernel.iter().map(|value| value * value).sum::<f32>() / count;
        assert!(kernel.iter().all(|value| value.abs() <= limit));
        assert!(mean.abs() < 0.05 * limit, "{mean}");
        assert!((square / (limit * limit / 3.0) - 1.0).abs() < 0.1, "{square}");
        assert_eq!(kernel, take(1, "conv", Weight::Kernel, &shape));
        assert_ne!(kernel, take(2, "conv", Weight::Kernel, &shape));
    }

    #[test]
    fn other_layers_keep_their_weights_and_the_rest_is_neutral() {
        assert_eq!(take(1, "other", Weight::Kernel, &[2, 2]), [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(take(1, "conv", Weight::Bias, &[2]), [0.0; 2]);
        assert_eq!(take(1, "conv", Weight::MovingVariance, &[2]), [1.0; 2]);
        let mut shuffled = take(1, "conv", Weight::Generated("weight"), &[100]);
        let expected: Vec<f32> = (0..100_u8).map(f32::from).collect();
        assert_ne!(shuffled, expected);
        shuffled.sort_by(f32::total_cmp);
        assert_eq!(shuffled, expected);
    }
}
