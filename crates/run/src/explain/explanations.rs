//! From `--method` and `--layer` to the explanations of each model.

use std::path::Path;

use anyhow::{Result, bail};
use burncam_attribution::{Explanation, METHODS, Method, Taps, find};
use burncam_record::{ExplanationSpec, Tree};
use burncam_weights::Resolved;

use super::model::{Model, ModelExplanation};
use crate::ExplainOptions;

/// Gives each model its explanations, in the order of methods and layers. The models have their names.
pub(crate) fn assign(args: &ExplainOptions, models: &mut [Model], out: &Path) -> Result<()> {
    let methods = methods(args)?;
    check_networks(&args.layer, models)?;
    if !args.layer.is_empty() && methods.iter().all(|method| method.needs.taps == Taps::None) {
        bail!("--layer: {} reads no layer", methods[0].title);
    }
    for model in models.iter_mut() {
        let layers = layers(&args.layer, model)?;
        let default = model.checkpoint().cam_layer.clone();
        let mut own: Vec<ModelExplanation> = Vec::new();
        for method in &methods {
            for explanation in explanations(method, &layers) {
                let suffix = suffix(&explanation, &default);
                let mut name = format!("{}{suffix}", method.folder);
                let mut tree = Tree::new(out, &model.name, &name);
                let taken = |tree: &Tree, own: &[ModelExplanation]| {
                    own.iter().any(|other| is_same_folder(&other.tree, tree))
                };
                for number in 2.. {
                    if !taken(&tree, &own) {
                        break;
                    }
                    name = format!("{}{suffix}_{number}", method.folder);
                    tree = Tree::new(out, &model.name, &name);
                }
                let title = match suffix.is_empty() {
                    true => method.title.to_owned(),
                    false => format!("{} at {}", method.title, explanation.layers.join(", ")),
                };
                let paper = method.paper.to_owned();
                let (method, layers) = (method.name.to_owned(), explanation.layers.clone());
                let spec = ExplanationSpec { name, title, paper, method, layers };
                own.push(ModelExplanation { explanation, spec, tree });
            }
        }
        model.explanations = own;
    }
    check_folders(models)
}

/// The methods that were asked for, each once.
fn methods(args: &ExplainOptions) -> Result<Vec<&'static Method>> {
    let mut methods: Vec<&'static Method> = Vec::new();
    for name in &args.method {
        let Some(method) = find(name) else {
            let known: Vec<&str> = METHODS.iter().map(|method| method.name).collect();
            bail!("--method: there is no `{name}`\nhint: the methods are {}", known.join(", "));
        };
        if methods.contains(&method) {
            bail!("--method: {} is given twice", method.name);
        }
        methods.push(method);
    }
    Ok(methods)
}

/// A method at each layer by itself, or at all of them.
fn explanations(method: &'static Method, layers: &[String]) -> Vec<Explanation> {
    match method.needs.taps {
        Taps::None => vec![Explanation { method, layers: Vec::new() }],
        Taps::One => {
            let one = |layer: &String| Explanation { method, layers: vec![layer.clone()] };
            layers.iter().map(one).collect()
        }
        Taps::Many => vec![Explanation { method, layers: layers.to_vec() }],
    }
}

/// What tells an explanation from the same method at the default layer.
fn suffix(explanation: &Explanation, default: &str) -> String {
    match explanation.layers.as_slice() {
        [] => String::new(),
        [layer] if layer == default => String::new(),
        layers => format!("_{}", layers.join("_")),
    }
}

/// A layer, for one network or for all.
fn split(asked: &str) -> (Option<&str>, &str) {
    match asked.split_once('=') {
        Some((network, layer)) => (Some(network), layer),
        None => (None, asked),
    }
}

fn is_called(model: &Model, network: &str) -> bool {
    let arch = model.checkpoint().arch;
    [&*model.name, arch.name, arch.title].iter().any(|name| name.eq_ignore_ascii_case(network))
}

/// Refuses layers that would be for no network.
fn check_networks(asked: &[String], models: &[Model]) -> Result<()> {
    let networks: Vec<&str> = asked.iter().filter_map(|asked| split(asked).0).collect();
    if let Some(network) =
        networks.iter().find(|network| !models.iter().any(|model| is_called(model, network)))
    {
        let names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
        bail!(
            "--layer: there is no network `{network}`\nhint: the networks are {}",
            names.join(", ")
        );
    }
    let is_named = |model: &Model| networks.iter().any(|network| is_called(model, network));
    let for_all = asked.iter().find(|asked| split(asked).0.is_none());
    if let Some(layer) = for_all.filter(|_| models.iter().all(is_named)) {
        bail!(
            "--layer: every network has a layer of its own, so {layer} is for none\nhint: where it \
             belongs to one of them, --layer {}={layer}",
            networks[0]
        );
    }
    Ok(())
}

/// The layers that a model is explained at, by canonical name: those that were asked for it, else those for all
/// models, else the default.
fn layers(asked: &[String], model: &Model) -> Result<Vec<String>> {
    let checkpoint = model.checkpoint();
    let split = || asked.iter().map(|asked| split(asked));
    let own = |network: Option<&str>| network.is_some_and(|network| is_called(model, network));
    let mut chosen: Vec<&str> =
        split().filter(|(network, _)| own(*network)).map(|(_, layer)| layer).collect();
    if chosen.is_empty() {
        chosen = split().filter(|(network, _)| network.is_none()).map(|(_, layer)| layer).collect();
    }
    if chosen.is_empty() {
        return Ok(vec![checkpoint.cam_layer.clone()]);
    }
    let mut layers = Vec::new();
    for layer in chosen {
        let layer = canonical(layer, checkpoint)?;
        if layers.contains(&layer) {
            bail!("--layer: {layer} of {} is given twice", model.name);
        }
        layers.push(layer);
    }
    Ok(layers)
}

fn canonical(asked: &str, checkpoint: &Resolved) -> Result<String> {
    let table = &checkpoint.layers;
    let layer = checkpoint.canonical_name(asked).and_then(|name| table.get(name));
    match layer {
        Some(layer) if layer.is_map => Ok(layer.name.clone()),
        _ => {
            let tapped = table.layers().iter().filter(|layer| layer.is_map);
            let names: Vec<&str> = tapped.map(|layer| layer.name.as_str()).collect();
            bail!(
                "{} has no layer `{asked}` that can be explained\nhint: its layers are {}; where \
                 networks have different ones, --layer NETWORK=LAYER",
                checkpoint.arch.title,
                names.join(", ")
            )
        }
    }
}

fn is_same_folder(a: &Tree, b: &Tree) -> bool {
    let name = |tree: &Tree| tree.root().as_os_str().to_string_lossy().to_lowercase();
    name(a) == name(b)
}

/// Names of models and layers come from files, and together they may make one folder.
fn check_folders(models: &[Model]) -> Result<()> {
    let trees: Vec<&Tree> =
        models.iter().flat_map(|model| &model.explanations).map(|one| &one.tree).collect();
    for (index, tree) in trees.iter().enumerate() {
        if trees[..index].iter().any(|other| is_same_folder(other, tree)) {
            bail!(
                "two results would go to {}\nhint: give one of the weights files another name",
                tree.root().display()
            );
        }
    }
    Ok(())
}
