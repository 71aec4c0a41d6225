//! PyTorch's weights in Keras's layout.

use burncam_net::{LoadError, Weight};

use crate::resolved::{bearable, sizes, sound};
use crate::torch::matching::torch_shape;
use crate::{Resolved, limits};

/// Edge of the squares that are transposed at a time, so that both sides stay in the cache.
const SQUARE: usize = 32;

impl Resolved {
    /// The values of one weight of a state_dict, in Keras's layout.
    pub(crate) fn read_torch(
        &self,
        layer: &str,
        weight: Weight,
        shape: &[usize],
    ) -> Result<Vec<f32>, LoadError> {
        let Some(stored) = self.find(layer, weight) else {
            let (layer, expected) = (layer.to_owned(), shape.to_vec());
            return Err(LoadError::Missing { layer, weight, expected });
        };
        // Errors call the layer as the file calls its tensor.
        let name = stored.path.clone();
        let (outputs, inputs) = match *shape {
            [inputs, outputs] => (outputs, inputs),
            _ => (0, 0),
        };
        // A dense layer may be stored as a convolution over all of its input.
        let dense = stored.shape.first() == Some(&(outputs as u64))
            && stored.shape.get(1..).and_then(limits::numbers) == Some(inputs as u64);
        let is_dense = shape.len() == 2 && stored.shape.len() > 1;
        if !(is_dense && dense || stored.shape == torch_shape(shape)) {
            let found = sizes(&stored.shape);
            let expected = sizes(&torch_shape(shape));
            return Err(LoadError::Shape { layer: name, weight, expected, found });
        }
        if let Err(source) = bearable(&stored.shape) {
            return Err(LoadError::Read { layer: name, weight, source });
        }
        let values = match self.file.store.read(&stored.path) {
            Ok(values) if values.len() == shape.iter().product::<usize>() => values,
            Ok(values) => {
                let (expected, found) = (shape.to_vec(), vec![values.len()]);
                return Err(LoadError::Shape { layer: name, weight, expected, found });
            }
            Err(source) => return Err(LoadError::Read { layer: name, weight, source }),
        };
        let values = sound(&name, weight, &sizes(&stored.shape), values)?;
        let flattened =
            self.flattened.as_ref().filter(|(names, _)| names.contains(&layer.to_owned()));
        let moved = match (shape, flattened) {
            (&[height, width, channels, filters], _) => {
                outputs_last(&values, filters, channels, [height, width])
            }
            (&[_, units], Some(&(_, [height, width, channels]))) => {
                outputs_last(&values, units, channels, [height, width])
            }
            // A normalisation of the vector.
            (&[_], Some(&(_, [height, width, channels]))) if weight != Weight::Bias => {
                outputs_last(&values, 1, channels, [height, width])
            }
            (&[inputs, units], None) => outputs_last(&values, units, inputs, [1; 2]),
            _ => return Ok(values),
        };
        moved.ok_or_else(|| {
            let (expected, found) = (shape.to_vec(), sizes(&stored.shape));
            LoadError::Shape { layer: name, weight, expected, found }
        })
    }
}

/// `[outputs, channels, height, width]` to `[height, width, channels, outputs]`, if there are as many
/// values.
#[expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "there are as many values as the product of the sizes"
)]
fn outputs_last(
    values: &[f32],
    outputs: usize,
    channels: usize,
    [height, width]: [usize; 2],
) -> Option<Vec<f32>> {
    let sizes = [outputs, channels, height, width].map(|size| size as u64);
    limits::numbers(&sizes).filter(|&count| count == values.len() as u64)?;
    let positions = height * width;
    let inputs = channels * positions;
    let mut moved = vec![0.0; values.len()];
    for first_output in (0..outputs).step_by(SQUARE) {
        let last_output = outputs.min(first_output + SQUARE);
        for first_input in (0..inputs).step_by(SQUARE) {
            for input in first_input..inputs.min(first_input + SQUARE) {
                let row = (input % positions) * channels + input / positions;
                for output in first_output..last_output {
                    moved[row * outputs + output] = values[output * inputs + input];
                }
            }
        }
    }
    Some(moved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_finds_its_place() {
        // More than one square each way.
        let (outputs, channels, positions) = (35, 11, 6);
        let count = outputs * channels * positions;
        let values: Vec<f32> = (0..count).map(|value| value as f32).collect();
        let moved = outputs_last(&values, outputs, channels, [2, 3]).expect("as many");
        assert_eq!(outputs_last(&values, outputs, channels, [2, 2]), None);
        for output in 0..outputs {
            for channel in 0..channels {
                for position in 0..positions {
                    let from = (output * channels + channel) * positions + position;
                    let to = (position * channels + channel) * outputs + output;
                    assert_eq!(moved[to], values[from]);
                }
            }
        }
    }
}
