//! Which architecture a checkpoint belongs to, layer by layer.

use std::collections::HashMap;

use burncam_net::{Arch, GRAPH, Layer, LayerTable, Op, Weight};
use serde_json::Value;

use crate::keras::config::{Graph, Node};
use crate::keras::front::Front;
use crate::keras::h5::StoredLayer;
use crate::keras::head::HeadLayers;
use crate::onnx;
use crate::onnx::matching::Matched;
use crate::variant::Fitting;
use crate::{Checkpoint, Error, Format, Resolved, Wanted, described, keras, structure, variant};

/// What the network calls a layer, and what the file calls it.
pub(crate) type FileNames = HashMap<String, String>;

/// How far the comparison of a file with an architecture went.
#[derive(Clone)]
pub(crate) struct Failure {
    pub(crate) matched: usize,
    pub(crate) difference: String,
}

/// Where the layers of an architecture are in a file.
enum Match {
    Names(FileNames),
    Onnx(Matched),
}

/// See [`Checkpoint::resolve`].
pub(crate) fn resolve(
    mut file: Checkpoint,
    archs: &[&'static Arch],
    wanted: Option<Wanted>,
) -> Result<Resolved, Error> {
    if let Some(Wanted { arch, .. }) = wanted
        && arch.variants.iter().all(|variant| (variant.layers)().is_generated())
    {
        let difference = "it is a ported network, whose weights are in the .bpk file beside its \
                          code and in what `convert` made of that";
        let first = arch.variants.first();
        return Err(Error::Mismatch {
            path: file.path,
            arch: arch.name,
            variant: first.map_or("none", |first| first.name),
            matched: 0,
            total: first.map_or(0, |first| (first.layers)().layers().len()),
            difference: difference.to_owned(),
        });
    }
    refuse_other_precision(&file)?;
    let is_described =
        wanted.map_or(file.stated.size.is_some(), |wanted| wanted.arch.name == GRAPH.name);
    if is_described {
        return described::resolve(file);
    }
    let front = Front::take(&mut file)?;
    let candidates = variant::candidates(archs, wanted);
    let mut fitting = Vec::new();
    let attempts = candidates.map(|(arch, variant)| {
        let table = (variant.layers)();
        let result = match &file.graph {
            Some(graph) if file.format == Format::Onnx => {
                onnx::matching::match_graph(&table, graph).map(Match::Onnx)
            }
            Some(graph) => match_graph(&table, graph).map(Match::Names),
            None => match_names(&table, &file).map(Match::Names),
        };
        // A network that fits comes before all others, and the larger of two that fit: names and
        // shapes alone cannot tell a network from one that has more layers.
        let count = table.layers().len() as f64;
        let likeness = match &result {
            Ok(Match::Names(_)) => count,
            Ok(Match::Onnx(matched)) => {
                let known = onnx::matching::known_names(&table, &file);
                let graph = file.graph.as_ref();
                graph
                    .map_or(count, |graph| onnx::matching::likeness(variant, matched, known, graph))
            }
            Err(failure) if file.format == Format::Onnx => {
                let known = onnx::matching::known_names(&table, &file);
                let near = (failure.matched as f64 / (count + 1.0)).max(0.9 * known);
                structure::likeness(&table, &file, near)
            }
            Err(_) => structure::likeness(&table, &file, known_names(&table, &file)),
        };
        if result.is_ok() {
            let known_names = match file.format {
                Format::Onnx => onnx::matching::known_names(&table, &file),
                // Ranks within a class are no names.
                _ if !file.named => 0.0,
                _ => known_names(&table, &file),
            };
            let name_length = table.layers().iter().map(|layer| layer.name.len()).sum();
            fitting.push(Fitting { arch, variant, known_names, name_length });
        }
        (likeness, arch, variant, table, result)
    });
    let best = attempts.reduce(|best, next| if next.0 > best.0 { next } else { best });
    let Some((likeness, arch, variant, table, result)) = best else {
        let (path, reason) = (file.path, "there is no architecture to compare it with".to_owned());
        return Err(Error::Config { path, reason });
    };
    let can_be_described = wanted.is_none() && file.graph.is_some();
    let found = match result {
        Ok(found) => found,
        Err(Failure { difference, .. }) if can_be_described => {
            let is_near = likeness >= structure::NEAR;
            let difference = is_near.then(|| described::difference(arch, variant, &difference));
            return described::resolve_behind(file, front, difference);
        }
        Err(failure) => {
            let closest = (arch, variant, &table);
            return Err(structure::refusal(&file, wanted, closest, likeness, failure));
        }
    };
    let (names, folded) = match found {
        Match::Names(names) => (names, None),
        Match::Onnx(matched) => matched.apply(&table, &mut file),
    };
    let HeadLayers { config, notes } = match &file.graph {
        Some(graph) => {
            let head = match keras::head::from_graph(&file.path, graph, &names, &table) {
                Err(Error::Unsupported { layer, class, reason, .. }) if can_be_described => {
                    let reason = format!("layer `{layer}` ({class}) in its head: {reason}");
                    let difference = described::difference(arch, variant, &reason);
                    return described::resolve_again(file, front, Some(difference));
                }
                head => head?,
            };
            file.refuse_head(&head.config)?;
            head
        }
        None => {
            keras::front::refuse_resizing(&file, &table)?;
            keras::head::from_weights(&file, &names, &table)?
        }
    };
    let variant = variant::by_head(&file, &fitting, (arch, variant), &config)?;
    let input = front.input(&variant.input);
    variant::refuse_doubt(&file, &fitting, arch, variant)?;
    let preparation = file.graph.is_none().then(|| variant::preparation(arch, variant, &input));
    let told = front.notes([input.height, input.width]);
    let notes = told.into_iter().chain(folded).chain(notes).chain(preparation).collect();
    let front = front.names;
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
        flattened: None,
        file,
    })
}

/// Keras's own numbers come from the precision that a layer computes in.
fn refuse_other_precision(file: &Checkpoint) -> Result<(), Error> {
    let mut layers = file.graph.iter().flat_map(|graph| &graph.nodes);
    let other = layers.find(|node| node.class != "InputLayer" && node.dtype.is_some());
    let Some(Node { name, class, dtype: Some(dtype), .. }) = other else { return Ok(()) };
    Err(Error::Unsupported {
        path: file.path.clone(),
        layer: name.clone(),
        class: class.clone(),
        reason: format!(
            "it computes in {dtype}, and Burncam in float32, so the results would not be Keras's\n\
             hint: in Keras, build the model under the policy `float32`, load these weights into it and \
             save it"
        ),
    })
}

/// The share of an architecture's own layer names that the file has, at most 1.
fn known_names(table: &LayerTable, file: &Checkpoint) -> f64 {
    let own: Vec<_> = table.layers().iter().filter(|layer| !layer.auto_named).collect();
    let known = |name: &str| match &file.graph {
        Some(graph) => spellings(name).any(|name| graph.get(&name).is_some()),
        None => file.layers.iter().any(|stored| spellings(name).any(|name| stored.name == name)),
    };
    own.iter().filter(|layer| known(&layer.name)).count() as f64 / own.len().max(1) as f64
}

/// Compares the layers that a file describes with those of an architecture.
fn match_graph(table: &LayerTable, graph: &Graph) -> Result<FileNames, Failure> {
    let mut found: Vec<&Node> = Vec::with_capacity(table.layers().len());
    for layer in table.layers() {
        let inputs: Vec<&str> = layer
            .inputs
            .iter()
            .filter_map(|&i| found.get(i))
            .map(|node| node.name.as_str())
            .collect();
        let compared = candidate(layer, graph, &found, &inputs)
            .and_then(|node| compare(layer, node, &inputs).map(|()| node));
        match compared {
            Ok(node) => found.push(node),
            Err(difference) => return Err(Failure { matched: found.len(), difference }),
        }
    }
    Ok(table.layers().iter().zip(found).map(|(l, n)| (l.name.clone(), n.name.clone())).collect())
}

/// The file's layer that should be `layer`: by name, or by class and inputs where Keras names it.
fn candidate<'a>(
    layer: &Layer,
    graph: &'a Graph,
    found: &[&Node],
    inputs: &[&str],
) -> Result<&'a Node, String> {
    let class = layer.op.class();
    if !layer.auto_named {
        let node = spellings(&layer.name).find_map(|name| graph.get(&name));
        return node.ok_or_else(|| match inputs {
            [input] => format!(
                "there is no layer `{}`; after `{input}` comes {}",
                layer.name,
                followers(graph, input)
            ),
            _ => format!("there is no layer `{}`", layer.name),
        });
    }
    let free = |node: &&Node| !found.iter().any(|taken| taken.name == node.name);
    let class_of =
        |node: &&Node| node.op.as_ref().map_or(node.class.as_str(), |op| op.class()) == class;
    let fits = |node: &&Node| reads(node, layer, inputs);
    let all = || graph.nodes.iter().filter(class_of).filter(fits).filter(free);
    // Of several that read the same, the one with the same settings, and of these the first.
    let same = all().filter(|node| node.op.as_ref().is_ok_and(|op| *op == layer.op));
    same.min_by_key(|node| number(&node.name))
        .or_else(|| all().next())
        .ok_or_else(|| format!("there is no {class} that reads {}", quoted(inputs)))
}

/// A name as Keras 2 has it, and as Keras 3, which takes no `/`.
fn spellings(name: &str) -> impl Iterator<Item = String> {
    [name.to_owned(), name.replace('/', "_")].into_iter()
}

/// The number at the end of a name that Keras chose; the first of its class has none.
fn number(name: &str) -> u64 {
    name.rsplit('_').next().and_then(|end| end.parse().ok()).unwrap_or(0)
}

/// Whether a layer of the file reads these, in any order where the order does not matter.
fn reads(node: &Node, layer: &Layer, inputs: &[&str]) -> bool {
    let mut found: Vec<&str> = node.inputs.iter().map(String::as_str).collect();
    let mut expected = inputs.to_vec();
    if layer.op.commutes() {
        found.sort_unstable();
        expected.sort_unstable();
    }
    found == expected
}

fn followers(graph: &Graph, name: &str) -> String {
    let readers: Vec<String> =
        graph.readers(name).map(|node| format!("`{}` ({})", node.name, node.class)).collect();
    if readers.is_empty() { "nothing".to_owned() } else { readers.join(", ") }
}

pub(crate) fn quoted(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    if quoted.is_empty() { "nothing".to_owned() } else { quoted.join(", ") }
}

/// The first difference between a layer and what the file says of it.
fn compare(layer: &Layer, node: &Node, inputs: &[&str]) -> Result<(), String> {
    let name = &node.name;
    let op = node.op.as_ref().map_err(|refused| {
        format!("layer `{name}` ({}) cannot be used: {}", node.class, refused.0)
    })?;
    if op.class() != layer.op.class() {
        return Err(format!(
            "layer `{name}` is of class {}, expected {}",
            node.class,
            layer.op.class()
        ));
    }
    if let Some((setting, found, expected)) = first_difference(op, &layer.op) {
        return Err(format!("layer `{name}`: `{setting}` is {found}, expected {expected}"));
    }
    if !reads(node, layer, inputs) {
        let found: Vec<&str> = node.inputs.iter().map(String::as_str).collect();
        return Err(format!(
            "layer `{name}` reads {}, expected {}",
            quoted(&found),
            quoted(inputs)
        ));
    }
    Ok(())
}

/// The first setting in which two operations of one class differ.
pub(crate) fn first_difference(found: &Op, expected: &Op) -> Option<(String, Value, Value)> {
    let settings = |op| match serde_json::to_value(op) {
        Ok(mut value) => value.get_mut("settings").map_or(Value::Null, Value::take),
        Err(_) => Value::Null,
    };
    let (found_all, expected_all) = (settings(found), settings(expected));
    let open = |value: &Value| matches!(found, Op::InputLayer { .. }) && *value == 0;
    expected_all.as_object()?.iter().find_map(|(key, expected)| {
        let found = found_all.get(key).unwrap_or(&Value::Null);
        (found != expected && !open(found)).then(|| (key.clone(), found.clone(), expected.clone()))
    })
}

/// Compares the names and weight shapes of a file without a configuration.
fn match_names(table: &LayerTable, file: &Checkpoint) -> Result<FileNames, Failure> {
    let stored = &file.layers;
    let ranked = keras::order::ranked_names(table);
    let by_rank = !file.named;
    // Keras 3's layout and inner models list layers with weights only.
    let lists_all =
        file.format != Format::KerasV3Weights && !stored.iter().any(|stored| stored.inner);
    let mut names = FileNames::new();
    for layer in table.layers() {
        let expected = kernel_shape(table, layer);
        let found = match () {
            () if expected.is_none() && !lists_all => None,
            () if by_rank => {
                stored.iter().find(|stored| Some(&stored.name) == ranked.get(&layer.name))
            }
            () => stored_layer(layer, stored, &names),
        };
        // Input and dropout do nothing, so it does not matter whether they are listed.
        let needed = expected.is_some()
            || lists_all && !matches!(layer.op, Op::InputLayer { .. } | Op::Dropout);
        let difference = match (found, expected) {
            (None, _) if needed => Some(format!("there is no layer `{}`", layer.name)),
            (Some(stored), Some((weight, expected))) => wrong_shape(stored, weight, &expected),
            _ => None,
        };
        if let Some(difference) = difference {
            return Err(Failure { matched: names.len(), difference });
        }
        let name = found.map_or(&layer.name, |stored| &stored.name);
        names.insert(layer.name.clone(), name.clone());
    }
    Ok(names)
}

/// The stored layer that should be `layer`: by name, or the next of its class where Keras names
/// it.
fn stored_layer<'a>(
    layer: &Layer,
    stored: &'a [StoredLayer],
    names: &FileNames,
) -> Option<&'a StoredLayer> {
    if !layer.auto_named {
        return spellings(&layer.name)
            .find_map(|name| stored.iter().find(|stored| stored.name == name));
    }
    let class = layer.op.auto_name();
    let rest = |name: &str| name.strip_prefix(class).map(str::to_owned);
    let of_class = |stored: &&StoredLayer| {
        rest(&stored.name).is_some_and(|rest| {
            rest.is_empty() || rest.strip_prefix('_').is_some_and(|n| n.parse::<u64>().is_ok())
        })
    };
    let free = |stored: &&StoredLayer| !names.values().any(|taken| *taken == stored.name);
    stored.iter().filter(of_class).filter(free).min_by_key(|stored| number(&stored.name))
}

/// The weight that tells whether a layer is the right one, and its shape.
fn kernel_shape(table: &LayerTable, layer: &Layer) -> Option<(Weight, Vec<u64>)> {
    match layer.op {
        Op::Conv2D { kernel_size: [height, width], filters, .. } => {
            let shape = [height, width, table.channels_in(layer), filters];
            Some((Weight::Kernel, shape.map(|size| size as u64).to_vec()))
        }
        Op::BatchNormalization { .. } => Some((Weight::MovingMean, vec![layer.output[2] as u64])),
        _ => None,
    }
}

fn wrong_shape(stored: &StoredLayer, weight: Weight, expected: &[u64]) -> Option<String> {
    let found = stored.weights.iter().find(|own| own.name == weight.name());
    match found {
        Some(found) if found.shape == expected => None,
        Some(found) => Some(format!(
            "layer `{}`: `{weight}` has shape {:?}, expected {expected:?}",
            stored.name, found.shape
        )),
        None => Some(format!("layer `{}` has no `{weight}`", stored.name)),
    }
}
