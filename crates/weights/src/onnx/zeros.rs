//! The padding of a convolution, wherever a file has it.

use burncam_net::{LayerTable, Op, Padding};

use crate::keras::config::Node;
use crate::onnx::slide::{Sides, same_pads};

/// The zeros around what a convolution reads, before and after, in height and width.
pub(crate) struct Zeros {
    /// By the table.
    pub(crate) expected: Sides,
    /// By the file.
    pub(crate) given: Sides,
    pub(crate) alike: bool,
    /// The layer of the table whose output is padded.
    pub(crate) source: usize,
}

impl Zeros {
    /// `op` is the convolution as the file has it, `stored` what a layer before it pads by.
    #[expect(clippy::indexing_slicing, reason = "places in the table, which are the table's own")]
    pub(crate) fn new(table: &LayerTable, index: usize, op: &Op, stored: Option<Sides>) -> Self {
        let layers = table.layers();
        let before = layers[index].inputs[0];
        let (explicit, source) = match layers[before].op {
            Op::ZeroPadding2D { padding } => (padding, layers[before].inputs[0]),
            _ => ([[0; 2]; 2], before),
        };
        let padding = |op: &Op| match op {
            Op::Conv2D { padding, .. } => *padding,
            _ => Padding::Valid,
        };
        let own = |padding, layer: usize| {
            let Op::Conv2D { kernel_size: [k, l], strides: [s, t], .. } = *op else {
                return [[0; 2]; 2];
            };
            let [height, width, _] = layers[layer].output;
            [same_pads(padding, height, k, s), same_pads(padding, width, l, t)]
        };
        let wanted = padding(&layers[index].op);
        let expected = sum(explicit, own(wanted, before));
        let (given, alike) = match (stored, padding(op)) {
            // Both a layer and the convolution pad: only if they do in the network, too.
            (Some(stored), Padding::Same) => {
                (stored, (explicit, wanted) == (stored, Padding::Same))
            }
            (Some(stored), Padding::Valid | Padding::Around(_)) => (stored, expected == stored),
            (None, padding) => (own(padding, source), expected == own(padding, source)),
        };
        Self { expected, given, alike, source }
    }
}

/// What a layer pads by, if it does nothing else.
pub(crate) fn pads(node: &Node) -> Option<Sides> {
    match node.op {
        Ok(Op::ZeroPadding2D { padding }) => Some(padding),
        _ => None,
    }
}

fn sum(a: Sides, b: Sides) -> Sides {
    let both = |[a, b]: [usize; 2], [c, d]: [usize; 2]| [a.saturating_add(c), b.saturating_add(d)];
    let ([vertical, horizontal], [more_vertical, more_horizontal]) = (a, b);
    [both(vertical, more_vertical), both(horizontal, more_horizontal)]
}
