//! How a weight in Keras's layout is made of an ONNX tensor.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::onnx::tensor::Tensor;
use crate::onnx::value::Axis;
use crate::onnx::wire::WireFile;
use crate::store::BoxError;

/// Where a weight's numbers come from.
#[derive(Clone)]
pub(crate) enum Recipe {
    Tensor(Tensor, Order),
    /// The same number throughout.
    Filled {
        value: f32,
        count: usize,
    },
}

/// How a tensor's numbers stand, compared with Keras.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Order {
    Same,
    /// The same, subtracted rather than added.
    Negated,
    /// A convolution's `[out, in, height, width]`; Keras has `[height, width, in, out]`.
    Kernel([usize; 4]),
    /// A matrix of `rows` and `columns`, or its transpose, whose rows belong to a map that was
    /// flattened in this order.
    Rows {
        rows: usize,
        columns: usize,
        transposed: bool,
        flat: Vec<(Axis, usize)>,
    },
}

impl Order {
    /// The numbers in Keras's order.
    fn apply(&self, values: Vec<f32>) -> Vec<f32> {
        match self {
            Self::Same => values,
            Self::Negated => values.into_iter().map(|value| -value).collect(),
            Self::Kernel([out, inputs, height, width]) => {
                let area = height * width;
                let place = |at: usize| {
                    let (o, rest) = (at % out, at / out);
                    let (i, position) = (rest % inputs, rest / inputs);
                    (o * inputs + i) * area + position
                };
                (0..values.len()).map(|at| values[place(at)]).collect()
            }
            Self::Rows { rows, columns, transposed, flat } => {
                let order = row_order(flat, *rows);
                let row = |row: usize| order.as_ref().map_or(row, |order| order[row]);
                let place = |at: usize| {
                    let (r, c) = (row(at / columns), at % columns);
                    if *transposed { c * rows + r } else { r * columns + c }
                };
                (0..values.len()).map(|at| values[place(at)]).collect()
            }
        }
    }
}

/// For each row as Keras flattens (height, width, channel), which one it is in the file.
fn row_order(flat: &[(Axis, usize)], rows: usize) -> Option<Vec<usize>> {
    if flat.iter().map(|(_, size)| size).product::<usize>() != rows {
        return None;
    }
    // How far apart neighbours along an axis are in the file.
    let stride = |axis: Axis| {
        let place = flat.iter().position(|(own, _)| *own == axis)?;
        Some(flat[place + 1..].iter().map(|(_, size)| size).product::<usize>())
    };
    let size = |axis| flat.iter().find(|(own, _)| *own == axis).map_or(1, |(_, size)| *size);
    let axes = [Axis::Height, Axis::Width, Axis::Channel];
    let (sizes, strides) = (axes.map(size), axes.map(|axis| stride(axis).unwrap_or(0)));
    let place = |row: usize| {
        let (channel, rest) = (row % sizes[2], row / sizes[2]);
        let (column, line) = (rest % sizes[1], rest / sizes[1]);
        line * strides[0] + column * strides[1] + channel * strides[2]
    };
    Some((0..rows).map(place).collect())
}

/// An open `.onnx` file and how each weight is made of its tensors.
pub(crate) struct OnnxStore {
    pub(crate) file: Mutex<WireFile>,
    /// Where the model lies, and with it the files that hold its numbers.
    pub(crate) folder: PathBuf,
    /// By the weight's `path`.
    pub(crate) recipes: HashMap<String, Recipe>,
}

impl OnnxStore {
    pub(crate) fn read(&self, path: &str) -> Result<Vec<f32>, BoxError> {
        match self.recipes.get(path).ok_or("there is no such tensor")? {
            Recipe::Filled { value, count } => Ok(vec![*value; *count]),
            Recipe::Tensor(tensor, order) => {
                let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(order.apply(tensor.floats(&mut file, &self.folder)?))
            }
        }
    }
}

/// A variance that, with this epsilon added, has the square root 1: batch normalisation with it
/// and a scale of 1 changes nothing, to the last bit.
pub(crate) fn neutral_variance(epsilon: f32) -> f32 {
    (1.0 - f64::from(epsilon)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_neutral_variance_is_neutral_to_the_last_bit() {
        let odd = (1..5000).map(|step| step as f32 * 3.7e-6);
        for epsilon in [0.0, 1e-3, 1e-4, 1e-5, 1.001e-5, 1.1e-5].into_iter().chain(odd) {
            // As `burncam_net`'s loader folds it.
            let variance = f64::from(neutral_variance(epsilon));
            let factor = (1.0 / (variance + f64::from(epsilon)).sqrt()) as f32;
            assert_eq!(factor, 1.0, "epsilon {epsilon}");
        }
    }

    #[test]
    fn kernels_are_brought_into_kerass_layout() {
        // [out 2, in 2, height 1, width 2]
        let values = vec![0.0, 1.0, 10.0, 11.0, 100.0, 101.0, 110.0, 111.0];
        // [height, width, in, out]
        let expected = [0.0, 100.0, 10.0, 110.0, 1.0, 101.0, 11.0, 111.0];
        assert_eq!(Order::Kernel([2, 2, 1, 2]).apply(values), expected);
    }

    #[test]
    fn rows_follow_the_order_in_which_keras_flattens() {
        // Channels 2, height 1, width 3: the file's row is 3 c + w, Keras's 2 w + c.
        let flat = vec![(Axis::Channel, 2), (Axis::Height, 1), (Axis::Width, 3)];
        let order = Order::Rows { rows: 6, columns: 1, transposed: false, flat };
        let values = vec![0.0, 1.0, 2.0, 10.0, 11.0, 12.0];
        assert_eq!(order.apply(values), [0.0, 10.0, 1.0, 11.0, 2.0, 12.0]);
        let order = Order::Rows { rows: 2, columns: 3, transposed: true, flat: Vec::new() };
        assert_eq!(order.apply(vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]), [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]);
    }
}
