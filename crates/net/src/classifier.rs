//! Architectures, their variants, and a network with its head.

use std::collections::HashMap;

use burn::tensor::{Device, Tensor};

use crate::layers::{SharedLayers, Weights, in_blocks, interleaved};
use crate::{
    Activation, Arithmetic, Head, HeadConfig, InputSpec, LayerTable, LoadError, Loader, Op,
    Randomisation, Randomised, Rectifier, Source, Tap, Trace, Weight,
};

/// One architecture: what it is called, and the networks that go by its name.
#[derive(Debug)]
pub struct Arch {
    /// The name on the command line: `ncnn`.
    pub name: &'static str,
    /// The name in output folders and files, as the notebook writes it: `NCNN`.
    pub title: &'static str,
    /// What its classes mean, in order, where the checkpoint has as many.
    pub classes: &'static [&'static str],
    /// The networks that go by this name; the first is the default.
    pub variants: &'static [Variant],
}

impl Arch {
    /// Names for this many classes: the variant's own or the architecture's if there are as many,
    /// else `class_0`, `class_1`, …
    #[must_use]
    pub fn class_names(&self, variant: &Variant, count: usize) -> Vec<String> {
        let own = match variant.outputs {
            Outputs::Named(names) => names,
            Outputs::Any | Outputs::Count(_) => self.classes,
        };
        if own.len() == count {
            return own.iter().map(ToString::to_string).collect();
        }
        (0..count).map(|class| format!("class_{class}")).collect()
    }
}

/// One of the networks that go by an architecture's name.
#[derive(Debug)]
pub struct Variant {
    /// Where it comes from: `keras-vggface`.
    pub name: &'static str,
    /// Size and preprocessing of the input.
    pub input: InputSpec,
    /// What the outputs of its published weights are.
    pub outputs: Outputs,
    /// The layer that is explained unless another is asked for.
    pub cam_layer: &'static str,
    /// Its layers, from the input to the input of the head.
    pub layers: fn() -> LayerTable,
    /// Neurons of the last dense layer, where these alone tell it from another variant that has the
    /// same layers; else any number.
    pub neurons: Option<usize>,
    /// Makes the network that the layers describe.
    pub build: fn(&mut Loader<'_>) -> Result<Box<dyn Network>, LoadError>,
}

/// What the outputs of a variant's published weights are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outputs {
    /// The architecture's classes, or any others.
    Any,
    /// These classes, where a checkpoint has as many.
    Named(&'static [&'static str]),
    /// So many: this tells the variant from others whose weights have the same names and shapes.
    Count(usize),
}

/// A network without its head.
pub trait Network: Send + Sync {
    /// Runs the network, giving each layer's output to `trace` under its canonical name.
    ///
    /// # Shapes
    ///
    /// `[batch, 3, height, width]` to the input of the head,
    /// `[batch, channels, height_out, width_out]`.
    fn features(&self, images: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4>;

    /// Outputs of the network's own head, if its code has one: then the checkpoint's is that.
    fn head_units(&self) -> Option<usize> {
        None
    }

    /// Runs the network's own head.
    ///
    /// # Shapes
    ///
    /// `[batch, channels, height, width]` to `[batch, units]`, before softmax or sigmoid.
    ///
    /// # Panics
    ///
    /// If [`head_units`](Self::head_units) is `None`.
    fn head(&self, _features: Tensor<4>) -> Tensor<2> {
        unreachable!("the head of this network is the checkpoint's")
    }
}

/// How a network is built.
#[derive(Clone, Copy, Debug, Default)]
pub struct Build<'a> {
    /// How the CPU convolves.
    pub arithmetic: Arithmetic,
    /// Where gradients and the insides of layers will be read, if that is known: weights that no gradient will pass
    /// are then held once, in the order in which they are read.
    pub taps: Option<&'a [Tap]>,
    /// The layers that are untrained, if any are.
    pub randomisation: Option<Randomisation<'a>>,
    /// Where layers are held that other networks have, too.
    pub shared: Option<&'a SharedLayers>,
}

/// A network and its head, filled with weights: images in, logits out.
pub struct Classifier {
    /// The architecture.
    pub arch: &'static Arch,
    /// Which of its variants.
    pub variant: &'static Variant,
    /// The layers before the head.
    pub layers: LayerTable,
    /// What follows them.
    pub head: Head,
    /// Number of weights, running statistics included.
    pub parameters: usize,
    network: Box<dyn Network>,
    device: Device,
    /// For each layer of the table whether a gradient may pass it.
    tracked: Vec<bool>,
    /// What layers add to each of their channels, by name.
    offsets: HashMap<String, Vec<f32>>,
}

impl Classifier {
    /// Builds a network and its head on `device` with the weights of `source`.
    ///
    /// # Errors
    ///
    /// If the source lacks a weight, has it in another shape, or cannot read it.
    pub fn build(
        arch: &'static Arch,
        variant: &'static Variant,
        head: HeadConfig,
        source: &mut dyn Source,
        device: &Device,
        how: Build<'_>,
    ) -> Result<Self, LoadError> {
        Self::build_layers(arch, variant, (variant.layers)(), head, source, device, how)
    }

    /// The same with layers of a file's own, which the variant's module can be made of.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    pub fn build_layers(
        arch: &'static Arch,
        variant: &'static Variant,
        layers: LayerTable,
        head: HeadConfig,
        source: &mut dyn Source,
        device: &Device,
        how: Build<'_>,
    ) -> Result<Self, LoadError> {
        let mut source = Randomised::new(source, how.randomisation);
        let mut counted = Counted { source: &mut source, parameters: 0, vectors: HashMap::new() };
        let mut loader = Loader::new(&layers, &mut counted, device, how);
        let network = (variant.build)(&mut loader)?;
        assert!(loader.is_done(), "{} leaves out layers of its own table", arch.name);
        if network.head_units() != head.generated_units() {
            return Err(LoadError::Head);
        }
        let mut weights = Weights { source: &mut counted, device, shared: how.shared };
        let head = Head::load(head, layers.last().output, &mut weights)?;
        let parameters = counted.parameters;
        let offsets = offsets(&layers, &counted.vectors);
        let (device, all) = (device.clone(), [Tap::Input]);
        let tracked = layers.tracked(how.taps.unwrap_or(&all));
        Ok(Self { arch, variant, layers, head, parameters, network, device, tracked, offsets })
    }

    /// The logits of each class; each layer's output goes through `trace`.
    ///
    /// # Shapes
    ///
    /// `[batch, 3, height, width]` to `[batch, classes]`.
    #[must_use]
    pub fn logits(&self, images: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<2> {
        // Several layers may read them.
        let features = self.network.features(interleaved(images), trace);
        self.head_logits(features, trace.rectifier())
    }

    /// The logits of each class where a layer gives these activations; what is before the layer is not run.
    ///
    /// # Errors
    ///
    /// If the network has no such layer, or the logits depend on more than its output.
    ///
    /// # Shapes
    ///
    /// `[batch, channels, height, width]` of the layer to `[batch, classes]`.
    pub fn tail(&self, layer: &str, activations: Tensor<4>) -> Result<Tensor<2>, TailError> {
        if !self.layers.is_cut(layer) {
            return Err(TailError { layer: layer.to_owned() });
        }
        if layer == self.layers.layers()[0].name {
            return Ok(self.logits(activations, &mut Trace::none()));
        }
        if layer == self.layers.last().name {
            return Ok(self.head_logits(activations, Rectifier::Gradient));
        }
        let mut trace = Trace::starting_at(layer, interleaved(activations.clone()));
        let features = self.network.features(activations, &mut trace);
        match trace.is_before_start() {
            true => Err(TailError { layer: layer.to_owned() }),
            false => Ok(self.head_logits(features, Rectifier::Gradient)),
        }
    }

    fn head_logits(&self, features: Tensor<4>, rectifier: Rectifier) -> Tensor<2> {
        in_blocks(features, |block| self.head_of(block, rectifier))
    }

    fn head_of(&self, features: Tensor<4>, rectifier: Rectifier) -> Tensor<2> {
        match self.network.head_units() {
            Some(_) => self.head.logits(self.network.head(features)),
            None => self.head.forward(features, rectifier),
        }
    }

    /// Whether the network has this place, a layer with height and width.
    #[must_use]
    pub fn has(&self, tap: &Tap) -> bool {
        let layer = |name| self.layers.get(name).is_some_and(|layer| layer.is_map);
        tap.layer().is_none_or(layer)
    }

    /// Whether the classifier was built so that gradients can be read at this place.
    #[must_use]
    pub fn supports_gradient_at(&self, tap: &Tap) -> bool {
        let needed = self.layers.tracked(std::slice::from_ref(tap));
        needed.iter().zip(&self.tracked).all(|(needed, there)| *there || !needed)
    }

    /// Whether gradients can pass rectifiers in this way: on a GPU only as gradients do.
    #[must_use]
    pub fn supports_rectifier(&self, rectifier: Rectifier) -> bool {
        rectifier == Rectifier::Gradient || self.device == Device::flex()
    }

    /// Whether what is at `tap` depends on what is at `other`, another place.
    #[must_use]
    pub fn is_behind(&self, tap: &Tap, other: &Tap) -> bool {
        let Some(name) = tap.layer().filter(|_| tap != other) else { return false };
        let behind = self.layers.tracked(std::slice::from_ref(other));
        self.layers.layers().iter().zip(behind).any(|(layer, behind)| behind && layer.name == name)
    }

    /// What a convolution or batch normalisation adds to each of its channels, and the function behind it.
    #[must_use]
    pub fn offsets(&self, layer: &str) -> Option<(&[f32], &Activation)> {
        let activation = match &self.layers.get(layer)?.op {
            Op::Conv2D { activation, .. }
            | Op::DepthwiseConv2D { activation, .. }
            | Op::SeparableConv2D { activation, .. }
            | Op::Conv2DTranspose { activation, .. } => activation,
            _ => &Activation::Linear,
        };
        Some((self.offsets.get(layer)?, activation))
    }

    /// The device that holds the weights.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }
}

/// The logits depend on more than the output of a layer, or the network has no such layer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the layers behind `{layer}` read others, too, and cannot be run alone")]
pub struct TailError {
    /// The layer.
    pub layer: String,
}

/// What layers add to each channel, of the vectors among their weights.
fn offsets(
    layers: &LayerTable,
    vectors: &HashMap<(String, Weight), Vec<f32>>,
) -> HashMap<String, Vec<f32>> {
    let offset = |layer: &crate::Layer| {
        let vector = |weight| vectors.get(&(layer.name.clone(), weight));
        match layer.op {
            Op::BatchNormalization { epsilon, .. } => {
                let (mean, variance) =
                    (vector(Weight::MovingMean)?, vector(Weight::MovingVariance)?);
                let (gamma, beta) = (vector(Weight::Gamma), vector(Weight::Beta));
                let one = |channel: usize| {
                    let gamma = gamma.map_or(1.0, |gamma| gamma[channel]);
                    let beta = beta.map_or(0.0, |beta| beta[channel]);
                    beta - gamma * mean[channel] / (variance[channel] + epsilon).sqrt()
                };
                Some((0..mean.len()).map(one).collect())
            }
            _ => vector(Weight::Bias).cloned(),
        }
    };
    let layers = layers.layers().iter().filter(|layer| layer.is_map);
    layers.filter_map(|layer| Some((layer.name.clone(), offset(layer)?))).collect()
}

/// Counts the values that pass, and keeps the vectors of which offsets are made.
struct Counted<'a> {
    source: &'a mut dyn Source,
    parameters: usize,
    vectors: HashMap<(String, Weight), Vec<f32>>,
}

impl Source for Counted<'_> {
    fn take(
        &mut self,
        layer: &str,
        weight: Weight,
        shape: &[usize],
    ) -> Result<Vec<f32>, LoadError> {
        let values = self.source.take(layer, weight, shape)?;
        self.parameters += values.len();
        let is_kept = matches!(
            weight,
            Weight::Bias
                | Weight::Gamma
                | Weight::Beta
                | Weight::MovingMean
                | Weight::MovingVariance
        );
        if is_kept {
            self.vectors.insert((layer.to_owned(), weight), values.clone());
        }
        Ok(values)
    }
}
