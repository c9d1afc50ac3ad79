//! A broker that asks who comes, and its doors.
//!
//! By the plain one everything is allowed: it is for the script's tools and whoever makes topics and judges. The others
//! ask for a password, or show a certificate, or both, and let a user do only what a rule allows.

use super::broker::{Cluster, ports};
use super::certificates::{Certificates, STORE_PASSWORD};
use std::sync::{Arc, Mutex};

/// The variable that the password comes from.
pub const VARIABLE: &str = "TRIAL_PASSWORD";
/// What must be found nowhere.
pub const PASSWORD: &str = "wrench-4711-lantern";
/// Whoever knows the password.
pub const USERS: [&str; 7] =
    ["streamrun", "reads-not", "writes-not", "joins-not", "commits-not", "no-more", "stranger"];

/// Listeners besides the plain one, and how many ports they are behind it. The controller is in between.
const LISTENERS: [(&str, &str, u16); 4] = [
    ("PASSWORD", "SASL_PLAINTEXT", 2),
    ("CERTIFIED", "SSL", 3),
    ("BOTH", "SASL_SSL", 4),
    ("EXPIRED", "SSL", 5),
];

/// How an engine comes in.
#[derive(Clone, Debug, Default)]
pub struct Door {
    pub address: String,
    /// What the pipeline's file says about it.
    pub common: String,
    /// A variable and its value.
    pub secret: Option<(&'static str, String)>,
}

impl Door {
    /// The same with another password.
    pub fn with_password(mut self, password: &str) -> Self {
        self.secret = Some((VARIABLE, password.to_owned()));
        self
    }

    /// The same for somebody whose file says nothing about it.
    pub fn unprepared(mut self) -> Self {
        self.common.clear();
        self
    }

    /// The same with something else in the file.
    pub fn with(mut self, from: &str, to: &str) -> Self {
        assert!(self.common.contains(from), "{from} is not in\n{}", self.common);
        self.common = self.common.replace(from, to);
        self
    }
}

/// The broker.
#[derive(Debug)]
pub struct Secured {
    pub cluster: Arc<Cluster>,
    certificates: Certificates,
    port: u16,
}

impl Secured {
    fn start() -> Self {
        let (certificates, port) = (Certificates::make(), ports(6));
        let mut flags = vec!["--port".to_owned(), port.to_string()];
        let settings = settings(&certificates, port).into_iter();
        flags.extend(settings.flat_map(|(name, value)| ["--set".to_owned(), format!("{name}={value}")]));
        let cluster = Arc::new(Cluster::start_with(1, &flags));
        // A user's passwords for both mechanisms cannot be set in one go, and without TLS nobody uses them.
        for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"].iter().filter(|_| cfg!(feature = "tls")) {
            let config = format!("{mechanism}=[password={PASSWORD}]");
            let user = ["--entity-type", "users", "--entity-name", USERS[0]];
            cluster.script(&[&["configs", "--alter", "--add-config", &config][..], &user].concat());
        }
        Secured { cluster, certificates, port }
    }

    /// By password alone.
    pub fn by_password(&self, user: &str) -> Door {
        self.door(2, &["\"security.protocol\" = \"sasl_plaintext\"".to_owned(), sasl("PLAIN", user)])
    }

    /// By a password over TLS.
    pub fn by_both(&self, mechanism: &str, user: &str) -> Door {
        let tls = ["\"security.protocol\" = \"sasl_ssl\"".to_owned(), self.trust()];
        self.door(4, &[&tls[..], &[sasl(mechanism, user)]].concat())
    }

    /// By TLS without a password.
    pub fn by_certificate(&self) -> Door {
        self.door(3, &["\"security.protocol\" = \"ssl\"".to_owned(), self.trust()])
    }

    /// By TLS to a broker whose time is over.
    pub fn by_expired_certificate(&self) -> Door {
        self.door(5, &["\"security.protocol\" = \"ssl\"".to_owned(), self.trust()])
    }

    fn trust(&self) -> String {
        format!("\"ssl.ca.location\" = '{}'", self.certificates.authority().display())
    }

    fn door(&self, behind: u16, lines: &[String]) -> Door {
        Door {
            address: format!("127.0.0.1:{}", self.port + behind),
            common: format!("\n[kafka.common]\n{}\n", lines.join("\n")),
            secret: Some((VARIABLE, PASSWORD.to_owned())),
        }
    }

    /// Rules, in the words of Apache's tool.
    pub fn rule(&self, line: &str) {
        let words: Vec<&str> = ["acls"].into_iter().chain(line.split_whitespace()).collect();
        self.cluster.script(&words);
    }
}

fn sasl(mechanism: &str, user: &str) -> String {
    format!(
        "\"sasl.mechanism\" = \"{mechanism}\"\n\"sasl.username\" = \"{user}\"\n\
         \"sasl.password\" = {{ env = \"{VARIABLE}\" }}"
    )
}

/// The broker's settings. Who comes by the plain door is nobody, and may do everything.
fn settings(certificates: &Certificates, port: u16) -> Vec<(String, String)> {
    let open = format!("PLAINTEXT://127.0.0.1:{port}");
    let more = LISTENERS.map(|(name, _, behind)| format!("{name}://127.0.0.1:{}", port + behind)).join(",");
    let protocols = LISTENERS.map(|(name, protocol, _)| format!("{name}:{protocol}")).join(",");
    let users = USERS.map(|user| format!("user_{user}=\"{PASSWORD}\"")).join(" ");
    let login = |kind: &str, options: &str| {
        format!("org.apache.kafka.common.security.{kind}LoginModule required {options};")
    };
    let mut all = vec![
        ("listeners".to_owned(), format!("{open},CONTROLLER://127.0.0.1:{},{more}", port + 1)),
        ("advertised.listeners".to_owned(), format!("{open},{more}")),
        (
            "listener.security.protocol.map".to_owned(),
            format!("PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,{protocols}"),
        ),
        (
            "authorizer.class.name".to_owned(),
            "org.apache.kafka.metadata.authorizer.StandardAuthorizer".to_owned(),
        ),
        ("super.users".to_owned(), "User:ANONYMOUS".to_owned()),
    ];
    for listener in ["password", "both"] {
        let of = |what: &str| format!("listener.name.{listener}.{what}");
        all.push((of("sasl.enabled.mechanisms"), "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512".to_owned()));
        all.push((of("plain.sasl.jaas.config"), login("plain.Plain", &users)));
        for scram in ["scram-sha-256", "scram-sha-512"] {
            all.push((of(&format!("{scram}.sasl.jaas.config")), login("scram.Scram", "")));
        }
    }
    for (listener, store) in [("certified", "valid"), ("both", "valid"), ("expired", "expired")] {
        let of = |what: &str| format!("listener.name.{listener}.ssl.keystore.{what}");
        all.push((of("location"), certificates.store(store).display().to_string()));
        all.push((of("type"), "PKCS12".to_owned()));
        all.push((of("password"), STORE_PASSWORD.to_owned()));
    }
    all
}

static SHARED: Mutex<Option<Arc<Secured>>> = Mutex::new(None);

/// The one of all tests that need one: started with the first of them.
pub fn shared() -> Arc<Secured> {
    let mut shared = SHARED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    shared.get_or_insert_with(|| Arc::new(Secured::start())).clone()
}

/// Ends it, and waits for that.
pub fn end_shared() {
    SHARED.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
}
