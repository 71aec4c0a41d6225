//! The mean photograph of the faces of a data set.

use burncam_page::data_uri;
use burncam_trust::regions::{MEAN_EYES_AND_MOUTH, MEAN_SIZE, MeanFace, Similarity, warp};
use image::{GrayImage, imageops};

use super::pictures;
use super::plan::Plan;

/// Photographs that it is made of, at most; of more, some that lie evenly among them.
const MOST: usize = 200;

/// The mean of the photographs, brought together by eyes and mouth, as the address of a grey picture; `None` where no
/// regions are known. Photographs that cannot be read are left out, as everywhere.
pub(super) fn mean_face(plan: &Plan) -> Option<String> {
    let regions = plan.regions.as_ref()?;
    let images: Vec<usize> = plan.chosen().collect();
    let mut mean = MeanFace::new(MEAN_SIZE);
    for &index in images.iter().step_by(images.len().div_ceil(MOST).max(1)) {
        let Ok((decoded, _)) = pictures::read(plan, index) else { continue };
        let (width, height) = decoded.pixels.dimensions();
        let face = regions.read(&plan.images[index], (width, height), MEAN_SIZE);
        let Some(places) = face.ok().flatten().and_then(|face| face.eyes_and_mouth) else {
            continue;
        };
        let pixel = |places: [[f64; 2]; 3], [width, height]: [f64; 2]| {
            places.map(|[x, y]| [x * width - 0.5, y * height - 0.5])
        };
        let [rows, columns] = MEAN_SIZE.map(|side| side as f64);
        let to = pixel(MEAN_EYES_AND_MOUTH, [columns, rows]);
        let from = pixel(places, [f64::from(width), f64::from(height)]);
        let Some(similarity) = Similarity::fit(&from, &to) else { continue };
        let grey = imageops::grayscale(&*decoded.pixels);
        let levels: Vec<f32> = grey.as_raw().iter().map(|&level| f32::from(level)).collect();
        mean.add(&warp(&levels, [height as usize, width as usize], &similarity, MEAN_SIZE));
    }
    if mean.images() == 0 {
        return None;
    }
    let levels = mean.mean(1).values.iter().map(|level| level.round() as u8).collect();
    let [height, width] = MEAN_SIZE.map(|side| side as u32);
    Some(data_uri(GrayImage::from_raw(width, height, levels)?))
}
