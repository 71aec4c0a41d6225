//! Reproducible weights of the networks that `tests/reference/torch_networks.py` runs in PyTorch.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::folder;
use crate::generator::{fnv1a, noise};

/// One tensor of a state_dict.
#[derive(Clone, Debug)]
pub struct TorchTensor {
    /// The network's name in the goldens.
    pub network: String,
    /// Its name in the state_dict.
    pub name: String,
    /// Its shape, in PyTorch's order.
    pub shape: Vec<usize>,
    /// What its numbers follow from: the name that it has in the goldens.
    key: String,
    offset: f32,
    scale: f32,
}

impl TorchTensor {
    /// Its values in row-major order.
    #[must_use]
    pub fn values(&self) -> Vec<f32> {
        let seed = fnv1a(&format!("{}/{}", self.network, self.key));
        let count = self.shape.iter().product::<usize>() as u64;
        // Two roundings, as the reference: a fused multiply-add would differ.
        (0..count).map(|index| self.offset + self.scale * noise(seed, index)).collect()
    }
}

/// The tensors of a network of the goldens, in the order of its state_dict.
///
/// # Panics
///
/// If the goldens are not in place.
#[must_use]
pub fn torch_tensors(network: &str) -> Vec<TorchTensor> {
    listed_tensors(network, &format!("{network}/tensors.tsv"))
}

/// The tensors of a table in the goldens of PyTorch, with the weights of this name.
///
/// # Panics
///
/// If the goldens are not in place.
#[must_use]
pub fn listed_tensors(network: &str, table: &str) -> Vec<TorchTensor> {
    let path = folder().join("torch").join(table);
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('\t').collect();
        let number = |text: &str| text.parse().expect("a number");
        TorchTensor {
            network: network.to_owned(),
            name: cells[0].to_owned(),
            key: cells[0].to_owned(),
            shape: cells[1].split('x').map(|size| size.parse().expect("a size")).collect(),
            offset: number(cells[2]),
            scale: number(cells[3]),
        }
    };
    text.lines().skip(1).map(row).collect()
}

/// Writes tensors as `.safetensors`, one at a time.
///
/// # Panics
///
/// If the file cannot be written.
pub fn write_state_dict(path: &Path, tensors: &[TorchTensor]) {
    let mut header = Map::new();
    let mut end = 0;
    for tensor in tensors {
        let start = end;
        end += 4 * tensor.shape.iter().product::<usize>();
        let entry = json!({"dtype": "F32", "shape": tensor.shape, "data_offsets": [start, end]});
        header.insert(tensor.name.clone(), entry);
    }
    let header = Value::Object(header).to_string();
    let mut file = BufWriter::new(File::create(path).expect("a file"));
    let mut write = |bytes: &[u8]| file.write_all(bytes).expect("room on the disk");
    write(&(header.len() as u64).to_le_bytes());
    write(header.as_bytes());
    for tensor in tensors {
        let bytes: Vec<u8> = tensor.values().iter().flat_map(|value| value.to_le_bytes()).collect();
        write(&bytes);
    }
}
