//! Records: all values of one person in one compartment, in one padded envelope, each sealed again inside.
//!
//! Layout: version 1 (1 byte) ‖ salt (32) ‖ commitment (32) ‖ padded ciphertext ‖ tag (16).
//! Inside: number of values (2) ‖ for each, ascending by field: field (2) ‖ length of the sealed value (4) ‖ then the
//! sealed values in that order, each commitment (32) ‖ padded ciphertext ‖ tag (16).
//!
//! The envelope hides which fields have a value; who opens it learns that and no more. A value opens only with a
//! permit that covers it, so that no path through the house can read without a decision (DESIGN §3, invariant 2).

use crate::aad::Aad;
use crate::kdf::Prk;
use crate::labels::{Label, RECORD_ENVELOPE, RECORD_VALUE};
use crate::one_seal::{COMMITMENT, OneSealKey, TAG, sealed_len};
use crate::secret::{Buffer, opaque_debug};
use crate::{PersonKeys, SealError, padding, salted};
use model::catalogue::Category;
use model::decision::{PartialPermit, Permit};
use model::{Compartment, Entropy, FieldId, PersonId, TenantId};
use zeroize::Zeroizing;

const VERSION: u8 = 1;
const SALT: usize = salted::SALT;
/// Bytes of one value in the directory.
const ENTRY: usize = 2 + 4;

/// Where a record version stands. All of it is bound into the envelope and into each value.
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
    /// The field's category, which is bound to the ciphertext: a value does not change its category unnoticed.
    pub category: Category,
    /// The value.
    pub bytes: &'a [u8],
}

/// Seals the values of one record version. Their order does not matter.
///
/// # Errors
/// [`SealError::NoCompartment`]; [`SealError::RepeatedField`]; [`SealError::TooLarge`] over 16 MiB in all;
/// [`SealError::WrongPlace`] for version 0.
pub fn seal_record(
    keys: &PersonKeys,
    place: &RecordPlace,
    values: &[Value<'_>],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, SealError> {
    if place.version == 0 {
        return Err(SealError::WrongPlace);
    }
    let key = keys.key(place.compartment).ok_or(SealError::NoCompartment)?;
    let mut values: Vec<_> = values.iter().collect();
    values.sort_unstable_by_key(|value| value.field);
    if values.array_windows().any(|[one, next]| one.field == next.field) {
        // Twice the same field would be twice the same key and nonce.
        return Err(SealError::RepeatedField);
    }
    let inner = 2 + values.iter().map(|value| ENTRY + sealed_len(value.bytes.len())).sum::<usize>();
    if inner > padding::MAX_PLAINTEXT {
        return Err(SealError::TooLarge);
    }
    let salt: [u8; SALT] = model::clock::random(entropy);
    let prk = Prk::extract(&salt, &[key.as_ref()]);
    let start = 1 + SALT + COMMITMENT;
    let mut out = Vec::with_capacity(1 + SALT + sealed_len(inner));
    out.push(VERSION);
    out.extend_from_slice(&salt);
    out.resize(start, 0);
    directory(&values, &mut out)?;
    for value in &values {
        let aad = value_aad(place, value.field, value.category);
        OneSealKey::derive(&prk, RECORD_VALUE, aad)?.seal(value.bytes, &mut out)?;
    }
    OneSealKey::derive(&prk, RECORD_ENVELOPE, aad(RECORD_ENVELOPE, place))?.seal_tail(&mut out, start)?;
    Ok(out)
}

fn directory(values: &[&Value<'_>], out: &mut Vec<u8>) -> Result<(), SealError> {
    let count = u16::try_from(values.len()).map_err(|_| SealError::TooLarge)?;
    out.extend_from_slice(&count.to_be_bytes());
    for value in values {
        let length = u32::try_from(sealed_len(value.bytes.len())).map_err(|_| SealError::TooLarge)?;
        out.extend_from_slice(&value.field.0.to_be_bytes());
        out.extend_from_slice(&length.to_be_bytes());
    }
    Ok(())
}

/// Opens the envelope of a record; its values stay sealed.
///
/// # Errors
/// [`SealError::Open`] if `place.version` is not the version that the person's bundle names as current, if the
/// record was sealed at another place or under another key, or altered.
pub fn open_record(keys: &PersonKeys, place: &RecordPlace, sealed: &[u8]) -> Result<OpenedRecord, SealError> {
    if keys.record_version(place.compartment) != Some(place.version) {
        return Err(SealError::Open);
    }
    let key = keys.key(place.compartment).ok_or(SealError::Open)?;
    let rest = salted::strip_version(sealed, VERSION)?;
    let (salt, rest) = rest.split_first_chunk::<SALT>().ok_or(SealError::Open)?;
    let prk = Prk::extract(salt, &[key.as_ref()]);
    let inner = OneSealKey::derive(&prk, RECORD_ENVELOPE, aad(RECORD_ENVELOPE, place))?.open(rest)?;
    let count = check_directory(&inner).ok_or(SealError::Open)?;
    Ok(OpenedRecord { place: *place, prk, inner, count })
}

/// The number of values, if the directory is in order and fits what follows it.
fn check_directory(inner: &[u8]) -> Option<usize> {
    let count = usize::from(u16::from_be_bytes(*inner.first_chunk()?));
    let (mut end, mut last) = (2 + ENTRY * count, None);
    for (field, length) in entries(inner.get(2..end)?) {
        if last.is_some_and(|last| last >= field) || length < COMMITMENT + TAG {
            return None;
        }
        last = Some(field);
        end = end.checked_add(length)?;
    }
    (end == inner.len()).then_some(count)
}

/// Field and sealed length of each value.
fn entries(directory: &[u8]) -> impl Iterator<Item = (FieldId, usize)> + '_ {
    directory.as_chunks::<ENTRY>().0.iter().map(|[f0, f1, l0, l1, l2, l3]| {
        let length = u32::from_be_bytes([*l0, *l1, *l2, *l3]) as usize;
        (FieldId(u16::from_be_bytes([*f0, *f1])), length)
    })
}

/// A record whose values are still sealed one by one.
pub struct OpenedRecord {
    place: RecordPlace,
    prk: Prk,
    inner: Buffer,
    count: usize,
}

opaque_debug!(OpenedRecord);

impl OpenedRecord {
    /// The fields that have a value, ascending.
    pub fn fields(&self) -> impl Iterator<Item = FieldId> + '_ {
        entries(self.directory()).map(|(field, _)| field)
    }

    fn directory(&self) -> &[u8] {
        self.inner.get(2..2 + ENTRY * self.count).unwrap_or_default()
    }

    /// The sealed value of a field.
    fn sealed(&self, wanted: FieldId) -> Option<&[u8]> {
        let mut start = 2 + ENTRY * self.count;
        for (field, length) in entries(self.directory()) {
            if field == wanted {
                return self.inner.get(start..start + length);
            }
            start += length;
        }
        None
    }

    /// The value of a field, under a permit for it; `None` when the person has no value there.
    ///
    /// # Errors
    /// [`SealError::NotPermitted`] if the permit is for another tenant, person or field, whether or not there is a
    /// value; [`SealError::Open`] if the value was sealed under another category.
    pub fn open(
        &self,
        permit: &Permit,
        field: FieldId,
        category: Category,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, SealError> {
        if !permit.covers(self.place.tenant, self.place.person, field) {
            return Err(SealError::NotPermitted);
        }
        Ok(self.open_value(field, category)?.map(Buffer::into_zeroizing))
    }

    /// The transform of the value of a field that the permit allows, such as `J. M.`. The value itself does not leave.
    ///
    /// # Errors
    /// As [`OpenedRecord::open`]; [`SealError::NotText`] if the value is no text and so has no transform.
    pub fn open_partial(
        &self,
        permit: &PartialPermit,
        field: FieldId,
        category: Category,
    ) -> Result<Option<Zeroizing<String>>, SealError> {
        if !permit.covers(self.place.tenant, self.place.person, field) {
            return Err(SealError::NotPermitted);
        }
        let Some(clear) = self.open_value(field, category)? else { return Ok(None) };
        let clear = std::str::from_utf8(&clear).map_err(|_| SealError::NotText)?;
        Ok(Some(permit.apply(clear)))
    }

    fn open_value(&self, field: FieldId, category: Category) -> Result<Option<Buffer>, SealError> {
        let Some(sealed) = self.sealed(field) else { return Ok(None) };
        let aad = value_aad(&self.place, field, category);
        OneSealKey::derive(&self.prk, RECORD_VALUE, aad)?.open(sealed).map(Some)
    }
}

fn aad(label: Label, place: &RecordPlace) -> Aad {
    Aad::new(label)
        .bytes(&place.tenant.0)
        .bytes(&place.person.0)
        .u8(place.table)
        .u8(place.compartment.0)
        .u32(place.version)
        .u32(place.key_version)
}

fn value_aad(place: &RecordPlace, field: FieldId, category: Category) -> Aad {
    aad(RECORD_VALUE, place).u16(field.0).u8(category as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Seeded;

    const PLACE: RecordPlace = RecordPlace {
        tenant: TenantId([1; 16]),
        person: PersonId([2; 16]),
        table: 1,
        compartment: Compartment(0),
        version: 1,
        key_version: 1,
    };

    fn keys() -> PersonKeys {
        let mut keys = PersonKeys::generate(&[Compartment(0)], &Seeded::new(1)).unwrap();
        keys.set_record_version(Compartment(0), 1).unwrap();
        keys
    }

    /// Two values of one length and category, in fields 1 and 2.
    fn record(salt: u64) -> OpenedRecord {
        let value = |field, bytes| Value { field: FieldId(field), category: Category::Contact, bytes };
        let values = [value(1, b"first"), value(2, b"other")];
        let sealed = seal_record(&keys(), &PLACE, &values, &Seeded::new(salt)).unwrap();
        open_record(&keys(), &PLACE, &sealed).unwrap()
    }

    fn opens(record: &OpenedRecord, field: u16) -> bool {
        record.open_value(FieldId(field), Category::Contact).is_ok_and(|value| value.is_some())
    }

    /// Somebody who holds the compartment's key could build such an envelope.
    #[test]
    fn values_swapped_inside_an_envelope_do_not_open() {
        let mut one = record(1);
        assert!(opens(&one, 1) && opens(&one, 2), "the control");
        let start = 2 + 2 * ENTRY;
        let half = (one.inner.len() - start) / 2;
        let (first, second) = one.inner[start..].split_at_mut(half);
        first.swap_with_slice(second);
        assert!(!opens(&one, 1) && !opens(&one, 2));
    }

    #[test]
    fn values_of_another_version_do_not_open_inside_an_envelope() {
        let (mut one, other) = (record(1), record(2));
        one.inner.copy_from_slice(&other.inner);
        assert!(!opens(&one, 1) && !opens(&one, 2));
    }

    #[test]
    fn a_directory_out_of_order_is_refused() {
        let good = [&[0, 2, 0, 1, 0, 0, 0, 48, 0, 2, 0, 0, 0, 48][..], &[0; 96]].concat();
        assert_eq!(check_directory(&good), Some(2));
        assert_eq!(check_directory(&[0, 0]), Some(0));
        let mut repeated = good.clone();
        repeated[9] = 1;
        let mut short = good.clone();
        short[7] = 47;
        let mut long = good.clone();
        long[4..8].fill(0xff);
        for bad in
            [&repeated, &short, &long, &good[..109].to_vec(), &good[..10].to_vec(), &vec![0], &vec![0, 0, 0]]
        {
            assert_eq!(check_directory(bad), None);
        }
    }
}
