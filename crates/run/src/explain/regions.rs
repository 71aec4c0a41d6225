//! Regions of the faces of a data set: a table of landmarks, or a folder of label maps.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use burncam_imaging::{DecodeOptions, decode_bytes};
use burncam_trust::regions::{Landmarks, RegionName, Regions, read_landmarks, read_region_names};

use super::digests::sha256;
use crate::data::Image;

/// Regions of all faces.
pub(crate) struct FaceRegions {
    source: Source,
    /// SHA-256 of the table, or of all label maps and their names.
    pub digest: String,
}

enum Source {
    Landmarks(BTreeMap<String, Landmarks>),
    LabelMaps { folder: PathBuf, names: Vec<RegionName> },
}

/// The regions of a face.
pub(crate) struct Face {
    /// At the size that was asked for.
    pub regions: Regions,
    /// The eye on the left, that on the right and the mouth, `[x, y]` as shares of the picture; `None` where regions do
    /// not tell.
    pub eyes_and_mouth: Option<[[f64; 2]; 3]>,
}

const NAMES: &str = "regions.json";

/// Bytes of a table and of names at most, as their readers have it.
const LARGEST_TABLE: u64 = 256 << 20;
const LARGEST_NAMES: u64 = 64 << 10;

impl FaceRegions {
    /// Of images: the landmarks of a file, or the label maps of a folder.
    ///
    /// # Errors
    ///
    /// If they cannot be read, or no image has any.
    pub(crate) fn open(path: &Path, images: &[Image]) -> Result<Self> {
        let regions = if path.is_dir() { label_maps(path, images)? } else { landmarks(path)? };
        if !images.iter().any(|image| regions.knows(image)) {
            let first = images.first().map(|image| image.path.as_str()).unwrap_or_default();
            bail!(
                "{} has regions of no image\nhint: images are called as in --data, such as {first}; label maps may end \
                 in .png instead",
                path.display()
            );
        }
        Ok(regions)
    }

    /// The regions of an image of a width and a height, brought to another height and width, if they are known.
    ///
    /// # Errors
    ///
    /// If a label map cannot be read, or landmarks make no face.
    pub(crate) fn read(
        &self,
        image: &Image,
        (width, height): (u32, u32),
        to: [usize; 2],
    ) -> Result<Option<Face>> {
        let from = [height as usize, width as usize];
        match &self.source {
            Source::Landmarks(table) => {
                let Some(landmarks) = entry(table, image) else { return Ok(None) };
                let regions = Regions::from_landmarks(&landmarks.resized(from, to), to);
                let regions =
                    regions.with_context(|| format!("the landmarks of {}", image.path))?;
                let share = |[x, y]: [f64; 2]| {
                    [(x + 0.5) / f64::from(width), (y + 0.5) / f64::from(height)]
                };
                let eyes_and_mouth = Some(landmarks.eyes_and_mouth().map(share));
                Ok(Some(Face { regions, eyes_and_mouth }))
            }
            Source::LabelMaps { folder, names } => {
                let Some(path) = label_map(folder, image) else { return Ok(None) };
                let name = || format!("the label map {}", path.display());
                let options = DecodeOptions::default();
                let bytes = burncam_imaging::read(&path, options).with_context(name)?;
                let pixels = decode_bytes(&path, &bytes, options).with_context(name)?.pixels;
                let labels = nearest(&pixels, to);
                let regions = Regions::from_pixels(&labels, to, names).with_context(name)?;
                let eyes_and_mouth = eyes_and_mouth(&regions);
                Ok(Some(Face { regions, eyes_and_mouth }))
            }
        }
    }

    fn knows(&self, image: &Image) -> bool {
        match &self.source {
            Source::Landmarks(table) => entry(table, image).is_some(),
            Source::LabelMaps { folder, .. } => label_map(folder, image).is_some(),
        }
    }
}

fn landmarks(path: &Path) -> Result<FaceRegions> {
    let name = || format!("the landmarks {}", path.display());
    let bytes = read(path, LARGEST_TABLE).with_context(name)?;
    let table = read_landmarks(bytes.as_slice()).with_context(name)?;
    Ok(FaceRegions { source: Source::Landmarks(table), digest: sha256(&bytes) })
}

fn label_maps(folder: &Path, images: &[Image]) -> Result<FaceRegions> {
    let path = folder.join(NAMES);
    let json = read(&path, LARGEST_NAMES).with_context(|| {
        format!(
            "{}\nhint: it names the values of label maps, as in {{\"brow\": 1, \"eyes\": 2}}",
            path.display()
        )
    })?;
    let text = String::from_utf8_lossy(&json);
    let names = read_region_names(&text).with_context(|| path.display().to_string())?;
    let mut all = sha256(&json);
    for image in images {
        let Some(path) = label_map(folder, image) else { continue };
        let bytes = burncam_imaging::read(&path, DecodeOptions::default())
            .with_context(|| format!("the label map {}", path.display()))?;
        all += &format!("\n{} {}", image.path, sha256(&bytes));
    }
    let source = Source::LabelMaps { folder: folder.to_owned(), names };
    Ok(FaceRegions { source, digest: sha256(all.as_bytes()) })
}

/// A file's bytes, and no more than one above `most`: whoever reads them then says that they are too many.
fn read(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The landmarks of an image, by its path in the data set or by its file's name alone.
fn entry<'a>(table: &'a BTreeMap<String, Landmarks>, image: &Image) -> Option<&'a Landmarks> {
    let name = image.path.rsplit('/').next().unwrap_or_default();
    table.get(&image.path).or_else(|| table.get(name))
}

fn label_map(folder: &Path, image: &Image) -> Option<PathBuf> {
    let own = folder.join(&image.path);
    let png = own.with_extension("png");
    [png, own].into_iter().find(|path| path.is_file())
}

/// Labels of a picture, of each pixel that of the nearest.
fn nearest(pixels: &image::RgbImage, [height, width]: [usize; 2]) -> Vec<u8> {
    let (columns, rows) = pixels.dimensions();
    let nearest = |place: usize, to: usize, from: u32| {
        let centre = (place as f64 + 0.5) / to as f64 * f64::from(from);
        (centre as u32).min(from - 1)
    };
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let label =
        |(x, y)| pixels.get_pixel(nearest(x, width, columns), nearest(y, height, rows)).0[0];
    places.map(label).collect()
}

/// The centres of the eyes and the mouth among regions: of a region for each eye, or of one for both, whose left and
/// right half each have one.
fn eyes_and_mouth(regions: &Regions) -> Option<[[f64; 2]; 3]> {
    let named = |is_one: &dyn Fn(&str) -> bool| -> Vec<usize> {
        let names = regions.names().iter().enumerate();
        names.filter(|(_, name)| is_one(&name.to_lowercase())).map(|(index, _)| index).collect()
    };
    let is_eye = |name: &str| name.contains("eye") && !name.contains("brow");
    let (eyes, mouths) =
        (named(&is_eye), named(&|name| name.contains("mouth") || name.contains("lip")));
    let [height, width] = regions.size();
    let centre = |is_one: &dyn Fn(usize, f64) -> bool| {
        let places = regions.labels().iter().enumerate().map(|(place, &label)| {
            let x = ((place % width) as f64 + 0.5) / width as f64;
            (usize::from(label), x, ((place / width) as f64 + 0.5) / height as f64)
        });
        let own = places.filter(|&(label, x, _)| is_one(label, x));
        let (mut count, mut sums) = (0.0, [0.0; 2]);
        own.for_each(|(_, x, y)| (count, sums) = (count + 1.0, [sums[0] + x, sums[1] + y]));
        (count > 0.0).then(|| sums.map(|sum| sum / count))
    };
    let mut both = match eyes[..] {
        [one] => {
            let middle = centre(&|label, _| label == one)?[0];
            [
                centre(&|label, x| label == one && x < middle)?,
                centre(&|label, x| label == one && x >= middle)?,
            ]
        }
        [one, other] => [centre(&|label, _| label == one)?, centre(&|label, _| label == other)?],
        _ => return None,
    };
    both.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let mouth = centre(&|label, _| mouths.contains(&label))?;
    Some([both[0], both[1], mouth])
}
