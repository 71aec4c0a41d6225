//! The page that a reader opens, and the numbers behind it.
//!
//! A [`Report`] gathers what one or several runs found and, with [`compute`], how good that is;
//! [`report_json`] writes it as `report.json`, and [`index_html`] shows it as one page that asks
//! for nothing outside its folder. Each of them takes the images of a run one after another, so
//! that their number does not matter for memory.

mod bars;
mod build;
mod discordance;
mod document;
mod examples;
mod first;
mod fold_maps;
mod gallery;
mod homes;
mod images;
mod interval_text;
mod kinds;
mod maps;
mod mean_maps;
mod measure;
mod measured_map;
mod merge;
mod occurrences;
mod on_face;
mod paired;
mod picture;
mod read;
mod regions;
mod render;
mod shards;
mod standalone;
mod steps;
mod structure;
mod svg;
mod swapped_text;
mod template;
mod text;
mod title;
mod trust;

#[cfg(test)]
mod contrast;
#[cfg(test)]
mod markup;
#[cfg(test)]
mod tests;

pub use build::{compute, gather};
pub use document::{
    Agreement, AttributionReport, Comparison, Confusion, Discordance, ExplanationReport,
    FoldReport, ImageReport, MOST_COMPARED, MeanMap, MeasuredMap, ModelReport, Pair, Report,
    ResultReport, SCHEMA, Settings, Source, TrueClasses,
};
pub use examples::{Example, Reason, disagree, examples};
pub use images::Images;
pub use merge::merge;
pub use on_face::{FaceMap, OnFace};
pub use picture::{data_uri, mean_face};
pub use read::read_report;
pub use render::{index_html, report_json, standalone_html};
pub use shards::{MOST_MISSING, count_missing_parts, missing_parts, parts, shard, unfinished_runs};
pub use standalone::Standalone;
pub use swapped_text::swapped_sentence;
pub use text::Language;
