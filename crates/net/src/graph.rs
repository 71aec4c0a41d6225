//! A network that is nothing but its layer table.

use burn::tensor::Tensor;

use crate::layers::{
    ActivationLayer, AvgPool2d, BatchNorm2d, Conv2d, ConvTranspose2d, MaxPool2d, Multiply, Norm,
    Prelu, Resizing, Sum, Units, ZeroPadding, compute, in_blocks, total,
};
use crate::{
    Arch, ChannelOrder, InputSpec, Interpolation, Layer, LayerTable, LoadError, Loader, Network,
    Op, Outputs, Trace, Variant,
};

/// Any network that is run as its file describes it. Input, layers and the layer that is explained are the file's:
/// those of the variant stand for nothing.
pub static GRAPH: Arch = Arch {
    name: "graph",
    title: "Graph",
    classes: &[],
    variants: &[Variant {
        name: "file",
        input: InputSpec::scaled(1, ChannelOrder::Rgb, 1.0),
        outputs: Outputs::Any,
        cam_layer: "",
        layers: || LayerTable::new("input", [1, 1, 3]),
        neurons: None,
        build: Graph::build,
    }],
};

/// A network made from any [`LayerTable`]. It runs the layers that a module of its own would run, in the table's
/// order, and holds an output no longer than until its last reader has run.
pub struct Graph {
    steps: Vec<Step>,
    /// Layers of the table, the input included.
    layers: usize,
}

/// Layers that are computed together. Values are named by the place of their layer in the table.
struct Step {
    operation: Operation,
    inputs: Vec<usize>,
    output: usize,
    /// Values that no later step reads.
    freed: Vec<usize>,
}

enum Operation {
    Activation(ActivationLayer),
    AveragePooling(AvgPool2d),
    BatchNormalization(BatchNorm2d),
    Convolution(Conv2d),
    /// The second input is the shortcut.
    ConvolutionAndSum(Conv2d, Sum),
    Dense(Units),
    MaxPooling(MaxPool2d),
    Normalization(Norm),
    Prelu(Prelu),
    /// A map, and one factor a channel.
    Product(Multiply),
    /// A map, one factor a channel, and the shortcut.
    ProductAndSum(Multiply, Sum),
    Resizing(Resizing),
    /// A convolution of each channel, which is no layer, and one of each position.
    Separable(Box<[Conv2d; 2]>),
    Sum(Sum),
    TransposedConvolution(ConvTranspose2d),
    WithoutWeights(Layer),
    ZeroPadding(ZeroPadding),
}

impl Graph {
    /// Makes every layer of the loader's table.
    ///
    /// # Errors
    ///
    /// If the source lacks a weight, has it in another shape, or cannot read it.
    ///
    /// # Panics
    ///
    /// If the table holds generated code.
    pub fn build(loader: &mut Loader<'_>) -> Result<Box<dyn Network>, LoadError> {
        let mut steps: Vec<Step> = Vec::new();
        while let Some(layer) = loader.upcoming() {
            let inputs = layer.inputs.clone();
            let operation = Operation::load(loader, layer)?;
            let step = Step { operation, inputs, output: loader.last_made(), freed: Vec::new() };
            let step = match steps.pop() {
                Some(before) if is_summand(loader.table(), &before, &step) => before.joined(step),
                before => {
                    steps.extend(before);
                    step
                }
            };
            steps.push(step);
        }
        let layers = loader.table().layers().len();
        let mut is_read_later = vec![false; layers];
        for step in steps.iter_mut().rev() {
            for &input in &step.inputs {
                if !std::mem::replace(&mut is_read_later[input], true) {
                    step.freed.push(input);
                }
            }
        }
        Ok(Box::new(Self { steps, layers }))
    }
}

/// Whether a step computes what the next, a sum, adds to something else, and what nothing else reads.
fn is_summand(table: &LayerTable, step: &Step, sum: &Step) -> bool {
    let readers = table.layers().iter().filter(|layer| layer.inputs.contains(&step.output));
    let can_be = matches!(step.operation, Operation::Convolution(_) | Operation::Product(_));
    let is_sum = matches!(sum.operation, Operation::Sum(_));
    can_be
        && is_sum
        && readers.count() == 1
        && match sum.inputs[..] {
            [a, b] => a != b && (a == step.output || b == step.output),
            _ => false,
        }
}

impl Step {
    /// This step and the sum behind it as one.
    fn joined(mut self, next: Self) -> Self {
        self.inputs.extend(next.inputs.into_iter().filter(|&input| input != self.output));
        let operation = match (self.operation, next.operation) {
            (Operation::Convolution(conv), Operation::Sum(sum)) => {
                Operation::ConvolutionAndSum(conv, sum)
            }
            (Operation::Product(product), Operation::Sum(sum)) => {
                Operation::ProductAndSum(product, sum)
            }
            _ => unreachable!("only these two come before a sum"),
        };
        Self { operation, output: next.output, ..self }
    }
}

impl Operation {
    /// Makes the next layer, which is this, with those that are computed with it.
    fn load(loader: &mut Loader<'_>, layer: &Layer) -> Result<Self, LoadError> {
        let table = loader.table().layers();
        let shape = |input: usize| table[input].output;
        Ok(match layer.op {
            Op::Conv2D { .. } | Op::DepthwiseConv2D { .. } => Self::Convolution(loader.conv2d()?),
            Op::SeparableConv2D { .. } => Self::Separable(Box::new(loader.separable_conv2d()?)),
            Op::Conv2DTranspose { .. } => Self::TransposedConvolution(loader.conv2d_transpose()?),
            Op::Dense { .. } => Self::Dense(loader.dense()?),
            Op::LayerNormalization { .. } | Op::GroupNormalization { .. } | Op::LayerScale => {
                Self::Normalization(loader.norm()?)
            }
            Op::PReLU { .. } => Self::Prelu(loader.prelu()?),
            Op::BatchNormalization { .. } => Self::BatchNormalization(loader.batch_norm()?),
            Op::MaxPooling2D { .. } => Self::MaxPooling(loader.max_pool2d()),
            Op::AveragePooling2D { .. } => Self::AveragePooling(loader.avg_pool2d()),
            Op::ZeroPadding2D { .. } => Self::ZeroPadding(loader.zero_padding()),
            Op::Resizing { interpolation: Interpolation::Bilinear, .. } => {
                Self::Resizing(loader.resizing())
            }
            Op::Add if layer.inputs.iter().all(|&input| shape(input) == layer.output) => {
                Self::Sum(loader.sum())
            }
            Op::Multiply
                if layer.inputs.len() == 2
                    && shape(layer.inputs[0]) == layer.output
                    && shape(layer.inputs[1]) == [1, 1, layer.output[2]] =>
            {
                Self::Product(loader.multiply())
            }
            Op::Activation { .. } | Op::LeakyReLU { .. } | Op::ReLU { .. } | Op::ELU { .. } => {
                Self::Activation(loader.activation())
            }
            _ => Self::WithoutWeights(loader.without_weights().clone()),
        })
    }

    /// # Shapes
    ///
    /// `[batch, channels, height, width]` each.
    fn forward(&self, mut inputs: Vec<Tensor<4>>, trace: &mut Trace<'_>) -> Tensor<4> {
        if let Self::WithoutWeights(layer) = self {
            if trace.is_before_start() {
                return trace.start_at(&layer.name, inputs.swap_remove(0));
            }
            let output = compute(&layer.op, inputs, layer.output, trace.rectifier());
            return trace.layer(&layer.name, output);
        }
        let last = inputs.pop().expect("a layer reads another");
        // Whoever holds a map keeps its memory from being used again.
        let others = inputs.len();
        let mut first = || inputs.remove(0);
        match (self, others) {
            (Self::Activation(layer), 0) => layer.forward(last, trace),
            (Self::AveragePooling(layer), 0) => layer.forward(last, trace),
            (Self::BatchNormalization(layer), 0) => layer.forward(last, trace),
            (Self::Convolution(layer), 0) => layer.forward(last, trace),
            (Self::Dense(Units::Map(layer)), 0) => layer.forward(last, trace),
            (Self::Dense(Units::Vector(name, layer)), 0) => {
                if trace.is_before_start() {
                    return trace.start_at(name, last);
                }
                let rectifier = trace.rectifier();
                let [_, channels, ..] = last.dims();
                let units = in_blocks(last, |block| {
                    let [batch, ..] = block.dims();
                    layer.forward(block.reshape([batch, channels]), rectifier)
                });
                let [batch, count] = units.dims();
                trace.layer(name, units.reshape([batch, count, 1, 1]))
            }
            (Self::MaxPooling(layer), 0) => layer.forward(last, trace),
            (Self::Normalization(layer), 0) => layer.forward(last, trace),
            (Self::Prelu(layer), 0) => layer.forward(last, trace),
            (Self::Resizing(layer), 0) => layer.forward(last, trace),
            (Self::Separable(halves), 0) => {
                let [first, second] = &**halves;
                if trace.is_before_start() {
                    return second.forward(last, trace);
                }
                second.forward(first.without_trace(last, trace.rectifier()), trace)
            }
            (Self::TransposedConvolution(layer), 0) => layer.forward(last, trace),
            (Self::ZeroPadding(layer), 0) => layer.forward(last, trace),
            (Self::ConvolutionAndSum(layer, sum), 1) => {
                layer.forward_onto(first(), last, sum, trace)
            }
            (Self::Product(layer), 1) => layer.forward(first(), last, trace),
            (Self::ProductAndSum(layer, sum), 2) => {
                layer.forward_onto(first(), first(), last, sum, trace)
            }
            (Self::Sum(layer), 1..) => layer.forward(total(inputs, trace), last, trace),
            _ => unreachable!("the table has as many inputs as the layer reads"),
        }
    }
}

impl Network for Graph {
    fn features(&self, images: Tensor<4>, trace: &mut Trace<'_>) -> Tensor<4> {
        let mut values: Vec<Option<Tensor<4>>> = vec![None; self.layers];
        values[0] = Some(images);
        for step in &self.steps {
            let read = |&input: &usize| values[input].clone().expect("computed before it is read");
            let inputs = step.inputs.iter().map(read).collect();
            // Before the step runs, so that it may reuse their memory.
            step.freed.iter().for_each(|&input| values[input] = None);
            values[step.output] = Some(step.operation.forward(inputs, trace));
        }
        values.pop().flatten().expect("the last layer was computed")
    }
}
