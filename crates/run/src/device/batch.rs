//! How many images are computed at a time.

use burn::tensor::Device;
use burncam_net::{Classifier, LayerTable, Tap};

use super::{Adapter, Choice};

/// Images at a time on the CPU, whose caches hold no more.
pub const CPU_BATCH: usize = 8;

/// Images at a time at most: more keep a GPU no busier, and a run's progress would come in leaps.
const MOST: u64 = 32;

/// With fewer images a network as small as N-CNN takes no longer than what is around it.
const AT_LEAST: u64 = 4;

/// Values in the largest layer on the CPU: 128 MiB of `f32`.
const LARGEST_ON_CPU: u64 = 32 << 20;

/// Layers as large as the largest that are in memory at a time, for each image of a batch: what a layer
/// reads and writes, the branches that wait for a joint, and what the allocator keeps back; all of it twice,
/// as two batches are under way.
const ALIVE: u64 = 8;

/// Memory that a GPU has at least, where nothing tells: 2 GiB.
const LEAST_MEMORY: u64 = 2 << 30;

/// What a network needs of a device's memory, in values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// Its weights.
    pub weights: u64,
    /// The output of its largest layer, for one image.
    pub layer: u64,
    /// What is kept of an image for the way back.
    pub recorded: u64,
}

impl Needs {
    /// What a network of these layers and so many weights needs for gradients at these taps.
    pub fn new(layers: &LayerTable, weights: u64, taps: &[Tap]) -> Self {
        let values = |layer: &[usize; 3]| layer.iter().product::<usize>() as u64;
        let outputs = layers.layers().iter().map(|layer| values(&layer.output));
        let largest = outputs.max().unwrap_or_default();
        let layer = match layers.is_generated() {
            false => largest,
            // The table does not say what is inside; VGG16 has 64 channels at the input's size, and
            // no other known network has as many values.
            true => largest.max(values(&layers.layers()[0].output) / 3 * 64),
        };
        let tracked = layers.layers().iter().zip(layers.tracked(taps));
        let recorded =
            tracked.filter(|(_, tracked)| *tracked).map(|(layer, _)| values(&layer.output));
        Self { weights, layer, recorded: recorded.sum() }
    }
}

/// The images at a time for a network on a device: as many as half of its memory holds, with no
/// tensor larger than the driver allows; a power of two.
pub fn batch(choice: &Choice, needs: Needs) -> usize {
    let bytes = choice.precision.bytes();
    match &choice.adapter {
        None => CPU_BATCH,
        Some(Adapter { largest_tensor, memory, .. }) => {
            let Needs { weights, layer, recorded } = needs;
            let [weights, layer, recorded] =
                [weights, layer, recorded].map(|values| values * bytes);
            fitting(*largest_tensor, *memory, weights, (layer, recorded))
        }
    }
}

/// Of a batch, the images that a network computes at a time on its device. On the CPU, whose results
/// are the same to the last bit however a batch is cut, that may be fewer.
pub fn at_once(batch: usize, network: &Classifier) -> usize {
    match *network.device() == Device::flex() {
        true => batch.min(in_cache(Needs::new(&network.layers, network.parameters as u64, &[]))),
        false => batch,
    }
}

/// Threads that have a device compute batches. A GPU has two, so that it computes one batch while another
/// is on its way there or back; the CPU's kernels share all cores by themselves.
pub fn workers(network: &Classifier) -> usize {
    match *network.device() == Device::flex() {
        true => 1,
        false => 2,
    }
}

/// As many images as make the largest layer as large as the weights: with fewer, the weights are read
/// more often than need be; with more, layers leave the cache before they are read again.
fn in_cache(Needs { weights, layer, .. }: Needs) -> usize {
    let layer = layer.max(1);
    (weights / layer).max(AT_LEAST).clamp(1, (LARGEST_ON_CPU / layer).max(1)) as usize
}

/// All sizes are in bytes.
fn fitting(
    largest_tensor: u64,
    memory: Option<u64>,
    weights: u64,
    (layer, recorded): (u64, u64),
) -> usize {
    let layer = layer.max(1);
    let free = (memory.unwrap_or(LEAST_MEMORY) / 2).saturating_sub(weights);
    let fit = (largest_tensor / layer).min(free / (ALIVE * layer + 2 * recorded)).clamp(1, MOST);
    1 << fit.ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_the_cpu_layers_and_weights_are_of_a_size() {
        // Values of VGG16, InceptionV3 and N-CNN.
        let batches =
            [(27_560_514, 224 * 224 * 64), (21_802_784, 147 * 147 * 64), (91_000, 921_600)]
                .map(|(weights, layer)| in_cache(Needs { weights, layer, recorded: 0 }));
        assert_eq!(batches, [8, 15, 4]);
    }

    const MIB: u64 = 1 << 20;

    #[test]
    fn a_batch_fits_into_memory_and_no_tensor_is_too_large() {
        // VGG16: 106 MiB of weights, 12.25 MiB for the first layer of an image.
        let (weights, layer) = (106 * MIB, 49 * MIB / 4);
        for (largest_tensor, memory, batch) in [
            // 10 images fit into the largest tensor.
            (128 * MIB, None, 8),
            // 918 MiB for layers of 98 MiB an image.
            (4096 * MIB, None, 8),
            (4096 * MIB, Some(4096 * MIB), 16),
            (4096 * MIB, Some(24_576 * MIB), 32),
            (4096 * MIB, Some(512 * MIB), 1),
            // Less than the weights need: the run tries, and its error says what is missing.
            (4096 * MIB, Some(64 * MIB), 1),
            (MIB, Some(24_576 * MIB), 1),
            (0, Some(0), 1),
        ] {
            let found = fitting(largest_tensor, memory, weights, (layer, 0));
            assert_eq!(found, batch, "{largest_tensor} {memory:?}");
        }
        assert_eq!(fitting(4096 * MIB, None, weights / 2, (layer / 2, 0)), 16, "in half precision");
        // With 100 MiB an image that are kept for gradients, twice.
        assert_eq!(fitting(4096 * MIB, None, weights, (layer, 100 * MIB)), 2);
        assert_eq!(fitting(4096 * MIB, None, 0, (0, 0)), 32);
    }

    #[test]
    fn the_largest_layer_is_found_in_the_table() {
        let layer = |name: &str| {
            let arch = burncam_models::find(name).expect("an architecture");
            Needs::new(&(arch.variants[0].layers)(), 0, &[]).layer
        };
        assert_eq!(layer("vgg16"), 224 * 224 * 64);
        assert_eq!(layer("resnet50"), 112 * 112 * 64);
        assert_eq!(layer("inception_v3"), 147 * 147 * 64);
    }
}
