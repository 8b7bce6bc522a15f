//! All cryptography of Obhut: the key hierarchy, envelopes bound to their place, blind indexes, the root, the
//! shred store, and the sealing of ledger entries. The only crate that names a cipher.
//!
//! The rule of the house is *derive for separation, store for destruction*: what must be destroyable is never
//! derived from a key that lives longer. Handles leave this crate, key bytes never do. Byte layouts stand in
//! `FORMATS.md` beside this crate and are held in place by the vectors under `tests/vectors`.
//!
//! To add a sealed format: 1. a label in `labels.rs` (a test holds that none is a prefix of another), 2. a place
//! type whose every field goes into the associated data, 3. sealing through `OneSealKey` or `WrapKey`, never
//! through the cipher itself, 4. its layout in `FORMATS.md`, 5. a permanent vector, and its row in the
//! swap test.

mod aad;
mod digest;
pub mod document;
pub mod dsse;
mod entropy;
mod error;
pub mod index;
mod kdf;
#[cfg(test)]
mod known_answers;
mod labels;
mod one_seal;
mod padding;
pub mod person;
pub mod record;
pub mod root;
mod salted;
mod secret;
pub mod shred;
pub mod signing;
pub mod tenant;
#[cfg(test)]
mod testing;
pub mod trail;
pub mod view;
mod wrap;

pub use digest::{
    fingerprint, form_token, hash_api_key, hash_session, hash_sign_in_link, is_form_token, sha256,
};
pub use document::{DocumentPlace, MetadataKey, open_personal_document, seal_personal_document};
pub use dsse::{DsseError, Envelope};
pub use entropy::SystemEntropy;
pub use error::SealError;
pub use index::{IndexId, IndexKey};
pub use person::{PersonKeys, PersonPlace};
pub use record::{OpenedRecord, RecordPlace, Value, open_record, seal_record};
pub use root::{Passphrase, Root, RootError, RootId, RootInfo, RootKind};
pub use shred::{Destroyed, EpochInfo, EpochKey, Repair, ShredError, ShredStore};
pub use signing::{PublicKeys, SigningKeys};
pub use tenant::TenantKey;
pub use trail::{Frame, IdentityPart, LogSecret, PeriodKey, SealedEntry};
pub use view::ViewKey;
