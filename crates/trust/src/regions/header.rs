//! Which landmarks the columns of a table are, by its header.

use csv::StringRecord;

use super::RegionsError;
use super::error::quoted;
use super::face_plus_plus::FACE_PLUS_PLUS;
use super::landmarks::Scheme;

/// Names of the 5 points in their order.
const FIVE: [&str; 5] = ["left_eye", "right_eye", "nose", "left_mouth", "right_mouth"];

/// What headers may be.
const ACCEPTED: &str = "the first column names the image, and the others are all of: x0,y0,…,x67,y67 or \
                        x1,y1,…,x68,y68 or p1_x,p1_y,… or x_0,…,x_67,y_0,…,y_67 for iBUG's 68 points; contour_chin_x,\
                        contour_chin_y,… or contour_chin.x,… for Face++'s 106 points; left_eye_x,left_eye_y,\
                        right_eye_x,…,nose_x,…,left_mouth_x,…,right_mouth_x,… or x0,y0,…,x4,y4 for 5 points";

/// Columns that an error shows.
const SHOWN: usize = 8;

/// The scheme of a table, and the columns of each of its points: that of x and that of y.
pub(super) struct Header {
    pub(super) scheme: Scheme,
    pub(super) columns: Vec<[usize; 2]>,
}

/// What a heading says of its column: the point, and 0 for x or 1 for y.
#[derive(PartialEq, Eq)]
enum Heading<'a> {
    Numbered(usize, usize),
    Named(&'a str, usize),
}

impl<'a> Heading<'a> {
    /// Of `x0`, `x_0`, `p1_x`, `p1.x`, `nose_tip_x` or `nose_tip.x`.
    fn read(heading: &'a str) -> Option<Self> {
        let axis = |text: &str| ["x", "y"].iter().position(|&axis| axis == text);
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|_| digits)
        };
        if let Some((first, rest)) = heading.split_at_checked(1)
            && let Some(axis) = axis(first)
            && let Some(number) = number(rest.strip_prefix('_').unwrap_or(rest))
        {
            return Some(Self::Numbered(number, axis));
        }
        let (name, last) = heading.rsplit_once(['_', '.'])?;
        let axis = axis(last)?;
        match name.strip_prefix('p').and_then(number) {
            Some(number) => Some(Self::Numbered(number, axis)),
            None => Some(Self::Named(name, axis)),
        }
    }
}

impl Header {
    /// Reads the first row.
    pub(super) fn read(row: &StringRecord) -> Result<Self, RegionsError> {
        if row.get(0).is_some_and(|first| Heading::read(first).is_some()) {
            return Err(wrong(row, "the first column is a coordinate, and not the image's name"));
        }
        let headings: Option<Vec<Heading<'_>>> = row.iter().skip(1).map(Heading::read).collect();
        let Some(headings) = headings.filter(|headings| !headings.is_empty()) else {
            let strange = row.iter().skip(1).find(|heading| Heading::read(heading).is_none());
            let strange = strange.map_or("there are no coordinates".to_owned(), |heading| {
                format!("{} is no coordinate of a landmark", quoted(heading))
            });
            return Err(wrong(row, &strange));
        };
        let names = headings.iter().filter(|heading| matches!(heading, Heading::Named(..)));
        let table = match names.count() {
            0 => numbered(&headings),
            all if all == headings.len() => named(&headings),
            _ => Err("some points have numbers and some have names".to_owned()),
        };
        table.map_err(|what| wrong(row, &what))
    }
}

/// Points with numbers from 0 or from 1.
fn numbered(headings: &[Heading<'_>]) -> Result<Header, String> {
    let numbers = headings.iter().filter_map(|heading| match heading {
        Heading::Numbered(number, _) => Some(*number),
        Heading::Named(..) => None,
    });
    let first = numbers.min().unwrap_or_default();
    if first > 1 {
        return Err(format!("the first point has the number {first}, and not 0 or 1"));
    }
    let scheme = match headings.len() {
        10 => Scheme::Five,
        136 => Scheme::Ibug68,
        212 => {
            return Err("106 points have numbers, whose order differs between programs; name the columns as Face++ \
                        names its points"
                .to_owned());
        }
        many => return Err(format!("{many} coordinates are those of no scheme")),
    };
    let keys = (0..scheme.points())
        .map(|point| [0, 1].map(|axis| vec![Heading::Numbered(point.saturating_add(first), axis)]));
    let columns = columns(headings, keys)?;
    Ok(Header { scheme, columns })
}

/// Points with the names of a scheme.
fn named(headings: &[Heading<'_>]) -> Result<Header, String> {
    let (scheme, names) = match headings.len() {
        10 => (Scheme::Five, FIVE.as_slice()),
        212 => (Scheme::FacePlusPlus106, FACE_PLUS_PLUS.as_slice()),
        many => return Err(format!("{many} coordinates with names are those of no scheme")),
    };
    let keys = names.iter().map(|&name| {
        [0, 1].map(|axis| {
            let other = match name {
                "left_mouth" => "mouth_left",
                "right_mouth" => "mouth_right",
                name => name,
            };
            vec![Heading::Named(name, axis), Heading::Named(other, axis)]
        })
    });
    let columns = columns(headings, keys)?;
    Ok(Header { scheme, columns })
}

/// The columns of points that may be called one thing or another. As many headings as keys, and one for each key, are
/// all headings.
fn columns<'a>(
    headings: &[Heading<'_>],
    keys: impl Iterator<Item = [Vec<Heading<'a>>; 2]>,
) -> Result<Vec<[usize; 2]>, String> {
    let column = |keys: &[Heading<'_>]| {
        let column = headings.iter().position(|heading| keys.contains(heading));
        column.map(|column| column.saturating_add(1)).ok_or_else(|| match keys.first() {
            Some(Heading::Named(name, axis)) => format!("{name}_{} is missing", ["x", "y"][*axis]),
            Some(Heading::Numbered(number, axis)) => {
                format!("{} of point {number} is missing", ["x", "y"][*axis])
            }
            None => "a point is missing".to_owned(),
        })
    };
    keys.map(|[x, y]| Ok([column(&x)?, column(&y)?])).collect()
}

fn wrong(row: &StringRecord, what: &str) -> RegionsError {
    let mut columns: Vec<String> = row.iter().take(SHOWN).map(quoted).collect();
    if row.len() > SHOWN {
        columns.push(format!("… ({} columns)", row.len()));
    }
    RegionsError::new(format!(
        "cannot tell which landmarks the table has: {what}\nits columns are {}\nhint: {ACCEPTED}",
        columns.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scheme(headings: &[String]) -> Result<Scheme, String> {
        let header = Header::read(&StringRecord::from(headings.to_vec()));
        header.map(|header| header.scheme).map_err(|error| error.to_string())
    }

    fn with_image(coordinates: impl Iterator<Item = String>) -> Vec<String> {
        std::iter::once("image".to_owned()).chain(coordinates).collect()
    }

    #[test]
    fn schemes_are_told_by_their_columns() {
        let pair = |x: String, y: String| [x, y];
        let from_zero = (0..68).flat_map(|i| pair(format!("x{i}"), format!("y{i}")));
        let from_one = (1..=68).flat_map(|i| pair(format!("x{i}"), format!("y{i}")));
        let p = (1..=68).flat_map(|i| pair(format!("p{i}_x"), format!("p{i}_y")));
        let open_face =
            ["x", "y"].into_iter().flat_map(|axis| (0..68).map(move |i| format!("{axis}_{i}")));
        for headings in
            [with_image(from_zero), with_image(from_one), with_image(p), with_image(open_face)]
        {
            assert_eq!(scheme(&headings), Ok(Scheme::Ibug68), "{headings:?}");
        }
        for between in ['_', '.'] {
            let named = |names: &[&str]| {
                let both = |name: &&str| [format!("{name}{between}x"), format!("{name}{between}y")];
                with_image(names.iter().flat_map(both).collect::<Vec<_>>().into_iter())
            };
            assert_eq!(scheme(&named(&FACE_PLUS_PLUS)), Ok(Scheme::FacePlusPlus106));
            assert_eq!(scheme(&named(&FIVE)), Ok(Scheme::Five));
            let mouth = ["nose", "mouth_right", "left_eye", "mouth_left", "right_eye"];
            assert_eq!(scheme(&named(&mouth)), Ok(Scheme::Five));
        }
    }

    #[test]
    fn other_headers_are_errors() {
        let five = |first: usize| {
            with_image((first..first + 5).flat_map(|i| [format!("x{i}"), format!("y{i}")]))
        };
        let without_image = five(0).split_off(1);
        let mut twice = five(0);
        twice[3] = "x0".to_owned();
        let mut mixed = five(0);
        mixed[3] = "nose_x".to_owned();
        let many = with_image((0..106).flat_map(|i| [format!("x{i}"), format!("y{i}")]));
        let words = |words: &str| words.split(',').map(str::to_owned).collect::<Vec<_>>();
        for (headings, part) in [
            (without_image, "the first column is a coordinate"),
            (five(2), "has the number 2"),
            (twice, "x of point 1 is missing"),
            (mixed, "some points have numbers"),
            (many, "order differs between programs"),
            (words("image"), "no coordinates"),
            (words("image,class"), "\"class\" is no coordinate"),
            (words("image,x0,y0"), "2 coordinates are those of no scheme"),
            (words("é,éx,ñ_x"), "\"éx\" is no coordinate"),
        ] {
            let error = scheme(&headings).expect_err("no header");
            assert!(error.contains(part) && error.contains("hint: the first column"), "{error}");
        }
    }
}
