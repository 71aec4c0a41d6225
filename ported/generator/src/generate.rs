//! Both parts as Rust code, by burn-onnx.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use burn_onnx::{LoadStrategy, ModelGen};
use burn_pack::{Bytes, DType, Reader, Tensor};
use onnx_ir::{Message, ModelProto, Node, OnnxGraphBuilder};

/// Generated code and its weights.
pub(crate) struct Code {
    pub(crate) rust: String,
    /// The module's tensors, by their path in it.
    pub(crate) tensors: Vec<Weight>,
}

/// A tensor of a module.
pub(crate) struct Weight {
    pub(crate) path: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

/// Generates the code of a model called `part`, with scratch files in `work`.
///
/// # Errors
///
/// If the model has an operator that burn-onnx does not know, or weights that no `f32` holds.
pub(crate) fn generate(model: &ModelProto, part: &str, work: &Path) -> Result<Code> {
    silence();
    let file = work.join(format!("{part}.onnx"));
    fs::write(&file, model.write_to_bytes()?)
        .with_context(|| format!("cannot write {}", file.display()))?;
    quietly(|| operators(&file))??;
    let path = |path: &Path| path.to_str().map(str::to_owned).context("a path is not UTF-8");
    let (input, out) = (path(&file)?, path(work)?);
    quietly(|| {
        let mut generator = ModelGen::new();
        generator.input(&input).out_dir(&out).load_strategy(LoadStrategy::None).run_from_cli();
    })?;
    let code = fs::read_to_string(file.with_extension("rs"))?;
    // Its first line names the scratch file.
    let rust = code.split_once('\n').map_or_else(String::new, |(_, rest)| rest.to_owned());
    Ok(Code { rust, tensors: weights(&file.with_extension("bpk"))? })
}

/// Fails with the names of operators that burn-onnx does not know.
fn operators(file: &Path) -> Result<()> {
    let graph = OnnxGraphBuilder::new().parse_file(file)?;
    let mut unknown: BTreeMap<String, usize> = BTreeMap::new();
    for node in &graph.nodes {
        if let Node::Custom(node) = node {
            let domain = if node.domain.is_empty() { "" } else { &format!("{}.", node.domain) };
            *unknown.entry(format!("{domain}{}", node.op_type)).or_default() += 1;
        }
    }
    let list: Vec<String> =
        unknown.iter().map(|(op, count)| format!("`{op}` ({count} times)")).collect();
    ensure!(
        list.is_empty(),
        "burn-onnx does not know the operators {}\nhint: export the network so that it does \
         without them, for example with another opset",
        list.join(", ")
    );
    Ok(())
}

/// burn-onnx tells each step; a logger that is there already keeps it from setting up its own.
fn silence() {
    struct Nobody;
    impl log::Log for Nobody {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            false
        }
        fn log(&self, _: &log::Record<'_>) {}
        fn flush(&self) {}
    }
    let _ = log::set_logger(&Nobody);
}

/// burn-onnx panics at what it cannot do: the panic's text is the error.
fn quietly<T>(work: impl FnOnce() -> T) -> Result<T> {
    let told = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    panic::set_hook(told);
    done.map_err(|reason| {
        let text = reason.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| reason.downcast_ref::<&str>().copied());
        anyhow::anyhow!("burn-onnx cannot generate this part: {}", text.unwrap_or("it panicked"))
    })
}

/// All tensors of a `.bpk` file as `f32`.
fn weights(file: &Path) -> Result<Vec<Weight>> {
    let tensors = Reader::from_file(file)?.into_tensors()?;
    let one = |tensor: Tensor| {
        let bytes: Bytes = tensor.to_bytes()?;
        let bytes = bytes.read(Default::default())?;
        let values = floats(tensor.dtype, bytes).with_context(|| {
            format!(
                "the weight `{}` holds {:?} values that no f32 holds",
                tensor.name, tensor.dtype
            )
        })?;
        let mut shape = tensor.shape.to_vec();
        if shape.is_empty() {
            shape.push(1);
        }
        Ok(Weight { path: tensor.name.clone(), shape, values })
    };
    tensors.into_iter().map(one).collect()
}

/// The values as `f32`, if nothing is lost.
fn floats(dtype: DType, bytes: &[u8]) -> Option<Vec<f32>> {
    let exact = |value: i64| (value as f32 as i64 == value).then_some(value as f32);
    match dtype {
        DType::F32 => Some(bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()),
        DType::I64 => bytes.as_chunks().0.iter().map(|b| exact(i64::from_le_bytes(*b))).collect(),
        DType::I32 => {
            bytes.as_chunks().0.iter().map(|b| exact(i32::from_le_bytes(*b).into())).collect()
        }
        DType::Bool(_) => Some(bytes.iter().map(|&b| f32::from(u8::from(b != 0))).collect()),
        _ => None,
    }
}
