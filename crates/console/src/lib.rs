//! The HTTP API: parse → call one use case → render. The only crate that knows the web framework.
//!
//! A request passes TLS and limits (`serve`), is told `sealed` while the house is closed, names its caller by an
//! API key alone (`caller`), is parsed strictly (`body`), handed to one use case of the vault (`routes`), and
//! answered as JSON, or as problem+json with a stable code ([`problem`]).
//!
//! To add a resource: 1. a file in `routes` with its forms and handlers, 2. its line in `routes::router` and in
//! [`openapi`], 3. its errors in [`problem`], 4. its codes in `docs/errors.md`; a test compares the last three.

mod body;
mod caller;
mod metrics;
pub mod openapi;
pub mod problem;
mod routes;
mod serve;

pub use serve::serve;

use arc_swap::ArcSwapOption;
use std::sync::Arc;
use vault::Vault;

/// What the console has to be told.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Networks in CIDR form that may read the ledger's public files without a key.
    pub ledger_zone: Vec<String>,
}

/// The console. Cheap to clone.
#[derive(Clone)]
pub struct Console {
    inner: Arc<Inner>,
}

struct Inner {
    vault: ArcSwapOption<Vault>,
    settings: Settings,
    metrics: metrics::Metrics,
}

impl Console {
    /// A console in front of a house that is not open yet.
    #[must_use]
    pub fn sealed(settings: Settings) -> Self {
        let inner = Inner { vault: ArcSwapOption::empty(), settings, metrics: metrics::Metrics::default() };
        Self { inner: Arc::new(inner) }
    }

    /// Opens the house behind the console.
    pub fn open(&self, vault: Vault) {
        self.inner.vault.store(Some(Arc::new(vault)));
    }

    /// All routes.
    pub fn router(&self) -> axum::Router {
        routes::router(self.clone())
    }

    /// The vault, once it is open.
    pub(crate) fn vault(&self) -> Result<Arc<Vault>, problem::Problem> {
        self.inner.vault.load_full().ok_or(problem::SEALED)
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    pub(crate) fn metrics(&self) -> &metrics::Metrics {
        &self.inner.metrics
    }
}
