//! The page that a reader opens, and the numbers behind it.
//!
//! A [`Report`] gathers what one or several runs found and, with [`compute`], how good that is;
//! [`report_json`] writes it as `report.json`, and [`index_html`] shows it as one page that asks
//! for nothing outside its folder.

mod build;
mod document;
mod gallery;
mod grid;
mod maps;
mod merge;
mod render;
mod svg;
mod text;
mod thumbnail;

#[cfg(test)]
mod markup;
#[cfg(test)]
mod tests;

pub use build::{compute, gather};
pub use document::{
    Agreement, Comparison, Confusion, FoldReport, ImageReport, MeanMap, ModelReport, Pair, Report,
    ResultReport, SCHEMA, Settings, Source,
};
pub use grid::{GRID, Grid};
pub use merge::{merge, read_report};
pub use render::{index_html, report_json};
pub use text::Language;
pub use thumbnail::thumbnail;
