//! The convolutional networks that Burncam explains, as native Burn modules, one file each.
//!
//! Each file states its layers once, as data; a checkpoint is checked against that table and the
//! module takes its numbers from it. A further network is one file here and one line in
//! [`ARCHS`].
//!
//! This crate must never open a file.

mod ncnn;
mod vgg16;

pub use ncnn::{NCNN, Ncnn};
pub use vgg16::{VGG16, Vgg16};

use burncam_net::Arch;

/// Every architecture, in the order in which they are listed to users.
pub static ARCHS: [&Arch; 2] = [&VGG16, &NCNN];

/// The classes of the neonatal-pain networks: folders `dor` and `sem_dor`, in alphabetical order.
pub const PAIN_CLASSES: [&str; 2] = ["Pain", "No_pain"];

/// The architecture of this name (`vgg16`) or title (`VGG16`), in any case.
#[must_use]
pub fn find(name: &str) -> Option<&'static Arch> {
    ARCHS
        .into_iter()
        .find(|arch| [arch.name, arch.title].iter().any(|known| known.eq_ignore_ascii_case(name)))
}
