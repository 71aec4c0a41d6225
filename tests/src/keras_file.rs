//! Keras files made to order, to see how the reader takes what is wrong with them.

use std::path::Path;

use hdf5_pure::{AttrValue, File, FileBuilder};
use serde_json::{Value, json};

use crate::{folder, manifest, tensor};

/// The weights of one layer: name, shape in Keras's layout, values.
pub type Weights = Vec<(String, Vec<usize>, Vec<f32>)>;

/// A full model file, as `model.save("x.h5")` of Keras 2 writes it, that can be altered.
pub struct KerasFile {
    /// `model_config`.
    pub config: Value,
    /// Whether `layer_names` is split in two, as Keras does with long lists.
    pub split_names: bool,
    /// Weights by layer, in the file's order.
    pub layers: Vec<(String, Weights)>,
}

impl KerasFile {
    /// N-CNN as Keras saved it, with the reproducible weights.
    ///
    /// # Panics
    ///
    /// If the goldens are not in place.
    #[must_use]
    pub fn ncnn() -> Self {
        let file = File::open(folder().join("h5/NCNN_k2.h5")).expect("a golden checkpoint");
        let attributes = file.root().attrs().expect("attributes");
        let config = attributes["model_config"].as_str().expect("a string");
        let mut layers: Vec<(String, Weights)> = Vec::new();
        for (key, shape, _) in manifest() {
            let parts: Vec<&str> = key.split('/').collect();
            let [model, layer, weight] = parts[..] else { panic!("{key}") };
            if model != "NCNN" {
                continue;
            }
            if layers.last().is_none_or(|(last, _)| last != layer) {
                layers.push((layer.to_owned(), Vec::new()));
            }
            let values = tensor(model, layer, weight, &shape);
            let (_, own) = layers.last_mut().expect("just added");
            own.push((weight.to_owned(), shape, values));
        }
        let config = serde_json::from_str(config).expect("JSON");
        Self { config, split_names: false, layers }
    }

    /// The description of one layer.
    ///
    /// # Panics
    ///
    /// If there is none of this name.
    pub fn layer(&mut self, name: &str) -> &mut Value {
        let layers = self.config["config"]["layers"].as_array_mut().expect("layers");
        layers.iter_mut().find(|layer| layer["name"] == name).expect("the layer")
    }

    /// The weights of one layer.
    ///
    /// # Panics
    ///
    /// If it has none.
    pub fn weights(&mut self, name: &str) -> &mut Weights {
        let mut layers = self.layers.iter_mut();
        layers.find(|(layer, _)| layer == name).map(|(_, own)| own).expect("weights")
    }

    /// Replaces what follows `maxpool_2x2_` by these layers, `(class, name, config)`, in a row.
    ///
    /// # Panics
    ///
    /// Never: the file is N-CNN's.
    pub fn set_head(&mut self, head: &[(&str, &str, Value)]) {
        let layers = self.config["config"]["layers"].as_array_mut().expect("layers");
        let end = layers.iter().position(|layer| layer["name"] == "maxpool_2x2_").expect("the end");
        layers.truncate(end + 1);
        self.layers.retain(|(name, _)| name != "FC1" && name != "output");
        let mut last = "maxpool_2x2_";
        for (class, name, config) in head {
            layers.push(json!({
                "class_name": class, "name": name, "config": config,
                "inbound_nodes": [[[last, 0, 0, {}]]],
            }));
            last = name;
        }
        self.config["config"]["output_layers"] = json!([[last, 0, 0]]);
    }

    /// Adds weights filled with a small value.
    pub fn add_weights(&mut self, layer: &str, weights: &[(&str, &[usize])]) {
        let filled = |(name, shape): &(&str, &[usize])| {
            ((*name).to_owned(), shape.to_vec(), vec![0.01; shape.iter().product()])
        };
        self.layers.push((layer.to_owned(), weights.iter().map(filled).collect()));
    }

    /// Writes the full model.
    ///
    /// # Panics
    ///
    /// If the file cannot be written.
    pub fn write(&self, path: &Path) {
        let mut file = FileBuilder::new();
        let config = AttrValue::AsciiString(self.config.to_string());
        file.set_attr("model_config", config);
        file.set_attr("keras_version", AttrValue::AsciiString("2.15.0".to_owned()));
        let mut root = file.create_group("model_weights");
        let names: Vec<String> = self.layers.iter().map(|(name, _)| name.clone()).collect();
        if self.split_names {
            let (first, second) = names.split_at(1);
            root.set_attr("layer_names0", AttrValue::AsciiStringArray(first.to_vec()));
            root.set_attr("layer_names1", AttrValue::AsciiStringArray(second.to_vec()));
        } else {
            root.set_attr("layer_names", AttrValue::AsciiStringArray(names));
        }
        for (layer, weights) in &self.layers {
            let mut group = root.create_group(layer);
            let names = weights.iter().map(|(name, ..)| format!("{layer}/{name}:0")).collect();
            group.set_attr("weight_names", AttrValue::AsciiStringArray(names));
            let mut inner = group.create_group(layer);
            for (name, shape, values) in weights {
                let shape: Vec<u64> = shape.iter().map(|&size| size as u64).collect();
                let data = inner.create_dataset(&format!("{name}:0"));
                data.with_f32_data(values).with_shape(&shape);
            }
            group.add_group(inner.finish());
            root.add_group(group.finish());
        }
        file.add_group(root.finish());
        file.write(path).expect("a file");
    }
}
