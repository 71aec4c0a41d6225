//! Layers between a model's input and the network: preprocessing and data augmentation.

use std::path::Path;

use burncam_net::{
    ChannelOrder, InputSpec, Interpolation, Layer, LayerTable, Op, OwnResizing, Step,
};

use crate::keras::config::{Graph, Node};
use crate::keras::h5::StoredLayer;
use crate::limits::MOST_STEPS;
use crate::{Checkpoint, Error, keras};

/// The weights of a `Normalization` that was adapted, in Keras's order.
pub(crate) const WEIGHTS: [&str; 3] = ["mean", "variance", "count"];

/// Keras's `epsilon`: the least standard deviation that it divides by.
const LEAST_DEVIATION: f32 = 1e-7;

/// Pixels that lie more standard deviations than this from the mean are not those that a
/// `Normalization` was made for.
const FARTHEST: f32 = 100.0;

/// The largest side of an image, in pixels, that a file may have resized from.
pub(crate) const LARGEST: usize = 4096;

/// What a file does to its input before the network.
#[derive(Default)]
pub(crate) struct Front {
    resizing: Option<OwnResizing>,
    steps: Vec<Step>,
    notes: Vec<String>,
    /// Names of the layers that were taken out.
    pub(crate) names: Vec<String>,
}

impl Front {
    /// Takes those layers and their numbers out of the file.
    ///
    /// # Errors
    ///
    /// If one of them cannot be represented, or if the model has two inputs.
    pub(crate) fn take(file: &mut Checkpoint) -> Result<Self, Error> {
        let Some(mut graph) = file.graph.take() else { return of_weights(file) };
        let front = of_graph(file, &mut graph);
        file.graph = Some(graph);
        front
    }

    /// The network's input, given what it would be without these layers.
    pub(crate) fn input(&self, plain: &InputSpec) -> InputSpec {
        let mut input = InputSpec { resizing: self.resizing, ..plain.clone() };
        if !self.steps.is_empty() {
            if plain.order != ChannelOrder::Grey {
                input.order = ChannelOrder::Rgb;
            }
            input.divisor = 1.0;
            input.mean = [0.0; 3];
            input.deviation = [1.0; 3];
            input.steps.clone_from(&self.steps);
        }
        input
    }

    /// What the user should know of it, given the size of the network's input.
    pub(crate) fn notes(&self, [height, width]: [usize; 2]) -> Vec<String> {
        let mut notes = self.notes.clone();
        if !self.steps.is_empty() {
            let steps: Vec<String> = self.steps.iter().map(|step| step.formula("x")).collect();
            notes.push(format!(
                "the file prepares its own input ({}), so Burncam feeds it RGB pixels in 0..255",
                steps.join(", then ")
            ));
        }
        if let Some(OwnResizing { from, interpolation }) = self.resizing {
            let (to, rule) = (format!("{height} x {width}"), interpolation.name());
            notes.push(match from {
                Some([height, width]) => format!(
                    "the file resizes its own input from {height} x {width} to {to} ({rule}): \
                     `--resize` brings images to {height} x {width} first"
                ),
                None => format!(
                    "the file takes images of any size and resizes them to {to} itself ({rule}): \
                     `--resize` changes nothing"
                ),
            });
        }
        notes
    }

    /// Takes over one layer, if it is such a layer; `size` is that of the images it is given, 0
    /// where that is open, and becomes that of the images it makes.
    fn add(
        &mut self,
        file: &mut Checkpoint,
        node: &Node,
        size: &mut [usize; 2],
    ) -> Result<bool, String> {
        match &node.op {
            // Dropout and augmentation do nothing at inference.
            Ok(Op::Dropout) => {}
            Ok(Op::Rescaling { scale, offset }) => {
                self.steps.push(Step::Scale { scale: *scale, offset: *offset });
            }
            Ok(Op::Normalization { mean, variance, invert }) => {
                let given = mean.zip(*variance);
                let (mean, variance) = given.map_or_else(|| adapted(file, &node.name), Ok)?;
                self.normalize(mean, variance, *invert)?;
            }
            Ok(Op::Resizing { height, width, interpolation }) => {
                self.resize(size, [*height, *width], *interpolation)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn normalize(
        &mut self,
        mean: [f32; 3],
        variance: [f32; 3],
        invert: bool,
    ) -> Result<(), String> {
        let bad = |value: &f32| !value.is_finite() || *value < 0.0;
        if mean.iter().any(|value| !value.is_finite()) || variance.iter().any(bad) {
            return Err("its mean or variance is not a number, or its variance negative".to_owned());
        }
        let deviation = variance.map(|value| value.sqrt().max(LEAST_DEVIATION));
        if invert {
            self.steps.push(Step::Scale { scale: deviation, offset: mean });
            return Ok(());
        }
        self.steps.push(Step::Standardize { mean, deviation });
        let raw = InputSpec::scaled(1, ChannelOrder::Rgb, 1.0);
        let fed = InputSpec { steps: self.steps.clone(), ..raw };
        let ends = [0.0, 255.0].map(|pixel| (0..3).map(move |channel| (channel, pixel)));
        let values = ends.into_iter().flatten().map(|(channel, pixel)| fed.value(channel, pixel));
        let farthest = values.fold(0.0_f32, |far, x| if x.abs() > far.abs() { x } else { far });
        if farthest.abs() <= FARTHEST {
            return Ok(());
        }
        Err(format!(
            "it makes {farthest:.0} of a pixel in 0..255, so it was made for other values, such as \
             pixels divided by 255\nhint: put a Rescaling that makes them in front of it in the model, \
             and save the model again"
        ))
    }

    fn resize(
        &mut self,
        size: &mut [usize; 2],
        to: [usize; 2],
        interpolation: Interpolation,
    ) -> Result<(), String> {
        let from = match *size {
            [0, 0] => None,
            [0, _] | [_, 0] => {
                return Err("its input has a height or a width, and must have both or none\n\
                            hint: change the model's input shape and save it again"
                    .to_owned());
            }
            known => Some(known),
        };
        if from == Some(to) {
            return Ok(());
        }
        if self.resizing.is_some() {
            return Err(
                "the input is resized a second time here\nhint: take one of the two Resizing \
                        layers out and save the model again"
                    .to_owned(),
            );
        }
        if from.is_some_and(|sides| sides.iter().any(|&side| side > LARGEST)) {
            return Err(format!("its input is larger than {LARGEST} pixels a side"));
        }
        *size = to;
        self.resizing = Some(OwnResizing { from, interpolation });
        Ok(())
    }
}

fn unsupported(path: &Path, layer: &str, class: &str, reason: impl Into<String>) -> Error {
    let (layer, class) = (layer.to_owned(), class.to_owned());
    Error::Unsupported { path: path.to_owned(), layer, class, reason: reason.into() }
}

/// Follows a model from its input to the first layer that is none of these.
fn of_graph(file: &mut Checkpoint, graph: &mut Graph) -> Result<Front, Error> {
    let mut front = Front::default();
    let Some(input) = graph.nodes.iter().find(|node| node.class == "InputLayer") else {
        return Ok(front);
    };
    let (input, dtype, op) = (input.name.clone(), input.dtype.clone(), &input.op);
    let &Ok(Op::InputLayer { height, width, channels }) = op else { return Ok(front) };
    let mut size = [height, width];
    while let Some(node) = only_reader(graph, &input) {
        let (name, class) = (node.name.clone(), &node.class);
        if front.names.len() >= MOST_STEPS {
            let reason = format!("it is one of more than {MOST_STEPS} layers before the network");
            return Err(unsupported(&file.path, &name, class, reason));
        }
        let added = front.add(file, node, &mut size);
        if !added.map_err(|reason| unsupported(&file.path, &name, class, reason))? {
            break;
        }
        graph.remove(&name, &input);
        front.names.push(name);
    }
    if front.resizing.is_none() {
        return Ok(front);
    }
    if let Some(dtype) = dtype {
        let reason = format!(
            "its values are of type {dtype}, and one Keras rounds after resizing them where another \
             does not\nhint: make the input float32 and save the model again"
        );
        return Err(unsupported(&file.path, &input, "InputLayer", reason));
    }
    if let Some(node) = graph.nodes.iter_mut().find(|node| node.name == input) {
        let [height, width] = size;
        node.op = Ok(Op::InputLayer { height, width, channels });
    }
    Ok(front)
}

fn only_reader<'a>(graph: &'a Graph, input: &'a str) -> Option<&'a Node> {
    let mut readers = graph.readers(input);
    let (only, None) = (readers.next()?, readers.next()) else { return None };
    Some(only).filter(|node| node.inputs.len() == 1)
}

/// Takes mean and variance of an adapted `Normalization` out of the file.
fn adapted(file: &mut Checkpoint, name: &str) -> Result<([f32; 3], [f32; 3]), String> {
    let missing = |weight: &str| {
        format!("the file has no `{weight}` of it\nhint: call its `adapt` and save the model again")
    };
    let place = file.layers.iter().position(|layer| layer.name == name);
    let layer = file.layers.remove(place.ok_or_else(|| missing("mean"))?);
    if let Some(other) = layer.weights.iter().find(|own| !WEIGHTS.contains(&own.name.as_str())) {
        return Err(format!("it has a weight `{}`, and no Normalization of Keras has", other.name));
    }
    let read = |name: &str| {
        let stored = layer.weights.iter().find(|weight| weight.name == name);
        let stored = stored.ok_or_else(|| missing(name))?;
        // The shape is checked before anything is read: it bounds what is allocated.
        if !matches!(stored.shape[..], [] | [1] | [3]) {
            return Err(format!("`{name}` has shape {:?}, expected [3] or []", stored.shape));
        }
        let values = file.store.read(&stored.path);
        match values.map_err(|error| format!("cannot read `{name}`: {error}"))?[..] {
            [all] => Ok([all; 3]),
            [a, b, c] => Ok([a, b, c]),
            ref values => Err(format!("`{name}` has {} values, not 1 or 3", values.len())),
        }
    };
    Ok((read("mean")?, read("variance")?))
}

/// A file of weights alone tells of a `Normalization` by its numbers, and of other layers nothing
/// but that they are there.
fn of_weights(file: &mut Checkpoint) -> Result<Front, Error> {
    let mut front = Front::default();
    let silent = |layer: &&StoredLayer| {
        let named = ["rescaling", "normalization"].iter().any(|c| layer.name.starts_with(c));
        layer.weights.is_empty() && named
    };
    if let Some(layer) = file.layers.iter().find(silent) {
        return Err(without_settings(&file.path, &layer.name));
    }
    let own = |layer: &&StoredLayer| layer.weights.iter().map(|w| w.name.as_str()).eq(WEIGHTS);
    let Some(layer) = file.layers.iter().find(own) else { return Ok(front) };
    let name = layer.name.clone();
    let added = adapted(file, &name).and_then(|(mean, var)| front.normalize(mean, var, false));
    added.map_err(|reason| unsupported(&file.path, &name, "Normalization", reason))?;
    front.notes.push(format!("`{name}` is taken for the only layer in front of the network"));
    Ok(front)
}

/// Refuses a file of weights alone that resizes more often than the network does.
pub(crate) fn refuse_resizing(file: &Checkpoint, table: &LayerTable) -> Result<(), Error> {
    // Where an inner model's layers without weights are not listed, those that are lie outside.
    let inner = file.layers.iter().any(|layer| layer.inner);
    let resizing = |layer: &&Layer| !inner && matches!(layer.op, Op::Resizing { .. });
    let own = table.layers().iter().filter(resizing).count();
    let stored = file.layers.iter().filter(|layer| keras::v3::rank(&layer.name).0 == "resizing");
    let extra = stored.filter(|layer| layer.weights.is_empty()).nth(own);
    extra.map_or(Ok(()), |layer| Err(without_settings(&file.path, &layer.name)))
}

fn without_settings(path: &Path, layer: &str) -> Error {
    let reason = "weights alone do not say what it does to the images\nhint: save the whole model \
                  as .keras or .h5";
    unsupported(path, layer, "in a file without configuration", reason)
}
