//! Libraries of attribution that a method can follow.

use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burncam_net::layers::{Sampling, resized};

use crate::{Fit, Maps, Method, Taps};

/// A library of attribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// pytorch-grad-cam 1.5.
    PytorchGradCam,
    /// torch-cam 0.5.
    TorchCam,
    /// Captum 0.8.
    Captum,
    /// Xplique 2.0.
    Xplique,
}

/// How a library computes a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// With these options, the map is the library's.
    Options(&'static str),
    /// In a way that is not the method.
    Differs(&'static str),
}

impl Peer {
    /// Every library.
    pub const ALL: [Self; 4] = [Self::PytorchGradCam, Self::TorchCam, Self::Captum, Self::Xplique];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PytorchGradCam => "pytorch-grad-cam",
            Self::TorchCam => "torch-cam",
            Self::Captum => "captum",
            Self::Xplique => "xplique",
        }
    }

    /// The library of this name, in any case.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|peer| peer.name().eq_ignore_ascii_case(name))
    }

    /// The options with which a method gives the library's map.
    ///
    /// # Errors
    ///
    /// If the library does not have the method, or computes something else by its name.
    pub fn options(self, method: &Method) -> Result<&'static str, String> {
        let likeness = method.peers.iter().find(|(peer, _)| *peer == self);
        match likeness.map(|(_, likeness)| *likeness) {
            Some(Likeness::Options(options)) => Ok(options),
            Some(Likeness::Differs(why)) => {
                Err(format!("{}'s {} is another map: {why}", self.name(), method.title))
            }
            None => {
                let has =
                    |(_, likeness): &&(Self, Likeness)| matches!(likeness, Likeness::Options(_));
                let others: Vec<&str> =
                    method.peers.iter().filter(has).map(|(other, _)| other.name()).collect();
                let others = match others.is_empty() {
                    true => "none of the libraries that Burncam knows has it".to_owned(),
                    false => format!("it is in {}", others.join(", ")),
                };
                Err(format!("{} has no {}; {others}", self.name(), method.title))
            }
        }
    }

    /// The map that the library hands to its user, of a method's raw map. `input`: height and width of the images.
    #[must_use]
    pub(crate) fn finish(self, method: &Method, maps: Maps, input: [usize; 2]) -> Maps {
        if method.needs.taps == Taps::None {
            return maps;
        }
        match self {
            Self::PytorchGradCam => {
                let maps = scaled(relu(maps.values.clone()), 1e-7, maps.size);
                let maps = enlarged(maps, input, Sampling::HalfPixel);
                scaled(relu(maps.values), 1e-7, maps.size)
            }
            // The original CAM is not rectified there.
            Self::TorchCam if method.needs.network == Fit::PooledDense => {
                scaled(maps.values, 1e-8, maps.size)
            }
            Self::TorchCam => scaled(relu(maps.values), 1e-8, maps.size),
            Self::Captum => maps,
            Self::Xplique => {
                enlarged(Maps::new(relu(maps.values), maps.size), input, Sampling::Bicubic)
            }
        }
    }

    /// The mean of the finished maps of several layers.
    #[must_use]
    pub(crate) fn finish_fused(self, maps: Maps) -> Maps {
        match self {
            Self::PytorchGradCam => scaled(maps.values, 1e-7, maps.size),
            Self::TorchCam | Self::Captum | Self::Xplique => maps,
        }
    }
}

/// Each map between 0 and 1: less its smallest value, divided by the largest that is left.
fn scaled(values: Tensor<3>, epsilon: f32, size: [usize; 2]) -> Maps {
    let values = values.clone() + values.neg().max_dim(2);
    let values = values.clone() / (values.max_dim(2) + epsilon);
    Maps::new(values, size)
}

/// Maps at another size.
pub(crate) fn enlarged(maps: Maps, [height, width]: [usize; 2], sampling: Sampling) -> Maps {
    let [batch, ..] = maps.values.dims();
    let [own_height, own_width] = maps.size;
    let values = maps.values.reshape([batch, 1, own_height, own_width]);
    Maps::new(resized(values, [height, width], sampling).flatten(2, 3), [height, width])
}
