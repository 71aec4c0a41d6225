//! `images.jsonl`: one line for each finished image, from which a run is resumed and reported.
//!
//! The first line says what was run. Lines are only ever added; where two are about one image, the
//! later one holds. A line that cannot be read, such as the last one of a run that was killed, is
//! passed over, so nothing that stands in the file can make another line wrong.

#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used,
    )
)]

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::write::{write_atomic_with, write_new};
use crate::{Error, Prediction, RunSpec};

/// The journal's name in the output folder.
pub const JOURNAL: &str = "images.jsonl";

/// The version of the file's layout.
const LAYOUT: u32 = 2;

/// What may lie between the entries of a journal, in bytes, such as zeros of a failing disk. A file
/// may have holes, so that its length says nothing of how much somebody wrote.
const UNREADABLE: u64 = 1 << 30;

/// How many lines between the entries of a journal may be something else: a GiB of empty lines takes
/// minutes to read.
const UNREADABLE_LINES: u64 = 1 << 24;

/// The longest line that is read, in bytes: a row of a thousand classes has some 50,000.
const LONGEST: u64 = 1 << 24;

#[derive(Serialize, Deserialize)]
struct Header {
    journal: u32,
    run: Value,
}

/// A finished image: what it was made of, what was written, and its row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// SHA-256 of the image file in hexadecimal; nothing where it could not be read.
    pub image: Option<String>,
    /// SHA-256 of the weights file in hexadecimal.
    pub weights: String,
    /// Whether values of 16-bit grey were cut to white.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub saturated: bool,
    /// Whether its EXIF orientation was ignored.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_upright: bool,
    /// The files that were written.
    pub files: Vec<Written>,
    /// What was found.
    pub row: Prediction,
}

/// A file that a run wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Its path in the output folder, with `/`.
    pub path: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// CRC-32 of its content.
    pub crc32: u32,
}

/// The place of an entry in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    offset: u64,
    bytes: u32,
}

/// The journal of a run.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: Mutex<File>,
    end: u64,
}

impl Journal {
    /// Begins the journal of a run that is told from others by `run`, at `path`, where nothing may
    /// be yet.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] where another process has just begun one, else [`Error::Write`].
    pub fn create(path: &Path, run: &RunSpec) -> Result<Self, Error> {
        write_new(path, &header(run)?).map_err(|error| match error {
            Error::Write { path, source } if source.kind() == ErrorKind::AlreadyExists => {
                Error::Busy { path }
            }
            other => other,
        })?;
        Ok(Self::resume(path)?.0)
    }

    /// Keeps other processes from going on with the journal at `path`, whatever it holds, as long as
    /// the file is not dropped. Nothing if no file is there.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if another process has it open, [`Error::Read`] if it cannot be opened.
    pub fn hold(path: &Path) -> Result<Option<File>, Error> {
        if !path.is_file() {
            return Ok(None);
        }
        let file = OpenOptions::new().read(true).write(true).open(path);
        let file =
            file.map_err(|error| Error::Read { path: path.to_owned(), what: error.to_string() })?;
        lock(&file, path)?;
        Ok(Some(file))
    }

    /// Opens a journal to go on with it, and gives what its run is told from others by. Nobody else
    /// can open it so until this one is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] if it is no journal, [`Error::Busy`] if another process has it open.
    pub fn resume(path: &Path) -> Result<(Self, RunSpec), Error> {
        let (mut journal, run) = Self::of(path, OpenOptions::new().read(true).write(true))?;
        lock(&journal.opened(), path)?;
        // Another process may have replaced it between the two.
        if !is_at(&journal.opened(), path) {
            return Err(Error::Busy { path: path.to_owned() });
        }
        journal.drop_torn_line()?;
        Ok((journal, run))
    }

    /// Opens a journal to read it.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] if it is no journal.
    pub fn open(path: &Path) -> Result<(Self, RunSpec), Error> {
        Self::of(path, OpenOptions::new().read(true))
    }

    fn of(path: &Path, how: &OpenOptions) -> Result<(Self, RunSpec), Error> {
        let wrong = |what: String| Error::Read { path: path.to_owned(), what };
        // Opening a pipe would wait for its other end.
        if path.metadata().is_ok_and(|found| !found.is_file()) {
            return Err(wrong("it is no ordinary file".to_owned()));
        }
        let file = how.open(path).map_err(|error| wrong(error.to_string()))?;
        let end = file.metadata().map_err(|error| wrong(error.to_string()))?.len();
        let mut first = Vec::new();
        let read = BufReader::new(&file).take(LONGEST).read_until(b'\n', &mut first);
        read.map_err(|error| wrong(error.to_string()))?;
        let header: Header = serde_json::from_slice(&first)
            .map_err(|error| wrong(format!("its first line is no record of a run: {error}")))?;
        if header.journal != LAYOUT {
            let found = header.journal;
            return Err(wrong(format!(
                "it was written by another version of Burncam: it has layout {found}, and this one \
                 reads {LAYOUT}"
            )));
        }
        let run = serde_json::from_value(header.run)
            .map_err(|error| wrong(format!("its first line is no record of a run: {error}")))?;
        Ok((Self { path: path.to_owned(), file: Mutex::new(file), end }, run))
    }

    /// The journal's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file is still the one under its path, with all that was written.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        self.path.metadata().is_ok_and(|found| found.len() == self.end)
    }

    /// Adds entries, in one piece.
    ///
    /// # Errors
    ///
    /// [`Error::Write`], and the journal is as it was.
    pub fn append(&mut self, entries: &[Entry]) -> Result<Vec<Line>, Error> {
        let (mut text, mut lines) = (Vec::new(), Vec::with_capacity(entries.len()));
        for entry in entries {
            let before = text.len();
            serde_json::to_writer(&mut text, entry)?;
            text.push(b'\n');
            lines.push(self.line(before, text.len())?);
        }
        self.write(&text)?;
        Ok(lines)
    }

    fn line(&self, from: usize, to: usize) -> Result<Line, Error> {
        let bytes = u32::try_from(to.saturating_sub(from)).ok();
        let bytes = bytes.filter(|&bytes| u64::from(bytes) < LONGEST);
        let offset = u64::try_from(from).ok().and_then(|from| self.end.checked_add(from));
        match (offset, bytes) {
            (Some(offset), Some(bytes)) => Ok(Line { offset, bytes }),
            _ => Err(self.unreadable("an entry is too long".to_owned())),
        }
    }

    /// Reads an entry.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] if it is not there any more.
    pub fn entry(&self, line: Line) -> Result<Entry, Error> {
        let text = self.text(line).map_err(|error| self.unreadable(error.to_string()))?;
        serde_json::from_slice(&text).map_err(|error| self.unreadable(error.to_string()))
    }

    /// Every entry that can be read, in the order of writing, with its place. `take` must leave the
    /// journal alone.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] if the file cannot be read, or is mostly something else.
    pub fn each(&self, mut take: impl FnMut(Line, Entry)) -> Result<(), Error> {
        let failed = |error: io::Error| self.unreadable(error.to_string());
        // Elsewhere than on Unix, a locked file can only be read through the handle that locked it.
        let mut file = self.opened();
        file.rewind().map_err(failed)?;
        let mut reader = BufReader::new(&mut *file);
        let (mut offset, mut unreadable, mut lines) = (0_u64, 0_u64, 0_u64);
        let mut text = Vec::new();
        loop {
            text.clear();
            let read = reader.by_ref().take(LONGEST).read_until(b'\n', &mut text);
            let Ok(bytes) = u32::try_from(read.map_err(failed)?) else { return Ok(()) };
            if bytes == 0 {
                return Ok(());
            }
            if text.len() > 1
                && text.ends_with(b"\n")
                && let Ok(entry) = serde_json::from_slice(&text)
            {
                take(Line { offset, bytes }, entry);
            } else {
                unreadable = unreadable.saturating_add(u64::from(bytes));
                lines = lines.saturating_add(1);
                if unreadable > UNREADABLE {
                    return Err(self.no_journal());
                }
                if lines > UNREADABLE_LINES {
                    let what = format!("more than {UNREADABLE_LINES} of its lines are no record");
                    return Err(self.unreadable(format!("{what} of an image")));
                }
            }
            offset = offset.saturating_add(u64::from(bytes));
        }
    }

    /// Leaves only these entries, in this order, and goes on with what results.
    ///
    /// # Errors
    ///
    /// [`Error::Write`] or [`Error::Read`], and the journal is as it was.
    pub fn keep(self, run: &RunSpec, lines: &[Line]) -> Result<(Self, Vec<Line>), Error> {
        let mut kept = Vec::with_capacity(lines.len());
        let head = header(run)?;
        let mut offset = head.len() as u64;
        write_atomic_with(&self.path, |out| {
            let failed = |source| Error::Write { path: self.path.clone(), source };
            out.write_all(&head).map_err(failed)?;
            for &line in lines {
                let text = self.text(line).map_err(|error| self.unreadable(error.to_string()))?;
                out.write_all(&text).map_err(failed)?;
                kept.push(Line { offset, bytes: line.bytes });
                offset = offset.saturating_add(u64::from(line.bytes));
            }
            Ok(())
        })?;
        let path = self.path.clone();
        drop(self);
        Ok((Self::resume(&path)?.0, kept))
    }

    fn text(&self, line: Line) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        let mut file = self.opened();
        file.seek(SeekFrom::Start(line.offset))?;
        (&mut *file).take(u64::from(line.bytes)).read_to_end(&mut text)?;
        Ok(text)
    }

    fn write(&mut self, text: &[u8]) -> Result<(), Error> {
        let mut file = self.opened();
        let end = SeekFrom::Start(self.end);
        if let Err(source) = file.seek(end).and_then(|_| file.write_all(text)) {
            // What was written of it would make the next line unreadable.
            let _ = file.set_len(self.end);
            return Err(self.unwritten(source));
        }
        drop(file);
        self.end = self.end.saturating_add(text.len() as u64);
        Ok(())
    }

    /// Ends the file with its last whole line.
    fn drop_torn_line(&mut self) -> Result<(), Error> {
        let mut file = self.opened();
        let mut end = self.end;
        let mut block = vec![0; 1 << 20];
        while end > 0 {
            if self.end.saturating_sub(end) > UNREADABLE {
                drop(file);
                return Err(self.no_journal());
            }
            let start = end.saturating_sub(block.len() as u64);
            let size = usize::try_from(end.saturating_sub(start)).unwrap_or_default();
            let read =
                file.seek(SeekFrom::Start(start)).and_then(|_| match block.get_mut(..size) {
                    Some(block) => file.read_exact(block),
                    None => Err(ErrorKind::InvalidInput.into()),
                });
            read.map_err(|error| self.unreadable(error.to_string()))?;
            let last = block.iter().take(size).rposition(|&byte| byte == b'\n');
            match last.and_then(|last| start.checked_add(last as u64)?.checked_add(1)) {
                None => end = start,
                Some(whole) => {
                    end = whole;
                    break;
                }
            }
        }
        if end < self.end {
            file.set_len(end).map_err(|source| self.unwritten(source))?;
        }
        drop(file);
        self.end = end;
        Ok(())
    }

    fn opened(&self) -> std::sync::MutexGuard<'_, File> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn no_journal(&self) -> Error {
        let most = UNREADABLE >> 30;
        self.unreadable(format!("more than {most} GiB of it is no record of an image"))
    }

    fn unreadable(&self, what: String) -> Error {
        Error::Read { path: self.path.clone(), what }
    }

    fn unwritten(&self, source: io::Error) -> Error {
        Error::Write { path: self.path.clone(), source }
    }
}

fn lock(file: &File, path: &Path) -> Result<(), Error> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(Error::Busy { path: path.to_owned() }),
        // Not every file system can lock.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

/// Whether an open file is the one under its path.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let place = |found: std::fs::Metadata| (found.dev(), found.ino());
    file.metadata().map(place).ok() == path.metadata().map(place).ok()
}

/// Elsewhere a file that is open is not replaced.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

fn header(run: &RunSpec) -> Result<Vec<u8>, Error> {
    let mut text =
        serde_json::to_vec(&Header { journal: LAYOUT, run: serde_json::to_value(run)? })?;
    text.push(b'\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::predictions::tests::{failure, prediction};

    fn entry(path: &str) -> Entry {
        let files = vec![Written { path: "a.png".to_owned(), bytes: 3, crc32: 7 }];
        let row = prediction(path, Some("Pain"));
        Entry {
            image: Some("00".to_owned()),
            weights: "ff".to_owned(),
            saturated: false,
            not_upright: false,
            files,
            row,
        }
    }

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(JOURNAL);
        (folder, path)
    }

    fn paths(journal: &Journal) -> Vec<String> {
        let mut paths = Vec::new();
        journal.each(|_, entry| paths.push(entry.row.path)).expect("a journal");
        paths
    }

    #[test]
    fn what_is_added_is_read_back() {
        let (_folder, path) = folder();
        let run = RunSpec { alpha: 0.5, ..RunSpec::default() };
        let mut journal = Journal::create(&path, &run).expect("a new journal");
        let failed = Entry { image: None, row: failure("b.png"), ..entry("b.png") };
        let lines = journal.append(&[entry("a.png"), failed.clone()]).expect("room");
        assert_eq!(journal.entry(lines[1]).expect("an entry"), failed);
        assert_eq!(journal.entry(lines[0]).expect("an entry"), entry("a.png"));
        assert!(journal.is_in_place());
        drop(journal);
        let (journal, found) = Journal::resume(&path).expect("a journal");
        assert_eq!((found, paths(&journal)), (run, vec!["a.png".to_owned(), "b.png".to_owned()]));
        fs::remove_file(&path).expect("a file");
        assert!(!journal.is_in_place());
    }

    #[test]
    fn numbers_that_are_not_finite_come_back_as_such() {
        let (_folder, path) = folder();
        let mut journal = Journal::create(&path, &RunSpec::default()).expect("a new journal");
        let mut odd = entry("a.png");
        let map = &mut odd.row.attributions[0].map;
        (map.min, map.max) = (f32::NEG_INFINITY, f32::NAN);
        odd.row.classification.as_mut().expect("a result").confidence = 0.1 + 0.2;
        let lines = journal.append(&[odd]).expect("room");
        let back = journal.entry(lines[0]).expect("an entry").row;
        let map = &back.attributions[0].map;
        assert!(!map.min.is_finite() && !map.max.is_finite());
        assert_eq!(back.classification.expect("a result").confidence, 0.1 + 0.2);
    }

    #[test]
    fn a_torn_last_line_is_dropped_wherever_it_was_torn() {
        let (_folder, path) = folder();
        let mut journal = Journal::create(&path, &RunSpec::default()).expect("a new journal");
        let lines = journal.append(&[entry("a.png"), entry("b.png")]).expect("room");
        drop(journal);
        let whole = fs::read(&path).expect("a file");
        for end in lines[1].offset as usize..whole.len() {
            fs::write(&path, &whole[..end]).expect("a file");
            let (mut journal, _) = Journal::resume(&path).expect("a journal");
            assert_eq!(paths(&journal), ["a.png"]);
            journal.append(&[entry("c.png")]).expect("room");
            assert_eq!(paths(&journal), ["a.png", "c.png"]);
        }
    }

    #[test]
    fn a_line_that_makes_no_sense_is_passed_over() {
        let (_folder, path) = folder();
        let mut journal = Journal::create(&path, &RunSpec::default()).expect("a new journal");
        journal.append(&[entry("a.png")]).expect("room");
        journal.write(b"\0\0\0{}\n\xff\n\n").expect("room");
        journal.append(&[entry("b.png")]).expect("room");
        assert_eq!(paths(&journal), ["a.png", "b.png"]);
    }

    #[test]
    fn what_is_no_journal_is_an_error() {
        let (_folder, path) = folder();
        for text in ["", "{", "{}\n", "[1]\n", "{\"journal\":99,\"run\":{}}\n", "\0\0"] {
            fs::write(&path, text).expect("a file");
            assert!(Journal::open(&path).is_err(), "{text}");
        }
        assert!(Journal::open(&path.join("none")).is_err());
    }

    #[test]
    fn no_journal_is_read_for_ever() {
        let (_folder, path) = folder();
        let mut journal = Journal::create(&path, &RunSpec::default()).expect("a new journal");
        journal.append(&[entry("a.png")]).expect("room");
        // A hole behind it, as after a crash, is torn off; one past all crashes is refused.
        let file = OpenOptions::new().write(true).open(&path).expect("a file");
        file.set_len(1 << 28).expect("a hole");
        drop(journal);
        assert_eq!(paths(&Journal::resume(&path).expect("a journal").0), ["a.png"]);
        file.set_len(1 << 40).expect("a hole");
        let opened = Journal::open(&path).expect("a header").0;
        let read = opened.each(|_, _| {}).expect_err("a hole");
        for error in [read, Journal::resume(&path).expect_err("a hole")] {
            assert!(error.to_string().contains("more than 1 GiB of it is no record"), "{error}");
        }
    }

    #[test]
    fn empty_lines_are_not_read_for_ever() {
        let (_folder, path) = folder();
        let mut journal = Journal::create(&path, &RunSpec::default()).expect("a new journal");
        journal.append(&[entry("a.png")]).expect("room");
        journal.write(&vec![b'\n'; (1 << 24) - 1]).expect("room");
        journal.append(&[entry("b.png")]).expect("room");
        assert_eq!(paths(&journal), ["a.png", "b.png"]);
        journal.write(b"{}\n").expect("room");
        let error = journal.each(|_, _| {}).expect_err("one more").to_string();
        assert!(error.contains("more than 16777216 of its lines are no record"), "{error}");
    }

    #[test]
    fn the_scale_of_its_pictures_comes_back() {
        let (_folder, path) = folder();
        let mut journal = Journal::create(&path, &RunSpec::default()).expect("a new journal");
        let mut drawn = Entry { not_upright: true, ..entry("a.png") };
        drawn.row.attributions[0].top = Some(0.1);
        let lines = journal.append(&[drawn.clone(), entry("b.png")]).expect("room");
        assert_eq!(journal.entry(lines[0]).expect("an entry"), drawn);
        let other = journal.entry(lines[1]).expect("an entry");
        assert_eq!(other.row.attributions[0].top, None);
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_not_waited_for() {
        let (_folder, path) = folder();
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.expect("`mkfifo` is there").success());
        for opened in [Journal::open(&path), Journal::resume(&path)] {
            let error = opened.expect_err("a pipe").to_string();
            assert!(error.contains("no ordinary file"), "{error}");
        }
        assert!(Journal::hold(&path).expect("nothing to hold").is_none());
    }

    #[test]
    fn only_one_process_writes() {
        let (_folder, path) = folder();
        let journal = Journal::create(&path, &RunSpec::default()).expect("a new journal");
        assert!(matches!(Journal::resume(&path), Err(Error::Busy { .. })));
        assert!(matches!(Journal::create(&path, &RunSpec::default()), Err(Error::Busy { .. })));
        assert!(matches!(Journal::hold(&path), Err(Error::Busy { .. })));
        assert!(Journal::open(&path).is_ok());
        drop(journal);
        assert!(Journal::resume(&path).is_ok());
    }

    #[test]
    fn some_can_be_left_out() {
        let (_folder, path) = folder();
        let run = RunSpec { alpha: 0.25, ..RunSpec::default() };
        let mut journal = Journal::create(&path, &run).expect("a new journal");
        let all = ["a", "b", "c"].map(entry);
        let lines = journal.append(&all).expect("room");
        let (mut journal, kept) = journal.keep(&run, &[lines[2], lines[0]]).expect("room");
        assert_eq!(paths(&journal), ["c", "a"]);
        assert_eq!(journal.entry(kept[1]).expect("an entry"), all[0]);
        let more = journal.append(&[entry("d")]).expect("room");
        assert_eq!(journal.entry(more[0]).expect("an entry").row.path, "d");
    }
}
