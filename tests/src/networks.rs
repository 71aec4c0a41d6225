//! The reference's networks: which head stands on which architecture.

use burn::tensor::Device;
use burncam_net::{Activation, Arch, Build, Classifier, HeadConfig, Op, Variant};

use crate::Generated;

/// Name and settings of a head's layers.
pub type HeadLayers = Vec<(&'static str, Op)>;

/// The head that the notebook puts on one of its five networks, given by its title.
///
/// # Panics
///
/// If the network is none of these.
#[must_use]
pub fn notebook_head(title: &str) -> HeadLayers {
    let pool = Op::GlobalAveragePooling2D;
    match title {
        "NCNN" => vec![("flatten", Op::Flatten), ("FC1", hidden(8)), ("output", softmax(2))],
        "VGG16" => vec![
            ("flatten", Op::Flatten),
            ("dense", hidden(512)),
            ("dense_1", hidden(512)),
            ("dense_2", softmax(2)),
        ],
        "ResNet50" => vec![("gap", pool), ("dense", hidden(1000)), ("dense_1", softmax(2))],
        "SENet50" => vec![("gap", pool), ("dense_2", hidden(1000)), ("dense_3", softmax(2))],
        "IncepV3" => vec![
            ("gap", pool),
            ("dense", hidden(512)),
            ("dense_1", hidden(512)),
            ("dense_2", softmax(2)),
        ],
        unknown => panic!("the notebook has no {unknown}"),
    }
}

/// A dense layer with a rectifier.
#[must_use]
pub fn hidden(units: usize) -> Op {
    Op::Dense { units, use_bias: true, activation: Activation::Relu }
}

/// A dense layer that gives probabilities.
#[must_use]
pub fn softmax(units: usize) -> Op {
    Op::Dense { units, use_bias: true, activation: Activation::Softmax }
}

/// A network with the reproducible weights of that name, on a device.
///
/// # Panics
///
/// If the weights do not fit.
#[must_use]
pub fn classifier(
    arch: &'static Arch,
    variant: &'static Variant,
    head: &[(&str, Op)],
    weights: &'static str,
    device: &Device,
) -> Classifier {
    classifier_with(arch, variant, head, weights, device, Build::default())
}

/// The same, built in a certain way.
///
/// # Panics
///
/// If the weights do not fit.
#[must_use]
pub fn classifier_with(
    arch: &'static Arch,
    variant: &'static Variant,
    head: &[(&str, Op)],
    weights: &'static str,
    device: &Device,
    how: Build<'_>,
) -> Classifier {
    let head = head.iter().map(|(name, op)| ((*name).to_owned(), op.clone())).collect();
    let head = HeadConfig::new(head).expect("a head");
    let built = Classifier::build(arch, variant, head, &mut Generated(weights), device, how);
    built.expect("every weight")
}
