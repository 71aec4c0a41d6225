//! B-trees of version 1: format specification, section III.A.1.

use std::collections::HashSet;

use crate::bytes::Bytes;
use crate::error::{Error, damaged};
use crate::source::Source;

/// What a tree indexes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Indexed {
    /// The members of a group, by name.
    Links,
    /// The chunks of a dataset of so many dimensions.
    Chunks(usize),
}

/// The levels that a tree may have above its leaves.
const DEEPEST: u8 = 16;

impl Indexed {
    fn node_type(self) -> u8 {
        u8::from(self != Self::Links)
    }

    /// Bytes of one key.
    fn key(self, length: usize) -> usize {
        match self {
            Self::Links => length,
            Self::Chunks(rank) => rank.saturating_add(1).saturating_mul(8).saturating_add(8),
        }
    }
}

/// Calls `each` with the key and the address of everything that the tree at `root` indexes, each node
/// read once.
pub(crate) fn walk(
    source: &Source,
    root: u64,
    indexed: Indexed,
    mut each: impl FnMut(&[u8], u64) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut seen = HashSet::from([root]);
    let mut nodes = vec![(root, None)];
    let key = indexed.key(source.sizes.length);
    while let Some((address, expected)) = nodes.pop() {
        let (level, entries) = node(source, address, indexed)?;
        if level > DEEPEST || expected.is_some_and(|expected| expected != level) {
            return damaged("an index in it has an impossible depth");
        }
        // Only the root of a tree may have nothing, or any number of nodes could.
        if entries.is_empty() && expected.is_some() {
            return damaged("an index in it has an empty part");
        }
        let mut bytes = Bytes(&entries);
        while !bytes.0.is_empty() {
            let key = bytes.take(key)?;
            let child = bytes.address(source.sizes)?.ok_or(Error::Nowhere)?;
            // A chunk is read by whoever is called, and known by its place.
            let is_node = level > 0 || indexed == Indexed::Links;
            if is_node && !seen.insert(child) {
                return damaged("an index in it is circular");
            }
            match level.checked_sub(1) {
                None => each(key, child)?,
                Some(below) => nodes.push((child, Some(below))),
            }
        }
    }
    Ok(())
}

/// The level of a node, and its keys and children without the last key.
fn node(source: &Source, address: u64, indexed: Indexed) -> Result<(u8, Vec<u8>), Error> {
    let siblings = source.sizes.offset.saturating_mul(2);
    let head = source.read(address, siblings.saturating_add(8) as u64)?;
    let mut bytes = Bytes(&head);
    bytes.expect(b"TREE", "an index is not where it says")?;
    bytes.expect(&[indexed.node_type()], "an index is of another kind")?;
    let (level, count) = (bytes.u8()?, bytes.u16()?);
    let entry = indexed.key(source.sizes.length).saturating_add(source.sizes.offset);
    let start = address.checked_add(head.len() as u64).ok_or(Error::Short)?;
    let entries = source.read(start, u64::from(count).saturating_mul(entry as u64))?;
    Ok((level, entries))
}
