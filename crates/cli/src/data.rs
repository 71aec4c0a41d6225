//! The images of a data folder, in folds.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use burncam_imaging::is_image_name;

/// One image of the data set.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// How a data folder is read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Listing {
    /// Whether each fold holds one folder a class.
    pub class_folders: bool,
    /// Whether symbolic links inside the folder are followed.
    pub follow_links: bool,
}

/// What a data folder holds.
#[derive(Debug, Default)]
pub(crate) struct DataSet {
    /// The images, sorted by fold and path.
    pub images: Vec<Image>,
    /// Files and deeper folders that were passed over, by path inside the data folder.
    pub skipped: Vec<String>,
    /// Symbolic links that were passed over.
    pub links: Vec<String>,
}

/// Lists the images of `folder`: its subfolders are the folds, and without subfolders it is one
/// fold. With class folders, each fold holds one folder a class; a folder that holds class
/// folders and no folds is one fold.
pub(crate) fn list(folder: &Path, how: Listing) -> Result<DataSet> {
    let mut set = DataSet::default();
    let own = own_name(folder);
    let folds = set.add_files(folder, how, folder, &own, None)?;
    let one_fold = how.class_folders && !any_has_folders(&folds, how)?;
    for path in &folds {
        let name = own_name(path);
        let (fold, class) = if one_fold { (&own, Some(&name)) } else { (&name, None) };
        for inner in set.add_files(folder, how, path, fold, class)? {
            if !how.class_folders {
                set.pass_over(folder, &inner);
                continue;
            }
            let class = own_name(&inner);
            for deeper in set.add_files(folder, how, &inner, fold, Some(&class))? {
                set.pass_over(folder, &deeper);
            }
        }
    }
    if set.images.is_empty() {
        let links = if set.links.is_empty() { "" } else { "; --follow-links reads links too" };
        bail!(
            "there are no images in {}\nhint: images are .png, .jpg, .jpeg, .jfif, .bmp, .tif, .tiff \
             or .webp files, in the folder itself or in its subfolders (the folds){links}",
            folder.display()
        );
    }
    set.images.sort_by(|a, b| (&a.fold, &a.path).cmp(&(&b.fold, &b.path)));
    set.skipped.sort();
    set.links.sort();
    Ok(set)
}

impl DataSet {
    /// Adds the images of one folder and returns its subfolders, sorted.
    fn add_files(
        &mut self,
        root: &Path,
        how: Listing,
        folder: &Path,
        fold: &str,
        class: Option<&String>,
    ) -> Result<Vec<PathBuf>> {
        let mut folders = Vec::new();
        for entry in entries(folder)? {
            let file = entry.path();
            if is_link(&entry) && !how.follow_links {
                self.links.push(relative(root, &file));
            } else if file.is_dir() {
                folders.push(file);
            } else if is_image_name(&file) && file.is_file() {
                self.images.push(Image {
                    fold: fold.to_owned(),
                    name: own_name(&file),
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

/// What a folder holds, without dot files: those are a system's own, such as macOS's `._x.png`.
fn entries(folder: &Path) -> Result<Vec<DirEntry>> {
    let cannot = || format!("cannot list the folder {}", folder.display());
    let all = fs::read_dir(folder).with_context(cannot)?.collect::<Result<Vec<_>, _>>();
    let mut all = all.with_context(cannot)?;
    all.retain(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
    Ok(all)
}

fn is_link(entry: &DirEntry) -> bool {
    entry.file_type().is_ok_and(|kind| kind.is_symlink())
}

/// A file name without its last extension.
pub(crate) fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

fn any_has_folders(folders: &[PathBuf], how: Listing) -> Result<bool> {
    for folder in folders {
        let seen = |entry: &DirEntry| how.follow_links || !is_link(entry);
        if entries(folder)?.iter().any(|entry| seen(entry) && entry.path().is_dir()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The last part of a path; for `.` and the like, that of the folder it stands for.
fn own_name(path: &Path) -> String {
    let name = |path: &Path| path.file_name().map(text);
    name(path)
        .or_else(|| fs::canonicalize(path).ok().as_deref().and_then(name))
        .unwrap_or_else(|| "images".to_owned())
}

fn relative(root: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(root).unwrap_or(path);
    inside.iter().map(text).collect::<Vec<_>>().join("/")
}

/// A name as text. Bytes that are no UTF-8 become `\xFF`, and a name that says so itself `\x5CxFF`,
/// so that two names stay two.
fn text(name: &OsStr) -> String {
    let mut text = String::new();
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        text.push_str(&chunk.valid().replace("\\x", "\\x5Cx"));
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASSES: Listing = Listing { class_folders: true, follow_links: false };

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
        let set = list(root.path(), Listing::default()).expect("images");
        assert_eq!(paths(&set), [("A", "A/1.JPG", None), ("B", "B/2.png", None)]);
        assert_eq!(set.skipped, ["A/deep/", "A/notes.txt"]);
    }

    #[test]
    fn a_folder_without_folds_is_one_fold() {
        let root = folder(&["faces/b.png", "faces/a.webp"]);
        let set = list(&root.path().join("faces"), Listing::default()).expect("images");
        assert_eq!(paths(&set), [("faces", "a.webp", None), ("faces", "b.png", None)]);
    }

    #[test]
    fn class_folders_lie_inside_the_folds_or_make_one_fold() {
        let root = folder(&["F0/Pain/1.png", "F1/No_pain/2.png", "F1/No_pain/deep/3.png"]);
        let set = list(root.path(), CLASSES).expect("images");
        assert_eq!(
            paths(&set),
            [("F0", "F0/Pain/1.png", Some("Pain")), ("F1", "F1/No_pain/2.png", Some("No_pain"))]
        );
        assert_eq!(set.skipped, ["F1/No_pain/deep/"]);

        let root = folder(&["all/Pain/1.png", "all/No_pain/2.png"]);
        let set = list(&root.path().join("all"), CLASSES).expect("images");
        assert_eq!(
            paths(&set),
            [("all", "No_pain/2.png", Some("No_pain")), ("all", "Pain/1.png", Some("Pain"))]
        );
    }

    #[test]
    fn an_empty_folder_is_an_error_with_a_hint() {
        let root = folder(&["A/notes.txt"]);
        let error = list(root.path(), Listing::default()).expect_err("no images").to_string();
        assert!(error.contains("no images") && error.contains("hint:"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_only_when_asked() {
        use std::os::unix::fs::symlink;
        let elsewhere = folder(&["secret.png", "deep/2.png"]);
        let root = folder(&["A/1.png"]);
        let place = |inside: &str| root.path().join(inside);
        symlink(elsewhere.path().join("secret.png"), place("A/link.png")).expect("a link");
        symlink(elsewhere.path().join("deep"), place("B")).expect("a link");
        symlink("nowhere", place("A/broken.png")).expect("a link");
        let set = list(root.path(), Listing::default()).expect("images");
        assert_eq!(paths(&set), [("A", "A/1.png", None)]);
        assert_eq!(set.links, ["A/broken.png", "A/link.png", "B"]);

        let followed = Listing { follow_links: true, ..Listing::default() };
        let set = list(root.path(), followed).expect("images");
        let found = [("A", "A/1.png", None), ("A", "A/link.png", None), ("B", "B/2.png", None)];
        assert_eq!(paths(&set), found);
        assert_eq!((set.links.len(), set.skipped), (0, vec!["A/broken.png".to_owned()]));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn names_that_are_no_text_stay_apart() {
        use std::os::unix::ffi::OsStrExt;
        let root = folder(&["A/1.png"]);
        for byte in [0xfe, 0xff] {
            let name = [b"A/x", &[byte][..], b".png"].concat();
            fs::write(root.path().join(OsStr::from_bytes(&name)), b"").expect("a file");
        }
        fs::write(root.path().join(r"A/x\xFF.png"), b"").expect("a file");
        let set = list(root.path(), Listing::default()).expect("images");
        let found: Vec<&str> = set.images.iter().map(|image| image.path.as_str()).collect();
        assert_eq!(found, ["A/1.png", r"A/x\x5CxFF.png", r"A/x\xFE.png", r"A/x\xFF.png"]);
        assert!(set.images.iter().all(|image| image.file.is_file()));
    }
}
