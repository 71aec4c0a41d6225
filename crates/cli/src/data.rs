//! The images of a data folder, in folds.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use burncam_imaging::is_image_name;

/// One image of the data set. The order is by fold, then by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Image {
    /// The fold's folder name.
    pub fold: String,
    /// The file's own name.
    pub name: String,
    /// Path inside the data folder, with `/`.
    pub path: String,
    /// Name of the folder between the fold and the image, where folders give classes.
    pub class_folder: Option<String>,
    /// Where the file is.
    pub file: PathBuf,
}

/// What a data folder holds.
#[derive(Debug, Default)]
pub(crate) struct DataSet {
    /// The images, sorted by fold and name.
    pub images: Vec<Image>,
    /// Files and deeper folders that were passed over, by path inside the data folder.
    pub skipped: Vec<String>,
}

/// Lists the images of `folder`: its subfolders are the folds, and without subfolders it is one
/// fold. With `class_folders`, each fold holds one folder a class; a folder that holds class
/// folders and no folds is one fold.
pub(crate) fn list(folder: &Path, class_folders: bool) -> Result<DataSet> {
    let mut set = DataSet::default();
    let own = own_name(folder);
    let folds = set.add_files(folder, folder, &own, None)?;
    let one_fold = class_folders && !any_has_folders(folder, &folds)?;
    for name in &folds {
        let path = folder.join(name);
        let (fold, class) = if one_fold { (&own, Some(name)) } else { (name, None) };
        for inner in set.add_files(folder, &path, fold, class)? {
            let path = path.join(&inner);
            match class_folders {
                true => {
                    for deeper in set.add_files(folder, &path, fold, Some(&inner))? {
                        set.pass_over(folder, &path.join(deeper));
                    }
                }
                false => set.pass_over(folder, &path),
            }
        }
    }
    if set.images.is_empty() {
        bail!(
            "there are no images in {}\nhint: images are .png, .jpg, .jpeg, .bmp, .tif, .tiff or \
             .webp files, in the folder itself or in its subfolders (the folds)",
            folder.display()
        );
    }
    set.images.sort();
    set.skipped.sort();
    Ok(set)
}

impl DataSet {
    /// Adds the images of one folder and returns the names of its subfolders, sorted.
    fn add_files(
        &mut self,
        root: &Path,
        folder: &Path,
        fold: &str,
        class: Option<&String>,
    ) -> Result<Vec<String>> {
        let cannot = || format!("cannot list the folder {}", folder.display());
        let mut folders = Vec::new();
        for entry in fs::read_dir(folder).with_context(cannot)? {
            let file = entry.with_context(cannot)?.path();
            let name = own_name(&file);
            // Dot files are a system's own, such as macOS's `._x.png`.
            if name.starts_with('.') {
                continue;
            }
            if file.is_dir() {
                folders.push(name);
            } else if is_image_name(&file) && file.is_file() {
                self.images.push(Image {
                    fold: fold.to_owned(),
                    name,
                    path: relative(root, &file),
                    class_folder: class.cloned(),
                    file,
                });
            } else {
                self.skipped.push(relative(root, &file));
            }
        }
        folders.sort();
        Ok(folders)
    }

    fn pass_over(&mut self, root: &Path, folder: &Path) {
        self.skipped.push(format!("{}/", relative(root, folder)));
    }
}

/// A file name without its last extension.
pub(crate) fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

fn any_has_folders(root: &Path, folders: &[String]) -> Result<bool> {
    for name in folders {
        let folder = root.join(name);
        let cannot = || format!("cannot list the folder {}", folder.display());
        for entry in fs::read_dir(&folder).with_context(cannot)? {
            let path = entry.with_context(cannot)?.path();
            if path.is_dir() && !own_name(&path).starts_with('.') {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// The last part of a path; for `.` and the like, that of the folder it stands for.
fn own_name(path: &Path) -> String {
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    name(path)
        .or_else(|| fs::canonicalize(path).ok().as_deref().and_then(name))
        .unwrap_or_else(|| "images".to_owned())
}

fn relative(root: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with these empty files, removed when dropped.
    fn folder(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a temporary folder");
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, b"").expect("a file");
        }
        root
    }

    fn paths(set: &DataSet) -> Vec<(&str, &str, Option<&str>)> {
        set.images
            .iter()
            .map(|i| (i.fold.as_str(), i.path.as_str(), i.class_folder.as_deref()))
            .collect()
    }

    #[test]
    fn subfolders_are_folds_and_stray_files_are_passed_over() {
        let root = folder(&["B/2.png", "A/1.JPG", "A/notes.txt", "A/deep/3.png", "A/._1.jpg"]);
        let set = list(root.path(), false).expect("images");
        assert_eq!(paths(&set), [("A", "A/1.JPG", None), ("B", "B/2.png", None)]);
        assert_eq!(set.skipped, ["A/deep/", "A/notes.txt"]);
    }

    #[test]
    fn a_folder_without_folds_is_one_fold() {
        let root = folder(&["faces/b.png", "faces/a.webp"]);
        let set = list(&root.path().join("faces"), false).expect("images");
        assert_eq!(paths(&set), [("faces", "a.webp", None), ("faces", "b.png", None)]);
    }

    #[test]
    fn class_folders_lie_inside_the_folds_or_make_one_fold() {
        let root = folder(&["F0/Pain/1.png", "F1/No_pain/2.png", "F1/No_pain/deep/3.png"]);
        let set = list(root.path(), true).expect("images");
        assert_eq!(
            paths(&set),
            [("F0", "F0/Pain/1.png", Some("Pain")), ("F1", "F1/No_pain/2.png", Some("No_pain"))]
        );
        assert_eq!(set.skipped, ["F1/No_pain/deep/"]);

        let root = folder(&["all/Pain/1.png", "all/No_pain/2.png"]);
        let set = list(&root.path().join("all"), true).expect("images");
        assert_eq!(
            paths(&set),
            [("all", "Pain/1.png", Some("Pain")), ("all", "No_pain/2.png", Some("No_pain"))]
        );
    }

    #[test]
    fn an_empty_folder_is_an_error_with_a_hint() {
        let root = folder(&["A/notes.txt"]);
        let error = list(root.path(), false).expect_err("no images").to_string();
        assert!(error.contains("no images") && error.contains("hint:"), "{error}");
    }
}
