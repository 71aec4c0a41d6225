//! Landmarks of faces, and tables of them.

use std::collections::BTreeMap;
use std::io::{BufRead, Error, ErrorKind, Read};

use csv::StringRecord;

use super::error::quoted;
use super::header::Header;
use super::raster::Point;
use super::{RegionsError, outline};

/// Rows of a table at most.
const MOST_ROWS: usize = 1_000_000;

/// Bytes of a line at most.
const LONGEST_LINE: usize = 64 << 10;

/// Bytes of a table at most.
const LARGEST: u64 = 256 << 20;

/// Which places of a face the landmarks are. Left and right are as one sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// The left eye, the right eye, the nose, and the left and the right corner of the mouth.
    Five,
    /// iBUG's 68 points (Sagonas et al. 2013), as dlib and OpenFace give them.
    Ibug68,
    /// Face++'s 106 points, by their names.
    FacePlusPlus106,
}

impl Scheme {
    /// How many points there are.
    #[must_use]
    pub const fn points(self) -> usize {
        match self {
            Self::Five => 5,
            Self::Ibug68 => 68,
            Self::FacePlusPlus106 => 106,
        }
    }
}

/// The landmarks of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Landmarks {
    scheme: Scheme,
    points: Vec<Point>,
}

impl Landmarks {
    /// Points `[x, y]` in the order of their scheme.
    ///
    /// # Errors
    ///
    /// If there are more or fewer points than the scheme has, or one is NaN or infinite.
    pub fn new(scheme: Scheme, points: Vec<Point>) -> Result<Self, RegionsError> {
        if points.len() != scheme.points() {
            return Err(RegionsError::new(format!(
                "there are {} landmarks, and {} are needed",
                points.len(),
                scheme.points()
            )));
        }
        match points.iter().position(|point| !point.iter().all(|value| value.is_finite())) {
            Some(point) => Err(RegionsError::new(format!(
                "landmark {point}, counted from 0, is NaN or infinite; leave the image out of the table"
            ))),
            None => Ok(Self { scheme, points }),
        }
    }

    /// What the points are.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The points, `[x, y]`.
    #[must_use]
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The landmarks of the image brought from one size, height and width, to another.
    #[must_use]
    pub fn resized(&self, from: [usize; 2], to: [usize; 2]) -> Self {
        let [down, across] = [0, 1].map(|side| to[side] as f64 / from[side].max(1) as f64);
        let place = |&[x, y]: &Point| [(x + 0.5) * across - 0.5, (y + 0.5) * down - 0.5];
        Self { scheme: self.scheme, points: self.points.iter().map(place).collect() }
    }

    /// The centres of the eye on the left, of the eye on the right and of the mouth, as one sees them on an upright
    /// face: the mean of each eye's points and of the points around the mouth. Schemes that call the eyes as the
    /// subject does are told by the side on which the mouth is.
    #[must_use]
    pub fn eyes_and_mouth(&self) -> [Point; 3] {
        let [one, other, mouth] = outline::eyes_and_mouth(self);
        let [right, down] = [0, 1].map(|axis| [other[axis] - one[axis], mouth[axis] - one[axis]]);
        match right[0] * down[1] - right[1] * down[0] < 0.0 {
            true => [other, one, mouth],
            false => [one, other, mouth],
        }
    }
}

/// Reads a table of landmarks, `landmarks.csv`: a row an image, its cells separated by commas, semicolons or tabs. The
/// header says which scheme it is, and the first column names the image.
///
/// # Errors
///
/// If the header is of no known scheme, a row has an empty cell, a cell that is no finite number or too few or too
/// many cells, an image is there twice, or the table is too large. Errors name the row, from 1 with the header and
/// without empty lines.
pub fn read_landmarks(table: impl BufRead) -> Result<BTreeMap<String, Landmarks>, RegionsError> {
    let mut table = Lines { table: table.take(LARGEST + 1), read: 0, line: 0 };
    let delimiter = delimiter(&mut table)?;
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .delimiter(delimiter)
        .trim(csv::Trim::All)
        .from_reader(table);
    let header = Header::read(reader.headers().map_err(|error| unreadable(&error))?)?;
    let mut images = BTreeMap::new();
    for (row, record) in (2_usize..).zip(reader.records()) {
        let record = record.map_err(|error| unreadable(&error))?;
        if images.len() == MOST_ROWS {
            return Err(RegionsError::new(format!(
                "the table of landmarks has more than {MOST_ROWS} rows; split it"
            )));
        }
        let (image, landmarks) = landmarks(&header, &record).map_err(|what| at(row, &what))?;
        if images.contains_key(&image) {
            let what = format!("the image {} is there twice; keep one of its rows", quoted(&image));
            return Err(at(row, &what));
        }
        images.insert(image, landmarks);
    }
    Ok(images)
}

/// The image and the landmarks of a row.
fn landmarks(header: &Header, row: &StringRecord) -> Result<(String, Landmarks), String> {
    let wanted = 2 * header.columns.len() + 1;
    if row.len() != wanted {
        return Err(format!("there are {} columns, and the header has {wanted}", row.len()));
    }
    let image = row.get(0).filter(|image| !image.is_empty()).ok_or("the image has no name")?;
    let number = |column: usize| {
        let cell = row.get(column).unwrap_or_default();
        let number = cell.parse().ok().filter(|number: &f64| number.is_finite());
        number.ok_or_else(|| match cell {
            "" => format!("column {} is empty; leave the image out", column.saturating_add(1)),
            cell => format!(
                "column {} is {}, and no finite number",
                column.saturating_add(1),
                quoted(cell)
            ),
        })
    };
    let point = |&[x, y]: &[usize; 2]| Ok([number(x)?, number(y)?]);
    let points = header.columns.iter().map(point).collect::<Result<_, String>>()?;
    Ok((image.to_owned(), Landmarks { scheme: header.scheme, points }))
}

/// What separates the cells of the first line.
fn delimiter<R: BufRead>(table: &mut Lines<R>) -> Result<u8, RegionsError> {
    let start = table.table.fill_buf().map_err(|error| unreadable(&error.into()))?;
    let first = start.split(|&byte| byte == b'\n').next().unwrap_or_default();
    Ok([b';', b'\t'].into_iter().find(|byte| first.contains(byte)).unwrap_or(b','))
}

/// A table that ends with an error where a line or all of it is too long.
struct Lines<R> {
    table: std::io::Take<R>,
    /// Bytes of the last line that is not yet at its end.
    read: usize,
    /// Lines before it.
    line: usize,
}

impl<R: BufRead> Read for Lines<R> {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        let count = self.table.read(bytes)?;
        for &byte in &bytes[..count] {
            self.read = if byte == b'\n' { 0 } else { self.read.saturating_add(1) };
            self.line = self.line.saturating_add(usize::from(byte == b'\n'));
            if self.read > LONGEST_LINE {
                let line = self.line.saturating_add(1);
                let what = format!("line {line} is longer than {LONGEST_LINE} bytes");
                return Err(Error::new(ErrorKind::InvalidData, what));
            }
        }
        if self.table.limit() == 0 {
            let what = format!("it is larger than {} MiB; split it", LARGEST >> 20);
            return Err(Error::new(ErrorKind::InvalidData, what));
        }
        Ok(count)
    }
}

fn unreadable(error: &csv::Error) -> RegionsError {
    RegionsError::new(format!("cannot read the table of landmarks: {error}"))
}

fn at(row: usize, what: &str) -> RegionsError {
    RegionsError::new(format!("row {row} of the table of landmarks: {what}"))
}
