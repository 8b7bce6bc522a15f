//! `obhut serve`: open the house and answer until told to stop.

use crate::config::Config;
use crate::gate::Gate;
use crate::system::{Problem, SystemClock, complain, harden, say};
use crate::wiring::{self, May, Opened};
use crate::{background, unseal};
use console::{Console, Settings};
use seal::{Root, SystemEntropy};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How to run.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The configuration file.
    #[arg(long, short, default_value = "obhut.toml", value_name = "FILE")]
    config: PathBuf,
    /// The clock is right although it stands more than a day ahead of the last run, or behind it. Ahead: consents whose
    /// term is over expire, and epoch keys beyond the horizon are destroyed. Behind: the last run's clock was wrong.
    #[arg(long)]
    confirm_clock: bool,
    /// The ledger is damaged and was looked at: begin a new one beside it, which names the head of the old one. Copy the
    /// old folder away first; `obhut ledger verify` says what is wrong with it.
    #[arg(long)]
    new_ledger: bool,
}

/// A listening console with a house behind it.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    stop: watch::Sender<bool>,
    served: JoinHandle<()>,
    tended: Option<JoinHandle<()>>,
    opened: Option<Arc<Opened>>,
    gate: Option<Gate>,
}

/// Runs until a signal comes.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Problem> {
    harden();
    let config = crate::config::load(&args.config)?;
    let may = May { demo: false, jump: args.confirm_clock, new_ledger: args.new_ledger };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let console = Console::sealed(settings(&config));
        let mut running = listen(&config, &console).await?;
        say(&format!("listening on https://{}", running.address));
        for address in running.gate.iter().flat_map(|gate| &gate.addresses) {
            say(&format!("gateway on https://{address}"));
        }
        if let Some(gate) = &running.gate {
            say(&gate.shield());
        }
        let root = match unseal::configured(&config)? {
            Some(passphrase) => wiring::open_root(&config, &passphrase)?,
            None => wait_for_root(&config).await?,
        };
        if root.kind() == seal::RootKind::Demo {
            return Err(Problem::with_help(
                "this folder was made by the demo, and its root is no secret",
                "make a folder of your own with `obhut init`",
            ));
        }
        let late = running.open(&config, &console, Arc::new(root), may).await?;
        say("open");
        if late > 0 {
            say(&format!("{late} ledger entries of an earlier run were shipped"));
        }
        running.until_stopped(&args.config).await?;
        say("stopping");
        running.stop().await;
        Ok(ExitCode::SUCCESS)
    })
}

async fn wait_for_root(config: &Config) -> Result<Root, Problem> {
    say(&format!("sealed; waiting for `obhut unseal` at {}", config.socket.display()));
    let config = config.clone();
    let waiting = tokio::task::spawn_blocking(move || unseal::wait(&config));
    tokio::select! {
        root = waiting => root.map_err(Problem::from_error("waiting for the passphrase"))?,
        signal = stop_signal() => {
            signal?;
            complain(&Problem::new("stopped while sealed"));
            std::process::exit(0)
        }
    }
}

/// The console's settings from the configuration.
pub(crate) fn settings(config: &Config) -> Settings {
    Settings { ledger_zone: config.ledger_zone.clone() }
}

/// Listens; requests are answered `sealed` until the house is open.
pub(crate) async fn listen(config: &Config, console: &Console) -> Result<Running, Problem> {
    let listener = TcpListener::bind(config.listen).await.map_err(|error| {
        Problem::with_help(
            format!("cannot listen on {}: {error}", config.listen),
            "something else may run there: choose another port with `listen` (or --port for the demo)",
        )
    })?;
    let address = listener.local_addr()?;
    let tls = crate::tls::server(&config.tls_cert, &config.tls_key, crate::tls::API)?;
    let (stop, stopped) = watch::channel(false);
    let gate = match &config.gateway {
        Some(tables) => {
            let gate = Gate::listen(config, tables, &stop).await?;
            console.watch(gate.view(tables));
            console.watch_attacks(gate.attacks());
            Some(gate)
        }
        None => None,
    };
    let served = tokio::spawn(console::serve(listener, tls, console.clone(), stopped));
    Ok(Running { address, stop, served, tended: None, opened: None, gate })
}

impl Running {
    /// Opens the house behind the console. Returns how many entries of an earlier run were shipped.
    pub(crate) async fn open(
        &mut self,
        config: &Config,
        console: &Console,
        root: Arc<Root>,
        may: May,
    ) -> Result<usize, Problem> {
        let opened = wiring::open(config, root, Arc::new(SystemClock), Arc::new(SystemEntropy), may).await?;
        let opened = Arc::new(opened);
        console.open(opened.vault.clone());
        let jobs = background::start_jobs(&opened)?;
        let stop = self.stop.subscribe();
        self.tended = Some(tokio::spawn(background::run(opened.clone(), jobs, stop)));
        let late = opened.shipped_late;
        if let (Some(gate), Some(tables)) = (&self.gate, &config.gateway) {
            gate.open(tables, &opened.vault)?;
        }
        self.opened = Some(opened);
        Ok(late)
    }

    /// The gateway, where there is one.
    pub(crate) fn gate(&self) -> Option<&Gate> {
        self.gate.as_ref()
    }

    /// Holds the gateway's rules against the catalogue as it is now.
    pub(crate) fn recheck(&self, config: &Config) -> Result<(), Problem> {
        match (&self.gate, &config.gateway, &self.opened) {
            (Some(gate), Some(tables), Some(opened)) => gate.open(tables, &opened.vault),
            _ => Ok(()),
        }
    }

    /// Waits for a signal to stop; on SIGHUP, the gateway reads its configuration anew.
    async fn until_stopped(&self, file: &std::path::Path) -> Result<(), Problem> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut hangup = signal(SignalKind::hangup())?;
        loop {
            tokio::select! {
                stopped = stop_signal() => return stopped,
                _ = hangup.recv() => match &self.gate {
                    // Compiling rules takes a moment, in which everything else goes on.
                    Some(gate) => tokio::task::block_in_place(|| gate.reload(file)),
                    None => say("there is no [gateway] to be read anew"),
                },
            }
        }
    }

    /// The open house.
    pub(crate) fn opened(&self) -> Option<&Arc<Opened>> {
        self.opened.as_ref()
    }

    /// Stops taking requests, ends those under way, ships what is left, closes the files.
    pub(crate) async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.served.await;
        if let Some(gate) = self.gate {
            gate.ended().await;
        }
        if let Some(tended) = self.tended {
            let _ = tended.await;
        }
        if let Some(opened) = self.opened {
            let closing = tokio::task::spawn_blocking(move || {
                opened.vault.ledger().close();
                opened.store.close();
            });
            let _ = closing.await;
        }
    }
}

/// Waits for SIGINT or SIGTERM.
pub(crate) async fn stop_signal() -> Result<(), Problem> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        ended = tokio::signal::ctrl_c() => Ok(ended?),
        _ = terminate.recv() => Ok(()),
    }
}
