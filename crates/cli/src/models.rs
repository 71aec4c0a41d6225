//! `burncam models`: what is supported.

use std::process::ExitCode;

use anyhow::Result;
use burncam_net::{Arch, InputSpec, OwnResizing, Variant};
use burncam_run::networks::known;
use serde::Serialize;

use crate::args::Models;
use crate::text::{self, Column};
use crate::{console, program};

/// One network as `models --json` has it.
#[derive(Serialize)]
struct Row {
    name: &'static str,
    title: &'static str,
    variant: &'static str,
    input: InputSpec,
    preprocessing: String,
    map_layer: &'static str,
    layers: usize,
    head: &'static str,
    classes: &'static [&'static str],
}

impl Row {
    fn new(arch: &Arch, variant: &Variant) -> Self {
        Self {
            name: arch.name,
            title: arch.title,
            variant: variant.name,
            input: variant.input.clone(),
            preprocessing: variant.input.formula(),
            map_layer: variant.cam_layer,
            layers: (variant.layers)().layers().len(),
            head: match variant.neurons {
                Some(1) => "one sigmoid neuron",
                _ => "any",
            },
            classes: arch.classes,
        }
    }

    fn cells(&self) -> [String; 8] {
        [
            self.name.to_owned(),
            self.variant.to_owned(),
            size(&self.input),
            self.input.order.name().to_owned(),
            self.preprocessing.clone(),
            self.map_layer.to_owned(),
            self.layers.to_string(),
            self.head.to_owned(),
        ]
    }
}

/// Lists architectures and variants.
pub(crate) fn run(args: &Models) -> Result<ExitCode> {
    let of = |arch: &&'static Arch| {
        let arch = *arch;
        arch.variants.iter().map(move |variant| Row::new(arch, variant))
    };
    let rows: Vec<Row> = known().iter().flat_map(of).collect();
    let text = match args.json {
        true => serde_json::to_string_pretty(&rows)?,
        false => table(&rows),
    };
    console::result(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn table(rows: &[Row]) -> String {
    let head = [
        ("model", Column::Words),
        ("variant", Column::Words),
        ("input", Column::Words),
        ("channels", Column::Words),
        ("preprocessing", Column::Words),
        ("map layer", Column::Words),
        ("layers", Column::Numbers),
        ("head", Column::Words),
    ];
    let cells: Vec<_> = rows.iter().map(Row::cells).collect();
    format!(
        "{}\nPixels x go from 0 to 255. The head after these layers is the checkpoint's own.\n\
         `{} inspect FILE` says which of these a file holds.",
        text::table(head, &cells),
        program::name()
    )
}

/// `224 x 224`, height first; with what the network itself resizes from.
pub(crate) fn size(input: &InputSpec) -> String {
    let own = format!("{} x {}", input.height, input.width);
    let Some(OwnResizing { from, interpolation }) = input.resizing else { return own };
    let from = from.map_or("any size".to_owned(), |[height, width]| format!("{height} x {width}"));
    format!("{from}, resized by the network to {own} ({})", interpolation.name())
}
