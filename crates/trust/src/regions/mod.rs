//! Where on the face a map lies.
//!
//! [`Regions`] says for every pixel of an image which region it is in: from a label map, or from [`Landmarks`].
//! [`region_shares`] is what a map has in each region, [`Similarity`] brings maps of many images to one face, and
//! [`MeanFace`] is their mean.
//!
//! Places are `[x, y]`, and whole numbers are centres of pixels: `[0, 0]` is the centre of the first pixel.

mod alignment;
mod error;
mod face_plus_plus;
mod geometry;
mod header;
mod landmarks;
mod mean_face;
mod names;
mod outline;
mod raster;
mod shares;

pub use alignment::{MEAN_EYES_AND_MOUTH, MEAN_SIZE, Similarity, Warped, warp};
pub use error::RegionsError;
pub use landmarks::{Landmarks, Scheme, read_landmarks};
pub use mean_face::MeanFace;
pub use names::{BACKGROUND, RegionName, read_region_names};
pub use outline::{FACE_REGIONS, FIVE_REGIONS};
pub use raster::{Point, polygon_mask};
pub use shares::{RegionShare, peak_region, region_shares, top_regions_agreement};

/// Pixels that an image may have.
const MOST_PIXELS: usize = 1 << 28;

/// Which region each pixel of an image is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regions {
    labels: Vec<u8>,
    names: Vec<String>,
    size: [usize; 2],
}

impl Regions {
    /// Regions of a label map, `[height, width]` of `size`, row by row; `names` as [`read_region_names`] gives them.
    /// 0 is the background unless `names` calls it something else.
    ///
    /// # Errors
    ///
    /// If the map does not have its size, or a pixel has a value without a name.
    pub fn from_pixels(
        pixels: &[u8],
        size: [usize; 2],
        names: &[RegionName],
    ) -> Result<Self, RegionsError> {
        if pixels.len() != area(size)? {
            return Err(RegionsError::new(format!(
                "the label map has {} values, and an image of {} x {} has {} pixels; give one byte a pixel, in a \
                 greyscale picture",
                pixels.len(),
                size[1],
                size[0],
                size[0] * size[1]
            )));
        }
        let mut index = [None; 256];
        let mut all = vec![BACKGROUND.to_owned()];
        index[0] = Some(0);
        for RegionName { value, name } in names {
            match (value, u8::try_from(all.len())) {
                (0, _) => all[0].clone_from(name),
                (_, Ok(next)) if index[usize::from(*value)].is_none() => {
                    index[usize::from(*value)] = Some(next);
                    all.push(name.clone());
                }
                _ => return Err(RegionsError::new(format!("the value {value} has two names"))),
            }
        }
        let labels: Option<Vec<u8>> =
            pixels.iter().map(|&value| index[usize::from(value)]).collect();
        match labels {
            Some(labels) => Ok(Self { labels, names: all, size }),
            None => Err(nameless(pixels, |value| index[usize::from(value)].is_some())),
        }
    }

    /// Regions of an image's landmarks, for an image of `size`, height and width: [`FACE_REGIONS`] of 68 and of 106
    /// points, [`FIVE_REGIONS`] of 5.
    ///
    /// # Errors
    ///
    /// If both eyes are at one place, or the image is too large.
    pub fn from_landmarks(landmarks: &Landmarks, size: [usize; 2]) -> Result<Self, RegionsError> {
        area(size)?;
        let shapes = outline::shapes(landmarks)?;
        let names = outline::names(landmarks.scheme());
        let labels = raster::labels(&shapes, size);
        Ok(Self { labels, names: names.iter().map(|&name| name.to_owned()).collect(), size })
    }

    /// `[height, width]`, row by row: places in [`names`](Self::names).
    #[must_use]
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// The regions' names, the background first.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Height and width.
    #[must_use]
    pub fn size(&self) -> [usize; 2] {
        self.size
    }

    /// The pixels of a region, `[height, width]`; `None` if there is no region of this name.
    #[must_use]
    pub fn mask(&self, name: &str) -> Option<Vec<bool>> {
        let place = self.names.iter().position(|known| known == name)?;
        Some(self.labels.iter().map(|&label| usize::from(label) == place).collect())
    }
}

/// Pixels of an image of a height and a width.
fn area([height, width]: [usize; 2]) -> Result<usize, RegionsError> {
    height.checked_mul(width).filter(|&pixels| pixels <= MOST_PIXELS).ok_or_else(|| {
        RegionsError::new(format!(
            "an image of {width} x {height} pixels is too large: {MOST_PIXELS} pixels are the most; make it smaller"
        ))
    })
}

/// Which values of a label map have no name.
fn nameless(pixels: &[u8], named: impl Fn(u8) -> bool) -> RegionsError {
    let mut counts = [0_usize; 256];
    pixels.iter().for_each(|&value| counts[usize::from(value)] += 1);
    let values = (0..=u8::MAX).zip(counts).filter(|&(value, count)| count > 0 && !named(value));
    let values: Vec<String> =
        values.take(5).map(|(value, count)| format!("{value} ({count} pixels)")).collect();
    RegionsError::new(format!(
        "the label map has values without a name in regions.json: {}; add a name for each, and save the map without \
         smoothing its edges",
        values.join(", ")
    ))
}
