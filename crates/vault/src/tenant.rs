//! One opened tenant: its keys as handles, its configuration, its state.

use crate::config::{REF_FIELD, TenantConfig, document};
use crate::fault::Fault;
use crate::house::House;
use crate::steps::Step;
use arc_swap::ArcSwap;
use model::tenant::TenantState;
use model::{FieldId, TenantId, Timestamp};
use parking_lot::{Mutex, RwLock};
use seal::{DocumentPlace, EpochKey, IndexId, IndexKey, MetadataKey, PeriodKey, ShredStore, TenantKey};
use std::collections::HashMap;
use std::sync::Arc;
use store::{KeyOp, Sealed, SubKeyKind};

/// A tenant with its keys in memory. Handles only: no key byte is reachable from here.
pub(crate) struct Tenant {
    pub(crate) id: TenantId,
    pub(crate) number: u32,
    pub(crate) metadata: MetadataKey,
    pub(crate) shred: ShredStore,
    key: TenantKey,
    indexes: RwLock<HashMap<u16, Arc<IndexKey>>>,
    periods: RwLock<HashMap<u32, Arc<Period>>>,
    live: ArcSwap<Live>,
    /// One change of the configuration at a time; readers never wait.
    pub(crate) configuring: tokio::sync::Mutex<()>,
    creating: Mutex<()>,
}

/// What changes in a tenant's life.
#[derive(Clone)]
pub(crate) struct Live {
    pub(crate) state: TenantState,
    pub(crate) version: u32,
    pub(crate) config_version: u32,
    pub(crate) config: Arc<TenantConfig>,
}

/// A ledger period key with its generation.
pub(crate) struct Period {
    pub(crate) key: PeriodKey,
    pub(crate) generation: u16,
}

impl Tenant {
    /// Opens a tenant from its rows.
    pub(crate) fn open(
        store: &store::Store,
        root: &Arc<seal::Root>,
        shred: &crate::house::ShredPlaces,
        row: &store::TenantRow,
        entropy: &dyn model::Entropy,
    ) -> Result<Self, Fault> {
        let snapshot = store.snapshot()?;
        let wrapped = snapshot.tenant_keys(row.tenant)?;
        let mine = wrapped.iter().find(|one| one.root == root.id().0).ok_or(Fault::Corrupt)?;
        let key = TenantKey::unwrap(root, row.tenant, mine.key_version, &mine.wrapped.0)?;
        let holders = shred.holders.to_vec();
        let shred = ShredStore::open(&holders, &shred.escrow, row.tenant, root, entropy)
            .map_err(|_| Fault::ShredStore)?;
        let mut metadata = None;
        let (mut indexes, mut periods) = (HashMap::new(), HashMap::new());
        for sub in snapshot.sub_keys(row.tenant)? {
            match sub.kind {
                SubKeyKind::Metadata => metadata = Some(key.open_metadata(&sub.wrapped.0)?),
                SubKeyKind::Index => {
                    let number = u16::try_from(sub.number).map_err(|_| Fault::Corrupt)?;
                    let epoch = shred.key(u32::from(sub.generation)).ok_or(Fault::Corrupt)?;
                    let wrap = epoch.held_index(IndexId(number), &sub.wrapped.0)?;
                    indexes.insert(number, Arc::new(key.open_index(IndexId(number), &wrap)?));
                }
                SubKeyKind::Period => {
                    let opened = key.open_period(sub.number, sub.generation, &sub.wrapped.0)?;
                    let period = Arc::new(Period { key: opened, generation: sub.generation });
                    periods.insert(sub.number, period);
                }
            }
        }
        let metadata = metadata.ok_or(Fault::Corrupt)?;
        let config = read_config(&snapshot, &metadata, row.tenant, row.config_version)?;
        let live = Live {
            state: row.state,
            version: row.version,
            config_version: row.config_version,
            config: Arc::new(config),
        };
        Ok(Self {
            id: row.tenant,
            number: row.number,
            metadata,
            shred,
            key,
            indexes: RwLock::new(indexes),
            periods: RwLock::new(periods),
            live: ArcSwap::from_pointee(live),
            configuring: tokio::sync::Mutex::new(()),
            creating: Mutex::new(()),
        })
    }

    /// State, versions and configuration as of now.
    pub(crate) fn live(&self) -> Arc<Live> {
        self.live.load_full()
    }

    /// Puts a committed configuration or state in force, before its change is acknowledged.
    pub(crate) fn set_live(&self, live: Live) {
        self.live.store(Arc::new(live));
    }

    /// The key for the log secrets of principals and other small things of the tenant.
    pub(crate) fn key(&self) -> &TenantKey {
        &self.key
    }

    /// The ledger period key of `week`, made when the week's first entry is sealed.
    pub(crate) fn period(&self, house: &House, week: u32) -> Result<Arc<Period>, Fault> {
        if let Some(period) = self.periods.read().get(&week) {
            return Ok(period.clone());
        }
        let _one = self.creating.lock();
        if let Some(period) = self.periods.read().get(&week) {
            return Ok(period.clone());
        }
        let (key, wrapped) = self.key.new_period(week, 0, &*house.entropy)?;
        self.keep_sub_key(house, SubKeyKind::Period, week, 0, wrapped)?;
        let period = Arc::new(Period { key, generation: 0 });
        self.periods.write().insert(week, period.clone());
        Ok(period)
    }

    /// The period key of an old entry; `None` when it was destroyed.
    pub(crate) fn known_period(&self, week: u32) -> Option<Arc<Period>> {
        self.periods.read().get(&week).cloned()
    }

    /// The plans that put every index key which hangs on `epoch` under another one.
    pub(crate) fn index_keys_carried(
        &self,
        house: &House,
        epoch: u32,
        (to, key): (u32, &EpochKey),
    ) -> Result<Vec<KeyOp>, Fault> {
        let (expected, generation) = (u16::try_from(epoch), u16::try_from(to));
        let (Ok(expected_generation), Ok(generation)) = (expected, generation) else {
            return Err(Fault::Corrupt);
        };
        let mut plans = Vec::new();
        for sub in house.store.snapshot()?.sub_keys(self.id)? {
            if sub.kind == SubKeyKind::Index && sub.generation == expected_generation {
                let number = u16::try_from(sub.number).map_err(|_| Fault::Corrupt)?;
                // Asked for only here: an epoch on which none hangs any more may be destroyed already.
                let from = self.shred.key(epoch).ok_or(Fault::Corrupt)?;
                let wrap = from.held_index(IndexId(number), &sub.wrapped.0)?;
                let held = key.hold_index(IndexId(number), &wrap, &*house.entropy)?;
                let row = store::SubKeyRow { generation, wrapped: Sealed(held), ..sub };
                plans.push(KeyOp::RewrapSubKey { row, expected_generation });
            }
        }
        Ok(plans)
    }

    /// How many index keys hang on `epoch`. It must not be destroyed while there are any.
    pub(crate) fn index_keys_in(&self, house: &House, epoch: u32) -> Result<u64, Fault> {
        let rows = house.store.snapshot()?.sub_keys(self.id)?;
        let hangs =
            |sub: &&store::SubKeyRow| sub.kind == SubKeyKind::Index && u32::from(sub.generation) == epoch;
        Ok(rows.iter().filter(hangs).count() as u64)
    }

    /// The key that blinds values of `field`, made when it is first needed.
    pub(crate) fn index(&self, house: &House, field: FieldId) -> Result<Arc<IndexKey>, Fault> {
        if let Some(key) = self.indexes.read().get(&field.0) {
            return Ok(key.clone());
        }
        let (epoch, epoch_key) = self.current_epoch(house, house.clock.now()?)?;
        let _one = self.creating.lock();
        if let Some(key) = self.indexes.read().get(&field.0) {
            return Ok(key.clone());
        }
        let (key, wrapped) = self.key.new_index(IndexId(field.0), &*house.entropy)?;
        let held = epoch_key.hold_index(IndexId(field.0), &wrapped, &*house.entropy)?;
        let generation = u16::try_from(epoch).map_err(|_| Fault::Corrupt)?;
        self.keep_sub_key(house, SubKeyKind::Index, u32::from(field.0), generation, held)?;
        let key = Arc::new(key);
        self.indexes.write().insert(field.0, key.clone());
        Ok(key)
    }

    /// The blind index of the app's reference of a person.
    pub(crate) fn blind_ref(&self, house: &House, reference: &str) -> Result<[u8; 16], Fault> {
        Ok(self.index(house, REF_FIELD)?.blind(reference.as_bytes()))
    }

    fn keep_sub_key(
        &self,
        house: &House,
        kind: SubKeyKind,
        number: u32,
        generation: u16,
        wrapped: Vec<u8>,
    ) -> Result<(), Fault> {
        let row = store::SubKeyRow { tenant: self.id, kind, number, generation, wrapped: Sealed(wrapped) };
        let kept = house.store.apply_keys_blocking("keep_sub_key", vec![KeyOp::InsertSubKey(row)]);
        match crate::fault::applied(kept)? {
            crate::fault::Applied::Done => {
                house.step(Step::SubKeyKept);
                Ok(())
            }
            crate::fault::Applied::Conflict(_) => Err(Fault::Corrupt),
        }
    }

    /// The epoch under which a new person row is wrapped: this week's, made on first use. When no further epoch
    /// may live, the newest one serves, and the epoch job reports that it is overdue.
    pub(crate) fn current_epoch(&self, house: &House, now: Timestamp) -> Result<(u32, Arc<EpochKey>), Fault> {
        let week = now.week();
        if let Some(key) = self.shred.key(week) {
            return Ok((week, key));
        }
        let _one = self.creating.lock();
        if let Some(key) = self.shred.key(week) {
            return Ok((week, key));
        }
        match self.shred.create(week, now, &*house.entropy) {
            Ok(key) => {
                house.step(Step::EpochMade);
                let row = store::EpochRow {
                    tenant: self.id,
                    epoch: week,
                    state: store::EpochState::Active,
                    created: now,
                    destroyed: None,
                };
                crate::fault::applied(
                    house.store.apply_keys_blocking("open_epoch", vec![KeyOp::PutEpoch(row)]),
                )?;
                house.step(Step::EpochOpened);
                Ok((week, key))
            }
            Err(_) => self.newest_epoch().ok_or(Fault::ShredStore),
        }
    }

    fn newest_epoch(&self) -> Option<(u32, Arc<EpochKey>)> {
        let newest = self.shred.epochs().into_iter().map(|info| info.epoch).max()?;
        self.shred.key(newest).map(|key| (newest, key))
    }
}

fn read_config(
    snapshot: &store::Snapshot,
    metadata: &MetadataKey,
    tenant: TenantId,
    version: u32,
) -> Result<TenantConfig, Fault> {
    let row = snapshot.document(tenant, document::CONFIG, [0; 16], version)?.ok_or(Fault::Corrupt)?;
    let place = DocumentPlace { tenant, kind: document::CONFIG, id: [0; 16], version };
    let bytes = metadata.open_document(&place, &row.sealed.0)?;
    serde_json::from_slice(&bytes).map_err(|_| Fault::Corrupt)
}
