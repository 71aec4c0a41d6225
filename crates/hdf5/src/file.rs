//! An open file.

use std::io::{Read, Seek};
use std::sync::Arc;

use crate::cache::{Node, Shared};
use crate::dataset::Dataset;
use crate::error::Error;
use crate::group::Group;
use crate::source::{EACH, Source};
use crate::superblock;

/// An HDF5 file. What is read of its groups is kept, and shared by all clones.
#[derive(Clone)]
pub struct File {
    shared: Arc<Shared>,
}

impl File {
    /// The HDF5 file that is `length` bytes from `start` on of `source`.
    ///
    /// # Errors
    ///
    /// If there are fewer bytes, or they are no HDF5 file. That it ends where it says is for the
    /// caller to compare.
    pub fn open(
        source: impl Read + Seek + Send + 'static,
        start: u64,
        length: u64,
    ) -> Result<Self, Error> {
        let mut source = Source::new(source, start, length)?;
        let superblock = superblock::read(&mut source)?;
        let shared = Shared::new(source, superblock.root, superblock.end);
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Where the file says that it ends, in bytes from its beginning.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.shared.end
    }

    /// The bytes that there are.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.shared.source.length
    }

    /// Sets what may still be read, in bytes. Each read counts 512 more, each link and each string 64;
    /// the default after opening is 256 MiB.
    pub fn allow(&self, bytes: u64) {
        self.shared.source.allow(bytes);
    }

    /// What may still be spent, in bytes.
    #[cfg(test)]
    pub(crate) fn left(&self) -> u64 {
        self.shared.source.left()
    }

    /// The group at a path of names, between which there are slashes. The root's is empty.
    ///
    /// # Errors
    ///
    /// If there is none, it cannot be read, or the allowance is used up.
    pub fn group(&self, path: &str) -> Result<Group, Error> {
        let address = self.address(path)?;
        Ok(Group { node: self.shared.group(address)?, shared: Arc::clone(&self.shared) })
    }

    /// The dataset at such a path.
    ///
    /// # Errors
    ///
    /// If there is none, it cannot be read, or the allowance is used up.
    pub fn dataset(&self, path: &str) -> Result<Dataset, Error> {
        Dataset::open(&self.shared, self.address(path)?)
    }

    fn address(&self, path: &str) -> Result<u64, Error> {
        let mut address = self.shared.root;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            self.shared.source.spend((name.len() as u64).saturating_add(EACH))?;
            address = member(&*self.shared.group(address)?, name)?;
        }
        Ok(address)
    }
}

fn member(node: &Node, name: &str) -> Result<u64, Error> {
    match node.links.get(name) {
        None => Err(Error::NoMember(name.to_owned())),
        Some(None) => Err(Error::Link),
        Some(&Some(address)) => Ok(address),
    }
}
