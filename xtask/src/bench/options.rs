//! The command line of `bench`.

use std::path::PathBuf;
use std::slice::Iter;

use super::networks::NETWORKS;
use crate::root;

/// What is asked for.
#[derive(Debug, PartialEq)]
pub(super) struct Options {
    pub checkpoints: Option<PathBuf>,
    pub pythons: Vec<PathBuf>,
    pub data: PathBuf,
    /// Files whose networks are measured instead of the known ones.
    pub weights: Vec<PathBuf>,
    /// Where Burncam computes.
    pub device: String,
    /// Names of networks; none is all.
    pub only: Vec<String>,
    pub batches: Vec<usize>,
    pub rounds: usize,
    pub markdown: bool,
    /// Whether only layers are measured.
    pub layers: bool,
    /// Whether methods are measured: these, or if none is named, all.
    pub methods: Option<Vec<String>>,
    /// The same of measures.
    pub measures: Option<Vec<String>>,
}

impl Options {
    pub(super) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self {
            checkpoints: None,
            pythons: Vec::new(),
            data: root().join("assets/demo/faces"),
            weights: Vec::new(),
            device: "cpu".to_owned(),
            only: Vec::new(),
            batches: vec![1, 8],
            rounds: 5,
            markdown: false,
            layers: false,
            methods: None,
            measures: None,
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let (name, inside) = match argument.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (argument.as_str(), None),
            };
            match name {
                "--checkpoints" => {
                    options.checkpoints = Some(value(name, inside, &mut rest)?.into())
                }
                "--python" => options.pythons.push(value(name, inside, &mut rest)?.into()),
                "--weights" => options.weights.push(value(name, inside, &mut rest)?.into()),
                "--data" => options.data = value(name, inside, &mut rest)?.into(),
                "--device" => options.device = value(name, inside, &mut rest)?.to_owned(),
                "--only" => options.only = names(value(name, inside, &mut rest)?)?,
                "--batch" => options.batches = numbers(name, value(name, inside, &mut rest)?)?,
                "--rounds" => options.rounds = numbers(name, value(name, inside, &mut rest)?)?[0],
                "--markdown" => options.markdown = true,
                "--layers" => options.layers = true,
                "--methods" => options.methods = Some(some(inside)),
                "--measures" => options.measures = Some(some(inside)),
                other => return Err(format!("bench has no option {other}\n\n{}", super::HELP)),
            }
        }
        Ok(options)
    }

    /// Whether a GPU is measured.
    pub(super) fn on_gpu(&self) -> bool {
        self.device != "cpu"
    }

    /// Whether a network is to be measured.
    pub(super) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|wanted| wanted == name)
    }
}

fn value<'a>(
    name: &str,
    inside: Option<&'a str>,
    rest: &mut Iter<'a, String>,
) -> Result<&'a str, String> {
    inside
        .or_else(|| rest.next().map(String::as_str))
        .ok_or_else(|| format!("{name} needs a value; `cargo xtask bench --help` shows them"))
}

/// What is named; nothing is all.
fn some(inside: Option<&str>) -> Vec<String> {
    inside.map_or(Vec::new(), |names| names.split(',').map(str::to_owned).collect())
}

fn names(text: &str) -> Result<Vec<String>, String> {
    let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
    let known: Vec<&str> = NETWORKS.iter().map(|network| network.name).collect();
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        None => Ok(names),
        Some(name) => Err(format!("--only: there is no `{name}`, only {}", known.join(", "))),
    }
}

fn numbers(name: &str, text: &str) -> Result<Vec<usize>, String> {
    let number = |part: &str| part.trim().parse().ok().filter(|&number: &usize| number > 0);
    let numbers: Option<Vec<usize>> = text.split(',').map(number).collect();
    numbers.ok_or_else(|| format!("{name} takes numbers from 1, not `{text}`"))
}

#[cfg(test)]
mod tests {
    use super::Options;

    fn parse(text: &str) -> Result<Options, String> {
        Options::parse(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn options_are_read() {
        let options =
            parse("--python a --only=vgg16,ncnn --python=b --batch 1,4 --rounds 3 --markdown --device gpu")
                .expect("options");
        assert_eq!(options.pythons, ["a", "b"].map(std::path::PathBuf::from));
        assert!(options.wants("ncnn") && !options.wants("senet50") && options.on_gpu());
        assert_eq!((options.batches, options.rounds), (vec![1, 4], 3));
        assert!(options.markdown && options.checkpoints.is_none());
        let defaults = parse("").expect("defaults");
        assert!(defaults.wants("senet50") && !defaults.on_gpu() && defaults.methods.is_none());
        assert_eq!(parse("--methods").expect("all").methods, Some(Vec::new()));
        let some = parse("--methods=saliency,rise").expect("some").methods;
        assert_eq!(some, Some(["saliency", "rise"].map(str::to_owned).to_vec()));
        assert_eq!(defaults.measures, None);
        assert_eq!(parse("--measures").expect("all").measures, Some(Vec::new()));
        assert!(!defaults.layers && parse("--layers").expect("layers").layers);
        let one = parse("--measures=road").expect("one");
        assert_eq!((one.measures, one.methods), (Some(vec!["road".to_owned()]), None));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (text, told) in [
            ("--only vgg19", "vgg19"),
            ("--batch 0", "--batch"),
            ("--rounds many", "many"),
            ("--python", "needs a value"),
            ("--fast", "--fast"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
