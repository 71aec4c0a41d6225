//! Where the elements of a dataset are: format specification, section IV.A.2.i.

use crate::bytes::{Bytes, Sizes};
use crate::error::{Error, damaged};

/// Where the elements are. Addresses are none where nothing was ever written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// In the object header.
    Compact(Vec<u8>),
    /// One after the other, in so many bytes if the file says how many.
    Contiguous { address: Option<u64>, size: Option<u64> },
    /// In chunks of a shape, elements of so many bytes.
    Chunked { shape: Vec<u64>, element: u64, index: Index, address: Option<u64> },
    /// In a way that is not understood.
    Unknown(&'static str),
}

/// What says where the chunks are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Index {
    /// A B-tree of version 1.
    Tree,
    /// Nothing: there is one. When it went through filters, its size is here with its filter mask.
    Single(Option<(u64, u32)>),
    /// Nothing: they lie one after the other.
    Implicit,
    /// A fixed array. Chunks that reach beyond the dataset may not have gone through filters.
    Array { partial_unfiltered: bool },
}

impl Layout {
    pub(crate) fn parse(message: &[u8], sizes: Sizes) -> Result<Self, Error> {
        let mut bytes = Bytes(message);
        match bytes.u8()? {
            1 | 2 => old(bytes, sizes),
            3 => new(bytes, sizes, 3),
            version @ (4 | 5) => new(bytes, sizes, version),
            _ => damaged("its layout is of no known version"),
        }
    }
}

/// Versions 1 and 2.
fn old(mut bytes: Bytes<'_>, sizes: Sizes) -> Result<Layout, Error> {
    let (rank, class) = (bytes.u8()?, bytes.u8()?);
    bytes.skip(5)?;
    let address = if class == 0 { None } else { bytes.address(sizes)? };
    match class {
        0 => {
            bytes.skip(usize::from(rank).saturating_mul(4))?;
            let size = bytes.u32()?;
            Ok(Layout::Compact(bytes.take(size as usize)?.to_vec()))
        }
        1 => Ok(Layout::Contiguous { address, size: None }),
        2 => {
            let (shape, element) = dimensions(&mut bytes, rank, 4)?;
            Ok(Layout::Chunked { shape, element, index: Index::Tree, address })
        }
        _ => damaged("its layout is of no known class"),
    }
}

/// Version 3, and versions 4 and 5, which differ in how chunks are found.
fn new(mut bytes: Bytes<'_>, sizes: Sizes, version: u8) -> Result<Layout, Error> {
    match bytes.u8()? {
        0 => {
            let size = bytes.u16()?;
            Ok(Layout::Compact(bytes.take(size.into())?.to_vec()))
        }
        1 => {
            let address = bytes.address(sizes)?;
            Ok(Layout::Contiguous { address, size: Some(bytes.length(sizes)?) })
        }
        2 if version == 3 => {
            let rank = bytes.u8()?;
            let address = bytes.address(sizes)?;
            let (shape, element) = dimensions(&mut bytes, rank, 4)?;
            Ok(Layout::Chunked { shape, element, index: Index::Tree, address })
        }
        2 => indexed(bytes, sizes),
        3 => Ok(Layout::Unknown("it is put together from other datasets (a virtual dataset)")),
        _ => damaged("its layout is of no known class"),
    }
}

/// Chunks of versions 4 and 5.
fn indexed(mut bytes: Bytes<'_>, sizes: Sizes) -> Result<Layout, Error> {
    let (flags, rank, width) = (bytes.u8()?, bytes.u8()?, bytes.u8()?);
    let (shape, element) = dimensions(&mut bytes, rank, width.into())?;
    let index = match bytes.u8()? {
        1 if flags & 1 << 1 != 0 => Index::Single(Some((bytes.length(sizes)?, bytes.u32()?))),
        1 => Index::Single(None),
        2 => Index::Implicit,
        3 => {
            bytes.skip(1)?;
            Index::Array { partial_unfiltered: flags & 1 != 0 }
        }
        4 => return Ok(Layout::Unknown("its chunks are found by an extensible array")),
        5 => return Ok(Layout::Unknown("its chunks are found by a B-tree of version 2")),
        _ => return damaged("its chunks are found in no known way"),
    };
    Ok(Layout::Chunked { shape, element, index, address: bytes.address(sizes)? })
}

/// The shape of a chunk, and the bytes of an element, which are stored as one more dimension.
fn dimensions(bytes: &mut Bytes<'_>, rank: u8, width: usize) -> Result<(Vec<u64>, u64), Error> {
    let sizes: Result<Vec<u64>, Error> = (0..rank).map(|_| bytes.uint(width)).collect();
    let mut shape = sizes?;
    if shape.contains(&0) {
        return damaged("its chunks hold nothing");
    }
    let element = shape.pop().ok_or(Error::Damaged("its chunks have no shape"))?;
    Ok((shape, element))
}
