//! Seeing, and replacing, the output of a layer while the network runs.

use burn::tensor::Tensor;

type Observer<'a> = &'a mut dyn FnMut(&str, Tensor<4>) -> Tensor<4>;

/// Stands where PyTorch has hooks: every layer hands its output to the trace and goes on with
/// what the trace gives back.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use burncam_net::Trace;
///
/// let mut seen = Vec::new();
/// let mut observer = |name: &str, output: Tensor<4>| {
///     seen.push(name.to_owned());
///     output
/// };
/// let mut trace = Trace::new(&mut observer);
/// trace.layer("conv1_1", Tensor::zeros([1, 1, 2, 2], &Device::flex()));
/// assert_eq!(seen, ["conv1_1"]);
/// ```
#[derive(Default)]
pub struct Trace<'a> {
    observer: Option<Observer<'a>>,
    /// The one layer that is seen, if not all are.
    only: Option<&'a str>,
    /// Whether layers that can be computed together are, and only the last of them is seen.
    together: bool,
}

impl<'a> Trace<'a> {
    /// A trace that calls `observer` with each layer's canonical name and output,
    /// `[batch, channels, height, width]`. The returned tensor takes the output's place and must
    /// have its shape.
    pub fn new(observer: Observer<'a>) -> Self {
        Self { observer: Some(observer), ..Self::none() }
    }

    /// A trace that calls `observer` as [`new`](Self::new) does, but with the output of the last layer alone of
    /// those that are computed together.
    pub fn together(observer: Observer<'a>) -> Self {
        Self { observer: Some(observer), together: true, only: None }
    }

    /// A trace that calls `observer` with the output of the layer called `name` alone, so that
    /// the others may be computed together.
    pub fn at(name: &'a str, observer: Observer<'a>) -> Self {
        Self { observer: Some(observer), only: Some(name), together: false }
    }

    /// A trace that sees nothing: the plain forward pass.
    #[must_use]
    pub fn none() -> Self {
        Self { observer: None, only: None, together: false }
    }

    /// Whether the output of the layer called `name` has to be there: whether it is looked at even if it could
    /// be computed together with the next.
    #[must_use]
    pub fn watches(&self, name: &str) -> bool {
        !self.together && self.observer.is_some() && self.only.is_none_or(|only| only == name)
    }

    /// Called by each layer of a network with its output.
    pub fn layer(&mut self, name: &str, output: Tensor<4>) -> Tensor<4> {
        match &mut self.observer {
            Some(observer) if self.only.is_none_or(|only| only == name) => observer(name, output),
            _ => output,
        }
    }
}
