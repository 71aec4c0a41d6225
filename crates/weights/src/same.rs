//! Whether two files hold one network.

use burncam_net::{Activation, Op, Weight};

use crate::{Format, Resolved};

impl Resolved {
    /// Whether `other` holds the same network with the same input and head and, to the last bit, the same
    /// numbers, whatever the two files' formats and names of layers. Reads both files as far as they are
    /// equal, from the head to the input, one weight at a time; what cannot be read is not the same.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let kind = |one: &Self| (one.arch.name, one.variant.name, one.head.output());
        let (table, own, others) = (&self.layers, self.expected(), other.expected());
        // Which numbers generated code reads, only the code tells.
        kind(self) == kind(other)
            && !table.is_generated()
            && self.input == other.input
            && self.operations() == other.operations()
            && own.len() == others.len()
            && own
                .iter()
                .zip(&others)
                .rev()
                .all(|(own, other_s)| self.has_same(own, other, other_s))
    }

    fn has_same(
        &self,
        (layer, weight, shape): &(String, Weight, Vec<usize>),
        other: &Self,
        (other_layer, other_weight, other_shape): &(String, Weight, Vec<usize>),
    ) -> bool {
        if weight != other_weight || shape != other_shape {
            return false;
        }
        let values = self.read(layer, *weight, shape);
        let others = || other.read(other_layer, *weight, shape);
        values.is_ok_and(|values| {
            others().is_ok_and(|others| {
                values.iter().map(|v| v.to_bits()).eq(others.iter().map(|v| v.to_bits()))
            })
        })
    }

    /// What the head computes, dropout left out and activations on their own.
    fn operations(&self) -> Vec<Op> {
        let mut operations = Vec::new();
        for (_, op) in self.head.layers() {
            match op {
                Op::Dropout | Op::Activation { activation: Activation::Linear } => {}
                Op::Dense { units, activation, use_bias } => {
                    let (units, use_bias) = (*units, *use_bias);
                    operations.push(Op::Dense { units, activation: Activation::Linear, use_bias });
                    if *activation != Activation::Linear {
                        operations.push(Op::Activation { activation: *activation });
                    }
                }
                other => operations.push(other.clone()),
            }
        }
        operations
    }
}

impl Format {
    /// Whether a file says itself what its network computes, beside the weights.
    #[must_use]
    pub fn is_full_model(self) -> bool {
        !self.is_state_dict() && !matches!(self, Self::KerasH5Weights | Self::KerasV3Weights)
    }
}
