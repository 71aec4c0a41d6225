//! Layers of several networks with the same weights, held once.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use burn::tensor::Tensor;

use super::conv2d::{Fast, Parts, RawWeights};

/// The weights of networks of one table, on one device and of one arithmetic: layers that have the same are held once,
/// packed weights included.
#[derive(Debug, Default)]
pub struct SharedLayers {
    convolutions: Mutex<HashMap<u64, Convolution>>,
    matrices: Mutex<HashMap<u64, Tensor<2>>>,
}

/// Weights as Keras has them, and the kernel with them packed.
type Convolution = (Arc<RawWeights>, Option<Fast>);

impl SharedLayers {
    /// Of no layer yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The weights and the kernel of a convolution, made by `make` unless they are there.
    pub(super) fn convolution(
        &self,
        parts: &Parts,
        make: impl FnOnce() -> Option<Fast>,
    ) -> Convolution {
        let mut hasher = DefaultHasher::new();
        (&parts.names, parts.keep, parts.weights.shape).hash(&mut hasher);
        hash(&parts.weights.kernel, &mut hasher);
        hash(parts.weights.bias.as_deref().unwrap_or_default(), &mut hasher);
        if let Some(norm) = &parts.norm {
            hash(&norm.factor, &mut hasher);
            hash(&norm.offset, &mut hasher);
        }
        let mut known = self.convolutions.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = known.entry(hasher.finish());
        let (weights, fast) = entry.or_insert_with(|| (Arc::clone(&parts.weights), make()));
        (Arc::clone(weights), fast.clone())
    }

    /// The weights of a dense layer on the device, put there by `make` unless they are there.
    pub(super) fn matrix(
        &self,
        name: &str,
        values: Vec<f32>,
        make: impl FnOnce(Vec<f32>) -> Tensor<2>,
    ) -> Tensor<2> {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        hash(&values, &mut hasher);
        let mut known = self.matrices.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(hasher.finish()).or_insert_with(|| make(values)).clone()
    }
}

fn hash(values: &[f32], to: &mut DefaultHasher) {
    values.iter().for_each(|value| to.write_u32(value.to_bits()));
}
