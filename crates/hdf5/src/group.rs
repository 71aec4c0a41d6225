//! Groups.

use std::sync::Arc;

use crate::attribute;
use crate::cache::{Node, Shared};
use crate::error::Error;
use crate::header::Header;
use crate::source::EACH;

/// What a member of a group is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A group.
    Group,
    /// A dataset.
    Dataset,
    /// A datatype with a name, or a soft or an external link.
    Other,
}

impl Kind {
    pub(crate) fn read(header: &Header) -> Self {
        if header.is_group() {
            Self::Group
        } else if header.is_dataset() {
            Self::Dataset
        } else {
            Self::Other
        }
    }
}

/// A group of a file.
pub struct Group {
    pub(crate) shared: Arc<Shared>,
    pub(crate) node: Arc<Node>,
}

impl Group {
    /// The members and what they are, in the byte order of their names.
    ///
    /// # Errors
    ///
    /// If one of them cannot be read, or the allowance is used up.
    pub fn members(&self) -> Result<Vec<(String, Kind)>, Error> {
        let member = |(name, address): (&String, &Option<u64>)| {
            self.shared.source.spend((name.len() as u64).saturating_add(EACH))?;
            let kind = address.map_or(Ok(Kind::Other), |address| self.shared.kind(address))?;
            Ok((name.clone(), kind))
        };
        self.node.links.iter().map(member).collect()
    }

    /// The strings of an attribute, or none if there is no such attribute. It has one string, or a row of
    /// them; of anything else, no strings are given.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or the allowance is used up.
    pub fn strings(&self, attribute: &str) -> Result<Option<Vec<String>>, Error> {
        self.shared.source.spend((attribute.len() as u64).saturating_add(EACH))?;
        let message = self.node.attributes.get(attribute);
        message.map(|message| attribute::strings(&self.shared, message)).transpose()
    }
}
