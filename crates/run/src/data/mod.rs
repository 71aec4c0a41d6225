//! The images of a data folder, in folds.

mod deeper;
mod other;
mod refusals;

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burncam_imaging::is_image_name;

pub use deeper::Deeper;
pub use other::Others;
pub use refusals::{commands, reach};

/// A file of options, which may lie in a data folder or beside it.
pub const SETTINGS_FILE: &str = "burncam.toml";

/// One image of the data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
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
pub struct Listing {
    /// Whether each fold holds one folder a class.
    pub class_folders: bool,
    /// Whether symbolic links inside the folder are followed.
    pub follow_links: bool,
}

/// What a data folder holds.
#[derive(Debug, Default)]
pub struct DataSet {
    /// The images, sorted by fold and path.
    pub images: Vec<Image>,
    /// Files and deeper folders that were passed over, having no images, by path inside the data folder.
    pub skipped: Vec<String>,
    /// Deeper folders that were passed over, having images.
    pub deeper: Deeper,
    /// Files of formats that are known and not read.
    pub others: Others,
    /// Symbolic links that were passed over.
    pub links: Vec<String>,
}

/// Lists the images of `folder`: its subfolders are the folds, and without subfolders it is one
/// fold. With class folders, each fold holds one folder a class; a folder that holds class
/// folders and no folds is one fold. A file is one image, in a fold that is named after its folder.
pub fn list(folder: &Path, how: Listing) -> Result<DataSet> {
    if folder.is_file() {
        return one_image(folder, how);
    }
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
        return Err(refusals::no_images(folder, how, &set));
    }
    set.images.sort_by(|a, b| (&a.fold, &a.path).cmp(&(&b.fold, &b.path)));
    set.skipped.sort();
    set.links.sort();
    Ok(set)
}

/// The image at `file`, as a data set.
fn one_image(file: &Path, how: Listing) -> Result<DataSet> {
    if !is_image_name(file) {
        return Err(refusals::no_image(file));
    }
    let path = fs::canonicalize(file).with_context(|| format!("cannot open {}", file.display()))?;
    let fold = path.parent().map_or_else(|| "images".to_owned(), own_name);
    let name = own_name(file);
    let class_folder = how.class_folders.then(|| fold.clone());
    let image = Image { fold, path: name.clone(), name, class_folder, file: file.to_owned() };
    Ok(DataSet { images: vec![image], ..DataSet::default() })
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
            } else if folder == root && entry.file_name() == SETTINGS_FILE {
                // It is read, though not as data.
            } else if !self.others.add(root, &file) {
                self.skipped.push(relative(root, &file));
            }
        }
        folders.sort();
        Ok(folders)
    }

    /// Passes over a folder that lies too deep.
    fn pass_over(&mut self, root: &Path, folder: &Path) {
        if self.deeper.search(root, folder, &mut self.others) {
            return;
        }
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
pub fn stem(name: &str) -> &str {
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
        assert_eq!(set.skipped, ["A/notes.txt"]);
        assert_eq!(set.deeper.folders, [("A/deep/".to_owned(), 1)]);
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
        assert_eq!(set.deeper.folders, [("F1/No_pain/deep/".to_owned(), 1)]);

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

    #[test]
    fn a_file_is_one_image_of_a_fold_named_after_its_folder() {
        let root = folder(&["Fold3/a.png", "Fold3/b.png", "notes.txt"]);
        let set = list(&root.path().join("Fold3/a.png"), Listing::default()).expect("an image");
        assert_eq!(paths(&set), [("Fold3", "a.png", None)]);
        let set = list(&root.path().join("Fold3/a.png"), CLASSES).expect("an image");
        assert_eq!(paths(&set), [("Fold3", "a.png", Some("Fold3"))]);
        let error = list(&root.path().join("notes.txt"), CLASSES).expect_err("text").to_string();
        assert!(error.contains("neither a folder nor, by its name, an image"), "{error}");
    }

    #[test]
    fn images_too_deep_are_counted_and_the_folder_to_give_is_named() {
        let deep = ["train/site1/Pain/x/1.png", "train/site1/Pain/x/2.png", "val/a/b/c.gif"];
        let root = folder(&deep);
        let error = list(root.path(), CLASSES).expect_err("too deep").to_string();
        for words in ["2 images deeper", "train/site1/Pain/x/1.png", "4 folders down"] {
            assert!(error.contains(words), "no `{words}` in {error}");
        }
        let near = format!("--data {} reads this one", root.path().join("train/site1").display());
        assert!(error.contains(&near), "no `{near}` in {error}");
        let set = list(&root.path().join("train/site1"), CLASSES).expect("images");
        assert_eq!(set.images.len(), 2);

        let root = folder(&[&deep[..], &["1.png"]].concat());
        let set = list(root.path(), Listing::default()).expect("an image");
        assert_eq!(set.deeper.folders, [("train/site1/".to_owned(), 2)]);
        assert_eq!((set.skipped.len(), set.others.files.len()), (0, 1));
    }

    #[cfg(unix)]
    #[test]
    fn a_search_ends() {
        let root = folder(&["1.png"]);
        let down = "a/".repeat(40);
        fs::create_dir_all(root.path().join(&down)).expect("folders");
        fs::write(root.path().join(&down).join("2.png"), b"").expect("a file");
        std::os::unix::fs::symlink(root.path(), root.path().join("a/a/back")).expect("a link");
        let set = list(root.path(), Listing::default()).expect("an image");
        assert_eq!((set.deeper.images(), set.skipped), (0, vec!["a/a/".to_owned()]));
    }

    #[test]
    fn files_of_other_formats_are_called_by_their_names() {
        let root = folder(&["A/1.heic", "A/2.HEIC", "A/3.dcm", "A/notes.txt", "A/faces.zip"]);
        let dicom = [&[0; 128][..], b"DICM"].concat();
        fs::write(root.path().join("A/IM0001"), &dicom).expect("a file");
        let error = list(root.path(), Listing::default()).expect_err("no images").to_string();
        for words in [
            "2 HEIC files, such as A/1.heic",
            "2 DICOM files, such as A/3.dcm",
            "1 zip file, A/faces.zip",
            "`magick mogrify -format png *.heic`",
            "`dcmj2pnm ",
            "`unzip ",
        ] {
            assert!(error.contains(words), "no `{words}` in {error}");
        }
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
