//! How many images are computed at a time on the CPU.

use burn::tensor::Device;
use burncam_net::{Classifier, LayerTable};

/// Bytes that the largest output of a layer may take over all images.
const LARGEST: usize = 48 << 20;

/// Of `batch` images, as many as have outputs of a reasonable size: on the CPU more at a time are no
/// faster, and results are the same to the last bit.
pub(super) fn at_once(batch: usize, network: &Classifier) -> usize {
    match *network.device() == Device::flex() {
        true => batch.min(fitting(&network.layers)),
        false => batch,
    }
}

fn fitting(layers: &LayerTable) -> usize {
    let sizes = layers.layers().iter().map(|layer| layer.output.iter().product::<usize>());
    let largest = sizes.max().unwrap_or(0).max(1) * size_of::<f32>();
    (LARGEST / largest).max(1)
}

#[cfg(test)]
mod tests {
    use burncam_models::{NCNN, VGG16};

    use super::fitting;

    #[test]
    fn large_maps_are_fewer_at_a_time() {
        // 224 × 224 × 64 and 120 × 120 × 64 numbers of four bytes.
        assert_eq!(fitting(&(VGG16.variants[0].layers)()), 3);
        assert_eq!(fitting(&(NCNN.variants[0].layers)()), 13);
    }
}
