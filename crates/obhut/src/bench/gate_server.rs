//! The gateway that `bench gateway` measures: a house of its own, and a gateway in front of an app that is told where to
//! find it. What the app answers is written beside it, with real tokens in it.

use crate::config::{Config, gateway_tables};
use crate::demo;
use crate::system::{Problem, say};
use gateway::config::{ShieldMode, ShieldTable};
use std::fmt::Write;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use vault::Context;

/// What to serve.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// An empty folder for the house.
    #[arg(long)]
    data: PathBuf,
    /// Where the app answers.
    #[arg(long)]
    app: SocketAddr,
    /// The folder of the app's pages.
    #[arg(long)]
    pages: PathBuf,
    /// The folder of rules for its shield; without one nothing is inspected.
    #[arg(long)]
    rules: Option<PathBuf>,
}

/// Persons in the house.
const PERSONS: usize = 200;
/// Tokens in the JSON answer.
const IN_JSON: usize = 20;
/// Tokens in the page.
const IN_PAGE: usize = 50;
/// Bytes of the page.
const PAGE: usize = 50 << 10;

const RULES: &str = r#"
[gateway]
listen = ["127.0.0.1:0"]
upstream = "http://APP"
# All clients have one address here, and a client has a quarter.
upstream_connections = 8192
persons_per_hour = 1000000
[gateway.principal]
kind = "response"
header = "x-user"
roles = { lead = "operations" }
[[route]]
name = "data"
path = "/data.json"
[[route]]
name = "page"
path = "/page.html"
[[route]]
name = "new"
path = "/new"
[[relay]]
routes = ["data", "page"]
out = { purpose = "rostering", fields = ["name"] }
[[relay]]
routes = ["new"]
[relay.in]
person = { new = "location:/w/{id}" }
accept = ["303"]
[relay.in.fields]
"form:name" = "name"
"form:email" = "email"
"form:phone" = "phone"
"form:birth_date" = "birth_date"
"form:emergency_contact" = "emergency_contact"
"form:health_note" = "health_note"
"#;

/// Serves until standard input ends. Says where as one line of JSON.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Problem> {
    let mut config = Config::of_folder(&args.data)?;
    config.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    config.gateway = gateway_tables(&RULES.replace("APP", &args.app.to_string()))?;
    if let Some(tables) = &mut config.gateway {
        tables.shield = shield(args.rules.as_deref());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let (running, seeded) = demo::start(&config, false).await?;
        running.recheck(&config)?;
        let opened = running.opened().ok_or_else(|| Problem::new("the house is not open"))?;
        let actor =
            opened.vault.authenticate(&seeded.app, |_| true).map_err(Problem::from_error("the key"))?;
        let mut tokens = Vec::new();
        for number in 0..PERSONS {
            let ctx = Context { actor: actor.clone(), request: opened.vault.new_request() };
            let stored = opened.vault.put(&ctx, seeded.tenant, &demo::worker(number + 1_000)).await;
            let stored = stored.map_err(Problem::from_error("a person"))?;
            tokens.extend(stored.tokens.get("name").cloned());
        }
        pages(&args.pages, &tokens)?;
        let door = running.gate().and_then(|gate| gate.addresses.first()).map(SocketAddr::port);
        say(&serde_json::json!({ "port": door }).to_string());
        let ended = tokio::task::spawn_blocking(|| std::io::stdin().lock().read_to_end(&mut Vec::new()));
        let _ = ended.await;
        running.stop().await;
        Ok(ExitCode::SUCCESS)
    })
}

/// The rules of a folder as they are, or nothing.
fn shield(rules: Option<&Path>) -> ShieldTable {
    let mode = if rules.is_some() { ShieldMode::Block } else { ShieldMode::Off };
    ShieldTable { mode, rules: rules.map(Path::to_owned), profile: false, ..ShieldTable::default() }
}

fn pages(folder: &Path, tokens: &[String]) -> Result<(), Problem> {
    let list: Vec<_> =
        tokens.iter().take(IN_JSON).map(|token| serde_json::json!({ "name": token })).collect();
    std::fs::write(folder.join("data.json"), serde_json::json!({ "workers": list }).to_string())?;
    let mut page = String::from("<!doctype html><html><head><title>Workers</title></head><body><table>\n");
    let filler = (PAGE - 4_000) / IN_PAGE - 90;
    for (number, token) in tokens.iter().take(IN_PAGE).enumerate() {
        let words = "shift and hall ".repeat(filler / 15);
        let _ = writeln!(
            page,
            "<tr class=\"row\"><td>{number}</td><td title=\"{token}\">x</td><td>{words}</td></tr>"
        );
    }
    page.push_str("</table></body></html>\n");
    std::fs::write(folder.join("page.html"), page)?;
    std::fs::write(folder.join("plain.txt"), "x".repeat(1_024))?;
    Ok(())
}
