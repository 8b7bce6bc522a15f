//! The app in front of which the demo stands, and its workers, who come in through the gateway like everybody.

use super::browser::Browser;
use super::seed;
use crate::config::{Config, gateway_tables};
use crate::system::Problem;
use sample::{ACCOUNTS, Account, Options, Running};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// How many workers the app gets.
pub(crate) const WORKERS: usize = 50;
/// The fields of the app's form.
pub(crate) const FORM: [&str; 5] = ["name", "email", "phone", "birth_date", "emergency_contact"];

/// The app, with its database file.
pub(crate) struct App {
    pub(crate) running: Running,
    pub(crate) database: PathBuf,
}

/// Starts the app; `folder` takes its database.
pub(crate) async fn start(folder: &Path, port: u16) -> Result<App, Problem> {
    let place = folder.join("app");
    crate::wiring::private_folder(&place)?;
    let database = place.join("schicht.db");
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let options = Options { listen, database: database.clone() };
    let running = sample::start(options).await.map_err(Problem::from_error("the app"))?;
    Ok(App { running, database })
}

/// The gateway's tables for this app.
pub(crate) fn protect(config: &mut Config, app: &App, port: u16) -> Result<(), Problem> {
    let keys = app.database.with_file_name("jwks.json");
    std::fs::write(&keys, &app.running.jwks)?;
    let text = include_str!("gateway.toml")
        .replace("\"ADDRESS\"", &format!("\"127.0.0.1:{port}\""))
        .replace("\"http://UPSTREAM\"", &format!("\"http://{}\"", app.running.address))
        .replace("\"KEYS\"", &format!("{:?}", keys.display().to_string()));
    config.gateway = gateway_tables(&text)?;
    Ok(())
}

/// The account of this login.
pub(crate) fn account(login: &str) -> Result<&'static Account, Problem> {
    ACCOUNTS.iter().find(|account| account.login == login).ok_or_else(|| Problem::new("no such account"))
}

/// Signs a member of the staff in.
pub(crate) async fn signed_in(mut browser: Browser, login: &str) -> Result<Browser, Problem> {
    let account = account(login)?;
    if browser.sign_in(account.login, account.password).await? {
        Ok(browser)
    } else {
        Err(Problem::new(format!("{login} cannot sign in")))
    }
}

/// Enters the workers, one form each.
pub(crate) async fn fill(browser: Browser) -> Result<(), Problem> {
    let mut browser = signed_in(browser, "hr").await?;
    for number in 0..WORKERS {
        let worker = seed::worker(5_000 + number);
        let value = |name: &str| worker.fields.get(name).map(|value| value.to_string()).unwrap_or_default();
        let values = FORM.map(|name| (name, value(name)));
        let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let saved = browser.fill("/workers/new", "/workers", &FORM, &values).await?;
        if saved.status != http::StatusCode::SEE_OTHER {
            return Err(Problem::new(format!("a worker was not entered: {}", saved.status)));
        }
        let health = format!("{}/health", saved.location());
        let note = value("health_note");
        browser.fill(&health, &health, &["health_note"], &[("health_note", &note)]).await?;
    }
    Ok(())
}
