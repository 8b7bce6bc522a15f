//! `obhut bench vault`.

use super::load::{Shot, Shots, Target, fire};
use super::nginx::Nginx;
use super::openbao::OpenBao;
use super::server::{PERSONS, SEEDED};
use super::{Measured, disk, openbao, wrk};
use crate::client::trusting;
use crate::system::{Problem, say};
use http::Method;
use model::PersonId;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How to measure.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Seconds per operation.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Keep-alive connections.
    #[arg(long, default_value_t = 64)]
    clients: usize,
    /// Persons stored before measuring.
    #[arg(long, default_value_t = 100_000)]
    persons: usize,
    /// Where the temporary house is made; on the disk that is to be measured.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Make the house in this folder and keep it; one that is there already is measured again.
    #[arg(long, value_name = "DIR", conflicts_with = "folder")]
    keep: Option<PathBuf>,
    /// Who fires the reveals.
    #[arg(long, value_enum, default_value_t = Firing::Own)]
    client: Firing,
    /// Measure somebody else's program in the same run.
    #[arg(long, value_enum)]
    peer: Option<Peer>,
    /// The results as JSON lines.
    #[arg(long)]
    json: bool,
}

/// Who fires.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Firing {
    /// The client in this program.
    Own,
    /// wrk, which has to be installed; for reveal alone.
    Wrk,
}

/// A peer beside nginx.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Peer {
    /// OpenBao (`bao` in the search path): reads of a secret, in memory, without audit.
    Openbao,
}

/// The server's process, ended when dropped.
struct Server {
    child: Child,
    folder: PathBuf,
    kept: bool,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It ends by itself when its input does; what is left of it is removed either way.
        let _ = self.child.wait();
        if !self.kept {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// Measures and prints.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Problem> {
    let name: [u8; 6] = model::clock::random(&seal::SystemEntropy);
    let base = args.folder.clone().unwrap_or_else(std::env::temp_dir);
    let fresh = base.join(format!("obhut-bench-{}", data_encoding::HEXLOWER.encode(&name)));
    let folder = args.keep.clone().unwrap_or(fresh);
    crate::wiring::private_folder(&folder)?;
    let (p50, p99) = disk::fdatasync(&folder)?;
    say(&format!("fdatasync of 4 KiB: p50 {p50:.2} ms, p99 {p99:.2} ms; load {}", disk::load()));
    if !folder.join(SEEDED).exists() {
        say(&format!("seeding {} persons …", args.persons));
        let persons = args.persons.to_string();
        let seeded =
            this_program("seed", &folder)?.args(["--persons", &persons]).stdout(Stdio::null()).status()?;
        if !seeded.success() {
            return Err(Problem::with_help(
                "the house could not be seeded",
                "is the folder empty, and is there room on the disk?",
            ));
        }
    }
    let child = this_program("server", &folder)?.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut server = Server { child, folder, kept: args.keep.is_some() };
    let hello = hello(&mut server)?;
    let start = hello["start_ms"].as_f64().unwrap_or(0.0);
    say(&format!("start: {start:.0} ms, after the passphrase"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let measured = runtime.block_on(measure(args, &server, &hello))?;
    for one in &measured {
        say(&if args.json { serde_json::to_string(one).unwrap_or_default() } else { one.line() });
    }
    let cpu = |op: &str| measured.iter().find(|one| one.op == op).map(|one| one.cpu_us);
    if let (Some(ours), Some(peer)) = (cpu("reveal"), cpu("nginx static")) {
        say(&format!("reveal / nginx static: {:.2} × CPU", ours / peer));
    }
    Ok(ExitCode::SUCCESS)
}

fn this_program(verb: &str, folder: &Path) -> Result<Command, Problem> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["bench", verb, "--data"]).arg(folder);
    Ok(command)
}

/// The server's first line of JSON.
fn hello(server: &mut Server) -> Result<Value, Problem> {
    let out = server.child.stdout.take().ok_or_else(|| Problem::new("the server has no output"))?;
    for line in BufReader::new(out).lines() {
        if let Ok(hello @ Value::Object(_)) = serde_json::from_str(&line?) {
            return Ok(hello);
        }
    }
    Err(Problem::new("the server ended before it listened"))
}

async fn measure(args: &Args, server: &Server, hello: &Value) -> Result<Vec<Measured>, Problem> {
    let tls = trusting(&server.folder.join("tls/authority.pem"))?;
    let port = hello["port"].as_u64().and_then(|port| u16::try_from(port).ok()).unwrap_or(0);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let target = Target { address, tls: tls.clone(), pids: vec![server.child.id()] };
    let bytes = std::fs::read(server.folder.join(PERSONS))?;
    let people: Arc<Vec<PersonId>> =
        Arc::new(bytes.as_chunks::<16>().0.iter().map(|id| PersonId(*id)).collect());
    let erased = Arc::new(AtomicUsize::new(0));
    let text = |name: &str| hello[name].as_str().unwrap_or_default().to_owned();
    let (tenant, app, lead) = (text("tenant"), text("app"), text("lead"));
    let plans: [(&str, Shots); 5] = [
        ("reveal", reveal(&tenant, &lead, people.clone())),
        ("batch 50 × 2 values", batch(&tenant, &lead, people.clone())),
        ("find", find(&tenant, &app, people.len())),
        ("create", create(&tenant, &app)),
        ("erase", erase(&tenant, &app, people.clone(), args.clients, erased.clone())),
    ];
    let mut measured = Vec::new();
    let nginx = Nginx::start(
        &server.folder,
        &server.folder.join("tls/cert.pem"),
        &server.folder.join("tls/key.pem"),
    )?;
    if let Some(nginx) = &nginx {
        let peer = Target { address: nginx.address, tls, pids: nginx.pids() };
        measured.push(fire("nginx static", &peer, args.clients, args.seconds, plain()).await?);
    } else {
        say("nginx is not installed: the peer is not run");
    }
    if args.peer == Some(Peer::Openbao) {
        let bao = OpenBao::start(&server.folder).await?;
        let peer = Target { address: bao.address, tls: bao.tls.clone(), pids: vec![bao.pid()] };
        measured.push(fire("openbao kv read", &peer, args.clients, args.seconds, openbao::reads()).await?);
    }
    if args.client == Firing::Wrk {
        let (folder, pid, people) = (&server.folder, server.child.id(), &people);
        let aim = wrk::Aim { folder, port, pid, tenant: &tenant, key: &lead, people };
        measured.push(wrk::reveal(&aim, args.clients, args.seconds)?);
    }
    for (op, shots) in plans {
        measured.push(fire(op, &target, args.clients, args.seconds, shots).await?);
    }
    // Who was erased is not asked for when the house is measured again.
    let left = bytes.get(erased.load(Ordering::Relaxed) * 16..).unwrap_or_default();
    std::fs::write(server.folder.join(PERSONS), left)?;
    Ok(measured)
}

/// A well-spread walk over the persons: connection and count, mixed.
fn pick(connection: usize, count: u64, among: usize) -> usize {
    let mixed =
        (connection as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ count.wrapping_mul(0xd1b5_4a32_d192_ed03);
    usize::try_from((mixed ^ (mixed >> 29)) % among.max(1) as u64).unwrap_or(0)
}

fn post(path: String, key: &str, body: Value) -> Option<Shot> {
    Some(Shot { method: Method::POST, path, key: Some(key.to_owned()), body: Some(body) })
}

fn plain() -> Shots {
    Arc::new(|_, _| Some(Shot { method: Method::GET, path: "/".to_owned(), key: None, body: None }))
}

fn reveal(tenant: &str, key: &str, people: Arc<Vec<PersonId>>) -> Shots {
    let (path, key) = (format!("/v1/tenants/{tenant}/reveal"), key.to_owned());
    Arc::new(move |connection, count| {
        let person = people[pick(connection, count, people.len())];
        let items = json!([{ "person": person, "fields": ["name"] }]);
        post(path.clone(), &key, json!({ "purpose": "rostering", "items": items }))
    })
}

fn batch(tenant: &str, key: &str, people: Arc<Vec<PersonId>>) -> Shots {
    let (path, key) = (format!("/v1/tenants/{tenant}/reveal"), key.to_owned());
    Arc::new(move |connection, count| {
        let person = |number| people[pick(connection, count * 50 + number, people.len())];
        let items: Vec<Value> =
            (0..50).map(|number| json!({ "person": person(number), "fields": ["name", "phone"] })).collect();
        post(path.clone(), &key, json!({ "purpose": "emergency", "items": items }))
    })
}

fn find(tenant: &str, key: &str, persons: usize) -> Shots {
    let (path, key) = (format!("/v1/tenants/{tenant}/find"), key.to_owned());
    Arc::new(move |connection, count| {
        let email = format!("worker{}@werk-sued.example", 1_000 + pick(connection, count, persons));
        post(path.clone(), &key, json!({ "field": "email", "value": email, "purpose": "sign-in" }))
    })
}

fn create(tenant: &str, key: &str) -> Shots {
    let (path, key) = (format!("/v1/tenants/{tenant}/persons"), key.to_owned());
    Arc::new(move |connection, count| {
        let fields = json!({
            "name": "Bench Mark", "email": format!("b{connection}x{count}@werk-sued.example"),
            "phone": "+493023125000", "birth_date": "1980-01-01", "health_note": "none"
        });
        post(path.clone(), &key, json!({ "ref": format!("bench-{connection}-{count}"), "fields": fields }))
    })
}

/// Each connection erases persons of its own, so that none is erased twice.
fn erase(
    tenant: &str,
    key: &str,
    people: Arc<Vec<PersonId>>,
    clients: usize,
    erased: Arc<AtomicUsize>,
) -> Shots {
    let (path, key) = (format!("/v1/tenants/{tenant}/persons"), key.to_owned());
    Arc::new(move |connection, count| {
        let at = usize::try_from(count).ok()? * clients + connection;
        let person = people.get(at)?;
        erased.fetch_max(at + 1, Ordering::Relaxed);
        post(format!("{path}/{person}/erasure"), &key, json!({}))
    })
}
