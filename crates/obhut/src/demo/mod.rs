//! `obhut demo`: a whole house for trying out, on this machine only.

mod check;
mod seed;

pub(crate) use seed::worker;

use crate::config::Config;
use crate::serve::{self, Running};
use crate::system::{Problem, harden, say};
use crate::wiring::{May, private_file, private_folder};
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
#[command(after_help = "The demo listens on this machine alone, and its root is no secret: never put real data in.\n\n\
    Examples:\n  obhut demo\n  obhut demo --check\n  obhut demo --keep /tmp/werk-sued --port 9444")]
pub(crate) struct Args {
    /// Keep the data in this folder, which must be empty or not exist. Otherwise they go when the demo ends.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// The port of the API.
    #[arg(long, default_value_t = 9443, value_name = "PORT")]
    port: u16,
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
    let mut config = Config::of_folder(&folder.path)?;
    let port = if args.check && args.port == 9443 { 0 } else { args.port };
    config.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(async {
        // First the port: a demo that cannot listen should say so before it makes keys.
        drop(tokio::net::TcpListener::bind(config.listen).await.map_err(|error| busy(&config, &error))?);
        say("making keys, a tenant and 40 workers …");
        let (running, seeded) = start(&config, folder.kept).await?;
        let code = if args.check {
            check::run(&config, &running, &seeded).await?
        } else {
            tell(&config, &running, &seeded);
            serve::stop_signal().await?;
            say("");
            ExitCode::SUCCESS
        };
        running.stop().await;
        Ok(code)
    });
    drop(runtime);
    if folder.kept {
        say(&format!("kept in {}", folder.path.display()));
    }
    result
}

fn busy(config: &Config, error: &std::io::Error) -> Problem {
    Problem::with_help(
        format!("cannot listen on {}: {error}", config.listen),
        format!("something else runs there; try: obhut demo --port {}", config.listen.port().saturating_add(1)),
    )
}

pub(crate) async fn start(config: &Config, kept: bool) -> Result<(Running, Seeded), Problem> {
    let secret: [u8; 24] = model::clock::random(&SystemEntropy);
    let text = BASE64URL_NOPAD.encode(&secret);
    let passphrase =
        Passphrase::new(text.clone().into_bytes()).map_err(Problem::from_error("the passphrase"))?;
    let made = crate::init::make(config, &passphrase, RootKind::Demo, TENANT, &["localhost", "127.0.0.1"]).await?;
    if kept {
        private_file(&config.data.join("passphrase"), format!("{text}\n").as_bytes(), 0o400)?;
    }
    let console = Console::sealed(serve::settings(config));
    let mut running = serve::listen(config, &console).await?;
    let root = crate::wiring::open_root(config, &passphrase)?;
    running.open(config, &console, std::sync::Arc::new(root), May { demo: true, jump: false }).await?;
    let opened = running.opened().ok_or_else(|| Problem::new("the house is not open"))?;
    let seeded = seed::run(&opened.vault, made.tenant, &made.admin, &SystemEntropy as &dyn Entropy).await?;
    Ok((running, seeded))
}

/// The table of addresses and keys, and lines to try in order.
fn tell(config: &Config, running: &Running, seeded: &Seeded) {
    let port = running.address.port();
    let base = format!("https://localhost:{port}");
    let authority = config.tls_cert.with_file_name("authority.pem");
    let tenant = seeded.tenant;
    let person = seeded.first_person;
    say(&format!("\n  Obhut demo: {TENANT}, 40 workers. On this machine only; never put real data in.\n"));
    say(&format!("  API           {base}/v1"));
    say(&format!("  description   {base}/v1/openapi.json"));
    say(&format!("  ledger        {base}/ledger/checkpoint"));
    say(&format!("  data folder   {}", config.data.display()));
    say(&format!("  tenant        {tenant}\n"));
    for (name, key) in seeded.keys() {
        say(&format!("  {name:<15} {}", key.reveal()));
    }
    say("\n  To try, in this order:\n");
    let curl = format!("curl --cacert {}", authority.display());
    let post = |key: &str, path: &str, body: &str| {
        format!("  {curl} -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\\n    -d '{body}' {base}{path}\n")
    };
    let tenant_path = format!("/v1/tenants/{tenant}");
    say("  # the shift lead reads a name; the health note stays redacted");
    let body = format!(
        "{{\"purpose\":\"rostering\",\"items\":[{{\"person\":\"{person}\",\"fields\":[\"name\",\"health_note\"]}}]}}"
    );
    say(&post(&seeded.shift_lead.reveal(), &format!("{tenant_path}/reveal"), &body));
    say("  # the case manager asks for the health note, without consent: no_permission");
    let body = format!(
        "{{\"purpose\":\"bem\",\"items\":[{{\"person\":\"{person}\",\"fields\":[\"health_note\"]}}]}}"
    );
    say(&post(&seeded.case_manager.reveal(), &format!("{tenant_path}/reveal"), &body));
    say("  # the worker sees who read what, and why");
    say(&format!(
        "  {curl} -H 'Authorization: Bearer {}' {base}{tenant_path}/persons/{person}/accesses\n",
        seeded.worker.reveal()
    ));
    say("  # the worker is erased, and gets a certificate that anybody can check offline");
    say(&post(&seeded.worker.reveal(), &format!("{tenant_path}/persons/{person}/erasure"), "{}"));
    say(&format!(
        "  {curl} -H 'Authorization: Bearer {}' {base}{tenant_path}/persons/{person}/erasure > certificate.json",
        seeded.officer.reveal()
    ));
    say(&format!("  {curl} {base}/.well-known/obhut/keys > keys.json"));
    say("  obhut verify certificate.json --trust keys.json\n\n  Ctrl-C ends the demo.");
}
