//! `POST …/links`: links that let somebody in to the pages, once.

use super::keys::{Order, checked};
use crate::body::{Answer, Parsed, Secret, to_the_end};
use crate::caller::Caller;
use crate::problem::{Explain, KEY_ROLE, Problem};
use http::StatusCode;
use model::principal::Role;
use model::{PrincipalId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;
use vault::keys::NewKey;
use vault::sessions::IssuedLink;
use zeroize::Zeroizing;

/// How long a link lasts if nobody says otherwise, in milliseconds: a day.
pub(crate) const TERM_MS: i64 = 86_400_000;

/// An issued link.
#[derive(Serialize, ToSchema)]
pub(crate) struct Link {
    /// The principal to which it leads until it is used; by its id it is revoked, like a key.
    #[schema(value_type = String)]
    principal: PrincipalId,
    /// Where it is opened, on this host. Shown once, stored nowhere.
    #[schema(value_type = String, example = "/sign-in/obl_…")]
    path: Secret,
    /// When it ends, ms since 1970.
    expires_ms: i64,
    /// `durable` or `pending`.
    ledger: &'static str,
}

/// Where a link is opened.
pub(crate) fn path_of(link: &IssuedLink) -> Zeroizing<String> {
    Zeroizing::new(format!("/sign-in/{}", Zeroizing::new(link.secret.reveal()).as_str()))
}

/// A link with its term; none is a day.
pub(crate) fn with_term(new: NewKey, now: Timestamp) -> NewKey {
    NewKey { expires: Some(new.expires.unwrap_or(now.plus_ms(TERM_MS))), ..new }
}

/// Issue a sign-in link.
///
/// It opens the pages of one role, or of one person, and works once: who uses it gets a session of 8 hours, a person of
/// one. Without `expires_ms` it lasts a day; 7 days are the most. `app` is no role for it.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/links", tag = "keys", request_body = Order,
    params(("tenant" = String, Path)),
    responses((status = 201, body = Link)))]
pub(crate) async fn issue(caller: Caller, body: Parsed<Order>) -> Result<Answer<Link>, Problem> {
    let in_request = |problem: Problem| problem.in_request(caller.ctx.request);
    let new = checked(body.value).map_err(in_request)?;
    if new.role == Role::App {
        return Err(in_request(KEY_ROLE));
    }
    let now = caller.vault.now().map_err(|fault| in_request(fault.explain(Role::App)))?;
    let new = with_term(new, now);
    to_the_end(async move {
        let link = caller.vault.issue_link(&caller.ctx, caller.tenant, new).await;
        let link = link.map_err(|error| caller.explain(error))?;
        let (principal, ledger) = (link.principal, super::logged(link.logged));
        let answer = Link { principal, path: Secret(path_of(&link)), expires_ms: link.expires.0, ledger };
        Ok(Answer(StatusCode::CREATED, answer))
    })
    .await
}
