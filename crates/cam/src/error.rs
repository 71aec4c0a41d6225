//! Why an explanation could not be made.

/// Why an explanation could not be made.
#[derive(Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CamError {
    /// The network has no such layer.
    #[error("the network has no layer `{layer}` with height and width")]
    UnknownLayer {
        /// The layer that was asked for.
        layer: String,
    },
    /// The network has fewer classes.
    #[error("there is no class {class}; the network has {classes}, counted from 0")]
    UnknownClass {
        /// The index that was asked for.
        class: usize,
        /// How many classes the network has.
        classes: usize,
    },
    /// The logit does not depend on the layer.
    #[error("the class logit does not depend on layer `{layer}`")]
    NoGradient {
        /// The layer that was asked for.
        layer: String,
    },
    /// The device could not hand a result back.
    #[error("cannot read {what} back from the device: {reason}")]
    ReadBack {
        /// What was read.
        what: &'static str,
        /// What the device said.
        reason: String,
    },
}
