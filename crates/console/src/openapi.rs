//! The description of the API (OpenAPI 3.1), made from the handlers themselves. What all operations share (key,
//! problems, meaning of path parameters) is added to each here.

use crate::routes::{
    catalogue, consents, erasure, find, house, keys, limits, links, notices, persons, purposes, reveal,
    rights, shield,
};
use serde::Serialize;
use serde_json::json;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, ContentBuilder, PathItem, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi, ToSchema};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Obhut",
        description = "A vault that decides on purpose and consent before each read, and proves what it did. \
            Every request names its key: `Authorization: Bearer obk_…`. Errors are problem+json with a stable code. \
            Bodies are JSON of at most 1 MiB; members that are not described, and repeated ones, are refused."
    ),
    tags(
        (name = "persons", description = "Store and correct"),
        (name = "reveal", description = "Read and search, for a purpose"),
        (name = "rights", description = "What a person is owed: GDPR Art. 15 to 21"),
        (name = "consents", description = "Ask, show, give, refuse, withdraw"),
        (name = "declarations", description = "Catalogue, purposes and recipients, notices"),
        (name = "keys", description = "Who may act"),
        (name = "shield", description = "What the shield saw, and what it leaves out"),
        (name = "house", description = "Health, figures, public keys, ledger")
    ),
    paths(
        persons::store,
        persons::rectify,
        reveal::reveal,
        find::find,
        rights::export,
        rights::accesses,
        consents::list,
        consents::ask,
        consents::show,
        consents::give,
        consents::refuse,
        consents::withdraw,
        erasure::erase,
        erasure::certificate,
        limits::restrict,
        limits::object,
        limits::hold,
        catalogue::read,
        catalogue::put,
        purposes::read,
        purposes::put,
        notices::read,
        notices::put,
        keys::issue,
        keys::revoke,
        links::issue,
        shield::state,
        shield::list,
        shield::one,
        shield::exclusions,
        shield::exclude,
        shield::lift,
        house::alive,
        house::ready,
        house::figures,
        house::keys,
        house::ledger,
        house::description
    ),
    components(schemas(ProblemDocument)),
    modifiers(&Shared)
)]
struct Description;

/// A problem (RFC 9457). Codes are listed in `docs/errors.md`; nothing of a request's content is repeated.
#[derive(Serialize, ToSchema)]
#[serde(rename = "Problem")]
#[schema(as = Problem, example = json!({"type": "urn:obhut:error:bad_email", "title": "bad email", "status": 422,
    "code": "bad_email", "request": "req_01kb2c3d4e5f6g7h8j9kamnpqr", "field": "email"}))]
struct ProblemDocument {
    /// `urn:obhut:error:` and the code.
    r#type: String,
    /// The code in words.
    title: String,
    /// The status of the answer.
    status: u16,
    /// Stable.
    code: String,
    /// The request, as it stands in the ledger; none before its caller was known.
    request: Option<String>,
    /// Which of several, in the order given, counted from 0.
    index: Option<usize>,
    /// Name of a field of the catalogue.
    field: Option<String>,
    /// Where the body stops being of the form, counted from 1.
    line: Option<usize>,
    /// Where in that line, counted from 1.
    column: Option<usize>,
    /// How many things it is about, where that is what is wrong.
    count: Option<usize>,
}

/// What every operation has.
struct Shared;

/// The scheme, and the answer, to which each operation refers.
const KEY: &str = "key";
const PROBLEM: &str = "Problem";

impl Modify for Shared {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        add_components(api.components.get_or_insert_default());
        for (path, item) in &mut api.paths.paths {
            for operation in operations(item) {
                operation
                    .responses
                    .responses
                    .insert("default".to_owned(), Ref::from_response_name(PROBLEM).into());
                operation.security = security(path);
                for parameter in operation.parameters.iter_mut().flatten() {
                    if let RefOr::T(parameter) = parameter {
                        describe(parameter);
                    }
                }
            }
        }
    }
}

fn add_components(components: &mut Components) {
    let key = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("obk_…")
        .description(Some("An API key: one tenant, one role, from where it may be used, until when."))
        .build();
    components.add_security_scheme(KEY, SecurityScheme::Http(key));
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(PROBLEM))).build();
    let problem = ResponseBuilder::new()
        .description("A problem; nothing was changed and nothing was released.")
        .content("application/problem+json", content)
        .build();
    components.responses.insert(PROBLEM.to_owned(), problem.into());
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [get, put, post, delete, patch].into_iter().flatten()
}

fn security(path: &str) -> Option<Vec<SecurityRequirement>> {
    let key = SecurityRequirement::new(KEY, Vec::<String>::new());
    if path.starts_with("/v1/tenants/") {
        Some(vec![key])
    } else if path.starts_with("/ledger/") {
        Some(vec![SecurityRequirement::default(), key])
    } else {
        None
    }
}

fn describe(parameter: &mut Parameter) {
    let (description, example) = match parameter.name.as_str() {
        "tenant" => ("The tenant of the key. Any other looks like none.", "ten_01kb2c3d4e5f6g7h8j9kamnpqr"),
        "person" => {
            ("Internal id of the person, never the app's reference.", "per_01kb2c3d4e5f6g7h8j9kamnpqr")
        }
        "consent" => ("Id of the consent record.", "con_01kb2c3d4e5f6g7h8j9kamnpqr"),
        "principal" => ("Id of the key.", "pri_01kb2c3d4e5f6g7h8j9kamnpqr"),
        "reference" => ("The number that stands on the page of who was refused.", "7K2M4Q9XWD"),
        "exclusion" => ("Id of the exclusion.", "1f6d2b0c9a7e4d35"),
        "path" => ("A path of C2SP tlog-tiles.", "checkpoint"),
        _ => return,
    };
    let described = ParameterBuilder::from(std::mem::take(parameter)).description(Some(description));
    *parameter = described.example(Some(json!(example))).build();
}

/// The description as JSON text.
#[must_use]
pub fn text() -> String {
    Description::openapi().to_pretty_json().unwrap_or_default()
}
