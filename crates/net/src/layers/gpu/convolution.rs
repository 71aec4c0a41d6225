//! Convolution, bias, shortcut and activation in one program.

use burn::tensor::{DType, Device, Tensor, TensorData};
use burncam_kernels::{Activation, Shape, Window};

use super::Map;
use super::function::Function;
use super::launch::{launch, weights};
use super::shader::{Convolving, TILES, Tile};

/// As many workgroups keep the largest GPU busy.
const ENOUGH: usize = 200;

/// A convolution with its weights on a GPU.
#[derive(Clone, Debug)]
pub(crate) struct Convolution {
    /// `[size * channels, filters]`.
    weights: Tensor<2>,
    /// In `f32`, whatever the weights are.
    bias: Tensor<1>,
    window: Window,
    channels: usize,
    filters: usize,
}

impl Convolution {
    /// A convolution of a kernel `[height, width, channels, filters]`, each filter times its `scale`.
    /// `None` where the number of filters is none that the program can do.
    pub(crate) fn new(
        window: Window,
        [channels, filters]: [usize; 2],
        kernel: &[f32],
        scale: Option<&[f32]>,
        bias: &[f32],
        device: &Device,
    ) -> Option<Self> {
        if !filters.is_multiple_of(4) {
            return None;
        }
        let depth = kernel.len() / filters;
        let mut kernel = kernel.to_vec();
        if let Some(scale) = scale {
            for row in kernel.chunks_exact_mut(filters) {
                row.iter_mut().zip(scale).for_each(|(value, factor)| *value *= factor);
            }
        }
        let weights = Tensor::from_data(TensorData::new(kernel, [depth, filters]), device);
        let bias = TensorData::new(bias.to_vec(), [filters]);
        let bias = Tensor::from_data(bias, (device, DType::F32));
        Some(Self { weights, bias, window, channels, filters })
    }

    /// The convolution of a map, with `shortcut` added, then the function.
    ///
    /// # Panics
    ///
    /// If the map has other channels, or is on another device.
    pub(crate) fn run(
        &self,
        input: &Map,
        shortcut: Option<&Map>,
        [height, width]: [usize; 2],
        function: Activation,
    ) -> Map {
        assert_eq!(input.shape.channels, self.channels, "channels of the map");
        let shape = Shape { batch: input.shape.batch, height, width, channels: self.filters };
        let positions = shape.batch * height * width;
        let output = input.room(shape);
        let sizes = [[input.shape.height, input.shape.width], [height, width]];
        let tile = tile(positions, self.filters);
        let program = Convolving::new(self.window, [self.channels, self.filters], sizes, tile);
        let program = Convolving {
            half: input.tensor.dtype == DType::F16,
            onto: shortcut.is_some(),
            function: Function::from_activation(function),
            ..program
        };
        let (own, bias) = (weights(&self.weights), weights(&self.bias));
        assert_eq!(own.dtype, input.tensor.dtype, "precision of the map");
        let reads = [&input.tensor, &own, &bias].into_iter();
        let reads: Vec<_> = reads.chain(shortcut.map(|shortcut| &shortcut.tensor)).collect();
        let groups = [self.filters.div_ceil(tile.columns), positions.div_ceil(tile.rows)];
        launch(program, &reads, &output.tensor, groups, positions);
        output
    }
}

/// The largest tile that leaves no part of a GPU without work.
fn tile(positions: usize, filters: usize) -> Tile {
    let fits = |tile: &&Tile| {
        let groups = positions.div_ceil(tile.rows) * filters.div_ceil(tile.columns);
        filters >= tile.columns && groups >= ENOUGH
    };
    *TILES.iter().find(fits).unwrap_or(&TILES[TILES.len() - 1])
}
