//! How much of an event is kept: plain names of bounded length, and nothing that a client made up.
//!
//! Whoever tells of an event has to keep to this already; it is held here once more, since what is written stays for weeks.

use super::{Attack, Rule};
use std::sync::Arc;

/// Longest name of a member.
const NAME: usize = 64;
/// Longest message.
const MESSAGE: usize = 200;
/// Longest tag, and most of them.
const TAG: usize = 64;
const TAGS: usize = 24;
/// What stands for a name that is not a plain one.
const HIDDEN: &str = "…";

/// A reference as it is compared: letters and digits in capitals.
pub(super) fn reference(text: &str) -> String {
    let plain = text.chars().filter(char::is_ascii_alphanumeric).take(NAME);
    plain.map(|letter| letter.to_ascii_uppercase()).collect()
}

/// The event as it is kept.
pub(super) fn plain(mut attack: Attack) -> Attack {
    if !attack.reference.bytes().all(|byte| byte.is_ascii_alphanumeric()) || attack.reference.len() > NAME {
        attack.reference = reference(&attack.reference).into();
    }
    let is_word = |text: &str| !text.is_empty() && text.len() <= NAME && text.bytes().all(is_plain);
    if !(is_word(&attack.method) && attack.method.len() <= 20) {
        attack.method = "OTHER".into();
    }
    attack.route = attack.route.filter(|name| is_word(name));
    attack.refusal = attack.refusal.filter(|code| is_word(code));
    attack.rules.iter_mut().for_each(bound);
    attack
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'[' | b']')
}

fn bound(rule: &mut Rule) {
    if rule.message.len() > MESSAGE {
        rule.message = Arc::from(rule.message.chars().take(MESSAGE / 4).collect::<String>());
    }
    if rule.tags.len() > TAGS || rule.tags.iter().any(|tag| tag.len() > TAG) {
        rule.tags = rule.tags.iter().filter(|tag| tag.len() <= TAG).take(TAGS).cloned().collect();
    }
    if let Some(target) = &rule.target {
        rule.target = named(target);
    }
}

/// A variable with a plain name, or the variable with [`HIDDEN`] in its place; none where not even the variable is one.
fn named(target: &str) -> Option<Box<str>> {
    let (variable, name) =
        target.split_once(':').map_or((target, None), |(variable, name)| (variable, Some(name)));
    let is_variable = (1..=40).contains(&variable.len())
        && variable.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let is_name = |name: &str| (1..=NAME).contains(&name.len()) && name.bytes().all(is_plain);
    match name {
        _ if !is_variable => None,
        None => Some(target.into()),
        Some(name) if is_name(name) => Some(target.into()),
        Some(_) => Some(format!("{variable}:{HIDDEN}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::attack;
    use super::*;

    #[test]
    fn a_target_is_a_variable_with_a_plain_name() {
        for (target, kept) in [
            ("ARGS:note", Some("ARGS:note")),
            ("ARGS:user[name].0-a_b", Some("ARGS:user[name].0-a_b")),
            ("REQUEST_BODY", Some("REQUEST_BODY")),
            ("ARGS:Erika Mustermann", Some("ARGS:…")),
            ("ARGS:erika@example.org", Some("ARGS:…")),
            ("ARGS:a:b", Some("ARGS:…")),
            ("ARGS:", Some("ARGS:…")),
            ("ARGS:…", Some("ARGS:…")),
            ("Erika Mustermann", None),
            ("", None),
        ] {
            assert_eq!(named(target).as_deref(), kept, "{target}");
        }
        assert_eq!(named(&format!("ARGS:{}", "a".repeat(65))).as_deref(), Some("ARGS:…"));
    }

    #[test]
    fn an_event_is_cut_to_what_may_be_kept() {
        let mut event = attack("REF1", 7);
        event.reference = "AB-12 <b>".into();
        event.method = "ERIKA MUSTERMANN".into();
        event.route = Some("not a name".into());
        event.refusal = Some("body too large: Erika".into());
        event.rules[0].message = "ä".repeat(300).into();
        event.rules[0].tags = (0..40).map(|number| format!("tag-{number}").into()).collect();
        let kept = plain(event);
        assert_eq!(
            (&*kept.reference, &*kept.method, &kept.route, &kept.refusal),
            ("AB12B", "OTHER", &None, &None)
        );
        assert_eq!((kept.rules[0].message.chars().count(), kept.rules[0].tags.len()), (50, TAGS));
        let fine = attack("REF2", 7);
        assert_eq!(plain(fine.clone()), fine, "what is plain already stays as it is");
    }

    #[test]
    fn a_reference_is_found_however_it_is_read_out() {
        for said in ["ABC123DEFG", "abc123defg", " abc-123 defg "] {
            assert_eq!(reference(said), "ABC123DEFG");
        }
    }
}
