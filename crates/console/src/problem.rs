//! Errors on their way out: problem+json (RFC 9457) with a stable code. One exhaustive map per use case; nothing of a
//! request's content is ever repeated. The vault's enums can grow, so each map ends in `internal`; `tests/codes.rs`
//! reads their source and finds a variant that is missing here.

use crate::attacks_view::ExclusionError;
use crate::recorder::Code;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use model::decision::Reason;
use model::principal::Role;
use model::purpose::PurposeError;
use model::{RequestId, catalogue::CatalogueError, catalogue::ValueError, notice::NoticeError};
use serde_json::json;
use vault::Fault;
use vault::accesses::AccessesError;
use vault::certificate::CertificateError;
use vault::consent::ConsentError;
use vault::declare::DeclareError;
use vault::erase::EraseError;
use vault::export::ExportError;
use vault::find::FindError;
use vault::keys::{AuthError, KeyError};
use vault::put::PutError;
use vault::restrict::RestrictError;
use vault::reveal::RevealError;
use vault::shield::ShieldError;
use vault::sight::SightError;

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// The stable code, listed in `docs/errors.md`.
    pub code: &'static str,
    /// The request, where it had got so far.
    pub request: Option<RequestId>,
    /// Which of several, in the order given, counted from 0.
    pub index: Option<usize>,
    /// Name of the field of the catalogue that it is about.
    pub field: Option<String>,
    /// Where the body stops being of the form: line and column, counted from 1.
    pub character: Option<(usize, usize)>,
    /// How many things it is about, where that is what is wrong.
    pub count: Option<usize>,
}

const fn problem(status: u16, code: &'static str) -> Problem {
    Problem { status, code, request: None, index: None, field: None, character: None, count: None }
}

/// The house is closed.
pub const SEALED: Problem = problem(503, "sealed");
/// No such path, tenant or thing, or not for this caller.
pub const NOT_FOUND: Problem = problem(404, "not_found");
/// The path is there, the method is not.
pub const METHOD: Problem = problem(405, "method_not_allowed");
/// No key, or none that is valid here.
pub const UNAUTHENTICATED: Problem = problem(401, "unauthenticated");
/// Not JSON of the form that this path takes.
pub const MALFORMED: Problem = problem(400, "malformed_json");
/// Not `application/json`.
pub const MEDIA_TYPE: Problem = problem(415, "unsupported_media_type");
/// The body is over 1 MiB.
pub const TOO_LARGE: Problem = problem(413, "body_too_large");
/// The body did not come in time.
pub const TIMEOUT: Problem = problem(408, "body_timeout");
/// A header or a query that is not of the form.
pub const BAD_REQUEST: Problem = problem(400, "bad_request");
/// A key with an unusable name.
pub(crate) const KEY_NAME: Problem = problem(422, "bad_name");
/// A key of a role that no key can have.
pub(crate) const KEY_ROLE: Problem = problem(422, "bad_role");
/// A zone that is not made of networks.
pub(crate) const KEY_ZONE: Problem = problem(422, "bad_zone");
/// Not a SHA-256 in hex.
pub(crate) const DIGEST: Problem = problem(422, "bad_digest");
/// A form that did not come from one of our pages in the same session.
pub(crate) const FORM_REFUSED: Problem = problem(403, "form_refused");
/// A link that does not sign in: used up, expired, revoked, from outside its zone, or never issued.
pub(crate) const SIGN_IN_REFUSED: Problem = problem(403, "sign_in_refused");
/// Too many attempts to sign in.
pub(crate) const TOO_MANY_ATTEMPTS: Problem = problem(429, "too_many_attempts");
/// A key and a session in one request: nobody knows which counts.
pub(crate) const TWO_CREDENTIALS: Problem = problem(400, "two_credentials");
/// No checkpoint covers the entry yet.
pub(crate) const NOT_PROVABLE: Problem = problem(503, "not_provable_yet");
/// There is no gateway with a shield, or not in front of this tenant's app.
pub(crate) const NO_SHIELD: Problem = problem(404, "no_shield");
/// No event with this reference is kept.
pub(crate) const UNKNOWN_ATTACK: Problem = problem(404, "unknown_attack");
/// Something that should not happen did.
pub const INTERNAL: Problem = problem(500, "internal");

impl Problem {
    /// With the request it belongs to.
    #[must_use]
    pub fn in_request(self, request: RequestId) -> Self {
        Self { request: Some(request), ..self }
    }

    pub(crate) fn at(self, index: usize) -> Self {
        Self { index: Some(index), ..self }
    }

    /// About this field of the catalogue; it never names what the catalogue does not know.
    pub(crate) fn of_field(self, name: Option<String>) -> Self {
        Self { index: None, field: name, ..self }
    }

    pub(crate) fn at_character(self, line: usize, column: usize) -> Self {
        Self { character: Some((line, column)), ..self }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut body = json!({
            "type": format!("urn:obhut:error:{}", self.code),
            "title": self.code.replace('_', " "),
            "status": self.status,
            "code": self.code,
        });
        if let Some(request) = self.request {
            body["request"] = json!(request);
        }
        if let Some(index) = self.index {
            body["index"] = json!(index);
        }
        if let Some(field) = self.field {
            body["field"] = json!(field);
        }
        if let Some((line, column)) = self.character {
            body["line"] = json!(line);
            body["column"] = json!(column);
        }
        if let Some(count) = self.count {
            body["count"] = json!(count);
        }
        let mut response = (status, body.to_string()).into_response();
        response.extensions_mut().insert(Code(self.code));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == 401 {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.status == 503 {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}

/// How an error of a use case looks to a caller of this role.
pub(crate) trait Explain {
    fn explain(self, role: Role) -> Problem;
}

fn refused(reason: Reason, role: Role) -> Problem {
    match reason {
        Reason::WrongTenant => NOT_FOUND,
        other => problem(403, other.outward(role)),
    }
}

impl Explain for Fault {
    fn explain(self, _: Role) -> Problem {
        fault(self)
    }
}

fn fault(fault: Fault) -> Problem {
    match fault {
        Fault::LedgerUnavailable => problem(503, "ledger_unavailable"),
        Fault::LedgerDamaged => problem(503, "ledger_damaged"),
        Fault::StoreUnavailable => problem(503, "store_unavailable"),
        Fault::StorageFull => problem(507, "storage_full"),
        Fault::ClockBehind => problem(503, "clock_behind"),
        Fault::Revoked => UNAUTHENTICATED,
        Fault::Busy => problem(409, "busy"),
        Fault::ShredStore => problem(503, "shred_store_unavailable"),
        Fault::Corrupt => problem(500, "corrupt"),
        _ => INTERNAL,
    }
}

const UNKNOWN_PERSON: Problem = problem(404, "unknown_person");
const CHANGED: Problem = problem(409, "changed_meanwhile");

macro_rules! explain {
    ($error:ident, $role:ident, $($pattern:pat => $answer:expr),+ $(,)?) => {
        impl Explain for $error {
            fn explain(self, $role: Role) -> Problem {
                match self {
                    $error::Fault(inner) => fault(inner),
                    $($pattern => $answer,)+
                    _ => INTERNAL,
                }
            }
        }
    };
}

explain!(RevealError, role,
    RevealError::Denied(reason) => refused(reason, role),
    RevealError::Size => problem(422, "too_many_items"),
    RevealError::Changed => CHANGED,
);
explain!(FindError, role,
    FindError::Denied(reason) => refused(reason, role),
    FindError::Changed => CHANGED,
);
explain!(ExportError, role,
    ExportError::Denied(reason) => refused(reason, role),
    ExportError::UnknownPerson => UNKNOWN_PERSON,
    ExportError::Changed => CHANGED,
);
explain!(AccessesError, role,
    AccessesError::Denied(reason) => refused(reason, role),
    AccessesError::UnknownPerson => UNKNOWN_PERSON,
    AccessesError::Changed => CHANGED,
);
explain!(EraseError, role,
    EraseError::Denied(reason) => refused(reason, role),
    EraseError::Held => problem(409, "legal_hold"),
    EraseError::UnknownPerson => UNKNOWN_PERSON,
);
explain!(CertificateError, role,
    CertificateError::Denied(reason) => refused(reason, role),
    CertificateError::Unknown => problem(404, "unknown_erasure"),
    CertificateError::NotYet => NOT_PROVABLE,
);
explain!(RestrictError, role,
    RestrictError::Denied(reason) => refused(reason, role),
    RestrictError::UnknownPerson => UNKNOWN_PERSON,
    RestrictError::UnknownField => problem(422, "unknown_field"),
    RestrictError::UnknownPurpose => problem(422, "unknown_purpose"),
);
explain!(ConsentError, role,
    ConsentError::Denied(reason) => refused(reason, role),
    ConsentError::Unknown => problem(404, "unknown_consent"),
    ConsentError::UnknownPerson => UNKNOWN_PERSON,
    ConsentError::Purpose => problem(422, "unknown_purpose"),
    ConsentError::Recipient => problem(422, "unknown_recipient"),
    ConsentError::Notice => problem(422, "unknown_notice"),
    ConsentError::Term => problem(422, "bad_term"),
    ConsentError::NotShown => problem(409, "notice_not_shown"),
    ConsentError::State => problem(409, "consent_state"),
    ConsentError::Changed => CHANGED,
    ConsentError::TooMany => problem(409, "too_many_events"),
);
explain!(SightError, role, SightError::Denied(reason) => refused(reason, role));
explain!(ShieldError, role, ShieldError::Denied(reason) => refused(reason, role));
explain!(KeyError, role,
    KeyError::Denied(reason) => refused(reason, role),
    KeyError::Subject => problem(422, "bad_subject"),
    KeyError::UnknownPerson => UNKNOWN_PERSON,
    KeyError::Expired => problem(422, "bad_expiry"),
    KeyError::Unknown => problem(404, "unknown_key"),
);
explain!(AuthError, _role, AuthError::Refused => UNAUTHENTICATED);
explain!(PutError, role,
    PutError::Denied(reason) => refused(reason, role),
    PutError::Reference => problem(422, "bad_reference"),
    PutError::UnknownField(index) => problem(422, "unknown_field").at(index),
    PutError::Value(index, error) => value(error).at(index),
    PutError::Size => problem(422, "too_many_fields"),
    PutError::IdempotencyMismatch => problem(409, "idempotency_mismatch"),
    PutError::UnknownPerson => UNKNOWN_PERSON,
);
explain!(DeclareError, role,
    DeclareError::Denied(reason) => refused(reason, role),
    DeclareError::Catalogue(error) => catalogue(error),
    DeclareError::FieldFixed(index) => problem(409, "field_fixed").at(index),
    DeclareError::Purpose(error) => purpose(error),
    DeclareError::Notice(error) => notice(error),
    DeclareError::TooLarge => problem(422, "configuration_too_large"),
);

impl Explain for ExclusionError {
    fn explain(self, _: Role) -> Problem {
        match self {
            ExclusionError::UnknownRoute => problem(422, "unknown_route"),
            ExclusionError::Rules => problem(422, "unknown_rules"),
            ExclusionError::Target => problem(422, "bad_target"),
            ExclusionError::Because => problem(422, "bad_reason"),
            ExclusionError::Standing => problem(409, "already_excluded"),
            ExclusionError::TooMany => problem(409, "too_many_exclusions"),
            ExclusionError::Unknown => problem(404, "unknown_exclusion"),
            ExclusionError::Deciding => problem(422, "deciding_rule"),
            ExclusionError::TooWide(count) => {
                Problem { count: Some(count), ..problem(422, "exclusion_too_wide") }
            }
            ExclusionError::NotWritten => problem(503, "exclusions_not_written"),
            ExclusionError::NotLoaded => problem(409, "rules_not_loaded"),
        }
    }
}

fn value(error: ValueError) -> Problem {
    match error {
        ValueError::Length => problem(422, "bad_length"),
        ValueError::Control => problem(422, "bad_control_character"),
        ValueError::Email => problem(422, "bad_email"),
        ValueError::Phone => problem(422, "bad_phone"),
        ValueError::Date => problem(422, "bad_date"),
        ValueError::Digits => problem(422, "bad_digits"),
        _ => problem(422, "bad_value"),
    }
}

fn catalogue(error: CatalogueError) -> Problem {
    match error {
        CatalogueError::TooMany => problem(422, "too_many_fields"),
        CatalogueError::Name(index) => problem(422, "bad_name").at(index),
        CatalogueError::Repeated(index) => problem(422, "repeated_name").at(index),
        CatalogueError::Compartment(index) => problem(422, "bad_compartment").at(index),
        CatalogueError::Index(index) => problem(422, "not_indexable").at(index),
        CatalogueError::Mask(index) => problem(422, "bad_mask").at(index),
        CatalogueError::Token(index) => problem(422, "bad_token_format").at(index),
        CatalogueError::Limit(index) => problem(422, "bad_limit").at(index),
        _ => problem(422, "bad_catalogue"),
    }
}

fn purpose(error: PurposeError) -> Problem {
    match error {
        PurposeError::TooMany => problem(422, "too_many_purposes"),
        PurposeError::Recipient(index) => problem(422, "bad_recipient").at(index),
        PurposeError::Name(index) => problem(422, "bad_name").at(index),
        PurposeError::UnknownField(index) => problem(422, "unknown_field").at(index),
        PurposeError::UnknownRecipient(index) => problem(422, "unknown_recipient").at(index),
        PurposeError::SpecialBasis(index) => problem(422, "special_basis_missing").at(index),
        PurposeError::Role(index) => problem(422, "bad_role").at(index),
        PurposeError::Repeated(index) => problem(422, "named_twice").at(index),
        _ => problem(422, "bad_purpose"),
    }
}

fn notice(error: NoticeError) -> Problem {
    match error {
        NoticeError::Name => problem(422, "bad_name"),
        NoticeError::Versions => problem(422, "bad_versions"),
        NoticeError::Languages => problem(422, "bad_languages"),
        NoticeError::Text => problem(422, "bad_text"),
        NoticeError::Changed => problem(409, "notice_fixed"),
        _ => problem(422, "bad_notice"),
    }
}
