//! Fill values, which stand for elements that were never written: format specification, sections
//! IV.A.2.e and IV.A.2.f.

use crate::bytes::{Bytes, index};
use crate::error::{Error, damaged};
use crate::header::{FILL, Header, OLD_FILL};
use crate::source::Source;

/// The value for elements of `size` bytes.
pub(crate) fn value(source: &Source, header: &Header, size: u64) -> Result<Vec<u8>, Error> {
    let value = if let Some(message) = header.find(source, FILL)? {
        new(&message)?.to_vec()
    } else if let Some(message) = header.find(source, OLD_FILL)? {
        sized(Bytes(&message))?.to_vec()
    } else {
        Vec::new()
    };
    match value.len() as u64 {
        0 => Ok(value),
        length if length == size => Ok(value),
        _ => damaged("its fill value is of another size"),
    }
}

/// None means zeros.
fn new(message: &[u8]) -> Result<&[u8], Error> {
    let mut bytes = Bytes(message);
    let defined = match bytes.u8()? {
        version @ (1 | 2) => {
            bytes.skip(2)?;
            bytes.u8()? != 0 || version == 1
        }
        3 => bytes.u8()? & 1 << 5 != 0,
        _ => return damaged("its fill value is of no known version"),
    };
    if defined { sized(bytes) } else { Ok(&[]) }
}

fn sized(mut bytes: Bytes<'_>) -> Result<&[u8], Error> {
    let size = bytes.u32()?;
    // Sizes below 0 mean that there is none.
    if size > i32::MAX as u32 { Ok(&[]) } else { bytes.take(index(size.into())?) }
}

/// `count` bytes of the value again and again.
pub(crate) fn filled(value: &[u8], count: u64) -> Result<Vec<u8>, Error> {
    let count = index(count)?;
    if value.iter().all(|&byte| byte == 0) {
        return Ok(vec![0; count]);
    }
    Ok(value.repeat(count.checked_div(value.len()).unwrap_or(0)))
}
