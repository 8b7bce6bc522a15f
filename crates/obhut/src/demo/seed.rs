//! The demo's world: catalogue, purposes, notice, keys, 40 invented workers.

use crate::system::Problem;
use model::catalogue::{Category, Field, FieldType, Index, MaskRule, TokenFormat};
use model::ids::{Compartment, FieldId, NoticeId, PurposeId, RecipientId};
use model::notice::{Notice, NoticeText, NoticeVersion};
use model::principal::Role;
use model::purpose::{LegalBasis, Purpose, SpecialBasis};
use model::token::ApiKey;
use model::{Entropy, PersonId, TenantId};
use std::collections::BTreeMap;
use vault::keys::NewKey;
use vault::put::PutRequest;
use vault::{Context, Vault};
use zeroize::Zeroizing;

/// How many workers are seeded.
const WORKERS: usize = 40;

/// The notice for the return-to-work case, German and English, byte for byte as shown.
const NOTICE_DE: &str = "Sie waren länger krank, und wir möchten mit Ihnen besprechen, wie die Arbeit für Sie \
wieder gut geht (Betriebliches Eingliederungsmanagement, § 167 Abs. 2 SGB IX). Dafür möchte das BEM-Team Ihre \
Angabe zur Gesundheit lesen. Nur das BEM-Team liest sie, nur für dieses Gespräch. Sie müssen nicht zustimmen, \
und ein Nein hat keine Folgen für Sie. Sie können Ihr Ja jederzeit zurücknehmen; ab dann liest niemand mehr.\n";
const NOTICE_EN: &str = "You have been ill for some time, and we would like to talk with you about how work can \
go well for you again (return-to-work case, § 167(2) SGB IX). For this the case team would like to read your \
health note. Only the team reads it, only for this talk. You need not agree, and a no has no consequences for \
you. You can take your yes back at any time; from then on nobody reads it.\n";

/// What was seeded, with every key of the demo.
pub(crate) struct Seeded {
    pub(crate) tenant: TenantId,
    pub(crate) notice: NoticeId,
    pub(crate) first_person: PersonId,
    pub(crate) admin: ApiKey,
    pub(crate) app: ApiKey,
    pub(crate) shift_lead: ApiKey,
    pub(crate) case_manager: ApiKey,
    pub(crate) officer: ApiKey,
    pub(crate) auditor: ApiKey,
    pub(crate) worker: ApiKey,
}

impl Seeded {
    /// The keys by the names of their holders.
    pub(crate) fn keys(&self) -> [(&'static str, &ApiKey); 7] {
        [
            ("admin", &self.admin),
            ("app", &self.app),
            ("shift lead", &self.shift_lead),
            ("case manager", &self.case_manager),
            ("privacy officer", &self.officer),
            ("auditor", &self.auditor),
            ("worker no. 1", &self.worker),
        ]
    }
}

/// Seeds the tenant.
pub(crate) async fn run(
    vault: &Vault,
    tenant: TenantId,
    admin: &ApiKey,
    entropy: &dyn Entropy,
) -> Result<Seeded, Problem> {
    let failed = Problem::from_error;
    let ctx = context(vault, admin)?;
    vault.put_catalogue(&ctx, tenant, catalogue()).await.map_err(failed("the catalogue"))?;
    vault.put_purposes(&ctx, tenant, Vec::new(), purposes()).await.map_err(failed("the purposes"))?;
    let notice = NoticeId(model::clock::random(entropy));
    vault.put_notice(&ctx, tenant, bem_notice(notice)).await.map_err(failed("the notice"))?;
    let app = key(vault, &ctx, tenant, "personnel application", Role::App, None).await?;
    let shift_lead = key(vault, &ctx, tenant, "shift lead, hall 3", Role::Operations, None).await?;
    let case_manager = key(vault, &ctx, tenant, "BEM team", Role::CaseManager, None).await?;
    let officer = key(vault, &ctx, tenant, "privacy officer", Role::PrivacyOfficer, None).await?;
    let auditor = key(vault, &ctx, tenant, "auditor", Role::Auditor, None).await?;
    let app_ctx = context(vault, &app)?;
    let mut first = None;
    for number in 0..WORKERS {
        let stored =
            vault.put(&app_ctx, tenant, &worker(number)).await.map_err(Problem::from_error("a worker"))?;
        first.get_or_insert(stored.person);
    }
    let first_person = first.ok_or_else(|| Problem::new("no worker was stored"))?;
    let worker = key(vault, &ctx, tenant, "worker no. 1", Role::Person, Some(first_person)).await?;
    let admin = admin.clone();
    Ok(Seeded {
        tenant,
        notice,
        first_person,
        admin,
        app,
        shift_lead,
        case_manager,
        officer,
        auditor,
        worker,
    })
}

fn context(vault: &Vault, key: &ApiKey) -> Result<Context, Problem> {
    let actor = vault.authenticate(key, |_| true).map_err(Problem::from_error("a key of the demo"))?;
    Ok(Context { actor, request: vault.new_request() })
}

async fn key(
    vault: &Vault,
    ctx: &Context,
    tenant: TenantId,
    name: &str,
    role: Role,
    subject: Option<PersonId>,
) -> Result<ApiKey, Problem> {
    let new = NewKey { name: name.to_owned(), role, subject, expires: None, zone: Vec::new() };
    let issued = vault.issue_key(ctx, tenant, new).await.map_err(Problem::from_error("a key of the demo"))?;
    Ok(issued.secret)
}

fn field(id: u16, name: &str, category: Category, kind: FieldType, mask: MaskRule) -> Field {
    Field {
        id: FieldId(id),
        name: name.to_owned(),
        category,
        kind,
        mask,
        index: Index::None,
        token: TokenFormat::Opaque,
        compartment: Compartment(0),
        stable: false,
        third_party: false,
        max_bytes: 500,
    }
}

fn catalogue() -> Vec<Field> {
    let name = field(1, "name", Category::Identity, FieldType::Text, MaskRule::Initials);
    let mut email = field(2, "email", Category::Contact, FieldType::Email, MaskRule::Redact);
    email.index = Index::Equality;
    email.token = TokenFormat::Email;
    // Workers sign in with it, and the app's column is UNIQUE.
    email.stable = true;
    let mut phone = field(3, "phone", Category::Contact, FieldType::Phone, MaskRule::LastFour);
    phone.token = TokenFormat::Phone;
    let mut birth = field(4, "birth_date", Category::Identity, FieldType::Date, MaskRule::Year);
    birth.token = TokenFormat::Date;
    let mut contact = field(5, "emergency_contact", Category::Contact, FieldType::Text, MaskRule::Redact);
    contact.third_party = true;
    let mut health = field(6, "health_note", Category::Health, FieldType::Text, MaskRule::Redact);
    health.max_bytes = 4_000;
    vec![name, email, phone, birth, contact, health]
}

fn purposes() -> Vec<Purpose> {
    let purpose =
        |id, name: &str, title: &str, basis, special_basis, fields: &[u16], roles: &[Role]| Purpose {
            id: PurposeId(id),
            name: name.to_owned(),
            title: title.to_owned(),
            basis,
            special_basis,
            fields: fields.iter().map(|id| FieldId(*id)).collect(),
            masked: Vec::new(),
            recipients: vec![RecipientId(0)],
            roles: roles.to_vec(),
            marketing: false,
            survives_restriction: false,
            current: true,
            edition: 0,
        };
    let mut rostering = purpose(
        1,
        "rostering",
        "Shift rosters",
        LegalBasis::Contract,
        None,
        &[1],
        &[Role::Operations, Role::App, Role::PrivacyOfficer],
    );
    rostering.masked = vec![FieldId(3)];
    let emergency = purpose(
        2,
        "emergency",
        "Reaching family in an emergency",
        LegalBasis::VitalInterests,
        None,
        &[1, 3, 5],
        &[Role::Operations],
    );
    let bem = purpose(
        3,
        "bem",
        "Return-to-work case (§ 167(2) SGB IX)",
        LegalBasis::Consent,
        Some(SpecialBasis::ExplicitConsent),
        &[1, 6],
        &[Role::CaseManager, Role::PrivacyOfficer],
    );
    let directory = purpose(
        4,
        "sign-in",
        "Finding a worker's account",
        LegalBasis::Contract,
        None,
        &[1, 2],
        &[Role::App],
    );
    let personnel = purpose(
        5,
        "personnel",
        "Personnel files",
        LegalBasis::Contract,
        None,
        &[1, 2, 3, 4, 5],
        &[Role::Operations],
    );
    vec![rostering, emergency, bem, directory, personnel]
}

fn bem_notice(id: NoticeId) -> Notice {
    let text = |language: &str, text: &str| NoticeText { language: language.into(), text: text.into() };
    let texts = vec![text("de", NOTICE_DE), text("en", NOTICE_EN)];
    Notice { id, name: "bem".to_owned(), versions: vec![NoticeVersion { texts }] }
}

const FIRST: [&str; 10] =
    ["Jana", "Mehmet", "Aylin", "Piotr", "Lena", "Tomasz", "Oksana", "Ralf", "Fatima", "Jörg"];
const LAST: [&str; 8] =
    ["Albrecht", "Yıldız", "Kowalska", "Brandt", "Schönfeld", "Okafor", "Petrov", "Winkelmann"];
const NOTES: [&str; 4] = [
    "Rückenbeschwerden, hebt höchstens 10 kg",
    "Keine Angaben",
    "Nachtschicht vorerst nicht, ärztlich empfohlen",
    "Schwerhörig links, Gehörschutz angepasst",
];

/// An invented worker. Numbers follow ranges that are reserved for fiction; domains are reserved by RFC 2606.
pub(crate) fn worker(number: usize) -> PutRequest {
    let first = FIRST[number % FIRST.len()];
    let last = LAST[(number / 5) % LAST.len()];
    let values = [
        ("name", format!("{first} {last}")),
        ("email", format!("worker{number}@werk-sued.example")),
        ("phone", format!("+493023{:07}", 1_250_000 + number % 1_000_000)),
        ("birth_date", format!("19{}-{:02}-{:02}", 60 + number % 40, 1 + number % 12, 1 + number % 28)),
        (
            "emergency_contact",
            format!(
                "{} {last}, +493023{:07}",
                FIRST[(number + 3) % FIRST.len()],
                2_250_000 + number % 1_000_000
            ),
        ),
        ("health_note", NOTES[number % NOTES.len()].to_owned()),
    ];
    let fields: BTreeMap<String, Zeroizing<String>> =
        values.into_iter().map(|(name, value)| (name.to_owned(), Zeroizing::new(value))).collect();
    PutRequest { reference: format!("personnel-{:05}", 10_000 + number), fields, idempotency: None }
}
