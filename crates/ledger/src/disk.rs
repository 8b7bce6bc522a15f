//! The seam to the disk: real files here, a layer that forgets, tears and fails in the tests.

use std::io;
use std::path::Path;
use std::sync::Arc;

/// How [`Disk::open`] opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The file must exist; it is only read.
    Read,
    /// The file must exist.
    Write,
    /// The file is made, or emptied if it exists.
    Create,
}

/// A file. Offsets and lengths in bytes. Writes are durable only after [`DiskFile::sync`].
pub trait DiskFile: Send + Sync {
    /// Fills all of `into` from `offset`; `UnexpectedEof` if the file ends before.
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<()>;
    /// Writes all of `bytes` at `offset`, growing the file if need be.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Makes all earlier writes and the length durable (`fdatasync`). After an error the state of every page
    /// written since the last success is unknown: write again, elsewhere or the same, before trusting it.
    fn sync(&self) -> io::Result<()>;
    /// Length in bytes.
    fn size(&self) -> io::Result<u64>;
    /// Reserves room for `bytes` and makes the file that long (`fallocate`), so that later writes cannot run out.
    fn allocate(&self, bytes: u64) -> io::Result<()>;
}

/// A place for files.
pub trait Disk: Send + Sync {
    /// Opens a file.
    fn open(&self, path: &Path, mode: Mode) -> io::Result<Arc<dyn DiskFile>>;
    /// Makes a directory and its parents, if absent.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// Names of what is in a directory, in no order.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;
    /// Renames a file or directory, replacing a file.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes names that were made, changed or removed in a directory durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// Takes the directory for this process, until what is returned is dropped. `WouldBlock` if it is taken.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>>;
}

/// Reads a whole file of at most `limit` bytes.
pub(crate) fn read_file(disk: &dyn Disk, path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let file = disk.open(path, Mode::Read)?;
    let size = usize::try_from(file.size()?).unwrap_or(usize::MAX);
    if size > limit {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut bytes = vec![0; size];
    file.read_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// Replaces a small file so that after a crash either the old or the new content is there.
pub(crate) fn replace_file(disk: &dyn Disk, dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let fresh = dir.join(format!("{name}.new"));
    let file = disk.open(&fresh, Mode::Create)?;
    file.write_at(bytes, 0)?;
    file.sync()?;
    disk.rename(&fresh, &dir.join(name))?;
    disk.sync_dir(dir)
}

/// The file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

struct RealFile(std::fs::File);

impl DiskFile for RealFile {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.0, into, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(&self.0, bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        match rustix::fs::fallocate(&self.0, rustix::fs::FallocateFlags::empty(), 0, bytes) {
            // A file system without fallocate (NFS): the room is taken by writing.
            Err(rustix::io::Errno::OPNOTSUPP) => fill_with_zeros(self, bytes),
            other => Ok(other?),
        }
    }
}

fn fill_with_zeros(file: &RealFile, bytes: u64) -> io::Result<()> {
    let zeros = [0; 1 << 16];
    let mut at = 0;
    while at < bytes {
        let step = (bytes - at).min(zeros.len() as u64);
        file.write_at(&zeros[..usize::try_from(step).unwrap_or(zeros.len())], at)?;
        at += step;
    }
    Ok(())
}

impl Disk for RealDisk {
    fn open(&self, path: &Path, mode: Mode) -> io::Result<Arc<dyn DiskFile>> {
        let mut options = std::fs::OpenOptions::new();
        options.read(true).write(mode != Mode::Read);
        if mode == Mode::Create {
            options.create(true).truncate(true);
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        }
        Ok(Arc::new(RealFile(options.open(path)?)))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let names = std::fs::read_dir(path)?.map(|entry| entry.map(|e| e.file_name().into_string()));
        names.filter_map(|name| name.map(Result::ok).transpose()).collect()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        std::fs::File::open(path)?.sync_all()
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>> {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path.join("lock"))?;
        rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)?;
        Ok(Box::new(Locked(file)))
    }
}

struct Locked(std::fs::File);

impl Drop for Locked {
    fn drop(&mut self) {
        // Closing alone would leave the lock to a child that is between fork and exec.
        let _closed_anyway = rustix::fs::flock(&self.0, rustix::fs::FlockOperation::Unlock);
    }
}
