//! A transform shows little, and as little to whoever asks for it differently.

use crate::field;
use model::catalogue::{Field, FieldType, MaskRule};
use model::decision::{Action, Decision, Facts, PartialPermit, PersonFacts, Request, decide};
use model::principal::{Principal, Role};
use model::purpose::{LegalBasis, Purpose};
use model::tenant::TenantState;
use model::{PersonId, PrincipalId, PurposeId, RecipientId, TenantId, Timestamp};
use proptest::prelude::*;

const TENANT: TenantId = TenantId([1; 16]);

/// Leave to see a value of `field` through its mask, from the decision, since there is no other way to it.
fn leave(field: &Field) -> Option<PartialPermit> {
    let principal =
        Principal { id: PrincipalId([3; 16]), tenant: TENANT, role: Role::Operations, subject: None };
    let purpose = Purpose {
        id: PurposeId(1),
        name: "rostering".to_owned(),
        title: "Rosters".to_owned(),
        basis: LegalBasis::Contract,
        special_basis: None,
        fields: Vec::new(),
        masked: vec![field.id],
        recipients: vec![RecipientId(0)],
        roles: vec![Role::Operations],
        marketing: false,
        survives_restriction: false,
        current: true,
        edition: 0,
    };
    let request = Request {
        principal: &principal,
        action: Action::Read,
        tenant: TENANT,
        person: PersonId([2; 16]),
        field,
        purpose: Some(&purpose),
        recipient: RecipientId(0),
        break_glass: None,
    };
    let person = PersonFacts { erased: false, restricted: &[], objections: &[] };
    let facts = Facts { tenant: Some(TenantState::Active), person: Some(person), consent: None };
    match decide(&request, &facts, Timestamp(0)) {
        Decision::Partial(permit) => Some(permit),
        _ => None,
    }
}

fn masked(kind: FieldType, mask: MaskRule) -> PartialPermit {
    leave(&Field { mask, ..field(kind) }).expect("leave to see the mask")
}

/// How many letters and digits of a value are seen.
fn seen(text: &str) -> usize {
    text.chars().filter(|one| one.is_alphanumeric()).count()
}

proptest! {
    #[test]
    fn no_transform_shows_a_whole_value(clear in "\\PC{1,40}") {
        let initials = masked(FieldType::Text, MaskRule::Initials).apply(&clear);
        prop_assert!(seen(&initials) <= 4);
        prop_assert!(seen(&initials) * 2 <= seen(&clear), "{:?} of {:?}", initials, clear);
        let last = masked(FieldType::Text, MaskRule::LastFour).apply(&clear);
        prop_assert!(last.chars().count() <= 4);
        prop_assert!(last.chars().count() * 4 <= clear.chars().count());
        prop_assert!(clear.ends_with(last.as_str()));
        let year = masked(FieldType::Date, MaskRule::Year).apply(&clear);
        prop_assert!(year.is_empty() || clear.starts_with(year.as_str()) && year.len() == 4);
    }
}

#[test]
fn a_mask_that_shows_nothing_is_no_leave_to_see() {
    assert_eq!(leave(&Field { mask: MaskRule::Redact, ..field(FieldType::Text) }), None);
    assert!(leave(&Field { mask: MaskRule::Initials, ..field(FieldType::Text) }).is_some());
}

#[test]
fn initials_and_years() {
    let initials = masked(FieldType::Text, MaskRule::Initials);
    let cases =
        [("Jana  Maria Muster", "J. M. M."), ("A", ""), ("Änne B. von Öhr", "Ä. v. Ö."), ("a b c d e f", "")];
    for (clear, shown) in cases {
        assert_eq!(initials.apply(clear).as_str(), shown);
    }
    assert_eq!(masked(FieldType::Date, MaskRule::Year).apply("1984-05-06").as_str(), "1984");
}
