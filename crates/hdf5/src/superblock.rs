//! The superblock: format specification, section II.A.

use crate::bytes::{Bytes, Sizes};
use crate::error::{Error, damaged};
use crate::source::Source;

const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";

/// Where the first superblock may be if not at the beginning.
const FIRST_BLOCK: u64 = 512;

/// What the superblock says.
pub(crate) struct Superblock {
    /// End of the HDF5 file, from its beginning.
    pub(crate) end: u64,
    /// Address of the root group's header.
    pub(crate) root: u64,
}

/// Finds the superblock, and tells `source` how to read addresses.
pub(crate) fn read(source: &mut Source) -> Result<Superblock, Error> {
    let at = find(source)?;
    source.base = at;
    let version = *source.read(SIGNATURE.len() as u64, 1)?.first().ok_or(Error::Short)?;
    let (stored, end, root) = match version {
        0 | 1 => first(source, version)?,
        2 | 3 => second(source)?,
        _ => return Err(Error::Unsupported(format!("its superblock has version {version}"))),
    };
    // A block may have been put before the file, or taken away, after it was written.
    let end = end.checked_sub(stored).and_then(|length| length.checked_add(at));
    Ok(Superblock { end: end.ok_or(Error::Damaged("it ends before it begins"))?, root })
}

fn find(source: &Source) -> Result<u64, Error> {
    let (mut at, length) = (0_u64, SIGNATURE.len() as u64);
    loop {
        if at.checked_add(length).is_none_or(|end| end > source.length) {
            return Err(Error::NotHdf5);
        }
        if source.read(at, length)? == SIGNATURE {
            return Ok(at);
        }
        at = at.saturating_mul(2).max(FIRST_BLOCK);
    }
}

fn sizes(offset: u8, length: u8) -> Result<Sizes, Error> {
    let allowed = |size| matches!(size, 2 | 4 | 8);
    match allowed(offset) && allowed(length) {
        true => Ok(Sizes { offset: offset.into(), length: length.into() }),
        false => damaged("its addresses have an impossible size"),
    }
}

/// The base address, the end and the root group of versions 0 and 1.
fn first(source: &mut Source, version: u8) -> Result<(u64, u64, u64), Error> {
    let start = if version == 0 { 24 } else { 28 };
    let head = source.read(0, start)?;
    let mut bytes = Bytes(head.get(13..).ok_or(Error::Short)?);
    source.sizes = sizes(bytes.u8()?, bytes.u8()?)?;
    let sizes = source.sizes;
    let rest = sizes.offset.saturating_mul(5).saturating_add(sizes.length);
    let rest = source.read(start, rest as u64)?;
    let mut bytes = Bytes(&rest);
    let base = bytes.address(sizes)?.ok_or(Error::Nowhere)?;
    bytes.skip(sizes.offset)?;
    let end = bytes.address(sizes)?.ok_or(Error::Nowhere)?;
    // The driver, and the name of the root group.
    bytes.skip(sizes.offset.saturating_add(sizes.length))?;
    Ok((base, end, bytes.address(sizes)?.ok_or(Error::Nowhere)?))
}

/// The same of versions 2 and 3.
fn second(source: &mut Source) -> Result<(u64, u64, u64), Error> {
    const START: u64 = 12;
    let head = source.read(0, START)?;
    let mut bytes = Bytes(head.get(9..).ok_or(Error::Short)?);
    source.sizes = sizes(bytes.u8()?, bytes.u8()?)?;
    let sizes = source.sizes;
    let length = (sizes.offset as u64).saturating_mul(4).saturating_add(START).saturating_add(4);
    let whole = source.checked(0, length, SIGNATURE)?;
    let mut bytes = Bytes(whole.get(12..).ok_or(Error::Short)?);
    let base = bytes.address(sizes)?.ok_or(Error::Nowhere)?;
    bytes.skip(sizes.offset)?;
    let end = bytes.address(sizes)?.ok_or(Error::Nowhere)?;
    Ok((base, end, bytes.address(sizes)?.ok_or(Error::Nowhere)?))
}
