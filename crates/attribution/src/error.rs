//! Why an attribution could not be made.

/// Why an attribution could not be made.
#[derive(Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AttributionError {
    /// The network has no such layer.
    #[error("the network has no layer `{layer}` with height and width")]
    UnknownLayer {
        /// The layer that was asked for.
        layer: String,
    },
    /// The layer cannot be read: the network was built for others.
    #[error("the network was built to be read at other layers than `{layer}`")]
    Unread {
        /// The layer that was asked for.
        layer: String,
    },
    /// The method reads one layer.
    #[error("the method reads one layer, and {count} were given")]
    Layers {
        /// How many were given.
        count: usize,
    },
    /// The method does not fit the network.
    #[error("{method} needs {needs}")]
    Unfit {
        /// The method's name in text.
        method: &'static str,
        /// The networks that it fits.
        needs: String,
    },
    /// The logits depend on more than the layer, so what is behind it cannot be run alone.
    #[error("the layers behind `{layer}` read others before it, too, and cannot be run alone")]
    Shortcut {
        /// The layer that was asked for.
        layer: String,
    },
    /// The device cannot do what a method does to gradients at rectifiers.
    #[error("gradients that pass rectifiers in another way are computed on the CPU only")]
    Rectifier,
    /// The user asked for an end between two passes.
    #[error("interrupted between two passes")]
    Interrupted,
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

impl AttributionError {
    /// A result that did not come back, with the innermost cause that the device names: around it
    /// stands whatever else failed because of it.
    pub(crate) fn read_back(what: &'static str, error: &dyn std::fmt::Debug) -> Self {
        let text = format!("{error:?}");
        let says = |line: &&str| {
            !["", "Backtrace:", "Caused by:", "Asked at:", "No backtrace available"]
                .contains(&line.trim())
        };
        let reason = text.lines().rfind(says).unwrap_or_default().trim().to_owned();
        Self::ReadBack { what, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::AttributionError;

    #[test]
    fn the_innermost_cause_is_told() {
        struct Failure;
        impl std::fmt::Debug for Failure {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(
                    "An error happened\nCaused by:\n  can't allocate buffer of size: 9\nNo backtrace \
                     available\nAsked at:\nNo backtrace available",
                )
            }
        }
        let error = AttributionError::read_back("the maps", &Failure);
        let text = "cannot read the maps back from the device: can't allocate buffer of size: 9";
        assert_eq!(error.to_string(), text);
    }
}
