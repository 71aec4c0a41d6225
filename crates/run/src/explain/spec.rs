//! Everything that decides a run's results, as one value.

use std::collections::BTreeSet;

use burncam_attribution::{Sign, Target};
use burncam_evaluation::Values;
use burncam_net::Arithmetic;
use burncam_record::{ModelSpec, RunSpec};

use super::model::Model;
use super::plan::Plan;
use crate::device::Choice;

/// What a plan is on these devices.
pub(crate) fn spec(plan: &Plan, devices: &[Choice]) -> RunSpec {
    let pictures = &plan.pictures;
    let precisions: BTreeSet<String> = devices.iter().map(|d| d.precision.to_string()).collect();
    let explanations = plan.models.iter().flat_map(|model| &model.explanations);
    let draws = explanations.into_iter().any(|one| one.explanation.method.needs.seeded);
    let models = plan.models.iter().map(|model| (model.name.clone(), model_spec(model)));
    let measures = &plan.measures;
    let protocol = (!measures.is_empty()).then_some(measures.protocol);
    RunSpec {
        measure: measures.all.iter().map(|measure| measure.name.to_owned()).collect(),
        measure_score: protocol.map(|protocol| protocol.scale.name().to_owned()),
        baseline: protocol.map(|protocol| protocol.baseline.name().to_owned()),
        removal_steps: protocol.map(|protocol| protocol.steps),
        sweep: measures.sweep,
        regions: plan.regions.as_ref().map(|regions| regions.digest.clone()),
        mask_level: plan.masks.as_ref().and_then(|masks| masks.level),
        masks: plan.masks.as_ref().map(|masks| masks.digest.clone()),
        burncam: env!("CARGO_PKG_VERSION").to_owned(),
        models: models.collect(),
        resize: plan.resize.to_string(),
        exif: plan.decode.exif.name().to_owned(),
        exact: plan.arithmetic == Arithmetic::Exact,
        precision: precisions.into_iter().collect::<Vec<_>>().join(", "),
        seed: (draws || protocol.is_some()).then_some(plan.seed),
        overlay: pictures.overlay.to_string(),
        alpha: pictures.alpha,
        colormap: pictures.colormap.to_string(),
        norm: pictures.norm.to_string(),
        maps: pictures.maps,
        no_report: !pictures.thumbnails,
        top: plan.top,
        shard: plan.shard.map(|shard| shard.to_string()),
    }
}

fn model_spec(model: &Model) -> ModelSpec {
    let checkpoint = model.checkpoint();
    ModelSpec {
        network: checkpoint.arch.name.to_owned(),
        variant: checkpoint.variant.name.to_owned(),
        network_per_fold: model.parts.iter().all(|part| part.fold.is_some()),
        preprocess: checkpoint.input.formula(),
        size: checkpoint.size().map(|[height, width]| format!("{height}x{width}")),
        output_layer: checkpoint.output_layer().map(str::to_owned),
        head: checkpoint.head.describe(),
        class: match model.target {
            Target::Predicted => None,
            target => Some(model.target_name(target.class().unwrap_or_default())),
        },
        classes: model.classes.clone(),
        explanations: model.explanations.iter().map(|one| one.spec.clone()).collect(),
    }
}

/// What the values of a method's maps mean, as it is recorded.
pub(crate) fn values(sign: Sign) -> Values {
    match sign {
        Sign::Positive => Values::Positive,
        Sign::Signed => Values::Signed,
        Sign::Magnitude => Values::Sizes,
    }
}
