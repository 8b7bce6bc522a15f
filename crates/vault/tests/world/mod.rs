//! A whole house in a temporary folder, with real store, ledger and shred store, under a clock that is advanced.
#![expect(dead_code, unreachable_pub, reason = "each test binary uses another part")]

use ledger::{CheckpointSigner, Ledger, Options};
use model::catalogue::{Category, Field, FieldType, Index, MaskRule, TokenFormat};
use model::ids::{Compartment, FieldId, NoticeId, PurposeId, RecipientId};
use model::notice::{Notice, NoticeText, NoticeVersion};
use model::principal::Role;
use model::purpose::{LegalBasis, Purpose, SpecialBasis};
use model::token::ApiKey;
use model::{PersonId, TenantId};
use seal::{Root, RootKind, SigningKeys, SystemEntropy};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use testkit::TestClock;
use vault::keys::NewKey;
use vault::put::PutRequest;
use vault::reveal::{Item, RevealAnswer, RevealError, RevealRequest};
use vault::{Context, GuardedClock, Parts, ShredPlaces, Vault};
use zeroize::Zeroizing;

/// RSA keys take a second each; one pair serves a whole test binary, and a child that names the folder where its
/// parent kept them.
static KEYS: LazyLock<(Arc<Root>, Arc<SigningKeys>)> = LazyLock::new(|| match keys_folder() {
    Some(folder) if folder.join("root.json").exists() => {
        let root = std::fs::read(folder.join("root.json")).expect("a root file");
        let root = Root::open(&root, &passphrase()).expect("the root opens");
        let signing = std::fs::read(folder.join("signing")).expect("a file with signing keys");
        let signing = SigningKeys::unwrap(&root, &signing).expect("they open");
        (Arc::new(root), Arc::new(signing))
    }
    _ => {
        let root = Root::generate(RootKind::Demo, &SystemEntropy).expect("a root");
        let signing = SigningKeys::generate(&SystemEntropy).expect("signing keys");
        (Arc::new(root), Arc::new(signing))
    }
});

/// Where a parent keeps the keys for its children.
pub const KEYS_FOLDER: &str = "OBHUT_TEST_KEYS";

fn keys_folder() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "how a test hands a folder to its child")]
    std::env::var_os(KEYS_FOLDER).map(PathBuf::from)
}

fn passphrase() -> seal::Passphrase {
    seal::Passphrase::new(b"a passphrase of tests alone".to_vec()).expect("long enough")
}

/// Keeps the keys of this test binary for its children.
pub fn keep_keys(folder: &Path) {
    let (root, signing) = &*KEYS;
    let file = root.to_file(&passphrase(), &SystemEntropy).expect("sealed");
    std::fs::write(folder.join("root.json"), file).expect("written");
    let wrapped = signing.wrap(root, &SystemEntropy).expect("sealed");
    std::fs::write(folder.join("signing"), wrapped).expect("written");
}

/// 23 November 2026, 12:00 UTC.
pub const NOON: i64 = 1_795_435_200_000;
pub const NOTICE: NoticeId = NoticeId([9; 16]);
pub const NOTICE_TEXT: &str = "May the team read your health note?\n";

pub struct World {
    pub vault: Vault,
    pub clock: TestClock,
    pub store: store::Store,
    pub ledger: Ledger,
    pub folder: PathBuf,
    pub tenant: TenantId,
    pub admin: ApiKey,
    pub app: ApiKey,
    pub lead: ApiKey,
    pub manager: ApiKey,
    pub officer: ApiKey,
    temporary: Option<tempfile::TempDir>,
}

struct Signer(Arc<SigningKeys>);

impl CheckpointSigner for Signer {
    fn key_name(&self) -> &str {
        "test.example/ledger"
    }
    fn public_key(&self) -> [u8; 32] {
        self.0.ed25519_public()
    }
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.ed25519_sign(message)
    }
}

pub fn public_key() -> [u8; 32] {
    KEYS.1.ed25519_public()
}

pub fn root() -> Arc<Root> {
    KEYS.0.clone()
}

/// The shred store of the world's tenant, opened beside the vault.
pub fn shred_store(world: &World) -> seal::ShredStore {
    let holders = [world.folder.join("a"), world.folder.join("b")];
    let escrow = world.folder.join("escrow");
    seal::ShredStore::open(&holders, &escrow, world.tenant, &KEYS.0, &SystemEntropy).expect("opens")
}

pub fn signing_public() -> seal::PublicKeys {
    KEYS.1.public().clone()
}

/// Opens the house in `folder`; returns how many outbox rows were left over.
pub async fn open(folder: &Path, clock: &TestClock) -> (Vault, store::Store, Ledger, usize) {
    open_watched(folder, clock, None).await
}

/// As [`open`], with somebody who is told of each named step.
pub async fn open_watched(
    folder: &Path,
    clock: &TestClock,
    steps: Option<vault::steps::Observer>,
) -> (Vault, store::Store, Ledger, usize) {
    let store = store::Store::open(&folder.join("store"), &store::Options::default()).expect("store opens");
    let mut options = Options::new("test.example/ledger");
    options.segment_bytes = 1 << 20;
    let signer = Arc::new(Signer(KEYS.1.clone()));
    std::fs::create_dir_all(folder.join("ledger")).expect("made");
    let (place, clock_of) = (folder.join("ledger"), || Arc::new(clock.clone()));
    let (mut ledger, recovery) =
        Ledger::open(&place, options, signer.clone(), clock_of()).expect("ledger opens");
    if recovery.damage.is_some() {
        // As an operator does who has looked at it.
        ledger.close();
        drop(ledger);
        let mut options = Options::new("test.example/ledger");
        options.segment_bytes = 1 << 20;
        ledger = Ledger::open_incarnation(&place, options, signer, clock_of()).expect("a new one").0;
    }
    for name in ["a", "b", "escrow"] {
        std::fs::create_dir_all(folder.join(name)).expect("made");
    }
    let parts = Parts {
        store: store.clone(),
        ledger: ledger.clone(),
        root: KEYS.0.clone(),
        signing: KEYS.1.clone(),
        clock: Arc::new(GuardedClock::new(Arc::new(clock.clone()), None)),
        entropy: Arc::new(SystemEntropy),
        shred: ShredPlaces { holders: [folder.join("a"), folder.join("b")], escrow: folder.join("escrow") },
        horizon_days: 21,
        steps,
    };
    let (vault, left) = Vault::open(parts).await.expect("vault opens");
    (vault, store, ledger, left)
}

impl World {
    /// A tenant with catalogue, purposes, notice, and one key per role.
    pub async fn new() -> Self {
        let temporary = tempfile::tempdir().expect("a folder");
        let folder = temporary.path().to_owned();
        let mut world = Self::in_folder(&folder).await;
        world.temporary = Some(temporary);
        world
    }

    pub async fn in_folder(folder: &Path) -> Self {
        Self::watched(folder, None).await
    }

    pub async fn watched(folder: &Path, steps: Option<vault::steps::Observer>) -> Self {
        let clock = TestClock::at(NOON);
        let (vault, store, ledger, _) = open_watched(folder, &clock, steps).await;
        let new = vault.create_tenant("Werk").await.expect("tenant");
        let tenant = new.tenant;
        let mut world = Self {
            vault,
            clock,
            store,
            ledger,
            folder: folder.to_owned(),
            tenant,
            admin: new.admin.clone(),
            app: new.admin.clone(),
            lead: new.admin.clone(),
            manager: new.admin.clone(),
            officer: new.admin.clone(),
            temporary: None,
        };
        let admin = world.ctx(&world.admin);
        world.vault.put_catalogue(&admin, tenant, catalogue()).await.expect("catalogue");
        world.vault.put_purposes(&admin, tenant, Vec::new(), purposes()).await.expect("purposes");
        let text = NoticeText { language: "en".into(), text: NOTICE_TEXT.into() };
        let versions = vec![NoticeVersion { texts: vec![text] }];
        let notice = Notice { id: NOTICE, name: "bem".into(), versions };
        world.vault.put_notice(&admin, tenant, notice).await.expect("notice");
        world.app = world.key(Role::App, None).await;
        world.lead = world.key(Role::Operations, None).await;
        world.manager = world.key(Role::CaseManager, None).await;
        world.officer = world.key(Role::PrivacyOfficer, None).await;
        world
    }

    /// Closes everything and opens it again, as after a restart.
    pub async fn reopen(self) -> Self {
        let Self {
            vault,
            clock,
            store,
            ledger,
            folder,
            tenant,
            admin,
            app,
            lead,
            manager,
            officer,
            temporary,
        } = self;
        ledger.close();
        store.close();
        drop((vault, store, ledger));
        let (vault, store, ledger, _) = open(&folder, &clock).await;
        Self { vault, clock, store, ledger, folder, tenant, admin, app, lead, manager, officer, temporary }
    }

    pub fn ctx(&self, key: &ApiKey) -> Context {
        let actor = self.vault.authenticate(key, |_| true).expect("a valid key");
        Context { actor, request: self.vault.new_request() }
    }

    pub async fn key(&self, role: Role, subject: Option<PersonId>) -> ApiKey {
        let new = NewKey { name: format!("{role:?}"), role, subject, expires: None, zone: Vec::new() };
        self.vault.issue_key(&self.ctx(&self.admin), self.tenant, new).await.expect("a key").secret
    }

    pub async fn worker(&self, number: u32) -> PersonId {
        let request = put(
            &format!("ref-{number}"),
            &[
                ("name", &format!("Name {number}")),
                ("email", &format!("w{number}@example.org")),
                ("health_note", &format!("note {number}")),
                ("emergency_contact", "Aunt Third"),
            ],
        );
        self.vault.put(&self.ctx(&self.app), self.tenant, &request).await.expect("stored").person
    }

    pub async fn reveal(
        &self,
        key: &ApiKey,
        purpose: &str,
        person: PersonId,
        fields: &[&str],
    ) -> Result<RevealAnswer, RevealError> {
        let fields = fields.iter().map(|name| (*name).to_owned()).collect();
        let items = vec![Item::Fields(person, fields)];
        let request = RevealRequest { purpose: purpose.into(), recipient: None, items };
        self.vault.reveal(&self.ctx(key), self.tenant, &request).await
    }

    /// The one value of a one-field read; `None` when it was not released.
    pub async fn value(&self, key: &ApiKey, purpose: &str, person: PersonId, field: &str) -> Option<String> {
        let answer = self.reveal(key, purpose, person, &[field]).await.expect("an answer");
        answer.items[0][0].value.as_ref().map(|value| value.to_string())
    }

    /// Asks, shows and gives; returns the record and the person's key.
    pub async fn consented(&self, person: PersonId) -> (model::ConsentId, ApiKey) {
        let ask = vault::consent::AskRequest {
            person,
            purpose: "bem".into(),
            recipient: None,
            notice: NOTICE,
            days: Some(30),
        };
        let asked = self.vault.ask_consent(&self.ctx(&self.manager), self.tenant, &ask).await.expect("asked");
        let own = self.key(Role::Person, Some(person)).await;
        let ctx = self.ctx(&own);
        let shown = self.vault.show_notice(&ctx, self.tenant, asked.consent, "en").await.expect("shown");
        assert_eq!(shown.text, NOTICE_TEXT);
        let give = vault::consent::Answer::Give { digest: shown.digest, days: None };
        self.vault.answer_consent(&ctx, self.tenant, asked.consent, give).await.expect("given");
        (asked.consent, own)
    }
}

pub fn put(reference: &str, fields: &[(&str, &str)]) -> PutRequest {
    let fields: BTreeMap<String, Zeroizing<String>> = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Zeroizing::new((*value).to_owned())))
        .collect();
    PutRequest { reference: reference.to_owned(), fields, idempotency: None }
}

fn field(id: u16, name: &str, category: Category, kind: FieldType) -> Field {
    Field {
        id: FieldId(id),
        name: name.into(),
        category,
        kind,
        mask: MaskRule::Redact,
        index: Index::None,
        token: TokenFormat::Opaque,
        compartment: Compartment(0),
        stable: false,
        third_party: false,
        max_bytes: 200,
    }
}

pub fn catalogue() -> Vec<Field> {
    let name = Field { mask: MaskRule::Initials, ..field(1, "name", Category::Identity, FieldType::Text) };
    let email = Field {
        index: Index::Equality,
        token: TokenFormat::Email,
        ..field(2, "email", Category::Contact, FieldType::Email)
    };
    let health =
        Field { compartment: Compartment(1), ..field(3, "health_note", Category::Health, FieldType::Text) };
    let contact =
        Field { third_party: true, ..field(4, "emergency_contact", Category::Contact, FieldType::Text) };
    vec![name, email, health, contact]
}

pub fn purposes() -> Vec<Purpose> {
    let base = Purpose {
        id: PurposeId(1),
        name: "rostering".into(),
        title: "Rosters".into(),
        basis: LegalBasis::Contract,
        special_basis: None,
        fields: vec![FieldId(1), FieldId(2)],
        masked: Vec::new(),
        recipients: vec![RecipientId(0)],
        roles: vec![Role::Operations, Role::App],
        marketing: false,
        survives_restriction: false,
        current: true,
        edition: 0,
    };
    let bem = Purpose {
        id: PurposeId(2),
        name: "bem".into(),
        title: "Return to work".into(),
        basis: LegalBasis::Consent,
        special_basis: Some(SpecialBasis::ExplicitConsent),
        fields: vec![FieldId(1), FieldId(3)],
        roles: vec![Role::CaseManager, Role::PrivacyOfficer],
        ..base.clone()
    };
    let survey = Purpose {
        id: PurposeId(3),
        name: "survey".into(),
        title: "Survey".into(),
        basis: LegalBasis::LegitimateInterests,
        fields: vec![FieldId(2)],
        masked: vec![FieldId(1)],
        ..base.clone()
    };
    vec![base, bem, survey]
}
