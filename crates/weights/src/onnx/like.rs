//! The graph of an ONNX file with the weights of a state_dict.

use std::collections::HashMap;

use crate::Checkpoint;
use crate::keras::h5::StoredWeight;
use crate::onnx::model::Model;
use crate::onnx::wire::WireFile;

const HINT: &str = "hint: export the graph with its weights as they are: \
                    torch.onnx.export(model, (example,), \"model.onnx\", dynamo=True, optimize=False)";

/// Puts the numbers of a state_dict in the place of the model's own, by name and shape.
///
/// # Errors
///
/// If it is no state_dict, or if one of the two has weights that the other lacks.
pub(crate) fn take_weights(
    model: &mut Model,
    file: &mut WireFile,
    state: Checkpoint,
) -> Result<(), String> {
    if !state.format.is_state_dict() {
        return Err(format!(
            "it is of {}, and only a state_dict takes its network from an ONNX file",
            state.format
        ));
    }
    let all = || state.layers.iter().flat_map(|layer| &layer.weights);
    let prefix = prefix(model, all());
    let mut weights: HashMap<&str, &StoredWeight> = HashMap::new();
    for weight in all() {
        let name = weight.path.strip_prefix(&prefix).unwrap_or(&weight.path);
        weights.insert(name, weight);
    }
    for tensor in model.tensors.values_mut().filter(|tensor| tensor.is_float32()) {
        match weights.remove(tensor.name.as_str()) {
            Some(weight) if weight.shape == tensor.shape => {
                tensor.take_numbers(weight.path.clone());
            }
            Some(weight) => {
                return Err(format!(
                    "`{}` has the shape {:?}, and in the ONNX file {:?}",
                    weight.path, weight.shape, tensor.shape
                ));
            }
            // A number of the network's code, which is no weight.
            None if tensor.count() == Some(1) => {}
            None => {
                return Err(format!(
                    "the ONNX file has `{}` {:?}, which the state_dict lacks\n{HINT}",
                    tensor.name, tensor.shape
                ));
            }
        }
    }
    let mut unused: Vec<&str> = weights.into_keys().collect();
    unused.sort_unstable();
    if let Some(first) = unused.first() {
        return Err(format!(
            "the ONNX file lacks `{first}`{}: it was folded into other weights, or the network is another\n{HINT}",
            match unused.len() {
                1 => String::new(),
                count => format!(" and {} more of its weights", count.saturating_sub(1)),
            }
        ));
    }
    file.state = Some(Box::new(state.store));
    Ok(())
}

/// What stands before all names of the state_dict and not before the model's: `module.` of a parallel training.
fn prefix<'a>(model: &Model, mut weights: impl Iterator<Item = &'a StoredWeight>) -> String {
    let Some(first) = weights.next() else { return String::new() };
    let Some((prefix, _)) = first.path.split_once('.') else { return String::new() };
    let prefix = format!("{prefix}.");
    let is_known = model.tensors.keys().any(|name| name.starts_with(&prefix));
    let is_common = weights.all(|weight| weight.path.starts_with(&prefix));
    if is_common && !is_known { prefix } else { String::new() }
}
