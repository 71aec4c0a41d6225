//! Keras's files: `.h5`, `.keras` and `.weights.h5`.

pub(crate) mod applications;
pub(crate) mod calls;
pub(crate) mod config;
pub(crate) mod element;
pub(crate) mod front;
pub(crate) mod h5;
pub(crate) mod head;
pub(crate) mod lower;
pub(crate) mod numbers;
pub(crate) mod op;
pub(crate) mod order;
pub(crate) mod v3;
pub(crate) mod zip;
