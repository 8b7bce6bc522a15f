//! Restriction of processing (GDPR Art. 18) and objection (Art. 21).

use crate::change::{self, Change, Logged};
use crate::fault::Fault;
use crate::people::{LIMITED, Person};
use crate::steps::Step;
use crate::trail::{self, Event, Metadata, Outcome, Subject, SubjectDetail, Verdict};
use crate::{Context, Vault};
use model::decision::{Action, Reason, allowed};
use model::{FieldId, PersonId, PurposeId, TenantId};
use store::{KeyOp, LimitKind, LimitRow, PersonState};

/// What is to be limited, or no longer.
#[derive(Clone, Debug)]
pub enum Limit {
    /// Restriction of all fields, or of the named ones.
    Restriction(Vec<String>),
    /// Objection against a purpose.
    Objection(String),
    /// A legal hold, which stops erasure and retention, never reading.
    Hold,
}

/// Why nothing was limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestrictError {
    /// The decision refused it.
    #[error("not permitted")]
    Denied(Reason),
    /// No such person, or one who is erased.
    #[error("unknown person")]
    UnknownPerson,
    /// No such field.
    #[error("unknown field")]
    UnknownField,
    /// No such purpose.
    #[error("unknown purpose")]
    UnknownPurpose,
    /// A fault of the house.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<store::StoreError> for RestrictError {
    fn from(error: store::StoreError) -> Self {
        Self::Fault(error.into())
    }
}

impl Vault {
    /// Sets a limit or lifts it. Setting one that stands, or lifting one that does not, changes nothing and is
    /// answered alike. Works also while the ledger cannot be written.
    pub async fn limit(
        &self,
        ctx: &Context,
        tenant: TenantId,
        id: PersonId,
        limit: &Limit,
        active: bool,
    ) -> Result<Logged, RestrictError> {
        let house = &self.house;
        let opened = house.tenant(tenant).ok_or(RestrictError::Denied(Reason::WrongTenant))?;
        let live = opened.live();
        let action = match limit {
            Limit::Hold => Action::Hold,
            _ if !active => Action::Lift,
            Limit::Restriction(_) => Action::Restrict,
            Limit::Objection(_) => Action::Object,
        };
        allowed(&ctx.actor.principal, action, tenant, Some(id), Some(live.state))
            .map_err(RestrictError::Denied)?;
        let wanted = wanted(&live.config, limit)?;
        for _ in 0..crate::put::TRIES {
            let now = house.clock.now()?;
            let (person, standing) = {
                let snapshot = house.store.snapshot()?;
                let person = Person::read(&snapshot, tenant, id)?.ok_or(RestrictError::UnknownPerson)?;
                (person, snapshot.limits_of(tenant, id)?)
            };
            if person.row.state != PersonState::Live {
                return Err(RestrictError::UnknownPerson);
            }
            let is_wanted = |row: &LimitRow, one: &(LimitKind, FieldId, PurposeId)| {
                (row.kind, row.field, row.purpose) == *one
            };
            let keys = person.keys(&opened)?;
            let mut ops = Vec::new();
            let mut left = standing.len();
            for one in &wanted {
                let stands = standing.iter().any(|row| is_wanted(row, one));
                let (kind, field, purpose) = *one;
                if active && !stands {
                    let row = LimitRow { tenant, person: id, kind, field, purpose, set: now };
                    ops.push(KeyOp::InsertLimit(row));
                    left += 1;
                } else if !active && stands {
                    ops.push(KeyOp::DeleteLimit { tenant, person: id, kind, field, purpose });
                    left -= 1;
                }
            }
            let flags = if left > 0 { person.row.flags | LIMITED } else { person.row.flags & !LIMITED };
            ops.insert(0, person.rewrapped(house, &opened, &keys, Some(flags))?);
            let event = if matches!(limit, Limit::Objection(_)) { Event::Object } else { Event::Restrict };
            let mut metadata = Metadata::of(event, now, ctx.request, Verdict::Permit);
            metadata.released = u32::from(active);
            let actor = &ctx.actor.principal;
            let fields = wanted.iter().map(|one| (one.1, Outcome::Deny)).collect();
            let detail = SubjectDetail { person: id, fields, actor: actor.id, role: actor.role };
            let subject = [Subject { secret: keys.log_secret(), detail }];
            let entry = trail::seal_entry(house, &opened, metadata, &subject, &ctx.actor)?;
            let steps = [Step::LimitCommitted, Step::LimitShipped];
            let actor = Some(actor.id);
            let change = Change { name: "limit_person", tenant, actor, ops, entry, steps };
            if let Ok(logged) = change::commit(house, change).await? {
                return Ok(logged);
            }
        }
        Err(Fault::Busy.into())
    }
}

fn wanted(
    config: &crate::TenantConfig,
    limit: &Limit,
) -> Result<Vec<(LimitKind, FieldId, PurposeId)>, RestrictError> {
    match limit {
        Limit::Restriction(names) if names.is_empty() => {
            Ok(vec![(LimitKind::Restriction, FieldId(0), PurposeId(0))])
        }
        Limit::Restriction(names) => names
            .iter()
            .map(|name| config.field(name).map(|field| (LimitKind::Restriction, field.id, PurposeId(0))))
            .collect::<Option<Vec<_>>>()
            .ok_or(RestrictError::UnknownField),
        Limit::Objection(name) => {
            let purpose = config.purpose(name).ok_or(RestrictError::UnknownPurpose)?;
            Ok(vec![(LimitKind::Objection, FieldId(0), purpose.id)])
        }
        Limit::Hold => Ok(vec![(LimitKind::Hold, FieldId(0), PurposeId(0))]),
    }
}
