//! What the measures of maps take.

use anyhow::{Context, Result, anyhow, bail};
use burncam_attribution::{Attributions, Question, Target, explain};
use burncam_evaluation::{Values, resample};
use burncam_imaging::stacked;
use burncam_net::{Build, Classifier, Randomisation, SharedLayers, Trace, units};
use burncam_run::device;
use burncam_run::self_test::{default_explanation, generated, generated_head};
use burncam_trust::{
    Baseline, Compare, Compute, Counterpart, Evidence, Image, Measured, Memory, Network,
    NetworkError, Protocol, Scale, Score, Undefined, find,
};

use super::{IMAGES, Subject, number, timed};

/// Those that libraries have, too.
pub(super) const COMPARED: [&str; 7] = [
    "deletion",
    "insertion",
    "road",
    "average-drop",
    "faithfulness-correlation",
    "head-down",
    "max-sensitivity",
];

/// As the libraries are told to compute.
const PROTOCOL: Protocol =
    Protocol { scale: Scale::Probability, baseline: Baseline::Zero, steps: 20 };

/// An image, its map and the class that is explained.
struct Case {
    image: Image,
    map: Evidence,
    /// At the size that the method gives.
    raw: Evidence,
    class: usize,
}

/// Wall and CPU time of an image by a measure, `deletion 8`: its name and the images; or `none`, if there is no such
/// measure. The image's map is there already.
pub(super) fn milliseconds(subject: &Subject, asked: &str) -> Result<String> {
    let (name, count) = asked.split_once(' ').context("a measure and a number of images")?;
    let cases = cases(subject, number(count)?)?;
    let compute = match find(name).map(|measure| &measure.compute) {
        Some(Compute::Network(compute)) => compute,
        Some(Compute::Against(Counterpart::HeadDown, compare)) => {
            return forgotten(subject, &cases, *compare);
        }
        _ => return Ok("none".to_owned()),
    };
    warm_up(subject, &cases[0]).map_err(|error| anyhow!("{error}"))?;
    timed(cases.len(), || {
        for case in &cases {
            let value = measured(subject, case, *compute).map_err(|error| anyhow!("{error}"))?;
            match value {
                // As one that all passes were done for.
                Ok(_) | Err(Undefined::EqualScores) => {}
                Err(undefined) => bail!("{name} is not defined: {}", undefined.name()),
            }
        }
        Ok(())
    })
}

/// Wall and CPU time of an image whose maps by networks with more and more untrained layers are compared with its own:
/// one layer more each time, as Quantus does it, with one draw of weights. The networks are there already.
fn forgotten(subject: &Subject, cases: &[Case], compare: Compare) -> Result<String> {
    let networks = untrained(subject)?;
    let compared = |case: &Case| -> Result<()> {
        for network in &networks {
            let target = Target::Class(case.class);
            let found = explained(subject, network, &case.image.values, target)?;
            // A map that is the same everywhere took its time, too.
            let _ = compare(&case.raw, &raw(&found.maps[0][0], found.sizes[0])?);
        }
        Ok(())
    };
    cases.first().map_or(Ok(()), compared)?;
    timed(cases.len(), || cases.iter().try_for_each(compared))
}

/// So many images with their maps.
fn cases(subject: &Subject, count: usize) -> Result<Vec<Case>> {
    let size = [subject.input.height, subject.input.width];
    let case = |values: &[f32]| {
        let Attributions { maps, sizes, targets, .. } =
            explained(subject, &subject.classifier, values, Target::Predicted)?;
        let image =
            Image { values: values.to_vec(), channels: subject.input.order.channels(), size };
        let map = evidence(&maps[0][0], sizes[0], size)
            .map_err(|undefined| anyhow!("a map that cannot be measured: {}", undefined.name()))?;
        let raw = raw(&maps[0][0], sizes[0])?;
        Ok(Case { image, map, raw, class: targets[0] })
    };
    subject.batch(count).into_iter().map(case).collect()
}

/// Sends as many copies through the network as go at a time.
fn warm_up(subject: &Subject, case: &Case) -> Result<(), NetworkError> {
    let copies = case.image.values.repeat(at_once(subject));
    scores(subject, &copies, case).map(drop)
}

fn at_once(subject: &Subject) -> usize {
    device::at_once(IMAGES, &subject.classifier)
}

/// The measure of a map, and the score of its image, which libraries compute in a measure, too.
fn measured(
    subject: &Subject,
    case: &Case,
    compute: fn(&Evidence, &mut Network<'_>) -> Measured,
) -> Measured {
    let mut pass = |copies: &[f32]| scores(subject, copies, case);
    let mut explain = |copies: &[f32]| maps(subject, copies, case);
    let mut network = Network {
        image: &case.image,
        whole: scores(subject, &case.image.values, case)?[0],
        black: &[0.0; 3],
        seed: 0,
        at_once: at_once(subject),
        protocol: &PROTOCOL,
        compressed: &case.image.values,
        memory: Memory::new(),
        shared: &mut Memory::new(),
        pass: &mut pass,
        explain: &mut explain,
    };
    compute(&case.map, &mut network)
}

fn scores(subject: &Subject, copies: &[f32], case: &Case) -> Result<Vec<Score>, NetworkError> {
    let classifier = &subject.classifier;
    let images: Vec<&[f32]> = copies.chunks_exact(case.image.values.len()).collect();
    let images = stacked(&images, &subject.input, classifier.device());
    let logits = classifier.logits(images, &mut Trace::none()).into_data();
    let logits = logits.try_to_vec::<f32>().map_err(|error| format!("{error:?}"))?;
    let head = classifier.head.config();
    let score = |logits: &[f32]| Score {
        logit: f64::from(logits[case.class]),
        probability: f64::from(head.output().probabilities(logits)[case.class]),
    };
    Ok(logits.chunks_exact(head.classes()).map(score).collect())
}

fn maps(
    subject: &Subject,
    copies: &[f32],
    case: &Case,
) -> Result<Vec<Result<Evidence, Undefined>>, NetworkError> {
    let found = explained(subject, &subject.classifier, copies, Target::Class(case.class))?;
    let map = |map: &Vec<f32>| evidence(map, found.sizes[0], case.image.size);
    Ok(found.maps[0].iter().map(map).collect())
}

/// Grad-CAM of images, `[images, channels, height, width]`.
fn explained(
    subject: &Subject,
    network: &Classifier,
    images: &[f32],
    target: Target,
) -> Result<Attributions> {
    let length = subject.images[0].len();
    let images: Vec<&[f32]> = images.chunks_exact(length).collect();
    let images = stacked(&images, &subject.input, network.device());
    let explanation = default_explanation(&subject.layer);
    let question = Question::new(std::slice::from_ref(&explanation), target);
    Ok(explain(network, images, &question)?)
}

/// The network with its last layer untrained, its last two, and so on.
fn untrained(subject: &Subject) -> Result<Vec<Classifier>> {
    let (own, head) = (&subject.classifier, generated_head()?);
    let (units, shared) = (units(&own.layers, &head), SharedLayers::new());
    let taps = default_explanation(&subject.layer).taps();
    let network = |first: usize| {
        let layers = units[first..].concat();
        let randomisation = Some(Randomisation { layers: &layers, seed: 0 });
        let (taps, shared) = (Some(&*taps), Some(&shared));
        let how = Build { randomisation, taps, shared, ..Build::default() };
        let (source, head) = (&mut generated(), head.clone());
        Ok(Classifier::build(own.arch, own.variant, head, source, own.device(), how)?)
    };
    (0..units.len()).rev().map(network).collect()
}

fn raw(map: &[f32], size: [usize; 2]) -> Result<Evidence> {
    let map = Evidence::new(map.to_vec(), size, Values::Signed);
    map.map_err(|undefined| anyhow!("a map that cannot be measured: {}", undefined.name()))
}

/// A map at its image's size.
fn evidence(map: &[f32], from: [usize; 2], size: [usize; 2]) -> Result<Evidence, Undefined> {
    let map = resample(map, from.into(), size.into());
    Evidence::new(map, size, Values::Positive)
}
