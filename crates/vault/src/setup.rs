//! Opening the vault, and opening a tenant in it.

use crate::Vault;
use crate::change;
use crate::config::TenantConfig;
use crate::fault::Fault;
use crate::house::{House, Parts};
use crate::keys::{self, NewKey, done};
use crate::steps::Step;
use crate::tenant::Tenant;
use arc_swap::ArcSwap;
use model::principal::Role;
use model::tenant::TenantState;
use model::token::ApiKey;
use model::{PrincipalId, TenantId};
use seal::TenantKey;
use std::collections::HashMap;
use std::sync::Arc;
use store::{DataOp, KeyOp, Sealed, SubKeyKind, SubKeyRow, TenantKeyRow, TenantRow};

/// Why a tenant was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TenantError {
    /// No such tenant.
    #[error("unknown tenant")]
    Unknown,
    /// A role that an operator cannot hand out.
    #[error("this role needs a person or belongs to the house")]
    Role,
    /// The name is empty or too long.
    #[error("the name is empty or longer than 200 bytes")]
    Name,
    /// A fault of the house.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// A new tenant with its first key, of role `admin`.
#[derive(Debug)]
pub struct NewTenant {
    /// The tenant.
    pub tenant: TenantId,
    /// The principal of its first key.
    pub principal: PrincipalId,
    /// The first key; shown once.
    pub admin: ApiKey,
}

impl Vault {
    /// Opens the vault: every tenant's keys are unwrapped, and what an earlier run left in the outbox is shipped
    /// before the first request. Returns how many entries that were.
    pub async fn open(parts: Parts) -> Result<(Self, usize), Fault> {
        let mut tenants = HashMap::new();
        let rows = parts.store.snapshot()?.tenants()?;
        for row in rows {
            let tenant = Tenant::open(&parts.store, &parts.root, &parts.shred, &row, &*parts.entropy)?;
            tenants.insert(row.tenant, Arc::new(tenant));
        }
        let house = Arc::new(House {
            run: model::clock::random(&*parts.entropy),
            opened: model::Clock::now(&*parts.clock),
            store: parts.store,
            earlier: parts.ledger.earlier(),
            ledger: parts.ledger,
            root: parts.root,
            signing: parts.signing,
            clock: parts.clock,
            entropy: parts.entropy,
            shred: parts.shred,
            horizon_days: parts.horizon_days,
            tenants: ArcSwap::from_pointee(tenants),
            actors: keys::ActorCache::default(),
            shipped: change::Shipped::default(),
            views: crate::view::Views::default(),
            waiting: crate::submit::Waiting::default(),
            steps: parts.steps,
        });
        let left = change::reconcile_all(&house).await?;
        Ok((Self { house }, left))
    }

    /// Opens a tenant: its keys, its first epoch, an empty configuration, its first admin key. This is an act of the
    /// operator at the console of the machine; nobody can ask for it over the network.
    pub async fn create_tenant(&self, name: &str) -> Result<NewTenant, TenantError> {
        if name.is_empty() || name.len() > 200 {
            return Err(TenantError::Name);
        }
        let house = &self.house;
        let now = house.clock.now()?;
        let tenant = TenantId::fresh(&*house.clock, &*house.entropy);
        let number = u32::from_be_bytes(model::clock::random(&*house.entropy));
        let key = TenantKey::generate(tenant, 1, &*house.entropy);
        let (metadata, wrapped_metadata) = key.new_metadata(&*house.entropy).map_err(Fault::from)?;
        let config = TenantConfig { name: name.to_owned(), ..TenantConfig::default() };
        let document = crate::declare::config_row(house, tenant, &metadata, &config, 1)
            .map_err(|_| TenantError::Fault(Fault::Corrupt))?;
        let put = DataOp::PutDocument { row: document, expected_absent: true };
        done(house.store.apply_data("open_tenant", vec![put]).await)?;
        house.step(Step::TenantWritten);
        let row = TenantRow {
            tenant,
            number,
            state: TenantState::Active,
            version: 1,
            config_version: 1,
            created: now,
        };
        let wrapped = Sealed(key.wrap(&house.root, &*house.entropy).map_err(Fault::from)?);
        let ops = vec![
            KeyOp::InsertTenant(row),
            KeyOp::InsertTenantKey(TenantKeyRow { tenant, root: house.root.id().0, key_version: 1, wrapped }),
            KeyOp::InsertSubKey(SubKeyRow {
                tenant,
                kind: SubKeyKind::Metadata,
                number: 0,
                generation: 0,
                wrapped: Sealed(wrapped_metadata),
            }),
        ];
        done(house.store.apply_keys("open_tenant", ops).await)?;
        house.step(Step::TenantCommitted);
        let opened = Arc::new(Tenant::open(&house.store, &house.root, &house.shred, &row, &*house.entropy)?);
        opened.current_epoch(house, now)?;
        house.enter(opened.clone());
        let new = NewKey {
            name: "first admin".to_owned(),
            role: Role::Admin,
            subject: None,
            expires: None,
            zone: Vec::new(),
        };
        let (principal, admin) = self.first_key(&opened, &new).await?;
        Ok(NewTenant { tenant, principal, admin })
    }

    /// A further key of a tenant by the operator at the console of the machine, for when every admin key is lost.
    /// Nobody can ask for it over the network, and the ledger shows it like any other.
    pub async fn issue_operator_key(
        &self,
        tenant: TenantId,
        name: &str,
        role: Role,
    ) -> Result<ApiKey, TenantError> {
        let opened = self.house.tenant(tenant).ok_or(TenantError::Unknown)?;
        if matches!(role, Role::Person | Role::System) {
            return Err(TenantError::Role);
        }
        let new = NewKey { name: name.to_owned(), role, subject: None, expires: None, zone: Vec::new() };
        Ok(self.first_key(&opened, &new).await?.1)
    }

    /// The first key of a tenant, by the operator; all others are issued by somebody who holds one.
    async fn first_key(
        &self,
        tenant: &Arc<Tenant>,
        new: &NewKey,
    ) -> Result<(PrincipalId, ApiKey), TenantError> {
        let house = &self.house;
        let (row, secret) = keys::make(house, tenant, new).await?;
        let principal = row.principal;
        let actor = keys::actor_of(house, tenant, &row)?;
        let request = self.new_request();
        let metadata = crate::trail::Metadata::of(
            crate::trail::Event::TenantOpened,
            house.clock.now()?,
            request,
            crate::trail::Verdict::Permit,
        );
        let entry = crate::trail::seal_entry(house, tenant, metadata, &[], &actor)?;
        let ops = vec![KeyOp::InsertPrincipal(row)];
        let steps = [Step::FirstKeyCommitted, Step::FirstKeyShipped];
        let change = change::Change { name: "first_key", tenant: tenant.id, actor: None, ops, entry, steps };
        change::commit(house, change).await?.map_err(|_| Fault::Busy)?;
        Ok((principal, secret))
    }
}
