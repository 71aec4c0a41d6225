//! What the user says of a checkpoint's network, where its file does not.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use burncam_attribution::Peer;
use burncam_net::HeadSpec;
use burncam_run::NetworkChoice;
use burncam_weights::{LastNumbers, Resolved, Statement, Wanted};
use clap::Args;

/// The network of a checkpoint, where the file alone does not tell it.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct NetworkArgs {
    /// The architecture, where the file should not be left to tell: vgg16, resnet50, senet50,
    /// inception_v3, ncnn; or with its variant, vgg16:keras-applications; or graph.
    ///
    /// With graph, a network is run as its file describes it, layer by layer, even if it is one of these. That is
    /// how every other network is run.
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

    /// Height and width of the images of a network that takes any size: 224, or 150x200.
    #[arg(long, value_name = "HEIGHTxWIDTH", value_parser = burncam_run::input_size, help_heading = "Input")]
    pub size: Option<[usize; 2]>,

    /// The numbers in which a network without softmax or sigmoid at its end ends: logits, softmax or sigmoid.
    ///
    /// logits: a softmax makes probabilities of them, or of one neuron a sigmoid. softmax, sigmoid: that one does.
    #[arg(long, value_name = "NUMBERS", hide_short_help = true, help_heading = "Input")]
    pub output: Option<LastNumbers>,

    /// The layer that gives the classes, of a network with several outputs.
    #[arg(long, value_name = "LAYER", hide_short_help = true, help_heading = "Input")]
    pub output_layer: Option<String>,

    /// The ONNX file that has the network of a PyTorch state_dict.
    ///
    /// A state_dict holds weights and no network. PyTorch writes its network with
    /// torch.onnx.export(model, (example,), "model.onnx", dynamo=True, optimize=False). Every weight must be in both,
    /// by name and shape.
    ///
    /// For `explain`, also a library whose arithmetic the methods follow, options and scaling of maps included:
    /// pytorch-grad-cam, torch-cam, captum, xplique.
    #[arg(long, value_name = "FILE.onnx", hide_short_help = true, help_heading = "Input")]
    pub like: Vec<PathBuf>,
}

impl NetworkArgs {
    /// The same without a command line.
    ///
    /// # Errors
    ///
    /// If there are two files.
    pub(crate) fn choice(&self) -> Result<NetworkChoice> {
        if self.like.len() > 1 {
            bail!("--like: at most one ONNX file can be given");
        }
        Ok(self.stated(self.like.first()))
    }

    fn stated(&self, like: Option<&PathBuf>) -> NetworkChoice {
        let stated = Statement {
            head: self.head.clone(),
            size: self.size,
            output: self.output,
            output_layer: self.output_layer.clone(),
        };
        NetworkChoice { model: self.model.clone(), like: like.cloned(), stated }
    }

    /// The same with the library whose name `--like` has, if one of its values is that of a library.
    ///
    /// # Errors
    ///
    /// If there are two files or two libraries.
    pub(crate) fn with_peer(&self) -> Result<(NetworkChoice, Option<Peer>)> {
        let peer = |like: &PathBuf| like.to_str().and_then(Peer::find);
        let peers: Vec<Peer> = self.like.iter().filter_map(peer).collect();
        let files: Vec<&PathBuf> = self.like.iter().filter(|like| peer(like).is_none()).collect();
        if peers.len() > 1 || files.len() > 1 {
            bail!("--like: at most one ONNX file and one library can be given");
        }
        Ok((self.stated(files.first().copied()), peers.first().copied()))
    }

    /// What `--model` names.
    pub(crate) fn wanted(&self) -> Result<Option<Wanted>> {
        self.choice()?.wanted()
    }

    /// Opens a checkpoint and finds its network.
    pub(crate) fn open(&self, path: &Path) -> Result<Resolved> {
        self.choice()?.open(path)
    }
}
