//! Which of an architecture's variants a file holds, where its layers alone do not tell.

use burncam_net::{Arch, HeadConfig, Outputs, Variant};

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

/// Of variants that have the same layers, the one with this head.
pub(crate) fn by_head(
    file: &Checkpoint,
    fitting: &[(&'static Arch, &'static Variant, f64)],
    (arch, chosen): (&'static Arch, &'static Variant),
    head: &HeadConfig,
) -> Result<&'static Variant, Error> {
    let units = head.units();
    let own = fitting.iter().filter(|(other, ..)| other.name == arch.name);
    let told = own.map(|(_, variant, _)| *variant).find(|v| v.neurons == Some(units));
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

/// One neuron does not say which class it is for.
pub(crate) fn second_class(arch: &Arch, variant: &Variant, head: &HeadConfig) -> Option<String> {
    let [_, second] = &arch.class_names(variant, head.classes())[..] else { return None };
    (head.units() == 1 && !matches!(variant.outputs, Outputs::Named(_))).then(|| {
        format!(
            "the head is one sigmoid neuron: near 1 it is taken to mean {second}, the second class \
             (`--classes` names the two otherwise)"
        )
    })
}

/// What the user should know where the file fits another variant as well: one that is fed
/// otherwise, since a file without names does not tell them apart.
pub(crate) fn ambiguity(
    fitting: &[(&Arch, &Variant, f64)],
    arch: &Arch,
    chosen: &Variant,
) -> Option<String> {
    let own = fitting.iter().find(|(a, v, _)| (a.name, v.name) == (arch.name, chosen.name));
    let other = fitting.iter().find(|(other, variant, likeness)| {
        other.name == arch.name
            && variant.name != chosen.name
            && variant.input != chosen.input
            && own.is_some_and(|(.., own)| own == likeness)
    });
    other.map(|(_, other, _)| {
        format!(
            "the file has no layer names: it fits {0}:{1} and {0}:{2}, which subtract other means; \
             taken for {0}:{1} (`--model {0}:{2}` takes the other)",
            arch.name, chosen.name, other.name
        )
    })
}
