//! Object headers, of both versions: format specification, section IV.A.

use crate::bytes::{Bytes, Sizes, index};
use crate::error::{Error, damaged};
use crate::source::{EACH, Source};

/// Kinds of messages: section IV.A.2.
pub(crate) const DATASPACE: u16 = 0x01;
pub(crate) const LINK_INFO: u16 = 0x02;
pub(crate) const DATATYPE: u16 = 0x03;
pub(crate) const OLD_FILL: u16 = 0x04;
pub(crate) const FILL: u16 = 0x05;
pub(crate) const LINK: u16 = 0x06;
pub(crate) const EXTERNAL: u16 = 0x07;
pub(crate) const LAYOUT: u16 = 0x08;
pub(crate) const FILTERS: u16 = 0x0b;
pub(crate) const ATTRIBUTE: u16 = 0x0c;
const CONTINUATION: u16 = 0x10;
pub(crate) const SYMBOL_TABLE: u16 = 0x11;
pub(crate) const ATTRIBUTE_INFO: u16 = 0x15;

/// All others are forgotten at once: an empty message must not take memory.
const KNOWN: [u16; 12] = [
    DATASPACE,
    LINK_INFO,
    DATATYPE,
    OLD_FILL,
    FILL,
    LINK,
    EXTERNAL,
    LAYOUT,
    FILTERS,
    ATTRIBUTE,
    SYMBOL_TABLE,
    ATTRIBUTE_INFO,
];

/// Bytes of messages that one object may have.
const LARGEST: u64 = 16 << 20;

const MOST_MESSAGES: usize = 1 << 16;

const MOST_BLOCKS: usize = 1 << 12;

/// A message says of itself that it is elsewhere.
const SHARED: u8 = 1 << 1;

/// One message of a known kind.
pub(crate) struct Message {
    pub(crate) kind: u16,
    shared: bool,
    body: Vec<u8>,
}

/// What one object's header holds.
pub(crate) struct Header {
    pub(crate) messages: Vec<Message>,
}

impl Header {
    /// Whether it is a group's.
    pub(crate) fn is_group(&self) -> bool {
        self.has(SYMBOL_TABLE) || self.has(LINK_INFO)
    }

    /// Whether it is a dataset's.
    pub(crate) fn is_dataset(&self) -> bool {
        self.has(DATATYPE) && self.has(DATASPACE) && !self.is_group()
    }

    pub(crate) fn has(&self, kind: u16) -> bool {
        self.messages.iter().any(|message| message.kind == kind)
    }

    /// What the first message of a kind says, wherever it is.
    pub(crate) fn find(&self, source: &Source, kind: u16) -> Result<Option<Vec<u8>>, Error> {
        let found = self.messages.iter().find(|message| message.kind == kind);
        found.map(|message| message.body(source)).transpose()
    }
}

impl Message {
    /// What it says, wherever it is.
    pub(crate) fn body(&self, source: &Source) -> Result<Vec<u8>, Error> {
        if self.shared {
            return elsewhere(source, &self.body, self.kind);
        }
        source.spend((self.body.len() as u64).saturating_add(EACH))?;
        Ok(self.body.clone())
    }
}

/// The message of a kind that another object has, as a datatype with a name: `reference` says which
/// (section IV.A.1.a, and the shared message of IV.A.2).
pub(crate) fn elsewhere(source: &Source, reference: &[u8], kind: u16) -> Result<Vec<u8>, Error> {
    let mut bytes = Bytes(reference);
    let (version, place) = (bytes.u8()?, bytes.u8()?);
    match (version, place) {
        (1, _) => bytes.skip(source.sizes.length.saturating_add(6))?,
        (2, _) | (3, 2) => {}
        (3, 1) => {
            return Err(Error::Unsupported(
                "it keeps what its objects share in a heap of shared messages\nhint: save the model again"
                    .to_owned(),
            ));
        }
        _ => return damaged("a message in it is shared in an unknown way"),
    }
    let address = bytes.address(source.sizes)?.ok_or(Error::Nowhere)?;
    let header = read(source, address)?;
    match header.messages.into_iter().find(|message| message.kind == kind) {
        Some(message) if !message.shared => Ok(message.body),
        _ => damaged("what an object in it shares is missing"),
    }
}

/// Reads the header of the object at an address.
pub(crate) fn read(source: &Source, address: u64) -> Result<Header, Error> {
    let signature = source.read(address, 4)?;
    let mut reading = Reading {
        source,
        blocks: Vec::new(),
        seen: 0,
        bytes: 0,
        count: 0,
        messages: Vec::new(),
        second: None,
    };
    if signature == b"OHDR" {
        reading.second(address)?;
    } else if signature.first() == Some(&1) {
        reading.first(address)?;
    } else {
        return damaged("an object is not where it says");
    }
    reading.continuations()?;
    Ok(Header { messages: reading.messages })
}

/// A header of which some blocks are read.
struct Reading<'a> {
    source: &'a Source,
    /// Where all blocks but the first are, and their lengths.
    blocks: Vec<(u64, u64)>,
    seen: usize,
    bytes: u64,
    count: usize,
    messages: Vec<Message>,
    /// That of version 2, and whether its messages are numbered.
    second: Option<bool>,
}

impl Reading<'_> {
    /// Version 1: section IV.A.1.a.
    fn first(&mut self, address: u64) -> Result<(), Error> {
        let prefix = self.source.read(address, 16)?;
        let length = Bytes(prefix.get(8..).ok_or(Error::Short)?).u32()?;
        let start = address.checked_add(16).ok_or(Error::Short)?;
        let block = self.source.read(start, self.counted(length.into())?)?;
        self.block(&block)
    }

    /// Version 2: section IV.A.1.b.
    fn second(&mut self, address: u64) -> Result<(), Error> {
        let prefix = self.source.read(address, 6)?;
        let [.., 2, flags] = prefix[..] else { return damaged("an object is of no known version") };
        let times = if flags & 1 << 5 == 0 { 0 } else { 16 };
        let phases = if flags & 1 << 4 == 0 { 0 } else { 4 };
        let width = 1_u64 << (flags & 3);
        let before = 6_u64.saturating_add(times).saturating_add(phases);
        let start = address.checked_add(before).ok_or(Error::Short)?;
        let length = Bytes(&self.source.read(start, width)?).uint(index(width)?)?;
        let before = before.saturating_add(width);
        let whole = self.counted(length)?.saturating_add(before).saturating_add(4);
        let block = self.source.checked(address, whole, b"OHDR")?;
        self.second = Some(flags & 1 << 2 != 0);
        self.block(block.get(index(before)?..).ok_or(Error::Short)?)
    }

    fn continuations(&mut self) -> Result<(), Error> {
        while let Some(&(address, length)) = self.blocks.get(self.seen) {
            self.seen = self.seen.saturating_add(1);
            self.counted(length)?;
            if self.second.is_some() {
                let block = self.source.checked(address, length, b"OCHK")?;
                self.block(block.get(4..).ok_or(Error::Short)?)?;
            } else {
                let block = self.source.read(address, length)?;
                self.block(&block)?;
            }
        }
        Ok(())
    }

    /// The length of one more block.
    fn counted(&mut self, length: u64) -> Result<u64, Error> {
        self.bytes = self.bytes.saturating_add(length);
        if self.bytes > LARGEST {
            Err(Error::TooMany("bytes about one object"))
        } else {
            Ok(length)
        }
    }

    fn block(&mut self, block: &[u8]) -> Result<(), Error> {
        let mut bytes = Bytes(block);
        let prefix = match self.second {
            None => 8,
            Some(false) => 4,
            Some(true) => 6,
        };
        // What is shorter than a message's prefix is a gap.
        while bytes.0.len() >= prefix {
            let mut head = Bytes(bytes.take(prefix)?);
            let kind = if self.second.is_some() { head.u8()?.into() } else { head.u16()? };
            let (length, flags) = (head.u16()?, head.u8()?);
            let body = bytes.take(length.into())?;
            self.count = self.count.saturating_add(1);
            if self.count > MOST_MESSAGES {
                return Err(Error::TooMany("messages about one object"));
            }
            self.message(kind, flags, body)?;
        }
        Ok(())
    }

    fn message(&mut self, kind: u16, flags: u8, body: &[u8]) -> Result<(), Error> {
        if kind == CONTINUATION {
            let (address, length) = continuation(body, self.source.sizes)?;
            self.blocks.push((address, length));
            if self.blocks.len() > MOST_BLOCKS {
                return Err(Error::TooMany("pieces of one object"));
            }
        } else if KNOWN.contains(&kind) {
            let shared = flags & SHARED != 0;
            self.messages.push(Message { kind, shared, body: body.to_vec() });
        }
        Ok(())
    }
}

fn continuation(body: &[u8], sizes: Sizes) -> Result<(u64, u64), Error> {
    let mut bytes = Bytes(body);
    Ok((bytes.address(sizes)?.ok_or(Error::Nowhere)?, bytes.length(sizes)?))
}
