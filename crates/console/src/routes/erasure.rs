//! `POST` and `GET …/persons/{person}/erasure`.

use crate::body::{Answer, Parsed, to_the_end};
use crate::caller::{Caller, Place};
use crate::problem::{INTERNAL, Problem};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use model::{CertificateId, PersonId, TenantId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Nothing is needed to say.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub(crate) struct Nothing {}

/// An acknowledged erasure.
#[derive(Serialize, ToSchema)]
pub(crate) struct Erased {
    #[schema(value_type = String)]
    certificate: CertificateId,
    /// From when on nobody reads the person, RFC 3339.
    erased_at: String,
    /// `durable`, or `pending` while the ledger cannot be written; the erasure itself is done.
    ledger: &'static str,
}

/// Erase a person.
///
/// When this is answered, nobody reads her through Obhut.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/persons/{person}/erasure", tag = "rights", request_body = Nothing,
    params(("tenant" = String, Path), ("person" = String, Path)),
    responses((status = 200, body = Erased)))]
pub(crate) async fn erase(
    caller: Caller,
    Place((_, person)): Place<(TenantId, PersonId)>,
    _: Parsed<Nothing>,
) -> Result<Answer<Erased>, Problem> {
    to_the_end(async move {
        let erased = caller.vault.erase(&caller.ctx, caller.tenant, person).await;
        let erased = erased.map_err(|error| caller.explain(error))?;
        let ledger = super::logged(erased.logged);
        let answer = Erased { certificate: erased.certificate, erased_at: erased.at.rfc3339(), ledger };
        Ok(Answer(StatusCode::OK, answer))
    })
    .await
}

/// The deletion certificate.
///
/// A DSSE envelope (`application/vnd.dsse.envelope.v1+json`) that anybody can check offline with `obhut verify`.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/persons/{person}/erasure", tag = "rights",
    params(("tenant" = String, Path), ("person" = String, Path)),
    responses((status = 200, description = "DSSE envelope")))]
pub(crate) async fn certificate(
    caller: Caller,
    Place((_, person)): Place<(TenantId, PersonId)>,
) -> Result<Response, Problem> {
    let envelope = caller.vault.certificate(&caller.ctx, caller.tenant, person).await;
    let envelope = envelope.map_err(|error| caller.explain(error))?;
    let body = envelope.to_json().map_err(|_| INTERNAL)?;
    let kind = HeaderValue::from_static("application/vnd.dsse.envelope.v1+json");
    Ok(([(header::CONTENT_TYPE, kind)], body).into_response())
}
