//! `POST /v1/tenants/{tenant}/find`.

use crate::body::{Answer, Parsed, Secret};
use crate::caller::Caller;
use crate::problem::Problem;
use http::StatusCode;
use model::PersonId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vault::find::FindRequest;

/// What is looked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"field": "email", "value": "jana.muster@example.org", "purpose": "sign-in"}))]
pub(crate) struct Look {
    /// Name of an indexed field, or `ref`.
    field: String,
    /// The value it equals.
    #[schema(value_type = String)]
    value: Secret,
    /// Name of the purpose; not needed for `ref`.
    purpose: Option<String>,
    /// Name of the recipient.
    recipient: Option<String>,
}

/// Who was found. Nobody, and nobody whom the caller may find, look the same.
#[derive(Serialize, ToSchema)]
pub(crate) struct Found {
    #[schema(value_type = Vec<String>)]
    persons: Vec<PersonId>,
}

/// Find persons by equality of a field.
///
/// Nobody, an erased person, and somebody whom the caller may not find are the same empty list; at most 100 persons.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/find", tag = "reveal", request_body = Look,
    params(("tenant" = String, Path)),
    responses((status = 200, body = Found)))]
pub(crate) async fn find(caller: Caller, body: Parsed<Look>) -> Result<Answer<Found>, Problem> {
    let Look { field, value, purpose, recipient } = body.value;
    let request = FindRequest { field, value: value.0, purpose, recipient };
    let found = caller.vault.find(&caller.ctx, caller.tenant, &request).await;
    found.map(|persons| Answer(StatusCode::OK, Found { persons })).map_err(|error| caller.explain(error))
}
