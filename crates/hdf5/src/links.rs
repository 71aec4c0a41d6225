//! What groups hold: format specification, sections III.B to III.D, IV.A.2.c, IV.A.2.g and IV.A.2.r.

use std::collections::BTreeMap;

use crate::btree1::{self, Indexed};
use crate::btree2;
use crate::bytes::{Bytes, index, text, until_null};
use crate::cache::MOST_LINKS;
use crate::error::{Error, damaged};
use crate::fractal_heap::Heap;
use crate::header::{Header, LINK, LINK_INFO, SYMBOL_TABLE};
use crate::source::{EACH, Source};

/// Where the members of a group are, by name: nowhere, if the link is a soft or an external one.
pub(crate) type Links = BTreeMap<String, Option<u64>>;

const LONGEST_NAME: usize = 64 << 10;

/// An entry of a symbol table is a soft link.
const SOFT: u32 = 2;

/// The links of a group.
pub(crate) fn all(source: &Source, header: &Header) -> Result<Links, Error> {
    let mut links = Links::new();
    for message in header.messages.iter().filter(|message| message.kind == LINK) {
        add(source, &mut links, &message.body(source)?)?;
    }
    if let Some(table) = header.find(source, SYMBOL_TABLE)? {
        let mut bytes = Bytes(&table);
        let (tree, heap) = (bytes.address(source.sizes)?, bytes.address(source.sizes)?);
        if let (Some(tree), Some(heap)) = (tree, heap) {
            table_links(source, &mut links, (tree, heap))?;
        }
    }
    if let Some(info) = header.find(source, LINK_INFO)? {
        let mut bytes = Bytes(&info);
        bytes.expect(&[0], "its links are of no known version")?;
        if bytes.u8()? & 1 != 0 {
            bytes.skip(8)?;
        }
        let (heap, index) = (bytes.address(source.sizes)?, bytes.address(source.sizes)?);
        if let (Some(heap), Some(index)) = (heap, index) {
            dense(source, &mut links, (heap, index))?;
        }
    }
    Ok(links)
}

/// Links of which each is an object in a heap.
fn dense(source: &Source, links: &mut Links, (heap, index): (u64, u64)) -> Result<(), Error> {
    let mut heap = Heap::open(source, heap)?;
    btree2::walk(source, index, btree2::LINK_NAMES, |record| {
        let identifier = record.get(4..).ok_or(Error::Short)?;
        add(source, links, &heap.object(identifier)?)
    })
}

/// Adds what a link message says.
fn add(source: &Source, links: &mut Links, message: &[u8]) -> Result<(), Error> {
    let mut bytes = Bytes(message);
    bytes.expect(&[1], "a link is of no known version")?;
    let flags = bytes.u8()?;
    let hard = flags & 1 << 3 == 0 || bytes.u8()? == 0;
    if flags & 1 << 2 != 0 {
        bytes.skip(8)?;
    }
    if flags & 1 << 4 != 0 {
        bytes.skip(1)?;
    }
    let length = bytes.uint(1 << (flags & 3))?;
    let name = named(source, bytes.take(index(length)?)?)?;
    let address = if hard { bytes.address(source.sizes)? } else { None };
    insert(links, name, address)
}

fn insert(links: &mut Links, name: String, address: Option<u64>) -> Result<(), Error> {
    if links.len() as u64 >= MOST_LINKS {
        return Err(Error::TooMany("members of groups"));
    }
    // Names that are no UTF-8 may have become equal.
    match links.insert(name, address) {
        None => Ok(()),
        Some(_) => damaged("two of its members have one name"),
    }
}

fn named(source: &Source, name: &[u8]) -> Result<String, Error> {
    if name.len() > LONGEST_NAME {
        return Err(Error::TooMany("characters in a name"));
    }
    source.spend((name.len() as u64).saturating_add(EACH))?;
    Ok(text(name))
}

/// Links of a symbol table, whose names are in a heap.
fn table_links(source: &Source, links: &mut Links, (tree, heap): (u64, u64)) -> Result<(), Error> {
    let names = local_heap(source, heap)?;
    btree1::walk(source, tree, Indexed::Links, |_, node| symbols(source, links, (node, &names)))
}

/// The names of a group: section III.D.
fn local_heap(source: &Source, address: u64) -> Result<Vec<u8>, Error> {
    let sizes = source.sizes;
    let lengths = sizes.length.saturating_mul(2);
    let head = lengths.saturating_add(sizes.offset).saturating_add(8) as u64;
    let head = source.read(address, head)?;
    let mut bytes = Bytes(&head);
    bytes.expect(b"HEAP\0", "the names in it are not where it says")?;
    bytes.skip(3)?;
    let length = bytes.length(sizes)?;
    bytes.skip(sizes.length)?;
    source.read(bytes.address(sizes)?.ok_or(Error::Nowhere)?, length)
}

/// One node of symbols: sections III.B and III.C.
fn symbols(
    source: &Source,
    links: &mut Links,
    (address, names): (u64, &[u8]),
) -> Result<(), Error> {
    let sizes = source.sizes;
    let head = source.read(address, 8)?;
    let mut bytes = Bytes(&head);
    bytes.expect(b"SNOD\x01", "the links in it are not where it says")?;
    bytes.skip(1)?;
    let count = u64::from(bytes.u16()?);
    let entry = sizes.length.saturating_add(sizes.offset).saturating_add(24) as u64;
    let start = address.checked_add(8).ok_or(Error::Short)?;
    let entries = source.read(start, count.saturating_mul(entry))?;
    let mut bytes = Bytes(&entries);
    for _ in 0..count {
        // The specification calls it an offset; the library writes a length.
        let name = bytes.uint(sizes.length)?;
        let address = bytes.address(sizes)?;
        let soft = bytes.u32()? == SOFT;
        bytes.skip(20)?;
        let name = names.get(index(name)?..).ok_or(Error::Short)?;
        let name = until_null(name.get(..=LONGEST_NAME).unwrap_or(name));
        insert(links, named(source, name)?, if soft { None } else { address })?;
    }
    Ok(())
}
