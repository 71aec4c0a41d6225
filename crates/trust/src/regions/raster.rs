//! Which pixels are inside a shape.

/// A place, `[x, y]`; whole numbers are centres of pixels.
pub type Point = [f64; 2];

/// A shape on an image.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    /// The last corner is joined to the first.
    Polygon(Vec<Point>),
    /// Around a centre, with half its length along `right` and across it.
    Ellipse { centre: Point, right: Point, half: [f64; 2] },
}

/// The pixels of an image of `size`, height and width, whose centres are inside a polygon by the even-odd rule:
/// a line from the centre to the right crosses its edges an odd number of times. An edge has its upper end, and
/// not its lower one. The result is `[height, width]`.
#[must_use]
pub fn polygon_mask(corners: &[Point], size: [usize; 2]) -> Vec<bool> {
    let mut mask = vec![false; size[0] * size[1]];
    for (y, row) in mask.chunks_exact_mut(size[1].max(1)).enumerate() {
        each_inside(corners, y, row.len(), |x| row[x] = true);
    }
    mask
}

/// Labels of an image of `size`: that of the first of the shapes that a pixel is in, else 0.
pub(super) fn labels(shapes: &[(u8, Shape)], size: [usize; 2]) -> Vec<u8> {
    let mut labels = vec![0; size[0] * size[1]];
    for (label, shape) in shapes.iter().rev() {
        for (y, row) in labels.chunks_exact_mut(size[1].max(1)).enumerate() {
            match shape {
                Shape::Polygon(corners) => each_inside(corners, y, row.len(), |x| row[x] = *label),
                Shape::Ellipse { centre, right, half } => {
                    let inside = |x: usize| {
                        let [dx, dy] = [x as f64 - centre[0], y as f64 - centre[1]];
                        let along = (dx * right[0] + dy * right[1]) / half[0];
                        let across = (dy * right[0] - dx * right[1]) / half[1];
                        along * along + across * across <= 1.0
                    };
                    (0..row.len()).filter(|&x| inside(x)).for_each(|x| row[x] = *label);
                }
            }
        }
    }
    labels
}

/// Calls `paint` for the places of a row of `width` pixels that are inside a polygon.
fn each_inside(corners: &[Point], y: usize, width: usize, mut paint: impl FnMut(usize)) {
    let y = y as f64;
    let edges = corners.iter().zip(corners.iter().cycle().skip(1));
    let mut crossings: Vec<f64> = edges
        .filter(|(from, to)| (from[1] > y) != (to[1] > y))
        .map(|(from, to)| (to[0] - from[0]) * (y - from[1]) / (to[1] - from[1]) + from[0])
        .collect();
    crossings.sort_by(f64::total_cmp);
    for pair in crossings.chunks_exact(2) {
        let start = pair[0].ceil().max(0.0) as usize;
        let end = (pair[1].ceil().max(0.0) as usize).min(width);
        (start..end).for_each(&mut paint);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn centres_decide() {
        let square = [[0.5, 0.5], [2.5, 0.5], [2.5, 2.5], [0.5, 2.5]];
        let mask = polygon_mask(&square, [4, 4]);
        let inside: Vec<usize> = (0..16).filter(|&place| mask[place]).collect();
        assert_eq!(inside, [5, 6, 9, 10]);
        assert!(polygon_mask(&square, [0, 4]).is_empty());
        assert!(polygon_mask(&square, [4, 0]).is_empty());
        assert_eq!(polygon_mask(&[], [1, 1]), [false]);
    }

    #[test]
    fn a_star_is_empty_in_its_middle() {
        let corner = |i: usize| {
            let angle = std::f64::consts::TAU * (2 * i) as f64 / 5.0;
            [10.0 + 9.0 * angle.sin(), 10.0 - 9.0 * angle.cos()]
        };
        let corners: Vec<Point> = (0..5).map(corner).collect();
        let mask = polygon_mask(&corners, [21, 21]);
        assert!(!mask[10 * 21 + 10] && mask[4 * 21 + 10]);
    }

    #[test]
    fn the_first_shape_wins() {
        let square =
            |end: f64| Shape::Polygon(vec![[-1.0, -1.0], [end, -1.0], [end, 9.0], [-1.0, 9.0]]);
        let round = Shape::Ellipse { centre: [3.0, 0.0], right: [1.0, 0.0], half: [1.0, 1.0] };
        assert_eq!(
            labels(&[(2, square(1.5)), (1, square(3.5)), (3, round)], [1, 6]),
            [2, 2, 1, 1, 3, 0]
        );
    }
}
