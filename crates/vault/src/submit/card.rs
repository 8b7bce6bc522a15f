//! What is kept beside a provisional person, and how she goes.

use super::SubmitError;
use crate::config::document;
use crate::fault::{Applied, Fault, applied};
use crate::house::House;
use crate::keys::done;
use crate::steps::Step;
use crate::tenant::Tenant;
use model::{Compartment, FieldId, PersonId, PrincipalId, TenantId, Timestamp};
use seal::{DocumentPlace, PersonKeys};
use serde::{Deserialize, Serialize};
use store::{Conflict, DataOp, KeyOp, PersonState};

/// How many are looked at in one page.
const PAGE: usize = 500;

/// How a card is written. A card of another format is refused.
const FORMAT: u8 = 1;

/// The versions of a person's records that were current, for the compartments that a change touches; 0 for none yet.
pub(crate) type Seen = Vec<(Compartment, u32)>;

/// What a submission waits for, as it is kept beside its provisional person. Names nobody: references lie with the
/// values, under the provisional person's own keys.
///
/// Format 1, sealed as a document of the tenant: a byte 1, then postcard of the members in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Card {
    /// The person whose data they are, where she was known.
    pub(super) target: Option<PersonId>,
    /// Whether the app gives the reference.
    pub(super) new: bool,
    /// Where she was not known, the blind index of her reference: by it her erasure finds what was typed before she
    /// was here.
    pub(super) reference: Option<[u8; 16]>,
    /// Who typed it, where that was known: he must still be let in when it is committed later.
    pub(super) by: Option<PrincipalId>,
    /// Fields whose values go.
    pub(super) removed: Vec<FieldId>,
    pub(super) created: Timestamp,
    /// The target's record versions then, where this touches them: others are newer than what was typed.
    pub(super) seen: Seen,
}

impl Card {
    pub(super) fn encode(&self) -> Result<Vec<u8>, Fault> {
        postcard::to_extend(self, vec![FORMAT]).map_err(|_| Fault::Corrupt)
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Fault> {
        let (format, rest) = bytes.split_first().ok_or(Fault::Corrupt)?;
        if *format != FORMAT {
            return Err(Fault::Corrupt);
        }
        postcard::from_bytes(rest).map_err(|_| Fault::Corrupt)
    }

    /// Whether it would change this person, or make one of her reference.
    fn is_of(&self, person: PersonId, reference: Option<[u8; 16]>) -> bool {
        self.target == Some(person) || (self.reference.is_some() && self.reference == reference)
    }
}

/// The current versions of these compartments of a person.
pub(crate) fn seen(keys: &PersonKeys, touched: impl IntoIterator<Item = Compartment>) -> Seen {
    touched.into_iter().map(|one| (one, keys.record_version(one).unwrap_or(0))).collect()
}

pub(super) fn place(tenant: TenantId, id: PersonId) -> DocumentPlace {
    DocumentPlace { tenant, kind: document::SUBMISSION, id: id.0, version: 1 }
}

/// Removes the submissions that would change an erased person: their values are hers.
pub(crate) async fn abandon_of(
    house: &House,
    tenant: &Tenant,
    person: PersonId,
    reference: Option<[u8; 16]>,
) -> Result<(), Fault> {
    abandon_where(house, tenant, |_, card, _| card.is_of(person, reference)).await.map(drop)
}

/// Before she is erased: removes what was typed before she was here, since nothing leads from there to her afterwards. Newer
/// data stand there already, so that nothing is lost if she stays. What is under way is left to its request.
pub(crate) async fn abandon_early(
    house: &House,
    tenant: &Tenant,
    reference: Option<[u8; 16]>,
) -> Result<(), Fault> {
    let early = |id: &PersonId, card: &Card, _: Option<PersonState>| {
        card.reference.is_some() && card.reference == reference && !house.waiting.is_under_way(*id)
    };
    abandon_where(house, tenant, early).await.map(drop)
}

pub(super) async fn abandon_where(
    house: &House,
    tenant: &Tenant,
    wanted: impl Fn(&PersonId, &Card, Option<PersonState>) -> bool,
) -> Result<u64, Fault> {
    let (mut after, mut count) = (None, 0);
    loop {
        let page = {
            let snapshot = house.store.snapshot()?;
            let rows = snapshot.documents(tenant.id, document::SUBMISSION, after, PAGE)?;
            let mut page = Vec::with_capacity(rows.len());
            for row in rows {
                let id = PersonId(row.id);
                let state = snapshot.person_head(tenant.id, id)?.map(|head| head.state);
                // One that cannot be read stops none of the others.
                let card = read_card(tenant, id, &row.sealed.0);
                page.push((id, card.is_ok_and(|card| wanted(&id, &card, state))));
            }
            page
        };
        let Some((last, _)) = page.last() else { return Ok(count) };
        after = Some(last.0);
        for (id, _) in page.into_iter().filter(|(_, wanted)| *wanted) {
            abandon(house, tenant.id, id).await.map_err(|error| match error {
                SubmitError::Fault(fault) => fault,
                _ => Fault::Busy,
            })?;
            count += 1;
        }
    }
}

pub(super) fn read_card(tenant: &Tenant, id: PersonId, sealed: &[u8]) -> Result<Card, Fault> {
    let bytes = tenant.metadata.open_document(&place(tenant.id, id), sealed)?;
    Card::decode(&bytes)
}

/// Removes a provisional person: her row first, which holds the only keys.
pub(super) async fn abandon(house: &House, tenant: TenantId, id: PersonId) -> Result<(), SubmitError> {
    house.waiting.drop_unknown(id);
    let head = house.store.snapshot()?.person_head(tenant, id)?;
    if let Some(head) = head.filter(|head| head.state == PersonState::Provisional) {
        let ops = vec![
            KeyOp::DeleteTokensOf { tenant, person: id, field: None },
            KeyOp::ForgetPerson { tenant, person: id, expected_version: head.version },
        ];
        match applied(house.store.apply_keys("abandon", ops).await)? {
            Applied::Done => house.step(Step::SubmissionAbandoned),
            Applied::Conflict(Conflict::Missing | Conflict::PersonState) => {}
            Applied::Conflict(_) => return Err(Fault::Busy.into()),
        }
    }
    forget_data(house, tenant, id).await.map_err(Into::into)
}

/// What lies in the data file of a submission that is over: its card, and its records if nobody has their keys.
pub(super) async fn forget_data(house: &House, tenant: TenantId, id: PersonId) -> Result<(), Fault> {
    let mut ops = vec![DataOp::DeleteDocuments { tenant, kind: document::SUBMISSION, id: id.0 }];
    if house.store.snapshot()?.person_head(tenant, id)?.is_none() {
        ops.push(DataOp::DeleteRecordsOf { tenant, person: id });
    }
    done(house.store.apply_data("settled", ops).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card() -> Card {
        Card {
            target: Some(PersonId([7; 16])),
            new: false,
            reference: None,
            by: Some(PrincipalId([5; 16])),
            removed: vec![FieldId(3), FieldId(300)],
            created: Timestamp(1_764_240_000_000),
            seen: vec![(Compartment(0), 4), (Compartment(2), 0)],
        }
    }

    #[test]
    fn a_card_is_written_as_it_always_was() {
        let written = card().encode().expect("encoded");
        let hex = data_encoding::HEXLOWER.encode(&written);
        assert_eq!(hex, CARD, "a new shape needs a format of its own");
        assert_eq!(Card::decode(&written), Ok(card()));
        let mut other = written;
        other[0] = 2;
        assert_eq!(Card::decode(&other), Err(Fault::Corrupt));
        assert_eq!(Card::decode(&[]), Err(Fault::Corrupt));
    }

    #[test]
    fn only_her_own_cards_are_hers() {
        let (her, hash) = (PersonId([7; 16]), Some([9; 16]));
        assert!(card().is_of(her, None) && !card().is_of(PersonId([8; 16]), None));
        let unborn = Card { target: None, reference: hash, ..card() };
        assert!(unborn.is_of(her, hash) && !unborn.is_of(her, Some([1; 16])) && !unborn.is_of(her, None));
        let new = Card { target: None, new: true, ..card() };
        assert!(!new.is_of(her, None));
    }

    const CARD: &str = "010107070707070707070707070707070707000001050505050505050505050505050505050203ac028090b0ced8660200040200";
}
