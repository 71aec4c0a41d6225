//! HDF5 files of models, read with bounds.
//!
//! A [`File`] gives its [`Group`]s and [`Dataset`]s by path, a group the strings of its attributes, and a
//! dataset the bytes of its elements. Nothing is written, and no element is converted. Understood is what
//! h5py, Keras and `h5repack` write for models: all versions of the superblock, of object headers and of
//! groups, and arrays that lie in one piece or in chunks, which may be compressed.
//!
//! A file is a stranger's. What it says of itself is compared with its length before memory is set
//! aside, nothing recurses as deep as the file likes, and every byte that is read or copied counts against
//! an allowance ([`File::allow`]), as does every link and every string: time and memory are
//! bounded by a small multiple of it, whatever the file describes.
//!
//! The sections named in the modules are those of the [HDF5 File Format Specification Version 3.0][1].
//!
//! ```no_run
//! let source = std::fs::File::open("model.h5")?;
//! let length = source.metadata()?.len();
//! let file = burncam_hdf5::File::open(source, 0, length)?;
//! let names = file.group("model_weights")?.strings("layer_names")?;
//! let kernel = file.dataset("model_weights/conv/conv/kernel:0")?;
//! println!("{names:?} {:?} {}", kernel.shape(), kernel.bytes()?.len());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [1]: https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html

// A file is a stranger's: what it holds is looked up and computed with in ways that cannot fail.
#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used,
    )
)]

mod attribute;
mod btree1;
mod btree2;
mod bytes;
mod cache;
mod checksum;
mod chunks;
mod dataset;
mod dataspace;
mod datatype;
mod error;
mod file;
mod fill;
mod filters;
mod fixed_array;
mod fractal_heap;
mod global_heap;
mod group;
mod header;
mod layout;
mod links;
mod pieces;
mod source;
mod superblock;
#[cfg(test)]
mod tests;

pub use dataset::Dataset;
pub use datatype::{Element, FloatLayout};
pub use error::Error;
pub use file::File;
pub use group::{Group, Kind};
