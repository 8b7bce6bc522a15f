//! `obhut bench gateway`: the gateway beside nginx as a proxy, in the same run, in front of the same app.

use super::firing::{Figures, Firing};
use super::gate_process::{Ended, Folder, Gate};
use super::shield_gate::{self, Peer};
use super::{memory, process};
use crate::system::{Problem, say};
use serde::Serialize;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

/// How to measure.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Seconds per case (8 when left out), or how long the slow clients of --memory take (5).
    #[arg(long)]
    seconds: Option<u64>,
    /// Keep-alive connections (64 when left out), or slow clients with --memory (1,000).
    #[arg(long)]
    clients: Option<usize>,
    /// What memory the gateway takes instead: 1,000 clients that send slowly or read slowly, a download and an upload of
    /// 1 GB. Needs neither nginx nor wrk. Exit code 1 where it is not flat: where it grows by more than 256 KiB for each
    /// client and 4 MiB once.
    #[arg(long)]
    memory: bool,
    /// With --memory: a short run with few clients and 64 MB, to see that it works.
    #[arg(long, requires = "memory")]
    smoke: bool,
    /// Measure the shield with the rules of this folder instead: a browser's GET and a JSON body, with and without it. All
    /// other measurements are without the shield.
    #[arg(long, value_name = "DIR", conflicts_with = "memory")]
    rules: Option<PathBuf>,
    /// With --rules: the same rules in another server, side by side.
    #[arg(long, requires = "rules")]
    peer: Option<Peer>,
    /// The results as JSON lines.
    #[arg(long)]
    json: bool,
}

/// One measured case.
#[derive(Debug, Serialize)]
struct Case {
    case: &'static str,
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    cpu_us: f64,
    ratio_nginx: f64,
}

impl Case {
    fn of(case: &'static str, figures: &Figures, base: f64) -> Self {
        let Figures { per_second, p50_ms, p99_ms, cpu_us, .. } = *figures;
        Self { case, per_second, p50_ms, p99_ms, cpu_us, ratio_nginx: per_second / base }
    }
}

pub(super) fn free_port() -> Result<u16, Problem> {
    Ok(std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// nginx with these modules and servers.
pub(super) fn nginx(folder: &Path, name: &str, modules: &str, servers: &str) -> Result<Ended, Problem> {
    let folder = folder.join(name);
    std::fs::create_dir_all(&folder)?;
    let dir = folder.display();
    let config = format!(
        "{modules}user root; daemon off; worker_processes 2; pid {dir}/pid; error_log {dir}/error.log;\n\
         events {{ worker_connections 8192; }}\n\
         http {{ access_log off; keepalive_requests 100000000; client_body_temp_path {dir}/b; proxy_temp_path {dir}/p;\n\
         fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;\n{servers} }}\n"
    );
    let file = folder.join("nginx.conf");
    std::fs::write(&file, config)?;
    let mut command = Command::new("/usr/sbin/nginx");
    command.arg("-c").arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().map_err(|error| {
        Problem::with_help(
            format!("nginx does not start: {error}"),
            "the app and the peer are nginx: install it",
        )
    })?;
    Ok(Ended(child))
}

pub(super) fn answers(address: SocketAddr) -> Result<(), Problem> {
    for _ in 0..100 {
        if std::net::TcpStream::connect(address).is_ok() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err(Problem::new(format!("{address} does not answer")))
}

/// Measures and prints.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Problem> {
    if args.memory {
        return memory::run(&memory::Plan::new(args.clients, args.seconds, args.smoke, args.json));
    }
    let (clients, seconds) = (args.clients.unwrap_or(64), args.seconds.unwrap_or(8));
    if let Some(rules) = &args.rules {
        let peer = args.peer;
        return shield_gate::run(&shield_gate::Plan { rules, peer, clients, seconds, json: args.json });
    }
    let folder = Folder::temporary()?;
    let pages = folder.0.join("pages");
    std::fs::create_dir_all(&pages)?;
    let app = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    let root = pages.display();
    let app_server = format!(
        "types {{ text/html html; application/json json; text/plain txt; }} charset utf-8;\n\
         server {{ listen {app}; root {root}; add_header x-user 'lead; role=lead';\n\
         location /new {{ add_header Location /w/$request_id always; return 303; }} }}"
    );
    let _app = nginx(&folder.0, "app", "", &app_server)?;
    let ours = Gate::start(folder.0.join("house"), app, &pages, None)?;
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    let (cert, key) = (ours.tls("cert.pem"), ours.tls("key.pem"));
    let proxy = format!(
        "upstream app {{ server {app}; keepalive 256; }}\n\
         server {{ listen {peer} ssl; ssl_certificate {}; ssl_certificate_key {};\n\
         location / {{ proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ''; }} }}",
        cert.display(),
        key.display()
    );
    let proxy = nginx(&folder.0, "proxy", "", &proxy)?;
    answers(app)?;
    answers(peer)?;
    let fire = Firing { folder: &folder.0, clients, seconds };
    let mut cases = Vec::new();
    let theirs = process::children(proxy.0.id());
    let nginx_plain = fire.at("nginx plain", peer.port(), "/plain.txt", "", &theirs)?;
    let nginx_plain = Case::of("nginx plain", &nginx_plain, nginx_plain.per_second);
    let base = nginx_plain.per_second;
    cases.push(nginx_plain);
    let pid = [ours.pid()];
    for (case, path, body) in [
        ("plain", "/plain.txt", None),
        ("json 20 tokens", "/data.json", None),
        ("html 50 KB 50 tokens", "/page.html", None),
        ("form 6 fields", "/new", Some(FORM)),
    ] {
        let head = body.map(form).unwrap_or_default();
        let figures = fire.at(case, ours.door.port(), path, &head, &pid)?;
        cases.push(Case::of(case, &figures, base));
    }
    for one in &cases {
        say(&if args.json {
            serde_json::to_string(one).unwrap_or_default()
        } else {
            format!(
                "{:<22} {:>9.0}/s  p50 {:>7.2} ms  p99 {:>7.2} ms  cpu {:>7.1} µs  {:>5.2} × nginx",
                one.case, one.per_second, one.p50_ms, one.p99_ms, one.cpu_us, one.ratio_nginx
            )
        });
    }
    say(&format!("memory of the gateway at the end: {:.0} MiB", process::rss_mib(ours.pid())));
    Ok(ExitCode::SUCCESS)
}

const FORM: &str = "name=Jana+Albrecht&phone=%2B4930231250001&birth_date=1983-11-07\
    &emergency_contact=Gustav&health_note=Knie";

/// A script that sends a form, each with another address.
fn form(fields: &str) -> String {
    format!(
        "local threads = 0 local sent = 0\n\
         function setup(thread) thread:set('number', threads) threads = threads + 1 end\n\
         local kind = {{ ['Content-Type'] = 'application/x-www-form-urlencoded' }}\n\
         function request() sent = sent + 1\n\
           local mail = '&email=w' .. number .. '-' .. sent .. '%40werk-sued.example'\n\
           return wrk.format('POST', nil, kind, '{fields}' .. mail) end\n"
    )
}
