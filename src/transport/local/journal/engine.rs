//! One engine a pipeline and directory: a lock that names its holder.

use super::error::{LogError, Result};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::Path;

/// The right to run a pipeline here; let go when dropped, or when the process ends in whatever way.
#[derive(Debug)]
pub struct EngineLock {
    _file: File,
}

impl EngineLock {
    /// Takes the right to run a pipeline on the log of a directory; the error names the process that has it.
    pub fn take(dir: &Path, pipeline: &str) -> Result<Self> {
        lock(dir, pipeline)
    }
}

fn lock(dir: &Path, pipeline: &str) -> Result<EngineLock> {
    // First the directory itself, so that an error names what people have named.
    fs::create_dir_all(dir).map_err(LogError::io("create", dir))?;
    let dir = dir.join("engines");
    fs::create_dir_all(&dir).map_err(LogError::io("create", &dir))?;
    let path = dir.join(file_name(pipeline));
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
    let mut file = opened.map_err(LogError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            let pid = file.read_to_string(&mut pid).ok().and_then(|_| pid.trim().parse().ok());
            return Err(LogError::Locked { pipeline: pipeline.to_owned(), pid });
        }
        Err(TryLockError::Error(error)) => return Err(LogError::io("lock", &path)(error)),
    }
    let named = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    named.map_err(LogError::io("write", &path))?;
    Ok(EngineLock { _file: file })
}

/// A pipeline's name as that of a file: what is unusual in one is written in hexadecimal.
fn file_name(pipeline: &str) -> String {
    let mut name = String::new();
    for byte in pipeline.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(byte.into()),
            _ => name.push_str(&format!("%{byte:02x}")),
        }
    }
    name + ".lock"
}
