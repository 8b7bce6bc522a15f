//! `GET` and `PUT …/purposes`: what data are used for, and who receives them. In the API everything goes by name;
//! numbers are the house's own and never change.

use super::{Declared, declared};
use crate::Console;
use crate::body::{Answer, Parsed, to_the_end};
use crate::caller::Caller;
use crate::problem::Problem;
use axum::extract::State;
use http::StatusCode;
use model::decision::Action;
use model::ids::{FieldId, PurposeId, RecipientId};
use model::principal::Role;
use model::purpose::{LegalBasis, Purpose, PurposeError, Recipient, SpecialBasis};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vault::TenantConfig;
use vault::declare::DeclareError;

/// Purposes and recipients.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "recipients": [{"name": "payroll", "title": "Payroll office"}],
    "purposes": [
        {"name": "rostering", "title": "Rosters", "basis": "contract", "fields": ["email"], "masked": ["name"],
         "roles": ["app", "operations"]},
        {"name": "bem", "title": "Return-to-work case, § 167(2) SGB IX", "basis": "consent",
         "special_basis": "explicit_consent", "fields": ["name", "health_note"], "roles": ["case_manager"]}
    ]
}))]
pub(crate) struct Purposes {
    /// Who receives data besides the tenant itself. One that is left out stays known, for old records.
    #[serde(default)]
    recipients: Vec<RecipientForm>,
    /// One that is left out is withdrawn: it stays known, for old records, and refuses. One that reads more than before,
    /// is called something else, rests on another basis or comes back is a new edition: consents given to the old one do
    /// not speak for it, and persons are asked anew.
    purposes: Vec<PurposeForm>,
}

/// One recipient.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecipientForm {
    /// `[a-z][a-z0-9_-]{0,62}`.
    name: String,
    /// How it is called towards people.
    title: String,
}

/// One purpose.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PurposeForm {
    /// `[a-z][a-z0-9_-]{0,62}`.
    name: String,
    /// How it is called towards people.
    title: String,
    /// GDPR Art. 6(1): `consent`, `contract`, `legal_obligation`, `vital_interests`, `public_task`,
    /// `legitimate_interests`.
    #[schema(value_type = String)]
    basis: LegalBasis,
    /// GDPR Art. 9(2), needed for health and other special categories: `explicit_consent`, `employment_law`,
    /// `vital_interests`, `legal_claims`, `public_interest`, `care`, `public_health`, `research`.
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
    /// Who may act for it: `app`, `operations`, `case_manager`, `privacy_officer`.
    #[schema(value_type = Vec<String>)]
    roles: Vec<Role>,
    /// Direct marketing, against which an objection always holds (Art. 21(2)).
    #[serde(default)]
    marketing: bool,
    /// One of the purposes that a restriction leaves (Art. 18(2)).
    #[serde(default)]
    survives_restriction: bool,
    /// Whether it may be used at present.
    #[serde(default = "yes")]
    current: bool,
}

fn yes() -> bool {
    true
}

impl PurposeForm {
    fn of(one: &Purpose, config: &TenantConfig) -> Self {
        let names = |ids: &[FieldId]| {
            ids.iter().filter_map(|id| config.field_by_id(*id)).map(|field| field.name.clone()).collect()
        };
        let recipient = |id: &RecipientId| config.recipients.iter().find(|one| one.id == *id);
        Self {
            name: one.name.clone(),
            title: one.title.clone(),
            basis: one.basis,
            special_basis: one.special_basis,
            fields: names(&one.fields),
            masked: names(&one.masked),
            recipients: one.recipients.iter().filter_map(recipient).map(|one| one.name.clone()).collect(),
            roles: one.roles.clone(),
            marketing: one.marketing,
            survives_restriction: one.survives_restriction,
            current: one.current,
        }
    }
}

/// Purposes and recipients in force.
#[utoipa::path(get, operation_id = "purposes", path = "/v1/tenants/{tenant}/purposes", tag = "declarations",
    params(("tenant" = String, Path)), responses((status = 200, body = Purposes)))]
pub(crate) async fn read(caller: Caller) -> Result<Answer<Purposes>, Problem> {
    let config = caller.configuration(Action::ReadPurposes)?;
    let form = |one: &Recipient| RecipientForm { name: one.name.clone(), title: one.title.clone() };
    let recipients = config.recipients.iter().map(form).collect();
    let purposes = config.purposes.iter().map(|one| PurposeForm::of(one, &config)).collect();
    Ok(Answer(StatusCode::OK, Purposes { recipients, purposes }))
}

/// Put purposes and recipients in force.
#[utoipa::path(put, operation_id = "put_purposes", path = "/v1/tenants/{tenant}/purposes", tag = "declarations",
    request_body = Purposes, params(("tenant" = String, Path)), responses((status = 200, body = Declared)))]
pub(crate) async fn put(
    State(console): State<Console>,
    caller: Caller,
    body: Parsed<Purposes>,
) -> Result<Answer<Declared>, Problem> {
    to_the_end(async move {
        let _one = console.one_declaration().await;
        let config = caller.configuration(Action::ReadPurposes)?;
        let (recipients, purposes) =
            numbered(&config, body.value).map_err(|error| caller.explain(DeclareError::Purpose(error)))?;
        let logged = caller.vault.put_purposes(&caller.ctx, caller.tenant, recipients, purposes).await;
        logged.map(|logged| declared(logged, None)).map_err(|error| caller.explain(error))
    })
    .await
}

/// Names to numbers: a name that is known keeps its number, a new one gets the next.
fn numbered(config: &TenantConfig, form: Purposes) -> Result<(Vec<Recipient>, Vec<Purpose>), PurposeError> {
    let recipients = number_recipients(config, form.recipients);
    let mut next = config.purposes.iter().map(|one| one.id.0).max().unwrap_or(0);
    let mut purposes = Vec::with_capacity(form.purposes.len());
    for (index, form) in form.purposes.into_iter().enumerate() {
        let fields = |names: &[String]| -> Option<Vec<FieldId>> {
            names.iter().map(|name| config.field(name).map(|field| field.id)).collect()
        };
        let recipient = |name: &String| recipients.iter().find(|one| one.name == *name).map(|one| one.id);
        let id = config.purpose(&form.name).map(|one| one.id).unwrap_or_else(|| {
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
            // The vault counts.
            edition: 0,
        });
    }
    Ok((recipients, purposes))
}

/// Recipients that are left out are kept at the end: consents and ledger entries name them by number, and a number
/// that came free would let a consent for one recipient speak for the next.
fn number_recipients(config: &TenantConfig, forms: Vec<RecipientForm>) -> Vec<Recipient> {
    let mut next = config.recipients.iter().map(|one| one.id.0).max().unwrap_or(0);
    let mut recipients = Vec::with_capacity(forms.len());
    for RecipientForm { name, title } in forms {
        let known = config.recipients.iter().find(|one| one.name == name).map(|one| one.id);
        let id = known.unwrap_or_else(|| {
            next = next.saturating_add(1);
            RecipientId(next)
        });
        recipients.push(Recipient { id, name, title });
    }
    let left_out = config.recipients.iter().filter(|old| !recipients.iter().any(|new| new.name == old.name));
    let left_out: Vec<Recipient> = left_out.cloned().collect();
    recipients.extend(left_out);
    recipients
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn form(recipients: &[&str], purposes: &[(&str, &[&str])]) -> Purposes {
        let recipient = |name: &&str| RecipientForm { name: (*name).into(), title: "T".into() };
        let purpose = |(name, recipients): &(&str, &[&str])| {
            let body = json!({"name": name, "title": "T", "basis": "contract", "fields": [], "roles": [],
                "recipients": recipients});
            serde_json::from_value(body).expect("a purpose")
        };
        Purposes {
            recipients: recipients.iter().map(recipient).collect(),
            purposes: purposes.iter().map(purpose).collect(),
        }
    }

    fn put(config: &mut TenantConfig, form: Purposes) {
        let (recipients, purposes) = numbered(config, form).expect("numbered");
        // As the vault does it: a purpose that is left out stays, withdrawn.
        let left_out: Vec<Purpose> = config
            .purposes
            .iter()
            .filter(|old| !purposes.iter().any(|new| new.id == old.id))
            .cloned()
            .collect();
        config.recipients = recipients;
        config.purposes = purposes;
        config.purposes.extend(left_out);
    }

    #[test]
    fn a_number_never_means_something_else() {
        let mut config = TenantConfig::default();
        put(&mut config, form(&["a", "b"], &[("p", &["a"]), ("q", &["b"])]));
        let number = |config: &TenantConfig, name: &str| config.recipient(Some(name)).map(|id| id.0);
        let purpose = |config: &TenantConfig, name: &str| config.purpose(name).map(|one| one.id.0);
        assert_eq!((number(&config, "a"), number(&config, "b")), (Some(1), Some(2)));
        put(&mut config, form(&["c", "a"], &[("r", &["c"]), ("p", &[])]));
        assert_eq!(
            (number(&config, "a"), number(&config, "b"), number(&config, "c")),
            (Some(1), Some(2), Some(3))
        );
        assert_eq!(
            (purpose(&config, "p"), purpose(&config, "q"), purpose(&config, "r")),
            (Some(1), Some(2), Some(3))
        );
        put(&mut config, form(&["b"], &[]));
        assert_eq!(number(&config, "b"), Some(2), "one that comes back is who it was");
    }
}
