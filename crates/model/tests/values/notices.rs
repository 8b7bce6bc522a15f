//! Which notices are taken, and that what was shown stays.

use model::NoticeId;
use model::notice::{MAX_LANGUAGES, MAX_TEXT, MAX_VERSIONS, Notice, NoticeError, NoticeText, NoticeVersion};
use proptest::prelude::*;

fn text(language: &str, text: &str) -> NoticeText {
    NoticeText { language: language.to_owned(), text: text.to_owned() }
}

fn notice(texts: Vec<NoticeText>) -> Notice {
    Notice { id: NoticeId([1; 16]), name: "bem".to_owned(), versions: vec![NoticeVersion { texts }] }
}

fn version() -> impl Strategy<Value = NoticeVersion> {
    let text = ("de|en|fr", "[a-b]{0,2}").prop_map(|(language, text)| NoticeText { language, text });
    prop::collection::vec(text, 1..3).prop_map(|texts| NoticeVersion { texts })
}

proptest! {
    #[test]
    fn what_was_shown_stays(
        first in prop::collection::vec(version(), 1..4), second in prop::collection::vec(version(), 0..4),
        keep: bool,
    ) {
        let known = Notice { versions: first.clone(), ..notice(Vec::new()) };
        let versions = if keep { [first.clone(), second].concat() } else { second };
        let newer = Notice { versions, ..known.clone() };
        let mut grown = known.clone();
        match grown.extend_with(&newer) {
            Ok(()) => prop_assert_eq!(&grown, &newer),
            Err(error) => {
                prop_assert_eq!(error, NoticeError::Changed);
                prop_assert!(!keep);
                prop_assert_eq!(&grown, &known);
            }
        }
        for (number, version) in (1..).zip(&first) {
            for one in &version.texts {
                prop_assert_eq!(grown.text(number, &one.language), known.text(number, &one.language));
            }
        }
    }

    #[test]
    fn no_look_up_panics(version: u32, language in "\\PC{0,5}") {
        let found = notice(vec![text("de", "eins")]).text(version, &language).is_some();
        prop_assert_eq!(found, version == 1 && language == "de");
    }
}

#[test]
fn languages_are_tags_and_different() {
    let check = |languages: &[&str]| notice(languages.iter().map(|one| text(one, "x")).collect()).validate();
    for good in
        [&["de"][..], &["de", "en"], &["de-DE", "de-AT", "de"], &["zh-Hant-TW"], &["sr-Latn"], &["de-1996"]]
    {
        assert_eq!(check(good), Ok(()), "{good:?}");
    }
    let bad: [&[&str]; 12] = [
        &[],
        &["d"],
        &["de", "de"],
        &["de", "DE"],
        &["-de"],
        &["de-"],
        &["de--AT"],
        &["d-AT"],
        &["1de"],
        &["de_AT"],
        &["dé"],
        &["abcdefghi"],
    ];
    for languages in bad {
        assert_eq!(check(languages), Err(NoticeError::Languages), "{languages:?}");
    }
    let tag = |length: usize| format!("de{}", "-abcdefgh".repeat(4))[..length].to_owned();
    assert_eq!(check(&[&tag(35)]), Ok(()));
    assert_eq!(check(&[&tag(36)]), Err(NoticeError::Languages));
    let letters =
        |number: usize| format!("a{}", char::from(b'a' + u8::try_from(number % 26).expect("small")));
    let many: Vec<String> =
        (0..=MAX_LANGUAGES).map(|number| format!("{}-{number}", letters(number))).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(check(&many[..MAX_LANGUAGES]), Ok(()));
    assert_eq!(check(&many), Err(NoticeError::Languages));
}

#[test]
fn a_text_is_there_and_shows_what_it_says() {
    let check = |one: &str| notice(vec![text("de", one)]).validate();
    for good in ["x", "Zeile eins\r\n\tZeile zwei", "مهدی\u{200c}نژاد", &"x".repeat(MAX_TEXT)] {
        assert_eq!(check(good), Ok(()));
    }
    for bad in ["", "a\0b", "a\u{1b}b", "no\u{202e}sey", "a\u{2028}b", &"x".repeat(MAX_TEXT + 1)] {
        assert_eq!(check(bad), Err(NoticeError::Text));
    }
}

#[test]
fn a_notice_has_a_name_and_versions_and_an_end() {
    let good = notice(vec![text("de", "x")]);
    assert_eq!(good.validate(), Ok(()));
    assert_eq!(Notice { name: "BEM".to_owned(), ..good.clone() }.validate(), Err(NoticeError::Name));
    assert_eq!(Notice { versions: Vec::new(), ..good.clone() }.validate(), Err(NoticeError::Versions));
    let mut many = Notice { versions: vec![good.versions[0].clone(); MAX_VERSIONS], ..good };
    assert_eq!((many.validate(), many.latest_version()), (Ok(()), 1_000));
    many.versions.push(many.versions[0].clone());
    assert_eq!(many.validate(), Err(NoticeError::Versions));
}
