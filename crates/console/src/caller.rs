//! Who calls: an API key in `Authorization`, nothing else. Never what a client says of itself, and never the session of a
//! browser: other pages can make a browser send that.

use crate::Console;
use crate::pages::visit::carries_session;
use crate::problem::{Explain, NOT_FOUND, Problem, TWO_CREDENTIALS, UNAUTHENTICATED};
use crate::recorder::Trace;
use axum::extract::{FromRequestParts, OriginalUri, Path};
use http::request::Parts;
use http::{HeaderMap, header};
use ipnet::IpNet;
use model::TenantId;
use model::decision::Action;
use model::principal::Role;
use model::token::ApiKey;
use serde::de::DeserializeOwned;
use std::net::IpAddr;
use std::sync::Arc;
use vault::{Context, TenantConfig, Vault};

/// The address of the other end, which the listener puts into the extensions of each request. Who serves the router
/// without [`crate::serve()`] has to do the same; without it a request comes from nowhere, which is in no zone.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// A checked caller in the tenant that the path names.
pub(crate) struct Caller {
    pub(crate) vault: Arc<Vault>,
    pub(crate) ctx: Context,
    pub(crate) tenant: TenantId,
}

impl Caller {
    /// An error of a use case, as this caller may see it.
    pub(crate) fn explain(&self, error: impl Explain) -> Problem {
        error.explain(self.ctx.actor.principal.role).in_request(self.ctx.request)
    }

    /// What the tenant declares, for whom `action` is allowed.
    pub(crate) fn configuration(&self, action: Action) -> Result<Arc<TenantConfig>, Problem> {
        let config = self.vault.configuration(&self.ctx, self.tenant, action);
        config.map_err(|error| self.explain(error))
    }
}

impl FromRequestParts<Console> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Problem> {
        let (vault, ctx) = authenticate(parts, console)?;
        // /v1/tenants/{tenant}/…
        let path = parts.extensions.get::<OriginalUri>().map_or(parts.uri.path(), |uri| uri.path());
        let tenant = path.split('/').nth(3).and_then(|text| text.parse().ok());
        let tenant = tenant.filter(|tenant| *tenant == ctx.actor.principal.tenant).ok_or(NOT_FOUND)?;
        Ok(Self { vault, ctx, tenant })
    }
}

/// Checks the key of a request. Whatever is wrong with it, the answer is the same.
pub(crate) fn authenticate(parts: &Parts, console: &Console) -> Result<(Arc<Vault>, Context), Problem> {
    let vault = console.vault()?;
    let key = key_of(&parts.headers).ok_or(UNAUTHENTICATED)?;
    if carries_session(&parts.headers) {
        return Err(TWO_CREDENTIALS);
    }
    let peer = parts.extensions.get::<Peer>().map(|peer| peer.0);
    let actor = vault
        .authenticate(&key, |zone| peer.is_some_and(|peer| lies_in(peer, zone)))
        .map_err(|error| error.explain(Role::App))?;
    let ctx = Context { actor, request: vault.new_request() };
    if let Some(trace) = parts.extensions.get::<Trace>() {
        trace.tell(ctx.request);
    }
    Ok((vault, ctx))
}

/// The key of the one `Authorization` header. Of two, nobody knows which counts.
fn key_of(headers: &HeaderMap) -> Option<ApiKey> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (one, another) = (values.next()?, values.next());
    let (scheme, key) = one.to_str().ok().filter(|_| another.is_none())?.split_once(' ')?;
    // RFC 9110 §11.1: schemes are compared without regard to case.
    ApiKey::parse(key).filter(|_| scheme.eq_ignore_ascii_case("bearer"))
}

/// Whether an address lies in one of these networks. A network that is not one holds nobody.
pub(crate) fn lies_in(address: IpAddr, zone: &[String]) -> bool {
    let address = address.to_canonical();
    zone.iter().any(|network| match network.parse::<IpNet>() {
        Ok(network) => network.contains(&address),
        Err(_) => network.parse::<IpAddr>().is_ok_and(|one| one == address),
    })
}

/// Ids in the path. One that is not an id is a path that is not there.
pub(crate) struct Place<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Place<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(place) = Path::<T>::from_request_parts(parts, state).await.map_err(|_| NOT_FOUND)?;
        Ok(Self(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stands_in_one_header_alone() {
        struct Zeros;
        impl model::Entropy for Zeros {
            fn fill(&self, into: &mut [u8]) {
                into.fill(0);
            }
        }
        let key = ApiKey::generate(&Zeros).reveal();
        let of = |values: &[String]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::AUTHORIZATION, value.parse().expect("a value"));
            }
            key_of(&headers).is_some()
        };
        assert!(of(&[format!("Bearer {key}")]) && of(&[format!("bearer {key}")]));
        assert!(!of(&[]) && !of(std::slice::from_ref(&key)) && !of(&[format!("Basic {key}")]));
        assert!(!of(&[format!("Bearer  {key}")]) && !of(&[format!("Bearer {key} ")]));
        assert!(!of(&[format!("Bearer {key}"), format!("Bearer {key}")]));
    }

    #[test]
    fn a_zone_holds_what_lies_in_it() {
        let zone = ["10.0.0.0/8".to_owned(), "::1".to_owned(), "nonsense".to_owned()];
        let lies = |text: &str| lies_in(text.parse().expect("an address"), &zone);
        assert!(lies("10.1.2.3") && lies("::1") && lies("::ffff:10.0.0.1"));
        assert!(!lies("11.0.0.1") && !lies("::2"));
        assert!(!lies_in("10.0.0.1".parse().expect("an address"), &[]));
    }
}
