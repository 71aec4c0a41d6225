//! Dataspaces: format specification, section IV.A.2.b.

use crate::bytes::{Bytes, Sizes};
use crate::error::{Error, damaged};

/// HDF5's own limit.
const MOST_DIMENSIONS: u8 = 32;

/// The shape of a dataset or an attribute.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Dataspace {
    pub(crate) shape: Vec<u64>,
    /// What the shape may grow to.
    pub(crate) largest: Vec<u64>,
}

impl Dataspace {
    pub(crate) fn parse(message: &[u8], sizes: Sizes) -> Result<Self, Error> {
        let mut bytes = Bytes(message);
        let (version, rank, flags) = (bytes.u8()?, bytes.u8()?, bytes.u8()?);
        if rank > MOST_DIMENSIONS {
            return Err(Error::TooMany("dimensions"));
        }
        match version {
            1 => bytes.skip(5)?,
            2 => match bytes.u8()? {
                0 | 1 => {}
                2 => return Ok(Self { shape: vec![0], largest: vec![0] }),
                _ => return damaged("its shape is of no known kind"),
            },
            _ => return damaged("its shape is of no known version"),
        }
        let mut lengths = || (0..rank).map(|_| bytes.length(sizes)).collect::<Result<Vec<_>, _>>();
        let shape = lengths()?;
        let largest = if flags & 1 == 0 { shape.clone() } else { lengths()? };
        if shape.iter().zip(&largest).any(|(size, largest)| size > largest) {
            return damaged("its shape is larger than it may be");
        }
        Ok(Self { shape, largest })
    }

    pub(crate) fn elements(&self) -> Result<u64, Error> {
        product(&self.shape).ok_or(Error::TooMany("numbers"))
    }
}

/// None if it overflows before a 0 ends it.
pub(crate) fn product(sizes: &[u64]) -> Option<u64> {
    if sizes.contains(&0) {
        return Some(0);
    }
    sizes.iter().try_fold(1_u64, |product, &size| product.checked_mul(size))
}
