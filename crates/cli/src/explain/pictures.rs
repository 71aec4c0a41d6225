//! From a map to pictures: the overlay, the page's small picture, and the raw map as a file.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use burncam_cam::MapStatus;
use burncam_imaging::{Frame, decode, fit};
use burncam_report::page::thumbnail;
use burncam_report::{
    Colormap, Failure, Format, Outcome, Prediction, RgbImage, Stage, Style, clean_overlay,
    coloured, crossed_out, encode, enlarged, levels, link_or_copy, overlay, write_atomic,
};
use clap::{Args, ValueEnum};
use npyz::WriterBuilder as _;
use rayon::prelude::*;

use super::model::Model;
use super::plan::Plan;

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
}

/// Draws and writes the overlay, encoded once and placed twice, and the page's small picture; gives
/// their paths in the output folder. `top` is the top of a clean overlay's scale.
pub(crate) fn place(shown: &Shown<'_>, top: f32) -> Result<[Option<String>; 2]> {
    let (plan, model) = (shown.plan, shown.model);
    let place = &plan.places[shown.index];
    let [all, fold] = model.tree.overlay_paths(place, shown.outcome);
    let (picture, map) = match plan.pictures.overlay {
        Overlay::Notebook => notebook(shown),
        Overlay::Clean => clean(shown, top)?,
    };
    write_atomic(&all, &encode(&picture, Format::of_name(&all)?)?)?;
    link_or_copy(&all, &fold)?;
    let mut paths = [Some(fold), None];
    if plan.pictures.thumbnails {
        let path = model.tree.thumbnail_path(place);
        let small = thumbnail(&original(shown.frame)?, &map, &picture);
        write_atomic(&path, &encode(&small, Format::Jpeg)?)?;
        paths[1] = Some(path);
    }
    let inside = |path: PathBuf| {
        let path = path.strip_prefix(&plan.out).unwrap_or(&path);
        path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
    };
    Ok(paths.map(|path| path.map(inside)))
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

/// The clean overlay at the photograph's own size, and its map alone at the frame's.
fn clean(shown: &Shown<'_>, top: f32) -> Result<(RgbImage, RgbImage)> {
    let pictures = &shown.plan.pictures;
    let photograph = decode(&shown.plan.images[shown.index].file, shown.plan.decode)?;
    let (height, width) = (shown.frame.height as u32, shown.frame.width as u32);
    if shown.status != MapStatus::Ok {
        return Ok((crossed_out(&photograph), no_map(shown.frame)));
    }
    let style = Style { colormap: pictures.colormap, alpha: pictures.alpha, top };
    let picture = clean_overlay(&photograph, shown.map, shown.map_size, &style);
    let blank = RgbImage::new(width, height);
    let alone = clean_overlay(&blank, shown.map, shown.map_size, &Style { alpha: 1.0, ..style });
    let map = RgbImage::from_fn(width, height, |x, y| *alone.get_pixel(x, y));
    Ok((picture, map))
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
) -> Result<()> {
    let mut bytes = Vec::new();
    let shape = [height as u64, width as u64];
    let mut writer =
        npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut bytes).begin_nd()?;
    writer.extend(map)?;
    writer.finish()?;
    write_atomic(&model.tree.map_path(&plan.places[index]), &bytes)?;
    Ok(())
}

/// Reads a map that this run has written.
fn read_map(path: &Path, cells: usize) -> Result<Vec<f32>> {
    let cannot = || format!("cannot read the map {}", path.display());
    let mut bytes = Vec::new();
    let file = BufReader::new(File::open(path).with_context(cannot)?);
    file.take(cells as u64 * 4 + 4096).read_to_end(&mut bytes).with_context(cannot)?;
    let map = npyz::NpyFile::new(&bytes[..]).and_then(npyz::NpyFile::into_vec::<f32>);
    let map = map.with_context(cannot)?;
    if map.len() != cells {
        bail!("{}: it has {} values and not {cells}", cannot(), map.len());
    }
    Ok(map)
}

/// Draws all images of a model, once every map is known.
pub(crate) fn draw_later(plan: &Plan, model: &Model, rows: &mut [Prediction]) {
    let max = |row: &Prediction| {
        let map = &row.explained.as_ref()?.map;
        (map.status == MapStatus::Ok.name()).then_some(map.max)
    };
    let same = |a: &Prediction, b: &Prediction| plan.pictures.norm == Norm::Run || a.fold == b.fold;
    let top = |row: &Prediction| {
        let group = rows.iter().filter(|other| same(row, other));
        group.filter_map(max).fold(0.0, f32::max)
    };
    let mut tops: Vec<(String, f32)> = Vec::new();
    for row in rows.iter() {
        if !tops.iter().any(|(fold, _)| *fold == row.fold) {
            tops.push((row.fold.clone(), top(row)));
        }
    }
    let index_of = |row: &Prediction| plan.images.iter().position(|image| image.path == row.path);
    rows.par_iter_mut().for_each(|row| {
        let top = tops.iter().find(|(fold, _)| *fold == row.fold).map_or(0.0, |(_, top)| *top);
        let drawn = index_of(row).map(|index| draw_row(plan, model, index, row, top));
        match (drawn, &mut row.explained) {
            (Some(Ok([overlay, thumbnail])), Some(explained)) => {
                explained.overlay = overlay;
                explained.thumbnail = thumbnail;
            }
            (Some(Err(error)), explained) => {
                *explained = None;
                row.error = Some(Failure { stage: Stage::Write, reason: format!("{error:#}") });
            }
            _ => {}
        }
    });
}

fn draw_row(
    plan: &Plan,
    model: &Model,
    index: usize,
    row: &Prediction,
    top: f32,
) -> Result<[Option<String>; 2]> {
    let (Some(explained), Some(outcome)) = (&row.explained, row.outcome()) else {
        return Ok([None, None]);
    };
    let statuses =
        [MapStatus::Ok, MapStatus::AllNonpositive, MapStatus::Constant, MapStatus::NonFinite];
    let status = statuses.into_iter().find(|status| status.name() == explained.map.status);
    let map_size = (explained.map.height, explained.map.width);
    let map = read_map(&model.tree.map_path(&plan.places[index]), map_size.0 * map_size.1)?;
    let part =
        model.parts.iter().find(|part| part.fold.as_ref().is_none_or(|fold| *fold == row.fold));
    let part = part.context("the image's fold has no network")?;
    let pixels = decode(&plan.images[index].file, plan.decode)?;
    let frame = fit(&pixels, &part.checkpoint.input, plan.resize);
    let shown = Shown {
        plan,
        model,
        index,
        outcome,
        status: status.unwrap_or(MapStatus::NonFinite),
        map: &map,
        map_size,
        frame: &frame,
    };
    place(&shown, top)
}
