//! `…/consents` and `…/persons/{person}/consents`.

use super::erasure::Nothing;
use crate::body::{Answer, Parsed, to_the_end};
use crate::caller::{Caller, Place};
use crate::problem::{DIGEST, Problem};
use data_encoding::HEXLOWER;
use http::StatusCode;
use model::consent::{ConsentEvent, ConsentState};
use model::{ConsentId, NoticeId, PersonId, TenantId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vault::consent::{Answer as Reply, AskRequest, Consent, ConsentChanged};

/// Who is asked for what.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"person": "per_01kb2c3d4e5f6g7h8j9kamnpqr", "purpose": "bem",
    "notice": "not_01kb2c3d4e5f6g7h8j9kamnpqr", "days": 180}))]
pub(crate) struct Ask {
    /// Who is asked.
    #[schema(value_type = String)]
    person: PersonId,
    /// Name of the purpose.
    purpose: String,
    /// Name of the recipient; none is the tenant itself.
    recipient: Option<String>,
    /// The notice that will be shown.
    #[schema(value_type = String)]
    notice: NoticeId,
    /// For how many days, at most 3,650.
    days: Option<u32>,
}

/// In which language.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Show {
    /// Language tag (BCP 47).
    #[schema(example = "de")]
    language: String,
}

/// The notice, byte for byte.
#[derive(Serialize, ToSchema)]
pub(crate) struct Shown {
    language: String,
    text: String,
    /// SHA-256 of the text, hex; to be handed back with the consent.
    digest: String,
    /// `durable`, `pending`, or nothing when the same was shown last already.
    #[serde(skip_serializing_if = "Option::is_none")]
    ledger: Option<&'static str>,
}

/// Yes, to what was shown.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Give {
    /// SHA-256 of the text that was shown, hex.
    digest: String,
    /// A shorter term than asked for, in days.
    days: Option<u32>,
}

/// Where a record stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct Changed {
    #[schema(value_type = String)]
    consent: ConsentId,
    #[schema(value_type = String)]
    state: ConsentState,
    /// When its term ends, RFC 3339.
    until: Option<String>,
    /// `durable` or `pending`.
    ledger: &'static str,
}

impl From<ConsentChanged> for Changed {
    fn from(changed: ConsentChanged) -> Self {
        Self {
            consent: changed.consent,
            state: changed.state,
            until: changed.until.map(model::Timestamp::rfc3339),
            ledger: super::logged(changed.logged),
        }
    }
}

/// A record with its history.
#[derive(Serialize, ToSchema)]
pub(crate) struct Record {
    #[schema(value_type = String)]
    consent: ConsentId,
    purpose: String,
    recipient: String,
    #[schema(value_type = String)]
    state: ConsentState,
    until: Option<String>,
    #[schema(value_type = String)]
    notice: NoticeId,
    notice_version: u32,
    events: Vec<RecordEvent>,
}

/// One event of a record.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecordEvent {
    #[schema(value_type = String)]
    event: ConsentEvent,
    at: String,
    language: Option<String>,
    /// SHA-256 of the text that was shown, hex.
    digest: Option<String>,
    days: Option<u32>,
}

impl From<Consent> for Record {
    fn from(one: Consent) -> Self {
        let event = |event: vault::consent::RecordedEvent| RecordEvent {
            event: event.event,
            at: event.at.rfc3339(),
            digest: event.shown.as_ref().map(|shown| HEXLOWER.encode(&shown.digest)),
            language: event.shown.map(|shown| shown.language),
            days: event.days,
        };
        Self {
            consent: one.id,
            purpose: one.purpose,
            recipient: one.recipient,
            state: one.state,
            until: one.until.map(model::Timestamp::rfc3339),
            notice: one.notice,
            notice_version: one.notice_version,
            events: one.events.into_iter().map(event).collect(),
        }
    }
}

/// Ask a person for a consent.
///
/// Opens a record in the state `requested`; one purpose and one recipient per record.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/consents", tag = "consents", request_body = Ask,
    params(("tenant" = String, Path)),
    responses((status = 201, body = Changed)))]
pub(crate) async fn ask(caller: Caller, body: Parsed<Ask>) -> Result<Answer<Changed>, Problem> {
    let Ask { person, purpose, recipient, notice, days } = body.value;
    let ask = AskRequest { person, purpose, recipient, notice, days };
    to_the_end(async move {
        let asked = caller.vault.ask_consent(&caller.ctx, caller.tenant, &ask).await;
        asked.map(|asked| Answer(StatusCode::CREATED, asked.into())).map_err(|error| caller.explain(error))
    })
    .await
}

/// The consent records of a person.
///
/// Looking is itself an entry.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/persons/{person}/consents", tag = "consents",
    params(("tenant" = String, Path), ("person" = String, Path)),
    responses((status = 200, body = Vec<Record>)))]
pub(crate) async fn list(
    caller: Caller,
    Place((_, person)): Place<(TenantId, PersonId)>,
) -> Result<Answer<Vec<Record>>, Problem> {
    let list = caller.vault.consents(&caller.ctx, caller.tenant, person).await;
    let list = list.map_err(|error| caller.explain(error))?;
    Ok(Answer(StatusCode::OK, list.into_iter().map(Into::into).collect()))
}

/// Be shown the notice.
///
/// Only the person herself can be. What was shown is noted with the digest of its exact bytes.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/consents/{consent}/show", tag = "consents", request_body = Show,
    params(("tenant" = String, Path), ("consent" = String, Path)),
    responses((status = 200, body = Shown)))]
pub(crate) async fn show(
    caller: Caller,
    Place((_, consent)): Place<(TenantId, ConsentId)>,
    body: Parsed<Show>,
) -> Result<Answer<Shown>, Problem> {
    to_the_end(async move {
        let shown = caller.vault.show_notice(&caller.ctx, caller.tenant, consent, &body.value.language).await;
        let shown = shown.map_err(|error| caller.explain(error))?;
        let digest = HEXLOWER.encode(&shown.digest);
        let ledger = shown.logged.map(super::logged);
        Ok(Answer(StatusCode::OK, Shown { language: shown.language, text: shown.text, digest, ledger }))
    })
    .await
}

async fn answer(caller: Caller, consent: ConsentId, reply: Reply) -> Result<Answer<Changed>, Problem> {
    to_the_end(async move {
        let changed = caller.vault.answer_consent(&caller.ctx, caller.tenant, consent, reply).await;
        changed.map(|changed| Answer(StatusCode::OK, changed.into())).map_err(|error| caller.explain(error))
    })
    .await
}

/// Agree to the notice that was shown.
///
/// Only the person herself can, and only to the bytes that she was shown.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/consents/{consent}/give", tag = "consents", request_body = Give,
    params(("tenant" = String, Path), ("consent" = String, Path)),
    responses((status = 200, body = Changed)))]
pub(crate) async fn give(
    caller: Caller,
    Place((_, consent)): Place<(TenantId, ConsentId)>,
    body: Parsed<Give>,
) -> Result<Answer<Changed>, Problem> {
    let digest = HEXLOWER.decode(body.value.digest.as_bytes()).ok();
    let digest = digest.and_then(|digest| digest.try_into().ok());
    let digest = digest.ok_or_else(|| DIGEST.in_request(caller.ctx.request))?;
    answer(caller, consent, Reply::Give { digest, days: body.value.days }).await
}

/// Refuse.
///
/// Only the person herself can.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/consents/{consent}/refuse", tag = "consents",
    request_body = Nothing, params(("tenant" = String, Path), ("consent" = String, Path)),
    responses((status = 200, body = Changed)))]
pub(crate) async fn refuse(
    caller: Caller,
    Place((_, consent)): Place<(TenantId, ConsentId)>,
    _: Parsed<Nothing>,
) -> Result<Answer<Changed>, Problem> {
    answer(caller, consent, Reply::Refuse).await
}

/// Take a consent back.
///
/// Only the person herself can. When this is answered, the next decision says no, also while the ledger cannot be
/// written.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/consents/{consent}/withdraw", tag = "consents",
    request_body = Nothing, params(("tenant" = String, Path), ("consent" = String, Path)),
    responses((status = 200, body = Changed)))]
pub(crate) async fn withdraw(
    caller: Caller,
    Place((_, consent)): Place<(TenantId, ConsentId)>,
    _: Parsed<Nothing>,
) -> Result<Answer<Changed>, Problem> {
    answer(caller, consent, Reply::Withdraw).await
}
