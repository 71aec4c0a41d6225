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
mod head_down;
mod head_down_ssim;
mod hypergeometric;
mod increase;
mod insertion;
mod iou;
mod jpeg_sensitivity;
mod masked;
mod max_sensitivity;
mod mean_sensitivity;
mod noisy;
mod other_class;
mod other_class_ssim;
mod pointing_game;
mod rank_accuracy;
mod region_mass;
mod region_peak;
mod relative_entropy;
mod road;
mod road_least;
mod road_most;
mod shares;
mod shift_sensitivity;
mod spearman;
mod ssim;
mod stem_up;
mod stem_up_ssim;
mod top_decile_overlap;
mod top_regions;
mod untrained_entropy;

pub use jpeg_sensitivity::JPEG_QUALITY;
pub(crate) use road::End;

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
    &head_down::HEAD_DOWN,
    &head_down_ssim::HEAD_DOWN_SSIM,
    &stem_up::STEM_UP,
    &stem_up_ssim::STEM_UP_SSIM,
    &untrained_entropy::UNTRAINED_ENTROPY,
    &other_class::OTHER_CLASS,
    &other_class_ssim::OTHER_CLASS_SSIM,
    &max_sensitivity::MAX_SENSITIVITY,
    &mean_sensitivity::MEAN_SENSITIVITY,
    &shift_sensitivity::SHIFT_SENSITIVITY,
    &jpeg_sensitivity::JPEG_SENSITIVITY,
    &gini::GINI,
    &entropy::ENTROPY,
    &relative_entropy::RELATIVE_ENTROPY,
    &border_share::BORDER_SHARE,
    &region_mass::REGION_MASS,
    &region_peak::REGION_PEAK,
    &pointing_game::POINTING_GAME,
    &energy_inside::ENERGY_INSIDE,
    &rank_accuracy::RANK_ACCURACY,
    &iou::IOU,
    &spearman::SPEARMAN,
    &ssim::SSIM,
    &top_decile_overlap::TOP_DECILE_OVERLAP,
    &top_regions::TOP_REGIONS,
];

/// The measure of a name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Measure> {
    MEASURES.iter().copied().find(|measure| measure.name == name)
}
