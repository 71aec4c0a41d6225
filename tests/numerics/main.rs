//! What Burncam computes, against what the frameworks computed.

mod attributions;
mod batches;
mod checkpoints;
mod class_names;
mod converted;
mod facts;
mod front;
mod gradient;
mod graph;
mod jpeg;
mod methods;
mod numbers;
mod onnx;
mod onnx_graphs;
mod pixels;
mod ported;
mod registry;
mod rounding;
mod statistics;
mod structure;
mod torch_files;
mod torch_heads;
mod torch_hostile;
mod torch_numbers;
mod torch_onnx;
