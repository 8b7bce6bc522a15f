//! `obhut bench gateway`: the gateway beside nginx as a proxy, in the same run, in front of the same app.

use super::gate_process::{Ended, Folder, Gate};
use super::{memory, process};
use crate::system::{Problem, say};
use serde::Serialize;
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
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

fn free_port() -> Result<u16, Problem> {
    Ok(std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// nginx with these servers.
fn nginx(folder: &Path, name: &str, servers: &str) -> Result<Ended, Problem> {
    let folder = folder.join(name);
    std::fs::create_dir_all(&folder)?;
    let dir = folder.display();
    let config = format!(
        "user root; daemon off; worker_processes 2; pid {dir}/pid; error_log {dir}/error.log;\n\
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

fn answers(address: SocketAddr) -> Result<(), Problem> {
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
    let _app = nginx(&folder.0, "app", &app_server)?;
    let ours = Gate::start(folder.0.join("house"), app, &pages)?;
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    let (cert, key) = (ours.tls("cert.pem"), ours.tls("key.pem"));
    let proxy = format!(
        "upstream app {{ server {app}; keepalive 256; }}\n\
         server {{ listen {peer} ssl; ssl_certificate {}; ssl_certificate_key {};\n\
         location / {{ proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ''; }} }}",
        cert.display(),
        key.display()
    );
    let proxy = nginx(&folder.0, "proxy", &proxy)?;
    answers(app)?;
    answers(peer)?;
    let fire =
        Fire { folder: &folder.0, clients: args.clients.unwrap_or(64), seconds: args.seconds.unwrap_or(8) };
    let mut cases = Vec::new();
    let theirs = process::children(proxy.0.id());
    let nginx_plain = fire.at("nginx plain", peer.port(), "/plain.txt", None, &theirs, 0.0)?;
    let base = nginx_plain.per_second;
    cases.push(nginx_plain);
    let pid = [ours.pid()];
    for (case, path, body) in [
        ("plain", "/plain.txt", None),
        ("json 20 tokens", "/data.json", None),
        ("html 50 KB 50 tokens", "/page.html", None),
        ("form 6 fields", "/new", Some(FORM)),
    ] {
        cases.push(fire.at(case, ours.door.port(), path, body, &pid, base)?);
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

struct Fire<'a> {
    folder: &'a Path,
    clients: usize,
    seconds: u64,
}

impl Fire<'_> {
    fn at(
        &self,
        case: &'static str,
        port: u16,
        path: &str,
        form: Option<&str>,
        pids: &[u32],
        base: f64,
    ) -> Result<Case, Problem> {
        let script = self.folder.join("wrk.lua");
        let head = match form {
            Some(form) => format!(
                "local threads = 0 local sent = 0\n\
                 function setup(thread) thread:set('number', threads) threads = threads + 1 end\n\
                 local kind = {{ ['Content-Type'] = 'application/x-www-form-urlencoded' }}\n\
                 function request() sent = sent + 1\n\
                   local mail = '&email=w' .. number .. '-' .. sent .. '%40werk-sued.example'\n\
                   return wrk.format('POST', nil, kind, '{form}' .. mail) end\n"
            ),
            None => String::new(),
        };
        std::fs::write(&script, head + DONE)?;
        let cpu = || pids.iter().map(|pid| process::cpu_us(*pid)).sum::<Result<f64, _>>();
        let before = cpu()?;
        let run = Command::new("wrk")
            .args([
                "-t2",
                &format!("-c{}", self.clients),
                &format!("-d{}s", self.seconds),
                "--timeout",
                "10s",
                "-s",
            ])
            .arg(&script)
            .arg(format!("https://localhost:{port}{path}"))
            .output()
            .map_err(|error| Problem::with_help(format!("wrk does not start: {error}"), "install wrk"))?;
        let used = cpu()? - before;
        let text = String::from_utf8_lossy(&run.stdout);
        let result = text.lines().find_map(|line| serde_json::from_str::<Value>(line).ok());
        let result = result.ok_or_else(|| Problem::new("wrk said nothing that can be read"))?;
        let figure = |name: &str| result[name].as_f64().unwrap_or(0.0);
        if figure("errors") > 0.0 || figure("requests") < 1.0 {
            return Err(Problem::new(format!("{case}: wrk had failures: {result}")));
        }
        let per_second = figure("requests") / (figure("duration_us") / 1e6);
        Ok(Case {
            case,
            per_second,
            p50_ms: figure("p50_us") / 1e3,
            p99_ms: figure("p99_us") / 1e3,
            cpu_us: used / figure("requests"),
            ratio_nginx: if base > 0.0 { per_second / base } else { 1.0 },
        })
    }
}

const DONE: &str = r#"function done(summary, latency)
  local e = summary.errors
  io.write(string.format('{"requests":%d,"duration_us":%d,"p50_us":%d,"p99_us":%d,"errors":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
"#;
