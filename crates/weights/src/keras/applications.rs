//! How keras.applications prepares images, by what it calls its models.

use burncam_net::{
    ChannelOrder, IMAGENET_CAFFE_MEAN, IMAGENET_DEVIATION, IMAGENET_MEAN, InputSpec,
};

use crate::keras::config::Graph;

/// Models by the beginning of their name, and how their `preprocess_input` goes. Families that prepare their input
/// themselves are not here.
const MODELS: [(&str, Mode); 19] = [
    ("vgg16", Mode::Caffe),
    ("vgg19", Mode::Caffe),
    ("resnet50v2", Mode::Inception),
    ("resnet101v2", Mode::Inception),
    ("resnet152v2", Mode::Inception),
    ("resnet50", Mode::Caffe),
    ("resnet101", Mode::Caffe),
    ("resnet152", Mode::Caffe),
    ("xception", Mode::Inception),
    ("inception_v3", Mode::Inception),
    ("inception_resnet_v2", Mode::Inception),
    ("mobilenet_0", Mode::Inception),
    ("mobilenet_1", Mode::Inception),
    ("mobilenetv2_", Mode::Inception),
    ("nasnet", Mode::Inception),
    ("nasnet_mobile", Mode::Inception),
    ("densenet121", Mode::Torch),
    ("densenet169", Mode::Torch),
    ("densenet201", Mode::Torch),
];

#[derive(Clone, Copy)]
enum Mode {
    /// Blue first, less the means of ImageNet.
    Caffe,
    /// From -1 to 1.
    Inception,
    /// From 0 to 1, then by the means and deviations of ImageNet.
    Torch,
}

/// The model of keras.applications that a graph is or holds, and how its input is prepared; its size stands for
/// nothing.
pub(crate) fn preprocessing(graph: &Graph) -> Option<(String, InputSpec)> {
    let mut names: Vec<&str> = graph.models.keys().map(String::as_str).collect();
    names.sort_unstable();
    let mut known = std::iter::once(graph.name.as_str()).chain(names).filter_map(|name| {
        let lower = name.to_lowercase();
        let (_, mode) = MODELS.iter().find(|(start, _)| lower.starts_with(start))?;
        Some((name.to_owned(), mode.input()))
    });
    known.next()
}

/// Height and width that a model of keras.applications has where its input is left open.
pub(crate) fn size(graph: &Graph) -> Option<[usize; 2]> {
    let (name, _) = preprocessing(graph)?;
    let name = name.to_lowercase();
    let large = ["xception", "inception"].iter().any(|start| name.starts_with(start));
    // NASNetLarge and NASNetMobile have one name, and different sizes.
    (!name.starts_with("nasnet")).then_some([if large { 299 } else { 224 }; 2])
}

impl Mode {
    fn input(self) -> InputSpec {
        let raw = InputSpec::scaled(1, ChannelOrder::Rgb, 1.0);
        match self {
            Self::Caffe => InputSpec { order: ChannelOrder::Bgr, mean: IMAGENET_CAFFE_MEAN, ..raw },
            Self::Inception => InputSpec { divisor: 127.5, mean: [1.0; 3], ..raw },
            Self::Torch => InputSpec {
                divisor: 255.0,
                mean: IMAGENET_MEAN,
                deviation: IMAGENET_DEVIATION,
                ..raw
            },
        }
    }
}
