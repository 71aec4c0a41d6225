//! The demo that ships with the project.

use std::path::PathBuf;

use anyhow::{Context, Result};

/// Where the project's assets are, if not where the program looks for them.
const ASSETS: &str = "BURNCAM_ASSETS";

/// Where the demo's results go.
pub(crate) const OUT: &str = "burncam-demo";

/// The demo's weights and images.
pub(crate) fn files() -> Result<(PathBuf, PathBuf)> {
    let program = std::env::current_exe().unwrap_or_default();
    let around = program.ancestors().map(|folder| folder.join("assets"));
    let given = std::env::var_os(ASSETS).map(PathBuf::from);
    let demo = given
        .into_iter()
        .chain(around)
        .chain([PathBuf::from("assets")])
        .map(|assets| assets.join("demo"))
        .find(|demo| demo.join("NCNN.h5").is_file())
        .context(
            "the demo is not here: no folder `assets/demo` around the program or in this folder\n\
             hint: give --weights and --data, or set BURNCAM_ASSETS to the project's assets folder",
        )?;
    Ok((demo.join("NCNN.h5"), demo.join("faces")))
}
