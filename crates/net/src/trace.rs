//! Seeing, and replacing, the output of layers while the network runs.

use std::fmt;

use burn::tensor::Tensor;

type Observer<'a> = &'a mut dyn FnMut(&str, Tensor<4>) -> Tensor<4>;

/// A place of a network where its numbers can be read.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tap {
    /// What the network reads.
    Input,
    /// The output of a layer, by its canonical name.
    Layer(String),
}

impl Tap {
    /// The layer, if it is one.
    #[must_use]
    pub fn layer(&self) -> Option<&str> {
        match self {
            Self::Input => None,
            Self::Layer(name) => Some(name),
        }
    }
}

impl fmt::Display for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.layer().unwrap_or("input"))
    }
}

/// How a gradient passes a rectifier on its way back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rectifier {
    /// Where its output is positive: the gradient.
    #[default]
    Gradient,
    /// Where its output and the gradient are positive. Springenberg et al., *Striving for Simplicity*, ICLR
    /// workshop 2015, <https://arxiv.org/abs/1412.6806>.
    Guided,
    /// Where the gradient is positive. Zeiler, Fergus, *Visualizing and Understanding Convolutional
    /// Networks*, ECCV 2014, <https://arxiv.org/abs/1311.2901>.
    Deconvolution,
}

/// Stands where PyTorch has hooks: every layer hands its output to the trace and goes on with
/// what the trace gives back.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use burncam_net::Trace;
///
/// let mut names = Vec::new();
/// let mut observer = |name: &str, output: Tensor<4>| {
///     names.push(name.to_owned());
///     output
/// };
/// let mut trace = Trace::new(&mut observer);
/// trace.layer("conv1_1", Tensor::zeros([1, 1, 2, 2], &Device::flex()));
/// assert_eq!(names, ["conv1_1"]);
/// ```
#[derive(Default)]
pub struct Trace<'a> {
    observer: Option<Observer<'a>>,
    /// The layers that are seen, if not all are.
    only: Option<&'a [&'a str]>,
    /// Whether layers that can be computed together are, and only the last of them is seen.
    together: bool,
    /// Where the run begins, if not at the input: a layer and its output.
    start: Option<(&'a str, Tensor<4>)>,
    rectifier: Rectifier,
}

impl<'a> Trace<'a> {
    /// A trace that calls `observer` with each layer's canonical name and output,
    /// `[batch, channels, height, width]`. The returned tensor takes the output's place and must
    /// have its shape.
    pub fn new(observer: Observer<'a>) -> Self {
        Self { observer: Some(observer), ..Self::default() }
    }

    /// A trace that calls `observer` as [`new`](Self::new) does, but with the output of the last layer alone of
    /// those that are computed together.
    pub fn together(observer: Observer<'a>) -> Self {
        Self { together: true, ..Self::new(observer) }
    }

    /// A trace that calls `observer` with the outputs of the layers of these names alone, so that
    /// the others may be computed together.
    pub fn at(names: &'a [&'a str], observer: Observer<'a>) -> Self {
        Self { only: Some(names), ..Self::new(observer) }
    }

    /// A trace that sees nothing: the plain forward pass.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The same, with gradients that pass rectifiers in another way.
    #[must_use]
    pub fn with_rectifier(self, rectifier: Rectifier) -> Self {
        Self { rectifier, ..self }
    }

    /// A run that begins with the output of a layer. What is before it does nothing.
    pub(crate) fn starting_at(layer: &'a str, output: Tensor<4>) -> Self {
        Self { start: Some((layer, output)), ..Self::default() }
    }

    /// How a gradient passes a rectifier.
    pub(crate) fn rectifier(&self) -> Rectifier {
        self.rectifier
    }

    /// Whether the output of the layer called `name` has to be there: whether it is looked at even if it could
    /// be computed together with the next.
    #[must_use]
    pub fn watches(&self, name: &str) -> bool {
        !self.together && self.sees(name)
    }

    /// Whether the output of the layer called `name` is looked at wherever there is one.
    pub(crate) fn sees(&self, name: &str) -> bool {
        self.observer.is_some() && self.only.is_none_or(|only| only.contains(&name))
    }

    /// Called by each layer of a network with its output.
    pub fn layer(&mut self, name: &str, output: Tensor<4>) -> Tensor<4> {
        match &mut self.observer {
            Some(observer) if self.only.is_none_or(|only| only.contains(&name)) => {
                observer(name, output)
            }
            _ => output,
        }
    }

    /// Whether the run has not come to its beginning yet.
    pub(crate) fn is_before_start(&self) -> bool {
        self.start.is_some()
    }

    /// Called instead of [`layer`](Self::layer) before the run's beginning by layers that are computed
    /// together: the output of the one at which the run begins, and its place among them.
    pub(crate) fn start_among(&mut self, names: &[String]) -> Option<(usize, Tensor<4>)> {
        let (layer, _) = self.start.as_ref()?;
        let place = names.iter().position(|name| name == layer)?;
        self.start.take().map(|(_, output)| (place, output))
    }

    /// The same for one layer: its output if the run begins there, else `input`, which nobody reads.
    pub(crate) fn start_at(&mut self, name: &str, input: Tensor<4>) -> Tensor<4> {
        match &self.start {
            Some((layer, _)) if *layer == name => {
                self.start.take().map_or(input, |(_, output)| output)
            }
            _ => input,
        }
    }
}
