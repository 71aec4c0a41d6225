//! Convolution with bias, shortcut and activation.

use crate::depthwise::{self, Depthwise};
use crate::direct::{Direct, Finish};
use crate::layout::pad;
use crate::narrow::Narrow;
use crate::panels::Panels;
use crate::parallel::scratch;
use crate::pooled;
use crate::shape::{Shape, Window};
use crate::simd::{Level, Tiling};
use crate::tile::Activation;
use crate::winograd::{self, Scheme, Stem, StemWeights, Winograd};

/// Inputs with fewer channels get their border of zeros first, so that a row of a window is one
/// run.
pub(crate) const FEW_CHANNELS: usize = 8;

/// Which way a convolution may be computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arithmetic {
    /// The fastest: Winograd's method for kernels of some sizes with stride 1, whose rounding errors are of
    /// the size of those of plain sums.
    #[default]
    Fast,
    /// Plain sums of products throughout.
    Exact,
}

/// A convolution with its weights, ready to run.
#[derive(Debug)]
pub struct Convolution {
    window: Window,
    channels: usize,
    filters: usize,
    bias: Vec<f32>,
    method: Method,
    level: Level,
}

#[derive(Debug)]
enum Method {
    Depthwise(depthwise::Weights),
    Direct(Panels),
    /// As `Direct`, over rows of a padded copy of the input.
    Rows(Panels),
    Stem(StemWeights),
    Winograd(winograd::Weights),
}

/// A kernel and what follows it.
pub struct Weights<'a> {
    /// `[height, width, channels / groups, filters]`, row-major.
    pub kernel: &'a [f32],
    /// Factor of each filter, by which the kernel is multiplied, if any.
    pub scale: Option<&'a [f32]>,
    /// Added to each filter's sum.
    pub bias: &'a [f32],
    /// Groups of channels, each with as many neighbouring filters of its own; 1 where every filter
    /// sees every channel.
    pub groups: usize,
}

impl Weights<'_> {
    /// Channels of a group, of so many in all.
    pub(crate) fn channels(&self, channels: usize) -> usize {
        let (groups, filters) = (self.groups, self.bias.len());
        let even = groups > 0 && channels.is_multiple_of(groups) && filters.is_multiple_of(groups);
        assert!(even, "channels and filters are shared among the groups");
        channels / groups
    }
}

impl Convolution {
    /// Prepares a convolution for this processor.
    ///
    /// # Panics
    ///
    /// If the weights do not have the sizes of the window, `channels` and the bias, or channels or
    /// filters cannot be shared evenly among the groups.
    #[must_use]
    pub fn new(window: Window, channels: usize, weights: &Weights<'_>, how: Arithmetic) -> Self {
        Self::at(Level::best(), window, channels, weights, how)
    }

    /// The same for an instruction set.
    ///
    /// # Panics
    ///
    /// As [`new`](Self::new).
    #[must_use]
    pub fn at(
        level: Level,
        window: Window,
        channels: usize,
        weights: &Weights<'_>,
        how: Arithmetic,
    ) -> Self {
        let (groups, filters) = (weights.groups, weights.bias.len());
        let (own, [high, wide]) = (weights.channels(channels), window.size);
        let depth = high * wide * own;
        assert_eq!(weights.kernel.len(), depth * filters, "the kernel fits the window");
        assert!(weights.scale.is_none_or(|s| s.len() == filters), "a factor for each filter");
        let tiling = level.tile();
        let few = channels < FEW_CHANNELS && groups == 1 && window.is_dense();
        let narrow = Narrow::new(tiling.lanes, groups, [channels, filters]);
        let scheme = Scheme::find(window, own, filters / groups, tiling);
        let scheme = scheme.filter(|_| how == Arithmetic::Fast);
        let method = if groups > 1 && groups == channels && groups == filters {
            Method::Depthwise(depthwise::Weights::new(weights, None))
        } else if narrow.is_some() {
            Method::Depthwise(depthwise::Weights::new(weights, narrow))
        } else if few && !window.is_point() {
            let stem = (how == Arithmetic::Fast)
                .then(|| StemWeights::new(window, channels, weights, tiling));
            match stem.flatten() {
                Some(stem) => Method::Stem(stem),
                None => Method::Rows(pack(weights, depth, tiling)),
            }
        } else if let Some(scheme) = scheme {
            Method::Winograd(winograd::Weights::new(level, scheme, weights, own))
        } else {
            Method::Direct(pack(weights, depth, tiling))
        };
        let mut bias = weights.bias.to_vec();
        bias.resize(filters.next_multiple_of(tiling.width()), 0.0);
        Self { window, channels, filters, bias, method, level }
    }

    /// Numbers at each position of the output.
    #[must_use]
    pub fn filters(&self) -> usize {
        self.filters
    }

    /// The window, whose border is at the top and left.
    #[must_use]
    pub fn window(&self) -> Window {
        self.window
    }

    /// Convolves `input` into `output`, both with the channels of a position next to each other.
    /// `shortcut`, of the output's shape, is added before the activation.
    ///
    /// # Panics
    ///
    /// If a shape and its numbers, or the shapes, do not fit.
    pub fn run(
        &self,
        (input, input_shape): (&[f32], Shape),
        (output, output_shape): (&mut [f32], Shape),
        shortcut: Option<&[f32]>,
        activation: Activation,
    ) {
        let finish = Finish { bias: &self.bias, factors: None, shortcut, activation };
        self.run_with((input, input_shape), (output, output_shape), finish);
    }

    /// Whether results can be [multiplied by factors](Self::run_scaled).
    #[must_use]
    pub fn can_scale(&self) -> bool {
        matches!(self.method, Method::Direct(_))
    }

    /// As [`run`](Self::run), with results that are multiplied by `factors`, `[batch, filters]`, before the
    /// shortcut is added.
    ///
    /// # Panics
    ///
    /// As [`run`](Self::run), or if it [cannot](Self::can_scale).
    pub fn run_scaled(
        &self,
        (input, input_shape): (&[f32], Shape),
        (output, output_shape): (&mut [f32], Shape),
        factors: &[f32],
        shortcut: Option<&[f32]>,
        activation: Activation,
    ) {
        assert!(self.can_scale(), "results that can be scaled");
        let sizes = output_shape.batch * output_shape.channels;
        assert_eq!(factors.len(), sizes, "a factor for each channel");
        let factors = Some(factors);
        let finish = Finish { bias: &self.bias, factors, shortcut, activation };
        self.run_with((input, input_shape), (output, output_shape), finish);
    }

    fn run_with(
        &self,
        (input, input_shape): (&[f32], Shape),
        (output, output_shape): (&mut [f32], Shape),
        finish: Finish<'_>,
    ) {
        assert_eq!(input_shape.channels, self.channels, "the kernel's channels");
        assert_eq!(output_shape.channels, self.filters, "a channel for each filter");
        assert_eq!(input_shape.batch, output_shape.batch, "as many images");
        let (level, window) = (self.level, self.window);
        match &self.method {
            Method::Depthwise(weights) => {
                Depthwise { level, weights, window, finish, input, input_shape, output_shape }
                    .run(output);
            }
            Method::Direct(weights) => {
                Direct { level, weights, window, finish, input, input_shape, output_shape }
                    .run(output);
            }
            Method::Rows(weights) => {
                let map = (input, input_shape);
                self.rows(weights, map, finish, output_shape, |direct, depth| {
                    direct.run_deep(depth, output);
                });
            }
            Method::Stem(weights) => {
                Stem { level, weights, window, finish, input, input_shape, output_shape }
                    .run(output);
            }
            Method::Winograd(weights) => {
                let pooled = false;
                let shapes = (input_shape, output_shape);
                self.winograd(weights, input, shapes, finish, pooled).run(output);
            }
        }
    }

    /// Whether [`run_pooled`](Self::run_pooled) can take the largest values of these windows of its results,
    /// which become as many as `pooled` says.
    #[must_use]
    pub fn can_pool(&self, pool: Window, results: Shape, pooled: Shape) -> bool {
        pooled::are_tiles(pool, results, pooled)
            && match &self.method {
                Method::Direct(_) | Method::Rows(_) | Method::Stem(_) => true,
                Method::Winograd(weights) => {
                    let side = winograd::POOLED;
                    let whole = [pooled.height * side, pooled.width * side];
                    weights.can_pool()
                        && pool.size == [side; 2]
                        && [results.height, results.width] == whole
                }
                Method::Depthwise(_) => false,
            }
    }

    /// As [`run`](Self::run), and takes the largest value of each window of the results, which are `[batch,
    /// height, width, filters]` of `results`: they are not written.
    ///
    /// # Panics
    ///
    /// As [`run`](Self::run), or if it [cannot](Self::can_pool).
    pub fn run_pooled(
        &self,
        (input, input_shape): (&[f32], Shape),
        (results, pool): (Shape, Window),
        (output, output_shape): (&mut [f32], Shape),
        activation: Activation,
    ) {
        assert_eq!(input_shape.channels, self.channels, "the kernel's channels");
        assert_eq!(results.channels, self.filters, "a channel for each filter");
        assert_eq!(input_shape.batch, results.batch, "as many images");
        assert!(self.can_pool(pool, results, output_shape), "windows that can be pooled");
        let (factors, shortcut) = (None, None);
        let finish = Finish { bias: &self.bias, factors, shortcut, activation };
        let (level, window) = (self.level, self.window);
        match &self.method {
            Method::Direct(weights) => {
                let (depth, output_shape, pooled) = (input_shape.channels, results, output_shape);
                let direct =
                    Direct { level, weights, window, finish, input, input_shape, output_shape };
                pooled::run(level, (results, pool), (output, pooled), |image, rows, target| {
                    direct.rows(image, rows, depth, target);
                });
            }
            Method::Rows(weights) => {
                self.rows(weights, (input, input_shape), finish, results, |direct, depth| {
                    let output = (output, output_shape);
                    pooled::run(level, (results, pool), output, |image, rows, target| {
                        direct.rows(image, rows, depth, target);
                    });
                });
            }
            Method::Stem(weights) => {
                let (output_shape, pooled) = (results, output_shape);
                let stem =
                    Stem { level, weights, window, finish, input, input_shape, output_shape };
                pooled::run(level, (results, pool), (output, pooled), |image, rows, target| {
                    stem.rows(image, rows, target);
                });
            }
            Method::Winograd(weights) => {
                let shapes = (input_shape, results);
                self.winograd(weights, input, shapes, finish, true).run(output);
            }
            Method::Depthwise(_) => unreachable!("it cannot be pooled"),
        }
    }

    fn winograd<'a>(
        &self,
        weights: &'a winograd::Weights,
        input: &'a [f32],
        (input_shape, output_shape): (Shape, Shape),
        finish: Finish<'a>,
        pooled: bool,
    ) -> Winograd<'a> {
        let (level, window) = (self.level, self.window);
        Winograd { level, weights, window, finish, input, input_shape, output_shape, pooled }
    }

    /// Pads the input, so that each row of a window is one run of `width * channels` numbers, and runs
    /// what is to be computed of that, with the depth of a tap.
    fn rows(
        &self,
        weights: &Panels,
        (input, shape): (&[f32], Shape),
        finish: Finish<'_>,
        output_shape: Shape,
        run: impl FnOnce(&Direct<'_>, usize),
    ) {
        let Window { size, strides, before, dilation } = self.window;
        // Zeros behind the border, up to the end of the last window.
        let after = |axis: usize, windows: usize, inputs: usize| {
            let needed = (windows.max(1) - 1) * strides[axis] + size[axis];
            needed.saturating_sub(before[axis] + inputs)
        };
        let below = after(0, output_shape.height, shape.height);
        let right = after(1, output_shape.width, shape.width);
        let padding = [[before[0], below], [before[1], right]];
        let padded = Shape {
            height: before[0] + shape.height + below,
            width: before[1] + shape.width + right,
            ..shape
        };
        scratch(padded.len(), |near| {
            pad(input, near, shape, padding);
            // One tap a row, as deep as the row of the window is long.
            let window = Window { size: [size[0], 1], strides, before: [0, 0], dilation };
            let (level, input, input_shape) = (self.level, &*near, padded);
            let direct =
                Direct { level, weights, window, finish, input, input_shape, output_shape };
            run(&direct, size[1] * shape.channels);
        });
    }
}

/// The kernel as a matrix of `depth` rows for each group, its filters scaled.
fn pack(weights: &Weights<'_>, depth: usize, tiling: Tiling) -> Panels {
    let (groups, filters) = (weights.groups, weights.bias.len());
    let mut panels = Panels::zeros(groups, depth, filters / groups, tiling);
    let mut row = vec![0.0; tiling.width()];
    for columns in panels.ranges() {
        let row = &mut row[..columns.len()];
        for k in 0..depth {
            row.copy_from_slice(&weights.kernel[k * filters..][columns.clone()]);
            if let Some(scale) = weights.scale {
                row.iter_mut().zip(&scale[columns.clone()]).for_each(|(w, s)| *w *= s);
            }
            panels.set(k, columns.start, row);
        }
    }
    panels
}
