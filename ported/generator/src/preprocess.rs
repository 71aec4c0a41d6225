//! How pixels become a network's input, as the user says it.

use std::str::FromStr;

use anyhow::{Context, Result, bail, ensure};

/// The rules that have a name.
const NAMED: [(&str, Preprocess); 5] = [
    ("torchvision", IMAGENET),
    ("keras-torch", IMAGENET),
    ("keras-tf", Preprocess { divisor: 127.5, mean: [1.0; 3], ..RAW }),
    ("keras-caffe", Preprocess { order: "bgr", mean: [103.939, 116.779, 123.68], ..RAW }),
    ("raw", RAW),
];

/// ImageNet's mean and deviation of RGB, for pixels divided by 255.
const IMAGENET: Preprocess = Preprocess {
    order: "rgb",
    divisor: 255.0,
    mean: [0.485, 0.456, 0.406],
    deviation: [0.229, 0.224, 0.225],
};

/// Pixels as they are: for networks that scale their input themselves.
const RAW: Preprocess =
    Preprocess { order: "rgb", divisor: 1.0, mean: [0.0; 3], deviation: [1.0; 3] };

/// `(pixel / divisor - mean) / deviation`, with mean and deviation in the network's own order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Preprocess {
    /// `rgb` or `bgr`.
    pub(crate) order: &'static str,
    pub(crate) divisor: f32,
    pub(crate) mean: [f32; 3],
    pub(crate) deviation: [f32; 3],
}

impl FromStr for Preprocess {
    type Err = anyhow::Error;

    /// A name, or `divide=255;mean=A,B,C;std=A,B,C;order=rgb`, each part of which may be missing.
    fn from_str(text: &str) -> Result<Self> {
        if let Some((_, rule)) = NAMED.iter().find(|(name, _)| *name == text) {
            return Ok(*rule);
        }
        let known = NAMED.map(|(name, _)| name).join(", ");
        ensure!(
            text.contains('='),
            "`{text}` is no preprocessing; known are {known}, or numbers as in \
             'divide=255;mean=0.5,0.5,0.5;std=0.5,0.5,0.5;order=rgb'"
        );
        let mut rule = RAW;
        for part in text.split(';').filter(|part| !part.trim().is_empty()) {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            match key.trim() {
                "divide" => rule.divisor = divisor(value)?,
                "mean" => rule.mean = three(value)?,
                "std" => {
                    rule.deviation = three(value)?;
                    ensure!(!rule.deviation.contains(&0.0), "std is 0: it is divided by");
                }
                "order" => rule.order = order(value.trim())?,
                other => bail!("`{other}` is none of divide, mean, std, order"),
            }
        }
        Ok(rule)
    }
}

fn divisor(text: &str) -> Result<f32> {
    let divisor = number(text)?;
    ensure!(divisor != 0.0, "divide is 0");
    Ok(divisor)
}

fn order(text: &str) -> Result<&'static str> {
    match text {
        "rgb" => Ok("rgb"),
        "bgr" => Ok("bgr"),
        other => bail!("order is rgb or bgr, not `{other}`"),
    }
}

/// Three numbers, or one for all.
fn three(text: &str) -> Result<[f32; 3]> {
    let values: Vec<f32> = text.split(',').map(number).collect::<Result<_>>()?;
    match values[..] {
        [all] => Ok([all; 3]),
        [a, b, c] => Ok([a, b, c]),
        _ => bail!("`{text}` are not three numbers"),
    }
}

fn number(text: &str) -> Result<f32> {
    let value: f32 = text.trim().parse().with_context(|| format!("`{text}` is no number"))?;
    ensure!(value.is_finite(), "`{text}` is no finite number");
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_give_the_same_as_names() {
        for (name, numbers) in [
            ("torchvision", "divide=255;mean=0.485,0.456,0.406;std=0.229,0.224,0.225;order=rgb"),
            ("keras-tf", "divide=127.5; mean=1"),
            ("keras-caffe", "order=bgr;mean=103.939,116.779,123.68"),
            ("raw", "divide=1"),
        ] {
            let parse = |text: &str| text.parse::<Preprocess>().expect(text);
            assert_eq!(parse(name), parse(numbers));
        }
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for bad in
            ["", "imagenet", "divide=0", "std=1,0,1", "mean=1,2", "mean=x", "order=grb", "a=1"]
        {
            assert!(bad.parse::<Preprocess>().is_err(), "{bad}");
        }
        assert!("divide=inf".parse::<Preprocess>().is_err());
    }
}
