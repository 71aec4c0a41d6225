//! What was asked for with `--device`.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// Where to compute, as asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Request {
    /// A hardware GPU if there is one, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The first hardware GPU.
    Gpu,
    /// The hardware GPU of this number, counted from 0.
    Number(usize),
    /// All hardware GPUs.
    AllGpus,
    /// The adapters whose names hold these words; software rasterisers too.
    Named(Vec<String>),
}

impl FromStr for Request {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let number = |text: &str| text.strip_prefix("gpu:").and_then(|number| number.parse().ok());
        Ok(match text.to_lowercase().as_str() {
            "auto" => Self::Auto,
            "cpu" => Self::Cpu,
            "gpu" => Self::Gpu,
            "gpu:all" => Self::AllGpus,
            lower => match number(lower) {
                Some(number) => Self::Number(number),
                None => Self::Named(text.split(',').map(|name| name.trim().to_owned()).collect()),
            },
        })
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Gpu => f.write_str("gpu"),
            Self::Number(number) => write!(f, "gpu:{number}"),
            Self::AllGpus => f.write_str("gpu:all"),
            Self::Named(names) => f.write_str(&names.join(",")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_read_and_written_back() {
        let named = |names: &[&str]| Request::Named(names.iter().map(|&n| n.to_owned()).collect());
        for (text, request) in [
            ("auto", Request::Auto),
            ("cpu", Request::Cpu),
            ("gpu", Request::Gpu),
            ("gpu:1", Request::Number(1)),
            ("gpu:all", Request::AllGpus),
            ("llvmpipe", named(&["llvmpipe"])),
            ("Radeon RX,Arc", named(&["Radeon RX", "Arc"])),
            ("gpu:x", named(&["gpu:x"])),
        ] {
            let read: Request = text.parse().expect("never fails");
            assert_eq!(read, request);
            assert_eq!(read.to_string(), text);
        }
        assert_eq!("GPU".parse(), Ok(Request::Gpu));
    }
}
