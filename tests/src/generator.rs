//! Reproducible pseudo-random weights: each value follows from the network's name, the layer's,
//! the weight's, and its place in Keras's layout.
//!
//! FNV-1a of the key seeds SplitMix64, whose upper 24 bits become a number in [-1, 1); scale and
//! offset depend on the kind of weight. `goldens/weights_manifest.tsv` holds the CRC-32 of each
//! of the notebook's five networks. `tests/reference/weights.py` states the same rule in Python.

use burncam_net::{LoadError, Source, Weight};

/// What belongs to one network's weights: its name in keys, its last dense layer, and what keeps
/// its logits between -10 and 10: a gain, and for two classes a bias that makes both occur.
struct WeightRule {
    model: &'static str,
    first_conv: Option<&'static str>,
    last_dense: &'static str,
    head_gain: f64,
    head_bias: Option<f64>,
}

const fn rule(
    model: &'static str,
    first_conv: Option<&'static str>,
    last_dense: &'static str,
    head_gain: f64,
    head_bias: Option<f64>,
) -> WeightRule {
    WeightRule { model, first_conv, last_dense, head_gain, head_bias }
}

/// model, first convolution where the mean is subtracted, last dense layer, its gain, its bias
const RULES: [WeightRule; 7] = [
    rule("VGG16", Some("conv1_1"), "dense_2", 0.94, Some(5.003)),
    rule("ResNet50", Some("conv1_7x7_s2"), "dense_1", 0.272, Some(1.951)),
    rule("SENet50", Some("conv1_7x7_s2"), "dense_3", 0.532, Some(-1.076)),
    rule("IncepV3", None, "dense_2", 0.985, Some(-2.509)),
    rule("NCNN", None, "output", 2.19, Some(-1.282)),
    rule("VGG16-applications", Some("block1_conv1"), "predictions", 1.0, None),
    rule("ResNet50-applications", Some("conv1_conv"), "predictions", 0.5, None),
];

/// Ends of names of a block's last batch normalisation. It is weak, or the sums of 16 blocks would
/// grow without end.
const LAST_OF_BLOCK: [&str; 2] = ["_1x1_increase_bn", "_3_bn"];

/// Gives the reproducible weights of one network.
pub struct Generated(pub &'static str);

impl Source for Generated {
    fn take(
        &mut self,
        layer: &str,
        weight: Weight,
        shape: &[usize],
    ) -> Result<Vec<f32>, LoadError> {
        Ok(tensor(self.0, layer, weight.name(), shape))
    }
}

/// One weight in row-major order of Keras's layout.
///
/// # Panics
///
/// If the network is not one of the reference's.
#[must_use]
pub fn tensor(model: &str, layer: &str, weight: &str, shape: &[usize]) -> Vec<f32> {
    let rule = RULES.iter().find(|rule| rule.model == model).expect("a reference network");
    let layer = &layer.replace('/', "_");
    let last = layer == rule.last_dense;
    if last
        && weight == "bias"
        && let Some(bias) = rule.head_bias
    {
        let half = (bias / 2.0) as f32;
        return vec![half, -half];
    }
    let (offset, scale) = match weight {
        "kernel" => {
            let fan_in: usize = shape[..shape.len() - 1].iter().product();
            let gain = match () {
                () if last => rule.head_gain,
                () if rule.first_conv == Some(layer.as_str()) => 1.0 / 64.0,
                () => 1.0,
            };
            (0.0, (gain * (6.0 / fan_in as f64).sqrt()) as f32)
        }
        "bias" => (0.0, 0.05),
        "gamma" if LAST_OF_BLOCK.iter().any(|end| layer.ends_with(end)) => (0.3, 0.06),
        "gamma" => (1.0, 0.2),
        "beta" | "moving_mean" => (0.0, 0.2),
        "moving_variance" => (1.0, 0.4),
        other => panic!("no rule for {other}"),
    };
    let seed = fnv1a(&format!("{model}/{layer}/{weight}"));
    // Two roundings, as the reference: a fused multiply-add would differ.
    let value =
        |i| if offset == 0.0 { scale * noise(seed, i) } else { offset + scale * noise(seed, i) };
    (0..shape.iter().product::<usize>() as u64).map(value).collect()
}

pub(crate) fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Output `index` of SplitMix64 as a number in [-1, 1), exact in `f32`.
pub(crate) fn noise(seed: u64, index: u64) -> f32 {
    let mut state = seed.wrapping_add((index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^= state >> 31;
    (state >> 40) as f32 / 8_388_608.0 - 1.0
}
