//! Who a process is, over restarts: the identity by which it takes its old place in the group at once, and by which
//! the cluster ends what it left unfinished.
//!
//! An identity is a file in the state folder with a random id in it, locked for the life of the process. So a process
//! that is started again finds its own, and a second one on the host takes the next. Two processes never have the same:
//! they would keep throwing each other out.

use crate::runtime::Stopped;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// More processes than this of one pipeline on one host are a mistake.
const MOST: u32 = 1000;

/// The longest name of a place that is given by hand.
const LONGEST: usize = 100;

/// Who a process is. Whoever holds this value holds the place.
#[derive(Debug)]
pub struct Identity {
    /// The name by which the cluster knows it.
    pub name: String,
    /// The folder for its snapshots.
    pub snapshots: PathBuf,
    _lock: File,
}

impl Identity {
    /// The first identity of the state folder that nobody has at the moment, made if need be.
    pub fn take(state: &Path) -> Result<Self, Stopped> {
        made(state)?;
        for number in 1..=MOST {
            let file = format!("identity-{number}");
            let Some(mut lock) = locked(state, &file)? else { continue };
            let name = id(&mut lock).map_err(|e| unusable(&state.join(&file), &e))?;
            return Ok(Identity { name, snapshots: state.join(format!("{file}.snapshots")), _lock: lock });
        }
        Err(Stopped::fatal(format!("{MOST} processes run with the state folder `{}`", state.display())))
    }

    /// The place of a worker in the group and among producers: it begins with the pipeline's name, which access rules
    /// rest on, and no other pipeline, identity or worker has it. Names of pipelines have `-` in them as well, so that
    /// of an identity loses it: instance `b-1` of the pipeline `a` is not instance `1` of `a-b`.
    pub fn place(&self, pipeline: &str, worker: u32) -> String {
        let name = self.name.replace('_', "__").replace('-', "_.");
        format!("{pipeline}-{name}-{worker}")
    }

    /// The identity of this name, for processes whose folder does not outlive them.
    pub fn named(state: &Path, name: &str) -> Result<Self, Stopped> {
        named_well(name)?;
        made(state)?;
        let file = format!("instance-{name}");
        let Some(lock) = locked(state, &file)? else {
            return Err(Stopped::fatal(format!(
                "another process on this host runs as the instance `{name}`"
            ))
            .hint("give each process its own `--instance`, or none: then each finds a place of its own"));
        };
        let snapshots = state.join(format!("{file}.snapshots"));
        Ok(Identity { name: name.to_owned(), snapshots, _lock: lock })
    }
}

/// The name becomes part of names that the cluster has rules for.
fn named_well(name: &str) -> Result<(), Stopped> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    match !name.is_empty() && name.len() <= LONGEST && name.chars().all(fits) {
        true => Ok(()),
        false => Err(Stopped::fatal(format!("`{name}` cannot be the name of an instance"))
            .hint(format!("letters, digits, `.`, `_` and `-`, at most {LONGEST} of them"))),
    }
}

fn made(state: &Path) -> Result<(), Stopped> {
    fs::create_dir_all(state).map_err(|e| unusable(state, &e))
}

/// The file, if nobody else has it.
fn locked(state: &Path, file: &str) -> Result<Option<File>, Stopped> {
    let path = state.join(file);
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
    let opened = opened.map_err(|e| unusable(&path, &e))?;
    match opened.try_lock() {
        Ok(()) => Ok(Some(opened)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(unusable(&path, &error)),
    }
}

fn unusable(path: &Path, error: &io::Error) -> Stopped {
    Stopped::fatal(format!("the state folder cannot be used: `{}`: {error}", path.display()))
        .hint("`--state-dir DIR` names another one; it holds snapshots and who this process is")
}

/// The id in a file. One that is new, or was cut short as it was written, gets a new one: nobody has used it.
fn id(file: &mut File) -> io::Result<String> {
    let mut text = vec![];
    file.take(64).read_to_end(&mut text)?;
    let is_id = text.len() == 17 && text.ends_with(b"\n") && text[..16].iter().all(u8::is_ascii_hexdigit);
    if let Some(id) = str::from_utf8(&text).ok().filter(|_| is_id) {
        return Ok(id.trim_end().to_owned());
    }
    // The keys of a hash map are the system's random numbers.
    let id = format!("{:016x}", RandomState::new().hash_one(std::process::id()));
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(format!("{id}\n").as_bytes())?;
    file.sync_all()?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_takes_its_old_place_and_a_second_one_the_next() {
        let dir = tempfile::tempdir().expect("a folder");
        let state = dir.path().join("state").join("p");
        let first = Identity::take(&state).expect("the first");
        let second = Identity::take(&state).expect("the second");
        assert_ne!(first.name, second.name);
        assert_ne!(first.snapshots, second.snapshots);
        let (name, snapshots) = (first.name.clone(), first.snapshots.clone());
        drop(first);
        let again = Identity::take(&state).expect("again");
        assert_eq!((again.name.clone(), again.snapshots.clone()), (name, snapshots));
        let second_name = second.name.clone();
        drop((again, second));
        let both = [Identity::take(&state).expect("one"), Identity::take(&state).expect("two")];
        assert_eq!(both[1].name, second_name);
    }

    #[test]
    fn an_id_that_was_cut_short_is_made_anew() {
        let dir = tempfile::tempdir().expect("a folder");
        for damaged in ["", "0123", "0123456789abcdef", "0123456789abcdeX\n", "0123456789abcdef\nx"] {
            fs::write(dir.path().join("identity-1"), damaged).expect("written");
            let taken = Identity::take(dir.path()).expect("taken");
            assert_eq!(taken.name.len(), 16);
            assert!(!damaged.starts_with(&taken.name), "{damaged:?}");
            let kept = fs::read_to_string(dir.path().join("identity-1")).expect("kept");
            assert_eq!(kept, format!("{}\n", taken.name));
        }
    }

    #[test]
    fn an_instance_has_its_name_and_only_one_process() {
        let dir = tempfile::tempdir().expect("a folder");
        let pod = Identity::named(dir.path(), "pod-0").expect("taken");
        assert_eq!(pod.name, "pod-0");
        let error = Identity::named(dir.path(), "pod-0").expect_err("taken already");
        assert!(error.message.contains("runs as the instance `pod-0`"), "{error}");
        Identity::named(dir.path(), "pod-1").expect("another one");
        drop(pod);
        Identity::named(dir.path(), "pod-0").expect("free again");
        for bad in ["", "a/b", "ä", "a b", &"x".repeat(101)] {
            Identity::named(dir.path(), bad).expect_err(bad);
        }
    }

    #[test]
    fn no_two_workers_have_one_place() {
        let dir = tempfile::tempdir().expect("a folder");
        let place = |pipeline, name: &str, worker| {
            Identity::named(dir.path(), name).expect("free").place(pipeline, worker)
        };
        assert_eq!(place("p", "1f3c", 0), "p-1f3c-0");
        let all = [
            place("a", "b-1", 0),
            place("a-b", "1", 0),
            place("a", "b", 1),
            place("a", "b_.1", 0),
            place("a", "b_-1", 0),
            place("a", "b__.1", 0),
        ];
        let different: std::collections::BTreeSet<&String> = all.iter().collect();
        assert_eq!(different.len(), all.len(), "{all:?}");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_said() {
        let dir = tempfile::tempdir().expect("a folder");
        fs::write(dir.path().join("file"), "").expect("written");
        let error = Identity::take(&dir.path().join("file").join("state")).expect_err("no folder");
        assert!(error.to_string().contains("`--state-dir DIR`"), "{error}");
    }
}
