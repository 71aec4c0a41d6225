//! What a network's classes are called, and who says so.

use anyhow::{Context, Result, bail};
use burncam_net::Outputs;
use burncam_weights::Resolved;

use crate::classes;
use crate::labels::ClassOrder;
use crate::message::Message;

/// Names of the classes, in the order of the network's outputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassNames {
    /// The names.
    pub names: Vec<String>,
    /// Who says so.
    pub source: Source,
}

/// Who says what the classes are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `--classes`.
    Option,
    /// This entry of the checkpoint.
    File(String),
    /// The variant, whose published weights have these classes.
    Variant(&'static str),
    /// The notebook.
    Notebook,
    /// Nobody: they are numbered.
    Numbers,
}

/// The names that `given` has, else the checkpoint, else the architecture.
pub fn of(given: Option<&str>, checkpoint: &Resolved) -> Result<ClassNames> {
    let count = checkpoint.head.classes();
    if let Some(given) = given {
        let names = classes::names(given)?;
        if names.len() != count {
            bail!(
                "--classes gives {} names, and the network of {} has {count} classes",
                names.len(),
                checkpoint.path().display()
            );
        }
        return Ok(ClassNames { names, source: Source::Option });
    }
    if let Some(own) = checkpoint.class_names()? {
        let names = classes::told_apart(&own.names).with_context(|| {
            format!("{}: `{}` is no list of classes", checkpoint.path().display(), own.entry)
        })?;
        return Ok(ClassNames { names, source: Source::File(own.entry.clone()) });
    }
    let assumed = assumed(checkpoint);
    if checkpoint.has_unnamed_output()
        && let [first, second] = assumed.names.as_slice()
    {
        bail!(
            "the network of {} ends in one neuron with a sigmoid, and the file does not say whose \
             probability it gives\nhint: --classes {first},{second} if it is near 1 for {second}, \
             --classes {second},{first} if it is near 1 for {first}",
            checkpoint.path().display()
        );
    }
    Ok(assumed)
}

/// The architecture's names, with where they come from.
pub fn assumed(checkpoint: &Resolved) -> ClassNames {
    let (arch, variant) = (checkpoint.arch, checkpoint.variant);
    let names = arch.class_names(variant, checkpoint.head.classes());
    let source = match variant.outputs {
        Outputs::Named(own) if own.iter().eq(&names) => Source::Variant(variant.name),
        _ if arch.classes.iter().eq(&names) => Source::Notebook,
        _ => Source::Numbers,
    };
    ClassNames { names, source }
}

impl Source {
    /// Whether anybody has said in which order the names are.
    pub fn order(&self) -> ClassOrder {
        match self {
            Self::Variant(_) | Self::Notebook => ClassOrder::Assumed,
            Self::Option | Self::File(_) | Self::Numbers => ClassOrder::Given,
        }
    }

    /// The source on one line, for records.
    pub fn describe(&self) -> String {
        match self {
            Self::Option => "--classes".to_owned(),
            Self::File(entry) => format!("the file's {entry}"),
            Self::Variant(variant) => format!("the order of {variant}"),
            Self::Notebook => "the notebook's order".to_owned(),
            Self::Numbers => "their numbers".to_owned(),
        }
    }

    /// What to say where these two names are assumed. `neurons` are those of the last layer.
    pub fn note(&self, names: &[String], neurons: usize) -> Option<Message> {
        let [first, second] = names else { return None };
        let swapped = format!("--classes {second},{first}");
        let outputs = match neurons {
            1 => Message::new(
                format!("its one neuron is near 0 for {first} and near 1 for {second}"),
                format!("seu único neurônio fica perto de 0 para {first} e de 1 para {second}"),
            ),
            _ => Message::new(
                format!("output 0 is taken for {first} and output 1 for {second}"),
                format!("a saída 0 é tomada por {first} e a saída 1 por {second}"),
            ),
        };
        let begin = Message::new(
            "the file does not name its classes: ",
            "o arquivo não nomeia suas classes: ",
        );
        let begin = begin.then(outputs);
        match self {
            Self::Notebook => Some(begin.then(Message::new(
                format!(
                    ", as in the notebook. Loaders that sort folders, such as ImageFolder and \
                     image_dataset_from_directory, have {second} = 0 and {first} = 1: then add {swapped}"
                ),
                format!(
                    ", como no notebook. Carregadores que ordenam as pastas, como ImageFolder e \
                     image_dataset_from_directory, têm {second} = 0 e {first} = 1: então acrescente \
                     {swapped}"
                ),
            ))),
            Self::Variant(variant) => Some(begin.then(Message::new(
                format!(", as {variant} has it. If the network was trained otherwise, add {swapped}"),
                format!(", como em {variant}. Se a rede foi treinada de outro modo, acrescente {swapped}"),
            ))),
            _ => None,
        }
    }
}
