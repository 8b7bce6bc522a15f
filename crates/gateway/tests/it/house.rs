//! A gateway between a TLS client and an app that does as it is told.

use gateway::config::Tables;
use gateway::events::{Event, EventSink};
use gateway::messages::{
    Answer, Ask, FieldInfo, Outcome, Relay, RelayError, Shown, Submission, Submitted, Viewer,
};
use gateway::{Gateway, Setup};
use model::Entropy;
use model::catalogue::{Category, TokenFormat};
use model::token::StorageToken;
use parking_lot::Mutex;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::{TlsConnector, client::TlsStream};
use zeroize::Zeroizing;

/// Longest wait for anything.
const LONG: Duration = Duration::from_secs(20);

/// A token for each number.
pub(crate) fn token(number: u8) -> String {
    struct Fixed(u8);
    impl Entropy for Fixed {
        fn fill(&self, into: &mut [u8]) {
            into.fill(self.0);
        }
    }
    StorageToken::generate(TokenFormat::Opaque, &Fixed(number)).format(TokenFormat::Opaque)
}

/// What stands behind token 1 for who may see it.
pub(crate) const SECRET: &str = "Kanarina <Vogelsang>";

/// Plays the vault: token 1 is clear for the lead, token 2 is masked for everybody, all others are nobody's. What the
/// real one decides is tested with the real one.
#[derive(Default)]
pub(crate) struct Played {
    pub(crate) settled: Mutex<Vec<Outcome>>,
    /// Who was said to have typed what was accepted.
    pub(crate) typists: Mutex<Vec<Option<String>>>,
    pub(crate) submitted: Mutex<Vec<(String, String)>>,
    pub(crate) fails: Mutex<Option<RelayError>>,
}

impl Relay for Played {
    fn fields(&self) -> Result<Vec<FieldInfo>, RelayError> {
        let field = |name: &str, format: TokenFormat| FieldInfo {
            name: name.to_owned(),
            format,
            category: Category::Identity,
        };
        let opaque = TokenFormat::Opaque;
        Ok(vec![field("name", opaque), field("note", opaque), field("born", TokenFormat::Date)])
    }

    fn show(&self, ask: Ask) -> Answer<'_, Vec<Shown>> {
        let known: HashMap<StorageToken, Shown> = [
            (1, Shown::Clear(Zeroizing::new(SECRET.to_owned()))),
            (2, Shown::Masked(ask.form.as_ref().map(|_| "obv_two".to_owned()))),
        ]
        .into_iter()
        .filter_map(|(number, shown)| Some((StorageToken::parse(&token(number))?, shown)))
        .collect();
        let lead = ask.viewer.subject == "lead";
        let one = |asked: &StorageToken| match known.get(asked) {
            Some(shown) if lead => shown.clone(),
            Some(_) => Shown::Masked(None),
            None => Shown::Erased,
        };
        let shown = ask.tokens.iter().map(one).collect();
        let fails = *self.fails.lock();
        Box::pin(async move { fails.map_or(Ok(shown), Err) })
    }

    fn submit(&self, submission: Submission) -> Answer<'_, Submitted> {
        let mut texts = Vec::new();
        for (number, (field, value)) in submission.values.into_iter().enumerate() {
            texts.push(token(100 + u8::try_from(number).unwrap_or_default()));
            self.submitted.lock().push((field, value.to_string()));
        }
        let fails = *self.fails.lock();
        Box::pin(async move { fails.map_or(Ok(Submitted { id: Some([7; 16]), texts }), Err) })
    }

    fn settle(&self, _: [u8; 16], outcome: Outcome, viewer: Option<Viewer>) -> Answer<'_, ()> {
        if matches!(outcome, Outcome::Accepted(_)) {
            self.typists.lock().push(viewer.map(|viewer| viewer.subject));
        }
        self.settled.lock().push(outcome);
        Box::pin(async { Ok(()) })
    }

    fn stable(&self, _: &str, _: &Zeroizing<String>) -> Result<String, RelayError> {
        Ok(token(200))
    }
}

#[derive(Default)]
pub(crate) struct Told(pub(crate) Mutex<Vec<Event>>);

impl EventSink for Told {
    fn emit(&self, event: Event) {
        self.0.lock().push(event);
    }
}

/// The app: each connection gets the answer that is set, whatever it asks.
pub(crate) struct App {
    pub(crate) got: Arc<Mutex<Vec<u8>>>,
    pub(crate) answer: Arc<Mutex<Vec<u8>>>,
    pub(crate) silent: Arc<Mutex<bool>>,
}

impl App {
    async fn listening(self: Arc<Self>) -> SocketAddr {
        let behind = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = behind.local_addr().expect("an address");
        tokio::spawn(async move {
            while let Ok((stream, _)) = behind.accept().await {
                tokio::spawn(play(stream, self.clone()));
            }
        });
        address
    }
}

async fn play(mut stream: TcpStream, app: Arc<App>) {
    let mut head = Vec::new();
    let mut buffer = [0; 65_536];
    loop {
        let Ok(read) = stream.read(&mut buffer).await else { return };
        if read == 0 {
            return;
        }
        app.got.lock().extend_from_slice(&buffer[..read]);
        head.extend_from_slice(&buffer[..read]);
        let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(&head[..end]).to_lowercase();
        let length =
            text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        let whole = match length {
            Some(length) => head.len() >= end + 4 + length,
            None => !text.contains("transfer-encoding") || head.ends_with(b"0\r\n\r\n"),
        };
        if !whole || *app.silent.lock() {
            continue;
        }
        let answer = app.answer.lock().clone();
        if stream.write_all(&answer).await.is_err() || stream.shutdown().await.is_err() {
            return;
        }
        return;
    }
}

pub(crate) struct House {
    pub(crate) address: SocketAddr,
    pub(crate) app: Arc<App>,
    pub(crate) relay: Arc<Played>,
    pub(crate) told: Arc<Told>,
    pub(crate) gateway: Gateway,
    pub(crate) upstream: SocketAddr,
    /// The cookie of the lead, for the routes that know their user by it.
    pub(crate) cookie: String,
    client: rustls::ClientConfig,
    stop: watch::Sender<bool>,
}

pub(crate) const RULES: &str = r#"
[gateway]
listen = []
hosts = ["localhost"]
upstream = "http://UPSTREAM"
timeout = 2
max_body = 1048576
[gateway.principal]
kind = "response"
header = "x-user"
roles = { lead = "operations", case = "case_manager" }
[[route]]
name = "page"
path = "/page"
methods = ["GET"]
[[route]]
name = "edit"
path = "/edit"
methods = ["GET"]
principal = { kind = "jwt", cookie = "s", keys = "KEYS", issuer = "app", roles = { lead = "operations" } }
[[route]]
name = "keep"
path = "/keep/{id}"
principal = { kind = "jwt", cookie = "s", keys = "KEYS", issuer = "app", roles = { lead = "operations" } }
[[route]]
name = "born"
path = "/born"
[[route]]
name = "open-cors"
path = "/cors"
cors = ["https://friend.example"]
[[route]]
name = "save"
path = "/save/{id}"
[[route]]
name = "new"
path = "/new"
[[route]]
name = "note"
path = "/note/{id}"
[[route]]
name = "make"
path = "/make/{id}"
[[route]]
name = "make-field"
path = "/make"
[[route]]
name = "upload"
path = "/upload"
pass = ["upload"]
[[relay]]
routes = ["page", "open-cors"]
out = { purpose = "p", fields = ["name"], headers = ["x-name"] }
[[relay]]
routes = ["born"]
out = { purpose = "p", fields = ["born"] }
[[relay]]
routes = ["edit"]
out = { purpose = "p", fields = ["name"], form = "keep" }
[[relay]]
routes = ["keep"]
in = { person = { path = "id" }, accept = ["303 /keep/{id}"], fields = { "form:name" = "name" } }
[[relay]]
routes = ["save"]
in = { person = { path = "id" }, accept = ["2xx", "303 /save/{id}"], fields = { "form:name" = "name", "json:/name" = "name" } }
[[relay]]
routes = ["note"]
in = { person = { path = "id" }, accept = ["2xx"], fields = { "query:note" = "note" } }
[[relay]]
routes = ["make"]
in = { person = { path = "id", create = true }, accept = ["2xx", "303 /made"], fields = { "form:name" = "name" } }
[[relay]]
routes = ["make-field"]
in = { person = { field = "form:id", create = true }, accept = ["2xx"], fields = { "form:name" = "name" } }
[[relay]]
routes = ["new"]
in = { person = { new = "location:/w/{id}" }, accept = ["303"], fields = { "form:name" = "name" } }
"#;

/// Rules as a setup, for an app at this address. Where they say nothing of a shield, there is none.
pub(crate) fn setup(rules: &str, upstream: SocketAddr) -> Setup {
    built(rules, upstream).0
}

fn built(rules: &str, upstream: SocketAddr) -> (Setup, Tables) {
    let mut text = rules.replace("UPSTREAM", &upstream.to_string());
    if !text.contains("[shield]") {
        text.push_str("\n[shield]\nmode = \"off\"\n");
    }
    let tables: Tables = toml::from_str(&text).expect("tables");
    let fields = Played::default().fields().expect("fields");
    (Setup::build(&tables, std::path::Path::new("."), Some(&fields)).expect("a setup"), tables)
}

/// The same with rules of the shield.
pub(crate) fn shielded(rules: &str, upstream: SocketAddr, seclang: &str) -> Setup {
    let (setup, tables) = built(rules, upstream);
    setup.with_rules(engine(seclang), &tables.shield.exclude).expect("its exclusions fit")
}

/// Rules of the shield, from a text.
pub(crate) fn engine(seclang: &str) -> Arc<shield::Engine> {
    struct Text(String);
    impl shield::Files for Text {
        fn read(&self, _: &str) -> Option<Vec<u8>> {
            Some(self.0.clone().into_bytes())
        }
        fn data(&self, _: &str, _: &str) -> Option<Vec<u8>> {
            None
        }
        fn matching(&self, _: &str, _: &str) -> Vec<String> {
            Vec::new()
        }
    }
    let loaded = shield::Engine::load(&Text(seclang.to_owned()), &["rules.conf".to_owned()], 1);
    Arc::new(loaded.unwrap_or_else(|faults| panic!("{faults:?}")))
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::new_with("", "").await
    }

    /// One whose rules say something else in one place.
    pub(crate) async fn new_with(this: &str, instead: &str) -> Self {
        let app = Arc::new(App { got: Arc::default(), answer: Arc::default(), silent: Arc::default() });
        let upstream = app.clone().listening().await;
        Self::before(app, upstream, |keys| {
            setup(&RULES.replace(this, instead).replace("KEYS", keys), upstream)
        })
        .await
    }

    /// One with a shield under these rules; `more` stands behind the rules of the gateway.
    pub(crate) async fn shielded(more: &str, seclang: &str) -> Self {
        let app = Arc::new(App { got: Arc::default(), answer: Arc::default(), silent: Arc::default() });
        let upstream = app.clone().listening().await;
        let rules = format!("{RULES}\n{more}");
        Self::before(app, upstream, |keys| shielded(&rules.replace("KEYS", keys), upstream, seclang)).await
    }

    /// The same before an app of one's own.
    pub(crate) async fn shielding(rules: &str, seclang: &str, upstream: SocketAddr) -> Self {
        let app = Arc::new(App { got: Arc::default(), answer: Arc::default(), silent: Arc::default() });
        Self::before(app, upstream, |_| shielded(rules, upstream, seclang)).await
    }

    /// A gateway with these rules before an app of one's own.
    pub(crate) async fn with(rules: &str, upstream: SocketAddr) -> Self {
        let app = Arc::new(App { got: Arc::default(), answer: Arc::default(), silent: Arc::default() });
        Self::before(app, upstream, |keys| setup(&rules.replace("KEYS", keys), upstream)).await
    }

    async fn before(app: Arc<App>, upstream: SocketAddr, build: impl FnOnce(&str) -> Setup) -> Self {
        let (relay, told) = (Arc::new(Played::default()), Arc::new(Told::default()));
        let keys = tempfile::NamedTempFile::new().expect("a file");
        let pair = rcgen::KeyPair::generate().expect("a key");
        std::fs::write(keys.path(), pair.public_key_pem()).expect("written");
        let cookie = signed_in(&pair);
        let setup = build(&keys.path().display().to_string());
        let clock = Arc::new(testkit::TestClock::at(1_790_000_000_000));
        let entropy = Arc::new(testkit::SeededEntropy::new(7));
        let gateway = Gateway::new(setup, relay.clone(), told.clone(), clock, entropy);
        let (server, client) = certificates();
        let (keep, presented) = watch::channel(server);
        std::mem::forget(keep);
        let (stop, stopped) = watch::channel(false);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(gateway::serve::serve(listener, presented, gateway.clone(), stopped));
        Self { address, app, relay, told, gateway, upstream, cookie, client, stop }
    }

    /// Tells the gateway to stop.
    pub(crate) fn stop(&self) {
        let _ = self.stop.send(true);
    }

    /// A connection on which this protocol was agreed.
    pub(crate) async fn connect_as(&self, protocol: &[u8]) -> TlsStream<TcpStream> {
        let mut client = self.client.clone();
        client.alpn_protocols = vec![protocol.to_vec()];
        let stream = TcpStream::connect(self.address).await.expect("connected");
        let name = ServerName::try_from("localhost").expect("a name");
        let stream = TlsConnector::from(Arc::new(client)).connect(name, stream).await.expect("TLS");
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(protocol));
        stream
    }

    /// What the app answers from now on.
    pub(crate) fn answers(&self, head: &str, body: impl AsRef<[u8]>) {
        let body = body.as_ref();
        let mut answer =
            format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        if head.contains("transfer-encoding") {
            answer = format!("HTTP/1.1 {head}\r\nconnection: close\r\n\r\n");
        }
        *self.app.answer.lock() = [answer.as_bytes(), body].concat();
        self.app.got.lock().clear();
    }

    /// A page for the lead.
    pub(crate) fn page(&self, kind: &str, body: impl AsRef<[u8]>) {
        self.answers(&format!("200 OK\r\nx-user: lead; role=lead\r\ncontent-type: {kind}"), body);
    }

    pub(crate) async fn connect(&self) -> TlsStream<TcpStream> {
        let stream = TcpStream::connect(self.address).await.expect("connected");
        let name = ServerName::try_from("localhost").expect("a name");
        TlsConnector::from(Arc::new(self.client.clone())).connect(name, stream).await.expect("TLS")
    }

    /// Sends bytes and reads all that comes back.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = self.connect().await;
        // Who is refused early may find the door closed while still speaking.
        let _ = stream.write_all(bytes).await;
        let mut all = Vec::new();
        let _ = tokio::time::timeout(LONG, stream.read_to_end(&mut all)).await.expect("an end");
        all
    }

    /// A request with these lines; head and body of the answer.
    pub(crate) async fn ask(&self, first: &str, lines: &[&str], body: impl AsRef<[u8]>) -> (String, Vec<u8>) {
        let body = body.as_ref();
        let mut head = format!("{first} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        for line in lines {
            head.push_str(line);
            head.push_str("\r\n");
        }
        if !body.is_empty() {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        let all = self.raw(&[head.as_bytes(), b"\r\n", body].concat()).await;
        let end = all.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(all.len());
        let text = String::from_utf8_lossy(&all[..end]).into_owned();
        (text, all.get(end + 4..).unwrap_or_default().to_vec())
    }

    pub(crate) async fn get(&self, path: &str) -> (String, String) {
        let (head, body) = self.ask(&format!("GET {path}"), &[], "").await;
        (head, String::from_utf8_lossy(&body).into_owned())
    }

    pub(crate) fn app_got(&self) -> String {
        String::from_utf8_lossy(&self.app.got.lock()).into_owned()
    }

    pub(crate) fn noticed(&self, wanted: impl Fn(&Event) -> bool) -> bool {
        self.told.0.lock().iter().any(wanted)
    }
}

fn signed_in(pair: &rcgen::KeyPair) -> String {
    use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
    let key = EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).expect("a key");
    let claims =
        serde_json::json!({ "sub": "lead", "role": "lead", "iss": "app", "exp": 32_503_680_000_u64 });
    format!("Cookie: s={}", encode(&Header::new(Algorithm::ES256), &claims, &key).expect("signed"))
}

fn certificates() -> (Arc<rustls::ServerConfig>, rustls::ClientConfig) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let certificate = CertificateDer::from(made.cert.der().to_vec());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut server = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .expect("fits");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).expect("a root");
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    (Arc::new(server), client)
}
