//! From `--method` and `--layer` to the explanations of each model.

use std::path::Path;

use anyhow::{Result, bail};
use burncam_attribution::{Explanation, Score, Taps};
use burncam_record::{ExplanationSpec, Tree};
use burncam_weights::Resolved;

use super::model::{Model, ModelExplanation};
use super::spec::values;
use crate::{ExplainOptions, MethodRequest};

/// Gives each model its explanations, in the order of methods and layers. The models have their names.
pub(crate) fn assign(args: &ExplainOptions, models: &mut [Model], out: &Path) -> Result<()> {
    let requests = MethodRequest::all(&args.method, args.peer, args.score)?;
    check_networks(&args.layer, models)?;
    check_options(args, &requests)?;
    for model in models.iter_mut() {
        let layers = layers(&args.layer, model)?;
        let default = model.checkpoint().cam_layer.clone();
        let mut own: Vec<ModelExplanation> = Vec::new();
        for request in &requests {
            for explanation in explanations(request, &layers, model, args) {
                let (table, head) = (&model.checkpoint().layers, &model.checkpoint().head);
                let fits = request.method.needs.network.check(table, head, &explanation.layers);
                if let Err(needs) = fits {
                    bail!("{}: {} needs {needs}", model.name, request.method.title);
                }
                let words = words(request, &explanation, args.score);
                let suffix = suffix(&explanation, &default);
                let base = format!("{}{suffix}{}", request.method.folder, folder(&words));
                let mut name = base.clone();
                let mut tree = Tree::new(out, &model.name, &name);
                let taken = |tree: &Tree, own: &[ModelExplanation]| {
                    own.iter().any(|other| is_same_folder(&other.tree, tree))
                };
                for number in 2.. {
                    if !taken(&tree, &own) {
                        break;
                    }
                    name = format!("{base}_{number}");
                    tree = Tree::new(out, &model.name, &name);
                }
                let spec = spec(name, &explanation, &words, suffix.is_empty());
                own.push(ModelExplanation { explanation, spec, tree });
            }
        }
        if args.fuse.is_some() && layers.len() < 2 {
            bail!(
                "--fuse joins the maps of several layers, and {} is explained at one\nhint: --layer A,B gives them",
                model.name
            );
        }
        model.explanations = own;
    }
    check_folders(models)
}

/// An explanation as it is recorded.
fn spec(name: String, explanation: &Explanation, words: &str, is_plain: bool) -> ExplanationSpec {
    let Explanation { method, layers, settings, .. } = explanation;
    let place = match (is_plain, explanation.fuse) {
        (true, _) => String::new(),
        (false, None) => format!(" at {}", layers.join(", ")),
        (false, Some(fuse)) => format!(" at the {} of {}", fuse.name(), layers.join(", ")),
    };
    let stated = if words.is_empty() { String::new() } else { format!(" ({words})") };
    // What a library's name stands for is recorded, too.
    let mut all = settings.to_string();
    for one in words.split(", ").filter(|one| !one.is_empty()) {
        if !all.split(',').any(|other| other == one) {
            all = format!("{all}{}{one}", if all.is_empty() { "" } else { "," });
        }
    }
    ExplanationSpec {
        name,
        title: format!("{}{place}{stated}", method.title),
        paper: method.paper.to_owned(),
        method: method.name.to_owned(),
        options: all,
        values: values(method.sign),
        layers: if method.needs.taps == Taps::Offsets { Vec::new() } else { layers.clone() },
    }
}

/// What tells an explanation from the method's default, in words.
fn words(request: &MethodRequest, explanation: &Explanation, score: Option<Score>) -> String {
    let mut words: Vec<String> =
        request.words.split(',').filter(|one| !one.is_empty()).map(str::to_owned).collect();
    let Explanation { peer, smoothing, fuse, .. } = explanation;
    words.extend(peer.map(|peer| format!("like={}", peer.name())));
    let reads_score = request.settings.has("score");
    words.extend(score.filter(|_| !reads_score).map(|score| format!("score={}", score.name())));
    words.extend(smoothing.flips.then(|| "smooth=flips".to_owned()));
    words.extend(smoothing.principal.then(|| "smooth=principal".to_owned()));
    words.extend(fuse.map(|fuse| format!("fuse={}", fuse.name())));
    words.join(", ")
}

/// The same as a part of a folder's name: `_samples_20`.
fn folder(words: &str) -> String {
    let words = words.replace(", ", "_").replace('=', "_");
    if words.is_empty() { words } else { format!("_{words}") }
}

/// Refuses options that none of the methods has a use for.
fn check_options(args: &ExplainOptions, requests: &[MethodRequest]) -> Result<()> {
    let reads_layer = |request: &MethodRequest| request.method.needs.taps == Taps::One;
    let titles: Vec<&str> = requests.iter().map(|request| request.method.title).collect();
    if !args.layer.is_empty() && !requests.iter().any(reads_layer) {
        bail!("--layer: {} reads no layer of your choice", titles[0]);
    }
    if args.smoothing.principal
        && let Some(other) = requests.iter().find(|request| !reads_layer(request))
    {
        bail!(
            "--smooth principal: {} has no channels of a layer to find the principal component of",
            other.method.title
        );
    }
    if args.fuse.is_some() && !requests.iter().any(reads_layer) {
        bail!("--fuse: {} reads no layer", titles[0]);
    }
    Ok(())
}

/// A method at each layer by itself, or at all of them.
fn explanations(
    request: &MethodRequest,
    layers: &[String],
    model: &Model,
    args: &ExplainOptions,
) -> Vec<Explanation> {
    let at = |layers: Vec<String>| Explanation {
        settings: request.settings.clone(),
        smoothing: args.smoothing,
        peer: args.peer,
        ..Explanation::new(request.method, layers)
    };
    match request.method.needs.taps {
        Taps::None => vec![at(Vec::new())],
        Taps::Offsets => vec![at(model.checkpoint().layers.with_offsets())],
        Taps::One if args.fuse.is_some() => {
            vec![Explanation { fuse: args.fuse, ..at(layers.to_vec()) }]
        }
        Taps::One => layers.iter().map(|layer| at(vec![layer.clone()])).collect(),
    }
}

/// What tells an explanation from the same method at the default layer.
fn suffix(explanation: &Explanation, default: &str) -> String {
    match explanation.layers.as_slice() {
        _ if explanation.method.needs.taps != Taps::One => String::new(),
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
