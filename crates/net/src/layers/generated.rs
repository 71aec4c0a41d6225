//! Modules of generated code, filled from a source.

use burn::module::{Flag, Module, ModuleMapper, Param};
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

use super::loader::Weights;
use crate::{LoadError, Weight};

impl Weights<'_> {
    /// A module whose tensors, `paths`, are the weights of the layer called `name`.
    pub(crate) fn generated<M: Module>(
        &mut self,
        name: &str,
        paths: &'static [&'static str],
        new: impl FnOnce(&Device) -> M,
    ) -> Result<M, LoadError> {
        let module = new(self.device);
        let mut fill = Fill { weights: self, name, paths, at: Vec::new(), used: 0, failure: None };
        let module = module.map(&mut fill);
        match fill.failure {
            Some(failure) => Err(failure),
            None => {
                assert_eq!(fill.used, paths.len(), "`{name}` has not all the tensors it lists");
                Ok(module)
            }
        }
    }
}

/// Puts each tensor of a module into its place. What cannot be read is kept, since a mapper
/// cannot fail.
struct Fill<'a, 'w> {
    weights: &'a mut Weights<'w>,
    name: &'a str,
    paths: &'static [&'static str],
    at: Vec<String>,
    used: usize,
    failure: Option<LoadError>,
}

impl Fill<'_, '_> {
    /// The values of the tensor that the mapper has come to.
    fn take(&mut self, shape: &[usize]) -> Option<TensorData> {
        if self.failure.is_some() {
            return None;
        }
        let path = self.at.join(".");
        let listed = self.paths.iter().find(|listed| **listed == path);
        let listed = listed.unwrap_or_else(|| panic!("`{}` does not list `{path}`", self.name));
        self.used += 1;
        match self.weights.source.take(self.name, Weight::Generated(listed), shape) {
            Ok(values) => Some(TensorData::new(values, shape)),
            Err(failure) => {
                self.failure = Some(failure);
                None
            }
        }
    }
}

impl ModuleMapper for Fill<'_, '_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.at.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.at.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.take(&param.lazy_shape()) {
            Some(data) => Param::from_tensor(Tensor::from_data(data, self.weights.device)),
            None => param,
        }
    }

    fn map_int<const D: usize>(&mut self, param: Param<Tensor<D, Int>>) -> Param<Tensor<D, Int>> {
        let kind = param.val().dtype();
        match self.take(&param.lazy_shape()) {
            // Whoever wrote the file has checked that `f32` holds them.
            Some(data) => Param::initialized(
                param.id,
                Tensor::from_data(data.convert_dtype(kind), (self.weights.device, kind)),
            ),
            None => param,
        }
    }

    fn map_bool<const D: usize>(
        &mut self,
        param: Param<Tensor<D, Bool>>,
    ) -> Param<Tensor<D, Bool>> {
        match self.take(&param.lazy_shape()) {
            Some(data) => Param::initialized(
                param.id,
                Tensor::<D>::from_data(data, self.weights.device).not_equal_elem(0.0),
            ),
            None => param,
        }
    }

    /// Batch normalisation and dropout work as in training on an input that is tracked, unless
    /// told not to.
    fn map_flag(&mut self, _: Param<Flag>) -> Param<Flag> {
        Param::from_bool(false)
    }
}
