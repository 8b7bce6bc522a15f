//! A shield before a console: a real store of events, and exclusions in memory.

use console::{
    AttacksView, Exclusion, ExclusionError, ExclusionSource, NewExclusion, ShieldDoes, ShieldState, Signature,
};
use model::clock::DAY_MS;
use model::{Clock, TenantId, Timestamp};
use parking_lot::Mutex;
use std::sync::Arc;
use testkit::TestClock;
use watch::attacks::{Attack, Attacks, Mode, Rule, Side};

/// An event that was refused, with two rules and one that decided.
pub(crate) const REFERENCE: &str = "7K2M4Q9XWD";
/// One that would have been, on a route.
pub(crate) const WOULD: &str = "3ABCDEFGH4";
/// One that would have been, where no route fits.
pub(crate) const NOWHERE: &str = "5ABCDEFGH6";
/// The exclusion that is there from the start.
pub(crate) const EXCLUSION: &str = "00000000000000e1";

/// What is done while exclusions are listed.
pub(crate) type Listing = Box<dyn Fn() + Send>;

pub(crate) struct Shield {
    tenant: TenantId,
    clock: TestClock,
    attacks: Attacks,
    pub(crate) state: Mutex<ShieldState>,
    pub(crate) exclusions: Mutex<Vec<Exclusion>>,
    /// What the next change fails with.
    pub(crate) fails: Mutex<Option<ExclusionError>>,
    /// Called when exclusions are listed.
    pub(crate) listing: Mutex<Option<Listing>>,
    _folder: tempfile::TempDir,
}

pub(crate) fn rule(id: u64, message: &str, target: Option<&str>) -> Rule {
    Rule {
        id,
        severity: Some(2),
        message: message.into(),
        tags: vec!["attack-sqli".into(), "paranoia-level/1".into()].into(),
        target: target.map(Into::into),
    }
}

fn attack(reference: &str, at: Timestamp) -> Attack {
    let mut decides =
        rule(949_110, "Inbound Anomaly Score Exceeded", Some("TX:blocking_inbound_anomaly_score"));
    decides.tags = vec!["anomaly-evaluation".into()].into();
    Attack {
        reference: reference.into(),
        at,
        route: Some("workers".into()),
        method: "POST".into(),
        mode: Mode::Block,
        refused: true,
        status: 403,
        side: Side::Request,
        rules: vec![
            rule(942_100, "SQL Injection Attack Detected via libinjection", Some("ARGS:note")),
            rule(942_190, "Detects MSSQL code execution", Some("ARGS:…")),
            decides,
        ],
        by: Some(949_110),
        score: 10,
        refusal: None,
    }
}

impl Shield {
    /// A shield with a few events of the last days.
    pub(crate) fn new(tenant: TenantId, clock: &TestClock) -> Arc<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let attacks = Attacks::open(folder.path(), Arc::new(clock.clone())).expect("opens");
        let now = clock.now();
        let exclusion = Exclusion {
            id: EXCLUSION.to_owned(),
            source: ExclusionSource::Console,
            routes: vec!["worker-save".to_owned()],
            rules: "941100".to_owned(),
            target: Some("ARGS:html".to_owned()),
            because: Some("the editor sends markup".to_owned()),
            since: Some(Timestamp(now.0 - DAY_MS)),
            by: None,
            effective: true,
        };
        let configured = Exclusion {
            id: "00000000000000c1".to_owned(),
            source: ExclusionSource::Configuration,
            rules: "tag:attack-rce".to_owned(),
            routes: Vec::new(),
            target: None,
            because: None,
            since: None,
            by: None,
            effective: true,
        };
        let state = ShieldState {
            does: ShieldDoes::Block,
            routes: Vec::new(),
            rules: Some("OWASP CRS 4.29.0".to_owned()),
            count: 731,
            loaded: Some(now),
            stale: None,
        };
        let shield = Self {
            tenant,
            clock: clock.clone(),
            attacks,
            state: Mutex::new(state),
            exclusions: Mutex::new(vec![configured, exclusion]),
            fails: Mutex::default(),
            listing: Mutex::default(),
            _folder: folder,
        };
        shield.note(attack(REFERENCE, now));
        for number in 0..3 {
            let detected = Attack { mode: Mode::Detect, ..attack(&format!("3ABCDEFGH{}", number + 2), now) };
            shield.note(Attack { route: Some("worker-save".into()), ..detected });
        }
        shield.note(Attack { mode: Mode::Detect, route: None, ..attack(NOWHERE, now) });
        let own = Attack { rules: Vec::new(), by: None, score: 0, status: 413, ..attack("6ABCDEFGH7", now) };
        shield.note(Attack { refusal: Some("body_too_large".into()), ..own });
        shield.note(Attack { refused: false, status: 200, by: None, ..attack("8ABCDEFGH9", now) });
        Arc::new(shield)
    }

    pub(crate) fn note(&self, attack: Attack) {
        self.attacks.note(attack);
        self.attacks.flush();
    }

    /// More events of one kind, for pages.
    pub(crate) fn flood(&self, count: u64) {
        for number in 0..count {
            // Few of a kind are kept in a minute.
            self.clock.advance_ms(if number % 10 == 0 { 60_000 } else { 0 });
            self.note(attack(&format!("F{number:09}"), self.clock.now()));
        }
    }

    fn row(&self, new: &NewExclusion, by: &Signature) -> Exclusion {
        Exclusion {
            id: format!("{:016x}", self.exclusions.lock().len() as u64 + 0xabc0),
            source: ExclusionSource::Console,
            routes: new.routes.clone(),
            rules: new.rules.clone(),
            target: new.target.clone(),
            because: Some(new.because.clone()),
            since: Some(by.at),
            by: Some(by.by),
            effective: true,
        }
    }
}

impl AttacksView for Shield {
    fn is_of(&self, tenant: TenantId) -> bool {
        self.tenant == tenant
    }

    fn attacks(&self) -> &Attacks {
        &self.attacks
    }

    fn shield(&self) -> ShieldState {
        self.state.lock().clone()
    }

    fn exclusions(&self) -> Vec<Exclusion> {
        if let Some(listing) = &*self.listing.lock() {
            listing();
        }
        self.exclusions.lock().clone()
    }

    fn routes(&self) -> Vec<String> {
        vec!["workers".to_owned(), "worker-save".to_owned()]
    }

    fn preview(&self, new: &[NewExclusion], by: &Signature) -> Result<String, (usize, ExclusionError)> {
        let mut text = String::new();
        for (number, one) in new.iter().enumerate() {
            let known = |name: &String| self.routes().contains(name);
            let same = |other: &Exclusion| {
                (&other.routes, &other.rules, &other.target) == (&one.routes, &one.rules, &one.target)
            };
            if !one.routes.iter().all(known) {
                return Err((number, ExclusionError::UnknownRoute));
            }
            if one.because.trim().is_empty() || one.because.chars().any(char::is_control) {
                return Err((number, ExclusionError::Because));
            }
            if self.exclusions().iter().any(same) {
                return Err((number, ExclusionError::Standing));
            }
            text += &format!("[[exclude]]\nroutes = {:?}\nrules = {:?}\n", one.routes, one.rules);
            text += &one.target.as_ref().map(|target| format!("target = {target:?}\n")).unwrap_or_default();
            text += &format!(
                "because = {:?}\nsince = \"{}\"\nby = \"{}\"\n",
                one.because,
                by.at.rfc3339(),
                by.by
            );
        }
        Ok(text)
    }

    fn exclude(&self, new: &[NewExclusion], by: &Signature) -> Result<Vec<String>, (usize, ExclusionError)> {
        self.preview(new, by)?;
        if let Some(error) = self.fails.lock().take() {
            return Err((0, error));
        }
        let mut ids = Vec::new();
        for one in new {
            let row = self.row(one, by);
            ids.push(row.id.clone());
            self.exclusions.lock().push(row);
        }
        Ok(ids)
    }

    fn lift(&self, id: &str) -> Result<(), ExclusionError> {
        if let Some(error) = self.fails.lock().take() {
            return Err(error);
        }
        let mut all = self.exclusions.lock();
        let place =
            all.iter().position(|one| one.id == id && one.is_liftable()).ok_or(ExclusionError::Unknown)?;
        all.remove(place);
        Ok(())
    }
}
