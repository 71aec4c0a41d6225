//! Sizes to test with, and plain sums of products.

use proptest::prelude::*;

use crate::*;

pub(super) fn activated(activation: Activation, value: f64) -> f64 {
    match activation {
        Activation::Linear => value,
        Activation::Relu => value.max(0.0),
        Activation::LeakyRelu(slope) => value.max(value * f64::from(slope)),
        Activation::ClippedRelu(limit) => value.max(0.0).min(f64::from(limit)),
    }
}

/// A convolution or a pooling: sizes of everything.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) input: Shape,
    pub(super) output: Shape,
    pub(super) window: Window,
    pub(super) activation: Activation,
    pub(super) shortcut: bool,
    pub(super) groups: usize,
}

impl Case {
    /// Numbers of the kernel.
    pub(super) fn weights(&self) -> usize {
        let [high, wide] = self.window.size;
        high * wide * self.input.channels / self.groups * self.output.channels
    }

    /// The positions of the input under an output position, with their tap.
    pub(super) fn taps(&self, y: usize, x: usize) -> impl Iterator<Item = (usize, usize, usize)> {
        let Window { size, strides, before, dilation } = self.window;
        let input = self.input;
        let at = move |tap: usize| {
            let (row, column) = (tap / size[1] * dilation[0], tap % size[1] * dilation[1]);
            let (down, right) = (y * strides[0] + row, x * strides[1] + column);
            let (down, right) = (down.checked_sub(before[0])?, right.checked_sub(before[1])?);
            (down < input.height && right < input.width).then_some((tap, down, right))
        };
        (0..size[0] * size[1]).filter_map(at)
    }

    pub(super) fn convolved(
        &self,
        x: &[f32],
        kernel: &[f32],
        bias: &[f32],
        shortcut: Option<&[f32]>,
    ) -> Vec<f64> {
        let (input, output) = (self.input, self.output);
        let own = input.channels / self.groups;
        let mut values = Vec::with_capacity(output.len());
        for position in 0..output.positions() {
            let image = position / output.width / output.height;
            let (down, right) = (position / output.width % output.height, position % output.width);
            for filter in 0..output.channels {
                let first = filter / (output.channels / self.groups) * own;
                let mut sum = f64::from(bias[filter]);
                for (tap, y, x_at) in self.taps(down, right) {
                    let from = ((image * input.height + y) * input.width + x_at) * input.channels;
                    for channel in 0..own {
                        let weight = kernel[(tap * own + channel) * output.channels + filter];
                        sum += f64::from(x[from + first + channel]) * f64::from(weight);
                    }
                }
                sum += shortcut.map_or(0.0, |s| f64::from(s[values.len()]));
                values.push(activated(self.activation, sum));
            }
        }
        values
    }
}

/// Sizes such as a network has them, small, and odd ones: one pixel, a single channel, windows that
/// reach over every border.
pub(super) fn cases() -> impl Strategy<Value = Case> {
    let line = prop_oneof![Just([1, 3]), Just([3, 1]), Just([1, 7]), Just([7, 1])];
    let sizes = prop_oneof![
        2 => Just([3, 3]),
        1 => Just([5, 5]),
        2 => line,
        2 => Just([1, 1]),
        2 => [1..6_usize, 1..6_usize],
    ];
    let strides = prop_oneof![3 => Just([1, 1]), 2 => Just([2, 2]), 1 => [1..4_usize, 1..4_usize]];
    let channels = || prop_oneof![1..9_usize, Just(16), Just(32), Just(33), Just(48)];
    let activation = prop_oneof![
        Just(Activation::Linear),
        Just(Activation::Relu),
        Just(Activation::LeakyRelu(0.01)),
        Just(Activation::ClippedRelu(0.5))
    ];
    let input = (1..3_usize, 1..14_usize, 1..14_usize, channels());
    (input, sizes, strides, [0..3_usize, 0..3_usize], channels(), activation, any::<bool>())
        .prop_map(
            |(
                (batch, height, width, channels),
                size,
                strides,
                pads,
                filters,
                activation,
                shortcut,
            )| {
                let before = [pads[0].min(size[0] - 1), pads[1].min(size[1] - 1)];
                let input = Shape { batch, height, width, channels };
                let window = Window { size, strides, before, dilation: [1, 1] };
                let output = output(input, window, filters);
                Case { input, output, window, activation, shortcut, groups: 1 }
            },
        )
}

/// As many windows as begin inside the map.
fn output(input: Shape, window: Window, filters: usize) -> Shape {
    let windows =
        |axis: usize, size: usize| (window.before[axis] + size - 1) / window.strides[axis] + 1;
    let (height, width) = (windows(0, input.height), windows(1, input.width));
    Shape { height, width, channels: filters, ..input }
}

/// The same with gaps in the windows, and with groups: of one channel and one filter each, of one
/// channel and some filters, and of some of both.
pub(super) fn grouped() -> impl Strategy<Value = Case> {
    let own = || prop_oneof![1..9_usize, Just(16), Just(24), Just(32)];
    let groups = prop_oneof![
        2 => (prop_oneof![1..40_usize, Just(64)], Just(1), Just(1)),
        1 => (1..12_usize, Just(1), 2..4_usize),
        2 => (1..5_usize, own(), own()),
        2 => (1..20_usize, 1..5_usize, prop_oneof![Just(2_usize), Just(4), Just(8)]),
    ];
    let dilation = prop_oneof![Just([1, 1]), [1..4_usize, 1..4_usize]];
    (cases(), groups, dilation, [0..7_usize, 0..7_usize]).prop_map(
        |(case, (groups, channels, filters), dilation, pads)| {
            let window = Window { dilation, ..case.window };
            let before = [0, 1].map(|axis| pads[axis].min(window.extent(axis) - 1));
            let window = Window { before, ..window };
            let input = Shape { channels: groups * channels, ..case.input };
            let output = output(input, window, groups * filters);
            Case { input, output, window, groups, ..case }
        },
    )
}
