//! One form per value: what is stored is its own form again, and nothing that is sent makes it panic.

use crate::{KINDS, field};
use model::catalogue::{Field, FieldType, MAX_VALUE, ValueError};
use proptest::prelude::*;

fn kind() -> impl Strategy<Value = FieldType> {
    prop::sample::select(&KINDS[..])
}

/// Texts of all kinds, among them many that are almost right.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "\\PC{0,40}",
        "[ \u{a0}]?[a-zA-Z0-9.+İßΣéﬁ_-]{1,20}@[a-zA-Z0-9.İßΣéﬁ-]{1,20}\\.[a-zA-Z0-9]{1,5} ?",
        "[ \u{202a}\u{200e}(]{0,2}(\\+|00)[0-9 /().\u{2011}-]{5,22}",
        "[+-]?[0-9]{1,5}-[0-9]{1,2}-[0-9]{1,2}",
        "[0-9]{1,40}",
        "[0-9٠-٩０-９]{1,10}",
    ]
}

/// The property itself, for the field and for a broken copy of it.
fn settles(normalise: impl Fn(&str) -> Result<String, ValueError>, value: &str) -> bool {
    normalise(value).map_or(true, |once| normalise(&once) == Ok(once))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    #[test]
    fn what_is_stored_is_its_own_form(kind in kind(), value in value(), max_bytes in 1_u32..60) {
        let field = Field { max_bytes, ..field(kind) };
        prop_assert!(settles(|value| field.normalise(value), &value));
        if let Ok(stored) = field.normalise(&value) {
            prop_assert!((1..=max_bytes as usize).contains(&stored.len()));
            let bare = |one: char| one.is_control() && !matches!(one, '\n' | '\r' | '\t');
            prop_assert!(!stored.contains(bare));
        }
    }

    #[test]
    fn texts_are_stored_byte_for_byte(value in "[\\PC\n\t]{1,60}") {
        if let Ok(stored) = field(FieldType::Text).normalise(&value) {
            prop_assert_eq!(stored, value);
        }
    }

    #[test]
    fn case_and_surroundings_do_not_count_in_a_search(
        value in "[a-zäöüé ]{0,20}[a-zäöüé]",
        before in "[ \t\u{a0}\u{200b}\u{feff}]{0,3}",
        after in "[ \n\u{2060}\u{ad}]{0,3}",
    ) {
        let field = field(FieldType::Text);
        let same = format!("{before}{}{after}", value.to_uppercase());
        prop_assert_eq!(field.index_form(&same), field.index_form(&value));
        prop_assert_ne!(field.index_form(&format!("{value}x")), field.index_form(&value));
    }

    #[test]
    fn a_number_is_found_however_it_is_written(digits in "[1-9][0-9]{6,14}", cuts: [bool; 15], sign: bool) {
        let mut written = String::from(if sign { "+" } else { "00" });
        for (digit, cut) in digits.chars().zip(cuts) {
            written.push(digit);
            if cut {
                written.push_str(" -\u{a0}");
            }
        }
        prop_assert_eq!(field(FieldType::Phone).normalise(&written), Ok(format!("+{digits}")));
    }

    #[test]
    fn every_day_is_a_date_and_nothing_else(year in 0_i32..=9_999, month in 0_u8..=13, day in 0_u8..=32) {
        let text = format!("{year:04}-{month:02}-{day:02}");
        let real = time::Month::try_from(month)
            .is_ok_and(|month| time::Date::from_calendar_date(year, month, day).is_ok());
        let expected = if real && year > 0 { Ok(text.clone()) } else { Err(ValueError::Date) };
        prop_assert_eq!(field(FieldType::Date).normalise(&text), expected);
    }
}

#[test]
fn a_form_that_does_not_settle_is_noticed() {
    // The lower case of İ is i and a combining dot, which no label may hold.
    let hasty = |value: &str| {
        let checked = field(FieldType::Email).normalise(&value.replace('İ', "I"))?;
        Ok(if value.contains('İ') { value.to_lowercase() } else { checked })
    };
    assert!(!settles(hasty, "a@İ.de"));
    assert!(settles(|value| field(FieldType::Email).normalise(value), "a@İ.de"));
}

fn all_of(kind: FieldType, cases: &[(&str, Result<&str, ValueError>)]) {
    for (value, expected) in cases {
        assert_eq!(field(kind).normalise(value).as_deref(), expected.as_ref().copied(), "{value:?}");
    }
}

#[test]
fn emails() {
    let no = Err(ValueError::Email);
    all_of(
        FieldType::Email,
        &[
            (" Jana.Muster@Example.COM ", Ok("Jana.Muster@example.com")),
            ("j+tag@example.com", Ok("j+tag@example.com")),
            ("jäger@müller.de", Ok("jäger@müller.de")),
            ("a@xn--mller-kva.de", Ok("a@xn--mller-kva.de")),
            ("a@example.c0m", Ok("a@example.c0m")),
            ("a@example", no),
            ("a@127.0.0.1", no),
            ("a@[127.0.0.1]", no),
            ("\"a b\"@example.com", no),
            ("a(c)@example.com", no),
            ("a@b@example.com", no),
            (".a@example.com", no),
            ("a.@example.com", no),
            ("a..b@example.com", no),
            ("a@.example.com", no),
            ("a@example.com.", no),
            ("a@-example.com", no),
            ("a@example-.com", no),
            ("a@example..com", no),
            ("a@exa mple.com", no),
            ("a@exa_mple.com", no),
            ("@example.com", no),
            ("a@", no),
            ("a\u{200b}@example.com", no),
            ("a\u{202e}@example.com", no),
            ("a@u\u{308}.de", no),
            ("a@İ.de", no),
            ("a\n@example.com", no),
            ("Jana <a@example.com>", no),
        ],
    );
}

#[test]
fn lengths_of_an_email() {
    let field = field(FieldType::Email);
    let domain = |length: usize| {
        let mut labels = "d".repeat(63) + ".";
        labels = labels.repeat(4);
        labels.truncate(length - 3);
        labels.replace_range(labels.len() - 1.., "d");
        labels + ".de"
    };
    let address = |local: usize, length: usize| format!("{}@{}", "l".repeat(local), domain(length));
    assert!(field.normalise(&address(64, 189)).is_ok(), "254 bytes");
    assert_eq!(field.normalise(&address(64, 190)), Err(ValueError::Email), "255 bytes");
    assert_eq!(field.normalise(&address(65, 20)), Err(ValueError::Email));
    assert!(field.normalise(&format!("a@{}.de", "d".repeat(63))).is_ok());
    assert_eq!(field.normalise(&format!("a@{}.de", "d".repeat(64))), Err(ValueError::Email));
}

#[test]
fn phones() {
    let no = Err(ValueError::Phone);
    all_of(
        FieldType::Phone,
        &[
            ("+49 170 123-45.67", Ok("+491701234567")),
            ("0049 (170) 1234567", Ok("+491701234567")),
            ("\u{202a}+49\u{a0}170\u{2011}1234567\u{202c}", Ok("+491701234567")),
            ("+1234567", Ok("+1234567")),
            ("+123456789012345", Ok("+123456789012345")),
            ("+39 06 1234567", Ok("+39061234567")),
            ("+123456", no),
            ("+1234567890123456", no),
            ("0170 1234567", no),
            ("491701234567", no),
            ("+49 (0) 170 1234567", no),
            ("+49 ( 0 )170 1234567", no),
            ("+0491701234567", no),
            ("+49170123456a", no),
            ("+49+1701234567", no),
            ("+٤٩١٧٠١٢٣٤٥٦٧", no),
            ("+49 170 1234567 ext. 5", no),
            ("+49170123\n4567", no),
            ("+", no),
            ("00", no),
        ],
    );
}

#[test]
fn dates() {
    let no = Err(ValueError::Date);
    all_of(
        FieldType::Date,
        &[
            ("1984-05-06", Ok("1984-05-06")),
            ("2024-02-29", Ok("2024-02-29")),
            ("2000-02-29", Ok("2000-02-29")),
            ("0001-01-01", Ok("0001-01-01")),
            ("9999-12-31", Ok("9999-12-31")),
            ("2023-02-29", no),
            ("1900-02-29", no),
            ("0000-01-01", no),
            ("1984-5-06", no),
            ("1984-05-06 ", no),
            ("06.05.1984", no),
            ("1984-05-06T00:00", no),
            ("-984-05-06", no),
            ("+984-05-06", no),
            ("12345-1-01", no),
            ("１984-05-0", no),
        ],
    );
}

#[test]
fn digits_and_texts() {
    all_of(
        FieldType::Digits,
        &[("007", Ok("007")), ("1 2", Err(ValueError::Digits)), ("٣", Err(ValueError::Digits))],
    );
    all_of(
        FieldType::Text,
        &[
            ("Zeile\r\n\tzwei", Ok("Zeile\r\n\tzwei")),
            ("مهدی\u{200c}نژاد", Ok("مهدی\u{200c}نژاد")),
            (" e\u{301} ", Ok(" e\u{301} ")),
            ("a\0b", Err(ValueError::Control)),
            ("a\u{1b}[31mb", Err(ValueError::Control)),
            ("a\u{9b}b", Err(ValueError::Control)),
            ("a\u{202e}b", Err(ValueError::Control)),
            ("a\u{2067}b\u{2069}", Err(ValueError::Control)),
            ("a\u{2028}b", Err(ValueError::Control)),
        ],
    );
}

#[test]
fn the_limit_is_on_what_is_stored() {
    for kind in KINDS {
        assert_eq!(field(kind).normalise(""), Err(ValueError::Length), "{kind:?}");
        let over = "1".repeat(MAX_VALUE as usize + 1);
        assert_eq!(field(kind).normalise(&over), Err(ValueError::Length), "{kind:?}");
    }
    let short = |kind, max_bytes| Field { max_bytes, ..field(kind) };
    assert_eq!(short(FieldType::Text, 3).normalise("äb"), Ok("äb".to_owned()));
    assert_eq!(short(FieldType::Text, 3).normalise("äbc"), Err(ValueError::Length));
    assert!(short(FieldType::Phone, 13).normalise("+49 (170) 123 45 67").is_ok());
    assert_eq!(short(FieldType::Phone, 12).normalise("+491701234567"), Err(ValueError::Length));
}
