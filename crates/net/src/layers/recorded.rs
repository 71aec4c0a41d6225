//! Operations of our own on maps on the CPU, with the way back for gradients.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::NoCheckpointing};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::{Autodiff, Flex};
use burn::tensor::{DType, Tensor};

use super::interleaved::{Interleaved, is_plain};

/// From the gradient of an operation's output to those of its inputs, of those that are wanted.
pub(super) type GradientFn<const N: usize> =
    Arc<dyn Fn(&Interleaved, [bool; N]) -> [Option<Tensor<4>>; N] + Send + Sync>;

/// Whether a tensor is on the CPU, whether or not a gradient is asked of it.
pub(super) fn is_on_cpu(tensor: &Tensor<4>) -> bool {
    is_plain(tensor) || is_recorded(tensor)
}

fn is_recorded(tensor: &Tensor<4>) -> bool {
    tensor.dtype() == DType::F32 && tensor.clone().try_into_primitive::<Autodiff<Flex>>().is_ok()
}

/// Computes an operation of maps that are on the CPU. If a gradient is asked of one of them, the way back is
/// recorded; if not, their memory is used again.
pub(super) fn run<const N: usize>(
    inputs: [Tensor<4>; N],
    forward: impl FnOnce(&[Interleaved; N]) -> (Tensor<4>, GradientFn<N>),
) -> Tensor<4> {
    let map = |tensor| Interleaved::from_tensor(tensor).expect("the caller has looked");
    if inputs.iter().all(is_plain) {
        let maps = inputs.map(map);
        let (output, _) = forward(&maps);
        return output;
    }
    let inputs = inputs.map(|tensor| {
        let tensor = tensor.autodiff().try_into_primitive::<Autodiff<Flex>>();
        tensor.expect("the caller has looked")
    });
    let nodes = inputs.each_ref().map(|tensor| tensor.node());
    let maps = inputs.map(|tensor| map(Tensor::from_primitive::<Flex>(tensor.into_primitive())));
    let (output, back) = forward(&maps);
    let output = output.try_into_primitive::<Flex>().expect("an operation on the CPU");
    let output = match Operation.prepare::<NoCheckpointing>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(recorded) => recorded.finish(State(back), output),
        OpsKind::UnTracked(plain) => plain.finish(output),
    };
    Tensor::from_primitive::<Autodiff<Flex>>(output)
}

#[derive(Debug)]
struct Operation;

#[derive(Clone)]
struct State<const N: usize>(GradientFn<N>);

impl<const N: usize> fmt::Debug for State<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("State")
    }
}

impl<const N: usize> Backward<Flex, N> for Operation {
    type State = State<N>;

    fn backward(self, ops: Ops<State<N>, N>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = interleaved(gradients.consume::<Flex>(&ops.node));
        WAITING.with_borrow_mut(|waiting| waiting.retain(|id| *id != ops.node.id));
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let all = (ops.state.0)(&gradient, wanted);
        drop((ops.state, gradient));
        for (parent, gradient) in ops.parents.into_iter().zip(all) {
            let (Some(parent), Some(mut gradient)) = (parent, gradient) else { continue };
            let is_leaf = parent.parents.is_empty();
            if WAITING.with_borrow(|waiting| waiting.contains(&parent.id)) {
                let others = interleaved(gradients.consume::<Flex>(&parent));
                gradient = sum(gradient, &others);
            } else if !is_leaf {
                WAITING.with_borrow_mut(|waiting| {
                    waiting.truncate(MOST_WAITING - 1);
                    waiting.push_front(parent.id);
                });
            }
            let gradient = gradient.try_into_primitive::<Flex>().expect("made on the CPU");
            gradients.register::<Flex>(parent.id, gradient);
        }
    }
}

/// A map of which a gradient can be asked, as whatever reads it gets it, and as the leaf that the gradient is read
/// of. On the CPU they are two, so that the gradients of all readers meet before the leaf.
///
/// # Shapes
///
/// `[batch, channels, height, width]` each.
#[must_use]
pub fn with_leaf(map: Tensor<4>) -> (Tensor<4>, Tensor<4>) {
    let leaf = map.autodiff().require_grad();
    let read = match is_on_cpu(&leaf) {
        true => run([leaf.clone()], |[map]| {
            let back: GradientFn<1> =
                Arc::new(|gradient, _| [Some(gradient.clone().into_tensor())]);
            (map.clone().into_tensor(), back)
        }),
        false => leaf.clone(),
    };
    (read, leaf)
}

/// Burn would add the gradients of a node that several operations read, but slowly where channels are neighbours.
/// So it is remembered which nodes have one that nobody has taken. Of the oldest this may be forgotten: then Burn
/// adds.
const MOST_WAITING: usize = 64;

thread_local! {
    /// The newest first. A node that an operation of Burn's has taken stays, but none is read twice.
    static WAITING: RefCell<VecDeque<NodeId>> = const { RefCell::new(VecDeque::new()) };
}

fn interleaved(gradient: FlexTensor) -> Interleaved {
    let gradient = Interleaved::from_tensor(Tensor::from_primitive::<Flex>(gradient));
    gradient.expect("a gradient is where its tensor is")
}

fn sum(gradient: Tensor<4>, others: &Interleaved) -> Tensor<4> {
    let gradient = Interleaved::from_tensor(gradient).expect("made on the CPU");
    Interleaved::make(gradient.shape, |sum| {
        let linear = burncam_kernels::Activation::Linear;
        burncam_kernels::add(gradient.values(), Some(others.values()), linear, sum);
    })
}
