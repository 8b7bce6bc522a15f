//! `GET` and `POST …/notices`: the exact texts that persons are shown.

use super::{Declared, declared};
use crate::Console;
use crate::body::{Answer, Once, Parsed, to_the_end};
use crate::caller::Caller;
use crate::problem::Problem;
use axum::extract::State;
use http::StatusCode;
use model::NoticeId;
use model::decision::Action;
use model::notice::{Notice, NoticeText, NoticeVersion};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Notices in all their versions.
#[derive(Serialize, ToSchema)]
pub(crate) struct Notices {
    notices: Vec<NoticeView>,
}

/// One notice.
#[derive(Serialize, ToSchema)]
pub(crate) struct NoticeView {
    #[schema(value_type = String)]
    notice: NoticeId,
    name: String,
    /// The first is version 1; a version never changes.
    versions: Vec<VersionView>,
}

/// One version.
#[derive(Serialize, ToSchema)]
pub(crate) struct VersionView {
    version: u32,
    /// Texts by language tag.
    texts: BTreeMap<String, String>,
}

/// A notice, or a new version of one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "bem", "texts": {"de": "Dürfen wir …?", "en": "May we …?"}}))]
pub(crate) struct NoticeForm {
    /// Its name; one that is known gets a new version.
    name: String,
    /// Texts by language tag (BCP 47), byte for byte as shown.
    #[schema(value_type = BTreeMap<String, String>)]
    texts: Once<String>,
}

impl From<&Notice> for NoticeView {
    fn from(notice: &Notice) -> Self {
        let version = |(version, one): (u32, &NoticeVersion)| {
            let text = |one: &NoticeText| (one.language.clone(), one.text.clone());
            VersionView { version, texts: one.texts.iter().map(text).collect() }
        };
        let versions = (1..).zip(&notice.versions).map(version).collect();
        Self { notice: notice.id, name: notice.name.clone(), versions }
    }
}

/// The notices in all their versions.
#[utoipa::path(get, operation_id = "notices", path = "/v1/tenants/{tenant}/notices", tag = "declarations",
    params(("tenant" = String, Path)), responses((status = 200, body = Notices)))]
pub(crate) async fn read(caller: Caller) -> Result<Answer<Notices>, Problem> {
    let config = caller.configuration(Action::ReadNotices)?;
    Ok(Answer(StatusCode::OK, Notices { notices: config.notices.iter().map(Into::into).collect() }))
}

/// Add a notice, or a new version of one.
#[utoipa::path(post, operation_id = "put_notice", path = "/v1/tenants/{tenant}/notices", tag = "declarations",
    request_body = NoticeForm, params(("tenant" = String, Path)), responses((status = 200, body = Declared)))]
pub(crate) async fn put(
    State(console): State<Console>,
    caller: Caller,
    body: Parsed<NoticeForm>,
) -> Result<Answer<Declared>, Problem> {
    to_the_end(async move {
        let _one = console.one_declaration().await;
        let config = caller.configuration(Action::ReadNotices)?;
        let NoticeForm { name, texts } = body.value;
        let texts = texts.0.into_iter().map(|(language, text)| NoticeText { language, text }).collect();
        let known = config.notices.iter().find(|one| one.name == name).cloned();
        let mut notice =
            known.unwrap_or_else(|| Notice { id: caller.vault.new_notice(), name, versions: Vec::new() });
        notice.versions.push(NoticeVersion { texts });
        let id = notice.id;
        let logged = caller.vault.put_notice(&caller.ctx, caller.tenant, notice).await;
        logged.map(|logged| declared(logged, Some(id))).map_err(|error| caller.explain(error))
    })
    .await
}
