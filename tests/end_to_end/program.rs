//! Running the program in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use image::RgbImage;
use tempfile::TempDir;
use zip::ZipArchive;

/// What a run printed and how it ended.
pub(crate) struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().expect("an exit code"),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

/// A temporary folder in which the program runs.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.0.path().join(inside)
    }

    /// Copies a golden face, `Fold0/x.png`, to `to`.
    pub(crate) fn face(&self, face: &str, to: &str) {
        self.write(to, &fs::read(faces().join(face)).expect("a golden face"));
    }

    pub(crate) fn write(&self, to: &str, bytes: &[u8]) {
        let to = self.path(to);
        fs::create_dir_all(to.parent().expect("a parent")).expect("a folder");
        fs::write(to, bytes).expect("a file");
    }

    pub(crate) fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
    }

    /// `burncam` with these arguments, on the CPU unless they say otherwise.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_burncam"));
        command.args(arguments).current_dir(self.0.path()).env("BURNCAM_CACHE", self.path("cache"));
        if arguments.first() == Some(&"explain") && !arguments.contains(&"--device") {
            command.args(["--device", "cpu"]);
        }
        command
    }

    /// Runs `burncam` with these arguments, on the CPU unless they say otherwise.
    pub(crate) fn burncam(&self, arguments: &[&str]) -> Run {
        Run::of(self.command(arguments).output().expect("the program starts"))
    }

    /// Explains `faces` in this place with the small golden network, into `out`.
    pub(crate) fn explain(&self, arguments: &[&str]) -> Run {
        let weights = weights("NCNN_k2.h5");
        let fixed = ["explain", "--weights", &weights, "--data", "faces", "--out", "out"];
        self.burncam(&[&fixed, arguments].concat())
    }

    /// Unpacks what Keras wrote of networks that prepare their own input, into `k2` and `k3`.
    pub(crate) fn unpack_fronts(&self) {
        let archive = fs::File::open(goldens().join("front.zip")).expect("the archive");
        ZipArchive::new(archive).expect("a zip").extract(self.0.path()).expect("room");
    }

    /// Rows of `out/predictions.csv` as maps from column to cell.
    pub(crate) fn predictions(&self) -> Vec<std::collections::HashMap<String, String>> {
        self.predictions_in("out")
    }

    /// Rows of a results folder's `predictions.csv`.
    pub(crate) fn predictions_in(
        &self,
        out: &str,
    ) -> Vec<std::collections::HashMap<String, String>> {
        let table = self.path(out).join("predictions.csv");
        let mut reader = csv::Reader::from_path(table).expect("a table");
        reader.deserialize().map(|row| row.expect("a row")).collect()
    }
}

/// A golden checkpoint.
pub(crate) fn weights(name: &str) -> String {
    goldens().join("h5").join(name).display().to_string()
}

/// The golden images.
pub(crate) fn faces() -> PathBuf {
    goldens().join("faces")
}

pub(crate) fn goldens() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens")
}

/// CRC-32 of a picture's pixels.
pub(crate) fn pixels_crc32(file: &Path) -> u32 {
    crc32fast::hash(picture(file).as_raw())
}

/// A picture's pixels.
pub(crate) fn picture(file: &Path) -> RgbImage {
    let picture = burncam_imaging::decode(file, burncam_imaging::DecodeOptions::default());
    RgbImage::clone(&picture.unwrap_or_else(|error| panic!("{error}")))
}

/// Every file below a folder, by path inside it, sorted.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    found.push(path.strip_prefix(folder).expect("inside").display().to_string())
                }
            }
        }
    }
    found.sort();
    found
}
