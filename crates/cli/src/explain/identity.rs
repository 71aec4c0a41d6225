//! What makes two runs one: everything that decides results, save the content of files.

use burncam_cam::Target;
use burncam_net::Arithmetic;
use serde_json::{Map, Value, json};

use super::model::Model;
use super::pictures::Pictures;
use super::plan::Plan;
use crate::device::Choice;
use crate::text::shown;

/// By the options that decide it. Paths are not in it, since what counts is what the files hold;
/// neither are devices, whose results agree, so that a run can go on where a GPU has failed.
pub(crate) fn identity(plan: &Plan, devices: &[Choice]) -> Value {
    let pictures = &plan.pictures;
    let mut precisions: Vec<String> = devices.iter().map(|d| d.precision.to_string()).collect();
    precisions.sort();
    precisions.dedup();
    json!({
        "burncam": env!("CARGO_PKG_VERSION"),
        "models": plan.models.iter().map(model).collect::<Map<_, _>>(),
        "--resize": plan.resize.to_string(),
        "--exif": plan.decode.exif.name(),
        "--exact": plan.arithmetic == Arithmetic::Exact,
        "--precision": precisions.join(", "),
        "--overlay": Pictures::name(pictures.overlay),
        "--alpha": pictures.alpha.to_string(),
        "--colormap": pictures.colormap.to_string(),
        "--norm": Pictures::name(pictures.norm),
        "--maps": pictures.maps,
        "--no-report": !pictures.thumbnails,
        "--shard": plan.shard.map(|shard| shard.to_string()),
    })
}

fn model(model: &Model) -> (String, Value) {
    let checkpoint = model.checkpoint();
    let folds = model.parts.iter().filter_map(|part| part.fold.as_ref()).count();
    let facts = json!({
        "network": checkpoint.arch.name,
        "variant": checkpoint.variant.name,
        "one network for each fold": folds > 0,
        "--preprocess": checkpoint.input.formula(),
        "--head": checkpoint.head.describe(),
        "--layer": model.layer,
        "--class": match model.target {
            Target::Predicted => Value::Null,
            Target::Class(class) => model.classes[class].clone().into(),
        },
        "--classes": model.classes,
    });
    (model.name.clone(), facts)
}

/// The first thing in which an earlier run differs from this one, in words.
pub(crate) fn difference(earlier: &Value, now: &Value) -> Option<String> {
    let (Value::Object(a), Value::Object(b)) = (earlier, now) else {
        return (earlier != now).then(|| format!("was {}, now {}", shown(earlier), shown(now)));
    };
    let names = |map: &Map<String, Value>| map.keys().cloned().collect::<Vec<_>>().join(", ");
    let is_models = |map: &Map<String, Value>| map.values().all(Value::is_object);
    if !a.keys().eq(b.keys()) && is_models(a) && is_models(b) {
        return Some(format!("were {}, now {}", names(a), names(b)));
    }
    let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
    let mut differing = keys.filter_map(|key| {
        let value = |map: &Map<String, Value>| map.get(key).cloned().unwrap_or_default();
        difference(&value(a), &value(b)).map(|what| format!("{key} {what}"))
    });
    differing.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named() {
        let run = |alpha: f32, layer: &str| json!({ "--alpha": alpha, "models": { "NCNN": { "--layer": layer, "--class": null } } });
        assert_eq!(difference(&run(0.5, "a"), &run(0.5, "a")), None);
        let found = |a: &Value, b: &Value| difference(a, b).expect("a difference");
        assert_eq!(found(&run(0.5, "a"), &run(0.25, "a")), "--alpha was 0.5, now 0.25");
        assert_eq!(found(&run(0.5, "a"), &run(0.5, "b")), "models NCNN --layer was a, now b");
        let other = json!({ "--alpha": 0.5, "models": { "VGG16": {} } });
        assert_eq!(found(&run(0.5, "a"), &other), "models were NCNN, now VGG16");
        let less = json!({ "models": { "NCNN": { "--layer": "a", "--class": null } } });
        assert_eq!(found(&run(0.5, "a"), &less), "--alpha was 0.5, now not given");
        assert_eq!(found(&less, &run(0.5, "a")), "--alpha was not given, now 0.5");
    }
}
