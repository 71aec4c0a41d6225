//! Networks that `cargo xtask port` made from ONNX files, each in a folder beside this crate's
//! manifest: generated code, and its weights as `.bpk`.
//!
//! What lies there is built in and listed in [`ARCHS`]; a network is removed by deleting its
//! folder. Nothing of it is in the repository.

use burncam_net::Arch;

include!(concat!(env!("OUT_DIR"), "/list.rs"));
