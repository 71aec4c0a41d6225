//! `--preprocess`: how pixels become a network's input, by name or by numbers.

use std::str::FromStr;

use burncam_net::{
    ChannelOrder, IMAGENET_CAFFE_MEAN, IMAGENET_DEVIATION, IMAGENET_MEAN, InputSpec,
};

/// Everything of an [`InputSpec`] but its size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Preprocess {
    order: ChannelOrder,
    divisor: f32,
    mean: [f32; 3],
    deviation: [f32; 3],
}

/// Pixels as they are.
const RAW: Preprocess =
    Preprocess { order: ChannelOrder::Rgb, divisor: 1.0, mean: [0.0; 3], deviation: [1.0; 3] };

const fn caffe(mean: [f32; 3]) -> Preprocess {
    Preprocess { order: ChannelOrder::Bgr, mean, ..RAW }
}

/// What is usual, by name, and where it is.
const KNOWN: [(&str, Preprocess, &str); 7] = [
    (
        "torchvision",
        Preprocess { divisor: 255.0, mean: IMAGENET_MEAN, deviation: IMAGENET_DEVIATION, ..RAW },
        "torchvision, most of timm, DenseNet of Keras",
    ),
    (
        "inception",
        Preprocess { divisor: 127.5, mean: [1.0; 3], ..RAW },
        "Inception, Xception, MobileNet and ResNetV2 of Keras",
    ),
    ("caffe", caffe(IMAGENET_CAFFE_MEAN), "VGG and ResNet of keras.applications"),
    ("vggface", caffe([93.5940, 104.7624, 129.1863]), "VGG16 of keras-vggface"),
    ("vggface2", caffe([91.4953, 103.8827, 131.0912]), "ResNet50 and SENet50 of keras-vggface"),
    (
        "unit",
        Preprocess { divisor: 255.0, ..RAW },
        "ImageDataGenerator(rescale=1/255), most small networks",
    ),
    ("raw", RAW, "networks that prepare their input themselves, such as EfficientNet of Keras"),
];

impl Preprocess {
    /// What is known by name, a line each: its arithmetic, and where it is usual.
    pub fn presets() -> String {
        let size = InputSpec::scaled(1, ChannelOrder::Rgb, 1.0);
        let line = |(name, own, place): &(&str, Self, &str)| {
            format!("  {name:<12} {}: {place}", own.apply(size.clone()).formula())
        };
        KNOWN.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// Whether all channels are treated alike, so that one can be, too.
    pub fn is_alike(self) -> bool {
        let is_one = |values: [f32; 3]| values[1..] == values[..2];
        is_one(self.mean) && is_one(self.deviation)
    }

    /// The same size with this arithmetic.
    pub fn apply(self, input: InputSpec) -> InputSpec {
        let Self { order, divisor, mean, deviation } = self;
        // Grey has no order.
        let order = if input.order == ChannelOrder::Grey { input.order } else { order };
        InputSpec { order, divisor, mean, deviation, ..input }
    }
}

impl FromStr for Preprocess {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((_, known, _)) = KNOWN.iter().find(|(name, ..)| *name == text) {
            return Ok(*known);
        }
        let mut own = RAW;
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=').ok_or_else(|| help(text))?;
            match (key.trim(), value.trim()) {
                ("order", "rgb") => own.order = ChannelOrder::Rgb,
                ("order", "bgr") => own.order = ChannelOrder::Bgr,
                ("divide", value) => own.divisor = divisor(value)?,
                ("mean", value) => own.mean = channels(value, number)?,
                ("std", value) => own.deviation = channels(value, divisor)?,
                _ => return Err(help(part)),
            }
        }
        Ok(own)
    }
}

fn help(found: &str) -> String {
    let names: Vec<&str> = KNOWN.iter().map(|(name, ..)| *name).collect();
    format!(
        "`{found}` is none of {}, and no `order=rgb;divide=255;mean=0.485,0.456,0.406;\
         std=0.229,0.224,0.225`",
        names.join(", ")
    )
}

/// One number for all channels, or one for each.
fn channels(text: &str, parse: fn(&str) -> Result<f32, String>) -> Result<[f32; 3], String> {
    let values: Vec<f32> = text.split(',').map(parse).collect::<Result<_, _>>()?;
    match values[..] {
        [all] => Ok([all; 3]),
        [a, b, c] => Ok([a, b, c]),
        _ => Err(format!("`{text}` is not one number or three")),
    }
}

fn number(text: &str) -> Result<f32, String> {
    let value = text.trim().parse().ok().filter(|value: &f32| value.is_finite());
    value.ok_or_else(|| format!("`{text}` is no number"))
}

fn divisor(text: &str) -> Result<f32, String> {
    match number(text)? {
        0.0 => Err("nothing can be divided by 0".to_owned()),
        value => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_say_the_same() {
        for (text, name) in [
            ("divide=255; mean=0.485,0.456,0.406; std=0.229,0.224,0.225", "torchvision"),
            ("order=rgb;divide=127.5;mean=1", "inception"),
            ("order=bgr;mean=103.939,116.779,123.68", "caffe"),
        ] {
            assert_eq!(text.parse::<Preprocess>(), name.parse(), "{name}");
        }
        let input = InputSpec::scaled(224, ChannelOrder::Bgr, 1.0);
        let unit: Preprocess = "unit".parse().expect("a known name");
        assert_eq!(unit.apply(input).formula(), "x / 255");
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for text in ["vgg", "order=gbr", "divide=0", "std=1,0,1", "mean=1,2", "mean=nan", "size=3"]
        {
            assert!(text.parse::<Preprocess>().is_err(), "{text}");
        }
    }
}
