//! `POST /v1/tenants/{tenant}/reveal`: the hot path.

use crate::Console;
use crate::body::{Answer, Parsed, Secret};
use crate::caller::Caller;
use crate::problem::{MALFORMED, Problem};
use axum::extract::State;
use http::StatusCode;
use model::token::StorageToken;
use model::{PersonId, RequestId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vault::reveal::{Item, RevealRequest};
use vault::trail::Outcome;

/// What is asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"purpose": "rostering", "items": [
    {"token": "obh_…"}, {"person": "per_01kb2c3d4e5f6g7h8j9kamnpqr", "fields": ["name", "health_note"]}]}))]
pub(crate) struct Ask {
    /// Name of the purpose.
    purpose: String,
    /// Name of the recipient; none is the tenant itself.
    recipient: Option<String>,
    /// Tokens, or fields of persons; at most 1,024.
    items: Vec<AskItem>,
}

/// A token, or a person with names of fields.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AskItem {
    /// A storage token.
    token: Option<String>,
    /// A person.
    #[schema(value_type = Option<String>)]
    person: Option<PersonId>,
    /// Names of fields of that person.
    fields: Option<Vec<String>>,
}

/// The answer: one list per item, in order.
#[derive(Serialize, ToSchema)]
pub(crate) struct Read {
    /// The request, as it stands in the ledger.
    #[schema(value_type = String)]
    request: RequestId,
    /// Index of the ledger entry.
    entry: u64,
    items: Vec<Vec<ReadField>>,
}

/// One field.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReadField {
    /// Its name; none for a token that stands for nothing here.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// `permit`, `partial` (a transform), `redact` (a constant) or `deny`.
    #[schema(value_type = String)]
    decision: Outcome,
    /// The value or its transform.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    value: Option<Secret>,
    /// Why not. To all but the privacy officer and the person it is always `no_permission`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

impl TryFrom<AskItem> for Item {
    type Error = Problem;

    fn try_from(item: AskItem) -> Result<Self, Problem> {
        match item {
            AskItem { token: Some(token), person: None, fields: None } => {
                // A text that is no token is answered like a token that stands for nothing here.
                Ok(Self::Token(StorageToken::parse(&token).unwrap_or(StorageToken::from_bytes([0; 16]))))
            }
            AskItem { token: None, person: Some(person), fields: Some(fields) } => {
                Ok(Self::Fields(person, fields))
            }
            _ => Err(MALFORMED),
        }
    }
}

/// Reveal values of persons for a purpose.
///
/// Each value is decided on, and the read is durable in the ledger, before any key is unwrapped. One list per item, in
/// the order of the request; a token that stands for nothing here is refused like one that is not permitted.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/reveal", tag = "reveal", request_body = Ask,
    params(("tenant" = String, Path)),
    responses((status = 200, body = Read)))]
pub(crate) async fn reveal(
    State(console): State<Console>,
    caller: Caller,
    body: Parsed<Ask>,
) -> Result<Answer<Read>, Problem> {
    let Ask { purpose, recipient, items } = body.value;
    let item = |(index, item): (usize, AskItem)| {
        Item::try_from(item).map_err(|problem| problem.at(index).in_request(caller.ctx.request))
    };
    let items = items.into_iter().enumerate().map(item).collect::<Result<Vec<_>, _>>()?;
    let request = RevealRequest { purpose, recipient, items };
    let revealed = caller.vault.reveal(&caller.ctx, caller.tenant, &request).await;
    let revealed = revealed.map_err(|error| caller.explain(error))?;
    let role = caller.ctx.actor.principal.role;
    let items = revealed.items.into_iter().map(|fields| {
        let field = |one: vault::reveal::Revealed| {
            console.metrics().decided(one.decision);
            ReadField {
                field: one.field,
                decision: one.decision,
                value: one.value.map(Secret),
                reason: one.reason.map(|reason| reason.outward(role)),
            }
        };
        fields.into_iter().map(field).collect()
    });
    let items = items.collect();
    Ok(Answer(StatusCode::OK, Read { request: caller.ctx.request, entry: revealed.entry, items }))
}
