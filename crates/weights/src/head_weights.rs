//! A head from its weights: what stands between them is known from the family, or written by the user.

use std::path::Path;

use burncam_net::{Activation, HeadConfig, HeadSpec, HeadStep, HeadStepKind, LayerTable, Op};

use crate::Error;

/// A layer of a head as its weights tell it.
#[derive(Clone, Debug)]
pub(crate) struct HeadWeights {
    pub(crate) name: String,
    pub(crate) kind: HeadWeightsKind,
    pub(crate) inputs: u64,
    pub(crate) outputs: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum HeadWeightsKind {
    Dense { use_bias: bool },
    Norm { scale: bool, center: bool },
}

/// Everything that a file tells of its head.
pub(crate) struct HeadParts<'a> {
    pub(crate) weights: Vec<HeadWeights>,
    pub(crate) table: &'a LayerTable,
    /// Epsilon of the framework's batch normalisation unless told otherwise.
    pub(crate) epsilon: f32,
}

/// Whether a layer makes a map a vector.
pub(crate) fn is_entrance(op: &Op) -> bool {
    matches!(
        op,
        Op::Flatten
            | Op::GlobalAveragePooling2D
            | Op::GlobalMaxPooling2D
            | Op::GlobalConcatPooling2D
    )
}

/// How a map becomes a vector, and how many numbers that has.
struct Entrance {
    op: Op,
    inputs: u64,
}

impl HeadParts<'_> {
    /// The map before the head, `[height, width, channels]`, as sizes and flattened.
    fn map(&self) -> (u64, u64) {
        let [height, width, channels] = self.table.last().output.map(|size| size as u64);
        (height.saturating_mul(width), channels)
    }

    /// Number of values of the map before the head.
    pub(crate) fn flattened(&self) -> u64 {
        let (area, channels) = self.map();
        area.saturating_mul(channels)
    }

    /// Ways into a head that states none: laid flat, or the mean of each channel.
    fn entrances(&self, stated: Option<&Op>) -> Vec<Entrance> {
        let (area, channels) = self.map();
        let flat = area.saturating_mul(channels);
        let entrance = |op: Op, inputs| Entrance { op, inputs };
        match stated {
            Some(op @ Op::Flatten) => vec![entrance(op.clone(), flat)],
            Some(op @ Op::GlobalConcatPooling2D) => {
                vec![entrance(op.clone(), channels.saturating_mul(2))]
            }
            Some(op) => vec![entrance(op.clone(), channels)],
            None => {
                let mean = entrance(Op::GlobalAveragePooling2D, channels);
                if area > 1 { vec![entrance(Op::Flatten, flat), mean] } else { vec![mean] }
            }
        }
    }

    /// The layers of the head that `spec` describes, if these weights are its own.
    pub(crate) fn fill(&self, spec: &HeadSpec) -> Result<Vec<(String, Op)>, String> {
        let is_entrance =
            |step: &&HeadStep| matches!(&step.kind, HeadStepKind::Plain(op) if is_entrance(op));
        let stated = spec.steps().iter().find(is_entrance).and_then(|step| match &step.kind {
            HeadStepKind::Plain(op) => Some(op),
            _ => None,
        });
        let weighted: Vec<&HeadStep> = spec
            .steps()
            .iter()
            .filter(|step| !matches!(step.kind, HeadStepKind::Plain(_)))
            .collect();
        let before = spec.steps().iter().take_while(|step| stated.is_some() && !is_entrance(step));
        let before = before.filter(|step| !matches!(step.kind, HeadStepKind::Plain(_))).count();
        if weighted.len() != self.weights.len() {
            return Err(format!(
                "it has {}, and the file {}: {}",
                counted(weighted.len()),
                counted(self.weights.len()),
                self.describe()
            ));
        }
        let fitting = self.entrances(stated).into_iter().find_map(|entrance| {
            let accepts = |place: usize, weights: &HeadWeights| {
                weighted.get(place).is_some_and(|step| self.accepts(step, weights))
            };
            let place = (before, entrance.inputs);
            Some((entrance.op, Chain::new(self, place, &accepts).order(self.map().1)?))
        });
        let Some((entrance, order)) = fitting else {
            return Err(format!("its layers do not fit the weights: {}", self.describe()));
        };
        let mut rest = order.into_iter();
        let mut layers: Vec<(String, Op)> = Vec::new();
        if stated.is_none() {
            layers.push((entrance.auto_name().to_owned(), entrance));
        }
        for step in spec.steps() {
            match &step.kind {
                HeadStepKind::Plain(op) => add_plain(&mut layers, op),
                kind => {
                    let weights = rest.next().and_then(|index| self.weights.get(index));
                    let weights = weights.ok_or("a layer has no weights")?;
                    let name = weights.name.clone();
                    layers.push((name, with_weights(kind, weights, self.epsilon)?));
                }
            }
        }
        Ok(layers)
    }

    /// The weights in the order in which each reads what the one before gives, behind the entrance that
    /// they ask for.
    pub(crate) fn sequence(&self) -> Option<(Op, Vec<&HeadWeights>)> {
        let concat = self.entrances(Some(&Op::GlobalConcatPooling2D));
        let entrances = self.entrances(None).into_iter().chain(concat);
        entrances.filter(|_| !self.weights.is_empty()).find_map(|Entrance { op, inputs }| {
            let order = Chain::new(self, (0, inputs), &|_, _| true).order(inputs)?;
            Some((op, order.into_iter().filter_map(|index| self.weights.get(index)).collect()))
        })
    }

    fn accepts(&self, step: &HeadStep, weights: &HeadWeights) -> bool {
        let named = step.name.as_ref().is_none_or(|name| {
            *name == weights.name || self.table.numbered_name(name).as_ref() == Some(&weights.name)
        });
        let count = |stated: Option<usize>, own| stated.is_none_or(|count| count as u64 == own);
        named
            && match (&step.kind, weights.kind) {
                (
                    HeadStepKind::Dense { units, inputs, use_bias, .. },
                    HeadWeightsKind::Dense { use_bias: own },
                ) => {
                    count(*units, weights.outputs)
                        && count(*inputs, weights.inputs)
                        && use_bias.is_none_or(|stated| stated == own)
                }
                (HeadStepKind::BatchNorm { .. }, HeadWeightsKind::Norm { .. }) => true,
                _ => false,
            }
    }

    /// The weights in words: `` `fc.0` linear 2048 to 512 ``.
    pub(crate) fn describe(&self) -> String {
        const SHOWN: usize = 12;
        let one = |weights: &HeadWeights| {
            let name = match weights.name.as_str() {
                "" => "without a name".to_owned(),
                name => format!("`{name}`"),
            };
            match weights.kind {
                HeadWeightsKind::Dense { .. } => {
                    format!("{name} linear {} to {}", weights.inputs, weights.outputs)
                }
                HeadWeightsKind::Norm { .. } => format!("{name} batchnorm {}", weights.inputs),
            }
        };
        let mut all: Vec<String> = self.weights.iter().take(SHOWN).map(one).collect();
        if self.weights.len() > SHOWN {
            all.push("…".to_owned());
        }
        if all.is_empty() { "none".to_owned() } else { all.join(", ") }
    }
}

fn counted(layers: usize) -> String {
    let s = if layers == 1 { "" } else { "s" };
    format!("{layers} layer{s} with weights")
}

/// Adds a layer without weights; an activation right behind a dense layer is that layer's.
fn add_plain(layers: &mut Vec<(String, Op)>, op: &Op) {
    match (op, layers.last_mut()) {
        (Op::Activation { activation: Activation::Linear }, _) => {}
        (
            Op::Activation { activation },
            Some((_, Op::Dense { activation: own @ Activation::Linear, .. })),
        ) => *own = *activation,
        _ => {
            let class = op.auto_name();
            let same = layers.iter().filter(|(_, other)| other.auto_name() == class).count();
            let name = if same == 0 { class.to_owned() } else { format!("{class}_{same}") };
            layers.push((name, op.clone()));
        }
    }
}

fn with_weights(kind: &HeadStepKind, weights: &HeadWeights, epsilon: f32) -> Result<Op, String> {
    match (kind, weights.kind) {
        (HeadStepKind::Dense { activation, .. }, HeadWeightsKind::Dense { use_bias }) => {
            let units = usize::try_from(weights.outputs);
            let units = units.map_err(|_| format!("`{}` is too large", weights.name))?;
            Ok(Op::Dense { units, use_bias, activation: *activation })
        }
        (HeadStepKind::BatchNorm { epsilon: own }, HeadWeightsKind::Norm { scale, center }) => {
            Ok(Op::BatchNormalization { epsilon: own.unwrap_or(epsilon), scale, center })
        }
        _ => Err(format!("`{}` is another kind of layer", weights.name)),
    }
}

/// The search for an order of weights in which each reads what the one before gives.
struct Chain<'a> {
    weights: &'a [HeadWeights],
    accepts: &'a dyn Fn(usize, &HeadWeights) -> bool,
    taken: Vec<usize>,
    /// Behind how many layers the map becomes a vector, and of how many numbers.
    entrance: (usize, u64),
    /// How often weights may still be tried: of equal widths, every order would be.
    tries: usize,
}

impl<'a> Chain<'a> {
    fn new(
        parts: &'a HeadParts<'_>,
        entrance: (usize, u64),
        accepts: &'a dyn Fn(usize, &HeadWeights) -> bool,
    ) -> Self {
        Self { weights: &parts.weights, accepts, taken: Vec::new(), entrance, tries: 10_000 }
    }

    /// The first order behind so many channels, as indices; the given order is the first.
    fn order(&mut self, channels: u64) -> Option<Vec<usize>> {
        let inputs = match self.entrance {
            (place, inputs) if place == self.taken.len() => inputs,
            _ => channels,
        };
        if self.taken.len() == self.weights.len() {
            return Some(self.taken.clone());
        }
        for (index, weights) in self.weights.iter().enumerate() {
            self.tries = self.tries.checked_sub(1)?;
            let fits = weights.inputs == inputs && (self.accepts)(self.taken.len(), weights);
            if !fits || self.taken.contains(&index) || self.skips_norm(index) {
                continue;
            }
            self.taken.push(index);
            if let Some(order) = self.order(weights.outputs) {
                return Some(order);
            }
            self.taken.pop();
        }
        None
    }

    /// Normalisations of one width could stand in any order: only the file's counts.
    fn skips_norm(&self, index: usize) -> bool {
        let is_norm = |weights: &HeadWeights| matches!(weights.kind, HeadWeightsKind::Norm { .. });
        self.weights.get(index).is_some_and(is_norm)
            && (self.weights.iter().enumerate().take(index))
                .any(|(earlier, weights)| is_norm(weights) && !self.taken.contains(&earlier))
    }
}

/// A head, and whether its family has it.
pub(crate) struct DecidedHead {
    pub(crate) config: HeadConfig,
    pub(crate) of_family: bool,
}

/// Whether a head may be meant, given its layers.
type Suits<'a> = dyn Fn(&[(String, Op)]) -> bool + 'a;

/// What decides a head that a file holds the weights of only.
pub(crate) struct HeadChoice<'a> {
    pub(crate) parts: HeadParts<'a>,
    /// What the user wrote.
    pub(crate) asked: Option<&'a HeadSpec>,
    /// What is certain without it, beside the family's own heads.
    pub(crate) certain: Option<Vec<(String, Op)>>,
    /// Heads that may be meant where nothing is certain, in words.
    pub(crate) candidates: Vec<String>,
    /// Whether a head of the family may be meant, given its layers.
    pub(crate) suits: &'a Suits<'a>,
}

impl HeadChoice<'_> {
    /// The head, or an error that names those that fit.
    pub(crate) fn decide(self, path: &Path) -> Result<DecidedHead, Error> {
        let decided = |layers, of_family| match HeadConfig::new(layers) {
            Ok(config) => Ok(DecidedHead { config, of_family }),
            Err(source) => Err(Error::Head { path: path.to_owned(), source }),
        };
        if let Some(asked) = self.asked {
            let layers = self.parts.fill(asked).map_err(|reason| Error::HeadSpec {
                path: path.to_owned(),
                head: asked.to_string(),
                reason,
            })?;
            return decided(layers, false);
        }
        let fill = |text: &str| self.parts.fill(&text.parse().ok()?).ok();
        let known = self.parts.table.heads().iter().filter_map(|head| fill(head));
        if let Some(layers) = known.into_iter().find(|layers| (self.suits)(layers)) {
            return decided(layers, true);
        }
        match self.certain.clone() {
            Some(layers) => decided(layers, false),
            None => Err(Error::UnknownHead {
                path: path.to_owned(),
                weights: self.parts.describe(),
                candidates: self.fitting(),
                models: Vec::new(),
            }),
        }
    }

    /// The candidates that fit the weights, as the option is written.
    fn fitting(&self) -> Vec<String> {
        const SHOWN: usize = 6;
        let fits = |text: &&String| {
            text.parse().is_ok_and(|head: HeadSpec| self.parts.fill(&head).is_ok())
        };
        let mut fitting: Vec<String> = Vec::new();
        for text in self.candidates.iter().filter(fits) {
            if !fitting.contains(text) && fitting.len() < SHOWN {
                fitting.push(text.clone());
            }
        }
        fitting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> LayerTable {
        let mut table = LayerTable::new("input", [7, 7, 3]);
        table.push("conv", Op::conv2d(4, 1));
        table
    }

    fn dense(name: &str, inputs: u64, outputs: u64) -> HeadWeights {
        let kind = HeadWeightsKind::Dense { use_bias: true };
        HeadWeights { name: name.to_owned(), kind, inputs, outputs }
    }

    fn norm(name: &str, channels: u64) -> HeadWeights {
        let kind = HeadWeightsKind::Norm { scale: true, center: true };
        HeadWeights { name: name.to_owned(), kind, inputs: channels, outputs: channels }
    }

    fn filled(weights: &[HeadWeights], head: &str) -> Result<String, String> {
        let table = table();
        let parts = HeadParts { weights: weights.to_vec(), table: &table, epsilon: 1e-5 };
        let layers = parts.fill(&head.parse()?)?;
        let names: Vec<String> = layers.iter().map(|(name, _)| name.clone()).collect();
        let config = HeadConfig::new(layers).map_err(|error| error.to_string())?;
        Ok(format!("{} ({})", config.describe(), names.join(" ")))
    }

    #[test]
    fn words_and_weights_make_a_head() {
        let two = [dense("fc.0", 4, 8), dense("fc.3", 8, 2)];
        let found = filled(&two, "linear 8; relu; dropout; linear").expect("a head");
        assert_eq!(
            found,
            "GlobalAveragePooling2D, Dense 8 relu, Dropout, Dense 2, softmax \
             (global_average_pooling2d fc.0 dropout fc.3)"
        );
        let found = filled(&two, "maxpool; linear; tanh; linear; sigmoid").expect("a head");
        assert!(found.starts_with("GlobalMaxPooling2D, Dense 8 tanh, Dense 2, sigmoid"), "{found}");
        let flat = [dense("a", 196, 8), dense("b", 8, 2)];
        let found = filled(&flat, "linear; linear").expect("a head");
        assert!(found.starts_with("Flatten, Dense 8, Dense 2, softmax"), "{found}");
        let fastai = [norm("1.2", 8), dense("1.4", 8, 5), norm("1.6", 5), dense("1.8", 5, 3)];
        let head = "concatpool; batchnorm; dropout; 1.4: linear; relu; batchnorm(eps=0.1); linear";
        let found = filled(&fastai, head).expect("a head");
        assert!(
            found.starts_with(
                "GlobalConcatPooling2D, BatchNormalization, Dropout, Dense 5 relu, \
                 BatchNormalization, Dense 3, softmax"
            ),
            "{found}"
        );
    }

    #[test]
    fn layers_are_ordered_by_what_they_read() {
        // timm's vgg16 from a file that sorts names.
        let sorted = [dense("head.fc", 5, 2), dense("pre.fc1", 196, 6), dense("pre.fc2", 6, 5)];
        let found = filled(&sorted, "linear; relu; linear; relu; linear").expect("a head");
        assert!(found.contains("pre.fc1 pre.fc2 head.fc"), "{found}");
    }

    #[test]
    fn words_that_are_not_the_weights_are_refused() {
        let two = [dense("fc.0", 4, 8), dense("fc.3", 8, 2)];
        for (head, says) in [
            (
                "linear",
                "it has 1 layer with weights, and the file 2 layers with weights: `fc.0` linear 4 to 8",
            ),
            ("flatten; linear; linear", "do not fit"),
            ("linear 9; linear", "do not fit"),
            ("linear; batchnorm", "do not fit"),
            ("fc.1: linear; linear", "do not fit"),
            ("linear(bias=False); linear", "do not fit"),
        ] {
            let error = filled(&two, head).expect_err(head);
            assert!(error.contains(says), "{head}: {error}");
        }
    }

    #[test]
    fn a_head_that_nothing_decides_is_refused_with_those_that_fit() {
        let table = table().with_heads(&["c.1: linear; relu; c.2: linear"]);
        let decide = |weights: &[HeadWeights], asked: Option<&str>| {
            let asked = asked.map(|head| head.parse().expect("a head"));
            let candidates = ["linear; relu; linear", "flatten; linear", "linear; linear"];
            let choice = HeadChoice {
                parts: HeadParts { weights: weights.to_vec(), table: &table, epsilon: 1e-5 },
                asked: asked.as_ref(),
                certain: None,
                candidates: candidates.map(str::to_owned).to_vec(),
                suits: &|_| true,
            };
            choice.decide("x.pt".as_ref()).map(|head| head.config.describe())
        };
        let own = [dense("c.1", 4, 8), dense("c.2", 8, 2)];
        let family = "GlobalAveragePooling2D, Dense 8 relu, Dense 2, softmax";
        assert_eq!(decide(&own, None).expect("a head"), family);
        let other = [dense("fc.0", 4, 8), dense("fc.3", 8, 2)];
        let error = decide(&other, None).expect_err("nothing decides");
        let Error::UnknownHead { candidates, .. } = &error else { panic!("{error}") };
        assert_eq!(candidates, &["linear; relu; linear", "linear; linear"]);
        assert_eq!(decide(&other, Some("linear; relu; linear")).expect("a head"), family);
        let error = decide(&other, Some("linear")).expect_err("another head").to_string();
        assert!(error.contains("the head `linear` is not that of its weights"), "{error}");
    }
}
