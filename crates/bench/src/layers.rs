//! How long each layer takes on the CPU, beside its share of the floor.

use std::collections::HashMap;

use anyhow::Result;
use burn::tensor::Tensor;
use burncam_net::{Classifier, LayerTable, Op, Trace};
use cpu_time::ProcessTime;

use crate::work;

/// Batches, of which the quickest counts for each layer.
const BATCHES: usize = 16;

/// What the CPU does at once: a layer, and those before it that are computed together with it.
struct Step {
    name: String,
    kind: &'static str,
    /// Multiplications of an image, as few as the kernels' methods need.
    multiplications: u64,
    seconds: f64,
}

/// The steps of the forward pass in their order, the head's last, then what remains of `explain`: the gradient
/// and the map. Each is `kind`, CPU milliseconds of an image, multiplications and name, with tabs between.
pub(super) fn milliseconds(
    classifier: &Classifier,
    images: &Tensor<4>,
    explain: impl Fn() -> Result<()>,
) -> Result<String> {
    let names = last_of_each_step(classifier, images);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut steps: Vec<Step> = Vec::new();
    let (mut forward, mut all) = (f64::INFINITY, f64::INFINITY);
    explain()?;
    for _ in 0..BATCHES {
        for (at, step) in steps_of(classifier, images.clone(), &names).into_iter().enumerate() {
            match steps.get_mut(at) {
                Some(known) => known.seconds = known.seconds.min(step.seconds),
                None => steps.push(step),
            }
        }
        let clock = ProcessTime::now();
        let _ = classifier.logits(images.clone(), &mut Trace::none());
        forward = forward.min(clock.elapsed().as_secs_f64());
        let clock = ProcessTime::now();
        explain()?;
        all = all.min(clock.elapsed().as_secs_f64());
    }
    let rest = (all - forward).max(0.0);
    let (name, kind) = ("gradient and map".to_owned(), "gradient and map");
    steps.push(Step { name, kind, multiplications: 0, seconds: rest });
    let batch = images.dims()[0] as f64;
    let lines = steps.iter().map(|step| {
        let milliseconds = step.seconds * 1e3 / batch;
        format!("{}\t{milliseconds}\t{}\t{}", step.kind, step.multiplications, step.name)
    });
    Ok(lines.collect::<Vec<_>>().join("\t"))
}

/// The layers whose outputs are there when nothing is looked at.
fn last_of_each_step(classifier: &Classifier, images: &Tensor<4>) -> Vec<String> {
    let mut names = Vec::new();
    let mut observer = |name: &str, output: Tensor<4>| {
        names.push(name.to_owned());
        output
    };
    let _ = classifier.logits(images.clone(), &mut Trace::together(&mut observer));
    // What is pooled may never have been there.
    let layers = classifier.layers.layers();
    let is_pooled = |name: &String| {
        let reads = |at: &usize| layers[*at].name == *name;
        let mut readers = layers.iter().filter(|layer| layer.inputs.iter().any(reads));
        readers.all(|layer| matches!(layer.op, Op::MaxPooling2D { .. }))
            && layers.last().is_some_and(|last| last.name != *name)
    };
    names.retain(|name| !is_pooled(name));
    names
}

/// One pass, whose steps end with these layers.
fn steps_of(classifier: &Classifier, images: Tensor<4>, names: &[&str]) -> Vec<Step> {
    let table = &classifier.layers;
    let places: HashMap<&str, usize> =
        table.layers().iter().enumerate().map(|(at, layer)| (&*layer.name, at)).collect();
    let mut seconds = Vec::new();
    let mut clock = ProcessTime::now();
    let mut observer = |name: &str, output: Tensor<4>| {
        seconds.push((places[name], clock.elapsed().as_secs_f64()));
        clock = ProcessTime::now();
        output
    };
    let logits = classifier.logits(images, &mut Trace::at(names, &mut observer));
    drop(logits);
    let head = clock.elapsed().as_secs_f64();
    let mut is_counted = vec![false; table.layers().len()];
    seconds.iter().for_each(|&(place, _)| is_counted[place] = true);
    let mut steps = Vec::with_capacity(seconds.len());
    // From the end: a layer that two of them read is computed with the last.
    for &(place, seconds) in seconds.iter().rev() {
        let own = own(table, place, &mut is_counted);
        let multiplications = own.iter().map(|&at| work::fewest(table, at)).sum();
        // Most of the time is a convolution's. Otherwise what is done in passing is before it, so the first that takes
        // time of its own counts.
        let most = own.iter().max_by_key(|&&at| work::fewest(table, at));
        let most = most.filter(|&&at| work::fewest(table, at) > 0);
        let kind = most.into_iter().chain(own.iter().rev()).find_map(|&at| kind(table, at));
        let (name, kind) = (table.layers()[place].name.clone(), kind.unwrap_or("other layers"));
        steps.push(Step { name, kind, multiplications, seconds });
    }
    steps.reverse();
    let (name, kind) = ("head".to_owned(), "head");
    steps.push(Step { name, kind, multiplications: work::head(classifier), seconds: head });
    steps
}

/// A layer and those before it that are not counted yet, the last first; then they are.
fn own(table: &LayerTable, place: usize, is_counted: &mut [bool]) -> Vec<usize> {
    let mut own = vec![place];
    let mut next = 0;
    while let Some(&at) = own.get(next) {
        for &input in &table.layers()[at].inputs {
            if !std::mem::replace(&mut is_counted[input], true) {
                own.push(input);
            }
        }
        next += 1;
    }
    own
}

/// What takes a layer's time, in words; nothing for layers that others do in passing.
fn kind(table: &LayerTable, at: usize) -> Option<&'static str> {
    let layer = &table.layers()[at];
    Some(match layer.op {
        Op::Conv2D { .. } if table.channels_in(layer) < 8 => "stem",
        Op::Conv2D { kernel_size: [1, 1], .. } => "1×1",
        Op::Conv2D { kernel_size: [3, 3], strides: [1, 1], .. } => "3×3",
        Op::Conv2D { .. } => "other convolutions",
        Op::MaxPooling2D { .. } | Op::AveragePooling2D { .. } | Op::GlobalAveragePooling2D => {
            "pooling"
        }
        Op::Concatenate => "joining",
        _ => return None,
    })
}
