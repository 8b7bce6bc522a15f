//! Who touched this person, and why: read back from the ledger, entry by entry.

use crate::fault::Fault;
use crate::house::House;
use crate::people::Person;
use crate::seen::{Seen, Stand, TRIES};
use crate::steps::Step;
use crate::tenant::{Period, Tenant};
use crate::trail::{self, Event, Metadata, Outcome, Subject, SubjectDetail, Verdict};
use crate::{Context, Vault};
use ledger::Ledger;
use model::decision::{Action, Reason, allowed};
use model::principal::Role;
use model::{PersonId, PurposeId, TenantId, Timestamp};
use seal::LogSecret;
use store::PersonState;

/// Most entries in one answer.
pub const MAX_ACCESSES: usize = 1_000;

/// One entry of the ledger that concerns a person, in plain words.
#[derive(Clone, Debug)]
pub struct Access {
    /// Origin of the ledger in which it stands; an earlier one where that was set aside.
    pub log: String,
    /// Index of the entry, for its proof.
    pub entry: u64,
    /// What was done.
    pub event: Event,
    /// When.
    pub at: Timestamp,
    /// How the purpose is called; empty where the action has none.
    pub purpose: String,
    /// How the recipient is called.
    pub recipient: String,
    /// The role that acted; `None` when that part of the entry was destroyed.
    pub role: Option<Role>,
    /// The name of the key that acted.
    pub actor: String,
    /// The fields with how each was decided.
    pub fields: Vec<(String, Outcome)>,
}

/// Why there is no list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccessesError {
    /// The decision refused it.
    #[error("not permitted")]
    Denied(Reason),
    /// No such person, or one who is erased.
    #[error("unknown person")]
    UnknownPerson,
    /// The person changed again and again meanwhile.
    #[error("the facts changed meanwhile")]
    Changed,
    /// A fault of the house.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<store::StoreError> for AccessesError {
    fn from(error: store::StoreError) -> Self {
        Self::Fault(error.into())
    }
}

impl Vault {
    /// The latest entries that concern a person, newest first. Looking is itself logged first.
    pub async fn accesses(
        &self,
        ctx: &Context,
        tenant: TenantId,
        id: PersonId,
        limit: usize,
    ) -> Result<Vec<Access>, AccessesError> {
        let house = &self.house;
        let opened = house.tenant(tenant).ok_or(AccessesError::Denied(Reason::WrongTenant))?;
        let state = Some(opened.live().state);
        allowed(&ctx.actor.principal, Action::Accesses, tenant, Some(id), state)
            .map_err(AccessesError::Denied)?;
        house.ledger_ready()?;
        let limit = limit.clamp(1, MAX_ACCESSES);
        for _ in 0..TRIES {
            let looked = look(house, &opened, ctx, Event::Accesses, id)?;
            let Looked { entry, seen, created, secret, at } = looked.ok_or(AccessesError::UnknownPerson)?;
            let own = house.ledger.append(entry.into()).await.map_err(Fault::from)?;
            house.step(Step::ReadAppended);
            let mut stand = seen.stand(house, &opened, &ctx.actor)?;
            if stand == Stand::Yes {
                let (this, of) = (self.clone(), opened.clone());
                let weeks = (created.week()..=at.week()).rev();
                let read = tokio::task::spawn_blocking(move || {
                    this.of_weeks(&of, &secret, id, weeks, own.index, limit)
                });
                let list = read.await.unwrap_or(Err(Fault::StoreUnavailable))?;
                // Years of weeks may have taken a while.
                stand = seen.stand(house, &opened, &ctx.actor)?;
                if stand == Stand::Yes {
                    return Ok(list);
                }
            }
            self.note_not_released(ctx, tenant, PurposeId(0)).await?;
            if stand == Stand::Revoked {
                return Err(Fault::Revoked.into());
            }
        }
        Err(AccessesError::Changed)
    }

    fn of_weeks(
        &self,
        tenant: &Tenant,
        secret: &LogSecret,
        person: PersonId,
        weeks: impl Iterator<Item = u32>,
        before: u64,
        limit: usize,
    ) -> Result<Vec<Access>, Fault> {
        let mut list = Vec::new();
        for week in weeks {
            self.of_week(tenant, secret, person, week, before, limit, &mut list)?;
            if list.len() >= limit {
                break;
            }
        }
        Ok(list)
    }

    #[expect(clippy::too_many_arguments, reason = "a loop body with its state")]
    fn of_week(
        &self,
        tenant: &Tenant,
        secret: &LogSecret,
        person: PersonId,
        week: u32,
        before: u64,
        limit: usize,
        list: &mut Vec<Access>,
    ) -> Result<(), Fault> {
        let house = &self.house;
        let Some(period) = tenant.known_period(week) else { return Ok(()) };
        self.of_log(tenant, &house.ledger, (secret, person), (week, &period), (before, limit), list)?;
        for earlier in &house.earlier {
            // What cannot be read any more of a ledger that was set aside is missing here; its successor says so.
            let _ = self.of_log(tenant, earlier, (secret, person), (week, &period), (u64::MAX, limit), list);
        }
        Ok(())
    }

    fn of_log(
        &self,
        tenant: &Tenant,
        log: &Ledger,
        (secret, person): (&LogSecret, PersonId),
        (week, period): (u32, &Period),
        (before, limit): (u64, usize),
        list: &mut Vec<Access>,
    ) -> Result<(), Fault> {
        let subject = secret.subject_ref(week);
        let left = limit.saturating_sub(list.len());
        for index in log.touched(&subject, before, left).map_err(|_| Fault::LedgerDamaged)? {
            let Some(leaf) = log.leaf(index).map_err(|_| Fault::LedgerDamaged)? else { continue };
            let body = seal::trail::open_metadata(&period.key, &leaf)?;
            let metadata: Metadata = trail::decode(&body)?;
            let Some(part) = metadata.subjects.iter().position(|one| *one == subject) else { continue };
            let detail = read_detail(log, secret, week, &leaf, index, part)?;
            if detail.as_ref().is_some_and(|detail| detail.person != person) {
                continue;
            }
            list.push(self.in_words(tenant, log, index, &metadata, detail));
        }
        Ok(())
    }

    fn in_words(
        &self,
        tenant: &Tenant,
        log: &Ledger,
        entry: u64,
        metadata: &Metadata,
        detail: Option<SubjectDetail>,
    ) -> Access {
        let config = tenant.live().config.clone();
        let purpose = config.purpose_by_id(model::PurposeId(metadata.purpose));
        let (mut role, mut actor, mut fields) = (None, String::new(), Vec::new());
        if let Some(detail) = detail {
            role = Some(detail.role);
            if detail.role != Role::Person {
                actor = self.key_card(tenant, detail.actor).map_or_else(String::new, |card| card.name);
            }
            let named = |(id, outcome)| config.field_by_id(id).map(|field| (field.name.clone(), outcome));
            fields = detail.fields.into_iter().filter_map(named).collect();
        }
        Access {
            log: log.origin().to_owned(),
            entry,
            event: metadata.event,
            at: metadata.at,
            purpose: purpose.map_or_else(String::new, |one| one.title.clone()),
            recipient: config.recipient_title(model::RecipientId(metadata.recipient)).to_owned(),
            role,
            actor,
            fields,
        }
    }
}

/// A look at what is kept about a person besides her values, decided on and ready to be logged.
pub(crate) struct Looked {
    pub(crate) entry: trail::Sealed,
    pub(crate) seen: Seen,
    at: Timestamp,
    created: Timestamp,
    secret: LogSecret,
}

/// Seals the entry of a look that is allowed; `None` when there is no such person, or one who is erased.
pub(crate) fn look(
    house: &House,
    tenant: &Tenant,
    ctx: &Context,
    event: Event,
    id: PersonId,
) -> Result<Option<Looked>, Fault> {
    let at = house.clock.now()?;
    let mut seen = Seen::begin(house, tenant);
    let person = Person::read(&house.store.snapshot()?, tenant.id, id)?;
    let Some(person) = person.filter(|one| one.row.state == PersonState::Live) else { return Ok(None) };
    seen.on(&person);
    let secret = person.log_secret(tenant)?.ok_or(Fault::Corrupt)?;
    let metadata = Metadata::of(event, at, ctx.request, Verdict::Permit);
    let actor = &ctx.actor.principal;
    let detail = SubjectDetail { person: id, fields: Vec::new(), actor: actor.id, role: actor.role };
    let entry =
        trail::seal_entry(house, tenant, metadata, &[Subject { secret: &secret, detail }], &ctx.actor)?;
    Ok(Some(Looked { entry, seen, at, created: person.row.created, secret }))
}

/// The person's part of the identity layer; `None` when that layer was destroyed.
fn read_detail(
    log: &Ledger,
    secret: &LogSecret,
    week: u32,
    leaf: &[u8],
    index: u64,
    part: usize,
) -> Result<Option<SubjectDetail>, Fault> {
    let Some(identity) = log.identity(index).map_err(|_| Fault::LedgerDamaged)? else {
        return Ok(None);
    };
    let bytes = seal::trail::open_identity(secret, week, leaf, &identity, part)?;
    trail::decode(&bytes).map(Some)
}
