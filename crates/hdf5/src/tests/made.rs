//! Files that are made up, byte by byte.

use std::io::Cursor;

use crate::{Error, File};

/// What a small made-up file may spend, in bytes read, copied or made: work is bounded by it.
pub(crate) const BUDGET: u64 = 1 << 24;

pub(crate) const NOWHERE: u64 = u64::MAX;

/// A file that is made up.
pub(crate) struct Made(Vec<u8>);

impl Made {
    pub(crate) fn new() -> Self {
        Self(vec![0; 96])
    }

    /// Where the next thing will be.
    pub(crate) fn next(&self) -> u64 {
        self.0.len().next_multiple_of(8) as u64
    }

    pub(crate) fn put(&mut self, parts: &[&[u8]]) -> u64 {
        let at = self.next();
        self.0.resize(at as usize, 0);
        parts.iter().for_each(|part| self.0.extend_from_slice(part));
        at
    }

    /// An object header of version 1.
    pub(crate) fn header(&mut self, messages: &[(u16, Vec<u8>)]) -> u64 {
        let mut block = Vec::new();
        for (kind, body) in messages {
            block.extend([*kind, body.len() as u16].map(u16::to_le_bytes).concat());
            block.extend([0; 4]);
            block.extend(body);
        }
        let length = (block.len() as u32).to_le_bytes();
        self.put(&[&[1, 0, 1, 0, 1, 0, 0, 0], &length, &[0; 4], &block])
    }

    /// A group of no members that has an attribute.
    pub(crate) fn attributed(&mut self, attribute: (u16, Vec<u8>)) -> u64 {
        let links = [vec![0, 0], words(&[NOWHERE, NOWHERE])].concat();
        self.header(&[attribute, (0x02, links)])
    }

    /// A group of a symbol table.
    pub(crate) fn group(&mut self, tree: u64, heap: u64) -> u64 {
        self.header(&[(0x11, words(&[tree, heap]))])
    }

    /// A node of a B-tree of version 1.
    pub(crate) fn node(&mut self, [kind, level]: [u8; 2], children: &[u64]) -> u64 {
        let count = (children.len() as u16).to_le_bytes();
        let key = [0].repeat(if kind == 0 { 1 } else { 3 });
        let entries = children.iter().flat_map(|&child| [key.clone(), vec![child]].concat());
        let entries = words(&entries.collect::<Vec<_>>());
        let siblings = words(&[NOWHERE, NOWHERE]);
        self.put(&[b"TREE", &[kind, level], &count, &siblings, &entries, &[0; 24]])
    }

    pub(crate) fn names(&mut self, names: &[u8]) -> u64 {
        let at = self.put(&[names]);
        self.put(&[b"HEAP\0\0\0\0", &words(&[names.len() as u64, 1, at])])
    }

    pub(crate) fn symbols(&mut self, count: u16, name: u64, object: u64) -> u64 {
        let entry = [words(&[name, object]), vec![0; 24]].concat();
        self.put(&[b"SNOD\x01\0", &count.to_le_bytes(), &entry.repeat(count.into())])
    }

    pub(crate) fn bytes(mut self, root: u64) -> Vec<u8> {
        let end = self.0.len() as u64;
        self.0[..8].copy_from_slice(b"\x89HDF\r\n\x1a\n");
        self.0[8..24].copy_from_slice(&[0, 0, 0, 0, 0, 8, 8, 0, 4, 0, 16, 0, 0, 0, 0, 0]);
        let addresses = words(&[0, NOWHERE, end, NOWHERE, 0, root]);
        self.0[24..72].copy_from_slice(&addresses);
        self.0
    }

    pub(crate) fn open(self, root: u64) -> File {
        open(self.bytes(root)).expect("an HDF5 file")
    }
}

pub(crate) fn words(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

pub(crate) fn open(bytes: Vec<u8>) -> Result<File, Error> {
    let length = bytes.len() as u64;
    File::open(Cursor::new(bytes), 0, length)
}
