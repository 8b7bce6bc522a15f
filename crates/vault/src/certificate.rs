//! Deletion certificates: what was erased, what stays, and how a stranger checks it.
//!
//! Two stages. *Erased*: nobody reads the person through Obhut from this moment on. *Complete*: the epoch key is
//! destroyed in every holder, so that no copy of any kind opens. The payload is JSON, signed as DSSE over its exact
//! bytes with Ed25519 and RSA-4096-PSS; it carries the entry of the erasure with its proof of inclusion and the
//! verification keys, so that a stranger needs nothing else but one trusted key.

use crate::change::{self, Place};
use crate::config::document;
use crate::fault::{Fault, applied};
use crate::house::House;
use crate::steps::Step;
use crate::tenant::Tenant;
use crate::{Context, Vault, document_row, trail};
use data_encoding::BASE64;
use model::decision::{Action, Reason, allowed};
use model::{CertificateId, PersonId, TenantId, Timestamp};
use seal::{DocumentPlace, Envelope};
use serde::{Deserialize, Serialize};
use store::{DataOp, EpochState, PersonState};

/// DSSE payload type of a deletion certificate.
pub const PAYLOAD_TYPE: &str = "application/vnd.obhut.deletion-certificate+json";

/// Days between an erasure and the moment by which no copy opens (horizon 21 days, one week of epoch).
pub const COMPLETE_WITHIN_DAYS: u32 = 28;

/// What an erasure notes for its certificate, sealed under the tenant's metadata key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ErasureFacts {
    pub(crate) certificate: CertificateId,
    pub(crate) person: PersonId,
    pub(crate) at: Timestamp,
    pub(crate) row_version: u32,
    pub(crate) epoch: u32,
    pub(crate) leaf: Vec<u8>,
    pub(crate) incarnation: u32,
    pub(crate) tail: u64,
}

/// The signed statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Version of this format: `obhut/deletion-certificate/v1`.
    pub format: String,
    /// The certificate's id.
    pub certificate: CertificateId,
    /// How far the erasure is.
    pub stage: Stage,
    /// The controller.
    pub tenant: TenantId,
    /// The person's former internal id.
    pub person: PersonId,
    /// When nobody could read the person any more, RFC 3339.
    pub erased_at: String,
    /// The shred epoch whose destruction completes the erasure.
    pub epoch: u32,
    /// When no copy opens any more at the latest, RFC 3339.
    pub complete_by: String,
    /// When the epoch key was destroyed, RFC 3339; only in the stage `complete`.
    pub completed_at: Option<String>,
    /// What stays under a legal duty or hold, with reason and end.
    pub kept: Vec<Kept>,
    /// The ledger entry of the erasure.
    pub ledger: EntryProof,
    /// The keys that verify the signatures and the checkpoint.
    pub keys: serde_json::Value,
}

/// How far an erasure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Nobody reads the person through Obhut.
    Erased,
    /// No copy of any kind opens.
    Complete,
}

/// Something that outlives the erasure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// What.
    pub what: String,
    /// Under which duty.
    pub why: String,
    /// Until when, RFC 3339.
    pub until: Option<String>,
}

/// A ledger entry with the proof that it is in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryProof {
    /// The log's origin line.
    pub origin: String,
    /// The entry's index.
    pub index: u64,
    /// The entry's bytes, base64. They stay closed to a stranger; their hash is what the log commits to.
    pub entry: String,
    /// Inclusion proof with checkpoint in the `.tlog-proof` format.
    pub proof: String,
}

/// Why there is no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The decision refused it.
    #[error("not permitted")]
    Denied(Reason),
    /// The person was not erased here.
    #[error("no such erasure")]
    Unknown,
    /// The ledger has not made the entry provable yet; a later try succeeds.
    #[error("the entry is not provable yet")]
    NotYet,
    /// A fault of the house.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<store::StoreError> for CertificateError {
    fn from(error: store::StoreError) -> Self {
        Self::Fault(error.into())
    }
}

impl Vault {
    /// The certificate of an erasure in its present stage, signed on first request and then kept.
    pub async fn certificate(
        &self,
        ctx: &Context,
        tenant: TenantId,
        person: PersonId,
    ) -> Result<Envelope, CertificateError> {
        let opened = self.house.tenant(tenant).ok_or(CertificateError::Denied(Reason::WrongTenant))?;
        let state = Some(opened.live().state);
        allowed(&ctx.actor.principal, Action::Erase, tenant, Some(person), state)
            .map_err(CertificateError::Denied)?;
        let row = self.house.store.snapshot()?.person(tenant, person)?;
        if row.is_none_or(|row| row.state != PersonState::Erased) {
            return Err(CertificateError::Unknown);
        }
        let house = self.house.clone();
        let made = tokio::task::spawn_blocking(move || make(&house, &opened, person)).await;
        made.unwrap_or(Err(CertificateError::Fault(Fault::StoreUnavailable)))
    }
}

fn make(house: &House, tenant: &Tenant, person: PersonId) -> Result<Envelope, CertificateError> {
    let (facts, log, index) = committed_facts(house, tenant, person)?;
    let destroyed = completed(house, tenant, facts.epoch)?;
    let version = if destroyed.is_some() { 2 } else { 1 };
    let place = DocumentPlace { tenant: tenant.id, kind: document::CERTIFICATE, id: person.0, version };
    if let Some(row) = house.store.snapshot()?.document(tenant.id, place.kind, place.id, version)? {
        let bytes = tenant.metadata.open_document(&place, &row.sealed.0).map_err(Fault::from)?;
        return Envelope::from_json(&bytes).map_err(|_| Fault::Corrupt.into());
    }
    let certificate = state_it(house, tenant, &facts, (&log, index), destroyed)?;
    let payload = serde_json::to_vec(&certificate).map_err(|_| Fault::Corrupt)?;
    let envelope = seal::dsse::sign(&house.signing, PAYLOAD_TYPE, &payload).map_err(|_| Fault::Corrupt)?;
    let body = envelope.to_json().map_err(|_| Fault::Corrupt)?;
    let sealed = tenant.metadata.seal_document(&place, &body, &*house.entropy).map_err(Fault::from)?;
    let keep = vec![DataOp::PutDocument { row: document_row(&place, sealed, house), expected_absent: true }];
    // A simultaneous request may have signed the same statement; either envelope is good.
    applied(house.store.apply_data_blocking("keep_certificate", keep))?;
    house.step(Step::CertificateKept);
    Ok(envelope)
}

/// When the last epoch ended in which a copy of the person's keys may lie; `None` while one of them lives. Her row was
/// carried from epoch to epoch up to the `last`, and each of them may stand in some copy of the key store.
fn completed(house: &House, tenant: &Tenant, last: u32) -> Result<Option<Timestamp>, CertificateError> {
    let rows = house.store.snapshot()?.epochs(tenant.id)?;
    let of_her: Vec<_> = rows.iter().filter(|row| row.epoch <= last).collect();
    let ended = of_her.iter().any(|row| row.epoch == last)
        && of_her.iter().all(|row| row.state == EpochState::Destroyed)
        && tenant.shred.epochs().iter().all(|info| info.epoch > last);
    Ok(of_her.iter().filter_map(|row| row.destroyed).max().filter(|_| ended))
}

/// The facts of the try whose entry is in the ledger.
fn committed_facts(
    house: &House,
    tenant: &Tenant,
    person: PersonId,
) -> Result<(ErasureFacts, ledger::Ledger, u64), CertificateError> {
    let snapshot = house.store.snapshot()?;
    let erased = snapshot.person(tenant.id, person)?.ok_or(CertificateError::Unknown)?;
    let logs = house.logs();
    let mut stranded = None;
    let Some(latest) = snapshot.latest_document(tenant.id, document::ERASURE, person.0)? else {
        return Err(CertificateError::Unknown);
    };
    for version in (1..=latest.version).rev() {
        let place = DocumentPlace { tenant: tenant.id, kind: document::ERASURE, id: person.0, version };
        let Some(row) = snapshot.document(tenant.id, place.kind, place.id, version)? else { continue };
        let bytes = tenant.metadata.open_document(&place, &row.sealed.0).map_err(Fault::from)?;
        let facts: ErasureFacts = trail::decode(&bytes)?;
        let hash = ledger::proof::leaf_hash(&facts.leaf);
        let place = Place { hash, incarnation: facts.incarnation, tail: facts.tail };
        match change::find(&logs, &place).map_err(|_| Fault::LedgerDamaged)? {
            Some((log, index)) if proves(house, &log, index) => return Ok((facts, log, index)),
            // Found where no checkpoint covers it any more, or gone with the ledger that was set aside.
            _ if facts.incarnation < house.ledger.status().incarnation
                && facts.row_version == erased.version =>
            {
                stranded = stranded.or(Some(facts));
            }
            _ => {}
        }
    }
    let facts = stranded.ok_or(CertificateError::NotYet)?;
    // The person's row says that it was done; so its entry is made once more, where it can be proved.
    let entry = ledger::Entry { leaf: facts.leaf.clone(), ..ledger::Entry::default() };
    let position = house.ledger.append_blocking(entry).map_err(Fault::from)?;
    Ok((facts, house.ledger.clone(), position.index))
}

/// Whether a log can prove this entry, now or in a moment.
fn proves(house: &House, log: &ledger::Ledger, index: u64) -> bool {
    log.origin() == house.ledger.origin() || log.signed_head().is_some_and(|head| index < head.size)
}

fn state_it(
    house: &House,
    tenant: &Tenant,
    facts: &ErasureFacts,
    (log, index): (&ledger::Ledger, u64),
    destroyed: Option<Timestamp>,
) -> Result<Certificate, CertificateError> {
    if log.origin() == house.ledger.origin() {
        log.make_provable().map_err(|_| CertificateError::NotYet)?;
    }
    let proof = log.tlog_proof(index).map_err(|_| Fault::LedgerDamaged)?;
    let proof = proof.and_then(|proof| String::from_utf8(proof).ok()).ok_or(CertificateError::NotYet)?;
    let keys = house.signing.public().to_json().map_err(|_| Fault::Corrupt)?;
    let keys = serde_json::from_slice(&keys).map_err(|_| Fault::Corrupt)?;
    Ok(Certificate {
        format: "obhut/deletion-certificate/v1".to_owned(),
        certificate: facts.certificate,
        stage: if destroyed.is_some() { Stage::Complete } else { Stage::Erased },
        tenant: tenant.id,
        person: facts.person,
        erased_at: facts.at.rfc3339(),
        epoch: facts.epoch,
        complete_by: facts.at.plus_days(COMPLETE_WITHIN_DAYS).rfc3339(),
        completed_at: destroyed.map(Timestamp::rfc3339),
        kept: Vec::new(),
        ledger: EntryProof {
            origin: log.origin().to_owned(),
            index,
            entry: BASE64.encode(&facts.leaf),
            proof,
        },
        keys,
    })
}
