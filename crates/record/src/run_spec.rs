//! Everything that decides a run's results, save the content of files: two runs are one where this is equal.

use std::collections::BTreeMap;

use burncam_evaluation::Values;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a run is asked for. Fields are called as users type them, so that a refusal can name the option that
/// differs. Paths are not among them, since what counts is what the files hold; neither are devices and the images at a
/// time, whose results agree, so that a run can go on where a GPU has failed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunSpec {
    /// The version of Burncam.
    pub burncam: String,
    /// The models, by name.
    pub models: BTreeMap<String, ModelSpec>,
    /// How images are brought to the network's size: `nearest` or `bilinear`.
    #[serde(rename = "--resize")]
    pub resize: String,
    /// What becomes of EXIF orientation: `ignore` or `apply`.
    #[serde(rename = "--exif")]
    pub exif: String,
    /// Whether the CPU convolves by plain sums.
    #[serde(rename = "--exact")]
    pub exact: bool,
    /// What devices compute in: `f32`, `f16`.
    #[serde(rename = "--precision")]
    pub precision: String,
    /// Where random numbers begin, if a method draws any.
    #[serde(rename = "--seed")]
    pub seed: Option<u64>,
    /// How overlays are drawn: `notebook` or `clean`.
    #[serde(rename = "--overlay")]
    pub overlay: String,
    /// The opacity of the map in the overlay.
    #[serde(rename = "--alpha")]
    pub alpha: f32,
    /// The colours of the map.
    #[serde(rename = "--colormap")]
    pub colormap: String,
    /// What the top of the scale is: `image`, `fold`, `run` or `none`.
    #[serde(rename = "--norm")]
    pub norm: String,
    /// Whether raw maps are written.
    #[serde(rename = "--maps")]
    pub maps: bool,
    /// Whether there is no page.
    #[serde(rename = "--no-report")]
    pub no_report: bool,
    /// The measures of maps, and how they are computed: `deletion`.
    #[serde(rename = "--measure", skip_serializing_if = "Vec::is_empty")]
    pub measure: Vec<String>,
    /// What of the class measures read: `probability` or `logit`.
    #[serde(rename = "--measure-score", skip_serializing_if = "Option::is_none")]
    pub measure_score: Option<String>,
    /// What removed places become: `mean`, ….
    #[serde(rename = "--baseline", skip_serializing_if = "Option::is_none")]
    pub baseline: Option<String>,
    /// Steps from the whole image to the empty one.
    #[serde(rename = "--removal-steps", skip_serializing_if = "Option::is_none")]
    pub removal_steps: Option<usize>,
    /// The masks that say where maps should lie, by the SHA-256 of all of them.
    #[serde(rename = "--masks", skip_serializing_if = "Option::is_none")]
    pub masks: Option<String>,
    /// The number from which on a mask's pixel is inside.
    #[serde(rename = "--mask-level", skip_serializing_if = "Option::is_none")]
    pub mask_level: Option<u8>,
    /// The regions of faces, by the SHA-256 of the table or of all label maps.
    #[serde(rename = "--regions", skip_serializing_if = "Option::is_none")]
    pub regions: Option<String>,
    /// Whether deletion and insertion are computed with every baseline.
    #[serde(rename = "--sweep", skip_serializing_if = "std::ops::Not::not")]
    pub sweep: bool,
    /// How many of the likeliest classes `predictions.csv` has; without, it has all.
    #[serde(rename = "--top")]
    pub top: Option<usize>,
    /// Which part of the images is explained, as `2/4`.
    #[serde(rename = "--shard")]
    pub shard: Option<String>,
}

/// What a model is asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelSpec {
    /// The architecture: `resnet50`.
    pub network: String,
    /// The architecture's variant: `keras-vggface`.
    pub variant: String,
    /// Whether each fold has a network of its own.
    #[serde(rename = "one network for each fold")]
    pub network_per_fold: bool,
    /// How pixels become the network's input, as a formula.
    #[serde(rename = "--preprocess")]
    pub preprocess: String,
    /// Height and width of the images, where the network takes any.
    #[serde(rename = "--size", skip_serializing_if = "Option::is_none")]
    pub size: Option<String>,
    /// The layer that gives the classes, where the network has several outputs.
    #[serde(rename = "--output-layer", skip_serializing_if = "Option::is_none")]
    pub output_layer: Option<String>,
    /// The layers after the features, in words.
    #[serde(rename = "--head")]
    pub head: String,
    /// The class that is explained, unless it is the predicted one.
    #[serde(rename = "--class")]
    pub class: Option<String>,
    /// The classes, in the order of the outputs.
    #[serde(rename = "--classes")]
    pub classes: Vec<String>,
    /// How images are explained.
    pub explanations: Vec<ExplanationSpec>,
}

/// A method at its layers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ExplanationSpec {
    /// The name in folders and tables, unique in its model: `GradCAM`.
    pub name: String,
    /// The name in text: `Grad-CAM`, `Grad-CAM at conv4_3`. Explanations of several models that have the same
    /// are compared.
    pub title: String,
    /// Where the method was published.
    #[serde(default)]
    pub paper: String,
    /// The method: `grad-cam`.
    #[serde(rename = "--method")]
    pub method: String,
    /// What is not as the method has it by default: `samples=20,unit=input`.
    #[serde(default, rename = "--method options", skip_serializing_if = "String::is_empty")]
    pub options: String,
    /// The layers that it reads.
    #[serde(rename = "--layer")]
    pub layers: Vec<String>,
    /// What the values of its maps mean: `positive`, `signed` or `sizes`.
    #[serde(default)]
    pub values: Values,
}

impl RunSpec {
    /// Every option but those of models by name, with its value in words.
    #[must_use]
    pub fn options(&self) -> BTreeMap<String, String> {
        let mut options = options(self);
        options.remove("models");
        options
    }

    /// The first thing in which an earlier run differs from this one, in words.
    #[must_use]
    pub fn difference(&self, earlier: &Self) -> Option<String> {
        let (earlier, now) = (serde_json::to_value(earlier), serde_json::to_value(self));
        difference(&earlier.ok()?, &now.ok()?)
    }
}

impl ModelSpec {
    /// Every option by name, with its value in words.
    #[must_use]
    pub fn options(&self) -> BTreeMap<String, String> {
        options(self)
    }
}

fn options(spec: &impl Serialize) -> BTreeMap<String, String> {
    match serde_json::to_value(spec) {
        Ok(Value::Object(fields)) => {
            fields.iter().map(|(option, value)| (option.clone(), words(value))).collect()
        }
        _ => BTreeMap::new(),
    }
}

fn difference(earlier: &Value, now: &Value) -> Option<String> {
    if let (Value::Array(a), Value::Array(b)) = (earlier, now)
        && a.len() == b.len()
        && a.iter().chain(b).all(Value::is_object)
    {
        // A name follows from what has it.
        let options = |value: &Value| {
            let fields = value.as_object().into_iter().flatten();
            let options = fields.filter(|(name, _)| name.starts_with("--"));
            Value::Object(options.map(|(name, value)| (name.clone(), value.clone())).collect())
        };
        let mut pairs = a.iter().zip(b);
        return pairs.find_map(|(a, b)| difference(&options(a), &options(b)));
    }
    let (Value::Object(a), Value::Object(b)) = (earlier, now) else {
        return (earlier != now).then(|| format!("was {}, now {}", words(earlier), words(now)));
    };
    let names = |map: &Map<String, Value>| map.keys().cloned().collect::<Vec<_>>().join(", ");
    let is_models = |map: &Map<String, Value>| map.values().all(Value::is_object);
    if !a.keys().eq(b.keys()) && is_models(a) && is_models(b) {
        return Some(format!("were {}, now {}", names(a), names(b)));
    }
    let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
    let mut differing = keys.filter_map(|key| {
        let value = |map: &Map<String, Value>| map.get(key).cloned().unwrap_or_default();
        difference(&value(a), &value(b)).map(|what| format!("{key} {what}"))
    });
    differing.next()
}

/// A value as a user would say it.
fn words(value: &Value) -> String {
    match value {
        Value::Null => "not given".to_owned(),
        Value::Bool(true) => "on".to_owned(),
        Value::Bool(false) => "off".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(", "),
        // A number of 32 bits with its own digits.
        Value::Number(number) if number.is_f64() => {
            number.as_f64().map(|number| (number as f32).to_string()).unwrap_or_default()
        }
        Value::Object(fields) => {
            let named = fields.iter().filter(|(name, _)| name.starts_with("--"));
            let named = named.map(|(name, value)| format!("{name} {}", words(value)));
            named.collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(alpha: f32, layer: &str) -> RunSpec {
        let explanation = ExplanationSpec {
            name: "GradCAM".to_owned(),
            title: "Grad-CAM".to_owned(),
            paper: String::new(),
            method: "grad-cam".to_owned(),
            options: String::new(),
            layers: vec![layer.to_owned()],
            values: Values::Positive,
        };
        let model = ModelSpec { explanations: vec![explanation], ..ModelSpec::default() };
        let models = [("NCNN".to_owned(), model)].into();
        RunSpec { alpha, models, ..RunSpec::default() }
    }

    #[test]
    fn the_first_difference_is_named() {
        assert_eq!(run(0.4, "a").difference(&run(0.4, "a")), None);
        let difference = |a: &RunSpec, b: &RunSpec| b.difference(a).expect("a difference");
        assert_eq!(difference(&run(0.4, "a"), &run(0.25, "a")), "--alpha was 0.4, now 0.25");
        assert_eq!(
            difference(&run(0.4, "a"), &run(0.4, "b")),
            "models NCNN explanations --layer was a, now b"
        );
        let mut other = run(0.4, "a");
        let model = other.models.remove("NCNN").expect("a model");
        other.models.insert("VGG16".to_owned(), model);
        assert_eq!(difference(&run(0.4, "a"), &other), "models were NCNN, now VGG16");
        let part = RunSpec { shard: Some("1/2".to_owned()), ..run(0.4, "a") };
        assert_eq!(difference(&part, &run(0.4, "a")), "--shard was 1/2, now not given");
    }

    #[test]
    fn every_option_has_a_name() {
        let run = run(0.4, "a");
        assert_eq!(run.options()["--alpha"], "0.4");
        assert!(!run.options().contains_key("models"));
        let options = run.models["NCNN"].options();
        assert_eq!(options["explanations"], "--layer a --method grad-cam");
        assert_eq!(options["--class"], "not given");
    }
}
