//! B-trees of version 2: format specification, section III.A.2.

use std::collections::HashSet;

use crate::bytes::{Bytes, width};
use crate::error::{Error, damaged};
use crate::source::{EACH, Source};

/// What a tree's records are: its type.
pub(crate) const HUGE_OBJECTS: u8 = 1;
pub(crate) const LINK_NAMES: u8 = 5;
pub(crate) const ATTRIBUTE_NAMES: u8 = 8;

/// The levels that a tree may have above its leaves.
const DEEPEST: u16 = 16;

/// Signature, version, type and checksum.
const AROUND: u64 = 10;

/// What the tree's header says.
struct Tree {
    kind: u8,
    record: u64,
    levels: Vec<Level>,
    root: Option<(u64, u64)>,
}

/// The nodes at one distance from the leaves.
#[derive(Clone, Copy)]
struct Level {
    /// Records that one node has room for.
    most: u64,
    /// Records that it and all below it have room for.
    below: u64,
    /// Bytes of a pointer to a node of the level below.
    pointer: u64,
}

/// A node that is still to be read: where it is, its level and its records.
type Place = (u64, usize, u64);

/// Calls `each` with every record of the tree at an address, each node read once.
pub(crate) fn walk(
    source: &Source,
    address: u64,
    kind: u8,
    mut each: impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let tree = header(source, address, kind)?;
    let top = tree.levels.len().saturating_sub(1);
    let mut seen = HashSet::new();
    let mut places: Vec<Place> =
        tree.root.iter().map(|&(address, count)| (address, top, count)).collect();
    while let Some(place) = places.pop() {
        if !seen.insert(place.0) {
            return damaged("an index in it is circular");
        }
        tree.node(source, place, &mut places, &mut each)?;
    }
    Ok(())
}

fn header(source: &Source, address: u64, kind: u8) -> Result<Tree, Error> {
    let sizes = source.sizes;
    let length = sizes.offset.saturating_add(sizes.length).saturating_add(22);
    let head = source.checked(address, length as u64, b"BTHD")?;
    let mut bytes = Bytes(&head);
    bytes.skip(4)?;
    bytes.expect(&[0, kind], "an index is of another kind")?;
    let (node, record, depth) = (bytes.u32()?, bytes.u16()?, bytes.u16()?);
    bytes.skip(2)?;
    let root = bytes.address(sizes)?;
    let count = u64::from(bytes.u16()?);
    let levels = levels(node.into(), record.into(), depth, sizes.offset as u64)?;
    Ok(Tree { kind, record: record.into(), levels, root: root.map(|root| (root, count)) })
}

/// The levels from the leaves on. How wide a number of records is written follows from how many
/// there could be.
fn levels(node: u64, record: u64, depth: u16, address: u64) -> Result<Vec<Level>, Error> {
    const IMPOSSIBLE: Error = Error::Damaged("an index in it has impossible nodes");
    if depth > DEEPEST {
        return damaged("an index in it has an impossible depth");
    }
    let room = node.checked_sub(AROUND).ok_or(IMPOSSIBLE)?;
    let most = room.checked_div(record).filter(|&most| most > 0).ok_or(IMPOSSIBLE)?;
    let count_width = width(most) as u64;
    let mut levels = vec![Level { most, below: most, pointer: 0 }];
    let (mut below, mut total_width) = (most, 0);
    for _ in 0..depth {
        let pointer = address.saturating_add(count_width).saturating_add(total_width);
        let room = room.checked_sub(pointer).ok_or(IMPOSSIBLE)?;
        let most = room.checked_div(record.saturating_add(pointer)).unwrap_or(0);
        let nodes = most.checked_add(1).filter(|_| most > 0).ok_or(IMPOSSIBLE)?;
        below = nodes.saturating_mul(below).saturating_add(most);
        total_width = width(below) as u64;
        levels.push(Level { most, below, pointer });
    }
    Ok(levels)
}

impl Tree {
    /// Hands out the records of one node, and adds the nodes below it to `places`.
    fn node(
        &self,
        source: &Source,
        (address, depth, count): Place,
        places: &mut Vec<Place>,
        each: &mut impl FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let level = self.levels.get(depth).filter(|level| count <= level.most);
        let level = level.ok_or(Error::Damaged("a node of an index in it is too full"))?;
        let records = count.saturating_mul(self.record);
        let pointers = count.saturating_add(1).saturating_mul(level.pointer);
        let length = AROUND.saturating_add(records).saturating_add(pointers);
        source.spend(count.saturating_mul(EACH))?;
        let signature = if depth == 0 { b"BTLF" } else { b"BTIN" };
        let node = source.checked(address, length, signature)?;
        let mut bytes = Bytes(&node);
        bytes.skip(4)?;
        bytes.expect(&[0, self.kind], "an index is of another kind")?;
        for _ in 0..count {
            each(bytes.take(usize::try_from(self.record).map_err(|_| Error::Short)?)?)?;
        }
        let Some(below) = depth.checked_sub(1) else { return Ok(()) };
        self.pointers(source, bytes, (below, count.saturating_add(1)), places)
    }

    fn pointers(
        &self,
        source: &Source,
        mut bytes: Bytes<'_>,
        (depth, count): (usize, u64),
        places: &mut Vec<Place>,
    ) -> Result<(), Error> {
        let leaf = self.levels.first().map_or(0, |level| width(level.most));
        let total = match self.levels.get(depth) {
            Some(level) if depth > 0 => width(level.below),
            _ => 0,
        };
        for _ in 0..count {
            let address = bytes.address(source.sizes)?.ok_or(Error::Nowhere)?;
            places.push((address, depth, bytes.uint(leaf)?));
            bytes.skip(total)?;
        }
        Ok(())
    }
}
