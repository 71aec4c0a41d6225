//! How good the predictions are, how sure that is, and how alike the maps are.
//!
//! A [`Sample`] holds the judged images of a model; its [`scores`](Sample::scores) are the usual
//! measures of a classifier, [`intervals`] says how sure they are, [`swapped_names`] whether two
//! classes seem to have each other's names, [`MeanSd`] how they vary over
//! folds, [`corrected_t_test`] whether two models differ, and [`mcnemar`] whether they are right on the same images. [`Grid`] brings maps of any size to one, and
//! [`spearman`] and [`top_overlap`] compare two maps of one image; [`Peaks`] counts where maps are largest.
//! [`Random`] is the generator of all that is drawn.
//!
//! A measure that is not defined, such as the sensitivity where no image is of the positive class,
//! is `None` and never 0. This crate must never know Burn, a file or a model: it takes numbers.

mod bootstrap;
mod compare;
mod curves;
mod folds;
mod grid;
mod intervals;
mod maps;
mod mcnemar;
mod outcome;
mod paired;
mod peaks;
mod random;
mod sample;
mod swapped;
mod values;
mod wilson;

pub use bootstrap::{Resampling, bootstrap_intervals};
pub use compare::{TTest, corrected_t_test, holm};
pub use curves::{BINS, Bin, Histogram};
pub use folds::MeanSd;
pub use grid::{GRID, Grid};
pub use intervals::{FEW, Interval, Intervals, Method, Remark, intervals};
pub use maps::{Ranks, Strongest, resample, spearman, top_overlap};
pub use mcnemar::mcnemar;
pub use outcome::Outcome;
pub use paired::{PairedDifference, paired_difference};
pub use peaks::Peaks;
pub use random::Random;
pub use sample::{CONFUSED, Case, Cases, Confusion, MEASURES, Sample, Scores};
pub use swapped::{SwappedNames, swapped_names};
pub use values::Values;
pub use wilson::wilson_interval;
