//! Maps of many images on one face.

use super::landmarks::Landmarks;
use super::raster::Point;

/// Height and width of the mean face.
pub const MEAN_SIZE: [usize; 2] = [112, 112];

/// Where the left eye, the right eye and the mouth of the mean face are, as shares of its width and height.
pub const MEAN_EYES_AND_MOUTH: [Point; 3] = [[0.32, 0.38], [0.68, 0.38], [0.5, 0.74]];

/// A change of scale, a rotation and a shift, without reflection: `[x, y]` becomes `scale` times `[x cos - y sin,
/// x sin + y cos]` of `rotation`, and then `shift` is added.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Similarity {
    /// Above 0.
    pub scale: f64,
    /// In radians, from x to y: clockwise as one sees it.
    pub rotation: f64,
    /// Along x and y.
    pub shift: Point,
}

impl Similarity {
    /// That brings `from` closest to `to`: the least sum of squared distances (Umeyama 1991, without reflection).
    /// `None` where all places of either are one, or a number is not finite.
    #[must_use]
    pub fn fit(from: &[Point; 3], to: &[Point; 3]) -> Option<Self> {
        let mean = |points: &[Point; 3], axis: usize| {
            points.iter().map(|point| point[axis]).sum::<f64>() / points.len() as f64
        };
        let centre = |points: &[Point; 3]| [mean(points, 0), mean(points, 1)];
        let [a, b] = [centre(from), centre(to)];
        let (mut along, mut across, mut squares) = (0.0, 0.0, 0.0);
        for (p, q) in from.iter().zip(to) {
            let [p, q] = [[p[0] - a[0], p[1] - a[1]], [q[0] - b[0], q[1] - b[1]]];
            along += p[0] * q[0] + p[1] * q[1];
            across += p[0] * q[1] - p[1] * q[0];
            squares += p[0] * p[0] + p[1] * p[1];
        }
        let turned = Self {
            scale: along.hypot(across) / squares,
            rotation: across.atan2(along),
            shift: [0.0; 2],
        };
        let [x, y] = turned.apply(a);
        let shift = [b[0] - x, b[1] - y];
        let finite = [turned.scale, turned.rotation, shift[0], shift[1]]
            .iter()
            .all(|value| value.is_finite());
        (finite && turned.scale > 0.0).then_some(Self { shift, ..turned })
    }

    /// From an image to the mean face of `size`, height and width, by the eyes and the mouth: see
    /// [`MEAN_EYES_AND_MOUTH`]. `None` where they are at one place.
    #[must_use]
    pub fn to_mean_face(landmarks: &Landmarks, size: [usize; 2]) -> Option<Self> {
        let [height, width] = size.map(|side| side as f64);
        let to = MEAN_EYES_AND_MOUTH.map(|[x, y]| [x * width - 0.5, y * height - 0.5]);
        Self::fit(&landmarks.eyes_and_mouth(), &to)
    }

    /// Where a place goes.
    #[must_use]
    pub fn apply(&self, [x, y]: Point) -> Point {
        let (sin, cos) = self.rotation.sin_cos();
        [
            self.scale * (x * cos - y * sin) + self.shift[0],
            self.scale * (x * sin + y * cos) + self.shift[1],
        ]
    }

    /// Where a place comes from.
    #[must_use]
    pub fn invert(&self, [x, y]: Point) -> Point {
        let (sin, cos) = self.rotation.sin_cos();
        let [x, y] = [(x - self.shift[0]) / self.scale, (y - self.shift[1]) / self.scale];
        [x * cos + y * sin, y * cos - x * sin]
    }
}

/// A map on the mean face.
#[derive(Clone, Debug, PartialEq)]
pub struct Warped {
    /// `[height, width]`, row by row; 0 where the image has no pixel.
    pub values: Vec<f32>,
    /// Where the image has pixels: `[height, width]`.
    pub valid: Vec<bool>,
    /// Height and width.
    pub size: [usize; 2],
}

/// A map, `[height, width]` of `size`, brought to another frame: each pixel of the target is interpolated linearly
/// between the four pixels around the place that it comes from. Places beyond the outermost centres of pixels are
/// outside.
///
/// # Panics
///
/// If the map does not have its size.
#[must_use]
pub fn warp(map: &[f32], size: [usize; 2], similarity: &Similarity, target: [usize; 2]) -> Warped {
    assert_eq!(map.len(), size[0] * size[1], "the map must have its size");
    let places = (0..target[0]).flat_map(|y| (0..target[1]).map(move |x| [x as f64, y as f64]));
    let pixels = places.map(|place| interpolated(map, size, similarity.invert(place)));
    let (values, valid) = pixels.map(|value| (value.unwrap_or_default(), value.is_some())).unzip();
    Warped { values, valid, size: target }
}

/// The value of a map between its pixels, if the place is inside.
fn interpolated(map: &[f32], [height, width]: [usize; 2], [x, y]: Point) -> Option<f32> {
    // A map that stays where it is must not lose its edge to rounding.
    let inside = |at: f64, side: usize| {
        let last = side.checked_sub(1)? as f64;
        (at >= -1e-9 && at <= last + 1e-9).then(|| at.clamp(0.0, last))
    };
    let (x, y) = (inside(x, width)?, inside(y, height)?);
    let (left, top) = (x.floor(), y.floor());
    let [dx, dy] = [x - left, y - top];
    let (left, top) = (left as usize, top as usize);
    let (right, bottom) = ((left + 1).min(width - 1), (top + 1).min(height - 1));
    let at = |y: usize, x: usize| f64::from(map[y * width + x]);
    let above = at(top, left) * (1.0 - dx) + at(top, right) * dx;
    let below = at(bottom, left) * (1.0 - dx) + at(bottom, right) * dx;
    Some((above * (1.0 - dy) + below * dy) as f32)
}
