//! How the layers of a functional model are called, and what the model gives.

use std::collections::HashMap;

use serde_json::Value;

/// An output of a layer that something reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    /// The layer.
    pub(crate) layer: String,
    /// Which of its calls.
    node: u64,
    /// Which output of that call.
    tensor: u64,
}

/// Keras 2 writes `["conv1_1", 0, 0, {}]`, Keras 3 `{"keras_history": ["conv1_1", 0, 0]}`.
pub(crate) fn reads(value: &Value) -> Vec<Read> {
    let mut found = Vec::new();
    collect(value, &mut found);
    found
}

/// What stands for the name of a layer where Keras 2 calls one with a constant.
pub(crate) const CONSTANT: &str = "_CONSTANT_VALUE";

fn collect(value: &Value, found: &mut Vec<Read>) {
    match value {
        Value::Array(items) => match items.as_slice() {
            [Value::String(name), Value::Number(_), _, rest @ ..] if name == CONSTANT => {
                rest.iter().for_each(|item| collect(item, found));
            }
            [Value::String(layer), Value::Number(node), Value::Number(tensor), rest @ ..] => {
                let index = |number: &serde_json::Number| number.as_u64().unwrap_or(u64::MAX);
                let (node, tensor) = (index(node), index(tensor));
                found.push(Read { layer: layer.clone(), node, tensor });
                rest.iter().for_each(|item| collect(item, found));
            }
            items => items.iter().for_each(|item| collect(item, found)),
        },
        Value::Object(fields) => fields.values().for_each(|item| collect(item, found)),
        _ => {}
    }
}

/// What a call of a layer is called among all layers: the first by the layer's name.
pub(crate) fn call_name(layer: &str, number: u64) -> String {
    if number == 0 { layer.to_owned() } else { format!("{layer}:{number}") }
}

/// How often each layer of a functional model is called, as far as others may count.
pub(crate) struct Calls<'a>(HashMap<&'a str, LayerCalls>);

struct LayerCalls {
    count: u64,
    /// The number of the first: Keras 2 counts from 1 where a model is a layer, whose own call is the first.
    first: u64,
    /// Whether it is a model that is called once, whatever number that call has.
    is_single_model: bool,
}

impl<'a> Calls<'a> {
    /// Those of these layers, by their names and classes.
    pub(crate) fn new(layers: &'a [Value], name: fn(&Value) -> Option<&str>) -> Self {
        let mut last: HashMap<String, u64> = HashMap::new();
        for read in layers.iter().flat_map(|layer| reads(&layer["inbound_nodes"])) {
            let last = last.entry(read.layer).or_default();
            *last = read.node.max(*last);
        }
        let calls = layers.iter().filter_map(|layer| {
            let nodes = layer.get("inbound_nodes").and_then(Value::as_array).map_or(0, Vec::len);
            let name = name(layer)?;
            let (is_model, count) =
                (is_model(layer["class_name"].as_str().unwrap_or_default()), (nodes as u64).max(1));
            let counts_itself = last.get(name).is_some_and(|&last| last == count);
            let calls = LayerCalls {
                count,
                first: u64::from(is_model && counts_itself),
                is_single_model: is_model && count == 1,
            };
            Some((name, calls))
        });
        Self(calls.collect())
    }

    /// The name of the call that is read.
    pub(crate) fn name(&self, read: &Read) -> String {
        match self.0.get(read.layer.as_str()) {
            Some(calls) if !calls.is_single_model => {
                call_name(&read.layer, read.node.saturating_sub(calls.first))
            }
            _ => read.layer.clone(),
        }
    }

    /// Checks that what is read is there.
    ///
    /// # Errors
    ///
    /// If a layer has no such call, or no such output of it. A layer that is not there is found when the
    /// network is compared.
    pub(crate) fn check(&self, reads: &[Read], reader: &str) -> Result<(), String> {
        let wrong = reads.iter().find(|read| {
            let calls = self.0.get(read.layer.as_str());
            let outside = |calls: &LayerCalls| match calls.is_single_model {
                true => read.node > 1,
                false => {
                    read.node.checked_sub(calls.first).is_none_or(|number| number >= calls.count)
                }
            };
            read.tensor != 0 || calls.is_some_and(outside)
        });
        match wrong {
            None => Ok(()),
            Some(Read { layer, node, tensor }) => Err(format!(
                "{reader} reads output {tensor} of call {node} of `{layer}`, which has none of the kind"
            )),
        }
    }
}

/// Whether a layer of this class is a model.
pub(crate) fn is_model(class: &str) -> bool {
    matches!(class, "Functional" | "Model" | "Sequential")
}

/// The outputs of a functional model with these layers, each with what it reads; `None` if the model does
/// not say.
///
/// # Errors
///
/// If there are none, if one is no output of a layer, or if it is the only one and another layer reads it, so
/// that the network goes on behind its end.
pub(crate) fn outputs<'a>(
    config: Option<&Value>,
    calls: &Calls<'_>,
    layers: impl Iterator<Item = (&'a str, &'a [Read])>,
) -> Result<Option<Vec<String>>, String> {
    let Some(named) = config.and_then(|config| config.get("output_layers")) else {
        return Ok(None);
    };
    let outputs = reads(named);
    if outputs.is_empty() {
        return Err("it has no outputs".to_owned());
    }
    if let Some(Read { layer, .. }) =
        outputs.iter().find(|read| !calls.0.contains_key(&*read.layer))
    {
        return Err(format!("its output is `{layer}`, which is none of its layers"));
    }
    calls.check(&outputs, "it")?;
    if let [output] = outputs.as_slice() {
        for (layer, reads) in layers {
            if reads.contains(output) {
                let name = &output.layer;
                return Err(format!("its output is `{name}`, but `{layer}` goes on from there"));
            }
        }
    }
    let mut names: Vec<String> = outputs.iter().map(|output| calls.name(output)).collect();
    names.dedup();
    Ok(Some(names))
}

/// Classes that do something else in training.
const TRAINED: [&str; 7] = [
    "AlphaDropout",
    "BatchNormalization",
    "Dropout",
    "GaussianDropout",
    "GaussianNoise",
    "SpatialDropout2D",
    "SyncBatchNormalization",
];

/// Refuses a layer that is called with `training=True`: Keras 2 then drops values and normalises with the
/// image's own statistics in predictions, too; so does Keras 3, save in `predict`.
///
/// Keras 3 writes it of every layer that prepares images, since it is their default, and Keras 2 only where
/// it was given.
///
/// # Errors
///
/// If `training` is anything but false or none, and matters to the layer.
pub(crate) fn refuse_training(
    inbound_nodes: &Value,
    class: &str,
    layer: &str,
) -> Result<(), String> {
    let given = inbound_nodes.get(0).is_some_and(Value::is_array);
    let matters =
        TRAINED.contains(&class) || is_model(class) || (given && class.starts_with("Random"));
    if !matters || !is_training(inbound_nodes) {
        return Ok(());
    }
    Err(format!(
        "layer `{layer}` is called with training=True, so it does in predictions what it does in training\n\
         hint: in Keras, build the model without it, load these weights into it and save it"
    ))
}

fn is_training(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(is_training),
        Value::Object(fields) => fields.iter().any(|(key, value)| match value {
            Value::Null | Value::Bool(false) => false,
            _ if key == "training" => true,
            value => is_training(value),
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What Keras 2.15 and Keras 3.15 write of one call.
    fn both(layer: &str, node: u64, tensor: u64, training: &Value) -> [Value; 2] {
        let kwargs = json!({ "training": training, "mask": null });
        [
            json!([[[layer, node, tensor, kwargs]]]),
            json!([{
                "args": [{
                    "class_name": "__keras_tensor__",
                    "config": { "shape": [null, 4], "keras_history": [layer, node, tensor] },
                }],
                "kwargs": kwargs,
            }]),
        ]
    }

    #[test]
    fn both_kerases_are_read() {
        for call in both("a", 1, 2, &json!(false)) {
            assert_eq!(reads(&call), [Read { layer: "a".to_owned(), node: 1, tensor: 2 }]);
        }
    }

    #[test]
    fn training_is_refused_in_both() {
        for (value, refused) in [
            (json!(true), true),
            (json!(1), true),
            (json!(["phase", 0, 0]), true),
            (json!(false), false),
            (json!(null), false),
        ] {
            for call in both("a", 0, 0, &value) {
                for class in ["Dropout", "BatchNormalization", "Functional"] {
                    let found = refuse_training(&call, class, "b");
                    assert_eq!(found.is_err(), refused, "{class} {call}");
                }
            }
        }
    }

    /// Keras 3 writes it of all layers of images, as their default.
    #[test]
    fn training_is_passed_over_where_it_changes_nothing() {
        let [old, new] = both("a", 0, 0, &json!(true));
        for (class, old_refused) in [("Resizing", false), ("RandomFlip", true), ("Conv2D", false)] {
            assert_eq!(refuse_training(&old, class, "b").is_err(), old_refused, "{class}");
            assert_eq!(refuse_training(&new, class, "b"), Ok(()), "{class}");
        }
    }

    fn name(layer: &Value) -> Option<&str> {
        layer["name"].as_str()
    }

    /// A layer that is called once, one that is called twice, and a model.
    fn layers() -> Vec<Value> {
        let [once, _] = both("input", 0, 0, &json!(null));
        let twice = json!([[["once", 0, 0, {}]], [["twice", 0, 0, {}]]]);
        vec![
            json!({ "class_name": "InputLayer", "name": "input", "inbound_nodes": [] }),
            json!({ "class_name": "Dense", "name": "once", "inbound_nodes": once }),
            json!({ "class_name": "Dense", "name": "twice", "inbound_nodes": twice }),
            json!({ "class_name": "Functional", "name": "model", "inbound_nodes": once }),
        ]
    }

    #[test]
    fn calls_and_outputs_must_be_there() {
        let layers = layers();
        let calls = Calls::new(&layers, name);
        for (layer, node, tensor, good) in [
            ("input", 0, 0, true),
            ("once", 0, 0, true),
            ("once", 1, 0, false),
            ("once", 0, 1, false),
            ("twice", 1, 0, true),
            ("twice", 2, 0, false),
            ("model", 0, 0, true),
            ("model", 1, 0, true),
            ("model", 2, 0, false),
        ] {
            let [call, _] = both(layer, node, tensor, &json!(null));
            let checked = calls.check(&reads(&call), "`x`");
            assert_eq!(checked.is_ok(), good, "{layer} {node} {tensor}");
        }
    }

    #[test]
    fn a_model_has_one_output_at_its_end() {
        let layers = layers();
        let calls = Calls::new(&layers, name);
        let inputs: Vec<_> =
            layers.iter().map(|layer| (name(layer), reads(&layer["inbound_nodes"]))).collect();
        let found = |named: Value| {
            let config = json!({ "output_layers": named });
            let layers = inputs.iter().filter_map(|(name, reads)| Some(((*name)?, &reads[..])));
            outputs(Some(&config), &calls, layers)
        };
        let named = |name: &str| Ok(Some(vec![name.to_owned()]));
        assert_eq!(found(json!([["twice", 1, 0]])), named("twice:1"), "as Keras 2 writes it");
        assert_eq!(found(json!(["model", 1, 0])), named("model"), "as Keras 3 does");
        assert_eq!(found(json!({ "a": ["model", 0, 0] })), named("model"), "under a name");
        let both = found(json!([["twice", 1, 0], ["model", 0, 0]]));
        assert_eq!(both, Ok(Some(vec!["twice:1".to_owned(), "model".to_owned()])));
        for (named, words) in [
            (json!([]), "it has no outputs"),
            (json!(["nix", 0, 0]), "its output is `nix`, which is none of its layers"),
            (json!(["model", 0, 1]), "reads output 1 of call 0 of `model`"),
            (json!(["twice", 0, 0]), "its output is `twice`, but `twice` goes on from there"),
            (json!(["once", 0, 0]), "its output is `once`, but `twice` goes on from there"),
        ] {
            let error = found(named.clone()).expect_err("no output");
            assert!(error.contains(words), "{named}: {error}");
        }
    }
}
