//! What is kept of a file, since finding a dataset goes through the same groups again and again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::attribute::{self, Attributes};
use crate::error::Error;
use crate::global_heap::Collection;
use crate::group::Kind;
use crate::header::{self, Header};
use crate::links::{self, Links};
use crate::source::{EACH, Source};

/// Links of all groups, and objects whose kind is known.
pub(crate) const MOST_LINKS: u64 = 1_000_000;

/// Bytes of names and attributes.
const MOST_BYTES: u64 = 64 << 20;

/// Bytes of heaps of strings, beyond which they are read again.
const MOST_HEAPS: u64 = 64 << 20;

/// An open file.
pub(crate) struct Shared {
    pub(crate) source: Source,
    /// The address of the root group.
    pub(crate) root: u64,
    pub(crate) end: u64,
    cache: Mutex<Cache>,
}

/// A group that is read.
pub(crate) struct Node {
    pub(crate) links: Links,
    pub(crate) attributes: Attributes,
}

/// Everything by address.
#[derive(Default)]
struct Cache {
    groups: HashMap<u64, Arc<Node>>,
    kinds: HashMap<u64, Kind>,
    heaps: HashMap<u64, Arc<Collection>>,
    links: u64,
    bytes: u64,
    heap_bytes: u64,
}

impl Shared {
    pub(crate) fn new(source: Source, root: u64, end: u64) -> Self {
        Self { source, root, end, cache: Mutex::default() }
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The group at an address.
    ///
    /// # Errors
    ///
    /// If there is none, or more is kept already than any network needs.
    pub(crate) fn group(&self, address: u64) -> Result<Arc<Node>, Error> {
        self.source.spend(EACH)?;
        if let Some(node) = self.cache().groups.get(&address) {
            return Ok(Arc::clone(node));
        }
        let header = header::read(&self.source, address)?;
        if !header.is_group() {
            return Err(Error::NotGroup);
        }
        let node = Node::read(&self.source, &header)?;
        let mut cache = self.cache();
        let links = (node.links.len() as u64).saturating_add(1);
        cache.count(links, node.bytes())?;
        let node = Arc::new(node);
        cache.groups.insert(address, Arc::clone(&node));
        Ok(node)
    }

    /// What kind of object is at an address.
    pub(crate) fn kind(&self, address: u64) -> Result<Kind, Error> {
        self.source.spend(EACH)?;
        if let Some(&kind) = self.cache().kinds.get(&address) {
            return Ok(kind);
        }
        let kind = Kind::read(&header::read(&self.source, address)?);
        let mut cache = self.cache();
        cache.count(1, 0)?;
        cache.kinds.insert(address, kind);
        Ok(kind)
    }

    /// The heap of strings at an address.
    pub(crate) fn collection(&self, address: u64) -> Result<Arc<Collection>, Error> {
        if let Some(heap) = self.cache().heaps.get(&address) {
            return Ok(Arc::clone(heap));
        }
        let heap = Arc::new(Collection::read(&self.source, address)?);
        let mut cache = self.cache();
        if cache.heap_bytes.saturating_add(heap.size()) > MOST_HEAPS {
            cache.heaps.clear();
            cache.heap_bytes = 0;
        }
        cache.heap_bytes = cache.heap_bytes.saturating_add(heap.size());
        cache.heaps.insert(address, Arc::clone(&heap));
        Ok(heap)
    }
}

impl Cache {
    fn count(&mut self, links: u64, bytes: u64) -> Result<(), Error> {
        self.links = self.links.saturating_add(links);
        self.bytes = self.bytes.saturating_add(bytes);
        if self.links > MOST_LINKS || self.bytes > MOST_BYTES {
            return Err(Error::TooMany("members of groups"));
        }
        Ok(())
    }
}

impl Node {
    fn read(source: &Source, header: &Header) -> Result<Self, Error> {
        let links = links::all(source, header)?;
        Ok(Self { links, attributes: attribute::all(source, header)? })
    }

    /// Bytes in memory beside the links' own.
    fn bytes(&self) -> u64 {
        let names = self.links.keys().map(|name| name.len());
        let attribute = |(name, body): (&String, &Vec<u8>)| {
            name.len().saturating_add(body.len()).saturating_add(64)
        };
        let sizes = names.chain(self.attributes.iter().map(attribute));
        sizes.fold(0, |sum: u64, size| sum.saturating_add(size as u64))
    }
}
