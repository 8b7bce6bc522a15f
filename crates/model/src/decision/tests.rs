use super::*;
use crate::catalogue::{Category, Field, FieldType, Index, MaskRule, TokenFormat};
use crate::consent::ConsentState;
use crate::ids::{Compartment, FieldId, PrincipalId, PurposeId, RecipientId};
use crate::purpose::{LegalBasis, Purpose, SpecialBasis};

const TENANT: TenantId = TenantId([1; 16]);
const PERSON: PersonId = PersonId([2; 16]);
const NOW: Timestamp = Timestamp(1_000_000);

fn principal(role: Role) -> Principal {
    let subject = (role == Role::Person).then_some(PERSON);
    Principal { id: PrincipalId([3; 16]), tenant: TENANT, role, subject }
}

fn field(category: Category) -> Field {
    Field {
        id: FieldId(1),
        name: "note".into(),
        category,
        kind: FieldType::Text,
        mask: MaskRule::Initials,
        index: Index::None,
        token: TokenFormat::Opaque,
        compartment: Compartment(0),
        stable: false,
        third_party: false,
        max_bytes: 100,
    }
}

fn purpose(basis: LegalBasis, special_basis: Option<SpecialBasis>) -> Purpose {
    Purpose {
        id: PurposeId(7),
        name: "bem".into(),
        title: "BEM".into(),
        basis,
        special_basis,
        fields: vec![FieldId(1)],
        masked: Vec::new(),
        recipients: vec![RecipientId(0)],
        roles: vec![Role::CaseManager],
        marketing: false,
        survives_restriction: false,
        current: true,
        edition: 2,
    }
}

fn given() -> ConsentFacts {
    ConsentFacts {
        state: ConsentState::Given,
        until: None,
        purpose: PurposeId(7),
        recipient: RecipientId(0),
        edition: 2,
        explicit: true,
    }
}

fn ask(purpose: &Purpose, consent: Option<ConsentFacts>, person: PersonFacts<'_>) -> Decision {
    let principal = principal(Role::CaseManager);
    let field = field(Category::Health);
    let request = Request {
        principal: &principal,
        action: Action::Read,
        tenant: TENANT,
        person: PERSON,
        field: &field,
        purpose: Some(purpose),
        recipient: RecipientId(0),
        break_glass: None,
    };
    decide(&request, &Facts { tenant: Some(TenantState::Active), person: Some(person), consent }, NOW)
}

const FREE: PersonFacts<'static> = PersonFacts { erased: false, restricted: &[], objections: &[] };

#[test]
fn health_needs_an_explicit_consent_that_lives() {
    let bem = purpose(LegalBasis::Consent, Some(SpecialBasis::ExplicitConsent));
    assert!(matches!(ask(&bem, Some(given()), FREE), Decision::Permit(_)));
    let cases = [
        (None, Reason::ConsentMissing),
        (Some(ConsentFacts { explicit: false, ..given() }), Reason::ConsentNotExplicit),
        (Some(ConsentFacts { until: Some(NOW), ..given() }), Reason::ConsentExpired),
        (Some(ConsentFacts { state: ConsentState::Withdrawn, ..given() }), Reason::ConsentWithdrawn),
        (Some(ConsentFacts { purpose: PurposeId(8), ..given() }), Reason::ConsentMissing),
        (Some(ConsentFacts { recipient: RecipientId(1), ..given() }), Reason::ConsentMissing),
    ];
    for (consent, reason) in cases {
        assert_eq!(ask(&bem, consent, FREE), Decision::Deny(reason));
    }
    let bare = purpose(LegalBasis::Consent, None);
    assert_eq!(ask(&bare, Some(given()), FREE), Decision::Deny(Reason::SpecialBasisMissing));
}

#[test]
fn a_permit_covers_one_place_alone() {
    let bem = purpose(LegalBasis::Consent, Some(SpecialBasis::ExplicitConsent));
    let Decision::Permit(permit) = ask(&bem, Some(given()), FREE) else { panic!("permitted") };
    assert!(permit.covers(TENANT, PERSON, FieldId(1)));
    assert!(!permit.covers(TenantId([9; 16]), PERSON, FieldId(1)));
    assert!(!permit.covers(TENANT, PersonId([9; 16]), FieldId(1)));
    assert!(!permit.covers(TENANT, PERSON, FieldId(2)));
}

#[test]
fn an_undeclared_field_is_redacted_and_a_masked_one_transformed() {
    let mut other = purpose(LegalBasis::Contract, Some(SpecialBasis::EmploymentLaw));
    other.fields.clear();
    assert_eq!(ask(&other, None, FREE), Decision::Redact(Reason::FieldNotDeclared));
    other.masked = vec![FieldId(1)];
    assert!(matches!(ask(&other, None, FREE), Decision::Partial(_)));
}

#[test]
fn erasure_restriction_and_objection_only_take_away() {
    let bem = purpose(LegalBasis::LegitimateInterests, Some(SpecialBasis::EmploymentLaw));
    assert!(ask(&bem, None, FREE).releases());
    let erased = PersonFacts { erased: true, ..FREE };
    assert_eq!(ask(&bem, None, erased), Decision::Deny(Reason::Erased));
    let restricted = PersonFacts { restricted: &[FieldScope::One(FieldId(1))], ..FREE };
    assert_eq!(ask(&bem, None, restricted), Decision::Deny(Reason::Restricted));
    let elsewhere = PersonFacts { restricted: &[FieldScope::One(FieldId(2))], ..FREE };
    assert!(ask(&bem, None, elsewhere).releases());
    let objected = PersonFacts { objections: &[PurposeId(7)], ..FREE };
    assert_eq!(ask(&bem, None, objected), Decision::Deny(Reason::Objected));
    let contract = purpose(LegalBasis::Contract, Some(SpecialBasis::EmploymentLaw));
    assert!(ask(&contract, None, objected).releases(), "no objection against a contract");
}
