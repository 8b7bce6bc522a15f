//! `obhut demo`: a whole house for trying out, on this machine only.

mod app;
mod attackers;
mod browser;
mod check;
mod doors;
mod seed;
mod through;

pub(crate) use seed::worker;

use crate::config::Config;
use crate::serve::{self, Running};
use crate::system::{Problem, harden, say};
use crate::wiring::{May, private_file, private_folder};
use browser::Browser;
use console::Console;
use data_encoding::BASE64URL_NOPAD;
use model::Entropy;
use seal::{Passphrase, RootKind, SystemEntropy};
use seed::Seeded;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The name of the demo's tenant.
const TENANT: &str = "Werk Süd";

/// How to try it.
#[derive(clap::Args)]
#[command(
    after_help = "The demo listens on this machine alone, and its root is no secret: never put real data in.\n\n\
    Examples:\n  obhut demo\n  obhut demo --check\n  obhut demo --keep /tmp/werk-sued --port 9444"
)]
pub(crate) struct Args {
    /// Keep the data in this folder, which must be empty or not exist. Otherwise they go when the demo ends.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// The port of the API.
    #[arg(long, default_value_t = 9443, value_name = "PORT")]
    port: u16,
    /// The port of the app, behind the gateway.
    #[arg(long, default_value_t = 8443, value_name = "PORT")]
    app_port: u16,
    /// The app alone, without Obhut: in clear text, with its data open in its database.
    #[arg(long, conflicts_with = "check")]
    bare: bool,
    /// Drive the whole story over HTTPS, one line per step, and end with 0 or 1. Takes a free port unless --port.
    #[arg(long)]
    check: bool,
}

/// A folder that goes when the demo ends, unless it is to be kept.
struct Folder {
    path: PathBuf,
    kept: bool,
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed lies in the system's temporary folder, which is emptied.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

impl Folder {
    fn make(keep: Option<&Path>) -> Result<Self, Problem> {
        if let Some(path) = keep {
            private_folder(path)?;
            if std::fs::read_dir(path)?.next().is_some() {
                return Err(Problem::with_help(
                    format!("{} is not empty", path.display()),
                    "name a folder that does not exist yet, or remove that one",
                ));
            }
            return Ok(Self { path: path.to_owned(), kept: true });
        }
        let name: [u8; 8] = model::clock::random(&SystemEntropy);
        let path = std::env::temp_dir().join(format!("obhut-demo-{}", BASE64URL_NOPAD.encode(&name)));
        private_folder(&path)?;
        Ok(Self { path, kept: false })
    }
}

/// Runs the demo.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Problem> {
    harden();
    let folder = Folder::make(args.keep.as_deref())?;
    // The app's files lie beside the house's, not in them.
    let mut config = Config::of_folder(&folder.path.join("house"))?;
    let port = if args.check && args.port == 9443 { 0 } else { args.port };
    config.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let app_port = if args.check && args.app_port == 8443 { 0 } else { args.app_port };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(async {
        if args.bare {
            return bare(&folder.path, app_port).await;
        }
        // First the port: a demo that cannot listen should say so before it makes keys.
        drop(tokio::net::TcpListener::bind(config.listen).await.map_err(|error| busy(&config, &error))?);
        let app = app::start(&folder.path, 0).await?;
        app::protect(&mut config, &app, app_port)?;
        say("making keys, a tenant and 40 workers …");
        let (running, seeded) = start(&config, folder.kept).await?;
        running.recheck(&config)?;
        let tls = crate::client::trusting(&config.tls_cert.with_file_name("authority.pem"))?;
        let door = running.gate().and_then(|gate| gate.addresses.first().copied());
        let door = door.ok_or_else(|| Problem::new("the gateway does not listen"))?;
        say(&format!("entering {} more through the app's own forms …", app::WORKERS));
        app::fill(Browser::new(door, Some(tls.clone()))).await?;
        attackers::run(Browser::new(door, Some(tls.clone()))).await;
        let code = if args.check {
            let told = check::run(&config, &running, &seeded).await?;
            say("\n  through the gateway");
            let through = through::run(&running, &seeded, &app, (door, tls)).await?;
            say(&format!("\n{}", if told + through == 0 { "all steps ok" } else { "NOT all steps ok" }));
            if told + through == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        } else {
            tell_app(door);
            let opened = running.opened().ok_or_else(|| Problem::new("the house is not open"))?;
            let base = format!("https://localhost:{}", running.address.port());
            doors::tell(&opened.vault, &seeded, &base).await?;
            tell(&config, &running, &seeded);
            say("\n  Ctrl-C ends the demo.");
            serve::stop_signal().await?;
            say("");
            ExitCode::SUCCESS
        };
        running.stop().await;
        app.running.stop().await;
        Ok(code)
    });
    drop(runtime);
    if folder.kept {
        say(&format!("kept in {}", folder.path.display()));
    }
    result
}

/// The same app without anything in front of it.
async fn bare(folder: &Path, port: u16) -> Result<ExitCode, Problem> {
    let app = app::start(folder, port).await?;
    app::fill(Browser::new(app.running.address, None)).await?;
    say(&format!("\n  Schicht, unprotected: http://{}", app.running.address));
    for account in sample::ACCOUNTS {
        say(&format!(
            "  sign in as {:<6} password {:<10} ({})",
            account.login, account.password, account.what
        ));
    }
    say(&format!("  its database  {}\n\n  Ctrl-C ends it.", app.database.display()));
    serve::stop_signal().await?;
    app.running.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// The app's door and who can enter.
fn tell_app(door: SocketAddr) {
    say(&format!("\n  The app, behind the gateway: https://localhost:{}", door.port()));
    for account in sample::ACCOUNTS {
        say(&format!(
            "  sign in as {:<6} password {:<10} ({})",
            account.login, account.password, account.what
        ));
    }
    let worker = seed::worker(5_000);
    let email = worker.fields.get("email").map(|value| value.to_string()).unwrap_or_default();
    say(&format!("  or as a worker: {email}, password P-10001"));
    say(
        "  an attack, which is refused; the page Attacks of the console shows it under its reference number:",
    );
    say(&format!("curl -k \"https://localhost:{}/?q=1%27+UNION+SELECT+password+FROM+users--\"", door.port()));
}

fn busy(config: &Config, error: &std::io::Error) -> Problem {
    Problem::with_help(
        format!("cannot listen on {}: {error}", config.listen),
        format!(
            "something else runs there; try: obhut demo --port {}",
            config.listen.port().saturating_add(1)
        ),
    )
}

pub(crate) async fn start(config: &Config, kept: bool) -> Result<(Running, Seeded), Problem> {
    let secret: [u8; 24] = model::clock::random(&SystemEntropy);
    let text = BASE64URL_NOPAD.encode(&secret);
    let passphrase =
        Passphrase::new(text.clone().into_bytes()).map_err(Problem::from_error("the passphrase"))?;
    let made =
        crate::init::make(config, &passphrase, RootKind::Demo, TENANT, &["localhost", "127.0.0.1"]).await?;
    if kept {
        private_file(&config.data.join("passphrase"), format!("{text}\n").as_bytes(), 0o400)?;
    }
    let console = Console::sealed(serve::settings(config));
    let mut running = serve::listen(config, &console).await?;
    let root = crate::wiring::open_root(config, &passphrase)?;
    running.open(config, &console, std::sync::Arc::new(root), May { demo: true, ..May::default() }).await?;
    let opened = running.opened().ok_or_else(|| Problem::new("the house is not open"))?;
    let seeded = seed::run(&opened.vault, made.tenant, &made.admin, &SystemEntropy as &dyn Entropy).await?;
    Ok((running, seeded))
}

/// The table of addresses and keys, and lines to try in order.
fn tell(config: &Config, running: &Running, seeded: &Seeded) {
    let port = running.address.port();
    let base = format!("https://localhost:{port}");
    say(&format!("\n  Obhut demo: {TENANT}, 40 workers. On this machine only; never put real data in.\n"));
    say(&format!("  API           {base}/v1"));
    say(&format!("  description   {base}/v1/openapi.json"));
    say(&format!("  data folder   {}\n", config.data.display()));
    for (name, key) in seeded.keys() {
        say(&format!("  {name:<15} {}", key.reveal()));
    }
    say("\n  To try, in this order. First, once per shell:\n");
    let authority = config.tls_cert.with_file_name("authority.pem");
    say(&format!("CA={}", authority.display()));
    say(&format!("HOUSE={base}; TENANT=$HOUSE/v1/tenants/{}", seeded.tenant));
    say(&format!("PERSON={}", seeded.first_person));
    for (name, key) in [
        ("LEAD", &seeded.shift_lead),
        ("MANAGER", &seeded.case_manager),
        ("OFFICER", &seeded.officer),
        ("WORKER", &seeded.worker),
    ] {
        say(&format!("{name}={}", key.reveal()));
    }
    say(
        "ask() { key=$1; shift; curl -s --cacert $CA -H \"Authorization: Bearer $key\" -H 'Content-Type: application/json' \"$@\"; echo; }",
    );
    for (what, line) in TRY {
        say(&format!("\n# {what}\n{line}"));
    }
}

/// What to try, in order.
const TRY: [(&str, &str); 6] = [
    (
        "the shift lead reads a name; the health note stays redacted",
        "ask $LEAD $TENANT/reveal -d \"{\\\"purpose\\\":\\\"rostering\\\",\\\"items\\\":[{\\\"person\\\":\\\"$PERSON\\\",\\\"fields\\\":[\\\"name\\\",\\\"health_note\\\"]}]}\"",
    ),
    (
        "the case manager asks for the health note without consent: no_permission",
        "ask $MANAGER $TENANT/reveal -d \"{\\\"purpose\\\":\\\"bem\\\",\\\"items\\\":[{\\\"person\\\":\\\"$PERSON\\\",\\\"fields\\\":[\\\"health_note\\\"]}]}\"",
    ),
    ("the worker sees who asked for what, and why", "ask $WORKER $TENANT/persons/$PERSON/accesses"),
    ("and takes all her data along", "ask $WORKER $TENANT/persons/$PERSON/export"),
    ("she is erased", "ask $WORKER $TENANT/persons/$PERSON/erasure -d '{}'"),
    (
        "and anybody can check the certificate, offline",
        "ask $OFFICER $TENANT/persons/$PERSON/erasure > certificate.json\n\
         curl -s --cacert $CA $HOUSE/.well-known/obhut/keys > keys.json\n\
         obhut verify certificate.json --trust keys.json",
    ),
];
