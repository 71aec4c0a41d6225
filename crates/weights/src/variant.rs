//! Which of an architecture's variants a file holds, where its layers alone do not tell.

use burncam_net::{Arch, HeadConfig, InputSpec, Variant};

use crate::{Checkpoint, Error, Wanted};

/// The variants that a file may hold. Generated code has no layers of its own, and would fit
/// anything.
pub(crate) fn candidates(
    archs: &[&'static Arch],
    wanted: Option<Wanted>,
) -> impl Iterator<Item = (&'static Arch, &'static Variant)> {
    let variants = archs.iter().flat_map(|&arch| arch.variants.iter().map(move |v| (arch, v)));
    variants
        .filter(move |(arch, variant)| wanted.is_none_or(|wanted| wanted.takes(arch, variant)))
        .filter(|(_, variant)| !(variant.layers)().is_generated())
}

/// A variant whose layers the file has.
pub(crate) struct Fitting {
    pub(crate) arch: &'static Arch,
    pub(crate) variant: &'static Variant,
    /// The share of its own layer names that the file has, at most 1.
    pub(crate) known_names: f64,
    /// How long its names are together: `features.conv1_1` tells more than `conv1_1`.
    pub(crate) name_length: usize,
}

impl Fitting {
    fn is_better_named(&self, other: &Self) -> bool {
        self.known_names > other.known_names
            || self.known_names == other.known_names && self.name_length > other.name_length
    }
}

/// Of variants that have the same layers, the one with this head.
pub(crate) fn by_head(
    file: &Checkpoint,
    fitting: &[Fitting],
    (arch, chosen): (&'static Arch, &'static Variant),
    head: &HeadConfig,
) -> Result<&'static Variant, Error> {
    let units = head.units();
    let own = fitting.iter().filter(|fitting| fitting.arch.name == arch.name);
    let told = own.map(|fitting| fitting.variant).find(|v| v.neurons == Some(units));
    let variant = told.unwrap_or(chosen);
    match variant.neurons.filter(|&neurons| neurons != units) {
        None => Ok(variant),
        Some(neurons) => {
            let layers = (variant.layers)().layers().len();
            Err(Error::Mismatch {
                path: file.path.clone(),
                arch: arch.name,
                variant: variant.name,
                matched: layers,
                total: layers,
                difference: format!("its head ends in {units} neurons, expected {neurons}"),
            })
        }
    }
}

/// What the user should know of a file that says nothing of how images are prepared.
pub(crate) fn preparation(arch: &Arch, variant: &Variant, input: &InputSpec) -> String {
    format!(
        "the file holds weights only: images are prepared as for {}:{}, {}; --preprocess has other ways",
        arch.name,
        variant.name,
        input.formula()
    )
}

/// The share of a network's names that tells it from another of the same structure: exporters keep few,
/// where they fold batch normalisation into convolutions.
const TELLING: f64 = 0.05;

/// Refuses a file that fits another variant as well, one that is fed otherwise, unless its names tell
/// them apart.
pub(crate) fn refuse_doubt(
    file: &Checkpoint,
    fitting: &[Fitting],
    arch: &Arch,
    chosen: &Variant,
) -> Result<(), Error> {
    let is =
        |fitting: &&Fitting| (fitting.arch.name, fitting.variant.name) == (arch.name, chosen.name);
    let own = fitting.iter().find(is);
    let differs =
        |other: &&Fitting| other.arch.name == arch.name && other.variant.input != chosen.input;
    let told = own.is_none_or(|own| {
        let mut others = fitting.iter().filter(differs);
        own.known_names >= TELLING && others.all(|other| own.is_better_named(other))
    });
    let others: Vec<String> = fitting
        .iter()
        .filter(differs)
        .map(|other| format!("{}:{}", arch.name, other.variant.name))
        .collect();
    if told || others.is_empty() {
        return Ok(());
    }
    Err(Error::SeveralNetworks {
        path: file.path.clone(),
        models: [format!("{}:{}", arch.name, chosen.name)].into_iter().chain(others).collect(),
        difference: "which are fed otherwise, and has no names that tell which it is",
    })
}
