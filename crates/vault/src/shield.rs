//! Who excluded rules of the shield: the trail of a change that lies outside the vault.
//!
//! The exclusions themselves stand in a file of the house, since the gateway needs them before the house is open, and hold
//! nothing of a person. What the vault adds is that none comes into force without an entry: the entry is committed first,
//! then the file is written; where that fails, a second entry says that nothing was changed.

use crate::change::{self, Change, Logged};
use crate::fault::Fault;
use crate::keys::read_card;
use crate::steps::Step;
use crate::trail::{self, Event, Metadata, Verdict};
use crate::{Context, Vault};
use model::decision::{Action, Reason, allowed};
use model::{PrincipalId, TenantId};

/// Why a change of the shield was not entered, or nothing of it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShieldError {
    /// The decision refused it.
    #[error("not permitted")]
    Denied(Reason),
    /// A fault of the house.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// A change of the shield's exclusions, as its entry counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShieldChange {
    /// So many exclusions are set.
    pub set: u32,
    /// So many are lifted.
    pub lifted: u32,
    /// Whether it comes into force; else the entry says that an earlier one of the same request did not.
    pub takes: bool,
}

impl Vault {
    /// Whether `action` on the shield is allowed.
    ///
    /// # Errors
    /// [`ShieldError::Denied`] where it is not.
    pub fn may_shield(&self, ctx: &Context, tenant: TenantId, action: Action) -> Result<(), ShieldError> {
        let state = self.tenant_state(tenant).ok_or(ShieldError::Denied(Reason::WrongTenant))?;
        allowed(&ctx.actor.principal, action, tenant, None, Some(state)).map_err(ShieldError::Denied)
    }

    /// Enters a change of the shield, before it is made. In the entry, `released` counts what is set and `refused` what is
    /// lifted.
    ///
    /// # Errors
    /// When the role may not, the key was revoked meanwhile, or the store cannot be written.
    pub async fn enter_shield_change(
        &self,
        ctx: &Context,
        tenant: TenantId,
        what: ShieldChange,
    ) -> Result<Logged, ShieldError> {
        let house = &self.house;
        let opened = house.tenant(tenant).ok_or(ShieldError::Denied(Reason::WrongTenant))?;
        self.may_shield(ctx, tenant, Action::ExcludeRules)?;
        let verdict = if what.takes { Verdict::Permit } else { Verdict::Deny };
        let mut metadata = Metadata::of(Event::Shield, house.clock.now()?, ctx.request, verdict);
        (metadata.released, metadata.refused) = (what.set, what.lifted);
        let entry = trail::seal_entry(house, &opened, metadata, &[], &ctx.actor)?;
        let steps = [Step::ShieldCommitted, Step::ShieldShipped];
        let actor = Some(ctx.actor.principal.id);
        let change = Change { name: "shield", tenant, actor, ops: Vec::new(), entry, steps };
        Ok(change::commit(house, change).await?.map_err(|_| Fault::Busy)?)
    }

    /// The names under which principals are listed, for who may see the shield's exclusions; `None` for one who is not known
    /// here. Blocks on the disk.
    ///
    /// # Errors
    /// [`ShieldError::Denied`] where the role may not.
    pub fn names_of(
        &self,
        ctx: &Context,
        tenant: TenantId,
        principals: &[PrincipalId],
    ) -> Result<Vec<Option<String>>, ShieldError> {
        self.may_shield(ctx, tenant, Action::ReadAttacks)?;
        let opened = self.house.tenant(tenant).ok_or(ShieldError::Denied(Reason::WrongTenant))?;
        let name = |one: &PrincipalId| read_card(&self.house, &opened, *one).ok().map(|card| card.name);
        Ok(principals.iter().map(name).collect())
    }
}
