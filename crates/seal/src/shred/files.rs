//! The few file operations of the shred store, as a seam for fault tests.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// Most bytes that are read of any file; none of ours is longer.
const MAX_READ: u64 = 64 << 10;

/// Single steps, none of which is durable before its `sync`.
pub(crate) trait Files: Send + Sync {
    /// The file's bytes, `None` if there is none.
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>>;
    /// Names in a directory.
    fn list(&self, dir: &Path) -> io::Result<Vec<OsString>>;
    /// Writes a file from its beginning, making it if there is none, readable by its owner alone.
    fn create(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    /// Overwrites part of a file that is there.
    fn write_at(&self, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Makes the file's bytes and length durable (fdatasync).
    fn sync(&self, path: &Path) -> io::Result<()>;
    /// Puts a file in another's place.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Takes a file out of its directory.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a directory durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
}

/// The operating system's files.
pub(crate) struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        file.take(MAX_READ).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        fs::read_dir(dir)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
    }

    fn create(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600).open(path)?.write_all(bytes)
    }

    fn write_at(&self, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
        OpenOptions::new().write(true).open(path)?.write_all_at(bytes, offset)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        OpenOptions::new().write(true).open(path)?.sync_data()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }
}

/// Where a file is written before it takes its place.
pub(crate) fn temporary(path: &Path) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(TEMPORARY);
    name.into()
}

/// End of the name of a file that has not taken its place.
pub(crate) const TEMPORARY: &str = ".tmp";

fn parent(path: &Path) -> io::Result<&Path> {
    path.parent().ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

/// Puts a whole file in place so that after a crash it is there whole or not at all.
pub(crate) fn put(files: &dyn Files, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = temporary(path);
    files.create(&new, bytes)?;
    files.sync(&new)?;
    files.rename(&new, path)?;
    files.sync_dir(parent(path)?)
}

/// Overwrites a file with zeros, then removes it. Whether it was there.
pub(crate) fn wipe(files: &dyn Files, path: &Path) -> io::Result<bool> {
    let Some(bytes) = files.read(path)? else { return Ok(false) };
    files.write_at(path, 0, &vec![0; bytes.len()])?;
    files.sync(path)?;
    files.remove(path)?;
    files.sync_dir(parent(path)?)?;
    Ok(true)
}
