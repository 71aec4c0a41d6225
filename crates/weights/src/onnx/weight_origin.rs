//! How a weight in Keras's layout is made of an ONNX tensor.

use std::collections::HashMap;
use std::iter;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::onnx::tensor::Tensor;
use crate::onnx::value::Axis;
use crate::onnx::wire::WireFile;
use crate::store::BoxError;

/// Where a weight's numbers come from.
#[derive(Clone)]
pub(crate) enum WeightOrigin {
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
    /// The same, multiplied by rather than divided by.
    Inverse,
    /// Each number so many times.
    Repeated(usize),
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
    /// The numbers in Keras's order, if there are as many as the sizes say.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "the product of the sizes is the number of values, so none of them is 0 where there \
                  is a value, and no place is past counting"
    )]
    fn apply(&self, values: Vec<f32>) -> Option<Vec<f32>> {
        let count = values.len();
        let product = |sizes: &[usize]| {
            sizes.iter().try_fold(1_usize, |product, &size| product.checked_mul(size))
        };
        match self {
            Self::Same => Some(values),
            Self::Negated => Some(values.into_iter().map(|value| -value).collect()),
            Self::Inverse => Some(values.into_iter().map(|value| 1.0 / value).collect()),
            Self::Repeated(times) => {
                let each = values.into_iter().flat_map(|value| iter::repeat_n(value, *times));
                Some(each.collect())
            }
            Self::Kernel(sizes @ [out, inputs, height, width]) => {
                product(sizes).filter(|&product| product == count)?;
                if count == 0 {
                    return Some(values);
                }
                let area = height * width;
                let place = |at: usize| {
                    let (o, rest) = (at % out, at / out);
                    let (i, position) = (rest % inputs, rest / inputs);
                    (o * inputs + i) * area + position
                };
                (0..count).map(|at| values.get(place(at)).copied()).collect()
            }
            Self::Rows { rows, columns, transposed, flat } => {
                product(&[*rows, *columns]).filter(|&product| product == count)?;
                let order = row_order(flat, *rows);
                let row = |row: usize| match &order {
                    Some(order) => order.get(row).copied(),
                    None => Some(row),
                };
                let place = |at: usize| {
                    let (r, c) = (row(at / columns)?, at % columns);
                    Some(if *transposed { c * rows + r } else { r * columns + c })
                };
                (0..count).map(|at| values.get(place(at)?).copied()).collect()
            }
        }
    }
}

/// For each row as Keras flattens (height, width, channel), which one it is in the file.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "the product of all sizes is the number of rows, which is not 0, and a place is below it"
)]
fn row_order(flat: &[(Axis, usize)], rows: usize) -> Option<Vec<usize>> {
    let product = |sizes: &[(Axis, usize)]| {
        sizes.iter().try_fold(1_usize, |product, (_, size)| product.checked_mul(*size))
    };
    if rows == 0 || product(flat) != Some(rows) {
        return None;
    }
    // How far apart neighbours along an axis are in the file.
    let stride = |axis: Axis| {
        let place = flat.iter().position(|(own, _)| *own == axis);
        let after = place.and_then(|place| flat.get(place + 1..));
        after.and_then(product).unwrap_or(0)
    };
    let size = |axis| flat.iter().find(|(own, _)| *own == axis).map_or(1, |(_, size)| *size);
    let axes = [Axis::Height, Axis::Width, Axis::Channel];
    let ([_, width, channels], strides) = (axes.map(size), axes.map(stride));
    let place = |row: usize| {
        let (channel, rest) = (row % channels, row / channels);
        let (column, line) = (rest % width, rest / width);
        let [down, across, deep] = strides;
        line * down + column * across + channel * deep
    };
    Some((0..rows).map(place).collect())
}

/// An open `.onnx` file and how each weight is made of its tensors.
pub(crate) struct OnnxStore {
    pub(crate) file: Mutex<WireFile>,
    /// Where the model lies, and with it the files that hold its numbers.
    pub(crate) folder: PathBuf,
    /// The model.
    pub(crate) model: PathBuf,
    /// Those files, and the model itself where the weights are those of a state_dict.
    pub(crate) beside: Vec<PathBuf>,
    /// By the weight's `path`.
    pub(crate) origins: HashMap<String, WeightOrigin>,
}

impl OnnxStore {
    pub(crate) fn read(&self, path: &str) -> Result<Vec<f32>, BoxError> {
        match self.origins.get(path).ok_or("there is no such tensor")? {
            WeightOrigin::Filled { value, count } => Ok(vec![*value; *count]),
            WeightOrigin::Tensor(tensor, order) => {
                let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
                let values = order.apply(tensor.floats(&mut file, &self.folder)?);
                values.ok_or_else(|| "it has another number of values than its shape".into())
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
        assert_eq!(Order::Kernel([2, 2, 1, 2]).apply(values).expect("all"), expected);
    }

    #[test]
    fn rows_follow_the_order_in_which_keras_flattens() {
        // Channels 2, height 1, width 3: the file's row is 3 c + w, Keras's 2 w + c.
        let flat = vec![(Axis::Channel, 2), (Axis::Height, 1), (Axis::Width, 3)];
        let order = Order::Rows { rows: 6, columns: 1, transposed: false, flat };
        let values = vec![0.0, 1.0, 2.0, 10.0, 11.0, 12.0];
        assert_eq!(order.apply(values).expect("all"), [0.0, 10.0, 1.0, 11.0, 2.0, 12.0]);
        let order = Order::Rows { rows: 2, columns: 3, transposed: true, flat: Vec::new() };
        let values = vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        assert_eq!(order.apply(values).expect("all"), [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]);
        assert_eq!(order.apply(vec![0.0; 5]), None);
    }
}
