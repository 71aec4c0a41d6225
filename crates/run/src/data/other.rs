//! Files of formats that are not read, by name.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use burncam_imaging::{OtherFormat, SIGNATURE};

use super::relative;

/// How many files without a known ending are opened to see what they are.
const OPENED: usize = 1_000;

/// Files of formats that are known and not read.
#[derive(Debug)]
pub struct Others {
    /// Each with its format, by path inside the data folder.
    pub files: Vec<(OtherFormat, String)>,
    /// How many files may still be opened.
    left: usize,
}

impl Default for Others {
    fn default() -> Self {
        Self { files: Vec::new(), left: OPENED }
    }
}

impl Others {
    /// Adds a file if it is of such a format.
    pub(super) fn add(&mut self, root: &Path, file: &Path) -> bool {
        let format = OtherFormat::of_name(file).or_else(|| {
            // DICOM files often have no ending, or a number for one.
            let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
            let bare = ending.chars().all(|c| c.is_ascii_digit());
            (bare && self.left > 0).then(|| {
                self.left -= 1;
                format_of(file)
            })?
        });
        self.files.extend(format.map(|format| (format, relative(root, file))));
        format.is_some()
    }

    /// Each format with how many files it has and the first of them, in the order of the formats.
    pub fn by_format(&self) -> Vec<(OtherFormat, usize, &str)> {
        let mut formats: Vec<OtherFormat> = self.files.iter().map(|(format, _)| *format).collect();
        formats.sort();
        formats.dedup();
        let of = |format: OtherFormat| {
            let own = || self.files.iter().filter(move |(one, _)| *one == format);
            let first = own().map(|(_, path)| path.as_str()).min().unwrap_or_default();
            (format, own().count(), first)
        };
        formats.into_iter().map(of).collect()
    }
}

/// The format of a file by its first bytes, if it is a known one that is not read.
pub(crate) fn format_of(file: &Path) -> Option<OtherFormat> {
    // Opening a pipe would wait for its other end.
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(file).ok()?.take(SIGNATURE as u64).read_to_end(&mut bytes).ok()?;
    OtherFormat::of_content(&bytes)
}
