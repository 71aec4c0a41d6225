//! What no file may do.

mod altered;
mod chunks;
mod hostile;
mod made;
