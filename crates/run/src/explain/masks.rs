//! Masks of where the evidence of images should lie.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use burncam_imaging::{DecodeOptions, decode_bytes};

use super::digests::sha256;
use crate::data::Image;

/// The number from which on a pixel is inside.
const INSIDE: u8 = 128;

/// A folder of masks.
pub(crate) struct Masks {
    folder: PathBuf,
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
    /// If a mask cannot be read, or no image has one.
    pub(crate) fn open(folder: &Path, images: &[Image]) -> Result<Self> {
        let mut masks = Self { folder: folder.to_owned(), digest: String::new() };
        let mut all = String::new();
        for image in images {
            let Some(path) = masks.path(image) else { continue };
            let bytes = burncam_imaging::read(&path, DecodeOptions::default())
                .with_context(|| format!("the mask {}", path.display()))?;
            all += &format!("{} {}\n", image.path, sha256(&bytes));
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
    /// If it is no picture.
    pub(crate) fn read(&self, image: &Image) -> Result<Option<Mask>> {
        let Some(path) = self.path(image) else { return Ok(None) };
        let name = || format!("the mask {}", path.display());
        let options = DecodeOptions::default();
        let bytes = burncam_imaging::read(&path, options).with_context(name)?;
        let pixels = decode_bytes(&path, &bytes, options).with_context(name)?.pixels;
        let (width, height) = pixels.dimensions();
        let inside = pixels.pixels().map(|pixel| pixel.0.iter().any(|&level| level >= INSIDE));
        Ok(Some(Mask { inside: inside.collect(), size: [height as usize, width as usize] }))
    }

    fn path(&self, image: &Image) -> Option<PathBuf> {
        let own = self.folder.join(&image.path);
        let png = own.with_extension("png");
        [own, png].into_iter().find(|path| path.is_file())
    }
}
