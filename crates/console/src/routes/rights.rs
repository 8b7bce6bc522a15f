//! `GET …/persons/{person}/export` and `…/accesses`: what the person is owed (GDPR Art. 15 and 20).

use crate::body::{Answer, Secret};
use crate::caller::{Caller, Place};
use crate::problem::{BAD_REQUEST, Problem};
use axum::extract::Query;
use http::StatusCode;
use model::{PersonId, TenantId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use vault::trail::{Event, Outcome};

/// Everything about one person.
#[derive(Serialize, ToSchema)]
pub(crate) struct Everything {
    #[schema(value_type = String)]
    person: PersonId,
    /// When it was read, RFC 3339.
    at: String,
    /// The app's reference.
    #[serde(rename = "ref")]
    #[schema(value_type = Option<String>)]
    reference: Option<Secret>,
    /// Values by field name.
    #[schema(value_type = BTreeMap<String, String>)]
    fields: BTreeMap<String, Secret>,
    /// Fields that are left out, since they speak of third persons (Art. 15(4)).
    left_out: Vec<String>,
    consents: Vec<super::consents::Record>,
    /// Index of the ledger entry.
    entry: u64,
}

/// Export everything about one person.
///
/// What speaks of third persons is left out, and named.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/persons/{person}/export", tag = "rights",
    params(("tenant" = String, Path), ("person" = String, Path)),
    responses((status = 200, body = Everything)))]
pub(crate) async fn export(
    caller: Caller,
    Place((_, person)): Place<(TenantId, PersonId)>,
) -> Result<Answer<Everything>, Problem> {
    let export = caller.vault.export(&caller.ctx, caller.tenant, person).await;
    let export = export.map_err(|error| caller.explain(error))?;
    let everything = Everything {
        person,
        at: export.at.rfc3339(),
        reference: export.reference.map(Secret),
        fields: export.values.into_iter().map(|(field, value)| (field.name, Secret(value))).collect(),
        left_out: export.left_out,
        consents: export.consents.into_iter().map(Into::into).collect(),
        entry: export.entry,
    };
    Ok(Answer(StatusCode::OK, everything))
}

/// How many.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    limit: Option<usize>,
}

/// Who touched one person, newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct Accesses {
    accesses: Vec<Access>,
}

/// One entry.
#[derive(Serialize, ToSchema)]
pub(crate) struct Access {
    /// Origin of the ledger in which it stands.
    log: String,
    /// Index of the ledger entry.
    entry: u64,
    #[schema(value_type = String)]
    event: Event,
    /// RFC 3339.
    at: String,
    /// Why.
    purpose: String,
    /// For whom.
    recipient: String,
    /// The name of the key that acted.
    actor: String,
    /// Nothing when that part of the entry was destroyed.
    #[schema(value_type = Option<String>)]
    role: Option<model::principal::Role>,
    /// Fields with how each was decided.
    #[schema(value_type = Vec<Vec<String>>, example = json!([["name", "permit"]]))]
    fields: Vec<(String, Outcome)>,
}

/// List who touched one person, and why.
///
/// Newest first. Looking is itself an entry.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/persons/{person}/accesses", tag = "rights",
    params(("tenant" = String, Path), ("person" = String, Path), ("limit" = Option<usize>, Query, description = "Most entries, 1 to 1,000; 100 if not said.")),
    responses((status = 200, body = Accesses)))]
pub(crate) async fn accesses(
    caller: Caller,
    Place((_, person)): Place<(TenantId, PersonId)>,
    page: Result<Query<Page>, axum::extract::rejection::QueryRejection>,
) -> Result<Answer<Accesses>, Problem> {
    let Query(page) = page.map_err(|_| BAD_REQUEST.in_request(caller.ctx.request))?;
    let limit = page.limit.unwrap_or(100);
    let list = caller.vault.accesses(&caller.ctx, caller.tenant, person, limit).await;
    let list = list.map_err(|error| caller.explain(error))?;
    let access = |one: vault::accesses::Access| Access {
        log: one.log,
        entry: one.entry,
        event: one.event,
        at: one.at.rfc3339(),
        purpose: one.purpose,
        recipient: one.recipient,
        actor: one.actor,
        role: one.role,
        fields: one.fields,
    };
    Ok(Answer(StatusCode::OK, Accesses { accesses: list.into_iter().map(access).collect() }))
}
