//! The order in which Keras lists a functional model's layers.

use std::collections::HashMap;

use burncam_net::LayerTable;

use crate::keras::v3::{member, snake_case};

/// The group that Keras 3's layout gives to each layer, by the layer's name: its class and its
/// rank among the layers of that class.
pub(crate) fn ranked_names(table: &LayerTable) -> HashMap<String, String> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut names = HashMap::new();
    for layer in keras_order(table).into_iter().filter_map(|index| table.layers().get(index)) {
        let count = counts.entry(layer.op.class()).or_default();
        let class = snake_case(layer.op.class());
        let group = member(&class, *count);
        *count = count.saturating_add(1);
        names.insert(layer.name.clone(), group);
    }
    names
}

/// Indices of the table's layers in the order of Keras's `model.layers`: by depth, the distance
/// to the end of the model, and within a depth by the order of a walk from the end to the input.
///
/// (`map_graph_network` in Keras's `functional.py`.)
#[expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "all of it is about the table's own layers, of which there is one at least"
)]
fn keras_order(table: &LayerTable) -> Vec<usize> {
    let layers = table.layers();
    let mut visited = vec![None; layers.len()];
    let mut finished = Vec::with_capacity(layers.len());
    let mut count = 0;
    // Each entry is a layer and whether its inputs are done.
    let mut stack = vec![(layers.len() - 1, false)];
    while let Some((layer, inputs_done)) = stack.pop() {
        if inputs_done {
            finished.push(layer);
        } else if visited[layer].is_none() {
            visited[layer] = Some(count);
            count += 1;
            stack.push((layer, true));
            stack.extend(layers[layer].inputs.iter().rev().map(|&input| (input, false)));
        }
    }
    let mut depth = vec![0_usize; layers.len()];
    for &layer in finished.iter().rev() {
        for &input in &layers[layer].inputs {
            depth[input] = depth[input].max(depth[layer] + 1);
        }
    }
    let mut order = finished;
    order.sort_by_key(|&layer| (std::cmp::Reverse(depth[layer]), visited[layer]));
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncam_net::Op;

    #[test]
    fn deeper_layers_come_first_and_equals_as_the_walk_meets_them() {
        let mut table = LayerTable::new("input", [8, 8, 3]);
        table.push("a", Op::conv2d(4, 1));
        table.push("a2", Op::conv2d(4, 1));
        table.at("input");
        table.push("b", Op::conv2d(4, 1));
        table.join(&["b", "a2"], "join", Op::Concatenate);
        let names: Vec<&str> =
            keras_order(&table).into_iter().map(|i| table.layers()[i].name.as_str()).collect();
        assert_eq!(names, ["input", "a", "b", "a2", "join"]);
    }
}
