//! What can be wrong with a checkpoint.

use std::path::{Path, PathBuf};

use burncam_net::{HeadError, LoadError};

use crate::{Format, Unknown};

/// Why a checkpoint was refused. Each names the file and, where there is one, the layer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be opened.
    #[error("cannot open {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file is of a kind that is not read.
    #[error(
        "{} is {found}, not a checkpoint (Keras `.h5`, `.keras`; PyTorch `.pt`, `.pth`; \
         `.safetensors`; `.onnx`; `.bpk`)",
        path.display()
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// What it is, as far as its first bytes and its contents tell.
        found: &'static str,
    },
    /// The HDF5 structure cannot be read.
    #[error("{}: cannot read `{object}`", path.display())]
    Hdf5 {
        /// The file.
        path: PathBuf,
        /// The group, attribute or data set inside it.
        object: String,
        /// What the HDF5 reader said.
        #[source]
        source: Box<burncam_hdf5::Error>,
    },
    /// A name in the HDF5 file that has nothing of its own behind it.
    #[error(
        "{}: `{object}` is a link to another place, and links are not followed",
        path.display()
    )]
    Link {
        /// The file.
        path: PathBuf,
        /// The group or data set inside it.
        object: String,
    },
    /// The zip archive cannot be read.
    #[error("{}: cannot read {part} of the archive", path.display())]
    Zip {
        /// The file.
        path: PathBuf,
        /// The part of the archive.
        part: String,
        /// What the zip reader said.
        #[source]
        source: Box<zip::result::ZipError>,
    },
    /// A pickle needs a Python object that is no part of a state_dict.
    #[error(
        "{} holds `{name}`, which is no part of a state_dict; Burncam never runs a pickle: save the \
         weights alone, `torch.save(model.state_dict(), \"weights.pt\")`",
        path.display()
    )]
    Forbidden {
        /// The file.
        path: PathBuf,
        /// The object, by module and name.
        name: String,
    },
    /// A file of tensors from which no network can be told.
    #[error("{}: {reason}", path.display())]
    StateDict {
        /// The file.
        path: PathBuf,
        /// What is missing or wrong.
        reason: String,
    },
    /// The file is shorter than its own header says.
    #[error("{} is cut short: {found} bytes of {expected}", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Its size by its header, in bytes.
        expected: u64,
        /// Its size, in bytes.
        found: u64,
    },
    /// A `.bpk`, `.safetensors` or PyTorch file cannot be read.
    #[error("{} cannot be read as {format} (is the file damaged or incomplete?)", path.display())]
    Container {
        /// The file.
        path: PathBuf,
        /// What its first bytes say that it is.
        format: Format,
        /// What its reader said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A layer or tensor has a name of several lines, or with other control characters.
    #[error("{} names a layer or tensor {name:?}, with control characters", path.display())]
    Name {
        /// The file.
        path: PathBuf,
        /// The name.
        name: String,
    },
    /// What a file says of its classes does not fit the network, or each other.
    #[error("{} does not say clearly what its classes are called: {reason}", path.display())]
    ClassNames {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A `.bpk` or `.safetensors` file does not say what network it holds.
    #[error("{} does not say which network it holds: {reason}", path.display())]
    Description {
        /// The file.
        path: PathBuf,
        /// What is missing or wrong.
        reason: String,
    },
    /// A `.bpk` or `.safetensors` file of a later Burncam.
    #[error("{} has format version {found}, and this program reads version {known}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its format version.
        found: u64,
        /// The version that is read.
        known: u32,
    },
    /// An `.onnx` file of an operator set that is not read.
    #[error("{} uses operator set {found}, and this program reads {lowest} to {highest}", path.display())]
    Opset {
        /// The file.
        path: PathBuf,
        /// Its operator set.
        found: u64,
        /// The first that is read.
        lowest: u64,
        /// The last that is read.
        highest: u64,
    },
    /// A file that must not be replaced is there already.
    #[error("{} is there already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the writer or the system said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file asks for more than any network needs.
    #[error("{}: {reason}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// What there is too much of, and the limit.
        reason: String,
    },
    /// The file's own network cannot be run, or written.
    #[error("{} cannot be taken as a graph: {reason}", path.display())]
    Graph {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// `model_config` is not what Keras writes.
    #[error("{}: `model_config` cannot be understood: {reason}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A layer that no network here has.
    #[error("{}: layer `{layer}` ({class}) is not supported: {reason}", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The layer, as the file calls it.
        layer: String,
        /// Its Keras class.
        class: String,
        /// What of it is not supported.
        reason: String,
    },
    /// No architecture fits, or the one that was asked for does not.
    #[error(
        "{} is not {arch} ({variant}): {matched} of its {total} layers match, then {difference}",
        path.display()
    )]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// The architecture that fits best, or that was asked for.
        arch: &'static str,
        /// Its variant that fits best.
        variant: &'static str,
        /// How many of its layers match.
        matched: usize,
        /// How many layers it has.
        total: usize,
        /// The first difference.
        difference: String,
    },
    /// No architecture is near.
    #[error("{0}")]
    Unknown(Box<Unknown>),
    /// What follows the network is no classifier's head.
    #[error("{}: the head cannot be used", path.display())]
    Head {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: HeadError,
    },
    /// Weights alone do not say which layers without weights the head has.
    #[error(
        "{}: its head is not known. It has the weights {weights}, and weights do not say what stands \
         between them{}",
        path.display(), write_head(candidates, models)
    )]
    UnknownHead {
        /// The file.
        path: PathBuf,
        /// The weights, in words.
        weights: String,
        /// Heads that fit them, in words.
        candidates: Vec<String>,
        /// The networks, where it is not known either which of these it is.
        models: Vec<String>,
    },
    /// The head that was asked for is not that of the weights.
    #[error("{}: the head `{head}` is not that of its weights: {reason}", path.display())]
    HeadSpec {
        /// The file.
        path: PathBuf,
        /// The head, in words.
        head: String,
        /// What differs.
        reason: String,
    },
    /// A head was asked for, and the file states its own.
    #[error("{} states its head itself, so none can be given: it is {head}", path.display())]
    StatedHead {
        /// The file.
        path: PathBuf,
        /// The head, in words.
        head: String,
    },
    /// Other numbers were stated than those that the network ends in.
    #[error(
        "{}: its head is {head}, and --output states something else\nhint: with --model graph, a head without \
         activation is taken as --output states; of a file that holds weights only, --head states it",
        path.display()
    )]
    StatedOutput {
        /// The file.
        path: PathBuf,
        /// The head, in words.
        head: String,
    },
    /// The file fits several networks, and nothing in it says which it is.
    #[error("{} fits {}, {difference}{}", path.display(), models.join(" and "), say_model(models))]
    SeveralNetworks {
        /// The file.
        path: PathBuf,
        /// The networks, as `--model` takes them.
        models: Vec<String>,
        /// In what they differ.
        difference: &'static str,
    },
    /// A weight is missing, mis-shaped, not finite or unreadable.
    #[error("{}: the weights do not fit {arch}", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// The architecture.
        arch: &'static str,
        /// The weight and what is wrong with it.
        #[source]
        source: Box<LoadError>,
    },
    /// Weights of the file have no place in the network.
    #[error(
        "{}: {} no place in {arch}: {}",
        path.display(), counted(weights.len()), listed(weights)
    )]
    Unused {
        /// The file.
        path: PathBuf,
        /// The architecture.
        arch: &'static str,
        /// `layer: weight shape` of each.
        weights: Vec<String>,
    },
}

impl Error {
    /// What went wrong with a group or data set of an HDF5 file.
    pub(crate) fn of_hdf5(path: &Path, object: &str, source: burncam_hdf5::Error) -> Self {
        let (path, object) = (path.to_owned(), object.to_owned());
        match source {
            burncam_hdf5::Error::Link => Self::Link { path, object },
            // The file may well be whole.
            burncam_hdf5::Error::TooMuch | burncam_hdf5::Error::TooMany(_) => {
                let reason =
                    format!("`{object}`: {source}\nhint: save the model alone, in a new file");
                Self::TooLarge { path, reason }
            }
            source => Self::Hdf5 { path, object, source: Box::new(source) },
        }
    }
}

/// How to write a head, and to choose a network where that is needed too.
fn write_head(candidates: &[String], models: &[String]) -> String {
    let model = models.first().map_or(String::new(), |model| format!(" --model {model}"));
    let mut text = "\nhint: write the head as the code of the model has it".to_owned();
    if candidates.is_empty() {
        text.push_str(", such as --head \"avgpool; linear; relu; dropout; linear\"");
    } else {
        text.push_str(if candidates.len() == 1 { ":" } else { "; these fit, among others:" });
    }
    for candidate in candidates {
        text.push_str(&format!("\n  --head \"{candidate}\"{model}"));
    }
    if let [_, others @ ..] = models {
        let others: Vec<String> = others.iter().map(|other| format!("--model {other}")).collect();
        text.push_str(&format!(
            "\n(or {}, whose weights have the same names)",
            others.join(" or ")
        ));
    }
    text
}

fn say_model(models: &[String]) -> String {
    let options: Vec<String> = models.iter().map(|model| format!("--model {model}")).collect();
    format!("\nhint: say which it is: {}", options.join(" or "))
}

/// `1 weight has`, `3 weights have`.
fn counted(weights: usize) -> String {
    if weights == 1 { "1 weight has".to_owned() } else { format!("{weights} weights have") }
}

/// The first few of a list that may be long.
fn listed(items: &[String]) -> String {
    const SHOWN: usize = 5;
    match items.split_at_checked(SHOWN) {
        Some((shown, rest @ [_, ..])) => {
            format!("{} and {} more", shown.join(", "), rest.len())
        }
        _ => items.join(", "),
    }
}
