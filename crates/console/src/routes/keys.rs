//! `POST …/keys`, `DELETE …/keys/{principal}`.

use crate::body::{Answer, Parsed, Secret, to_the_end};
use crate::caller::{Caller, Place};
use crate::problem::{KEY_NAME, KEY_ROLE, KEY_ZONE, Problem};
use http::StatusCode;
use model::principal::Role;
use model::{PersonId, PrincipalId, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vault::keys::NewKey;
use zeroize::Zeroizing;

/// Most networks of a zone.
const MOST_NETWORKS: usize = 50;
/// Longest name in bytes.
const LONGEST_NAME: usize = 200;

/// A key to be issued.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "shift lead, hall 3", "role": "operations", "zone": ["10.0.0.0/8"]}))]
pub(crate) struct Order {
    /// A name for people; the person sees it in her accesses.
    pub(crate) name: String,
    /// `app`, `operations`, `case_manager`, `privacy_officer`, `security`, `auditor`, `admin` or `person`.
    #[schema(value_type = String)]
    pub(crate) role: Role,
    /// For role `person`: on whom alone it acts.
    #[schema(value_type = Option<String>)]
    pub(crate) subject: Option<PersonId>,
    /// When it ends, ms since 1970.
    pub(crate) expires_ms: Option<i64>,
    /// Networks in CIDR form from which it may be used; none is anywhere.
    #[serde(default)]
    pub(crate) zone: Vec<String>,
}

/// An issued key.
#[derive(Serialize, ToSchema)]
pub(crate) struct Issued {
    /// Its id, by which it is revoked.
    #[schema(value_type = String)]
    principal: PrincipalId,
    /// Shown once, stored nowhere.
    #[schema(value_type = String, example = "obk_…")]
    secret: Secret,
    /// `durable` or `pending`.
    ledger: &'static str,
}

/// A revoked key.
#[derive(Serialize, ToSchema)]
pub(crate) struct Revoked {
    #[schema(value_type = String)]
    principal: PrincipalId,
    /// `durable` or `pending`.
    ledger: &'static str,
}

/// Issue a key.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/keys", tag = "keys", request_body = Order,
    params(("tenant" = String, Path)),
    responses((status = 201, body = Issued)))]
pub(crate) async fn issue(caller: Caller, body: Parsed<Order>) -> Result<Answer<Issued>, Problem> {
    let new = checked(body.value).map_err(|problem| problem.in_request(caller.ctx.request))?;
    to_the_end(async move {
        let issued = caller.vault.issue_key(&caller.ctx, caller.tenant, new).await;
        let issued = issued.map_err(|error| caller.explain(error))?;
        let ledger = super::logged(issued.logged);
        let secret = Secret(Zeroizing::new(issued.secret.reveal()));
        Ok(Answer(StatusCode::CREATED, Issued { principal: issued.principal, secret, ledger }))
    })
    .await
}

/// What an order asks for, if it is of the form.
pub(crate) fn checked(order: Order) -> Result<NewKey, Problem> {
    let Order { name, role, subject, expires_ms, zone } = order;
    let is_network =
        |text: &String| text.parse::<ipnet::IpNet>().is_ok() || text.parse::<std::net::IpAddr>().is_ok();
    if !(1..=LONGEST_NAME).contains(&name.len()) || name.chars().any(char::is_control) {
        return Err(KEY_NAME);
    }
    if role == Role::System {
        return Err(KEY_ROLE);
    }
    if zone.len() > MOST_NETWORKS {
        return Err(KEY_ZONE);
    }
    if let Some(index) = zone.iter().position(|network| !is_network(network)) {
        return Err(KEY_ZONE.at(index));
    }
    Ok(NewKey { name, role, subject, expires: expires_ms.map(Timestamp), zone })
}

/// Revoke a key.
///
/// When this is answered, it is not accepted any more.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/keys/{principal}", tag = "keys",
    params(("tenant" = String, Path), ("principal" = String, Path)),
    responses((status = 200, body = Revoked)))]
pub(crate) async fn revoke(
    caller: Caller,
    Place((_, principal)): Place<(TenantId, PrincipalId)>,
) -> Result<Answer<Revoked>, Problem> {
    to_the_end(async move {
        let logged = caller.vault.revoke_key(&caller.ctx, caller.tenant, principal).await;
        let logged = logged.map_err(|error| caller.explain(error))?;
        Ok(Answer(StatusCode::OK, Revoked { principal, ledger: super::logged(logged) }))
    })
    .await
}
