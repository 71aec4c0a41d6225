//! The measures, one file each.

mod adcc;
mod average_drop;
mod border_share;
mod coherency;
mod complexity;
mod deletion;
mod energy_inside;
mod entropy;
mod faithfulness_correlation;
mod gain;
mod gini;
mod hypergeometric;
mod increase;
mod insertion;
mod iou;
mod masked;
mod max_sensitivity;
mod mean_sensitivity;
mod noisy;
mod pointing_game;
mod rank_accuracy;
mod relative_entropy;
mod road;
mod road_least;
mod road_most;
mod shares;
mod shift_sensitivity;
mod spearman;
mod ssim;
mod top_decile_overlap;

use crate::Measure;

/// Every measure, in the order of tables.
pub static MEASURES: &[&Measure] = &[
    &deletion::DELETION,
    &insertion::INSERTION,
    &road::ROAD,
    &road_most::ROAD_MOST,
    &road_least::ROAD_LEAST,
    &average_drop::AVERAGE_DROP,
    &increase::INCREASE,
    &gain::GAIN,
    &coherency::COHERENCY,
    &complexity::COMPLEXITY,
    &adcc::ADCC,
    &faithfulness_correlation::FAITHFULNESS_CORRELATION,
    &max_sensitivity::MAX_SENSITIVITY,
    &mean_sensitivity::MEAN_SENSITIVITY,
    &shift_sensitivity::SHIFT_SENSITIVITY,
    &gini::GINI,
    &entropy::ENTROPY,
    &relative_entropy::RELATIVE_ENTROPY,
    &border_share::BORDER_SHARE,
    &pointing_game::POINTING_GAME,
    &energy_inside::ENERGY_INSIDE,
    &rank_accuracy::RANK_ACCURACY,
    &iou::IOU,
    &spearman::SPEARMAN,
    &ssim::SSIM,
    &top_decile_overlap::TOP_DECILE_OVERLAP,
];

/// The measure of a name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Measure> {
    MEASURES.iter().copied().find(|measure| measure.name == name)
}
