//! Certificates of an authority that nobody else knows, made with the JDK's `keytool`.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// What the stores are locked with; they live as long as a test.
pub const STORE_PASSWORD: &str = "opens-the-store";

const KEY: &str = "-keyalg EC -groupname secp256r1";

/// An authority, and what it has signed.
#[derive(Debug)]
pub struct Certificates {
    folder: TempDir,
}

impl Certificates {
    /// An authority, a broker's certificate, and one that has expired.
    pub fn make() -> Self {
        let made =
            Certificates { folder: tempfile::Builder::new().prefix("keys-").tempdir().expect("a folder") };
        made.keytool(&format!(
            "-genkeypair -alias ca {KEY} -dname CN=ca -ext bc:c=ca:true -startdate -9d -validity 20 -keystore ca"
        ));
        made.keytool("-exportcert -rfc -alias ca -keystore ca -file ca.pem");
        made.sign("valid", "-startdate -1d -validity 3");
        made.sign("expired", "-startdate -3d -validity 1");
        made
    }

    fn sign(&self, store: &str, time: &str) {
        std::fs::copy(self.file("ca"), self.file(store)).expect("a copy");
        self.keytool(&format!(
            "-genkeypair -alias broker -signer ca {KEY} -dname CN=broker -ext san=ip:127.0.0.1 {time} -keystore {store}"
        ));
        // What is left is the broker's key with its chain: there is nothing for it to choose from.
        self.keytool(&format!("-delete -alias ca -keystore {store}"));
    }

    fn keytool(&self, line: &str) {
        let mut command = Command::new("keytool");
        command.args(["-J-XX:TieredStopAtLevel=1", "-J-Xshare:auto"]).args(line.split(' '));
        command.args(["-storetype", "PKCS12", "-storepass", STORE_PASSWORD]);
        let done = command.current_dir(self.folder.path()).stdin(Stdio::null()).output();
        let done = done.expect("`keytool` comes with Java");
        assert!(done.status.success(), "keytool {line}\n{}", String::from_utf8_lossy(&done.stdout));
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The authority's certificate, for those who are to trust it.
    pub fn authority(&self) -> PathBuf {
        self.file("ca.pem")
    }

    /// A store with a key and its certificate: `valid` or `expired`.
    pub fn store(&self, name: &str) -> PathBuf {
        self.file(name)
    }
}
