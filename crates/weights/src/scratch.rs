//! A file that is there whole or not at all.

use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, ErrorKind::NotFound};
use std::path::{Path, PathBuf};

use tempfile::{Builder, TempPath};

/// How the names of all of Burncam's files that are not whole yet begin and end.
const TEMPORARY: [&str; 2] = [".burncam-", ".part"];

/// A file under a temporary name, in the folder where it is to appear. It goes when it is dropped.
pub(crate) struct Scratch {
    file: TempPath,
    permissions: Permissions,
    destination: PathBuf,
}

impl Scratch {
    /// An empty file beside `destination`.
    ///
    /// # Errors
    ///
    /// If there is no such folder, or nothing can be written to it.
    pub(crate) fn beside(destination: &Path) -> io::Result<Self> {
        if destination.file_name().is_none() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "not a file's name"));
        }
        let mut builder = Builder::new();
        builder.prefix(TEMPORARY[0]).suffix(TEMPORARY[1]);
        // Temporary files are private by default; this one becomes a result.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(folder(destination))?;
        let permissions = file.as_file().metadata()?.permissions();
        Ok(Self { file: file.into_temp_path(), permissions, destination: destination.to_owned() })
    }

    /// Where to write.
    pub(crate) fn path(&self) -> &Path {
        &self.file
    }

    /// Makes the file appear under its name, once it has reached the disk. One that is replaced hands on its
    /// permissions.
    ///
    /// # Errors
    ///
    /// If it cannot be done, or if there is such a file and `overwrite` is false.
    pub(crate) fn publish(self, overwrite: bool) -> io::Result<()> {
        let Self { file, permissions, destination } = self;
        let replaced = fs::symlink_metadata(&destination).ok().filter(fs::Metadata::is_file);
        let replaced = replaced.map(|metadata| metadata.permissions());
        // A writer may have put a file of its own in the scratch file's place.
        fs::set_permissions(&file, replaced.unwrap_or(permissions))?;
        File::options().write(true).open(&file)?.sync_all()?;
        let placed = match overwrite {
            true => file.persist(&destination),
            false => file.persist_noclobber(&destination).or_else(|error| {
                // Some file systems cannot do it in one step.
                let none = fs::symlink_metadata(&destination).is_err_and(|e| e.kind() == NotFound);
                if none { error.path.persist(&destination) } else { Err(error) }
            }),
        };
        placed.map_err(|error| error.error)?;
        // Not every system can open a folder.
        if cfg!(unix) { File::open(folder(&destination))?.sync_all() } else { Ok(()) }
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("the folder");
        let name = |entry: io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
        entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn it_appears_whole_or_leaves_nothing() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let file = place.path().join("a.bpk");
        drop(Scratch::beside(&file).expect("a folder"));
        assert!(names(place.path()).is_empty());
        for (text, overwrite) in [("one", false), ("two", true)] {
            let scratch = Scratch::beside(&file).expect("a folder");
            let [name] =
                &names(place.path()).into_iter().filter(|n| n != "a.bpk").collect::<Vec<_>>()[..]
            else {
                panic!("{:?}", names(place.path()));
            };
            assert!(name.starts_with(".burncam-") && name.ends_with(".part"), "{name}");
            fs::write(scratch.path(), text).expect("room");
            scratch.publish(overwrite).expect("room");
            assert_eq!(fs::read_to_string(&file).expect("the file"), text);
            assert_eq!(names(place.path()), ["a.bpk"]);
        }
        let third = Scratch::beside(&file).expect("a folder").publish(false);
        assert_eq!(third.expect_err("it is there").kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&file).expect("the file"), "two");
        assert_eq!(names(place.path()), ["a.bpk"]);
    }

    #[cfg(unix)]
    #[test]
    fn permissions_are_the_usual_or_those_of_the_file_before() {
        use std::os::unix::fs::PermissionsExt;
        let place = tempfile::tempdir().expect("a temporary folder");
        let (usual, file) = (place.path().join("usual"), place.path().join("a.bpk"));
        let mode = |path: &Path| fs::metadata(path).expect("the file").permissions().mode() & 0o777;
        fs::write(&usual, b"").expect("room");
        Scratch::beside(&file).expect("a folder").publish(false).expect("room");
        assert_eq!(mode(&file), mode(&usual));
        fs::set_permissions(&file, Permissions::from_mode(0o640)).expect("its owner");
        Scratch::beside(&file).expect("a folder").publish(true).expect("room");
        assert_eq!(mode(&file), 0o640);
    }
}
