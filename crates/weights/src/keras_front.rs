//! Layers between a model's input and the network: preprocessing and data augmentation.

use burncam_net::{ChannelOrder, InputSpec, Op};

use crate::keras_config::Graph;

/// What a file does to its input before the network.
pub(crate) struct Front {
    /// Each value is `pixel * scale + offset`, step by step.
    rescalings: Vec<(f64, f64)>,
}

impl Front {
    /// Takes those layers out of the graph: what read them reads the input.
    pub(crate) fn take(graph: &mut Graph) -> Self {
        let mut front = Self { rescalings: Vec::new() };
        let Some(input) = graph.nodes.iter().find(|node| node.class == "InputLayer") else {
            return front;
        };
        let input = input.name.clone();
        while let Some(next) = front.next(graph, &input) {
            graph.nodes.retain(|node| node.name != next);
            for node in &mut graph.nodes {
                for read in node.inputs.iter_mut().filter(|read| **read == next) {
                    read.clone_from(&input);
                }
            }
        }
        front
    }

    /// The only reader of the input, if it is such a layer.
    fn next(&mut self, graph: &Graph, input: &str) -> Option<String> {
        let mut readers = graph.readers(input);
        let (only, None) = (readers.next()?, readers.next()) else { return None };
        match only.op.as_ref().ok()? {
            Op::Rescaling { scale, offset } => self.rescalings.push((*scale, *offset)),
            // Dropout and augmentation do nothing at inference.
            Op::Dropout => {}
            _ => return None,
        }
        Some(only.name.clone())
    }

    /// The network's input, given what it would be without these layers.
    pub(crate) fn input(&self, plain: &InputSpec) -> InputSpec {
        let whole = |(scale, offset): (f64, f64), next: &(f64, f64)| {
            (scale * next.0, offset * next.0 + next.1)
        };
        if self.rescalings.is_empty() {
            return *plain;
        }
        let (scale, offset) = self.rescalings.iter().fold((1.0, 0.0), whole);
        InputSpec {
            order: ChannelOrder::Rgb,
            divisor: (1.0 / scale) as f32,
            mean: [-offset as f32; 3],
            deviation: [1.0; 3],
            ..*plain
        }
    }

    /// What the user should know of it.
    pub(crate) fn note(&self) -> Option<String> {
        let text = format!(
            "the file rescales its own input ({}), so Burncam feeds it RGB pixels in 0..255",
            self.rescalings
                .iter()
                .map(|(scale, offset)| format!("x * {scale} + {offset}"))
                .collect::<Vec<_>>()
                .join(", then ")
        );
        (!self.rescalings.is_empty()).then_some(text)
    }
}
