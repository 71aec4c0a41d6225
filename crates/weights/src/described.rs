//! A network that is run as its file describes it, whatever it is.

use burncam_net::{Arch, ChannelOrder, GRAPH, HeadConfig, InputSpec, Variant};

use crate::keras::applications;
use crate::keras::front::Front;
use crate::matching::FileNames;
use crate::{Checkpoint, Error, Format, Resolved, keras, onnx, outputs, table};

/// Takes the network from the file's own description.
///
/// # Errors
///
/// If the file has none, or one of its layers cannot be run.
pub(crate) fn resolve(mut file: Checkpoint) -> Result<Resolved, Error> {
    if file.format == Format::Onnx && file.stated.size.is_some() {
        file = read_again(file)?;
    }
    let front = Front::take(&mut file)?;
    resolve_behind(file, front, None)
}

/// An ONNX file as it stands, with what is stated of it.
fn read_again(file: Checkpoint) -> Result<Checkpoint, Error> {
    let mut file = onnx::read_again(file)?;
    outputs::choose(&mut file)?;
    Ok(file)
}

/// The same as [`resolve_behind`], of a file that was brought into the form of a known network.
pub(crate) fn resolve_again(
    mut file: Checkpoint,
    mut front: Front,
    difference: Option<String>,
) -> Result<Resolved, Error> {
    if file.format == Format::Onnx {
        file = read_again(file)?;
        front = Front::take(&mut file)?;
    }
    resolve_behind(file, front, difference)
}

/// In what a file is other than the known network that is closest to it.
pub(crate) fn difference(arch: &Arch, variant: &Variant, difference: &str) -> String {
    format!("it is not {} ({}): {difference}", arch.name, variant.name)
}

/// The same as [`resolve`], of a file from which what prepares the input was taken, and of which it is known in what
/// it is other than a known network.
pub(crate) fn resolve_behind(
    mut file: Checkpoint,
    front: Front,
    difference: Option<String>,
) -> Result<Resolved, Error> {
    let is_onnx = file.format == Format::Onnx;
    if let Some(graph) = file.graph.as_mut().filter(|_| is_onnx) {
        onnx::table::take_zeros(graph);
        onnx::table::leave_ones(graph, &mut file.layers);
    }
    let bad = |reason: String| Error::Graph { path: file.path.clone(), reason };
    let Some(graph) = &file.graph else {
        let reason = "it holds weights only, and not what its layers compute\nhint: save the whole model, with \
                      model.save";
        return Err(bad(reason.to_owned()));
    };
    let all = if is_onnx {
        onnx::table::table(&file.path, graph)?
    } else {
        let size = file.stated.size.or(applications::size(graph));
        keras::lower::table(&file.path, file.keras_version.as_deref(), graph, size)?
    };
    let (layers, head, activation) = table::take_output(&all, file.stated.output).map_err(bad)?;
    file.refuse_head(&head)?;
    let cam_layer = table::cam_layer(&layers)
        .ok_or_else(|| bad("it has no layer with height and width to explain".to_owned()))?;
    let Some(variant) = GRAPH.variants.first() else { return Err(bad("no variant".to_owned())) };
    let nodes = graph.nodes.iter();
    let mut names: FileNames = nodes.map(|node| (node.name.clone(), node.layer.clone())).collect();
    for layer in layers.layers() {
        // One of several operations that are a layer of the file.
        let whole = layer.name.rsplit_once('/').and_then(|(whole, _)| names.get(whole)).cloned();
        if let Some(whole) = whole.filter(|_| !names.contains_key(&layer.name)) {
            names.insert(layer.name.clone(), whole);
        }
    }
    let [height, width, channels] = layers.layers().first().map_or([0; 3], |input| input.output);
    let order = if channels == 1 { ChannelOrder::Grey } else { ChannelOrder::Rgb };
    let plain = InputSpec { height, width, ..InputSpec::scaled(1, order, 1.0) };
    let input = front.input(&plain);
    // A file of Keras says what it does to pixels; of another, it may be fed what was prepared already.
    let is_of_pixels = !is_onnx || table::makes_input(&layers, spread(&input));
    let prepares = table::prepares_input(&layers) && is_of_pixels;
    let mut notes = vec!["the network is run as the file describes it, layer by layer".to_owned()];
    notes.extend(difference);
    let own = !input.steps.is_empty() && is_of_pixels || prepares;
    let known = if own || channels == 1 { None } else { applications::preprocessing(graph) };
    let known_name = known.is_some();
    let input = match known {
        Some((name, preprocessing)) => {
            notes.push(format!(
                "the file calls a model `{name}`, so images are prepared as keras.applications does \
                 for it, {}; --preprocess states it where the network was trained otherwise",
                preprocessing.formula()
            ));
            InputSpec { height, width, resizing: input.resizing, ..preprocessing }
        }
        None => input,
    };
    let told = if is_of_pixels { front.notes([height, width]) } else { Vec::new() }.into_iter();
    if !is_of_pixels {
        notes.push(
            "the file's first layers do arithmetic on images that are prepared already, to which \
             --preprocess brings them"
                .to_owned(),
        );
    }
    notes.extend(match order {
        ChannelOrder::Grey => told.map(|note| note.replace("RGB pixels", "grey pixels")).collect(),
        _ => told.collect::<Vec<String>>(),
    });
    if file.stated.size.is_some_and(|size| size != [height, width]) {
        return Err(bad(format!(
            "its images are {height} x {width}\nhint: --size is for networks that take images of any size"
        )));
    }
    if prepares {
        notes.push(
            "the file's first layers prepare its input, so Burncam feeds it pixels in 0..255"
                .to_owned(),
        );
    }
    if activation.is_none() && file.stated.output.is_none() {
        notes.push(without_activation(&head));
    }
    Ok(Resolved {
        arch: &GRAPH,
        variant,
        cam_layer,
        is_prepared: own || known_name,
        layers,
        input,
        head,
        notes,
        names,
        front: front.names,
        flattened: None,
        file,
    })
}

/// How far apart a black and a white pixel are in what is fed to the network.
fn spread(input: &InputSpec) -> f32 {
    let apart = |channel| (input.value(channel, 255.0) - input.value(channel, 0.0)).abs();
    (0..3).map(apart).fold(0.0, f32::max)
}

fn without_activation(head: &HeadConfig) -> String {
    let rule = format!("{:?}", head.output()).to_lowercase();
    format!(
        "the network ends without softmax or sigmoid: its outputs are taken for logits of a {rule}; \
         --output states what they are"
    )
}
