//! Which files are images, by name.

use std::path::Path;

/// The file name extensions that count as images, in lower case.
pub const EXTENSIONS: [&str; 8] = ["png", "jpg", "jpeg", "jfif", "bmp", "tif", "tiff", "webp"];

/// Whether the extension of `path` is one of [`EXTENSIONS`], in any mixture of cases.
///
/// Only the name is looked at. [`decode`](crate::decode) goes by the content.
#[must_use]
pub fn is_image_name(path: impl AsRef<Path>) -> bool {
    path.as_ref().extension().and_then(|extension| extension.to_str()).is_some_and(|extension| {
        EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(extension))
    })
}

#[cfg(test)]
mod tests {
    use super::is_image_name;

    #[test]
    fn case_does_not_matter() {
        for name in [
            "a.png",
            "a.PNG",
            "dir.d/a.b.Jpeg",
            "a.jpg",
            "a.JFIF",
            "a.bmp",
            "a.TIF",
            "a.tiff",
            "a.webp",
        ] {
            assert!(is_image_name(name), "{name}");
        }
    }

    #[test]
    fn other_names_are_not_images() {
        for name in ["png", ".png", "a", "a.png.txt", "Thumbs.db", "a.gif", "", ".DS_Store"] {
            assert!(!is_image_name(name), "{name}");
        }
    }
}
