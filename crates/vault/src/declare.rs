//! Declarations: catalogue, purposes, recipients, notices. Each change is a whole new version of the tenant's sealed
//! configuration; old versions stay readable for old entries.

use crate::change::{self, Change, Logged};
use crate::config::{TenantConfig, document};
use crate::fault::{Applied, Fault, applied};
use crate::house::House;
use crate::steps::Step;
use crate::tenant::{Live, Tenant};
use crate::trail::{self, Event, Metadata, Verdict};
use crate::{Context, Vault, document_row};
use model::TenantId;
use model::catalogue::{CatalogueError, Field};
use model::decision::{Action, Reason, allowed};
use model::notice::{Notice, NoticeError};
use model::purpose::{Purpose, PurposeError, Recipient};
use seal::DocumentPlace;
use std::sync::Arc;
use store::{DataOp, KeyOp};

/// Why a declaration was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeclareError {
    /// The decision refused it.
    #[error("not permitted")]
    Denied(Reason),
    /// The catalogue contradicts itself or what is stored already.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// A field would be removed, or its category, type or compartment changed, though values may exist.
    #[error("field {0} exists already and cannot be changed in this way")]
    FieldFixed(usize),
    /// A purpose or recipient contradicts the catalogue or itself.
    #[error(transparent)]
    Purpose(#[from] PurposeError),
    /// A notice is not well formed.
    #[error(transparent)]
    Notice(#[from] NoticeError),
    /// All notices together are too large.
    #[error("too many or too large notices")]
    TooLarge,
    /// A fault of the house.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<store::StoreError> for DeclareError {
    fn from(error: store::StoreError) -> Self {
        Self::Fault(error.into())
    }
}

/// Largest configuration document in bytes.
pub const MAX_CONFIG: usize = 2 * 1024 * 1024;

impl Vault {
    /// Puts a catalogue in force. Fields can be added and their masks, tokens and limits changed; what is bound into
    /// stored ciphertexts (category, type, compartment) stays, and no field goes.
    pub async fn put_catalogue(
        &self,
        ctx: &Context,
        tenant: TenantId,
        fields: Vec<Field>,
    ) -> Result<Logged, DeclareError> {
        self.declare(ctx, tenant, Action::WriteCatalogue, |config| {
            model::catalogue::validate(&fields)?;
            for (index, old) in config.fields.iter().enumerate() {
                let same = |new: &&Field| {
                    new.id == old.id
                        && new.name == old.name
                        && new.category == old.category
                        && new.kind == old.kind
                        && new.compartment == old.compartment
                        && new.index == old.index
                };
                fields.iter().find(same).ok_or(DeclareError::FieldFixed(index))?;
            }
            config.fields.clone_from(&fields);
            Ok(())
        })
        .await
    }

    /// Puts purposes and recipients in force. A purpose that is left out is withdrawn: it stays known, and denies. One
    /// that may do more than before is a new edition, for which persons are asked anew.
    pub async fn put_purposes(
        &self,
        ctx: &Context,
        tenant: TenantId,
        recipients: Vec<Recipient>,
        purposes: Vec<Purpose>,
    ) -> Result<Logged, DeclareError> {
        self.declare(ctx, tenant, Action::WritePurposes, |config| {
            model::purpose::validate(&purposes, &recipients, &config.fields)?;
            let left_out = config.purposes.iter().filter(|old| !purposes.iter().any(|new| new.id == old.id));
            let mut all = purposes.clone();
            for new in &mut all {
                let old = config.purposes.iter().find(|old| old.id == new.id);
                new.edition = old.map_or(1, |old| old.edition + u32::from(new.outgrows(old)));
            }
            all.extend(left_out.cloned().map(|old| Purpose { current: false, ..old }));
            config.purposes = all;
            config.recipients.clone_from(&recipients);
            Ok(())
        })
        .await
    }

    /// Adds a notice, or a new version of one. Versions that exist stay byte for byte.
    pub async fn put_notice(
        &self,
        ctx: &Context,
        tenant: TenantId,
        notice: Notice,
    ) -> Result<Logged, DeclareError> {
        self.declare(ctx, tenant, Action::WriteNotices, |config| {
            notice.validate()?;
            match config.notices.iter_mut().find(|old| old.id == notice.id) {
                Some(old) => old.extend_with(&notice)?,
                None => config.notices.push(notice.clone()),
            }
            Ok(())
        })
        .await
    }

    /// The configuration in force, for whom the table allows it.
    pub fn configuration(
        &self,
        ctx: &Context,
        tenant: TenantId,
        action: Action,
    ) -> Result<Arc<TenantConfig>, DeclareError> {
        let opened = self.house.tenant(tenant).ok_or(DeclareError::Denied(Reason::WrongTenant))?;
        let live = opened.live();
        allowed(&ctx.actor.principal, action, tenant, ctx.actor.principal.subject, Some(live.state))
            .map_err(DeclareError::Denied)?;
        Ok(live.config.clone())
    }

    async fn declare(
        &self,
        ctx: &Context,
        tenant: TenantId,
        action: Action,
        edit: impl Fn(&mut TenantConfig) -> Result<(), DeclareError>,
    ) -> Result<Logged, DeclareError> {
        let house = &self.house;
        let opened = house.tenant(tenant).ok_or(DeclareError::Denied(Reason::WrongTenant))?;
        let _one = opened.configuring.lock().await;
        let live = opened.live();
        allowed(&ctx.actor.principal, action, tenant, None, Some(live.state))
            .map_err(DeclareError::Denied)?;
        let mut config = TenantConfig::clone(&live.config);
        edit(&mut config)?;
        let version = write_config(house, &opened, &config).await?;
        let metadata = Metadata::of(Event::Configure, house.clock.now()?, ctx.request, Verdict::Permit);
        let entry = trail::seal_entry(house, &opened, metadata, &[], &ctx.actor)?;
        let ops = vec![KeyOp::SetConfigVersion { tenant, expected: live.config_version, new: version }];
        let steps = [Step::DeclareCommitted, Step::DeclareShipped];
        let actor = Some(ctx.actor.principal.id);
        let change = Change { name: "declare", tenant, actor, ops, entry, steps };
        let logged = change::commit(house, change).await?.map_err(|_| Fault::Busy)?;
        let next = Live { config_version: version, config: Arc::new(config), ..Live::clone(&live) };
        opened.set_live(next);
        Ok(logged)
    }
}

/// Writes a configuration that nothing points to yet, above every version that lies there. Returns its version.
async fn write_config(house: &House, tenant: &Tenant, config: &TenantConfig) -> Result<u32, DeclareError> {
    let latest = house.store.snapshot()?.latest_document(tenant.id, document::CONFIG, [0; 16])?;
    let version = latest.map_or(0, |row| row.version) + 1;
    let row = config_row(house, tenant.id, &tenant.metadata, config, version)?;
    let put = DataOp::PutDocument { row, expected_absent: true };
    match applied(house.store.apply_data("write_config", vec![put]).await)? {
        Applied::Done => {
            house.step(Step::DeclareWritten);
            Ok(version)
        }
        Applied::Conflict(_) => Err(Fault::Busy.into()),
    }
}

pub(crate) fn config_row(
    house: &House,
    tenant: TenantId,
    metadata: &seal::MetadataKey,
    config: &TenantConfig,
    version: u32,
) -> Result<store::DocumentRow, DeclareError> {
    let place = DocumentPlace { tenant, kind: document::CONFIG, id: [0; 16], version };
    let body = serde_json::to_vec(config).map_err(|_| Fault::Corrupt)?;
    if body.len() > MAX_CONFIG {
        return Err(DeclareError::TooLarge);
    }
    let sealed = metadata.seal_document(&place, &body, &*house.entropy).map_err(Fault::from)?;
    Ok(document_row(&place, sealed, house))
}
