//! Directions of a face, and hulls of points.

use super::raster::Point;

/// The directions of a face, and the distance of its eyes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axes {
    /// From the first eye to the second, of length 1.
    pub(super) right: Point,
    /// Across `right`, to the side of the mouth, of length 1.
    pub(super) down: Point,
    /// From the centre of one eye to that of the other.
    pub(super) eyes: f64,
}

impl Axes {
    /// `None` where the eyes are at one place or endlessly far.
    pub(super) fn new([one, other, mouth]: [Point; 3]) -> Option<Self> {
        let [dx, dy] = [other[0] - one[0], other[1] - one[1]];
        let eyes = dx.hypot(dy);
        let right = [dx / eyes, dy / eyes];
        let between = mean(&[one, other]);
        let below = (mouth[1] - between[1]) * right[0] - (mouth[0] - between[0]) * right[1];
        let sign = if below < 0.0 { -1.0 } else { 1.0 };
        let down = [-right[1] * sign, right[0] * sign];
        (eyes > 0.0 && eyes.is_finite()).then_some(Self { right, down, eyes })
    }

    /// A place moved by distances along `right` and `down`.
    pub(super) fn moved(&self, [x, y]: Point, [right, down]: [f64; 2]) -> Point {
        [
            x + right * self.right[0] + down * self.down[0],
            y + right * self.right[1] + down * self.down[1],
        ]
    }

    /// How far a place is along `right`.
    pub(super) fn along(&self, point: Point) -> f64 {
        point[0] * self.right[0] + point[1] * self.right[1]
    }

    /// How far a place is along `down`.
    pub(super) fn below(&self, point: Point) -> f64 {
        point[0] * self.down[0] + point[1] * self.down[1]
    }

    /// The hull of the points, each replaced by the corners of an octagon of this radius around it.
    pub(super) fn dilated_hull(&self, points: &[Point], radius: f64) -> Vec<Point> {
        let diagonal = radius * std::f64::consts::FRAC_1_SQRT_2;
        let corners = [
            [radius, 0.0],
            [diagonal, diagonal],
            [0.0, radius],
            [-diagonal, diagonal],
            [-radius, 0.0],
            [-diagonal, -diagonal],
            [0.0, -radius],
            [diagonal, -diagonal],
        ];
        let around = |&point: &Point| corners.map(|corner| self.moved(point, corner));
        hull(points.iter().flat_map(around).collect())
    }
}

/// The mean of points; `[NaN, NaN]` of none.
pub(super) fn mean(points: &[Point]) -> Point {
    [0, 1].map(|axis| points.iter().map(|point| point[axis]).sum::<f64>() / points.len() as f64)
}

/// The convex hull of points (Andrew 1979).
pub(super) fn hull(mut points: Vec<Point>) -> Vec<Point> {
    points.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    let half = |points: &mut dyn Iterator<Item = &Point>| {
        let mut chain: Vec<Point> = Vec::new();
        for &point in points {
            while let [.., a, b] = chain[..]
                && (b[0] - a[0]) * (point[1] - a[1]) <= (b[1] - a[1]) * (point[0] - a[0])
            {
                chain.pop();
            }
            chain.push(point);
        }
        chain.pop();
        chain
    };
    let mut all = half(&mut points.iter());
    all.extend(half(&mut points.iter().rev()));
    all
}
