//! What is looked at after a crash: everything acknowledged is there, nothing half-done stays.

use super::told::{Register, Told, compare};
use super::world::{self, put};
use jobs::{Registry, Runner};
use ledger::Ledger;
use ledger::verify::{KeyKind, VerifierKey, directory};
use model::decision::Action;
use model::principal::Role;
use model::token::ApiKey;
use model::{ConsentId, PersonId, PrincipalId, TenantId};
use seal::SystemEntropy;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::{EpochState, JobState, PersonRow, PersonState, Store};
use testkit::TestClock;
use vault::find::FindRequest;
use vault::reveal::{Item, RevealRequest};
use vault::trail::Event;
use vault::{Context, Vault};

/// So many persons are looked at side by side, so that their entries share what is synced.
const LANES: usize = 48;
/// A certificate takes a slow signature, so not everybody's is asked for.
const CERTIFIED: &[&str] = &["r0-0", "r1-2", "r1-3", "r4-0", "r8-0"];
const HORIZON_WEEKS: u32 = 3;
/// Kinds of documents (docs/formats.md).
const CONSENT_EVENT: u8 = 2;
const KEY_CARD: u8 = 5;

/// A house that was opened after a crash, with keys of the operator's to look around.
pub(crate) struct House {
    pub(crate) vault: Vault,
    pub(crate) store: Store,
    pub(crate) ledger: Ledger,
    pub(crate) clock: TestClock,
    pub(crate) folder: PathBuf,
    pub(crate) tenant: TenantId,
    lead: Context,
    officer: Context,
    app: Context,
}

/// Opens the house in `folder`, looks at all of it, and says what is wrong.
pub(crate) async fn look(folder: &Path, told: &Told) -> Vec<String> {
    let clock = TestClock::at(world::NOON + 3_600_000);
    clock.advance_days(7 * told.weeks);
    let (vault, store, ledger, _) = world::open(folder, &clock).await;
    let mut complaints = Vec::new();
    let snapshot = store.snapshot().expect("read");
    let left = snapshot.outbox(None, 10).expect("read").len();
    let tenants = snapshot.tenants().expect("read");
    drop(snapshot);
    if left > 0 {
        complaints.push("the outbox is not empty".to_owned());
    }
    // A tenant that was not acknowledged may be there or not; the operator can go on with either.
    let tenant = match (told.tenant, tenants.first()) {
        (Some(tenant), _) => tenant,
        (None, Some(row)) => row.tenant,
        (None, None) => vault.create_tenant("again").await.expect("a tenant").tenant,
    };
    let key = async |role| {
        let secret = vault.issue_operator_key(tenant, "after the crash", role).await.expect("a key");
        Context { actor: vault.authenticate(&secret, |_| true).expect("valid"), request: vault.new_request() }
    };
    let (lead, officer) = (key(Role::Operations).await, key(Role::PrivacyOfficer).await);
    let app = key(Role::App).await;
    let config = vault.configuration(&officer, tenant, Action::ReadNotices).expect("readable");
    if config.purposes.is_empty() {
        // The child died before it had declared what everybody below needs.
        let admin = key(Role::Admin).await;
        vault.put_catalogue(&admin, tenant, world::catalogue()).await.expect("declared");
        vault.put_purposes(&admin, tenant, Vec::new(), world::purposes()).await.expect("declared");
    }
    let folder = folder.to_owned();
    let house = House { vault, store, ledger, clock, folder, tenant, lead, officer, app };
    house.work().await;
    complaints.extend(house.everything(told).await);
    house.ledger.close();
    house.store.close();
    complaints
}

impl House {
    /// The same, for a world that was not crashed.
    pub(crate) fn of(world: &world::World) -> Self {
        Self {
            vault: world.vault.clone(),
            store: world.store.clone(),
            ledger: world.ledger.clone(),
            clock: world.clock.clone(),
            folder: world.folder.clone(),
            tenant: world.tenant,
            lead: world.ctx(&world.lead),
            officer: world.ctx(&world.officer),
            app: world.ctx(&world.app),
        }
    }

    /// Lets five weeks pass and all jobs end that were queued.
    async fn work(&self) {
        self.clock.advance_days(35);
        let mut registry = Registry::default();
        self.vault.register(&mut registry).expect("registered");
        let tick = Duration::from_millis(5);
        let options = jobs::Options { tick, at_once: 32, ..jobs::Options::default() };
        let (clock, entropy) = (Arc::new(self.clock.clone()), Arc::new(SystemEntropy));
        let runner = Runner::start(self.store.clone(), registry, clock, entropy, options);
        while !self.is_quiet() {
            tokio::time::sleep(tick).await;
        }
        runner.stop(Duration::from_secs(10)).await;
        self.vault.tend().await.expect("tended");
    }

    /// Whether each schedule has had its turn and no job is due or held.
    fn is_quiet(&self) -> bool {
        let now = model::Clock::now(&self.clock);
        let queued =
            self.store.snapshot().expect("read").jobs(JobState::Queued, None, 100_000).expect("read");
        let rests = |job: &store::JobRow| job.due > now && job.lease_until.is_none();
        queued.iter().any(|job| job.kind == vault::work::EPOCHS_JOB) && queued.iter().all(rests)
    }

    /// Everything, as it is after the jobs have run.
    async fn everything(&self, told: &Told) -> Vec<String> {
        let (found, mut complaints) = self.found(told).await;
        complaints.extend(compare(told, &found));
        complaints.extend(self.rows(told, &found));
        complaints.extend(self.write_on(told).await);
        complaints.extend(self.epochs());
        complaints.extend(self.logged());
        complaints
    }

    /// What was acknowledged and is not so.
    pub(crate) async fn lost(&self, told: &Told) -> Vec<String> {
        let (found, mut complaints) = self.found(told).await;
        complaints.extend(compare(told, &found));
        complaints
    }

    /// What stands in each register now, and what is wrong whatever was told.
    async fn found(&self, told: &Told) -> (BTreeMap<Register, String>, Vec<String>) {
        let mut found = BTreeMap::new();
        let complaints = self.people(told, &mut found).await;
        self.configured(told, &mut found);
        (found, complaints)
    }

    /// Keys and configuration.
    fn configured(&self, told: &Told, found: &mut BTreeMap<Register, String>) {
        let register = |thing: &str, what: &str| (thing.to_owned(), what.to_owned());
        for (thing, secret) in &told.secrets {
            let key = ApiKey::parse(secret).expect("a key");
            let tried =
                told.attempts(thing, "key").is_some_and(|all| all.0.iter().any(|one| one.0 == "revoked"));
            let state = match self.vault.authenticate(&key, |_| true) {
                Ok(_) => "issued",
                Err(_) if tried => "revoked",
                Err(_) => "absent",
            };
            found.insert(register(thing, "key"), state.to_owned());
        }
        let config =
            self.vault.configuration(&self.officer, self.tenant, Action::ReadNotices).expect("readable");
        found.insert(register("config", "notices"), config.notices.len().to_string());
        let entries = self.kinds()[Event::Shield as usize];
        found.insert(register("shield", "entries"), entries.to_string());
    }

    /// Every reference that was ever tried.
    async fn people(&self, told: &Told, found: &mut BTreeMap<Register, String>) -> Vec<String> {
        let references: Vec<String> =
            told.registers.keys().filter(|one| one.1 == "name").map(|one| one.0.clone()).collect();
        let told = Arc::new(told.clone());
        let mut lanes = tokio::task::JoinSet::new();
        for lane in 0..LANES {
            let mine: Vec<String> = references.iter().skip(lane).step_by(LANES).cloned().collect();
            let looking = Looking { house: self.another(), told: told.clone() };
            lanes.spawn(async move {
                let mut seen = Seen::default();
                for reference in mine {
                    looking.person(&reference, &mut seen).await;
                }
                seen
            });
        }
        let (mut complaints, mut live) = (Vec::new(), 0);
        while let Some(seen) = lanes.join_next().await {
            let seen = seen.expect("no panic");
            found.extend(seen.found);
            complaints.extend(seen.complaints);
            live += seen.live;
        }
        let rows = self.persons().iter().filter(|row| row.state == PersonState::Live).count();
        if rows != live {
            complaints.push(format!("{rows} persons live and {live} are found by their references"));
        }
        complaints
    }

    fn another(&self) -> Self {
        let Self { vault, store, ledger, clock, folder, tenant, lead, officer, app } = self;
        Self {
            vault: vault.clone(),
            store: store.clone(),
            ledger: ledger.clone(),
            clock: clock.clone(),
            folder: folder.clone(),
            tenant: *tenant,
            lead: lead.clone(),
            officer: officer.clone(),
            app: app.clone(),
        }
    }

    fn persons(&self) -> Vec<PersonRow> {
        self.store.snapshot().expect("read").persons_after(self.tenant, None, 1_000_000).expect("read")
    }

    async fn find(&self, reference: &str) -> Vec<PersonId> {
        let request = FindRequest {
            field: "ref".into(),
            value: reference.to_owned().into(),
            purpose: None,
            recipient: None,
        };
        self.vault.find(&self.officer, self.tenant, &request).await.expect("an answer")
    }

    /// The values of fields for rostering; `None` where nothing was released.
    async fn values(&self, person: PersonId, fields: &[&str]) -> Vec<Option<String>> {
        let fields = fields.iter().map(|name| (*name).to_owned()).collect();
        let items = vec![Item::Fields(person, fields)];
        let request = RevealRequest { purpose: "rostering".into(), recipient: None, items };
        let answer = self.vault.reveal(&self.lead, self.tenant, &request).await.expect("an answer");
        answer.items[0].iter().map(|one| one.value.as_ref().map(|value| value.to_string())).collect()
    }

    /// Rows that nothing points to.
    fn rows(&self, told: &Told, found: &BTreeMap<Register, String>) -> Vec<String> {
        let mut complaints = Vec::new();
        let snapshot = self.store.snapshot().expect("read");
        if !snapshot.jobs(JobState::Failed, None, 10).expect("read").is_empty() {
            complaints.push("a job failed".to_owned());
        }
        let with_records = snapshot.persons_with_records(self.tenant, None, 1_000_000).expect("read");
        for person in with_records {
            if snapshot.person(self.tenant, person).expect("read").is_none() {
                complaints.push(format!("records of {person}, whom nobody stored"));
            }
        }
        for row in snapshot.documents(self.tenant, CONSENT_EVENT, None, 1_000_000).expect("read") {
            if snapshot.consent(self.tenant, ConsentId(row.id)).expect("read").is_none() {
                complaints.push("an event of a consent that nobody asked for".to_owned());
            }
        }
        for row in snapshot.documents(self.tenant, KEY_CARD, None, 1_000_000).expect("read") {
            if snapshot.principal(self.tenant, PrincipalId(row.id)).expect("read").is_none() {
                complaints.push("the card of a key that nobody has".to_owned());
            }
        }
        for row in self.persons() {
            let records = snapshot.records_of(self.tenant, row.person).expect("read").len();
            let erased = row.state == PersonState::Erased;
            let reference = told.persons.iter().find(|one| *one.1 == row.person).map(|one| one.0.clone());
            let register = (reference.clone().unwrap_or_default(), "name".to_owned());
            let tried = told.registers.get(&register).and_then(|all| all.0.last());
            // A rectification that was never committed leaves a version above the current one, which goes with the
            // next rectification (docs/decisions.md).
            let left = tried.is_some_and(|(name, done)| !done && found.get(&register) != Some(name));
            let most = if erased { 0 } else { 2 + usize::from(left) };
            if records > most {
                complaints.push(format!("{records} records of {} ({reference:?})", row.person));
            }
        }
        complaints
    }

    /// The house goes on: persons are stored, changed and read, and what a change left lying goes with the next one.
    async fn write_on(&self, told: &Told) -> Vec<String> {
        let live = self.persons().into_iter().filter(|row| row.state == PersonState::Live);
        let live: BTreeSet<PersonId> = live.map(|row| row.person).collect();
        let open = told.persons.iter().filter(|one| live.contains(one.1));
        let open = open.filter(|one| told.attempts(one.0, "name").is_some_and(|all| all.open()));
        let mut references: Vec<String> = open.take(LANES).map(|one| one.0.clone()).collect();
        references.push("after the crash".to_owned());
        let (mut complaints, mut persons) = (Vec::new(), Vec::new());
        for reference in references {
            for name in ["three", "four"] {
                let request = put(&reference, &[("name", name), ("health_note", "after")]);
                let stored = self.vault.put(&self.app, self.tenant, &request).await.expect("stored");
                if self.values(stored.person, &["name"]).await != [Some(name.to_owned())] {
                    complaints.push(format!("{reference} does not take a further name"));
                }
                persons.push(stored.person);
            }
        }
        self.work().await;
        let snapshot = self.store.snapshot().expect("read");
        for person in persons {
            let records = snapshot.records_of(self.tenant, person).expect("read").len();
            if records != 2 {
                complaints.push(format!("{records} records of {person} after a further change"));
            }
        }
        complaints
    }

    /// All who live stand under the current epoch, and what is older than the horizon is destroyed everywhere.
    fn epochs(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        let week = model::Clock::now(&self.clock).week();
        for row in self.persons() {
            if row.state == PersonState::Live && row.epoch != week {
                complaints.push(format!("{} stands under epoch {} in week {week}", row.person, row.epoch));
            }
        }
        let epochs = self.store.snapshot().expect("read").epochs(self.tenant).expect("read");
        let of = |epoch: u32| epochs.iter().find(|one| one.epoch == epoch).map(|one| one.state);
        for one in &epochs {
            if one.epoch + HORIZON_WEEKS <= week && one.state != EpochState::Destroyed {
                complaints.push(format!("epoch {} outlives its horizon", one.epoch));
            }
        }
        for entry in std::fs::read_dir(self.folder.join("escrow")).expect("a folder") {
            let name = entry.expect("an entry").file_name().into_string().expect("text");
            let parts: Vec<&str> = name.split('.').collect();
            let state = parts.get(1).and_then(|epoch| epoch.parse().ok()).map(of);
            if parts[0] == self.tenant.to_string() && state != Some(Some(EpochState::Active)) {
                complaints.push(format!("{name} lies in escrow: {state:?}"));
            }
        }
        complaints
    }

    /// How many entries of the tenant there are of each kind.
    fn kinds(&self) -> [usize; 256] {
        let tenant = self.store.snapshot().expect("read").tenant(self.tenant).expect("read");
        let number = tenant.expect("a tenant").number;
        let mut kinds = [0; 256];
        for index in 0..self.ledger.status().durable {
            let leaf = self.ledger.leaf(index).expect("readable").expect("there");
            let frame = seal::trail::Frame::parse(&leaf).expect("an entry of the vault");
            if frame.tenant == number {
                kinds[usize::from(frame.kind)] += 1;
            }
        }
        kinds
    }

    /// The ledger: nothing in it twice, for each change one entry, and it verifies.
    fn logged(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        let (kinds, mut leaves) = (self.kinds(), BTreeSet::new());
        for index in 0..self.ledger.status().durable {
            let leaf = self.ledger.leaf(index).expect("readable").expect("there");
            if !leaves.insert(leaf) {
                complaints.push(format!("entry {index} is in the ledger twice"));
            }
        }
        let count = |events: &[Event]| events.iter().map(|event| kinds[*event as usize]).sum::<usize>();
        let persons = self.persons();
        let erased = persons.iter().filter(|row| row.state == PersonState::Erased).count();
        let versions = persons.iter().map(|row| row.version as usize).sum();
        let snapshot = self.store.snapshot().expect("read");
        let destroyed = snapshot.epochs(self.tenant).expect("read");
        let destroyed = destroyed.iter().filter(|one| one.state == EpochState::Destroyed).count();
        let mut equal = |what: &str, entries: usize, changes: usize| {
            if entries != changes {
                complaints.push(format!("{what}: {entries} entries of {changes} changes"));
            }
        };
        equal("creations", count(&[Event::Create]), persons.len());
        equal("erasures", count(&[Event::Erase]), erased);
        // Every change of a person raises the version of her row by one, and nothing else does.
        equal("changes of persons", count(CHANGES), versions);
        let config =
            self.vault.configuration(&self.officer, self.tenant, Action::ReadNotices).expect("readable");
        // Catalogue and purposes were declared once each; then every declaration was one notice more.
        let declared = if config.fields.is_empty() { 0 } else { 1 };
        let declared = declared + usize::from(!config.purposes.is_empty()) + config.notices.len();
        equal("declarations", count(&[Event::Configure]), declared);
        if count(&[Event::Epoch]) < 2 * destroyed {
            complaints.push("an epoch was destroyed without saying so".to_owned());
        }
        drop(snapshot);
        self.ledger.make_provable().expect("a checkpoint");
        let name = "test.example/ledger".to_owned();
        let key = VerifierKey { name, kind: KeyKind::Ed25519, public: world::public_key() };
        let report = directory(&self.folder.join("ledger"), &[key], &[]).expect("readable");
        complaints.extend(report.findings.iter().map(|finding| format!("ledger: {finding:?}")));
        complaints
    }
}

/// The events that change a person.
const CHANGES: &[Event] = &[
    Event::Create,
    Event::Rectify,
    Event::ConsentRequested,
    Event::NoticeShown,
    Event::ConsentGiven,
    Event::ConsentRefused,
    Event::ConsentWithdrawn,
    Event::Restrict,
    Event::Object,
    Event::Erase,
];

struct Looking {
    house: House,
    told: Arc<Told>,
}

#[derive(Default)]
struct Seen {
    found: BTreeMap<Register, String>,
    complaints: Vec<String>,
    live: usize,
}

impl Looking {
    async fn person(&self, reference: &str, seen: &mut Seen) {
        let known = self.told.persons.get(reference).copied();
        match (self.house.find(reference).await.as_slice(), known) {
            ([], Some(person)) => self.gone(reference, person, seen).await,
            ([], None) => {}
            ([one], _) if known.is_none_or(|person| person == *one) => self.live(reference, *one, seen).await,
            (several, _) => seen.complaints.push(format!("{reference} is {several:?}, not {known:?}")),
        }
    }

    async fn gone(&self, reference: &str, person: PersonId, seen: &mut Seen) {
        let House { vault, store, tenant, officer, .. } = &self.house;
        let rows_left = {
            let snapshot = store.snapshot().expect("read");
            let row = snapshot.person(*tenant, person).expect("read");
            if row.is_some_and(|row| row.state == PersonState::Erased && row.wrapped.is_none()) {
                seen.found.insert((reference.to_owned(), "life".to_owned()), "erased".to_owned());
            }
            snapshot.tokens_of(*tenant, person).expect("read").len()
                + snapshot.consents_of(*tenant, person).expect("read").len()
                + snapshot.limits_of(*tenant, person).expect("read").len()
                + snapshot.records_of(*tenant, person).expect("read").len()
        };
        if rows_left > 0 {
            seen.complaints.push(format!("{rows_left} rows of {reference}, who was erased"));
        }
        if self.house.values(person, &["name"]).await != [None] {
            seen.complaints.push(format!("{reference} was erased and is read"));
        }
        if CERTIFIED.contains(&reference) && vault.certificate(officer, *tenant, person).await.is_err() {
            seen.complaints.push(format!("no certificate of {reference}"));
        }
    }

    async fn live(&self, reference: &str, person: PersonId, seen: &mut Seen) {
        let House { vault, store, tenant, officer, .. } = &self.house;
        seen.live += 1;
        let values = self.house.values(person, &["name", "email"]).await;
        let list = vault.accesses(officer, *tenant, person, 1_000).await.expect("a list");
        let (row, consents, limits) = {
            let snapshot = store.snapshot().expect("read");
            let row = snapshot.person(*tenant, person).expect("read").expect("a row");
            let consents = snapshot.consents_of(*tenant, person).expect("read");
            (row, consents, snapshot.limits_of(*tenant, person).expect("read").len())
        };
        let mut insert = |register: &str, value: String| {
            seen.found.insert((reference.to_owned(), register.to_owned()), value);
        };
        insert("name", values[0].clone().unwrap_or_else(|| "absent".to_owned()));
        insert("limit", if limits > 0 { "on" } else { "off" }.to_owned());
        if let [one] = consents.as_slice() {
            insert("consent", format!("{:?}", one.state));
        }
        if values[1].is_none() != (limits > 0) {
            seen.complaints
                .push(format!("{reference} has {limits} limits and the e-mail is {:?}", values[1]));
        }
        let changes = list.iter().filter(|one| CHANGES.contains(&one.event)).count();
        if changes != row.version as usize {
            let changed = row.version;
            seen.complaints.push(format!("{reference}: {changes} entries of {changed} changes"));
        }
        for (_, entry) in self.told.reads.iter().filter(|read| read.0 == reference) {
            if !list.iter().any(|one| one.entry == *entry && one.event == Event::Read) {
                seen.complaints.push(format!("{reference}: read {entry} is not logged"));
            }
        }
        if let Err(error) = vault.consents(officer, *tenant, person).await {
            seen.complaints.push(format!("{reference}: consents do not open: {error}"));
        }
    }
}
