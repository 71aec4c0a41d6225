//! Regions of a face from its landmarks.

use super::RegionsError;
use super::geometry::{Axes, hull, mean};
use super::landmarks::{Landmarks, Scheme};
use super::names::BACKGROUND;
use super::raster::{Point, Shape};

/// Regions of 68 and of 106 points. Of regions that overlap, the first has the pixel.
///
/// Lengths are shares of the distance between the centres of the eyes, and directions are the face's own: *right* from
/// the eye on the left to that on the right, *down* across it. A hull that is *dilated* is that of octagons around its
/// points. Indices are from 0, of iBUG's 68 points; Face++'s points are given by name.
///
/// - `eyes`: the hull of each eye's outline (36..=41 and 42..=47; the eight points around the eye), dilated by 0.08.
/// - `mouth`: the outer edge of the lips (48..=59; both corners, `mouth_upper_lip_…` `left_contour2`, `left_contour1`,
///   `top`, `right_contour1`, `right_contour2`, `mouth_lower_lip_…` `right_contour2`, `right_contour3`, `bottom`,
///   `left_contour3`, `left_contour2`).
/// - `nose`: the bridge's upper end and the nostrils' edge (27, 31..=35; `nose_bridge1`, both `nose_…_contour1` to 5,
///   `nose_middle_contour`).
/// - `brow`: the hull of both eyebrows (17..=26; all `…_eyebrow_…`), with what is between them, dilated by 0.12.
/// - `nasolabial`: on each side from the nose's wing (31, 35; `nose_…_contour3`) and the mouth's corner outwards by 0.2.
/// - `chin`: the outline of the face (5..=11; `contour_…11` to `contour_chin`) and the lower lip.
/// - `cheeks`: on each side the outline of the face (0..=5; `contour_…1` to 11), the mouth's corner, the nose's wing and
///   the eye's inner and outer corner.
/// - `forehead`: from the upper edge of the eyebrows up by 2.5 times the distance, along *down*, from the eyebrows'
///   mean to the eyes' centres; not wider than the outline's ends (0 and 16; both `contour_…1`).
/// - `face`: the rest of the hull of all points and of the forehead.
pub const FACE_REGIONS: [&str; 10] = [
    BACKGROUND,
    "eyes",
    "mouth",
    "nose",
    "brow",
    "nasolabial",
    "chin",
    "cheeks",
    "forehead",
    "face",
];

/// Regions of 5 points, ellipses along the face's own directions. Of regions that overlap, the first has the pixel.
///
/// Lengths are shares of the distance of the eyes; half axes are along *right* and *down*, as of [`FACE_REGIONS`].
///
/// - `eyes`: around each eye, half axes 0.3 and 0.18.
/// - `mouth`: around the middle of its corners, 0.45 and 0.28.
/// - `nose`: around the place 0.15 above the point, 0.25 and 0.4.
/// - `face`: the rest of the ellipse around the middle between the eyes' and the mouth's centre, 1.1 and 1.35.
pub const FIVE_REGIONS: [&str; 5] = [BACKGROUND, "eyes", "mouth", "nose", "face"];

const EYES_MARGIN: f64 = 0.08;
const BROW_MARGIN: f64 = 0.12;
const FOLD_WIDTH: f64 = 0.2;
const FOREHEAD_HEIGHT: f64 = 2.5;

/// Places of a scheme of many points, in `[left, right]`, as one sees them.
struct Indices {
    /// From one ear past the chin to the other.
    outline: Vec<usize>,
    /// The place in `outline` where the cheek on the left ends, and the chin begins.
    chin: usize,
    brows: [Vec<usize>; 2],
    /// The upper edge of both eyebrows, from left to right.
    upper_brows: Vec<usize>,
    eyes: [Vec<usize>; 2],
    /// The inner and the outer corner of each eye.
    corners: [[usize; 2]; 2],
    nose: Vec<usize>,
    wings: [usize; 2],
    /// From the left corner over the upper lip to the right one, and back over the lower lip.
    mouth: Vec<usize>,
    /// The place in `mouth` of its right corner.
    mouth_right: usize,
}

impl Indices {
    fn new(scheme: Scheme) -> Option<Self> {
        let list = |range: std::ops::Range<usize>| range.collect::<Vec<usize>>();
        match scheme {
            Scheme::Five => None,
            Scheme::Ibug68 => Some(Self {
                outline: list(0..17),
                chin: 5,
                brows: [list(17..22), list(22..27)],
                upper_brows: list(17..27),
                eyes: [list(36..42), list(42..48)],
                corners: [[39, 36], [42, 45]],
                nose: [vec![27], list(31..36)].concat(),
                wings: [31, 35],
                mouth: list(48..60),
                mouth_right: 6,
            }),
            Scheme::FacePlusPlus106 => Some(Self {
                outline: list(0..33),
                chin: 10,
                brows: [list(33..42), list(42..51)],
                upper_brows: [list(33..38), list(42..47)].concat(),
                eyes: [list(66..74), list(76..84)],
                corners: [[70, 66], [76, 80]],
                nose: list(51..63),
                wings: [54, 60],
                mouth: list(86..98),
                mouth_right: 6,
            }),
        }
    }
}

/// The names of a scheme's regions.
pub(super) fn names(scheme: Scheme) -> &'static [&'static str] {
    match scheme {
        Scheme::Five => &FIVE_REGIONS,
        Scheme::Ibug68 | Scheme::FacePlusPlus106 => &FACE_REGIONS,
    }
}

/// The centres of the scheme's first eye, its second and the mouth.
pub(super) fn eyes_and_mouth(landmarks: &Landmarks) -> [Point; 3] {
    let points = landmarks.points();
    match Indices::new(landmarks.scheme()) {
        Some(Indices { eyes, mouth, .. }) => {
            [&eyes[0], &eyes[1], &mouth].map(|indices| mean(&selected(points, indices)))
        }
        None => [points[0], points[1], mean(&points[3..5])],
    }
}

/// The shapes of the regions with their labels, in the order of the scheme's names.
pub(super) fn shapes(landmarks: &Landmarks) -> Result<Vec<(u8, Shape)>, RegionsError> {
    let centres = eyes_and_mouth(landmarks);
    let Some(axes) = Axes::new(centres) else {
        return Err(RegionsError::new(
            "both eyes of the landmarks are at one place, or too far from each other; leave the image out of the table",
        ));
    };
    Ok(match Indices::new(landmarks.scheme()) {
        Some(indices) => polygons(landmarks.points(), &indices, centres, &axes),
        None => ellipses(landmarks.points(), centres, &axes),
    })
}

fn selected(points: &[Point], indices: &[usize]) -> Vec<Point> {
    indices.iter().map(|&index| points[index]).collect()
}

fn ellipses(points: &[Point], [left, right, mouth]: [Point; 3], axes: &Axes) -> Vec<(u8, Shape)> {
    let ellipse = |centre: Point, half: [f64; 2]| Shape::Ellipse {
        centre,
        right: axes.right,
        half: half.map(|length| length * axes.eyes),
    };
    let nose = axes.moved(points[2], [0.0, -0.15 * axes.eyes]);
    vec![
        (1, ellipse(left, [0.3, 0.18])),
        (1, ellipse(right, [0.3, 0.18])),
        (2, ellipse(mouth, [0.45, 0.28])),
        (3, ellipse(nose, [0.25, 0.4])),
        (4, ellipse(mean(&[mean(&[left, right]), mouth]), [1.1, 1.35])),
    ]
}

fn polygons(
    points: &[Point],
    indices: &Indices,
    [left, right, _]: [Point; 3],
    axes: &Axes,
) -> Vec<(u8, Shape)> {
    let chosen = |indices: &[usize]| selected(points, indices);
    let [outline, mouth] = [&indices.outline, &indices.mouth].map(|list| chosen(list));
    let brows = chosen(&indices.brows.concat());
    let eye =
        |side: usize| axes.dilated_hull(&chosen(&indices.eyes[side]), EYES_MARGIN * axes.eyes);
    let corners = [mouth[0], mouth[indices.mouth_right]];
    let wings = indices.wings.map(|index| points[index]);
    let fold = |side: usize| {
        let outwards = [[-FOLD_WIDTH, FOLD_WIDTH][side] * axes.eyes, 0.0];
        let [wing, corner] = [wings[side], corners[side]];
        vec![wing, axes.moved(wing, outwards), axes.moved(corner, outwards), corner]
    };
    let mut chin = outline[indices.chin..outline.len() - indices.chin].to_vec();
    chin.extend(&mouth[indices.mouth_right..]);
    chin.push(corners[0]);
    let cheek = |side: usize| {
        let mut cheek: Vec<Point> = match side {
            0 => outline[..=indices.chin].to_vec(),
            _ => outline[outline.len() - 1 - indices.chin..].iter().rev().copied().collect(),
        };
        cheek.extend([corners[side], wings[side]]);
        cheek.extend(indices.corners[side].map(|index| points[index]));
        cheek
    };
    let forehead = forehead(&chosen(&indices.upper_brows), &brows, [left, right], &outline, axes);
    let face = hull(points.iter().chain(&forehead).copied().collect());
    let all = [
        (1, eye(0)),
        (1, eye(1)),
        (2, mouth.clone()),
        (3, chosen(&indices.nose)),
        (4, axes.dilated_hull(&brows, BROW_MARGIN * axes.eyes)),
        (5, fold(0)),
        (5, fold(1)),
        (6, chin),
        (7, cheek(0)),
        (7, cheek(1)),
        (8, forehead),
        (9, face),
    ];
    all.map(|(label, corners)| (label, Shape::Polygon(corners))).into()
}

/// The upper edge of the eyebrows, and the same farther up, from right to left, within the outline's ends.
fn forehead(
    upper: &[Point],
    brows: &[Point],
    eyes: [Point; 2],
    outline: &[Point],
    axes: &Axes,
) -> Vec<Point> {
    let height = FOREHEAD_HEIGHT * (axes.below(mean(&eyes)) - axes.below(mean(brows))).max(0.0);
    let ends = [outline[0], outline[outline.len() - 1]].map(|end| axes.along(end));
    let [least, most] = [ends[0].min(ends[1]), ends[0].max(ends[1])];
    let clipped = |&point: &Point, up: f64| {
        let along = axes.along(point);
        axes.moved(point, [along.max(least).min(most) - along, -up])
    };
    let lower = upper.iter().map(|point| clipped(point, 0.0));
    lower.chain(upper.iter().rev().map(|point| clipped(point, height))).collect()
}
