//! A page that holds its pictures, so that it can be sent as one file.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::document::{AttributionReport, ImageReport, Report};
use crate::examples::examples;
use crate::picture::base64;
use burncam_record::Error;

/// Bytes of a small picture: those of a run have some twenty thousand.
const LARGEST: u64 = 1 << 20;

/// The pictures that a page holds. All measures are over all images; its gallery has those that are chosen here: the
/// ones to be seen first, and others at equal distances.
#[derive(Debug)]
pub struct Standalone {
    /// The folder of each run, where it is.
    folders: Vec<Option<PathBuf>>,
    /// The places of the images, in order.
    images: Vec<usize>,
    all: usize,
    pictures: usize,
    bytes: u64,
}

impl Standalone {
    /// Chooses at most `most` images, but no fewer than those to be seen first. Folders of runs are seen from `page`,
    /// the folder of the page.
    ///
    /// # Errors
    ///
    /// What reading an image gives.
    pub fn plan(report: &Report<'_>, page: &Path, most: usize) -> Result<Self, Error> {
        let folder = |folder: &str| page.join(folder).canonicalize().ok();
        let mut plan = Self {
            folders: report.runs.iter().map(|source| folder(&source.folder)).collect(),
            images: chosen(report, most)?,
            all: report.images.len(),
            pictures: 0,
            bytes: 0,
        };
        let mut next = 0;
        for (place, image) in report.images.plain().enumerate() {
            if plan.images.get(next) != Some(&place) {
                continue;
            }
            next += 1;
            let image = image?;
            for (run, attribution) in attributions(&image) {
                if let Some((_, bytes)) = plan.file(run, attribution) {
                    plan.pictures += 1;
                    plan.bytes += bytes.div_ceil(3) * 4;
                }
            }
        }
        Ok(plan)
    }

    /// How many images the gallery has, and how many there are.
    #[must_use]
    pub fn images(&self) -> (usize, usize) {
        (self.images.len(), self.all)
    }

    /// How many pictures the page will hold.
    #[must_use]
    pub fn pictures(&self) -> usize {
        self.pictures
    }

    /// The bytes that the pictures add to the page.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The place in the gallery of an image, if it is there.
    pub(super) fn place(&self, image: usize) -> Option<usize> {
        self.images.binary_search(&image).ok()
    }

    /// A small picture as the address of itself; nothing where there is none.
    pub(super) fn picture(&self, run: usize, attribution: &AttributionReport) -> Option<String> {
        let (path, _) = self.file(run, attribution)?;
        let mut bytes = Vec::new();
        File::open(path).ok()?.take(LARGEST).read_to_end(&mut bytes).ok()?;
        let kind = kind(&bytes)?;
        Some(format!("data:image/{kind};base64,{}", base64(&bytes)))
    }

    /// Where a small picture is, and its bytes. A report from elsewhere may name any path: only a picture in the run's
    /// own folder goes into a page that is sent to others.
    fn file(&self, run: usize, attribution: &AttributionReport) -> Option<(PathBuf, u64)> {
        let folder = self.folders.get(run)?.as_ref()?;
        let path = folder.join(attribution.thumbnail.as_ref()?).canonicalize().ok()?;
        let found = fs::metadata(&path).ok()?;
        let is_picture = path.starts_with(folder) && found.is_file() && found.len() <= LARGEST;
        is_picture.then_some((path, found.len()))
    }
}

/// All attributions of an image, with the runs that they are of.
fn attributions(image: &ImageReport) -> impl Iterator<Item = (usize, &AttributionReport)> {
    image
        .results
        .iter()
        .flat_map(|result| result.attributions.iter().map(move |one| (result.run, one)))
}

/// The kind of a picture by its first bytes; nothing of other files.
fn kind(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some("jpeg"),
        [0x89, b'P', b'N', b'G', ..] => Some("png"),
        _ => None,
    }
}

fn chosen(report: &Report<'_>, most: usize) -> Result<Vec<usize>, Error> {
    let all = report.images.len();
    if all <= most {
        return Ok((0..all).collect());
    }
    let mut places: Vec<usize> = examples(report)?.iter().map(|one| one.image).collect();
    let others = most.saturating_sub(places.len());
    places.extend((0..others).map(|number| number * all / others));
    places.sort_unstable();
    places.dedup();
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::report;
    use crate::{Images, Language, standalone_html};

    fn with_pictures(folder: &Path) -> Report<'static> {
        let report = report(&["NCNN"], &["A", "BB"], ["Pain", "No_pain"]);
        let mut images: Vec<ImageReport> =
            report.images.plain().collect::<Result<_, _>>().expect("images");
        for (place, image) in images.iter_mut().enumerate() {
            for result in &mut image.results {
                for one in &mut result.attributions {
                    let name = format!("{place}.jpg");
                    fs::write(folder.join(&name), [&[0xff, 0xd8, 0xff], &[7; 100][..]].concat())
                        .expect("a file");
                    one.thumbnail = Some(name);
                }
            }
        }
        Report { images: Images::held(images), ..report }
    }

    #[test]
    fn pictures_are_in_the_page() {
        let folder = tempfile::tempdir().expect("a folder");
        let report = with_pictures(folder.path());
        for (most, images) in [(1000, 30), (30, 30), (10, 10), (0, 4)] {
            let plan = Standalone::plan(&report, folder.path(), most).expect("images");
            let (chosen, all) = plan.images();
            assert!(chosen <= images && chosen + 3 >= images && all == 30, "{chosen}");
            let mut page = Vec::new();
            standalone_html(&report, &plan, Language::English, &mut page).expect("a page");
            let page = String::from_utf8(page).expect("UTF-8");
            crate::markup::elements(&page);
            assert_eq!(page.matches("data:image/jpeg;base64,/9j/").count(), plan.pictures());
            assert_eq!(plan.bytes(), plan.pictures() as u64 * 140);
            assert!(page.contains("img-src data:;"), "no picture can be asked for");
            let told = page.contains(&format!("has {chosen} of 30 images"));
            assert_eq!(told, chosen < 30);
        }
    }

    #[test]
    fn no_other_file_gets_into_the_page() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = place.path().join("run");
        fs::create_dir(&folder).expect("a folder");
        fs::write(place.path().join("outside.jpg"), [0xff, 0xd8, 0xff, 1]).expect("a file");
        fs::write(folder.join("text.jpg"), "secret").expect("a file");
        let mut report = with_pictures(&folder);
        let outside = place.path().join("outside.jpg").display().to_string();
        for name in ["../outside.jpg", &outside, "text.jpg", "none.jpg", "."] {
            let mut images: Vec<ImageReport> =
                report.images.plain().collect::<Result<_, _>>().expect("images");
            let all = images.iter_mut().flat_map(|image| &mut image.results);
            let all = all.flat_map(|result| &mut result.attributions);
            all.for_each(|one| one.thumbnail = Some(name.to_owned()));
            report.images = Images::held(images);
            let plan = Standalone::plan(&report, &folder, 1000).expect("images");
            let mut page = Vec::new();
            standalone_html(&report, &plan, Language::English, &mut page).expect("a page");
            let page = String::from_utf8(page).expect("UTF-8");
            assert!(!page.contains("data:image/jpeg"), "{name}");
        }
    }
}
