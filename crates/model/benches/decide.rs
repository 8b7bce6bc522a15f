//! What a decision costs: `cargo bench -p obhut-model`. To stay under 200 ns each, so that it does not show in a read.

use criterion::{Criterion, criterion_group, criterion_main};
use model::catalogue::{Category, Field, FieldType, Index, MaskRule, TokenFormat};
use model::consent::ConsentState;
use model::decision::{Action, ConsentFacts, Facts, FieldScope, PersonFacts, Request, decide};
use model::principal::{Principal, Role};
use model::purpose::{LegalBasis, Purpose, SpecialBasis};
use model::tenant::TenantState;
use model::{Compartment, FieldId, PersonId, PrincipalId, PurposeId, RecipientId, TenantId, Timestamp};
use std::hint::black_box;

const TENANT: TenantId = TenantId([1; 16]);
const PERSON: PersonId = PersonId([2; 16]);

fn field() -> Field {
    Field {
        id: FieldId(40),
        name: "health_note".into(),
        category: Category::Health,
        kind: FieldType::Text,
        mask: MaskRule::Redact,
        index: Index::None,
        token: TokenFormat::Opaque,
        compartment: Compartment(0),
        stable: false,
        third_party: false,
        max_bytes: 4_000,
    }
}

/// A purpose of 40 fields, of which the one asked for is the last, and of 8 recipients.
fn purpose() -> Purpose {
    Purpose {
        id: PurposeId(3),
        name: "bem".into(),
        title: "Return-to-work case".into(),
        basis: LegalBasis::Consent,
        special_basis: Some(SpecialBasis::ExplicitConsent),
        fields: (1..=40).map(FieldId).collect(),
        masked: Vec::new(),
        recipients: (0..8).map(RecipientId).collect(),
        roles: vec![Role::App, Role::PrivacyOfficer, Role::CaseManager],
        marketing: false,
        survives_restriction: false,
        current: true,
        edition: 0,
    }
}

fn bench(criterion: &mut Criterion) {
    let (field, purpose) = (field(), purpose());
    let principal =
        Principal { id: PrincipalId([3; 16]), tenant: TENANT, role: Role::CaseManager, subject: None };
    let request = Request {
        principal: &principal,
        action: Action::Read,
        tenant: TENANT,
        person: PERSON,
        field: &field,
        purpose: Some(&purpose),
        recipient: RecipientId(7),
        break_glass: None,
    };
    let restricted = [1, 2, 3, 4].map(|id| FieldScope::One(FieldId(id)));
    let objections = [PurposeId(1), PurposeId(2)];
    let consent = ConsentFacts {
        state: ConsentState::Given,
        until: Some(Timestamp(2_000)),
        purpose: PurposeId(3),
        recipient: RecipientId(7),
        edition: 0,
        explicit: true,
    };
    let facts = Facts {
        tenant: Some(TenantState::Active),
        person: Some(PersonFacts { erased: false, restricted: &restricted, objections: &objections }),
        consent: Some(consent),
    };
    assert!(decide(&request, &facts, Timestamp(1_000)).releases(), "the long way, to its end");
    criterion.bench_function("decide/permit", |bencher| {
        bencher.iter(|| decide(black_box(&request), black_box(&facts), black_box(Timestamp(1_000))));
    });
    let withdrawn = ConsentFacts { state: ConsentState::Withdrawn, ..consent };
    let withdrawn = Facts { consent: Some(withdrawn), ..facts };
    criterion.bench_function("decide/deny", |bencher| {
        bencher.iter(|| decide(black_box(&request), black_box(&withdrawn), black_box(Timestamp(1_000))));
    });
    let she = Principal { role: Role::Person, subject: Some(PERSON), ..principal.clone() };
    let export = Request { principal: &she, action: Action::Export, purpose: None, ..request };
    criterion.bench_function("decide/own_right", |bencher| {
        bencher.iter(|| decide(black_box(&export), black_box(&facts), black_box(Timestamp(1_000))));
    });
}

criterion_group!(benches, bench);
criterion_main!(benches);
