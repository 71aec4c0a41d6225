//! Which architecture a state_dict belongs to, tensor by tensor.

use burncam_net::{Arch, Layer, LayerTable, Op, Outputs, Variant, Weight};

use crate::keras::h5::{StoredLayer, StoredWeight};
use crate::matching::{Failure, FileNames};
use crate::torch;
use crate::torch::head::StateHead;
use crate::{Checkpoint, Error, Resolved, Wanted, structure, variant};

/// PyTorch's name of a weight.
pub(crate) fn torch_name(weight: Weight) -> &'static str {
    match weight {
        Weight::Kernel | Weight::Gamma => "weight",
        Weight::Bias | Weight::Beta => "bias",
        Weight::MovingMean => "running_mean",
        Weight::MovingVariance => "running_var",
        Weight::Generated(path) => path,
    }
}

/// A weight's shape as PyTorch has it, given Keras's: output channels come first.
pub(crate) fn torch_shape(shape: &[usize]) -> Vec<u64> {
    let order: &[usize] = match shape.len() {
        4 => &[3, 2, 0, 1],
        2 => &[1, 0],
        _ => &[0],
    };
    order.iter().filter_map(|&dimension| shape.get(dimension)).map(|&size| size as u64).collect()
}

/// One variant against the file.
struct Attempt {
    arch: &'static Arch,
    variant: &'static Variant,
    table: LayerTable,
    likeness: f64,
    result: Result<FileNames, Failure>,
}

/// See [`Checkpoint::resolve`].
pub(crate) fn resolve(
    file: Checkpoint,
    archs: &[&'static Arch],
    wanted: Option<Wanted>,
) -> Result<Resolved, Error> {
    let candidates = variant::candidates(archs, wanted);
    let attempts: Vec<Attempt> =
        candidates.map(|(arch, variant)| attempt(&file, arch, variant)).collect();
    let best = attempts.iter().reduce(|a, b| if b.likeness > a.likeness { b } else { a });
    let Some(best) = best else {
        let (path, reason) = (file.path, "there is no architecture to compare it with".to_owned());
        return Err(Error::Config { path, reason });
    };
    let (arch, variant) = (best.arch, best.variant);
    let names = best.result.clone().map_err(|failure| {
        structure::refusal(&file, wanted, (arch, variant, &best.table), best.likeness, failure)
    })?;
    let StateHead { config, flattened, note } = torch::head::read(&file, &names, &best.table)?;
    let second = variant::second_class(arch, variant, &config);
    let notes = doubt(&attempts, best).into_iter().chain(second).chain([note]).collect();
    let input = variant.input.clone();
    let front = Vec::new();
    Ok(Resolved { arch, variant, input, head: config, names, front, notes, flattened, file })
}

fn attempt(file: &Checkpoint, arch: &'static Arch, variant: &'static Variant) -> Attempt {
    let table = (variant.layers)();
    let result = match_names(&table, file);
    let likeness = match result {
        // Of networks with the same tensors, the one that has as many outputs.
        Ok(_) => table.layers().len() as f64 + if has_outputs(file, variant) { 0.5 } else { 0.0 },
        Err(_) => structure::likeness(&table, file, known_names(&table, file)),
    };
    Attempt { arch, variant, table, likeness, result }
}

/// Whether a layer of the file has as many outputs as the variant's published weights.
fn has_outputs(file: &Checkpoint, variant: &Variant) -> bool {
    let Outputs::Count(count) = variant.outputs else { return false };
    let mut shapes = file.layers.iter().flat_map(|layer| &layer.weights).map(|w| &w.shape);
    shapes.any(|shape| matches!(shape[..], [outputs, _] if outputs == count as u64))
}

/// What the user should know where the file fits other variants of the architecture as well.
fn doubt(attempts: &[Attempt], chosen: &Attempt) -> Option<String> {
    let (arch, own) = (chosen.arch.name, chosen.variant.name);
    let others = attempts.iter().filter(|other| {
        other.result.is_ok()
            && other.arch.name == arch
            && other.variant.name != own
            && other.table.layers().len() == chosen.table.layers().len()
    });
    let others: Vec<String> =
        others.map(|other| format!("{arch}:{}", other.variant.name)).collect();
    if others.is_empty() {
        return None;
    }
    let why = match chosen.variant.outputs {
        Outputs::Count(count) => format!(", which has {count} outputs"),
        _ => String::new(),
    };
    let others = others.join(" and ");
    Some(format!(
        "names and shapes of the weights fit {arch}:{own} and {others}, which compute otherwise; \
         taken for {arch}:{own}{why} (`--model {others}` takes the other)"
    ))
}

/// The share of an architecture's layers with weights that the file has, hardly more than 1.
fn known_names(table: &LayerTable, file: &Checkpoint) -> f64 {
    let own: Vec<&Layer> =
        table.layers().iter().filter(|layer| !weights_of(table, layer).is_empty()).collect();
    let known = own.iter().filter(|layer| stored(file, &layer.name).is_some()).count();
    // Where nothing is known, the closest is one of PyTorch's, whose names have dots.
    let dotted = table.layers().iter().any(|layer| layer.name.contains('.'));
    known as f64 / own.len().max(1) as f64 + if dotted { 1e-6 } else { 0.0 }
}

fn stored<'a>(file: &'a Checkpoint, layer: &str) -> Option<&'a StoredLayer> {
    file.layers.iter().find(|stored| stored.name == layer)
}

/// Compares every weight that the table's layers have with the file's.
fn match_names(table: &LayerTable, file: &Checkpoint) -> Result<FileNames, Failure> {
    let mut names = FileNames::new();
    for layer in table.layers() {
        let own = stored(file, &layer.name);
        for (weight, shape) in weights_of(table, layer) {
            let found = own.and_then(|own| find(own, weight));
            let difference = match found {
                Some(found) if found.shape == shape => continue,
                Some(StoredWeight { path, shape: found, .. }) => {
                    format!("tensor `{path}` has shape {found:?}, expected {shape:?}")
                }
                None => format!(
                    "there is no tensor `{}{}.{}` of shape {shape:?}",
                    file.prefix(),
                    layer.name,
                    torch_name(weight)
                ),
            };
            return Err(Failure { matched: names.len(), difference });
        }
        names.insert(layer.name.clone(), layer.name.clone());
    }
    Ok(names)
}

pub(crate) fn find(layer: &StoredLayer, weight: Weight) -> Option<&StoredWeight> {
    layer.weights.iter().find(|stored| stored.name == torch_name(weight))
}

/// A layer's weights and their shapes as PyTorch has them.
fn weights_of(table: &LayerTable, layer: &Layer) -> Vec<(Weight, Vec<u64>)> {
    match layer.op {
        Op::Conv2D { kernel_size: [height, width], filters, use_bias, .. } => {
            let kernel = torch_shape(&[height, width, table.channels_in(layer), filters]);
            let bias = use_bias.then(|| (Weight::Bias, vec![filters as u64]));
            [(Weight::Kernel, kernel)].into_iter().chain(bias).collect()
        }
        Op::BatchNormalization { scale, center, .. } => {
            let parts = [
                (Weight::Gamma, scale),
                (Weight::Beta, center),
                (Weight::MovingMean, true),
                (Weight::MovingVariance, true),
            ];
            let present = parts.into_iter().filter(|(_, present)| *present);
            present.map(|(weight, _)| (weight, vec![layer.output[2] as u64])).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_channels_come_first() {
        assert_eq!(torch_shape(&[7, 5, 3, 64]), [64, 3, 7, 5]);
        assert_eq!(torch_shape(&[2048, 1000]), [1000, 2048]);
        assert_eq!(torch_shape(&[64]), [64]);
    }
}
