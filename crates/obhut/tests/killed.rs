//! The house as a process, killed without warning while forms pass through its gateway. Afterwards the vault's version is
//! the one before or the one after, and it is the one whose token the app keeps.

use parking_lot::Mutex;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use std::collections::HashMap;
use std::io::BufRead;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_rustls::TlsConnector;

const LONG: Duration = Duration::from_secs(60);
const KILLS: usize = 28;

/// What the app has and has seen.
#[derive(Default)]
struct Kept {
    /// The row of worker 7.
    row: Option<String>,
    /// Each token that came, with the round in which it came.
    came: HashMap<String, usize>,
    round: usize,
    /// How the app answers the next form.
    moment: Moment,
}

/// When the house is killed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Moment {
    /// Not at all.
    #[default]
    Never,
    /// The app has the form and has done nothing yet.
    Before,
    /// The app has kept it, and says so a moment after the house is gone.
    Between,
    /// The app has kept it and has answered.
    After,
    /// The app refuses it; the house is killed with the answer.
    Refused,
}

/// The app: one row, one page, one form.
struct App {
    kept: Mutex<Kept>,
    /// Told when the moment has come.
    now: Notify,
    /// Told when the house is gone.
    gone: Notify,
}

async fn request(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut all = Vec::new();
    loop {
        all.push(stream.read_u8().await.ok()?);
        if all.ends_with(b"\r\n\r\n") {
            break;
        }
    }
    let head = String::from_utf8_lossy(&all).into_owned();
    let lower = head.to_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    Some((head, String::from_utf8_lossy(&body).into_owned()))
}

async fn play(mut stream: TcpStream, app: Arc<App>) {
    while let Some((head, body)) = request(&mut stream).await {
        let answer = if head.starts_with("POST ") { save(&app, &body).await } else { page(&app) };
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.flush().await;
        let moment = app.kept.lock().moment;
        if head.starts_with("POST ") && matches!(moment, Moment::After | Moment::Refused) {
            app.now.notify_one();
        }
    }
}

fn page(app: &App) -> String {
    let body = format!("<p>{}</p>", app.kept.lock().row.clone().unwrap_or_default());
    format!(
        "HTTP/1.1 200 OK\r\nx-user: lead; role=lead\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn save(app: &App, body: &str) -> String {
    let token = body.strip_prefix("name=").unwrap_or_default().to_owned();
    let moment = {
        let mut kept = app.kept.lock();
        let round = kept.round;
        kept.came.insert(token.clone(), round);
        kept.moment
    };
    if moment == Moment::Before {
        app.now.notify_one();
        app.gone.notified().await;
        return String::new();
    }
    if moment == Moment::Refused {
        return "HTTP/1.1 422 No\r\nx-user: lead; role=lead\r\ncontent-length: 0\r\n\r\n".to_owned();
    }
    app.kept.lock().row = Some(token);
    if moment == Moment::Between {
        app.now.notify_one();
        app.gone.notified().await;
    }
    "HTTP/1.1 303 See Other\r\nx-user: lead; role=lead\r\nlocation: /workers/7\r\ncontent-length: 0\r\n\r\n"
        .to_owned()
}

struct House {
    folder: tempfile::TempDir,
    api: SocketAddr,
    door: SocketAddr,
    key: String,
    tenant: String,
    tls: Arc<ClientConfig>,
}

fn free() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address")
}

fn obhut() -> Command {
    Command::new(env!("CARGO_BIN_EXE_obhut"))
}

/// A house that runs; it is killed without warning, at the latest when the test ends.
struct Running(Child);

impl Running {
    fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

impl House {
    async fn make(upstream: SocketAddr) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (data, passphrase) = (folder.path().join("data"), folder.path().join("passphrase"));
        std::fs::write(&passphrase, "not a secret, only a test\n").expect("written");
        let mut made = obhut();
        made.arg("init").arg("--data").arg(&data).args(["--tenant", "Werk"]);
        let made = made.arg("--passphrase-file").arg(&passphrase).output().expect("runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let said = String::from_utf8_lossy(&made.stdout).into_owned();
        let word = |line: &str| {
            let line = said.lines().find_map(|one| one.strip_prefix(line)).unwrap_or_default();
            line.split_whitespace().next().unwrap_or_default().to_owned()
        };
        let (api, door) = (free(), free());
        let file = data.join("obhut.toml");
        let config = std::fs::read_to_string(&file).expect("a configuration");
        let config = config.replace("127.0.0.1:9443", &api.to_string());
        let rules = RULES.replace("DOOR", &door.to_string()).replace("UPSTREAM", &upstream.to_string());
        std::fs::write(&file, format!("{config}\n{rules}")).expect("written");
        let tls = trusting(&data.join("tls/authority.pem"));
        Self { key: word("admin key"), tenant: word("tenant"), folder, api, door, tls }
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("data/obhut.toml")
    }

    /// Runs the house until it says that it is open.
    async fn serve(&self) -> Running {
        let mut child = obhut();
        child.arg("serve").arg("--config").arg(self.config()).stdout(Stdio::piped());
        let mut child = child.spawn().expect("runs");
        let lines = std::io::BufReader::new(child.stdout.take().expect("its output")).lines();
        let (tell, opened) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let mut lines = lines.map_while(Result::ok);
            if lines.any(|line| line == "open") {
                let _ = tell.send(());
            }
            lines.for_each(drop);
        });
        let running = Running(child);
        tokio::time::timeout(LONG, opened).await.expect("in time").expect("it opens");
        running
    }

    /// A request; all of the answer, or nothing where there is none.
    async fn ask(&self, at: SocketAddr, first: &str, lines: &str, body: &str) -> String {
        let asking = async {
            let stream = TcpStream::connect(at).await.ok()?;
            let name = ServerName::try_from("localhost").ok()?;
            let mut stream = TlsConnector::from(self.tls.clone()).connect(name, stream).await.ok()?;
            let request = format!(
                "{first} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{lines}Content-Length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(request.as_bytes()).await.ok()?;
            let mut all = Vec::new();
            let _ = stream.read_to_end(&mut all).await;
            Some(String::from_utf8_lossy(&all).into_owned())
        };
        tokio::time::timeout(LONG, asking).await.expect("in time").unwrap_or_default()
    }

    async fn declare(&self, what: &str, body: &str) {
        let lines = format!("Authorization: Bearer {}\r\nContent-Type: application/json\r\n", self.key);
        let path = format!("PUT /v1/tenants/{}/{what}", self.tenant);
        let answer = self.ask(self.api, &path, &lines, body).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{what}: {answer}");
    }

    async fn save(&self, name: &str) -> String {
        let lines = "Content-Type: application/x-www-form-urlencoded\r\n";
        self.ask(self.door, "POST /workers/7", lines, &format!("name={name}")).await
    }

    async fn page(&self) -> String {
        self.ask(self.door, "GET /workers/7", "", "").await
    }
}

fn trusting(authority: &Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).expect("the authority")).expect("a root");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Arc::new(config.expect("versions").with_root_certificates(roots).with_no_client_auth())
}

const RULES: &str = r#"
[gateway]
listen = ["DOOR"]
hosts = ["localhost"]
upstream = "http://UPSTREAM"
[gateway.principal]
kind = "response"
header = "x-user"
roles = { lead = "operations" }
[[route]]
name = "worker"
path = "/workers/{id}"
methods = ["GET"]
[[route]]
name = "worker-save"
path = "/workers/{id}"
methods = ["POST"]
[[relay]]
routes = ["worker"]
out = { purpose = "personnel", fields = ["name"], person = "path:id" }
[[relay]]
routes = ["worker-save"]
in = { person = { path = "id", create = true }, accept = ["303 /workers/{id}"], fields = { "form:name" = "name" } }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_house_that_is_killed_keeps_all_of_a_form_or_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let upstream = listener.local_addr().expect("an address");
    let app = Arc::new(App { kept: Mutex::default(), now: Notify::new(), gone: Notify::new() });
    let playing = app.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(play(stream, playing.clone()));
        }
    });
    let house = Arc::new(House::make(upstream).await);
    let mut running = house.serve().await;
    let field =
        r#"{"fields":[{"name":"name","category":"identity","type":"text","mask":"redact","max_bytes":200}]}"#;
    house.declare("catalogue", field).await;
    let purpose = r#"{"purposes":[{"name":"personnel","title":"Files","basis":"contract","fields":["name"],"roles":["operations"]}]}"#;
    house.declare("purposes", purpose).await;
    assert!(house.save("Kanarina0").await.starts_with("HTTP/1.1 303"));
    assert!(house.page().await.ends_with("<p>Kanarina0</p>"), "the control: without a kill it is kept");
    let moments = [Moment::Before, Moment::Between, Moment::After, Moment::Refused];
    for round in 1..=KILLS {
        let moment = moments[round % moments.len()];
        let before = app.kept.lock().row.clone().expect("a row");
        {
            let mut kept = app.kept.lock();
            (kept.round, kept.moment) = (round, moment);
        }
        let asking = house.clone();
        let form = tokio::spawn(async move { asking.save(&format!("Kanarina{round}")).await });
        tokio::time::timeout(LONG, app.now.notified()).await.expect("the form comes to the app");
        // With the answer under way, each round kills a little later.
        tokio::time::sleep(Duration::from_micros(700 * (round as u64 / 4))).await;
        running.kill();
        if matches!(moment, Moment::Before | Moment::Between) {
            app.gone.notify_one();
        }
        let answer = form.await.expect("an end");
        app.kept.lock().moment = Moment::Never;
        running = house.serve().await;
        let page = house.page().await;
        let (row, of_row) = {
            let kept = app.kept.lock();
            let row = kept.row.clone().expect("a row");
            let of_row = kept.came[&row];
            (row, of_row)
        };
        assert!(page.ends_with(&format!("<p>Kanarina{of_row}</p>")), "{moment:?} {round}: {page}");
        match moment {
            Moment::Before | Moment::Refused => assert_eq!(row, before, "the app kept what it had"),
            _ => assert_eq!(of_row, round, "the app kept what came"),
        }
        if answer.starts_with("HTTP/1.1 303") {
            assert_eq!(of_row, round, "what was answered is kept");
        }
        // And it goes on as if nothing had been.
        assert!(house.save(&format!("Kanarina{round}")).await.starts_with("HTTP/1.1 303"), "{round}");
        assert!(house.page().await.ends_with(&format!("<p>Kanarina{round}</p>")), "{round}");
    }
    running.kill();
}
