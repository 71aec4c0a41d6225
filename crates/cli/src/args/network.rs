//! What the user says of a checkpoint's network, where its file does not.

use std::path::Path;

use anyhow::Result;
use burncam_net::HeadSpec;
use burncam_run::NetworkChoice;
use burncam_weights::{Resolved, Wanted};
use clap::Args;

/// The network of a checkpoint, where the file alone does not tell it.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct NetworkArgs {
    /// The architecture, where the file should not be left to tell: vgg16, resnet50, senet50,
    /// inception_v3, ncnn; or with its variant, vgg16:keras-applications.
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    pub model: Option<String>,

    /// The head of a file that holds weights only: "avgpool; linear; relu; linear".
    ///
    /// As the code of the model has it, its layers separated by semicolons. Weights do not say which activations
    /// stand between them. Layers are avgpool, maxpool, concatpool, flatten, linear (or dense),
    /// batchnorm, dropout, relu, leakyrelu(SLOPE), elu, gelu, silu, tanh, sigmoid, softmax, identity;
    /// what Python prints, such as Linear(in_features=2048, out_features=2), is understood
    /// [default: the family's own, or one linear layer].
    #[arg(long, value_name = "LAYERS", help_heading = "Input")]
    pub head: Option<HeadSpec>,
}

impl NetworkArgs {
    /// The same without a command line.
    pub(crate) fn choice(&self) -> NetworkChoice {
        NetworkChoice { model: self.model.clone(), head: self.head.clone() }
    }

    /// What `--model` names.
    pub(crate) fn wanted(&self) -> Result<Option<Wanted>> {
        self.choice().wanted()
    }

    /// Opens a checkpoint and finds its network.
    pub(crate) fn open(&self, path: &Path) -> Result<Resolved> {
        self.choice().open(path)
    }
}
