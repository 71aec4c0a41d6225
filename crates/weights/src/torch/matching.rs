//! Which architecture a state_dict belongs to, tensor by tensor.

use std::collections::{HashMap, HashSet};

use burncam_net::{Arch, HeadConfig, Layer, LayerTable, Op, Outputs, Variant, Weight};

use crate::contents::Ignored;
use crate::keras::h5::{StoredLayer, StoredWeight};
use crate::matching::{Failure, FileNames};
use crate::torch;
use crate::torch::head::StateHead;
use crate::{Checkpoint, Error, Resolved, Wanted, structure, variant};

/// PyTorch's name of a weight.
pub(crate) fn torch_name(weight: Weight) -> &'static str {
    match weight {
        Weight::Kernel
        | Weight::DepthwiseKernel
        | Weight::PointwiseKernel
        | Weight::Alpha
        | Weight::Gamma => "weight",
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

/// Most places in a file where a network may begin.
const MOST_ROOTS: usize = 32;

/// Where a network begins in a file.
#[derive(Clone, Debug, Default, PartialEq)]
struct Root {
    /// What stands before every name.
    prefix: String,
    /// Whether the modules directly inside the network are called by their numbers, as
    /// `Sequential(*model.children())` does.
    numbered: bool,
}

/// One variant against the file.
struct Attempt {
    arch: &'static Arch,
    variant: &'static Variant,
    table: LayerTable,
    likeness: f64,
    root: Root,
    /// Other places where all of its tensors are.
    copies: Vec<Root>,
    result: Result<FileNames, Failure>,
}

impl Attempt {
    /// As `--model` takes it.
    fn name(&self) -> String {
        format!("{}:{}", self.arch.name, self.variant.name)
    }
}

/// See [`Checkpoint::resolve`].
pub(crate) fn resolve(
    mut file: Checkpoint,
    archs: &[&'static Arch],
    wanted: Option<Wanted>,
) -> Result<Resolved, Error> {
    let layers: Layers<'_> = file.layers.iter().map(|layer| (layer.name.as_str(), layer)).collect();
    let candidates = variant::candidates(archs, wanted);
    let mut attempts: Vec<Attempt> =
        candidates.map(|(arch, variant)| attempt(&file, &layers, arch, variant)).collect();
    let best = attempts.iter().map(|one| one.likeness).reduce(f64::max);
    let Some(best) = best else {
        let (path, reason) = (file.path, "there is no architecture to compare it with".to_owned());
        return Err(Error::Config { path, reason });
    };
    // Names and shapes of several networks may be the same.
    attempts.retain(|one| one.likeness >= best);
    if let Some(Attempt { arch, variant, table, likeness, result: Err(failure), .. }) =
        attempts.first()
    {
        let closest = (*arch, *variant, table);
        return Err(structure::refusal(&file, wanted, closest, *likeness, failure.clone()));
    }
    // The same tensors are in the same place for each of them.
    if let Some(Attempt { table, root, copies, .. }) = attempts.first() {
        claim(&mut file, table, root, copies)?;
    }
    let read = |one: &Attempt| match &one.result {
        Ok(names) => torch::head::read(&file, names, &one.table),
        Err(failure) => {
            Err(Error::StateDict { path: file.path.clone(), reason: failure.difference.clone() })
        }
    };
    let mut heads: Vec<_> = attempts.iter().map(|one| (one, read(one))).collect();
    let told = heads.iter().position(|(one, head)| {
        head.as_ref().is_ok_and(|head| head.of_family || is_published(one.variant, &head.config))
    });
    let models: Vec<String> = attempts.iter().map(Attempt::name).collect();
    let (chosen, head) = match told {
        Some(place) => heads.swap_remove(place),
        None if heads.len() == 1 => heads.swap_remove(0),
        None => {
            return Err(match heads.swap_remove(0).1 {
                Err(Error::UnknownHead { path, weights, candidates, .. }) => {
                    Error::UnknownHead { path, weights, candidates, models }
                }
                Err(other) => other,
                Ok(_) => Error::SeveralNetworks {
                    path: file.path.clone(),
                    models,
                    difference: "whose weights have the same names and shapes and which compute \
                                 otherwise",
                },
            });
        }
    };
    let StateHead { config, flattened, .. } = head?;
    let (arch, variant) = (chosen.arch, chosen.variant);
    let names = chosen.result.clone().unwrap_or_default();
    let input = variant.input.clone();
    let notes = notes(&file, arch, variant);
    let front = Vec::new();
    let (layers, cam_layer) = ((variant.layers)(), variant.cam_layer.to_owned());
    Ok(Resolved {
        arch,
        variant,
        layers,
        cam_layer,
        input,
        is_prepared: true,
        head: config,
        names,
        front,
        notes,
        flattened,
        file,
    })
}

/// Whether a head is that of the variant's published weights: one layer with as many outputs.
fn is_published(variant: &Variant, head: &HeadConfig) -> bool {
    let dense = head.layers().iter().filter(|(_, op)| matches!(op, Op::Dense { .. })).count();
    dense == 1 && matches!(variant.outputs, Outputs::Count(count) if count == head.units())
}

/// What the user should know of a file that says nothing of its images, and of what is not used.
fn notes(file: &Checkpoint, arch: &Arch, variant: &Variant) -> Vec<String> {
    let preparation = variant::preparation(arch, variant, &variant.input);
    let unused = file.state.as_ref().map_or(&[][..], |state| &state.unused);
    let unused: Vec<String> = unused.iter().map(|part| part.name.to_string()).collect();
    let unused =
        (!unused.is_empty()).then(|| format!("not used of the file: {}", unused.join(", ")));
    [preparation].into_iter().chain(unused).collect()
}

/// Layers by the file's names.
type Layers<'a> = HashMap<&'a str, &'a StoredLayer>;

/// The best of the places where the network may begin.
fn attempt(
    file: &Checkpoint,
    layers: &Layers<'_>,
    arch: &'static Arch,
    variant: &'static Variant,
) -> Attempt {
    let table = (variant.layers)();
    let mut best: Option<(f64, Root, Result<FileNames, Failure>)> = None;
    let mut whole = Vec::new();
    for root in roots(file, &table) {
        let result = match_names(&table, layers, &root);
        let likeness = match &result {
            Ok(_) => table.layers().len() as f64,
            Err(_) => structure::likeness(&table, file, known_names(&table, layers, &root)),
        };
        // Of copies, that which is no average.
        let better = best.as_ref().is_none_or(|(other, kept, _)| {
            likeness > *other
                || result.is_ok() && is_average(&kept.prefix) && !is_average(&root.prefix)
        });
        if result.is_ok() {
            whole.push(root.clone());
        }
        if better {
            best = Some((likeness, root, result));
        }
    }
    let none = || (0.0, Root::default(), match_names(&table, layers, &Root::default()));
    let (likeness, root, result) = best.unwrap_or_else(none);
    let copies = whole.into_iter().filter(|other| *other != root).collect();
    Attempt { arch, variant, table, likeness, root, copies, result }
}

/// Where the first layer with weights stands in the file, and, in case it stands nowhere, what all
/// names begin with.
fn roots(file: &Checkpoint, table: &LayerTable) -> Vec<Root> {
    let mut first = table.layers().iter().map(|layer| (layer, weights_of(table, layer)));
    let Some((first, weights)) = first.find(|(_, weights)| !weights.is_empty()) else {
        return Vec::new();
    };
    let numbered = table.numbered_name(&first.name);
    let spellings = [(Some(first.name.clone()), false), (numbered, true)];
    let mut roots = vec![Root { prefix: common_prefix(file), numbered: false }];
    for (name, numbered) in spellings {
        let Some(name) = name else { continue };
        for layer in &file.layers {
            let prefix = layer.name.strip_suffix(name.as_str());
            let Some(prefix) = prefix.filter(|prefix| prefix.is_empty() || prefix.ends_with('.'))
            else {
                continue;
            };
            let same = |(weight, shape): &(Weight, Vec<u64>)| {
                find(layer, *weight).is_some_and(|stored| stored.shape == *shape)
            };
            let root = Root { prefix: prefix.to_owned(), numbered };
            if weights.first().is_some_and(same)
                && roots.len() < MOST_ROOTS
                && !roots.contains(&root)
            {
                roots.push(root);
            }
        }
    }
    roots
}

/// The modules that every name of the file begins with.
fn common_prefix(file: &Checkpoint) -> String {
    let mut names = file.layers.iter().map(|layer| layer.name.as_str());
    let Some(first) = names.next() else { return String::new() };
    let shared = names.fold(first, |shared, name| {
        let same = shared.bytes().zip(name.bytes()).take_while(|(a, b)| a == b).count();
        shared.get(..same).unwrap_or_default()
    });
    let end = shared.rfind('.').map_or(0, |dot| dot.saturating_add(1));
    shared.get(..end).unwrap_or_default().to_owned()
}

/// Whether weights are the moving average of others, by the name of their module or dict.
pub(crate) fn is_average(prefix: &str) -> bool {
    const WORDS: [&str; 4] = ["ema", "swa", "averaged", "shadow"];
    prefix.split(['.', '_']).any(|word| WORDS.contains(&word.to_lowercase().as_str()))
}

/// Whether a tensor belongs to the training, by its name.
fn is_training_only(path: &str) -> bool {
    const WORDS: [&str; 9] = [
        "criterion",
        "loss",
        "losses",
        "metric",
        "metrics",
        "accuracy",
        "optimizer",
        "optim",
        "scheduler",
    ];
    path.split(['.', '_']).any(|word| WORDS.contains(&word.to_lowercase().as_str()))
}

/// Takes what stands before the network's names off them, and everything that only training needs
/// out of the file's layers.
fn claim(
    file: &mut Checkpoint,
    table: &LayerTable,
    root: &Root,
    copies: &[Root],
) -> Result<(), Error> {
    let Some(state) = &mut file.state else { return Ok(()) };
    if let Some(other) = copies.iter().find(|copy| !is_average(&copy.prefix)) {
        let shown = |root: &Root| match root.prefix.as_str() {
            "" => "at its top".to_owned(),
            prefix => format!("under `{prefix}`"),
        };
        let reason = format!(
            "it holds this network twice, {} and {}\nhint: save the one that is meant alone, such as \
             torch.save(model.state_dict(), \"model.pt\")",
            shown(root),
            shown(other)
        );
        return Err(Error::StateDict { path: file.path.clone(), reason });
    }
    let mut average: HashMap<&str, usize> = HashMap::new();
    let mut kept: Vec<StoredLayer> = Vec::with_capacity(file.layers.len());
    let own: HashSet<String> =
        table.layers().iter().filter_map(|layer| root.file_name(table, &layer.name)).collect();
    for mut layer in std::mem::take(&mut file.layers) {
        let dotted = format!("{}.", layer.name);
        let inside = layer.name.strip_prefix(&root.prefix).map(str::to_owned);
        let is_own = inside.as_ref().is_some_and(|name| own.contains(name));
        // The longest, since one copy may lie inside another.
        let copy = copies.iter().filter(|copy| dotted.starts_with(&copy.prefix));
        if let Some(copy) = copy.max_by_key(|copy| copy.prefix.len()).filter(|_| !is_own) {
            let count = average.entry(&copy.prefix).or_default();
            *count = count.saturating_add(layer.weights.len());
            continue;
        }
        if !is_own {
            layer.weights.retain(|weight| {
                let training = is_training_only(&weight.path);
                if training {
                    let reason = "only training needs it";
                    state.unused.push(Ignored { name: weight.path.clone().into(), reason });
                }
                !training
            });
            if layer.weights.is_empty() {
                continue;
            }
        }
        layer.name = inside.unwrap_or(layer.name);
        kept.push(layer);
    }
    for (prefix, count) in average {
        let name = format!("{prefix}* ({count} tensors)").into();
        state.unused.push(Ignored { name, reason: "a moving average of the same weights" });
    }
    let mut names = HashSet::new();
    if let Some(twice) = kept.iter().find(|layer| !names.insert(layer.name.as_str())) {
        let reason = format!(
            "it holds both `{0}{1}` and `{1}`, and one network has one head\nhint: save the state_dict \
             without the one that the model does not use",
            root.prefix, twice.name
        );
        return Err(Error::StateDict { path: file.path.clone(), reason });
    }
    state.prefix.clone_from(&root.prefix);
    file.layers = kept;
    Ok(())
}

impl Root {
    /// What the file calls a layer behind the prefix.
    fn file_name(&self, table: &LayerTable, layer: &str) -> Option<String> {
        if self.numbered { table.numbered_name(layer) } else { Some(layer.to_owned()) }
    }
}

/// The share of an architecture's layers with weights that the file has, hardly more than 1.
fn known_names(table: &LayerTable, layers: &Layers<'_>, root: &Root) -> f64 {
    let own: Vec<&Layer> =
        table.layers().iter().filter(|layer| !weights_of(table, layer).is_empty()).collect();
    let known = own.iter().filter(|layer| stored(table, layers, root, &layer.name).is_some());
    // Where nothing is known, the closest is one of PyTorch's, whose names have dots.
    let dotted = table.layers().iter().any(|layer| layer.name.contains('.'));
    known.count() as f64 / own.len().max(1) as f64 + if dotted { 1e-6 } else { 0.0 }
}

fn stored<'a>(
    table: &LayerTable,
    layers: &Layers<'a>,
    root: &Root,
    layer: &str,
) -> Option<&'a StoredLayer> {
    let name = format!("{}{}", root.prefix, root.file_name(table, layer)?);
    layers.get(name.as_str()).copied()
}

/// Compares every weight that the table's layers have with the file's.
fn match_names(table: &LayerTable, layers: &Layers<'_>, root: &Root) -> Result<FileNames, Failure> {
    let mut names = FileNames::new();
    for layer in table.layers() {
        let file_name = root.file_name(table, &layer.name).unwrap_or_else(|| layer.name.clone());
        let own = stored(table, layers, root, &layer.name);
        for (weight, shape) in weights_of(table, layer) {
            let found = own.and_then(|own| find(own, weight));
            let difference = match found {
                Some(found) if found.shape == shape => continue,
                Some(StoredWeight { path, shape: found, .. }) => {
                    format!("tensor `{path}` has shape {found:?}, expected {shape:?}")
                }
                None => format!(
                    "there is no tensor `{}{file_name}.{}` of shape {shape:?}",
                    root.prefix,
                    torch_name(weight)
                ),
            };
            return Err(Failure { matched: names.len(), difference });
        }
        names.insert(layer.name.clone(), file_name);
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
    fn averages_and_what_training_needs_go_by_whole_words() {
        for (prefix, average) in [
            ("ema.", true),
            ("model_ema.module.", true),
            ("averaged_model.", true),
            ("model.", false),
            ("schema.", false),
            ("", false),
        ] {
            assert_eq!(is_average(prefix), average, "{prefix}");
        }
        for (path, training) in [
            ("criterion.weight", true),
            ("loss_fn.pos_weight", true),
            ("train_metrics.total", true),
            ("glossary.weight", false),
            ("head.weight", false),
        ] {
            assert_eq!(is_training_only(path), training, "{path}");
        }
    }

    #[test]
    fn output_channels_come_first() {
        assert_eq!(torch_shape(&[7, 5, 3, 64]), [64, 3, 7, 5]);
        assert_eq!(torch_shape(&[2048, 1000]), [1000, 2048]);
        assert_eq!(torch_shape(&[64]), [64]);
    }
}
