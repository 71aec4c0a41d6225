//! A state_dict: tensors by the name of their module, wherever in a file it is.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use crate::contents::Ignored;
use crate::keras::h5::{StoredLayer, StoredWeight};
use crate::limits::check_parts;
use crate::store::Store;
use crate::torch::matching::is_average;
use crate::torch::pickle::{LONGEST_TEXT, Pickle};
use crate::torch::pickle_value::{Element, Id, Tensor, Value};
use crate::{Checkpoint, Error, Format, Statement};

/// What training scripts call the dict of weights inside a checkpoint.
const STATE_KEYS: [&str; 7] =
    ["state_dict", "model_state_dict", "model_state", "model", "net", "network", "weights"];

/// How deep inside other dicts the weights may be.
const DEPTH: usize = 3;

/// The longest name of a dict that is looked into, in bytes: a name may be that of many.
const LONGEST_KEY: usize = 256;

/// How many dicts are looked into at one depth.
const MOST_DICTS: usize = 10_000;

/// What a state_dict has beside its tensors.
pub(crate) struct StateDict {
    /// What stands before the names of the network, once that is known; its layers go without it.
    pub(crate) prefix: String,
    /// What is not read, and why.
    pub(crate) ignored: Vec<Ignored>,
    /// What of the tensors the network does without, once that is known.
    pub(crate) unused: Vec<Ignored>,
    /// Whether its layers stand in the order of the network.
    pub(crate) ordered: bool,
}

/// The tensors of a pickle, in its order.
pub(crate) struct PickledTensors<'a> {
    pub(crate) tensors: Vec<(String, &'a Tensor)>,
    pub(crate) ignored: Vec<Ignored>,
}

/// A dict inside a pickle: by which keys it is reached, and what it is.
struct Place {
    keys: Vec<String>,
    id: Id,
}

/// Finds the dict of tensors. Those of a network have names with a dot; beside its dict, a training
/// script may keep tensors of its own, such as the loss.
pub(crate) fn find(pickle: &Pickle) -> Result<PickledTensors<'_>, String> {
    for wanted in [|name: &str| name.contains('.'), |_: &str| true] {
        if let Some(found) = find_of(pickle, wanted)? {
            return Ok(found);
        }
    }
    Err("it holds no dict of tensors; save `model.state_dict()`".to_owned())
}

/// The dict of tensors that has one with such a name.
fn find_of(
    pickle: &Pickle,
    wanted: fn(&str) -> bool,
) -> Result<Option<PickledTensors<'_>>, String> {
    let mut level = vec![Place { keys: Vec::new(), id: pickle.root() }];
    let mut seen: HashSet<Id> = HashSet::from([pickle.root()]);
    for _ in 0..=DEPTH {
        let holds = |place: &&Place| tensors(pickle, place.id).any(|(name, _)| wanted(name));
        let holding: Vec<&Place> = level.iter().filter(holds).collect();
        if let Some(chosen) = choose(&holding)? {
            check_keys(pickle, chosen.id)?;
            return Ok(Some(found(pickle, chosen, &holding)));
        }
        let mut next = Vec::new();
        for place in &level {
            for (key, id) in entries(pickle, place.id).filter(|(key, _)| key.len() <= LONGEST_KEY) {
                if matches!(pickle.get(id), Value::Dict(_)) && seen.insert(id) {
                    let keys = place.keys.iter().cloned().chain([key.to_owned()]).collect();
                    next.push(Place { keys, id });
                }
            }
            if next.len() > MOST_DICTS {
                return Err(format!("it holds more than {MOST_DICTS} dicts"));
            }
        }
        level = next;
    }
    Ok(None)
}

/// The entries of a dict whose keys are strings. Of equal keys the last counts.
fn entries<'a>(pickle: &'a Pickle, id: Id) -> impl Iterator<Item = (&'a str, Id)> {
    let entries: &'a [(Id, Id)] = match pickle.get(id) {
        Value::Dict(entries) => entries,
        _ => &[],
    };
    entries.iter().filter_map(|&(key, value)| Some((pickle.text(key)?, value)))
}

fn tensors(pickle: &Pickle, id: Id) -> impl Iterator<Item = (&str, &Tensor)> {
    entries(pickle, id).filter_map(|(key, value)| match pickle.get(value) {
        Value::Tensor(tensor) => Some((key, &**tensor)),
        _ => None,
    })
}

/// Refuses a dict with a tensor whose name is not kept, or is none.
fn check_keys(pickle: &Pickle, dict: Id) -> Result<(), String> {
    let Value::Dict(entries) = pickle.get(dict) else { return Ok(()) };
    let nameless = |&(key, value): &(Id, Id)| {
        matches!(pickle.get(value), Value::Tensor(_)) && pickle.text(key).is_none()
    };
    match entries.iter().position(nameless) {
        None => Ok(()),
        Some(at) => Err(format!(
            "the name of its tensor number {} is no text, or longer than {} KiB",
            at.saturating_add(1),
            LONGEST_TEXT >> 10
        )),
    }
}

/// The only dict of tensors that is no moving average, or the only one of these that is called as
/// training scripts call it.
fn choose<'a>(holding: &[&'a Place]) -> Result<Option<&'a Place>, String> {
    let key = |place: &&&Place| place.keys.last().map_or("", String::as_str).to_owned();
    let own: Vec<&Place> =
        holding.iter().filter(|place| !is_average(&key(place))).copied().collect();
    let own = if own.is_empty() { holding.to_vec() } else { own };
    let named: Vec<&Place> =
        own.iter().filter(|place| STATE_KEYS.contains(&key(place).as_str())).copied().collect();
    match if named.is_empty() { own.as_slice() } else { named.as_slice() } {
        [] => Ok(None),
        [only] => Ok(Some(only)),
        several => {
            let names: Vec<String> = several.iter().map(|place| place.keys.join(".")).collect();
            Err(format!(
                "it holds several dicts of tensors ({}); save the one of the network alone",
                names.join(", ")
            ))
        }
    }
}

fn found<'a>(pickle: &'a Pickle, chosen: &Place, holding: &[&Place]) -> PickledTensors<'a> {
    let mut last: HashMap<&str, &Tensor> = HashMap::new();
    let mut names = Vec::new();
    for (name, tensor) in tensors(pickle, chosen.id) {
        if last.insert(name, tensor).is_none() {
            names.push(name);
        }
    }
    let mut ignored = Vec::new();
    let mut ignore = |name: String, reason| ignored.push(Ignored { name: name.into(), reason });
    for place in holding.iter().filter(|place| place.id != chosen.id) {
        ignore(place.keys.join("."), "tensors, but not those of the network");
    }
    if let Some(used) = chosen.keys.first() {
        let told = holding.iter().filter_map(|place| match place.keys.as_slice() {
            [name] => Some(name.as_str()),
            _ => None,
        });
        // One name may stand there any number of times.
        let mut told: HashSet<&str> = told.chain([used.as_str()]).collect();
        for (name, _) in entries(pickle, pickle.root()).filter(|(name, _)| told.insert(name)) {
            ignore(name.to_owned(), "not the weights; only going on with the training needs it");
        }
    }
    let tensors = names.into_iter().filter_map(|name| Some((name.to_owned(), *last.get(name)?)));
    PickledTensors { tensors: tensors.collect(), ignored }
}

/// A checkpoint of tensors by name, shape and element type.
pub(crate) fn checkpoint(
    path: &Path,
    format: Format,
    store: Store,
    tensors: Vec<(String, Vec<u64>, Element)>,
    mut ignored: Vec<Ignored>,
) -> Result<Checkpoint, Error> {
    check_parts(path, tensors.len())?;
    let mut layers: Vec<StoredLayer> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    // Counters, such as `num_batches_tracked`, by their own name.
    let mut counters: BTreeMap<String, usize> = BTreeMap::new();
    for (name, shape, element) in tensors {
        let (layer, weight) = name.rsplit_once('.').unwrap_or(("", &name));
        if matches!(element, Element::Other(_)) {
            let count = counters.entry(weight.to_owned()).or_default();
            *count = count.saturating_add(1);
            continue;
        }
        let stored = StoredWeight { name: weight.to_owned(), path: name.clone(), shape };
        match places.get(layer).and_then(|&place| layers.get_mut(place)) {
            Some(layer) => layer.weights.push(stored),
            None => {
                places.insert(layer.to_owned(), layers.len());
                let (name, weights) = (layer.to_owned(), vec![stored]);
                layers.push(StoredLayer { name, weights, inner: false });
            }
        }
    }
    ignored.extend(counters.into_iter().map(|(name, count)| Ignored {
        name: format!("{name} ({count} tensors)").into(),
        reason: "no floats: what training counts; inference does not need it",
    }));
    let ordered = format != Format::StateDict;
    Ok(Checkpoint {
        path: path.to_owned(),
        format,
        keras_version: None,
        store,
        description: None,
        stated: Statement::default(),
        class_names: Vec::new(),
        graph: None,
        state: Some(StateDict { prefix: String::new(), ignored, unused: Vec::new(), ordered }),
        layers,
        named: true,
    })
}
