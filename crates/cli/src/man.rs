//! `burncam man`: the manual, a page for each command.

use std::process::ExitCode;

use anyhow::{Context, Result};
use burncam_record::write_atomic;
use clap::Command;
use clap_mangen::Man as Page;

use crate::args::{self, Man};
use crate::console;

/// Writes `burncam.1`, `burncam-explain.1`, ….
pub(crate) fn run(args: &Man) -> Result<ExitCode> {
    let out = &args.out;
    std::fs::create_dir_all(out)
        .with_context(|| format!("cannot make the folder {}", out.display()))?;
    let mut all = args::command();
    // Gives each command its whole name.
    all.build();
    let is_shown = |command: &&Command| !command.is_hide_set() && command.get_name() != "help";
    let shown = all.get_subcommands().filter(is_shown);
    let commands: Vec<&Command> = std::iter::once(&all).chain(shown).collect();
    for command in &commands {
        let name = command.get_display_name().unwrap_or(command.get_name());
        let mut page = Vec::new();
        Page::new((*command).clone()).title(name).render(&mut page)?;
        let path = out.join(format!("{name}.1"));
        write_atomic(&path, &page).with_context(|| format!("cannot write {}", path.display()))?;
    }
    console::result(&format!("Wrote {} pages into {}.", commands.len(), out.display()))?;
    Ok(ExitCode::SUCCESS)
}
