//! From a map to pictures: the overlay, the page's small picture, and the raw map as a file.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use burncam_attribution::MapStatus;
use burncam_evaluation::{Outcome, Values};
use burncam_figure::{clean_overlay, crossed_out};
use burncam_imaging::{DecodeOptions, Decoded, Frame, Held, decode_bytes};
use burncam_record::{Stage, Tree, Written, link_or_copy, write_atomic};
use burncam_render::thumbnail;
use burncam_render::{
    Format, RgbImage, Scale, Style, coloured, encode, enlarged, hatched, levels, levels_on,
    over_photograph, overlay, tinted, top,
};
use npyz::WriterBuilder as _;

use super::digests::sha256;
use super::error::{ExplainError, failure, unread};
use super::plan::Plan;
use crate::{Norm, Overlay, npy};

/// A map of an image, to be rendered.
pub(crate) struct RenderInput<'a> {
    /// The run.
    pub plan: &'a Plan,
    /// Where the pictures go.
    pub tree: &'a Tree,
    /// The image, as an index.
    pub index: usize,
    /// Whether the prediction is right.
    pub outcome: Outcome,
    /// Whether the map can be read.
    pub status: MapStatus,
    /// What its values mean.
    pub values: Values,
    /// The raw map, row by row.
    pub map: &'a [f32],
    /// Its height and width.
    pub map_size: (usize, usize),
    /// The image at the network's size.
    pub frame: &'a Frame,
    /// The image at its own size, for clean overlays.
    pub photograph: Option<&'a RgbImage>,
}

/// The pictures of a map, by path in the output folder.
#[derive(Debug, Default)]
pub(crate) struct RenderedFiles {
    /// The overlay.
    pub overlay: Option<String>,
    /// The page's small picture.
    pub thumbnail: Option<String>,
    /// All files that were written.
    pub files: Vec<Written>,
}

impl RenderInput<'_> {
    /// Whether the map has a value for each pixel of the network's input.
    fn is_of_pixels(&self) -> bool {
        self.map_size == (self.frame.height, self.frame.width)
    }

    fn scale(&self, top: f32) -> Scale {
        let pictures = &self.plan.pictures;
        let top = if pictures.norm == Norm::None { 1.0 } else { top };
        Scale { colormap: pictures.colormap, values: self.values, top }
    }
}

/// Renders and writes the overlay, encoded once and placed twice, and the page's small picture. `top`
/// is the top of the scale; the notebook's overlays of positive values have their own.
pub(crate) fn render(input: &RenderInput<'_>, top: f32) -> Result<RenderedFiles, ExplainError> {
    let (plan, tree) = (input.plan, input.tree);
    let place = &plan.places[input.index];
    let [all, fold] = tree.overlay_paths(place, input.outcome);
    let (picture, map) = match input.photograph {
        None => notebook(input, top)?,
        Some(photograph) => clean(input, photograph, top),
    };
    let written = write(plan, &all, &encode(&picture, Format::of_name(&all)?)?)?;
    link_or_copy(&all, &fold)?;
    let linked = Written { path: plan.inside(&fold), ..written.clone() };
    let mut rendered =
        RenderedFiles { overlay: Some(linked.path.clone()), ..RenderedFiles::default() };
    rendered.files.extend([written, linked]);
    if plan.pictures.thumbnails {
        let small = thumbnail(&original(input.frame)?, &map, &picture);
        let path = tree.thumbnail_path(place);
        let written = write(plan, &path, &encode(&small, Format::Jpeg)?)?;
        rendered.thumbnail = Some(written.path.clone());
        rendered.files.push(written);
    }
    Ok(rendered)
}

fn write(plan: &Plan, path: &Path, bytes: &[u8]) -> Result<Written> {
    write_atomic(path, bytes)?;
    let crc32 = crc32fast::hash(bytes);
    Ok(Written { path: plan.inside(path), bytes: bytes.len() as u64, crc32 })
}

/// The notebook's overlay, and its map alone. The notebook has positive values only. Sizes are drawn as it
/// draws these; signed values have two sides, which no stretch of colours may move.
fn notebook(input: &RenderInput<'_>, top: f32) -> Result<(RgbImage, RgbImage)> {
    let frame = input.frame;
    let (size, alpha) = ((frame.height, frame.width), input.plan.pictures.alpha);
    let readable = input.status == MapStatus::Ok;
    let levels = match input.values {
        // A map that cannot be read gets the notebook's plain blue wash: the lowest level throughout.
        Values::Positive if !readable => vec![0; input.map.len()],
        Values::Positive => levels(input.map),
        _ if !readable => return Ok((hatched(&original(frame)?), no_map(frame))),
        Values::Sizes => levels_on(&input.scale(top), input.map),
        Values::Signed => {
            let tint = |alpha| {
                let scale = (&input.scale(top), alpha);
                tinted(input.map, input.map_size, &frame.rgb, size, scale)
            };
            return Ok((tint(alpha), tint(1.0)));
        }
    };
    let picture = overlay(&levels, input.map_size, &frame.rgb, size, alpha);
    let map = match readable {
        true => enlarged(&coloured(&levels, input.map_size), size),
        false => no_map(frame),
    };
    Ok((picture, map))
}

/// Bytes for each pixel of a photograph that its clean overlay takes: the map at that size, the
/// picture, and the file that becomes of it.
const CLEAN: u64 = 4 + 3 + 3;

/// For clean overlays the image again, at its own size, and the memory that drawing over it takes. Nobody who
/// holds another image may ask for it: all might wait for each other.
pub(crate) fn photograph(
    plan: &Plan,
    index: usize,
    digest: &str,
) -> Result<Option<Held<RgbImage>>, ExplainError> {
    if plan.pictures.overlay == Overlay::Notebook {
        return Ok(None);
    }
    let options = DecodeOptions { beside: CLEAN, ..plan.decode };
    let unread = |error: anyhow::Error| unread(&plan.data, failure(Stage::Read, error));
    let (photograph, now) = read_as(plan, index, options).map_err(|error| unread(error.into()))?;
    if now != digest {
        let file = plan.images[index].file.display();
        return Err(unread(anyhow!("{file} changed while it was explained")));
    }
    Ok(Some(photograph.pixels))
}

/// The clean overlay at the photograph's own size, and its map alone at the frame's.
fn clean(input: &RenderInput<'_>, photograph: &RgbImage, top: f32) -> (RgbImage, RgbImage) {
    let pictures = &input.plan.pictures;
    let (height, width) = (input.frame.height as u32, input.frame.width as u32);
    if input.status != MapStatus::Ok {
        return (crossed_out(photograph), no_map(input.frame));
    }
    // Positive values keep their line at any size, and so their pictures.
    let line = input.values == Values::Positive || !input.is_of_pixels();
    let style = Style { scale: input.scale(top), alpha: pictures.alpha, line };
    let picture = clean_overlay(photograph, input.map, input.map_size, &style);
    let blank = RgbImage::new(width, height);
    let alone = over_photograph(&blank, input.map, input.map_size, &Style { alpha: 1.0, ..style });
    (picture, alone)
}

/// What stands for a map that cannot be read on the page, where a plain colour would look like one.
fn no_map(frame: &Frame) -> RgbImage {
    hatched(&RgbImage::from_pixel(frame.width as u32, frame.height as u32, [224; 3].into()))
}

fn original(frame: &Frame) -> Result<RgbImage> {
    let bytes = frame.rgb.iter().map(|value| value.round() as u8).collect();
    RgbImage::from_raw(frame.width as u32, frame.height as u32, bytes)
        .context("a frame has three values a pixel")
}

/// The top of the map's own scale, unless that is its largest value.
pub(crate) fn own_top(input: &RenderInput<'_>) -> Option<f32> {
    let top = || top(input.map, input.values, input.is_of_pixels());
    (input.values != Values::Positive).then(top).filter(|top| top.is_finite())
}

/// Writes a raw map as `maps/<fold>/<image>.npy`: float32, `[height, width]`.
pub(crate) fn write_map(input: &RenderInput<'_>) -> Result<Written> {
    let (plan, (height, width)) = (input.plan, input.map_size);
    let mut bytes = Vec::new();
    let shape = [height as u64, width as u64];
    let mut writer =
        npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut bytes).begin_nd()?;
    writer.extend(input.map)?;
    writer.finish()?;
    write(plan, &input.tree.map_path(&plan.places[input.index]), &bytes)
}

/// Reads and decodes an image of the run; gives it and the file's SHA-256.
pub(crate) fn read(plan: &Plan, index: usize) -> Result<(Decoded, String), burncam_imaging::Error> {
    read_as(plan, index, plan.decode)
}

fn read_as(
    plan: &Plan,
    index: usize,
    options: DecodeOptions,
) -> Result<(Decoded, String), burncam_imaging::Error> {
    let file = &plan.images[index].file;
    let bytes = burncam_imaging::read(file, options)?;
    Ok((decode_bytes(file, &bytes, options)?, sha256(&bytes)))
}

/// Reads a map that this run has written.
pub(crate) fn read_map(path: &Path, (height, width): (usize, usize)) -> Result<Vec<f32>> {
    let file = File::open(path).map_err(Into::into);
    let map = file.and_then(|file| npy::read(file, &[height, width]));
    map.with_context(|| format!("cannot read the map {}", path.display()))
}
