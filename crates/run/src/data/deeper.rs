//! Images in folders that lie deeper than those that are read.

use std::path::{Path, PathBuf};

use burncam_imaging::is_image_name;

use super::other::Others;
use super::{entries, is_link, relative};

/// How far below a folder is looked, in folders.
const DEEPEST: usize = 16;

/// How many files and folders are looked at in all.
const MOST: usize = 100_000;

/// What was found there.
#[derive(Debug)]
pub struct Deeper {
    /// The folders below those that are read, by path inside the data folder, and how many images each
    /// holds, those of its own folders included.
    pub folders: Vec<(String, usize)>,
    /// One of the images, by path inside the data folder.
    pub example: Option<String>,
    /// How many files and folders may still be looked at.
    left: usize,
}

impl Default for Deeper {
    fn default() -> Self {
        Self { folders: Vec::new(), example: None, left: MOST }
    }
}

impl Deeper {
    /// How many images there are, as far as was looked.
    pub fn images(&self) -> usize {
        self.folders.iter().map(|(_, images)| images).sum()
    }

    /// Whether there may be more that was not looked at.
    pub fn is_cut(&self) -> bool {
        self.left == 0
    }

    /// Looks below `folder`, without following links, for images and for files of other formats. Whether
    /// there are any. What cannot be listed is passed over.
    pub(super) fn search(&mut self, root: &Path, folder: &Path, others: &mut Others) -> bool {
        let (mut images, before) = (0, others.files.len());
        let mut open: Vec<(PathBuf, usize)> = vec![(folder.to_owned(), 0)];
        while let Some((folder, depth)) = open.pop() {
            let mut found = entries(&folder).unwrap_or_default();
            found.sort_by_key(std::fs::DirEntry::file_name);
            let mut folders = Vec::new();
            for entry in found {
                if self.left == 0 {
                    break;
                }
                self.left -= 1;
                let path = entry.path();
                if is_link(&entry) {
                    continue;
                } else if path.is_dir() {
                    if depth < DEEPEST {
                        folders.push((path, depth + 1));
                    }
                } else if is_image_name(&path) {
                    images += 1;
                    self.example.get_or_insert_with(|| relative(root, &path));
                } else {
                    others.add(root, &path);
                }
            }
            open.extend(folders.into_iter().rev());
        }
        if images > 0 {
            self.folders.push((format!("{}/", relative(root, folder)), images));
        }
        images > 0 || others.files.len() > before
    }

    /// The folder to give in place of `root` for the example to be read, given that images are read in so
    /// many folders in each other.
    pub fn near(&self, root: &Path, levels: usize) -> Option<PathBuf> {
        let example = root.join(self.example.as_ref()?);
        let folder = example.ancestors().nth(levels + 1).filter(|folder| folder.starts_with(root));
        Some(folder.unwrap_or(root).to_owned())
    }
}
