//! `GET` and `PUT …/catalogue`. In the API fields go by name; their numbers are the house's own and never change.

use super::{Declared, declared};
use crate::Console;
use crate::body::{Answer, Parsed, to_the_end};
use crate::caller::Caller;
use crate::problem::Problem;
use axum::extract::State;
use http::StatusCode;
use model::catalogue::{Category, Field, FieldType, Index, MaskRule, TokenFormat};
use model::decision::Action;
use model::ids::{Compartment, FieldId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vault::TenantConfig;
use vault::declare::DeclareError;

/// A catalogue.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"fields": [
    {"name": "name", "category": "identity", "type": "text", "mask": "initials", "max_bytes": 200},
    {"name": "email", "category": "contact", "type": "email", "mask": "redact", "index": "equality",
     "token": "email", "max_bytes": 254},
    {"name": "health_note", "category": "health", "type": "text", "mask": "redact", "compartment": 1,
     "max_bytes": 4000}
]}))]
pub(crate) struct Catalogue {
    /// All fields; none that is in force may be left out.
    fields: Vec<CatalogueField>,
}

/// One field.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CatalogueField {
    /// `[a-z][a-z0-9_-]{0,62}`; not `ref`.
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
    #[schema(value_type = serde_json::Value)]
    token: TokenFormat,
    /// Whether equal values have the same token, for UNIQUE columns; needs `index` `equality`.
    #[serde(default)]
    stable: bool,
    /// Fields that live and die together share a compartment, 0 to 15.
    #[serde(default)]
    compartment: u8,
    /// Whether the value speaks of a third person.
    #[serde(default)]
    third_party: bool,
    /// Longest value in bytes, at most 65,536.
    max_bytes: u32,
}

impl From<&Field> for CatalogueField {
    fn from(field: &Field) -> Self {
        Self {
            name: field.name.clone(),
            category: field.category,
            kind: field.kind,
            mask: field.mask,
            index: field.index,
            token: field.token,
            stable: field.stable,
            compartment: field.compartment.0,
            third_party: field.third_party,
            max_bytes: field.max_bytes,
        }
    }
}

impl CatalogueField {
    fn numbered(self, id: FieldId) -> Field {
        Field {
            id,
            name: self.name,
            category: self.category,
            kind: self.kind,
            mask: self.mask,
            index: self.index,
            token: self.token,
            stable: self.stable,
            compartment: Compartment(self.compartment),
            third_party: self.third_party,
            max_bytes: self.max_bytes,
        }
    }
}

/// The catalogue in force.
#[utoipa::path(get, operation_id = "catalogue", path = "/v1/tenants/{tenant}/catalogue", tag = "declarations",
    params(("tenant" = String, Path)), responses((status = 200, body = Catalogue)))]
pub(crate) async fn read(caller: Caller) -> Result<Answer<Catalogue>, Problem> {
    let config = caller.configuration(Action::ReadCatalogue)?;
    Ok(Answer(StatusCode::OK, Catalogue { fields: config.fields.iter().map(Into::into).collect() }))
}

/// Put a catalogue in force.
///
/// Fields can be added, and their masks, tokens and limits changed. What is bound into stored values (category, type,
/// index, compartment) stays, and no field goes.
#[utoipa::path(put, operation_id = "put_catalogue", path = "/v1/tenants/{tenant}/catalogue", tag = "declarations",
    request_body = Catalogue, params(("tenant" = String, Path)), responses((status = 200, body = Declared)))]
pub(crate) async fn put(
    State(console): State<Console>,
    caller: Caller,
    body: Parsed<Catalogue>,
) -> Result<Answer<Declared>, Problem> {
    to_the_end(async move {
        let _one = console.one_declaration().await;
        let config = caller.configuration(Action::ReadCatalogue)?;
        let fields = numbered(&config, body.value.fields);
        let logged = caller.vault.put_catalogue(&caller.ctx, caller.tenant, fields).await;
        logged.map(|logged| declared(logged, None)).map_err(|error| {
            let fixed = match &error {
                DeclareError::FieldFixed(index) => Some(*index),
                _ => None,
            };
            let problem = caller.explain(error);
            match fixed {
                // Counted among the fields in force, which the caller cannot see from here.
                Some(index) => problem.of_field(config.fields.get(index).map(|field| field.name.clone())),
                None => problem,
            }
        })
    })
    .await
}

/// Names to numbers: a name that is known keeps its number, a new one gets the next.
fn numbered(config: &TenantConfig, forms: Vec<CatalogueField>) -> Vec<Field> {
    let mut next = config.fields.iter().map(|field| field.id.0).max().unwrap_or(0);
    let number = |form: CatalogueField| {
        let known = config.field(&form.name).map(|field| field.id);
        let id = known.unwrap_or_else(|| {
            next = next.saturating_add(1);
            FieldId(next)
        });
        form.numbered(id)
    };
    forms.into_iter().map(number).collect()
}
