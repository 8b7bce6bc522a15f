//! `obhut bench vault`.

use super::load::{Shot, Shots, Target, fire};
use super::nginx::Nginx;
use super::{Measured, disk};
use crate::client::trusting;
use crate::system::{Problem, say};
use http::Method;
use model::PersonId;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;

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
    /// The results as JSON lines.
    #[arg(long)]
    json: bool,
}

/// The server's process, ended when dropped.
struct Server {
    child: Child,
    folder: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It ends by itself when its input does; what is left of it is removed either way.
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Measures and prints.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Problem> {
    let name: [u8; 6] = model::clock::random(&seal::SystemEntropy);
    let base = args.folder.clone().unwrap_or_else(std::env::temp_dir);
    let folder = base.join(format!("obhut-bench-{}", data_encoding::HEXLOWER.encode(&name)));
    crate::wiring::private_folder(&folder)?;
    let (p50, p99) = disk::fdatasync(&folder)?;
    say(&format!("fdatasync of 4 KiB: p50 {p50:.2} ms, p99 {p99:.2} ms; load {}", disk::load()));
    say(&format!("seeding {} persons …", args.persons));
    let mut server = Server {
        child: Command::new(std::env::current_exe()?)
            .args(["bench", "server", "--persons", &args.persons.to_string(), "--data"])
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?,
        folder,
    };
    let hello = hello(&mut server)?;
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
    let bytes = std::fs::read(server.folder.join("persons.bin"))?;
    let people: Arc<Vec<PersonId>> =
        Arc::new(bytes.as_chunks::<16>().0.iter().map(|id| PersonId(*id)).collect());
    let text = |name: &str| hello[name].as_str().unwrap_or_default().to_owned();
    let (tenant, app, lead) = (text("tenant"), text("app"), text("lead"));
    let plans: [(&str, Shots); 5] = [
        ("reveal", reveal(&tenant, &lead, people.clone())),
        ("batch 50 × 2 values", batch(&tenant, &lead, people.clone())),
        ("find", find(&tenant, &app, people.len())),
        ("create", create(&tenant, &app)),
        ("erase", erase(&tenant, &app, people, args.clients)),
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
    for (op, shots) in plans {
        measured.push(fire(op, &target, args.clients, args.seconds, shots).await?);
    }
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
fn erase(tenant: &str, key: &str, people: Arc<Vec<PersonId>>, clients: usize) -> Shots {
    let (path, key) = (format!("/v1/tenants/{tenant}/persons"), key.to_owned());
    Arc::new(move |connection, count| {
        let person = people.get(usize::try_from(count).ok()? * clients + connection)?;
        post(format!("{path}/{person}/erasure"), &key, json!({}))
    })
}
