//! InceptionV3 as torchvision and timm have it: the blocks of keras.applications, with other
//! names, batch normalisations with a scale, and average-pools that count their padding.
//!
//! A convolution's module (`Mixed_5b.branch1x1`) gives its rectifier the name; inside are `.conv`
//! and `.bn`. Pools inside blocks are no modules and have names of ours.

use burncam_net::{ChannelOrder, InputSpec, LayerTable, Op, Outputs, Variant};

use super::{MIXED, STEM, Unit, build};
use crate::FASTAI_HEADS;

/// torchvision's `inception_v3` and timm's.
pub(crate) const VARIANT: Variant = Variant {
    name: "torchvision",
    // torchvision divides by 255, applies ImageNet's mean and deviation, and its network's
    // `transform_input` turns that into a mean and a deviation of 0.5; timm does this at once.
    input: InputSpec::scaled(299, ChannelOrder::Rgb, 127.5).with_mean([1.0; 3]),
    outputs: Outputs::Any,
    cam_layer: "Mixed_7c",
    neurons: None,
    layers,
    build,
};

const STEM_NAMES: [&str; 7] = [
    "Conv2d_1a_3x3",
    "Conv2d_2a_3x3",
    "Conv2d_2b_3x3",
    "maxpool1",
    "Conv2d_3b_1x1",
    "Conv2d_4a_3x3",
    "maxpool2",
];

/// What lies directly inside the network, without the auxiliary classifier: with it, the modules
/// cannot run one after the other.
const CHILDREN: [&str; 21] = [
    "Conv2d_1a_3x3",
    "Conv2d_2a_3x3",
    "Conv2d_2b_3x3",
    "maxpool1",
    "Conv2d_3b_1x1",
    "Conv2d_4a_3x3",
    "maxpool2",
    "Mixed_5b",
    "Mixed_5c",
    "Mixed_5d",
    "Mixed_6a",
    "Mixed_6b",
    "Mixed_6c",
    "Mixed_6d",
    "Mixed_6e",
    "Mixed_7a",
    "Mixed_7b",
    "Mixed_7c",
    "avgpool",
    "dropout",
    "fc",
];

/// name, branches
type Names = (&'static str, &'static [&'static str]);

const SMALL: &[&str] = &["branch1x1", "branch5x5", "branch3x3dbl", "branch_pool"];
const MIDDLE: &[&str] = &["branch1x1", "branch7x7", "branch7x7dbl", "branch_pool"];
const LARGE: &[&str] = &["branch1x1", "branch3x3", "branch3x3dbl", "branch_pool"];

/// The blocks, in the order of [`MIXED`].
const BLOCKS: [Names; 11] = [
    ("Mixed_5b", SMALL),
    ("Mixed_5c", SMALL),
    ("Mixed_5d", SMALL),
    ("Mixed_6a", &["branch3x3", "branch3x3dbl", "branch_pool"]),
    ("Mixed_6b", MIDDLE),
    ("Mixed_6c", MIDDLE),
    ("Mixed_6d", MIDDLE),
    ("Mixed_6e", MIDDLE),
    ("Mixed_7a", &["branch3x3", "branch7x7x3", "branch_pool"]),
    ("Mixed_7b", LARGE),
    ("Mixed_7c", LARGE),
];

fn layers() -> LayerTable {
    let mut table =
        LayerTable::new("input", [299, 299, 3]).with_children(&CHILDREN).with_heads(&FASTAI_HEADS);
    table.leave_out("AuxLogits.", "the auxiliary classifier; only training uses it");
    for (unit, name) in STEM.iter().zip(STEM_NAMES) {
        push(&mut table, *unit, name);
    }
    for ((block, names), branches) in BLOCKS.iter().zip(MIXED) {
        let input = table.current();
        let mut ends = Vec::new();
        for (name, units) in names.iter().zip(branches) {
            table.at(&input);
            branch(&mut table, &format!("{block}.{name}"), units);
            ends.push(table.current());
        }
        let ends: Vec<&str> = ends.iter().map(String::as_str).collect();
        table.join(&ends, *block, Op::Concatenate);
    }
    table
}

/// A convolution alone has the branch's name, several are counted from 1.
fn branch(table: &mut LayerTable, name: &str, units: &[Unit]) {
    let is_conv = |unit: &&Unit| !matches!(unit, Unit::Average | Unit::Max);
    let alone = units.iter().filter(is_conv).count() == 1;
    let mut number = 0;
    for unit in units {
        match unit {
            Unit::Average => push(table, *unit, &format!("{name}.average")),
            Unit::Max => push(table, *unit, name),
            Unit::Fork(filters, _) => {
                let input = table.current();
                let half = |table: &mut LayerTable, half: &str, size: [usize; 2]| {
                    table.at(&input);
                    let end = format!("{name}_{}{half}", number + 1);
                    conv(table, &end, Op::conv2d(*filters, 1).kernel(size).same());
                    end
                };
                let ends = [half(table, "a", [1, 3]), half(table, "b", [3, 1])];
                table.join(&[&ends[0], &ends[1]], name, Op::Concatenate);
            }
            _ if alone => push(table, *unit, name),
            _ => {
                number += 1;
                push(table, *unit, &format!("{name}_{number}"));
            }
        }
    }
}

/// Strides and paddings are those of Keras: where it pads, the stride is 1 and the size odd.
fn push(table: &mut LayerTable, unit: Unit, name: &str) {
    match unit {
        Unit::Conv(filters, height, width) => {
            conv(table, name, Op::conv2d(filters, 1).kernel([height, width]).same());
        }
        Unit::Valid(filters, size, stride) => {
            conv(table, name, Op::conv2d(filters, size).stride(stride));
        }
        Unit::Average => table.push(name, Op::average_pool(3, 1).around(1)),
        Unit::Max => table.push(name, Op::max_pool(3, 2)),
        Unit::Fork(..) => unreachable!("a fork is two convolutions"),
    }
}

fn conv(table: &mut LayerTable, name: &str, op: Op) {
    table.push(format!("{name}.conv"), op.bias(false));
    table.push(format!("{name}.bn"), Op::batch_norm(1e-3));
    table.push(name, Op::relu_layer());
}
