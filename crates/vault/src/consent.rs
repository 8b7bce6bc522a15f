//! Consent: ask, show, give, refuse, withdraw. One purpose and one recipient per record; the digest of the exact
//! bytes shown is part of what is given, and a consent cannot be given to a notice that was not shown.
//!
//! Each event is an immutable sealed document under a random version that names the one before it; the row in the
//! key file points to the latest. A document that a crash or a lost race left unpointed-at is therefore no event.

mod moves;

use crate::accesses::{Looked, look};
use crate::change::Logged;
use crate::config::document;
use crate::fault::Fault;
use crate::people::Person;
use crate::seen::{Stand, TRIES};
use crate::steps::Step;
use crate::tenant::{Live, Tenant};
use crate::trail::{self, Event};
use crate::{Context, Vault};
use model::consent::{ConsentEvent, ConsentState};
use model::decision::{Action, Reason, allowed};
use model::{ConsentId, NoticeId, PersonId, PrincipalId, PurposeId, TenantId, Timestamp};
use moves::{Move, commit};
use seal::{DocumentPlace, PersonKeys};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::{ConsentRow, PersonState, Snapshot};

/// After so many events of one record nothing is given to it any more; it can still be refused and withdrawn. Someone who
/// changes her mind so often is asked anew.
pub const MAX_EVENTS: u32 = 1_000;
/// After so many events a notice is not noted as shown again, so that there is always room for answers.
const MAX_SHOWN: u32 = 900;
/// Most records of one person.
pub const MAX_RECORDS: usize = 1_000;
/// Longest term of a consent in days.
pub const MAX_DAYS: u32 = 3_650;

/// Who is asked for what.
#[derive(Clone, Debug)]
pub struct AskRequest {
    /// The person.
    pub person: PersonId,
    /// Name of the purpose.
    pub purpose: String,
    /// Name of the recipient; none is the tenant itself.
    pub recipient: Option<String>,
    /// The notice that will be shown.
    pub notice: NoticeId,
    /// For how many days it is asked, at most [`MAX_DAYS`].
    pub days: Option<u32>,
}

/// A consent record as people see it.
#[derive(Clone, Debug)]
pub struct Consent {
    /// The record.
    pub id: ConsentId,
    /// The person.
    pub person: PersonId,
    /// Name of the purpose.
    pub purpose: String,
    /// How the recipient is called.
    pub recipient: String,
    /// Where it stands; a term that is over reads as expired.
    pub state: ConsentState,
    /// When its term ends.
    pub until: Option<Timestamp>,
    /// The notice.
    pub notice: NoticeId,
    /// Its version.
    pub notice_version: u32,
    /// Its events, oldest first.
    pub events: Vec<RecordedEvent>,
}

/// One event of a record, as it is sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedEvent {
    /// What happened.
    pub event: ConsentEvent,
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub actor: PrincipalId,
    /// For a notice shown and for an answer: language and SHA-256 of the exact bytes.
    pub shown: Option<Shown>,
    /// The term that was asked for or given, in days.
    pub days: Option<u32>,
    /// Its place in the history, counted from 1.
    pub number: u32,
    /// The document before this one; 0 for the first.
    previous: u32,
}

/// What was shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Language tag (BCP 47).
    pub language: String,
    /// SHA-256 of the bytes.
    pub digest: [u8; 32],
}

/// The notice as it has to be shown, byte for byte.
#[derive(Clone, Debug)]
pub struct NoticeShown {
    /// The record.
    pub consent: ConsentId,
    /// Its language.
    pub language: String,
    /// Its bytes.
    pub text: String,
    /// SHA-256 of the bytes, to be handed back with the answer.
    pub digest: [u8; 32],
    /// How far the trail has come; `None` when the same was shown last already, and nothing had to be noted.
    pub logged: Option<Logged>,
}

/// What became of a record.
#[derive(Clone, Copy, Debug)]
pub struct ConsentChanged {
    /// The record.
    pub consent: ConsentId,
    /// Where it stands now.
    pub state: ConsentState,
    /// When its term ends.
    pub until: Option<Timestamp>,
    /// How far the trail has come.
    pub logged: Logged,
}

/// Why a consent record did not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConsentError {
    /// The decision refused it.
    #[error("not permitted")]
    Denied(Reason),
    /// No such record, or the person is erased.
    #[error("unknown consent record")]
    Unknown,
    /// No such person.
    #[error("unknown person")]
    UnknownPerson,
    /// No such purpose, or it does not rest on consent.
    #[error("the purpose is unknown or does not rest on consent")]
    Purpose,
    /// The purpose does not declare this recipient.
    #[error("the purpose does not declare this recipient")]
    Recipient,
    /// No such notice, or not in this language.
    #[error("unknown notice or language")]
    Notice,
    /// The term is zero or too long.
    #[error("the term is zero or too long")]
    Term,
    /// What is answered was not shown, or other bytes were shown.
    #[error("the notice was not shown")]
    NotShown,
    /// The record's state does not allow this step.
    #[error("the state of the record does not allow this")]
    State,
    /// The record has too many events.
    #[error("too many events")]
    TooMany,
    /// The facts changed again and again meanwhile.
    #[error("the facts changed meanwhile")]
    Changed,
    /// A fault of the house.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<store::StoreError> for ConsentError {
    fn from(error: store::StoreError) -> Self {
        Self::Fault(error.into())
    }
}

impl From<seal::SealError> for ConsentError {
    fn from(error: seal::SealError) -> Self {
        Self::Fault(error.into())
    }
}

/// How the person answers.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Yes, to the notice with this digest, for so many days at most.
    Give {
        /// SHA-256 of the bytes that were shown.
        digest: [u8; 32],
        /// A shorter term than asked for.
        days: Option<u32>,
    },
    /// No.
    Refuse,
    /// No longer.
    Withdraw,
}

impl Vault {
    /// Asks a person for a consent. Opens a record in the state `requested`.
    pub async fn ask_consent(
        &self,
        ctx: &Context,
        tenant: TenantId,
        ask: &AskRequest,
    ) -> Result<ConsentChanged, ConsentError> {
        let opened = self.house.tenant(tenant).ok_or(ConsentError::Denied(Reason::WrongTenant))?;
        let live = opened.live();
        allowed(&ctx.actor.principal, Action::AskConsent, tenant, Some(ask.person), Some(live.state))
            .map_err(ConsentError::Denied)?;
        self.house.ledger_ready()?;
        let row = self.new_record(&live, tenant, ask)?;
        if self.house.store.snapshot()?.consents_of(tenant, ask.person)?.len() >= MAX_RECORDS {
            return Err(ConsentError::TooMany);
        }
        let event = self.event(ctx, ConsentEvent::Request, None, ask.days)?;
        for _ in 0..crate::put::TRIES {
            let steps = [Step::AskCommitted, Step::AskShipped];
            let step = Move { name: "ask_consent", steps, event: event.clone(), row, fresh: true };
            if let Some(changed) = commit(&self.house, &opened, ctx, step).await? {
                return Ok(changed);
            }
        }
        Err(Fault::Busy.into())
    }

    /// The notice of a record in `language`, noted as shown. Only the person herself can be shown it.
    pub async fn show_notice(
        &self,
        ctx: &Context,
        tenant: TenantId,
        consent: ConsentId,
        language: &str,
    ) -> Result<NoticeShown, ConsentError> {
        for _ in 0..crate::put::TRIES {
            let (opened, row) = self.own_record(ctx, tenant, consent, Action::ShowConsent)?;
            let live = opened.live();
            let notice = live.config.notice(row.notice).ok_or(ConsentError::Notice)?;
            let text = notice.text(row.notice_version, language).ok_or(ConsentError::Notice)?.to_owned();
            let digest = seal::sha256(text.as_bytes());
            let shown = Shown { language: language.to_owned(), digest };
            let notice = |logged| {
                let (language, text) = (language.to_owned(), text.clone());
                NoticeShown { consent, language, text, digest, logged }
            };
            let latest = self.latest(&opened, &row)?;
            if latest.event == ConsentEvent::Show && latest.shown.as_ref() == Some(&shown) {
                return Ok(notice(None));
            }
            if latest.number >= MAX_SHOWN {
                return Err(ConsentError::TooMany);
            }
            let event = self.event(ctx, ConsentEvent::Show, Some(shown), None)?;
            let steps = [Step::ShowCommitted, Step::ShowShipped];
            let step = Move { name: "show_notice", steps, event, row, fresh: false };
            if let Some(changed) = commit(&self.house, &opened, ctx, step).await? {
                return Ok(notice(Some(changed.logged)));
            }
        }
        Err(Fault::Busy.into())
    }

    /// The person's answer. A withdrawal works also while the ledger cannot be written; when this returns, the next
    /// decision says no.
    pub async fn answer_consent(
        &self,
        ctx: &Context,
        tenant: TenantId,
        consent: ConsentId,
        answer: Answer,
    ) -> Result<ConsentChanged, ConsentError> {
        let (name, steps) = match answer {
            Answer::Give { .. } => ("give_consent", [Step::GiveCommitted, Step::GiveShipped]),
            Answer::Refuse => ("refuse_consent", [Step::RefuseCommitted, Step::RefuseShipped]),
            Answer::Withdraw => ("withdraw_consent", [Step::WithdrawCommitted, Step::WithdrawShipped]),
        };
        let (action, kind) = match answer {
            Answer::Give { .. } => (Action::AnswerConsent, ConsentEvent::Give),
            Answer::Refuse => (Action::AnswerConsent, ConsentEvent::Refuse),
            Answer::Withdraw => (Action::Withdraw, ConsentEvent::Withdraw),
        };
        for _ in 0..crate::put::TRIES {
            let (opened, mut row) = self.own_record(ctx, tenant, consent, action)?;
            let mut event = self.event(ctx, kind, None, None)?;
            if let Answer::Give { digest, days } = answer {
                let history = self.history(&opened, &row)?;
                if history.last().is_some_and(|last| last.number >= MAX_EVENTS) {
                    return Err(ConsentError::TooMany);
                }
                let was_shown = |one: &RecordedEvent| {
                    one.event == ConsentEvent::Show
                        && one.shown.as_ref().is_some_and(|shown| shown.digest == digest)
                };
                let seen = history.iter().rev().find(|one| was_shown(one)).ok_or(ConsentError::NotShown)?;
                let asked = history.first().and_then(|first| first.days);
                let days = shorter(asked, days)?;
                event.shown = seen.shown.clone();
                event.days = days;
                row.until = days.map(|days| event.at.plus_days(days));
                row.explicit = true;
            }
            let step = Move { name, steps, event, row, fresh: false };
            if let Some(changed) = commit(&self.house, &opened, ctx, step).await? {
                return Ok(changed);
            }
        }
        Err(Fault::Busy.into())
    }

    /// The consent records of a person, with their events. What somebody was asked tells of her, so it is read in the
    /// read order like her values.
    pub async fn consents(
        &self,
        ctx: &Context,
        tenant: TenantId,
        person: PersonId,
    ) -> Result<Vec<Consent>, ConsentError> {
        let house = &self.house;
        let opened = house.tenant(tenant).ok_or(ConsentError::Denied(Reason::WrongTenant))?;
        let state = Some(opened.live().state);
        allowed(&ctx.actor.principal, Action::ListConsents, tenant, Some(person), state)
            .map_err(ConsentError::Denied)?;
        house.ledger_ready()?;
        for _ in 0..TRIES {
            let looked = look(house, &opened, ctx, Event::ConsentsListed, person)?;
            let Looked { entry, seen, .. } = looked.ok_or(ConsentError::UnknownPerson)?;
            house.ledger.append(entry.into()).await.map_err(Fault::from)?;
            house.step(Step::ReadAppended);
            let stand = match seen.stand(house, &opened, &ctx.actor)? {
                Stand::Yes => match self.read_consents(&opened, person) {
                    Ok(list) => return Ok(list),
                    Err(error) => match seen.stand(house, &opened, &ctx.actor)? {
                        Stand::Yes => return Err(error),
                        other => other,
                    },
                },
                other => other,
            };
            self.note_not_released(ctx, tenant, PurposeId(0)).await?;
            if stand == Stand::Revoked {
                return Err(Fault::Revoked.into());
            }
        }
        Err(ConsentError::Changed)
    }

    pub(crate) fn read_consents(
        &self,
        opened: &Tenant,
        person: PersonId,
    ) -> Result<Vec<Consent>, ConsentError> {
        let now = self.house.clock.now()?;
        let live = opened.live();
        let rows = self.house.store.snapshot()?.consents_of(opened.id, person)?;
        let mut consents = Vec::with_capacity(rows.len());
        for row in rows {
            let purpose =
                live.config.purpose_by_id(row.purpose).map_or_else(String::new, |one| one.name.clone());
            consents.push(Consent {
                id: row.consent,
                person,
                purpose,
                recipient: live.config.recipient_title(row.recipient).to_owned(),
                state: row.state.at(row.until, now),
                until: row.until,
                notice: row.notice,
                notice_version: row.notice_version,
                events: self.history(opened, &row)?,
            });
        }
        Ok(consents)
    }

    fn new_record(
        &self,
        live: &Live,
        tenant: TenantId,
        ask: &AskRequest,
    ) -> Result<ConsentRow, ConsentError> {
        let purpose = live.config.purpose(&ask.purpose).filter(|one| one.current);
        let purpose = purpose.filter(|one| one.needs_consent(true)).ok_or(ConsentError::Purpose)?;
        let recipient = live.config.recipient(ask.recipient.as_deref());
        let recipient = recipient.filter(|one| purpose.recipients.contains(one));
        let recipient = recipient.ok_or(ConsentError::Recipient)?;
        let notice = live.config.notice(ask.notice).ok_or(ConsentError::Notice)?;
        if ask.days.is_some_and(|days| days == 0 || days > MAX_DAYS) {
            return Err(ConsentError::Term);
        }
        Ok(ConsentRow {
            tenant,
            consent: ConsentId::fresh(&*self.house.clock, &*self.house.entropy),
            person: ask.person,
            purpose: purpose.id,
            edition: purpose.edition,
            recipient,
            state: ConsentState::Requested,
            version: 1,
            explicit: false,
            until: None,
            notice: ask.notice,
            notice_version: notice.latest_version(),
            event: 0,
            changed: self.house.clock.now()?,
        })
    }

    /// A record on which the actor may take this step.
    fn own_record(
        &self,
        ctx: &Context,
        tenant: TenantId,
        consent: ConsentId,
        action: Action,
    ) -> Result<(Arc<Tenant>, ConsentRow), ConsentError> {
        let opened = self.house.tenant(tenant).ok_or(ConsentError::Denied(Reason::WrongTenant))?;
        let state = Some(opened.live().state);
        let actor = &ctx.actor.principal;
        // Before the record is looked up, on nobody's record but her own: the answer must not tell which records are.
        allowed(actor, action, tenant, actor.subject, state).map_err(ConsentError::Denied)?;
        let row = self.house.store.snapshot()?.consent(tenant, consent)?.ok_or(ConsentError::Unknown)?;
        allowed(actor, action, tenant, Some(row.person), state).map_err(|_| ConsentError::Unknown)?;
        Ok((opened, row))
    }

    fn event(
        &self,
        ctx: &Context,
        event: ConsentEvent,
        shown: Option<Shown>,
        days: Option<u32>,
    ) -> Result<RecordedEvent, Fault> {
        let at = self.house.clock.now()?;
        Ok(RecordedEvent { event, at, actor: ctx.actor.principal.id, shown, days, number: 0, previous: 0 })
    }

    /// The events of a record, oldest first.
    fn history(&self, tenant: &Tenant, row: &ConsentRow) -> Result<Vec<RecordedEvent>, ConsentError> {
        let snapshot = self.house.store.snapshot()?;
        let person = Person::read(&snapshot, tenant.id, row.person)?.ok_or(ConsentError::Unknown)?;
        if person.row.state != PersonState::Live {
            return Err(ConsentError::Unknown);
        }
        let keys = person.keys(tenant)?;
        let mut events: Vec<RecordedEvent> = Vec::new();
        let mut version = row.event;
        while version != 0 {
            let event = read_event(&snapshot, &keys, row, version)?;
            // Each is one nearer to the first, so that no chain of documents leads in a circle.
            if events.last().is_some_and(|after| after.number != event.number + 1) {
                return Err(Fault::Corrupt.into());
            }
            version = event.previous;
            events.push(event);
        }
        events.reverse();
        Ok(events)
    }

    /// The latest event of a record.
    fn latest(&self, tenant: &Tenant, row: &ConsentRow) -> Result<RecordedEvent, ConsentError> {
        let snapshot = self.house.store.snapshot()?;
        let person = Person::read(&snapshot, tenant.id, row.person)?.ok_or(ConsentError::Unknown)?;
        if person.row.state != PersonState::Live {
            return Err(ConsentError::Unknown);
        }
        read_event(&snapshot, &person.keys(tenant)?, row, row.event)
    }
}

fn read_event(
    snapshot: &Snapshot,
    keys: &PersonKeys,
    row: &ConsentRow,
    version: u32,
) -> Result<RecordedEvent, ConsentError> {
    let place = event_place(row.tenant, row.consent, version);
    let sealed = snapshot.document(row.tenant, place.kind, place.id, version)?.ok_or(Fault::Corrupt)?;
    let bytes = seal::open_personal_document(keys, &place, row.person, &sealed.sealed.0)?;
    Ok(trail::decode(&bytes)?)
}

/// The shorter one of the term asked for and the term given.
fn shorter(asked: Option<u32>, given: Option<u32>) -> Result<Option<u32>, ConsentError> {
    if given.is_some_and(|days| days == 0 || days > MAX_DAYS) {
        return Err(ConsentError::Term);
    }
    Ok(match (asked, given) {
        (Some(asked), Some(given)) => Some(asked.min(given)),
        (one, other) => one.or(other),
    })
}

fn event_place(tenant: TenantId, consent: ConsentId, version: u32) -> DocumentPlace {
    DocumentPlace { tenant, kind: document::CONSENT_EVENT, id: consent.0, version }
}
