//! `obhut bench`: measure this machine, with the same code that serves.

mod disk;
mod firing;
mod gate_process;
mod gate_server;
mod gateway_bench;
mod ledger_bench;
mod load;
mod memory;
mod nginx;
mod openbao;
pub(crate) mod process;
mod server;
mod shield_bench;
mod shield_gate;
mod vault_bench;
mod wrk;

use crate::system::Problem;
use serde::Serialize;
use std::process::ExitCode;

/// What to measure.
#[derive(clap::Subcommand)]
pub(crate) enum Verb {
    /// Reveal, batch, find, create, erase against a real server in its own process, over TLS on loopback.
    #[command(after_help = "Example: obhut bench vault")]
    Vault(vault_bench::Args),
    /// Durable appends, restart, proofs and who-touched of the ledger alone.
    #[command(after_help = "Example: obhut bench ledger")]
    Ledger(ledger_bench::Args),
    /// Proxying, pages with tokens and forms, beside nginx (nginx and wrk are needed); or its shield; or what memory it takes.
    #[command(after_help = "Examples:\n  obhut bench gateway --json\n  obhut bench gateway --memory\n  \
        obhut bench gateway --rules /usr/share/modsecurity-crs --peer nginx-modsecurity")]
    Gateway(gateway_bench::Args),
    /// Processor time of the shield on requests of every kind; with --oracle beside libmodsecurity.
    #[command(after_help = "Example: obhut bench shield --rules /srv/crs --json")]
    Shield(shield_bench::Args),
    /// The gateway that `bench gateway` measures.
    #[command(hide = true)]
    Gate(gate_server::Args),
    /// The server that `bench vault` measures.
    #[command(hide = true)]
    Server(server::Args),
    /// Makes the house that `bench vault` measures.
    #[command(hide = true)]
    Seed(server::SeedArgs),
}

/// Runs a measurement.
pub(crate) fn run(verb: &Verb) -> Result<ExitCode, Problem> {
    match verb {
        Verb::Vault(args) => vault_bench::run(args),
        Verb::Ledger(args) => ledger_bench::run(args),
        Verb::Gateway(args) => gateway_bench::run(args),
        Verb::Shield(args) => shield_bench::run(args),
        Verb::Gate(args) => gate_server::run(args),
        Verb::Server(args) => server::run(args),
        Verb::Seed(args) => server::run_seed(args),
    }
}

/// One measured operation.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Measured {
    /// What was done.
    pub(crate) op: String,
    /// Simultaneous connections.
    pub(crate) clients: usize,
    /// Operations per second.
    pub(crate) per_second: f64,
    /// Median latency in ms.
    pub(crate) p50_ms: f64,
    /// 99th percentile of the latency in ms.
    pub(crate) p99_ms: f64,
    /// CPU time of the server per operation in µs, user and system.
    pub(crate) cpu_us: f64,
    /// Resident memory of the server in MiB.
    pub(crate) rss_mib: f64,
}

impl Measured {
    /// A line for people.
    pub(crate) fn line(&self) -> String {
        format!(
            "{:<22} {:>4} clients {:>10.0}/s   p50 {:>7.2} ms   p99 {:>7.2} ms   cpu {:>7.1} µs   rss {:>6.0} MiB",
            self.op, self.clients, self.per_second, self.p50_ms, self.p99_ms, self.cpu_us, self.rss_mib
        )
    }
}

/// The value below which `share` of the sorted latencies lie, from µs to ms.
pub(crate) fn percentile(sorted_us: &[u32], share: f64) -> f64 {
    if sorted_us.is_empty() {
        return 0.0;
    }
    let at = ((sorted_us.len() - 1) as f64 * share).round() as usize;
    f64::from(sorted_us[at]) / 1_000.0
}
