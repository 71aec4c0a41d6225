//! How good the predictions are, how sure that is, and how alike the maps are.
//!
//! A [`Sample`] holds the judged images of a model; its [`scores`](Sample::scores) are the usual
//! measures of a classifier, [`intervals`] says how sure they are, [`swapped_names`] whether two
//! classes seem to have each other's names, [`MeanSd`] how they vary over
//! folds, and [`corrected_t_test`] whether two models differ. [`spearman`] and [`top_overlap`]
//! compare two maps of one image.
//!
//! A measure that is not defined, such as the sensitivity where no image is of the positive class,
//! is `None` and never 0.

mod bootstrap;
mod compare;
mod curves;
mod folds;
mod intervals;
mod maps;
mod sample;
mod swapped;
mod wilson;

pub use bootstrap::{Resampling, bootstrap_intervals};
pub use compare::{TTest, corrected_t_test, holm};
pub use curves::{BINS, Bin, Histogram};
pub use folds::MeanSd;
pub use intervals::{FEW, Interval, Intervals, Method, Remark, intervals};
pub(crate) use maps::{Ranks, Strongest};
pub use maps::{resample, spearman, top_overlap};
pub use sample::{CONFUSED, Case, Cases, Confusion, MEASURES, Sample, Scores};
pub use swapped::{SwappedNames, swapped_names};
pub use wilson::wilson_interval;
