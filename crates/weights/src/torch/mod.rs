//! PyTorch's state_dicts, as `torch.save` and safetensors write them.

pub(crate) mod class_names;
pub(crate) mod file;
pub(crate) mod head;
pub(crate) mod layout;
pub(crate) mod matching;
pub(crate) mod pickle;
pub(crate) mod pickle_globals;
pub(crate) mod pickle_source;
pub(crate) mod pickle_value;
pub(crate) mod state;
