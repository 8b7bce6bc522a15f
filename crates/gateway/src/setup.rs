//! A gateway's configuration, made ready: what a request is held against. Replaced as a whole by a reload.

use crate::config::Tables;
use crate::messages::FieldInfo;
use crate::principal::{Principal, PrincipalError};
use crate::rules::{Route, RouteLine, Routes, RuleError};
use crate::upstream::{Upstream, UpstreamError};
use ipnet::IpNet;
use std::path::Path;
use std::time::Duration;

/// Why a configuration is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// There is no `[gateway]`.
    #[error("there is no [gateway]")]
    None,
    /// A route or rule.
    #[error("{0}")]
    Rule(#[from] RuleError),
    /// The upstream.
    #[error("[gateway]: {0}")]
    Upstream(#[from] UpstreamError),
    /// A way to know the user.
    #[error("{0}: {1}")]
    Principal(String, PrincipalError),
    /// A rule shows values and nobody says to whom.
    #[error("[[relay]] shows or takes values, and no [gateway.principal] says how the app's users are known")]
    NoPrincipal,
    /// Not a network.
    #[error("[gateway]: `{0}` in `proxies` is no network like 10.0.0.0/8")]
    Proxy(String),
}

/// Everything, made ready.
pub struct Setup {
    pub(crate) routes: Routes,
    /// The gateway's own way at 0, those of routes at their numbers.
    principals: Vec<Option<Principal>>,
    pub(crate) upstream: Upstream,
    pub(crate) hosts: Vec<String>,
    pub(crate) proxies: Vec<IpNet>,
    pub(crate) max_body: usize,
    pub(crate) max_request: u64,
    pub(crate) persons_per_answer: u32,
    pub(crate) persons_per_hour: u32,
    pub(crate) silence: Duration,
}

impl Setup {
    /// Checks and makes ready. Paths of files are relative to `base`; `fields` is the catalogue, where it is known.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn build(tables: &Tables, base: &Path, fields: Option<&[FieldInfo]>) -> Result<Self, SetupError> {
        let table = tables.gateway.as_ref().ok_or(SetupError::None)?;
        let routes = Routes::build(&tables.route, &tables.relay, fields)?;
        let own = [("[gateway.principal]".to_owned(), table.principal.as_ref())];
        let of_routes = tables
            .route
            .iter()
            .map(|route| (format!("[[route]] `{}`", route.name), route.principal.as_ref()));
        let mut principals = Vec::new();
        for (place, table) in own.into_iter().chain(of_routes) {
            let built = table.map(|table| Principal::build(table, base)).transpose();
            principals.push(built.map_err(|error| SetupError::Principal(place, error))?);
        }
        let shows = tables.relay.iter().any(|relay| relay.out.is_some());
        if shows && principals.iter().all(Option::is_none) {
            return Err(SetupError::NoPrincipal);
        }
        let authority = table.upstream_ca.as_ref().map(|file| std::fs::read(base.join(file)));
        let authority = authority.transpose().map_err(|_| UpstreamError::Authority)?;
        let timeout = Duration::from_secs(table.timeout.clamp(1, 3_600));
        let insecure = table.insecure_because.is_some();
        let upstream = Upstream::build(&table.upstream, authority.as_deref(), insecure, timeout)?;
        let net = |text: &String| text.parse().map_err(|_| SetupError::Proxy(text.clone()));
        Ok(Self {
            routes,
            principals,
            upstream,
            hosts: table.hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
            proxies: table.proxies.iter().map(net).collect::<Result<_, _>>()?,
            max_body: table.max_body,
            max_request: table.max_request,
            persons_per_answer: table.persons_per_answer,
            persons_per_hour: table.persons_per_hour,
            silence: timeout,
        })
    }

    /// For overviews.
    #[must_use]
    pub fn lines(&self) -> Vec<RouteLine> {
        self.routes.lines()
    }

    /// How the user of this route is known.
    pub(crate) fn principal(&self, route: &Route) -> Option<&Principal> {
        let own = self.principals.get(route.principal).and_then(Option::as_ref);
        own.or_else(|| self.principals.first().and_then(Option::as_ref))
    }

    /// All ways to know a user.
    pub(crate) fn principals(&self) -> impl Iterator<Item = &Principal> {
        self.principals.iter().flatten()
    }

    /// Whether a name, with or without port, is one of the app's.
    pub(crate) fn knows(&self, host: &str) -> bool {
        let bare = if host.starts_with('[') {
            host.split_once(']').map_or(host, |(ip, _)| &host[..=ip.len()])
        } else {
            host.split(':').next().unwrap_or_default()
        };
        let same = |one: &String| one.eq_ignore_ascii_case(host) || one.eq_ignore_ascii_case(bare);
        self.hosts.is_empty() || self.hosts.iter().any(same)
    }
}
