//! InceptionV3: blocks of parallel branches.
//!
//! Szegedy et al., *Rethinking the Inception Architecture for Computer Vision*, CVPR 2016,
//! <https://arxiv.org/abs/1512.00567>; as keras.applications builds it.

mod torch;

use burn::module::Module;
use burn::tensor::Tensor;
use burncam_net::layers::{AvgPool2d, Concat, Conv2d, MaxPool2d};
use burncam_net::{
    Arch, ChannelOrder, InputSpec, LayerTable, LoadError, Loader, Network, Op, Outputs, Trace,
    Variant,
};

use crate::PAIN_CLASSES;

/// One step of a branch.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    /// Convolution, batch normalisation and rectifier: filters, height, width; `same`.
    Conv(usize, usize, usize),
    /// The same without padding: filters, size, stride.
    Valid(usize, usize, usize),
    /// 3×3 average-pooling with stride 1.
    Average,
    /// 3×3 max-pooling with stride 2.
    Max,
    /// A 1×3 and a 3×1 convolution side by side, joined: filters, and the name of the joint
    /// unless Keras chooses it.
    Fork(usize, Option<&'static str>),
}

use Unit::{Average, Conv, Fork, Max, Valid};

pub(crate) const STEM: [Unit; 7] =
    [Valid(32, 3, 2), Valid(32, 3, 1), Conv(64, 3, 3), Max, Valid(80, 1, 1), Valid(192, 3, 1), Max];

/// A block's branches, in the order in which they are joined.
pub(crate) type Branches = &'static [&'static [Unit]];

/// 35 × 35; the filters after the pooling differ.
macro_rules! small {
    ($pooled:literal) => {
        &[
            &[Conv(64, 1, 1)],
            &[Conv(48, 1, 1), Conv(64, 5, 5)],
            &[Conv(64, 1, 1), Conv(96, 3, 3), Conv(96, 3, 3)],
            &[Average, Conv($pooled, 1, 1)],
        ]
    };
}

/// 17 × 17; the filters inside differ.
macro_rules! middle {
    ($inner:literal) => {
        &[
            &[Conv(192, 1, 1)],
            &[Conv($inner, 1, 1), Conv($inner, 1, 7), Conv(192, 7, 1)],
            &[
                Conv($inner, 1, 1),
                Conv($inner, 7, 1),
                Conv($inner, 1, 7),
                Conv($inner, 7, 1),
                Conv(192, 1, 7),
            ],
            &[Average, Conv(192, 1, 1)],
        ]
    };
}

/// 8 × 8; the name of the first joint differs.
macro_rules! large {
    ($joint:literal) => {
        &[
            &[Conv(320, 1, 1)],
            &[Conv(384, 1, 1), Fork(384, Some($joint))],
            &[Conv(448, 1, 1), Conv(384, 3, 3), Fork(384, None)],
            &[Average, Conv(192, 1, 1)],
        ]
    };
}

/// The blocks `mixed0` to `mixed10`.
pub(crate) const MIXED: [Branches; 11] = [
    small!(32),
    small!(64),
    small!(64),
    &[&[Valid(384, 3, 2)], &[Conv(64, 1, 1), Conv(96, 3, 3), Valid(96, 3, 2)], &[Max]],
    middle!(128),
    middle!(160),
    middle!(160),
    middle!(192),
    &[
        &[Conv(192, 1, 1), Valid(320, 3, 2)],
        &[Conv(192, 1, 1), Conv(192, 1, 7), Conv(192, 7, 1), Valid(192, 3, 2)],
        &[Max],
    ],
    large!("mixed9_0"),
    large!("mixed9_1"),
];

/// InceptionV3 as an architecture.
pub static INCEPTION_V3: Arch = Arch {
    name: "inception_v3",
    title: "IncepV3",
    classes: &PAIN_CLASSES,
    variants: &[KERAS, torch::VARIANT],
};

const KERAS: Variant = Variant {
    name: "keras-applications",
    input: InputSpec::scaled(299, ChannelOrder::Rgb, 127.5).with_mean([1.0; 3]),
    outputs: Outputs::Any,
    cam_layer: "mixed10",
    neurons: None,
    layers,
    build,
};

fn layers() -> LayerTable {
    // The notebook's head.
    let mut table = LayerTable::new("input", [299, 299, 3])
        .with_heads(&["avgpool; dense 512 relu; dropout; dense 512 relu; dropout; dense"]);
    STEM.iter().for_each(|unit| unit.push(&mut table));
    for (index, branches) in MIXED.iter().enumerate() {
        let input = table.current();
        let mut ends = Vec::new();
        for branch in *branches {
            table.at(&input);
            branch.iter().for_each(|unit| unit.push(&mut table));
            ends.push(table.current());
        }
        let ends: Vec<&str> = ends.iter().map(String::as_str).collect();
        table.join(&ends, format!("mixed{index}"), Op::Concatenate);
    }
    table
}

impl Unit {
    /// Adds the unit's layers.
    fn push(self, table: &mut LayerTable) {
        match self {
            Conv(filters, height, width) => push_conv(table, filters, [height, width]),
            Valid(filters, size, stride) => {
                conv_norm_relu(table, Op::conv2d(filters, size).stride(stride));
            }
            Average => table.push_auto(Op::average_pool(3, 1).same()),
            Max => table.push_auto(Op::max_pool(3, 2)),
            Fork(filters, joint) => {
                let input = table.current();
                push_conv(table, filters, [1, 3]);
                let wide = table.current();
                table.at(&input);
                push_conv(table, filters, [3, 1]);
                let high = table.current();
                match joint {
                    Some(name) => table.join(&[&wide, &high], name, Op::Concatenate),
                    None => table.join_auto(&[&wide, &high], Op::Concatenate),
                }
            }
        }
    }
}

fn push_conv(table: &mut LayerTable, filters: usize, size: [usize; 2]) {
    conv_norm_relu(table, Op::conv2d(filters, 1).kernel(size).same());
}

/// Keras names these layers; the batch normalisation has no scale.
fn conv_norm_relu(table: &mut LayerTable, conv: Op) {
    table.push_auto(conv.bias(false));
    table.push_auto(Op::BatchNormalization { epsilon: 1e-3, scale: false, center: true });
    table.push_auto(Op::relu_layer());
}

/// The network without its head.
#[derive(Module, Debug)]
struct InceptionV3 {
    stem: Vec<Step>,
    mixed: Vec<Mixed>,
}

#[derive(Module, Debug)]
struct Mixed {
    branches: Vec<Vec<Step>>,
    join: Concat,
}

/// A [`Unit`] with its weights.
#[expect(clippy::large_enum_variant, reason = "there are four forks; a box is no Burn module")]
#[derive(Module, Debug)]
enum Step {
    Conv(Conv2d),
    Average(AvgPool2d),
    Max(MaxPool2d),
    Fork(Joint),
}

#[derive(Module, Debug)]
struct Joint {
    wide: Conv2d,
    high: Conv2d,
    join: Concat,
}

pub(crate) fn build(loader: &mut Loader<'_>) -> Result<Box<dyn Network>, LoadError> {
    let stem = steps(&STEM, loader)?;
    let mixed = MIXED
        .iter()
        .map(|branches| {
            let branches =
                branches.iter().map(|branch| steps(branch, loader)).collect::<Result<_, _>>()?;
            Ok(Mixed { branches, join: loader.concat() })
        })
        .collect::<Result<_, _>>()?;
    Ok(Box::new(InceptionV3 { stem, mixed }))
}

fn steps(units: &[Unit], loader: &mut Loader<'_>) -> Result<Vec<Step>, LoadError> {
    let step = |unit: &Unit| {
        Ok(match unit {
            Conv(..) | Valid(..) => Step::Conv(loader.conv2d()?),
            Average => Step::Average(loader.avg_pool2d()),
            Max => Step::Max(loader.max_pool2d()),
            Fork(..) => Step::Fork(Joint {
                wide: loader.conv2d()?,
                high: loader.conv2d()?,
                join: loader.concat(),
            }),
        })
    };
    units.iter().map(step).collect()
}

impl Step {
    fn forward(&self, input: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        match self {
            Self::Conv(conv) => conv.forward(input, trace),
            Self::Average(pool) => pool.forward(input, trace),
            Self::Max(pool) => pool.forward(input, trace),
            Self::Fork(joint) => {
                let wide = joint.wide.forward(input.clone(), trace);
                let high = joint.high.forward(input, trace);
                joint.join.forward(vec![wide, high], trace)
            }
        }
    }
}

fn run(steps: &[Step], input: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
    match steps {
        [Step::Average(pool), Step::Conv(conv)] => conv.forward_averaged(input, pool, trace),
        steps => steps.iter().fold(input, |x, step| step.forward(x, trace)),
    }
}

impl Network for InceptionV3 {
    /// # Shapes
    ///
    /// `[batch, 3, 299, 299]` to `[batch, 2048, 8, 8]`.
    fn features(&self, images: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        let x = run(&self.stem, images, trace);
        self.mixed.iter().fold(x, |x, block| {
            // The last branch is given the map itself, so that its memory is used again.
            let copies = std::iter::repeat_n(x, block.branches.len());
            let ends = block.branches.iter().zip(copies).map(|(branch, x)| run(branch, x, trace));
            block.join.forward(ends.collect(), trace)
        })
    }
}
