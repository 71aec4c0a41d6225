//! How much a network computes.

use burncam_kernels::{Window, fewest_multiplications};
use burncam_net::{Classifier, LayerTable, Op};

/// What an image costs, by the definition of the network: no kernel's way of doing less counts.
pub(super) struct Work {
    /// Multiplications, each with its addition, of convolutions and dense layers.
    pub multiplications: u64,
    /// The same with Winograd's method, where the kernels have it for a convolution's size.
    pub fewest: u64,
    /// Bytes that have to move at least: weights, and each layer's output written and read once.
    pub bytes: u64,
}

/// The work of a network and its head.
pub(super) fn count(classifier: &Classifier) -> Work {
    let layers = &classifier.layers;
    let head = head(classifier);
    let outputs: usize =
        layers.layers().iter().map(|layer| layer.output.iter().product::<usize>()).sum();
    Work {
        multiplications: trunk(layers, false) + head,
        fewest: trunk(layers, true) + head,
        bytes: 4 * (classifier.parameters + 2 * outputs) as u64,
    }
}

/// Of all convolutions, by their definition or with Winograd's method.
fn trunk(table: &LayerTable, winograd: bool) -> u64 {
    (0..table.layers().len()).map(|at| of_layer(table, at, winograd)).sum()
}

/// The fewest multiplications of one layer.
pub(super) fn fewest(table: &LayerTable, at: usize) -> u64 {
    of_layer(table, at, true)
}

/// The multiplications of a network's head.
pub(super) fn head(classifier: &Classifier) -> u64 {
    dense(classifier.head.config().layers(), classifier.layers.last().output)
}

fn of_layer(table: &LayerTable, at: usize, winograd: bool) -> u64 {
    let layer = &table.layers()[at];
    match layer.op {
        Op::Conv2D {
            kernel_size: size,
            strides,
            dilation_rate: dilation,
            filters,
            groups: 1,
            ..
        } if winograd => {
            let [height, width, _] = layer.output;
            let window = Window { size, strides, before: [0, 0], dilation };
            let sizes = [table.channels_in(layer), filters];
            fewest_multiplications(window, sizes, [height, width]) as u64
        }
        Op::Conv2D { kernel_size: [height, width], .. } => {
            let outputs: usize = layer.output.iter().product();
            (outputs * height * width * table.channels_in(layer)) as u64
        }
        _ => 0,
    }
}

/// The dense layers behind a map of `[height, width, channels]`.
fn dense(layers: &[(String, Op)], [height, width, channels]: [usize; 3]) -> u64 {
    let (mut positions, mut inputs, mut sum) = (height * width, channels, 0);
    for (_, op) in layers {
        match op {
            Op::Flatten => {
                inputs *= positions;
                positions = 1;
            }
            Op::GlobalAveragePooling2D | Op::GlobalMaxPooling2D => positions = 1,
            Op::Dense { units, .. } => {
                sum += (std::mem::replace(&mut inputs, *units) * units) as u64
            }
            _ => {}
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use burncam_models::{ARCHS, find};
    use burncam_net::{Activation, Op};

    use super::{dense, trunk};

    fn multiplications(name: &str) -> u64 {
        let arch = find(name).expect("a network");
        trunk(&(arch.variants[0].layers)(), false)
    }

    /// 15.35 thousand million, as the sum over VGG16's thirteen convolutions gives by hand.
    #[test]
    fn vgg16_multiplies_as_often_as_is_known() {
        let by_hand: u64 = [
            (224, 3, 64),
            (224, 64, 64),
            (112, 64, 128),
            (112, 128, 128),
            (56, 128, 256),
            (56, 256, 256),
            (56, 256, 256),
            (28, 256, 512),
            (28, 512, 512),
            (28, 512, 512),
            (14, 512, 512),
            (14, 512, 512),
            (14, 512, 512),
        ]
        .map(|(size, inputs, outputs)| 9 * size * size * inputs * outputs)
        .iter()
        .sum();
        assert_eq!(by_hand, 15_346_630_656);
        assert_eq!(multiplications("vgg16"), by_hand);
        // On 14 rows four patches hang over, so there it is fewer than four times fewer.
        // Rows of the first: 6 for 4 results of 3 taps, not 12.
        let first = 9 * 224 * 224 * 3 * 64;
        let last: u64 = 3 * 9 * 14 * 14 * 512 * 512;
        let patches = 3 * 36 * 4 * 4 * 512 * 512;
        let expected = first / 2 + (by_hand - first - last) / 4 + patches;
        assert_eq!(trunk(&(burncam_models::VGG16.variants[0].layers)(), true), expected);
    }

    /// 1×7: 11 for 3 results, 6 patches in a row of 17; 5×5: 36 for 2×2 results, 18 patches in a row of 35; strides: no
    /// fewer.
    #[test]
    fn inception_v3_has_fewer_for_its_lines() {
        let table = (burncam_models::INCEPTION_V3.variants[0].layers)();
        let count = |size: [usize; 2], winograd: bool| {
            let is_one = |at: &usize| match table.layers()[*at].op {
                Op::Conv2D { kernel_size, filters: 192, .. } => kernel_size == size,
                Op::Conv2D { kernel_size, filters: 64, .. } => kernel_size == size,
                _ => false,
            };
            let at = (0..table.layers().len()).find(is_one).expect("such a convolution");
            super::of_layer(&table, at, winograd)
        };
        assert_eq!(count([7, 1], false), 7 * 17 * 17 * 128 * 192);
        assert_eq!(count([7, 1], true), 11 * 6 * 17 * 128 * 192);
        assert_eq!(count([5, 5], false), 25 * 35 * 35 * 48 * 64);
        assert_eq!(count([5, 5], true), 36 * 18 * 18 * 48 * 64);
    }

    /// Published counts: 3.8 for ResNet50 with its stride in the first convolution of a block
    /// (He et al. 2015, table 1), 5.7 for InceptionV3 (Szegedy et al. 2015).
    #[test]
    fn the_others_are_near_their_published_counts() {
        for (name, billions) in [("resnet50", 3.8), ("senet50", 3.8), ("inception_v3", 5.7)] {
            let found = multiplications(name) as f64 / 1e9;
            assert!((found / billions - 1.0).abs() < 0.03, "{name}: {found}");
        }
        assert!(ARCHS.iter().all(|arch| multiplications(arch.name) > 0));
    }

    #[test]
    fn a_head_counts_its_dense_layers() {
        let units = |units| Op::Dense { units, use_bias: true, activation: Activation::Relu };
        let layers =
            |ops: &[Op]| ops.iter().map(|op| (String::new(), op.clone())).collect::<Vec<_>>();
        let flat = layers(&[Op::Flatten, units(512), Op::Dropout, units(2)]);
        assert_eq!(dense(&flat, [7, 7, 512]), 25_088 * 512 + 512 * 2);
        let pooled = layers(&[Op::GlobalAveragePooling2D, units(1000)]);
        assert_eq!(dense(&pooled, [7, 7, 2048]), 2048 * 1000);
    }
}
