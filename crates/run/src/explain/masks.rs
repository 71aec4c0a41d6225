//! Masks of where the evidence of images should lie.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use burncam_imaging::{DecodeOptions, decode_bytes};

use super::digests::sha256;
use crate::data::Image;

/// A folder of masks.
pub(crate) struct Masks {
    folder: PathBuf,
    /// The number from which on a pixel is inside; without, a mask has at most two.
    pub level: Option<u8>,
    /// SHA-256 of the masks of all images.
    pub digest: String,
}

/// Where the evidence of an image should lie.
pub(crate) struct Mask {
    /// Row by row: `[height, width]`.
    pub inside: Vec<bool>,
    /// Height and width.
    pub size: [usize; 2],
}

impl Masks {
    /// The masks of images in a folder.
    ///
    /// # Errors
    ///
    /// If a mask cannot be read, no image has one, or nothing says which pixels are inside.
    pub(crate) fn open(folder: &Path, level: Option<u8>, images: &[Image]) -> Result<Self> {
        let mut masks = Self { folder: folder.to_owned(), level, digest: String::new() };
        let mut all = String::new();
        for image in images {
            let Some(path) = masks.path(image) else { continue };
            let (digest, _) = masks.read_file(&path)?;
            all += &format!("{} {digest}\n", image.path);
        }
        if all.is_empty() {
            let first = images.first().map(|image| image.path.as_str()).unwrap_or_default();
            bail!(
                "{} has no mask of any image\nhint: a mask lies there as its image lies in --data, such as {first}, \
                 also with the ending .png",
                folder.display()
            );
        }
        masks.digest = sha256(all.as_bytes());
        Ok(masks)
    }

    /// The mask of an image, of its own size, if there is one.
    ///
    /// # Errors
    ///
    /// If it is no picture, or nothing says which pixels are inside.
    pub(crate) fn read(&self, image: &Image) -> Result<Option<Mask>> {
        let Some(path) = self.path(image) else { return Ok(None) };
        self.read_file(&path).map(|(_, mask)| Some(mask))
    }

    /// A mask and the SHA-256 of its file.
    fn read_file(&self, path: &Path) -> Result<(String, Mask)> {
        let name = || format!("the mask {}", path.display());
        let options = DecodeOptions::default();
        let bytes = burncam_imaging::read(path, options).with_context(name)?;
        let pixels = decode_bytes(path, &bytes, options).with_context(name)?.pixels;
        let (width, height) = pixels.dimensions();
        let levels = pixels.pixels().map(|pixel| pixel.0.into_iter().max().unwrap_or_default());
        let levels: Vec<u8> = levels.collect();
        let inside = pixels_inside(&levels, self.level).with_context(name)?;
        Ok((sha256(&bytes), Mask { inside, size: [height as usize, width as usize] }))
    }

    fn path(&self, image: &Image) -> Option<PathBuf> {
        let own = self.folder.join(&image.path);
        let png = own.with_extension("png");
        [own, png].into_iter().find(|path| path.is_file())
    }
}

/// Which pixels are inside: those from `level` on, or of two numbers those of the larger, or of one those above 0.
fn pixels_inside(levels: &[u8], level: Option<u8>) -> Result<Vec<bool>> {
    let from = level.map_or_else(|| larger(levels), Ok)?;
    Ok(levels.iter().map(|&level| level >= from).collect())
}

fn larger(levels: &[u8]) -> Result<u8> {
    let mut there = [false; 256];
    levels.iter().for_each(|&level| there[usize::from(level)] = true);
    let levels: Vec<u8> = (0..=u8::MAX).filter(|&level| there[usize::from(level)]).collect();
    match levels[..] {
        [one] | [_, one] => Ok(one.max(1)),
        _ => bail!(
            "it has {} grey values, such as {}, and nothing says which are inside\nhint: --mask-level 1 takes all above \
             0, --mask-level 128 the brighter half",
            levels.len(),
            levels.iter().take(4).map(u8::to_string).collect::<Vec<_>>().join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_numbers_need_no_level() {
        assert_eq!(pixels_inside(&[0, 1], None).expect("two"), [false, true]);
        assert_eq!(pixels_inside(&[0, 255], None).expect("two"), [false, true]);
        assert_eq!(pixels_inside(&[0, 0], None).expect("one"), [false, false]);
        assert_eq!(pixels_inside(&[7, 7], None).expect("one"), [true, true]);
        assert_eq!(pixels_inside(&[0, 64, 255], Some(65)).expect("a level"), [false, false, true]);
        let error = pixels_inside(&[0, 64, 255], None).expect_err("three");
        assert!(error.to_string().contains("--mask-level 1 takes all above 0"), "{error}");
    }
}
