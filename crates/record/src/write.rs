//! Files that are there whole or not at all.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use tempfile::{Builder, TempPath};

use crate::Error;

/// Writes `bytes` to `path` so that no reader ever sees half a file: into a temporary file in
/// the same folder, then renamed over whatever was there. Missing folders are made. The file
/// gets the permissions that the process's umask leaves.
///
/// A crash of the process cannot leave half a file under `path`. A power failure might, because
/// waiting for the disk would cost more than the overlay is worth.
///
/// # Errors
///
/// [`Error::Write`] with the path.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let write = || -> io::Result<()> {
        let folder = folder(path)?;
        let mut file = with_usual_permissions(&mut temporary()).tempfile_in(folder)?;
        file.write_all(bytes)?;
        move_into_place(file.into_temp_path(), path)
    };
    write().map_err(|source| Error::Write { path: path.to_owned(), source })
}

/// Writes a file of any length to `path` piece by piece, as [`write_atomic`] does whole: what
/// `write` gives appears under `path` when all of it is there, and has reached the disk, so that a
/// power failure leaves the earlier file or this one.
///
/// # Errors
///
/// [`Error::Write`] with the path, and the errors of `write`: then `path` is as it was.
pub fn write_atomic_with(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), Error>,
) -> Result<(), Error> {
    let cannot = |source| Error::Write { path: path.to_owned(), source };
    let file = folder(path)
        .and_then(|folder| with_usual_permissions(&mut temporary()).tempfile_in(folder));
    let mut to = BufWriter::new(file.map_err(cannot)?);
    write(&mut to).map_err(|error| error.of_file(path))?;
    let finish = || -> io::Result<()> {
        let file = to.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        move_into_place(file.into_temp_path(), path)
    };
    finish().map_err(cannot)
}

/// As [`write_atomic_with`], where there must be no file yet.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let write = || -> io::Result<()> {
        let mut file = with_usual_permissions(&mut temporary()).tempfile_in(folder(path)?)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.into_temp_path().persist_noclobber(path)?;
        Ok(())
    };
    write().map_err(|source| Error::Write { path: path.to_owned(), source })
}

/// Makes the finished file `from` appear at `to` as well: as a hard link where the file system
/// has them, else as a copy. Whatever was at `to` is replaced in one step; missing folders are
/// made.
///
/// Both names may be one file afterwards. [`write_atomic`] on either leaves the other alone,
/// since it replaces the name and not the content.
///
/// # Errors
///
/// [`Error::Write`] with the path `to`.
pub fn link_or_copy(from: &Path, to: &Path) -> Result<(), Error> {
    let place = || -> io::Result<()> {
        let folder = folder(to)?;
        let linked = temporary().make_in(folder, |path| fs::hard_link(from, path));
        let temporary = match linked {
            Ok(file) => file.into_temp_path(),
            Err(_) => copy(from, folder)?,
        };
        move_into_place(temporary, to)
    };
    place().map_err(|source| Error::Write { path: to.to_owned(), source })
}

fn copy(from: &Path, folder: &Path) -> io::Result<TempPath> {
    let mut file = with_usual_permissions(&mut temporary()).tempfile_in(folder)?;
    io::copy(&mut fs::File::open(from)?, &mut file)?;
    Ok(file.into_temp_path())
}

/// Renames and, where the two names are links to one file already, in which case renaming does
/// nothing, removes the temporary name.
fn move_into_place(temporary: TempPath, path: &Path) -> io::Result<()> {
    fs::rename(&temporary, path)
}

fn folder(path: &Path) -> io::Result<&Path> {
    let folder = match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a file's name")),
    };
    fs::create_dir_all(folder)?;
    Ok(folder)
}

/// How the name of a file that is not whole yet begins and ends.
const TEMPORARY: [&str; 2] = [".burncam-", ".part"];

fn temporary() -> Builder<'static, 'static> {
    let mut builder = Builder::new();
    builder.prefix(TEMPORARY[0]).suffix(TEMPORARY[1]);
    builder
}

/// Whether a file of this name is one that a killed process was writing.
#[must_use]
pub fn is_temporary(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(TEMPORARY[0].as_bytes()) && name.ends_with(TEMPORARY[1].as_bytes())
}

/// Temporary files are private by default; these become results.
#[cfg(unix)]
fn with_usual_permissions<'a>(
    builder: &'a mut Builder<'static, 'static>,
) -> &'a mut Builder<'static, 'static> {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(fs::Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn with_usual_permissions<'a>(
    builder: &'a mut Builder<'static, 'static>,
) -> &'a mut Builder<'static, 'static> {
    builder
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::{fs, io};

    use super::{copy, link_or_copy, write_atomic, write_atomic_with};
    use crate::Error;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("the folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn writes_replaces_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a/b/file.txt");
        write_atomic(&path, b"one").expect("a writable folder");
        write_atomic(&path, b"two").expect("a writable folder");
        assert_eq!(fs::read(&path).expect("the file"), b"two");
        assert_eq!(names(&folder.path().join("a/b")), ["file.txt"]);
    }

    #[test]
    fn pieces_make_a_file_that_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a/file.txt");
        let numbers = |end: u32| {
            write_atomic_with(&path, |to| Ok((0..end).try_for_each(|n| writeln!(to, "{n}"))?))
        };
        numbers(30_000).expect("a writable folder");
        let whole = fs::read_to_string(&path).expect("the file");
        assert_eq!((whole.lines().count(), whole.lines().last()), (30_000, Some("29999")));
        let error = write_atomic_with(&path, |to| {
            to.write_all(&[b'x'; 100_000])?;
            Err(Error::Nothing)
        });
        assert!(matches!(error, Err(Error::Nothing)));
        assert_eq!(fs::read_to_string(&path).expect("the file"), whole);
        assert_eq!(names(&folder.path().join("a")), ["file.txt"]);
    }

    #[test]
    fn what_the_disk_does_not_take_names_the_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("file.txt");
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        let ways: [fn(io::Error) -> Error; 3] = [
            Error::Output,
            |error| Error::Table(error.into()),
            |error| Error::Record(serde_json::Error::io(error)),
        ];
        for way in ways {
            match write_atomic_with(&path, |_| Err(way(full()))) {
                Err(Error::Write { path: named, source }) => {
                    assert_eq!((named, source.kind()), (path.clone(), io::ErrorKind::StorageFull));
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn a_second_place_has_the_same_bytes() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (first, second) = (folder.path().join("x/1"), folder.path().join("y/2"));
        write_atomic(&first, b"one").expect("a writable folder");
        for _ in 0..2 {
            link_or_copy(&first, &second).expect("a writable folder");
            assert_eq!(fs::read(&second).expect("the file"), b"one");
            assert_eq!(names(&folder.path().join("y")), ["2"]);
        }
        write_atomic(&first, b"two").expect("a writable folder");
        assert_eq!(fs::read(&second).expect("the file"), b"one");
        link_or_copy(&first, &second).expect("a writable folder");
        assert_eq!(fs::read(&second).expect("the file"), b"two");
    }

    #[test]
    fn without_hard_links_there_is_a_copy() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("file");
        write_atomic(&file, b"one").expect("a writable folder");
        let copied = copy(&file, folder.path()).expect("a writable folder");
        assert_eq!(fs::read(&copied).expect("the copy"), b"one");
        assert_ne!(copied.to_path_buf(), file);
    }

    #[test]
    fn a_path_below_a_file_and_a_missing_source_are_errors() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("file");
        write_atomic(&file, b"").expect("a writable folder");
        let below = write_atomic(&file.join("below"), b"").expect_err("a file is no folder");
        assert!(below.to_string().contains("below"), "{below}");
        assert!(link_or_copy(&folder.path().join("missing"), &file).is_err());
        assert_eq!(names(folder.path()), ["file"]);
    }

    #[cfg(unix)]
    #[test]
    fn permissions_are_those_of_any_new_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (usual, atomic) = (folder.path().join("usual"), folder.path().join("atomic"));
        fs::write(&usual, b"").expect("a writable folder");
        write_atomic(&atomic, b"").expect("a writable folder");
        let mode = |path| fs::metadata(path).expect("the file").permissions().mode() & 0o777;
        assert_eq!(mode(&atomic), mode(&usual));
    }
}
