//! `POST /v1/tenants/{tenant}/persons`, `PATCH …/persons/{person}`.

use crate::body::{Answer, Parsed};
use crate::caller::{Caller, Place};
use crate::problem::{BAD_REQUEST, Problem};
use http::{HeaderMap, StatusCode};
use model::{PersonId, TenantId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use vault::put::{Idempotency, PutAnswer, PutRequest};
use zeroize::Zeroizing;

/// Longest idempotency key in bytes.
const LONGEST_KEY: usize = 200;

/// A person to be stored.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Person {
    /// The app's own reference, 1 to 256 bytes.
    #[serde(rename = "ref")]
    #[schema(example = "personnel-10042")]
    reference: String,
    /// Values by field name.
    #[schema(value_type = BTreeMap<String, String>)]
    fields: Values,
}

/// Values that are changed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    /// Values by field name.
    #[schema(value_type = BTreeMap<String, String>)]
    fields: Values,
}

/// Values by field name, wiped when no longer needed.
#[derive(Deserialize)]
#[serde(transparent)]
struct Values(BTreeMap<String, Secret>);

#[derive(Deserialize)]
#[serde(transparent)]
struct Secret(String);

impl Values {
    fn wiped(self) -> BTreeMap<String, Zeroizing<String>> {
        self.0.into_iter().map(|(name, value)| (name, Zeroizing::new(value.0))).collect()
    }
}

/// What stands for the values in the app's database.
#[derive(Serialize, ToSchema)]
pub(crate) struct Stored {
    #[schema(value_type = String, example = "per_01kb2c3d4e5f6g7h8j9kamnpqr")]
    person: PersonId,
    /// One token per field that has a value.
    tokens: BTreeMap<String, String>,
    /// `durable`, `pending`, or nothing for a repeated request.
    #[serde(skip_serializing_if = "Option::is_none")]
    ledger: Option<&'static str>,
}

impl From<PutAnswer> for Stored {
    fn from(answer: PutAnswer) -> Self {
        Self { person: answer.person, tokens: answer.tokens, ledger: answer.logged.map(super::logged) }
    }
}

/// Store a person, or change the values of the person with this reference. Both are answered alike.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/persons", tag = "persons", request_body = Person,
    params(("tenant" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = Stored), (status = "4XX", description = "problem+json")))]
pub(crate) async fn store(
    caller: Caller,
    headers: HeaderMap,
    body: Parsed<Person>,
) -> Result<Answer<Stored>, Problem> {
    let idempotency = idempotency(&caller, &headers, &body.bytes)?;
    let Person { reference, fields } = body.value;
    let request = PutRequest { reference, fields: fields.wiped(), idempotency };
    let stored = caller.vault.put(&caller.ctx, caller.tenant, &request).await;
    stored.map(|stored| Answer(StatusCode::CREATED, stored.into())).map_err(|error| caller.explain(error))
}

fn idempotency(caller: &Caller, headers: &HeaderMap, body: &[u8]) -> Result<Option<Idempotency>, Problem> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    if key.is_empty() || key.len() > LONGEST_KEY {
        return Err(BAD_REQUEST);
    }
    let request: [&[u8]; 3] = [b"POST persons", caller.tenant.as_bytes(), body];
    Ok(Some(Idempotency::new(caller.ctx.actor.principal.id, key.as_bytes(), &request)))
}

/// Change values of a person.
#[utoipa::path(patch, path = "/v1/tenants/{tenant}/persons/{person}", tag = "persons", request_body = Change,
    params(("tenant" = String, Path), ("person" = String, Path)),
    responses((status = 200, body = Stored), (status = "4XX", description = "problem+json")))]
pub(crate) async fn rectify(
    caller: Caller,
    Place((_, person)): Place<(TenantId, PersonId)>,
    body: Parsed<Change>,
) -> Result<Answer<Stored>, Problem> {
    let fields = body.value.fields.wiped();
    let stored = caller.vault.rectify(&caller.ctx, caller.tenant, person, &fields).await;
    stored.map(|stored| Answer(StatusCode::OK, stored.into())).map_err(|error| caller.explain(error))
}
