//! `burncam convert`: a checkpoint as one of Burncam's own files.

use std::process::ExitCode;

use anyhow::{Context, Result};
use burncam_weights::{Container, Converted};

use crate::args::Convert;
use crate::console;
use burncam_run::interrupt::{self, INTERRUPTED};

/// Writes the network that a checkpoint holds, unless the user stops it.
pub(crate) fn run(args: &Convert) -> Result<ExitCode> {
    interrupt::listen()?;
    let container = Container::from_path(&args.out).with_context(|| {
        format!(
            "--out {} says not in which format to write\nhint: it must end in .bpk (Burn's own) \
             or .safetensors",
            args.out.display()
        )
    })?;
    let checkpoint = args.network.open(args.checkpoint.path())?;
    for note in &checkpoint.notes {
        console::warning(note.as_str(), &[]);
    }
    let network = format!("{} ({})", checkpoint.arch.title, checkpoint.variant.name);
    let head = checkpoint.head.describe();
    let (from, format) = (args.checkpoint.path().display(), checkpoint.format());
    let converted =
        checkpoint.convert_unless(&args.out, container, args.overwrite, interrupt::asked);
    let Converted { tensors, parameters, bytes } = match converted {
        Err(_) if interrupt::asked() => {
            console::note(format!("Stopped: {} is as it was.", args.out.display()));
            return Ok(ExitCode::from(INTERRUPTED));
        }
        converted => converted?,
    };
    console::result(&format!(
        "Read {from} ({format}): {network}, head {head}.\n\
         Wrote {}: {parameters} values in {tensors} tensors, {:.1} MB, equal to the last bit.",
        args.out.display(),
        bytes as f64 / 1e6
    ))?;
    Ok(ExitCode::SUCCESS)
}
