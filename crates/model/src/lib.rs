//! The nouns and the pure rules of Obhut. No input or output, no async, no ambient time or randomness.
//!
//! Read [`decision`] first: it is the only maker of a [`decision::Permit`], and nothing that holds personal data
//! can be opened without one.
//!
//! To add a noun: 1. a file with its type here, 2. its limits as constants beside it, 3. a property test for
//! each text form, 4. a word in the glossary, 5. its row in the authorization table if it can be acted upon.

pub mod catalogue;
pub mod clock;
pub mod consent;
pub mod decision;
pub mod ids;
mod mask;
pub mod notice;
pub mod principal;
pub mod purpose;
pub mod reference;
pub mod tenant;
mod text;
pub mod token;

pub use clock::{Clock, Entropy, Timestamp};
pub use ids::{
    CertificateId, Compartment, ConsentId, FieldId, IdError, NoticeId, PersonId, PrincipalId, PurposeId,
    RecipientId, RequestId, TenantId,
};
