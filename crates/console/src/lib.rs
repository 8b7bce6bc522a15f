//! The HTTP API and the pages: parse → call one use case → render. The only crate that knows the web framework.
//!
//! A request passes TLS and limits ([`mod@serve`]), is told `sealed` while the house is closed, names its caller by an
//! API key alone ([`caller`]), is parsed strictly ([`body`]), handed to one use case of the vault ([`routes`]), and
//! answered as JSON, or as problem+json with a stable code ([`problem`]). Around each route stands what every answer
//! has: headers, figures ([`metrics`]), a line for the log ([`recorder`]).
//!
//! Pages ([`pages`]) stand beside the API, for browsers: a session in a cookie instead of a key, forms instead of JSON, and
//! HTML from the parts of [`ui`], which also says how to add a page.
//!
//! To add a resource: 1. a file in `routes` with its forms and handlers; a handler that changes something runs in
//! [`body::to_the_end`], 2. its line in [`mod@routes`] and in [`openapi`], 3. its errors in [`problem`], 4. its codes
//! in `docs/errors.md`, 5. its action in `tests/authorization.rs`. Tests compare all of them.

mod access;
mod attacks_view;
mod body;
mod caller;
mod gateway_view;
mod metrics;
pub mod openapi;
mod pages;
mod patience;
pub mod problem;
mod recorder;
mod routes;
mod serve;
mod shielding;
#[expect(dead_code, reason = "a design system has parts that no page uses yet")]
mod ui;

pub use access::{AccessLog, Line};
pub use attacks_view::{
    AttacksView, Exclusion, ExclusionError, ExclusionSource, NewExclusion, ShieldDoes, ShieldState, Signature,
};
pub use caller::Peer;
pub use gateway_view::{Counted, GatewayCount, GatewayReport, GatewayRoute, GatewayView};
pub use serve::serve;

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use std::sync::{Arc, OnceLock};
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
    log: Option<Arc<dyn AccessLog>>,
    description: OnceLock<Bytes>,
    declaring: tokio::sync::Mutex<()>,
    languages: ui::language::Languages,
    edition: String,
    attempts: pages::attempts::Attempts,
    gateway: OnceLock<Arc<dyn GatewayView>>,
    attacks_view: OnceLock<Arc<dyn AttacksView>>,
    excluding: tokio::sync::Mutex<()>,
}

impl Console {
    /// A console in front of a house that is not open yet. Nothing is logged.
    #[must_use]
    pub fn sealed(settings: Settings) -> Self {
        Self::of(settings, None)
    }

    /// The same with a log of answers.
    #[must_use]
    pub fn sealed_with_log(settings: Settings, log: Arc<dyn AccessLog>) -> Self {
        Self::of(settings, Some(log))
    }

    fn of(settings: Settings, log: Option<Arc<dyn AccessLog>>) -> Self {
        let inner = Inner {
            vault: ArcSwapOption::empty(),
            settings,
            metrics: metrics::Metrics::new(routes::paths()),
            log,
            description: OnceLock::new(),
            declaring: tokio::sync::Mutex::new(()),
            languages: ui::language::Languages::load(),
            edition: ui::assets::edition(),
            attempts: pages::attempts::Attempts::new(),
            gateway: OnceLock::new(),
            attacks_view: OnceLock::new(),
            excluding: tokio::sync::Mutex::new(()),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Opens the house behind the console.
    pub fn open(&self, vault: Vault) {
        self.inner.vault.store(Some(Arc::new(vault)));
    }

    /// Lets the pages see a gateway. The first one stands.
    pub fn watch(&self, gateway: Arc<dyn GatewayView>) {
        // A console has one gateway, as a house has.
        let _ = self.inner.gateway.set(gateway);
    }

    /// Lets the pages and the API see what the shield saw. The first one stands.
    pub fn watch_attacks(&self, attacks: Arc<dyn AttacksView>) {
        let _ = self.inner.attacks_view.set(attacks);
    }

    /// All routes.
    pub fn router(&self) -> axum::Router {
        routes::router(self)
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

    pub(crate) fn log(&self) -> Option<&dyn AccessLog> {
        self.inner.log.as_deref()
    }

    /// The description of the API, made when it is first asked for.
    pub(crate) fn description(&self) -> Bytes {
        self.inner.description.get_or_init(|| openapi::text().into()).clone()
    }

    /// Declarations are changed one after the other, since new names get the next free number.
    pub(crate) async fn one_declaration(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.inner.declaring.lock().await
    }

    /// All languages.
    pub(crate) fn languages(&self) -> &ui::language::Languages {
        &self.inner.languages
    }

    /// The edition of the files that pages are drawn with.
    pub(crate) fn edition(&self) -> &str {
        &self.inner.edition
    }

    /// The gateway, if there is one.
    pub(crate) fn gateway(&self) -> Option<&dyn GatewayView> {
        self.inner.gateway.get().map(|gateway| &**gateway)
    }

    /// What the shield saw, if there is one.
    pub(crate) fn attacks_view(&self) -> Option<&Arc<dyn AttacksView>> {
        self.inner.attacks_view.get()
    }

    /// Exclusions are changed one after the other, each from what the one before left.
    pub(crate) async fn one_exclusion(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.inner.excluding.lock().await
    }

    /// How often who tried to sign in.
    pub(crate) fn attempts(&self) -> &pages::attempts::Attempts {
        &self.inner.attempts
    }
}
