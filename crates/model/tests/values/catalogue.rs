//! Which catalogues are taken.

use crate::{KINDS, field};
use model::catalogue::{
    CatalogueError, Category, Field, FieldType, Index, MAX_FIELDS, MAX_INDEXED, MAX_VALUE, MaskRule,
    TokenFormat, is_name, validate,
};
use model::{Compartment, FieldId};
use proptest::prelude::*;

const CATEGORIES: [Category; 7] = [
    Category::Identity,
    Category::Contact,
    Category::Employment,
    Category::Financial,
    Category::Health,
    Category::Special,
    Category::Other,
];
const MASKS: [MaskRule; 4] = [MaskRule::Redact, MaskRule::Initials, MaskRule::LastFour, MaskRule::Year];

fn token() -> impl Strategy<Value = TokenFormat> {
    prop_oneof![
        Just(TokenFormat::Opaque),
        Just(TokenFormat::Email),
        Just(TokenFormat::Phone),
        Just(TokenFormat::Date),
        any::<u8>().prop_map(TokenFormat::Digits),
    ]
}

prop_compose! {
    fn any_field()(
        id in 0_u16..6, name in "[a-d]|ref|[A-Z]|", category in prop::sample::select(&CATEGORIES[..]),
        kind in prop::sample::select(&KINDS[..]), mask in prop::sample::select(&MASKS[..]), indexed: bool,
        token in token(), compartment in 0_u8..20, third_party: bool,
        max_bytes in prop_oneof![0_u32..2_000, 65_530_u32..65_540, any::<u32>()],
    ) -> Field {
        let index = if indexed { Index::Equality } else { Index::None };
        Field {
            id: FieldId(id), name, category, kind, mask, index, token, stable: false, third_party, max_bytes,
            compartment: Compartment(compartment),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    /// Whatever was taken keeps every promise that others build on.
    #[test]
    fn a_catalogue_that_is_taken_keeps_its_promises(fields in prop::collection::vec(any_field(), 0..4)) {
        if validate(&fields).is_err() {
            return Ok(());
        }
        for (index, one) in fields.iter().enumerate() {
            prop_assert!(is_name(&one.name) && one.name != "ref" && one.id != FieldId(0));
            let unlike = |other: &Field| other.name != one.name && other.id != one.id;
            prop_assert!(fields[..index].iter().all(unlike));
            prop_assert!(one.compartment.0 < 16 && (1..=MAX_VALUE).contains(&one.max_bytes));
            let searchable = one.index == Index::Equality;
            prop_assert!(!searchable || !one.category.is_special() && one.max_bytes <= MAX_INDEXED);
            prop_assert!(one.mask != MaskRule::Year || one.kind == FieldType::Date);
            prop_assert!(!matches!(one.token, TokenFormat::Digits(0..=5 | 39..)));
        }
    }

    #[test]
    fn names_are_what_their_pattern_says(text in "[a-zA-Z0-9_ä.-]{0,66}") {
        let mut bytes = text.bytes();
        let first = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase());
        let rest = bytes.all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
        prop_assert_eq!(is_name(&text), first && rest && text.len() <= 63);
    }
}

#[test]
fn each_contradiction_is_found_and_each_neighbour_taken() {
    let good = || field(FieldType::Text);
    type Change = fn(&mut Field);
    let cases: [(Change, Change, CatalogueError); 17] = [
        (|f| f.name = "Name".into(), |f| f.name = "name".into(), CatalogueError::Name(1)),
        (|f| f.name = "ref".into(), |f| f.name = "reference".into(), CatalogueError::Name(1)),
        (|f| f.name = "a".repeat(64), |f| f.name = "a".repeat(63), CatalogueError::Name(1)),
        (|f| f.name = "field".into(), |f| f.name = "field2".into(), CatalogueError::Repeated(1)),
        (|f| f.id = FieldId(1), |f| f.id = FieldId(3), CatalogueError::Repeated(1)),
        (|f| f.id = FieldId(0), |f| f.id = FieldId(u16::MAX - 2), CatalogueError::Repeated(1)),
        (|f| f.id = FieldId(u16::MAX), |f| f.id = FieldId(u16::MAX - 2), CatalogueError::Repeated(1)),
        (|f| f.id = FieldId(u16::MAX - 1), |f| f.id = FieldId(u16::MAX - 2), CatalogueError::Repeated(1)),
        (|f| f.compartment.0 = 16, |f| f.compartment.0 = 15, CatalogueError::Compartment(1)),
        (|f| f.max_bytes = 0, |f| f.max_bytes = 1, CatalogueError::Limit(1)),
        (|f| f.max_bytes = MAX_VALUE + 1, |f| f.max_bytes = MAX_VALUE, CatalogueError::Limit(1)),
        (
            |f| (f.index, f.category, f.max_bytes) = (Index::Equality, Category::Health, 10),
            |f| (f.index, f.category, f.max_bytes) = (Index::Equality, Category::Financial, 10),
            CatalogueError::Index(1),
        ),
        (
            |f| (f.index, f.max_bytes) = (Index::Equality, MAX_INDEXED + 1),
            |f| (f.index, f.max_bytes) = (Index::Equality, MAX_INDEXED),
            CatalogueError::Index(1),
        ),
        (
            |f| (f.mask, f.kind) = (MaskRule::Initials, FieldType::Email),
            |f| (f.mask, f.kind) = (MaskRule::Initials, FieldType::Text),
            CatalogueError::Mask(1),
        ),
        (
            |f| (f.mask, f.kind) = (MaskRule::LastFour, FieldType::Date),
            |f| (f.mask, f.kind) = (MaskRule::Year, FieldType::Date),
            CatalogueError::Mask(1),
        ),
        (
            |f| f.token = TokenFormat::Digits(5),
            |f| f.token = TokenFormat::Digits(6),
            CatalogueError::Token(1),
        ),
        (
            |f| f.token = TokenFormat::Digits(39),
            |f| f.token = TokenFormat::Digits(38),
            CatalogueError::Token(1),
        ),
    ];
    for (number, (break_it, mend_it, error)) in cases.into_iter().enumerate() {
        let mut second = Field { id: FieldId(2), name: "other".into(), ..good() };
        break_it(&mut second);
        assert_eq!(validate(&[good(), second.clone()]), Err(error), "case {number}");
        second = Field { id: FieldId(2), name: "other".into(), ..good() };
        mend_it(&mut second);
        assert_eq!(validate(&[good(), second]), Ok(()), "case {number}");
    }
}

#[test]
fn a_catalogue_has_an_end() {
    let numbered = |id: u16| Field { id: FieldId(id), name: format!("f{id}"), ..field(FieldType::Text) };
    let mut fields: Vec<Field> = (1..=500).map(numbered).collect();
    assert_eq!((fields.len(), validate(&fields)), (MAX_FIELDS, Ok(())));
    fields.push(numbered(501));
    assert_eq!(validate(&fields), Err(CatalogueError::TooMany));
}
