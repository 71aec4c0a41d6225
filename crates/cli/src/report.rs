//! `burncam report`: the pages of finished runs again, or as one.

use std::process::ExitCode;

use anyhow::Result;
use burncam_run::{JoinOptions, join};

use crate::args::Report;
use crate::console::{self, CONSOLE};

/// The page is written, and lacks images.
const MISSING: u8 = 1;

/// Rebuilds the page of one run, or joins several.
pub(crate) fn run(args: &Report) -> Result<ExitCode> {
    console::speak(args.page.lang);
    let options = JoinOptions {
        runs: args.runs.clone(),
        out: args.out.clone(),
        overwrite: args.overwrite,
        page: args.page.options(),
    };
    let joined = join(&options, &CONSOLE)?;
    console::report(&joined.page, joined.runs, joined.models, joined.images);
    Ok(if joined.is_partial { ExitCode::from(MISSING) } else { ExitCode::SUCCESS })
}
