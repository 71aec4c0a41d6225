//! What the files of a run hold, in one number each.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::SystemTime;

use anyhow::{Context, Result, anyhow, bail};
use sha2::{Digest as _, Sha256};

use super::plan::Plan;

/// A checkpoint's content.
#[derive(Clone, Debug)]
pub(crate) struct Digest {
    /// SHA-256 in hexadecimal.
    pub sha256: String,
    /// Length in bytes.
    pub bytes: u64,
    path: PathBuf,
    modified: Option<SystemTime>,
}

/// The content of every checkpoint of a run, by model and part.
pub(crate) struct Digests(Vec<Vec<Digest>>);

/// The same, as long as the files are being read.
pub(crate) struct Reading(JoinHandle<Vec<Vec<Result<Digest>>>>);

impl Reading {
    /// Starts to read the files, which takes about as long as to build the first network.
    pub(crate) fn start(plan: &Plan) -> Self {
        let of_model = |parts: &[super::model::Part]| -> Vec<PathBuf> {
            parts.iter().map(|part| part.checkpoint.path().to_owned()).collect()
        };
        let paths: Vec<_> = plan.models.iter().map(|model| of_model(&model.parts)).collect();
        let digests = |paths: &Vec<PathBuf>| paths.iter().map(|path| Digest::of(path)).collect();
        Self(thread::spawn(move || paths.iter().map(digests).collect()))
    }

    /// Waits for the end.
    pub(crate) fn finish(self) -> Result<Digests> {
        let found = self.0.join();
        let found = found.map_err(|_| anyhow!("the thread that reads the weights has failed"))?;
        let of_model = |digests: Vec<Result<Digest>>| digests.into_iter().collect();
        found.into_iter().map(of_model).collect::<Result<_>>().map(Digests)
    }
}

impl Digests {
    /// Those of a model, in the order of its parts.
    pub(crate) fn of_model(&self, model: usize) -> &[Digest] {
        &self.0[model]
    }

    /// SHA-256 of the weights that explain an image.
    pub(crate) fn of(&self, plan: &Plan, model: usize, image: usize) -> &str {
        let parts = plan.models[model].parts.iter().zip(&self.0[model]);
        let mut own = parts.filter(|(part, _)| plan.is_of(part, image));
        own.next().map_or("", |(_, digest)| &digest.sha256)
    }
}

impl Digest {
    fn of(path: &Path) -> Result<Self> {
        let cannot = || format!("cannot read {}", path.display());
        let mut file = File::open(path).with_context(cannot)?;
        let modified = file.metadata().with_context(cannot)?.modified().ok();
        let (sha256, bytes) = sha256_of(&mut file).with_context(cannot)?;
        Ok(Self { sha256, bytes, path: path.to_owned(), modified })
    }

    /// That the file is still the one whose digest this is, after its numbers were read.
    pub(crate) fn check(&self) -> Result<()> {
        let now = self.path.metadata().ok();
        let same =
            now.is_some_and(|now| now.len() == self.bytes && now.modified().ok() == self.modified);
        if !same {
            bail!(
                "{} changed while it was read\nhint: what is done stays; when the file is whole, go \
                 on with --resume",
                self.path.display()
            );
        }
        Ok(())
    }
}

/// SHA-256 in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(Sha256::digest(bytes).as_slice())
}

fn sha256_of(file: &mut File) -> io::Result<(String, u64)> {
    let mut hash = Sha256::new();
    let (mut buffer, mut bytes) = (vec![0; 1 << 20], 0);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((hex(hash.finalize().as_slice()), bytes)),
            read => {
                hash.update(&buffer[..read]);
                bytes += read as u64;
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changes_is_noticed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("weights.h5");
        std::fs::write(&path, b"abc").expect("a file");
        let digest = Digest::of(&path).expect("a file");
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((digest.sha256.as_str(), digest.bytes), (abc, 3));
        assert_eq!(sha256(b"abc"), abc);
        digest.check().expect("the same file");
        let later = SystemTime::now() + std::time::Duration::from_secs(1);
        let file = File::options().write(true).open(&path).expect("a file");
        file.set_modified(later).expect("a file of one's own");
        assert!(digest.check().expect_err("another file").to_string().contains("weights.h5"));
        std::fs::remove_file(&path).expect("a file");
        assert!(digest.check().is_err());
    }
}
