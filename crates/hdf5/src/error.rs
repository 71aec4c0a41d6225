//! What can go wrong between a file and what it holds.

/// Why something could not be read. The caller knows of which file and which object.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes could not be read.
    #[error("it cannot be read")]
    Io(#[from] std::io::Error),
    /// The superblock is missing.
    #[error("it is no HDF5 file")]
    NotHdf5,
    /// Something is said to lie behind the end.
    #[error("it ends too early")]
    Short,
    /// An address that stands for none.
    #[error("it is nowhere in the file")]
    Nowhere,
    /// A soft or an external link.
    #[error("it is a link to another place")]
    Link,
    /// The allowance is used up.
    #[error("it asks for more reading than any network needs")]
    TooMuch,
    /// A group lacks a member.
    #[error("it has no member `{0}`")]
    NoMember(String),
    /// The object is a dataset or a datatype.
    #[error("it is no group")]
    NotGroup,
    /// The object is a group or a datatype.
    #[error("it is no dataset")]
    NotDataset,
    /// The bytes changed after they were written.
    #[error("its checksum is wrong")]
    Checksum,
    /// A quantity passed its limit.
    #[error("it has more {0} than any network")]
    TooMany(&'static str),
    /// What the file says is impossible.
    #[error("{0}")]
    Damaged(&'static str),
    /// What the file says is possible, but not understood here.
    #[error("{0}")]
    Unsupported(String),
}

/// An [`Error::Damaged`].
pub(crate) fn damaged<T>(what: &'static str) -> Result<T, Error> {
    Err(Error::Damaged(what))
}
