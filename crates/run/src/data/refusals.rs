//! Why there is nothing to explain in a data folder, and what to do.

use std::path::Path;

use anyhow::{Error, anyhow};
use burncam_imaging::OtherFormat;
use burncam_weights::is_checkpoint_name;

use super::{DataSet, Listing, Others, other};

/// Endings of the images that are read.
const READ: &str = ".png, .jpg, .jpeg, .jfif, .bmp, .tif, .tiff or .webp";

/// That a folder has no images, what it has instead, and what to do.
pub(super) fn no_images(root: &Path, how: Listing, set: &DataSet) -> Error {
    let folder = root.display();
    if let Some(example) = &set.deeper.example {
        let levels = if how.class_folders { 2 } else { 1 };
        let near = set.deeper.near(root, levels).unwrap_or_else(|| root.to_owned());
        let depth = example.matches('/').count();
        return anyhow!(
            "there are no images in {folder} and in the folders that are read, but {} deeper down, such \
             as {example} ({depth} folders down)\nhint: {}; --data {} reads this one",
            deeper_images(set),
            reach(how),
            near.display()
        );
    }
    if !set.others.files.is_empty() {
        let found: Vec<String> = set.others.by_format().iter().map(files_of).collect();
        return anyhow!(
            "there are no images that Burncam reads in {folder}, but {}\nhint: convert or unpack them ({}); \
             images are {READ} files",
            found.join("; "),
            commands(&set.others)
        );
    }
    let links = if set.links.is_empty() { "" } else { "; --follow-links reads links too" };
    anyhow!(
        "there are no images in {folder}\nhint: images are {READ} files, in the folder itself or in its \
         subfolders (the folds){links}"
    )
}

/// That a file given as --data is no image.
pub(super) fn no_image(file: &Path) -> Error {
    let name = file.display();
    match OtherFormat::of_name(file).or_else(|| other::format_of(file)) {
        _ if is_checkpoint_name(file) => anyhow!(
            "--data {name} is a checkpoint\nhint: --weights takes it; --data is the folder of images, or \
             one image"
        ),
        Some(format) if format.is_archive() => anyhow!(
            "--data {name} is an archive ({}), and Burncam reads folders of images\nhint: unpack it, such \
             as by `{}`, and give --data the folder that comes of it",
            format.name(),
            format.command()
        ),
        Some(format) => anyhow!(
            "--data {name} is a {} file, which Burncam does not read\nhint: convert it, such as by `{}`",
            format.name(),
            format.command()
        ),
        None => anyhow!(
            "--data {name} is neither a folder nor, by its name, an image\nhint: --data is a folder of {READ} \
             files, or one such file"
        ),
    }
}

/// Which images are read.
pub fn reach(how: Listing) -> &'static str {
    match how.class_folders {
        true => {
            "images are read in the folder itself, in its subfolders (the folds) and in theirs (the \
             classes)"
        }
        false => {
            "images are read in the folder itself and in its subfolders (the folds), with `--labels dirs` \
             also in theirs (the classes)"
        }
    }
}

/// The commands that make images of files of other formats.
pub fn commands(others: &Others) -> String {
    let one = |(format, ..): &(OtherFormat, usize, &str)| {
        format!("{}: `{}`", format.name(), format.command())
    };
    others.by_format().iter().map(one).collect::<Vec<_>>().join("; ")
}

/// `3 HEIC files, such as a.heic`.
fn files_of((format, count, first): &(OtherFormat, usize, &str)) -> String {
    let name = format.name();
    match count {
        1 => format!("1 {name} file, {first}"),
        _ => format!("{count} {name} files, such as {first}"),
    }
}

/// `24 images deeper down`.
fn deeper_images(set: &DataSet) -> String {
    let least = if set.deeper.is_cut() { "at least " } else { "" };
    match set.deeper.images() {
        1 => format!("{least}1 image"),
        images => format!("{least}{images} images"),
    }
}
