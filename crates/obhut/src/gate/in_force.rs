//! The shield's rules as they stand, for pages that look at them and exclude some.

use super::relay::VaultRelay;
use crate::attacks::InForce;
use crate::system::Problem;
use arc_swap::ArcSwap;
use console::{ExclusionError, ShieldDoes, ShieldState};
use gateway::config::{ExcludeTable, ShieldMode, Tables};
use model::TenantId;
use std::sync::Arc;

/// The configuration in force, and whose app it is.
pub(crate) struct Standing {
    tables: ArcSwap<Tables>,
    relay: Arc<VaultRelay>,
}

impl Standing {
    pub(crate) fn new(tables: &Tables, relay: Arc<VaultRelay>) -> Self {
        Self { tables: ArcSwap::from_pointee(tables.clone()), relay }
    }

    /// Other tables are in force.
    pub(crate) fn replace(&self, tables: &Tables) {
        self.tables.store(Arc::new(tables.clone()));
    }
}

fn does(mode: ShieldMode) -> ShieldDoes {
    match mode {
        ShieldMode::Block => ShieldDoes::Block,
        ShieldMode::Detect => ShieldDoes::Detect,
        ShieldMode::Off => ShieldDoes::Off,
    }
}

impl InForce for Standing {
    fn tenant(&self) -> Option<TenantId> {
        self.relay.tenant()
    }

    fn state(&self) -> ShieldState {
        let tables = self.tables.load();
        let house = tables.shield.mode;
        let other = |mode: &ShieldMode| *mode != house;
        let routes = tables.route.iter().filter_map(|route| {
            let mode = route.shield.filter(other)?;
            Some((route.name.clone(), does(mode)))
        });
        ShieldState { does: does(house), routes: routes.collect(), ..ShieldState::default() }
    }

    fn routes(&self) -> Vec<String> {
        self.tables.load().route.iter().map(|route| route.name.clone()).collect()
    }

    fn configured(&self) -> Vec<ExcludeTable> {
        self.tables.load().shield.exclude.clone()
    }

    fn deciding(&self) -> Vec<u64> {
        Vec::new()
    }

    fn honours(&self, _: &ExcludeTable) -> Result<(), ExclusionError> {
        Err(ExclusionError::Rules)
    }

    fn put(&self, _: &[ExcludeTable]) -> Result<(), Problem> {
        Err(Problem::new("no rules run"))
    }
}
