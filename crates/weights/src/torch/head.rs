//! The head of a state_dict: what its tensors outside the network tell.

use burncam_net::{Activation, HeadConfig, LayerTable, Op, Weight};

use crate::keras::h5::StoredLayer;
use crate::matching::FileNames;
use crate::{Checkpoint, Error, torch};

/// Epsilon of PyTorch's batch normalisation unless told otherwise.
const EPSILON: f32 = 1e-5;

/// More layers than any head has.
const MAX_LAYERS: usize = 8;

/// A head, and what had to be assumed to read it.
pub(crate) struct StateHead {
    pub(crate) config: HeadConfig,
    /// The dense layer that reads a map laid flat channel by channel, and the map's height, width
    /// and channels.
    pub(crate) flattened: Option<(String, [usize; 3])>,
    pub(crate) note: String,
}

/// One layer of the head that has weights.
struct Part<'a> {
    name: &'a str,
    kind: Kind,
    inputs: u64,
    outputs: u64,
    bias: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Dense,
    /// A convolution over the whole map: dense.
    Whole,
    Norm,
}

/// Reads the head from what the network has not claimed.
pub(crate) fn read(
    file: &Checkpoint,
    names: &FileNames,
    table: &LayerTable,
) -> Result<StateHead, Error> {
    let [height, width, channels] = table.last().output;
    let left_out = |name: &str| {
        let beginnings = table.left_out().iter().map(|(beginning, _)| *beginning);
        beginnings.into_iter().any(|beginning| format!("{name}.").starts_with(beginning))
    };
    let rest = file.layers.iter().filter(|layer| !names.contains_key(&layer.name));
    let mut parts = Vec::new();
    for layer in rest.filter(|layer| !left_out(&layer.name)) {
        let refuse = |reason: &str| Error::Unsupported {
            path: file.path.clone(),
            layer: match (layer.name.as_str(), layer.weights.first()) {
                // A tensor of no module.
                ("", Some(tensor)) => tensor.path.clone(),
                (name, _) => format!("{}{name}", file.prefix()),
            },
            class: "a module beside the network".to_owned(),
            reason: reason.to_owned(),
        };
        let part = part(layer, [height as u64, width as u64]);
        parts.push(part.ok_or_else(|| {
            refuse("its tensors are not those of a Linear or BatchNorm1d in a classifier's head")
        })?);
        if parts.len() > MAX_LAYERS {
            return Err(refuse("there are more layers beside the network than a head has"));
        }
    }
    if !file.state.as_ref().is_some_and(|state| state.ordered) {
        parts.sort_by(|a, b| natural(a.name).cmp(&natural(b.name)));
    }
    let bad = |reason: String| Error::StateDict { path: file.path.clone(), reason };
    let [area, flat] = [[height, width, 1], [height, width, channels]].map(|sizes| {
        sizes.iter().fold(1_u64, |product, &size| product.saturating_mul(size as u64))
    });
    let order = [flat, channels as u64]
        .into_iter()
        .find_map(|inputs| chain(&parts, inputs, &mut Vec::new()).map(|order| (inputs, order)));
    let Some((inputs, order)) = order else {
        let found: Vec<String> = parts
            .iter()
            .map(|part| format!("`{}` {} to {}", part.name, part.inputs, part.outputs))
            .collect();
        return Err(bad(format!(
            "its layers after the network do not follow each other from {channels} or {flat} \
             inputs: {}",
            if found.is_empty() { "there are none".to_owned() } else { found.join(", ") }
        )));
    };
    let ordered: Vec<&Part<'_>> = order.iter().filter_map(|&index| parts.get(index)).collect();
    let flatten = inputs == flat && area > 1;
    let first = ordered.first().map(|part| part.name.to_owned());
    let flattened = first.filter(|_| flatten).map(|name| (name, [height, width, channels]));
    let mut layers = vec![match flatten {
        true => ("flatten".to_owned(), Op::Flatten),
        false => ("avgpool".to_owned(), Op::GlobalAveragePooling2D),
    }];
    add_layers(&ordered, &mut layers).map_err(bad)?;
    let config = HeadConfig::new(layers)
        .map_err(|source| Error::Head { path: file.path.clone(), source })?;
    let note = format!(
        "the file holds weights only: its head is taken to be {} (activations, pooling and \
         preprocessing are assumed)",
        config.describe()
    );
    Ok(StateHead { config, flattened, note })
}

fn part(layer: &StoredLayer, map: [u64; 2]) -> Option<Part<'_>> {
    let find = |weight| torch::matching::find(layer, weight).map(|stored| stored.shape.as_slice());
    let (weight, bias) = (find(Weight::Kernel), find(Weight::Bias).is_some());
    let (kind, inputs, outputs) = match (weight, find(Weight::MovingVariance)) {
        (_, Some(&[channels])) => (Kind::Norm, channels, channels),
        (Some(&[outputs, inputs]), None) => (Kind::Dense, inputs, outputs),
        // A convolution over all that is left of the map, or over one position.
        (Some(&[outputs, inputs, height, width]), None) if [height, width] == map => {
            let inputs = inputs.checked_mul(height)?.checked_mul(width)?;
            (Kind::Whole, inputs, outputs)
        }
        (Some(&[outputs, inputs, 1, 1]), None) => (Kind::Dense, inputs, outputs),
        _ => return None,
    };
    // A scale without an offset, or the other way round, is none of PyTorch's layers.
    if kind == Kind::Norm && weight.is_some() != bias {
        return None;
    }
    Some(Part { name: &layer.name, kind, inputs, outputs, bias })
}

/// The first order in which all parts follow each other, as indices; the given order is the first.
fn chain(parts: &[Part<'_>], inputs: u64, taken: &mut Vec<usize>) -> Option<Vec<usize>> {
    if taken.len() == parts.len() {
        return (!taken.is_empty()).then(|| taken.clone());
    }
    for (index, part) in parts.iter().enumerate() {
        // Normalisations of one width could stand in any order: only their own counts.
        let earlier_norm = part.kind == Kind::Norm
            && (parts.iter().enumerate().take(index))
                .any(|(other, part)| part.kind == Kind::Norm && !taken.contains(&other));
        if part.inputs != inputs || taken.contains(&index) || earlier_norm {
            continue;
        }
        taken.push(index);
        if let Some(order) = chain(parts, part.outputs, taken) {
            return Some(order);
        }
        taken.pop();
    }
    None
}

/// Rectifiers have no weights. In a `Sequential` the numbers of the layers tell where one can
/// stand: `classifier.0` and `classifier.3` have room between them. Elsewhere one is taken to
/// follow each dense layer but the last.
fn add_layers(parts: &[&Part<'_>], layers: &mut Vec<(String, Op)>) -> Result<(), String> {
    let mut rest = parts.iter();
    while let Some(part) = rest.next() {
        let next = rest.as_slice().first();
        let room = next.map(|next| gap(part.name, next.name).map(|gap| gap > 1));
        let relu = match (room, next) {
            (None, _) => false,
            (Some(Some(room)), _) => room,
            (Some(None), Some(next)) if part.kind == Kind::Norm || next.kind == Kind::Norm => {
                return Err(format!(
                    "the names `{}` and `{}` do not tell where a rectifier stands between them",
                    part.name, next.name
                ));
            }
            (Some(None), _) => true,
        };
        let name = part.name.to_owned();
        if part.kind == Kind::Norm {
            let (scale, center) = (part.bias, part.bias);
            layers.push((name, Op::BatchNormalization { epsilon: EPSILON, scale, center }));
            if relu {
                let name = format!("{}.relu", part.name);
                layers.push((name, Op::relu_layer()));
            }
            continue;
        }
        let units = usize::try_from(part.outputs).map_err(|_| "a layer is too large".to_owned())?;
        let activation = match (next.is_some(), relu, units) {
            (true, true, _) => Activation::Relu,
            (true, false, _) => Activation::Linear,
            (false, _, 1) => Activation::Sigmoid,
            (false, ..) => Activation::Softmax,
        };
        layers.push((name, Op::Dense { units, use_bias: part.bias, activation }));
    }
    Ok(())
}

/// How far apart two layers of one `Sequential` are.
fn gap(earlier: &str, later: &str) -> Option<u64> {
    let split = |name: &str| {
        let (parent, number) = name.rsplit_once('.').unwrap_or(("", name));
        Some((parent.to_owned(), number.parse::<u64>().ok()?))
    };
    let ((one, earlier), (other, later)) = (split(earlier)?, split(later)?);
    if one == other { later.checked_sub(earlier) } else { None }
}

/// A name in parts, numbers as numbers, so that `fc.10` comes after `fc.9`.
fn natural(name: &str) -> Vec<(u64, &str)> {
    let part = |part| (str::parse::<u64>(part).unwrap_or(u64::MAX), part);
    name.split('.').map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dense(name: &str, inputs: u64, outputs: u64) -> Part<'_> {
        Part { name, kind: Kind::Dense, inputs, outputs, bias: true }
    }

    fn described(parts: &[&Part<'_>]) -> Result<String, String> {
        let mut layers = vec![("flatten".to_owned(), Op::Flatten)];
        add_layers(parts, &mut layers)?;
        HeadConfig::new(layers).map(|head| head.describe()).map_err(|error| error.to_string())
    }

    #[test]
    fn layers_are_ordered_by_what_they_read() {
        // timm's vgg16 from a file that sorts names.
        let parts = [
            dense("head.fc", 4096, 1000),
            dense("pre_logits.fc1", 25088, 4096),
            dense("pre_logits.fc2", 4096, 4096),
        ];
        assert_eq!(chain(&parts, 25088, &mut Vec::new()), Some(vec![1, 2, 0]));
        assert_eq!(chain(&parts, 512, &mut Vec::new()), None);
        assert_eq!(chain(&[], 512, &mut Vec::new()), None);
    }

    #[test]
    fn rectifiers_stand_where_there_is_room() {
        let norm = |name| Part { name, kind: Kind::Norm, inputs: 8, outputs: 8, bias: true };
        let (a, b) = (dense("fc.0", 16, 8), dense("fc.3", 8, 2));
        assert_eq!(described(&[&a, &b]).as_deref(), Ok("Flatten, Dense 8 relu, Dense 2, softmax"));
        let next = dense("fc.1", 8, 1);
        assert_eq!(described(&[&a, &next]).as_deref(), Ok("Flatten, Dense 8, Dense 1, sigmoid"));
        assert_eq!(
            described(&[&a, &norm("fc.1"), &b]).as_deref(),
            Ok("Flatten, Dense 8, BatchNormalization, relu, Dense 2, softmax")
        );
        assert_eq!(
            described(&[&a, &norm("fc.2"), &b]).as_deref(),
            Ok("Flatten, Dense 8 relu, BatchNormalization, Dense 2, softmax")
        );
        let error = described(&[&a, &norm("norm"), &b]).expect_err("no place");
        assert!(error.contains("`fc.0` and `norm`"), "{error}");
    }

    #[test]
    fn numbers_in_names_count_as_numbers() {
        let mut names = ["fc.10", "fc.9", "fc.weight", "conv.1"];
        names.sort_by(|a, b| natural(a).cmp(&natural(b)));
        assert_eq!(names, ["conv.1", "fc.9", "fc.10", "fc.weight"]);
    }
}
