//! A gateway's configuration, made ready: what a request is held against. Replaced as a whole by a reload.

use crate::config::{ExcludeTable, Tables};
use crate::held::Budget;
use crate::messages::FieldInfo;
use crate::principal::{Principal, PrincipalError};
use crate::rules::{Route, RouteLine, Routes, RuleError};
use crate::shielding::{self, Rules, Shield};
use crate::upstream::{Upstream, UpstreamError};
use ipnet::IpNet;
use shield::Engine;
use std::path::Path;
use std::sync::Arc;
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
    #[error("[[relay]] shows values, and no [gateway.principal] says how the app's users are known")]
    NoPrincipal,
    /// A rule that cannot work with this way to know the user.
    #[error("[[route]] `{0}`: {1}")]
    Unknowable(String, &'static str),
    /// Not a network.
    #[error("[gateway]: `{0}` in `proxies` is no network like 10.0.0.0/8")]
    Proxy(String),
    /// An exclusion of the shield: the rules that it names, and why.
    #[error("an exclusion of `{0}`: {1}")]
    Exclusion(String, String),
}

/// Everything, made ready.
pub struct Setup {
    pub(crate) routes: Routes,
    /// The gateway's own way at 0, those of routes at their numbers.
    principals: Vec<Option<Principal>>,
    pub(crate) upstream: Upstream,
    pub(crate) hosts: Vec<String>,
    pub(crate) proxies: Vec<IpNet>,
    pub(crate) held: Arc<Budget>,
    pub(crate) max_body: usize,
    pub(crate) max_request: u64,
    pub(crate) persons_per_answer: u32,
    pub(crate) persons_per_hour: u32,
    pub(crate) silence: Duration,
    pub(crate) shield: Shield,
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
        knowable(&routes, &principals)?;
        let authority = table.upstream_ca.as_ref().map(|file| std::fs::read(base.join(file)));
        let authority = authority.transpose().map_err(|_| UpstreamError::Authority)?;
        let timeout = Duration::from_secs(table.timeout.clamp(1, 3_600));
        let insecure = table.insecure_because.as_ref().is_some_and(|why| !why.trim().is_empty());
        let upstream = Upstream::build(
            &table.upstream,
            authority.as_deref(),
            insecure,
            timeout,
            table.upstream_connections,
        )?;
        let net = |text: &String| text.parse().map_err(|_| SetupError::Proxy(text.clone()));
        // One body at least has room, also beside itself without its coding.
        let needed = shielding::is_needed(&tables.shield, &tables.route);
        let inspected = if needed { tables.shield.body_limit.saturating_mul(2) } else { 0 };
        let largest = table.max_body.max(inspected);
        Ok(Self {
            routes,
            principals,
            upstream,
            hosts: table.hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
            proxies: table.proxies.iter().map(net).collect::<Result<_, _>>()?,
            held: Budget::new(table.max_held.max(largest), largest),
            max_body: table.max_body,
            max_request: table.max_request,
            persons_per_answer: table.persons_per_answer,
            persons_per_hour: table.persons_per_hour,
            silence: timeout,
            shield: Shield::build(&tables.shield),
        })
    }

    /// Whether some route is inspected by the shield. Then it needs rules, and without them each of its requests is refused.
    #[must_use]
    pub fn needs_rules(tables: &Tables) -> bool {
        shielding::is_needed(&tables.shield, &tables.route)
    }

    /// The same with rules for the shield, and what is excluded from them.
    ///
    /// # Errors
    /// The first exclusion that means nothing: of a route or of rules that are not there, or of a target that is none.
    pub fn with_rules(
        mut self,
        engine: Arc<Engine>,
        exclusions: &[ExcludeTable],
    ) -> Result<Self, SetupError> {
        self.shield.rules = Some(Arc::new(Rules::build(engine, exclusions, self.routes.iter())?));
        Ok(self)
    }

    /// For overviews.
    #[must_use]
    pub fn lines(&self) -> Vec<RouteLine> {
        let mut lines = self.routes.lines();
        for (line, route) in lines.iter_mut().zip(self.routes.iter()) {
            line.shield = self.shield.mode_of(Some(route));
        }
        lines
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
        let Some(bare) = bare_host(host.as_bytes()) else { return false };
        let same = |one: &String| one.eq_ignore_ascii_case(host) || one.as_bytes().eq_ignore_ascii_case(bare);
        self.hosts.is_empty() || self.hosts.iter().any(same)
    }
}

/// Refuses what the way `response` cannot do: when a form comes in, nobody knows yet whose it is.
fn knowable(routes: &Routes, principals: &[Option<Principal>]) -> Result<(), SetupError> {
    let late = |route: &Route| {
        let own = principals.get(route.principal).and_then(Option::as_ref);
        let way = own.or_else(|| principals.first().and_then(Option::as_ref));
        way.is_some_and(|way| way.header().is_some())
    };
    for route in routes.iter() {
        let say = |what| Err(SetupError::Unknowable(route.name.to_string(), what));
        if late(route) && route.inward.as_ref().is_some_and(|rule| rule.is_of_principal()) {
            return say(
                "`person = { principal = true }` needs a user who is known before the answer: jwt or forward",
            );
        }
        let form = route.out.iter().find_map(|rule| rule.form.as_deref());
        if let Some(form) = form.and_then(|name| routes.iter().find(|one| *one.name == *name)) {
            if late(form) || late(route) {
                return say("`form` needs a user who is known before the answer: jwt or forward");
            }
            let takes = |field: &String| form.inward.as_ref().is_some_and(|rule| rule.takes(field));
            if !route.out.iter().flat_map(|rule| &rule.fields).any(takes) {
                return say("`form` names a route whose rule takes none of these fields in");
            }
        }
    }
    Ok(())
}

/// The name of a host without its port, where it has the form `name[:digits]` or `[v6][:digits]` (RFC 9110 §7.2). Anything
/// else would be read by each program in its own way.
pub(crate) fn bare_host(host: &[u8]) -> Option<&[u8]> {
    let (bare, rest) = if host.first() == Some(&b'[') {
        let end = host.iter().position(|byte| *byte == b']')?;
        let inner = &host[1..end];
        let fits = inner.iter().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'));
        (fits && !inner.is_empty()).then(|| host.split_at(end + 1))?
    } else {
        let end = host.iter().position(|byte| *byte == b':').unwrap_or(host.len());
        let name = &host[..end];
        let fits = name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
        (fits && !name.is_empty()).then(|| host.split_at(end))?
    };
    let port = rest.strip_prefix(b":");
    let fits = port.map_or(rest.is_empty(), |port| {
        !port.is_empty() && port.len() <= 5 && port.iter().all(u8::is_ascii_digit)
    });
    fits.then_some(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_one_form() {
        let bare = |host: &str| bare_host(host.as_bytes()).map(<[u8]>::to_vec);
        assert_eq!(bare("app.example:8443"), Some(b"app.example".to_vec()));
        assert_eq!(bare("app.example"), Some(b"app.example".to_vec()));
        assert_eq!(bare("[::1]:443"), Some(b"[::1]".to_vec()));
        for odd in [
            "",
            ":443",
            "app.example:",
            "app.example:x@evil.example",
            "app.example:1\";for=10.0.0.1;x=\"",
            "a@b",
            "app.example:443:443",
            "[::1",
            "[::1]x",
            "[]",
            "app.example:123456",
            "a b",
            "a/b",
            "a,b",
        ] {
            assert_eq!(bare(odd), None, "{odd}");
        }
    }
}
