//! What the parity tests share: reproducible weights and the reference's goldens.
//!
//! The goldens were made by the Python notebook that Burncam replaces, run under Keras 2.15 on
//! networks whose weights come from [`Generated`], and on the images of `goldens/faces`.

mod generator;
mod goldens;
mod keras_file;
mod onnx_file;

pub use generator::{Generated, tensor};
pub use goldens::{Golden, Row, crc32, crc32_f32, edge_cases, folder, manifest, pillow_frame};
pub use keras_file::{KerasFile, Weights};
pub use onnx_file::{Field, Message, OnnxFile, field};
