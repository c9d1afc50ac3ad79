//! Segments: the files that the journal is cut into, so that its old end can be deleted.
//!
//! A segment is made aside with its header and its first frame and then renamed, so one that exists is sound at its
//! head. Only the last one is appended to; when the next one is there, the one before it is final.

use super::error::{LogError, Result};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

const MAGIC: [u8; 8] = *b"SRJOURNL";
/// The format of the header, of frames and of records.
pub(super) const VERSION: u32 = 1;
/// Magic, version, number.
pub(super) const HEADER: u64 = 20;
const EXTENSION: &str = "journal";

#[derive(Debug)]
pub(super) struct Segment {
    pub number: u64,
    pub path: PathBuf,
    file: File,
}

fn path_of(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:020}.{EXTENSION}"))
}

/// The numbers of the segments in a directory, in their order.
pub(super) fn list(dir: &Path) -> Result<Vec<u64>> {
    let mut numbers = vec![];
    for entry in fs::read_dir(dir).map_err(LogError::io("read", dir))? {
        let path = entry.map_err(LogError::io("read", dir))?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            let stem = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
            numbers.push(stem.ok_or_else(|| LogError::corrupt(&path, 0, "its name is no number"))?);
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

impl Segment {
    /// Opens a segment, if there is one of that number.
    pub fn open(dir: &Path, number: u64) -> Result<Option<Self>> {
        let path = path_of(dir, number);
        let file = match OpenOptions::new().read(true).write(true).open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(LogError::io("open", &path))?,
        };
        let segment = Segment { number, path, file };
        segment.check_header()?;
        Ok(Some(segment))
    }

    fn check_header(&self) -> Result<()> {
        let corrupt = |at, what| Err(LogError::corrupt(&self.path, at, what));
        if self.len()? < HEADER {
            return corrupt(0, "it ends within its header");
        }
        let mut header = [0; HEADER as usize];
        self.read_at(&mut header, 0)?;
        let (magic, rest) = header.split_at(8);
        let (version, number) = rest.split_at(4);
        if magic != MAGIC {
            return corrupt(0, "it does not begin as a journal");
        }
        let version = u32::from_le_bytes(version.try_into().expect("four bytes"));
        if version > VERSION {
            return Err(LogError::NewerVersion { file: self.path.clone(), version });
        }
        if version != VERSION || number != self.number.to_le_bytes() {
            return corrupt(8, "its version or number is not what its name says");
        }
        Ok(())
    }

    /// Makes a segment whose first bytes behind the header are these. The append lock must be held.
    pub fn create(dir: &Path, number: u64, first: &[u8]) -> Result<Self> {
        let path = path_of(dir, number);
        let aside = path.with_extension("part");
        let written = File::create(&aside).and_then(|mut file| {
            file.write_all(&MAGIC)?;
            file.write_all(&VERSION.to_le_bytes())?;
            file.write_all(&number.to_le_bytes())?;
            file.write_all(first)?;
            file.sync_all()
        });
        written.map_err(|source| {
            // On a full disk half a segment would keep the room that is missing.
            let _ = fs::remove_file(&aside);
            LogError::io("write", &aside)(source)
        })?;
        fs::rename(&aside, &path).map_err(LogError::io("create", &path))?;
        sync_dir(dir)?;
        Segment::open(dir, number)?.ok_or_else(|| LogError::corrupt(&path, 0, "it was just made and is gone"))
    }

    pub fn len(&self) -> Result<u64> {
        Ok(self.file.metadata().map_err(LogError::io("read", &self.path))?.len())
    }

    /// Whether somebody has deleted it; who has it open can still read it.
    pub fn is_deleted(&self) -> Result<bool> {
        Ok(self.file.metadata().map_err(LogError::io("read", &self.path))?.nlink() == 0)
    }

    /// Reads what is there; less than was asked for when somebody just cut the end off.
    pub fn read_some_at(&self, bytes: &mut Vec<u8>, at: u64) -> Result<()> {
        let mut done = 0;
        while done < bytes.len() {
            match self.file.read_at(&mut bytes[done..], at + done as u64) {
                Ok(0) => break,
                Ok(read) => done += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(LogError::io("read", &self.path)(error)),
            }
        }
        bytes.truncate(done);
        Ok(())
    }

    pub fn read_at(&self, bytes: &mut [u8], at: u64) -> Result<()> {
        self.file.read_exact_at(bytes, at).map_err(LogError::io("read", &self.path))
    }

    /// Writes a frame at the end, all of it or nothing. The append lock must be held.
    pub fn append(&self, frame: &[u8], at: u64) -> Result<()> {
        self.file.write_all_at(frame, at).map_err(|source| {
            // Half a frame is believed by nobody, so it can be taken back. Should that fail as well, the next one to
            // append cuts it off.
            let _ = self.file.set_len(at);
            LogError::io("write", &self.path)(source)
        })
    }

    /// After this the frame outlasts a power cut. When it fails the frame stays: others may have read it.
    pub fn sync(&self) -> Result<()> {
        let synced = self.file.sync_data();
        synced.map_err(|source| LogError::Unknown { path: self.path.clone(), source })
    }

    /// Cuts off what is no whole frame. The append lock must be held.
    pub fn cut(&self, at: u64) -> Result<()> {
        let cut = self.file.set_len(at).and_then(|()| self.file.sync_data());
        cut.map_err(LogError::io("cut the torn end of", &self.path))
    }

    pub fn delete(&self, dir: &Path) -> Result<()> {
        fs::remove_file(&self.path).map_err(LogError::io("delete", &self.path))?;
        sync_dir(dir)
    }
}

/// What was made or renamed in a directory is durable only after this.
fn sync_dir(dir: &Path) -> Result<()> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(LogError::io("sync", dir))
}
