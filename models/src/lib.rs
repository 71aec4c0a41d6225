//! The convolutional networks that Burncam explains, as native Burn modules, a family in each folder.
//!
//! A file states its layers once, as data; a checkpoint is checked against that table and the
//! module takes its numbers from it. A further network is one file here and one line in
//! [`ARCHS`].
//!
//! This crate must never open a file.

mod inception_v3;
mod ncnn;
mod resnet;
mod vgg16;

pub use inception_v3::INCEPTION_V3;
pub use ncnn::NCNN;
pub use resnet::{RESNET50, SENET50};
pub use vgg16::VGG16;

use burncam_net::{Arch, ChannelOrder, IMAGENET_DEVIATION, IMAGENET_MEAN, InputSpec};

/// Every architecture, in the order in which they are listed to users.
pub static ARCHS: [&Arch; 5] = [&VGG16, &RESNET50, &SENET50, &INCEPTION_V3, &NCNN];

/// The classes of the neonatal-pain networks: folders `dor` and `sem_dor`, in alphabetical order.
pub const PAIN_CLASSES: [&str; 2] = ["Pain", "No_pain"];

/// The same where one output is the probability of Pain.
const NO_PAIN_FIRST: [&str; 2] = ["No_pain", "Pain"];

/// What fastai's `vision_learner` puts behind a body: its `create_head`, with and without
/// `concat_pool`. (`Sequential(body, head)` calls them `0` and `1`.)
const FASTAI_HEADS: [&str; 2] = [
    "concatpool; flatten; 1.2: batchnorm; dropout; 1.4: linear; relu; 1.6: batchnorm; dropout; \
     1.8: linear",
    "avgpool; flatten; 1.2: batchnorm; dropout; 1.4: linear; relu; 1.6: batchnorm; dropout; \
     1.8: linear",
];

/// PyTorch's default epsilon of a batch normalisation.
const TORCH_EPSILON: f32 = 1e-5;

/// Red, green and blue divided by 255, minus ImageNet's mean, divided by its deviation, as
/// torchvision and timm feed most of their networks.
const fn imagenet_torch(size: usize) -> InputSpec {
    InputSpec::scaled(size, ChannelOrder::Rgb, 255.0)
        .with_mean(IMAGENET_MEAN)
        .with_deviation(IMAGENET_DEVIATION)
}

/// Classes of the networks that were trained on ImageNet.
const IMAGENET_CLASSES: usize = 1000;

/// The architecture of this name (`inception_v3`) or title (`IncepV3`), in any case and with or
/// without its underscore.
#[must_use]
pub fn find(name: &str) -> Option<&'static Arch> {
    let plain = |name: &str| name.replace(['_', '-'], "").to_lowercase();
    let known = |arch: &&Arch| [arch.name, arch.title].iter().any(|own| plain(own) == plain(name));
    ARCHS.into_iter().find(known)
}
