//! The bundle of one person's keys: one for each compartment, with the current record version, and the log secret.
//!
//! Layout: wrapped log secret (77 bytes) ‖ wrapped bundle, both under the key of a shred epoch (`wrap.rs`), apart
//! from each other so that an access is logged before any key of a value is unwrapped. The bundle before wrapping:
//! number of compartments (1) ‖ for each, ascending: compartment (1) ‖ record version (4, big-endian, 0 for none
//! yet) ‖ key (32), padded. The record version stands here, in the row that erasure removes and each
//! change replaces, so that an old record put back beside the current row does not open.

use crate::aad::Aad;
use crate::labels::{Label, PERSON_BUNDLE, PERSON_LOG};
use crate::padding;
use crate::secret::{Buffer, Secret, opaque_debug};
use crate::{EpochKey, LogSecret, SealError};
use model::{Compartment, Entropy, PersonId, TenantId};

/// Most compartments of a person (DESIGN §4).
pub const MAX_COMPARTMENTS: usize = 16;

/// Bytes of one compartment in a bundle.
const SLOT: usize = 1 + 4 + 32;

/// Bytes of the wrapped log secret: header 29, secret 32, tag 16 (`wrap.rs`).
const LOG_WRAP: usize = 29 + 32 + 16;

/// Where a person's bundle stands. All of it is bound into the wrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PersonPlace {
    /// The tenant.
    pub tenant: TenantId,
    /// The person.
    pub person: PersonId,
    /// The shred epoch whose key wraps the bundle.
    pub epoch: u32,
    /// The version of the person's row.
    pub row_version: u32,
}

/// The keys of one person, as a handle.
pub struct PersonKeys {
    log: LogSecret,
    /// Ascending by compartment.
    slots: Vec<Slot>,
}

struct Slot {
    compartment: Compartment,
    /// 0 stands for none.
    version: u32,
    key: Secret,
}

opaque_debug!(PersonKeys);

impl PersonKeys {
    /// Fresh keys for these compartments.
    ///
    /// # Errors
    /// [`SealError::Compartments`] if one repeats or is over 15.
    pub fn generate(compartments: &[Compartment], entropy: &dyn Entropy) -> Result<Self, SealError> {
        let slots = Vec::with_capacity(compartments.len().min(MAX_COMPARTMENTS));
        let mut keys = Self { log: LogSecret::new(Secret::random(entropy)), slots };
        for &compartment in compartments {
            if keys.key(compartment).is_some() {
                return Err(SealError::Compartments);
            }
            keys.add_compartment(compartment, entropy)?;
        }
        Ok(keys)
    }

    /// Seals the bundle under the key of the epoch that `place` names.
    ///
    /// # Errors
    /// [`SealError::WrongPlace`] if the key is of another tenant or epoch; [`SealError::Exhausted`].
    pub fn wrap(
        &self,
        epoch: &EpochKey,
        place: &PersonPlace,
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, SealError> {
        if !epoch.is_at(place.tenant, place.epoch) {
            return Err(SealError::WrongPlace);
        }
        let mut wrapped = epoch.key().wrap(&aad(PERSON_LOG, place), self.log.secret().as_ref(), entropy)?;
        let plain = 1 + SLOT * self.slots.len();
        let mut bundle = Buffer::with_capacity(padding::padded_len(plain));
        // At most 16 by construction.
        bundle.extend(&[u8::try_from(self.slots.len()).map_err(|_| SealError::Compartments)?]);
        for slot in &self.slots {
            bundle.extend(&[slot.compartment.0]);
            bundle.extend(&slot.version.to_be_bytes());
            bundle.extend(slot.key.as_ref());
        }
        bundle.pad()?;
        wrapped.extend(epoch.key().wrap(&aad(PERSON_BUNDLE, place), &bundle, entropy)?);
        Ok(wrapped)
    }

    /// Opens a bundle.
    ///
    /// # Errors
    /// [`SealError::Open`] if it was sealed at another place or under another key, or altered.
    pub fn unwrap(epoch: &EpochKey, place: &PersonPlace, sealed: &[u8]) -> Result<Self, SealError> {
        if !epoch.is_at(place.tenant, place.epoch) {
            return Err(SealError::Open);
        }
        let log = Self::unwrap_log_secret(epoch, place, sealed)?;
        let bundle = sealed.get(LOG_WRAP..).ok_or(SealError::Open)?;
        let bundle = epoch.key().unwrap(&aad(PERSON_BUNDLE, place), bundle)?;
        parse(log, &bundle[..padding::unpad(&bundle)?])
    }

    /// Opens the log secret alone, so that an access can be logged before, or without, unwrapping any key of the
    /// person's values.
    ///
    /// # Errors
    /// [`SealError::Open`] for every failure.
    pub fn unwrap_log_secret(
        epoch: &EpochKey,
        place: &PersonPlace,
        sealed: &[u8],
    ) -> Result<LogSecret, SealError> {
        if !epoch.is_at(place.tenant, place.epoch) {
            return Err(SealError::Open);
        }
        let wrapped = sealed.get(..LOG_WRAP).ok_or(SealError::Open)?;
        let secret = epoch.key().unwrap(&aad(PERSON_LOG, place), wrapped)?;
        let secret: &[u8; 32] = secret[..].try_into().map_err(|_| SealError::Open)?;
        Ok(LogSecret::new(Secret::copy_of(secret)?))
    }

    /// The version of the current record of a compartment; `None` when there is no key or no record yet.
    #[must_use]
    pub fn record_version(&self, compartment: Compartment) -> Option<u32> {
        self.slot(compartment).map(|slot| slot.version).filter(|&version| version != 0)
    }

    /// Names the record version that opens from now on; the wrap made afterwards keeps it.
    ///
    /// # Errors
    /// [`SealError::NoCompartment`]; [`SealError::WrongPlace`] for version 0, which means none.
    pub fn set_record_version(&mut self, compartment: Compartment, version: u32) -> Result<(), SealError> {
        if version == 0 {
            return Err(SealError::WrongPlace);
        }
        let at = self.position(compartment).map_err(|_| SealError::NoCompartment)?;
        self.slots[at].version = version;
        Ok(())
    }

    /// Adds a compartment with a fresh key. One that is there keeps its key.
    ///
    /// # Errors
    /// [`SealError::Compartments`] over 15.
    pub fn add_compartment(
        &mut self,
        compartment: Compartment,
        entropy: &dyn Entropy,
    ) -> Result<(), SealError> {
        if usize::from(compartment.0) >= MAX_COMPARTMENTS {
            return Err(SealError::Compartments);
        }
        if let Err(at) = self.position(compartment) {
            self.slots.insert(at, Slot { compartment, version: 0, key: Secret::random(entropy) });
        }
        Ok(())
    }

    /// Destroys the key of a compartment in this handle; the wrap made afterwards is without it. Says whether it
    /// was there.
    pub fn destroy_compartment(&mut self, compartment: Compartment) -> bool {
        self.position(compartment).map(|at| self.slots.remove(at)).is_ok()
    }

    /// The compartments that have a key, ascending.
    pub fn compartments(&self) -> impl Iterator<Item = Compartment> + '_ {
        self.slots.iter().map(|slot| slot.compartment)
    }

    /// The secret under which the trail keeps this person.
    #[must_use]
    pub fn log_secret(&self) -> &LogSecret {
        &self.log
    }

    /// The key of a compartment.
    pub(crate) fn key(&self, compartment: Compartment) -> Option<&Secret> {
        self.slot(compartment).map(|slot| &slot.key)
    }

    fn slot(&self, compartment: Compartment) -> Option<&Slot> {
        self.position(compartment).ok().and_then(|at| self.slots.get(at))
    }

    fn position(&self, compartment: Compartment) -> Result<usize, usize> {
        self.slots.binary_search_by_key(&compartment, |slot| slot.compartment)
    }
}

/// Reads an opened bundle. It was authenticated, so a fault here is one of ours; it still only fails to open.
fn parse(log: LogSecret, bundle: &[u8]) -> Result<PersonKeys, SealError> {
    let (&count, slots) = bundle.split_first().ok_or(SealError::Open)?;
    let (slots, rest) = slots.as_chunks::<SLOT>();
    if slots.len() != usize::from(count) || slots.len() > MAX_COMPARTMENTS || !rest.is_empty() {
        return Err(SealError::Open);
    }
    let mut keys = PersonKeys { log, slots: Vec::with_capacity(slots.len()) };
    for slot in slots {
        let [compartment, v0, v1, v2, v3, key @ ..] = slot;
        let compartment = Compartment(*compartment);
        let ascending = keys.slots.last().is_none_or(|last| last.compartment < compartment);
        if !ascending || usize::from(compartment.0) >= MAX_COMPARTMENTS {
            return Err(SealError::Open);
        }
        let version = u32::from_be_bytes([*v0, *v1, *v2, *v3]);
        keys.slots.push(Slot { compartment, version, key: Secret::copy_of(key)? });
    }
    Ok(keys)
}

fn aad(label: Label, place: &PersonPlace) -> Aad {
    Aad::new(label).bytes(&place.tenant.0).bytes(&place.person.0).u32(place.epoch).u32(place.row_version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Seeded;
    use proptest::prelude::*;

    fn log() -> LogSecret {
        LogSecret::new(Secret::random(&Seeded::new(1)))
    }

    fn slot(compartment: u8) -> Vec<u8> {
        [&[compartment, 0, 0, 0, 1][..], &[9; 32]].concat()
    }

    #[test]
    fn a_bundle_is_read_only_in_canonical_form() {
        let bundle = |count: u8, slots: &[u8]| {
            let slots: Vec<_> = slots.iter().flat_map(|&compartment| slot(compartment)).collect();
            parse(log(), &[&[count][..], &slots].concat()).map(|keys| keys.slots.len())
        };
        assert_eq!(bundle(2, &[0, 15]), Ok(2));
        assert_eq!(bundle(0, &[]), Ok(0));
        for (count, slots) in
            [(2, &[1, 0][..]), (2, &[1, 1]), (1, &[16]), (1, &[0, 1]), (2, &[0]), (17, &[0; 17])]
        {
            assert_eq!(bundle(count, slots), Err(SealError::Open), "{count} {slots:?}");
        }
        assert!(parse(log(), &[]).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..700)) {
            let _ = parse(log(), &bytes);
        }
    }
}
