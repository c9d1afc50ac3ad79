//! A snapshot: the tables of a task as the last commit left them, in one file, so that a restart reads only the
//! tail of the changelogs.
//!
//! The file is: magic and version; the meta, whose bytes are the runtime's; the stores' names and fingerprints; then
//! each store's rows as its changelog has them, key and value with their lengths before them, closed by a length
//! that no key has; at the end the CRC of everything before it. It is written aside, synced and renamed, so a file
//! of that name is whole or corrupt, never half done; and all of it is checked before any row is believed. Rows are
//! streamed both ways: neither takes memory beyond a buffer.

use super::changelog::{self, Corrupt};
use super::{Store, StoreDecl, Stores};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

const MAGIC: [u8; 8] = *b"SRSNAPSH";
const VERSION: u32 = 1;
/// Instead of a key's length: the store has no more rows.
const NO_MORE: u32 = u32::MAX;
const BUFFER: usize = 1 << 18;
/// The magic and the version.
const HEAD: u64 = 12;
const CRC: u64 = 4;

/// Why a snapshot is not used. It is never fatal: the changelogs have everything.
#[derive(Debug)]
pub enum SnapshotError {
    /// It cannot be read or written.
    Io(io::Error),
    /// A newer version of streamrun wrote it.
    Version(u32),
    /// Its bytes are not those that were written.
    Crc,
    /// It is whole, but says what cannot be.
    Malformed(&'static str),
    /// A row does not fit its store.
    Row(Corrupt),
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SnapshotError::Io(error) => error.fmt(f),
            SnapshotError::Version(version) => {
                write!(f, "snapshot of format {version}, this build reads {VERSION}")
            }
            SnapshotError::Crc => f.write_str("snapshot with a wrong checksum"),
            SnapshotError::Malformed(what) => write!(f, "malformed snapshot: {what}"),
            SnapshotError::Row(corrupt) => corrupt.fmt(f),
        }
    }
}

impl std::error::Error for SnapshotError {}

impl From<io::Error> for SnapshotError {
    fn from(error: io::Error) -> Self {
        // The lengths have been checked against the file's, by way of its checksum: an early end is a wrong length.
        match error.kind() {
            io::ErrorKind::UnexpectedEof => SnapshotError::Malformed("it ends early"),
            _ => SnapshotError::Io(error),
        }
    }
}

/// Writes what the last commit left of each store to `path`, replacing what is there in one step.
pub fn write(path: &Path, meta: &[u8], decls: &[StoreDecl], stores: &Stores) -> io::Result<()> {
    let aside = path.with_extension("part");
    write_aside(&aside, meta, decls, stores).inspect_err(|_| {
        // On a full disk half a snapshot would keep the room that the log needs.
        let _ = fs::remove_file(&aside);
    })?;
    fs::rename(&aside, path)?;
    // The rename itself is durable only once the directory is.
    match path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        Some(dir) => File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}

fn write_aside(aside: &Path, meta: &[u8], decls: &[StoreDecl], stores: &Stores) -> io::Result<()> {
    let mut out = Summed::new(BufWriter::with_capacity(BUFFER, File::create(aside)?));
    out.write_all(&MAGIC)?;
    out.write_all(&VERSION.to_le_bytes())?;
    write_bytes(&mut out, meta)?;
    out.write_all(&(decls.len() as u32).to_le_bytes())?;
    for decl in decls {
        write_bytes(&mut out, decl.name.as_bytes())?;
        write_bytes(&mut out, decl.fingerprint.as_bytes())?;
    }
    stores.iter().try_for_each(|store| write_rows(store, &mut out))?;
    let crc = out.crc.clone().finalize();
    out.inner.write_all(&crc.to_le_bytes())?;
    out.inner.into_inner()?.sync_all()
}

fn write_rows(store: &Store, out: &mut impl Write) -> io::Result<()> {
    let (mut value, mut result) = (vec![], Ok(()));
    store.for_each_committed(|prefix, key, row| {
        if result.is_ok() {
            value.clear();
            changelog::encode(&row, &mut value);
            result = write_row(out, prefix, key, &value);
        }
    });
    result?;
    out.write_all(&NO_MORE.to_le_bytes())
}

fn write_row(out: &mut impl Write, prefix: &[u8], key: &[u8], value: &[u8]) -> io::Result<()> {
    out.write_all(&((prefix.len() + key.len()) as u32).to_le_bytes())?;
    out.write_all(prefix)?;
    out.write_all(key)?;
    write_bytes(out, value)
}

fn write_bytes(out: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    out.write_all(&(bytes.len() as u32).to_le_bytes())?;
    out.write_all(bytes)
}

/// A writer that sums up what goes through it.
struct Summed<W> {
    inner: W,
    crc: crc32fast::Hasher,
}

impl<W> Summed<W> {
    fn new(inner: W) -> Self {
        Summed { inner, crc: crc32fast::Hasher::new() }
    }
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.crc.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// A snapshot whose every byte has been checked, about to be read.
#[derive(Debug)]
pub struct Snapshot {
    input: BufReader<io::Take<File>>,
    /// What the runtime wrote into it.
    pub meta: Vec<u8>,
    /// The names and fingerprints of its stores, in its order.
    pub stores: Vec<(String, String)>,
    /// The longest length that can be true.
    len: u64,
}

impl Snapshot {
    /// Opens a snapshot, checks it from end to end and reads what it says of itself.
    pub fn open(path: &Path) -> Result<Self, SnapshotError> {
        let mut file = File::open(path)?;
        check_version(&mut file)?;
        let len = file.metadata()?.len().checked_sub(CRC).ok_or(SnapshotError::Crc)?;
        check_sum(&mut file, len)?;
        file.seek(SeekFrom::Start(HEAD))?;
        let input = BufReader::with_capacity(BUFFER, file.take(len.saturating_sub(HEAD)));
        let mut snapshot = Snapshot { input, meta: vec![], stores: vec![], len };
        snapshot.meta = snapshot.read_bytes()?;
        for _ in 0..snapshot.read_u32()? {
            let (name, fingerprint) = (snapshot.read_text()?, snapshot.read_text()?);
            snapshot.stores.push((name, fingerprint));
        }
        Ok(snapshot)
    }

    /// Reads the rows into the stores that `place` finds for the names; those of other stores are passed over. After
    /// an error the stores hold rows of no use.
    pub fn restore(
        mut self,
        stores: &mut Stores,
        place: impl Fn(&str) -> Option<usize>,
    ) -> Result<(), SnapshotError> {
        let (mut key, mut value) = (vec![], vec![]);
        for (name, _) in std::mem::take(&mut self.stores) {
            let mut store = place(&name).and_then(|at| stores.iter_mut().nth(at));
            while self.read_row(&mut key, &mut value)? {
                if let Some(store) = &mut store {
                    store.restore_record(&key, Some(&value)).map_err(SnapshotError::Row)?;
                }
            }
        }
        Ok(())
    }

    /// The next row of a store; answers whether there was one.
    fn read_row(&mut self, key: &mut Vec<u8>, value: &mut Vec<u8>) -> Result<bool, SnapshotError> {
        let len = self.read_u32()?;
        if len == NO_MORE {
            return Ok(false);
        }
        self.read_into(len, key)?;
        let len = self.read_u32()?;
        self.read_into(len, value)?;
        Ok(true)
    }

    fn read_text(&mut self) -> Result<String, SnapshotError> {
        String::from_utf8(self.read_bytes()?).map_err(|_| SnapshotError::Malformed("a name is no text"))
    }

    fn read_bytes(&mut self) -> Result<Vec<u8>, SnapshotError> {
        let (len, mut bytes) = (self.read_u32()?, vec![]);
        self.read_into(len, &mut bytes)?;
        Ok(bytes)
    }

    fn read_into(&mut self, len: u32, bytes: &mut Vec<u8>) -> Result<(), SnapshotError> {
        if u64::from(len) > self.len {
            return Err(SnapshotError::Malformed("a length is longer than the file"));
        }
        bytes.resize(len as usize, 0);
        Ok(self.input.read_exact(bytes)?)
    }

    fn read_u32(&mut self) -> Result<u32, SnapshotError> {
        let mut bytes = [0; 4];
        self.input.read_exact(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }
}

/// A newer version may keep its checksum elsewhere, so this comes first.
fn check_version(file: &mut File) -> Result<(), SnapshotError> {
    let mut head = [0; HEAD as usize];
    file.read_exact(&mut head)?;
    let (magic, version) = head.split_at(MAGIC.len());
    if magic != MAGIC {
        return Err(SnapshotError::Malformed("it does not begin as one"));
    }
    match u32::from_le_bytes(version.try_into().expect("four bytes behind the magic")) {
        VERSION => Ok(()),
        version => Err(SnapshotError::Version(version)),
    }
}

fn check_sum(file: &mut File, len: u64) -> Result<(), SnapshotError> {
    file.seek(SeekFrom::Start(0))?;
    let mut sum = Summed::new(io::sink());
    io::copy(&mut BufReader::with_capacity(BUFFER, &mut *file).take(len), &mut sum)?;
    let mut written = [0; CRC as usize];
    file.seek(SeekFrom::Start(len))?;
    file.read_exact(&mut written)?;
    if u32::from_le_bytes(written) == sum.crc.finalize() { Ok(()) } else { Err(SnapshotError::Crc) }
}

#[cfg(test)]
mod tests {
    use super::super::{Family, StoreId, Table, Windows};
    use super::*;

    fn decls() -> Vec<StoreDecl> {
        let decl = |name: &str, family, texts| StoreDecl {
            name: name.into(),
            family,
            fresh: vec![0, 0],
            texts,
            optional: false,
            fingerprint: format!("{name} by sensor_id"),
        };
        vec![decl("per_sensor", Family::Table, vec![1]), decl("per_minute", Family::Windows, vec![])]
    }

    const TABLE: StoreId<Table> = StoreId::new(0);
    const WINDOWS: StoreId<Windows> = StoreId::new(1);

    fn stores() -> Stores {
        let mut stores = Stores::new(&decls());
        for key in ["a", "b", "a key that is longer than most"] {
            stores.get_mut(TABLE).touch(key.as_bytes(), &[0, 0]).set_text(1, key.as_bytes());
            stores.get_mut(WINDOWS).touch(-60, key.as_bytes(), &[5, 6]);
            stores.get_mut(WINDOWS).touch(60, key.as_bytes(), &[7, 8]);
        }
        stores.iter_mut().for_each(Store::committed);
        // What is not committed is not in it.
        stores.get_mut(TABLE).touch(b"a", &[0, 0]).set_text(1, b"changed");
        stores.get_mut(TABLE).touch(b"new", &[0, 0]);
        stores
    }

    fn rows(stores: &Stores) -> Vec<String> {
        let table = stores.get(TABLE).committed_range(None, 9).into_iter();
        let table = table.map(|(key, row)| format!("{key:?} {} {:?}", row.get(0), row.text(1)));
        let windows = stores.get(WINDOWS).committed_range(None, 9).into_iter();
        let windows = windows.map(|(end, key, row)| format!("{end} {key:?} {} {}", row.get(0), row.get(1)));
        table.chain(windows).collect()
    }

    fn read(path: &Path) -> Result<Stores, SnapshotError> {
        let snapshot = Snapshot::open(path)?;
        assert_eq!(snapshot.meta, b"meta");
        assert_eq!(snapshot.stores[1].1, "per_minute by sensor_id");
        let mut stores = Stores::new(&decls());
        snapshot.restore(&mut stores, |name| decls().iter().position(|decl| decl.name == name))?;
        Ok(stores)
    }

    #[test]
    fn what_was_committed_comes_back() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("0.snapshot");
        write(&path, b"old", &[], &Stores::default()).expect("written");
        let stores = stores();
        write(&path, b"meta", &decls(), &stores).expect("written");
        assert_eq!(rows(&read(&path).expect("read")), rows(&stores));
        assert_eq!(fs::read_dir(dir.path()).expect("read").count(), 1, "nothing is left aside");
    }

    #[test]
    fn a_store_that_is_gone_is_passed_over() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("0.snapshot");
        write(&path, b"", &decls(), &stores()).expect("written");
        let mut only_windows = Stores::new(&decls()[1..]);
        let snapshot = Snapshot::open(&path).expect("whole");
        snapshot.restore(&mut only_windows, |name| (name == "per_minute").then_some(0)).expect("read");
        assert_eq!(only_windows.get(StoreId::<Windows>::new(0)).len(), 6);
    }

    #[test]
    fn no_byte_can_be_wrong_or_missing() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("0.snapshot");
        write(&path, b"meta", &decls(), &stores()).expect("written");
        let good = fs::read(&path).expect("read");
        for at in 0..good.len() {
            fs::write(&path, &good[..at]).expect("written");
            assert!(read(&path).is_err(), "cut at {at}");
            let mut bytes = good.clone();
            bytes[at] ^= 0x10;
            fs::write(&path, &bytes).expect("written");
            assert!(read(&path).is_err(), "wrong at {at}");
        }
        let newer = [&good[..8], &2u32.to_le_bytes(), &good[12..]].concat();
        fs::write(&path, newer).expect("written");
        assert!(matches!(read(&path), Err(SnapshotError::Version(2))));
    }
}
