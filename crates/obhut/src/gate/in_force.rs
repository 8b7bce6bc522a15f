//! What is in force: the configuration, the catalogue it was held against, the rules of the shield, and what is excluded from
//! them. Each change makes all of it anew and puts it in force at once, or changes nothing; rules are only read again when
//! they may be others.

use super::relay::VaultRelay;
use super::seen::Seen;
use crate::attacks::{self, InForce};
use crate::config::Config;
use crate::shield::rules;
use crate::system::Problem;
use arc_swap::ArcSwap;
use console::{ExclusionError, ShieldDoes, ShieldState};
use gateway::config::{ExcludeTable, ShieldMode, Tables};
use gateway::messages::{FieldInfo, Relay};
use gateway::{Gateway, Setup};
use model::{Clock, TenantId, Timestamp};
use parking_lot::Mutex;
use shield::seclang::Reason;
use shield::{Described, Engine, Excluded, Overlay};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use watch::attacks::is_deciding;

/// The rule by which `[shield]` sets levels and thresholds.
const LEVELS: u64 = 99_900;

/// All that a gateway's setup is made of. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Parts {
    tables: Arc<Tables>,
    data: PathBuf,
    /// The catalogue, where it is known.
    fields: Option<Arc<[FieldInfo]>>,
    rules: Option<Ruling>,
    /// What the console excludes.
    rows: Arc<[ExcludeTable]>,
}

/// Rules that were loaded.
#[derive(Clone)]
struct Ruling {
    engine: Arc<Engine>,
    /// Which they are; none for the program's own.
    name: Option<String>,
    loaded: Timestamp,
}

impl Parts {
    /// Reads rules, where some route needs them. What is excluded is not asked here: compiling takes seconds, in which it
    /// may change.
    pub(crate) fn read(config: &Config, tables: &Tables, now: Timestamp) -> Result<Self, Problem> {
        let rules = match Setup::needs_rules(tables) {
            true => Some(rules::load(&tables.shield, &config.data)?),
            false => None,
        };
        let rules = rules.map(|loaded| Ruling {
            name: (loaded.kind != rules::Kind::Baseline).then(|| loaded.kind.to_string()),
            engine: loaded.engine,
            loaded: now,
        });
        let (tables, data) = (Arc::new(tables.clone()), config.data.clone());
        Ok(Self { tables, data, fields: None, rules, rows: Arc::default() })
    }

    /// With what the console excludes.
    pub(crate) fn with_rows(self, rows: &[ExcludeTable]) -> Self {
        Self { rows: rows.into(), ..self }
    }

    /// The setup. An exclusion of the configuration that means nothing is an error; one of the console was honoured when it was
    /// made, and is passed over where rules or routes have gone since: its page says so.
    pub(crate) fn setup(&self) -> Result<Setup, Problem> {
        let setup = super::setup(&self.data, &self.tables, self.fields.as_deref())?;
        let Some(rules) = &self.rules else { return Ok(setup) };
        let mut exclusions = self.tables.shield.exclude.clone();
        exclusions.extend(self.rows.iter().filter(|row| self.honours(row).is_ok()).cloned());
        setup.with_rules(rules.engine.clone(), &exclusions).map_err(super::unfit)
    }

    /// Whether rules and routes that an exclusion names are there.
    fn honours(&self, row: &ExcludeTable) -> Result<(), ExclusionError> {
        let is_route = |name: &String| self.tables.route.iter().any(|route| route.name == *name);
        if !row.routes.iter().all(is_route) {
            return Err(ExclusionError::UnknownRoute);
        }
        let rules = self.rules.as_ref().ok_or(ExclusionError::Rules)?;
        let exclusion = row.exclusion().map_err(|_| ExclusionError::Rules)?;
        match Overlay::new(&rules.engine, std::slice::from_ref(&exclusion)) {
            Ok(_) => Ok(()),
            Err((_, Reason::NoSuchRule)) => Err(ExclusionError::Rules),
            Err(_) => Err(ExclusionError::Target),
        }
    }

    /// Ids of the rules that run and fit.
    fn ids(&self, fits: impl Fn(&Described<'_>) -> bool) -> impl Iterator<Item = u64> {
        let all = self.rules.iter().flat_map(|rules| rules.engine.described());
        all.filter(move |rule| fits(rule)).map(|rule| rule.id)
    }

    /// What protects, in a line.
    pub(crate) fn said(&self) -> String {
        let mode = match self.tables.shield.mode {
            ShieldMode::Block => "what they refuse is refused",
            ShieldMode::Detect => "what they refuse is only reported",
            ShieldMode::Off => "off but on single routes",
        };
        match &self.rules {
            Some(rules) => {
                let name = rules.name.as_deref().unwrap_or("the program's own rules");
                format!("shield: {name}, {} rules; {mode}", count(&rules.engine))
            }
            None => "shield: off".to_owned(),
        }
    }
}

fn count(engine: &Engine) -> usize {
    engine.summary().phases.iter().sum()
}

/// What is in force, and where it is changed.
pub(crate) struct Standing {
    parts: ArcSwap<Parts>,
    /// One change at a time, so that none is lost.
    changing: Mutex<()>,
    /// When rules were read in vain since they were last read well.
    stale: Mutex<Option<Timestamp>>,
    gateway: Gateway,
    seen: Arc<Seen>,
    relay: Arc<VaultRelay>,
    clock: Arc<dyn Clock>,
}

impl Standing {
    pub(crate) fn new(
        parts: Parts,
        gateway: Gateway,
        seen: Arc<Seen>,
        relay: Arc<VaultRelay>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (parts, changing, stale) = (ArcSwap::from_pointee(parts), Mutex::default(), Mutex::default());
        Self { parts, changing, stale, gateway, seen, relay, clock }
    }

    /// What protects, in a line.
    pub(crate) fn said(&self) -> String {
        self.parts.load().said()
    }

    /// The tables in force.
    pub(crate) fn tables(&self) -> Arc<Tables> {
        self.parts.load().tables.clone()
    }

    /// Holds the configuration against the catalogue.
    pub(crate) fn with_fields(&self, fields: &[FieldInfo]) -> Result<(), Problem> {
        let _one = self.changing.lock();
        // A house without a catalogue is being set up.
        let fields = Some(fields).filter(|fields| !fields.is_empty()).map(Into::into);
        self.enforce(Parts { fields, ..Parts::clone(&self.parts.load()) })
    }

    /// Reads the rules of a configuration, which takes seconds; changes of what is in force go on meanwhile.
    pub(crate) fn read(&self, config: &Config, tables: &Tables) -> Result<Parts, Problem> {
        let now = self.clock.now();
        Parts::read(config, tables, now).inspect_err(|_| *self.stale.lock() = Some(now))
    }

    /// Puts what was read in force. `beside` has to succeed with it.
    pub(crate) fn replace(
        &self,
        parts: Parts,
        beside: impl FnOnce() -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let _one = self.changing.lock();
        // Asked now: the house may have been opened while rules were read.
        let fields = self.relay.fields().ok().map(Into::into);
        let parts = Parts { fields, ..parts };
        // What would not fit is found before anything changes.
        parts.setup()?;
        beside()?;
        self.enforce(parts)?;
        *self.stale.lock() = None;
        Ok(())
    }

    fn enforce(&self, parts: Parts) -> Result<(), Problem> {
        let setup = parts.setup()?;
        self.seen.replace(setup.lines());
        self.gateway.reload(setup);
        self.parts.store(Arc::new(parts));
        Ok(())
    }
}

/// Reads the rules anew and puts them in force with what the console excludes at that moment. The rows of the file are read
/// once the rules are ready: one that was taken back while they were compiled stays taken back, and none made meanwhile is lost.
pub(crate) fn again(
    standing: &Standing,
    attacks: &attacks::View,
    read: impl FnOnce() -> Result<Parts, Problem>,
    beside: impl FnOnce() -> Result<(), Problem>,
) -> Result<(), Problem> {
    let parts = read()?;
    attacks.again(|rows| standing.replace(parts.with_rows(rows), beside))
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
        let parts = self.parts.load();
        let house = parts.tables.shield.mode;
        let routes = parts.tables.route.iter().filter_map(|route| {
            let mode = route.shield.filter(|mode| *mode != house)?;
            Some((route.name.clone(), does(mode)))
        });
        ShieldState {
            does: does(house),
            routes: routes.collect(),
            rules: parts.rules.as_ref().and_then(|rules| rules.name.clone()),
            count: parts.rules.as_ref().map_or(0, |rules| count(&rules.engine)),
            loaded: parts.rules.as_ref().map(|rules| rules.loaded),
            stale: *self.stale.lock(),
        }
    }

    fn routes(&self) -> Vec<String> {
        self.tables().route.iter().map(|route| route.name.clone()).collect()
    }

    fn configured(&self) -> Vec<ExcludeTable> {
        self.tables().shield.exclude.clone()
    }

    fn deciding(&self) -> BTreeSet<u64> {
        self.parts.load().ids(|rule| rule.id == LEVELS || is_deciding(rule.id, rule.tags)).collect()
    }

    fn meant(&self, row: &ExcludeTable) -> Vec<u64> {
        let Ok(exclusion) = row.exclusion() else { return Vec::new() };
        let fits = |rule: &Described<'_>| match &exclusion.rules {
            Excluded::Ids(range) => range.contains(&rule.id),
            Excluded::Tag(tag) => rule.tags.iter().any(|one| **one == **tag),
        };
        self.parts.load().ids(fits).collect()
    }

    fn honours(&self, row: &ExcludeTable) -> Result<(), ExclusionError> {
        self.parts.load().honours(row)
    }

    fn put(&self, rows: &[ExcludeTable]) -> Result<(), Problem> {
        let _one = self.changing.lock();
        self.enforce(Parts { rows: rows.into(), ..Parts::clone(&self.parts.load()) })
    }
}

#[cfg(test)]
mod tests;
