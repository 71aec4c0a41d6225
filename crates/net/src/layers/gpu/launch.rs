//! Programs on their way to a GPU.

use burn::backend::Wgpu;
use burn::backend::wgpu::CubeTensor;
use burn::tensor::Tensor;
use cubecl::ir::attributes::BufferIOAttr;
use cubecl::ir::{ElemType, UIntKind, metadata::Info};
use cubecl::prelude::{
    AddressType, CubeCount, ExecutionMode, KernelDefinition, KernelId, KernelMetadata,
    KernelSettings, Scope,
};
use cubecl::server::{KernelArguments, MetadataBindingInfo};
use cubecl::{CubeDim, CubeKernel, PrecompiledSource};

/// Most workgroups along an axis, on any GPU.
const MOST: usize = 65_535;

/// A program (WGSL) that follows from a few numbers; its entry point is `main`. It has a buffer for each
/// tensor that it reads, one that it writes, all of which it must use, and then `info`, whose first number is
/// the count that it was launched with.
pub(super) trait Program:
    Copy + Eq + std::hash::Hash + std::fmt::Debug + Send + Sync + 'static
{
    /// Threads of a workgroup.
    fn threads(&self) -> usize;

    /// What the GPU's driver gets.
    fn text(&self) -> String;
}

/// Starts a program on tensors that lie whole and in order, in so many workgroups across and down; down may
/// go on in a third dimension.
pub(super) fn launch(
    program: impl Program,
    reads: &[&CubeTensor],
    writes: &CubeTensor,
    [across, down]: [usize; 2],
    count: usize,
) {
    // Where there is no memory for the result, only that must count as lost: weights are not written again.
    let reads = reads.iter().map(|&tensor| (tensor, BufferIOAttr::ReadOnly));
    let buffers = reads.chain([(writes, BufferIOAttr::WriteOnly)]);
    let info = MetadataBindingInfo::custom(vec![count as u64]);
    let arguments = buffers
        .fold(KernelArguments::new(), |arguments, (tensor, io)| {
            arguments.with_buffer_io(tensor.handle.clone().binding(), io)
        })
        .with_info(info);
    let layers = down.div_ceil(MOST).max(1);
    let groups = [across, down.div_ceil(layers), layers].map(|groups| groups as u32);
    let groups = CubeCount::Static(groups[0], groups[1], groups[2]);
    writes.client.launch(Box::new(Kernel(program)), groups, arguments);
}

/// The memory of weights.
pub(super) fn weights<const D: usize>(tensor: &Tensor<D>) -> CubeTensor {
    let found = tensor.clone().try_into_primitive::<Wgpu>().expect("the weights are on the GPU");
    assert!(found.is_contiguous(), "weights lie in order");
    found
}

/// A program as Burn's runtime wants it.
struct Kernel<P>(P);

impl<P: Program> KernelMetadata for Kernel<P> {
    fn id(&self) -> KernelId {
        let threads = CubeDim::new_1d(self.0.threads() as u32);
        KernelId::new::<Self>().info(self.0).cube_dim(threads.0).mode(ExecutionMode::Unchecked)
    }

    fn address_type(&self) -> ElemType {
        UIntKind::U32.into()
    }
}

impl<P: Program> CubeKernel for Kernel<P> {
    fn define(&self) -> KernelDefinition {
        let threads = CubeDim::new_1d(self.0.threads() as u32);
        let settings = KernelSettings::new(threads.0, ExecutionMode::Unchecked, AddressType::U32);
        KernelDefinition { body: Scope::root(settings.clone()), settings, info: Info::default() }
    }

    fn source(&self) -> Option<PrecompiledSource> {
        Some(PrecompiledSource {
            source: self.0.text(),
            entrypoint_name: "main".to_owned(),
            lang: "wgsl",
        })
    }
}
