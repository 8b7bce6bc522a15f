//! Engines, and one request through them from its first byte to the end.

use shield::message::Request;
use shield::{Collections, Context, Engine, Files, Head, Refusal, Transaction};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files of folders, and texts of the test's own.
#[derive(Default)]
struct Texts(Vec<(String, String)>);

impl Files for Texts {
    fn read(&self, name: &str) -> Option<Vec<u8>> {
        match self.0.iter().find(|(known, _)| known == name) {
            Some((_, text)) => Some(text.clone().into_bytes()),
            None => std::fs::read(name).ok(),
        }
    }

    fn data(&self, from: &str, name: &str) -> Option<Vec<u8>> {
        std::fs::read(Path::new(from).parent()?.join(name)).ok()
    }

    fn matching(&self, _: &str, _: &str) -> Vec<String> {
        Vec::new()
    }
}

/// Matches are noted and end nothing, so that each request runs through all rules.
const SETTINGS: &str = "SecRuleEngine DetectionOnly\nSecRequestBodyAccess On\nSecRequestBodyLimit 134217728\n\
    SecAction \"id:9,phase:1,pass,nolog,t:none,setvar:tx.blocking_paranoia_level=2,setvar:tx.detection_paranoia_level=2\"\n";

fn load(texts: Texts, names: &[String]) -> Arc<Engine> {
    match Engine::load(&texts, names, 1) {
        Ok(engine) => Arc::new(engine),
        Err(faults) => panic!("{}", faults.iter().map(|fault| format!("{fault}\n")).collect::<String>()),
    }
}

/// An engine of this text of rules.
pub(crate) fn engine(text: &str) -> Arc<Engine> {
    let texts = Texts(vec![("rules.conf".to_owned(), text.to_owned())]);
    load(texts, &["rules.conf".to_owned()])
}

fn with_settings(files: Vec<String>) -> Arc<Engine> {
    let texts = Texts(vec![("settings.conf".to_owned(), SETTINGS.to_owned())]);
    load(texts, &[vec!["settings.conf".to_owned()], files].concat())
}

fn confs(folder: &Path) -> Vec<String> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder of rules")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "conf"))
        .map(|path| path.display().to_string())
        .collect();
    files.sort();
    files
}

/// The rules that are built in.
pub(crate) fn pack() -> Arc<Engine> {
    with_settings(confs(&Path::new(env!("CARGO_MANIFEST_DIR")).join("rules")))
}

/// Where the Core Rule Set lies, if it does.
#[expect(clippy::disallowed_methods, reason = "the corpus is looked for where the environment says")]
pub(crate) fn core_rules() -> Option<PathBuf> {
    std::env::var_os("OBHUT_SHARED").map(|shared| PathBuf::from(shared).join("crs"))
}

/// The Core Rule Set.
pub(crate) fn core(folder: &Path) -> Arc<Engine> {
    let setup = folder.join("crs-setup.conf.example").display().to_string();
    with_settings([vec![setup], confs(&folder.join("rules"))].concat())
}

/// Sends a request through, and tells the limit that it met.
pub(crate) fn inspect(engine: &Arc<Engine>, request: &Request, sift: bool) -> Option<Refusal> {
    let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let context = Context {
        client: local,
        client_port: 40_000,
        server: local,
        server_port: 443,
        id: "growth".to_owned(),
        now: 1_790_000_000,
    };
    let mut transaction = Transaction::new(engine, &Arc::new(Collections::new(4)), context);
    if !sift {
        transaction = transaction.without_sifting();
    }
    let headers: Vec<(&[u8], &[u8])> =
        request.headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
    let head = Head {
        method: &request.method,
        target: &request.uri,
        protocol: &request.protocol,
        headers: &headers,
    };
    transaction.request_head(&head);
    transaction.request_body(&request.body, true);
    transaction.finish().refusal
}

/// A form with this body.
pub(crate) fn form(body: String) -> Request {
    posted("application/x-www-form-urlencoded", body)
}

/// A body of a media type.
pub(crate) fn posted(media: &str, body: String) -> Request {
    Request::new("POST", "/search")
        .with_header("Host", "app.example.org")
        .with_header("User-Agent", "Mozilla/5.0")
        .with_header("Accept", "*/*")
        .with_header("Content-Type", media)
        .with_body(body)
}
