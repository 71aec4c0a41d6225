//! The `burncam` program as a user runs it: real files in, exit code and files out.
//!
//! These are tests of the package `burncam`, since cargo builds a program for its own package's
//! tests only.

mod compare;
mod convert;
mod devices;
mod errors;
mod evaluate;
mod explanations;
mod figure;
mod first_contact;
mod front;
mod graph;
mod hostile;
mod inspect;
mod labels;
mod models;
mod names;
mod notebook;
mod pictures;
mod program;
mod program_name;
mod report;
mod results;
mod resume;
mod settings;
mod shards;
mod stated;
mod stopped;
mod torch;
mod wrong_files;
