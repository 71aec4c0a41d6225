//! Figures of a report, for papers.
//!
//! A figure is described once, as a [`Scene`] in millimetres: a [`panel`] of images and maps, [`mean_maps`] or
//! [`curves`]. [`svg`], [`pdf`] and [`png()`](png) write it. Text is outlines in SVG, and text in embedded fonts in PDF;
//! pictures have their own pixels; PNG says how many pixels an inch has. The colour bar of a [`clean_overlay`] is a
//! scene, too.
//!
//! This crate must never know Burn, read an image file or write a file.

mod bars;
mod cell;
mod chart;
mod columns;
mod curves;
mod error;
mod filter;
mod font;
mod images;
mod look;
mod mean;
mod outline;
mod overlay;
mod panel;
mod pdf;
mod png;
mod raster;
mod removal;
mod scene;
mod svg;

#[cfg(test)]
mod tests;

pub use columns::{Column, Maps, columns};
pub use curves::curves;
pub use error::Error;
pub use font::Typeface;
pub use images::{Row, images};
pub use look::Look;
pub use mean::mean_maps;
pub use overlay::{clean_overlay, crossed_out};
pub use panel::{Photographs, panel};
pub use pdf::pdf;
pub use png::png;
pub use scene::Scene;
pub use svg::svg;
