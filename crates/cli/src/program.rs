//! The program's name, as it was called.

use std::sync::LazyLock;

/// Where `cargo xtask`, which starts the program from a source tree, says so.
const CALLED: &str = "BURNCAM_CALLED";

static NAME: LazyLock<String> =
    LazyLock::new(|| std::env::var(CALLED).unwrap_or_else(|_| OWN.to_owned()));

/// The name of the installed program.
pub(crate) const OWN: &str = "burncam";

/// What stands before a command where one is typed: `burncam`, or `cargo xtask`.
pub(crate) fn name() -> &'static str {
    &NAME
}
