//! What the colours of maps say, by what the maps' values mean.

use serde::Serialize;

use crate::document::Report;
use crate::mean_maps::MEAN;
use crate::picture::{coloured, data_uri};
use crate::text::Language;
use burncam_evaluation::Values;
use burncam_render::{Colormap, Scale};

/// The explanations of a report whose values mean the same.
#[derive(Serialize)]
pub(super) struct Kind {
    values: Values,
    /// Their titles.
    titles: String,
    /// What their colours say.
    meaning: String,
    /// The colour bar of their mean maps.
    bar: String,
    /// What the bar shows.
    bar_alt: String,
    /// What its numbers are.
    scale: String,
}

/// The colours of mean maps.
pub(super) fn scale(values: Values) -> Scale {
    Scale { colormap: Colormap::Viridis, values, top: 1.0 }
}

/// Whether all maps show only what speaks for a class.
pub(super) fn are_all_positive(report: &Report<'_>) -> bool {
    let mut all = report.models.iter().flat_map(|model| &model.explanations);
    all.all(|one| one.spec.values == Values::Positive)
}

/// The kinds of values that a report has.
pub(super) fn kinds(report: &Report<'_>, language: Language) -> Vec<Kind> {
    let specs = || {
        let all = report.models.iter().flat_map(|model| &model.explanations);
        all.map(|one| &one.spec)
    };
    let word = |key: &str| language.say(key, &[]).unwrap_or_default();
    let kind = |values: Values| {
        let mut titles: Vec<&str> = Vec::new();
        for spec in specs().filter(|spec| spec.values == values) {
            if !titles.contains(&spec.title.as_str()) {
                titles.push(&spec.title);
            }
        }
        let scale = scale(values);
        let share = |place: usize| place as f32 / (MEAN - 1) as f32;
        let place = |at: usize| scale.bottom() + share(at) * (1.0 - scale.bottom());
        let bar: Vec<f32> = (0..MEAN).map(place).collect();
        let suffix = if values == Values::Signed { "_signed" } else { "" };
        (!titles.is_empty()).then(|| Kind {
            values,
            titles: titles.join(", "),
            meaning: word(&format!("colours_{}", values.name())),
            bar: data_uri(coloured(&bar, 1, &scale)),
            bar_alt: word(&format!("bar_alt{suffix}")),
            scale: word(match values {
                Values::Positive => "mean_maps_scale",
                Values::Signed => "mean_maps_scale_signed",
                Values::Sizes => "mean_maps_scale_sizes",
            }),
        })
    };
    Values::ALL.into_iter().filter_map(kind).collect()
}
