//! `burncam compare`: our layers against what Keras computed for the same input.

mod folder;
mod map;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail, ensure};
use burn::tensor::{Device, Tensor};
use burncam_attribution::max_relative_error;
use burncam_imaging::{Frame, own_resizing, to_tensor};
use burncam_net::{ChannelOrder, Classifier, GRAPH, InputSpec, OwnResizing, Trace};
use burncam_weights::{Format, Resolved};

use crate::args::Compare;
use crate::npz::Npz;
use burncam_run::device;

use crate::console::{self, CONSOLE};
use crate::{program, text};

/// A layer differs by more than is tolerated.
const DIFFERS: u8 = 1;

/// Before the names of layers in the file.
const LAYER: &str = "layer/";

/// How far one layer is from the reference.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    /// The layer, as the reference calls it.
    layer: String,
    /// Of the reference's array.
    shape: Vec<usize>,
    /// The largest absolute difference.
    absolute: f32,
    /// That, divided by the reference's largest absolute value.
    relative: f32,
}

impl Row {
    fn new(layer: &str, shape: &[usize], own: &[f32], reference: &[f32]) -> Self {
        let (absolute, relative) = difference(own, reference);
        Self { layer: layer.to_owned(), shape: shape.to_vec(), absolute, relative }
    }
}

/// What a comparison found.
#[derive(Debug, Default)]
struct Comparison {
    /// In the network's order, the logits last.
    rows: Vec<Row>,
    /// Gradients of a logit and Grad-CAM maps, where the reference has them.
    maps: Vec<Row>,
    /// Our own logits.
    logits: Vec<f32>,
    /// Layers that the reference lacks.
    only_ours: Vec<String>,
    /// Layers that the network lacks.
    only_reference: Vec<String>,
    /// Layers whose file has more folded into them than the reference.
    folded: Vec<String>,
}

/// Compares one checkpoint, or all in a folder.
pub(crate) fn run(args: &Compare) -> Result<ExitCode> {
    let path = args.checkpoint.path();
    let weights = path.display();
    match &args.reference {
        Some(_) if path.is_dir() => {
            bail!("{weights} is a folder, which has its own references; leave out --reference")
        }
        Some(reference) => file(args, reference),
        None if path.is_dir() => folder::run(args),
        None => bail!(
            "{weights} is not a folder; with a file, --reference FILE is needed, \
             as tests/reference/dump_activations.py writes it"
        ),
    }
}

/// Compares one checkpoint, layer by layer.
fn file(args: &Compare, reference: &Path) -> Result<ExitCode> {
    let checkpoint = args.network.open(args.checkpoint.path())?;
    let mut arrays = Npz::open(reference)?;
    let choice = device::one(&args.device, device::Precision::Single, &CONSOLE)?;
    let classifier = checkpoint.build(&choice.device)?;
    let found = compare(&checkpoint, &classifier, &mut arrays)?;
    let head = format!(
        "{} ({}) of {} on the {}, against {}:",
        checkpoint.arch.title,
        checkpoint.variant.name,
        args.checkpoint.path().display(),
        choice.kind(),
        reference.display()
    );
    console::result(&format!("{head}\n\n{}", found.text(args.tolerance)))?;
    let passed = found.first_past(args.tolerance).is_none();
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::from(DIFFERS) })
}

/// Runs the network on the reference's input; one layer at a time is in memory.
fn compare(
    checkpoint: &Resolved,
    classifier: &Classifier,
    reference: &mut Npz,
) -> Result<Comparison> {
    let images = input(reference, &checkpoint.input, classifier.device())?;
    let mut names: HashMap<String, String> = HashMap::new();
    let mut found = Comparison::default();
    for array in reference.names() {
        let Some(layer) = array.strip_prefix(LAYER) else { continue };
        match checkpoint.canonical_name(layer) {
            Some(own) if checkpoint.is_folded(own) => found.folded.push(layer.to_owned()),
            Some(own) if !names.contains_key(own) => drop(names.insert(own.into(), layer.into())),
            _ => found.only_reference.push(layer.to_owned()),
        }
    }
    let mut failed = None;
    let mut observer = |name: &str, output: Tensor<4>| {
        match names.remove(name) {
            Some(layer) => match activations(reference, &layer, &output) {
                Ok(row) => found.rows.push(row),
                Err(error) => drop(failed.get_or_insert(error)),
            },
            None if checkpoint.is_folded(name) => {}
            None => found.only_ours.push(name.to_owned()),
        }
        output
    };
    let logits = classifier.logits(images.clone(), &mut Trace::new(&mut observer));
    if let Some(error) = failed {
        return Err(error);
    }
    // Layers that do nothing at inference may never run, and so show nothing.
    found.only_reference.extend(names.into_values());
    found.only_reference.sort();
    // An empty comparison would pass. What ONNX calls layers, no framework does: there are the logits.
    let has_own_names = checkpoint.format() == Format::Onnx && checkpoint.arch.name == GRAPH.name;
    ensure!(
        found.only_reference.is_empty() || !found.rows.is_empty() || has_own_names,
        "no layer of the reference is one of the network's: {}\nhint: `{} layers {}` \
         lists the layers; a reference has each as `{LAYER}NAME`, as Keras or PyTorch calls it",
        text::some(&found.only_reference),
        program::name(),
        checkpoint.path().display()
    );
    let shape = logits.dims();
    found.logits = logits.into_data().try_to_vec()?;
    found.rows.push(last(reference, shape, &found.logits)?);
    found.maps = map::compare(checkpoint, classifier, reference, &images)?;
    Ok(found)
}

/// The input that the reference was computed for, after what the network itself does to it.
fn input(reference: &mut Npz, spec: &InputSpec, device: &Device) -> Result<Tensor<4>> {
    let [height, width] = match spec.resizing {
        None => [spec.height, spec.width],
        Some(OwnResizing { from: Some(from), .. }) => from,
        Some(OwnResizing { from: None, .. }) => {
            bail!("the network takes images of any size, and `compare` needs one of a known size")
        }
    };
    let channels = spec.order.channels();
    let values = reference.read("input", &[1, height, width, channels])?;
    // A frame has three channels, and those of grey are alike.
    let rgb: Vec<f32> = match channels {
        1 => values.iter().flat_map(|value| [*value; 3]).collect(),
        _ => values,
    };
    ensure!(rgb.iter().all(|value| value.is_finite()), "the reference's input is not finite");
    let frame = own_resizing(Frame { height, width, rgb }, spec);
    // Its channels are in the network's order, and nothing is left of the preprocessing.
    let plain = InputSpec {
        height: spec.height,
        width: spec.width,
        steps: spec.steps.clone(),
        ..InputSpec::scaled(0, if channels == 1 { spec.order } else { ChannelOrder::Rgb }, 1.0)
    };
    Ok(to_tensor(&[&frame], &plain, device))
}

fn activations(reference: &mut Npz, layer: &str, output: &Tensor<4>) -> Result<Row> {
    let output = output.clone().permute([0, 2, 3, 1]);
    let shape = output.dims();
    let expected = reference.read(&format!("{LAYER}{layer}"), &shape)?;
    Ok(Row::new(layer, &shape, &output.into_data().try_to_vec()?, &expected))
}

/// The logits; one sigmoid neuron is two classes here and one in Keras.
fn last(reference: &mut Npz, shape: [usize; 2], own: &[f32]) -> Result<Row> {
    let expected = match reference.read("logits", &shape) {
        Err(error) if shape == [1, 2] => match reference.read("logits", &[1, 1]) {
            Ok(one) => vec![-one[0], one[0]],
            Err(_) => return Err(error),
        },
        expected => expected?,
    };
    Ok(Row::new("logits", &shape, own, &expected))
}

/// The largest absolute difference, and that divided by the reference's largest absolute value.
/// What is not a number differs infinitely.
fn difference(own: &[f32], reference: &[f32]) -> (f32, f32) {
    let differences = own.iter().zip(reference).map(|(a, b)| match (a - b).abs() {
        d if d.is_nan() => f32::INFINITY,
        d => d,
    });
    (differences.fold(0.0, f32::max), max_relative_error(own, reference))
}

impl Comparison {
    fn first_past(&self, tolerance: f32) -> Option<&Row> {
        self.rows.iter().chain(&self.maps).find(|row| row.relative > tolerance)
    }

    fn text(&self, tolerance: f32) -> String {
        let mut text = self.table(tolerance);
        text.push_str(
            "\nlargest: the largest absolute difference; relative: that, divided by the largest \
             absolute\nvalue of the reference's layer.\n",
        );
        for (title, names) in [
            ("Not in the reference", &self.only_ours),
            ("Not in the network", &self.only_reference),
            ("Folded into the next layer in the file", &self.folded),
        ] {
            if !names.is_empty() {
                let _ = writeln!(text, "{title}: {}", text::some(names));
            }
        }
        // The logits stand among the rows.
        let layers = format!("{} and the logits", console::layers(self.rows.len() - 1));
        let rows = self.rows.iter().chain(&self.maps);
        let past = rows.filter(|row| row.relative > tolerance).count();
        let _ = match self.first_past(tolerance) {
            Some(Row { layer, relative, .. }) => writeln!(
                text,
                "Compared {layers}: {past} past the tolerance of {tolerance:e}, first {} \
                 ({relative:.2e}).",
                text::cut(layer)
            ),
            None => writeln!(text, "Compared {layers}: all within the tolerance of {tolerance:e}."),
        };
        text
    }

    fn table(&self, tolerance: f32) -> String {
        let name = |row: &Row| text::cut(&row.layer).chars().count();
        let rows = || self.rows.iter().chain(&self.maps);
        let width = rows().map(name).max().unwrap_or(0).max(5);
        let mut text =
            format!("{:width$}  {:>16}  {:>8}  {:>8}\n", "layer", "shape", "largest", "relative");
        for Row { layer, shape, absolute, relative } in rows() {
            let shape: Vec<String> = shape[1..].iter().map(ToString::to_string).collect();
            let (shape, largest) = (shape.join(" x "), number(*absolute));
            let mark = if *relative > tolerance { "  past tolerance" } else { "" };
            let (layer, relative) = (text::cut(layer), number(*relative));
            let _ =
                writeln!(text, "{layer:width$}  {shape:>16}  {largest:>8}  {relative:>8}{mark}");
        }
        text
    }
}

/// Three digits, or 0 where there is no difference at all.
fn number(value: f32) -> String {
    if value == 0.0 { "0".to_owned() } else { format!("{value:.2e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_measured_against_the_largest_value() {
        assert_eq!(difference(&[1.0, -3.5], &[1.0, -4.0]), (0.5, 0.125));
        assert_eq!(difference(&[0.0, 0.0], &[0.0, 0.0]), (0.0, 0.0));
        assert_eq!(difference(&[0.5], &[0.0]), (0.5, f32::INFINITY));
    }

    #[test]
    fn what_is_not_a_number_is_past_every_tolerance() {
        for (own, reference) in [(f32::NAN, 1.0), (1.0, f32::NAN), (f32::INFINITY, f32::INFINITY)] {
            assert_eq!(difference(&[own, 0.0], &[reference, 0.0]).1, f32::INFINITY);
        }
    }

    #[test]
    fn the_first_layer_past_tolerance_is_named() {
        let row = |layer, relative| Row { relative, ..Row::new(layer, &[1, 1], &[1.0], &[1.0]) };
        let rows = vec![row("a", 1e-4), row("b", 2e-4), row("logits", 1.0)];
        let found = Comparison { rows, ..Comparison::default() };
        assert_eq!(found.first_past(1e-4).map(|row| row.layer.as_str()), Some("b"));
        assert_eq!(found.first_past(2.0), None);
    }
}
