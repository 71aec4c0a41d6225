//! A head in words: `avgpool; linear 512; relu; dropout; linear`, as `--head` takes it.
//!
//! Weights alone do not hold activations, pooling or dropout, so a user writes them. The words are
//! those of PyTorch and of Keras, in any case: what `print(model.fc)` shows is understood, and what
//! [`HeadConfig::describe`](crate::HeadConfig::describe) gives.

use std::fmt;
use std::str::FromStr;

use crate::{Activation, Op};

/// The longest text that is read, in bytes.
const LONGEST: usize = 1 << 14;

/// A head in words, not yet compared with any weights.
#[derive(Clone, Debug, PartialEq)]
pub struct HeadSpec {
    steps: Vec<HeadStep>,
    text: String,
}

/// One layer of a [`HeadSpec`].
#[derive(Clone, Debug, PartialEq)]
pub struct HeadStep {
    /// Name of its weights, where only weights of that name are meant.
    pub name: Option<String>,
    /// What it computes.
    pub kind: HeadStepKind,
}

/// What a layer of a [`HeadSpec`] computes; what is not stated, weights decide.
#[derive(Clone, Debug, PartialEq)]
pub enum HeadStepKind {
    /// Pooling, flattening, dropout, or an activation on its own: a layer without weights.
    Plain(Op),
    /// A dense layer.
    Dense {
        /// Its neurons.
        units: Option<usize>,
        /// What it reads.
        inputs: Option<usize>,
        /// Whether it has a bias.
        use_bias: Option<bool>,
        /// Its own activation.
        activation: Activation,
    },
    /// A batch normalisation.
    BatchNorm {
        /// What is added to the variance; without, the framework's own.
        epsilon: Option<f32>,
    },
}

/// A word of the language, with all its spellings; the first is shown to users.
struct Word {
    spellings: &'static [&'static str],
    kind: fn() -> HeadStepKind,
}

const fn plain(op: Op) -> HeadStepKind {
    HeadStepKind::Plain(op)
}

const fn function(activation: Activation) -> HeadStepKind {
    plain(Op::Activation { activation })
}

/// PyTorch's slope of a leaky rectifier; Keras's is 0.3, so the number has to be written.
const NO_SLOPE: f32 = f32::NAN;

static WORDS: [Word; 17] = [
    Word {
        spellings: &["avgpool", "adaptiveavgpool", "globalaveragepooling", "gap"],
        kind: || plain(Op::GlobalAveragePooling2D),
    },
    Word {
        spellings: &["maxpool", "adaptivemaxpool", "globalmaxpooling", "gmp"],
        kind: || plain(Op::GlobalMaxPooling2D),
    },
    Word {
        spellings: &["concatpool", "adaptiveconcatpool", "globalconcatpooling"],
        kind: || plain(Op::GlobalConcatPooling2D),
    },
    Word { spellings: &["flatten"], kind: || plain(Op::Flatten) },
    Word {
        spellings: &["linear", "dense"],
        kind: || HeadStepKind::Dense {
            units: None,
            inputs: None,
            use_bias: None,
            activation: Activation::Linear,
        },
    },
    Word {
        spellings: &["batchnorm", "batchnormalization"],
        kind: || HeadStepKind::BatchNorm { epsilon: None },
    },
    Word { spellings: &["dropout"], kind: || plain(Op::Dropout) },
    Word { spellings: &["relu"], kind: || function(Activation::Relu) },
    Word { spellings: &["leakyrelu"], kind: || plain(Op::LeakyReLU { negative_slope: NO_SLOPE }) },
    Word { spellings: &["elu"], kind: || function(Activation::Elu) },
    Word { spellings: &["gelu"], kind: || function(Activation::Gelu) },
    Word { spellings: &["silu", "swish"], kind: || function(Activation::Silu) },
    Word { spellings: &["tanh"], kind: || function(Activation::Tanh) },
    Word { spellings: &["sigmoid"], kind: || function(Activation::Sigmoid) },
    Word { spellings: &["softmax", "logsoftmax"], kind: || function(Activation::Softmax) },
    Word { spellings: &["identity"], kind: || function(Activation::Linear) },
    Word { spellings: &["activation"], kind: || function(Activation::Linear) },
];

impl HeadSpec {
    /// Its layers, in order.
    #[must_use]
    pub fn steps(&self) -> &[HeadStep] {
        &self.steps
    }

    /// Every word that is understood, in the spelling that users are shown.
    pub fn words() -> impl Iterator<Item = &'static str> {
        WORDS
            .iter()
            .filter_map(|word| word.spellings.first().copied())
            .filter(|w| *w != "activation")
    }
}

impl fmt::Display for HeadSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for HeadSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("it is longer than {LONGEST} bytes"));
        }
        let layers = split(text)?;
        let steps: Vec<HeadStep> = layers
            .into_iter()
            .map(str::trim)
            .filter(|layer| !layer.is_empty())
            .map(|layer| step(layer).map_err(|reason| format!("`{layer}`: {reason}")))
            .collect::<Result<_, _>>()?;
        if !steps.iter().any(|step| matches!(step.kind, HeadStepKind::Dense { .. })) {
            return Err("it has no linear (dense) layer".to_owned());
        }
        let is_softmax = |step: &HeadStep| {
            let HeadStepKind::Plain(Op::Activation { activation }) = step.kind else {
                return false;
            };
            activation == Activation::Softmax
        };
        let early = steps.split_last().is_some_and(|(_, before)| before.iter().any(is_softmax));
        if early {
            return Err("softmax can only be the last layer".to_owned());
        }
        Ok(Self { steps, text: text.trim().to_owned() })
    }
}

/// The text between semicolons or commas, save those in parentheses.
fn split(text: &str) -> Result<Vec<&str>, String> {
    let mut depth = 0_usize;
    let mut start = 0;
    let mut layers = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return Err("a parenthesis is closed and not opened".to_owned()),
            ')' => depth -= 1,
            ';' | ',' | '\n' if depth == 0 => {
                layers.push(&text[start..at]);
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    if depth > 0 {
        return Err("a parenthesis is opened and not closed".to_owned());
    }
    layers.push(&text[start..]);
    Ok(layers)
}

/// `fc.0: linear(2048, 512)`, `Dense 512 relu without bias`.
fn step(text: &str) -> Result<HeadStep, String> {
    let (name, text) = match text.split_once(':') {
        Some((name, rest)) if !name.contains('(') => (Some(name.trim()), rest.trim()),
        _ => (None, text),
    };
    let (word, arguments, rest) = match text.split_once('(') {
        Some((word, rest)) => {
            let (arguments, rest) = rest.rsplit_once(')').unwrap_or((rest, ""));
            (word.trim(), arguments, rest)
        }
        None => {
            let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
            (word, "", rest)
        }
    };
    let mut kind = find(word)?;
    for argument in arguments.split(',').map(str::trim).filter(|argument| !argument.is_empty()) {
        let (key, value) = match argument.split_once('=') {
            Some((key, value)) => (key.trim(), value.trim()),
            None => ("", argument),
        };
        set(&mut kind, key, value.trim_matches(['\'', '"', '(', ')', ' ']))?;
    }
    let mut words = rest.split_whitespace();
    while let Some(word) = words.next() {
        match word {
            "without" if words.next() == Some("bias") => set(&mut kind, "bias", "False")?,
            word if word.parse::<usize>().is_ok() => set(&mut kind, "units", word)?,
            word => set(&mut kind, "activation", word)?,
        }
    }
    if matches!(kind, HeadStepKind::Plain(Op::LeakyReLU { negative_slope }) if negative_slope.is_nan())
    {
        return Err("its slope is needed, such as leakyrelu(0.01): PyTorch's is 0.01 unless told \
                    otherwise, Keras's 0.3"
            .to_owned());
    }
    Ok(HeadStep { name: name.map(str::to_owned), kind })
}

fn find(word: &str) -> Result<HeadStepKind, String> {
    let last = word.rsplit('.').next().unwrap_or(word);
    let bare = last.to_lowercase().replace(['_', '-'], "");
    let bare = bare.strip_suffix("1d").or(bare.strip_suffix("2d")).unwrap_or(&bare);
    let known = WORDS.iter().find(|word| word.spellings.contains(&bare));
    known.map(|word| (word.kind)()).ok_or_else(|| {
        let words: Vec<&str> = HeadSpec::words().collect();
        format!("there is no layer of this name; the layers are {}", words.join(", "))
    })
}

/// Takes over one argument; what does nothing at inference is passed over.
fn set(kind: &mut HeadStepKind, key: &str, value: &str) -> Result<(), String> {
    let count = || value.parse::<usize>().ok().filter(|&count| count > 0);
    let number = || value.parse::<f32>().ok().filter(|number| number.is_finite());
    let refuse = || match key {
        "" => Err(format!("`{value}` cannot stand there")),
        _ => Err(format!("{key} cannot be `{value}`")),
    };
    match kind {
        HeadStepKind::Dense { units, inputs, use_bias, activation } => match key {
            // PyTorch writes inputs and outputs, Keras the outputs alone.
            "" if count().is_some() => {
                if let Some(earlier) = *units {
                    *inputs = Some(earlier);
                }
                *units = count();
            }
            "units" | "out_features" if count().is_some() => *units = count(),
            "in_features" if count().is_some() => *inputs = count(),
            "bias" | "use_bias" => match value.to_lowercase().as_str() {
                "true" => *use_bias = Some(true),
                "false" => *use_bias = Some(false),
                _ => return refuse(),
            },
            "activation" => match find(value)? {
                HeadStepKind::Plain(Op::Activation { activation: own }) => *activation = own,
                _ => return refuse(),
            },
            _ => return refuse(),
        },
        HeadStepKind::BatchNorm { epsilon } => match key {
            "eps" | "epsilon" if number().is_some_and(|number| number > 0.0) => *epsilon = number(),
            "eps" | "epsilon" => return refuse(),
            _ => {}
        },
        HeadStepKind::Plain(Op::LeakyReLU { negative_slope }) => match key {
            "" | "negative_slope" | "alpha" if number().is_some() => {
                *negative_slope = number().unwrap_or(NO_SLOPE);
            }
            "inplace" => {}
            _ => return refuse(),
        },
        HeadStepKind::Plain(
            Op::GlobalAveragePooling2D | Op::GlobalMaxPooling2D | Op::GlobalConcatPooling2D,
        ) => match (key, value) {
            ("" | "output_size" | "sz", "1") => {}
            ("" | "output_size" | "sz" | "kernel_size" | "stride", _) => {
                return Err("only pooling to one value a channel can stand in a head; pooling to \
                            the size that the map has already does nothing, so leave it out"
                    .to_owned());
            }
            _ => {}
        },
        HeadStepKind::Plain(Op::Activation { activation: Activation::Elu })
            if matches!(key, "" | "alpha") && number() != Some(1.0) =>
        {
            return Err("only alpha 1 can be computed".to_owned());
        }
        HeadStepKind::Plain(Op::Activation { activation: Activation::Gelu })
            if key == "approximate"
                && !value.eq_ignore_ascii_case("none")
                && !value.eq_ignore_ascii_case("false") =>
        {
            return Err("only the exact function can be computed".to_owned());
        }
        // `Activation("relu")`, as Keras has it.
        HeadStepKind::Plain(Op::Activation { activation }) if *activation == Activation::Linear => {
            match find(value)? {
                HeadStepKind::Plain(Op::Activation { activation: own }) => *activation = own,
                _ => return refuse(),
            }
        }
        HeadStepKind::Plain(_) => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<HeadStepKind> {
        let spec = HeadSpec::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        spec.steps().iter().map(|step| step.kind.clone()).collect()
    }

    fn dense(units: Option<usize>, activation: Activation) -> HeadStepKind {
        HeadStepKind::Dense { units, inputs: None, use_bias: None, activation }
    }

    #[test]
    fn words_of_pytorch_and_of_keras_are_one_head() {
        let own = [
            plain(Op::GlobalAveragePooling2D),
            dense(Some(512), Activation::Linear),
            function(Activation::Relu),
            plain(Op::Dropout),
            dense(None, Activation::Linear),
        ];
        for text in [
            "avgpool; linear 512; relu; dropout; linear",
            "AdaptiveAvgPool2d(1), Linear(512), ReLU(inplace=True), Dropout(p=0.5, inplace=False), Linear",
            "GlobalAveragePooling2D; Dense(512); Activation('relu'); Dropout(0.5); Dense",
            "global_average_pooling2d\ndense 512\nnn.ReLU()\ndropout\ndense",
        ] {
            assert_eq!(kinds(text), own, "{text}");
        }
    }

    #[test]
    fn what_pytorch_prints_is_read() {
        let linear = kinds("Linear(in_features=2048, out_features=512, bias=False)");
        let inputs = Some(2048);
        let expected = HeadStepKind::Dense {
            units: Some(512),
            inputs,
            use_bias: Some(false),
            activation: Activation::Linear,
        };
        assert_eq!(linear, std::slice::from_ref(&expected));
        assert_eq!(kinds("linear(2048, 512, bias=False)"), [expected]);
        let norm =
            "BatchNorm1d(2048, eps=1e-03, momentum=0.1, affine=True, track_running_stats=True)";
        let norm = kinds(&format!("{norm}; linear"));
        assert_eq!(norm[0], HeadStepKind::BatchNorm { epsilon: Some(1e-3) });
    }

    #[test]
    fn a_description_is_read_as_it_stands() {
        let found = kinds("Flatten, Dense 8 relu without bias, Dropout, Dense 2, softmax");
        let expected = HeadStepKind::Dense {
            units: Some(8),
            inputs: None,
            use_bias: Some(false),
            activation: Activation::Relu,
        };
        assert_eq!((found.len(), &found[1]), (5, &expected));
        assert_eq!(found[4], function(Activation::Softmax));
    }

    #[test]
    fn weights_can_be_named() {
        let spec = HeadSpec::from_str("flatten; classifier.6: linear").expect("a head");
        assert_eq!(spec.steps()[1].name.as_deref(), Some("classifier.6"));
        assert_eq!(spec.to_string(), "flatten; classifier.6: linear");
    }

    #[test]
    fn what_cannot_be_computed_is_refused() {
        for (text, says) in [
            ("relu; dropout", "no linear (dense) layer"),
            ("linear; attention; linear", "`attention`: there is no layer of this name"),
            ("linear; softmax; linear", "softmax can only be the last"),
            ("linear; leakyrelu; linear", "its slope is needed"),
            ("linear; elu(0.5); linear", "only alpha 1"),
            ("linear; gelu(approximate='tanh'); linear", "only the exact function"),
            ("avgpool(7); linear", "only pooling to one value"),
            ("linear(; relu", "opened and not closed"),
            ("linear); relu", "closed and not opened"),
            ("linear(depth=3)", "depth cannot be `3`"),
            ("linear 0", "units cannot be `0`"),
        ] {
            let error = HeadSpec::from_str(text).expect_err(text);
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
