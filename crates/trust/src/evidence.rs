//! A map at the size of its image.

use burncam_evaluation::Values;

use crate::Undefined;

/// A map at the size of its image, as it is shown: of values that speak for the class only, those below 0 are 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// Row by row: `[height, width]`.
    pub values: Vec<f32>,
    /// Height and width.
    pub size: [usize; 2],
    /// What the values mean.
    pub kind: Values,
}

impl Evidence {
    /// # Errors
    ///
    /// If a value is NaN or infinite.
    pub fn new(mut values: Vec<f32>, size: [usize; 2], kind: Values) -> Result<Self, Undefined> {
        assert_eq!(values.len(), size[0] * size[1], "a value for each place");
        if values.iter().any(|value| !value.is_finite()) {
            return Err(Undefined::NotFinite);
        }
        if kind == Values::Positive {
            values.iter_mut().for_each(|value| *value = value.max(0.0));
        }
        Ok(Self { values, size, kind })
    }
}
