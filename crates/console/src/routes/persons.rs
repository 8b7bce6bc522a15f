//! `POST /v1/tenants/{tenant}/persons`, `PATCH …/persons/{person}`.

use crate::body::{Answer, Once, Parsed, Secret, to_the_end};
use crate::caller::{Caller, Place};
use crate::problem::{BAD_REQUEST, Problem};
use http::{HeaderMap, StatusCode};
use model::{PersonId, TenantId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use vault::put::{Idempotency, PutAnswer, PutError, PutRequest};
use zeroize::Zeroizing;

/// Longest idempotency key in bytes.
const LONGEST_KEY: usize = 200;

/// A person to be stored.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"ref": "personnel-10042",
    "fields": {"name": "Jana Muster", "email": "jana.muster@example.org"}}))]
pub(crate) struct Person {
    /// The app's own reference, 1 to 256 bytes.
    #[serde(rename = "ref")]
    reference: String,
    /// Values by field name.
    #[schema(value_type = BTreeMap<String, String>)]
    fields: Values,
}

/// Values that are changed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"fields": {"phone": "+49 30 23125 000"}}))]
pub(crate) struct Change {
    /// Values by field name.
    #[schema(value_type = BTreeMap<String, String>)]
    fields: Values,
}

/// Values by field name, wiped when no longer needed.
type Values = Once<Secret>;

fn values(members: Values) -> BTreeMap<String, Zeroizing<String>> {
    members.0.into_iter().map(|(name, value)| (name, value.0)).collect()
}

/// An error of a put, with the name of the field whose value was not taken. That name is in the catalogue; one that
/// is not is never repeated.
fn explain(caller: &Caller, error: PutError, fields: &BTreeMap<String, Zeroizing<String>>) -> Problem {
    let refused = match &error {
        PutError::Value(index, _) => fields.keys().nth(*index).cloned(),
        _ => None,
    };
    let problem = caller.explain(error);
    if refused.is_some() { problem.of_field(refused) } else { problem }
}

/// What stands for the values in the app's database.
#[derive(Serialize, ToSchema)]
pub(crate) struct Stored {
    #[schema(value_type = String, example = "per_01kb2c3d4e5f6g7h8j9kamnpqr")]
    person: PersonId,
    /// One token per field that was handed in.
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

/// Store a person.
///
/// Where somebody with this reference is stored already, her values are changed. Both are answered alike, so that the
/// answer does not tell whether somebody was known. With an `Idempotency-Key` (1 to 200 bytes) it is done at most once;
/// no body is stored for that.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/persons", tag = "persons", request_body = Person,
    params(("tenant" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Any text; the same one is done once.")),
    responses((status = 201, body = Stored)))]
pub(crate) async fn store(
    caller: Caller,
    headers: HeaderMap,
    body: Parsed<Person>,
) -> Result<Answer<Stored>, Problem> {
    let idempotency = idempotency(&caller, &headers, &body.bytes)?;
    let Person { reference, fields } = body.value;
    let request = PutRequest { reference, fields: values(fields), idempotency };
    to_the_end(async move {
        let stored = caller.vault.put(&caller.ctx, caller.tenant, &request).await;
        let stored = stored.map_err(|error| explain(&caller, error, &request.fields))?;
        Ok(Answer(StatusCode::CREATED, stored.into()))
    })
    .await
}

fn idempotency(caller: &Caller, headers: &HeaderMap, body: &[u8]) -> Result<Option<Idempotency>, Problem> {
    let mut keys = headers.get_all("idempotency-key").iter();
    let Some(key) = keys.next() else { return Ok(None) };
    if key.is_empty() || key.len() > LONGEST_KEY || keys.next().is_some() {
        return Err(BAD_REQUEST.in_request(caller.ctx.request));
    }
    let request: [&[u8]; 3] = [b"POST persons", caller.tenant.as_bytes(), body];
    Ok(Some(Idempotency::new(caller.ctx.actor.principal.id, key.as_bytes(), &request)))
}

/// Change values of a person.
#[utoipa::path(patch, path = "/v1/tenants/{tenant}/persons/{person}", tag = "persons", request_body = Change,
    params(("tenant" = String, Path), ("person" = String, Path)),
    responses((status = 200, body = Stored)))]
pub(crate) async fn rectify(
    caller: Caller,
    Place((_, person)): Place<(TenantId, PersonId)>,
    body: Parsed<Change>,
) -> Result<Answer<Stored>, Problem> {
    let fields = values(body.value.fields);
    to_the_end(async move {
        let stored = caller.vault.rectify(&caller.ctx, caller.tenant, person, &fields).await;
        let stored = stored.map_err(|error| explain(&caller, error, &fields))?;
        Ok(Answer(StatusCode::OK, stored.into()))
    })
    .await
}
