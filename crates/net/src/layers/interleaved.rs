//! Maps in memory as the CPU's kernels want them: the channels of a position next to each other.
//!
//! To Burn they are tensors `[batch, channels, height, width]` like any other; only their strides
//! differ. So a layer without a kernel of its own, a trace, or the gradient can take them as they
//! are.

use burn::backend::Flex;
use burn::backend::flex::{FlexTensor, Layout};
use burn::tensor::{Bytes, DType, Shape as Dims, Tensor};
use burncam_kernels::{Shape, buffers, interleave};

/// Buffers of fewer numbers are not worth keeping.
const WORTH_KEEPING: usize = 1 << 14;

/// A map on the CPU, without the record that a gradient goes by. Copies share their numbers; the memory of the last
/// is used again.
#[derive(Clone)]
pub(super) struct Interleaved {
    /// Until the end.
    tensor: Option<FlexTensor>,
    pub(super) shape: Shape,
}

/// Whether a tensor is on the CPU and no gradient is asked of it.
pub(super) fn is_plain(tensor: &Tensor<4>) -> bool {
    plain(tensor.clone()).is_some()
}

fn plain(tensor: Tensor<4>) -> Option<FlexTensor> {
    tensor.try_into_primitive::<Flex>().ok().filter(|tensor| tensor.dtype() == DType::F32)
}

impl Interleaved {
    /// The map of a tensor; its numbers are moved only if they lie otherwise. `None` unless
    /// [`is_plain`].
    pub(super) fn from_tensor(tensor: Tensor<4>) -> Option<Self> {
        let [batch, channels, height, width] = tensor.dims();
        let shape = Shape { batch, height, width, channels };
        let tensor = plain(tensor)?;
        if lies_interleaved(tensor.layout(), shape) {
            return Some(Self { tensor: Some(tensor), shape });
        }
        let tensor = if tensor.is_contiguous() { tensor } else { tensor.to_contiguous() };
        let start = tensor.layout().start_offset();
        let numbers = &tensor.storage::<f32>()[start..start + shape.len()];
        let made = make(shape, |values| interleave(numbers, values, shape));
        recycle(tensor);
        Some(Self { tensor: Some(made), shape })
    }

    /// The numbers, `[batch, height, width, channels]`.
    pub(super) fn values(&self) -> &[f32] {
        let tensor = self.tensor.as_ref().expect("a map that is in use");
        let start = tensor.layout().start_offset();
        &tensor.storage::<f32>()[start..start + self.shape.len()]
    }

    /// Computes a map of `shape`.
    pub(super) fn make(shape: Shape, compute: impl FnOnce(&mut [f32])) -> Tensor<4> {
        Tensor::from_primitive::<Flex>(make(shape, compute))
    }

    /// The same numbers as a map of another shape.
    pub(super) fn reshaped(self, shape: Shape) -> Self {
        assert_eq!(shape.len(), self.shape.len(), "as many numbers");
        let tensor = self.into_primitive();
        let start = tensor.layout().start_offset();
        Self { tensor: Some(tensor.with_layout(layout(shape, start))), shape }
    }

    /// The map as a tensor.
    pub(super) fn into_tensor(self) -> Tensor<4> {
        Tensor::from_primitive::<Flex>(self.into_primitive())
    }

    fn into_primitive(mut self) -> FlexTensor {
        self.tensor.take().expect("a map that is in use")
    }
}

impl Drop for Interleaved {
    fn drop(&mut self) {
        if let Some(tensor) = self.tensor.take() {
            recycle(tensor);
        }
    }
}

/// A tensor of what `compute` writes, in memory that begins on a line of the cache.
fn make(shape: Shape, compute: impl FnOnce(&mut [f32])) -> FlexTensor {
    let mut values = buffers::take(shape.len() + buffers::LINE);
    let start = buffers::to_line(&values);
    compute(&mut values[start..start + shape.len()]);
    FlexTensor::new(Bytes::from_elems(values), layout(shape, start), DType::F32)
}

fn layout(shape: Shape, start: usize) -> Layout {
    let Shape { batch, height, width, channels } = shape;
    // Where a map is one position, its channels are a row of numbers to Burn, too.
    let (down, right) = if height * width == 1 { (1, 1) } else { (width * channels, channels) };
    let strides = [height * width * channels, 1, down, right];
    let strides = strides.map(|stride| stride as isize).to_vec();
    Layout::new(Dims::new([batch, channels, height, width]), strides, start)
}

/// Whether the strides are those of [`make`]; where a size is 1 its stride does not matter.
fn lies_interleaved(layout: &Layout, shape: Shape) -> bool {
    let Shape { batch, height, width, channels } = shape;
    let sizes = [batch, channels, height, width];
    let strides = [height * width * channels, 1, width * channels, channels];
    let pairs = layout.strides().iter().zip(strides).zip(sizes);
    pairs.into_iter().all(|((&found, wanted), size)| size == 1 || found == wanted as isize)
}

/// Lets the memory be used again if nobody else holds the tensor.
fn recycle(tensor: FlexTensor) {
    let len = tensor.bytes().len() / size_of::<f32>();
    if len < WORTH_KEEPING || !tensor.is_unique() {
        return;
    }
    let whole = tensor.with_layout(Layout::contiguous(Dims::new([len])));
    if let Ok(values) = whole.into_data().try_into_vec::<f32>() {
        buffers::give(values);
    }
}
