//! ONNX files: protobuf on the outside, a graph of operators inside.
//!
//! The graph is brought into the form of a Keras one (`onnx_graph`), compared with the
//! architectures by its structure alone (`onnx_match`), and its tensors are read in Keras's layout
//! (`onnx_recipe`). Names only choose between networks of the same structure.

pub(crate) mod activation;
pub(crate) mod arithmetic;
pub(crate) mod graph;
pub(crate) mod like;
pub(crate) mod matching;
pub(crate) mod model;
pub(crate) mod normalisation;
pub(crate) mod numbers;
pub(crate) mod op;
pub(crate) mod part;
pub(crate) mod pool;
pub(crate) mod reduce;
pub(crate) mod resize;
pub(crate) mod shape;
pub(crate) mod sizes;
pub(crate) mod slide;
pub(crate) mod table;
pub(crate) mod tensor;
pub(crate) mod value;
pub(crate) mod walk;
pub(crate) mod weight_origin;
pub(crate) mod window;
pub(crate) mod wire;
pub(crate) mod zeros;

use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Mutex;

use crate::checkpoint::check_size;
use crate::onnx::graph::{Lowered, lower};
use crate::onnx::model::Model;
use crate::onnx::weight_origin::OnnxStore;
use crate::store::Store;
use crate::{Checkpoint, Error, Format, Statement};

/// The operator sets that are read.
pub(crate) const OPSETS: RangeInclusive<u64> = 9..=24;

/// Whether a file's first bytes may be those of an ONNX model: field 1, a small number, which is
/// the version of the format. There is no better mark.
pub(crate) fn begins_like(start: &[u8]) -> bool {
    matches!(start, [0x08, 3..=0x20, ..])
}

/// Reads everything but the numbers.
pub(crate) fn read(path: &Path) -> Result<Checkpoint, Error> {
    read_with(path, None, &Statement::default())
}

/// The same with the weights of a state_dict.
pub(crate) fn read_like(path: &Path, state: Checkpoint) -> Result<Checkpoint, Error> {
    read_with(path, Some(state), &Statement::default())
}

/// Reads a file again, as it stands and with what is stated of it.
pub(crate) fn read_again(file: Checkpoint) -> Result<Checkpoint, Error> {
    let Store::Onnx(OnnxStore { model, .. }) = &file.store else { return Ok(file) };
    let state = if *model == file.path { None } else { Some(Checkpoint::open(&file.path)?) };
    let again = read_with(model, state, &file.stated)?;
    Ok(Checkpoint { stated: file.stated, ..again })
}

fn read_with(
    path: &Path,
    state: Option<Checkpoint>,
    stated: &Statement,
) -> Result<Checkpoint, Error> {
    let bad = |source| Error::Container { path: path.to_owned(), format: Format::Onnx, source };
    let (mut model, mut file) = Model::read(path).map_err(bad)?;
    if !OPSETS.contains(&model.opset) {
        return Err(Error::Opset {
            path: path.to_owned(),
            found: model.opset,
            lowest: *OPSETS.start(),
            highest: *OPSETS.end(),
        });
    }
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let mut beside: Vec<_> = model.beside().into_iter().map(|name| folder.join(name)).collect();
    // One that is not there is told by the first tensor that needs it.
    beside.iter().filter(|path| path.exists()).try_for_each(|path| check_size(path))?;
    let mut weights = path.to_owned();
    if let Some(state) = state {
        weights.clone_from(&state.path);
        beside.push(path.to_owned());
        like::take_weights(&mut model, &mut file, state)
            .map_err(|reason| Error::StateDict { path: weights.clone(), reason })?;
    }
    let Lowered { graph, layers, origins } =
        lower(&model, stated.size, &mut file, &folder).map_err(bad)?;
    let model_path = path.to_owned();
    Ok(Checkpoint {
        path: weights,
        format: Format::Onnx,
        keras_version: None,
        store: Store::Onnx(OnnxStore {
            file: Mutex::new(file),
            folder,
            model: model_path,
            beside,
            origins,
        }),
        description: None,
        stated: Statement::default(),
        class_names: model.class_names,
        state: None,
        graph: Some(graph),
        layers,
        named: true,
    })
}
