//! `burncam inspect`: what a checkpoint holds, and whether it is supported.

mod report;

use std::process::ExitCode;

use anyhow::Result;
use burncam_weights::Error;

use crate::args::Inspect;
use burncam_run::networks::known;

use crate::console;
use report::{Closest, Network, Report};

/// Prints what the file holds; a file that is not supported is an error after that.
pub(crate) fn run(args: &Inspect) -> Result<ExitCode> {
    let choice = args.network.choice()?;
    let checkpoint = choice.read(args.checkpoint.path())?;
    let mut report = Report::new(&checkpoint)?;
    let checkpoint = checkpoint.with_statement(choice.stated.clone());
    let resolved = checkpoint.resolve(&known(), choice.wanted()?);
    // A weight that the network cannot take is found here, too, as far as its numbers do not matter.
    let mut unfit = None;
    match &resolved {
        Ok(resolved) => {
            unfit = resolved.check_weights().err();
            report.error = unfit.as_ref().map(ToString::to_string);
            report.ignored.extend(resolved.left_out());
            report.network = Some(Network::new(resolved));
        }
        Err(error) => {
            report.error = Some(error.to_string());
            report.closest = Closest::new(error);
            report.undecided =
                matches!(error, Error::UnknownHead { .. } | Error::SeveralNetworks { .. });
        }
    }
    let text = match args.json {
        true => serde_json::to_string_pretty(&report)?,
        false => report.text(),
    };
    console::result(&text)?;
    resolved?;
    unfit.map_or(Ok(ExitCode::SUCCESS), |error| Err(error.into()))
}
