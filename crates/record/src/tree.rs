//! Where a model's overlays go: the notebook's tree, in which no file overwrites another.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use burncam_evaluation::Outcome;

/// The names of one image's overlays, without the model's prefix. Made by [`assign`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The fold's folder.
    pub folder: String,
    /// The file's name in the fold's folder.
    pub in_fold: String,
    /// The file's name in `All`.
    pub in_all: String,
}

/// Gives each image, named by its fold and its file name, a place of its own.
///
/// An image keeps its name, as in the notebook, unless an earlier one has it: the later ones
/// are called `<fold>_<image>` in `All`, and get a number where that is taken too. Earlier and
/// later go by fold and name, not by the list's order, so a set of images always gets the same
/// places. Names count as equal when only their case differs, because some file systems see it
/// so. Folds called like something else in the tree (`All`, `maps`, a `.csv`) get a `_` at the
/// end. A name that is no plain file name, such as `..` or one with a `/`, is made one: nothing
/// is ever placed outside the tree. Of a very long name the middle is left out, since the overlay's
/// is longer than the image's.
///
/// The result is in the order of `images`.
#[must_use]
pub fn assign<F: AsRef<str>, I: AsRef<str>>(images: &[(F, I)]) -> Vec<Place> {
    let name = |index: usize| (images[index].0.as_ref(), images[index].1.as_ref());
    let mut order: Vec<usize> = (0..images.len()).collect();
    order.sort_by_key(|&index| name(index));

    let folders = folders(order.iter().map(|&index| name(index).0));
    let mut all = Names::default();
    let mut folds: BTreeMap<&str, Names> = BTreeMap::new();
    let mut places = vec![None; images.len()];
    let mut later = Vec::new();
    for index in order {
        let (fold, image) = name(index);
        let image = plain(image);
        let in_fold = folds.entry(fold).or_default().free(&image);
        let in_all = if all.take(&image) { image } else { String::new() };
        if in_all.is_empty() {
            later.push(index);
        }
        places[index] = Some(Place { folder: folders[fold].clone(), in_fold, in_all });
    }
    let mut places: Vec<Place> = places.into_iter().flatten().collect();
    for index in later {
        let (fold, image) = name(index);
        places[index].in_all = all.free(&plain(&format!("{}_{}", plain(fold), plain(image))));
    }
    places
}

fn folders<'a>(folds: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, String> {
    let mut names = Names::default();
    names.take("All");
    names.take("maps");
    let mut tried = HashMap::new();
    let mut folders = BTreeMap::new();
    for fold in folds {
        folders.entry(fold).or_insert_with(|| folder(&plain(fold), &mut names, &mut tried));
    }
    folders
}

/// No file system has longer names, in characters.
const LONGEST_FOLDER: usize = 255;

/// Takes `name`, or the first of `name_`, `name__` ... that is free and no `.csv`; where that would
/// be too long, `name__2`, `name__3` ... `tried` has, by name in lower case, how many `_` are tried
/// next: fewer are taken.
fn folder(name: &str, names: &mut Names, tried: &mut HashMap<String, usize>) -> String {
    let lower = name.to_lowercase();
    let first = usize::from(lower.ends_with(".csv"));
    let next = tried.entry(lower).or_insert(first);
    let most = LONGEST_FOLDER.saturating_sub(name.chars().count());
    while *next <= most {
        let folder = format!("{name}{}", "_".repeat(*next));
        *next += 1;
        if names.take(&folder) {
            return folder;
        }
    }
    names.free(&format!("{name}_"))
}

/// `name` as one component of a path: no separator, no control character, not `.` or `..`, and not
/// too long.
fn plain(name: &str) -> String {
    match name {
        "" | "." | ".." => "_".repeat(name.len().max(1)),
        _ => shortened(name)
            .chars()
            .map(|c| if has_meaning_in_paths(c) || c.is_control() { '_' } else { c })
            .collect(),
    }
}

/// A name may have 255 bytes, and the model's, the fold's and further endings come to it.
const LONGEST: usize = 110;

/// The start and the end of a long name.
fn shortened(name: &str) -> Cow<'_, str> {
    if name.len() <= LONGEST {
        return Cow::Borrowed(name);
    }
    let (start, end) = (LONGEST - 50, name.len() - 40);
    let start = (0..=start).rev().find(|&at| name.is_char_boundary(at)).unwrap_or(0);
    let end = (end..=name.len()).find(|&at| name.is_char_boundary(at)).unwrap_or(name.len());
    Cow::Owned(format!("{}…{}", &name[..start], &name[end..]))
}

/// A name such as `12:30.png` is the user's own except where a colon ends a drive's letter.
fn has_meaning_in_paths(c: char) -> bool {
    std::path::is_separator(c) || (cfg!(windows) && c == ':')
}

/// The names taken in one folder.
#[derive(Default)]
struct Names {
    /// In lower case.
    taken: HashSet<String>,
    /// By the name with the number 2, in lower case: the number that is tried next. Smaller ones are
    /// taken. It is not by the name itself, since Greek has letters whose lower case depends on what
    /// follows.
    next: HashMap<String, usize>,
}

impl Names {
    fn take(&mut self, name: &str) -> bool {
        self.taken.insert(name.to_lowercase())
    }

    /// Takes `name`, or the first of `<stem>_2.<extension>`, `<stem>_3.<extension>` ... free.
    fn free(&mut self, name: &str) -> String {
        if self.take(name) {
            return name.to_owned();
        }
        let (stem, extension) = match name.rfind('.') {
            Some(dot) if dot > 0 => name.split_at(dot),
            _ => (name, ""),
        };
        let numbered = |number: usize| format!("{stem}_{number}{extension}");
        let key = numbered(2).to_lowercase();
        let mut number = self.next.get(&key).copied().unwrap_or(2);
        while !self.take(&numbered(number)) {
            number += 1;
        }
        self.next.insert(key, number + 1);
        numbered(number)
    }
}

/// The explanation that the notebook makes: small pictures of it stand under the model's name alone.
const NOTEBOOK: &str = "GradCAM";

/// The folder of what one explanation of a model shows: `<out>/<Model>_GradCAM`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    root: PathBuf,
    thumbnails: PathBuf,
    model: String,
}

impl Tree {
    /// The tree of an explanation of the model called `model` below `out`. Nothing is made on disk.
    #[must_use]
    pub fn new(out: &Path, model: &str, explanation: &str) -> Self {
        let model = plain(model);
        let name = format!("{model}_{}", plain(explanation));
        let small = if explanation == NOTEBOOK { &model } else { &name };
        Self { thumbnails: out.join("thumbs").join(small), root: out.join(&name), model }
    }

    /// The tree's own folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `<Model>.csv`, the notebook's table.
    #[must_use]
    pub fn csv_path(&self) -> PathBuf {
        self.root.join(format!("{}.csv", self.model))
    }

    /// The two paths of one overlay: `All/<outcome>/<Model>_<image>` first, then
    /// `<fold>/<outcome>/<Model>_<image>`.
    #[must_use]
    pub fn overlay_paths(&self, place: &Place, outcome: Outcome) -> [PathBuf; 2] {
        let path = |folder: &str, file: &str| {
            self.root.join(folder).join(outcome.name()).join(format!("{}_{file}", self.model))
        };
        [path("All", &place.in_all), path(&place.folder, &place.in_fold)]
    }

    /// `<out>/thumbs/<Model>/<fold>/<image>.jpg`, the small picture of the report; of other explanations than the
    /// notebook's `<out>/thumbs/<Model>_<explanation>/…`.
    #[must_use]
    pub fn thumbnail_path(&self, place: &Place) -> PathBuf {
        self.thumbnails.join(&place.folder).join(format!("{}.jpg", place.in_fold))
    }

    /// `maps/<fold>/<image>.npy`, the raw map.
    #[must_use]
    pub fn map_path(&self, place: &Place) -> PathBuf {
        self.root.join("maps").join(&place.folder).join(format!("{}.npy", place.in_fold))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::{Tree, assign};
    use burncam_evaluation::Outcome;

    fn in_all(images: &[(&str, &str)]) -> Vec<String> {
        assign(images).into_iter().map(|place| place.in_all).collect()
    }

    #[test]
    fn the_tree_is_the_notebooks() {
        let tree = Tree::new(Path::new("out"), "VGG16", "GradCAM");
        let place = &assign(&[("Fold0", "S01.png")])[0];
        let [all, fold] = tree.overlay_paths(place, Outcome::Right);
        assert_eq!(all, Path::new("out/VGG16_GradCAM/All/Right/VGG16_S01.png"));
        assert_eq!(fold, Path::new("out/VGG16_GradCAM/Fold0/Right/VGG16_S01.png"));
        assert_eq!(tree.csv_path(), Path::new("out/VGG16_GradCAM/VGG16.csv"));
        assert_eq!(tree.map_path(place), Path::new("out/VGG16_GradCAM/maps/Fold0/S01.png.npy"));
        let [all, _] = tree.overlay_paths(place, Outcome::Unknown);
        assert_eq!(all, Path::new("out/VGG16_GradCAM/All/Unknown/VGG16_S01.png"));
    }

    #[test]
    fn every_explanation_has_a_tree() {
        let place = &assign(&[("Fold0", "S01.png")])[0];
        let tree = |explanation: &str| Tree::new(Path::new("out"), "VGG16", explanation);
        let thumbnail = |explanation: &str| tree(explanation).thumbnail_path(place);
        assert_eq!(thumbnail("GradCAM"), Path::new("out/thumbs/VGG16/Fold0/S01.png.jpg"));
        assert_eq!(
            thumbnail("HiResCAM_a/b"),
            Path::new("out/thumbs/VGG16_HiResCAM_a_b/Fold0/S01.png.jpg")
        );
        assert_eq!(tree("HiResCAM_a/b").root(), Path::new("out/VGG16_HiResCAM_a_b"));
    }

    #[test]
    fn equal_names_in_two_folds_both_stay() {
        let images = [("Fold1", "a.png"), ("Fold0", "a.png"), ("Fold2", "A.PNG")];
        assert_eq!(in_all(&images), ["Fold1_a.png", "a.png", "Fold2_A.PNG"]);
        let taken = [("F", "a.png"), ("G", "G_a.png"), ("G", "a.png")];
        assert_eq!(in_all(&taken), ["a.png", "G_a.png", "G_a_2.png"]);
    }

    #[test]
    fn folds_do_not_clash_with_the_tree() {
        let images = ["all", "All", "All_", "maps", "VGG16.csv", "Fold0", "fold0"]
            .map(|fold| (fold, "a.png"));
        let folders: Vec<String> = assign(&images).into_iter().map(|place| place.folder).collect();
        let expected = ["all___", "All_", "All__", "maps_", "VGG16.csv_", "Fold0", "fold0_"];
        assert_eq!(folders, expected);
    }

    /// A name for each number: letters of either case.
    fn of_case(number: usize) -> String {
        (0..17).map(|bit| if number >> bit & 1 == 0 { 'a' } else { 'A' }).collect()
    }

    /// Each had tried the numbers of all before it.
    #[test]
    fn a_hundred_thousand_names_that_differ_in_case_or_in_the_middle_are_numbered() {
        const MANY: usize = 100_000;
        let long = |number: usize| format!("{}{number:06}{}", "x".repeat(80), "y".repeat(80));
        for name in [of_case, long] {
            let names: Vec<(&str, String)> = (0..MANY).map(|image| ("F", name(image))).collect();
            let places = assign(&names);
            let last = places.iter().filter(|place| place.in_fold.ends_with("_100000"));
            assert_eq!(last.count(), 1);
            let distinct: HashSet<&str> = places.iter().map(|place| &*place.in_all).collect();
            assert_eq!(distinct.len(), MANY);
        }
    }

    /// With a `_` more for each, their names had 5 GB.
    #[test]
    fn a_hundred_thousand_folds_that_differ_in_case_have_short_names() {
        let folds: Vec<(String, &str)> =
            (0..100_000).map(|fold| (of_case(fold), "a.png")).collect();
        let mut folders: Vec<String> =
            assign(&folds).into_iter().map(|place| place.folder.to_lowercase()).collect();
        folders.sort_unstable();
        folders.dedup();
        assert_eq!(folders.len(), folds.len());
        let name = "a".repeat(17);
        let underscores = format!("{name}{}", "_".repeat(238));
        assert!(folders.contains(&underscores) && folders.contains(&format!("{name}__2")));
        assert!(folders.iter().all(|folder| folder.len() <= 255));
    }

    #[test]
    fn numbers_are_passed_over_only_where_they_are_taken() {
        // All are `ασ.png` in lower case; with a number, those with a capital sigma are `ας_2.png`.
        let images = ["ΑΣ.png", "Ασ.png", "αΣ.png", "ασ.png"].map(|image| ("F", image));
        let in_fold: Vec<String> = assign(&images).into_iter().map(|place| place.in_fold).collect();
        assert_eq!(in_fold, ["ΑΣ.png", "Ασ_2.png", "αΣ_2.png", "ασ_3.png"]);
    }

    #[test]
    fn nothing_leaves_the_tree() {
        let places = assign(&[("..", "../../x.png"), ("/etc", ".."), ("", "a\nb")]);
        assert_eq!(places[0].folder, "__");
        assert_eq!(places[0].in_fold, ".._.._x.png");
        assert_eq!(places[1].folder, "_etc");
        assert_eq!(places[1].in_fold, "__");
        assert_eq!(places[2].folder, "_");
        assert_eq!(places[2].in_fold, "a_b");
        assert_eq!(
            Tree::new(Path::new("out"), "../m", "GradCAM").root(),
            Path::new("out/.._m_GradCAM")
        );
    }

    #[test]
    fn long_names_are_shortened_and_stay_apart() {
        let name = |middle: &str| format!("{}{middle}{}.png", "é".repeat(60), "x".repeat(120));
        let (a, b) = (name("a"), name("b"));
        let places = assign(&[("F", &a), ("F", &b)]);
        assert_eq!(places[0].in_fold, format!("{}…{}.png", "é".repeat(30), "x".repeat(36)));
        assert_eq!(places[1].in_fold, format!("{}…{}_2.png", "é".repeat(30), "x".repeat(36)));
        assert!(places.iter().all(|place| place.in_all.len() < 120));
    }

    #[cfg(windows)]
    #[test]
    fn nothing_leaves_the_tree_on_windows() {
        let places = assign(&[("..\\..", "C:x.png")]);
        assert_eq!(places[0].folder, ".._..");
        assert_eq!(places[0].in_fold, "C_x.png");
    }

    /// Names made of few pieces, so that they collide often.
    fn names() -> impl Strategy<Value = String> {
        prop::collection::vec(
            prop::sample::select(vec!["a", "A", "_", "2", "/", "..", "All", ".png"]),
            0..4,
        )
        .prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn paths_are_distinct_inside_and_independent_of_order(
            images in prop::collection::vec((names(), names()), 1..12),
        ) {
            let tree = Tree::new(Path::new("out"), "VGG16", "GradCAM");
            let places = assign(&images);
            prop_assert_eq!(places.len(), images.len());
            let mut seen = HashSet::from([tree.csv_path().display().to_string().to_lowercase()]);
            for place in &places {
                for path in tree.overlay_paths(place, Outcome::Wrong) {
                    let inside = path.strip_prefix(tree.root()).expect("below the root");
                    let plain = inside.components().all(|c| matches!(c, Component::Normal(_)));
                    prop_assert!(plain && inside.components().count() == 3, "{}", path.display());
                    prop_assert!(seen.insert(path.display().to_string().to_lowercase()));
                }
            }
            let distinct: HashSet<_> = images.iter().collect();
            if distinct.len() == images.len() {
                let mut reversed: Vec<_> = images.clone();
                reversed.reverse();
                let mut again = assign(&reversed);
                again.reverse();
                prop_assert_eq!(again, places);
            }
        }
    }
}
