//! `obhut bench gateway --rules`: the gateway with its shield, beside nginx with libmodsecurity and the same rules, over TLS and
//! in front of the same app. Both are also measured without rules, so that it can be seen what inspecting costs.

use super::firing::{Figures, Firing};
use super::gate_process::{Ended, Folder, Gate};
use super::gateway_bench::{answers, free_port, nginx};
use super::process;
use crate::system::{Problem, say};
use serde::Serialize;
use shield::message::Request;
use shield::workload;
use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// With what it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Peer {
    /// nginx with libmodsecurity, as Debian packages it.
    NginxModsecurity,
}

/// What is measured.
pub(super) struct Plan<'a> {
    pub(super) rules: &'a Path,
    pub(super) peer: Option<Peer>,
    pub(super) clients: usize,
    pub(super) seconds: u64,
    pub(super) json: bool,
}

/// One measured case.
#[derive(Debug, Serialize)]
struct Case {
    case: &'static str,
    server: &'static str,
    clients: usize,
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    cpu_us: f64,
}

/// Two servers at one shape.
#[derive(Debug, Serialize)]
struct Compared {
    case: &'static str,
    /// Requests a second of the gateway by those of the peer; none without a peer.
    ratio_peer: Option<f64>,
    /// Requests a second by those of the same gateway without the shield.
    ratio_off: f64,
    /// What inspecting adds to the 99th percentile where nobody waits for a processor, in ms.
    p99_added_ms: f64,
}

/// Clients that do not wait for one another.
const FEW: usize = 2;
const MODULE: &str = "/usr/lib/nginx/modules/ngx_http_modsecurity_module.so";
/// Where Debian keeps the settings of its rules.
const DEBIAN_SETTINGS: &str = "/etc/modsecurity/crs/crs-setup.conf";

/// A server that is measured.
struct Server {
    name: &'static str,
    port: u16,
    pids: Vec<u32>,
    /// Whether an attack is refused by it.
    refuses: bool,
}

/// Measures and prints.
pub(super) fn run(plan: &Plan<'_>) -> Result<ExitCode, Problem> {
    let rules = std::fs::canonicalize(plan.rules)
        .map_err(|error| Problem::new(format!("cannot read {}: {error}", plan.rules.display())))?;
    let folder = Folder::temporary()?;
    let pages = folder.0.join("pages");
    std::fs::create_dir_all(&pages)?;
    let app = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    let page = "<p>A line of a page that nobody minds.</p>".repeat(24);
    let server = format!(
        "server {{ listen {app}; location / {{ default_type text/html; return 200 '<!doctype html>{page}'; }} }}"
    );
    let _app = nginx(&folder.0, "app", "", &server)?;
    let ours = Gate::start(folder.0.join("house"), app, &pages, Some(&rules))?;
    let off = Gate::start(folder.0.join("off"), app, &pages, None)?;
    let mut servers = vec![
        Server { name: "obhut", port: ours.door.port(), pids: vec![ours.pid()], refuses: true },
        Server { name: "obhut, off", port: off.door.port(), pids: vec![off.pid()], refuses: false },
    ];
    let mut kept = Vec::new();
    if plan.peer.is_some() {
        for with_rules in [true, false] {
            let (ended, server) = peer(&folder.0, app, &ours, with_rules.then_some(rules.as_path()))?;
            kept.push(ended);
            servers.push(server);
        }
    }
    answers(app)?;
    for server in &servers {
        check(&folder.0, server)?;
    }
    for (case, request) in [("get", workload::browser_get()), ("json", workload::json_post())] {
        measure(plan, &folder.0, &servers, case, &request)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// nginx as a proxy, with these rules or with none.
fn peer(
    folder: &Path,
    app: SocketAddr,
    gate: &Gate,
    rules: Option<&Path>,
) -> Result<(Ended, Server), Problem> {
    let name = if rules.is_some() { "nginx-modsecurity" } else { "nginx" };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    let (cert, key) = (gate.tls("cert.pem"), gate.tls("key.pem"));
    let (mut module, mut inspect) = (String::new(), String::new());
    if let Some(rules) = rules {
        if !Path::new(MODULE).is_file() {
            return Err(Problem::with_help(
                format!("there is no {MODULE}"),
                "the peer is nginx with libmodsecurity: apt install libnginx-mod-http-modsecurity",
            ));
        }
        let file = folder.join("modsecurity.conf");
        std::fs::write(&file, modsecurity(folder, rules)?)?;
        module = format!("load_module {MODULE};\n");
        inspect = format!("modsecurity on; modsecurity_rules_file {};", file.display());
    }
    let server = format!(
        "upstream app {{ server {app}; keepalive 256; }}\n\
         server {{ listen {address} ssl; ssl_certificate {}; ssl_certificate_key {}; {inspect}\n\
         location / {{ proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ''; }} }}",
        cert.display(),
        key.display()
    );
    let ended = nginx(folder, name, &module, &server)?;
    answers(address)?;
    let pids = process::children(ended.0.id());
    Ok((ended, Server { name, port: address.port(), pids, refuses: rules.is_some() }))
}

/// The same rules for libmodsecurity, with the settings that the gateway has by itself.
fn modsecurity(folder: &Path, rules: &Path) -> Result<String, Problem> {
    let mut text = String::from(
        "SecRuleEngine On\nSecRequestBodyAccess On\nSecRequestBodyLimit 1048576\nSecRequestBodyNoFilesLimit 1048576\n\
         SecRequestBodyLimitAction Reject\nSecResponseBodyAccess On\n\
         SecResponseBodyMimeType text/plain text/html text/xml\nSecResponseBodyLimit 524288\n\
         SecResponseBodyLimitAction ProcessPartial\nSecAuditEngine Off\n\
         SecRule REQUEST_HEADERS:Content-Type \"^application/json\" \
         \"id:200001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON\"\n",
    );
    let settings =
        [rules.join("crs-setup.conf"), PathBuf::from(DEBIAN_SETTINGS), rules.join("crs-setup.conf.example")];
    let is_debians = rules.starts_with("/usr/share/modsecurity-crs");
    let settings = settings.iter().filter(|file| is_debians || *file != Path::new(DEBIAN_SETTINGS));
    let settings = settings.into_iter().find(|file| file.is_file());
    let settings = settings.ok_or_else(|| {
        Problem::with_help(
            format!("there is no crs-setup.conf in {}", rules.display()),
            "for the peer name the folder of a Core Rule Set",
        )
    })?;
    // libmodsecurity takes a file for settings only by its ending.
    let copy = folder.join("crs-setup.conf");
    std::fs::copy(settings, &copy)?;
    let _ = writeln!(text, "Include {}", copy.display());
    let mut files: Vec<PathBuf> = std::fs::read_dir(rules.join("rules"))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|end| end == "conf"));
    files.sort();
    for file in files {
        let _ = writeln!(text, "Include {}", file.display());
    }
    Ok(text)
}

/// That a server does what is measured: it refuses an attack, or does not.
fn check(folder: &Path, server: &Server) -> Result<(), Problem> {
    let attack = workload::union_select();
    let firing = Firing { folder, clients: 1, seconds: 1 };
    let (figures, said) = firing.fire(server.port, &path(&attack), &script(&attack), &server.pids)?;
    let fits = figures.requests > 0.0
        && if server.refuses { figures.refused >= figures.requests } else { figures.refused < 1.0 };
    if fits {
        return Ok(());
    }
    let does = if server.refuses { "does not refuse an attack" } else { "refuses what it should pass" };
    Err(Problem::new(format!("{} {does}: {said}", server.name)))
}

fn measure(
    plan: &Plan<'_>,
    folder: &Path,
    servers: &[Server],
    case: &'static str,
    request: &Request,
) -> Result<(), Problem> {
    let (path, script) = (path(request), script(request));
    let mut all: Vec<(&str, usize, Figures)> = Vec::new();
    for clients in [plan.clients, FEW] {
        let firing = Firing { folder, clients, seconds: plan.seconds };
        for server in servers {
            let what = format!("{case}, {}", server.name);
            let figures = firing.at(&what, server.port, &path, &script, &server.pids)?;
            all.push((server.name, clients, figures));
            let Figures { per_second, p50_ms, p99_ms, cpu_us, .. } = figures;
            let one = Case { case, server: server.name, clients, per_second, p50_ms, p99_ms, cpu_us };
            print(plan, &one, || {
                format!(
                    "{case:<6} {:<18} {clients:>3} clients {per_second:>9.0}/s  p50 {p50_ms:>7.2} ms  p99 {p99_ms:>7.2} ms  \
                     cpu {cpu_us:>8.1} µs",
                    server.name
                )
            });
        }
    }
    let of = |name: &str, clients: usize| {
        all.iter().find(|one| one.0 == name && one.1 == clients).map(|(_, _, figures)| *figures)
    };
    let (Some(ours), Some(off)) = (of("obhut", plan.clients), of("obhut, off", plan.clients)) else {
        return Ok(());
    };
    let added = |name: &str| of(name, FEW).map_or(0.0, |figures| figures.p99_ms);
    let compared = Compared {
        case,
        ratio_peer: of("nginx-modsecurity", plan.clients).map(|peer| ours.per_second / peer.per_second),
        ratio_off: ours.per_second / off.per_second,
        p99_added_ms: added("obhut") - added("obhut, off"),
    };
    print(plan, &compared, || {
        let peer =
            compared.ratio_peer.map_or(String::new(), |ratio| format!("{ratio:.1} × nginx-modsecurity, "));
        format!(
            "{case:<6} {peer}{:.2} × itself without the shield, which adds {:.2} ms at p99 with {FEW} clients",
            compared.ratio_off, compared.p99_added_ms
        )
    });
    Ok(())
}

fn print(plan: &Plan<'_>, what: &impl Serialize, line: impl FnOnce() -> String) {
    say(&if plan.json { serde_json::to_string(what).unwrap_or_default() } else { line() });
}

fn path(request: &Request) -> String {
    String::from_utf8_lossy(&request.uri).into_owned()
}

/// A script that sends this request again and again.
fn script(request: &Request) -> String {
    let text = |bytes: &[u8]| {
        let mut out = String::from("\"");
        for byte in bytes {
            // Numbers of three digits are read to their end and no further.
            let _ = write!(out, "\\{byte:03}");
        }
        out.push('"');
        out
    };
    let mut script = format!("wrk.method = {}\n", text(&request.method));
    for (name, value) in &request.headers {
        if !name.eq_ignore_ascii_case(b"content-length") {
            let _ = writeln!(script, "wrk.headers[{}] = {}", text(name), text(value));
        }
    }
    if !request.body.is_empty() {
        let _ = writeln!(script, "wrk.body = {}", text(&request.body));
    }
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_says_a_request_byte_for_byte() {
        let request = Request::new("POST", "/a?b=\"c\"").with_header("X-A", "\\\"\n").with_body("7ü");
        let script = script(&request);
        assert_eq!(path(&request), "/a?b=\"c\"");
        assert_eq!(
            script,
            "wrk.method = \"\\080\\079\\083\\084\"\nwrk.headers[\"\\088\\045\\065\"] = \"\\092\\034\\010\"\n\
             wrk.body = \"\\055\\195\\188\"\n"
        );
    }

    #[test]
    fn the_peer_gets_settings_and_rules_in_their_order() {
        let folder = tempfile::tempdir().expect("a folder");
        let rules = folder.path().join("crs");
        std::fs::create_dir_all(rules.join("rules")).expect("made");
        assert!(modsecurity(folder.path(), &rules).is_err(), "there are no settings");
        for name in ["crs-setup.conf.example", "rules/B.conf", "rules/A.conf", "rules/words.data"] {
            std::fs::write(rules.join(name), "# nothing\n").expect("written");
        }
        let text = modsecurity(folder.path(), &rules).expect("a configuration");
        let included: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("Include ")).collect();
        let ends = ["/crs-setup.conf", "/crs/rules/A.conf", "/crs/rules/B.conf"];
        assert_eq!(included.len(), ends.len(), "{text}");
        assert!(included.iter().zip(ends).all(|(one, end)| one.ends_with(end)), "{text}");
    }
}
