//! `burncam layers`: what `explain --layer` takes.

use std::process::ExitCode;

use anyhow::Result;
use burncam_weights::{NetworkLayer, Resolved};
use serde::Serialize;

use crate::args::Layers;
use crate::text::{self, Column};
use crate::{console, program};

/// What `layers --json` prints.
#[derive(Serialize)]
struct Report {
    file: String,
    architecture: &'static str,
    variant: &'static str,
    default: String,
    layers: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    file_name: Option<String>,
    class: &'static str,
    shape: Vec<usize>,
}

impl From<NetworkLayer> for Row {
    fn from(layer: NetworkLayer) -> Self {
        let NetworkLayer { name, file_name, class, shape, .. } = layer;
        Self { name, file_name, class, shape }
    }
}

/// Lists the layers that can be explained.
pub(crate) fn run(args: &Layers) -> Result<ExitCode> {
    let report = Report::new(&args.network.open(args.checkpoint.path())?);
    let text = match args.json {
        true => serde_json::to_string_pretty(&report)?,
        false => report.text(),
    };
    console::result(&text)?;
    Ok(ExitCode::SUCCESS)
}

impl Report {
    fn new(checkpoint: &Resolved) -> Self {
        let layers = checkpoint.layers().into_iter().filter(|layer| layer.can_be_tapped);
        Self {
            file: checkpoint.path().display().to_string(),
            architecture: checkpoint.arch.name,
            variant: checkpoint.variant.name,
            default: checkpoint.cam_layer.clone(),
            layers: layers.map(Row::from).collect(),
        }
    }

    fn text(&self) -> String {
        let head = [
            ("layer", Column::Words),
            ("class", Column::Words),
            ("[height, width, channels]", Column::Words),
            ("in the file", Column::Words),
            ("", Column::Words),
        ];
        let cells = self.layers.iter().map(|layer| {
            let mark = if layer.name == self.default { "<- the default" } else { "" };
            let file_name = layer.file_name.as_deref();
            [
                layer.name.clone(),
                layer.class.to_owned(),
                text::shape(&layer.shape),
                other_name(&layer.name, file_name),
                mark.to_owned(),
            ]
        });
        format!(
            "{}\n`{} explain --layer` takes each by either name; where a name is both, the \
             file's counts.",
            text::table(head, &cells.collect::<Vec<_>>()),
            program::name()
        )
    }
}

/// What the file calls a layer, where that is not its own name.
pub(crate) fn other_name(name: &str, file_name: Option<&str>) -> String {
    match file_name {
        Some(same) if same == name => String::new(),
        Some(other) => other.to_owned(),
        None => "(not listed)".to_owned(),
    }
}
