//! Burncam's own files: the weights in Keras's layout, and which network they are for.
//!
//! Each weight is an `f32` tensor called `<layer>/<weight>`, with the network's own layer names.
//! The metadata has one entry, `burncam`: a [`Description`] as JSON. Burn's `.bpk` and
//! safetensors hold the same.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use burncam_net::{Arch, GRAPH, HeadConfig, InputSpec, Layer, LayerTable, Op, Step};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::class_names::ClassNames;
use crate::keras::front::LARGEST;
use crate::keras::h5::{StoredLayer, StoredWeight};
use crate::limits::{MOST_HEAD, MOST_PARTS, MOST_STEPS, check_parts};
use crate::matching::FileNames;
use crate::store::{BoxError, Store};
use crate::table::{self, Place, TableBuilder};
use crate::{Checkpoint, Error, Format, Resolved, Statement, Wanted};

/// The metadata's entry.
pub(crate) const KEY: &str = "burncam";

/// The format version that is written and read.
const VERSION: u32 = 1;

/// What a file says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Description {
    /// Format version.
    version: u32,
    /// Version of the program that wrote it.
    program: String,
    architecture: String,
    variant: String,
    /// Size and preprocessing of the images.
    input: InputSpec,
    head: HeadConfig,
    /// What the converted file called the layers that it called otherwise than the network.
    names: BTreeMap<String, String>,
    /// What the converted file called its layers before the network.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    front: Vec<String>,
    /// The Keras version that wrote the converted file.
    keras_version: Option<String>,
    /// What had to be assumed when the file was converted.
    notes: Vec<String>,
    /// What the converted file called its classes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    class_names: Vec<ClassNames>,
    /// The network, where it is run as it is described.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    graph: Option<StoredGraph>,
}

/// A network of a file's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredGraph {
    layers: Vec<StoredOp>,
    /// The layer that is explained unless another is asked for.
    cam_layer: String,
    /// Whether it is known how images are prepared.
    is_prepared: bool,
}

/// A layer of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct StoredOp {
    name: String,
    #[serde(flatten)]
    op: Op,
    /// Places of the layers that it reads.
    inputs: Vec<usize>,
    is_map: bool,
}

impl StoredGraph {
    fn new(resolved: &Resolved) -> Self {
        let layer = |layer: &Layer| StoredOp {
            name: layer.name.clone(),
            op: layer.op.clone(),
            inputs: layer.inputs.clone(),
            is_map: layer.is_map,
        };
        Self {
            layers: resolved.layers.layers().iter().map(layer).collect(),
            cam_layer: resolved.cam_layer.clone(),
            is_prepared: resolved.is_prepared,
        }
    }

    /// The table, checked as that of any other file.
    fn table(&self) -> Result<LayerTable, String> {
        let (first, rest) = self.layers.split_first().ok_or("its network has no layers")?;
        if rest.len() > MOST_PARTS {
            return Err(format!("its network has more than {MOST_PARTS} layers"));
        }
        let (mut builder, input) = TableBuilder::new(&first.name, &first.op)?;
        let mut places = vec![input];
        let mut names = HashSet::from([first.name.as_str()]);
        for layer in rest {
            let wrong = |reason: String| format!("layer `{}`: {reason}", layer.name);
            if !names.insert(&layer.name) {
                return Err(wrong("another is called so".to_owned()));
            }
            let inputs: Option<Vec<Place>> =
                layer.inputs.iter().map(|&input| places.get(input).cloned()).collect();
            let inputs = inputs.ok_or_else(|| wrong("it reads a later layer".to_owned()))?;
            let step = table::Step { op: layer.op.clone(), rank: if layer.is_map { 3 } else { 1 } };
            places.push(builder.add(&layer.name, &inputs, vec![step]).map_err(wrong)?);
        }
        let table = builder.finish();
        match table.get(&self.cam_layer) {
            Some(layer) if layer.is_map => Ok(table),
            _ => Err(format!("`{}` is no layer to explain", self.cam_layer)),
        }
    }
}

impl Description {
    /// Describes a checkpoint.
    pub(crate) fn new(resolved: &Resolved) -> Self {
        let is_graph = resolved.arch.name == GRAPH.name;
        // Ranks within a class are no names to keep; in a graph each call of a layer has its own weights.
        let keeps = resolved.file.named && !is_graph;
        let renamed = resolved.names.iter().filter(|(own, file)| own != file && keeps);
        Self {
            version: VERSION,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            architecture: resolved.arch.name.to_owned(),
            variant: resolved.variant.name.to_owned(),
            input: resolved.input.clone(),
            head: resolved.head.clone(),
            names: renamed.map(|(own, file)| (own.clone(), file.clone())).collect(),
            front: resolved.front.clone(),
            keras_version: resolved.keras_version().map(str::to_owned),
            notes: resolved.notes.clone(),
            class_names: resolved.file.class_names.clone(),
            graph: is_graph.then(|| StoredGraph::new(resolved)),
        }
    }

    fn parse(path: &Path, text: Option<&str>) -> Result<Self, Error> {
        let bad =
            |reason: &str| Error::Description { path: path.to_owned(), reason: reason.to_owned() };
        let text = text.ok_or_else(|| bad("it has no `burncam` entry in its metadata"))?;
        let json: Value = serde_json::from_str(text).map_err(|error| bad(&error.to_string()))?;
        match json.get("version").and_then(Value::as_u64) {
            Some(version) if version == u64::from(VERSION) => {}
            Some(found) => {
                return Err(Error::Version { path: path.to_owned(), found, known: VERSION });
            }
            None => return Err(bad("its metadata has no format version")),
        }
        serde_json::from_value(json).map_err(|error| bad(&error.to_string()))
    }
}

/// What a container holds.
pub(crate) struct Contents {
    /// The [`Description`], as text.
    pub(crate) description: Option<String>,
    /// Name and shape of each tensor.
    pub(crate) shapes: Vec<(String, Vec<usize>)>,
    pub(crate) store: Store,
}

/// Reads everything but the numbers.
pub(crate) fn read(
    path: &Path,
    format: Format,
    open: fn(&Path) -> Result<Contents, BoxError>,
) -> Result<Checkpoint, Error> {
    let contents =
        open(path).map_err(|source| Error::Container { path: path.to_owned(), format, source })?;
    described(path, format, contents)
}

/// Reads what a container says of itself.
pub(crate) fn described(
    path: &Path,
    format: Format,
    contents: Contents,
) -> Result<Checkpoint, Error> {
    check_parts(path, contents.shapes.len())?;
    let description = Description::parse(path, contents.description.as_deref())?;
    let mut layers: Vec<StoredLayer> = Vec::new();
    for (tensor, shape) in contents.shapes {
        let (layer, weight) = tensor.rsplit_once('/').unwrap_or(("", &tensor));
        // A checkpoint speaks of layers by the names of the file that was converted.
        let layer = description.names.get(layer).map_or(layer, String::as_str);
        let shape = shape.iter().map(|&size| size as u64).collect();
        let weight = StoredWeight { name: weight.to_owned(), path: tensor.clone(), shape };
        match layers.iter_mut().find(|known| known.name == layer) {
            Some(known) => known.weights.push(weight),
            None => layers.push(StoredLayer {
                name: layer.to_owned(),
                weights: vec![weight],
                inner: false,
            }),
        }
    }
    Ok(Checkpoint {
        path: path.to_owned(),
        format,
        keras_version: description.keras_version.clone(),
        store: contents.store,
        class_names: description.class_names.clone(),
        description: Some(description),
        stated: Statement::default(),
        graph: None,
        state: None,
        layers,
        named: true,
    })
}

/// Finds the network that the file names.
pub(crate) fn resolve(
    file: Checkpoint,
    description: Description,
    archs: &[&'static Arch],
    wanted: Option<Wanted>,
) -> Result<Resolved, Error> {
    let Description { architecture, variant: variant_name, .. } = &description;
    let bad = |reason: String| Error::Description { path: file.path.clone(), reason };
    let mut known = archs.iter().copied().chain([&GRAPH]);
    let arch = known.find(|arch| arch.name == architecture);
    let arch = arch.ok_or_else(|| bad(format!("there is no architecture `{architecture}`")))?;
    let variant = arch.variants.iter().find(|variant| variant.name == variant_name);
    let variant =
        variant.ok_or_else(|| bad(format!("{architecture} has no variant `{variant_name}`")))?;
    if let Some(wanted) = wanted.filter(|wanted| !wanted.takes(arch, variant)) {
        let other = wanted.variant.or(wanted.arch.variants.first());
        return Err(Error::Mismatch {
            path: file.path,
            arch: wanted.arch.name,
            variant: other.map_or("none", |other| other.name),
            matched: 0,
            total: other.map_or(0, |other| (other.layers)().layers().len()),
            difference: format!("its metadata says {architecture} ({variant_name})"),
        });
    }
    let units = description.head.units();
    if variant.neurons.is_some_and(|neurons| neurons != units) {
        return Err(bad(format!("its head ends in {units} neurons, unlike {variant_name}'s")));
    }
    let input = description.input.clone();
    let is_graph = arch.name == GRAPH.name;
    let table = match &description.graph {
        Some(graph) if is_graph => graph.table().map_err(bad)?,
        None if !is_graph => (variant.layers)(),
        _ => return Err(bad("it describes a network of its own and names another".to_owned())),
    };
    let [height, width, channels] = table.layers().first().map_or([0; 3], |input| input.output);
    let expected = (height, width, channels);
    if (input.height, input.width, input.order.channels()) != expected {
        return Err(bad(format!(
            "its input has {} x {} pixels, and that of {architecture} ({variant_name}) {height} x {width}",
            input.height, input.width
        )));
    }
    if input.divisor == 0.0 || input.deviation.contains(&0.0) {
        return Err(bad("its preprocessing divides by zero".to_owned()));
    }
    if input.steps.len() > MOST_STEPS {
        return Err(bad(format!("its preprocessing has more than {MOST_STEPS} steps")));
    }
    if description.head.layers().len() > MOST_HEAD {
        return Err(bad(format!("its head has more than {MOST_HEAD} layers")));
    }
    if !input.steps.iter().all(Step::is_sound) {
        return Err(bad("a step of its preprocessing is not finite, or one of zeros".to_owned()));
    }
    let from = input.resizing.and_then(|own| own.from);
    if from.is_some_and(|sides| sides.iter().any(|side| !(1..=LARGEST).contains(side))) {
        return Err(bad(format!("it resizes images that are not 1 to {LARGEST} pixels a side")));
    }
    if let Some(stray) = description.names.keys().find(|name| table.get(name).is_none()) {
        return Err(bad(format!("{architecture} ({variant_name}) has no layer `{stray}`")));
    }
    let spelling = |name: &String| description.names.get(name).unwrap_or(name).clone();
    let names: FileNames =
        table.layers().iter().map(|layer| (layer.name.clone(), spelling(&layer.name))).collect();
    let Description { head, front, notes, graph, .. } = description;
    file.refuse_head(&head)?;
    let is_prepared = graph.as_ref().is_none_or(|graph| graph.is_prepared);
    let cam_layer = graph.map_or_else(|| variant.cam_layer.to_owned(), |graph| graph.cam_layer);
    let logits = table.last().output;
    if head.layers().is_empty() && (!is_graph || logits != [1, 1, head.units()]) {
        return Err(bad("its head does not fit its network".to_owned()));
    }
    Ok(Resolved {
        arch,
        variant,
        layers: table,
        cam_layer,
        input,
        is_prepared,
        head,
        names,
        front,
        notes,
        flattened: None,
        file,
    })
}
