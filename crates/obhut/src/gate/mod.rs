//! The gateway's place in the process: its listeners, the vault behind it, what it notices, reload.

pub(crate) mod fetch;
mod in_force;
mod relay;
pub(crate) mod seen;
pub(crate) mod trying;
mod view;

use crate::attacks::{self, exclusions};
use crate::config::Config;
use crate::system::{Problem, SystemClock, complain, say};
use gateway::config::{GatewayTable, Tables};
use gateway::messages::{FieldInfo, Relay};
use gateway::{Gateway, Setup, SetupError};
use in_force::{Parts, Standing};
use model::Clock;
use relay::VaultRelay;
use rustls::ServerConfig;
use seal::SystemEntropy;
use seen::Seen;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use vault::Vault;

/// A listening gateway.
pub(crate) struct Gate {
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) seen: Arc<Seen>,
    relay: Arc<VaultRelay>,
    standing: Arc<Standing>,
    attacks: Arc<attacks::View>,
    tls: watch::Sender<Arc<ServerConfig>>,
    served: Vec<JoinHandle<()>>,
}

fn table(tables: &Tables) -> Result<&GatewayTable, Problem> {
    tables.gateway.as_ref().ok_or_else(|| Problem::new("there is no [gateway]"))
}

fn unfit(error: SetupError) -> Problem {
    Problem::with_help(format!("configuration: {error}"), "docs/gateway.md describes routes and rules")
}

/// Routes and rules of the relay, without those of the shield.
fn setup(data: &Path, tables: &Tables, fields: Option<&[FieldInfo]>) -> Result<Setup, Problem> {
    Setup::build(tables, data, fields).map_err(unfit)
}

fn certificate(config: &Config, table: &GatewayTable) -> Result<Arc<ServerConfig>, Problem> {
    let file = |own: &Option<std::path::PathBuf>, shared: &std::path::PathBuf| match own {
        Some(own) => config.data.join(own),
        None => shared.clone(),
    };
    let (cert, key) = (file(&table.cert, &config.tls_cert), file(&table.key, &config.tls_key));
    crate::tls::server(&cert, &key, crate::tls::GATEWAY)
}

impl Gate {
    /// Listens. Until the house is open, what needs it is answered `sealed`, and tokens mask.
    pub(crate) async fn listen(
        config: &Config,
        tables: &Tables,
        stop: &watch::Sender<bool>,
    ) -> Result<Self, Problem> {
        let table = table(tables)?;
        let clock = Arc::new(SystemClock);
        let rows = exclusions::read(&config.data)?;
        let parts = Parts::read(config, tables, clock.now())?.with_rows(&rows);
        let setup = parts.setup()?;
        let (tls, presented) = watch::channel(certificate(config, table)?);
        let relay = Arc::new(VaultRelay::default());
        let kept = attacks::open(&config.data, clock.clone())?;
        let seen = Arc::new(Seen::new(table.access_log, setup.lines(), kept.clone(), clock.clone()));
        let entropy = Arc::new(SystemEntropy);
        let gateway = Gateway::new(setup, relay.clone(), seen.clone(), clock.clone(), entropy);
        let standing = Standing::new(parts, gateway.clone(), seen.clone(), relay.clone(), clock);
        let standing = Arc::new(standing);
        let attacks = Arc::new(attacks::View::new(kept, standing.clone(), config.data.clone(), rows));
        let mut served = Vec::new();
        let mut addresses = Vec::new();
        for address in &table.listen {
            let listener = bind(*address).await?;
            addresses.push(listener.local_addr()?);
            let (tls, stop) = (presented.clone(), stop.subscribe());
            served.push(tokio::spawn(gateway::serve::serve(listener, tls, gateway.clone(), stop)));
        }
        let port = addresses.first().map_or(443, SocketAddr::port);
        for address in &table.redirect {
            let listener = bind(*address).await?;
            let stop = stop.subscribe();
            served.push(tokio::spawn(gateway::serve::redirect(listener, port, gateway.clone(), stop)));
        }
        if let Some(why) = &table.insecure_because {
            complain(&Problem::new(format!("the app is reached in clear text off this machine: {why}")));
        }
        Ok(Self { addresses, seen, relay, standing, attacks, tls, served })
    }

    /// What protects the app, in a line.
    pub(crate) fn shield(&self) -> String {
        self.standing.said()
    }

    /// What the console's pages may ask of it.
    pub(crate) fn view(&self, tables: &Tables) -> Arc<dyn console::GatewayView> {
        let insecure_because = tables.gateway.as_ref().and_then(|table| table.insecure_because.clone());
        Arc::new(view::View { seen: self.seen.clone(), addresses: self.addresses.clone(), insecure_because })
    }

    /// What the console may ask of attacks, and change of the shield.
    pub(crate) fn attacks(&self) -> Arc<dyn console::AttacksView> {
        self.attacks.clone()
    }

    /// Puts the open house behind it, and holds the rules against the catalogue.
    pub(crate) fn open(&self, tables: &Tables, vault: &Vault) -> Result<(), Problem> {
        let tenant = relay::tenant_of(vault, table(tables)?.tenant.as_deref())?;
        self.relay.open(vault.clone(), tenant);
        let fields = self.relay.fields().map_err(Problem::from_error("the catalogue"))?;
        self.standing.with_fields(&fields)
    }

    /// Reads configuration, certificate and the rules of the shield anew. What does not fit is said, and all stays as it was.
    /// Blocks while rules are compiled.
    pub(crate) fn reload(&self, file: &Path) {
        let again = || {
            let config = crate::config::load(file)?;
            let tables =
                config.gateway.as_ref().ok_or_else(|| Problem::new("there is no [gateway] any more"))?;
            let read = || self.standing.read(&config, tables);
            let beside = || {
                let tls = certificate(&config, table(tables)?)?;
                // Nobody listens any more only at the very end.
                let _ = self.tls.send(tls);
                Ok(())
            };
            in_force::again(&self.standing, &self.attacks, read, beside)
        };
        match again() {
            Ok(()) => {
                say("routes, rules and certificate read anew");
                say(&self.shield());
            }
            Err(problem) => {
                complain(&problem);
                complain(&Problem::new("nothing was changed: what was in force before goes on"));
            }
        }
    }

    /// Waits until requests under way have ended, after the stop.
    pub(crate) async fn ended(self) {
        for served in self.served {
            let _ = served.await;
        }
        // Writing what is left may take as long as the disk does.
        let closing = tokio::task::spawn_blocking(move || self.seen.attacks().close());
        let _ = closing.await;
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Problem> {
    TcpListener::bind(address).await.map_err(|error| {
        Problem::with_help(
            format!("cannot listen on {address}: {error}"),
            "something else may run there: choose another address under [gateway]",
        )
    })
}
