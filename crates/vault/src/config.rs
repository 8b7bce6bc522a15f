//! A tenant's configuration: one sealed document with the catalogue, the purposes, the recipients and the
//! notices. Tables carry numbers; names stand only in here.

use model::catalogue::Field;
use model::ids::{FieldId, NoticeId, PurposeId, RecipientId};
use model::notice::Notice;
use model::purpose::{Purpose, Recipient};
use serde::{Deserialize, Serialize};

/// The number of the app's own reference of a person among fields and indexes. Catalogue fields begin at 1.
pub const REF_FIELD: FieldId = FieldId(0);

/// The number under which idempotency keys are blinded. No field of a catalogue gets so far: numbers count from 1, and a
/// catalogue holds at most 500 fields and loses none.
pub(crate) const IDEMPOTENCY_INDEX: FieldId = FieldId(u16::MAX);

/// The number under which the users of the app are blinded. As little a field's as the one above.
pub(crate) const VIEWER_INDEX: FieldId = FieldId(u16::MAX - 1);

/// Kinds of sealed documents in the data file; the number is part of the associated data.
pub(crate) mod document {
    /// [`super::TenantConfig`], id zeros.
    pub(crate) const CONFIG: u8 = 1;
    /// One event of a consent record, id of the record, version counts events.
    pub(crate) const CONSENT_EVENT: u8 = 2;
    /// What a deletion certificate says, id of the person.
    pub(crate) const ERASURE: u8 = 3;
    /// The signed certificate itself, id of the person, version 1 `erased`, 2 `complete`.
    pub(crate) const CERTIFICATE: u8 = 4;
    /// Name and zone of an API key, id of the principal.
    pub(crate) const PRINCIPAL: u8 = 5;
    /// What a submission waits for, id of the provisional person.
    pub(crate) const SUBMISSION: u8 = 6;
}

/// Everything that a tenant declares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantConfig {
    /// The name of the organisation.
    pub name: String,
    /// The catalogue.
    pub fields: Vec<Field>,
    /// Recipients besides the tenant itself.
    pub recipients: Vec<Recipient>,
    /// The purposes, withdrawn ones included, since old entries name them.
    pub purposes: Vec<Purpose>,
    /// The notices in all their versions.
    pub notices: Vec<Notice>,
}

impl TenantConfig {
    /// The field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The field of this number.
    #[must_use]
    pub fn field_by_id(&self, id: FieldId) -> Option<&Field> {
        self.fields.iter().find(|field| field.id == id)
    }

    /// The purpose of this name.
    #[must_use]
    pub fn purpose(&self, name: &str) -> Option<&Purpose> {
        self.purposes.iter().find(|purpose| purpose.name == name)
    }

    /// The purpose of this number.
    #[must_use]
    pub fn purpose_by_id(&self, id: PurposeId) -> Option<&Purpose> {
        self.purposes.iter().find(|purpose| purpose.id == id)
    }

    /// The recipient of this name; no name is the tenant itself.
    #[must_use]
    pub fn recipient(&self, name: Option<&str>) -> Option<RecipientId> {
        match name {
            None => Some(RecipientId(0)),
            Some(name) => self.recipients.iter().find(|one| one.name == name).map(|one| one.id),
        }
    }

    /// How a recipient is called towards people.
    #[must_use]
    pub fn recipient_title(&self, id: RecipientId) -> &str {
        let found = self.recipients.iter().find(|one| one.id == id);
        found.map_or(self.name.as_str(), |one| one.title.as_str())
    }

    /// The notice of this id.
    #[must_use]
    pub fn notice(&self, id: NoticeId) -> Option<&Notice> {
        self.notices.iter().find(|notice| notice.id == id)
    }
}
