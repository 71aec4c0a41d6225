//! From `--weights` to the files of each model: a file, a folder of files, or a path with `{fold}`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use burncam_weights::is_checkpoint_name;

/// What stands for the fold's name in a path.
const FOLD: &str = "{fold}";

/// The files of one model.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Files {
    /// The path as given, with `{fold}` where it has one.
    pub path: PathBuf,
    /// One file a fold, or one for the images of all folds.
    pub by: Source,
    /// Whether it was found in a folder that was given.
    pub in_folder: bool,
}

/// Which images a model's files explain.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// One file explains all images.
    All,
    /// Each fold, by name, has its own file.
    Folds(Vec<(String, PathBuf)>),
}

/// The models that `given` paths mean, in their order; those of a folder by name.
///
/// # Errors
///
/// If a folder cannot be listed or holds no checkpoint, a fold has no file, or a file is meant
/// twice.
pub(crate) fn files(given: &[PathBuf], folds: &[String]) -> Result<Vec<Files>> {
    let mut models = Vec::new();
    for path in given {
        if path.to_string_lossy().contains(FOLD) {
            let by = Source::Folds(of_folds(path, folds)?);
            models.push(Files { path: path.clone(), by, in_folder: false });
        } else if path.is_dir() {
            let files = in_folder(path)?.into_iter();
            models.extend(files.map(|path| Files { path, by: Source::All, in_folder: true }));
        } else {
            models.push(Files { path: path.clone(), by: Source::All, in_folder: false });
        }
    }
    for (index, model) in models.iter().enumerate() {
        if models[..index].iter().any(|earlier| same(&earlier.path, &model.path)) {
            bail!("--weights: {} is given twice", model.path.display());
        }
    }
    Ok(models)
}

/// A name for the model, where its architecture's is taken: the file's, without its ending.
pub(crate) fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.replace(FOLD, "");
    let stem = name.split('.').find(|part| !part.is_empty()).unwrap_or_default();
    stem.trim_matches(['_', '-', ' ']).to_owned()
}

fn of_folds(pattern: &Path, folds: &[String]) -> Result<Vec<(String, PathBuf)>> {
    let file = |fold: &String| PathBuf::from(pattern.to_string_lossy().replace(FOLD, fold));
    let files: Vec<_> = folds.iter().map(|fold| (fold.clone(), file(fold))).collect();
    let missing: Vec<String> = (files.iter().filter(|(_, path)| !path.is_file()))
        .map(|(fold, path)| format!("{} (for {fold})", path.display()))
        .collect();
    if missing.is_empty() {
        return Ok(files);
    }
    bail!(
        "--weights {}: there is no file {}\nhint: {FOLD} stands for the name of a fold's folder in \
         --data, and each fold needs its file",
        pattern.display(),
        missing.join(", ")
    )
}

fn in_folder(folder: &Path) -> Result<Vec<PathBuf>> {
    let cannot = || format!("cannot list the folder {}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if is_checkpoint_name(&path) && !hidden && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        bail!(
            "there is no checkpoint in the folder {}\nhint: --weights takes a file, a folder of \
             files ({}), or a path with {FOLD}",
            folder.display(),
            burncam_weights::ENDINGS.map(|ending| format!(".{ending}")).join(", ")
        );
    }
    Ok(files)
}

fn same(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a temporary folder");
        for file in files {
            fs::write(root.path().join(file), b"").expect("a file");
        }
        root
    }

    fn folds() -> Vec<String> {
        ["Fold0", "Fold1"].map(str::to_owned).to_vec()
    }

    #[test]
    fn a_folder_is_its_checkpoints_by_name() {
        let root = folder(&["b.H5", "a.keras", "notes.txt", ".hidden.h5"]);
        let found = files(&[root.path().to_owned()], &folds()).expect("models");
        let paths = ["a.keras", "b.H5"].map(|name| root.path().join(name));
        assert_eq!(found, paths.map(|path| Files { path, by: Source::All, in_folder: true }));
    }

    #[test]
    fn each_fold_has_its_file() {
        let root = folder(&["N_Fold0.h5", "N_Fold1.h5"]);
        let pattern = root.path().join("N_{fold}.h5");
        let found = files(std::slice::from_ref(&pattern), &folds()).expect("a model");
        let file = |fold: &String| (fold.clone(), root.path().join(format!("N_{fold}.h5")));
        let by = Source::Folds(folds().iter().map(file).collect());
        assert_eq!(found, [Files { path: pattern, by, in_folder: false }]);
    }

    #[test]
    fn a_fold_without_a_file_is_named() {
        let root = folder(&["N_Fold0.h5"]);
        let error = files(&[root.path().join("N_{fold}.h5")], &folds()).expect_err("no Fold1");
        let text = error.to_string();
        assert!(text.contains("N_Fold1.h5 (for Fold1)") && !text.contains("Fold0"), "{text}");
    }

    #[test]
    fn a_file_counts_once() {
        let root = folder(&["a.h5"]);
        let twice = [root.path().to_owned(), root.path().join("a.h5")];
        let error = files(&twice, &folds()).expect_err("twice").to_string();
        assert!(error.contains("given twice"), "{error}");
    }

    #[test]
    fn a_name_is_the_files_without_its_ending() {
        for (path, name) in [
            ("models/VGG16_{fold}.h5", "VGG16"),
            ("{fold}-best.weights.h5", "best"),
            ("a.weights.h5", "a"),
            ("{fold}.h5", "h5"),
        ] {
            assert_eq!(stem(Path::new(path)), name, "{path}");
        }
    }
}
