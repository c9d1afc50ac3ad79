//! A small disk of its own, where mounting one is permitted.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A tmpfs, unmounted with this value.
pub struct Mount(PathBuf);

impl Mount {
    /// Mounts one; where that is not permitted, a note says what is not tested.
    pub fn new(at: &Path, options: &str) -> Option<Self> {
        fs::create_dir_all(at).expect("a directory");
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", options, "none"]).arg(at).stderr(Stdio::null());
        if command.status().is_ok_and(|status| status.success()) {
            return Some(Mount(at.to_path_buf()));
        }
        println!("NOT TESTED: no disk could be mounted here, which takes the rights of root");
        None
    }

    /// Takes all the room there is, until the file is removed.
    pub fn fill(&self) -> Filler {
        let path = self.0.join("filler");
        let mut file = File::create(&path).expect("a file");
        let mut size = 1 << 16;
        while size > 0 {
            match file.write_all(&vec![0; size]) {
                Ok(()) => {}
                Err(_) => size /= 2,
            }
        }
        Filler(path)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: somebody may still have a file of it open.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// What keeps a disk full.
pub struct Filler(PathBuf);

impl Filler {
    /// Gives a little room back.
    pub fn leave(&self, bytes: u64) {
        let file = File::options().write(true).open(&self.0).expect("there");
        let len = file.metadata().expect("there").len();
        file.set_len(len.saturating_sub(bytes)).expect("made smaller");
    }
}

impl Drop for Filler {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
