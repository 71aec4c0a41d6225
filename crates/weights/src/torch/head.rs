//! The head of a state_dict: what its tensors outside the network tell.

use burncam_net::{HeadConfig, LayerTable, Op, Weight};

use crate::head_weights::{
    DecidedHead, HeadChoice, HeadParts, HeadWeights, HeadWeightsKind, is_entrance,
};
use crate::keras::h5::StoredLayer;
use crate::matching::FileNames;
use crate::{Checkpoint, Error, torch};

/// Epsilon of PyTorch's batch normalisation unless told otherwise.
const EPSILON: f32 = 1e-5;

/// More layers than any head has.
const MAX_LAYERS: usize = 16;

/// More than this many places without a known layer are not tried one by one.
const MOST_GAPS: usize = 3;

/// The layers that read a map laid flat channel by channel, in its order, and the map's height, width
/// and channels.
pub(crate) type Flattened = (Vec<String>, [usize; 3]);

/// A head as the file has it.
pub(crate) struct StateHead {
    pub(crate) config: HeadConfig,
    /// Whether the network's own family has such a head.
    pub(crate) of_family: bool,
    pub(crate) flattened: Option<Flattened>,
}

/// Reads the head from what the network has not claimed.
pub(crate) fn read(
    file: &Checkpoint,
    names: &FileNames,
    table: &LayerTable,
) -> Result<StateHead, Error> {
    let parts = HeadParts { weights: weights(file, names, table)?, table, epsilon: EPSILON };
    let [height, width, channels] = table.last().output;
    let sequence = parts.sequence().map(|(entrance, sequence)| {
        let names: Vec<_> =
            sequence.iter().map(|weights| (weights.name.as_str(), weights.kind)).collect();
        words(&entrance, &names)
    });
    if file.stated.head.is_none() && sequence.is_none() {
        let reason = format!(
            "its layers after the network do not follow each other from {channels} or {} inputs: {}",
            parts.flattened(),
            parts.describe()
        );
        return Err(Error::StateDict { path: file.path.clone(), reason });
    }
    let Words { certain, candidates } = sequence.unwrap_or_default();
    let certain = certain.and_then(|words| parts.fill(&words.parse().ok()?).ok());
    let choice = HeadChoice {
        parts,
        asked: file.stated.head.as_ref(),
        certain,
        candidates,
        suits: &|_| true,
    };
    let DecidedHead { config, of_family } = choice.decide(&file.path)?;
    // Behind pooling, `Flatten` has nothing left to do.
    let entrance = config.layers().iter().map(|(_, op)| op).find(|op| is_entrance(op));
    let flattens = entrance == Some(&Op::Flatten) && (height, width) != (1, 1);
    // What normalises the vector lies in its order too.
    let mut readers = Vec::new();
    for (name, op) in config.layers().iter().filter(|_| flattens) {
        if matches!(op, Op::Dense { .. } | Op::BatchNormalization { .. }) {
            readers.push(name.clone());
        }
        if matches!(op, Op::Dense { .. }) {
            break;
        }
    }
    let flattened = flattens.then_some((readers, [height, width, channels]));
    Ok(StateHead { config, of_family, flattened })
}

/// The layers with weights that are no part of the network, in the file's order.
fn weights(
    file: &Checkpoint,
    names: &FileNames,
    table: &LayerTable,
) -> Result<Vec<HeadWeights>, Error> {
    let [height, width, _] = table.last().output.map(|size| size as u64);
    let claimed: std::collections::HashSet<&str> = names.values().map(String::as_str).collect();
    let left_out = |name: &str| {
        let mut beginnings = table.left_out().iter().map(|(beginning, _)| *beginning);
        beginnings.any(|beginning| format!("{name}.").starts_with(beginning))
    };
    let mut all = Vec::new();
    for layer in file.layers.iter().filter(|layer| !claimed.contains(layer.name.as_str())) {
        if left_out(&layer.name) {
            continue;
        }
        let refuse = |reason: &str| Error::Unsupported {
            path: file.path.clone(),
            layer: match (layer.name.as_str(), layer.weights.first()) {
                // A tensor of no module.
                ("", Some(tensor)) => tensor.path.clone(),
                (_, Some(tensor)) => tensor
                    .path
                    .rsplit_once('.')
                    .map_or(&*tensor.path, |(module, _)| module)
                    .to_owned(),
                (name, None) => name.to_owned(),
            },
            class: "a module beside the network".to_owned(),
            reason: reason.to_owned(),
        };
        all.push(head_weights(layer, [height, width]).ok_or_else(|| {
            refuse("its tensors are not those of a Linear or BatchNorm1d in a classifier's head")
        })?);
        if all.len() > MAX_LAYERS {
            return Err(refuse("there are more layers beside the network than a head has"));
        }
    }
    if !file.state.as_ref().is_some_and(|state| state.ordered) {
        all.sort_by(|a, b| natural(&a.name).cmp(&natural(&b.name)));
    }
    Ok(all)
}

fn head_weights(layer: &StoredLayer, map: [u64; 2]) -> Option<HeadWeights> {
    let find = |weight| torch::matching::find(layer, weight).map(|stored| stored.shape.as_slice());
    let (weight, bias) = (find(Weight::Kernel), find(Weight::Bias).is_some());
    let dense = HeadWeightsKind::Dense { use_bias: bias };
    let (kind, inputs, outputs) = match (weight, find(Weight::MovingVariance)) {
        (_, Some(&[channels])) => {
            // A scale without an offset, or the other way round, is none of PyTorch's layers.
            if weight.is_some() != bias {
                return None;
            }
            (HeadWeightsKind::Norm { scale: bias, center: bias }, channels, channels)
        }
        (Some(&[outputs, inputs] | &[outputs, inputs, 1, 1]), None) => (dense, inputs, outputs),
        // A convolution over all that is left of the map.
        (Some(&[outputs, inputs, height, width]), None) if [height, width] == map => {
            (dense, inputs.checked_mul(height)?.checked_mul(width)?, outputs)
        }
        _ => return None,
    };
    Some(HeadWeights { name: layer.name.clone(), kind, inputs, outputs })
}

/// What the names of a head's weights say of the layers between them.
#[derive(Debug, Default, PartialEq)]
struct Words {
    certain: Option<String>,
    candidates: Vec<String>,
}

/// In a `Sequential`, layers whose numbers follow each other have nothing between them. Elsewhere
/// anything may stand there: an activation, or dropout.
fn words(entrance: &Op, weights: &[(&str, HeadWeightsKind)]) -> Words {
    let entrance = match entrance {
        Op::Flatten => "flatten",
        Op::GlobalConcatPooling2D => "concatpool",
        _ => "avgpool",
    };
    let word = |kind: HeadWeightsKind| match kind {
        HeadWeightsKind::Dense { .. } => "linear",
        HeadWeightsKind::Norm { .. } => "batchnorm",
    };
    let gaps: Vec<Option<u64>> = weights
        .windows(2)
        .map(|pair| match pair {
            [(one, _), (next, _)] => numbers_between(one, next),
            _ => None,
        })
        .collect();
    let open: Vec<usize> =
        (0..gaps.len()).filter(|&at| gaps.get(at).is_some_and(|gap| *gap != Some(0))).collect();
    // For each open gap, whether a rectifier stands in it.
    let written = |rectified: &dyn Fn(usize) -> bool| {
        let mut layers = vec![entrance];
        for (at, (_, kind)) in weights.iter().enumerate() {
            layers.push(word(*kind));
            let Some(gap) = gaps.get(at).filter(|gap| **gap != Some(0)) else { continue };
            let relu = rectified(at);
            layers.extend(relu.then_some("relu"));
            let room = gap.is_some_and(|room| room > 1 || !relu);
            layers.extend(room.then_some("dropout"));
        }
        layers.join("; ")
    };
    let after_dense =
        |at: usize| matches!(weights.get(at), Some((_, HeadWeightsKind::Dense { .. })));
    let mut candidates = vec![written(&after_dense), written(&|_| true)];
    if open.len() <= MOST_GAPS {
        for choice in (0..1_u32 << open.len()).rev() {
            let rectified = |at: usize| {
                let place = open.iter().position(|&gap| gap == at).unwrap_or(0);
                choice >> place & 1 == 1
            };
            candidates.push(written(&rectified));
        }
    }
    candidates.push(written(&|_| false));
    // Of a map whose maxima and means lie side by side, the order is not known either.
    let certain = open.is_empty() && entrance != "concatpool";
    Words { certain: certain.then(|| written(&|_| false)), candidates }
}

/// How many layers lie between two of one `Sequential`.
fn numbers_between(earlier: &str, later: &str) -> Option<u64> {
    let split = |name: &str| {
        let (parent, number) = name.rsplit_once('.').unwrap_or(("", name));
        Some((parent.to_owned(), number.parse::<u64>().ok()?))
    };
    let ((one, earlier), (other, later)) = (split(earlier)?, split(later)?);
    if one == other { later.checked_sub(earlier)?.checked_sub(1) } else { None }
}

/// A name in parts, numbers as numbers, so that `fc.10` comes after `fc.9`.
fn natural(name: &str) -> Vec<(u64, &str)> {
    let part = |part| (str::parse::<u64>(part).unwrap_or(u64::MAX), part);
    name.split('.').map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DENSE: HeadWeightsKind = HeadWeightsKind::Dense { use_bias: true };
    const NORM: HeadWeightsKind = HeadWeightsKind::Norm { scale: true, center: true };

    #[test]
    fn one_layer_and_layers_that_follow_each_other_are_certain() {
        let one = words(&Op::GlobalAveragePooling2D, &[("fc", DENSE)]);
        assert_eq!(one.certain.as_deref(), Some("avgpool; linear"));
        let two = words(&Op::Flatten, &[("fc.0", DENSE), ("fc.1", DENSE)]);
        assert_eq!(two.certain.as_deref(), Some("flatten; linear; linear"));
        let concat = words(&Op::GlobalConcatPooling2D, &[("fc", DENSE)]);
        assert_eq!((concat.certain, &*concat.candidates[0]), (None, "concatpool; linear"));
    }

    #[test]
    fn a_gap_may_hold_anything() {
        for (names, candidates) in [
            (
                ["fc.0", "fc.2"],
                ["avgpool; linear; relu; linear", "avgpool; linear; dropout; linear"],
            ),
            (
                ["fc.0", "fc.3"],
                ["avgpool; linear; relu; dropout; linear", "avgpool; linear; dropout; linear"],
            ),
            (["fc1", "fc2"], ["avgpool; linear; relu; linear", "avgpool; linear; linear"]),
            (["fc", "2"], ["avgpool; linear; relu; linear", "avgpool; linear; linear"]),
        ] {
            let found = words(&Op::GlobalAveragePooling2D, &names.map(|name| (name, DENSE)));
            assert_eq!(found.certain, None, "{names:?}");
            for candidate in candidates {
                assert!(found.candidates.iter().any(|own| own == candidate), "{candidate}");
            }
        }
        let fastai = [("fc.0", NORM), ("fc.2", DENSE), ("fc.4", NORM), ("fc.6", DENSE)];
        let found = words(&Op::GlobalAveragePooling2D, &fastai);
        let own = "avgpool; batchnorm; dropout; linear; relu; batchnorm; dropout; linear";
        assert_eq!((found.certain, &*found.candidates[0]), (None, own));
    }

    #[test]
    fn numbers_in_names_count_as_numbers() {
        let mut names = ["fc.10", "fc.9", "fc.weight", "conv.1"];
        names.sort_by(|a, b| natural(a).cmp(&natural(b)));
        assert_eq!(names, ["conv.1", "fc.9", "fc.10", "fc.weight"]);
    }
}
