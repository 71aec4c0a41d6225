//! What the parity tests share: reproducible weights and the reference's goldens.
//!
//! The goldens were made by the Python notebook that Burncam replaces, run under Keras 2.15 on
//! networks whose weights come from [`Generated`], and on the images of `goldens/faces`. Those of
//! keras.applications' networks were made by `reference/keras_applications.py` in the same way.

mod described;
mod generator;
mod goldens;
#[cfg(unix)]
pub mod hostile;
mod keras_file;
mod networks;
mod observation;
mod onnx_file;
mod torch_weights;

pub use described::{Described, described};
pub use generator::{Generated, tensor};
pub use goldens::{
    Face, Golden, Numbers, Row, array, crc32, crc32_f32, edge_cases, folder, jpeg_table, jpegs,
    manifest, pillow_frame,
};
pub use keras_file::{KerasFile, Weights};
pub use networks::{HeadLayers, classifier, classifier_with, hidden, notebook_head, softmax};
pub use observation::{Observation, explanation, observe};
pub use onnx_file::{Field, Message, OnnxFile, field};
pub use torch_weights::{TorchTensor, listed_tensors, torch_tensors, write_state_dict};
