//! How much a file may ask for, whatever it says of itself.
//!
//! The largest network that is supported, InceptionV3, has 318 layers and 382 weights; VGG16 has the most
//! numbers, 138 million, 103 million of them in one weight.

use std::path::Path;

use crate::Error;

/// Layers, or tensors, of one file.
pub(crate) const MOST_PARTS: usize = 10_000;

/// Names of layers that the layers of one file read.
pub(crate) const MOST_INPUTS: usize = 40_000;

/// Layers of a head.
pub(crate) const MOST_HEAD: usize = 256;

/// Steps of a preprocessing, each of which is done with every pixel of every image.
pub(crate) const MOST_STEPS: usize = 64;

/// Bytes of a file, all of which are read for its checksum. VGG16 with the state of its training has
/// 1.7 GB.
pub(crate) const LARGEST_FILE: u64 = 16 << 30;

/// Bytes of a description: JSON, or the header of a `.bpk` or `.safetensors` file.
pub(crate) const LARGEST_DESCRIPTION: u64 = 16 << 20;

/// Numbers of one weight: 1 GiB.
pub(crate) const MOST_NUMBERS: u64 = 1 << 28;

/// Numbers of one network: 2 GiB.
pub(crate) const MOST_IN_ALL: u64 = 1 << 29;

/// Refuses more parts than [`MOST_PARTS`].
pub(crate) fn check_parts(path: &Path, count: usize) -> Result<(), Error> {
    match count > MOST_PARTS {
        true => Err(Error::TooLarge {
            path: path.to_owned(),
            reason: format!("it has more than {MOST_PARTS} layers or tensors"),
        }),
        false => Ok(()),
    }
}

/// How many numbers a weight of this shape has, if that is within [`MOST_NUMBERS`].
pub(crate) fn numbers(shape: &[u64]) -> Option<u64> {
    let count = shape.iter().try_fold(1_u64, |count, &size| count.checked_mul(size));
    count.filter(|&count| count <= MOST_NUMBERS)
}
