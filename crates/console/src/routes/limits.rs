//! `POST …/persons/{person}/restriction`, `…/objection`, `…/hold`.

use crate::body::{Answer, Parsed, to_the_end};
use crate::caller::{Caller, Place};
use crate::problem::Problem;
use http::StatusCode;
use model::{PersonId, TenantId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;
use vault::restrict::Limit;

/// A restriction of processing (GDPR Art. 18).
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"fields": ["email"], "active": true}))]
pub(crate) struct Restriction {
    /// Names of fields; none is all.
    #[serde(default)]
    fields: BTreeSet<String>,
    /// Set or lift.
    active: bool,
}

/// An objection (Art. 21).
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"purpose": "survey", "active": true}))]
pub(crate) struct Objection {
    /// Name of the purpose.
    purpose: String,
    /// Set or take back.
    active: bool,
}

/// A legal hold: stops erasure, never reading.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hold {
    /// Set or lift.
    active: bool,
}

/// Done.
#[derive(Serialize, ToSchema)]
pub(crate) struct Limited {
    active: bool,
    /// `durable` or `pending`.
    ledger: &'static str,
}

async fn limit(
    caller: Caller,
    person: PersonId,
    limit: Limit,
    active: bool,
) -> Result<Answer<Limited>, Problem> {
    to_the_end(async move {
        let logged = caller.vault.limit(&caller.ctx, caller.tenant, person, &limit, active).await;
        let logged = logged.map_err(|error| caller.explain(error))?;
        Ok(Answer(StatusCode::OK, Limited { active, ledger: super::logged(logged) }))
    })
    .await
}

/// Restrict processing, or lift the restriction.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/persons/{person}/restriction", tag = "rights",
    request_body = Restriction, params(("tenant" = String, Path), ("person" = String, Path)),
    responses((status = 200, body = Limited)))]
pub(crate) async fn restrict(
    caller: Caller,
    Place((_, person)): Place<(TenantId, PersonId)>,
    body: Parsed<Restriction>,
) -> Result<Answer<Limited>, Problem> {
    limit(caller, person, Limit::Restriction(body.value.fields.into_iter().collect()), body.value.active)
        .await
}

/// Object to a purpose, or take the objection back.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/persons/{person}/objection", tag = "rights",
    request_body = Objection, params(("tenant" = String, Path), ("person" = String, Path)),
    responses((status = 200, body = Limited)))]
pub(crate) async fn object(
    caller: Caller,
    Place((_, person)): Place<(TenantId, PersonId)>,
    body: Parsed<Objection>,
) -> Result<Answer<Limited>, Problem> {
    limit(caller, person, Limit::Objection(body.value.purpose), body.value.active).await
}

/// Set or lift a legal hold.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/persons/{person}/hold", tag = "rights", request_body = Hold,
    params(("tenant" = String, Path), ("person" = String, Path)),
    responses((status = 200, body = Limited)))]
pub(crate) async fn hold(
    caller: Caller,
    Place((_, person)): Place<(TenantId, PersonId)>,
    body: Parsed<Hold>,
) -> Result<Answer<Limited>, Problem> {
    limit(caller, person, Limit::Hold, body.value.active).await
}
