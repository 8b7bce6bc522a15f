//! Erase (GDPR Art. 17). The commit that takes the wrapped keys out of the person's row *is* the erasure; all
//! else follows by a job that can be resumed. From the acknowledgement on nobody reads the person through Obhut.

use crate::certificate::ErasureFacts;
use crate::change::{self, Change, Logged, Swept, Try};
use crate::config::document;
use crate::fault::{Applied, Fault};
use crate::house::House;
use crate::keys::done;
use crate::people::Person;
use crate::steps::Step;
use crate::tenant::Tenant;
use crate::trail::{self, Event, Metadata, Subject, SubjectDetail, Verdict};
use crate::{Context, Vault, document_row};
use model::decision::{Action, Reason, allowed};
use model::{CertificateId, ConsentId, PersonId, TenantId, Timestamp};
use seal::DocumentPlace;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::{DataOp, KeyOp, NewJob, PersonState, Wrap};

/// The job that removes what an erasure left unreadable.
pub const SWEEP_JOB: &str = "erase_sweep";

/// An acknowledged erasure.
#[derive(Clone, Copy, Debug)]
pub struct Erased {
    /// The certificate's id; the certificate itself is signed when it is first fetched.
    pub certificate: CertificateId,
    /// When.
    pub at: Timestamp,
    /// How far the trail has come.
    pub logged: Logged,
}

/// Why nobody was erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EraseError {
    /// The decision refused it.
    #[error("not permitted")]
    Denied(Reason),
    /// A legal hold keeps the person (GDPR Art. 17(3)).
    #[error("a legal hold keeps the person")]
    Held,
    /// No such person, or one who is erased already.
    #[error("unknown person")]
    UnknownPerson,
    /// A fault of the house.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<store::StoreError> for EraseError {
    fn from(error: store::StoreError) -> Self {
        Self::Fault(error.into())
    }
}

impl Vault {
    /// Erases a person. Works also while the ledger cannot be written: the entry then waits in the outbox.
    pub async fn erase(&self, ctx: &Context, tenant: TenantId, id: PersonId) -> Result<Erased, EraseError> {
        let house = &self.house;
        let opened = house.tenant(tenant).ok_or(EraseError::Denied(Reason::WrongTenant))?;
        let state = Some(opened.live().state);
        allowed(&ctx.actor.principal, Action::Erase, tenant, Some(id), state).map_err(EraseError::Denied)?;
        for _ in 0..crate::put::TRIES {
            let now = house.clock.now()?;
            let person = {
                let snapshot = house.store.snapshot()?;
                Person::read(&snapshot, tenant, id)?.ok_or(EraseError::UnknownPerson)?
            };
            if person.row.state != PersonState::Live {
                return Err(EraseError::UnknownPerson);
            }
            if person.held {
                return Err(EraseError::Held);
            }
            // She is erased whether or not this succeeds, here and afterwards; the sweep does it again.
            let standing = crate::put::Standing::read(&house.store.snapshot()?, tenant, id)?;
            let reference = standing.index(crate::config::REF_FIELD);
            let _ = crate::submit::abandon_early(house, &opened, reference).await;
            if let Some(erased) = try_erase(house, &opened, ctx, (&person, &standing), now).await? {
                house.actors.clear();
                let _ = crate::submit::abandon_of(house, &opened, id, reference).await;
                return Ok(erased);
            }
        }
        Err(EraseError::Fault(Fault::Busy))
    }
}

async fn try_erase(
    house: &Arc<House>,
    tenant: &Tenant,
    ctx: &Context,
    (person, standing): (&Person, &crate::put::Standing),
    now: Timestamp,
) -> Result<Option<Erased>, EraseError> {
    let id = person.row.person;
    // A row that does not open any more can still be erased; its entry then has no pseudonym of the person.
    let secret = match person.log_secret(tenant) {
        Ok(secret) => secret,
        Err(Fault::Corrupt) => None,
        Err(other) => return Err(other.into()),
    };
    let actor = &ctx.actor.principal;
    let metadata = Metadata::of(Event::Erase, now, ctx.request, Verdict::Permit);
    let detail = SubjectDetail { person: id, fields: Vec::new(), actor: actor.id, role: actor.role };
    let subject = secret.as_ref().map(|secret| Subject { secret, detail });
    let entry = trail::seal_entry(house, tenant, metadata, subject.as_slice(), &ctx.actor)?;
    let certificate = CertificateId::fresh(&*house.clock, &*house.entropy);
    let facts = ErasureFacts {
        certificate,
        person: id,
        at: now,
        row_version: person.row.version + 1,
        epoch: person.row.epoch,
        leaf: entry.leaf.clone(),
        incarnation: house.ledger.status().incarnation,
        tail: house.ledger.status().durable,
    };
    let (consents, heirs) = {
        let snapshot = house.store.snapshot()?;
        let consents = snapshot.consents_of(tenant.id, id)?.into_iter().map(|row| row.consent).collect();
        let (live, mut heirs) = (tenant.live(), Vec::new());
        for field in live.config.fields.iter().filter(|field| field.stable) {
            heirs.extend(crate::put::let_go(&snapshot, tenant.id, standing, field)?);
        }
        (consents, heirs)
    };
    if !prepare(house, tenant, &facts, consents).await? {
        return Ok(None);
    }
    house.step(Step::ErasePrepared);
    let tenant_id = tenant.id;
    let mut ops = vec![
        KeyOp::UpdatePerson {
            tenant: tenant_id,
            person: id,
            expected_version: person.row.version,
            state: Some(PersonState::Erased),
            flags: Some(0),
            wrapped: Wrap::Erase { epoch: facts.epoch },
        },
        KeyOp::DeleteIndexesOf { tenant: tenant_id, person: id, index: None },
        KeyOp::DeleteTokensOf { tenant: tenant_id, person: id, field: None },
        KeyOp::DeleteConsentsOf { tenant: tenant_id, person: id },
        KeyOp::DeleteLimitsOf { tenant: tenant_id, person: id },
        KeyOp::DeletePrincipalsOf { tenant: tenant_id, subject: id },
        KeyOp::DeleteIdempotencyOf { tenant: tenant_id, reference: id.0 },
    ];
    // A stable token that stood for her and that others have as well goes on standing for one of them.
    ops.extend(heirs);
    let steps = [Step::EraseCommitted, Step::EraseShipped];
    let actor = Some(ctx.actor.principal.id);
    let change = Change { name: "erase_person", tenant: tenant_id, actor, ops, entry, steps };
    let committed = change::commit(house, change).await?;
    Ok(committed.ok().map(|logged| Erased { certificate, at: now, logged }))
}

/// What has to lie ready before the commit: the facts of the certificate and the job that sweeps after it. Facts
/// of a try that loses a race stay unused, since their leaf is in no ledger. `false` when somebody else wrote the
/// same version first.
async fn prepare(
    house: &House,
    tenant: &Tenant,
    facts: &ErasureFacts,
    consents: Vec<ConsentId>,
) -> Result<bool, Fault> {
    let highest = house.store.snapshot()?.latest_document(tenant.id, document::ERASURE, facts.person.0)?;
    let version = highest.map_or(1, |row| row.version + 1);
    let place = DocumentPlace { tenant: tenant.id, kind: document::ERASURE, id: facts.person.0, version };
    let sealed = tenant.metadata.seal_document(&place, &trail::encode(facts)?, &*house.entropy)?;
    let change = Try::on(house, facts.row_version - 1);
    let job = NewJob {
        id: model::RequestId::fresh(&*house.clock, &*house.entropy).0,
        kind: SWEEP_JOB.to_owned(),
        payload: trail::encode(&Sweep { tenant: tenant.id, person: facts.person, change, consents })?,
        due: facts.at.plus_ms(SWEEP_DELAY_MS),
        created: facts.at,
    };
    let facts = DataOp::PutDocument { row: document_row(&place, sealed, house), expected_absent: true };
    Ok(match change::write_first(house, "prepare_erasure", vec![facts], job).await? {
        Applied::Done => true,
        Applied::Conflict(_) => false,
    })
}

/// What the job has to remove.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sweep {
    tenant: TenantId,
    person: PersonId,
    change: Try,
    consents: Vec<ConsentId>,
}

/// Whose replaced versions are to be removed, and after which change.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Replaced {
    pub(crate) tenant: TenantId,
    pub(crate) person: PersonId,
    pub(crate) change: Try,
}

/// Reads that were decided before the erasure may still be on their way; none lasts longer.
pub(crate) const SWEEP_DELAY_MS: i64 = 10_000;

impl Vault {
    /// Removes records and consent payloads of an erased person. Does nothing for one who is not erased (the
    /// commit lost a race, or has not come yet). Can be run again at any time.
    pub async fn sweep_erased(&self, payload: &[u8]) -> Result<Swept, Fault> {
        let house = &self.house;
        let Sweep { tenant, person, change, consents } = trail::decode(payload)?;
        let row = house.store.snapshot()?.person(tenant, person)?;
        if let Some(row) = row.filter(|row| row.state != PersonState::Erased) {
            return Ok(if change.may_come(house, row.version) { Swept::NotYet } else { Swept::Done });
        }
        let opened = house.tenant(tenant).ok_or(Fault::Corrupt)?;
        crate::submit::abandon_of(house, &opened, person, None).await?;
        let mut ops = vec![DataOp::DeleteRecordsOf { tenant, person }];
        for consent in consents {
            ops.push(DataOp::DeleteDocuments { tenant, kind: document::CONSENT_EVENT, id: consent.0 });
        }
        done(house.store.apply_data("sweep_erased", ops).await)?;
        house.step(Step::EraseSwept);
        Ok(Swept::Done)
    }

    /// Removes versions of records that no key row points to any more, some time after they were replaced.
    pub async fn sweep_versions(&self, payload: &[u8]) -> Result<Swept, Fault> {
        let house = &self.house;
        let Replaced { tenant, person, change } = trail::decode(payload)?;
        let opened = house.tenant(tenant).ok_or(Fault::Corrupt)?;
        let ops = {
            let snapshot = house.store.snapshot()?;
            let Some(one) = Person::read(&snapshot, tenant, person)? else { return Ok(Swept::Done) };
            // Also of somebody provisional: she may be about to become real, and then her first records are replaced.
            if one.row.state != PersonState::Erased && change.may_come(house, one.row.version) {
                return Ok(Swept::NotYet);
            }
            if one.row.state != PersonState::Live {
                return Ok(Swept::Done);
            }
            let keys = one.keys(&opened)?;
            let delete = |compartment| {
                let below = keys.record_version(compartment)?;
                Some(DataOp::DeleteRecordVersions { tenant, person, compartment, below })
            };
            keys.compartments().filter_map(delete).collect()
        };
        done(house.store.apply_data("sweep_versions", ops).await)?;
        house.step(Step::VersionsSwept);
        Ok(Swept::Done)
    }
}
