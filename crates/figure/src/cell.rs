//! What a cell of a panel shows.

use burncam_evaluation::GRID;
use burncam_page::{ImageReport, Report};
use burncam_render::{hatched, over_photograph, resize_bicubic};
use image::{Rgb, RgbImage};

use crate::columns::{Column, Maps};
use crate::look::Look;

/// What the status of a map is that can be read.
const READABLE: &str = burncam_record::READABLE;

/// The shorter side of a photograph that a map is drawn on, so that its line is fine, and the longer one, in pixels.
const LEAST: u32 = 400;
const MOST: u32 = 1400;

/// The photograph that maps are drawn on where there is none.
const NO_PHOTOGRAPH: Rgb<u8> = Rgb([128; 3]);

/// What a cell shows.
pub(crate) enum Cell {
    Picture(RgbImage),
    /// The photograph of a map that must not be read.
    Crossed(RgbImage),
    /// Words, by their key.
    Nothing(&'static str),
}

/// What a column shows of an image.
pub(crate) fn cell(
    report: &Report<'_>,
    image: &ImageReport,
    column: Column,
    photograph: Option<&RgbImage>,
    look: &Look,
) -> Cell {
    let Column::Maps(Maps { model, explanation }) = column else {
        return photograph.cloned().map_or(Cell::Nothing("figure_no_picture"), Cell::Picture);
    };
    let Some(result) = image.results.iter().find(|result| result.model == model) else {
        return Cell::Nothing("figure_not_explained");
    };
    let spec = &report.models[model].explanations[explanation];
    let map = result.attributions.iter().find(|map| map.explanation == spec.explanation);
    let Some(map) = map else { return Cell::Nothing("figure_no_result") };
    let ground =
        photograph.map_or_else(|| RgbImage::from_pixel(LEAST, LEAST, NO_PHOTOGRAPH), sized);
    match map.map.as_ref().filter(|_| map.status == READABLE) {
        Some(shares) => Cell::Picture(over_photograph(
            &ground,
            &shares.shares(),
            (GRID, GRID),
            &look.style(spec.spec.values),
        )),
        None => Cell::Crossed(hatched(&ground)),
    }
}

/// The photograph at a size at which a map is drawn on it.
fn sized(photograph: &RgbImage) -> RgbImage {
    let (width, height) = photograph.dimensions();
    let scale = |to: u32, side: u32| f64::from(to) / f64::from(side.max(1));
    let larger = scale(LEAST, width.min(height)).max(1.0);
    let smaller = scale(MOST, width.max(height));
    let factor = larger.min(smaller);
    if factor == 1.0 {
        return photograph.clone();
    }
    let side = |side: u32| ((f64::from(side) * factor).round() as u32).max(1);
    resize_bicubic(photograph, side(width), side(height))
}
