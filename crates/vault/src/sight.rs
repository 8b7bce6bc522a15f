//! What staff see of the house without seeing a person: entries by their metadata, figures, keys, epochs. Nothing here
//! opens an identity layer or a record.

use crate::fault::Fault;
use crate::keys::{Credential, read_card};
use crate::trail::{self, Event, Metadata, Verdict};
use crate::{Context, Vault};
use model::decision::{Action, Reason, allowed};
use model::principal::Role;
use model::{PrincipalId, RequestId, TenantId, Timestamp};
use std::collections::BTreeMap;
use store::{EpochState, PersonState, PrincipalState};

/// Most entries that one question walks over.
pub const MAX_SCANNED: u64 = 20_000;
/// Most entries of one page.
pub const MAX_PAGE: usize = 200;

/// Why nothing is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SightError {
    /// The decision refused it.
    #[error("not permitted")]
    Denied(Reason),
    /// A fault of the house.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<store::StoreError> for SightError {
    fn from(error: store::StoreError) -> Self {
        Self::Fault(error.into())
    }
}

/// One entry of the ledger, as its metadata tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its index.
    pub index: u64,
    /// What was done.
    pub event: Event,
    /// When.
    pub at: Timestamp,
    /// In which request.
    pub request: RequestId,
    /// How the purpose is called; empty where the action has none.
    pub purpose: String,
    /// How the recipient is called.
    pub recipient: String,
    /// How it was decided.
    pub verdict: Verdict,
    /// Number of the reason that refused the first refused value; 0 none.
    pub reason: u8,
    /// Bit n is set when a field of category n was touched.
    pub categories: u16,
    /// Values released.
    pub released: u32,
    /// Values refused or redacted.
    pub refused: u32,
    /// Persons it concerns.
    pub persons: usize,
}

/// What entries are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Entries of this event alone.
    pub event: Option<Event>,
    /// Entries alone in which something was refused.
    pub refused: bool,
}

/// A page of entries, newest first.
#[derive(Clone, Debug, Default)]
pub struct Entries {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Where the next page begins, if there may be one.
    pub next: Option<u64>,
}

/// Reads by day, purpose, recipient and category.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Reads per day since 1970 (UTC) and purpose.
    pub days: BTreeMap<(i64, String), u64>,
    /// Reads that released something, per recipient and category number that they touched.
    pub flows: BTreeMap<(String, u8), u64>,
    /// Entries per event.
    pub events: BTreeMap<Event, u64>,
    /// Reads in which something was refused.
    pub refused: u64,
    /// Reads.
    pub reads: u64,
    /// Reads without a purpose, by the person herself or by her right.
    pub by_right: u64,
    /// Since when all entries were walked over.
    pub since: Option<Timestamp>,
    /// Whether that is as far back as was asked for.
    pub complete: bool,
}

/// How many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Persons who can be read.
    pub live: u64,
    /// Persons who were erased.
    pub erased: u64,
    /// Submissions that the app has not answered.
    pub waiting: u64,
}

/// A key, viewer, link or session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyLine {
    /// Its principal.
    pub principal: PrincipalId,
    /// What leads to it.
    pub credential: Credential,
    /// Its name for people.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// Whether it is honoured, as far as nothing but its term ends it.
    pub active: bool,
    /// When it ends.
    pub expires: Option<Timestamp>,
}

/// A shred epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochLine {
    /// Its number: the week.
    pub week: u32,
    /// Where it stands.
    pub state: EpochState,
    /// When it was made.
    pub created: Timestamp,
    /// When its key was destroyed.
    pub destroyed: Option<Timestamp>,
    /// Persons whose key it holds.
    pub persons: u64,
}

impl Vault {
    fn may(&self, ctx: &Context, tenant: TenantId, action: Action) -> Result<(), SightError> {
        let state = self.tenant_state(tenant).ok_or(SightError::Denied(Reason::WrongTenant))?;
        allowed(&ctx.actor.principal, action, tenant, None, Some(state)).map_err(SightError::Denied)
    }

    /// A page of the tenant's entries before `before`, newest first. Blocks on the disk.
    pub fn entries(
        &self,
        ctx: &Context,
        tenant: TenantId,
        before: Option<u64>,
        limit: usize,
        wanted: Wanted,
    ) -> Result<Entries, SightError> {
        self.may(ctx, tenant, Action::ReadLedger)?;
        let limit = limit.clamp(1, MAX_PAGE);
        let end = before.unwrap_or(u64::MAX).min(self.house.ledger.status().durable);
        let mut page = Entries::default();
        let last = end.saturating_sub(MAX_SCANNED);
        for index in (last..end).rev() {
            let Some(metadata) = self.metadata(tenant, index)? else { continue };
            let fits = wanted.event.is_none_or(|event| event == metadata.event)
                && (!wanted.refused || metadata.refused > 0 || metadata.verdict == Verdict::Deny);
            if !fits {
                continue;
            }
            page.entries.push(self.entry_in_words(tenant, index, &metadata)?);
            if page.entries.len() == limit {
                page.next = Some(index).filter(|index| *index > 0);
                return Ok(page);
            }
        }
        page.next = Some(last).filter(|last| *last > 0);
        Ok(page)
    }

    /// One entry of the tenant. Blocks on the disk.
    pub fn entry(&self, ctx: &Context, tenant: TenantId, index: u64) -> Result<Option<Entry>, SightError> {
        self.may(ctx, tenant, Action::ReadLedger)?;
        match self.metadata(tenant, index)? {
            Some(metadata) => Ok(Some(self.entry_in_words(tenant, index, &metadata)?)),
            None => Ok(None),
        }
    }

    /// The proof of one entry of the tenant (C2SP tlog-proof), once a checkpoint covers it. Blocks on the disk.
    pub fn proof(&self, ctx: &Context, tenant: TenantId, index: u64) -> Result<Option<Vec<u8>>, SightError> {
        if self.entry(ctx, tenant, index)?.is_none() {
            return Ok(None);
        }
        self.house.ledger.tlog_proof(index).map_err(|_| Fault::LedgerDamaged.into())
    }

    /// Reads since a moment, as far as [`MAX_SCANNED`] entries reach. Blocks on the disk.
    pub fn tally(&self, ctx: &Context, tenant: TenantId, since: Timestamp) -> Result<Tally, SightError> {
        self.may(ctx, tenant, Action::ReadLedger)?;
        let end = self.house.ledger.status().durable;
        let mut tally = Tally::default();
        for index in (end.saturating_sub(MAX_SCANNED)..end).rev() {
            let Some(metadata) = self.metadata(tenant, index)? else { continue };
            if metadata.at < since {
                tally.complete = true;
                break;
            }
            tally.since = Some(metadata.at);
            *tally.events.entry(metadata.event).or_default() += 1;
            if !matches!(metadata.event, Event::Read | Event::Export) {
                continue;
            }
            let Entry { purpose, recipient, .. } = self.entry_in_words(tenant, index, &metadata)?;
            tally.reads += 1;
            tally.refused += u64::from(metadata.refused > 0 || metadata.verdict == Verdict::Deny);
            tally.by_right += u64::from(metadata.purpose == 0);
            *tally.days.entry((metadata.at.0.div_euclid(86_400_000), purpose)).or_default() += 1;
            if metadata.released == 0 {
                continue;
            }
            for category in (0..16_u8).filter(|bit| metadata.categories & (1 << bit) != 0) {
                *tally.flows.entry((recipient.clone(), category)).or_default() += 1;
            }
        }
        tally.complete |= end <= MAX_SCANNED;
        Ok(tally)
    }

    /// How many persons there are.
    pub fn figures(&self, ctx: &Context, tenant: TenantId) -> Result<Figures, SightError> {
        self.may(ctx, tenant, Action::ReadPurposes)?;
        let snapshot = self.house.store.snapshot()?;
        let count = |state| snapshot.count_persons(tenant, Some(state));
        Ok(Figures {
            live: count(PersonState::Live)?,
            erased: count(PersonState::Erased)?,
            waiting: count(PersonState::Provisional)?,
        })
    }

    /// All that leads to a principal, newest first.
    pub fn keys(&self, ctx: &Context, tenant: TenantId) -> Result<Vec<KeyLine>, SightError> {
        self.may(ctx, tenant, Action::ManageKeys)?;
        let opened = self.house.tenant(tenant).ok_or(SightError::Denied(Reason::WrongTenant))?;
        let rows = self.house.store.snapshot()?.principals(tenant)?;
        let line = |row: store::PrincipalRow| {
            let card = read_card(&self.house, &opened, row.principal)?;
            Ok(KeyLine {
                principal: row.principal,
                credential: card.credential,
                name: card.name,
                role: row.role,
                active: row.state == PrincipalState::Active,
                expires: row.expires,
            })
        };
        rows.into_iter().rev().map(line).collect::<Result<_, Fault>>().map_err(Into::into)
    }

    /// The shred epochs, newest first.
    pub fn epochs(&self, ctx: &Context, tenant: TenantId) -> Result<Vec<EpochLine>, SightError> {
        self.may(ctx, tenant, Action::ReadLedger)?;
        let snapshot = self.house.store.snapshot()?;
        let rows = snapshot.epochs(tenant)?;
        let line = |row: store::EpochRow| {
            let persons = snapshot.count_persons_in_epoch(tenant, row.epoch)?;
            let store::EpochRow { epoch: week, state, created, destroyed, .. } = row;
            Ok(EpochLine { week, state, created, destroyed, persons })
        };
        rows.into_iter().rev().map(line).collect()
    }

    /// The metadata of an entry, if it is the tenant's and its period's key is known.
    fn metadata(&self, tenant: TenantId, index: u64) -> Result<Option<Metadata>, Fault> {
        let opened = self.house.tenant(tenant).ok_or(Fault::Corrupt)?;
        let leaf = self.house.ledger.leaf(index).map_err(|_| Fault::LedgerDamaged)?;
        let Some(leaf) = leaf else { return Ok(None) };
        let Ok(frame) = seal::trail::Frame::parse(&leaf) else { return Ok(None) };
        let Some(period) = opened.known_period(frame.period) else { return Ok(None) };
        // Another tenant's entry does not open.
        let Ok(body) = seal::trail::open_metadata(&period.key, &leaf) else { return Ok(None) };
        trail::decode(&body).map(Some)
    }

    fn entry_in_words(&self, tenant: TenantId, index: u64, metadata: &Metadata) -> Result<Entry, Fault> {
        let opened = self.house.tenant(tenant).ok_or(Fault::Corrupt)?;
        let config = opened.live().config.clone();
        let purpose = config.purpose_by_id(model::PurposeId(metadata.purpose));
        Ok(Entry {
            index,
            event: metadata.event,
            at: metadata.at,
            request: metadata.request,
            purpose: purpose.map_or_else(String::new, |one| one.title.clone()),
            recipient: config.recipient_title(model::RecipientId(metadata.recipient)).to_owned(),
            verdict: metadata.verdict,
            reason: metadata.reason,
            categories: metadata.categories,
            released: metadata.released,
            refused: metadata.refused,
            persons: metadata.subjects.len(),
        })
    }
}
