//! What the files of a run hold, in one number each.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::thread::{Builder, JoinHandle};

use anyhow::{Context, Result, anyhow};
use sha2::{Digest as _, Sha256};

use super::model::Model;
use super::plan::Plan;
use super::weights_file::WeightsFile;
use crate::message::NO_THREAD;

/// A checkpoint's content.
#[derive(Clone, Debug)]
pub(crate) struct Digest {
    /// SHA-256 in hexadecimal; of several files, that of the lines that `sha256sum` would print of
    /// them.
    pub sha256: String,
    /// Length in bytes, of all files together.
    pub bytes: u64,
    files: Vec<WeightsFile>,
}

/// The content of every checkpoint of a run, by model and part.
pub(crate) struct Digests(Vec<Vec<Digest>>);

/// The same, as long as the files are being read.
pub(crate) struct Reading(JoinHandle<Vec<Vec<Result<Digest>>>>);

impl Reading {
    /// Starts to read the files, which takes about as long as to build the first network.
    pub(crate) fn start(plan: &Plan) -> Result<Self> {
        let of_model = |model: &Model| model.parts.iter().map(|part| part.files.clone()).collect();
        let all: Vec<Vec<Vec<WeightsFile>>> = plan.models.iter().map(of_model).collect();
        let digests = |parts: Vec<_>| parts.into_iter().map(Digest::compute).collect();
        let run = move || all.into_iter().map(digests).collect();
        Ok(Self(Builder::new().spawn(run).context(NO_THREAD)?))
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

    /// Every checkpoint's path and SHA-256.
    pub(crate) fn by_path<'a>(
        &'a self,
        plan: &'a Plan,
    ) -> impl Iterator<Item = (&'a Path, &'a str)> {
        let models = plan.models.iter().zip(&self.0);
        let parts = models.flat_map(|(model, digests)| model.parts.iter().zip(digests));
        parts.map(|(part, digest)| (part.checkpoint.path(), &*digest.sha256))
    }

    /// SHA-256 of the weights that explain an image.
    pub(crate) fn sha256(&self, plan: &Plan, model: usize, image: usize) -> &str {
        let parts = plan.models[model].parts.iter().zip(&self.0[model]);
        let mut own = parts.filter(|(part, _)| plan.is_of(part, image));
        own.next().map_or("", |(_, digest)| &digest.sha256)
    }
}

impl Digest {
    /// Of a checkpoint's files, which must still be what they were when it was opened.
    fn compute(files: Vec<WeightsFile>) -> Result<Self> {
        let (mut all, mut bytes) = (Vec::new(), 0_u64);
        for known in &files {
            let cannot = || format!("cannot read {}", known.path.display());
            let mut file = File::open(&known.path).with_context(cannot)?;
            known.check(file.metadata().ok().as_ref())?;
            let (sha256, read) = sha256_of(&mut file).with_context(cannot)?;
            all.push(sha256);
            bytes = bytes.saturating_add(read);
        }
        let sha256 = match &*all {
            [one] => one.clone(),
            several => {
                let mut lines = String::new();
                for (sha256, known) in several.iter().zip(&files) {
                    let name = known.path.file_name().unwrap_or_default().display();
                    let _ = writeln!(lines, "{sha256}  {name}");
                }
                self::sha256(lines.as_bytes())
            }
        };
        Ok(Self { sha256, bytes, files })
    }

    /// That the files are still those whose digest this is, after their numbers were read.
    pub(crate) fn check(&self) -> Result<()> {
        self.files.iter().try_for_each(|known| known.check(known.path.metadata().ok().as_ref()))
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
    use std::path::PathBuf;
    use std::time::{Duration, SystemTime};

    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn file(folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, b"abc").expect("a file");
        path
    }

    /// As if it had been replaced.
    fn touch(path: &Path) {
        let later = SystemTime::now() + Duration::from_secs(1);
        let file = File::options().write(true).open(path).expect("a file");
        file.set_modified(later).expect("a file of one's own");
    }

    #[test]
    fn a_file_that_changes_is_noticed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = file(folder.path(), "weights.h5");
        let opened = WeightsFile::now(&path);
        let digest = Digest::compute(vec![opened.clone()]).expect("a file");
        assert_eq!((digest.sha256.as_str(), digest.bytes), (ABC, 3));
        assert_eq!(sha256(b"abc"), ABC);
        digest.check().expect("the same file");
        touch(&path);
        for changed in [digest.check(), Digest::compute(vec![opened.clone()]).map(|_| ())] {
            assert!(changed.expect_err("another file").to_string().contains("weights.h5 changed"));
        }
        std::fs::remove_file(&path).expect("a file");
        assert!(digest.check().is_err());
        assert!(Digest::compute(vec![opened]).is_err());
    }

    #[test]
    fn every_file_of_a_checkpoint_counts() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let paths = ["a.onnx", "a.onnx.data"].map(|name| file(folder.path(), name));
        let files = || paths.iter().map(|path| WeightsFile::now(path)).collect();
        let digest = Digest::compute(files()).expect("files");
        let lines = format!("{ABC}  a.onnx\n{ABC}  a.onnx.data\n");
        assert_eq!((digest.sha256.as_str(), digest.bytes), (&*sha256(lines.as_bytes()), 6));
        std::fs::write(&paths[1], b"abd").expect("a file");
        touch(&paths[1]);
        assert!(digest.check().is_err());
        assert_ne!(Digest::compute(files()).expect("files").sha256, digest.sha256);
    }
}
