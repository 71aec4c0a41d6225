//! Making a layer table of what a file describes, whatever its format, within limits.

use burncam_net::{Activation, HeadConfig, LayerTable, Op, Output};

use crate::LastNumbers;
use crate::keras::front::LARGEST;

/// Numbers of a layer's output for one image: 256 MiB.
const MOST_NUMBERS: usize = 1 << 26;

/// Positions of windows, times their size, times channels, of all layers for one image. VGG16 at 224 × 224 has 1.5e10.
const MOST_PRODUCTS: u128 = 1 << 42;

/// A value that a layer makes.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Its layer in the table.
    pub(crate) layer: usize,
    /// `[height, width, channels]`; a vector has one position.
    pub(crate) shape: [usize; 3],
    /// Sizes that it has in the file, without the batch: 3 of a map, 1 of a vector.
    pub(crate) rank: usize,
}

/// One operation, and how many sizes its output has in the file.
pub(crate) struct Step {
    pub(crate) op: Op,
    pub(crate) rank: usize,
}

impl Step {
    /// An operation that leaves as many sizes as its input has.
    pub(crate) fn like(op: Op, input: &Place) -> Self {
        Self { op, rank: input.rank }
    }
}

/// A table that is being made.
pub(crate) struct TableBuilder {
    table: LayerTable,
    products: u128,
}

impl TableBuilder {
    /// A table with the input alone.
    pub(crate) fn new(name: &str, op: &Op) -> Result<(Self, Place), String> {
        let &Op::InputLayer { height, width, channels } = op else {
            return Err("it comes before the input".to_owned());
        };
        if !matches!(channels, 1 | 3) {
            return Err(format!(
                "its images have {channels} channels; only 1, grey, and 3 are supported"
            ));
        }
        if [height, width].contains(&0) {
            return Err("it leaves the height and width of images open\nhint: --size states them: --size 224"
                .to_owned());
        }
        if [height, width].iter().any(|side| !(1..=LARGEST).contains(side)) {
            return Err(format!(
                "images are {height} x {width}; each side must be known, and {LARGEST} at most"
            ));
        }
        let shape = [height, width, channels];
        let builder = Self { table: LayerTable::new(name, shape), products: 0 };
        Ok((builder, Place { layer: 0, shape, rank: 3 }))
    }

    /// Adds the operations that a layer is, one behind the other: the last by the layer's name.
    pub(crate) fn add(
        &mut self,
        name: &str,
        inputs: &[Place],
        steps: Vec<Step>,
    ) -> Result<Place, String> {
        let mut read = inputs.to_vec();
        let last = steps.len().saturating_sub(1);
        for (number, Step { op, rank }) in steps.into_iter().enumerate() {
            let shapes: Vec<[usize; 3]> = read.iter().map(|place| place.shape).collect();
            let shape = op.checked_output(&shapes, MOST_NUMBERS)?;
            self.products = self.products.saturating_add(work(&op, &shapes, shape));
            if self.products > MOST_PRODUCTS {
                return Err("with it the network takes more work than any that is known".to_owned());
            }
            let layer = self.table.layers().len();
            let is_last = number == last;
            let name = if is_last { name.to_owned() } else { format!("{name}/{number}") };
            let inputs = read.iter().map(|place| place.layer).collect();
            self.table.append(name, op, inputs, (shape, is_last && rank == 3));
            read = vec![Place { layer, shape, rank }];
        }
        read.into_iter().next().ok_or_else(|| "it is nothing".to_owned())
    }

    pub(crate) fn finish(self) -> LayerTable {
        self.table
    }
}

/// The layer that is explained unless another is asked for: the last with height and width that everything behind
/// it goes through, if there is one.
pub(crate) fn cam_layer(table: &LayerTable) -> Option<String> {
    let is_map = |layer: &&burncam_net::Layer| {
        layer.is_map && layer.output[..2] != [1, 1] && !matches!(layer.op, Op::Dropout)
    };
    let maps = || table.layers().iter().rev().filter(is_map);
    let cut = maps().find(|layer| table.is_cut(&layer.name)).or_else(|| maps().next());
    cut.map(|layer| layer.name.clone())
}

/// Takes off the activation that makes probabilities of the last layer's numbers: the table that ends in logits, the
/// head that reads them, and the activation, if there was one. `stated` says what the last numbers are, where the
/// network may end in anything.
///
/// # Errors
///
/// If the network does not end in one row of classes, or in another activation than is stated.
pub(crate) fn take_output(
    table: &LayerTable,
    stated: Option<LastNumbers>,
) -> Result<(LayerTable, HeadConfig, Option<Activation>), String> {
    let mut ops: Vec<Op> = table.layers().iter().map(|layer| layer.op.clone()).collect();
    let mut last = table.layers().len().saturating_sub(1);
    let mut activation = None;
    while let Some(op) = ops.get_mut(last) {
        match op {
            // They change no number.
            Op::Dropout | Op::Reshape { .. } | Op::Flatten => {}
            Op::Activation { activation: own } => {
                let own = std::mem::replace(own, Activation::Linear);
                if own != Activation::Linear {
                    activation = Some(own);
                    break;
                }
            }
            Op::Dense { activation: own, .. }
            | Op::Conv2D { activation: own, .. }
            | Op::SeparableConv2D { activation: own, .. }
            | Op::DepthwiseConv2D { activation: own, .. } => {
                let own = std::mem::replace(own, Activation::Linear);
                activation = (own != Activation::Linear).then_some(own);
                break;
            }
            _ => break,
        }
        match table.layers().get(last).map(|layer| layer.inputs.as_slice()) {
            Some(&[input]) if reads_once(table, input) => last = input,
            _ => break,
        }
    }
    let has_classes = ends_in_classes(table, last);
    if activation.is_none() && !has_classes && stated.is_none() {
        let class = ops.get(last).map_or("nothing", Op::class);
        return Err(format!(
            "it ends in {class}, without a softmax, a sigmoid or a Dense layer, and may have no classes to \
             explain\n{HINT}"
        ));
    }
    let output = table.last().output;
    let [1, 1, units] = output else {
        let [height, width, channels] = output;
        return Err(format!(
            "it ends in {height} x {width} x {channels} numbers, and a classifier in one row of classes"
        ));
    };
    let own = match activation {
        // Of their logarithms the probabilities are the same.
        Some(Activation::Softmax | Activation::LogSoftmax) => Some(Output::Softmax),
        Some(Activation::Sigmoid) => Some(Output::Sigmoid),
        _ => None,
    };
    let named = |activation: Activation| format!("{activation:?}").to_lowercase();
    let rule = match (own, activation, stated) {
        (Some(own), Some(activation), Some(stated))
            if stated == LastNumbers::Logits || stated.rule(units) != own =>
        {
            let name = named(activation);
            return Err(format!("it ends in a {name}, and --output states something else"));
        }
        (Some(own), ..) => own,
        (None, Some(other), None) => {
            return Err(format!(
                "its last activation is {}, and not softmax, sigmoid or linear\n{HINT}",
                named(other)
            ));
        }
        (None, _, stated) => stated.unwrap_or(LastNumbers::Logits).rule(units),
    };
    if rule == Output::Softmax && units < 2 {
        return Err("a softmax over one neuron is always 1".to_owned());
    }
    let head = HeadConfig::of_logits(units, rule).map_err(|error| error.to_string())?;
    // What is no activation of the output stays in the network.
    let layers = if own.is_some() { table.with_ops(ops) } else { table.clone() };
    Ok((layers, head, activation))
}

const HINT: &str = "hint: if its outputs are the logits of classes, say so: --output logits; or --output softmax or \
                    --output sigmoid, which make probabilities of them";

/// Whether a layer is dense or a convolution, or scales what such a layer makes.
fn ends_in_classes(table: &LayerTable, mut layer: usize) -> bool {
    while let Some(own) = table.layers().get(layer) {
        match (&own.op, own.inputs.as_slice()) {
            (Op::Dense { .. } | Op::Conv2D { .. } | Op::SeparableConv2D { .. }, _) => return true,
            (
                Op::Affine { .. }
                | Op::BatchNormalization { .. }
                | Op::Dropout
                | Op::Reshape { .. }
                | Op::Flatten,
                &[input],
            ) => layer = input,
            _ => return false,
        }
    }
    false
}

fn reads_once(table: &LayerTable, layer: usize) -> bool {
    table.layers().iter().filter(|other| other.inputs.contains(&layer)).count() == 1
}

/// Whether arithmetic with constants comes before the first layer with weights: then the file prepares its own input.
pub(crate) fn prepares_input(table: &LayerTable) -> bool {
    let mut is_front = vec![true];
    for layer in table.layers().iter().skip(1) {
        let reads_front = layer.inputs.iter().all(|&input| is_front.get(input) == Some(&true));
        if reads_front && matches!(layer.op, Op::Affine { .. }) {
            return true;
        }
        is_front.push(reads_front && keeps_pixels(&layer.op));
    }
    false
}

/// Whether an operation gives pixels in other places, or within limits.
fn keeps_pixels(op: &Op) -> bool {
    matches!(
        op,
        Op::Slice { .. }
            | Op::Clip { .. }
            | Op::Reshape { .. }
            | Op::Permute { .. }
            | Op::Concatenate
            | Op::Dropout
            | Op::Resizing { .. }
            | Op::ZeroPadding2D { .. }
    )
}

/// Whether the arithmetic before the first layer with weights makes of pixels what networks are trained with: values
/// a few units apart, or as far apart as pixels. `apart` is how far black and white are in its input.
pub(crate) fn makes_input(table: &LayerTable, apart: f32) -> bool {
    let mut front = vec![Some(apart)];
    for layer in table.layers().iter().skip(1) {
        let mut read = layer.inputs.iter().map(|&input| front.get(input).copied().flatten());
        let read = read.try_fold(0.0_f32, |most, one| Some(most.max(one?)));
        let apart = match &layer.op {
            Op::Affine { scale, .. } => {
                let scale = scale.iter().fold(0.0_f32, |most, scale| most.max(scale.abs()));
                read.map(|read| read * scale)
            }
            op if keeps_pixels(op) => read,
            _ => None,
        };
        front.push(apart);
    }
    let behind = |layer: &burncam_net::Layer, place: usize| {
        let inputs = layer.inputs.iter().filter_map(|&input| front.get(input).copied().flatten());
        let is_behind = matches!(front.get(place), Some(None));
        inputs.filter(move |_| is_behind).collect::<Vec<f32>>()
    };
    let fed = table.layers().iter().enumerate().flat_map(|(place, layer)| behind(layer, place));
    fed.into_iter().all(|apart| apart <= MOST_APART || PIXELS_APART.contains(&apart))
}

/// Of images less ImageNet's mean and divided by its deviation, black and white are 4.4 apart.
const MOST_APART: f32 = 16.0;

/// Of pixels, less a mean perhaps.
const PIXELS_APART: std::ops::RangeInclusive<f32> = 250.0..=260.0;

/// Products, or comparisons, of one image, so that windows without weights are bounded, too.
fn work(op: &Op, inputs: &[[usize; 3]], output: [usize; 3]) -> u128 {
    let depth = inputs.first().map_or(0, |input| input[2]);
    let (window, depth) = match *op {
        Op::Conv2D { kernel_size, groups, .. } => (kernel_size, depth.div_euclid(groups.max(1))),
        Op::Conv2DTranspose { kernel_size, .. } => (kernel_size, depth),
        Op::SeparableConv2D { kernel_size: [height, width], .. } => {
            ([height.saturating_mul(width).saturating_add(1), 1], depth)
        }
        Op::DepthwiseConv2D { kernel_size, .. } => (kernel_size, 1),
        Op::Dense { .. } => ([1, 1], depth),
        Op::MaxPooling2D { pool_size, .. } | Op::AveragePooling2D { pool_size, .. } => {
            (pool_size, 1)
        }
        _ => ([1, 1], 1),
    };
    let all = window.into_iter().chain([depth]).chain(output);
    all.fold(1, |product, size| product.saturating_mul(size as u128))
}
