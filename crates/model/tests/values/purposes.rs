//! Which purposes and recipients are taken.

use crate::field;
use model::catalogue::{Category, Field, FieldType};
use model::decision::{Action, table};
use model::principal::Role;
use model::purpose::{
    LegalBasis, MAX_PURPOSES, MAX_TITLE, Purpose, PurposeError, Recipient, SpecialBasis, validate,
};
use model::{FieldId, PurposeId, RecipientId};
use proptest::prelude::*;

fn fields() -> [Field; 3] {
    let text = |id, name: &str, category| Field {
        id: FieldId(id),
        name: name.to_owned(),
        category,
        ..field(FieldType::Text)
    };
    [
        text(1, "name", Category::Identity),
        text(2, "phone", Category::Contact),
        text(3, "note", Category::Health),
    ]
}

fn recipients() -> [Recipient; 1] {
    [Recipient { id: RecipientId(1), name: "insurer".into(), title: "Insurer".into() }]
}

fn purpose() -> Purpose {
    Purpose {
        id: PurposeId(1),
        name: "rostering".into(),
        title: "Rosters".into(),
        basis: LegalBasis::Contract,
        special_basis: None,
        fields: vec![FieldId(1)],
        masked: vec![FieldId(2)],
        recipients: vec![RecipientId(0), RecipientId(1)],
        roles: vec![Role::Operations],
        marketing: false,
        survives_restriction: false,
        current: true,
        edition: 0,
    }
}

#[test]
fn each_contradiction_is_found_and_each_neighbour_taken() {
    type Change = fn(&mut Purpose);
    let cases: [(Change, Change, PurposeError); 18] = [
        (|p| p.name = "rostering".into(), |p| p.name = "b".into(), PurposeError::Name(1)),
        (|p| p.name = "B".into(), |p| p.name = "b-2".into(), PurposeError::Name(1)),
        (|p| p.id = PurposeId(1), |p| p.id = PurposeId(3), PurposeError::Name(1)),
        (|p| p.id = PurposeId(0), |p| p.id = PurposeId(u16::MAX), PurposeError::Name(1)),
        (|p| p.title.clear(), |p| p.title = "§ 167(2) SGB IX".into(), PurposeError::Name(1)),
        (|p| p.title = "a".repeat(MAX_TITLE + 1), |p| p.title = "a".repeat(MAX_TITLE), PurposeError::Name(1)),
        (|p| p.title = "a\nb".into(), |p| p.title = "a b".into(), PurposeError::Name(1)),
        (|p| p.title = "a\u{202e}b".into(), |p| p.title = "a\u{200c}b".into(), PurposeError::Name(1)),
        (|p| p.fields = vec![FieldId(4)], |p| p.fields.clear(), PurposeError::UnknownField(1)),
        (|p| p.masked = vec![FieldId(0)], |p| p.masked.clear(), PurposeError::UnknownField(1)),
        (
            |p| p.fields.push(FieldId(3)),
            |p| {
                p.fields.push(FieldId(3));
                p.special_basis = Some(SpecialBasis::Care);
            },
            PurposeError::SpecialBasis(1),
        ),
        (
            |p| p.masked.push(FieldId(3)),
            |p| {
                p.masked.push(FieldId(3));
                p.special_basis = Some(SpecialBasis::ExplicitConsent);
            },
            PurposeError::SpecialBasis(1),
        ),
        (
            |p| p.recipients = vec![RecipientId(2)],
            |p| p.recipients = vec![RecipientId(1)],
            PurposeError::UnknownRecipient(1),
        ),
        (|p| p.roles = vec![Role::Person], |p| p.roles = vec![Role::App], PurposeError::Role(1)),
        (|p| p.masked.push(FieldId(1)), |p| p.masked.clear(), PurposeError::Repeated(1)),
        (|p| p.fields.push(FieldId(1)), |p| p.fields.clear(), PurposeError::Repeated(1)),
        (|p| p.recipients.push(RecipientId(0)), |p| p.recipients.clear(), PurposeError::Repeated(1)),
        (|p| p.roles.push(Role::Operations), |p| p.roles.push(Role::CaseManager), PurposeError::Repeated(1)),
    ];
    let second = || Purpose { id: PurposeId(2), name: "other".into(), ..purpose() };
    for (number, (break_it, mend_it, error)) in cases.into_iter().enumerate() {
        let (mut broken, mut mended) = (second(), second());
        break_it(&mut broken);
        mend_it(&mut mended);
        let check = |one| validate(&[purpose(), one], &recipients(), &fields());
        assert_eq!(check(broken), Err(error), "case {number}");
        assert_eq!(check(mended), Ok(()), "case {number}");
    }
}

#[test]
fn recipients_have_names_of_their_own_and_leave_number_0_to_the_tenant() {
    let check = |one: Recipient| validate(&[], &[recipients()[0].clone(), one], &[]);
    let good = || Recipient { id: RecipientId(2), name: "bank".into(), title: "Bank".into() };
    assert_eq!(check(good()), Ok(()));
    let broken = [
        Recipient { id: RecipientId(0), ..good() },
        Recipient { id: RecipientId(1), ..good() },
        Recipient { name: "insurer".into(), ..good() },
        Recipient { name: "Bank".into(), ..good() },
        Recipient { title: String::new(), ..good() },
        Recipient { title: "a\u{85}b".into(), ..good() },
    ];
    for one in broken {
        assert_eq!(check(one.clone()), Err(PurposeError::Recipient(1)), "{one:?}");
    }
}

#[test]
fn both_lists_have_an_end() {
    let number = |index: usize| u16::try_from(index + 1).expect("few");
    let purposes: Vec<Purpose> = (0..=MAX_PURPOSES)
        .map(|index| Purpose { id: PurposeId(number(index)), name: format!("p{index}"), ..purpose() })
        .collect();
    let recipient =
        |index| Recipient { id: RecipientId(number(index)), name: format!("r{index}"), title: "R".into() };
    let all: Vec<Recipient> = (0..=MAX_PURPOSES).map(recipient).collect();
    assert_eq!(validate(&purposes[..MAX_PURPOSES], &all[..MAX_PURPOSES], &fields()), Ok(()));
    assert_eq!(validate(&purposes, &recipients(), &fields()), Err(PurposeError::TooMany));
    assert_eq!(validate(&[], &all, &fields()), Err(PurposeError::TooMany));
}

prop_compose! {
    fn any_purpose()(
        id in 0_u16..5, name in "[a-c]|", fields in prop::collection::vec(0_u16..5, 0..4),
        masked in prop::collection::vec(0_u16..5, 0..3), recipients in prop::collection::vec(0_u16..3, 0..3),
        roles in prop::collection::vec(prop::sample::select(&Role::ALL[..]), 0..3), second: bool,
    ) -> Purpose {
        let numbers = |all: Vec<u16>| all.into_iter().map(FieldId).collect();
        Purpose {
            id: PurposeId(id), name, fields: numbers(fields), masked: numbers(masked), roles,
            recipients: recipients.into_iter().map(RecipientId).collect(),
            special_basis: second.then_some(SpecialBasis::EmploymentLaw), ..purpose()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    #[test]
    fn purposes_that_are_taken_keep_their_promises(purposes in prop::collection::vec(any_purpose(), 0..3)) {
        if validate(&purposes, &recipients(), &fields()).is_err() {
            return Ok(());
        }
        for one in &purposes {
            prop_assert!(one.id != PurposeId(0) && !one.name.is_empty());
            prop_assert!(one.fields.iter().all(|id| (1..=3).contains(&id.0) && !one.masked.contains(id)));
            let special = one.fields.contains(&FieldId(3)) || one.masked.contains(&FieldId(3));
            prop_assert!(!special || one.special_basis.is_some());
            prop_assert!(one.recipients.iter().all(|id| id.0 <= 1));
            prop_assert!(one.roles.iter().all(|role| table::may(*role, Action::Read)));
        }
    }
}

#[test]
fn whoever_agreed_to_less_is_asked_anew() {
    type Change = fn(&mut Purpose);
    let old = purpose();
    let more: [(&str, Change); 9] = [
        ("one more field", |one| one.fields.push(FieldId(3))),
        ("a masked field in clear", |one| one.fields = one.masked.drain(..).chain([FieldId(1)]).collect()),
        ("one more masked field", |one| one.masked.push(FieldId(3))),
        ("another name towards people", |one| one.title = "Shifts".into()),
        ("another basis", |one| one.basis = LegalBasis::Consent),
        ("another second basis", |one| one.special_basis = Some(SpecialBasis::ExplicitConsent)),
        ("marketing", |one| one.marketing = true),
        ("under restriction too", |one| one.survives_restriction = true),
        ("both", |one| (one.marketing, one.survives_restriction) = (true, true)),
    ];
    for (name, change) in more {
        let mut new = old.clone();
        change(&mut new);
        assert!(new.outgrows(&old), "{name}");
    }
    assert!(old.outgrows(&Purpose { current: false, ..old.clone() }), "it comes back");
    let less: [(&str, Change); 6] = [
        ("the same", |_| {}),
        ("less fields", |one| one.fields.clear()),
        ("in clear before, masked now", |one| one.masked.append(&mut one.fields)),
        ("one more recipient, who is asked for by itself", |one| one.recipients.push(RecipientId(2))),
        ("withdrawn", |one| one.current = false),
        ("another order", |one| one.recipients.reverse()),
    ];
    for (name, change) in less {
        let mut new = old.clone();
        change(&mut new);
        assert!(!new.outgrows(&old), "{name}");
    }
}
