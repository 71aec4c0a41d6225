//! Attributes: format specification, sections IV.A.2.m and IV.A.2.v.

use std::collections::HashMap;

use crate::btree2;
use crate::bytes::{Bytes, index, text, until_null};
use crate::cache::Shared;
use crate::dataspace::Dataspace;
use crate::datatype::{Class, Datatype, Padding};
use crate::error::{Error, damaged};
use crate::fractal_heap::Heap;
use crate::header::{self, ATTRIBUTE, ATTRIBUTE_INFO, Header};
use crate::source::{EACH, Source};

const MOST_ATTRIBUTES: usize = 100_000;

/// The messages of an object's attributes, by name.
pub(crate) type Attributes = HashMap<String, Vec<u8>>;

/// The attributes of an object. A file names none twice: of two, the first counts.
pub(crate) fn all(source: &Source, header: &Header) -> Result<Attributes, Error> {
    let mut attributes = Attributes::new();
    for message in header.messages.iter().filter(|message| message.kind == ATTRIBUTE) {
        let body = message.body(source)?;
        insert(source, &mut attributes, body)?;
    }
    let Some(info) = header.find(source, ATTRIBUTE_INFO)? else { return Ok(attributes) };
    let mut bytes = Bytes(&info);
    bytes.expect(&[0], "its attributes are of no known version")?;
    let flags = bytes.u8()?;
    if flags & 1 != 0 {
        bytes.skip(2)?;
    }
    let (heap, index) = (bytes.address(source.sizes)?, bytes.address(source.sizes)?);
    let (Some(heap), Some(index)) = (heap, index) else { return Ok(attributes) };
    let mut heap = Heap::open(source, heap)?;
    btree2::walk(source, index, btree2::ATTRIBUTE_NAMES, |record| {
        let mut record = Bytes(record);
        let (identifier, flags) = (record.take(8)?, record.u8()?);
        if flags & 1 << 1 != 0 {
            return Err(Error::Unsupported("its objects share their attributes".to_owned()));
        }
        insert(source, &mut attributes, heap.object(identifier)?)
    })?;
    Ok(attributes)
}

fn insert(source: &Source, attributes: &mut Attributes, message: Vec<u8>) -> Result<(), Error> {
    if attributes.len() >= MOST_ATTRIBUTES {
        return Err(Error::TooMany("attributes"));
    }
    attributes.entry(name(source, &message)?).or_insert(message);
    Ok(())
}

/// What a message is made of.
struct Parts<'a> {
    flags: u8,
    name: &'a [u8],
    datatype: &'a [u8],
    dataspace: &'a [u8],
    data: &'a [u8],
}

impl<'a> Parts<'a> {
    fn read(message: &'a [u8]) -> Result<Self, Error> {
        let mut bytes = Bytes(message);
        let (version, flags) = (bytes.u8()?, bytes.u8()?);
        let lengths = [bytes.u16()?, bytes.u16()?, bytes.u16()?];
        // In version 1, each part is filled up to a multiple of 8 bytes, and there are no flags.
        let (filled, flags) = match version {
            1 => (7, 0),
            2 => (0, flags),
            3 => {
                bytes.skip(1)?;
                (0, flags)
            }
            _ => return damaged("an attribute is of no known version"),
        };
        let mut part = |length: u16| {
            let part = bytes.take(length.into())?;
            bytes.skip(usize::from(length).wrapping_neg() & filled)?;
            Ok::<_, Error>(part)
        };
        let [name, datatype, dataspace] = lengths;
        let (name, datatype, dataspace) = (part(name)?, part(datatype)?, part(dataspace)?);
        Ok(Self { flags, name: until_null(name), datatype, dataspace, data: bytes.0 })
    }
}

fn name(source: &Source, message: &[u8]) -> Result<String, Error> {
    let name = Parts::read(message)?.name;
    source.spend((name.len() as u64).saturating_add(EACH))?;
    Ok(text(name))
}

/// The strings in an attribute, none if it holds something else.
pub(crate) fn strings(shared: &Shared, message: &[u8]) -> Result<Vec<String>, Error> {
    let source = &shared.source;
    let parts = Parts::read(message)?;
    let (datatype, dataspace);
    let datatype = if parts.flags & 1 == 0 {
        parts.datatype
    } else {
        datatype = header::elsewhere(source, parts.datatype, header::DATATYPE)?;
        &datatype
    };
    let space = if parts.flags & 2 == 0 {
        parts.dataspace
    } else {
        dataspace = header::elsewhere(source, parts.dataspace, header::DATASPACE)?;
        &dataspace
    };
    let space = Dataspace::parse(space, source.sizes)?;
    let datatype = Datatype::parse(datatype)?;
    if space.shape.len() > 1 {
        return Ok(Vec::new());
    }
    let mut bytes = Bytes(parts.data);
    let mut strings = Vec::new();
    for _ in 0..space.elements()? {
        let string = match datatype.class {
            Class::Text(padding) => {
                let bytes = bytes.take(index(datatype.size.into())?)?;
                source.spend((bytes.len() as u64).saturating_add(EACH))?;
                text(unpadded(bytes, padding))
            }
            Class::Variable => variable(shared, &mut bytes)?,
            _ => break,
        };
        strings.push(string);
    }
    Ok(strings)
}

fn unpadded(bytes: &[u8], padding: Padding) -> &[u8] {
    let filler = match padding {
        Padding::Ended => return until_null(bytes),
        Padding::Nulls => 0,
        Padding::Spaces => b' ',
    };
    let end = bytes.iter().rposition(|&byte| byte != filler);
    end.and_then(|end| bytes.get(..=end)).unwrap_or_default()
}

/// The string that the next reference names: section IV.B, "Variable-Length Datatype".
fn variable(shared: &Shared, bytes: &mut Bytes<'_>) -> Result<String, Error> {
    let length = bytes.u32()?;
    let (collection, number) = (bytes.address(shared.source.sizes)?, bytes.u32()?);
    shared.source.spend(u64::from(length).saturating_add(EACH))?;
    // Strings of no bytes need not be anywhere.
    let Some(collection) = collection.filter(|_| length > 0) else { return Ok(String::new()) };
    let collection = shared.collection(collection)?;
    let string = collection.object(number)?.get(..index(length.into())?).ok_or(Error::Short)?;
    Ok(text(until_null(string)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fills_up_a_string_is_taken_off() {
        assert_eq!(unpadded(b"a \0b", Padding::Ended), b"a ");
        assert_eq!(unpadded(b"a\0b\0\0", Padding::Nulls), b"a\0b");
        assert_eq!(unpadded(b" a b  ", Padding::Spaces), b" a b");
        assert_eq!(unpadded(b"\0\0", Padding::Nulls), b"");
    }
}
