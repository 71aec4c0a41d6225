//! What the measures of maps take.

use anyhow::{Context, Result, anyhow, bail};
use burncam_attribution::{Attributions, Question, Target, explain};
use burncam_evaluation::{Values, resample};
use burncam_imaging::stacked;
use burncam_net::Trace;
use burncam_run::device;
use burncam_run::self_test::default_explanation;
use burncam_trust::{
    Baseline, Compute, Evidence, Image, Measured, Memory, Network, NetworkError, Protocol, Scale,
    Score, Undefined, find,
};

use super::{IMAGES, Subject, number, timed};

/// Those that libraries have, too.
pub(super) const COMPARED: [&str; 7] = [
    "deletion",
    "insertion",
    "road",
    "average-drop",
    "faithfulness-correlation",
    "head-down-spearman",
    "max-sensitivity",
];

/// As the libraries are told to compute.
const PROTOCOL: Protocol =
    Protocol { scale: Scale::Probability, baseline: Baseline::Zero, steps: 20 };

/// An image, its map and the class that is explained.
struct Case {
    image: Image,
    map: Evidence,
    class: usize,
}

/// Wall and CPU time of an image by a measure, `deletion 8`: its name and the images; or `none`, if there is no such
/// measure. The image's map is there already.
pub(super) fn milliseconds(subject: &Subject, asked: &str) -> Result<String> {
    let (name, count) = asked.split_once(' ').context("a measure and a number of images")?;
    let Some(Compute::Network(compute)) = find(name).map(|measure| &measure.compute) else {
        return Ok("none".to_owned());
    };
    let cases = cases(subject, number(count)?)?;
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

/// So many images with their maps.
fn cases(subject: &Subject, count: usize) -> Result<Vec<Case>> {
    let size = [subject.input.height, subject.input.width];
    let case = |values: &[f32]| {
        let Attributions { maps, sizes, targets, .. } =
            explained(subject, values, Target::Predicted)?;
        let image =
            Image { values: values.to_vec(), channels: subject.input.order.channels(), size };
        let map = evidence(&maps[0][0], sizes[0], size)
            .map_err(|undefined| anyhow!("a map that cannot be measured: {}", undefined.name()))?;
        Ok(Case { image, map, class: targets[0] })
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
    let found = explained(subject, copies, Target::Class(case.class))?;
    let map = |map: &Vec<f32>| evidence(map, found.sizes[0], case.image.size);
    Ok(found.maps[0].iter().map(map).collect())
}

/// Grad-CAM of images, `[images, channels, height, width]`.
fn explained(subject: &Subject, images: &[f32], target: Target) -> Result<Attributions> {
    let length = subject.images[0].len();
    let images: Vec<&[f32]> = images.chunks_exact(length).collect();
    let images = stacked(&images, &subject.input, subject.classifier.device());
    let explanation = default_explanation(&subject.layer);
    let question = Question::new(std::slice::from_ref(&explanation), target);
    Ok(explain(&subject.classifier, images, &question)?)
}

/// A map at its image's size.
fn evidence(map: &[f32], from: [usize; 2], size: [usize; 2]) -> Result<Evidence, Undefined> {
    let map = resample(map, from.into(), size.into());
    Evidence::new(map, size, Values::Positive)
}
