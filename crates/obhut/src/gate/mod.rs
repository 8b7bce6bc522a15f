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
use gateway::{Gateway, Setup};
use in_force::Standing;
use relay::VaultRelay;
use rustls::ServerConfig;
use seen::Seen;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use vault::Vault;

/// A listening gateway.
pub(crate) struct Gate {
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) seen: Arc<Seen>,
    gateway: Gateway,
    relay: Arc<VaultRelay>,
    standing: Arc<Standing>,
    attacks: Arc<attacks::View>,
    tls: watch::Sender<Arc<ServerConfig>>,
    served: Vec<JoinHandle<()>>,
}

fn table(tables: &Tables) -> Result<&GatewayTable, Problem> {
    tables.gateway.as_ref().ok_or_else(|| Problem::new("there is no [gateway]"))
}

fn setup(config: &Config, tables: &Tables, fields: Option<&[FieldInfo]>) -> Result<Setup, Problem> {
    Setup::build(tables, &config.data, fields).map_err(|error| {
        Problem::with_help(format!("configuration: {error}"), "docs/gateway.md describes routes and rules")
    })
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
        let setup = setup(config, tables, None)?;
        let (tls, presented) = watch::channel(certificate(config, table)?);
        let relay = Arc::new(VaultRelay::default());
        let clock = Arc::new(SystemClock);
        let kept = attacks::open(&config.data, clock.clone())?;
        let seen = Arc::new(Seen::new(table.access_log, setup.lines(), kept.clone(), clock));
        let standing = Arc::new(Standing::new(tables, relay.clone()));
        let rows = exclusions::read(&config.data)?;
        let attacks = Arc::new(attacks::View::new(kept, standing.clone(), config.data.clone(), rows));
        let gateway = Gateway::new(setup, relay.clone(), seen.clone());
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
        Ok(Self { addresses, seen, gateway, relay, standing, attacks, tls, served })
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
    pub(crate) fn open(&self, config: &Config, tables: &Tables, vault: &Vault) -> Result<(), Problem> {
        let tenant = relay::tenant_of(vault, table(tables)?.tenant.as_deref())?;
        self.relay.open(vault.clone(), tenant);
        let fields = self.relay.fields().map_err(Problem::from_error("the catalogue"))?;
        // A house without a catalogue is being set up.
        let known = Some(fields.as_slice()).filter(|fields| !fields.is_empty());
        let setup = setup(config, tables, known)?;
        self.seen.replace(setup.lines());
        self.gateway.reload(setup);
        Ok(())
    }

    /// Reads configuration and certificate anew. What does not fit is said, and all stays as it was.
    pub(crate) fn reload(&self, file: &std::path::Path) {
        let again = || {
            let config = crate::config::load(file)?;
            let tables =
                config.gateway.as_ref().ok_or_else(|| Problem::new("there is no [gateway] any more"))?;
            let fields = self.relay.fields().ok();
            let setup = setup(&config, tables, fields.as_deref())?;
            let tls = certificate(&config, table(tables)?)?;
            let rows = exclusions::read(&config.data)?;
            self.standing.replace(tables);
            self.attacks.replace(rows);
            self.seen.replace(setup.lines());
            self.gateway.reload(setup);
            // Nobody listens any more only at the very end.
            let _ = self.tls.send(tls);
            Ok::<(), Problem>(())
        };
        match again() {
            Ok(()) => say("routes, rules and certificate read anew"),
            Err(problem) => complain(&problem),
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
