//! How like two networks are by what they are made of, where their layers do not fit one by one.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use burncam_net::{Arch, LayerTable, Op, Variant};

use crate::matching::Failure;
use crate::{Checkpoint, Error, Wanted};

/// A file whose network is not near any that may be found in files.
#[derive(Debug)]
pub struct Unknown {
    /// The file.
    pub path: PathBuf,
    /// What it is made of.
    pub structure: Structure,
    /// The architecture that is most like it.
    pub arch: &'static str,
    /// Its variant that is.
    pub variant: &'static str,
    /// What that one is made of.
    pub closest: Structure,
    /// How many of its layers match one by one.
    pub matched: usize,
    /// How many layers it has.
    pub total: usize,
    /// The first difference.
    pub difference: String,
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, with {}, is none of the networks that Burncam knows; the closest by input size and \
             structure is {} ({}), with {}",
            self.path.display(),
            self.structure,
            self.arch,
            self.variant,
            self.closest
        )
    }
}

/// What a network is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Structure {
    /// Height and width of its images in pixels, where that is known.
    pub input: Option<[usize; 2]>,
    /// How many convolutions there are with a kernel of each shape, its sizes sorted, since files differ in
    /// their order.
    kernels: BTreeMap<Vec<u64>, usize>,
    /// How many batch normalisations there are.
    normalisations: usize,
}

impl fmt::Display for Structure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some([height, width]) = self.input {
            write!(f, "images of {height}×{width}, ")?;
        }
        let count = |f: &mut fmt::Formatter<'_>, count: usize, what: &str| {
            write!(f, "{count} {what}{}", if count == 1 { "" } else { "s" })
        };
        count(f, self.convolutions(), "convolution")?;
        f.write_str(" and ")?;
        count(f, self.normalisations, "batch normalisation")
    }
}

impl Structure {
    /// Of the layers of an architecture.
    pub(crate) fn of_table(table: &LayerTable) -> Self {
        let mut structure = Self::default();
        for layer in table.layers() {
            match layer.op {
                Op::InputLayer { height, width, .. } => structure.input = Some([height, width]),
                Op::Conv2D { kernel_size: [height, width], filters, .. } => {
                    let shape = [height, width, table.channels_in(layer), filters];
                    structure.add(shape.map(|size| size as u64).to_vec());
                }
                Op::BatchNormalization { .. } => structure.add_normalisation(),
                _ => {}
            }
        }
        structure
    }

    /// Of a file's own description, as far as it has one, and of the shapes of its weights.
    pub(crate) fn of_file(file: &Checkpoint) -> Self {
        let mut structure = Self::default();
        for layer in &file.layers {
            let is_mean = |name: &str| matches!(name, "moving_mean" | "running_mean");
            if layer.weights.iter().any(|weight| is_mean(&weight.name)) {
                structure.add_normalisation();
            }
            let kernels = layer.weights.iter().filter(|weight| weight.shape.len() == 4);
            kernels.for_each(|kernel| structure.add(kernel.shape.clone()));
        }
        let nodes = file.graph.as_ref().map_or(&[][..], |graph| &graph.nodes);
        let named = |class: &str| nodes.iter().filter(|node| node.class == class).count();
        structure.normalisations = structure.normalisations.max(named("BatchNormalization"));
        structure.input = nodes.iter().find_map(|node| match node.op {
            Ok(Op::InputLayer { height, width, .. }) if height > 0 && width > 0 => {
                Some([height, width])
            }
            _ => None,
        });
        structure
    }

    fn add(&mut self, mut kernel: Vec<u64>) {
        kernel.sort_unstable();
        let count = self.kernels.entry(kernel).or_default();
        *count = count.saturating_add(1);
    }

    fn add_normalisation(&mut self) {
        self.normalisations = self.normalisations.saturating_add(1);
    }

    fn convolutions(&self) -> usize {
        self.kernels.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// From 0, nothing in common, to 1, the same: half of it is how many kernels have the same shapes, the
    /// rest how many layers there are of each kind and, where both are known, the size of the input.
    pub(crate) fn likeness(&self, other: &Self) -> f64 {
        let shared = self.kernels.iter().fold(0_usize, |sum, (shape, count)| {
            sum.saturating_add(other.kernels.get(shape).map_or(0, |others| *others.min(count)))
        });
        let all = self.convolutions().saturating_add(other.convolutions()).saturating_sub(shared);
        let kernels = shared as f64 / all.max(1) as f64;
        let kinds = (ratio(self.convolutions(), other.convolutions())
            + ratio(self.normalisations, other.normalisations))
            / 2.0;
        match (self.input, other.input) {
            (Some([height, width]), Some([other_height, other_width])) => {
                let input = ratio(height, other_height) * ratio(width, other_width);
                0.5 * kernels + 0.25 * kinds + 0.25 * input
            }
            _ => (0.5 * kernels + 0.25 * kinds) / 0.75,
        }
    }
}

/// The smaller of two numbers as a share of the larger.
fn ratio(a: usize, b: usize) -> f64 {
    if a == b { 1.0 } else { a.min(b) as f64 / a.max(b) as f64 }
}

/// From how much of it a network is the one that is meant: then the first difference helps.
pub(crate) const NEAR: f64 = 0.5;

/// How like a file is to an architecture that it does not fit, below 1. The share of the architecture's
/// layers that the file has, `near`, counts for more than what both are made of.
pub(crate) fn likeness(table: &LayerTable, file: &Checkpoint, near: f64) -> f64 {
    if near >= NEAR {
        return 0.5 + 0.49 * near.min(1.0);
    }
    let structure = Structure::of_table(table).likeness(&Structure::of_file(file));
    0.48 * structure + 0.01 * near
}

/// What is said of a file that fits no architecture, given the closest and how like the file is to it.
pub(crate) fn refusal(
    file: &Checkpoint,
    wanted: Option<Wanted>,
    (arch, variant, table): (&'static Arch, &'static Variant, &LayerTable),
    likeness: f64,
    failure: Failure,
) -> Error {
    let Failure { matched, difference } = failure;
    let (path, total) = (file.path.clone(), table.layers().len());
    let (arch, variant) = (arch.name, variant.name);
    if wanted.is_some() || likeness >= NEAR {
        return Error::Mismatch { path, arch, variant, matched, total, difference };
    }
    Error::Unknown(Box::new(Unknown {
        path,
        structure: Structure::of_file(file),
        arch,
        variant,
        closest: Structure::of_table(table),
        matched,
        total,
        difference,
    }))
}
