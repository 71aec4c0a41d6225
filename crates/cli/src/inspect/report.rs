//! What `burncam inspect` says, as data and as text.

use burncam_net::InputSpec;
use burncam_weights::{
    Checkpoint, Error, FileLayer, FileWeight, Format, Ignored, NetworkLayer, Resolved, Unknown,
};
use serde::Serialize;

use crate::layers::other_name;
use crate::models::size;
use crate::text::{self, Column, grouped};
use burncam_run::{class_names, classes};

/// A file: what `inspect --json` prints.
#[derive(Serialize)]
pub(super) struct Report {
    file: String,
    format: Format,
    #[serde(skip)]
    format_text: String,
    keras_version: Option<String>,
    /// Values in all weights of the file's layers.
    parameters: u64,
    /// What the file was found to be.
    pub(super) network: Option<Network>,
    /// Why it is not supported.
    pub(super) error: Option<String>,
    /// Whether the file fits a network, and lacks what only the user knows.
    #[serde(skip)]
    pub(super) undecided: bool,
    /// How far it is like the closest network.
    pub(super) closest: Option<Closest>,
    /// The layers as the file has them.
    layers: Vec<FileLayer>,
    pub(super) ignored: Vec<Ignored>,
}

/// A network that is supported.
#[derive(Serialize)]
pub(super) struct Network {
    architecture: &'static str,
    title: &'static str,
    variant: &'static str,
    head: String,
    classes: Vec<String>,
    /// Who says what they are called.
    classes_from: String,
    #[serde(skip)]
    are_numbered: bool,
    input: InputSpec,
    preprocessing: String,
    map_layer: String,
    /// The layers in the network's order, its head's last.
    layers: Vec<NetworkLayer>,
    notes: Vec<String>,
}

/// How far the comparison with the closest network went.
#[derive(Serialize)]
pub(super) struct Closest {
    architecture: &'static str,
    variant: &'static str,
    layers: usize,
    matched: usize,
    difference: String,
    /// What the network is made of, and the file, where that is all by which it is the closest.
    #[serde(skip_serializing_if = "Option::is_none")]
    structure: Option<[String; 2]>,
}

impl Closest {
    /// What an error says of the closest network, if it does.
    pub(super) fn new(error: &Error) -> Option<Self> {
        let (arch, variant, matched, total, difference, structure) = match error {
            Error::Mismatch { arch, variant, matched, total, difference, .. } => {
                (arch, variant, matched, total, difference, None)
            }
            Error::Unknown(unknown) => {
                let Unknown { arch, variant, matched, total, difference, .. } = &**unknown;
                let structure = [&unknown.closest, &unknown.structure].map(ToString::to_string);
                (arch, variant, matched, total, difference, Some(structure))
            }
            _ => return None,
        };
        Some(Self {
            architecture: arch,
            variant,
            layers: *total,
            matched: *matched,
            difference: difference.clone(),
            structure,
        })
    }
}

impl Network {
    /// The network that a file was found to hold.
    pub(super) fn new(checkpoint: &Resolved) -> Self {
        let (arch, variant) = (checkpoint.arch, checkpoint.variant);
        let mut notes = checkpoint.notes.clone();
        let named = class_names::of(None, checkpoint).unwrap_or_else(|error| {
            notes.push(format!("{error:#}"));
            class_names::assumed(checkpoint)
        });
        Self {
            architecture: arch.name,
            title: arch.title,
            variant: variant.name,
            head: checkpoint.head.describe(),
            classes: named.names,
            classes_from: named.source.describe(),
            are_numbered: named.source == class_names::Source::Numbers,
            input: checkpoint.input.clone(),
            preprocessing: match checkpoint.is_prepared {
                true => checkpoint.input.formula(),
                false => "not in the file; --preprocess states it".to_owned(),
            },
            map_layer: checkpoint.cam_layer.clone(),
            layers: checkpoint.layers(),
            notes,
        }
    }

    fn fields(&self) -> [(&'static str, String); 6] {
        let map = self.layers.iter().find(|layer| layer.name == self.map_layer);
        let map_shape = map.map(|layer| text::shape(&layer.shape)).unwrap_or_default();
        [
            ("network", format!("{} ({}, {})", self.title, self.architecture, self.variant)),
            ("head", self.head.clone()),
            ("classes", self.classes()),
            ("input", format!("{}, {}", size(&self.input), self.input.order.name())),
            ("preprocessing", self.preprocessing.clone()),
            ("map layer", format!("{} {map_shape}", self.map_layer)),
        ]
    }

    /// The classes and, where they have names, who says so.
    fn classes(&self) -> String {
        let names = format!("{}: {}", self.classes.len(), classes::listed(&self.classes));
        if self.are_numbered { names } else { format!("{names} ({})", self.classes_from) }
    }

    fn table(&self) -> String {
        let head = [
            ("layer", Column::Words),
            ("class", Column::Words),
            ("[height, width, channels]", Column::Words),
            ("parameters", Column::Numbers),
            ("in the file", Column::Words),
        ];
        let cells = self.layers.iter().map(|layer| {
            [
                layer.name.clone(),
                layer.class.to_owned(),
                text::shape(&layer.shape),
                grouped(layer.parameters),
                other_name(&layer.name, layer.file_name.as_deref()),
            ]
        });
        text::table(head, &cells.collect::<Vec<_>>())
    }
}

impl Report {
    /// What can be said of any file that can be read.
    pub(super) fn new(checkpoint: &Checkpoint) -> Result<Self, Error> {
        let layers = checkpoint.file_layers();
        let counts = layers.iter().map(|layer| layer.parameters);
        Ok(Self {
            file: checkpoint.path.display().to_string(),
            format: checkpoint.format,
            format_text: checkpoint.format.to_string(),
            keras_version: checkpoint.keras_version.clone(),
            parameters: counts.fold(0, u64::saturating_add),
            network: None,
            error: None,
            undecided: false,
            closest: None,
            layers,
            ignored: checkpoint.ignored()?,
        })
    }

    /// The report for people.
    pub(super) fn text(&self) -> String {
        let mut fields = vec![("file", self.file.clone()), ("format", self.format_text.clone())];
        let unknown = || "not told".to_owned();
        if self.format != Format::Onnx && !self.format.is_state_dict() {
            fields.push(("Keras", self.keras_version.clone().unwrap_or_else(unknown)));
        }
        let table = match &self.network {
            Some(network) => {
                fields.extend(network.fields());
                network.table()
            }
            None => {
                let known =
                    if self.undecided { "known in part, as said below" } else { "not recognised" };
                fields.push(("network", known.to_owned()));
                fields.extend(self.closest.iter().flat_map(Closest::fields));
                self.table()
            }
        };
        fields.push(("parameters", grouped(self.parameters)));
        let mut text = format!("{}\n{table}", text::fields(&fields));
        let notes = self.network.as_ref().map_or(&[][..], |network| &network.notes);
        section(&mut text, "notes", notes.iter().cloned());
        let ignored = self.ignored.iter().map(|part| format!("{}: {}", part.name, part.reason));
        section(&mut text, "not used", ignored);
        text
    }

    /// The layers as the file has them.
    fn table(&self) -> String {
        let head = [
            ("layer in the file", Column::Words),
            ("class", Column::Words),
            ("parameters", Column::Numbers),
            ("weights", Column::Words),
        ];
        let cells = self.layers.iter().map(|layer| {
            let weight = |weight: &FileWeight| format!("{} {:?}", weight.name, weight.shape);
            let weights: Vec<String> = layer.weights.iter().map(weight).collect();
            [
                layer.name.clone(),
                layer.class.clone().unwrap_or_else(|| "-".to_owned()),
                grouped(layer.parameters),
                weights.join(", "),
            ]
        });
        text::table(head, &cells.collect::<Vec<_>>())
    }
}

impl Closest {
    fn fields(&self) -> [(&'static str, String); 2] {
        let Self { architecture, variant, layers, matched, .. } = self;
        if let Some([closest, own]) = &self.structure {
            let like =
                format!("{architecture} ({variant}), by input size and structure: {closest}");
            return [("closest", like), ("the file has", own.clone())];
        }
        let like = format!("{architecture} ({variant}): {matched} of its {layers} layers match");
        [("closest", like), ("difference", self.difference.clone())]
    }
}

/// Adds a titled list, if there is anything to list.
fn section(text: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    let mut lines = lines.peekable();
    if lines.peek().is_some() {
        text.push_str(&format!("\n{title}\n"));
        text.extend(lines.map(|line| format!("  {line}\n")));
    }
}
