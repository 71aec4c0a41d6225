//! Maps in a GPU's memory: the channels of a position next to each other.

use burn::backend::Wgpu;
use burn::backend::wgpu::CubeTensor;
use burn::tensor::{DType, Shape as Dims, Tensor};
use burncam_kernels::Shape;

/// A map on a GPU that no gradient is asked of, `[batch, height, width, channels]` in memory.
pub(crate) struct Map {
    pub(super) tensor: CubeTensor,
    pub(crate) shape: Shape,
}

/// Whether a tensor is on a GPU and no gradient is asked of it.
pub(crate) fn is_on_gpu(tensor: &Tensor<4>) -> bool {
    plain(tensor.clone()).is_some()
}

fn plain(tensor: Tensor<4>) -> Option<CubeTensor> {
    let tensor = tensor.try_into_primitive::<Wgpu>().ok()?;
    let known = matches!(tensor.dtype, DType::F32 | DType::F16) && tensor.qparams.is_none();
    known.then_some(tensor)
}

/// The same map with its channels last, `[batch, height, width, channels]`, and its numbers in that order.
pub(crate) fn nhwc(tensor: Tensor<4>) -> Tensor<4> {
    let dims = tensor.dims();
    let [batch, channels, height, width] = dims;
    let shape = Shape { batch, height, width, channels };
    let last = |tensor: Tensor<4>| tensor.permute([0, 2, 3, 1]);
    match plain(tensor.clone()) {
        Some(found) if !lies_interleaved(&found, shape) => {
            // Burn lays numbers in the order of the dimensions to give them another shape.
            let numbers = last(tensor).reshape([batch * height * width * channels]);
            numbers.reshape([batch, height, width, channels])
        }
        _ => last(tensor),
    }
}

impl Map {
    /// The map of a tensor; its numbers are moved only if they lie otherwise. `None` unless
    /// [`is_on_gpu`].
    pub(crate) fn from_tensor(tensor: Tensor<4>) -> Option<Self> {
        let [batch, channels, height, width] = tensor.dims();
        let shape = Shape { batch, height, width, channels };
        let found = plain(tensor.clone())?;
        if lies_interleaved(&found, shape) {
            return Some(Self { tensor: found, shape });
        }
        let tensor = plain(nhwc(tensor).permute([0, 3, 1, 2]))?;
        assert!(lies_interleaved(&tensor, shape), "the numbers were brought into order");
        Some(Self { tensor, shape })
    }

    /// Room for a map of `shape` beside this one, in the same precision.
    pub(super) fn room(&self, shape: Shape) -> Self {
        let Shape { batch, height, width, channels } = shape;
        let strides = strides(shape);
        let dims = Dims::new([batch, channels, height, width]);
        let CubeTensor { client, device, dtype, .. } = &self.tensor;
        let memory = client.empty(shape.len() * dtype.size());
        let mut tensor =
            CubeTensor::new_contiguous(client.clone(), device.clone(), dims, memory, *dtype);
        for (stride, wanted) in tensor.meta.strides_mut().iter_mut().zip(strides) {
            *stride = wanted;
        }
        Self { tensor, shape }
    }

    /// As Burn sees it, `[batch, channels, height, width]`.
    pub(crate) fn into_tensor(self) -> Tensor<4> {
        Tensor::from_primitive::<Wgpu>(self.tensor)
    }
}

fn strides(Shape { height, width, channels, .. }: Shape) -> [usize; 4] {
    [height * width * channels, 1, width * channels, channels]
}

/// Whether a tensor's memory is that of [`Map::room`]; where a size is 1 its stride does not matter.
fn lies_interleaved(tensor: &CubeTensor, shape: Shape) -> bool {
    let sizes = [shape.batch, shape.channels, shape.height, shape.width];
    let pairs = tensor.meta.strides().iter().zip(strides(shape)).zip(sizes);
    pairs.into_iter().all(|((&found, wanted), size)| size == 1 || found == wanted)
}
