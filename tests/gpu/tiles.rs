//! Every size of tile that a convolution is cut into on a GPU, with windows, channels and filters that do not
//! fill it, against the CPU.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use burncam_attribution::layer_errors;
use burncam_net::layers::{Concat, Conv2d, Sum};
use burncam_net::{
    Activation, Arch, Build, ChannelOrder, Classifier, HeadConfig, InputSpec, LayerTable,
    LoadError, Loader, Network, Op, Outputs, Source, Trace, Variant, Weight,
};
use libtest_mimic::Failed;

/// Of a layer's largest value.
const TOLERANCE: f32 = 2e-5;

/// With as many images every size of tile is used: `few` has 2,304 positions each, `many` 9,216.
const IMAGES: usize = 4;

const SIZE: usize = 96;

static TILES: Arch = Arch {
    name: "tiles",
    title: "Tiles",
    classes: &[],
    variants: &[Variant {
        name: "test",
        input: InputSpec::scaled(SIZE, ChannelOrder::Rgb, 255.0),
        outputs: Outputs::Any,
        cam_layer: "joined",
        neurons: None,
        layers,
        build,
    }],
};

fn layers() -> LayerTable {
    let mut table = LayerTable::new("input", [SIZE, SIZE, 3]);
    // Three channels, and fewer filters than any tile has.
    table.push("narrow", Op::conv2d(8, 3).same().relu());
    table.push("many_128", Op::conv2d(128, 1));
    table.push("leaky", Op::LeakyReLU { negative_slope: 0.125 });
    table.push("many_64", Op::conv2d(64, 2).same());
    // The border is at the bottom and the right only.
    table.push("few_128", Op::conv2d(128, 3).stride(2).same().bias(false).relu());
    table.push("fewer_32", Op::conv2d(32, 3).stride(2));
    table.push("onto", Op::conv2d(32, 3).same());
    table.join(&["onto", "fewer_32"], "sum", Op::Add);
    table.push("rectified", Op::relu_layer());
    // No multiple of four: Burn's convolution.
    table.push("six", Op::conv2d(6, 1));
    table.join(&["rectified", "six"], "joined", Op::Concatenate);
    // 38 channels, and filters that fill one tile and an eighth.
    table.push("ragged", Op::conv2d(36, 3).same().relu());
    table
}

#[derive(Module, Debug)]
struct Tiles {
    chain: Vec<Conv2d>,
    onto: Conv2d,
    sum: Sum,
    six: Conv2d,
    join: Concat,
    ragged: Conv2d,
}

fn build(loader: &mut Loader<'_>) -> Result<Box<dyn Network>, LoadError> {
    Ok(Box::new(Tiles {
        chain: (0..5).map(|_| loader.conv2d()).collect::<Result<_, _>>()?,
        onto: loader.conv2d()?,
        sum: loader.sum(),
        six: loader.conv2d()?,
        join: loader.concat(),
        ragged: loader.conv2d()?,
    }))
}

impl Network for Tiles {
    /// # Shapes
    ///
    /// `[batch, 3, 96, 96]` to `[batch, 36, 23, 23]`.
    fn features(&self, images: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        let shortcut = self.chain.iter().fold(images, |map, conv| conv.forward(map, trace));
        let sum = self.onto.forward_onto(shortcut.clone(), shortcut, &self.sum, trace);
        let six = self.six.forward(sum.clone(), trace);
        let joined = self.join.forward(vec![sum, six], trace);
        self.ragged.forward(joined, trace)
    }
}

/// Weights between -1 and 1 that shrink with what they are summed over.
struct Waves;

impl Source for Waves {
    fn take(&mut self, layer: &str, _: Weight, shape: &[usize]) -> Result<Vec<f32>, LoadError> {
        let count: usize = shape.iter().product();
        let sums = (count / shape.last().copied().unwrap_or(1).max(1)).max(1) as f32;
        let start = layer.len() as f32;
        Ok((0..count).map(|i| wave(start + i as f32) * (3.0 / sums).sqrt()).collect())
    }
}

fn wave(at: f32) -> f32 {
    (at * 1.7).sin() * (at * 0.013).cos()
}

/// Compares each layer.
pub(crate) fn check(device: &Device) -> Result<(), Failed> {
    let network = |device: &Device| {
        let dense = Op::Dense { units: 2, use_bias: true, activation: Activation::Softmax };
        let head = [("flatten", Op::Flatten), ("classes", dense)];
        let head = head.map(|(name, op)| (name.to_owned(), op)).to_vec();
        let head = HeadConfig::new(head).expect("a head");
        let variant = &TILES.variants[0];
        Classifier::build(&TILES, variant, head, &mut Waves, device, Build::default())
            .expect("a network")
    };
    let values = (0..IMAGES * 3 * SIZE * SIZE).map(|i| wave(i as f32)).collect();
    let images = TensorData::new(values, [IMAGES, 3, SIZE, SIZE]);
    let images = Tensor::from_data(TensorData::convert::<f32>(images), &Device::flex());
    let layers = layer_errors(&network(&Device::flex()), &network(device), &images)?;
    let names: Vec<&str> = layers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "narrow",
            "leaky",
            "many_64",
            "few_128",
            "fewer_32",
            "rectified",
            "six",
            "joined",
            "ragged"
        ]
    );
    for (name, apart) in layers {
        println!("{name}: within {apart:.1e} (allowed {TOLERANCE:.0e})");
        if apart.is_nan() || apart > TOLERANCE {
            return Err(format!("{name}: {apart:e} apart").into());
        }
    }
    Ok(())
}
