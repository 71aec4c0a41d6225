//! From a map to pictures: the overlay, the page's small picture, and the raw map as a file.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use burncam_cam::MapStatus;
use burncam_imaging::{DecodeOptions, Decoded, Frame, Held, decode_bytes};
use burncam_report::page::thumbnail;
use burncam_report::{
    Colormap, Format, Outcome, RgbImage, Stage, Style, Written, clean_overlay, coloured,
    crossed_out, encode, enlarged, levels, link_or_copy, overlay, write_atomic,
};
use clap::{Args, ValueEnum};
use npyz::WriterBuilder as _;

use super::digests::sha256;
use super::model::Model;
use super::plan::Plan;
use super::trouble::{Trouble, failure, unread};
use crate::npy;

/// How pictures are made, as asked for.
#[derive(Args, Debug, Clone)]
pub(crate) struct PictureOptions {
    /// How overlays are drawn: `notebook`, to the last bit; or `clean`: the map interpolated as
    /// numbers over the grey photograph at its own size, a line at half of the scale, and a colour
    /// bar with its numbers. A clean overlay is a PNG.
    #[arg(long, value_name = "STYLE", value_enum, default_value_t, help_heading = "Output")]
    pub overlay: Overlay,

    /// The colours of clean overlays: viridis and magma read in grey; turbo, jet [default: viridis].
    #[arg(long, value_name = "MAP", help_heading = "Output")]
    pub colormap: Option<Colormap>,

    /// What the top of the scale of clean overlays is: the largest value of the image's own map, of
    /// all maps of its fold or of the run, so that pictures can be compared; or `none`, 1 of the raw
    /// map. With `fold` and `run`, raw maps are written as with --maps npy [default: image].
    #[arg(long, value_name = "SCALE", value_enum, help_heading = "Output")]
    pub norm: Option<Norm>,

    /// Write each raw map, in NumPy's format, into the folder `maps` of its model.
    #[arg(long, value_name = "FORMAT", value_enum, help_heading = "Output")]
    pub maps: Option<MapFormat>,
}

/// How overlays are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Overlay {
    /// As the notebook does.
    #[default]
    Notebook,
    /// To be read.
    Clean,
}

/// What the top of the scale is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Norm {
    /// The largest value of the map.
    Image,
    /// That of all maps of the fold.
    Fold,
    /// That of all maps of the model.
    Run,
    /// The value 1.
    None,
}

/// The format of raw maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MapFormat {
    /// NumPy's.
    Npy,
}

/// How pictures are made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pictures {
    /// How overlays are drawn.
    pub overlay: Overlay,
    /// Their colours.
    pub colormap: Colormap,
    /// The top of their scale.
    pub norm: Norm,
    /// Whether raw maps are written.
    pub maps: bool,
    /// Weight of the map in the overlay.
    pub alpha: f32,
    /// Whether the page's small pictures are written.
    pub thumbnails: bool,
}

impl Pictures {
    /// Checks what was asked for.
    pub(crate) fn new(asked: &PictureOptions, alpha: f32, thumbnails: bool) -> Result<Self> {
        if asked.overlay == Overlay::Notebook {
            let which = match (asked.colormap, asked.norm) {
                (Some(_), _) => Some("--colormap"),
                (_, Some(_)) => Some("--norm"),
                _ => None,
            };
            if let Some(option) = which {
                bail!(
                    "{option} is for clean overlays: the notebook's are jet, and their colours are \
                     stretched for each image\nhint: add --overlay clean"
                );
            }
        } else if alpha > 1.0 {
            bail!("--alpha is a share of 1 with --overlay clean, and {alpha} is more");
        }
        let norm = asked.norm.unwrap_or(Norm::Image);
        let colormap = match asked.overlay {
            Overlay::Notebook => Colormap::Jet,
            Overlay::Clean => asked.colormap.unwrap_or(Colormap::Viridis),
        };
        let maps = asked.maps.is_some() || matches!(norm, Norm::Fold | Norm::Run);
        Ok(Self { overlay: asked.overlay, colormap, norm, maps, alpha, thumbnails })
    }

    /// Whether overlays can be drawn only when all maps are known.
    pub(crate) fn later(&self) -> bool {
        matches!(self.norm, Norm::Fold | Norm::Run)
    }

    /// The name of an image's overlay: the image's, or for clean overlays that of a PNG.
    pub(crate) fn file_name(&self, image: &str) -> String {
        let png = image.to_lowercase().ends_with(".png");
        if self.overlay == Overlay::Notebook || png {
            image.to_owned()
        } else {
            format!("{image}.png")
        }
    }

    /// The name of an option's value, as it is asked for.
    pub(crate) fn name<T: ValueEnum>(value: T) -> String {
        value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// An explained image, to be drawn.
pub(crate) struct Shown<'a> {
    /// The run.
    pub plan: &'a Plan,
    /// The model.
    pub model: &'a Model,
    /// The image, as an index.
    pub index: usize,
    /// Whether the prediction is right.
    pub outcome: Outcome,
    /// Whether the map can be read.
    pub status: MapStatus,
    /// The raw map, row by row, and its height and width.
    pub map: &'a [f32],
    /// Its height and width.
    pub map_size: (usize, usize),
    /// The image at the network's size.
    pub frame: &'a Frame,
    /// SHA-256 of the image file.
    pub digest: &'a str,
}

/// The pictures of an image, by path in the output folder.
#[derive(Debug, Default)]
pub(crate) struct Drawn {
    /// The overlay.
    pub overlay: Option<String>,
    /// The page's small picture.
    pub thumbnail: Option<String>,
    /// All files that were written.
    pub files: Vec<Written>,
}

/// Draws and writes the overlay, encoded once and placed twice, and the page's small picture. `top`
/// is the top of a clean overlay's scale, for which the photograph is read again.
pub(crate) fn place(shown: &Shown<'_>, top: f32) -> Result<Drawn, Trouble> {
    let (plan, model) = (shown.plan, shown.model);
    let place = &plan.places[shown.index];
    let [all, fold] = model.tree.overlay_paths(place, shown.outcome);
    let photograph = match plan.pictures.overlay {
        Overlay::Notebook => None,
        Overlay::Clean => Some(photograph(shown)?),
    };
    let (picture, map) = match &photograph {
        None => notebook(shown),
        Some(photograph) => clean(shown, photograph, top),
    };
    let written = write(plan, &all, &encode(&picture, Format::of_name(&all)?)?)?;
    link_or_copy(&all, &fold)?;
    let linked = Written { path: plan.inside(&fold), ..written.clone() };
    let mut drawn = Drawn { overlay: Some(linked.path.clone()), ..Drawn::default() };
    drawn.files.extend([written, linked]);
    if plan.pictures.thumbnails {
        let small = thumbnail(&original(shown.frame)?, &map, &picture);
        let path = model.tree.thumbnail_path(place);
        let written = write(plan, &path, &encode(&small, Format::Jpeg)?)?;
        drawn.thumbnail = Some(written.path.clone());
        drawn.files.push(written);
    }
    Ok(drawn)
}

fn write(plan: &Plan, path: &Path, bytes: &[u8]) -> Result<Written> {
    write_atomic(path, bytes)?;
    let crc32 = crc32fast::hash(bytes);
    Ok(Written { path: plan.inside(path), bytes: bytes.len() as u64, crc32 })
}

/// The notebook's overlay, and its map alone.
fn notebook(shown: &Shown<'_>) -> (RgbImage, RgbImage) {
    // A map that cannot be read gets the notebook's plain blue wash: the lowest level throughout.
    let levels = match shown.status {
        MapStatus::Ok => levels(shown.map),
        _ => vec![0; shown.map.len()],
    };
    let frame = shown.frame;
    let (size, alpha) = ((frame.height, frame.width), shown.plan.pictures.alpha);
    let picture = overlay(&levels, shown.map_size, &frame.rgb, size, alpha);
    let map = match shown.status {
        MapStatus::Ok => enlarged(&coloured(&levels, shown.map_size), size),
        _ => no_map(frame),
    };
    (picture, map)
}

/// Bytes for each pixel of a photograph that its clean overlay takes: the map at that size, the
/// picture, and the file that becomes of it.
const CLEAN: u64 = 4 + 3 + 3;

/// The image again, at its own size, and the memory that drawing over it takes. Nobody who holds
/// another image may ask for it: all might wait for each other.
fn photograph(shown: &Shown<'_>) -> Result<Held<RgbImage>, Trouble> {
    let plan = shown.plan;
    let options = DecodeOptions { beside: CLEAN, ..plan.decode };
    let unread = |error: anyhow::Error| unread(plan, failure(Stage::Read, error));
    let (photograph, digest) =
        read_as(plan, shown.index, options).map_err(|error| unread(error.into()))?;
    if digest != shown.digest {
        let file = plan.images[shown.index].file.display();
        return Err(unread(anyhow!("{file} changed while it was explained")));
    }
    Ok(photograph.pixels)
}

/// The clean overlay at the photograph's own size, and its map alone at the frame's.
fn clean(shown: &Shown<'_>, photograph: &RgbImage, top: f32) -> (RgbImage, RgbImage) {
    let pictures = &shown.plan.pictures;
    let (height, width) = (shown.frame.height as u32, shown.frame.width as u32);
    if shown.status != MapStatus::Ok {
        return (crossed_out(photograph), no_map(shown.frame));
    }
    let style = Style { colormap: pictures.colormap, alpha: pictures.alpha, top };
    let picture = clean_overlay(photograph, shown.map, shown.map_size, &style);
    let blank = RgbImage::new(width, height);
    let alone = clean_overlay(&blank, shown.map, shown.map_size, &Style { alpha: 1.0, ..style });
    let map = RgbImage::from_fn(width, height, |x, y| *alone.get_pixel(x, y));
    (picture, map)
}

/// What stands for a map that cannot be read on the page, where a plain colour would look like one.
fn no_map(frame: &Frame) -> RgbImage {
    let (height, width) = (frame.height as u32, frame.width as u32);
    let crossed = crossed_out(&RgbImage::from_pixel(width, height, [224; 3].into()));
    RgbImage::from_fn(width, height, |x, y| *crossed.get_pixel(x, y))
}

fn original(frame: &Frame) -> Result<RgbImage> {
    let bytes = frame.rgb.iter().map(|value| value.round() as u8).collect();
    RgbImage::from_raw(frame.width as u32, frame.height as u32, bytes)
        .context("a frame has three values a pixel")
}

/// The top of the scale where it does not depend on other maps.
pub(crate) fn own_top(pictures: &Pictures, max: f32) -> f32 {
    if pictures.norm == Norm::None { 1.0 } else { max }
}

/// Writes a raw map as `maps/<fold>/<image>.npy`: float32, `[height, width]`.
pub(crate) fn write_map(
    plan: &Plan,
    model: &Model,
    index: usize,
    map: &[f32],
    (height, width): (usize, usize),
) -> Result<Written> {
    let mut bytes = Vec::new();
    let shape = [height as u64, width as u64];
    let mut writer =
        npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut bytes).begin_nd()?;
    writer.extend(map)?;
    writer.finish()?;
    write(plan, &model.tree.map_path(&plan.places[index]), &bytes)
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
