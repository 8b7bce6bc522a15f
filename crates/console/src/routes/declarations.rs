//! `…/catalogue`, `…/purposes`, `…/notices`: what a tenant declares. In the API everything goes by name; numbers are
//! the house's own and never change.

use crate::body::{Answer, Parsed};
use crate::caller::Caller;
use crate::problem::Problem;
use http::StatusCode;
use model::catalogue::{Category, Field, FieldType, Index, MaskRule, TokenFormat};
use model::decision::Action;
use model::ids::{Compartment, FieldId, NoticeId, PurposeId, RecipientId};
use model::notice::{Notice, NoticeText, NoticeVersion};
use model::principal::Role;
use model::purpose::{LegalBasis, Purpose, PurposeError, Recipient, SpecialBasis};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vault::TenantConfig;
use vault::declare::DeclareError;

/// A catalogue.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Catalogue {
    fields: Vec<CatalogueField>,
}

/// One field.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CatalogueField {
    name: String,
    /// `identity`, `contact`, `employment`, `financial`, `health`, `special` or `other`.
    #[schema(value_type = String)]
    category: Category,
    /// `text`, `email`, `phone`, `date` or `digits`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    kind: FieldType,
    /// `redact`, `initials`, `last_four` or `year`.
    #[schema(value_type = String)]
    mask: MaskRule,
    /// `none` or `equality`.
    #[serde(default)]
    #[schema(value_type = String)]
    index: Index,
    /// `opaque`, `email`, `phone`, `date` or `{"digits": n}`.
    #[serde(default)]
    #[schema(value_type = Object)]
    token: TokenFormat,
    /// Fields that live and die together share a compartment, 0 to 15.
    #[serde(default)]
    compartment: u8,
    /// Whether the value speaks of a third person.
    #[serde(default)]
    third_party: bool,
    /// Longest value in bytes.
    max_bytes: u32,
}

/// Purposes and recipients.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Purposes {
    #[serde(default)]
    recipients: Vec<RecipientForm>,
    purposes: Vec<PurposeForm>,
}

/// One recipient.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecipientForm {
    name: String,
    title: String,
}

/// One purpose.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PurposeForm {
    name: String,
    title: String,
    /// GDPR Art. 6(1): `consent`, `contract`, `legal_obligation`, `vital_interests`, `public_task`,
    /// `legitimate_interests`.
    #[schema(value_type = String)]
    basis: LegalBasis,
    /// GDPR Art. 9(2), needed for health and other special categories.
    #[schema(value_type = Option<String>)]
    special_basis: Option<SpecialBasis>,
    /// Names of fields in clear.
    fields: Vec<String>,
    /// Names of fields through their mask.
    #[serde(default)]
    masked: Vec<String>,
    /// Names of recipients; none is the tenant itself alone.
    #[serde(default)]
    recipients: Vec<String>,
    #[schema(value_type = Vec<String>)]
    roles: Vec<Role>,
    #[serde(default)]
    marketing: bool,
    #[serde(default)]
    survives_restriction: bool,
    #[serde(default = "yes")]
    current: bool,
}

fn yes() -> bool {
    true
}

/// Notices.
#[derive(Serialize, ToSchema)]
pub(crate) struct Notices {
    #[schema(value_type = Vec<Object>)]
    notices: Vec<Notice>,
}

/// A notice, or a new version of one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoticeForm {
    /// Its name; one that is known gets a new version.
    name: String,
    /// Texts by language tag, byte for byte as shown.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    texts: std::collections::BTreeMap<String, String>,
}

/// A declaration in force.
#[derive(Serialize, ToSchema)]
pub(crate) struct Declared {
    /// `durable` or `pending`.
    ledger: &'static str,
    /// The notice's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    notice: Option<NoticeId>,
}

fn read(caller: &Caller, action: Action) -> Result<std::sync::Arc<TenantConfig>, Problem> {
    let config = caller.vault.configuration(&caller.ctx, caller.tenant, action);
    config.map_err(|error| caller.explain(error))
}

fn declared(
    caller: &Caller,
    logged: Result<vault::Logged, DeclareError>,
) -> Result<Answer<Declared>, Problem> {
    let logged = logged.map_err(|error| caller.explain(error))?;
    Ok(Answer(StatusCode::OK, Declared { ledger: super::logged(logged), notice: None }))
}

/// The catalogue in force.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/catalogue", tag = "declarations", params(("tenant" = String, Path)),
    responses((status = 200, body = Catalogue), (status = "4XX", description = "problem+json")))]
pub(crate) async fn catalogue(caller: Caller) -> Result<Answer<Catalogue>, Problem> {
    let config = read(&caller, Action::ReadCatalogue)?;
    let fields = config.fields.iter().map(|field| CatalogueField {
        name: field.name.clone(),
        category: field.category,
        kind: field.kind,
        mask: field.mask,
        index: field.index,
        token: field.token,
        compartment: field.compartment.0,
        third_party: field.third_party,
        max_bytes: field.max_bytes,
    });
    Ok(Answer(StatusCode::OK, Catalogue { fields: fields.collect() }))
}

/// Put a catalogue in force.
#[utoipa::path(put, path = "/v1/tenants/{tenant}/catalogue", tag = "declarations", request_body = Catalogue,
    params(("tenant" = String, Path)),
    responses((status = 200, body = Declared), (status = "4XX", description = "problem+json")))]
pub(crate) async fn put_catalogue(
    caller: Caller,
    body: Parsed<Catalogue>,
) -> Result<Answer<Declared>, Problem> {
    let config = read(&caller, Action::ReadCatalogue)?;
    let mut next = config.fields.iter().map(|field| field.id.0).max().unwrap_or(0);
    let mut numbered = |name: &str| {
        config.field(name).map_or_else(
            || {
                next = next.saturating_add(1);
                FieldId(next)
            },
            |field| field.id,
        )
    };
    let fields = body.value.fields.into_iter().map(|form| Field {
        id: numbered(&form.name),
        name: form.name,
        category: form.category,
        kind: form.kind,
        mask: form.mask,
        index: form.index,
        token: form.token,
        compartment: Compartment(form.compartment),
        third_party: form.third_party,
        max_bytes: form.max_bytes,
    });
    let fields = fields.collect();
    let logged = caller.vault.put_catalogue(&caller.ctx, caller.tenant, fields).await;
    declared(&caller, logged)
}

/// Purposes and recipients in force.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/purposes", tag = "declarations", params(("tenant" = String, Path)),
    responses((status = 200, body = Purposes), (status = "4XX", description = "problem+json")))]
pub(crate) async fn purposes(caller: Caller) -> Result<Answer<Purposes>, Problem> {
    let config = read(&caller, Action::ReadPurposes)?;
    let names = |ids: &[FieldId]| -> Vec<String> {
        ids.iter().filter_map(|id| config.field_by_id(*id)).map(|field| field.name.clone()).collect()
    };
    let recipient =
        |id: &RecipientId| config.recipients.iter().find(|one| one.id == *id).map(|one| one.name.clone());
    let purposes = config.purposes.iter().map(|one| PurposeForm {
        name: one.name.clone(),
        title: one.title.clone(),
        basis: one.basis,
        special_basis: one.special_basis,
        fields: names(&one.fields),
        masked: names(&one.masked),
        recipients: one.recipients.iter().filter_map(recipient).collect(),
        roles: one.roles.clone(),
        marketing: one.marketing,
        survives_restriction: one.survives_restriction,
        current: one.current,
    });
    let purposes = purposes.collect();
    let form = |one: &Recipient| RecipientForm { name: one.name.clone(), title: one.title.clone() };
    let recipients = config.recipients.iter().map(form).collect();
    Ok(Answer(StatusCode::OK, Purposes { recipients, purposes }))
}

/// Put purposes and recipients in force.
#[utoipa::path(put, path = "/v1/tenants/{tenant}/purposes", tag = "declarations", request_body = Purposes,
    params(("tenant" = String, Path)),
    responses((status = 200, body = Declared), (status = "4XX", description = "problem+json")))]
pub(crate) async fn put_purposes(
    caller: Caller,
    body: Parsed<Purposes>,
) -> Result<Answer<Declared>, Problem> {
    let config = read(&caller, Action::ReadPurposes)?;
    let (recipients, purposes) =
        numbered(&config, body.value).map_err(|error| caller.explain(DeclareError::Purpose(error)))?;
    let logged = caller.vault.put_purposes(&caller.ctx, caller.tenant, recipients, purposes).await;
    declared(&caller, logged)
}

/// Names to numbers: a name that is known keeps its number, a new one gets the next.
fn numbered(config: &TenantConfig, form: Purposes) -> Result<(Vec<Recipient>, Vec<Purpose>), PurposeError> {
    let mut next = config.recipients.iter().map(|one| one.id.0).max().unwrap_or(0);
    let mut recipients = Vec::with_capacity(form.recipients.len());
    for RecipientForm { name, title } in form.recipients {
        let known = config.recipients.iter().find(|one| one.name == name).map(|one| one.id);
        let id = known.unwrap_or_else(|| {
            next = next.saturating_add(1);
            RecipientId(next)
        });
        recipients.push(Recipient { id, name, title });
    }
    let mut next = config.purposes.iter().map(|one| one.id.0).max().unwrap_or(0);
    let mut purposes = Vec::with_capacity(form.purposes.len());
    for (index, form) in form.purposes.into_iter().enumerate() {
        let fields = |names: &[String]| -> Option<Vec<FieldId>> {
            names.iter().map(|name| config.field(name).map(|field| field.id)).collect()
        };
        let recipient = |name: &String| recipients.iter().find(|one| one.name == *name).map(|one| one.id);
        let known = config.purposes.iter().find(|one| one.name == form.name).map(|one| one.id);
        let id = known.unwrap_or_else(|| {
            next = next.saturating_add(1);
            PurposeId(next)
        });
        let named: Option<Vec<RecipientId>> = form.recipients.iter().map(recipient).collect();
        let mut named = named.ok_or(PurposeError::UnknownRecipient(index))?;
        named.insert(0, RecipientId(0));
        purposes.push(Purpose {
            id,
            fields: fields(&form.fields).ok_or(PurposeError::UnknownField(index))?,
            masked: fields(&form.masked).ok_or(PurposeError::UnknownField(index))?,
            recipients: named,
            name: form.name,
            title: form.title,
            basis: form.basis,
            special_basis: form.special_basis,
            roles: form.roles,
            marketing: form.marketing,
            survives_restriction: form.survives_restriction,
            current: form.current,
        });
    }
    Ok((recipients, purposes))
}

/// The notices in all their versions.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/notices", tag = "declarations", params(("tenant" = String, Path)),
    responses((status = 200, body = Notices), (status = "4XX", description = "problem+json")))]
pub(crate) async fn notices(caller: Caller) -> Result<Answer<Notices>, Problem> {
    let config = read(&caller, Action::ReadNotices)?;
    Ok(Answer(StatusCode::OK, Notices { notices: config.notices.clone() }))
}

/// Add a notice, or a new version of one.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/notices", tag = "declarations", request_body = NoticeForm,
    params(("tenant" = String, Path)),
    responses((status = 200, body = Declared), (status = "4XX", description = "problem+json")))]
pub(crate) async fn put_notice(
    caller: Caller,
    body: Parsed<NoticeForm>,
) -> Result<Answer<Declared>, Problem> {
    let config = read(&caller, Action::ReadNotices)?;
    let NoticeForm { name, texts } = body.value;
    let texts = texts.into_iter().map(|(language, text)| NoticeText { language, text }).collect();
    let known = config.notices.iter().find(|one| one.name == name).cloned();
    let mut notice =
        known.unwrap_or_else(|| Notice { id: caller.vault.new_notice(), name, versions: Vec::new() });
    notice.versions.push(NoticeVersion { texts });
    let id = notice.id;
    let logged = caller.vault.put_notice(&caller.ctx, caller.tenant, notice).await;
    let Answer(status, answer) = declared(&caller, logged)?;
    Ok(Answer(status, Declared { notice: Some(id), ..answer }))
}
