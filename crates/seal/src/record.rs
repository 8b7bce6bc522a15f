//! Records. `OpenedRecord::open` and `open_partial` follow with the permits.
use crate::{PersonKeys, SealError};
use model::catalogue::Category;
use model::{Compartment, Entropy, FieldId, PersonId, TenantId};

/// Where a record version stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordPlace {
    /// The tenant.
    pub tenant: TenantId,
    /// The person.
    pub person: PersonId,
    /// The caller's number for the table.
    pub table: u8,
    /// The compartment.
    pub compartment: Compartment,
    /// The record's version, from 1 on.
    pub version: u32,
    /// The version of the tenant key.
    pub key_version: u32,
}

/// One value to be sealed.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    /// Its field.
    pub field: FieldId,
    /// The field's category.
    pub category: Category,
    /// The value.
    pub bytes: &'a [u8],
}

/// Seals the values of one record version.
pub fn seal_record(
    _keys: &PersonKeys,
    _place: &RecordPlace,
    _values: &[Value<'_>],
    _entropy: &dyn Entropy,
) -> Result<Vec<u8>, SealError> {
    Err(SealError::Library)
}

/// Opens the outer envelope of a record; its values stay sealed.
pub fn open_record(
    _keys: &PersonKeys,
    _place: &RecordPlace,
    _sealed: &[u8],
) -> Result<OpenedRecord, SealError> {
    Err(SealError::Open)
}

/// A record whose values are still sealed one by one.
pub struct OpenedRecord(());

impl OpenedRecord {
    /// The fields that have a value, ascending.
    pub fn fields(&self) -> impl Iterator<Item = FieldId> + '_ {
        std::iter::empty()
    }
}
