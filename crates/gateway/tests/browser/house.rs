//! A gateway between a real browser and an app that serves the pages that a test lays out. Every token stands for one
//! value, in clear: what the real vault decides is tested with the real one.

use bytes::Bytes;
use gateway::config::Tables;
use gateway::events::{Event, EventSink};
use gateway::messages::{
    Answer, Ask, FieldInfo, Outcome, Relay, RelayError, Shown, Submission, Submitted, Viewer,
};
use gateway::{Gateway, Setup};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use model::Entropy;
use model::catalogue::{Category, TokenFormat};
use model::token::StorageToken;
use parking_lot::Mutex;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use zeroize::Zeroizing;

/// The token of a value, by its number.
pub(crate) fn token(number: usize) -> String {
    struct Fixed(usize);
    impl Entropy for Fixed {
        fn fill(&self, into: &mut [u8]) {
            into.fill(0xa5);
            let number = self.0.to_le_bytes();
            let length = into.len().min(number.len());
            into[..length].copy_from_slice(&number[..length]);
        }
    }
    StorageToken::generate(TokenFormat::Opaque, &Fixed(number)).format(TokenFormat::Opaque)
}

/// Shows everything to everybody that the app names.
struct Open(HashMap<StorageToken, String>);

impl Relay for Open {
    fn fields(&self) -> Result<Vec<FieldInfo>, RelayError> {
        let name =
            FieldInfo { name: "name".to_owned(), format: TokenFormat::Opaque, category: Category::Identity };
        Ok(vec![name])
    }

    fn show(&self, ask: Ask) -> Answer<'_, Vec<Shown>> {
        let one = |token: &StorageToken| match self.0.get(token) {
            Some(value) => Shown::Clear(Zeroizing::new(value.clone())),
            None => Shown::Erased,
        };
        let shown = ask.tokens.iter().map(one).collect();
        Box::pin(async move { Ok(shown) })
    }

    fn submit(&self, _: Submission) -> Answer<'_, Submitted> {
        Box::pin(async { Err(RelayError::Refused) })
    }

    fn settle(&self, _: [u8; 16], _: Outcome, _: Option<Viewer>) -> Answer<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn stable(&self, _: &str, _: &Zeroizing<String>) -> Result<String, RelayError> {
        Err(RelayError::Refused)
    }
}

struct Deaf;

impl EventSink for Deaf {
    fn emit(&self, _: Event) {}
}

/// What the app answers, by path.
type Pages = Arc<Mutex<HashMap<String, (Vec<(String, String)>, Bytes)>>>;

/// What the browser itself asks about a page's policy and would load, everything forbidden: whatever a value added is
/// reported, though nothing is stopped, so that a script that could run does run and is seen a second time.
pub(crate) const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'self'";

pub(crate) struct House {
    port: u16,
    pages: Pages,
    _stop: watch::Sender<bool>,
    _certificate: watch::Sender<Arc<rustls::ServerConfig>>,
}

// Without a shield: what it refuses would hide whether the relay itself holds.
const RULES: &str = r#"
[gateway]
listen = []
hosts = ["localhost"]
upstream = "http://UPSTREAM"
max_body = 16777216
[gateway.principal]
kind = "response"
header = "x-user"
roles = { lead = "operations" }
[[route]]
name = "out"
path = "/out/{page...}"
[[route]]
name = "plain"
path = "/plain/{page...}"
[[relay]]
routes = ["out"]
out = { purpose = "p", fields = ["name"], headers = ["x-name"], attributes = ["data-name"] }
[shield]
mode = "off"
"#;

impl House {
    /// With these values, whose tokens are [`token`] of their numbers.
    pub(crate) async fn new(values: &[String]) -> Self {
        let pages = Pages::default();
        let behind = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let upstream = behind.local_addr().expect("an address");
        let served = pages.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = behind.accept().await {
                tokio::spawn(app(stream, served.clone()));
            }
        });
        let tables: Tables =
            toml::from_str(&RULES.replace("UPSTREAM", &upstream.to_string())).expect("tables");
        let known = values.iter().enumerate();
        let known = known.map(|(number, value)| {
            (StorageToken::parse(&token(number)).expect("a token of ours"), value.clone())
        });
        let relay = Arc::new(Open(known.collect()));
        let fields = relay.fields().expect("fields");
        let setup = Setup::build(&tables, std::path::Path::new("."), Some(&fields)).expect("a setup");
        let clock = Arc::new(testkit::TestClock::at(0));
        let entropy = Arc::new(testkit::SeededEntropy::new(1));
        let gateway = Gateway::new(setup, relay, Arc::new(Deaf), clock, entropy);
        let (certificate, presented) = watch::channel(certificate());
        let (stop, stopped) = watch::channel(false);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        tokio::spawn(gateway::serve::serve(listener, presented, gateway, stopped));
        Self { port, pages, _stop: stop, _certificate: certificate }
    }

    /// Lays out a page at a path under `/out/`, where values are shown, or `/plain/`, where the app answers alone. Gives
    /// its address.
    pub(crate) fn lay(
        &self,
        path: &str,
        kind: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> String {
        let mut all: Vec<(String, String)> =
            headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        all.push(("content-type".to_owned(), kind.to_owned()));
        self.pages.lock().insert(path.to_owned(), (all, body.into()));
        format!("https://localhost:{}{path}", self.port)
    }

    /// A page under the policy that forbids everything and only reports.
    pub(crate) fn lay_html(&self, path: &str, body: impl Into<Bytes>) -> String {
        self.lay(path, "text/html; charset=utf-8", &[("content-security-policy-report-only", POLICY)], body)
    }

    /// An empty page of the same origin, from which to ask for others.
    pub(crate) fn lay_start(&self) -> String {
        self.lay("/plain/start", "text/html; charset=utf-8", &[], "<!doctype html><title>start</title>")
    }
}

async fn app(stream: TcpStream, pages: Pages) {
    let service = service_fn(|request: Request<Incoming>| {
        let page = pages.lock().get(request.uri().path()).cloned();
        async move {
            let mut answer = Response::builder().header("x-user", "lead; role=lead");
            let body = match page {
                Some((headers, body)) => {
                    for (name, value) in headers {
                        answer = answer.header(name, value);
                    }
                    body
                }
                None => {
                    answer = answer.status(404).header("content-type", "text/plain");
                    Bytes::new()
                }
            };
            Ok::<_, Infallible>(answer.body(Full::new(body)).expect("an answer"))
        }
    });
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

fn certificate() -> Arc<rustls::ServerConfig> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let chain = vec![CertificateDer::from(made.cert.der().to_vec())];
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("fits");
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Arc::new(server)
}
